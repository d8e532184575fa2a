//! Alerts, and those of budgets of which much is spent.

use std::collections::{BTreeSet, HashMap};

use protocol::{
    Timestamp,
    price::usd,
    server::{BudgetPeriod, BudgetScope, BudgetState, BudgetUnit},
};
use serde::Serialize;
use tracing::warn;

use super::budgets::{Budgets, account_name};
use crate::{
    principal::Owner,
    store::{Account, Call, Limit, Store, StoreError},
};

/// Of how many budgets of somebody a process remembers what was raised. More are forgotten, and the store is asked again.
const MAX_REMEMBERED: usize = 10_000;

/// What an alert is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// Much of a budget is spent.
    Budget,
    /// A user uses far more than before.
    Unusual,
}

/// How long the time is that an alert is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertPeriod {
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// A month.
    Month,
}

/// Something that an administrator should know now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// What it is about.
    pub kind: AlertKind,
    /// Whose it is.
    pub scope: BudgetScope,
    /// The organisation, unless it is everybody's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// The user, where it is one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// What time it is about.
    pub period: AlertPeriod,
    /// Of a budget the height that is reached; of unusual usage what it is of the usual one. In percent.
    pub percent: u64,
    /// How much is spent in that time.
    pub spent: u64,
    /// The budget, or the most that is usual.
    pub limit: u64,
    /// What both are.
    pub unit: BudgetUnit,
    /// When that time ends.
    pub renews_at: Timestamp,
    /// All of that for a person.
    pub text: String,
}

impl Alert {
    /// Writes it to the log.
    pub fn log(&self) {
        let Self { kind, scope, organization, user, period, percent, spent, limit, unit, renews_at, text } = self;
        warn!(
            ?kind,
            ?scope,
            organization,
            user,
            ?period,
            percent,
            spent,
            limit,
            ?unit,
            %renews_at,
            "alert: {text}"
        );
    }
}

/// Raises an alert where so much of a budget is spent: once for each budget, whose it is, time and height, whichever proxy is first.
#[derive(Debug)]
pub struct Heights {
    budgets: Budgets,
    /// In percent, the highest first.
    heights: Vec<u32>,
    /// The highest that is raised, by the key of [`of_unit`].
    raised: HashMap<String, u32>,
}

impl Heights {
    /// Alerts at these heights of `budgets`, in percent.
    pub fn new(budgets: Budgets, mut heights: Vec<u32>) -> Self {
        heights.sort_unstable_by(|a, b| b.cmp(a));
        Self { budgets, heights, raised: HashMap::new() }
    }

    /// Adds to `alerts` what there is to alert of after `calls` were settled. What is added is raised, even if the store fails then.
    pub(super) async fn look_at(
        &mut self,
        store: &dyn Store,
        calls: &[Call],
        alerts: &mut Vec<Alert>,
    ) -> Result<(), StoreError> {
        if self.budgets.is_empty() {
            return Ok(());
        }
        let answers: BTreeSet<(&Owner, Timestamp)> = calls.iter().map(|call| (&call.owner, call.asked)).collect();
        // Answers of an owner that count in the same accounts are looked at once.
        let mut seen = BTreeSet::new();
        for (owner, asked) in answers {
            let before = seen.len();
            seen.extend(self.budgets.accounts(owner, asked).into_iter().map(|account| account.key));
            if seen.len() == before {
                continue;
            }
            for (account, state) in self.budgets.standing(store, owner, asked).await? {
                alerts.extend(self.alert(store, owner, &account, &state).await?);
            }
        }
        Ok(())
    }

    async fn alert(
        &mut self,
        store: &dyn Store,
        owner: &Owner,
        account: &Account,
        state: &BudgetState,
    ) -> Result<Option<Alert>, StoreError> {
        let spent_percent = u128::from(state.spent) * 100 / u128::from(state.limit.max(1));
        let reached = self.heights.iter().find(|height| spent_percent >= u128::from(**height)).copied();
        let raised = of_unit(account, state.unit);
        let known = self.raised.get(&raised.key).copied().unwrap_or(0);
        let Some(height) = reached.filter(|height| *height > known) else { return Ok(None) };
        let is_new = store.raise_alert(&raised, height).await?;
        self.remember(raised, height);
        Ok(is_new.then(|| budget_alert(owner, account, state, height)))
    }

    fn remember(&mut self, account: Account, height: u32) {
        if self.raised.len() >= MAX_REMEMBERED {
            self.raised.clear();
        }
        self.raised.insert(account.key, height);
    }
}

/// What alerts of one unit are raised for: a budget in dollars and one in tokens have one account together.
pub(super) fn of_unit(account: &Account, unit: BudgetUnit) -> Account {
    let unit = serde_json::json!(unit);
    Account { key: format!("{unit} {}", account.key), limit: Limit::default(), ..*account }
}

fn budget_alert(owner: &Owner, account: &Account, state: &BudgetState, height: u32) -> Alert {
    let BudgetState { scope, period, unit, limit, spent, renews_at, .. } = state.clone();
    let written = |amount: u64| match unit {
        BudgetUnit::NanoUsd => usd(amount),
        BudgetUnit::Tokens => format!("{amount} tokens"),
    };
    let text = format!(
        "{height}% of the budget of {} is spent: {} of {}. It renews at {renews_at}.",
        account_name(account),
        written(spent),
        written(limit)
    );
    Alert {
        kind: AlertKind::Budget,
        scope,
        organization: (scope != BudgetScope::Proxy).then(|| owner.organization.to_string()),
        user: (scope == BudgetScope::User).then(|| owner.user.to_string()),
        period: match period {
            BudgetPeriod::Day => AlertPeriod::Day,
            BudgetPeriod::Month => AlertPeriod::Month,
        },
        percent: height.into(),
        spent,
        limit,
        unit,
        renews_at,
        text,
    }
}

#[cfg(test)]
mod tests;
