//! Two proxies, each a process of its own, over one table of DynamoDB: they share nothing else.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "tests")]

#[allow(dead_code, reason = "shared with the tests of the command")]
#[path = "../cli/command.rs"]
mod command;
#[path = "../api/common/mod.rs"]
#[allow(dead_code, unused_imports, reason = "shared with the tests of the api, which use all of it")]
mod common;
#[path = "../stores/dynamodb/server.rs"]
mod server;

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use bedrock_emulator::{Config, Emulator, Script};
use command::{Run, Running};
use common::{
    Client, Frame, Heard, http,
    tokens::{SECRET, token_of},
};
use futures_util::future::join_all;
use rustix::process::Signal;
use serde_json::{Value, json};
use server::SERVER;
use tokio::time::Instant;

/// Four seconds of text, so that a checkpoint or two is kept before its end.
const SLOW: &str = "/pace 100 /length 400 Tell me about rivers";

/// Two proxies and what they share.
struct Pair {
    emulator: Emulator,
    first: Running,
    second: Running,
    /// Where each listens.
    at: [SocketAddr; 2],
}

impl Pair {
    async fn start(flags: &[&str]) -> Self {
        Self::start_with(flags, &[]).await
    }

    async fn start_with(flags: &[&str], env: &[(&str, &str)]) -> Self {
        let emulator =
            Emulator::start(Config { script: Script::new(), ..Config::unpaced() }).await.expect("an emulator");
        static TABLES: AtomicU32 = AtomicU32::new(0);
        let table = format!("shared-{}-{}", std::process::id(), TABLES.fetch_add(1, Ordering::Relaxed));
        let run = || {
            let run = env.iter().fold(Run::against(&emulator), |run, (name, value)| run.env(name, value));
            run.env("OUTCROP_DYNAMODB_ENDPOINT_URL", &SERVER.url).env("OUTCROP_DYNAMODB_TABLE", &table)
        };
        let made = run().run(&["create-table"]).await;
        assert_eq!(made.status.code(), Some(0), "{}", made.stderr);
        let serve = [&["serve", "--listen", "127.0.0.1:0", "--store", "dynamodb"], flags].concat();
        let (mut first, mut second) = (run().spawn(&serve), run().spawn(&serve));
        let at = [first.addr().await, second.addr().await];
        Self { emulator, first, second, at }
    }

    async fn client(&self, proxy: usize) -> Client {
        Client::connect(self.at[proxy]).await
    }

    async fn history(&self, proxy: usize, session: &str) -> Value {
        let mut client = self.client(proxy).await;
        client.ask("history", "chat.get_history", json!({ "sessionId": session })).await.expect("a history")
    }

    async fn end(mut self) {
        for proxy in [&mut self.first, &mut self.second] {
            proxy.signal(Signal::TERM);
        }
        for proxy in [self.first, self.second] {
            assert_eq!(proxy.end().await.status.code(), Some(0));
        }
    }
}

