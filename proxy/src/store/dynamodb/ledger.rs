//! The ledger: one item for the calls of an answer.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use futures_util::{StreamExt, TryStreamExt, stream};
use protocol::{MessageId, SessionId, Timestamp, Usage};
use serde::{Deserialize, Serialize};

use super::{
    DynamoStore,
    item::{Attributes, Item, json, n, s, unreadable},
    keys::{self, PARTITION, SHARDS, SORT},
};
use crate::{
    principal::Owner,
    store::{Call, CallOutcome, CallsOf, CallsPage, StoreError, ToolRun},
};

/// The most partitions that are read at a time.
const PARALLEL_PARTITIONS: usize = 8;

/// The most days of which a process remembers that they are noted.
const MAX_DAYS_KNOWN: usize = 64;

/// The days of which is known that they are noted.
#[derive(Debug, Default)]
pub(super) struct Days(Mutex<BTreeSet<String>>);

impl Days {
    fn with<T>(&self, act: impl FnOnce(&mut BTreeSet<String>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What is kept of a call, besides what those of an answer share.
#[derive(Serialize, Deserialize)]
struct Kept {
    number: u32,
    model_asked: String,
    model: String,
    region: String,
    usage: Usage,
    duration_ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_token_ms: Option<u64>,
    outcome: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tools: Vec<ToolRun>,
}

impl From<&Call> for Kept {
    fn from(call: &Call) -> Self {
        Self {
            number: call.number,
            model_asked: call.model_asked.clone(),
            model: call.model.clone(),
            region: call.region.clone(),
            usage: call.usage.clone(),
            duration_ms: call.duration_ms,
            first_token_ms: call.first_token_ms,
            outcome: call.outcome.as_str().to_owned(),
            tools: call.tools.clone(),
        }
    }
}

/// The calls for an answer as an item.
pub(super) fn bill(
    owner: &Owner,
    session: &SessionId,
    id: &MessageId,
    asked: Timestamp,
    by: &str,
    calls: &[Call],
) -> Result<Item, StoreError> {
    let kept: Vec<_> = calls.iter().map(Kept::from).collect();
    Ok(keys::bill(owner, asked, id).with([
        ("organization", s(&*owner.organization)),
        ("user", s(&*owner.user)),
        ("session", s(session.as_str())),
        ("message", s(id.as_str())),
        ("asked", n(asked.unix_ms())),
        ("calls", json(&kept)?),
        ("by", s(by)),
    ]))
}

fn calls_of(item: &Item) -> Result<Vec<Call>, StoreError> {
    let owner = Owner { organization: item.text("organization")?.into(), user: item.text("user")?.into() };
    let (session, message): (SessionId, MessageId) = (item.id("session")?, item.id("message")?);
    let asked = Timestamp::from_unix_ms(item.number("asked")?);
    let kept: Vec<Kept> = item.parsed("calls")?;
    let call = |kept: Kept| {
        let Kept { number, model_asked, model, region, usage, duration_ms, first_token_ms, outcome, tools } = kept;
        Ok(Call {
            owner: owner.clone(),
            session: session.clone(),
            message: message.clone(),
            number,
            asked,
            model_asked,
            model,
            region,
            usage,
            duration_ms,
            first_token_ms,
            outcome: CallOutcome::from_text(&outcome)
                .ok_or_else(|| unreadable(format_args!("the outcome {outcome}")))?,
            tools,
        })
    };
    kept.into_iter().map(call).collect()
}

/// How many more partitions to read at once, after some had so many calls.
fn next_partitions(read: usize, calls: usize) -> usize {
    let Some(each) = calls.checked_div(read) else { return 1 };
    ((CallsPage::MAX - calls.min(CallsPage::MAX)) / each.max(1)).clamp(1, PARALLEL_PARTITIONS)
}

impl DynamoStore {
    /// Takes note that there are calls of the day of `asked`.
    pub(super) async fn note_day(&self, asked: Timestamp) -> Result<(), StoreError> {
        let day = keys::day_of(asked);
        if self.days.with(|known| known.contains(&day)) {
            return Ok(());
        }
        self.table.put(keys::day(&day).item()).await?;
        self.days.with(|known| {
            if known.len() >= MAX_DAYS_KNOWN {
                known.clear();
            }
            known.insert(day);
        });
        Ok(())
    }

    pub(super) async fn list_calls(&self, of: &CallsOf, after: Option<String>) -> Result<CallsPage, StoreError> {
        let after: Option<(String, String)> =
            after.map(|text| serde_json::from_str(&text)).transpose().map_err(unreadable)?;
        let partitions = self.partitions(of).await?;
        let mut left: Vec<_> = match &after {
            Some((pk, _)) => partitions.into_iter().filter(|partition| partition >= pk).collect(),
            None => partitions,
        };
        let start = |pk: &String| after.as_ref().filter(|(first, _)| first == pk).map(|(_, sk)| sk.clone());
        let (mut calls, mut read) = (Vec::new(), 0);
        let mut last: Option<(String, String)> = None;
        while !left.is_empty() {
            let some = left.len().min(next_partitions(read, calls.len()));
            let batch: Vec<_> = left.drain(..some).map(|pk| self.bills(of, start(&pk), pk)).collect();
            let found: Vec<Vec<Item>> = stream::iter(batch).buffered(PARALLEL_PARTITIONS).try_collect().await?;
            read += some;
            for item in found.into_iter().flatten() {
                let more = calls_of(&item)?;
                if let Some(last) = last.as_ref().filter(|_| calls.len() + more.len() > CallsPage::MAX) {
                    return Ok(CallsPage { calls, next: Some(serde_json::json!(last).to_string()) });
                }
                calls.extend(more);
                last = Some((item.text(PARTITION)?.to_owned(), item.text(SORT)?.to_owned()));
            }
        }
        Ok(CallsPage { calls, next: None })
    }

    /// The partitions that may have such calls, in their order.
    async fn partitions(&self, of: &CallsOf) -> Result<Vec<String>, StoreError> {
        if of.from >= of.to {
            return Ok(Vec::new());
        }
        let query = self.table.between(keys::DAYS, &keys::day_of(of.from), &keys::day_of(of.to));
        let days = self.table.collect(query, usize::MAX).await?;
        let shards = match (&of.organization, &of.user) {
            (Some(organization), Some(user)) => {
                let owner = Owner { organization: organization.as_str().into(), user: user.as_str().into() };
                let shard = keys::shard_of_calls(&owner);
                shard..shard + 1
            }
            _ => 0..SHARDS,
        };
        let mut partitions = Vec::new();
        for day in &days {
            let day = day.text(SORT)?;
            partitions.extend(shards.clone().map(|shard| keys::calls(day, shard)));
        }
        Ok(partitions)
    }

    /// The items of a partition that have such calls, at most as many as fill a page and one more.
    async fn bills(&self, of: &CallsOf, after: Option<String>, pk: String) -> Result<Vec<Item>, StoreError> {
        let query = match &of.organization {
            Some(organization) => self.table.beginning(&pk, &keys::calls_of(organization, of.user.as_deref())),
            None => self.table.all_of(&pk),
        };
        let mut query = query
            .expression_attribute_names("#asked", "asked")
            .expression_attribute_values(":from", n(of.from.unix_ms()))
            .expression_attribute_values(":to", n(of.to.unix_ms()));
        let mut wanted = "#asked >= :from AND #asked < :to".to_owned();
        // Keys begin with the organisation.
        if let (None, Some(user)) = (&of.organization, &of.user) {
            wanted.push_str(" AND #user = :user");
            query =
                query.expression_attribute_names("#user", "user").expression_attribute_values(":user", s(user.clone()));
        }
        query = query.filter_expression(wanted);
        if let Some(sk) = after {
            query = query.set_exclusive_start_key(Some(keys::Key { pk, sk }.item()));
        }
        self.table.collect(query, CallsPage::MAX + 1).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_partitions_are_read_at_once_as_are_likely_to_fill_a_page() {
        assert_eq!(next_partitions(0, 0), 1);
        assert_eq!(next_partitions(1, 0), 8);
        assert_eq!(next_partitions(1, 300), 2);
        assert_eq!(next_partitions(2, 999), 1);
        assert_eq!(next_partitions(2, 1_000), 1);
    }
}
