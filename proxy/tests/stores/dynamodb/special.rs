//! What only this store has to do.

use std::{collections::HashMap, sync::Arc, time::Duration};

use aws_sdk_dynamodb::types::AttributeValue;
use outcrop_proxy::{
    principal::Owner,
    store::{
        Account, Amount, Ask, Balance, CallsOf, Checkpoint, Closing, Decision, DynamoStore, MAX_MESSAGES, Opening,
        Piece, Store, StoreError, Wishes,
        dynamodb::{CreateError, EXPIRES, LEASE, MAX_ATTEMPTS, OpenError, create_table},
        new_session,
    },
};
use protocol::{Message, MessageId, Role, SessionId, Timestamp, ToolUseId};

use super::{
    SERVER, client,
    faulty::{Fault, Faulty},
    store_at, store_in, table,
};
use crate::{
    conformance::{asking, drop_answer, owner, with_sessions},
    money::{account, call, reserve, stay_within_a_limit, stay_within_a_limit_further},
};

pub(super) const NOW: Timestamp = Timestamp::from_unix_ms(1_795_426_200_007);

pub(super) fn after(duration: Duration) -> Timestamp {
    Timestamp::from_unix_ms(NOW.unix_ms() + duration.as_millis() as u64)
}

pub(super) fn session(name: &str) -> SessionId {
    SessionId::new(name).expect("an id")
}

pub(super) fn answer_to(name: &str) -> MessageId {
    MessageId::new(format!("answer-{name}")).expect("an id")
}

/// The question `name`, asked at `time`.
pub(super) fn asking_at(name: &str, time: Timestamp) -> Ask {
    let ask = asking(name, false);
    Ask { answer: Opening { started: time, ..ask.answer }, ..ask }
}

fn text(seq: u64, text: &str) -> Piece {
    Piece { seq, reasoning: false, part: 0, text: text.into(), call: None }
}

pub(super) fn answer(name: &str, content: &str) -> Message {
    Message {
        message_id: answer_to(name),
        content: content.into(),
        role: Role::Assistant,
        request_id: None,
        ..asking(name, false).question.expect("a question").message
    }
}

/// Everything that is in a table.
async fn everything_in(table: &str) -> Vec<HashMap<String, AttributeValue>> {
    let scan = client(&SERVER.url).await.scan().table_name(table).consistent_read(true).into_paginator().items().send();
    scan.collect::<Result<_, _>>().await.expect("items")
}

/// The sort keys of all items of a table, up to the first `#`, in their order.
pub(super) async fn kinds_in(table: &str) -> Vec<String> {
    let kind = |item: &HashMap<String, AttributeValue>| {
        let key = item["pk"].as_s().expect("a text").split('#').next().map(str::to_owned);
        key.expect("a part")
    };
    let mut kinds: Vec<_> = everything_in(table).await.iter().map(kind).collect();
    kinds.sort();
    kinds
}

#[tokio::test]
async fn two_proxies_stay_within_a_limit_together() {
    let table = table().await;
    let stores = [store_in(&table).await, store_in(&table).await];
    stay_within_a_limit(&stores).await;
}

#[tokio::test]
async fn two_proxies_that_set_aside_more_stay_within_a_limit_together() {
    let table = table().await;
    let stores = [store_in(&table).await, store_in(&table).await];
    stay_within_a_limit_further(&stores).await;
}

#[tokio::test]
async fn nothing_stays_set_aside_of_an_answer_that_another_proxy_ends_meanwhile() {
    let table = table().await;
    let (here, there) = (store_in(&table).await, store_in(&table).await);
    let ann = owner("ann");
    let accounts = [account("user", Some(1_000_000), None)];
    let amount = Amount { nano_usd: 60, tokens: 6 };
    for n in 0..40 {
        let name = n.to_string();
        reserve(&here, &ann, &name, amount, &accounts).await.expect("asked");
        let (session, id) = (session(&format!("session-{n}")), answer_to(&name));
        let closing = Closing { message: None, calls: Some(Vec::new()) };
        let more = here.reserve_more(&ann, &session, &id, amount);
        let (more, closed) = tokio::join!(more, there.close(&ann, &session, &id, closing));
        assert!(matches!(more, Ok(()) | Err(StoreError::NotOpen)), "{more:?}");
        assert_eq!(closed, Ok(()));
        assert_eq!(there.balances(&accounts).await, Ok(vec![Balance::default()]), "{more:?}");
    }
}

