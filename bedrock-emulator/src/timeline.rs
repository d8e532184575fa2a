//! An answer as frames in time, with the fault that it was asked for.

use std::time::Duration;

use bytes::{Bytes, BytesMut};

use crate::answer::Part;
use crate::behaviour::Fault;
use crate::config::Pace;
use crate::error::{ApiError, ErrorType};
use crate::frame;
use crate::ledger::Outcome;
use crate::tokens;
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
    /// The connection is cut.
    Cut,
}

/// Lays out an answer.
pub(crate) fn timeline(context: &Context<'_>, pace: Pace, fault: Option<&Fault>) -> Timeline {
    let mut builder =
        Builder { context, pace, fault, out: BytesMut::new(), items: Vec::new(), deltas: 0, ending: None };
    builder.play();
    let ending = builder.ending.unwrap_or(Ending::End(Outcome::Completed));
    Timeline { bytes: builder.out.freeze(), items: builder.items, ending }
}

struct Builder<'a> {
    context: &'a Context<'a>,
    pace: Pace,
    fault: Option<&'a Fault>,
    out: BytesMut,
    items: Vec<Item>,
    deltas: u32,
    ending: Option<Ending>,
}

impl Builder<'_> {
    fn play(&mut self) {
        self.event(Event::MessageStart);
        for (index, part) in self.context.answer.parts.iter().enumerate() {
            self.part(index, part);
            if self.ending.is_some() {
                return;
            }
        }
        self.strike(true);
        if self.ending.is_none() {
            self.finish();
        }
    }

    fn part(&mut self, index: usize, part: &Part) {
        let kind = match part {
            Part::Text(_) => StartKind::Text,
            Part::Reasoning { .. } => StartKind::Reasoning,
            Part::ToolUse { id, name, .. } => StartKind::ToolUse { id, name },
        };
        self.event(Event::BlockStart { index, kind });
        for piece in tokens::pieces(part.content()) {
            self.strike(false);
            if self.ending.is_some() {
                return;
            }
            self.deltas += 1;
            self.event(match part {
                Part::Text(_) => Event::TextDelta { index, text: piece },
                Part::Reasoning { .. } => Event::ReasoningDelta { index, text: piece },
                Part::ToolUse { .. } => Event::ToolInputDelta { index, json: piece },
            });
            if matches!(self.fault, Some(Fault::BrokenFrame { after_tokens }) if self.deltas == after_tokens.saturating_add(1))
            {
                frame::break_crc(&mut self.out);
            }
        }
        if let Part::Reasoning { signature, .. } = part {
            self.event(Event::Signature { index, signature });
        }
        self.event(Event::BlockStop { index });
    }

    fn finish(&mut self) {
        match self.fault {
            Some(Fault::NoStop) => self.ending = Some(Ending::End(Outcome::Truncated)),
            Some(Fault::NoMetadata) => {
                self.event(Event::MessageStop);
                self.ending = Some(Ending::End(Outcome::Truncated));
            }
            Some(Fault::ErrorAfter { error, message }) => {
                self.event(Event::MessageStop);
                self.exception(*error, message.clone());
            }
            _ => {
                self.event(Event::MessageStop);
                let ms = |due: Duration| u64::try_from(due.as_millis()).unwrap_or(u64::MAX).max(1);
                self.event(Event::Metadata { latency_ms: ms(self.due()), first_byte_ms: ms(self.pace.due(0)) });
            }
        }
    }

    /// Lets the fault happen if its place has come: after its number of deltas, or where the answer has no more.
    fn strike(&mut self, no_more: bool) {
        let here = |after: u32| no_more || after <= self.deltas;
        match self.fault {
            Some(Fault::ErrorMid { error, message, after_tokens }) if here(*after_tokens) => {
                self.exception(*error, message.clone())
            }
            Some(Fault::Silence { after_tokens }) if here(*after_tokens) => self.ending = Some(Ending::Silence),
            Some(Fault::Cut { after_tokens, mid_frame }) if here(*after_tokens) => {
                if *mid_frame {
                    self.half_frame();
                }
                self.ending = Some(Ending::Cut);
            }
            _ => {}
        }
    }

    fn half_frame(&mut self) {
        let before = self.out.len();
        self.event(Event::MessageStop);
        let end = before + (self.out.len() - before) / 2;
        self.out.truncate(end);
        if let Some(item) = self.items.last_mut() {
            item.end = end;
        }
    }

    fn exception(&mut self, kind: ErrorType, message: Option<String>) {
        let error = message.map_or_else(|| kind.into(), |message| ApiError::new(kind, message));
        frame::exception(&mut self.out, &kind.exception_name(), &error.body());
        self.item();
        self.ending = Some(Ending::End(Outcome::Failed));
    }

    fn event(&mut self, event: Event<'_>) {
        let before = self.out.len();
        self.context.encode(&mut self.out, event, self.items.len() as u32);
        if self.out.len() > before {
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
