//! Stopping an answer: the text ends at once, and what the call used is either read to its end or estimated.

use bedrock_emulator::{Behaviour, ErrorType, Fault, LedgerEntry, Outcome, Pace, Script, Step};
use serde_json::{Value, json};

use crate::common::{Answer, Client, Frame, Proxy, usage_of, within};

const TEXT: &str = "one two three four five six seven eight nine ten";
/// A token in 50 ms: half a second for all of the text, so that a stop comes in the middle of it.
const SLOW: Pace = Pace { first_token_ms: 50, tokens_per_second: 20.0 };

async fn proxy(on_stop: &str, behaviour: Behaviour) -> Proxy {
    Proxy::with(&["--on-stop", on_stop], Script::always(behaviour)).await
}

/// A proxy whose answer says these words and then nothing more, and that drops calls that are stopped.
async fn stuck_after(words: u32) -> Proxy {
    proxy("abort", Behaviour::text("one two three four").with_fault(Fault::Silence { after_tokens: words })).await
}

/// Asks, and reads until the third token has come.
async fn begun(proxy: &Proxy) -> (Client, Vec<Frame>) {
    let mut client = proxy.connect().await;
    client.send_message("r", "s", "count", true).await;
    let mut frames = vec![client.frame().await];
    while frames.last().expect("a frame").seq() < 3 {
        frames.push(client.frame().await);
    }
    (client, frames)
}

/// Reads until the proxy says that it reads the call to its end; text that was under way before the stop comes first.
async fn settling(client: &mut Client, frames: &mut Vec<Frame>) {
    loop {
        let frame = client.frame().await;
        if frame.kind == "chat.status" {
            assert_eq!((frame.id.as_str(), frame.str("state")), ("r", "settling"), "{frame:?}");
            return;
        }
        assert_eq!(frame.kind, "chat.message_stream", "{frame:?}");
        frames.push(frame);
    }
}

fn text_of(frames: &[Frame]) -> String {
    frames.iter().map(|frame| frame.str("content")).collect()
}

fn assert_cancelled(answer: &Answer, text: &str, usage: &Value) {
    assert_eq!((answer.text.as_str(), answer.end.kind.as_str()), (text, "chat.message_complete"));
    assert_eq!((answer.end.id.as_str(), &answer.end.data["stopReason"]), ("r", &json!("cancelled")));
    assert_eq!(&answer.end.data["usage"], usage);
}

async fn assert_stored(proxy: &Proxy, text: &str, usage: &Value) {
    let history = proxy.history("s").await;
    let stored = &history["messages"][1];
    assert_eq!(
        (&stored["content"], &stored["stopReason"], &stored["usage"]),
        (&json!(text), &json!("cancelled"), usage)
    );
    assert_eq!(history.get("inProgress"), None);
}

fn assert_estimated(usage: &Value, text: &str) {
    let tokens = |field: &str| usage[field].as_u64().expect("a number");
    assert_eq!(usage["source"], "estimated");
    assert_eq!(tokens("outputTokens"), (text.len() as u64).div_ceil(4));
    assert_eq!(tokens("inputTokens"), ("count".len() as u64).div_ceil(4));
    assert_eq!(tokens("costNanoUsd"), tokens("inputTokens") * 3_000 + tokens("outputTokens") * 15_000);
}

/// What the call used, which went on to its end.
fn reported(call: &LedgerEntry) -> Value {
    assert_eq!((call.outcome, call.text_sent.as_str()), (Outcome::Completed, TEXT));
    let usage = usage_of(call);
    assert_eq!(usage["source"], "reported");
    usage
}

#[tokio::test]
async fn by_either_id_and_from_any_socket_the_call_is_dropped_where_it_is_to_be() {
    for by_message in [true, false] {
        for other_socket in [true, false] {
            let proxy = stuck_after(3).await;
            let (mut client, frames) = begun(&proxy).await;
            let cancel = match by_message {
                true => json!({ "messageId": frames[0].data["messageId"] }),
                false => json!({ "requestId": "r" }),
            };
            if other_socket {
                let mut other = proxy.connect().await;
                other.send("c", "chat.cancel", cancel).await;
                let end = other.frame().await;
                assert_eq!((end.id.as_str(), &end.data["stopReason"]), ("r", &json!("cancelled")));
            } else {
                client.send("c", "chat.cancel", cancel).await;
            }
            let answer = client.rest_of_answer(frames).await;
            let usage = &answer.end.data["usage"];
            assert_cancelled(&answer, "one two three", usage);
            assert_estimated(usage, "one two three");
            assert!(proxy.ended_call().await.client_gone, "the call of Bedrock is given up");
            assert_stored(&proxy, "one two three", usage).await;
        }
    }
}

