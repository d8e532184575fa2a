//! A store in a file, for one machine.

mod answers;
mod ledger;
mod messages;
mod worker;

use std::{
    cmp::Ordering,
    fs::{DirBuilder, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use protocol::{Message, MessageId, RequestId, Role, SessionId, Timestamp, server::Session};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};
use rusqlite_migration::{M, Migrations};
use tracing::warn;

use self::worker::{Purpose, Worker};
use super::{
    Account, Amount, Ask, Asked, Balance, CallsOf, CallsPage, Checkpoint, Closing, Decision, Fingerprint, Kept,
    MAX_MESSAGES, OpenAnswer, Page, Revocation, Store, StoreError, Wishes, title_from,
};
use crate::principal::Owner;

/// Every schema there was, as steps from one to the next. A step is never changed.
const STEPS: &[M<'_>] = &[
    M::up(include_str!("1_conversations.sql")),
    M::up(include_str!("2_ledger.sql")),
    M::up(include_str!("3_revocations.sql")),
    M::up(include_str!("4_tools.sql")),
];
const MIGRATIONS: Migrations<'_> = Migrations::from_slice(STEPS);

/// The file in the store's folder.
const FILE: &str = "outcrop.db";

/// What SQLite is told of every connection that may write.
///
/// `FULL`: what is acknowledged outlives a power cut. `secure_delete`: what is deleted is overwritten.
const PRAGMAS: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA secure_delete = ON;
    PRAGMA busy_timeout = 5000;
";

/// What it is told of one that only reads.
const READING_PRAGMAS: &str = "PRAGMA query_only = ON; PRAGMA busy_timeout = 5000;";

/// Why the store cannot be opened. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder cannot be used.
    #[error(
        "{0} cannot be used ({1}): choose a folder that this user may write to, with --data-dir (OUTCROP_DATA_DIR)"
    )]
    Folder(PathBuf, io::Error),
    /// Another process has it.
    #[error(
        "another proxy keeps its conversations in {0}: stop that one, or choose another folder with --data-dir (OUTCROP_DATA_DIR)"
    )]
    InUse(PathBuf),
    /// There is none.
    #[error("no proxy has kept anything in {0}: choose its folder with --data-dir (OUTCROP_DATA_DIR)")]
    Missing(PathBuf),
    /// An older version has written it, and it is only to be read.
    #[error("{0} was written by an older version of the proxy: start this one once, which brings it up to date")]
    Older(PathBuf),
    /// A newer version has written it.
    #[error("{0} was written by a newer version of the proxy: use that one")]
    Newer(PathBuf),
    /// The file is not what it should be.
    #[error("{0} cannot be read ({1}): restore it from a backup, or move it away to begin with an empty one")]
    Unreadable(PathBuf, String),
}

/// Conversations in a SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    writer: Worker,
    reader: Worker,
    /// Locked for as long as the store is open, if it may be written to.
    _lock: Option<File>,
}

