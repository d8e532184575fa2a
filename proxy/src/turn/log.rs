//! An answer as an append-only log of numbered events.
//!
//! There is one copy of the text whatever the number of its followers. A follower is a cursor: the number of the last event it
//! was given. What lies behind the cursor is read as one batch, so that a socket that falls behind gets fewer, larger frames and
//! no queue of them.

use protocol::{
    Answer, ErrorData, RawJson, StopReason, ToolResult, ToolStatus, ToolUse, TurnEvent, Usage, codec::StreamKind,
    limits::MAX_CONTENT_BYTES,
};

use crate::store::Piece;

/// The most text an answer may have, in bytes, with all that is shown of its tools; 128,000 tokens, the most any model writes, are about
/// half of it.
pub const MAX_ANSWER_BYTES: usize = 2 * 1024 * 1024;

/// How an answer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It is whole, or was stopped by a person.
    Complete {
        /// Why it ended.
        stop_reason: StopReason,
        /// What it used.
        usage: Usage,
    },
    /// It failed.
    Failed(ErrorData),
}

/// The answer is as long as it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogFull;

/// The log of one answer.
#[derive(Debug, Default)]
pub struct TurnLog {
    text: String,
    events: Vec<Event>,
    /// The calls of tools, each as it stood at one event.
    calls: Vec<ToolUse>,
    calls_bytes: usize,
    parts: u32,
    /// With which event this round began.
    round: usize,
    /// The part that more of the same block goes on in.
    open: Option<(StreamKind, u32, u32)>,
    /// Whether the next text is the first after tools, and is to stand apart from what was before.
    is_apart: bool,
    stopped: bool,
    end: Option<End>,
}

/// An event's text begins where that of the one before it ends.
#[derive(Debug, Clone, Copy)]
struct Event {
    kind: Kind,
    part: u32,
    text_end: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Delta(StreamKind),
    /// One of `calls`.
    Call(usize),
}

/// The events behind a cursor, as many as fit a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Batch<'a> {
    /// The deltas `first` to `seq`, all of one part, joined.
    Deltas {
        /// Whether they are text or reasoning.
        kind: StreamKind,
        /// Which part of the answer they belong to.
        part: u32,
        /// The number of the first.
        first: u64,
        /// The number of the last.
        seq: u64,
        /// Their text, at most [`MAX_CONTENT_BYTES`].
        content: &'a str,
    },
    /// A tool is called, or its call has come further.
    Call {
        /// The number of the event.
        seq: u64,
        /// The call as it stands then.
        call: &'a ToolUse,
    },
    /// The last event.
    End {
        /// Its number.
        seq: u64,
        /// How the answer ended.
        end: &'a End,
    },
}

impl Batch<'_> {
    /// The number of the last event in it: where the cursor goes.
    pub fn seq(&self) -> u64 {
        match self {
            Self::Deltas { seq, .. } | Self::Call { seq, .. } | Self::End { seq, .. } => *seq,
        }
    }
}

impl TurnLog {
    /// Adds text of Bedrock's content block `block`, unless the answer was stopped. Text longer than a frame carries becomes several
    /// events. Arguments of a tool go to the call that began last.
    ///
    /// # Errors
    /// [`LogFull`] where the answer would grow past [`MAX_ANSWER_BYTES`]; nothing is added.
    pub fn append(&mut self, kind: StreamKind, block: u32, content: &str) -> Result<(), LogFull> {
        debug_assert!(self.end.is_none() || self.stopped, "an answer that has ended takes nothing more");
        if self.stopped || content.is_empty() {
            return Ok(());
        }
        self.has_room(content.len())?;
        let part = match self.open {
            Some((open, of, part)) if open == kind && of == block => part,
            _ if kind == StreamKind::ToolInput => match self.open {
                Some((_, _, part)) => part,
                None => return Ok(()),
            },
            _ => {
                let part = self.new_part();
                self.open = Some((kind, block, part));
                part
            }
        };
        if kind == StreamKind::Text && std::mem::take(&mut self.is_apart) {
            self.push(kind, part, "\n\n");
        }
        self.push(kind, part, content);
        Ok(())
    }

