//! An answer as frames in time, with the fault that it was asked for.

use std::time::Duration;

use bytes::{Bytes, BytesMut};

use crate::answer::Part;
use crate::config::Pace;
use crate::error::{ApiError, ErrorType};
use crate::fault::{Fault, Moment, Strike};
use crate::frame;
use crate::ledger::Outcome;
use crate::wire::{Context, Event, StartKind};

/// All frames in one buffer, and when each is due.
#[derive(Debug)]
pub(crate) struct Timeline {
    pub(crate) bytes: Bytes,
    pub(crate) items: Vec<Item>,
    pub(crate) ending: Ending,
}

/// A frame: it ends here in the buffer, is due then, and makes the deltas so many.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Item {
    pub(crate) end: usize,
    pub(crate) due: Duration,
    pub(crate) deltas: u32,
}

/// What comes after the last frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The body ends.
    End(Outcome),
    /// The body neither ends nor goes on.
    Silence,
    /// The connection is cut, or reset.
    Cut { reset: bool },
}

/// Lays out an answer.
pub(crate) fn timeline(context: &Context<'_>, pace: Pace, fault: Option<&Fault>) -> Timeline {
    let fault = fault.map(Fault::strike);
    let mut builder = Builder {
        context,
        pace,
        fault,
        spoil_next: false,
        out: BytesMut::new(),
        items: Vec::new(),
        deltas: 0,
        ending: None,
    };
    builder.play();
    let ending = builder.ending.unwrap_or(Ending::End(Outcome::Completed));
    Timeline { bytes: builder.out.freeze(), items: builder.items, ending }
}

/// Lays out so much of an answer that is sent whole, all of it due then.
pub(crate) fn part_of_whole(bytes: Bytes, due: Duration, deltas: u32, ending: Ending) -> Timeline {
    let items = if bytes.is_empty() { Vec::new() } else { vec![Item { end: bytes.len(), due, deltas }] };
    Timeline { bytes, items, ending }
}

struct Builder<'a> {
    context: &'a Context<'a>,
    pace: Pace,
    fault: Option<(Moment, Strike)>,
    spoil_next: bool,
    out: BytesMut,
    items: Vec<Item>,
    deltas: u32,
    ending: Option<Ending>,
}

