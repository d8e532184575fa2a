//! What every store has to do about money: accounts and the ledger.

use std::{collections::BTreeMap, sync::Arc};

use outcrop_proxy::{
    principal::Owner,
    store::{
        Account, Amount, Ask, Balance, Call, CallOutcome, CallsOf, CallsPage, Closing, Limit, Opening, Reservation,
        Store, StoreError, ToolRun, new_session,
    },
};
use protocol::{ErrorCode, MessageId, SessionId, Timestamp, ToolStatus, Usage, UsageSource};

use crate::conformance::{asking, owner};

type TheStore = Arc<dyn Store>;

const NOW: Timestamp = Timestamp::from_unix_ms(1_795_426_200_007);
const LATER: Timestamp = Timestamp::from_unix_ms(1_795_426_200_007 + 3 * 86_400_000);

/// A test for each of the functions below, as in `conformance`.
macro_rules! money {
    ($open:expr) => {
        $crate::money::money!($open;
            what_is_set_aside_is_given_back_and_what_was_used_is_spent,
            many_at_once_stay_within_a_limit_together,
            a_question_over_budget_leaves_nothing_behind,
            more_is_set_aside_within_every_limit_or_in_no_account,
            what_many_set_aside_further_stays_within_a_limit_together,
            all_that_was_set_aside_is_given_back_by_whoever_ends_an_answer_that_was_left,
            an_answer_goes_on_setting_aside_though_its_session_is_gone,
            the_longest_bill_is_kept,
            an_alert_is_raised_once_at_each_height,
            every_call_comes_back_as_it_was,
            calls_are_found_by_owner_and_time_in_pages,
            calls_count_though_their_session_is_gone,
        );
    };
    ($open:expr; $($name:ident,)*) => {
        $(#[tokio::test]
        async fn $name() {
            let (store, _alive) = $open.await;
            $crate::money::$name(store).await;
        })*
    };
}
pub(crate) use money;

pub(crate) fn account(key: &str, nano_usd: Option<u64>, tokens: Option<u64>) -> Account {
    Account { key: key.into(), until: LATER, limit: Limit { nano_usd, tokens } }
}

fn amount(nano_usd: u64, tokens: u64) -> Amount {
    Amount { nano_usd, tokens }
}

fn session(name: &str) -> SessionId {
    SessionId::new(format!("session-{name}")).expect("an id")
}

fn answer_to(name: &str) -> MessageId {
    MessageId::new(format!("answer-{name}")).expect("an id")
}

/// Asks `name` in a session of its own.
pub(crate) async fn reserve(
    store: &TheStore,
    owner: &Owner,
    name: &str,
    amount: Amount,
    accounts: &[Account],
) -> Result<(), StoreError> {
    store.ensure_session(owner, new_session(session(name), None, None, NOW)).await.expect("a session");
    let asking = asking(name, false);
    let reservation = Reservation { amount, accounts: accounts.to_vec() };
    let ask = Ask { answer: Opening { started: NOW, reservation, ..asking.answer }, ..asking };
    store.ask(owner, &session(name), ask).await
}

async fn settle(store: &TheStore, owner: &Owner, name: &str, calls: Vec<Call>) -> Result<(), StoreError> {
    let closing = Closing { message: None, calls: Some(calls) };
    store.close(owner, &session(name), &answer_to(name), closing).await
}

pub(crate) fn call(owner: &Owner, name: &str, number: u32, asked: Timestamp, spent: Amount) -> Call {
    Call {
        owner: owner.clone(),
        session: session(name),
        message: answer_to(name),
        number,
        asked,
        model_asked: "asked".into(),
        model: "billed".into(),
        region: "us-east-1".into(),
        usage: Usage {
            input_tokens: spent.tokens,
            total_tokens: spent.tokens,
            cost_nano_usd: Some(spent.nano_usd),
            price_version: Some("2026-11-23".into()),
            ..Usage::default()
        },
        duration_ms: 1_500,
        first_token_ms: Some(300),
        outcome: CallOutcome::Complete,
        tools: Vec::new(),
    }
}

