//! An answer as an append-only log of numbered events.
//!
//! There is one copy of the text whatever the number of its followers. A follower is a cursor: the number of the last event it
//! was given. What lies behind the cursor is read as one batch, so that a socket that falls behind gets fewer, larger frames and
//! no queue of them.

use protocol::{Answer, ErrorData, StopReason, TurnEvent, Usage, codec::StreamKind, limits::MAX_CONTENT_BYTES};

use crate::store::Piece;

/// The most text an answer may have, in bytes; 128,000 tokens, the most any model writes, are about half of it.
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
    deltas: Vec<Delta>,
    stopped: bool,
    end: Option<End>,
}

/// A delta's text begins where that of the one before it ends.
#[derive(Debug, Clone, Copy)]
struct Delta {
    kind: StreamKind,
    part: u32,
    block: u32,
    text_end: usize,
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
            Self::Deltas { seq, .. } | Self::End { seq, .. } => *seq,
        }
    }
}

impl TurnLog {
    /// Adds text of Bedrock's content block `block`, unless the answer was stopped. Text longer than a frame carries becomes several
    /// events.
    ///
    /// # Errors
    /// [`LogFull`] where the answer would grow past [`MAX_ANSWER_BYTES`]; nothing is added.
    pub fn append(&mut self, kind: StreamKind, block: u32, content: &str) -> Result<(), LogFull> {
        debug_assert!(self.end.is_none() || self.stopped, "an answer that has ended takes nothing more");
        if self.stopped {
            return Ok(());
        }
        if self.text.len() + content.len() > MAX_ANSWER_BYTES {
            return Err(LogFull);
        }
        let part = match self.deltas.last() {
            None => 0,
            Some(last) if last.kind == kind && last.block == block => last.part,
            Some(last) => last.part + 1,
        };
        let mut rest = content;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rest.floor_char_boundary(MAX_CONTENT_BYTES));
            self.text.push_str(piece);
            self.deltas.push(Delta { kind, part, block, text_end: self.text.len() });
            rest = after;
        }
        Ok(())
    }

    /// Adds text that another process keeps, so that its last event has the number `seq`. Which of its events had how much of it is not
    /// known: the last ones have all.
    pub fn append_up_to(&mut self, kind: StreamKind, part: u32, content: &str, seq: u64) {
        let before = self.deltas.len();
        let _ = self.append(kind, part, content);
        let added: Vec<_> = self.deltas.drain(before..).map(|delta| Delta { part, ..delta }).collect();
        let empty = Delta { kind, part, block: part, text_end: self.text.len() - content.len() };
        let seq = usize::try_from(seq).unwrap_or(usize::MAX).min(MAX_ANSWER_BYTES);
        self.deltas.resize(seq.saturating_sub(added.len()).max(before), empty);
        self.deltas.extend(added);
    }

    /// From now on no text is taken.
    pub fn stop(&mut self) {
        self.stopped = true;
    }

    /// Whether no text is taken any more.
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

    /// The bytes of text so far, reasoning included.
    pub fn text_bytes(&self) -> usize {
        self.text.len()
    }

    /// The number of the last event, 0 for none.
    pub fn seq(&self) -> u64 {
        self.deltas.len() as u64 + u64::from(self.end.is_some())
    }

    /// The events after number `after`, as many as fit a frame; `None` if there are none yet.
    pub fn read(&self, after: u64) -> Option<Batch<'_>> {
        let start = usize::try_from(after).ok()?;
        let Some(head) = self.deltas.get(start) else {
            let end = self.end.as_ref().filter(|_| start == self.deltas.len())?;
            return Some(Batch::End { seq: self.seq(), end });
        };
        let text_start = start.checked_sub(1).map_or(0, |before| self.deltas[before].text_end);
        let joins = |delta: &&Delta| delta.part == head.part && delta.text_end - text_start <= MAX_CONTENT_BYTES;
        let count = self.deltas[start..].iter().take_while(joins).count();
        let last = start + count;
        Some(Batch::Deltas {
            kind: head.kind,
            part: head.part,
            first: after + 1,
            seq: last as u64,
            content: &self.text[text_start..self.deltas[last - 1].text_end],
        })
    }

    /// The text of the events after number `after`, and the number of the last of them; `None` if there are none yet.
    pub fn checkpoint(&self, mut after: u64) -> Vec<Piece> {
        let mut pieces = Vec::new();
        while let Some(Batch::Deltas { kind, part, seq, content, .. }) = self.read(after) {
            after = seq;
            pieces.push(Piece { seq, reasoning: kind == StreamKind::Reasoning, part, text: content.to_owned() });
        }
        pieces
    }

    /// The answer as the events so far make it, by the same fold the client uses.
    pub fn fold(&self) -> Answer {
        let mut answer = Answer::default();
        while let Some(batch) = self.read(answer.seq()) {
            let (first, event) = match batch {
                Batch::Deltas { kind: StreamKind::Text, part, first, content, .. } => {
                    (first, TurnEvent::Text { part, content })
                }
                Batch::Deltas { kind: StreamKind::Reasoning, part, first, content, .. } => {
                    (first, TurnEvent::Reasoning { part, content })
                }
                Batch::End { seq, end: End::Complete { stop_reason, usage } } => {
                    (seq, TurnEvent::Complete { stop_reason: *stop_reason, usage })
                }
                Batch::End { seq, end: End::Failed(error) } => (seq, TurnEvent::Error(error)),
            };
            let applied = answer.apply(first, batch.seq(), &event);
            debug_assert_eq!(applied, protocol::Applied::Next);
            if applied != protocol::Applied::Next {
                break;
            }
        }
        answer
    }
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
                    let applied = match batch {
                        Batch::Deltas { kind: StreamKind::Text, part, first, seq, content } =>
                            reader.apply(first, seq, &TurnEvent::Text { part, content }),
                        Batch::Deltas { kind: StreamKind::Reasoning, part, first, seq, content } =>
                            reader.apply(first, seq, &TurnEvent::Reasoning { part, content }),
                        Batch::End { seq, end: End::Complete { stop_reason, usage } } =>
                            reader.apply(seq, seq, &TurnEvent::Complete { stop_reason: *stop_reason, usage }),
                        Batch::End { seq, end: End::Failed(error) } =>
                            reader.apply(seq, seq, &TurnEvent::Error(error)),
                    };
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