#[tokio::test]
async fn what_is_asked_of_two_proxies_at_once_is_taken_once() {
    let table = table().await;
    let stores = [store_in(&table).await, store_in(&table).await];
    let ann = owner("ann");
    for n in 0..50 {
        let name = format!("q{n}");
        with_sessions(&stores[0], &ann, &[&name]).await;
        // The same question, for each of the two with an answer of its own.
        let [here, there] = ["here", "there"].map(|place| {
            let ask = asking(&name, false);
            let message_id = MessageId::new(format!("{place}-{n}")).expect("an id");
            Ask { answer: Opening { message_id, ..ask.answer }, ..ask }
        });
        let id = session(&name);
        let (first, second) = tokio::join!(stores[0].ask(&ann, &id, here), stores[1].ask(&ann, &id, there));
        let taken = [first.is_ok(), second.is_ok()];
        assert!(taken[0] != taken[1], "{first:?} {second:?}");
        assert!([first, second].contains(&Err(StoreError::AskedBefore)));
        let winner = if taken[0] { format!("here-{n}") } else { format!("there-{n}") };
        let asked = stores[0].asked(&ann, &id, &asking(&name, false).request).await.expect("read").expect("asked");
        assert_eq!(asked.answer.as_str(), winner);
        assert_eq!(stores[1].open_in(&ann, &id).await, Ok(Some(asked.answer)));
    }
}

#[tokio::test]
async fn an_answer_is_left_alone_until_its_lease_has_run_out() {
    let table = table().await;
    let (here, there) = (store_in(&table).await, store_in(&table).await);
    let ann = owner("ann");
    with_sessions(&here, &ann, &["s"]).await;
    here.ask(&ann, &session("s"), asking_at("q", NOW)).await.expect("asked");
    let left_open = async |time: Duration| {
        let open = there.unfinished(after(time)).await.expect("unfinished");
        open.into_iter().map(|open| (open.opening.message_id.to_string(), open.pieces)).collect::<Vec<_>>()
    };
    let moment = Duration::from_millis(1);
    assert_eq!(left_open(LEASE - moment).await, []);
    assert_eq!(left_open(LEASE).await, [("answer-q".to_owned(), Vec::new())]);

    let renewed = LEASE / 2;
    let checkpoint = Checkpoint { at: after(renewed), model: "m".into(), pieces: vec![text(3, "so far")] };
    assert_eq!(here.checkpoint(&ann, &session("s"), &answer_to("q"), checkpoint).await, Ok(Wishes::default()));
    let busy = there.ask(&ann, &session("s"), asking_at("r", after(renewed + LEASE - moment))).await;
    assert_eq!(busy, Err(StoreError::SessionBusy));
    assert_eq!(left_open(renewed + LEASE - moment).await, []);
    assert_eq!(left_open(renewed + LEASE).await, [("answer-q".to_owned(), vec![text(3, "so far")])]);

    there.ask(&ann, &session("s"), asking_at("r", after(renewed + LEASE))).await.expect("nobody answers any more");
    assert_eq!(there.open_in(&ann, &session("s")).await, Ok(Some(answer_to("r"))));
    let late = Closing { message: Some(answer("q", "so far").into()), calls: Some(Vec::new()) };
    there.close(&ann, &session("s"), &answer_to("q"), late.clone()).await.expect("ended by the other");
    assert_eq!(here.close(&ann, &session("s"), &answer_to("q"), late).await, Err(StoreError::NotOpen));
    assert_eq!(here.open_in(&ann, &session("s")).await, Ok(Some(answer_to("r"))), "the other one goes on");
    let page = here.messages(&ann, &session("s"), None, 9).await.expect("a page");
    assert_eq!(page.items.iter().map(|m| m.message_id.as_str()).collect::<Vec<_>>(), ["q", "r", "answer-q"]);
}