impl Builder<'_> {
    fn play(&mut self) {
        let context = self.context;
        self.strike(|at| at == Moment::Headers, Event::MessageStart);
        self.event(Event::MessageStart);
        for (index, part) in context.answer.parts.iter().enumerate() {
            self.part(index, part);
        }
        self.strike(|at| matches!(at, Moment::Deltas(_) | Moment::Frame(_)), Event::MessageStop);
        self.event(Event::MessageStop);
        let ms = |due: Duration| u64::try_from(due.as_millis()).unwrap_or(u64::MAX).max(1);
        let metadata = Event::Metadata { latency_ms: ms(self.due()), first_byte_ms: ms(self.pace.due(0)) };
        self.strike(|at| at == Moment::Stop, metadata);
        self.event(metadata);
        self.strike(|at| at == Moment::End, metadata);
    }

    fn part(&mut self, index: usize, part: &Part) {
        let kind = match part {
            Part::Text(_) => StartKind::Text,
            Part::Reasoning { .. } => StartKind::Reasoning,
            Part::Redacted { data, .. } => StartKind::Redacted { data },
            Part::ToolUse { id, name, .. } => StartKind::ToolUse { id, name },
        };
        self.event(Event::BlockStart { index, kind });
        for piece in part.deltas() {
            let event = match part {
                Part::Redacted { data, .. } => Event::Redacted { index, data },
                Part::Text(_) => Event::TextDelta { index, text: piece },
                Part::Reasoning { .. } => Event::ReasoningDelta { index, text: piece },
                Part::ToolUse { .. } => Event::ToolInputDelta { index, json: piece },
            };
            let sent = self.deltas;
            self.strike(|at| matches!(at, Moment::Deltas(after) | Moment::Frame(after) if after <= sent), event);
            if self.ending.is_some() {
                return;
            }
            self.deltas += 1;
            self.event(event);
        }
        if let Part::Reasoning { signature, .. } = part {
            self.event(Event::Signature { index, signature });
        }
        self.event(Event::BlockStop { index });
    }

    /// Lets the fault happen if this is its moment; `next` is the event that would come.
    fn strike(&mut self, is_now: impl Fn(Moment) -> bool, next: Event<'_>) {
        let Some((at, what)) = self.fault.take_if(|(at, _)| is_now(*at)) else { return };
        if matches!(at, Moment::Frame(_)) {
            self.half_frame(next);
        }
        match what {
            Strike::Exception { error, message } => self.exception(error, message),
            Strike::Silence => self.ending = Some(Ending::Silence),
            Strike::Cut => self.ending = Some(Ending::Cut { reset: false }),
            Strike::Reset => self.ending = Some(Ending::Cut { reset: true }),
            Strike::End if at == Moment::End => {}
            Strike::End => self.ending = Some(Ending::End(Outcome::Truncated)),
            Strike::Checksum => self.spoil_next = true,
            Strike::Length => self.raw(frame::absurd_length),
            Strike::Garbage => self.raw(frame::garbage),
        }
    }

    fn half_frame(&mut self, next: Event<'_>) {
        let before = self.out.len();
        self.event(next);
        let end = before + (self.out.len() - before) / 2;
        self.out.truncate(end);
        if let Some(item) = self.items.last_mut() {
            item.end = end;
        }
    }

    fn exception(&mut self, kind: ErrorType, message: Option<String>) {
        let error = message.map_or_else(|| kind.into(), |message| ApiError::new(kind, message));
        self.raw(|out| frame::exception(out, &kind.exception_name(), &error.body()));
        self.ending = Some(Ending::End(Outcome::Failed));
    }

    fn raw(&mut self, write: impl FnOnce(&mut BytesMut)) {
        write(&mut self.out);
        self.item();
    }

    /// Nothing comes after an ending.
    fn event(&mut self, event: Event<'_>) {
        if self.ending.is_some() {
            return;
        }
        let before = self.out.len();
        self.context.encode(&mut self.out, event, self.items.len() as u32);
        if self.out.len() > before {
            if std::mem::take(&mut self.spoil_next) {
                frame::break_crc(&mut self.out);
            }
            self.item();
        }
    }

    fn item(&mut self) {
        self.items.push(Item { end: self.out.len(), due: self.due(), deltas: self.deltas });
    }

    fn due(&self) -> Duration {
        self.pace.due(self.deltas.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::{Answer, StopReason, Usage};
    use crate::chat::Dialect;

    #[test]
    fn reasoning_text_and_tool_input_come_at_one_pace() {
        let parts = vec![
            Part::Reasoning { text: "Hm hm".into(), signature: "s".into() },
            Part::Text("one two".into()),
            Part::ToolUse { id: "t".into(), name: "n".into(), json: r#"{"a":"b"}"#.into() },
        ];
        let answer = Answer { parts, stop_reason: StopReason::ToolUse, stop_sequence: None, usage: Usage::default() };
        let context = Context { dialect: Dialect::Converse, request_id: "r", model_id: "m", answer: &answer };
        let timeline = timeline(&context, Pace { first_token_ms: 100, tokens_per_second: 10.0 }, None);
        let mut due: Vec<u128> = Vec::new();
        for item in &timeline.items {
            if due.len() < item.deltas as usize {
                due.push(item.due.as_millis());
            }
        }
        let expected: Vec<u128> =
            (1..=answer.parts.iter().map(|part| part.deltas().count() as u128).sum()).map(|k| k * 100).collect();
        assert_eq!((due.len(), due), (13, expected));
    }
}
