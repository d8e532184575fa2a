//! Messages.

use protocol::{Message, MessageId, RequestId, Role, SessionId};
use rusqlite::{Connection, OptionalExtension, params};
use serde::de::DeserializeOwned;

use super::unreadable;
use crate::{
    principal::Owner,
    store::{Kept, MAX_MESSAGES, Page, StoreError, kept::Latest},
};

/// Adds a message at the end of a session, if there is room for it and `more` others.
pub(super) fn add(connection: &Connection, session: i64, kept: &Kept, more: usize) -> Result<(), StoreError> {
    let mut query = connection.prepare_cached("SELECT messages FROM sessions WHERE n = ?")?;
    let messages: usize = query.query_row([session], |row| row.get(0))?;
    if messages + 1 + more > MAX_MESSAGES {
        return Err(StoreError::SessionFull(MAX_MESSAGES));
    }
    let message = &kept.message;
    let is_answer = message.role == Role::Assistant;
    connection
        .prepare_cached("INSERT INTO messages (session, id, is_answer, body) VALUES (?, ?, ?, ?)")?
        .execute(params![session, message.message_id.as_str(), is_answer, body_of(kept)?])?;
    connection
        .prepare_cached("UPDATE sessions SET messages = messages + 1, updated_ms = ? WHERE n = ?")?
        .execute(params![message.timestamp.unix_ms(), session])?;
    Ok(())
}

/// Deletes the message `id` of this side and all after it.
pub(super) fn cut(connection: &Connection, session: i64, id: &MessageId, role: Role) -> Result<(), StoreError> {
    let mut query =
        connection.prepare_cached("SELECT n FROM messages WHERE id = ? AND session = ? AND is_answer = ?")?;
    let is_answer = role == Role::Assistant;
    let n: Option<i64> = query.query_row(params![id.as_str(), session, is_answer], |row| row.get(0)).optional()?;
    let gone = connection
        .prepare_cached("DELETE FROM messages WHERE session = ? AND n >= ?")?
        .execute(params![session, n.ok_or(StoreError::MessageNotFound)?])?;
    connection
        .prepare_cached("UPDATE sessions SET messages = messages - ? WHERE n = ?")?
        .execute(params![gone, session])?;
    Ok(())
}

/// The question that is last in the session is under this id from now on.
pub(super) fn rename_question(connection: &Connection, session: i64, request: &RequestId) -> Result<(), StoreError> {
    let mut query = connection
        .prepare_cached("SELECT n, is_answer, body FROM messages WHERE session = ? ORDER BY n DESC LIMIT 1")?;
    let last = query
        .query_row([session], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?, row.get::<_, String>(2)?)))
        .optional()?;
    let Some((n, false, body)) = last else { return Ok(()) };
    let mut question: Kept = message_of(&body)?;
    question.message.request_id = Some(request.clone());
    connection.prepare_cached("UPDATE messages SET body = ? WHERE n = ?")?.execute(params![body_of(&question)?, n])?;
    Ok(())
}

pub(super) fn messages(
    connection: &Connection,
    session: i64,
    before: Option<&MessageId>,
    limit: usize,
) -> Result<Page<Message>, StoreError> {
    let end = before.map(|id| place(connection, session, id)).transpose()?.flatten();
    let mut query =
        connection.prepare_cached("SELECT body FROM messages WHERE session = ? AND n < ? ORDER BY n DESC LIMIT ?")?;
    let mut rows = query.query(params![session, end.unwrap_or(i64::MAX), limit + 1])?;
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        items.push(message_of(row.get_ref(0)?.as_str().map_err(unreadable)?)?);
    }
    let has_more = items.len() > limit;
    items.truncate(limit);
    items.reverse();
    Ok(Page { items, has_more })
}

fn place(connection: &Connection, session: i64, id: &MessageId) -> Result<Option<i64>, StoreError> {
    let mut query = connection.prepare_cached("SELECT n FROM messages WHERE id = ? AND session = ?")?;
    Ok(query.query_row(params![id.as_str(), session], |row| row.get(0)).optional()?)
}

/// The latest messages with all that is kept of them.
pub(super) fn conversation(
    connection: &Connection,
    session: i64,
    before: Option<&MessageId>,
    limit: usize,
) -> Result<Vec<Kept>, StoreError> {
    let end = match before {
        Some(id) => place(connection, session, id)?.ok_or(StoreError::MessageNotFound)?,
        None => i64::MAX,
    };
    let mut query =
        connection.prepare_cached("SELECT body FROM messages WHERE session = ? AND n < ? ORDER BY n DESC LIMIT ?")?;
    let mut rows = query.query(params![session, end, limit])?;
    let mut latest = Latest::default();
    while let Some(row) = rows.next()?
        && latest.take(message_of(row.get_ref(0)?.as_str().map_err(unreadable)?)?)
    {}
    Ok(latest.oldest_first())
}

/// The answer of this id and its session.
pub(super) fn answer(
    connection: &Connection,
    owner: &Owner,
    id: &MessageId,
) -> Result<Option<(SessionId, Message)>, StoreError> {
    let mut query = connection.prepare_cached(
        "SELECT sessions.id, body FROM messages JOIN sessions ON sessions.n = session
         WHERE messages.id = ? AND is_answer AND organization = ? AND user = ?",
    )?;
    let row = query
        .query_row(params![id.as_str(), owner.organization, owner.user], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })
        .optional()?;
    row.map(|(session, body)| Ok((SessionId::new(session).map_err(unreadable)?, message_of(&body)?))).transpose()
}

/// The message in a body, or all that is kept of it.
fn message_of<T: DeserializeOwned>(body: &str) -> Result<T, StoreError> {
    serde_json::from_str(body).map_err(unreadable)
}

pub(super) fn body_of(message: &Kept) -> Result<String, StoreError> {
    serde_json::to_string(message).map_err(unreadable)
}
