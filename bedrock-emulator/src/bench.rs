//! Load-test streams: the deltas are encoded once, and every stream sends slices of that buffer. Stamped ones are encoded before
//! the stream begins, so that stamps cost nothing while it runs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use crate::behaviour::Bench;
use crate::chat::Dialect;
use crate::ledger::lock;
use crate::playback::CHUNK_BYTES;
use crate::wire::{Context, Event, StartKind};

/// Texts that are kept encoded.
const MAX_RINGS: usize = 16;
/// Stamps that are made for a stream.
const MAX_STAMPS: u32 = 4_096;

/// Encoded texts, shared by all streams of an emulator.
#[derive(Debug, Default)]
pub(crate) struct Rings {
    rings: Mutex<HashMap<(bool, String), Arc<Ring>>>,
}

/// Frames of one delta, with changing padding, that fill a chunk; or stamped frames, one for each delta.
#[derive(Debug)]
struct Ring {
    bytes: Bytes,
    /// Where each frame ends.
    ends: Vec<usize>,
}

impl Rings {
    /// The stream of this call, which came at `since_epoch`. Its head and tail are the call's own.
    pub(crate) fn stream(&self, bench: &Bench, context: &Context<'_>, since_epoch: Duration) -> BenchStream {
        let mut head = BytesMut::new();
        context.encode(&mut head, Event::MessageStart, 0);
        context.encode(&mut head, Event::BlockStart { index: 0, kind: StartKind::Text }, 1);
        let mut tail = BytesMut::new();
        let latency_us = bench.first_delta_us + u64::from(bench.deltas) * bench.interval_us;
        context.encode(&mut tail, Event::BlockStop { index: 0 }, 2);
        context.encode(&mut tail, Event::MessageStop, 3);
        let metadata = Event::Metadata {
            latency_ms: (latency_us / 1_000).max(1),
            first_byte_ms: (bench.first_delta_us / 1_000).max(1),
        };
        context.encode(&mut tail, metadata, 4);
        BenchStream {
            ring: match bench.stamped {
                true => Arc::new(Ring::stamped(bench, context, since_epoch)),
                false => self.ring(&bench.text, context),
            },
            head: Some(head.freeze()),
            tail: Some(tail.freeze()),
            first: Duration::from_micros(bench.first_delta_us),
            interval: Duration::from_micros(bench.interval_us),
            deltas: bench.deltas,
            sent: 0,
        }
    }

    fn ring(&self, text: &str, context: &Context<'_>) -> Arc<Ring> {
        let mut rings = lock(&self.rings);
        if rings.len() >= MAX_RINGS {
            rings.clear();
        }
        let key = (context.dialect == Dialect::Converse, text.to_owned());
        rings.entry(key).or_insert_with(|| Arc::new(Ring::new(text, context))).clone()
    }
}

impl Ring {
    fn new(text: &str, context: &Context<'_>) -> Self {
        let mut bytes = BytesMut::with_capacity(CHUNK_BYTES * 2);
        let mut ends = Vec::new();
        while bytes.len() < CHUNK_BYTES {
            context.encode(&mut bytes, Event::TextDelta { index: 0, text }, ends.len() as u32);
            ends.push(bytes.len());
        }
        Ring { bytes: bytes.freeze(), ends }
    }

    fn stamped(bench: &Bench, context: &Context<'_>, since_epoch: Duration) -> Self {
        let first = since_epoch + Duration::from_micros(bench.first_delta_us);
        let mut bytes = BytesMut::new();
        let mut ends = Vec::new();
        for number in 0..bench.deltas.clamp(1, MAX_STAMPS) {
            let due = first + Duration::from_micros(bench.interval_us) * number;
            let text = format!(" {}", due.as_micros());
            context.encode(&mut bytes, Event::TextDelta { index: 0, text: &text }, number);
            ends.push(bytes.len());
        }
        Ring { bytes: bytes.freeze(), ends }
    }
}

/// What is left of one stream.
#[derive(Debug)]
pub(crate) struct BenchStream {
    ring: Arc<Ring>,
    head: Option<Bytes>,
    tail: Option<Bytes>,
    first: Duration,
    interval: Duration,
    deltas: u32,
    sent: u32,
}

impl BenchStream {
    /// When the next bytes are due after the start; `None` when all was sent.
    pub(crate) fn due(&self) -> Option<Duration> {
        if self.head.is_some() {
            Some(Duration::ZERO)
        } else if self.sent < self.deltas {
            Some(self.first + self.interval * self.sent)
        } else {
            self.tail.as_ref().map(|_| self.first + self.interval * self.deltas.saturating_sub(1))
        }
    }

    /// The next bytes, and how many deltas that makes in all.
    pub(crate) fn take(&mut self, elapsed: Duration) -> (Bytes, u32) {
        if let Some(head) = self.head.take() {
            return (head, 0);
        }
        if self.sent >= self.deltas {
            return (self.tail.take().unwrap_or_default(), self.sent);
        }
        let at = self.sent as usize % self.ring.ends.len();
        let in_ring = (self.ring.ends.len() - at) as u32;
        let due = self.due_by(elapsed).saturating_sub(self.sent).max(1);
        let count = in_ring.min(self.deltas - self.sent).min(due);
        let start = if at == 0 { 0 } else { self.ring.ends[at - 1] };
        let end = self.ring.ends[at + count as usize - 1];
        self.sent += count;
        (self.ring.bytes.slice(start..end), self.sent)
    }

    fn due_by(&self, elapsed: Duration) -> u32 {
        let interval = self.interval.as_nanos();
        if interval == 0 {
            return u32::MAX;
        }
        u32::try_from(elapsed.saturating_sub(self.first).as_nanos() / interval).unwrap_or(u32::MAX).saturating_add(1)
    }
}
