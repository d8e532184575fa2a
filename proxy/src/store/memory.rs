//! A store that forgets when the process ends.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use protocol::{Message, MessageId, RequestId, Role, SessionId, server::Session};

use super::{
    Ask, Asked, Checkpoint, MAX_MESSAGES, Opening, Page, Piece, Store, StoreError, Unfinished, join_pieces, title_from,
};
use crate::principal::Owner;

/// The most sessions of one owner; the one not used for longest makes room for a new one.
pub const MAX_SESSIONS: usize = 1_000;

/// Conversations in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    owners: Mutex<HashMap<Owner, Sessions>>,
}

/// The sessions of one owner.
#[derive(Debug, Default)]
struct Sessions {
    by_id: HashMap<SessionId, Kept>,
    /// By when they were last used, the latest last.
    by_use: BTreeMap<u64, SessionId>,
    uses: u64,
    /// Which session has which answer.
    answers: HashMap<MessageId, SessionId>,
}

#[derive(Debug)]
struct Kept {
    session: Session,
    messages: Vec<Message>,
    asked: HashMap<RequestId, Asked>,
    open: HashMap<MessageId, Open>,
    last_use: u64,
}

/// An answer under way.
#[derive(Debug)]
struct Open {
    request: RequestId,
    opening: Opening,
    pieces: Vec<Piece>,
}

impl Kept {
    /// Adds a message if there is room for it and `more` others.
    fn add(&mut self, message: Message, more: usize) -> Result<(), StoreError> {
        if self.messages.len() + 1 + more > MAX_MESSAGES {
            return Err(StoreError::SessionFull(MAX_MESSAGES));
        }
        self.session.updated_at = message.timestamp;
        self.messages.push(message);
        self.session.message_count = self.messages.len() as u32;
        Ok(())
    }
}

impl Sessions {
    fn find(&mut self, id: &SessionId) -> Result<&mut Kept, StoreError> {
        self.by_id.get_mut(id).ok_or(StoreError::SessionNotFound)
    }

    fn add(&mut self, session: Session) {
        if self.by_id.len() >= MAX_SESSIONS
            && let Some((_, oldest)) = self.by_use.pop_first()
        {
            self.forget(&oldest);
        }
        let id = session.session_id.clone();
        let kept = Kept { session, messages: Vec::new(), asked: HashMap::new(), open: HashMap::new(), last_use: 0 };
        self.by_id.insert(id.clone(), kept);
        self.touch(&id);
    }

    fn forget(&mut self, id: &SessionId) -> Option<Kept> {
        let kept = self.by_id.remove(id)?;
        kept.messages.iter().for_each(|message| drop(self.answers.remove(&message.message_id)));
        Some(kept)
    }

    /// Takes note of a use.
    fn touch(&mut self, id: &SessionId) {
        let Some(kept) = self.by_id.get_mut(id) else { return };
        self.uses += 1;
        self.by_use.remove(&kept.last_use);
        self.by_use.insert(self.uses, id.clone());
        kept.last_use = self.uses;
    }
}

impl MemoryStore {
    fn owners(&self) -> MutexGuard<'_, HashMap<Owner, Sessions>> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(
        &self,
        owner: &Owner,
        act: impl FnOnce(&mut Sessions) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        act(self.owners().get_mut(owner).ok_or(StoreError::SessionNotFound)?)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn session(&self, owner: &Owner, id: &SessionId) -> Result<Session, StoreError> {
        self.with(owner, |sessions| Ok(sessions.find(id)?.session.clone()))
    }

    async fn ensure_session(&self, owner: &Owner, session: Session) -> Result<Session, StoreError> {
        let mut owners = self.owners();
        let sessions = owners.entry(owner.clone()).or_default();
        if let Some(known) = sessions.by_id.get(&session.session_id) {
            return Ok(known.session.clone());
        }
        sessions.add(session.clone());
        Ok(session)
    }

    async fn sessions(
        &self,
        owner: &Owner,
        before: Option<&SessionId>,
        limit: usize,
    ) -> Result<Page<Session>, StoreError> {
        let mut owners = self.owners();
        let Some(sessions) = owners.get_mut(owner) else { return Ok(Page { items: Vec::new(), has_more: false }) };
        let end = match before {
            None => u64::MAX,
            Some(id) => sessions.find(id)?.last_use,
        };
        let mut older = sessions.by_use.range(..end).rev().filter_map(|(_, id)| sessions.by_id.get(id));
        let items = older.by_ref().take(limit).map(|kept| kept.session.clone()).collect();
        Ok(Page { items, has_more: older.next().is_some() })
    }

    async fn rename_session(&self, owner: &Owner, id: &SessionId, title: String) -> Result<Session, StoreError> {
        self.with(owner, |sessions| {
            let session = &mut sessions.find(id)?.session;
            session.title = Some(title);
            Ok(session.clone())
        })
    }