#[tokio::test]
async fn long_messages_are_kept_in_parts_and_nothing_is_left_of_those_replaced() {
    let table = table().await;
    let (here, there) = (store_in(&table).await, store_in(&table).await);
    let ann = owner("ann");
    with_sessions(&here, &ann, &["s"]).await;
    let long = "日本語🙂\n".repeat(1024 * 1024 / 14);
    let ask = asking_at("q", NOW);
    let question = Message { content: long.clone(), ..ask.question.clone().expect("a question").message };
    here.ask(&ann, &session("s"), Ask { question: Some(question.clone().into()), ..ask }).await.expect("asked");
    let pieces = vec![text(7, &long), Piece { part: 1, ..text(8, &long) }];
    let checkpoint = Checkpoint { at: NOW, model: "m".into(), pieces: pieces.clone() };
    here.checkpoint(&ann, &session("s"), &answer_to("q"), checkpoint).await.expect("kept");
    let open = there.open_answer(&ann, &answer_to("q")).await.expect("read").expect("open");
    assert!(open.pieces == pieces, "as they were");
    let parts = async || kinds_in(&table).await.iter().filter(|kind| *kind == "conversation").count();
    for (content, is_last, items) in [(long.repeat(2), false, 2 + 1 + 4 + 7), ("short".to_owned(), true, 2 + 1 + 4)] {
        let answer = answer("q", &content);
        let closing = Closing { message: Some(answer.clone().into()), calls: is_last.then(Vec::new) };
        here.close(&ann, &session("s"), &answer_to("q"), closing).await.expect("closed");
        let page = there.messages(&ann, &session("s"), None, 9).await.expect("a page");
        assert!(page.items == [question.clone(), answer.clone()], "as they were");
        assert!(there.answer(&ann, &answer_to("q")).await == Ok(Some((session("s"), answer))), "as it was");
        assert!(!kinds_in(&table).await.contains(&"checkpoints".to_owned()));
        assert_eq!(parts().await, items);
    }
    // A question that is refused leaves none of its parts.
    let ask = asking("q", false);
    let again = Ask { question: Some(Message { message_id: answer_to("x"), ..question }.into()), ..ask };
    assert_eq!(here.ask(&ann, &session("s"), again).await, Err(StoreError::AskedBefore));
    assert_eq!(parts().await, 2 + 1 + 4);
}

#[tokio::test]
async fn nothing_is_left_of_a_session_that_is_deleted_while_it_is_answered() {
    let table = table().await;
    let (here, there) = (store_in(&table).await, store_in(&table).await);
    let ann = owner("ann");
    with_sessions(&here, &ann, &["s"]).await;
    let ask = asking_at("secret", NOW);
    here.ask(&ann, &session("s"), ask).await.expect("asked");
    let checkpoint = async |seq, letters: usize| {
        let pieces = vec![text(seq, &"secret".repeat(letters))];
        let checkpoint = Checkpoint { at: NOW, model: "m".into(), pieces };
        here.checkpoint(&ann, &session("s"), &answer_to("secret"), checkpoint).await
    };
    checkpoint(1, 1).await.expect("kept");
    checkpoint(2, 100_000).await.expect("kept");
    there.delete_session(&ann, &session("s")).await.expect("deleted");
    assert_eq!(kinds_in(&table).await, ["open"]);
    checkpoint(3, 100_000).await.expect("nothing is kept");
    assert_eq!(kinds_in(&table).await, ["open"]);
    let message = answer("secret", &"secret".repeat(100_000));
    let closing = Closing { message: Some(message.into()), calls: Some(Vec::new()) };
    here.close(&ann, &session("s"), &answer_to("secret"), closing).await.expect("settled");
    assert_eq!(kinds_in(&table).await, ["calls", "days"]);
}

