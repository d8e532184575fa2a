use protocol::server::BudgetUnit;

use super::*;
use crate::{
    ledger::{
        alerts::of_unit,
        budgets::Budgets,
        testing::{at, call, settle},
        unusual::Rule,
    },
    principal::Owner,
    store::{MemoryStore, Reservation},
};

fn calls(message: &str) -> Vec<Call> {
    vec![call(&Owner::local(), message, at(0), 60, None)]
}

#[tokio::test]
async fn who_tells_never_waits_and_what_is_too_much_is_left_out() {
    let (watch, mut settled) = Watch::new(Observe::default());
    watch.settled(None, Vec::new(), None);
    for n in 0..MAX_WAITING + 5 {
        watch.settled(None, calls(&n.to_string()), None);
    }
    Watch::default().settled(None, calls("nobody"), None);
    settled.close();
    let mut heard = Vec::new();
    while let Some(calls) = settled.recv().await {
        heard.push(calls);
    }
    assert_eq!(heard, (0..MAX_WAITING).map(|n| calls(&n.to_string())).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_waits_when_it_is_to_stop_is_looked_at() {
    let store = Arc::new(MemoryStore::default());
    let budgets = Budgets::new(vec!["user/day=100tokens".parse().unwrap()]).unwrap();
    let accounts = budgets.accounts(&Owner::local(), at(0));
    let (watch, settled) = Watch::new(Observe::default());
    let watcher = Watcher {
        settled,
        store: store.clone(),
        unusual: Unusual::new(Rule { times: 10, floor_tokens: 1 }),
        heights: Heights::new(budgets, vec![50]),
        metrics: None,
        webhook: None,
        now: || at(0),
    };
    settle(store.as_ref(), Reservation { accounts: accounts.clone(), ..Reservation::default() }, calls("1")).await;
    watch.settled(None, calls("1"), None);
    let stop = CancellationToken::new();
    stop.cancel();
    watcher.run(stop).await;
    let raised = of_unit(&accounts[0], BudgetUnit::Tokens);
    assert_eq!(store.raise_alert(&raised, 50).await, Ok(false), "it is raised");
    assert_eq!(store.raise_alert(&raised, 51).await, Ok(true));
    watch.settled(None, calls("2"), None);
}