fn tool(server: Option<&str>, name: &str, status: ToolStatus) -> ToolRun {
    ToolRun { server: server.map(str::to_owned), name: name.into(), status, duration_ms: 250 }
}

async fn reserve_more(store: &TheStore, owner: &Owner, name: &str, amount: Amount) -> Result<(), StoreError> {
    store.reserve_more(owner, &session(name), &answer_to(name), amount).await
}

async fn all_calls(store: &TheStore, of: &CallsOf) -> Vec<Call> {
    let (mut calls, mut after) = (Vec::new(), None);
    loop {
        let page = store.calls(of, after).await.expect("a page");
        assert!(page.calls.len() <= CallsPage::MAX);
        calls.extend(page.calls);
        after = page.next;
        if after.is_none() {
            return calls;
        }
    }
}

fn everything() -> CallsOf {
    CallsOf { organization: None, user: None, from: Timestamp::from_unix_ms(0), to: Timestamp::MAX }
}

pub(crate) async fn what_is_set_aside_is_given_back_and_what_was_used_is_spent(store: TheStore) {
    let ann = owner("ann");
    let accounts = [account("user", Some(100), Some(50)), account("all", None, Some(1_000))];
    assert_eq!(store.balances(&accounts).await, Ok(vec![Balance::default(); 2]));
    reserve(&store, &ann, "q", amount(60, 30), &accounts).await.expect("asked");
    let reserved = Balance { spent: Amount::default(), reserved: amount(60, 30) };
    assert_eq!(store.balances(&accounts).await, Ok(vec![reserved; 2]));
    let calls = vec![call(&ann, "q", 1, NOW, amount(10, 5)), call(&ann, "q", 2, NOW, amount(20, 7))];
    settle(&store, &ann, "q", calls.clone()).await.expect("settled");
    assert_eq!(settle(&store, &ann, "q", calls).await, Err(StoreError::NotOpen), "once");
    let spent = Balance { spent: amount(30, 12), reserved: Amount::default() };
    assert_eq!(store.balances(&accounts).await, Ok(vec![spent; 2]));
    reserve(&store, &ann, "exactly", amount(70, 38), &accounts).await.expect("all that is left");
    settle(&store, &ann, "exactly", Vec::new()).await.expect("settled");
    assert_eq!(store.balances(&accounts[..1]).await, Ok(vec![spent]), "an answer without a call gives all of it back");
}

pub(crate) async fn many_at_once_stay_within_a_limit_together(store: TheStore) {
    stay_within_a_limit(&[store]).await;
}