#[tokio::test]
async fn a_deletion_is_gone_on_with_by_another_proxy() {
    let table = table().await;
    let faulty = Faulty::before(&SERVER.url).await;
    let (here, there) = (store_at(&faulty.url, &table).await, store_in(&table).await);
    let ann = owner("ann");
    with_sessions(&here, &ann, &["s"]).await;
    for n in 0..20 {
        here.ask(&ann, &session("s"), asking(&n.to_string(), false)).await.expect("asked");
        let closing = Closing { message: Some(answer(&n.to_string(), "text").into()), calls: Some(Vec::new()) };
        here.close(&ann, &session("s"), &answer_to(&n.to_string()), closing).await.expect("closed");
    }
    faulty.plan("BatchWriteItem", Fault::Denied, 1);
    assert!(matches!(here.delete_session(&ann, &session("s")).await, Err(StoreError::Unavailable(_))));
    assert_eq!(there.session(&ann, &session("s")).await, Err(StoreError::SessionNotFound), "it is not seen any more");
    assert_eq!(there.answer(&ann, &answer_to("1")).await, Ok(None));
    with_sessions(&there, &ann, &["s"]).await;
    there.ask(&ann, &session("s"), asking("1", false)).await.expect("it is another session");
    assert_eq!(there.unfinished(NOW).await.expect("unfinished").len(), 1);
    let mut kinds = kinds_in(&table).await;
    kinds.retain(|kind| kind != "calls");
    assert_eq!(kinds, ["conversation", "conversation", "days", "open", "owner", "place"]);
    assert_eq!(there.messages(&ann, &session("s"), None, 9).await.expect("a page").items.len(), 1);
}

#[tokio::test]
async fn what_others_are_in_the_way_of_is_tried_again() {
    let faulty = Faulty::before(&SERVER.url).await;
    let store = store_at(&faulty.url, &table().await).await;
    let ann = owner("ann");
    with_sessions(&store, &ann, &["s"]).await;
    faulty.plan("TransactWriteItems", Fault::Conflict, 3);
    store.ask(&ann, &session("s"), asking("q", false)).await.expect("asked");
    faulty.plan("TransactWriteItems", Fault::Conflict, 3);
    drop_answer(&store, &ann, "q").await.expect("closed");
    faulty.plan("UpdateItem", Fault::Conflict, 3);
    store.rename_session(&ann, &session("s"), "title".into()).await.expect("renamed");
    faulty.plan("TransactWriteItems", Fault::Conflict, 3);
    store.delete_session(&ann, &session("s")).await.expect("deleted");
    assert!(faulty.is_done());
}

#[tokio::test]
async fn what_was_done_is_not_done_again_where_the_reply_is_lost() {
    // Once the SDK sends it again; once it gives up, and the store finds out.
    for times in [1, MAX_ATTEMPTS as usize] {
        for fault in [Fault::LostReply, Fault::LostReplyWithoutToken] {
            lose_replies(fault, times).await;
        }
    }
}

