//! A store in DynamoDB, for several proxies: they share nothing else.
//!
//! One table holds everything. Its keys are texts; between names in them stands `#`, which is escaped in names.
//!
//! | Item | `pk` | `sk` | Attributes |
//! |---|---|---|---|
//! | session | `owner#ORGANISATION#USER` | `session#SESSION` | `id title model created updated messages last cuts asked open life version used` |
//! | message | `conversation#ORGANISATION#USER#SESSION#LIFE` | `message#NUMBER` | `id request is_answer` and a text |
//! | question's id | the same | `asked#REQUEST` | `fingerprint answer by` |
//! | place of a message | `place#ORGANISATION#USER#MESSAGE` | `LIFE` | `session life n is_answer` |
//! | open answer | `open#SHARD` | `ORGANISATION#USER#MESSAGE` | `organization user session life question request message started model input_bytes reservation lease stop decisions more_by gone n kept_by has_text` |
//! | checkpoint | `checkpoints#ORGANISATION#USER#MESSAGE` | `checkpoint#EVENT` | a text |
//! | part of a text | that of its item | `part#TOKEN#NUMBER` | `text` |
//! | session being deleted | `deleting` | `ORGANISATION#USER#SESSION#LIFE` | `organization user session life open` |
//! | messages being deleted | the same | `ORGANISATION#USER#SESSION#LIFE#NUMBER` | `organization user session life first last` |
//! | account | `account#KEY` | `account` | `used_nano_usd used_tokens spent_nano_usd spent_tokens alert_percent alert_by` |
//! | day with calls | `days` | `DAY` | |
//! | calls of an answer | `calls#DAY#SHARD` | `ORGANISATION#USER#ASKED#MESSAGE` | `organization user session message asked calls by` |
//! | revocation | `revoked` | `TIME#MARK` | `revocation` |
//!
//! A text is `text`, or `parts` and `count` where it is too long for one item. `expires` is the second after which DynamoDB may delete
//! an item. The local index [`BY_USE`] has an owner's sessions by their last use (`used`).
//!
//! - **A session has lives.** One that is made again after it was deleted has another `life`, and so another partition: nothing of
//!   the old one turns up in it, however long its deletion takes.
//! - **A number is given once.** Messages that gave way to another are a range of numbers in their session's `cuts`, from the moment that
//!   the other one is taken: readers pass over them, and nothing is written there any more. So they may be deleted after that, however
//!   many there are, and by whichever process.
//! - **What is read is written on.** A session's `version` counts what was asked and answered. A transaction holds only for the
//!   version that was read; if it has changed meanwhile, everything is read again.
//! - **An answer under way is leased.** Its lease ends [`LEASE`] after its last checkpoint. After that another process may ask in its
//!   session, and ends it as [`Store::unfinished`] says. Clocks of proxies have to agree to some seconds.
//! - **Twice is once.** Each transaction leaves a mark of the call that made it (`by`), which is looked for where a reply was lost.

mod accounts;
mod answers;
mod asking;
mod closing;
mod connect;
mod create;
mod cuts;
mod failures;
mod item;
mod keys;
mod ledger;
mod messages;
mod reserving;
mod revocations;
mod sessions;
mod table;

use std::{sync::atomic::AtomicU64, time::Duration};

use async_trait::async_trait;
use aws_sdk_dynamodb::{Client, error::ProvideErrorMetadata, types::AttributeValue};
use protocol::{Message, MessageId, RequestId, SessionId, Timestamp, server::Session};

use self::{
    answers::Uncertain,
    failures::explain,
    item::{Change, Item, n},
    ledger::Days,
    table::Table,
};
use super::{
    Account, Amount, Ask, Asked, Balance, CallsOf, CallsPage, Checkpoint, Closing, Decision, Kept, OpenAnswer, Page,
    Revocation, Store, StoreError, Wishes,
};
use crate::principal::Owner;

pub use answers::{CHECKPOINTS_KEPT, LEASE};
pub use connect::{ATTEMPT_TIMEOUT, MAX_ATTEMPTS, OPERATION_TIMEOUT, connect};
pub use create::{CreateError, create_table};
pub use failures::{ACTIONS, CREATE_ACTIONS, OpenError};
pub use keys::{PARTITION, SORT};
pub use messages::MAX_TEXT_BYTES;
pub use sessions::{BY_USE, USED};
pub use table::{FIRST_WAIT, MAX_TRIES, MAX_WAIT};

/// The attribute that says when DynamoDB may delete an item, in seconds since 1970.
pub const EXPIRES: &str = "expires";

/// Conversations in a table of DynamoDB.
#[derive(Debug)]
pub struct DynamoStore {
    table: Table,
    retention: Option<Duration>,
    /// Counts uses of sessions, so that those of the same millisecond have an order.
    uses: AtomicU64,
    uncertain: Uncertain,
    days: Days,
}

impl DynamoStore {
    /// A store in the table `name`. Messages may be deleted `retention` after they were written, and sessions after their last use;
    /// they are kept for ever without.
    pub fn new(client: Client, name: impl Into<String>, retention: Option<Duration>) -> Self {
        Self {
            table: Table { client, name: name.into() },
            retention,
            uses: AtomicU64::default(),
            uncertain: Uncertain::default(),
            days: Days::default(),
        }
    }

