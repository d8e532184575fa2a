//! A store that forgets when the process ends.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use protocol::{Message, MessageId, RequestId, Role, SessionId, Timestamp, server::Session};

use super::{
    Account, Amount, Ask, Asked, Balance, CallsOf, CallsPage, Checkpoint, Closing, Decision, Kept, MAX_MESSAGES,
    MAX_UNFINISHED, OpenAnswer, Page, Revocation, Store, StoreError, Wishes, join_pieces, kept::Latest, title_from,
    wishes::add_decision,
};
use crate::principal::Owner;

mod ledger;

use ledger::Ledger;

/// The most sessions of one owner; the one not used for longest makes room for a new one.
pub const MAX_SESSIONS: usize = 1_000;

/// Conversations in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    all: Mutex<All>,
}

#[derive(Debug, Default)]
struct All {
    owners: HashMap<Owner, Sessions>,
    ledger: Ledger,
    revocations: Vec<Revocation>,
}

/// The sessions of one owner.
#[derive(Debug, Default)]
struct Sessions {
    by_id: HashMap<SessionId, Conversation>,
    /// By when they were last used, the latest last.
    by_use: BTreeMap<u64, SessionId>,
    uses: u64,
    /// Which session has which answer.
    answers: HashMap<MessageId, SessionId>,
    open: BTreeMap<MessageId, Open>,
}

#[derive(Debug)]
struct Conversation {
    session: Session,
    messages: Vec<Kept>,
    asked: HashMap<RequestId, Asked>,
    last_use: u64,
}

/// An answer under way.
#[derive(Debug)]
struct Open {
    answer: OpenAnswer,
    has_session: bool,
    is_kept: bool,
    wishes: Wishes,
}

impl Conversation {
    /// Adds a message if there is room for it.
    fn add(&mut self, message: Kept) -> Result<(), StoreError> {
        if self.messages.len() >= MAX_MESSAGES {
            return Err(StoreError::SessionFull(MAX_MESSAGES));
        }
        self.session.updated_at = message.message.timestamp;
        self.messages.push(message);
        self.session.message_count = self.messages.len() as u32;
        Ok(())
    }

    /// Where the message `id` of this side is.
    fn place(&self, id: &MessageId, role: Role) -> Result<usize, StoreError> {
        let is_it = |kept: &Kept| kept.message.message_id == *id && kept.message.role == role;
        self.messages.iter().position(is_it).ok_or(StoreError::MessageNotFound)
    }
}

impl Sessions {
    fn find(&mut self, id: &SessionId) -> Result<&mut Conversation, StoreError> {
        self.by_id.get_mut(id).ok_or(StoreError::SessionNotFound)
    }

    fn add(&mut self, session: Session) {
        if self.by_id.len() >= MAX_SESSIONS
            && let Some((_, oldest)) = self.by_use.pop_first()
        {
            self.forget(&oldest);
        }
        let id = session.session_id.clone();
        let kept = Conversation { session, messages: Vec::new(), asked: HashMap::new(), last_use: 0 };
        self.by_id.insert(id.clone(), kept);
        self.touch(&id);
    }

    fn forget(&mut self, id: &SessionId) -> Option<Conversation> {
        let kept = self.by_id.remove(id)?;
        kept.messages.iter().for_each(|kept| drop(self.answers.remove(&kept.message.message_id)));
        for open in self.open.values_mut().filter(|open| open.answer.session == *id) {
            open.has_session = false;
            open.answer.pieces.clear();
        }
        Some(kept)
    }

