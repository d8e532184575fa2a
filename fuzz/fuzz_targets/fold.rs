//! However a log is cut into frames, and whatever comes twice, late or too early: the answer is the fold of its events, one by one.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use protocol::{
    Answer, AnswerState, Applied, ErrorCode, ErrorData, Part, RawJson, StopReason, ToolStatus, ToolUse, ToolUseId,
    TurnEvent, Usage,
};

/// What the model says next.
#[derive(Debug, Arbitrary)]
enum Said {
    Text(String),
    Reasoning(String),
    Tool {
        id: u8,
        done: bool,
    },
    /// More of the arguments of a call, counted from the first.
    ToolInput {
        call: u8,
        text: String,
    },
}

#[derive(Debug, Arbitrary)]
enum Offer {
    /// The events from `back` before what is held, as many as `count` and as fit a frame.
    Frame { back: i8, count: u8 },
    /// The same, claiming other numbers.
    Lie { first: u64, seq: u64 },
    /// All events up to `skip` after what is held, as a snapshot.
    Snapshot { skip: u8 },
}

#[derive(Debug, Arbitrary)]
struct Scenario {
    said: Vec<Said>,
    fails: bool,
    offers: Vec<Offer>,
}

#[derive(Debug)]
enum Event {
    Text(u32, String),
    Reasoning(u32, String),
    ToolInput(u32, String),
    Tool(ToolUse),
    Complete(Usage),
    Failed(ErrorData),
}