async fn lose_replies(fault: Fault, times: usize) {
    let table = table().await;
    let faulty = Faulty::before(&SERVER.url).await;
    let store = store_at(&faulty.url, &table).await;
    let ann = owner("ann");
    let accounts = [account("user", Some(100), None)];
    let amount = Amount { nano_usd: 60, tokens: 6 };
    store.ensure_session(&ann, new_session(session("session-q"), None, None, NOW)).await.expect("a session");
    faulty.plan("TransactWriteItems", fault, times);
    reserve(&store, &ann, "q", amount, &accounts).await.expect("asked");
    assert_eq!(reserve(&store, &ann, "q", amount, &accounts).await, Err(StoreError::AskedBefore));
    assert_eq!(store.balances(&accounts).await, Ok(vec![Balance { spent: Amount::default(), reserved: amount }]));

    let more = Amount { nano_usd: 40, tokens: 4 };
    faulty.plan("TransactWriteItems", fault, times);
    store.reserve_more(&ann, &session("session-q"), &answer_to("q"), more).await.expect("set aside");
    let reserved = Amount { nano_usd: 100, tokens: 10 };
    assert_eq!(store.balances(&accounts).await, Ok(vec![Balance { spent: Amount::default(), reserved }]), "once");
    faulty.plan("UpdateItem", Fault::LostReply, times);
    let decision = Decision { tool_use_id: ToolUseId::new("call").expect("an id"), approved: true };
    let decided = store.decide(&ann, &answer_to("q"), decision.clone()).await;
    assert!(if times == 1 { decided == Ok(true) } else { decided.is_err() }, "{decided:?}");
    let checkpoint = Checkpoint { at: NOW, model: "m".into(), pieces: Vec::new() };
    let wishes = store.checkpoint(&ann, &session("session-q"), &answer_to("q"), checkpoint).await.expect("kept");
    assert_eq!(wishes.decisions, [decision]);

    let kept = Closing { message: Some(answer("q", "kept").into()), calls: None };
    faulty.plan("TransactWriteItems", fault, times);
    store.close(&ann, &session("session-q"), &answer_to("q"), kept).await.expect("kept");
    let spent = Amount { nano_usd: 50, tokens: 5 };
    let calls = vec![call(&ann, "q", 1, NOW, spent)];
    let settled = Closing { message: Some(answer("q", "settled").into()), calls: Some(calls.clone()) };
    faulty.plan("TransactWriteItems", fault, times);
    store.close(&ann, &session("session-q"), &answer_to("q"), settled.clone()).await.expect("settled");
    assert_eq!(store.close(&ann, &session("session-q"), &answer_to("q"), settled).await, Err(StoreError::NotOpen));
    assert_eq!(store.balances(&accounts).await, Ok(vec![Balance { spent, reserved: Amount::default() }]));
    let of = CallsOf { organization: None, user: None, from: NOW, to: Timestamp::MAX };
    assert_eq!(store.calls(&of, None).await.expect("calls").calls, calls);
    let page = store.messages(&ann, &session("session-q"), None, 9).await.expect("a page");
    assert_eq!(page.items.iter().map(|m| &*m.content).collect::<Vec<_>>(), ["text of q", "settled"]);

    faulty.plan("TransactWriteItems", fault, times);
    store.delete_session(&ann, &session("session-q")).await.expect("deleted");
    assert_eq!(kinds_in(&table).await, ["account", "calls", "days"]);
    assert!(faulty.is_done());
}

#[tokio::test]
async fn an_alert_whose_reply_is_lost_is_raised_once() {
    let faulty = Faulty::before(&SERVER.url).await;
    let store = store_at(&faulty.url, &table().await).await;
    let account = account("one", Some(1), None);
    faulty.plan("UpdateItem", Fault::LostReply, 1);
    assert_eq!(store.raise_alert(&account, 50).await, Ok(true));
    assert_eq!(store.raise_alert(&account, 50).await, Ok(false));
}

