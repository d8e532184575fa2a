//! A store that forgets when the process ends.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use protocol::{Message, MessageId, RequestId, Role, SessionId, server::Session};

use super::{Asked, Page, Store, StoreError, title_from};
use crate::principal::Owner;

/// The most sessions of one owner; the one not used for longest makes room for a new one.
pub const MAX_SESSIONS: usize = 1_000;

/// The most messages of one session.
pub const MAX_MESSAGES: usize = 2_000;

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
    last_use: u64,
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
        self.by_id.insert(id.clone(), Kept { session, messages: Vec::new(), asked: HashMap::new(), last_use: 0 });
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

    async fn ask(
        &self,
        owner: &Owner,
        session: &SessionId,
        request: &RequestId,
        asked: Asked,
        question: Option<Message>,
    ) -> Result<(), StoreError> {
        self.with(owner, |sessions| {
            let kept = sessions.find(session)?;
            if kept.asked.contains_key(request) {
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
            kept.asked.insert(request.clone(), asked);
            sessions.touch(session);
            Ok(())
        })
    }

    async fn append(&self, owner: &Owner, session: &SessionId, answer: Message) -> Result<(), StoreError> {
        self.with(owner, |sessions| {
            let id = answer.message_id.clone();
            sessions.find(session)?.add(answer, 0)?;
            sessions.answers.insert(id, session.clone());
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

    async fn answer(&self, owner: &Owner, id: &MessageId) -> Result<Option<(SessionId, Message)>, StoreError> {
        let mut owners = self.owners();
        let Some(sessions) = owners.get_mut(owner) else { return Ok(None) };
        let Some(session) = sessions.answers.get(id).cloned() else { return Ok(None) };
        let messages = &sessions.find(&session)?.messages;
        let answer = messages.iter().rev().find(|message| message.message_id == *id).cloned();
        Ok(answer.map(|answer| (session, answer)))
    }
}

#[cfg(test)]
mod tests {
    use protocol::{Timestamp, client::SendMessage};

    use super::*;
    use crate::store::{Fingerprint, new_session};

    fn id(text: &str) -> SessionId {
        SessionId::new(text).unwrap()
    }

    fn owner(user: &str) -> Owner {
        Owner { organization: "o".into(), user: user.into() }
    }

    fn message(message_id: &str, role: Role) -> Message {
        Message {
            message_id: MessageId::new(message_id).unwrap(),
            request_id: None,
            content: format!("text of {message_id}"),
            role,
            timestamp: Timestamp::from_unix_ms(5),
            usage: None,
            model: None,
            stop_reason: None,
            parts: Vec::new(),
            error: None,
        }
    }

    fn request(name: &str) -> RequestId {
        RequestId::new(name).unwrap()
    }

    fn asked(text: &str) -> Asked {
        let send = SendMessage {
            session_id: None,
            message: text.into(),
            streaming: true,
            model: None,
            attachments: Vec::new(),
        };
        Asked { fingerprint: Fingerprint::of(&send), answer: MessageId::new(format!("answer-{text}")).unwrap() }
    }

    async fn ask(store: &MemoryStore, owner: &Owner, name: &str) -> Result<(), StoreError> {
        store.ask(owner, &id("s"), &request(name), asked(name), Some(message(name, Role::User))).await
    }

    async fn store_with(owner: &Owner, sessions: &[&str]) -> MemoryStore {
        let store = MemoryStore::default();
        for name in sessions {
            store.ensure_session(owner, new_session(id(name), None, None, Timestamp::from_unix_ms(1))).await.unwrap();
        }
        store
    }

    #[tokio::test]
    async fn two_owners_may_hold_the_same_id_and_see_only_their_own() {
        let (ann, bob) = (owner("ann"), owner("bob"));
        let store = store_with(&ann, &["s"]).await;
        assert_eq!(store.session(&bob, &id("s")).await, Err(StoreError::SessionNotFound));
        assert_eq!(store.append(&bob, &id("s"), message("m", Role::User)).await, Err(StoreError::SessionNotFound));
        assert_eq!(store.delete_session(&bob, &id("s")).await, Err(StoreError::SessionNotFound));
        store.ensure_session(&bob, new_session(id("s"), None, None, Timestamp::from_unix_ms(1))).await.unwrap();
        ask(&store, &bob, "m").await.unwrap();
        assert_eq!(store.asked(&ann, &id("s"), &request("m")).await, Ok(None));
        assert_eq!(store.session(&ann, &id("s")).await.unwrap().message_count, 0);
    }

    #[tokio::test]
    async fn the_first_message_of_the_user_gives_the_title() {
        let ann = owner("ann");
        let store = store_with(&ann, &["s"]).await;
        ask(&store, &ann, "m1").await.unwrap();
        ask(&store, &ann, "m2").await.unwrap();
        let session = store.session(&ann, &id("s")).await.unwrap();
        assert_eq!((session.title.as_deref(), session.message_count), (Some("text of m1"), 2));
        assert_eq!(session.updated_at, Timestamp::from_unix_ms(5));
    }

    #[tokio::test]
    async fn lists_come_in_pages_the_latest_used_first() {
        let ann = owner("ann");
        let store = store_with(&ann, &["a", "b", "c"]).await;
        store.append(&ann, &id("a"), message("m", Role::User)).await.unwrap();
        let names = |page: &Page<Session>| page.items.iter().map(|s| s.session_id.to_string()).collect::<Vec<_>>();
        let first = store.sessions(&ann, None, 2).await.unwrap();
        assert_eq!((names(&first), first.has_more), (vec!["a".into(), "c".into()], true));
        let second = store.sessions(&ann, Some(&id("c")), 2).await.unwrap();
        assert_eq!((names(&second), second.has_more), (vec!["b".into()], false));
    }

    #[tokio::test]
    async fn history_comes_in_pages_the_oldest_first() {
        let ann = owner("ann");
        let store = store_with(&ann, &["s"]).await;
        for name in ["m1", "m2", "m3"] {
            store.append(&ann, &id("s"), message(name, Role::User)).await.unwrap();
        }
        let names = |page: &Page<Message>| page.items.iter().map(|m| m.message_id.to_string()).collect::<Vec<_>>();
        let latest = store.messages(&ann, &id("s"), None, 2).await.unwrap();
        assert_eq!((names(&latest), latest.has_more), (vec!["m2".into(), "m3".into()], true));
        let before = MessageId::new("m2").unwrap();
        let older = store.messages(&ann, &id("s"), Some(&before), 2).await.unwrap();
        assert_eq!((names(&older), older.has_more), (vec!["m1".into()], false));
    }

    #[tokio::test]
    async fn what_is_kept_is_bounded() {
        let ann = owner("ann");
        let store = store_with(&ann, &["s"]).await;
        for n in 1..MAX_MESSAGES {
            ask(&store, &ann, &n.to_string()).await.unwrap();
        }
        assert_eq!(ask(&store, &ann, "x").await, Err(StoreError::SessionFull(MAX_MESSAGES)));
        store.append(&ann, &id("s"), message("answer", Role::Assistant)).await.unwrap();
        for n in 0..MAX_SESSIONS {
            let name = format!("n{n}");
            store.ensure_session(&ann, new_session(id(&name), None, None, Timestamp::from_unix_ms(1))).await.unwrap();
        }
        assert_eq!(store.session(&ann, &id("s")).await, Err(StoreError::SessionNotFound));
    }

    #[tokio::test]
    async fn an_id_is_asked_under_once_and_remembered() {
        let ann = owner("ann");
        let store = store_with(&ann, &["s"]).await;
        ask(&store, &ann, "r").await.unwrap();
        assert_eq!(ask(&store, &ann, "r").await, Err(StoreError::AskedBefore));
        assert_eq!(store.asked(&ann, &id("s"), &request("r")).await, Ok(Some(asked("r"))));
        assert_eq!(store.asked(&ann, &id("s"), &request("other")).await, Ok(None));
        assert_eq!(store.session(&ann, &id("s")).await.unwrap().message_count, 1);
    }

    #[tokio::test]
    async fn a_question_asked_again_is_under_its_latest_id() {
        let ann = owner("ann");
        let store = store_with(&ann, &["s"]).await;
        let question = |name: &str| Message { request_id: Some(request(name)), ..message(name, Role::User) };
        let ask = async |name: &str, question| store.ask(&ann, &id("s"), &request(name), asked(name), question).await;
        let ids = async || {
            let page = store.messages(&ann, &id("s"), None, 9).await.unwrap();
            page.items.into_iter().map(|message| message.request_id.map(|id| id.to_string())).collect::<Vec<_>>()
        };
        ask("r1", None).await.unwrap();
        ask("r2", Some(question("r2"))).await.unwrap();
        ask("r3", Some(question("r3"))).await.unwrap();
        assert_eq!(ids().await, [Some("r2".into()), Some("r3".into())]);
        ask("r4", None).await.unwrap();
        assert_eq!(ask("r2", None).await, Err(StoreError::AskedBefore));
        assert_eq!(ids().await, [Some("r2".into()), Some("r4".into())]);
        store.append(&ann, &id("s"), message("a", Role::Assistant)).await.unwrap();
        ask("r5", None).await.unwrap();
        assert_eq!(ids().await, [Some("r2".into()), Some("r4".into()), None], "an answer is asked under no id");
    }

    #[tokio::test]
    async fn an_answer_is_found_by_its_id_and_replaced_but_never_brought_back() {
        let (ann, bob) = (owner("ann"), owner("bob"));
        let store = store_with(&ann, &["s"]).await;
        let answer = message("a", Role::Assistant);
        store.append(&ann, &id("s"), answer.clone()).await.unwrap();
        let better = Message { content: "better".into(), ..answer };
        store.replace(&ann, &id("s"), better.clone()).await.unwrap();
        assert_eq!(store.answer(&ann, &better.message_id).await, Ok(Some((id("s"), better.clone()))));
        assert_eq!(store.answer(&bob, &better.message_id).await, Ok(None));
        store.delete_session(&ann, &id("s")).await.unwrap();
        assert_eq!(store.answer(&ann, &better.message_id).await, Ok(None));
        store.ensure_session(&ann, new_session(id("s"), None, None, Timestamp::from_unix_ms(1))).await.unwrap();
        store.replace(&ann, &id("s"), better).await.unwrap();
        assert_eq!(store.session(&ann, &id("s")).await.unwrap().message_count, 0);
    }
}
