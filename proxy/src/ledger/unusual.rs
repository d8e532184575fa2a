//! Users who use far more than they did before.
//!
//! The rule: the tokens of a user in one hour are unusual where they are more than some [`Rule::times`] the user's mean, and more
//! than [`Rule::floor_tokens`]. The mean is that of the hours of the [`BEFORE_MS`] before in which the user used any at all. Of somebody
//! who used nothing in that time nothing is known, and nothing is unusual.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use protocol::{
    Timestamp,
    server::{BudgetScope, BudgetUnit},
};
use tokio::time::Instant;

use super::alerts::{Alert, AlertKind, AlertPeriod};
use crate::{
    principal::Owner,
    store::{Account, Call, CallsOf, Limit, Store, StoreError},
};

const HOUR_MS: u64 = 3_600_000;

/// The time before an hour that it is compared with, in milliseconds.
pub const BEFORE_MS: u64 = 7 * 24 * HOUR_MS;

/// How often a user is looked at, at most, by each proxy.
pub const LOOK_INTERVAL: Duration = Duration::from_secs(5 * 60);

/// How often users are looked for who used more since they were looked at.
pub const LOOK_AGAIN_INTERVAL: Duration = Duration::from_secs(60);

/// The most users that a proxy looks at within [`LOOK_INTERVAL`].
pub const MAX_USERS: usize = 10_000;

/// What is unusual.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// How many times the mean.
    pub times: u32,
    /// What is never unusual, in tokens of an hour.
    pub floor_tokens: u64,
}

/// Looks at users, each now and then.
#[derive(Debug)]
pub struct Unusual {
    rule: Rule,
    users: HashMap<Owner, Looked>,
}

/// When a user was looked at.
#[derive(Debug)]
struct Looked {
    at: Instant,
    /// The hour in which more was used since then, the latest.
    more: Option<u64>,
}

impl Unusual {
    /// Nobody was looked at yet.
    pub fn new(rule: Rule) -> Self {
        Self { rule, users: HashMap::new() }
    }

    /// Adds to `alerts` what there is to alert of after `calls` were settled. What is added is raised, even if the store fails then.
    pub(super) async fn look_at(
        &mut self,
        store: &dyn Store,
        calls: &[Call],
        alerts: &mut Vec<Alert>,
    ) -> Result<(), StoreError> {
        let now = Instant::now();
        let hours: BTreeMap<&Owner, u64> = calls.iter().map(|call| (&call.owner, hour_of(call.asked))).collect();
        let mut due = Vec::new();
        for (owner, hour) in hours {
            match self.users.get_mut(owner) {
                Some(looked) if now < looked.at + LOOK_INTERVAL => looked.more = Some(hour),
                _ => due.push((owner.clone(), hour)),
            }
        }
        self.look(store, due, now, alerts).await
    }

    /// The same for users who used more since they were looked at. Forgets the others.
    pub(super) async fn look_again(&mut self, store: &dyn Store, alerts: &mut Vec<Alert>) -> Result<(), StoreError> {
        let now = Instant::now();
        self.users.retain(|_, looked| looked.more.is_some() || now < looked.at + LOOK_INTERVAL);
        let is_due = |looked: &Looked| looked.more.filter(|_| now >= looked.at + LOOK_INTERVAL);
        let due = self.users.iter().filter_map(|(owner, looked)| Some((owner.clone(), is_due(looked)?))).collect();
        self.look(store, due, now, alerts).await
    }

    async fn look(
        &mut self,
        store: &dyn Store,
        due: Vec<(Owner, u64)>,
        now: Instant,
        alerts: &mut Vec<Alert>,
    ) -> Result<(), StoreError> {
        for (owner, hour) in due {
            if self.users.len() >= MAX_USERS && !self.users.contains_key(&owner) {
                continue;
            }
            // Where the store fails the user is looked at again.
            self.users.insert(owner.clone(), Looked { at: now, more: Some(hour) });
            alerts.extend(self.alert(store, &owner, hour).await?);
            self.users.insert(owner, Looked { at: now, more: None });
        }
        Ok(())
    }

    async fn alert(&self, store: &dyn Store, owner: &Owner, hour: u64) -> Result<Option<Alert>, StoreError> {
        let Rule { times, floor_tokens } = self.rule;
        let tokens: u64 = by_hour(store, owner, hour, hour + HOUR_MS).await?.values().sum();
        if tokens <= floor_tokens {
            return Ok(None);
        }
        let before = by_hour(store, owner, hour.saturating_sub(BEFORE_MS), hour).await?;
        let active = before.len() as u64;
        let Some(mean) = before.values().sum::<u64>().checked_div(active) else { return Ok(None) };
        let most = mean.saturating_mul(times.into()).max(floor_tokens);
        if tokens <= most {
            return Ok(None);
        }
        let ends = Timestamp::from_unix_ms(hour + HOUR_MS);
        let Owner { organization, user } = owner;
        let key = serde_json::json!(["unusual", hour, organization.as_ref(), user.as_ref()]).to_string();
        let account = Account { key, until: ends, limit: Limit::default() };
        if !store.raise_alert(&account, 100).await? {
            return Ok(None);
        }
        let text = format!(
            "User {user} of {organization} used {tokens} tokens in the hour until {ends}; {mean} is the mean of the {active} hours \
             of the 7 days before in which there was any use."
        );
        Ok(Some(Alert {
            kind: AlertKind::Unusual,
            scope: BudgetScope::User,
            organization: Some(organization.to_string()),
            user: Some(user.to_string()),
            period: AlertPeriod::Hour,
            percent: tokens.saturating_mul(100) / mean.max(1),
            spent: tokens,
            limit: most,
            unit: BudgetUnit::Tokens,
            renews_at: ends,
            text,
        }))
    }
}

/// The begin of the hour of `time`, in milliseconds.
fn hour_of(time: Timestamp) -> u64 {
    time.unix_ms() / HOUR_MS * HOUR_MS
}

/// The tokens of a user in each hour in which there were any.
async fn by_hour(store: &dyn Store, owner: &Owner, from: u64, to: u64) -> Result<BTreeMap<u64, u64>, StoreError> {
    let of = CallsOf {
        organization: Some(owner.organization.to_string()),
        user: Some(owner.user.to_string()),
        from: Timestamp::from_unix_ms(from),
        to: Timestamp::from_unix_ms(to),
    };
    let (mut hours, mut after) = (BTreeMap::new(), None);
    loop {
        let page = store.calls(&of, after).await?;
        for call in page.calls.iter().filter(|call| call.usage.total_tokens > 0) {
            *hours.entry(hour_of(call.asked)).or_default() += call.usage.total_tokens;
        }
        after = page.next;
        if after.is_none() {
            return Ok(hours);
        }
    }
}

#[cfg(test)]
mod tests;
