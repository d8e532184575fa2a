//! Budgets: how much may be spent by whom in which time.
//!
//! What an answer may cost at most is set aside before the model is called, in the accounts of everybody whose budget it counts
//! against. The store does that in one step, so that any number of answers at once stay within a budget together.

use std::str::FromStr;

use protocol::{
    Catalog, ErrorCode, ErrorData, Timestamp, Usage,
    price::{nano_usd, usd},
    server::{BudgetPeriod, BudgetScope, BudgetState, BudgetUnit},
};
use serde::{Deserialize, Serialize};

use crate::{
    principal::Owner,
    store::{Account, Amount, Balance, Limit, Reservation, Store, StoreError},
};

const DAY_MS: u64 = 86_400_000;

/// How much may be spent by each of some in a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// By whom.
    pub scope: BudgetScope,
    /// In which time.
    pub period: BudgetPeriod,
    /// In what.
    pub unit: BudgetUnit,
    /// How much.
    pub limit: u64,
}

impl FromStr for Budget {
    type Err = String;

    /// Out of text such as `user/day=5usd` or `proxy/month=2000000tokens`.
    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("{text:?} is no budget; write it as user/day=5usd or organization/month=2000000tokens");
        let (whose, amount) = text.trim().split_once('=').ok_or_else(bad)?;
        let (scope, period) = whose.trim().split_once('/').ok_or_else(bad)?;
        let scope = match scope.trim() {
            "user" => BudgetScope::User,
            "organization" => BudgetScope::Organization,
            "proxy" => BudgetScope::Proxy,
            _ => return Err(bad()),
        };
        let period = match period.trim() {
            "day" => BudgetPeriod::Day,
            "month" => BudgetPeriod::Month,
            _ => return Err(bad()),
        };
        let amount = amount.trim();
        let (unit, limit) = if let Some(tokens) = amount.strip_suffix("tokens") {
            (BudgetUnit::Tokens, tokens.trim().parse().map_err(|_| bad())?)
        } else {
            let dollars = amount.strip_suffix("usd").or_else(|| amount.strip_prefix('$')).ok_or_else(bad)?;
            (BudgetUnit::NanoUsd, nano_usd(dollars.trim())?.ok_or_else(bad)?)
        };
        Ok(Self { scope, period, unit, limit })
    }
}

/// What an account's key says.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Key(BudgetScope, BudgetPeriod, String, Option<String>, Option<String>);

/// All the budgets that hold.
#[derive(Debug, Clone, Default)]
pub struct Budgets(Vec<Budget>);

impl Budgets {
    /// These.
    ///
    /// # Errors
    /// A sentence for a person where two budgets are for the same.
    pub fn new(budgets: Vec<Budget>) -> Result<Self, String> {
        for (n, budget) in budgets.iter().enumerate() {
            let Budget { scope, period, unit, .. } = *budget;
            if budgets[..n].iter().any(|other| (other.scope, other.period, other.unit) == (scope, period, unit)) {
                return Err(format!("there are two budgets {}", name(scope, period)));
            }
        }
        Ok(Self(budgets))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether any is in dollars: every model needs a price then.
    pub fn are_in_dollars(&self) -> bool {
        self.0.iter().any(|budget| budget.unit == BudgetUnit::NanoUsd)
    }

    /// What is set aside for an answer to so many tokens by the dearest of `models`, each with the most tokens it may write.
    pub fn reservation<'a>(
        &self,
        owner: &Owner,
        now: Timestamp,
        catalog: &Catalog,
        input_tokens: u64,
        models: impl IntoIterator<Item = (&'a str, u32)>,
    ) -> Reservation {
        if self.is_empty() {
            return Reservation::default();
        }
        let mut amount = Amount::default();
        for (model, max_tokens) in models {
            let output_tokens = u64::from(max_tokens);
            let total_tokens = input_tokens + output_tokens;
            let mut usage = Usage { input_tokens, output_tokens, total_tokens, ..Usage::default() };
            catalog.price(model, &mut usage);
            amount.nano_usd = amount.nano_usd.max(usage.cost_nano_usd.unwrap_or(0));
            amount.tokens = amount.tokens.max(total_tokens);
        }
        Reservation { amount, accounts: self.accounts(owner, now) }
    }

    /// The accounts that `owner`'s answers of now count in.
    pub fn accounts(&self, owner: &Owner, now: Timestamp) -> Vec<Account> {
        let mut accounts: Vec<Account> = Vec::new();
        for budget in &self.0 {
            let (key, until) = account(budget, owner, now);
            let n = accounts.iter().position(|account| account.key == key).unwrap_or_else(|| {
                accounts.push(Account { key, until, limit: Limit::default() });
                accounts.len() - 1
            });
            match budget.unit {
                BudgetUnit::NanoUsd => accounts[n].limit.nano_usd = Some(budget.limit),
                BudgetUnit::Tokens => accounts[n].limit.tokens = Some(budget.limit),
            }
        }
        accounts
    }

    /// How the budgets stand that hold for `owner`.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    pub async fn states(
        &self,
        store: &dyn Store,
        owner: &Owner,
        now: Timestamp,
    ) -> Result<Vec<BudgetState>, StoreError> {
        let standing = self.standing(store, owner, now).await?;
        Ok(standing.into_iter().map(|(_, state)| state).collect())
    }

