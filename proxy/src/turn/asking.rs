//! What clients ask for an answer to, and the conversation that it is asked in.

use protocol::{
    Attachment, ErrorCode, ErrorData, Message, MessageId, Role, SessionId,
    client::{ClientMessage, Regenerate, SendMessage},
};

use super::{Runner, Turn, files::with_files};
use crate::{
    conversation::Turn as Said,
    store::{Kept, StoreError, new_session},
};

/// How many messages are read from the store to make a conversation of; those that failed or were sent twice fall out of it.
const READ_MESSAGES_FACTOR: usize = 3;

/// What is asked for.
#[derive(Debug, Clone)]
pub enum Asking {
    /// An answer to this.
    Message(SendMessage),
    /// Another answer to a question that was asked before.
    Again(Regenerate),
}

impl Asking {
    /// The session that is named.
    pub fn session_id(&self) -> Option<&SessionId> {
        match self {
            Self::Message(send) => send.session_id.as_ref(),
            Self::Again(again) => Some(&again.session_id),
        }
    }

    /// Whether the answer is to come as it is made.
    pub fn streaming(&self) -> bool {
        match self {
            Self::Message(send) => send.streaming,
            Self::Again(again) => again.streaming,
        }
    }

    /// The model that is named.
    pub fn model(&self) -> Option<&str> {
        match self {
            Self::Message(send) => send.model.as_deref(),
            Self::Again(again) => again.model.as_deref(),
        }
    }

    /// The person's own instructions.
    pub fn system_prompt(&self) -> Option<&str> {
        match self {
            Self::Message(send) => send.system_prompt.as_deref(),
            Self::Again(again) => again.system_prompt.as_deref(),
        }
    }

    /// Why it was not taken.
    pub(super) fn not_taken(&self, error: &StoreError) -> ErrorData {
        match (error, self) {
            (StoreError::MessageNotFound, Self::Message(_)) => ErrorData::new(ErrorCode::InvalidRequest, NO_QUESTION),
            (StoreError::MessageNotFound, Self::Again(_)) => ErrorData::new(ErrorCode::InvalidRequest, NO_ANSWER),
            _ => ErrorData::new(error.code(), format!("The message was not taken: {error}.")),
        }
    }
}

impl From<Asking> for ClientMessage {
    fn from(asking: Asking) -> Self {
        match asking {
            Asking::Message(send) => Self::SendMessage(send),
            Asking::Again(again) => Self::Regenerate(again),
        }
    }
}

/// The session that an answer is asked for in, if `message` asks for one; none within where it is a new one.
pub fn asked_in(message: &ClientMessage) -> Option<Option<&SessionId>> {
    match message {
        ClientMessage::SendMessage(send) => Some(send.session_id.as_ref()),
        ClientMessage::Regenerate(again) => Some(Some(&again.session_id)),
        _ => None,
    }
}

const NO_QUESTION: &str = "replaces is the messageId of no question of this session, or not any more. Read its history again, and take that of the person's message that is to give way.";
const NO_ANSWER: &str = "messageId is that of no answer of this session, or not any more. Read its history again, and take that of the answer that is to give way.";

/// A question in its conversation.
#[derive(Debug)]
pub(super) struct Asked {
    /// What was said before, and the question.
    pub(super) history: Vec<Kept>,
    /// The question, where the session does not have it yet.
    pub(super) question: Option<Kept>,
    /// The first message that gives way.
    pub(super) replaces: Option<MessageId>,
}

impl Runner {
    /// The question that is asked, with what the model is sent before it. Nothing is changed but that a new session is made.
    pub(super) async fn question(&self, turn: &Turn, asking: &Asking) -> Result<Asked, ErrorData> {
        let not_taken = |error| asking.not_taken(&error);
        match asking {
            Asking::Message(send) => {
                let turns = with_files(&send.message, &send.attachments).map_err(|error| *error)?;
                self.said(turn, send, turns).await.map_err(not_taken)
            }
            Asking::Again(again) => self.said_before(turn, &again.message_id).await.map_err(not_taken),
        }
    }

    async fn said(&self, turn: &Turn, send: &SendMessage, turns: Vec<Said>) -> Result<Asked, StoreError> {
        let Turn { owner, session_id, .. } = turn;
        let replaces = send.replaces.clone();
        if replaces.is_none() {
            let session = new_session(session_id.clone(), None, send.model.clone(), turn.started);
            self.store.ensure_session(owner, session).await?;
        }
        let message = Message {
            message_id: self.sources.message_id(),
            request_id: Some(turn.request_id.clone()),
            content: send.message.clone(),
            attachments: send.attachments.iter().filter_map(Attachment::info).collect(),
            role: Role::User,
            timestamp: turn.started,
            usage: None,
            model: None,
            stop_reason: None,
            parts: Vec::new(),
            error: None,
        };
        let mut history = self.store.conversation(owner, session_id, replaces.as_ref(), self.read_messages()).await?;
        let asked = Kept { message, turns };
        // The same again after a failure before anything came is a retry: it is in the conversation already.
        let is_retry = replaces.is_none()
            && history.last().is_some_and(|Kept { message, turns }| {
                message.role == Role::User && message.content == asked.message.content && *turns == asked.turns
            });
        if is_retry {
            return Ok(Asked { history, question: None, replaces });
        }
        history.push(asked.clone());
        Ok(Asked { history, question: Some(asked), replaces })
    }

    /// The question of an answer. One that failed before anything came is no message: then its question is the last of the session.
    async fn said_before(&self, turn: &Turn, answer: &MessageId) -> Result<Asked, StoreError> {
        let Turn { owner, session_id, .. } = turn;
        let kept = self.store.answer(owner, answer).await?.is_some_and(|(session, _)| session == *session_id);
        let before = kept.then_some(answer);
        let mut history = self.store.conversation(owner, session_id, before, self.read_messages()).await?;
        let is_question = |kept: &Kept| kept.message.role == Role::User;
        let question = history.iter().rposition(is_question).ok_or(StoreError::MessageNotFound)?;
        let next = history.get(question + 1).map(|kept| kept.message.message_id.clone());
        if !kept {
            let asked = match &history[question].message.request_id {
                Some(request) => self.store.asked(owner, session_id, request).await?,
                None => None,
            };
            if next.is_some() || asked.is_none_or(|asked| asked.answer != *answer) {
                return Err(StoreError::MessageNotFound);
            }
        }
        history.truncate(question + 1);
        Ok(Asked { history, question: None, replaces: next.or(before.cloned()) })
    }

    fn read_messages(&self) -> usize {
        self.limits.history_messages.max(1) * READ_MESSAGES_FACTOR
    }
}
