//! What was used, as its owner may ask for it.

use std::{fs, path::PathBuf};

use bedrock_emulator::{Behaviour, ErrorType, Fault, Script, Step};
use protocol::Timestamp;
use serde_json::{Value, json};

use crate::common::{
    Client, MODEL, Proxy,
    tokens::{WITH_TOKENS, but, claims, client_of, signed, token_of},
    usage_of,
};

const OPUS: &str = "us.anthropic.claude-opus-5-5";

/// A model that Bedrock has and [`prices`] does not.
const UNPRICED: &str = "us.anthropic.claude-haiku-4-5-20251001-v1:0";

/// The built-in table without [`UNPRICED`].
fn prices() -> PathBuf {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("2026-11-23.csv");
    let lines = include_str!("../../../data/models.csv").lines().filter(|line| !line.starts_with(UNPRICED));
    fs::write(&file, lines.collect::<Vec<_>>().join("\n")).expect("written");
    file
}

async fn usage(client: &mut Client, data: Value) -> Value {
    client.ask("u", "chat.get_usage", data).await.expect("chat.usage_response")
}

/// The key and one figure of each row.
fn rows(usage: &Value, figure: &str) -> Vec<(String, u64)> {
    let rows = usage["rows"].as_array().expect("rows").iter();
    rows.map(|row| (row["key"].as_str().expect("a key").to_owned(), row[figure].as_u64().expect(figure))).collect()
}

async fn send(client: &mut Client, id: &str, session: &str, model: &str) {
    let data = json!({ "sessionId": session, "message": "hi", "model": model, "streaming": true });
    client.send(id, "chat.send_message", data).await;
    client.answer().await;
}

#[tokio::test]
async fn usage_is_summed_by_model_session_and_time() {
    let models = [OPUS, UNPRICED].join(",");
    let flags = ["--models", &models, "--budgets", "user/day=1000000tokens,proxy/month=2000000tokens"];
    let refused = Fault::ErrorBefore { error: ErrorType::Throttling, message: None, times: None };
    let script = Script::new().step(Step::of(Behaviour::fault(refused)).when_call(1));
    let prices = prices();
    let more = ["--retry-base", "1ms", "--prices", prices.to_str().expect("a path")];
    let proxy = Proxy::with(&[&flags[..], &more].concat(), script).await;
    let mut client = proxy.connect().await;
    // The first message takes two calls, of which one is refused.
    for (id, session, model) in [("1", "a", MODEL), ("2", "a", OPUS), ("3", "b", OPUS), ("4", "b", UNPRICED)] {
        send(&mut client, id, session, model).await;
    }
    let calls: Vec<_> = proxy.emulator.ledger().into_iter().filter(|call| call.status == 200).collect();
    assert_eq!(calls.len(), 4);
    let tokens = |n: usize| usage_of(&calls[n])["totalTokens"].as_u64().expect("tokens");
    let cost = |n: usize| if n == 3 { 0 } else { usage_of(&calls[n])["costNanoUsd"].as_u64().expect("a cost") };

    let by_model = usage(&mut client, json!({ "groupBy": "model" })).await;
    let total = &by_model["total"];
    assert_eq!((&total["turns"], &total["calls"], &total["unpricedCalls"]), (&json!(4), &json!(5), &json!(1)));
    assert_eq!(total["usage"]["totalTokens"], (0..4).map(tokens).sum::<u64>());
    assert_eq!(total["usage"]["costNanoUsd"], (0..4).map(cost).sum::<u64>());
    let mut expected = [(OPUS, 2, cost(1) + cost(2)), (MODEL, 2, cost(0))];
    expected.sort_by_key(|(_, _, cost)| std::cmp::Reverse(*cost));
    let keys: Vec<_> = expected.iter().map(|(key, calls, _)| ((*key).to_owned(), *calls)).collect();
    assert_eq!(rows(&by_model, "calls"), [&keys[..], &[(UNPRICED.to_owned(), 1)]].concat());
    assert_eq!(by_model["rows"][2]["usage"].get("costNanoUsd"), None, "unknown is not 0");

    let by_session = usage(&mut client, json!({ "groupBy": "session" })).await;
    let mut turns = rows(&by_session, "turns");
    turns.sort();
    assert_eq!(turns, [("a".to_owned(), 2), ("b".to_owned(), 2)]);
    assert_eq!(rows(&usage(&mut client, json!({ "groupBy": "user" })).await, "turns"), [("local".to_owned(), 4)]);
    for (group, format) in [("day", "2026-11-26".len()), ("hour", "2026-11-26T09:00Z".len())] {
        let rows = rows(&usage(&mut client, json!({ "groupBy": group })).await, "calls");
        assert!(rows.iter().all(|(key, _)| key.len() == format), "{rows:?}");
        assert_eq!(rows.iter().map(|(_, calls)| calls).sum::<u64>(), 5);
    }

    let budgets = by_model["budgets"].as_array().expect("budgets");
    let states: Vec<_> = budgets.iter().map(|state| (&state["scope"], &state["spent"], &state["reserved"])).collect();
    let spent = &total["usage"]["totalTokens"];
    assert_eq!(states, [(&json!("user"), spent, &json!(0)), (&json!("proxy"), spent, &json!(0))]);
}

