//! Readers of one log over a line that loses, doubles and reorders: each holds what the log says, and nothing else.

use proptest::prelude::*;

use super::*;
use crate::{ErrorCode, RawJson, ToolStatus, ToolUseId, testing};

/// An event with text of its own, as a log has it.
#[derive(Debug, Clone)]
enum Event {
    Text(u32, String),
    Reasoning(u32, String),
    ToolInput(u32, String),
    Tool(ToolUse),
    Complete(StopReason, Usage),
    Failed(ErrorData),
}

impl Event {
    fn content(&self) -> &str {
        match self {
            Self::Text(_, text) | Self::Reasoning(_, text) | Self::ToolInput(_, text) => text,
            _ => "",
        }
    }

    fn joins(&self, next: &Self) -> bool {
        match (self, next) {
            (Self::Text(a, _), Self::Text(b, _))
            | (Self::Reasoning(a, _), Self::Reasoning(b, _))
            | (Self::ToolInput(a, _), Self::ToolInput(b, _)) => a == b,
            _ => false,
        }
    }
}

/// A log, and what is to be known after each number of its events. Built beside the fold and not with it.
#[derive(Debug, Clone)]
struct Log {
    events: Vec<Event>,
    /// After `n` events: the parts.
    parts: Vec<Vec<Part>>,
}

impl Log {
    /// Numbers what was said in parts as a proxy does: a part goes on until one of another kind or another block begins.
    fn new(said: Vec<(u8, bool, String)>, end: Event) -> Self {
        let mut log = Self { events: Vec::new(), parts: vec![Vec::new()] };
        let mut parts: Vec<Part> = Vec::new();
        for (kind, new_part, text) in said {
            let last = parts.len().saturating_sub(1);
            let calls: Vec<_> = (0..parts.len()).filter(|at| is_call(&parts[*at])).collect();
            let event = match (kind, parts.last_mut()) {
                (0, Some(Part::Text { text: open })) if !new_part => {
                    open.push_str(&text);
                    Event::Text(last as u32, text)
                }
                (0, _) => {
                    parts.push(Part::Text { text: text.clone() });
                    Event::Text(parts.len() as u32 - 1, text)
                }
                (1, Some(Part::Reasoning { text: open })) if !new_part => {
                    open.push_str(&text);
                    Event::Reasoning(last as u32, text)
                }
                (1, _) => {
                    parts.push(Part::Reasoning { text: text.clone() });
                    Event::Reasoning(parts.len() as u32 - 1, text)
                }
                (2, _) if !calls.is_empty() => {
                    let at = if new_part { calls[0] } else { calls[calls.len() - 1] };
                    // Nothing is no more of it.
                    if let Part::ToolUse(call) = &mut parts[at]
                        && !text.is_empty()
                    {
                        call.partial_input = Some(call.partial_input.take().unwrap_or_default() + &text);
                    }
                    Event::ToolInput(at as u32, text)
                }
                _ => Event::Tool(call(&mut parts, text.len() % 3, new_part)),
            };
            log.push(event, parts.clone());
        }
        log.push(end, parts);
        log
    }

    fn push(&mut self, event: Event, parts: Vec<Part>) {
        self.events.push(event);
        self.parts.push(parts);
    }

    /// The end of the longest frame that begins with the event at `from` and has at most `most` events.
    fn frame_end(&self, from: usize, most: usize) -> usize {
        let rest = &self.events[from..];
        let joined = rest.windows(2).take(most - 1).take_while(|pair| pair[0].joins(&pair[1])).count();
        from + 1 + joined
    }

    fn give(&self, answer: &mut Answer, (from, upto): (usize, usize)) -> Applied {
        let joined: String = self.events[from..upto].iter().map(Event::content).collect();
        let event = match &self.events[from] {
            Event::Text(part, _) => TurnEvent::Text { part: *part, content: &joined },
            Event::Reasoning(part, _) => TurnEvent::Reasoning { part: *part, content: &joined },
            Event::ToolInput(part, _) => TurnEvent::ToolInput { part: *part, content: &joined },
            Event::Tool(call) => TurnEvent::ToolUse { call },
            Event::Complete(stop_reason, usage) => TurnEvent::Complete { stop_reason: *stop_reason, usage },
            Event::Failed(error) => TurnEvent::Error(error),
        };
        answer.apply(from as u64 + 1, upto as u64, &event)
    }