    /// The answer of the session that is open and no message yet.
    fn under_way_in(&self, session: &SessionId) -> Option<MessageId> {
        let mut under_way = self.open.iter().filter(|(_, open)| open.has_session && !open.is_kept);
        under_way.find(|(_, open)| open.answer.session == *session).map(|(id, _)| id.clone())
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
    fn all(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(
        &self,
        owner: &Owner,
        act: impl FnOnce(&mut Sessions) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        act(self.all().owners.get_mut(owner).ok_or(StoreError::SessionNotFound)?)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn session(&self, owner: &Owner, id: &SessionId) -> Result<Session, StoreError> {
        self.with(owner, |sessions| Ok(sessions.find(id)?.session.clone()))
    }

    async fn ensure_session(&self, owner: &Owner, session: Session) -> Result<Session, StoreError> {
        let mut all = self.all();
        let sessions = all.owners.entry(owner.clone()).or_default();
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
        let mut all = self.all();
        let mut none = Sessions::default();
        let sessions = all.owners.get_mut(owner).unwrap_or(&mut none);
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
                .and_then(|id| messages.iter().position(|kept| kept.message.message_id == *id))
                .unwrap_or(messages.len());
            let start = end.saturating_sub(limit);
            let items = messages[start..end].iter().map(|kept| kept.message.clone()).collect();
            Ok(Page { items, has_more: start > 0 })
        })
    }

    async fn conversation(
        &self,
        owner: &Owner,
        session: &SessionId,
        before: Option<&MessageId>,
        limit: usize,
    ) -> Result<Vec<Kept>, StoreError> {
        self.with(owner, |sessions| {
            let mut latest = Latest::default();
            let messages = &sessions.find(session)?.messages;
            let place = |id: &MessageId| messages.iter().position(|kept| kept.message.message_id == *id);
            let end = before.map(|id| place(id).ok_or(StoreError::MessageNotFound)).transpose()?;
            let mut messages = messages[..end.unwrap_or(messages.len())].iter().rev().take(limit).cloned();
            while messages.next().is_some_and(|kept| latest.take(kept)) {}
            Ok(latest.oldest_first())
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
        let Ask { request, fingerprint, replaces, question, answer } = ask;
        let mut all = self.all();
        let All { owners, ledger, .. } = &mut *all;
        let sessions = owners.get_mut(owner).ok_or(StoreError::SessionNotFound)?;
        let busy = sessions.under_way_in(session).is_some();
        let kept = sessions.find(session)?;
        if kept.asked.contains_key(&request) {
            return Err(StoreError::AskedBefore);
        }
        if busy {
            return Err(StoreError::SessionBusy);
        }
        let role = if question.is_some() { Role::User } else { Role::Assistant };
        let end = replaces.map(|id| kept.place(&id, role)).transpose()?.unwrap_or(kept.messages.len());
        // A question is taken only where its answer has room too.
        let has_room = question.is_none() || end + 2 <= MAX_MESSAGES;
        if kept.asked.len() >= MAX_MESSAGES || !has_room {
            return Err(StoreError::SessionFull(MAX_MESSAGES));
        }
        ledger.forget_ended(answer.started);
        ledger.reserve(answer.reservation.amount, &answer.reservation.accounts)?;
        let gone: Vec<_> = kept.messages.drain(end..).map(|kept| kept.message.message_id).collect();
        kept.session.message_count = kept.messages.len() as u32;
        if let Some(question) = question {
            let title = title_from(&question.message.content);
            kept.add(question)?;
            kept.session.title = kept.session.title.take().or(title);
        } else if let Some(last) = kept.messages.last_mut().filter(|last| last.message.role == Role::User) {
            last.message.request_id = Some(request.clone());
        }
        kept.asked.insert(request.clone(), Asked { fingerprint, answer: answer.message_id.clone() });
        gone.iter().for_each(|id| drop(sessions.answers.remove(id)));
        let id = answer.message_id.clone();
        let answer =
            OpenAnswer { owner: owner.clone(), session: session.clone(), request, opening: answer, pieces: Vec::new() };
        sessions.open.insert(id, Open { answer, has_session: true, is_kept: false, wishes: Wishes::default() });
        sessions.touch(session);
        Ok(())
    }

    async fn reserve_more(
        &self,
        owner: &Owner,
        _: &SessionId,
        answer: &MessageId,
        amount: Amount,
    ) -> Result<(), StoreError> {
        let mut all = self.all();
        let All { owners, ledger, .. } = &mut *all;
        let open = owners.get_mut(owner).and_then(|sessions| sessions.open.get_mut(answer));
        let reservation = &mut open.ok_or(StoreError::NotOpen)?.answer.opening.reservation;
        ledger.reserve(amount, &reservation.accounts)?;
        reservation.amount = reservation.amount.plus(amount);
        Ok(())
    }

    async fn checkpoint(
        &self,
        owner: &Owner,
        _: &SessionId,
        answer: &MessageId,
        checkpoint: Checkpoint,
    ) -> Result<Wishes, StoreError> {
        let mut all = self.all();
        let Some(open) = all.owners.get_mut(owner).and_then(|sessions| sessions.open.get_mut(answer)) else {
            return Ok(Wishes::default());
        };
        if open.has_session && !checkpoint.pieces.is_empty() {
            open.answer.opening.model = checkpoint.model;
            join_pieces(&mut open.answer.pieces, checkpoint.pieces);
        }
        Ok(open.wishes.clone())
    }

    async fn close(&self, owner: &Owner, _: &SessionId, id: &MessageId, closing: Closing) -> Result<(), StoreError> {
        let mut all = self.all();
        let All { owners, ledger, .. } = &mut *all;
        let sessions = owners.get_mut(owner).ok_or(StoreError::NotOpen)?;
        let open = sessions.open.get_mut(id).ok_or(StoreError::NotOpen)?;
        if let Some(message) = closing.message.filter(|_| open.has_session) {
            let was_kept = std::mem::replace(&mut open.is_kept, true);
            let session = open.answer.session.clone();
            let kept = sessions.find(&session)?;
            match kept.messages.iter_mut().rev().find(|known| known.message.message_id == *id) {
                Some(known) => *known = message,
                None if was_kept => {}
                None => {
                    kept.add(message)?;
                    sessions.answers.insert(id.clone(), session.clone());
                    sessions.touch(&session);
                }
            }
        }
        if let Some(calls) = closing.calls
            && let Some(open) = sessions.open.remove(id)
        {
            ledger.settle(&open.answer.opening.reservation, calls);
        }
        Ok(())
    }

    async fn open_answer(&self, owner: &Owner, id: &MessageId) -> Result<Option<OpenAnswer>, StoreError> {
        let all = self.all();
        Ok(all.owners.get(owner).and_then(|sessions| sessions.open.get(id)).map(|open| open.answer.clone()))
    }

    async fn open_in(&self, owner: &Owner, session: &SessionId) -> Result<Option<MessageId>, StoreError> {
        self.with(owner, |sessions| {
            sessions.find(session)?;
            Ok(sessions.under_way_in(session))
        })
    }

    async fn ask_to_stop(&self, owner: &Owner, id: &MessageId) -> Result<bool, StoreError> {
        let mut all = self.all();
        let open = all.owners.get_mut(owner).and_then(|sessions| sessions.open.get_mut(id));
        Ok(open.map(|open| open.wishes.is_to_stop = true).is_some())
    }

    async fn decide(&self, owner: &Owner, answer: &MessageId, decision: Decision) -> Result<bool, StoreError> {
        let mut all = self.all();
        let open = all.owners.get_mut(owner).and_then(|sessions| sessions.open.get_mut(answer));
        Ok(open.is_some_and(|open| add_decision(&mut open.wishes.decisions, decision)))
    }

    async fn unfinished(&self, _: Timestamp) -> Result<Vec<OpenAnswer>, StoreError> {
        let all = self.all();
        let open = all.owners.values().flat_map(|sessions| sessions.open.values());
        Ok(open.take(MAX_UNFINISHED).map(|open| open.answer.clone()).collect())
    }

    async fn balances(&self, accounts: &[Account]) -> Result<Vec<Balance>, StoreError> {
        let all = self.all();
        Ok(accounts.iter().map(|account| all.ledger.balance(account)).collect())
    }

    async fn raise_alert(&self, account: &Account, percent: u32) -> Result<bool, StoreError> {
        Ok(self.all().ledger.raise_alert(account, percent))
    }

    async fn calls(&self, of: &CallsOf, after: Option<String>) -> Result<CallsPage, StoreError> {
        self.all().ledger.calls(of, after.as_deref())
    }

    async fn revoke(&self, revocation: Revocation) -> Result<(), StoreError> {
        let revocations = &mut self.all().revocations;
        revocations.retain(|known| known.until > revocation.at);
        revocations.push(revocation);
        Ok(())
    }

    async fn revocations(&self, since: Timestamp, now: Timestamp) -> Result<Vec<Revocation>, StoreError> {
        let all = self.all();
        Ok(all.revocations.iter().filter(|known| known.at >= since && known.until > now).cloned().collect())
    }

    async fn answer(&self, owner: &Owner, id: &MessageId) -> Result<Option<(SessionId, Message)>, StoreError> {
        let mut all = self.all();
        let Some(sessions) = all.owners.get_mut(owner) else { return Ok(None) };
        let Some(session) = sessions.answers.get(id).cloned() else { return Ok(None) };
        let messages = &sessions.find(&session)?.messages;
        let answer = messages.iter().map(|kept| &kept.message).rev().find(|message| message.message_id == *id).cloned();
        Ok(answer.map(|answer| (session, answer)))
    }
}