impl SqliteStore {
    /// Opens the store in `folder`, which is made if it is not there.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let unusable = |error| OpenError::Folder(folder.to_owned(), error);
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder).map_err(unusable)?;
        let lock = File::create(folder.join("outcrop.lock")).map_err(unusable)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => OpenError::InUse(folder.to_owned()),
            TryLockError::Error(error) => unusable(error),
        })?;
        let file = folder.join(FILE);
        let connect = || {
            let mut connection = Connection::open(&file)?;
            connection.execute_batch(PRAGMAS)?;
            MIGRATIONS.to_latest(&mut connection)?;
            Ok(connection)
        };
        let connect = || {
            connect().map_err(|error| match error {
                rusqlite_migration::Error::MigrationDefinition(_) => OpenError::Newer(file.clone()),
                error => OpenError::Unreadable(file.clone(), error.to_string()),
            })
        };
        Ok(Self {
            writer: Worker::start("store writer", connect()?, Purpose::Write).map_err(unusable)?,
            reader: Worker::start("store reader", connect()?, Purpose::Read).map_err(unusable)?,
            _lock: Some(lock),
        })
    }

    /// Empties the write-ahead log, which until then has what is deleted.
    async fn empty_log(&self) -> Result<(), StoreError> {
        self.writer.run_alone(|connection| Ok(connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?)).await
    }

    /// Opens the store in `folder` for a look at it, whoever else uses it. Nothing can be written to it; its schema must be of this
    /// version.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open_to_read(folder: &Path) -> Result<Self, OpenError> {
        let file = folder.join(FILE);
        if !file.is_file() {
            return Err(OpenError::Missing(folder.to_owned()));
        }
        let unreadable = |error: rusqlite::Error| OpenError::Unreadable(file.clone(), error.to_string());
        let connect = || {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(&file, flags).map_err(unreadable)?;
            connection.execute_batch(READING_PRAGMAS).map_err(unreadable)?;
            let version: usize =
                connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(unreadable)?;
            match version.cmp(&STEPS.len()) {
                Ordering::Less => Err(OpenError::Older(file.clone())),
                Ordering::Equal => Ok(connection),
                Ordering::Greater => Err(OpenError::Newer(file.clone())),
            }
        };
        let unusable = |error| OpenError::Folder(folder.to_owned(), error);
        // What is given to the writer fails: its connection cannot write either.
        Ok(Self {
            writer: Worker::start("store writer", connect()?, Purpose::Read).map_err(unusable)?,
            reader: Worker::start("store reader", connect()?, Purpose::Read).map_err(unusable)?,
            _lock: None,
        })
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// What is kept cannot be read: a fault of the file, or of this program.
fn unreadable(error: impl std::fmt::Display) -> StoreError {
    StoreError::Unavailable(format!("what is kept cannot be read: {error}"))
}

/// The row of a session.
fn find(connection: &Connection, owner: &Owner, id: &SessionId) -> Result<i64, StoreError> {
    let mut query =
        connection.prepare_cached("SELECT n FROM sessions WHERE organization = ? AND user = ? AND id = ?")?;
    let n = query.query_row(params![owner.organization, owner.user, id.as_str()], |row| row.get(0)).optional()?;
    n.ok_or(StoreError::SessionNotFound)
}

const SESSION: &str = "SELECT id, title, model, created_ms, updated_ms, messages FROM sessions";

fn session_of(row: &Row<'_>) -> Result<Session, StoreError> {
    Ok(Session {
        session_id: SessionId::new(row.get::<_, String>(0)?).map_err(unreadable)?,
        title: row.get(1)?,
        model: row.get(2)?,
        created_at: Timestamp::from_unix_ms(row.get::<_, u64>(3)?),
        updated_at: Timestamp::from_unix_ms(row.get::<_, u64>(4)?),
        message_count: row.get(5)?,
    })
}

fn session(connection: &Connection, n: i64) -> Result<Session, StoreError> {
    let mut query = connection.prepare_cached(&format!("{SESSION} WHERE n = ?"))?;
    let mut rows = query.query([n])?;
    session_of(rows.next()?.ok_or(StoreError::SessionNotFound)?)
}

/// Takes note of a use of a session.
fn touch(connection: &Connection, session: i64) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "UPDATE sessions AS this SET last_use = 1 + (
                SELECT max(last_use) FROM sessions WHERE organization = this.organization AND user = this.user
            ) WHERE n = ?",
        )?
        .execute([session])?;
    Ok(())
}

fn asked(connection: &Connection, session: i64, request: &RequestId) -> Result<Option<Asked>, StoreError> {
    let mut query =
        connection.prepare_cached("SELECT fingerprint, answer FROM asked WHERE session = ? AND request = ?")?;
    let row = query
        .query_row(params![session, request.as_str()], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))
        .optional()?;
    row.map(|(fingerprint, answer)| {
        let answer = MessageId::new(answer).map_err(unreadable)?;
        Ok(Asked { fingerprint: Fingerprint::from_bytes(fingerprint), answer })
    })
    .transpose()
}

