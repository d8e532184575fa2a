//! What is done about a Bedrock that does not answer: other models, no calls for a while, no calls for ever; and about answers that
//! nobody waits for.

use bedrock_emulator::{Behaviour, ErrorType, Fault, LedgerEntry, Moment, Outcome, Pace, Script, Step, Strike};
use outcrop_proxy::turn::{
    MAX_SETTLING,
    breaker::{FAILURES_TO_OPEN, FIRST_OPEN},
};
use serde_json::{Value, json};
use tokio::time::{advance, pause, resume};

use crate::common::{Client, Frame, MODEL, Proxy, pipe, usage_of, within};

const FIRST_OTHER: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const SECOND_OTHER: &str = "us.anthropic.claude-haiku-4-5-20251001-v1:0";
const TEXT: &str = "one two three four five six";

/// The end of an answer, what had come of it, and which models were called.
struct Told {
    end: Frame,
    text: String,
    calls: Vec<LedgerEntry>,
}

impl Told {
    fn models(&self) -> Vec<&str> {
        self.calls.iter().map(|call| call.model_id.as_str()).collect()
    }
}

async fn ask(proxy: &Proxy, data: Value) -> Told {
    let mut client = proxy.connect().await;
    client.send("r", "chat.send_message", data).await;
    let mut text = String::new();
    let end = loop {
        let frame = client.frame().await;
        match frame.kind.as_str() {
            "chat.status" => {}
            "chat.message_stream" => text.push_str(frame.str("content")),
            _ => break frame,
        }
    };
    if end.kind == "chat.message_response" {
        text.push_str(end.data["message"]["content"].as_str().expect("text"));
    }
    Told { end, text, calls: proxy.emulator.ledger() }
}

fn question(streaming: bool) -> Value {
    json!({ "sessionId": "s", "message": "count", "streaming": streaming })
}

/// A script in which `model` fails like this, and every other answers.
fn failing(model: &str, fault: Fault) -> Script {
    Script::new()
        .step(Step::of(Behaviour::text(TEXT).with_fault(fault)).when_model(model))
        .step(Step::of(Behaviour::text(TEXT)))
}

fn http(error: ErrorType) -> Fault {
    Fault::exception(error, Moment::Request)
}

fn daily_quota() -> Fault {
    let message = Some("Too many tokens per day, please wait before trying again.".to_owned());
    Fault::ErrorBefore { error: ErrorType::Throttling, message, times: None }
}

#[tokio::test]
async fn another_model_answers_where_the_one_that_was_asked_for_cannot() {
    for (fault, calls) in [
        (http(ErrorType::Throttling), 2),
        (http(ErrorType::ServiceUnavailable), 2),
        (http(ErrorType::InternalServer), 2),
        (http(ErrorType::ModelNotReady), 2),
        (http(ErrorType::ModelTimeout), 1),
        (daily_quota(), 1),
    ] {
        for streaming in [true, false] {
            let flags = ["--fallback-models", FIRST_OTHER, "--max-attempts", "2", "--retry-base", "1ms"];
            let proxy = Proxy::with(&flags, failing(MODEL, fault.clone())).await;
            let told = ask(&proxy, question(streaming)).await;
            let answer = if streaming { &told.end.data } else { &told.end.data["message"] };
            let expected = [vec![MODEL; calls], vec![FIRST_OTHER]].concat();
            assert_eq!(told.models(), expected, "{fault:?}");
            let usage = usage_of(told.calls.last().expect("a call"));
            assert_eq!((told.text.as_str(), &answer["model"]), (TEXT, &json!(FIRST_OTHER)), "{fault:?}");
            assert_eq!(answer["usage"], usage, "{fault:?}");
            let kept = &proxy.history("s").await["messages"][1];
            assert_eq!((&kept["model"], &kept["usage"]), (&json!(FIRST_OTHER), &usage), "{fault:?}");
        }
    }
}

#[tokio::test]
async fn no_other_model_is_asked_where_it_would_fail_too_or_be_a_second_bill() {
    let in_text = |error| Fault::exception(error, Moment::Deltas(3));
    for (fault, code, text, calls) in [
        (http(ErrorType::Validation), "invalid_request", "", 1),
        (http(ErrorType::AccessDenied), "model_access_denied", "", 1),
        (http(ErrorType::ResourceNotFound), "model_not_found", "", 1),
        (http(ErrorType::ModelError), "upstream_stream_error", "", 1),
        (Fault::exception(ErrorType::ModelStreamError, Moment::Headers), "upstream_stream_error", "", 2),
        (Fault::Strike { what: Strike::Cut, at: Moment::Headers }, "upstream_stream_error", "", 2),
        (in_text(ErrorType::Throttling), "throttled", &TEXT[..13], 1),
        (in_text(ErrorType::ServiceUnavailable), "upstream_unavailable", &TEXT[..13], 1),
    ] {
        let flags = ["--fallback-models", FIRST_OTHER, "--retry-base", "1ms"];
        let proxy = Proxy::with(&flags, failing(MODEL, fault.clone())).await;
        let told = ask(&proxy, question(true)).await;
        assert_eq!((told.end.str("code"), told.text.as_str()), (code, text), "{fault:?}");
        assert_eq!(told.models(), vec![MODEL; calls], "{fault:?}");
    }
}