/// Reads frames of an answer from the event after number `last` until `enough`; returns its text, its last event and the last frame.
async fn read(client: &mut Client, mut last: u64, enough: impl Fn(&Frame, u64) -> bool) -> (String, u64, Frame) {
    let mut text = String::new();
    loop {
        let frame = match client.hear().await {
            Heard::Frame(frame) => frame,
            // It goes on for longer than a socket may be silent.
            Heard::Ping => continue,
            other => panic!("a frame was expected: {other:?}"),
        };
        if frame.kind == "chat.message_stream" {
            assert_eq!(frame.data["first"].as_u64(), Some(last + 1), "{frame:?}");
            last = frame.seq();
            text.push_str(frame.str("content"));
        }
        if enough(&frame, last) {
            return (text, last, frame);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_goes_on_at_any_proxy_and_a_message_is_answered_once() {
    let pair = Pair::start(&[]).await;
    let (mut first, mut second) = (pair.client(0).await, pair.client(1).await);
    let answer = first.chat("q1", "s", "Remember the number 7").await;
    assert_eq!(answer.end.kind, "chat.message_complete");
    let history = pair.history(1, "s").await;
    assert_eq!(history["messages"][1]["content"], answer.text);
    second.chat("q2", "s", "Which number?").await;
    let calls = pair.emulator.ledger();
    assert_eq!(calls[1].request["messages"].as_array().expect("messages").len(), 3, "with what was said at the other");
    assert_eq!(pair.history(0, "s").await["messages"].as_array().expect("messages").len(), 4);
    // The same message again, at the other proxy: the answer it had.
    let again = second.chat("q1", "s", "Remember the number 7").await;
    assert_eq!((again.text, pair.emulator.ledger().len()), (answer.text, 2));
    // At both at once: one call.
    let [mut first, mut second] = [pair.client(0).await, pair.client(1).await];
    for client in [&mut first, &mut second] {
        client.send_message("q3", "t", "/pace 200 /length 100 Hello", true).await;
    }
    for client in [&mut first, &mut second] {
        // A proxy that hears of it while the other one takes it may only say that it was taken.
        read(client, 0, |frame, _| frame.kind != "chat.message_stream" && frame.kind != "chat.status").await;
    }
    assert_eq!(pair.emulator.ledger().len(), 3);
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_comes_to_another_proxy_follows_its_answer() {
    let pair = Pair::start(&[]).await;
    let mut client = pair.client(0).await;
    client.send_message("q", "s", SLOW, true).await;
    let (before, last, frame) = read(&mut client, 0, |_, last| last >= 20).await;
    let message_id = frame.str("messageId").to_owned();
    drop(client);
    let mut client = pair.client(1).await;
    client.send("resume", "chat.resume", json!({ "messageId": message_id, "after": last })).await;
    let (more, _, end) = read(&mut client, last, |frame, _| frame.kind == "chat.snapshot").await;
    let whole = end.data["message"]["content"].as_str().expect("text").to_owned();
    assert_eq!((end.id.as_str(), end.str("state")), ("q", "complete"));
    assert_eq!(whole, pair.emulator.ledger()[0].text_sent);
    // Which events have how much of a checkpoint's text is known over there only, so a part may be said again or come with the end.
    assert!(!more.is_empty() && whole.contains(&more) && whole.starts_with(&before), "{before:?} {more:?}");
    assert_eq!(end.data["message"]["usage"]["source"], "reported");
    assert_eq!(pair.history(1, "s").await["messages"][1]["content"], whole);
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_seen_and_stopped_at_another_proxy_and_its_session_is_busy_there() {
    // Its call is not read to the end, which is far.
    let pair = Pair::start(&["--on-stop", "abort"]).await;
    let mut first = pair.client(0).await;
    first.send_message("q", "s", "/pace 100 /length 4000 Tell me about rivers", true).await;
    let (_, _, frame) = read(&mut first, 0, |_, last| last >= 5).await;
    let message_id = frame.str("messageId").to_owned();
    let history = pair.history(1, "s").await;
    assert_eq!(history["inProgress"]["message"]["messageId"], message_id);
    let mut second = pair.client(1).await;
    let (code, text) =
        second.ask("r", "chat.send_message", json!({ "sessionId": "s", "message": "And?" })).await.expect_err("busy");
    assert!(code == "invalid_request" && text.contains("an answer is being made in this session"), "{code} {text}");
    second.send("stop", "chat.cancel", json!({ "messageId": message_id })).await;
    let (_, _, end) = read(&mut first, frame.seq(), |frame, _| frame.kind == "chat.message_complete").await;
    assert_eq!(end.data["stopReason"], "cancelled");
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_whose_proxy_was_killed_is_ended_by_another_one() {
    let pair = Pair::start(&[]).await;
    let mut client = pair.client(0).await;
    client.send_message("q", "s", "/pace 100 /length 4000 Tell me about rivers", true).await;
    // Four seconds: longer than until the first checkpoint.
    let (seen, last, frame) = read(&mut client, 0, |_, last| last >= 400).await;
    pair.first.signal(Signal::KILL);
    let message_id = frame.str("messageId").to_owned();
    let mut client = pair.client(1).await;
    client.send("resume", "chat.resume", json!({ "messageId": message_id, "after": last })).await;
    // Its lease runs out, and the other proxy sees to it.
    let is_end = |frame: &Frame, _: u64| frame.kind == "chat.snapshot" || frame.kind == "chat.error";
    let (_, _, end) = read(&mut client, last, is_end).await;
    assert_eq!((end.kind.as_str(), end.str("state")), ("chat.snapshot", "interrupted"), "{end:?}");
    let kept = end.data["message"]["content"].as_str().expect("text");
    assert!(
        kept.len() > 100 && seen.starts_with(kept),
        "what was kept is what was seen: {} of {}",
        kept.len(),
        seen.len()
    );
    assert_eq!(end.data["message"]["error"]["code"], "interrupted");
    let answer = client.chat("again", "s", "Go on").await;
    assert_eq!(answer.end.kind, "chat.message_complete", "the session is free");
    pair.second.signal(Signal::TERM);
    assert_eq!(pair.second.end().await.status.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_revoked_at_one_proxy_is_revoked_at_the_other() {
    let admin = "a token of administrators";
    let env = [("OUTCROP_AUTH", "on"), ("OUTCROP_JWT_SECRET", SECRET), ("OUTCROP_ADMIN_TOKEN", admin)];
    let pair = Pair::start_with(&[], &env).await;
    let [of_ann, of_bob] = ["ann", "bob"].map(|user| json!({ "version": 1, "token": token_of("acme", user) }));
    let (mut ann, mut bob) = (pair.client(1).await, pair.client(1).await);
    ann.ask("h", "client.hello", of_ann.clone()).await.expect("a greeting");
    bob.ask("h", "client.hello", of_bob).await.expect("a greeting");
    let body = r#"{"organization":"acme","user":"ann"}"#;
    let request = format!(
        "POST /admin/revocations HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer {admin}\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    let began = Instant::now();
    assert!(http(pair.at[0], &request).await.starts_with("HTTP/1.1 201 "));
    assert!(matches!(ann.hear().await, Heard::Closed(4503, _)));
    assert!(began.elapsed() <= Duration::from_secs(5), "{:?}", began.elapsed());
    bob.ask("p", "ping", json!({})).await.expect("a pong");
    let mut again = pair.client(1).await;
    again.ask("h", "client.hello", of_ann).await.expect_err("revoked");
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_answers_at_two_proxies_stay_within_a_budget_for_ten() {
    // What is set aside for each: 100 tokens of output, and 33 of input at most.
    let budget = ["--budgets", "user/day=1350tokens", "--max-tokens", "100", "--analytics", "off"];
    let pair = Pair::start(&budget).await;
    let asking = (0..100).map(async |n: usize| {
        let mut client = pair.client(n % 2).await;
        client.chat("q", &format!("s{n}"), "/length 100 Hi").await.end
    });
    let ends: Vec<_> = join_all(asking).await;
    let whole = ends.iter().filter(|end| end.kind == "chat.message_complete");
    let spent: u64 = whole.clone().map(|end| end.data["usage"]["totalTokens"].as_u64().expect("tokens")).sum();
    assert!(spent <= 1_350, "{spent}");
    assert!((9..=12).contains(&whole.count()), "{spent}");
    let refused = ends.iter().filter(|end| end.kind != "chat.message_complete");
    refused.for_each(|end| assert_eq!(end.str("code"), "budget_exceeded", "{end:?}"));
    pair.end().await;
}