    /// The same with the account of each.
    pub(super) async fn standing(
        &self,
        store: &dyn Store,
        owner: &Owner,
        now: Timestamp,
    ) -> Result<Vec<(Account, BudgetState)>, StoreError> {
        let accounts = self.accounts(owner, now);
        let balances = store.balances(&accounts).await?;
        let state = |budget: &Budget| {
            let (key, until) = account(budget, owner, now);
            let (account, balance) = accounts.iter().zip(&balances).find(|(account, _)| account.key == key)?;
            let Balance { spent, reserved } = *balance;
            let of = |amount: Amount| match budget.unit {
                BudgetUnit::NanoUsd => amount.nano_usd,
                BudgetUnit::Tokens => amount.tokens,
            };
            let Budget { scope, period, unit, limit } = *budget;
            let state =
                BudgetState { scope, period, unit, limit, spent: of(spent), reserved: of(reserved), renews_at: until };
            Some((account.clone(), state))
        };
        Ok(self.0.iter().filter_map(state).collect())
    }
}

/// Names the account that `owner`'s answers of `now` count in, and tells when it ends.
fn account(budget: &Budget, owner: &Owner, now: Timestamp) -> (String, Timestamp) {
    let date = now.to_string();
    let (begin, until) = match budget.period {
        BudgetPeriod::Day => (&date[..10], Timestamp::from_unix_ms((now.unix_ms() / DAY_MS + 1) * DAY_MS)),
        BudgetPeriod::Month => (&date[..7], next_month(&date)),
    };
    let organization = (budget.scope != BudgetScope::Proxy).then(|| owner.organization.to_string());
    let user = (budget.scope == BudgetScope::User).then(|| owner.user.to_string());
    let key = Key(budget.scope, budget.period, begin.to_owned(), organization, user);
    (serde_json::json!(key).to_string(), until)
}

