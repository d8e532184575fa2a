//! Plays the cells side by side and compares each with what the rules say.

use bedrock_emulator::{LedgerEntry, Outcome};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    cells::{self, Cell, What},
    common::{Frame, Proxy, usage_of, within},
    rules::{Expected, expected},
};

/// Short enough for many cells. That waits are told is shown where they are long, in `api::stop`.
const RETRY_BASE: &str = "200ms";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_at_every_moment_of_a_stream_has_its_end_and_its_bill() {
    play_all(|cell| cell.streaming && cell.what != What::Silence, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_of_a_whole_answer_has_its_end_and_its_bill() {
    play_all(|cell| !cell.streaming && cell.what != What::Silence, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_at_every_moment_has_its_end_and_its_bill() {
    let timeouts = ["--first-event-timeout", "1500ms", "--event-timeout", "1s", "--reasoning-timeout", "1s"];
    play_all(|cell| cell.streaming && cell.what == What::Silence, &timeouts).await;
}

async fn play_all(is_of_it: impl Fn(&Cell) -> bool, flags: &[&str]) {
    let mut cells = cells::all();
    cells.retain(|cell| is_of_it(cell));
    let models = cells.iter().map(Cell::model).collect::<Vec<_>>().join(",");
    let flags = [&["--retry-base", RETRY_BASE, "--models", &models], flags].concat();
    let proxy = Proxy::with(&flags, cells::script(&cells)).await;
    let wrong: Vec<String> =
        join_all(cells.iter().map(|cell| play(&proxy, cell))).await.into_iter().flatten().collect();
    println!("fault matrix: {} cells", cells.len());
    assert!(wrong.is_empty(), "{} of {} cells are wrong:\n{}", wrong.len(), cells.len(), wrong.join("\n"));
}

/// What is wrong with this cell, if anything.
async fn play(proxy: &Proxy, cell: &Cell) -> Option<String> {
    let session = format!("s{}", cell.number);
    let mut client = proxy.connect().await;
    let data = json!({
        "sessionId": session, "message": cell.prompt(), "model": cell.model(), "streaming": cell.streaming
    });
    client.send("r", "chat.send_message", data).await;
    let (mut frames, mut waits) = (Vec::new(), 0);
    loop {
        let frame = client.frame().await;
        match frame.kind.as_str() {
            "chat.status" => waits += usize::from(frame.data["state"] == "retrying"),
            "chat.message_stream" | "chat.reasoning_stream" => frames.push(frame),
            _ => {
                frames.push(frame);
                break;
            }
        }
    }
    let (end, text, reasoning, called) = if cell.streaming {
        let answer = client.rest_of_answer(frames).await;
        let called = answer.frames.iter().any(|frame| frame.kind == "chat.tool_use");
        (answer.end, answer.text, answer.reasoning, called)
    } else {
        let end = frames.remove(0);
        let text = end.data["message"]["content"].as_str().unwrap_or_default().to_owned();
        (end, text, String::new(), false)
    };
    let calls = ended_calls(proxy, cell).await;
    let rule = expected(cell);
    let got = Expected {
        error: error_of(&end),
        text: if text == rule.text { rule.text } else { "(another text)" },
        reasoning: if reasoning == rule.reasoning { rule.reasoning } else { "(other reasoning)" },
        calls: calls.len(),
        billed: calls.iter().filter(|call| call.usage.is_some()).count(),
    };
    let mut wrong = Vec::new();
    if got != rule {
        wrong.push(format!("{got:?} is not {rule:?}; {text:?}"));
    }
    // A wait that is over before its client's turn comes is not told: there is nothing to wait for any more.
    if waits + 1 > calls.len() {
        wrong.push(format!("{waits} waits were told of {} calls", calls.len()));
    }
    let last = calls.last().expect("a call");
    if !last.text_sent.starts_with(&text) {
        wrong.push(format!("{text:?} is not what was sent: {:?}", last.text_sent));
    }
    let is_one_bill = got.billed == 1;
    wrong.extend(usage_is_wrong(&end, text.is_empty() && reasoning.is_empty(), last, is_one_bill));
    let history = proxy.history(&session).await;
    wrong.extend(history_is_wrong(&history, &end, &text, &reasoning, called));
    (!wrong.is_empty()).then(|| format!("{cell:?}: {}", wrong.join("; ")))
}

/// The calls of this cell, once all have ended.
async fn ended_calls(proxy: &Proxy, cell: &Cell) -> Vec<LedgerEntry> {
    within("the end of the calls", async {
        loop {
            let mut calls = proxy.emulator.ledger();
            calls.retain(|call| call.model_id == cell.model());
            if calls.iter().all(|call| call.outcome != Outcome::Running) {
                return calls;
            }
            tokio::task::yield_now().await;
        }
    })
    .await
}

fn error_of(end: &Frame) -> Option<(&'static str, bool)> {
    if end.kind != "chat.error" {
        assert!(matches!(end.kind.as_str(), "chat.message_complete" | "chat.message_response"), "{end:?}");
        return None;
    }
    let code: protocol::ErrorCode = end.str("code").parse().expect("a code of the protocol");
    Some((code.as_str(), end.data["retryable"].as_bool().expect("retryable")))
}

/// A whole answer says what Bedrock reported, and an estimate of the calls before it that may be billed; a part of one an estimate.
fn usage_is_wrong(end: &Frame, is_empty: bool, call: &LedgerEntry, is_one_bill: bool) -> Option<String> {
    let usage = match end.kind.as_str() {
        "chat.message_response" => &end.data["message"]["usage"],
        _ => &end.data["usage"],
    };
    let right = match (end.kind.as_str(), is_empty) {
        ("chat.error", true) => usage["source"] != "reported",
        ("chat.error", false) => usage["source"] == "estimated",
        _ if is_one_bill => *usage == usage_of(call),
        _ => {
            let tokens = |usage: &Value| usage["totalTokens"].as_u64();
            usage["source"] == "estimated" && tokens(usage) > tokens(&usage_of(call))
        }
    };
    (!right).then(|| format!("its usage is {usage}"))
}

/// What is kept is what was relayed, with the error if there was one; where nothing came, nothing is. A call of a tool was never made.
fn history_is_wrong(history: &Value, end: &Frame, text: &str, reasoning: &str, called: bool) -> Option<String> {
    let answer = &history["messages"][1];
    let failed = answer["content"] == text && answer["error"] == end.data;
    let reasoned = answer["parts"][0]["text"] == reasoning;
    let right = match (end.kind.as_str(), text.is_empty(), reasoning.is_empty()) {
        ("chat.error", true, true) if called => failed && answer["parts"][0]["status"] == "denied",
        ("chat.error", true, true) => answer.is_null(),
        ("chat.error", _, true) => failed,
        ("chat.error", _, false) => failed && reasoned,
        _ => answer["content"] == text && answer.get("error").is_none() && !answer["stopReason"].is_null(),
    };
    (!right).then(|| format!("{answer} is kept"))
}