fn ask(connection: &Connection, session: i64, ask: &Ask) -> Result<(), StoreError> {
    let Ask { request, fingerprint, replaces, question, answer } = ask;
    if asked(connection, session, request)?.is_some() {
        return Err(StoreError::AskedBefore);
    }
    if answers::under_way_in(connection, session)?.is_some() {
        return Err(StoreError::SessionBusy);
    }
    let mut query = connection.prepare_cached("SELECT count(*) FROM asked WHERE session = ?")?;
    if query.query_row([session], |row| row.get::<_, usize>(0))? >= MAX_MESSAGES {
        return Err(StoreError::SessionFull(MAX_MESSAGES));
    }
    if let Some(first) = replaces {
        messages::cut(connection, session, first, if question.is_some() { Role::User } else { Role::Assistant })?;
    }
    if let Some(question) = question {
        // A question is taken only where its answer has room too.
        messages::add(connection, session, question, 1)?;
        connection
            .prepare_cached("UPDATE sessions SET title = ifnull(title, ?) WHERE n = ?")?
            .execute(params![title_from(&question.message.content), session])?;
    } else {
        messages::rename_question(connection, session, request)?;
    }
    connection
        .prepare_cached("INSERT INTO asked (session, request, fingerprint, answer) VALUES (?, ?, ?, ?)")?
        .execute(params![session, request.as_str(), fingerprint.as_bytes(), answer.message_id.as_str()])?;
    ledger::forget_ended(connection, answer.started)?;
    ledger::reserve(connection, answer.reservation.amount, &answer.reservation.accounts)?;
    answers::open(connection, session, request, answer)?;
    touch(connection, session)
}

fn sessions(
    connection: &Connection,
    owner: &Owner,
    before: Option<&SessionId>,
    limit: usize,
) -> Result<Page<Session>, StoreError> {
    let end: i64 = match before {
        None => i64::MAX,
        Some(id) => {
            let n = find(connection, owner, id)?;
            connection.prepare_cached("SELECT last_use FROM sessions WHERE n = ?")?.query_row([n], |row| row.get(0))?
        }
    };
    let mut query = connection.prepare_cached(&format!(
        "{SESSION} WHERE organization = ? AND user = ? AND last_use < ? ORDER BY last_use DESC LIMIT ?"
    ))?;
    let mut rows = query.query(params![owner.organization, owner.user, end, limit + 1])?;
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        items.push(session_of(row)?);
    }
    let has_more = items.len() > limit;
    items.truncate(limit);
    Ok(Page { items, has_more })
}

#[async_trait]
impl Store for SqliteStore {
    async fn session(&self, owner: &Owner, id: &SessionId) -> Result<Session, StoreError> {
        let (owner, id) = (owner.clone(), id.clone());
        self.reader.run(move |connection| session(connection, find(connection, &owner, &id)?)).await
    }