    async fn delete_session(&self, owner: &Owner, id: &SessionId) -> Result<(), StoreError> {
        self.with(owner, |sessions| {
            let kept = sessions.forget(id).ok_or(StoreError::SessionNotFound)?;
            sessions.by_use.remove(&kept.last_use);
            Ok(())
        })
    }

    async fn messages(
        &self,
        owner: &Owner,
        session: &SessionId,
        before: Option<&MessageId>,
        limit: usize,
    ) -> Result<Page<Message>, StoreError> {
        self.with(owner, |sessions| {
            let messages = &sessions.find(session)?.messages;
            let end = before
                .and_then(|id| messages.iter().position(|message| message.message_id == *id))
                .unwrap_or(messages.len());
            let start = end.saturating_sub(limit);
            Ok(Page { items: messages[start..end].to_vec(), has_more: start > 0 })
        })
    }

    async fn asked(
        &self,
        owner: &Owner,
        session: &SessionId,
        request: &RequestId,
    ) -> Result<Option<Asked>, StoreError> {
        self.with(owner, |sessions| Ok(sessions.find(session)?.asked.get(request).cloned()))
    }

    async fn ask(&self, owner: &Owner, session: &SessionId, ask: Ask) -> Result<(), StoreError> {
        let Ask { request, fingerprint, question, answer } = ask;
        self.with(owner, |sessions| {
            let kept = sessions.find(session)?;
            if kept.asked.contains_key(&request) {
                return Err(StoreError::AskedBefore);
            }
            if kept.asked.len() >= MAX_MESSAGES {
                return Err(StoreError::SessionFull(MAX_MESSAGES));
            }
            if let Some(question) = question {
                let title = title_from(&question.content);
                // A question is taken only where its answer has room too.
                kept.add(question, 1)?;
                kept.session.title = kept.session.title.take().or(title);
            } else if let Some(last) = kept.messages.last_mut().filter(|last| last.role == Role::User) {
                last.request_id = Some(request.clone());
            }
            kept.asked.insert(request.clone(), Asked { fingerprint, answer: answer.message_id.clone() });
            kept.open.insert(answer.message_id.clone(), Open { request, opening: answer, pieces: Vec::new() });
            sessions.touch(session);
            Ok(())
        })
    }

    async fn checkpoint(
        &self,
        owner: &Owner,
        session: &SessionId,
        answer: &MessageId,
        checkpoint: Checkpoint,
    ) -> Result<(), StoreError> {
        self.with(owner, |sessions| {
            if let Some(open) = sessions.find(session)?.open.get_mut(answer) {
                open.opening.model = checkpoint.model;
                join_pieces(&mut open.pieces, checkpoint.pieces);
            }
            Ok(())
        })
    }

    async fn close(
        &self,
        owner: &Owner,
        session: &SessionId,
        id: &MessageId,
        answer: Option<Message>,
    ) -> Result<(), StoreError> {
        self.with(owner, |sessions| {
            let kept = sessions.find(session)?;
            kept.open.remove(id);
            let Some(answer) = answer else { return Ok(()) };
            kept.add(answer, 0)?;
            sessions.answers.insert(id.clone(), session.clone());
            sessions.touch(session);
            Ok(())
        })
    }

    async fn replace(&self, owner: &Owner, session: &SessionId, answer: Message) -> Result<(), StoreError> {
        self.with(owner, |sessions| {
            let messages = &mut sessions.find(session)?.messages;
            if let Some(known) = messages.iter_mut().rev().find(|message| message.message_id == answer.message_id) {
                *known = answer;
            }
            Ok(())
        })
    }

    async fn unfinished(&self) -> Result<Vec<Unfinished>, StoreError> {
        let owners = self.owners();
        let kept = owners.iter().flat_map(|(owner, sessions)| sessions.by_id.values().map(move |kept| (owner, kept)));
        let open = kept.flat_map(|(owner, kept)| kept.open.values().map(move |open| (owner, kept, open)));
        Ok(open
            .map(|(owner, kept, open)| Unfinished {
                owner: owner.clone(),
                session: kept.session.session_id.clone(),
                request: open.request.clone(),
                opening: open.opening.clone(),
                pieces: open.pieces.clone(),
            })
            .collect())
    }

    async fn answer(&self, owner: &Owner, id: &MessageId) -> Result<Option<(SessionId, Message)>, StoreError> {
        let mut owners = self.owners();
        let Some(sessions) = owners.get_mut(owner) else { return Ok(None) };
        let Some(session) = sessions.answers.get(id).cloned() else { return Ok(None) };
        let messages = &sessions.find(&session)?.messages;
        let answer = messages.iter().rev().find(|message| message.message_id == *id).cloned();
        Ok(answer.map(|answer| (session, answer)))
    }
}
