//! A message with all that a model is sent of it.

use protocol::Message;
use serde::{Deserialize, Serialize};

use crate::conversation::{Block, Turn};

/// The most bytes of the [`Kept::turns`] of one message, counted as in [`Kept::bytes`]. Whoever makes a message keeps within it; a
/// store takes what it is given. As JSON, with files in base64, that is about 3 MiB.
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

#[cfg(test)]
mod tests {
    use protocol::{MessageId, Role, Timestamp};

    use super::*;

    /// A message of so many bytes.
    fn kept(bytes: usize) -> Kept {
        let message = Message {
            message_id: MessageId::new("m").unwrap(),
            request_id: None,
            content: "1234".into(),
            attachments: Vec::new(),
            role: Role::User,
            timestamp: Timestamp::from_unix_ms(0),
            usage: None,
            model: None,
            stop_reason: None,
            parts: Vec::new(),
            error: None,
        };
        let blocks = vec![Block::Image { format: "png".into(), data: vec![0; bytes - 4] }];
        Kept { message, turns: vec![Turn { role: Role::User, blocks }] }
    }

    #[test]
    fn the_latest_messages_are_as_many_bytes_as_there_may_be_and_the_last_is_always_there() {
        let half = MAX_CONVERSATION_BYTES / 2;
        for (newest_first, expected) in [
            (vec![half, half, 4], vec![half, half]),
            (vec![half, half + 1, 4], vec![half]),
            (vec![4, half, half - 4], vec![half - 4, half, 4]),
            (vec![MAX_CONVERSATION_BYTES + 1, 4], vec![MAX_CONVERSATION_BYTES + 1]),
            (vec![], vec![]),
        ] {
            let mut latest = Latest::default();
            let taken = newest_first.iter().take_while(|bytes| latest.take(kept(**bytes))).count();
            let bytes: Vec<_> = latest.oldest_first().iter().map(Kept::bytes).collect();
            assert_eq!((taken, bytes), (expected.len(), expected));
        }
    }

    #[test]
    fn what_older_versions_kept_is_no_more_than_its_text() {
        let before = Kept { turns: Vec::new(), ..kept(4) };
        let body = serde_json::to_string(&before.message).unwrap();
        assert_eq!(serde_json::to_string(&before).unwrap(), body, "nor is more written than before");
        assert_eq!(serde_json::from_str::<Kept>(&body).unwrap(), before);
        let now = serde_json::to_string(&kept(9)).unwrap();
        assert_eq!(serde_json::from_str::<Message>(&now).unwrap(), before.message, "they can read what is written now");
    }
}