impl Event {
    fn apply(&self, answer: &mut Answer, first: u64, seq: u64, joined: &str) -> Applied {
        let event = match self {
            Self::Text(part, _) => TurnEvent::Text { part: *part, content: joined },
            Self::Reasoning(part, _) => TurnEvent::Reasoning { part: *part, content: joined },
            Self::ToolInput(part, _) => TurnEvent::ToolInput { part: *part, content: joined },
            Self::Tool(call) => TurnEvent::ToolUse { call },
            Self::Complete(usage) => TurnEvent::Complete { stop_reason: StopReason::EndTurn, usage },
            Self::Failed(error) => TurnEvent::Error(error),
        };
        answer.apply(first, seq, &event)
    }

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

fuzz_target!(|scenario: Scenario| {
    let log = log(scenario.said, scenario.fails);
    // folds[n] is the answer after n events, each taken alone.
    let mut folds = vec![Answer::default()];
    for (at, event) in log.iter().enumerate() {
        let mut next = folds[at].clone();
        assert_eq!(event.apply(&mut next, at as u64 + 1, at as u64 + 1, event.content()), Applied::Next);
        folds.push(next);
    }
    let text: String = log.iter().map(|event| if let Event::Text(_, text) = event { &**text } else { "" }).collect();
    assert_eq!(folds[log.len()].text(), text);

    let mut answer = Answer::default();
    for offer in scenario.offers {
        let held = answer.seq() as usize;
        match offer {
            Offer::Frame { back, count } => {
                let from = held.saturating_add_signed(isize::from(back)).min(log.len() - 1);
                let upto = frame(&log, from, usize::from(count).max(1));
                let applied = give(&log, &mut answer, from, upto);
                let expected = match () {
                    () if upto <= held || answer_ended(&folds[held]) => Applied::Duplicate,
                    () if from != held => Applied::Gap,
                    () => Applied::Next,
                };
                assert_eq!(applied, expected, "{from}..{upto} at {held}");
            }
            Offer::Lie { first, seq } if first != held as u64 + 1 || seq < first => {
                let applied = log[0].apply(&mut answer, first, seq, "a lie");
                assert_ne!(applied, Applied::Next);
            }
            Offer::Lie { .. } => {}
            Offer::Snapshot { skip } => {
                let at = (held + usize::from(skip)).min(log.len());
                let snapshot = Answer::from_snapshot(at as u64, folds[at].state(), folds[at].parts().to_vec());
                if answer_ended(&folds[at]) {
                    ends_with(snapshot, &log, &folds[at]);
                } else if !answer_ended(&answer) {
                    answer = snapshot;
                }
            }
        }
        assert_eq!(answer, folds[answer.seq() as usize]);
    }
    while !answer_ended(&answer) {
        let from = answer.seq() as usize;
        let upto = frame(&log, from, usize::MAX);
        assert_eq!(give(&log, &mut answer, from, upto), Applied::Next);
    }
    assert_eq!(answer, folds[log.len()]);
});

/// A snapshot of a whole answer is the answer, and no frame changes it.
fn ends_with(snapshot: Answer, log: &[Event], whole: &Answer) {
    let mut answer = snapshot.clone();
    for from in 0..log.len() {
        assert_eq!(give(log, &mut answer, from, from + 1), Applied::Duplicate);
    }
    assert_eq!(log[0].apply(&mut answer, log.len() as u64 + 1, log.len() as u64 + 1, "more"), Applied::Duplicate);
    assert_eq!(answer, snapshot);
    assert_eq!((answer.seq(), answer.state(), answer.parts()), (whole.seq(), whole.state(), whole.parts()));
}

fn answer_ended(answer: &Answer) -> bool {
    answer.state() != AnswerState::Streaming
}

/// Where the frame ends that begins with the event at `from` and has at most `count` events.
fn frame(log: &[Event], from: usize, count: usize) -> usize {
    let mut upto = from + 1;
    while upto < log.len() && upto - from < count && log[from].joins(&log[upto]) {
        upto += 1;
    }
    upto
}

fn give(log: &[Event], answer: &mut Answer, from: usize, upto: usize) -> Applied {
    let joined: String = log[from..upto].iter().map(Event::content).collect();
    log[from].apply(answer, from as u64 + 1, upto as u64, &joined)
}

/// The events of an answer, numbered in parts as a proxy numbers them, with an end.
fn log(said: Vec<Said>, fails: bool) -> Vec<Event> {
    let mut log: Vec<Event> = Vec::new();
    let mut parts: Vec<Part> = Vec::new();
    for said in said {
        match said {
            Said::Text(text) => {
                if !matches!(parts.last(), Some(Part::Text { .. })) {
                    parts.push(Part::Text { text: String::new() });
                }
                log.push(Event::Text(parts.len() as u32 - 1, text));
            }
            Said::Reasoning(text) => {
                if !matches!(parts.last(), Some(Part::Reasoning { .. })) {
                    parts.push(Part::Reasoning { text: String::new() });
                }
                log.push(Event::Reasoning(parts.len() as u32 - 1, text));
            }
            Said::Tool { id, done } => {
                let call = ToolUse {
                    tool_use_id: ToolUseId::new(format!("tool-{id}")).expect("an id"),
                    name: "clock".into(),
                    server: None,
                    input: RawJson::new("{}").expect("JSON"),
                    partial_input: None,
                    status: if done { ToolStatus::Succeeded } else { ToolStatus::Preparing },
                    duration_ms: None,
                    result: None,
                    approved: false,
                };
                let known = |part: &Part| matches!(part, Part::ToolUse(known) if known.tool_use_id == call.tool_use_id);
                if !parts.iter().any(known) {
                    parts.push(Part::ToolUse(call.clone()));
                }
                log.push(Event::Tool(call));
            }
            Said::ToolInput { call, text } => {
                let mut calls = parts.iter().enumerate().filter(|(_, part)| matches!(part, Part::ToolUse(_)));
                let count = calls.clone().count().max(1);
                if let Some((part, _)) = calls.nth(usize::from(call) % count) {
                    log.push(Event::ToolInput(part as u32, text));
                }
            }
        }
    }
    log.push(if fails {
        Event::Failed(ErrorData::new(ErrorCode::UpstreamStreamError, "cut"))
    } else {
        Event::Complete(Usage::estimate(4, 4))
    });
    log
}