    /// Adds that a tool is called, or that its call has come further, unless the answer was stopped.
    ///
    /// # Errors
    /// [`LogFull`] as for text.
    pub fn call(&mut self, call: ToolUse) -> Result<(), LogFull> {
        if self.stopped {
            return Ok(());
        }
        let bytes = call.input.as_str().len() + call.result.as_ref().map_or(0, |result| result.as_str().len());
        self.has_room(bytes)?;
        let known = self.events.iter().rev().find_map(|event| match event.kind {
            Kind::Call(at) if self.calls[at].tool_use_id == call.tool_use_id => Some(event.part),
            _ => None,
        });
        let part = known.unwrap_or_else(|| self.new_part());
        self.open = (call.status == ToolStatus::Preparing).then_some((StreamKind::ToolInput, part, part));
        self.calls_bytes += bytes;
        self.calls.push(call);
        self.events.push(Event { kind: Kind::Call(self.calls.len() - 1), part, text_end: self.text.len() });
        Ok(())
    }

    /// The model is asked again: what it says is another block, and its text stands apart from what it said before.
    pub fn begin_round(&mut self) {
        self.open = None;
        self.round = self.events.len();
        let is_text = |event: &Event| event.kind == Kind::Delta(StreamKind::Text);
        self.is_apart = self.events.iter().any(is_text);
    }

    /// The text of this round.
    pub fn round_text(&self) -> String {
        let mut before = self.round.checked_sub(1).map_or(0, |last| self.events[last].text_end);
        let mut text = String::new();
        for event in &self.events[self.round..] {
            if event.kind == Kind::Delta(StreamKind::Text) {
                text.push_str(&self.text[before..event.text_end]);
            }
            before = event.text_end;
        }
        text
    }

    /// Ends the calls that have not ended, since the answer does: what runs has an unknown outcome, and the rest was never called. Returns
    /// them as they are then.
    pub fn end_calls(&mut self) -> Vec<ToolUse> {
        let mut open: Vec<ToolUse> = self.latest_calls();
        open.retain(|call| !has_ended(call.status));
        for call in &mut open {
            let ran = call.status == ToolStatus::Running;
            call.status = if ran { ToolStatus::UnknownOutcome } else { ToolStatus::Denied };
            let text = if ran { "The answer ended while it ran." } else { "The answer ended before it was called." };
            call.result = shown(&ToolResult { text: text.to_owned(), ..ToolResult::default() });
            call.partial_input = None;
            // It has no more room than it needs: an answer that is full ends with its calls as they were.
            let _ = self.call(call.clone());
        }
        open
    }

    /// The calls as they stand.
    fn latest_calls(&self) -> Vec<ToolUse> {
        self.latest_since(0)
    }

    /// The calls of this round, as they stand.
    pub fn round_calls(&self) -> Vec<ToolUse> {
        self.latest_since(self.round)
    }

    fn latest_since(&self, event: usize) -> Vec<ToolUse> {
        let mut latest: Vec<&ToolUse> = Vec::new();
        for event in &self.events[event..] {
            let Kind::Call(at) = event.kind else { continue };
            let call = &self.calls[at];
            match latest.iter_mut().find(|known| known.tool_use_id == call.tool_use_id) {
                Some(known) => *known = call,
                None => latest.push(call),
            }
        }
        latest.into_iter().cloned().collect()
    }

    fn has_room(&self, bytes: usize) -> Result<(), LogFull> {
        if self.bytes() + bytes > MAX_ANSWER_BYTES { Err(LogFull) } else { Ok(()) }
    }

    fn new_part(&mut self) -> u32 {
        self.parts += 1;
        self.parts - 1
    }