#[tokio::test]
async fn text_is_kept_once_though_nobody_knew_whether_it_was() {
    let faulty = Faulty::before(&SERVER.url).await;
    let store = store_at(&faulty.url, &table().await).await;
    let ann = owner("ann");
    with_sessions(&store, &ann, &["s"]).await;
    store.ask(&ann, &session("s"), asking_at("q", NOW)).await.expect("asked");
    let keep = async |pieces| {
        let checkpoint = Checkpoint { at: NOW, model: "m".into(), pieces };
        store.checkpoint(&ann, &session("s"), &answer_to("q"), checkpoint).await
    };
    keep(vec![text(2, "one ")]).await.expect("kept");
    for operation in ["PutItem", "UpdateItem"] {
        faulty.plan(operation, Fault::LostReply, MAX_ATTEMPTS as usize);
    }
    keep(vec![text(4, "two ")]).await.expect_err("nobody knows");
    keep(vec![text(6, "two three ")]).await.expect_err("nobody knows");
    assert!(faulty.is_done());
    keep(vec![text(8, "two three four ")]).await.expect("kept");
    keep(vec![text(9, "five")]).await.expect("kept");
    let open = store.open_answer(&ann, &answer_to("q")).await.expect("read").expect("open");
    assert_eq!(open.pieces, [text(9, "one two three four five")]);
}

#[tokio::test]
async fn owners_of_any_name_have_their_own() {
    let table = table().await;
    let store = store_in(&table).await;
    let long = "x".repeat(3_000);
    let names = ["", "a", "a#", "#a", "a#b", "b", "%23", "~", "🙂", "\u{0}", &long];
    let owners: Vec<_> = names
        .iter()
        .flat_map(|organization| names.iter().map(|user| (*organization, *user)))
        .map(|(organization, user)| Owner { organization: organization.into(), user: user.into() })
        .collect();
    for (n, owner) in owners.iter().enumerate() {
        let new = new_session(session("s"), Some(n.to_string()), None, NOW);
        assert_eq!(store.ensure_session(owner, new.clone()).await, Ok(new));
        store.ask(owner, &session("s"), asking_at("q", NOW)).await.expect("asked");
        let calls = vec![call(owner, "q", n as u32, NOW, Amount::default())];
        let closing = Closing { message: None, calls: Some(calls) };
        store.close(owner, &session("s"), &answer_to("q"), closing).await.expect("closed");
    }
    for (n, owner) in owners.iter().enumerate() {
        let sessions = store.sessions(owner, None, 9).await.expect("a page").items;
        assert_eq!(sessions.iter().map(|s| s.title.clone()).collect::<Vec<_>>(), [Some(n.to_string())]);
        let of = |user: Option<&str>| CallsOf {
            organization: Some(owner.organization.to_string()),
            user: user.map(str::to_owned),
            from: NOW,
            to: Timestamp::MAX,
        };
        let calls = store.calls(&of(Some(&owner.user)), None).await.expect("calls").calls;
        assert_eq!(calls.iter().map(|call| call.number).collect::<Vec<_>>(), [n as u32]);
        assert_eq!(store.calls(&of(None), None).await.expect("calls").calls.len(), names.len());
    }
}

#[tokio::test]
async fn what_may_be_forgotten_says_when() {
    let table = table().await;
    let retention = Duration::from_secs(30 * 24 * 3_600);
    let store: Arc<dyn Store> = Arc::new(DynamoStore::new(client(&SERVER.url).await, &table, Some(retention)));
    let ann = owner("ann");
    let user = Account { until: after(Duration::from_secs(3_600)), ..account("user", None, None) };
    store.ensure_session(&ann, new_session(session("session-q"), None, None, NOW)).await.expect("a session");
    reserve(&store, &ann, "q", Amount::default(), std::slice::from_ref(&user)).await.expect("asked");
    let pieces = vec![text(1, "text")];
    let checkpoint = Checkpoint { at: NOW, model: "m".into(), pieces };
    store.checkpoint(&ann, &session("session-q"), &answer_to("q"), checkpoint).await.expect("kept");
    let day = 24 * 3_600;
    let now = NOW.unix_ms() / 1_000;
    for item in everything_in(&table).await {
        let expires = item.get(EXPIRES).map(|value| value.as_n().expect("a number").parse::<u64>().expect("a number"));
        let expected = match item["pk"].as_s().expect("a text").split('#').next() {
            Some("account") => Some(user.until.unix_ms() / 1_000 + day),
            Some("checkpoints") => Some(now + 7 * day),
            Some("open") => None,
            // The question's own time is another one.
            _ if item["sk"].as_s().expect("a text").starts_with("message#")
                || item["pk"].as_s().expect("a text").starts_with("place#") =>
            {
                Some(retention.as_secs())
            }
            _ => Some(now + retention.as_secs()),
        };
        assert_eq!(expires, expected, "{item:?}");
    }
}

