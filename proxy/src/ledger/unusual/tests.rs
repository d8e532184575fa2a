use tokio::time::advance;

use super::*;
use crate::{
    ledger::testing::{at, call, settle},
    store::{MemoryStore, Reservation, SqliteStore},
};

/// A week, in hours.
const WEEK: u64 = 7 * 24;

fn ann() -> Owner {
    Owner { organization: "acme".into(), user: "ann".into() }
}

fn unusual() -> Unusual {
    Unusual::new(Rule { times: 10, floor_tokens: 100_000 })
}

async fn look_at(unusual: &mut Unusual, store: &dyn Store, calls: &[Call]) -> Vec<Alert> {
    let mut alerts = Vec::new();
    unusual.look_at(store, calls, &mut alerts).await.unwrap();
    alerts
}

async fn look_again(unusual: &mut Unusual, store: &dyn Store) -> Vec<Alert> {
    let mut alerts = Vec::new();
    unusual.look_again(store, &mut alerts).await.unwrap();
    alerts
}

/// A call `hour` hours after a week begins.
async fn used(store: &dyn Store, hour: u64, tokens: u64) -> Vec<Call> {
    let id = format!("{hour}-{tokens}-{}", store.calls(&all(), None).await.unwrap().calls.len());
    let calls = vec![call(&ann(), &id, at(hour * HOUR_MS + 1), tokens, None)];
    settle(store, Reservation::default(), calls.clone()).await;
    calls
}

fn all() -> CallsOf {
    CallsOf { organization: None, user: None, from: Timestamp::from_unix_ms(0), to: Timestamp::MAX }
}

#[tokio::test(start_paused = true)]
async fn ten_times_the_mean_of_active_hours_is_unusual_and_told_once() {
    let store = MemoryStore::default();
    // Twelve hours before the week that counts, and two in it.
    for (hour, tokens) in [(0, 900_000), (1, 15_000), (100, 25_000), (150, 0)] {
        used(&store, hour, tokens).await;
    }
    let (mut one, mut other) = (unusual(), unusual());
    let calls = used(&store, WEEK + 1, 200_000).await;
    assert_eq!(look_at(&mut one, &store, &calls).await, [], "not more than ten times 20,000");
    let calls = used(&store, WEEK + 1, 1).await;
    let alerts = look_at(&mut other, &store, &calls).await;
    let Alert { kind, user, percent, spent, limit, renews_at, text, .. } = &alerts[0];
    assert_eq!((alerts.len(), *kind, user.as_deref()), (1, AlertKind::Unusual, Some("ann")));
    assert_eq!((*percent, *spent, *limit), (1_000, 200_001, 200_000));
    assert_eq!(renews_at.unix_ms(), at((WEEK + 2) * HOUR_MS).unix_ms());
    assert!(text.contains("200001 tokens") && text.contains("20000 is the mean of the 2 hours"), "{text}");
    advance(LOOK_INTERVAL).await;
    assert_eq!(look_at(&mut one, &store, &calls).await, [], "told by the other");
}

#[tokio::test(start_paused = true)]
async fn who_is_new_or_below_the_floor_is_not_unusual() {
    let store = MemoryStore::default();
    let calls = used(&store, 0, 5_000_000).await;
    assert_eq!(look_at(&mut unusual(), &store, &calls).await, [], "nothing to compare with");
    let store = MemoryStore::default();
    used(&store, 0, 10).await;
    let calls = used(&store, 1, 100_000).await;
    assert_eq!(look_at(&mut unusual(), &store, &calls).await, [], "not more than the floor");
    let calls = used(&store, 1, 1).await;
    assert_eq!(look_at(&mut unusual(), &store, &calls).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_user_is_looked_at_now_and_then_and_what_came_meanwhile_is_not_missed() {
    let store = MemoryStore::default();
    used(&store, 0, 10).await;
    let mut unusual = unusual();
    let calls = used(&store, 1, 10).await;
    assert_eq!(look_at(&mut unusual, &store, &calls).await, []);
    let calls = used(&store, 1, 500_000).await;
    advance(LOOK_INTERVAL - Duration::from_millis(1)).await;
    assert_eq!(look_at(&mut unusual, &store, &calls).await, [], "too soon");
    assert_eq!(look_again(&mut unusual, &store).await, [], "too soon");
    advance(Duration::from_millis(1)).await;
    assert_eq!(look_again(&mut unusual, &store).await.len(), 1);
    assert_eq!(look_again(&mut unusual, &store).await, [], "once");
    advance(LOOK_INTERVAL).await;
    look_again(&mut unusual, &store).await;
    assert!(unusual.users.is_empty(), "who does nothing is forgotten");
}

#[tokio::test(start_paused = true)]
async fn so_many_users_are_looked_at_and_no_more() {
    let store = MemoryStore::default();
    let mut unusual = unusual();
    let of = |n: usize| {
        let owner = Owner { organization: "acme".into(), user: n.to_string().into() };
        call(&owner, "m", at(0), 1, None)
    };
    let calls: Vec<_> = (0..=MAX_USERS).map(of).collect();
    look_at(&mut unusual, &store, &calls).await;
    assert_eq!(unusual.users.len(), MAX_USERS);
}

#[tokio::test(start_paused = true)]
async fn who_could_not_be_looked_at_is_looked_at_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    used(&store, 0, 10).await;
    let calls = used(&store, 1, 500_000).await;
    let mut unusual = unusual();
    let failing = SqliteStore::open_to_read(folder.path()).unwrap();
    unusual.look_at(&failing, &calls, &mut Vec::new()).await.unwrap_err();
    advance(LOOK_INTERVAL).await;
    assert_eq!(look_again(&mut unusual, &store).await.len(), 1);
}
