//! The two shapes that a call travels in, with and without a stream.

pub(crate) mod converse;
mod media;
pub(crate) mod messages;

use bytes::BytesMut;
use serde_json::Value;

use crate::answer::{Answer, Usage};
use crate::chat::Dialect;

/// What happens in a stream, in order. Every event has one frame in the Messages dialect; Converse leaves some out.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Event<'a> {
    MessageStart,
    BlockStart { index: usize, kind: StartKind<'a> },
    TextDelta { index: usize, text: &'a str },
    ReasoningDelta { index: usize, text: &'a str },
    Signature { index: usize, signature: &'a str },
    Redacted { index: usize, data: &'a str },
    ToolInputDelta { index: usize, json: &'a str },
    BlockStop { index: usize },
    MessageStop,
    Metadata { latency_ms: u64, first_byte_ms: u64 },
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum StartKind<'a> {
    Text,
    Reasoning,
    Redacted { data: &'a str },
    ToolUse { id: &'a str, name: &'a str },
}

/// What an encoder must know of the call beside the event.
pub(crate) struct Context<'a> {
    pub(crate) dialect: Dialect,
    pub(crate) request_id: &'a str,
    pub(crate) model_id: &'a str,
    pub(crate) answer: &'a Answer,
}

impl Context<'_> {
    /// Appends the event's frames to `out`; `serial` numbers them and chooses the padding.
    pub(crate) fn encode(&self, out: &mut BytesMut, event: Event<'_>, serial: u32) {
        match self.dialect {
            Dialect::Converse => converse::encode(out, self, event, serial),
            Dialect::Messages => messages::encode(out, self, event, serial),
        }
    }

    /// The whole answer as one body, for operations without a stream.
    pub(crate) fn body(&self, latency_ms: u64) -> Value {
        match self.dialect {
            Dialect::Converse => converse::body(self.answer, latency_ms),
            Dialect::Messages => messages::body(self),
        }
    }
}

const ALPHABET: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// Bedrock pads events to hide the length of tokens: a start of the alphabet, of changing length.
pub(crate) fn padding(serial: u32) -> &'static str {
    let length = serial.wrapping_mul(2_654_435_761) >> 16;
    &ALPHABET[..1 + length as usize % ALPHABET.len()]
}

/// A text as a JSON string with its quotes.
pub(crate) fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

pub(crate) fn converse_usage(usage: &Usage) -> Value {
    let mut value = serde_json::json!({
        "inputTokens": usage.input_tokens,
        "outputTokens": usage.output_tokens,
        "totalTokens": usage.total_tokens(),
        "cacheReadInputTokens": usage.cache_read_input_tokens,
        "cacheWriteInputTokens": usage.cache_write_input_tokens,
    });
    if usage.cache_write_input_tokens > 0 {
        let ttl = if usage.cache_write_one_hour { "1h" } else { "5m" };
        value["cacheDetails"] = serde_json::json!([{ "ttl": ttl, "inputTokens": usage.cache_write_input_tokens }]);
    }
    value
}