/// The first moment of the month after that of `date`, which is RFC 3339.
fn next_month(date: &str) -> Timestamp {
    let number = |text: &str| text.parse::<u32>().unwrap_or(1);
    let (year, month) = (number(&date[..4]), number(&date[5..7]));
    let (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    Timestamp::try_from(format!("{year:04}-{month:02}-01T00:00:00.000Z")).unwrap_or(Timestamp::MAX)
}

/// A budget for a person to read: `of this user for today`.
fn name(scope: BudgetScope, period: BudgetPeriod) -> String {
    let whose = match scope {
        BudgetScope::User => "of this user",
        BudgetScope::Organization => "of this organization",
        BudgetScope::Proxy => "of this proxy",
    };
    let time = match period {
        BudgetPeriod::Day => "for today",
        BudgetPeriod::Month => "for this month",
    };
    format!("{whose} {time}")
}

/// An account for a person to read: whose it is, with names, and its time.
pub fn account_name(account: &Account) -> String {
    let Ok(Key(_, _, time, organization, user)) = serde_json::from_str(&account.key) else {
        return account.key.clone();
    };
    match (organization, user) {
        (Some(organization), Some(user)) => format!("user {user} of {organization}, {time}"),
        (Some(organization), None) => format!("organization {organization}, {time}"),
        _ => format!("the whole proxy, {time}"),
    }
}

/// What a client is told whose answer is over budget.
pub fn over_budget(account: &Account, balance: Balance, amount: Amount, now: Timestamp) -> ErrorData {
    let what = match serde_json::from_str(&account.key) {
        Ok(Key(scope, period, ..)) => name(scope, period),
        Err(_) => String::new(),
    };
    let Limit { nano_usd, tokens } = account.limit;
    let used = balance.used();
    let in_dollars = nano_usd.is_some_and(|limit| used.nano_usd.saturating_add(amount.nano_usd) > limit);
    let written = |amount: Amount| match in_dollars {
        true => usd(amount.nano_usd),
        false => format!("{} tokens", amount.tokens),
    };
    let limit = Amount { nano_usd: nano_usd.unwrap_or(u64::MAX), tokens: tokens.unwrap_or(u64::MAX) };
    let Balance { spent, reserved } = balance;
    let renews = account.until;
    let text = if !account.limit.allows(amount) {
        format!(
            "This answer may take up to {}, more than the whole budget {what} ({}). Send less at once, or have the budget raised.",
            written(amount),
            written(limit)
        )
    } else if account.limit.allows(spent.plus(amount)) {
        format!(
            "The rest of the budget {what} is set aside for answers under way ({} of {}, {} spent). Try again when they have ended.",
            written(reserved),
            written(limit),
            written(spent)
        )
    } else {
        format!(
            "The budget {what} is used up: {} of {} are spent, and this answer may take {}. It renews at {renews}.",
            written(spent),
            written(limit),
            written(amount)
        )
    };
    let mut data = ErrorData::new(ErrorCode::BudgetExceeded, text);
    data.retry_after_ms = Some(renews.unix_ms().saturating_sub(now.unix_ms()));
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::try_from(text.to_owned()).unwrap()
    }

    fn budgets(texts: &[&str]) -> Budgets {
        Budgets::new(texts.iter().map(|text| text.parse().unwrap()).collect()).unwrap()
    }

    #[test]
    fn budgets_are_read_from_text_and_bad_ones_are_named() {
        let budget: Budget = " organization / month = 12.5usd ".parse().unwrap();
        let Budget { scope, period, unit, limit } = budget;
        assert_eq!((scope, period), (BudgetScope::Organization, BudgetPeriod::Month));
        assert_eq!((unit, limit), (BudgetUnit::NanoUsd, 12_500_000_000));
        assert_eq!("user/day=7 tokens".parse::<Budget>().unwrap().limit, 7);
        assert_eq!("proxy/day=$0.01".parse::<Budget>().unwrap().limit, 10_000_000);
        for bad in
            ["", "user", "user/day", "user/day=5", "user/week=5usd", "team/day=5usd", "user/day=-5usd", "user/day=usd"]
        {
            let error = bad.parse::<Budget>().unwrap_err();
            assert!(error.contains("user/day=5usd") || error.contains("price"), "{bad}: {error}");
        }
        let twice = ["user/day=1usd", "user/day=2usd"].map(|text| text.parse().unwrap());
        assert_eq!(Budgets::new(twice.into()).unwrap_err(), "there are two budgets of this user for today");
    }

    #[test]
    fn a_day_and_a_month_end_at_midnight_utc() {
        let budgets = budgets(&["user/day=1usd", "proxy/month=5tokens"]);
        let ends =
            |now| budgets.accounts(&Owner::local(), at(now)).iter().map(|a| a.until.to_string()).collect::<Vec<_>>();
        assert_eq!(ends("2026-11-26T23:59:59.999Z"), ["2026-11-27T00:00:00.000Z", "2026-12-01T00:00:00.000Z"]);
        assert_eq!(ends("2026-12-31T00:00:00.000Z"), ["2027-01-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z"]);
        assert_eq!(ends("2028-02-28T12:00:00.000Z"), ["2028-02-29T00:00:00.000Z", "2028-03-01T00:00:00.000Z"]);
    }

    #[test]
    fn dollars_and_tokens_of_the_same_are_one_account_and_names_cannot_be_mixed_up() {
        let budgets = budgets(&["user/day=1usd", "user/day=5tokens", "organization/day=7tokens"]);
        let now = at("2026-11-26T09:00:00.000Z");
        let accounts = budgets.accounts(&Owner::local(), now);
        assert_eq!(accounts.len(), 2);
        assert_eq!(accounts[0].limit, Limit { nano_usd: Some(1_000_000_000), tokens: Some(5) });
        let keys = |organization: &str, user: &str| {
            let owner = Owner { organization: organization.into(), user: user.into() };
            budgets.accounts(&owner, now)[0].key.clone()
        };
        assert_ne!(keys("a\",\"b", "c"), keys("a", "b\",\"c"));
        assert_eq!(account_name(&accounts[0]), "user local of local, 2026-11-26");
    }

    #[test]
    fn what_is_set_aside_is_input_and_the_longest_answer_of_the_dearest_model() {
        let budgets = budgets(&["user/day=1usd"]);
        let now = at("2026-11-26T09:00:00.000Z");
        let catalog = Catalog::builtin();
        let models =
            [("anthropic.claude-3-haiku-20240307-v1:0", 100), ("anthropic.claude-3-5-sonnet-20241022-v2:0", 10)];
        let Reservation { amount, .. } = budgets.reservation(&Owner::local(), now, &catalog, 10, models);
        assert_eq!(amount, Amount { nano_usd: 10 * 3_000 + 10 * 15_000, tokens: 110 });
        let none = Budgets::default().reservation(&Owner::local(), now, &catalog, 30, models);
        assert_eq!(none, Reservation::default());
    }

    #[test]
    fn whoever_is_over_budget_is_told_why_and_until_when() {
        let now = at("2026-11-26T23:00:00.000Z");
        let account = &budgets(&["user/day=1usd"]).accounts(&Owner::local(), now)[0];
        let nano = |nano_usd| Amount { nano_usd, tokens: 0 };
        let balance = Balance { spent: nano(990_000_000), reserved: nano(0) };
        let error = over_budget(account, balance, nano(61_000_000), now);
        assert_eq!((error.code, error.retry_after_ms), (ErrorCode::BudgetExceeded, Some(3_600_000)));
        assert_eq!(
            error.message,
            "The budget of this user for today is used up: $0.99 of $1.00 are spent, and this answer may take $0.061. It renews at 2026-11-27T00:00:00.000Z."
        );
        let balance = Balance { spent: nano(0), reserved: nano(990_000_000) };
        assert!(
            over_budget(account, balance, nano(61_000_000), now).message.contains("set aside for answers under way")
        );
        let more = over_budget(account, Balance::default(), nano(2_000_000_000), now).message;
        assert!(more.contains("more than the whole budget of this user for today ($1.00)"), "{more}");
    }
}