#[tokio::test]
async fn in_mid_stream_the_text_ends_at_once_and_the_call_is_read_for_what_it_used() {
    for other_socket in [true, false] {
        let proxy = proxy("drain", Behaviour::text(TEXT).with_pace(SLOW)).await;
        let (mut client, mut frames) = begun(&proxy).await;
        let mut other = proxy.connect().await;
        let canceller = if other_socket { &mut other } else { &mut client };
        canceller.send("c", "chat.cancel", json!({ "requestId": "r" })).await;
        settling(&mut client, &mut frames).await;
        let text = text_of(&frames);
        assert!(TEXT.starts_with(&text) && text.len() < TEXT.len(), "{text}");
        let answer = client.rest_of_answer(frames).await;
        let usage = reported(&proxy.ended_call().await);
        assert_cancelled(&answer, &text, &usage);
        assert_stored(&proxy, &text, &usage).await;
        if other_socket {
            let answer = other.answer_after(answer.end.seq() - 1).await;
            assert_cancelled(&answer, "", &usage);
        }
    }
}

#[tokio::test]
async fn the_next_message_is_answered_while_the_stopped_one_settles() {
    let pace = Pace { first_token_ms: 0, tokens_per_second: 100.0 };
    let script = Script::new()
        .step(Step::of(Behaviour::text(TEXT.repeat(30)).with_pace(pace)).when_prompt("count"))
        .step(Step::of(Behaviour::text("five")));
    let proxy = Proxy::with(&["--on-stop", "drain"], script).await;
    let (mut client, mut frames) = begun(&proxy).await;
    client.send("c", "chat.cancel", json!({ "requestId": "r" })).await;
    settling(&mut client, &mut frames).await;
    let text = text_of(&frames);
    let kept = proxy.history("s").await["messages"][1].clone();
    assert_eq!((&kept["content"], &kept["stopReason"]), (&json!(text), &json!("cancelled")));
    assert_estimated(&kept["usage"], &text);
    let mut other = proxy.connect().await;
    assert_eq!(other.chat("r2", "s", "go on").await.text, "five");
    let calls = proxy.emulator.ledger();
    assert_eq!((calls.len(), calls[0].outcome), (2, Outcome::Running));
    let sent: Vec<&Value> =
        calls[1].request["messages"].as_array().expect("messages").iter().map(|m| &m["content"][0]["text"]).collect();
    assert_eq!(sent, ["count", text.as_str(), "go on"]);

    let answer = client.rest_of_answer(frames).await;
    let first = proxy.emulator.ledger().swap_remove(0);
    assert_eq!(first.outcome, Outcome::Completed);
    assert_cancelled(&answer, &text, &usage_of(&first));
    assert_stored(&proxy, &text, &usage_of(&first)).await;
    assert_eq!(proxy.history("s").await["messages"].as_array().map(Vec::len), Some(4));
}

#[tokio::test]
async fn a_call_that_does_not_end_is_read_for_so_long_only() {
    let behaviour = Behaviour::text(TEXT).with_fault(Fault::Silence { after_tokens: 3 });
    let flags = ["--on-stop", "drain", "--stop-drain-timeout", "100ms"];
    let proxy = Proxy::with(&flags, Script::always(behaviour)).await;
    let (mut client, mut frames) = begun(&proxy).await;
    client.send("c", "chat.cancel", json!({ "requestId": "r" })).await;
    settling(&mut client, &mut frames).await;
    let answer = client.rest_of_answer(frames).await;
    let usage = &answer.end.data["usage"];
    assert_cancelled(&answer, "one two three", usage);
    assert_estimated(usage, "one two three");
    assert_stored(&proxy, "one two three", usage).await;
    assert!(proxy.ended_call().await.client_gone);
}

#[tokio::test]
async fn before_its_first_token_an_answer_is_empty_whichever_way_it_was_asked_for() {
    for (on_stop, streaming) in [("drain", true), ("drain", false), ("abort", true), ("abort", false)] {
        let pace = Pace { first_token_ms: 500, ..SLOW };
        let proxy = proxy(on_stop, Behaviour::text(TEXT).with_pace(pace)).await;
        let mut client = proxy.connect().await;
        client.send_message("r", "s", "count", streaming).await;
        called(&proxy).await;
        client.send("c", "chat.cancel", json!({ "requestId": "r" })).await;
        let mut frame = client.frame().await;
        if on_stop == "drain" {
            assert_eq!((frame.id.as_str(), &frame.data["state"]), ("r", &json!("settling")), "{frame:?}");
            frame = client.frame().await;
        }
        assert_eq!(frame.id, "r");
        let message = if streaming {
            assert_eq!((frame.kind.as_str(), frame.seq()), ("chat.message_complete", 1));
            &frame.data
        } else {
            assert_eq!((frame.kind.as_str(), &frame.data["message"]["content"]), ("chat.message_response", &json!("")));
            &frame.data["message"]
        };
        assert_eq!(message["stopReason"], "cancelled");
        let call = proxy.ended_call().await;
        if on_stop == "drain" {
            assert_eq!(message["usage"], reported(&call));
        } else {
            assert!(call.client_gone);
            assert_estimated(&message["usage"], "");
        }
        assert_stored(&proxy, "", &message["usage"]).await;
        client.ask("p", "ping", json!({})).await.expect("the pong, and nothing before it");
    }
}