    fn push(&mut self, kind: StreamKind, part: u32, content: &str) {
        let mut rest = content;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rest.floor_char_boundary(MAX_CONTENT_BYTES));
            self.text.push_str(piece);
            self.events.push(Event { kind: Kind::Delta(kind), part, text_end: self.text.len() });
            rest = after;
        }
    }

    /// Adds what another process keeps, so that its last event has the number `seq`. Which of its events had how much of it is not known:
    /// the last ones have all.
    pub fn append_kept(&mut self, piece: Piece) {
        let Piece { seq, reasoning, part, text, call } = piece;
        let before = (self.events.len(), self.text.len());
        let pad = match call {
            Some(call) => {
                let _ = self.call(call);
                StreamKind::ToolInput
            }
            None => {
                let kind = if reasoning { StreamKind::Reasoning } else { StreamKind::Text };
                let is_full = self.has_room(text.len()).is_err();
                if !self.stopped && !is_full {
                    self.push(kind, part, &text);
                    self.parts = self.parts.max(part + 1);
                }
                kind
            }
        };
        let added = self.events.split_off(before.0);
        let part = added.first().map_or(part, |event| event.part);
        let empty = Event { kind: Kind::Delta(pad), part, text_end: before.1 };
        let seq = usize::try_from(seq).unwrap_or(usize::MAX).min(MAX_ANSWER_BYTES);
        self.events.resize(seq.saturating_sub(added.len()).max(before.0), empty);
        self.events.extend(added);
    }

    /// From now on nothing is taken.
    pub fn stop(&mut self) {
        self.stopped = true;
    }

    /// Whether nothing is taken any more.
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Adds the last event. A second end is not taken: the first one counts.
    pub fn finish(&mut self, end: End) {
        self.end.get_or_insert(end);
    }

    /// How the answer ended, once it has.
    pub fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// The bytes of text so far, reasoning and the arguments of tools included.
    pub fn text_bytes(&self) -> usize {
        self.text.len()
    }

    /// The bytes of text so far, and of what is shown of tools.
    pub fn bytes(&self) -> usize {
        self.text.len() + self.calls_bytes
    }

    /// The number of the last event, 0 for none.
    pub fn seq(&self) -> u64 {
        self.events.len() as u64 + u64::from(self.end.is_some())
    }

    /// The events after number `after`, as many as fit a frame; `None` if there are none yet.
    pub fn read(&self, after: u64) -> Option<Batch<'_>> {
        let start = usize::try_from(after).ok()?;
        let Some(head) = self.events.get(start) else {
            let end = self.end.as_ref().filter(|_| start == self.events.len())?;
            return Some(Batch::End { seq: self.seq(), end });
        };
        let kind = match head.kind {
            Kind::Call(at) => return Some(Batch::Call { seq: after + 1, call: &self.calls[at] }),
            Kind::Delta(kind) => kind,
        };
        let text_start = start.checked_sub(1).map_or(0, |before| self.events[before].text_end);
        let joins = |event: &&Event| {
            (event.part, event.kind) == (head.part, head.kind) && event.text_end - text_start <= MAX_CONTENT_BYTES
        };
        let count = self.events[start..].iter().take_while(joins).count();
        let last = start + count;
        Some(Batch::Deltas {
            kind,
            part: head.part,
            first: after + 1,
            seq: last as u64,
            content: &self.text[text_start..self.events[last - 1].text_end],
        })
    }

    /// What came after event number `after`, to be kept. Arguments are kept when they are whole, with their call.
    pub fn checkpoint(&self, mut after: u64) -> Vec<Piece> {
        let mut pieces = Vec::new();
        while let Some(batch) = self.read(after) {
            after = batch.seq();
            match batch {
                Batch::Deltas { kind: StreamKind::ToolInput, .. } => {}
                Batch::Deltas { kind, part, seq, content, .. } => {
                    let reasoning = kind == StreamKind::Reasoning;
                    pieces.push(Piece { seq, reasoning, part, text: content.to_owned(), call: None });
                }
                Batch::Call { seq, call } => {
                    let call = Some(call.clone());
                    pieces.push(Piece { seq, reasoning: false, part: 0, text: String::new(), call });
                }
                Batch::End { .. } => break,
            }
        }
        pieces
    }

    /// The answer as the events so far make it, by the same fold the client uses.
    pub fn fold(&self) -> Answer {
        let mut answer = Answer::default();
        while let Some(batch) = self.read(answer.seq()) {
            let applied = batch.apply_to(&mut answer);
            debug_assert_eq!(applied, protocol::Applied::Next);
            if applied != protocol::Applied::Next {
                break;
            }
        }
        answer
    }
}

impl Batch<'_> {
    /// Gives its events to the fold.
    pub fn apply_to(&self, answer: &mut Answer) -> protocol::Applied {
        let (first, event) = match *self {
            Batch::Deltas { kind, part, first, content, .. } => (
                first,
                match kind {
                    StreamKind::Text => TurnEvent::Text { part, content },
                    StreamKind::Reasoning => TurnEvent::Reasoning { part, content },
                    StreamKind::ToolInput => TurnEvent::ToolInput { part, content },
                },
            ),
            Batch::Call { seq, call } => (seq, TurnEvent::ToolUse { call }),
            Batch::End { seq, end: End::Complete { stop_reason, usage } } => {
                (seq, TurnEvent::Complete { stop_reason: *stop_reason, usage })
            }
            Batch::End { seq, end: End::Failed(error) } => (seq, TurnEvent::Error(error)),
        };
        answer.apply(first, self.seq(), &event)
    }
}

/// Whether a call comes no further.
pub fn has_ended(status: ToolStatus) -> bool {
    !matches!(status, ToolStatus::Preparing | ToolStatus::PendingApproval | ToolStatus::Running)
}