    /// Whether `answer` is what the first events are, as many as it says it has.
    fn holds(&self, answer: &Answer) -> Result<(), TestCaseError> {
        let held = answer.seq() as usize;
        prop_assert!(held <= self.events.len());
        prop_assert_eq!(answer.parts(), &*self.parts[held]);
        let text = |event: &Event| if let Event::Text(_, text) = event { text.clone() } else { String::new() };
        prop_assert_eq!(answer.text(), self.events[..held].iter().map(text).collect::<String>());
        let ended = if held == self.events.len() { self.events.last() } else { None };
        let (state, stop_reason, usage, error) = match ended {
            None => (AnswerState::Streaming, None, None, None),
            Some(Event::Complete(reason, usage)) => (AnswerState::Complete, Some(*reason), Some(usage), None),
            Some(Event::Failed(error)) => (AnswerState::Interrupted, None, error.usage.as_ref(), Some(error)),
            Some(other) => panic!("no end: {other:?}"),
        };
        prop_assert_eq!((answer.state(), answer.stop_reason()), (state, stop_reason));
        prop_assert_eq!((answer.usage(), answer.error()), (usage, error));
        Ok(())
    }
}

fn is_call(part: &Part) -> bool {
    matches!(part, Part::ToolUse(_))
}

/// A call of the tool `id`, known or new, in `parts` too.
fn call(parts: &mut Vec<Part>, id: usize, done: bool) -> ToolUse {
    let call = ToolUse {
        tool_use_id: ToolUseId::new(format!("tool-{id}")).unwrap(),
        name: "clock".into(),
        server: Some("time".into()),
        input: RawJson::new("{}").unwrap(),
        partial_input: None,
        status: if done { ToolStatus::Succeeded } else { ToolStatus::Preparing },
        duration_ms: done.then_some(7),
        result: None,
        approved: false,
    };
    let known =
        parts.iter_mut().find(|part| matches!(part, Part::ToolUse(known) if known.tool_use_id == call.tool_use_id));
    match known {
        Some(part) => *part = Part::ToolUse(call.clone()),
        None => parts.push(Part::ToolUse(call.clone())),
    }
    call
}

fn log() -> impl Strategy<Value = Log> {
    let kind = prop_oneof![5 => Just(0u8), 2 => Just(1u8), 2 => Just(2u8), 1 => Just(3u8)];
    let said = prop::collection::vec((kind, prop::bool::weighted(0.15), testing::text(3)), 0..40);
    let usage = Usage::estimate(40, 4);
    let failed = ErrorData { usage: Some(usage.clone()), ..ErrorData::new(ErrorCode::UpstreamStreamError, "cut") };
    let end = prop_oneof![
        Just(Event::Complete(StopReason::EndTurn, usage)),
        Just(Event::Failed(failed)),
        Just(Event::Failed(ErrorData::new(ErrorCode::Interrupted, "gone"))),
    ];
    (said, end).prop_map(|(said, end)| Log::new(said, end))
}

/// What the line does next. Numbers are taken modulo what there is.
#[derive(Debug, Clone)]
enum Step {
    /// The proxy sends a frame of at most so many events.
    Send(usize),
    /// A frame on the line arrives, the first or a later one.
    Arrive(usize),
    Lose(usize),
    Double(usize),
    /// Everything on the line is lost, and the reader asks for what follows the event it holds.
    Resume,
    /// The proxy answers with all up to an event after the one that is held, and goes on from there.
    Snapshot(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (1usize..6).prop_map(Step::Send),
        5 => Just(Step::Arrive(0)),
        2 => (0usize..4).prop_map(Step::Arrive),
        1 => (0usize..4).prop_map(Step::Lose),
        1 => (0usize..4).prop_map(Step::Double),
        1 => Just(Step::Resume),
        1 => (0usize..9).prop_map(Step::Snapshot),
    ];
    prop::collection::vec(step, 0..80)
}

/// A reader that knows no more than its answer and what arrives.
struct Reader<'a> {
    log: &'a Log,
    answer: Answer,
    /// Frames on the line, as the events they carry.
    line: Vec<(usize, usize)>,
    /// How many events the proxy has sent.
    sent: usize,
}

