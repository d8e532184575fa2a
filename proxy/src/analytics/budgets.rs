//! `budget_status`.

use protocol::{
    Timestamp,
    server::{BudgetPeriod, BudgetScope, BudgetState, BudgetUnit},
};
use rmcp::model::JsonObject;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Analytics, Caller, arguments::Nothing, days::Day, failure::Failure, figures::dollars, read};

/// The budgets that hold for whoever asks.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    today: Day,
    organization: String,
    user: String,
    budgets: Vec<Budget>,
    notes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Budget {
    of: BudgetScope,
    period: BudgetPeriod,
    /// `usd` or `tokens`; dollars are texts, since they are exact.
    unit: &'static str,
    limit: Value,
    spent: Value,
    reserved: Value,
    left: Value,
    renews_at: Timestamp,
}

impl Analytics {
    pub(super) async fn budget_status(&self, arguments: JsonObject, caller: &Caller) -> Result<Answer, Failure> {
        let Nothing {} = read(arguments)?;
        let now = (self.now)();
        let states = self.reports.budgets(&caller.owner(), now).await?;
        let notes = match states.is_empty() {
            true => vec!["No budgets are set: nothing limits what is spent.".to_owned()],
            false => vec!["reserved is set aside for answers under way, this one among them.".to_owned()],
        };
        Ok(Answer {
            today: Day::of(now),
            organization: caller.organization.clone(),
            user: caller.user.clone(),
            budgets: states.iter().map(budget).collect(),
            notes,
        })
    }
}

fn budget(state: &BudgetState) -> Budget {
    let BudgetState { scope, period, unit, limit, spent, reserved, renews_at } = *state;
    let amount = |amount: u64| match unit {
        BudgetUnit::NanoUsd => json!(dollars(amount)),
        BudgetUnit::Tokens => json!(amount),
    };
    Budget {
        of: scope,
        period,
        unit: match unit {
            BudgetUnit::NanoUsd => "usd",
            BudgetUnit::Tokens => "tokens",
        },
        limit: amount(limit),
        spent: amount(spent),
        reserved: amount(reserved),
        left: amount(limit.saturating_sub(spent).saturating_sub(reserved)),
        renews_at,
    }
}
