//! Calls and accounts.

use protocol::{MessageId, SessionId, Timestamp, Usage, UsageSource};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::unreadable;
use crate::{
    principal::Owner,
    store::{
        Account, Amount, Balance, Call, CallOutcome, CallsOf, CallsPage, KEPT_AFTER_END, Reservation, StoreError,
        calls::Cursor,
    },
};

/// Forgets the accounts that need not be kept at `now`.
pub(super) fn forget_ended(connection: &Connection, now: Timestamp) -> Result<(), StoreError> {
    connection
        .prepare_cached("DELETE FROM accounts WHERE until_ms < ?")?
        .execute([now.unix_ms().saturating_sub(KEPT_AFTER_END.as_millis() as u64)])?;
    Ok(())
}

/// Sets `amount` aside, if there is as much in each account. Where there is not, the caller's transaction undoes what was done.
pub(super) fn reserve(connection: &Connection, amount: Amount, accounts: &[Account]) -> Result<(), StoreError> {
    for account in accounts {
        let balance = balance(connection, &account.key)?;
        if !account.limit.allows(balance.used().plus(amount)) {
            return Err(StoreError::OverBudget(Box::new(account.clone()), balance));
        }
        connection
            .prepare_cached(
                "INSERT INTO accounts (key, until_ms, reserved_nano_usd, reserved_tokens) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (key) DO UPDATE SET reserved_nano_usd = reserved_nano_usd + ?3,
                    reserved_tokens = reserved_tokens + ?4",
            )?
            .execute(params![account.key, account.until.unix_ms(), amount.nano_usd, amount.tokens])?;
    }
    Ok(())
}

/// Keeps the calls, gives back what was set aside and spends what they cost.
pub(super) fn settle(connection: &Connection, reservation: &Reservation, calls: &[Call]) -> Result<(), StoreError> {
    let spent = calls.iter().map(Call::amount).fold(Amount::default(), Amount::plus);
    for call in calls {
        insert(connection, call)?;
    }
    let reserved = reservation.amount;
    for account in &reservation.accounts {
        connection
            .prepare_cached(
                "UPDATE accounts SET
                    reserved_nano_usd = max(0, reserved_nano_usd - ?2), reserved_tokens = max(0, reserved_tokens - ?3),
                    spent_nano_usd = spent_nano_usd + ?4, spent_tokens = spent_tokens + ?5
                 WHERE key = ?1",
            )?
            .execute(params![account.key, reserved.nano_usd, reserved.tokens, spent.nano_usd, spent.tokens])?;
    }
    Ok(())
}

pub(super) fn balance(connection: &Connection, key: &str) -> Result<Balance, StoreError> {
    let mut query = connection.prepare_cached(
        "SELECT spent_nano_usd, spent_tokens, reserved_nano_usd, reserved_tokens FROM accounts WHERE key = ?",
    )?;
    let balance = query
        .query_row([key], |row| {
            Ok(Balance {
                spent: Amount { nano_usd: row.get(0)?, tokens: row.get(1)? },
                reserved: Amount { nano_usd: row.get(2)?, tokens: row.get(3)? },
            })
        })
        .optional()?;
    Ok(balance.unwrap_or_default())
}

pub(super) fn raise_alert(connection: &Connection, account: &Account, percent: u32) -> Result<bool, StoreError> {
    let mut upsert = connection.prepare_cached(
        "INSERT INTO accounts (key, until_ms, alerted_percent) VALUES (?1, ?2, ?3)
         ON CONFLICT (key) DO UPDATE SET alerted_percent = ?3 WHERE alerted_percent < ?3",
    )?;
    Ok(upsert.execute(params![account.key, account.until.unix_ms(), percent])? > 0)
}

fn insert(connection: &Connection, call: &Call) -> Result<(), StoreError> {
    let usage = &call.usage;
    let tools = (!call.tools.is_empty()).then(|| serde_json::to_string(&call.tools)).transpose().map_err(unreadable)?;
    connection
        .prepare_cached("INSERT INTO calls VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?
        .execute(params![
            call.owner.organization,
            call.owner.user,
            call.session.as_str(),
            call.message.as_str(),
            call.number,
            call.asked.unix_ms(),
            call.model_asked,
            call.model,
            call.region,
            usage.input_tokens,
            usage.output_tokens,
            usage.total_tokens,
            usage.cache_read_input_tokens,
            usage.cache_write_input_tokens,
            usage.cache_write_1h_input_tokens,
            usage.source == UsageSource::Estimated,
            usage.price_version,
            usage.cost_nano_usd,
            call.duration_ms,
            call.first_token_ms,
            call.outcome.as_str(),
            tools,
        ])?;
    Ok(())
}

fn call_of(row: &Row<'_>) -> Result<Call, StoreError> {
    let text = |column| row.get::<_, String>(column);
    let is_estimated: bool = row.get(15)?;
    let outcome = text(20)?;
    let tools: Option<String> = row.get(21)?;
    Ok(Call {
        owner: Owner { organization: text(0)?.into(), user: text(1)?.into() },
        session: SessionId::new(text(2)?).map_err(unreadable)?,
        message: MessageId::new(text(3)?).map_err(unreadable)?,
        number: row.get(4)?,
        asked: Timestamp::from_unix_ms(row.get(5)?),
        model_asked: text(6)?,
        model: text(7)?,
        region: text(8)?,
        usage: Usage {
            input_tokens: row.get(9)?,
            output_tokens: row.get(10)?,
            total_tokens: row.get(11)?,
            cache_read_input_tokens: row.get(12)?,
            cache_write_input_tokens: row.get(13)?,
            cache_write_1h_input_tokens: row.get(14)?,
            source: if is_estimated { UsageSource::Estimated } else { UsageSource::Reported },
            price_version: row.get(16)?,
            cost_nano_usd: row.get(17)?,
        },
        duration_ms: row.get(18)?,
        first_token_ms: row.get(19)?,
        outcome: CallOutcome::from_text(&outcome).ok_or_else(|| unreadable(format!("outcome {outcome}")))?,
        tools: tools.map(|tools| serde_json::from_str(&tools)).transpose().map_err(unreadable)?.unwrap_or_default(),
    })
}

pub(super) fn calls(connection: &Connection, of: &CallsOf, after: Option<&str>) -> Result<CallsPage, StoreError> {
    let Cursor(asked, organization, user, message, number) = Cursor::read(after, of.from)?;
    let mut query = connection.prepare_cached(
        "SELECT * FROM calls
         WHERE asked_ms < ?1 AND (?2 IS NULL OR organization = ?2) AND (?3 IS NULL OR user = ?3)
            AND (asked_ms, organization, user, message, number) > (?4, ?5, ?6, ?7, ?8)
         ORDER BY asked_ms, organization, user, message, number LIMIT ?9",
    )?;
    let most = CallsPage::MAX;
    let mut rows = query.query(params![
        of.to.unix_ms(),
        of.organization,
        of.user,
        asked,
        organization,
        user,
        message,
        number,
        most + 1
    ])?;
    let mut calls = Vec::new();
    while let Some(row) = rows.next()? {
        calls.push(call_of(row)?);
    }
    let has_more = calls.len() > most;
    calls.truncate(most);
    let next = calls.last().filter(|_| has_more).map(|last| Cursor::at(last).write());
    Ok(CallsPage { calls, next })
}
