//! Turns: a message of a person and the answer to it.
//!
//! A turn belongs to the proxy and not to a socket. It goes on when every socket is gone, and any socket of its owner can follow
//! it from any point of its [`log`].

pub mod history;
pub mod log;
mod registry;
mod run;
mod wake;

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, Weak,
    atomic::{AtomicBool, Ordering},
};

use protocol::{Message, MessageId, Part, RequestId, Role, SessionId, Timestamp, client::SendMessage};
use tokio::sync::Notify;

use crate::principal::Owner;
use log::{End, TurnLog};

pub use registry::{Begin, MAX_FINISHED_BYTES, MAX_FINISHED_TURNS, Turns};
pub use run::{Limits, Runner};
pub use wake::Wake;

/// One turn.
#[derive(Debug)]
pub struct Turn {
    /// Whose it is.
    pub owner: Owner,
    /// The conversation.
    pub session_id: SessionId,
    /// The `id` of the frame that asked for it.
    pub request_id: RequestId,
    /// The answer's id.
    pub message_id: MessageId,
    /// The model that answers.
    pub model: String,
    /// When it began.
    pub started: Timestamp,
    shared: Mutex<Shared>,
    cancelled: AtomicBool,
    cancel: Notify,
}

#[derive(Debug, Default)]
struct Shared {
    log: TurnLog,
    followers: Vec<Weak<Wake>>,
}

/// A turn to begin.
#[derive(Debug, Clone)]
pub struct NewTurn {
    /// Whose it is.
    pub owner: Owner,
    /// The conversation.
    pub session_id: SessionId,
    /// The `id` of the frame that asks for it.
    pub request_id: RequestId,
    /// What it asks.
    pub send: SendMessage,
    /// The model that answers.
    pub model: String,
}

impl Turn {
    fn new(new: &NewTurn, message_id: MessageId, started: Timestamp) -> Self {
        Self {
            owner: new.owner.clone(),
            session_id: new.session_id.clone(),
            request_id: new.request_id.clone(),
            message_id,
            model: new.model.clone(),
            started,
            shared: Mutex::default(),
            cancelled: AtomicBool::new(false),
            cancel: Notify::new(),
        }
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the log.
    pub fn with_log<T>(&self, look: impl FnOnce(&TurnLog) -> T) -> T {
        look(&self.shared().log)
    }

    /// Adds to the log, however much, and tells every follower once.
    pub fn append<T>(&self, add: impl FnOnce(&mut TurnLog) -> T) -> T {
        let mut shared = self.shared();
        let result = add(&mut shared.log);
        shared.followers.retain(|follower| match follower.upgrade() {
            Some(wake) => {
                wake.ring();
                true
            }
            None => false,
        });
        result
    }

    /// Rings `wake` whenever the log grows, and once now.
    pub fn follow(&self, wake: &Arc<Wake>) {
        let mut shared = self.shared();
        let known = shared.followers.iter().any(|follower| std::ptr::eq(follower.as_ptr(), Arc::as_ptr(wake)));
        if !known {
            shared.followers.push(Arc::downgrade(wake));
        }
        wake.ring();
    }

    /// Asks the turn to stop. Its log ends with `cancelled` unless it has ended already.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
        self.cancel.notify_one();
    }

    async fn cancelled(&self) {
        while !self.cancelled.load(Ordering::Acquire) {
            self.cancel.notified().await;
        }
    }

    /// Whether the turn has ended.
    pub fn has_ended(&self) -> bool {
        self.with_log(|log| log.end().is_some())
    }

    /// The answer so far, as a message, and the number of its last event.
    pub fn message(&self) -> (Message, u64) {
        self.with_log(|log| (self.message_from(log, log.end()), log.seq()))
    }

    /// The answer in `log`, taken to end with `end`.
    fn message_from(&self, log: &TurnLog, end: Option<&End>) -> Message {
        let answer = log.fold();
        let content = answer.text();
        let parts = answer.into_parts();
        let plain = matches!(parts.as_slice(), [] | [Part::Text { .. }]);
        let (usage, stop_reason, error) = match end {
            None => (None, None, None),
            Some(End::Complete { stop_reason, usage }) => (Some(usage.clone()), Some(*stop_reason), None),
            Some(End::Failed(error)) => (error.usage.clone(), None, Some(error.clone())),
        };
        Message {
            message_id: self.message_id.clone(),
            content,
            role: Role::Assistant,
            timestamp: self.started,
            usage,
            model: Some(self.model.clone()),
            stop_reason,
            parts: if plain { Vec::new() } else { parts },
            error,
        }
    }
}
