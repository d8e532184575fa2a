use super::*;
use crate::{
    ledger::testing::{at, call, settle},
    store::{MemoryStore, Reservation},
};

const DAY_MS: u64 = 86_400_000;

fn budgets(texts: &[&str]) -> Budgets {
    Budgets::new(texts.iter().map(|text| text.parse().unwrap()).collect()).unwrap()
}

/// A process, which settles calls and looks at them.
struct Process<'a>(&'a MemoryStore, Heights);

impl Process<'_> {
    async fn spend(&mut self, user: &str, message: &str, asked: Timestamp, tokens: u64, cost: u64) -> Vec<Alert> {
        let owner = Owner { organization: "acme".into(), user: user.into() };
        let reservation = Reservation { accounts: self.1.budgets.accounts(&owner, asked), ..Reservation::default() };
        let calls = vec![call(&owner, message, asked, tokens, Some(cost))];
        settle(self.0, reservation, calls.clone()).await;
        self.look_at(&calls).await
    }

    async fn look_at(&mut self, calls: &[Call]) -> Vec<Alert> {
        let mut alerts = Vec::new();
        self.1.look_at(self.0, calls, &mut alerts).await.unwrap();
        alerts
    }
}

fn told(alerts: &[Alert]) -> Vec<(BudgetScope, AlertPeriod, u64, u64)> {
    alerts.iter().map(|alert| (alert.scope, alert.period, alert.percent, alert.spent)).collect()
}

#[tokio::test]
async fn each_height_of_each_budget_is_told_once_whichever_process_sees_it() {
    let store = MemoryStore::default();
    let heights = || Heights::new(budgets(&["user/day=100tokens", "proxy/month=1000tokens"]), vec![80, 50, 100, 20]);
    let (mut one, mut other) = (Process(&store, heights()), Process(&store, heights()));
    assert_eq!(one.spend("ann", "1", at(0), 19, 0).await, []);
    let user = BudgetScope::User;
    assert_eq!(told(&one.spend("ann", "2", at(1), 1, 0).await), [(user, AlertPeriod::Day, 20, 20)]);
    assert_eq!(other.spend("ann", "3", at(2), 1, 0).await, [], "told by the other");
    // Two heights at once are one alert.
    assert_eq!(told(&other.spend("ann", "4", at(3), 60, 0).await), [(user, AlertPeriod::Day, 80, 81)]);
    assert_eq!(one.spend("ann", "5", at(4), 1, 0).await, []);
    let both = one.spend("bob", "6", at(5), 118, 0).await;
    assert_eq!(told(&both), [(user, AlertPeriod::Day, 100, 118), (BudgetScope::Proxy, AlertPeriod::Month, 20, 200)]);
    assert_eq!(
        told(&one.spend("ann", "7", at(DAY_MS), 50, 0).await),
        [(user, AlertPeriod::Day, 50, 50)],
        "another day"
    );
    assert_eq!((both[0].user.as_deref(), both[0].organization.as_deref()), (Some("bob"), Some("acme")));
    assert_eq!((&both[1].user, &both[1].organization), (&None, &None));
}

#[tokio::test]
async fn an_alert_says_how_much_of_what_is_spent_by_whom() {
    let store = MemoryStore::default();
    let heights = Heights::new(budgets(&["user/day=5usd"]), vec![80]);
    let alerts = Process(&store, heights).spend("ann", "1", at(0), 9, 4_020_000_000).await;
    let json = serde_json::json!(alerts);
    assert_eq!(
        json,
        serde_json::json!([{
            "kind": "budget", "scope": "user", "organization": "acme", "user": "ann", "period": "day", "percent": 80,
            "spent": 4_020_000_000_u64, "limit": 5_000_000_000_u64, "unit": "nano_usd",
            "renewsAt": "2026-11-24T00:00:00.000Z",
            "text": "80% of the budget of user ann of acme, 2026-11-23 is spent: $4.02 of $5.00. It renews at \
                     2026-11-24T00:00:00.000Z.",
        }])
    );
}

#[tokio::test]
async fn answers_settled_together_are_one_look_and_no_budget_is_none() {
    let store = MemoryStore::default();
    let mut process = Process(&store, Heights::new(budgets(&["organization/day=10tokens"]), vec![50, 100]));
    let owner = |user: &str| Owner { organization: "acme".into(), user: user.into() };
    let mut calls = Vec::new();
    for (user, message) in [("ann", "1"), ("bob", "2")] {
        let accounts = process.1.budgets.accounts(&owner(user), at(0));
        let more = vec![call(&owner(user), message, at(0), 5, None)];
        settle(&store, Reservation { accounts, ..Reservation::default() }, more.clone()).await;
        calls.extend(more);
    }
    let alerts = process.look_at(&calls).await;
    assert_eq!(told(&alerts), [(BudgetScope::Organization, AlertPeriod::Day, 100, 10)]);
    let mut none = Process(&store, Heights::new(Budgets::default(), vec![1]));
    assert_eq!(none.look_at(&calls).await, []);
}

#[tokio::test]
async fn dollars_and_tokens_have_heights_of_their_own() {
    let store = MemoryStore::default();
    let mut process = Process(&store, Heights::new(budgets(&["user/day=1usd", "user/day=100tokens"]), vec![50]));
    let units = |alerts: &[Alert]| alerts.iter().map(|alert| alert.unit).collect::<Vec<_>>();
    assert_eq!(units(&process.spend("ann", "1", at(0), 1, 600_000_000).await), [BudgetUnit::NanoUsd]);
    assert_eq!(units(&process.spend("ann", "2", at(1), 60, 0).await), [BudgetUnit::Tokens]);
    assert_eq!(process.spend("ann", "3", at(2), 1, 1).await, []);
}
