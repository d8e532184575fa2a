//! Where conversations are kept.
//!
//! Ownership is part of every signature: there is no way to ask for a session without saying whose, and "not yours" is the same
//! answer as "unknown".

mod accounts;
mod calls;
pub mod dynamodb;
mod kept;
mod memory;
mod revocations;
mod sqlite;
mod wishes;

use async_trait::async_trait;
use protocol::{
    ErrorCode, Message, MessageId, RequestId, SessionId, Timestamp, ToolUse,
    client::{ClientFrame, ClientMessage},
    codec::encode_client,
    server::Session,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{content::is_blank, principal::Owner};

pub use accounts::{Account, Amount, Balance, KEPT_AFTER_END, Limit, Reservation};
pub use calls::{Call, CallOutcome, CallsOf, CallsPage, ToolRun};
pub use dynamodb::DynamoStore;
pub use kept::{Kept, MAX_CONVERSATION_BYTES, MAX_TURNS_BYTES};
pub use memory::{MAX_SESSIONS, MemoryStore};
pub use revocations::{MAX_REVOCATIONS, Revocation, Revoked};
pub use sqlite::{OpenError, SqliteStore};
pub use wishes::{Decision, MAX_DECISIONS, Wishes};

/// The most messages of one session, and the most ids that anything was asked under in it.
pub const MAX_MESSAGES: usize = 2_000;

/// The most answers that [`Store::unfinished`] returns at a time.
pub const MAX_UNFINISHED: usize = 1_000;

/// Some of a longer list, and whether there is more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Whether there are more beyond the last (of sessions) or before the first (of messages).
    pub has_more: bool,
}

/// Tells what is asked for under an id from anything else: the SHA-256 of its frame without the id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The bytes of it.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Out of its bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The fingerprint of `message`.
    pub fn of(message: impl Into<ClientMessage>) -> Self {
        #[expect(clippy::expect_used, reason = "one letter is an id")]
        let id = RequestId::new("x").expect("an id");
        let frame = encode_client(&ClientFrame { id, message: message.into() });
        Self(Sha256::digest(frame).into())
    }
}

/// What was asked under an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What.
    pub fingerprint: Fingerprint,
    /// The id of its answer, which need not be there.
    pub answer: MessageId,
}

/// A question, and the answer that is about to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The id it is asked under.
    pub request: RequestId,
    /// What is asked.
    pub fingerprint: Fingerprint,
    /// The first of the messages that give way: a question where there is another in its place, else an answer.
    pub replaces: Option<MessageId>,
    /// The message; none where the one that is last in the session, once those are gone, is asked again.
    pub question: Option<Kept>,
    /// The answer.
    pub answer: Opening,
}

/// An answer as it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// Its id.
    pub message_id: MessageId,
    /// When.
    pub started: Timestamp,
    /// The model that is asked.
    pub model: String,
    /// The bytes of text that it is asked with.
    pub input_bytes: u64,
    /// What is set aside for it.
    pub reservation: Reservation,
}

/// Text of one part of an answer, or the call of a tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// The number of its last event; 0 where that was not kept.
    #[serde(default)]
    pub seq: u64,
    /// Whether it is reasoning.
    pub reasoning: bool,
    /// Which part it belongs to.
    pub part: u32,
    /// The text.
    pub text: String,
    /// In the place of text: a tool is called, or its call has come further.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<ToolUse>,
}

/// What has come of an answer since the checkpoint before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// When it is made. It says that the answer goes on, even if nothing has come.
    pub at: Timestamp,
    /// The model that answers.
    pub model: String,
    /// What has come.
    pub pieces: Vec<Piece>,
}

/// An answer that is open, as far as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenAnswer {
    /// Whose it is.
    pub owner: Owner,
    /// The session.
    pub session: SessionId,
    /// The id it was asked for under.
    pub request: RequestId,
    /// How it began; its model is the one that answered last.
    pub opening: Opening,
    /// All its checkpoints, joined.
    pub pieces: Vec<Piece>,
}

/// The end of an answer, or of the first part of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Closing {
    /// What is kept of it: at the end of its session, or in the place of the message of the same id that is there.
    pub message: Option<Kept>,
    /// Every call that was made for it, which settles it. Without them it stays open.
    pub calls: Option<Vec<Call>>,
}

