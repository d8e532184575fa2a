//! The ledger's entries: one for each call of a model.

use protocol::{ErrorCode, MessageId, SessionId, Timestamp, ToolStatus, Usage};
use serde::{Deserialize, Serialize};

use super::{Amount, StoreError};
use crate::principal::Owner;

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallOutcome {
    /// Whole.
    Complete,
    /// A person stopped the answer.
    Cancelled,
    /// It failed.
    Failed(ErrorCode),
}

impl CallOutcome {
    /// As it is written: `complete`, `cancelled` or the error's code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Cancelled => "cancelled",
            Self::Failed(code) => code.as_str(),
        }
    }

    /// Out of what is written.
    pub fn from_text(text: &str) -> Option<Self> {
        match text {
            "complete" => Some(Self::Complete),
            "cancelled" => Some(Self::Cancelled),
            code => code.parse().ok().map(Self::Failed),
        }
    }
}

/// One call of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Whose.
    pub owner: Owner,
    /// The session.
    pub session: SessionId,
    /// The answer it was made for.
    pub message: MessageId,
    /// The how manieth call for it, from 1.
    pub number: u32,
    /// When the answer was asked for: the day and the month that the call counts in.
    pub asked: Timestamp,
    /// The model that was asked for.
    pub model_asked: String,
    /// The model that is billed: the id of the price table, or the one that was called where that does not know it.
    pub model: String,
    /// The region that was called.
    pub region: String,
    /// Tokens, where they are from, and cost.
    pub usage: Usage,
    /// How long the call took, in milliseconds.
    pub duration_ms: u64,
    /// How long until the first content, in milliseconds, where any came.
    pub first_token_ms: Option<u64>,
    /// How it ended.
    pub outcome: CallOutcome,
    /// The tools that the model asked for in it.
    pub tools: Vec<ToolRun>,
}

/// A tool that a model asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ToolRun {
    /// The MCP server that has it; none of a name that no tool has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The tool's own name.
    pub name: String,
    /// What became of it.
    pub status: ToolStatus,
    /// How long it ran, in milliseconds.
    pub duration_ms: u64,
}

impl ToolRun {
    /// The most of one answer that every store takes, with names of up to 200 bytes together. Whoever makes them keeps within it.
    pub const MAX_OF_ANSWER: usize = 500;
}

impl Call {
    /// The most calls for one answer that every store takes, with names of up to 150 bytes. Whoever makes them keeps within it.
    pub const MAX_OF_ANSWER: usize = 200;

    /// What it is counted as against budgets. A call without a price counts in tokens only.
    pub fn amount(&self) -> Amount {
        Amount { nano_usd: self.usage.cost_nano_usd.unwrap_or(0), tokens: self.usage.total_tokens }
    }
}

/// Whose calls, and when they were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallsOf {
    /// The organisation's; everybody's where this is `None`.
    pub organization: Option<String>,
    /// The user's, of that organisation or of all; everybody's where this is `None`.
    pub user: Option<String>,
    /// From this point on.
    pub from: Timestamp,
    /// Up to this point, itself left out.
    pub to: Timestamp,
}

impl CallsOf {
    /// Whether `call` is one of them.
    pub fn has(&self, call: &Call) -> bool {
        (self.from..self.to).contains(&call.asked)
            && self.organization.as_deref().is_none_or(|organization| *call.owner.organization == *organization)
            && self.user.as_deref().is_none_or(|user| *call.owner.user == *user)
    }
}

/// Some calls, and where the next ones are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallsPage {
    /// The calls; at most [`CallsPage::MAX`].
    pub calls: Vec<Call>,
    /// Where to go on; the last ones have none.
    pub next: Option<String>,
}

impl CallsPage {
    /// The most at a time.
    pub const MAX: usize = 1_000;
}

/// A call as a place in the order of calls: when, organisation, user, message, number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub(super) struct Cursor(pub u64, pub String, pub String, pub String, pub u32);

impl Cursor {
    /// The place of `call`.
    pub(super) fn at(call: &Call) -> Self {
        let Owner { organization, user } = &call.owner;
        Self(call.asked.unix_ms(), organization.to_string(), user.to_string(), call.message.to_string(), call.number)
    }

    /// The place in `text`, or before all calls from `from` on where there is none.
    pub(super) fn read(text: Option<&str>, from: Timestamp) -> Result<Self, StoreError> {
        let start = Self(from.unix_ms(), String::new(), String::new(), String::new(), 0);
        let read = text.map(serde_json::from_str).transpose();
        Ok(read
            .map_err(|error| StoreError::Unavailable(format!("the cursor cannot be read: {error}")))?
            .unwrap_or(start))
    }

    /// As text.
    pub(super) fn write(&self) -> String {
        serde_json::json!(self).to_string()
    }
}
