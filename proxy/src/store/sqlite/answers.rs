//! Answers under way.

use protocol::{MessageId, RequestId, SessionId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    ledger,
    messages::{add, body_of},
    touch, unreadable,
};
use crate::{
    principal::Owner,
    store::{
        Amount, Checkpoint, Closing, Decision, MAX_UNFINISHED, OpenAnswer, Opening, Reservation, StoreError, Wishes,
        join_pieces, wishes::add_decision,
    },
};

/// Opens an answer.
pub(super) fn open(
    connection: &Connection,
    session: i64,
    request: &RequestId,
    answer: &Opening,
) -> Result<(), StoreError> {
    let Opening { message_id, started, model, input_bytes, reservation } = answer;
    let reservation = serde_json::to_string(reservation).map_err(unreadable)?;
    connection
        .prepare_cached(
            "INSERT INTO answers_under_way (organization, user, session_id, session, id, request, started_ms, model,
                input_bytes, reservation)
             SELECT organization, user, id, n, ?, ?, ?, ?, ?, ? FROM sessions WHERE n = ?",
        )?
        .execute(params![
            message_id.as_str(),
            request.as_str(),
            started.unix_ms(),
            model,
            input_bytes,
            reservation,
            session
        ])?;
    Ok(())
}

/// The answer of the session that is open and no message yet.
pub(super) fn under_way_in(connection: &Connection, session: i64) -> Result<Option<MessageId>, StoreError> {
    let mut query = connection.prepare_cached("SELECT id FROM answers_under_way WHERE session = ? AND NOT is_kept")?;
    let id: Option<String> = query.query_row([session], |row| row.get(0)).optional()?;
    id.map(MessageId::new).transpose().map_err(unreadable)
}

/// Sets `amount` aside, too, for the open answer of this id.
pub(super) fn reserve_more(
    connection: &Connection,
    owner: &Owner,
    id: &MessageId,
    amount: Amount,
) -> Result<(), StoreError> {
    let mut query = connection.prepare_cached(
        "SELECT n, reservation FROM answers_under_way WHERE organization = ? AND user = ? AND id = ?",
    )?;
    let found = query
        .query_row(params![owner.organization, owner.user, id.as_str()], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
        })
        .optional()?;
    let (n, reservation) = found.ok_or(StoreError::NotOpen)?;
    let mut reservation: Reservation = serde_json::from_str(&reservation).map_err(unreadable)?;
    ledger::reserve(connection, amount, &reservation.accounts)?;
    reservation.amount = reservation.amount.plus(amount);
    connection
        .prepare_cached("UPDATE answers_under_way SET reservation = ? WHERE n = ?")?
        .execute(params![serde_json::to_string(&reservation).map_err(unreadable)?, n])?;
    Ok(())
}

pub(super) fn checkpoint(
    connection: &Connection,
    owner: &Owner,
    id: &MessageId,
    checkpoint: &Checkpoint,
) -> Result<Wishes, StoreError> {
    let mut query = connection.prepare_cached(
        "SELECT n, session IS NOT NULL, is_to_stop, decisions FROM answers_under_way
         WHERE organization = ? AND user = ? AND id = ?",
    )?;
    let found = query
        .query_row(params![owner.organization, owner.user, id.as_str()], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?, row.get::<_, bool>(2)?, row.get::<_, String>(3)?))
        })
        .optional()?;
    let Some((n, has_session, is_to_stop, decisions)) = found else { return Ok(Wishes::default()) };
    if let Some(last) = checkpoint.pieces.last().filter(|_| has_session) {
        let pieces = serde_json::to_string(&checkpoint.pieces).map_err(unreadable)?;
        connection
            .prepare_cached("INSERT INTO kept_checkpoints (answer, seq, pieces) VALUES (?, ?, ?)")?
            .execute(params![n, last.seq, pieces])?;
        connection
            .prepare_cached("UPDATE answers_under_way SET model = ? WHERE n = ?")?
            .execute(params![checkpoint.model, n])?;
    }
    Ok(Wishes { is_to_stop, decisions: serde_json::from_str(&decisions).map_err(unreadable)? })
}