/// Why the store did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No such session, or not this owner's.
    #[error("there is no such session")]
    SessionNotFound,
    /// The session has no such message, or not of that side.
    #[error("there is no such message in the session")]
    MessageNotFound,
    /// The session has as many messages as one may have.
    #[error("the session has {0} messages, the most one may have; start a new one")]
    SessionFull(usize),
    /// Something was asked under this id in the session.
    #[error("its id was used before")]
    AskedBefore,
    /// Another answer is under way in the session: it is open, and nothing of it is kept as a message yet.
    #[error("an answer is being made in this session; wait for its end, or stop it")]
    SessionBusy,
    /// The answer was settled before.
    #[error("the answer was ended by another process")]
    NotOpen,
    /// There is not enough left. Nothing was stored.
    #[error("a budget is used up")]
    OverBudget(Box<Account>, Balance),
    /// The store itself fails.
    #[error("the store cannot be used: {0}")]
    Unavailable(String),
}

impl StoreError {
    /// What clients are told.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::SessionNotFound => ErrorCode::SessionNotFound,
            Self::MessageNotFound | Self::SessionFull(_) | Self::AskedBefore | Self::SessionBusy => {
                ErrorCode::InvalidRequest
            }
            Self::OverBudget(..) => ErrorCode::BudgetExceeded,
            Self::NotOpen => ErrorCode::Interrupted,
            Self::Unavailable(_) => ErrorCode::Internal,
        }
    }
}

/// A store of conversations. What a method acknowledges is kept.
#[async_trait]
pub trait Store: std::fmt::Debug + Send + Sync {
    /// The session `id` of `owner`.
    async fn session(&self, owner: &Owner, id: &SessionId) -> Result<Session, StoreError>;

    /// Makes the session unless `owner` has one of its id already, and returns the one there is.
    async fn ensure_session(&self, owner: &Owner, session: Session) -> Result<Session, StoreError>;

    /// The sessions of `owner`, the latest used first, `limit` of them, after `before` if that is given.
    async fn sessions(
        &self,
        owner: &Owner,
        before: Option<&SessionId>,
        limit: usize,
    ) -> Result<Page<Session>, StoreError>;

    /// Gives the session another title.
    async fn rename_session(&self, owner: &Owner, id: &SessionId, title: String) -> Result<Session, StoreError>;

    /// Deletes the session and its messages. An answer under way in it stays open, without its text, until it is settled.
    async fn delete_session(&self, owner: &Owner, id: &SessionId) -> Result<(), StoreError>;

    /// The latest `limit` messages of the session, the oldest first; those before `before` if that is given.
    async fn messages(
        &self,
        owner: &Owner,
        session: &SessionId,
        before: Option<&MessageId>,
        limit: usize,
    ) -> Result<Page<Message>, StoreError>;

    /// The latest `limit` messages of the session with all that a model is sent of them, the oldest first; those before `before` if that
    /// is given. Fewer where they are more than [`MAX_CONVERSATION_BYTES`] together.
    ///
    /// # Errors
    /// [`StoreError::MessageNotFound`] where there is no message `before`.
    async fn conversation(
        &self,
        owner: &Owner,
        session: &SessionId,
        before: Option<&MessageId>,
        limit: usize,
    ) -> Result<Vec<Kept>, StoreError>;

    /// What was asked under the id `request` in the session, for as long as there is the session.
    async fn asked(&self, owner: &Owner, session: &SessionId, request: &RequestId)
    -> Result<Option<Asked>, StoreError>;

    /// Takes note that something is asked, once for each id, deletes the messages that give way, adds the question at the end of the
    /// session, sets aside what the answer may cost, and opens it; all of that or nothing. A question that is asked again is under its
    /// latest id. The first one gives a session without a title its title. What was asked under an id stays known, also where its question
    /// is gone; the answer to such a question, should it still be under way, is never kept as a message.
    async fn ask(&self, owner: &Owner, session: &SessionId, ask: Ask) -> Result<(), StoreError>;

    /// Sets aside `amount` more for an answer that is open, in all the accounts of its reservation or in none; what is set aside for
    /// it is given back when it is closed. The process that makes the answer does so, one time after the other.
    ///
    /// # Errors
    /// [`StoreError::OverBudget`] where an account has not as much left, [`StoreError::NotOpen`] where the answer is not open.
    async fn reserve_more(
        &self,
        owner: &Owner,
        session: &SessionId,
        answer: &MessageId,
        amount: Amount,
    ) -> Result<(), StoreError>;

    /// Keeps more of an answer that is under way, and says that it goes on. Does nothing where the answer is not open any more.
    /// Returns what people want of it, as far as they said so before.
    async fn checkpoint(
        &self,
        owner: &Owner,
        session: &SessionId,
        answer: &MessageId,
        checkpoint: Checkpoint,
    ) -> Result<Wishes, StoreError>;