#[tokio::test]
async fn other_models_are_asked_in_their_order_and_none_twice() {
    let both = [FIRST_OTHER, SECOND_OTHER].join(",");
    let flags = ["--fallback-models", &both, "--models", FIRST_OTHER, "--max-attempts", "1"];
    let script = Script::new()
        .step(Step::of(Behaviour::fault(daily_quota())).when_model(MODEL))
        .step(Step::of(Behaviour::error(ErrorType::ModelNotReady)).when_model(FIRST_OTHER));
    let proxy = Proxy::with(&flags, script.clone().step(Step::of(Behaviour::text(TEXT)))).await;
    let told = ask(&proxy, question(true)).await;
    assert_eq!(told.models(), [MODEL, FIRST_OTHER, SECOND_OTHER]);
    assert_eq!(told.end.str("model"), SECOND_OTHER);

    proxy.emulator.clear_ledger();
    let named = json!({ "sessionId": "t", "message": "count", "streaming": true, "model": FIRST_OTHER });
    let told = ask(&proxy, named).await;
    assert_eq!(told.models(), [FIRST_OTHER, SECOND_OTHER]);

    let proxy = Proxy::with(&flags, script.step(Step::of(Behaviour::error(ErrorType::ServiceUnavailable)))).await;
    let told = ask(&proxy, question(true)).await;
    assert_eq!(told.models(), [MODEL, FIRST_OTHER, SECOND_OTHER]);
    assert_eq!(told.end.str("code"), "upstream_unavailable");
    assert_eq!(proxy.history("s").await["messages"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_silent_other_model_is_waited_for_and_not_said_to_be_asked_again() {
    let script = Script::new()
        .step(Step::of(Behaviour::fault(daily_quota())).when_model(MODEL))
        .step(Step::of(Behaviour::fault(Fault::Silence { after_tokens: 0 })));
    let proxy = Proxy::with(&["--fallback-models", FIRST_OTHER], script).await;
    let (pipe, _socket) = pipe(&proxy, 64 * 1_024);
    let mut client = Client::over(pipe).await;
    client.send("r", "chat.send_message", question(true)).await;
    let frame = client.frame().await;
    assert_eq!((frame.str("state"), &frame.data["retryInMs"]), ("retrying", &json!(0)));
    within("the second call", async {
        while proxy.emulator.ledger().len() < 2 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    client.ask("p", "ping", json!({})).await.expect("a pong");
    pause();
    assert_eq!(client.frame().await.str("state"), "stalled");
    resume();
}

/// Asks until the model has failed so often that it is not called any more.
async fn open_the_breaker(proxy: &Proxy) {
    for n in 0..FAILURES_TO_OPEN {
        let told = ask(proxy, json!({ "sessionId": format!("f{n}"), "message": "count", "streaming": true })).await;
        assert_eq!((told.end.str("code"), told.end.data.get("retryAfterMs")), ("upstream_unavailable", None));
    }
    assert_eq!(proxy.emulator.ledger().len(), FAILURES_TO_OPEN as usize);
    proxy.emulator.clear_ledger();
}

#[tokio::test]
async fn a_model_that_keeps_failing_is_not_called_for_a_while_and_people_are_told_so_at_once() {
    let flags = ["--models", FIRST_OTHER, "--max-attempts", "1"];
    let proxy = Proxy::with(&flags, failing(MODEL, http(ErrorType::ServiceUnavailable))).await;
    open_the_breaker(&proxy).await;
    for streaming in [true, false] {
        let session = format!("open-{streaming}");
        let told = ask(&proxy, json!({ "sessionId": session, "message": "count", "streaming": streaming })).await;
        assert_eq!((told.end.str("code"), told.models().len()), ("upstream_unavailable", 0), "{:?}", told.end);
        let wait = told.end.data["retryAfterMs"].as_u64().expect("a time");
        assert!((1..=FIRST_OPEN.as_millis() as u64).contains(&wait), "{wait}");
        assert_eq!(told.end.data["retryable"], true);
        assert!(told.end.str("message").contains("has failed again and again"), "{:?}", told.end);
    }
    let other = json!({ "sessionId": "t", "message": "count", "streaming": true, "model": FIRST_OTHER });
    assert_eq!(ask(&proxy, other).await.text, TEXT, "another model is none the worse");

    proxy.emulator.set_script(Script::always(Behaviour::text("well again")));
    proxy.emulator.clear_ledger();
    pause();
    advance(FIRST_OPEN).await;
    resume();
    for session in ["u", "v"] {
        let again = json!({ "sessionId": session, "message": "count", "streaming": true });
        assert_eq!(ask(&proxy, again).await.text, "well again");
    }
    assert_eq!(proxy.emulator.ledger().len(), 2);
}

#[tokio::test]
async fn attempts_end_when_the_model_is_given_up_and_another_model_is_asked_then() {
    let flags = ["--fallback-models", FIRST_OTHER, "--retry-base", "1ms", "--max-attempts", "20"];
    let proxy = Proxy::with(&flags, failing(MODEL, http(ErrorType::InternalServer))).await;
    let told = ask(&proxy, question(true)).await;
    assert_eq!(told.models(), [vec![MODEL; FAILURES_TO_OPEN as usize], vec![FIRST_OTHER]].concat());
    assert_eq!((told.text.as_str(), told.end.str("model")), (TEXT, FIRST_OTHER));
    proxy.emulator.clear_ledger();
    let told = ask(&proxy, json!({ "sessionId": "t", "message": "count", "streaming": true })).await;
    assert_eq!(told.models(), [FIRST_OTHER]);
}

#[tokio::test]
async fn no_call_begins_after_the_time_for_calls() {
    let throttled = || Script::always(Behaviour::error(ErrorType::Throttling));
    let proxy = Proxy::with(&["--retry-base", "10m", "--retry-timeout", "1m"], throttled()).await;
    let mut client = proxy.connect().await;
    let answer = client.chat("r", "s", "count").await;
    answer.error("throttled");
    assert_eq!(proxy.only_call().status, 429);

    // The waits are at least 100, 200, 400 and 800 ms: the fifth call would come too late.
    let flags = ["--retry-base", "200ms", "--retry-timeout", "1s", "--max-attempts", "20"];
    let proxy = Proxy::with(&flags, throttled()).await;
    proxy.connect().await.chat("r", "s", "count").await.error("throttled");
    let calls = proxy.emulator.ledger().len();
    assert!((2..=4).contains(&calls), "{calls}");
}

/// Asks, and returns once the first text has come.
async fn begun(proxy: &Proxy, session: &str) -> (Client, Frame) {
    let mut client = proxy.connect().await;
    client.send_message("r", session, "count", true).await;
    let first = client.frame().await;
    assert_eq!(first.kind, "chat.message_stream");
    (client, first)
}

#[tokio::test]
async fn an_answer_that_nobody_follows_is_stopped_and_one_that_anybody_follows_is_not() {
    // A second each: four times as long as nobody may follow.
    let text = "word ".repeat(50);
    let pace = Pace { first_token_ms: 0, tokens_per_second: 50.0 };
    let flags = ["--unwatched-timeout", "250ms", "--on-stop", "abort"];
    let proxy = Proxy::with(&flags, Script::always(Behaviour::text(&*text).with_pace(pace))).await;
    let (asker, first) = begun(&proxy, "other").await;
    let mut other = proxy.connect().await;
    other.send("x", "chat.resume", json!({ "messageId": first.data["messageId"], "after": 0 })).await;
    let first = other.frame().await;
    drop(asker);
    let (watcher, first_watched) = begun(&proxy, "watched").await;
    let (gone, _) = begun(&proxy, "gone").await;
    drop(gone);
    for (mut client, first) in [(watcher, first_watched), (other, first)] {
        let answer = client.rest_of_answer(vec![first]).await;
        assert_eq!((answer.text.as_str(), answer.end.str("stopReason")), (text.as_str(), "end_turn"));
    }
    let kept = within("the end of the answer", async {
        loop {
            let history = proxy.history("gone").await;
            if history.get("inProgress").is_none() {
                return history["messages"][1].clone();
            }
        }
    })
    .await;
    let content = kept["content"].as_str().expect("text");
    assert!(!content.is_empty() && content.len() < text.len() && text.starts_with(content), "{content}");
    assert_eq!((&kept["stopReason"], &kept["usage"]["source"]), (&json!("cancelled"), &json!("estimated")));
    let ends: Vec<_> = proxy.emulator.ledger().iter().map(|call| call.outcome).collect();
    assert_eq!(ends, [Outcome::Completed, Outcome::Completed, Outcome::ClientGone]);
}

#[tokio::test]
async fn stopped_calls_that_are_read_on_are_bounded_in_number() {
    let silent = Behaviour::text(TEXT).with_fault(Fault::Silence { after_tokens: 3 });
    let proxy = Proxy::with(&["--on-stop", "drain"], Script::always(silent)).await;
    let mut kept = Vec::new();
    for n in 0..=MAX_SETTLING {
        let (mut client, first) = begun(&proxy, &format!("s{n}")).await;
        client.send("c", "chat.cancel", json!({ "messageId": first.data["messageId"] })).await;
        let mut next = client.frame().await;
        while next.kind == "chat.message_stream" {
            next = client.frame().await;
        }
        if n < MAX_SETTLING {
            assert_eq!((next.kind.as_str(), next.str("state")), ("chat.status", "settling"), "{n}");
        } else {
            assert_eq!((next.kind.as_str(), next.str("stopReason")), ("chat.message_complete", "cancelled"));
            assert_eq!(next.data["usage"]["source"], "estimated");
        }
        kept.push(client);
    }
    within("the end of the last call", async {
        while proxy.emulator.ledger().last().expect("a call").outcome == Outcome::Running {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let running = proxy.emulator.ledger().iter().filter(|call| call.outcome == Outcome::Running).count();
    assert_eq!(running, MAX_SETTLING);
}