impl Reader<'_> {
    fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
        let at = |index: usize, line: &Vec<_>| if line.is_empty() { None } else { Some(index % line.len()) };
        match step {
            Step::Send(most) if self.sent < self.log.events.len() => {
                let upto = self.log.frame_end(self.sent, most);
                self.line.push((self.sent, upto));
                self.sent = upto;
            }
            Step::Send(_) => {}
            Step::Arrive(index) => {
                if let Some(index) = at(index, &self.line) {
                    let frame = self.line.remove(index);
                    self.arrive(frame)?;
                }
            }
            Step::Lose(index) => drop(at(index, &self.line).map(|index| self.line.remove(index))),
            Step::Double(index) => {
                if let Some(index) = at(index, &self.line) {
                    self.line.push(self.line[index]);
                }
            }
            Step::Resume => self.resume(),
            Step::Snapshot(skip) if self.answer.state() == AnswerState::Streaming => {
                let to = (self.answer.seq() as usize + skip).min(self.log.events.len() - 1);
                self.answer = Answer::from_snapshot(to as u64, AnswerState::Streaming, self.log.parts[to].clone());
                self.sent = to;
            }
            Step::Snapshot(_) => {}
        }
        self.log.holds(&self.answer)
    }

    /// Only the next events are taken; a gap is a reason to resume; and twice is once.
    fn arrive(&mut self, (from, upto): (usize, usize)) -> Result<(), TestCaseError> {
        let before = self.answer.clone();
        let held = before.seq() as usize;
        let applied = self.log.give(&mut self.answer, (from, upto));
        let expected = match () {
            () if upto <= held => Applied::Duplicate,
            () if from == held => Applied::Next,
            () => Applied::Gap,
        };
        prop_assert_eq!(applied, expected, "events {} to {} at {}", from + 1, upto, held);
        if applied != Applied::Next {
            prop_assert_eq!(&self.answer, &before);
        }
        let once = self.answer.clone();
        prop_assert_ne!(self.log.give(&mut self.answer, (from, upto)), Applied::Next);
        prop_assert_eq!(&self.answer, &once, "twice is once");
        if applied == Applied::Gap {
            self.resume();
        }
        Ok(())
    }

    fn resume(&mut self) {
        self.line.clear();
        self.sent = self.answer.seq() as usize;
    }
}

proptest! {
    #![proptest_config(testing::cases(400))]

    #[test]
    fn a_reader_holds_the_log_whatever_the_line_does(log in log(), steps in steps(), most in 1usize..50) {
        let mut reader = Reader { log: &log, answer: Answer::default(), line: Vec::new(), sent: 0 };
        for step in steps {
            reader.step(step)?;
        }
        reader.resume();
        while reader.answer.state() == AnswerState::Streaming {
            let held = reader.answer.seq();
            reader.step(Step::Send(most))?;
            reader.step(Step::Arrive(0))?;
            prop_assert!(reader.answer.seq() > held, "it goes on");
        }
        prop_assert_eq!(reader.answer.seq() as usize, log.events.len());
        log.holds(&reader.answer)?;
        // What comes after the end is nothing new, whatever it claims to be.
        let ended = reader.answer.clone();
        for from in 0..log.events.len() {
            prop_assert_eq!(log.give(&mut reader.answer, (from, log.frame_end(from, most))), Applied::Duplicate);
        }
        let late = reader.answer.apply(ended.seq() + 1, ended.seq() + 1, &TurnEvent::Text { part: 0, content: "late" });
        prop_assert_eq!(late, Applied::Duplicate);
        prop_assert_eq!(reader.answer, ended);
    }

    /// No event loses text, in whatever order parts and kinds come, and none is taken for one with other numbers.
    #[test]
    fn odd_events_lose_no_text(
        events in prop::collection::vec((any::<bool>(), 0u32..6, testing::text(2)), 0..30),
        numbers in prop::collection::vec((0u64..40, 0u64..40), 0..30),
    ) {
        let mut answer = Answer::default();
        let (mut text, mut reasoning) = (String::new(), String::new());
        let mut numbers = numbers.into_iter();
        for (at, (is_text, part, content)) in events.iter().enumerate() {
            let (part, next) = (*part, at as u64 + 1);
            let event = if *is_text { TurnEvent::Text { part, content } } else { TurnEvent::Reasoning { part, content } };
            if let Some((first, seq)) = numbers.next().filter(|(first, seq)| *first != next || seq < first) {
                let before = answer.clone();
                let applied = answer.apply(first, seq, &event);
                prop_assert_eq!(applied, if seq < next { Applied::Duplicate } else { Applied::Gap });
                prop_assert_eq!(&answer, &before);
            }
            prop_assert_eq!(answer.apply(next, next, &event), Applied::Next);
            if *is_text { &mut text } else { &mut reasoning }.push_str(content);
        }
        let sorted = |text: &str| { let mut chars: Vec<_> = text.chars().collect(); chars.sort_unstable(); chars };
        let shown = |part: &Part| if let Part::Reasoning { text } = part { text.clone() } else { String::new() };
        // A part may come again after another: the text is all there, part by part.
        prop_assert_eq!(sorted(&answer.text()), sorted(&text));
        prop_assert_eq!(sorted(&answer.parts().iter().map(shown).collect::<String>()), sorted(&reasoning));
    }
}
