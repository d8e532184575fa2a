//! The two things the proxy takes from the world besides bytes: the time of day and unique ids. Tests give their own.

use std::time::SystemTime;

use protocol::{MessageId, SessionId, Timestamp};
use uuid::Uuid;

/// Where the time of day and new ids come from.
#[derive(Debug, Clone, Copy)]
pub struct Sources {
    /// The time of day.
    pub now: fn() -> Timestamp,
    /// An id that no one else has.
    pub unique: fn() -> Uuid,
}

impl Sources {
    /// The system's clock, and UUIDs of version 7, which sort by the time they were made.
    #[expect(clippy::disallowed_methods, reason = "this is the clock at the edge")]
    pub fn system() -> Self {
        Self { now: || SystemTime::now().into(), unique: Uuid::now_v7 }
    }

    /// An id for a new message.
    #[expect(clippy::expect_used, reason = "32 hexadecimal digits and a prefix fit the rules")]
    pub fn message_id(self) -> MessageId {
        MessageId::new(format!("msg_{}", (self.unique)().simple())).expect("a message id")
    }

    /// An id for a new session.
    #[expect(clippy::expect_used, reason = "32 hexadecimal digits and a prefix fit the rules")]
    pub fn session_id(self) -> SessionId {
        SessionId::new(format!("ses_{}", (self.unique)().simple())).expect("a session id")
    }
}
