//! Sessions: made, listed, renamed, deleted.

use std::sync::atomic::Ordering;

use protocol::{MessageId, SessionId, Timestamp, server::Session};
use tracing::warn;

use super::{
    DynamoStore,
    cuts::Cuts,
    item::{Attributes, Change, Item, n, s, unreadable},
    keys::{self, Key, PARTITION, SORT},
    table::{Outcome, Tries, contended, is_text},
};
use crate::{
    principal::Owner,
    store::{Page, StoreError},
};

/// The index of an owner's sessions by their last use.
pub const BY_USE: &str = "by-use";

/// The attribute it is sorted by. Only sessions have it.
pub const USED: &str = "used";

/// How many items that are to be deleted are looked for at a time.
pub(super) const DELETE_PAGE: usize = 500;

/// How many deletions that other processes have begun and not ended are gone on with at a time.
const MAX_RESUMED: usize = 10;

/// A session as it is kept.
#[derive(Debug)]
pub(super) struct KeptSession {
    pub(super) session: Session,
    /// Tells it from one of the same id that was deleted.
    pub(super) life: String,
    /// Counts what was asked and answered: what is written by it is written to the session that was read.
    pub(super) version: u64,
    /// The number of its last message.
    pub(super) last: u64,
    /// Which numbers have no message any more.
    pub(super) cuts: Cuts,
    /// How much was asked in it.
    pub(super) asked: usize,
    /// The answer under way.
    pub(super) open: Option<MessageId>,
    used: String,
}

impl KeptSession {
    /// Reads it from its item.
    pub(super) fn of(item: &Item) -> Result<Self, StoreError> {
        Ok(Self {
            session: session_of(item)?,
            life: item.text("life")?.to_owned(),
            version: item.number("version")?,
            last: item.number("last")?,
            cuts: match item.find_text("cuts") {
                Some(text) => Cuts::read(text).ok_or_else(|| unreadable("the cuts of a session"))?,
                None => Cuts::default(),
            },
            asked: item.number("asked")?,
            open: item.has("open").then(|| item.id("open")).transpose()?,
            used: item.text(USED)?.to_owned(),
        })
    }

    /// The partition of what was said in it.
    pub(super) fn conversation(&self, owner: &Owner) -> String {
        keys::conversation(owner, &self.session.session_id, &self.life)
    }

    /// A change of it as it was read.
    pub(super) fn change(&self, owner: &Owner) -> Change {
        Change::of(keys::session(owner, &self.session.session_id))
            .when("#life = :life AND #version = :version_read")
            .with("life", s(&self.life))
            .with("version_read", n(self.version))
    }
}

fn session_of(item: &Item) -> Result<Session, StoreError> {
    Ok(Session {
        session_id: item.id("id")?,
        title: item.find_text("title").map(str::to_owned),
        model: item.find_text("model").map(str::to_owned),
        created_at: Timestamp::from_unix_ms(item.number("created")?),
        updated_at: Timestamp::from_unix_ms(item.number("updated")?),
        message_count: item.number("messages")?,
    })
}

impl DynamoStore {
    /// The session of this id.
    pub(super) async fn kept(&self, owner: &Owner, id: &SessionId) -> Result<KeptSession, StoreError> {
        let item = self.table.get(&keys::session(owner, id)).await?;
        KeptSession::of(&item.ok_or(StoreError::SessionNotFound)?)
    }

    /// The value of [`USED`] for a use at `time`: what one process does in the same millisecond is in its order.
    pub(super) fn use_at(&self, time: Timestamp) -> String {
        format!("{:015}#{:020}", time.unix_ms(), self.uses.fetch_add(1, Ordering::Relaxed))
    }

    pub(super) async fn add_session(&self, owner: &Owner, new: Session) -> Result<Session, StoreError> {
        let Session { session_id, title, model, created_at, updated_at, .. } = &new;
        let key = keys::session(owner, session_id);
        if let Some(item) = self.table.get(&key).await? {
            return session_of(&item);
        }
        let mut change = Change::of(key)
            .set("id", s(session_id.as_str()))
            .set("life", s(self.unique()))
            .set("version", n(0))
            .set("last", n(0))
            .set("messages", n(0))
            .set("asked", n(0))
            .set("created", n(created_at.unix_ms()))
            .set("updated", n(updated_at.unix_ms()))
            .set(USED, s(self.use_at(*created_at)))
            .when("attribute_not_exists(#pk)");
        for (name, value) in [("title", title), ("model", model)] {
            if let Some(value) = value {
                change = change.set(name, s(value));
            }
        }
        let kept = self.table.update(self.expiring(change, *created_at)).await?;
        session_of(&kept.unwrap_or_else(|there| there))
    }