/// Waits until Bedrock has been called.
async fn called(proxy: &Proxy) {
    within("a call", async {
        while proxy.emulator.ledger().is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn after_a_resume_the_answer_is_stopped_where_it_is_followed_now() {
    for on_stop in ["drain", "abort"] {
        let proxy = proxy(on_stop, Behaviour::text(TEXT).with_pace(SLOW)).await;
        let (client, mut frames) = begun(&proxy).await;
        drop(client);
        let mut client = proxy.connect().await;
        let (id, after) = (frames[0].data["messageId"].clone(), frames.last().expect("a frame").seq());
        client.send("x", "chat.resume", json!({ "messageId": id, "after": after })).await;
        frames.push(client.frame().await);
        client.send("c", "chat.cancel", json!({ "messageId": id })).await;
        let answer = client.rest_of_answer(frames).await;
        assert!(TEXT.starts_with(&answer.text) && answer.text.len() < TEXT.len(), "{}", answer.text);
        let (call, usage) = (proxy.ended_call().await, answer.end.data["usage"].clone());
        assert_cancelled(&answer, &answer.text, &usage);
        if on_stop == "drain" {
            assert_eq!(usage, reported(&call));
        } else {
            assert!(call.client_gone);
            assert_estimated(&usage, &answer.text);
        }
        assert_stored(&proxy, &answer.text, &usage).await;
    }
}

#[tokio::test]
async fn between_two_calls_that_bedrock_refused_an_answer_has_used_nothing_and_there_is_no_second_call() {
    for on_stop in ["drain", "abort"] {
        let flags = ["--on-stop", on_stop, "--retry-base", "10m", "--retry-timeout", "1h"];
        let proxy = Proxy::with(&flags, Script::always(Behaviour::error(ErrorType::Throttling))).await;
        let mut client = proxy.connect().await;
        client.send_message("r", "s", "count", true).await;
        assert_eq!(client.frame().await.str("state"), "retrying");
        client.send("c", "chat.cancel", json!({ "requestId": "r" })).await;
        let end = client.frame().await;
        assert_eq!((end.kind.as_str(), &end.data["stopReason"]), ("chat.message_complete", &json!("cancelled")));
        let usage = &end.data["usage"];
        for field in ["inputTokens", "outputTokens", "totalTokens", "costNanoUsd"] {
            assert_eq!(usage[field], 0, "{field} of {usage}");
        }
        assert_stored(&proxy, "", usage).await;
        assert_eq!((proxy.only_call().status, proxy.only_call().usage), (429, None));
    }
}

#[tokio::test]
async fn an_answer_that_has_ended_answers_a_cancel_with_its_end_again() {
    let proxy = Proxy::start().await;
    let mut client = proxy.connect().await;
    let answer = client.chat("r", "s", "hi").await;
    client.send("c", "chat.cancel", json!({ "messageId": answer.message_id() })).await;
    assert_eq!(client.frame().await, answer.end);
    let by_request = client.ask("c", "chat.cancel", json!({ "requestId": "r" })).await;
    assert_eq!(by_request.expect_err("request ids are known while their turn runs").0, "session_not_found");
    assert_eq!(proxy.history("s").await["messages"][1]["stopReason"], "end_turn");
}

/// The next message may follow the stop in the same breath: nobody should have to wait for a word from the proxy in between.
#[tokio::test]
async fn a_stop_and_the_next_message_may_come_together() {
    let slow = Behaviour::text("one two three").with_pace(Pace { first_token_ms: 0, tokens_per_second: 2.0 });
    let script = Script::new().step(Step::of(slow).when_prompt("count")).step(Step::of(Behaviour::text("done")));
    let proxy = Proxy::with(&["--on-stop", "abort"], script).await;
    let mut client = proxy.connect().await;
    client.send_message("r", "s", "count", true).await;
    assert_eq!(client.frame().await.str("content"), "one");
    let next = json!({ "sessionId": "s", "message": "and now?", "streaming": true });
    let cancel = json!({ "requestId": "r" });
    client.send_together([("c", "chat.cancel", cancel), ("r2", "chat.send_message", next)]).await;
    let (mut stopped, mut text) = (false, String::new());
    loop {
        let frame = client.frame().await;
        match (frame.id.as_str(), frame.kind.as_str()) {
            ("r", "chat.message_complete") => stopped = true,
            ("r2", "chat.message_stream") => text.push_str(frame.str("content")),
            ("r2", "chat.message_complete") => break,
            other => panic!("{other:?}: {frame:?}"),
        }
    }
    assert_eq!((stopped, text.as_str()), (true, "done"));
}