    /// Makes sure that the table is there and may be read.
    ///
    /// # Errors
    /// [`OpenError`], which says what to do.
    pub async fn check(&self) -> Result<(), OpenError> {
        let Table { client, name } = &self.table;
        let read = client.get_item().table_name(name).set_key(Some(keys::account("").item())).send().await;
        read.map(drop).map_err(|error| match error.code() {
            Some("ValidationException") => OpenError::OtherKeys(name.clone()),
            _ => OpenError::Refused(explain(client, name, &ACTIONS, &error)),
        })
    }

    /// A text that no one else has.
    fn unique(&self) -> String {
        format!("{:032x}", fastrand::u128(..))
    }

    /// When what is written at `time` may be deleted.
    fn expiry(&self, time: Timestamp) -> Option<AttributeValue> {
        self.retention.map(|retention| expires_at(time, retention))
    }

    fn expire(&self, item: &mut Item, time: Timestamp) {
        item.extend(self.expiry(time).map(|expires| (EXPIRES.to_owned(), expires)));
    }

    fn expiring(&self, change: Change, time: Timestamp) -> Change {
        match self.expiry(time) {
            Some(expires) => change.set(EXPIRES, expires),
            None => change,
        }
    }
}

/// The value of [`EXPIRES`] for an item that may be deleted `after` this time.
fn expires_at(time: Timestamp, after: Duration) -> AttributeValue {
    n((time.unix_ms() / 1_000).saturating_add(after.as_secs()))
}

#[async_trait]
impl Store for DynamoStore {
    async fn session(&self, owner: &Owner, id: &SessionId) -> Result<Session, StoreError> {
        Ok(self.kept(owner, id).await?.session)
    }

    async fn ensure_session(&self, owner: &Owner, session: Session) -> Result<Session, StoreError> {
        self.add_session(owner, session).await
    }

    async fn sessions(
        &self,
        owner: &Owner,
        before: Option<&SessionId>,
        limit: usize,
    ) -> Result<Page<Session>, StoreError> {
        self.list_sessions(owner, before, limit).await
    }

    async fn rename_session(&self, owner: &Owner, id: &SessionId, title: String) -> Result<Session, StoreError> {
        self.rename(owner, id, &title).await
    }

    async fn delete_session(&self, owner: &Owner, id: &SessionId) -> Result<(), StoreError> {
        self.delete(owner, id).await
    }

    async fn messages(
        &self,
        owner: &Owner,
        session: &SessionId,
        before: Option<&MessageId>,
        limit: usize,
    ) -> Result<Page<Message>, StoreError> {
        self.read_messages(owner, session, before, limit).await
    }

    async fn conversation(
        &self,
        owner: &Owner,
        session: &SessionId,
        before: Option<&MessageId>,
        limit: usize,
    ) -> Result<Vec<Kept>, StoreError> {
        self.read_conversation(owner, session, before, limit).await
    }

    async fn asked(
        &self,
        owner: &Owner,
        session: &SessionId,
        request: &RequestId,
    ) -> Result<Option<Asked>, StoreError> {
        self.find_asked(owner, session, request).await
    }

    async fn ask(&self, owner: &Owner, session: &SessionId, ask: Ask) -> Result<(), StoreError> {
        self.take(owner, session, &ask).await
    }

    async fn reserve_more(
        &self,
        owner: &Owner,
        _: &SessionId,
        answer: &MessageId,
        amount: Amount,
    ) -> Result<(), StoreError> {
        self.set_more_aside(owner, answer, amount).await
    }

    async fn checkpoint(
        &self,
        owner: &Owner,
        _: &SessionId,
        answer: &MessageId,
        checkpoint: Checkpoint,
    ) -> Result<Wishes, StoreError> {
        self.keep_going(owner, answer, checkpoint).await
    }

    async fn close(&self, owner: &Owner, _: &SessionId, id: &MessageId, closing: Closing) -> Result<(), StoreError> {
        self.end(owner, id, &closing).await
    }

    async fn open_answer(&self, owner: &Owner, id: &MessageId) -> Result<Option<OpenAnswer>, StoreError> {
        self.find_open(owner, id).await
    }

    async fn open_in(&self, owner: &Owner, session: &SessionId) -> Result<Option<MessageId>, StoreError> {
        Ok(self.kept(owner, session).await?.open)
    }

    async fn ask_to_stop(&self, owner: &Owner, id: &MessageId) -> Result<bool, StoreError> {
        self.stop(owner, id).await
    }

    async fn decide(&self, owner: &Owner, answer: &MessageId, decision: Decision) -> Result<bool, StoreError> {
        self.decide_on(owner, answer, &decision).await
    }

    /// Goes on with deletions, too, that another process has begun.
    async fn unfinished(&self, now: Timestamp) -> Result<Vec<OpenAnswer>, StoreError> {
        self.resume_deletions().await;
        self.left_open(now).await
    }

    async fn balances(&self, accounts: &[Account]) -> Result<Vec<Balance>, StoreError> {
        self.balances_of(accounts).await
    }

    async fn raise_alert(&self, account: &Account, percent: u32) -> Result<bool, StoreError> {
        self.raise(account, percent).await
    }

    async fn calls(&self, of: &CallsOf, after: Option<String>) -> Result<CallsPage, StoreError> {
        self.list_calls(of, after).await
    }

    async fn revoke(&self, revocation: Revocation) -> Result<(), StoreError> {
        self.keep_revocation(&revocation).await
    }

    async fn revocations(&self, since: Timestamp, now: Timestamp) -> Result<Vec<Revocation>, StoreError> {
        self.read_revocations(since, now).await
    }

    async fn answer(&self, owner: &Owner, id: &MessageId) -> Result<Option<(SessionId, Message)>, StoreError> {
        self.find_answer(owner, id).await
    }
}
