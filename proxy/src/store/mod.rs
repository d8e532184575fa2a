//! Where conversations are kept.
//!
//! Ownership is part of every signature: there is no way to ask for a session without saying whose, and "not yours" is the same
//! answer as "unknown".

mod memory;
mod sqlite;

use async_trait::async_trait;
use protocol::{
    ErrorCode, Message, MessageId, RequestId, SessionId, Timestamp,
    client::{ClientFrame, ClientMessage, SendMessage},
    codec::encode_client,
    server::Session,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::principal::Owner;

pub use memory::{MAX_SESSIONS, MemoryStore};
pub use sqlite::{OpenError, SqliteStore};

/// The most messages of one session, and the most ids that anything was asked under in it.
pub const MAX_MESSAGES: usize = 2_000;

/// Some of a longer list, and whether there is more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Whether there are more beyond the last (of sessions) or before the first (of messages).
    pub has_more: bool,
}

/// Tells the body of one `chat.send_message` from another: the SHA-256 of its frame without the id.
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

    /// The fingerprint of `send`.
    pub fn of(send: &SendMessage) -> Self {
        #[expect(clippy::expect_used, reason = "one letter is an id")]
        let id = RequestId::new("x").expect("an id");
        let frame = encode_client(&ClientFrame { id, message: ClientMessage::SendMessage(send.clone()) });
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
    /// The message; none where the one that is last in the session is asked again.
    pub question: Option<Message>,
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
}

/// Text of one part of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// Whether it is reasoning.
    pub reasoning: bool,
    /// Which part it belongs to.
    pub part: u32,
    /// The text.
    pub text: String,
}

/// What has come of an answer since the checkpoint before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The number of its last event.
    pub seq: u64,
    /// The model that answers.
    pub model: String,
    /// What has come.
    pub pieces: Vec<Piece>,
}

/// An answer that did not end, as far as it was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
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

/// Why the store did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No such session, or not this owner's.
    #[error("there is no such session")]
    SessionNotFound,
    /// The session has as many messages as one may have.
    #[error("the session has {0} messages, the most one may have; start a new one")]
    SessionFull(usize),
    /// Something was asked under this id in the session.
    #[error("its id was used before")]
    AskedBefore,
    /// The store itself fails.
    #[error("the store cannot be used: {0}")]
    Unavailable(String),
}

impl StoreError {
    /// What clients are told.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::SessionNotFound => ErrorCode::SessionNotFound,
            Self::SessionFull(_) | Self::AskedBefore => ErrorCode::InvalidRequest,
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

    /// Deletes the session and its messages.
    async fn delete_session(&self, owner: &Owner, id: &SessionId) -> Result<(), StoreError>;

    /// The latest `limit` messages of the session, the oldest first; those before `before` if that is given.
    async fn messages(
        &self,
        owner: &Owner,
        session: &SessionId,
        before: Option<&MessageId>,
        limit: usize,
    ) -> Result<Page<Message>, StoreError>;

    /// What was asked under the id `request` in the session, for as long as there is the session.
    async fn asked(&self, owner: &Owner, session: &SessionId, request: &RequestId)
    -> Result<Option<Asked>, StoreError>;

    /// Takes note that something is asked, once for each id, adds the question at the end of the session, and opens its answer. A
    /// question that is asked again is under its latest id. The first one gives a session without a title its title.
    async fn ask(&self, owner: &Owner, session: &SessionId, ask: Ask) -> Result<(), StoreError>;

    /// Keeps more of an answer that is under way. Nobody sees it until the answer is closed, by this process or, after its end, by
    /// another one. Does nothing where the answer is not open any more.
    async fn checkpoint(
        &self,
        owner: &Owner,
        session: &SessionId,
        answer: &MessageId,
        checkpoint: Checkpoint,
    ) -> Result<(), StoreError>;

    /// Closes the answer `id` and forgets its checkpoints. `answer`, if anything of it is kept, is the last message of the session
    /// then.
    async fn close(
        &self,
        owner: &Owner,
        session: &SessionId,
        id: &MessageId,
        answer: Option<Message>,
    ) -> Result<(), StoreError>;

    /// Puts `answer` in the place of the one of the same id; does nothing if the session has none.
    async fn replace(&self, owner: &Owner, session: &SessionId, answer: Message) -> Result<(), StoreError>;

    /// The answers that are open though the process that made them has ended. Whoever asks closes them, before it opens others.
    async fn unfinished(&self) -> Result<Vec<Unfinished>, StoreError>;

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
        match pieces.last_mut().filter(|last| last.part == piece.part) {
            Some(last) => last.text.push_str(&piece.text),
            None => pieces.push(piece),
        }
    }
}

/// The most characters of a title that is made from a message.
const MAX_MADE_TITLE_CHARS: usize = 60;

/// A title from the first words of a message.
fn title_from(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
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
