//! What people want of an answer that another process may be making.

use protocol::ToolUseId;
use serde::{Deserialize, Serialize};

/// The most decisions on calls of tools in one answer.
pub const MAX_DECISIONS: usize = 256;

/// Whether a tool may be called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Decision {
    /// The call.
    pub tool_use_id: ToolUseId,
    /// Whether it may be made.
    pub approved: bool,
}

/// What the process that makes an answer is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wishes {
    /// Whether it is to stop, after [`Store::ask_to_stop`](super::Store::ask_to_stop).
    pub is_to_stop: bool,
    /// All that was decided so far with [`Store::decide`](super::Store::decide), in no order: one for each call.
    pub decisions: Vec<Decision>,
}

/// Adds a decision, if it is the first one on its call. `false` where there are as many as there may be.
pub(super) fn add_decision(decisions: &mut Vec<Decision>, decision: Decision) -> bool {
    if decisions.iter().any(|known| known.tool_use_id == decision.tool_use_id) {
        return true;
    }
    let has_room = decisions.len() < MAX_DECISIONS;
    if has_room {
        decisions.push(decision);
    }
    has_room
}