/// Asks a hundred times at once, through each of the stores in turn, where there is enough for ten.
pub(crate) async fn stay_within_a_limit(stores: &[TheStore]) {
    let accounts = [account("user", None, Some(100_000)), account("tight", Some(109), None)];
    let tasks = (0..100).map(|n| {
        let (store, accounts) = (stores[n % stores.len()].clone(), accounts.clone());
        tokio::spawn(async move { reserve(&store, &owner("ann"), &n.to_string(), amount(10, 10), &accounts).await })
    });
    let mut taken = 0;
    for task in tasks.collect::<Vec<_>>() {
        match task.await.expect("no panic") {
            Ok(()) => taken += 1,
            Err(StoreError::OverBudget(account, _)) => assert_eq!(account.key, "tight"),
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(taken, 10);
    for store in stores {
        let balances = store.balances(&accounts).await.expect("balances");
        assert_eq!(balances.iter().map(|balance| balance.reserved.nano_usd).collect::<Vec<_>>(), [100, 100]);
    }
}

pub(crate) async fn a_question_over_budget_leaves_nothing_behind(store: TheStore) {
    let ann = owner("ann");
    let accounts = [account("roomy", None, Some(1_000)), account("tight", Some(100), None)];
    reserve(&store, &ann, "first", amount(90, 9), &accounts).await.expect("asked");
    let over = reserve(&store, &ann, "second", amount(11, 1), &accounts).await;
    let balance = Balance { spent: Amount::default(), reserved: amount(90, 9) };
    assert_eq!(over, Err(StoreError::OverBudget(Box::new(accounts[1].clone()), balance)));
    assert_eq!(store.balances(&accounts).await, Ok(vec![balance; 2]), "in no account");
    assert_eq!(store.session(&ann, &session("second")).await.expect("a session").message_count, 0);
    assert_eq!(store.open_answer(&ann, &answer_to("second")).await, Ok(None));
    settle(&store, &ann, "first", Vec::new()).await.expect("settled");
    reserve(&store, &ann, "second", amount(11, 1), &accounts).await.expect("the same id may be asked under now");
}

pub(crate) async fn more_is_set_aside_within_every_limit_or_in_no_account(store: TheStore) {
    let ann = owner("ann");
    let accounts = [account("roomy", None, Some(1_000)), account("tight", Some(100), None)];
    assert_eq!(reserve_more(&store, &ann, "q", amount(1, 1)).await, Err(StoreError::NotOpen));
    reserve(&store, &ann, "q", amount(60, 30), &accounts).await.expect("asked");
    reserve_more(&store, &ann, "q", amount(30, 5)).await.expect("there is as much");
    reserve_more(&store, &ann, "q", amount(10, 0)).await.expect("all that is left");
    let all = Balance { spent: Amount::default(), reserved: amount(100, 35) };
    assert_eq!(store.balances(&accounts).await, Ok(vec![all; 2]));
    for too_much in [amount(1, 1), amount(101, 0)] {
        let over = reserve_more(&store, &ann, "q", too_much).await;
        assert_eq!(over, Err(StoreError::OverBudget(Box::new(accounts[1].clone()), all)));
    }
    let over = reserve_more(&store, &ann, "q", amount(0, 966)).await;
    assert_eq!(over, Err(StoreError::OverBudget(Box::new(accounts[0].clone()), all)));
    assert_eq!(store.balances(&accounts).await, Ok(vec![all; 2]), "in no account");
    let open = store.open_answer(&ann, &answer_to("q")).await.expect("read").expect("open");
    assert_eq!(open.opening.reservation, Reservation { amount: amount(100, 35), accounts: accounts.to_vec() });
    let calls = vec![call(&ann, "q", 1, NOW, amount(10, 5)), call(&ann, "q", 2, NOW, amount(20, 7))];
    settle(&store, &ann, "q", calls).await.expect("settled");
    let spent = Balance { spent: amount(30, 12), reserved: Amount::default() };
    assert_eq!(store.balances(&accounts).await, Ok(vec![spent; 2]));
    assert_eq!(reserve_more(&store, &ann, "q", amount(1, 1)).await, Err(StoreError::NotOpen));
    reserve(&store, &ann, "free", Amount::default(), &[]).await.expect("asked");
    reserve_more(&store, &ann, "free", amount(u64::MAX, u64::MAX)).await.expect("in no account");
    settle(&store, &ann, "free", Vec::new()).await.expect("settled");
    assert_eq!(store.balances(&accounts).await, Ok(vec![spent; 2]));
}

pub(crate) async fn what_many_set_aside_further_stays_within_a_limit_together(store: TheStore) {
    stay_within_a_limit_further(&[store]).await;
}

/// Twenty answers set aside five times more at once, through each of the stores in turn, where there is enough for thirty times.
/// Then all of them end at once.
pub(crate) async fn stay_within_a_limit_further(stores: &[TheStore]) {
    let accounts = [account("user", None, Some(100_000)), account("tight", Some(509), None)];
    for n in 0..20 {
        reserve(&stores[0], &owner("ann"), &n.to_string(), amount(10, 10), &accounts).await.expect("asked");
    }
    let tasks = (0..100).map(|n: usize| {
        let (store, name) = (stores[n % stores.len()].clone(), (n / 5).to_string());
        tokio::spawn(async move { reserve_more(&store, &owner("ann"), &name, amount(10, 10)).await })
    });
    let mut taken = 0;
    for task in tasks.collect::<Vec<_>>() {
        match task.await.expect("no panic") {
            Ok(()) => taken += 1,
            Err(StoreError::OverBudget(account, _)) => assert_eq!(account.key, "tight"),
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(taken, 30);
    let all = Balance { spent: Amount::default(), reserved: amount(500, 500) };
    assert_eq!(stores[0].balances(&accounts).await, Ok(vec![all; 2]));
    let tasks = (0..20).map(|n: usize| {
        let store = stores[n % stores.len()].clone();
        tokio::spawn(async move { settle(&store, &owner("ann"), &n.to_string(), Vec::new()).await })
    });
    for task in tasks.collect::<Vec<_>>() {
        assert_eq!(task.await.expect("no panic"), Ok(()));
    }
    assert_eq!(stores[0].balances(&accounts).await, Ok(vec![Balance::default(); 2]));
}

pub(crate) async fn all_that_was_set_aside_is_given_back_by_whoever_ends_an_answer_that_was_left(store: TheStore) {
    let ann = owner("ann");
    let accounts = [account("user", Some(100), None)];
    reserve(&store, &ann, "q", amount(60, 30), &accounts).await.expect("asked");
    reserve_more(&store, &ann, "q", amount(40, 2)).await.expect("there is as much");
    let left = store.unfinished(Timestamp::MAX).await.expect("unfinished").pop().expect("one");
    assert_eq!(left.opening.reservation.amount, amount(100, 32));
    let calls = vec![call(&ann, "q", 1, NOW, amount(70, 7))];
    let closing = Closing { message: None, calls: Some(calls) };
    store.close(&left.owner, &left.session, &left.opening.message_id, closing).await.expect("closed");
    let spent = Balance { spent: amount(70, 7), reserved: Amount::default() };
    assert_eq!(store.balances(&accounts).await, Ok(vec![spent]));
    let late = reserve_more(&store, &ann, "q", amount(1, 1)).await;
    assert_eq!(late, Err(StoreError::NotOpen), "the process that lives after all learns of it");
    assert_eq!(store.balances(&accounts).await, Ok(vec![spent]));
}

pub(crate) async fn an_answer_goes_on_setting_aside_though_its_session_is_gone(store: TheStore) {
    let ann = owner("ann");
    let accounts = [account("user", Some(100), None)];
    reserve(&store, &ann, "q", amount(60, 30), &accounts).await.expect("asked");
    store.delete_session(&ann, &session("q")).await.expect("deleted");
    reserve_more(&store, &ann, "q", amount(40, 30)).await.expect("there is as much");
    settle(&store, &ann, "q", Vec::new()).await.expect("settled");
    assert_eq!(store.balances(&accounts).await, Ok(vec![Balance::default()]));
}

pub(crate) async fn the_longest_bill_is_kept(store: TheStore) {
    let ann = owner("ann");
    let long = "m".repeat(150);
    let each = ToolRun::MAX_OF_ANSWER.div_ceil(Call::MAX_OF_ANSWER);
    let tools = vec![tool(Some(&"s".repeat(64)), &"t".repeat(136), ToolStatus::UnknownOutcome); each];
    let longest = Call {
        model_asked: long.clone(),
        model: long,
        usage: Usage { input_tokens: u64::MAX >> 12, cost_nano_usd: Some(u64::MAX >> 12), ..Usage::default() },
        outcome: CallOutcome::Failed(ErrorCode::UpstreamStreamError),
        tools,
        ..call(&ann, "q", 1, NOW, Amount::default())
    };
    let calls: Vec<_> = (1..=Call::MAX_OF_ANSWER as u32).map(|number| Call { number, ..longest.clone() }).collect();
    reserve(&store, &ann, "q", Amount::default(), &[]).await.expect("asked");
    settle(&store, &ann, "q", calls.clone()).await.expect("settled");
    assert!(all_calls(&store, &everything()).await == calls, "as they were");
}

pub(crate) async fn an_alert_is_raised_once_at_each_height(store: TheStore) {
    let (one, other) = (account("one", Some(1), None), account("other", Some(1), None));
    for (account, percent, is_new) in [
        (&one, 50, true),
        (&one, 50, false),
        (&one, 80, true),
        (&one, 50, false),
        (&other, 50, true),
        (&one, 100, true),
    ] {
        assert_eq!(store.raise_alert(account, percent).await, Ok(is_new), "{percent} of {}", account.key);
    }
    assert_eq!(store.balances(&[one]).await, Ok(vec![Balance::default()]));
}

pub(crate) async fn every_call_comes_back_as_it_was(store: TheStore) {
    let ann = Owner { organization: "a/b \"c\" #".into(), user: "ä|#/".into() };
    let mut calls = vec![call(&ann, "q", 1, NOW, amount(1, 2))];
    calls.push(Call {
        number: 2,
        usage: Usage {
            input_tokens: 1,
            output_tokens: 2,
            total_tokens: 15,
            cache_read_input_tokens: 4,
            cache_write_input_tokens: 8,
            cache_write_1h_input_tokens: 5,
            source: UsageSource::Estimated,
            cost_nano_usd: None,
            price_version: None,
        },
        first_token_ms: None,
        outcome: CallOutcome::Failed(ErrorCode::UpstreamTimeout),
        ..calls[0].clone()
    });
    let tools = vec![
        tool(Some("a/b"), "read", ToolStatus::Succeeded),
        tool(Some("ä"), "\"write\"", ToolStatus::UnknownOutcome),
        tool(None, "no such tool", ToolStatus::Denied),
    ];
    calls.push(Call { number: 3, outcome: CallOutcome::Cancelled, tools, ..calls[0].clone() });
    reserve(&store, &ann, "q", Amount::default(), &[]).await.expect("asked");
    settle(&store, &ann, "q", calls.clone()).await.expect("settled");
    let mut kept = all_calls(&store, &everything()).await;
    kept.sort_by_key(|call| call.number);
    assert_eq!(kept, calls);
}

pub(crate) async fn calls_are_found_by_owner_and_time_in_pages(store: TheStore) {
    let people = [("o", "ann"), ("o", "bob"), ("other", "ann")];
    let mut expected: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for n in 0..60_u64 {
        let (organization, user) = people[n as usize % 3];
        let owner = Owner { organization: organization.into(), user: user.into() };
        let name = n.to_string();
        let asked = Timestamp::from_unix_ms(NOW.unix_ms() + n * 3_600_000);
        reserve(&store, &owner, &name, Amount::default(), &[]).await.expect("asked");
        let calls = (1..=40).map(|number| call(&owner, &name, number, asked, amount(n, 1))).collect();
        settle(&store, &owner, &name, calls).await.expect("settled");
        *expected.entry((organization, user)).or_default() += 40 * n;
    }
    let cost = |calls: &[Call]| calls.iter().map(|call| call.amount().nano_usd).sum::<u64>();
    let all = all_calls(&store, &everything()).await;
    assert_eq!((all.len(), cost(&all)), (2_400, expected.values().sum()));
    for ((organization, user), nano_usd) in expected {
        let of = CallsOf { organization: Some(organization.into()), user: Some(user.into()), ..everything() };
        assert_eq!(cost(&all_calls(&store, &of).await), nano_usd, "{organization} {user}");
    }
    let of = CallsOf { organization: Some("o".into()), ..everything() };
    assert_eq!(all_calls(&store, &of).await.len(), 1_600);
    let of = CallsOf { user: Some("ann".into()), ..everything() };
    assert_eq!(all_calls(&store, &of).await.len(), 1_600, "of all organisations");
    let hour = |n: u64| Timestamp::from_unix_ms(NOW.unix_ms() + n * 3_600_000);
    let of = CallsOf { from: hour(10), to: hour(30), ..everything() };
    let some = all_calls(&store, &of).await;
    assert_eq!((some.len(), cost(&some)), (800, (10..30).sum::<u64>() * 40));
}

pub(crate) async fn calls_count_though_their_session_is_gone(store: TheStore) {
    let ann = owner("ann");
    let accounts = [account("user", Some(100), None)];
    reserve(&store, &ann, "q", amount(60, 30), &accounts).await.expect("asked");
    store.delete_session(&ann, &session("q")).await.expect("deleted");
    settle(&store, &ann, "q", vec![call(&ann, "q", 1, NOW, amount(10, 5))]).await.expect("settled");
    assert_eq!(all_calls(&store, &everything()).await.len(), 1);
    let spent = Balance { spent: amount(10, 5), reserved: Amount::default() };
    assert_eq!(store.balances(&accounts).await, Ok(vec![spent]));
}