#[tokio::test]
async fn a_range_leaves_out_what_was_asked_outside_of_it() {
    let proxy = Proxy::start().await;
    let mut client = proxy.connect().await;
    client.chat("r", "s", "hi").await;
    let history = client.ask("h", "chat.get_history", json!({ "sessionId": "s" })).await.expect("history");
    let asked = history["messages"][0]["timestamp"].as_str().expect("a time").to_owned();
    let asked = Timestamp::try_from(asked).expect("a time").unix_ms();
    let at = |ms: u64| Timestamp::from_unix_ms(ms).to_string();
    for (from, to, calls) in [(asked, asked + 1, 1), (asked - 1, asked, 0), (asked + 1, asked + 2, 0)] {
        let query = json!({ "groupBy": "day", "from": at(from), "to": at(to) });
        let usage = usage(&mut client, query).await;
        assert_eq!(
            (&usage["total"]["calls"], &usage["from"], &usage["to"]),
            (&json!(calls), &json!(at(from)), &json!(at(to)))
        );
    }
}

#[tokio::test]
async fn a_range_that_makes_no_sense_is_refused_with_what_to_do() {
    let proxy = Proxy::start().await;
    let mut client = proxy.connect().await;
    for (query, part) in [
        (json!({ "groupBy": "day", "from": "2026-11-02T00:00:00Z", "to": "2026-11-02T00:00:00Z" }), "before to"),
        (json!({ "groupBy": "day", "from": "9999-01-01T00:00:00Z" }), "before to"),
        (json!({ "groupBy": "day", "from": "2025-01-01T00:00:00Z", "to": "2026-11-01T00:00:00Z" }), "part of it"),
        (json!({ "groupBy": "week" }), "week"),
    ] {
        let (code, text) = client.ask("u", "chat.get_usage", query).await.expect_err("refused");
        assert!(code == "invalid_request" && text.contains(part), "{code}: {text}");
    }
}

#[tokio::test]
async fn the_usage_of_others_is_for_those_whose_role_lets_them_see_it() {
    let proxy = Proxy::with(&WITH_TOKENS, Script::new()).await;
    for (organization, user) in [("acme", "ann"), ("acme", "bob"), ("beta", "ann")] {
        client_of(&proxy, &token_of(organization, user)).await.chat("q", "s", "hi").await;
    }
    let of = |role| signed(&but(claims("acme", "ann"), "roles", json!([role])));
    let [mut user, mut administrator, mut operator] = [
        client_of(&proxy, &of("somebody")).await,
        client_of(&proxy, &of("outcrop-administrator")).await,
        client_of(&proxy, &of("outcrop-operator")).await,
    ];
    let query = |scope: &str, by: &str| json!({ "groupBy": by, "scope": scope });
    let once = |keys: &[&str]| keys.iter().map(|key| ((*key).to_owned(), 1)).collect::<Vec<_>>();

    for client in [&mut user, &mut administrator, &mut operator] {
        assert_eq!(rows(&usage(client, query("own", "user")).await, "turns"), once(&["ann"]));
        assert_eq!(rows(&usage(client, json!({ "groupBy": "session" })).await, "turns"), once(&["s"]));
    }
    for client in [&mut administrator, &mut operator] {
        let by_user = usage(client, query("organization", "user")).await;
        assert_eq!((rows(&by_user, "turns"), &by_user["total"]["turns"]), (once(&["ann", "bob"]), &json!(2)));
        // Two people may call two conversations the same.
        let by_session = usage(client, query("organization", "session")).await;
        assert_eq!(rows(&by_session, "turns"), once(&["ann / s", "bob / s"]));
    }
    let everybody = usage(&mut operator, query("all", "user")).await;
    assert_eq!(rows(&everybody, "turns"), once(&["acme / ann", "acme / bob", "beta / ann"]));
    let by_organization = usage(&mut operator, query("all", "organization")).await;
    assert_eq!(rows(&by_organization, "turns"), [("acme".to_owned(), 2), ("beta".to_owned(), 1)]);

    for (client, scopes) in [(&mut user, &["organization", "all"][..]), (&mut administrator, &["all"])] {
        for scope in scopes {
            let (code, text) = client.ask("u", "chat.get_usage", query(scope, "model")).await.expect_err("forbidden");
            assert!(code == "forbidden" && text.contains("role"), "{code}: {text}");
        }
    }
}