/// What people see of a result, as JSON.
pub fn shown(result: &ToolResult) -> Option<RawJson> {
    serde_json::to_string(result).ok().and_then(|json| RawJson::new(&json).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn done() -> End {
        End::Complete { stop_reason: StopReason::EndTurn, usage: Usage::default() }
    }

    #[test]
    fn what_lies_behind_a_cursor_comes_as_one_batch() {
        let mut log = TurnLog::default();
        assert_eq!(log.read(0), None);
        for text in ["a", "b", "c"] {
            log.append(StreamKind::Text, 0, text).unwrap();
        }
        let batch = |first, content| Batch::Deltas { kind: StreamKind::Text, part: 0, first, seq: 3, content };
        assert_eq!(log.read(0), Some(batch(1, "abc")));
        assert_eq!(log.read(2), Some(batch(3, "c")));
        assert_eq!(log.read(3), None);
        log.finish(done());
        assert_eq!(log.read(3), Some(Batch::End { seq: 4, end: &done() }));
        assert_eq!((log.read(4), log.read(u64::MAX)), (None, None));
    }

    #[test]
    fn reasoning_text_and_blocks_are_parts_of_their_own() {
        let mut log = TurnLog::default();
        log.append(StreamKind::Reasoning, 0, "hm").unwrap();
        log.append(StreamKind::Text, 1, "yes").unwrap();
        log.append(StreamKind::Text, 2, "no").unwrap();
        let parts: Vec<_> = [0, 1, 2]
            .map(|after| match log.read(after) {
                Some(Batch::Deltas { part, content, .. }) => (part, content.to_owned()),
                other => panic!("{other:?}"),
            })
            .into();
        assert_eq!(parts, [(0, "hm".to_owned()), (1, "yes".to_owned()), (2, "no".to_owned())]);
        assert_eq!(log.fold().text(), "yesno");
    }

    #[test]
    fn a_frame_never_carries_more_than_it_may() {
        let mut log = TurnLog::default();
        log.append(StreamKind::Text, 0, &"ü".repeat(MAX_CONTENT_BYTES)).unwrap();
        log.append(StreamKind::Text, 0, "end").unwrap();
        let (mut after, mut text) = (0, String::new());
        while let Some(Batch::Deltas { content, seq, .. }) = log.read(after) {
            assert!(content.len() <= MAX_CONTENT_BYTES);
            text.push_str(content);
            after = seq;
        }
        assert_eq!(text, "ü".repeat(MAX_CONTENT_BYTES) + "end");
    }

    #[test]
    fn a_stopped_answer_takes_its_end_and_no_more_text() {
        let mut log = TurnLog::default();
        log.append(StreamKind::Text, 0, "a").unwrap();
        log.stop();
        log.append(StreamKind::Text, 0, "b").unwrap();
        log.finish(done());
        assert_eq!((log.fold().text().as_str(), log.seq()), ("a", 2));
    }

    #[test]
    fn an_answer_has_a_longest_length() {
        let mut log = TurnLog::default();
        log.append(StreamKind::Text, 0, &"x".repeat(MAX_ANSWER_BYTES)).unwrap();
        assert_eq!(log.append(StreamKind::Text, 0, "x"), Err(LogFull));
        assert_eq!(log.text_bytes(), MAX_ANSWER_BYTES);
    }

    proptest! {
        #![proptest_config(crate::testing::cases(256))]

        /// A reader that comes and goes at any pace folds the same answer as the log itself.
        #[test]
        fn any_pace_of_reading_gives_the_same_answer(
            deltas in prop::collection::vec((any::<bool>(), 0u32..3, "[a-zü ]{1,5}"), 0..30),
            pauses in prop::collection::vec(any::<bool>(), 0..40),
        ) {
            let mut log = TurnLog::default();
            let mut reader = Answer::default();
            let mut pauses = pauses.into_iter();
            let catch_up = |log: &TurnLog, reader: &mut Answer| {
                while let Some(batch) = log.read(reader.seq()) {
                    let applied = batch.apply_to(reader);
                    assert_eq!(applied, protocol::Applied::Next);
                }
            };
            for (reasoning, block, text) in deltas {
                let kind = if reasoning { StreamKind::Reasoning } else { StreamKind::Text };
                log.append(kind, block, &text).unwrap();
                if pauses.next() == Some(true) { catch_up(&log, &mut reader); }
            }
            log.finish(done());
            catch_up(&log, &mut reader);
            prop_assert_eq!(reader, log.fold());
        }
    }
}