pub(super) fn close(
    connection: &Connection,
    owner: &Owner,
    id: &MessageId,
    closing: &Closing,
) -> Result<(), StoreError> {
    let mut query = connection.prepare_cached(
        "SELECT n, session, reservation, is_kept FROM answers_under_way
         WHERE organization = ? AND user = ? AND id = ?",
    )?;
    let found = query
        .query_row(params![owner.organization, owner.user, id.as_str()], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(1)?, row.get::<_, String>(2)?, row.get::<_, bool>(3)?))
        })
        .optional()?;
    let (n, session, reservation, was_kept) = found.ok_or(StoreError::NotOpen)?;
    if let (Some(message), Some(session)) = (&closing.message, session) {
        let known = connection
            .prepare_cached("UPDATE messages SET body = ? WHERE id = ? AND session = ?")?
            .execute(params![body_of(message)?, id.as_str(), session])?;
        if known == 0 && !was_kept {
            add(connection, session, message, 0)?;
            touch(connection, session)?;
        }
        connection.prepare_cached("UPDATE answers_under_way SET is_kept = 1 WHERE n = ?")?.execute([n])?;
    }
    let Some(calls) = &closing.calls else { return Ok(()) };
    ledger::settle(connection, &serde_json::from_str(&reservation).map_err(unreadable)?, calls)?;
    connection.prepare_cached("DELETE FROM answers_under_way WHERE n = ?")?.execute([n])?;
    Ok(())
}

/// Deletes what was kept of the answers of a session that is about to be deleted.
pub(super) fn forget_text(connection: &Connection, session: i64) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "DELETE FROM kept_checkpoints WHERE answer IN (SELECT n FROM answers_under_way WHERE session = ?)",
        )?
        .execute([session])?;
    Ok(())
}

pub(super) fn ask_to_stop(connection: &Connection, owner: &Owner, id: &MessageId) -> Result<bool, StoreError> {
    let mut update = connection
        .prepare_cached("UPDATE answers_under_way SET is_to_stop = 1 WHERE organization = ? AND user = ? AND id = ?")?;
    Ok(update.execute(params![owner.organization, owner.user, id.as_str()])? > 0)
}

pub(super) fn decide(
    connection: &Connection,
    owner: &Owner,
    id: &MessageId,
    decision: Decision,
) -> Result<bool, StoreError> {
    let mut query = connection
        .prepare_cached("SELECT n, decisions FROM answers_under_way WHERE organization = ? AND user = ? AND id = ?")?;
    let found = query
        .query_row(params![owner.organization, owner.user, id.as_str()], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
        })
        .optional()?;
    let Some((n, decisions)) = found else { return Ok(false) };
    let mut decisions: Vec<Decision> = serde_json::from_str(&decisions).map_err(unreadable)?;
    let is_taken = add_decision(&mut decisions, decision);
    connection
        .prepare_cached("UPDATE answers_under_way SET decisions = ? WHERE n = ?")?
        .execute(params![serde_json::to_string(&decisions).map_err(unreadable)?, n])?;
    Ok(is_taken)
}

const ANSWER: &str =
    "SELECT n, organization, user, session_id, id, request, started_ms, model, input_bytes, reservation
    FROM answers_under_way";

/// The answer of this id.
pub(super) fn one(connection: &Connection, owner: &Owner, id: &MessageId) -> Result<Option<OpenAnswer>, StoreError> {
    let mut query = connection.prepare_cached(&format!("{ANSWER} WHERE organization = ? AND user = ? AND id = ?"))?;
    let mut rows = query.query(params![owner.organization, owner.user, id.as_str()])?;
    rows.next()?.map(|row| answer_of(connection, row)).transpose()
}

/// All of them, at most [`MAX_UNFINISHED`].
pub(super) fn all(connection: &Connection) -> Result<Vec<OpenAnswer>, StoreError> {
    let mut query = connection.prepare_cached(&format!("{ANSWER} ORDER BY n LIMIT ?"))?;
    let mut rows = query.query([MAX_UNFINISHED])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(answer_of(connection, row)?);
    }
    Ok(all)
}

fn answer_of(connection: &Connection, row: &Row<'_>) -> Result<OpenAnswer, StoreError> {
    let mut query = connection.prepare_cached("SELECT pieces FROM kept_checkpoints WHERE answer = ? ORDER BY seq")?;
    let mut kept = query.query([row.get::<_, i64>(0)?])?;
    let mut pieces = Vec::new();
    while let Some(row) = kept.next()? {
        let more = serde_json::from_str(row.get_ref(0)?.as_str().map_err(unreadable)?).map_err(unreadable)?;
        join_pieces(&mut pieces, more);
    }
    let text = |column| row.get::<_, String>(column);
    Ok(OpenAnswer {
        owner: Owner { organization: text(1)?.into(), user: text(2)?.into() },
        session: SessionId::new(text(3)?).map_err(unreadable)?,
        request: RequestId::new(text(5)?).map_err(unreadable)?,
        opening: Opening {
            message_id: MessageId::new(text(4)?).map_err(unreadable)?,
            started: Timestamp::from_unix_ms(row.get(6)?),
            model: row.get(7)?,
            input_bytes: row.get(8)?,
            reservation: serde_json::from_str(&text(9)?).map_err(unreadable)?,
        },
        pieces,
    })
}
