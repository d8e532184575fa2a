//! A message with all that a model is sent of it.

use protocol::Message;
use serde::{Deserialize, Serialize};

use crate::conversation::{Block, Turn};

/// The most bytes of the [`Kept::turns`] of one message, as [`Kept::bytes`] counts them. Whoever makes a message keeps within it;
/// a store takes what it is given. In base64 and with its text, a message is then no more than about 3 MiB.
pub const MAX_TURNS_BYTES: usize = 2 * 1024 * 1024;

/// The most bytes of the messages that [`Store::conversation`](super::Store::conversation) returns, but for the latest, which is
/// always there.
pub const MAX_CONVERSATION_BYTES: usize = 16 * 1024 * 1024;

/// A message, and what the model is sent of it where that is more than its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The message, as people see it.
    #[serde(flatten)]
    pub message: Message,
    /// What the model is sent of it; empty where that is its text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub turns: Vec<Turn>,
}

impl Kept {
    /// How long the text of the message and everything in its turns are together.
    pub fn bytes(&self) -> usize {
        let turns = self.turns.iter().flat_map(|turn| &turn.blocks);
        self.message.content.len() + turns.map(Block::bytes).sum::<usize>()
    }
}

impl From<Message> for Kept {
    /// A message that is no more than its text.
    fn from(message: Message) -> Self {
        Self { message, turns: Vec::new() }
    }
}

/// The latest messages of a conversation, while they are read from the last one back.
#[derive(Debug, Default)]
pub(super) struct Latest {
    newest_first: Vec<Kept>,
    bytes: usize,
}

impl Latest {
    /// Takes the message before those it has; `false` where they are as many bytes as there may be without it.
    pub(super) fn take(&mut self, kept: Kept) -> bool {
        self.bytes = self.bytes.saturating_add(kept.bytes());
        let has_room = self.newest_first.is_empty() || self.bytes <= MAX_CONVERSATION_BYTES;
        if has_room {
            self.newest_first.push(kept);
        }
        has_room
    }

    /// All of them, the oldest first.
    pub(super) fn oldest_first(mut self) -> Vec<Kept> {
        self.newest_first.reverse();
        self.newest_first
    }
}
