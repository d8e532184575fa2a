//! Budgets: what is set aside before a call, settled after it, and refused when there is not enough.

use std::fs;

use bedrock_emulator::{Behaviour, Script};
use clap::Parser;
use outcrop_proxy::{
    app::App,
    bedrock::connect::Options,
    settings::{Cli, Command},
};
use protocol::price::usd;
use serde_json::json;
use tokio::task::JoinSet;

use crate::common::{MODEL, Proxy, serve, within};

/// The most that an answer of 100 tokens to a few words may take, in nano-dollars: 1,500,000 and some for the input.
const ANSWER_NANO_USD: u64 = 1_500_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_answers_at_once_stay_within_a_budget_for_ten() {
    let script = Script::always(Behaviour { length_tokens: Some(100), ..Behaviour::default() });
    // Ten answers and most of another one; what is set aside has the input too.
    let limit = ANSWER_NANO_USD * 11;
    let budget = format!("user/day={}usd", usd(limit).trim_start_matches('$'));
    let flags = ["--budgets", &budget, "--max-tokens", "100", "--max-turns-per-socket", "64"];
    let proxy = Proxy::with(&flags, script).await;
    let mut asking = JoinSet::new();
    for n in 0..100 {
        let mut client = proxy.connect().await;
        asking.spawn(async move {
            let answer = client.chat("q", &format!("s{n}"), "Hi").await;
            (answer.end.kind.clone(), answer.end)
        });
    }
    let ends = within("every answer", asking.join_all()).await;
    let (whole, refused): (Vec<_>, Vec<_>) = ends.iter().partition(|(kind, _)| kind == "chat.message_complete");
    let spent: u64 = whole.iter().map(|(_, end)| end.data["usage"]["costNanoUsd"].as_u64().expect("a cost")).sum();
    assert!(spent <= limit && whole.len() == 10, "{} answers for {spent} of {limit}", whole.len());
    assert_eq!(proxy.emulator.ledger().len(), 10, "nobody else was asked of Bedrock");
    for (_, end) in refused {
        assert_eq!((end.str("code"), end.data["retryable"].as_bool()), ("budget_exceeded", Some(false)));
        assert!(end.str("message").contains("budget of this user for today"), "{}", end.str("message"));
        let renews = end.data["retryAfterMs"].as_u64().expect("a time");
        assert!((1..=86_400_000).contains(&renews), "{renews}");
    }
    let history = proxy.history("s99").await;
    let messages = history["messages"].as_array().expect("messages").len();
    assert!(messages == 0 || messages == 2, "a message that was refused is not kept: {history}");
}

#[tokio::test]
async fn what_an_answer_did_not_use_is_given_back() {
    // Enough for one answer of 1,000 tokens at a time, and for many of ten.
    let proxy = Proxy::with(&["--budgets", "user/day=1300tokens", "--max-tokens", "1000"], Script::new()).await;
    let mut client = proxy.connect().await;
    for n in 0..5 {
        let answer = client.chat(&format!("q{n}"), &format!("s{n}"), "/length 10 Hi").await;
        assert_eq!(answer.end.kind, "chat.message_complete", "{:?}", answer.end);
    }
    let spent: u64 =
        proxy.emulator.ledger().iter().map(|call| u64::from(call.usage.expect("usage").total_tokens())).sum();
    assert!(spent < 1_300, "{spent}");
    let fail = proxy.connect().await.chat("q", "s", "/error-before ValidationException Hi").await;
    assert_eq!(fail.error("invalid_request"), fail.end.str("message"));
    let answer = client.chat("again", "s5", "/length 10 Hi").await;
    assert_eq!(answer.end.kind, "chat.message_complete", "a failure costs nothing");
}

#[tokio::test]
async fn an_answer_that_may_take_more_than_the_whole_budget_is_refused_with_what_to_do() {
    let proxy = Proxy::with(&["--budgets", "organization/month=50tokens"], Script::new()).await;
    let mut client = proxy.connect().await;
    let answer = client.chat("q", "s", "Hi").await;
    assert!(answer.error("budget_exceeded").contains("more than the whole budget of this organization for this month"));
    // It was not taken, so its id may be used again.
    let again = client.chat("q", "s", "Hi").await;
    assert_eq!(again.end.str("code"), "budget_exceeded");
}

#[tokio::test]
async fn prices_come_from_a_file_and_a_budget_in_dollars_wants_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("2027-01-15.csv");
    let head = include_str!("../../../data/models.csv").lines().next().expect("a head");
    let columns = head.split(',').count();
    let row = |model: &str| format!("{model},1,2{}", ",".repeat(columns - 3));
    fs::write(&file, format!("{head}\n{}\n", row(MODEL))).expect("written");
    let prices = file.to_str().expect("a path");
    let proxy =
        Proxy::with(&["--prices", prices, "--budgets", "proxy/day=1usd"], Script::always(Behaviour::text("Yes"))).await;
    let end = proxy.connect().await.chat("q", "s", "Hi").await.end;
    let usage = &end.data["usage"];
    let tokens = |field: &str| usage[field].as_u64().expect("tokens");
    let cost = tokens("inputTokens") * 1_000 + tokens("outputTokens") * 2_000;
    assert_eq!((&usage["costNanoUsd"], &usage["priceVersion"]), (&json!(cost), &json!("2027-01-15")));

    let start = async |flags: &[&str]| {
        let credentials = aws_credential_types::Credentials::new("id", "key", None, None, "test");
        let fixed = Some((credentials, "us-west-2".to_owned()));
        let options = Options { endpoint_url: Some("http://127.0.0.1:9".into()), fixed };
        App::start_with(&serve(flags), &options).await.expect_err("it does not start").to_string()
    };
    let error = start(&["--prices", prices, "--budgets", "user/day=1usd", "--models", "meta.llama"]).await;
    assert!(error.starts_with("meta.llama has no price") && error.contains("OUTCROP_PRICES"), "{error}");
    let error = start(&["--budgets", "user/day=1usd,user/day=2usd"]).await;
    assert!(error.contains("two budgets of this user for today"), "{error}");
    fs::write(&file, "model_id,price\na,1\n").expect("written");
    let error = start(&["--prices", prices]).await;
    assert!(error.contains("2027-01-15.csv cannot be read as a table of prices"), "{error}");
    let bad = Cli::try_parse_from(["outcrop-proxy", "serve", "--budgets", "user/week=1usd"]);
    assert!(bad.expect_err("no budget").to_string().contains("user/day=5usd"));
    let good = Cli::try_parse_from(["outcrop-proxy", "serve", "--budgets", "user/day=5usd, proxy/month=1tokens"]);
    assert!(matches!(good.expect("budgets").command, Command::Serve(serve) if serve.money.budgets.len() == 2));
}
