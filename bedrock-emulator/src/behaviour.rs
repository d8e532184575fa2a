//! What a call is made to do: asked for by a script step or by a prompt prefix.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::Pace;
use crate::error::ErrorType;
use crate::fault::Fault;
use crate::guardrail::Intervention;

/// Longest answer that a script or a prefix can ask for, in tokens.
pub const MAX_LENGTH_TOKENS: u32 = 200_000;

/// Departures from the usual answer. Whatever is not set stays as usual, so `Behaviour::default()` changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Behaviour {
    /// Wait before the first token, in milliseconds.
    pub first_token_ms: Option<u64>,
    /// Tokens a second; 0 sends all at once.
    pub tokens_per_second: Option<f64>,
    /// The answer's text, instead of the composed one.
    pub text: Option<String>,
    /// Exact length of the answer's text in tokens, at most [`MAX_LENGTH_TOKENS`]: cut, or filled with more text.
    pub length_tokens: Option<u32>,
    /// Reasoning before the text; an empty string has the emulator write it.
    pub reasoning: Option<String>,
    /// Whether the reasoning comes as bytes that nobody can read.
    pub redacted_reasoning: bool,
    /// Tools that the answer asks for, after its text.
    pub tool_uses: Vec<ToolUse>,
    /// What a guardrail blocks, where the request names one.
    pub guardrail: Option<Intervention>,
    /// What goes wrong.
    pub fault: Option<Fault>,
    /// A load-test stream: takes the place of text, reasoning, tools and pace. Streaming operations only.
    pub bench: Option<Bench>,
}

/// A tool that the answer asks for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ToolUse {
    /// The tool's name.
    pub name: String,
    /// Its input, which need not fit its schema; made from the schema if null or not given.
    #[serde(default)]
    pub input: Value,
    /// The text that is streamed as its input, in place of `input`; it need not be JSON, nor whole. Without a stream, what is no JSON is
    /// an empty object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw_input: Option<String>,
}

/// A stream of equal deltas, encoded once and shared by every call that asks for the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Bench {
    /// How many deltas.
    pub deltas: u32,
    /// The text of each.
    #[serde(default = "bench_text")]
    pub text: String,
    /// In place of `text`: a blank and the time at which the delta is due, in microseconds since the Unix epoch, for measuring how
    /// late it arrives. After 4,096 deltas the stamps repeat.
    #[serde(default)]
    pub stamped: bool,
    /// From one delta to the next, in microseconds; 0 sends them as fast as the socket takes them.
    #[serde(default)]
    pub interval_us: u64,
    /// Before the first delta, in microseconds.
    #[serde(default)]
    pub first_delta_us: u64,
}

fn bench_text() -> String {
    " word".to_owned()
}

impl Behaviour {
    /// An answer of exactly this text.
    pub fn text(text: impl Into<String>) -> Self {
        Behaviour { text: Some(text.into()), ..Behaviour::default() }
    }

    /// A composed answer with this fault.
    pub fn fault(fault: Fault) -> Self {
        Behaviour { fault: Some(fault), ..Behaviour::default() }
    }

    /// An HTTP error with the type's usual message, on every call.
    pub fn error(error: ErrorType) -> Self {
        Behaviour::fault(Fault::ErrorBefore { error, message: None, times: None })
    }

    /// A load-test stream; `interval_us` 0 is as fast as it goes.
    pub fn bench(deltas: u32, text: impl Into<String>, interval_us: u64) -> Self {
        let bench = Bench { deltas, text: text.into(), stamped: false, interval_us, first_delta_us: 0 };
        Behaviour { bench: Some(bench), ..Behaviour::default() }
    }

    /// The same at this pace.
    pub fn with_pace(self, pace: Pace) -> Self {
        Behaviour { first_token_ms: Some(pace.first_token_ms), tokens_per_second: Some(pace.tokens_per_second), ..self }
    }

    /// The same with this fault.
    pub fn with_fault(self, fault: Fault) -> Self {
        Behaviour { fault: Some(fault), ..self }
    }

    /// The same, blocked by a guardrail.
    pub fn with_guardrail(self, intervention: Intervention) -> Self {
        Behaviour { guardrail: Some(intervention), ..self }
    }

    /// The same with reasoning before the text.
    pub fn with_reasoning(self, reasoning: impl Into<String>) -> Self {
        Behaviour { reasoning: Some(reasoning.into()), ..self }
    }

    /// The same with its reasoning, one that the emulator writes if there is none, as bytes that nobody can read.
    pub fn with_redacted_reasoning(self) -> Self {
        Behaviour { redacted_reasoning: true, ..self }
    }

    /// The same with one more tool asked for.
    pub fn with_tool_use(mut self, name: impl Into<String>, input: Value) -> Self {
        self.tool_uses.push(ToolUse { name: name.into(), input, raw_input: None });
        self
    }

    /// The same with one more tool asked for, whose input is this text, JSON or not.
    pub fn with_raw_tool_use(mut self, name: impl Into<String>, raw_input: impl Into<String>) -> Self {
        self.tool_uses.push(ToolUse { name: name.into(), input: Value::Null, raw_input: Some(raw_input.into()) });
        self
    }

    /// The pace it asks for, over the configured one.
    pub(crate) fn pace(&self, usual: Pace) -> Pace {
        Pace {
            first_token_ms: self.first_token_ms.unwrap_or(usual.first_token_ms),
            tokens_per_second: self.tokens_per_second.unwrap_or(usual.tokens_per_second),
        }
    }
}