    /// Ends the answer `id`. A message that gave way meanwhile does not come back. What is set aside for it is given back, and what its calls cost is spent, once: [`StoreError::NotOpen`]
    /// where it was settled before, and nothing is changed then. Of a session that was deleted meanwhile the calls are kept all the
    /// same, and no message.
    async fn close(
        &self,
        owner: &Owner,
        session: &SessionId,
        id: &MessageId,
        closing: Closing,
    ) -> Result<(), StoreError>;

    /// The answer of this id, if it is open.
    async fn open_answer(&self, owner: &Owner, id: &MessageId) -> Result<Option<OpenAnswer>, StoreError>;

    /// The answer that is under way in the session, if one is: open, and nothing of it kept as a message yet.
    async fn open_in(&self, owner: &Owner, session: &SessionId) -> Result<Option<MessageId>, StoreError>;

    /// Asks the process that makes the answer to stop it; `false` where it is not open.
    async fn ask_to_stop(&self, owner: &Owner, id: &MessageId) -> Result<bool, StoreError>;

    /// Tells the process that makes the answer whether it may call a tool. The first decision on a call counts. `false` where the
    /// answer is not open, or where [`MAX_DECISIONS`] were made in it.
    async fn decide(&self, owner: &Owner, answer: &MessageId, decision: Decision) -> Result<bool, StoreError>;

    /// The answers that are open at `now` though nothing says that the process that makes them goes on, at most
    /// [`MAX_UNFINISHED`] of them. Some may be made by this very process.
    async fn unfinished(&self, now: Timestamp) -> Result<Vec<OpenAnswer>, StoreError>;

    /// How accounts stand, in their order.
    async fn balances(&self, accounts: &[Account]) -> Result<Vec<Balance>, StoreError>;

    /// Takes note that an alert is raised at `percent` of an account; `false` where one was at as much or more.
    async fn raise_alert(&self, account: &Account, percent: u32) -> Result<bool, StoreError>;

    /// Calls that were settled, some at a time: the first of them without a cursor, then those after the cursor that came with the
    /// last. Their order is the store's own, in which the calls for one answer follow each other.
    async fn calls(&self, of: &CallsOf, after: Option<String>) -> Result<CallsPage, StoreError>;

    /// Takes note that tokens count no more, until that may be forgotten.
    async fn revoke(&self, revocation: Revocation) -> Result<(), StoreError>;

    /// What was revoked at `since` or later, and need not be forgotten at `now`.
    async fn revocations(&self, since: Timestamp, now: Timestamp) -> Result<Vec<Revocation>, StoreError>;

    /// The answer of this id and its session, in whichever session of `owner`.
    async fn answer(&self, owner: &Owner, id: &MessageId) -> Result<Option<(SessionId, Message)>, StoreError>;
}

/// A session as it begins.
pub fn new_session(id: SessionId, title: Option<String>, model: Option<String>, now: Timestamp) -> Session {
    Session { session_id: id, title, model, created_at: now, updated_at: now, message_count: 0 }
}

/// Adds `more` to `pieces`; text that goes on in the same part is joined to it.
fn join_pieces(pieces: &mut Vec<Piece>, more: Vec<Piece>) {
    for piece in more {
        let goes_on = |last: &&mut Piece| last.part == piece.part && last.call.is_none() && piece.call.is_none();
        match pieces.last_mut().filter(goes_on) {
            Some(last) => {
                last.text.push_str(&piece.text);
                last.seq = piece.seq;
            }
            None => pieces.push(piece),
        }
    }
}

/// The most characters of a title that is made from a message.
const MAX_MADE_TITLE_CHARS: usize = 60;

/// A title from the first words of a message.
fn title_from(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| !is_blank(line))?;
    if line.chars().count() <= MAX_MADE_TITLE_CHARS {
        return Some(line.to_owned());
    }
    let cut: String = line.chars().take(MAX_MADE_TITLE_CHARS - 1).collect();
    let at_word = cut.rfind(char::is_whitespace).filter(|&end| end > MAX_MADE_TITLE_CHARS / 2);
    Some(format!("{}…", cut[..at_word.unwrap_or(cut.len())].trim_end()))
}

#[cfg(test)]
mod tests {
    use super::title_from;

    #[test]
    fn a_title_is_the_first_words_of_the_first_line() {
        assert_eq!(title_from("\n  Hello there \nmore").as_deref(), Some("Hello there"));
        assert_eq!(title_from(" \n "), None);
        let long = "one two three four five six seven eight nine ten eleven twelve thirteen";
        assert_eq!(title_from(long).as_deref(), Some("one two three four five six seven eight nine ten eleven…"));
        assert_eq!(title_from(&"ü".repeat(100)).unwrap().chars().count(), 60);
    }
}