    pub(super) async fn list_sessions(
        &self,
        owner: &Owner,
        before: Option<&SessionId>,
        limit: usize,
    ) -> Result<Page<Session>, StoreError> {
        let pk = keys::sessions_of(owner);
        let mut query = self.table.all_of(&pk).index_name(BY_USE).scan_index_forward(false);
        if let Some(id) = before {
            let mut place = keys::session(owner, id).item();
            place.insert(USED.to_owned(), s(self.kept(owner, id).await?.used));
            query = query.set_exclusive_start_key(Some(place));
        }
        let found = self.table.collect(query, limit.saturating_add(1)).await?;
        let items = found.iter().take(limit).map(session_of).collect::<Result<_, _>>()?;
        Ok(Page { items, has_more: found.len() > limit })
    }

    pub(super) async fn rename(&self, owner: &Owner, id: &SessionId, title: &str) -> Result<Session, StoreError> {
        let change = Change::of(keys::session(owner, id)).set("title", s(title)).when("attribute_exists(#pk)");
        session_of(&self.table.update(change).await?.map_err(|_| StoreError::SessionNotFound)?)
    }

    /// Makes a session invisible, and notes that all that belongs to it is to be deleted. Then deletes it.
    pub(super) async fn delete(&self, owner: &Owner, id: &SessionId) -> Result<(), StoreError> {
        let mut tries = Tries::default();
        let mut begun: Option<Item> = None;
        loop {
            let kept = match (self.kept(owner, id).await, &begun) {
                // It was deleted by a try that nobody knew of, or by someone else.
                (Err(StoreError::SessionNotFound), Some(begun)) => return self.finish_deletion(begun).await,
                (Ok(kept), Some(begun)) if !is_text(begun.get("life"), &kept.life) => {
                    return self.finish_deletion(begun).await;
                }
                (kept, _) => kept?,
            };
            let mut deletion = keys::deletion(owner, id, &kept.life).with([
                ("organization", s(&*owner.organization)),
                ("user", s(&*owner.user)),
                ("session", s(id.as_str())),
                ("life", s(&kept.life)),
            ]);
            let mut transaction = self.table.transaction();
            transaction.delete((), kept.change(owner))?;
            if let Some(answer) = &kept.open {
                deletion.insert("open".to_owned(), s(answer.as_str()));
                let open = Change::of(keys::open_answer(owner, answer)).when("attribute_exists(#pk)");
                transaction.update((), open.set("gone", n(1)))?;
            }
            transaction.put((), deletion.clone(), None)?;
            match self.table.transact(transaction).await? {
                Outcome::Done => return self.finish_deletion(&deletion).await,
                Outcome::Refused(_) | Outcome::Contended => tries.again(contended()).await?,
                Outcome::Unknown(error) => tries.find_out(error)?,
            }
            begun = Some(deletion);
        }
    }

    /// Goes on with deletions that have not been ended.
    pub(super) async fn resume_deletions(&self) {
        let begun = self.table.collect(self.table.all_of(keys::DELETIONS), MAX_RESUMED).await;
        for deletion in begun.into_iter().flatten() {
            if deletion.has("first") {
                self.delete_cut(&deletion).await;
            } else if let Err(error) = self.finish_deletion(&deletion).await {
                warn!(%error, "a session that was deleted is not gone from the table yet");
            }
        }
    }

    /// Deletes all that belonged to a session, then the note of it. It may be done again, and by several at a time.
    async fn finish_deletion(&self, deletion: &Item) -> Result<(), StoreError> {
        let owner = owner_in(deletion)?;
        let (session, life) = (deletion.id("session")?, deletion.text("life")?);
        if deletion.has("open") {
            self.drop_checkpoints(&owner, &deletion.id("open")?).await?;
        }
        let conversation = keys::conversation(&owner, &session, life);
        loop {
            let found = self.table.keys(self.table.all_of(&conversation), &["id"], DELETE_PAGE).await?;
            if found.is_empty() {
                break;
            }
            // Messages last: they tell where the places are.
            let messages = found.iter().filter(|item| item.has("id"));
            let places = messages.map(|item| item.id("id").map(|id| keys::place(&owner, &id, life)));
            let places = places.collect::<Result<_, _>>()?;
            self.table.delete_all(places).await?;
            self.table.delete_all(found.iter().map(key_of).collect::<Result<_, _>>()?).await?;
        }
        self.table.delete_all(vec![keys::deletion(&owner, &session, life)]).await
    }

    /// The session of this id, if it is alive and in this life.
    pub(super) async fn in_life(
        &self,
        owner: &Owner,
        id: &SessionId,
        life: &str,
    ) -> Result<Option<KeptSession>, StoreError> {
        let item = self.table.get(&keys::session(owner, id)).await?;
        item.filter(|item| is_text(item.get("life"), life)).as_ref().map(KeptSession::of).transpose()
    }
}

/// Whose a note of a deletion is about.
pub(super) fn owner_in(note: &Item) -> Result<Owner, StoreError> {
    Ok(Owner { organization: note.text("organization")?.into(), user: note.text("user")?.into() })
}

/// The key of an item.
pub(super) fn key_of(item: &Item) -> Result<Key, StoreError> {
    Ok(Key { pk: item.text(PARTITION)?.to_owned(), sk: item.text(SORT)?.to_owned() })
}
