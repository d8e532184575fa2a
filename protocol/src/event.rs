//! The events of an answer, in the order in which it came into being.

use serde::{Deserialize, Serialize};

use crate::{ErrorData, RawJson, ToolUseId, Usage};

/// Why an answer ended, in Bedrock's words, and one of our own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
pub enum StopReason {
    /// The model was done.
    EndTurn,
    /// `maxTokens` were used up.
    MaxTokens,
    /// A stop sequence came up.
    StopSequence,
    /// The model wants a tool called.
    ToolUse,
    /// A guardrail stepped in.
    GuardrailIntervened,
    /// The model's own filter stopped it.
    ContentFiltered,
    /// The conversation grew past what the model reads.
    ModelContextWindowExceeded,
    /// A person stopped it with `chat.cancel`.
    Cancelled,
    /// The model would have called more tools than one answer may.
    ToolLimit,
    /// A reason this version does not know.
    #[serde(other)]
    Other,
}

impl ToolStatus {
    /// The status written `text`, [`ToolStatus::UnknownOutcome`] for one that is not known.
    pub fn from_text(text: &str) -> Self {
        match text {
            "preparing" => Self::Preparing,
            "pending_approval" => Self::PendingApproval,
            "running" => Self::Running,
            "succeeded" => Self::Succeeded,
            "failed" => Self::Failed,
            "denied" => Self::Denied,
            _ => Self::UnknownOutcome,
        }
    }

    /// The status as it is written in a frame.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Preparing => "preparing",
            Self::PendingApproval => "pending_approval",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Denied => "denied",
            Self::UnknownOutcome => "unknown_outcome",
        }
    }
}

impl StopReason {
    /// The reason written `text`, [`StopReason::Other`] for one that is not known.
    pub fn from_text(text: &str) -> Self {
        match text {
            "end_turn" => Self::EndTurn,
            "max_tokens" => Self::MaxTokens,
            "stop_sequence" => Self::StopSequence,
            "tool_use" => Self::ToolUse,
            "guardrail_intervened" => Self::GuardrailIntervened,
            "content_filtered" => Self::ContentFiltered,
            "model_context_window_exceeded" => Self::ModelContextWindowExceeded,
            "cancelled" => Self::Cancelled,
            "tool_limit" => Self::ToolLimit,
            _ => Self::Other,
        }
    }

    /// The reason as it is written in a frame.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EndTurn => "end_turn",
            Self::MaxTokens => "max_tokens",
            Self::StopSequence => "stop_sequence",
            Self::ToolUse => "tool_use",
            Self::GuardrailIntervened => "guardrail_intervened",
            Self::ContentFiltered => "content_filtered",
            Self::ModelContextWindowExceeded => "model_context_window_exceeded",
            Self::Cancelled => "cancelled",
            Self::ToolLimit => "tool_limit",
            Self::Other => "other",
        }
    }
}

/// How far the call of a tool has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
pub enum ToolStatus {
    /// The model is still writing its arguments.
    Preparing,
    /// A person has to say yes first.
    PendingApproval,
    /// The tool runs.
    Running,
    /// It returned a result.
    Succeeded,
    /// It returned an error.
    Failed,
    /// It was not called: a person said no or nothing in time, or it may not be called.
    Denied,
    /// The call was cut off; it may or may not have had its effect.
    UnknownOutcome,
}

/// The call of a tool as people follow it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema), ts(optional_fields))]
pub struct ToolUse {
    /// The call.
    pub tool_use_id: ToolUseId,
    /// The tool's own name.
    pub name: String,
    /// The MCP server that has it; none of a name that no tool has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Its arguments, as JSON; `{}` while the model is writing them.
    pub input: RawJson,
    /// Its arguments as far as the model has written them, while it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partial_input: Option<String>,
    /// How far it has come.
    pub status: ToolStatus,
    /// How long it ran, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(type = "number"))]
    pub duration_ms: Option<u64>,
    /// What it returned, as JSON: a `ToolResult`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(type = "ToolResult"), schemars(with = "Option<crate::ToolResult>"))]
    pub result: Option<RawJson>,
    /// Whether a person let it run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(optional, as = "Option<bool>"))]
    pub approved: bool,
}

/// One step in the making of an answer. An event borrows its text where it can: it is folded, not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TurnEvent<'a> {
    /// More text of the answer's part number `part`.
    Text {
        /// Which part of the message it belongs to, from 0.
        part: u32,
        /// The text to append.
        content: &'a str,
    },
    /// More of the model's reasoning.
    Reasoning {
        /// Which part of the message it belongs to, from 0.
        part: u32,
        /// The text to append.
        content: &'a str,
    },
    /// More of the arguments of the call that is part number `part`.
    ToolInput {
        /// Which part of the message the call is, from 0.
        part: u32,
        /// The text to append.
        content: &'a str,
    },
    /// A tool is called, or its call has come further.
    ToolUse {
        /// The call as it stands now; it replaces what was known of it.
        call: &'a ToolUse,
    },
    /// The answer is whole.
    Complete {
        /// Why it ended.
        stop_reason: StopReason,
        /// What it used.
        usage: &'a Usage,
    },
    /// The answer failed. What there is of it stays.
    Error(&'a ErrorData),
}