#[tokio::test]
async fn the_table_is_made_once_and_another_one_is_told_from_it() {
    use aws_sdk_dynamodb::types::{
        AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TimeToLiveStatus,
    };
    let client = client(&SERVER.url).await;
    let (name, another) = (format!("once-{}", std::process::id()), format!("another-{}", std::process::id()));
    assert_eq!(create_table(&client, &name).await, Ok(true));
    assert_eq!(create_table(&client, &name).await, Ok(false));
    let described = client.describe_time_to_live().table_name(&name).send().await.expect("described");
    let described = described.time_to_live_description.expect("a description");
    assert_eq!(described.attribute_name(), Some(EXPIRES));
    assert_eq!(described.time_to_live_status(), Some(&TimeToLiveStatus::Enabled));
    let attribute = AttributeDefinition::builder().attribute_name("pk").attribute_type(ScalarAttributeType::S);
    client
        .create_table()
        .table_name(&another)
        .attribute_definitions(attribute.build().expect("an attribute"))
        .key_schema(KeySchemaElement::builder().attribute_name("pk").key_type(KeyType::Hash).build().expect("a key"))
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await
        .expect("a table");
    assert_eq!(create_table(&client, &another).await, Err(CreateError::Different(another.clone())));
    let store = |name: &str| DynamoStore::new(client.clone(), name, None);
    assert_eq!(store(&name).check().await, Ok(()));
    assert_eq!(store(&another).check().await, Err(OpenError::OtherKeys(another)));
    let missing = store("missing").check().await.expect_err("nothing there").to_string();
    assert!(missing.starts_with("there is no DynamoDB table missing in us-east-1: make it with "), "{missing}");
}

#[tokio::test]
async fn clients_are_not_told_what_aws_says_of_accounts() {
    let faulty = Faulty::before(&SERVER.url).await;
    let store = store_at(&faulty.url, &table().await).await;
    faulty.plan("GetItem", Fault::Denied, 1);
    let denied = store.session(&owner("ann"), &session("s")).await;
    assert_eq!(denied, Err(StoreError::Unavailable("DynamoDB says AccessDeniedException".into())));
}

#[tokio::test]
async fn an_answer_late_in_a_full_session_is_kept_all_the_same() {
    let table = table().await;
    let store = store_in(&table).await;
    let ann = owner("ann");
    with_sessions(&store, &ann, &["s"]).await;
    store.ask(&ann, &session("s"), asking_at("first", NOW)).await.expect("asked");
    // As if that much had been said meanwhile.
    let key =
        everything_in(&table).await.into_iter().find(|item| item.contains_key("life") && item.contains_key("used"));
    let mut full = key.expect("the session");
    full.insert("messages".to_owned(), AttributeValue::N((MAX_MESSAGES - 2).to_string()));
    client(&SERVER.url).await.put_item().table_name(&table).set_item(Some(full)).send().await.expect("written");
    store.ask(&ann, &session("s"), asking_at("last", after(LEASE))).await.expect("asked");
    for name in ["last", "first"] {
        let closing = Closing { message: Some(answer(name, "text").into()), calls: Some(Vec::new()) };
        store.close(&ann, &session("s"), &answer_to(name), closing).await.expect("closed");
    }
    let kept = store.session(&ann, &session("s")).await.expect("a session");
    assert_eq!(kept.message_count as usize, MAX_MESSAGES + 1);
    let full = store.ask(&ann, &session("s"), asking_at("more", after(LEASE))).await;
    assert_eq!(full, Err(StoreError::SessionFull(MAX_MESSAGES)));
}