    async fn ensure_session(&self, owner: &Owner, new: Session) -> Result<Session, StoreError> {
        let owner = owner.clone();
        let work = move |connection: &Connection| {
            if let Ok(n) = find(connection, &owner, &new.session_id) {
                return session(connection, n);
            }
            let Session { session_id, title, model, created_at, updated_at, .. } = &new;
            connection
                .prepare_cached(
                    "INSERT INTO sessions (organization, user, id, title, model, created_ms, updated_ms, last_use)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1 + (
                        SELECT ifnull(max(last_use), 0) FROM sessions WHERE organization = ?1 AND user = ?2))",
                )?
                .execute(params![
                    owner.organization,
                    owner.user,
                    session_id.as_str(),
                    title,
                    model,
                    created_at.unix_ms(),
                    updated_at.unix_ms()
                ])?;
            Ok(new)
        };
        self.writer.run(work).await
    }

    async fn sessions(
        &self,
        owner: &Owner,
        before: Option<&SessionId>,
        limit: usize,
    ) -> Result<Page<Session>, StoreError> {
        let (owner, before) = (owner.clone(), before.cloned());
        self.reader.run(move |connection| sessions(connection, &owner, before.as_ref(), limit)).await
    }

    async fn rename_session(&self, owner: &Owner, id: &SessionId, title: String) -> Result<Session, StoreError> {
        let (owner, id) = (owner.clone(), id.clone());
        let work = move |connection: &Connection| {
            let n = find(connection, &owner, &id)?;
            connection.prepare_cached("UPDATE sessions SET title = ? WHERE n = ?")?.execute(params![title, n])?;
            session(connection, n)
        };
        self.writer.run(work).await
    }

    async fn delete_session(&self, owner: &Owner, id: &SessionId) -> Result<(), StoreError> {
        let (owner, id) = (owner.clone(), id.clone());
        let work = move |connection: &Connection| {
            let n = find(connection, &owner, &id)?;
            answers::forget_text(connection, n)?;
            connection.prepare_cached("DELETE FROM sessions WHERE n = ?")?.execute([n])?;
            Ok(())
        };
        self.writer.run(work).await?;
        self.empty_log().await
    }

    async fn messages(
        &self,
        owner: &Owner,
        session: &SessionId,
        before: Option<&MessageId>,
        limit: usize,
    ) -> Result<Page<Message>, StoreError> {
        let (owner, session, before) = (owner.clone(), session.clone(), before.cloned());
        let work = move |connection: &Connection| {
            messages::messages(connection, find(connection, &owner, &session)?, before.as_ref(), limit)
        };
        self.reader.run(work).await
    }

    async fn conversation(
        &self,
        owner: &Owner,
        session: &SessionId,
        before: Option<&MessageId>,
        limit: usize,
    ) -> Result<Vec<Kept>, StoreError> {
        let (owner, session, before) = (owner.clone(), session.clone(), before.cloned());
        let work = move |connection: &Connection| {
            messages::conversation(connection, find(connection, &owner, &session)?, before.as_ref(), limit)
        };
        self.reader.run(work).await
    }

    async fn asked(
        &self,
        owner: &Owner,
        session: &SessionId,
        request: &RequestId,
    ) -> Result<Option<Asked>, StoreError> {
        let (owner, session, request) = (owner.clone(), session.clone(), request.clone());
        self.reader.run(move |connection| asked(connection, find(connection, &owner, &session)?, &request)).await
    }

    async fn ask(&self, owner: &Owner, session: &SessionId, what: Ask) -> Result<(), StoreError> {
        let (owner, session, deletes) = (owner.clone(), session.clone(), what.replaces.is_some());
        self.writer.run(move |connection| ask(connection, find(connection, &owner, &session)?, &what)).await?;
        if deletes && let Err(error) = self.empty_log().await {
            warn!(%error, "messages that were replaced stay in the write-ahead log for now");
        }
        Ok(())
    }

    async fn reserve_more(
        &self,
        owner: &Owner,
        _: &SessionId,
        answer: &MessageId,
        amount: Amount,
    ) -> Result<(), StoreError> {
        let (owner, answer) = (owner.clone(), answer.clone());
        self.writer.run(move |connection| answers::reserve_more(connection, &owner, &answer, amount)).await
    }

    async fn checkpoint(
        &self,
        owner: &Owner,
        _: &SessionId,
        answer: &MessageId,
        checkpoint: Checkpoint,
    ) -> Result<Wishes, StoreError> {
        let (owner, answer) = (owner.clone(), answer.clone());
        self.writer.run(move |connection| answers::checkpoint(connection, &owner, &answer, &checkpoint)).await
    }

    async fn close(&self, owner: &Owner, _: &SessionId, id: &MessageId, closing: Closing) -> Result<(), StoreError> {
        let (owner, id) = (owner.clone(), id.clone());
        self.writer.run(move |connection| answers::close(connection, &owner, &id, &closing)).await
    }

    async fn open_answer(&self, owner: &Owner, id: &MessageId) -> Result<Option<OpenAnswer>, StoreError> {
        let (owner, id) = (owner.clone(), id.clone());
        self.reader.run(move |connection| answers::one(connection, &owner, &id)).await
    }

    async fn open_in(&self, owner: &Owner, session: &SessionId) -> Result<Option<MessageId>, StoreError> {
        let (owner, session) = (owner.clone(), session.clone());
        let work =
            move |connection: &Connection| answers::under_way_in(connection, find(connection, &owner, &session)?);
        self.reader.run(work).await
    }

    async fn ask_to_stop(&self, owner: &Owner, id: &MessageId) -> Result<bool, StoreError> {
        let (owner, id) = (owner.clone(), id.clone());
        self.writer.run(move |connection| answers::ask_to_stop(connection, &owner, &id)).await
    }

    async fn decide(&self, owner: &Owner, answer: &MessageId, decision: Decision) -> Result<bool, StoreError> {
        let (owner, answer) = (owner.clone(), answer.clone());
        self.writer.run(move |connection| answers::decide(connection, &owner, &answer, decision)).await
    }

    async fn unfinished(&self, _: Timestamp) -> Result<Vec<OpenAnswer>, StoreError> {
        self.reader.run(answers::all).await
    }

    async fn balances(&self, accounts: &[Account]) -> Result<Vec<Balance>, StoreError> {
        let accounts = accounts.to_vec();
        let work = move |connection: &Connection| {
            accounts.iter().map(|account| ledger::balance(connection, &account.key)).collect()
        };
        self.reader.run(work).await
    }

    async fn raise_alert(&self, account: &Account, percent: u32) -> Result<bool, StoreError> {
        let account = account.clone();
        self.writer.run(move |connection| ledger::raise_alert(connection, &account, percent)).await
    }

    async fn calls(&self, of: &CallsOf, after: Option<String>) -> Result<CallsPage, StoreError> {
        let of = of.clone();
        self.reader.run(move |connection| ledger::calls(connection, &of, after.as_deref())).await
    }

    async fn revoke(&self, revocation: Revocation) -> Result<(), StoreError> {
        let work = move |connection: &Connection| {
            let Revocation { what, at, until } = &revocation;
            let what = serde_json::to_string(what).map_err(unreadable)?;
            connection.prepare_cached("DELETE FROM revocations WHERE until_ms <= ?")?.execute([at.unix_ms()])?;
            connection
                .prepare_cached("INSERT INTO revocations (at_ms, until_ms, what) VALUES (?, ?, ?)")?
                .execute(params![at.unix_ms(), until.unix_ms(), what])?;
            Ok(())
        };
        self.writer.run(work).await
    }

    async fn revocations(&self, since: Timestamp, now: Timestamp) -> Result<Vec<Revocation>, StoreError> {
        let work = move |connection: &Connection| {
            let mut query = connection
                .prepare_cached("SELECT at_ms, until_ms, what FROM revocations WHERE at_ms >= ? AND until_ms > ?")?;
            let mut rows = query.query([since.unix_ms(), now.unix_ms()])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let what = serde_json::from_str(row.get_ref(2)?.as_str().map_err(unreadable)?).map_err(unreadable)?;
                let time = |column| row.get(column).map(Timestamp::from_unix_ms);
                found.push(Revocation { what, at: time(0)?, until: time(1)? });
            }
            Ok(found)
        };
        self.reader.run(work).await
    }

    async fn answer(&self, owner: &Owner, id: &MessageId) -> Result<Option<(SessionId, Message)>, StoreError> {
        let (owner, id) = (owner.clone(), id.clone());
        self.reader.run(move |connection| messages::answer(connection, &owner, &id)).await
    }
}
