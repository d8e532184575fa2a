//! Stopping an answer.

use bedrock_emulator::{Behaviour, Fault};
use serde_json::{Value, json};

use crate::common::{Answer, Client, Frame, Proxy};

/// A proxy whose answer says these words and then nothing more.
async fn stuck_after(words: u32) -> Proxy {
    Proxy::answering(Behaviour::text("one two three four").with_fault(Fault::Silence { after_tokens: words })).await
}

async fn begun(proxy: &Proxy) -> (Client, Vec<Frame>) {
    let mut client = proxy.connect().await;
    client.send_message("r", "s", "count", true).await;
    let mut frames = vec![client.frame().await];
    while frames.last().expect("a frame").seq() < 3 {
        frames.push(client.frame().await);
    }
    (client, frames)
}

fn assert_cancelled(answer: &Answer, text: &str) {
    assert_eq!((answer.text.as_str(), answer.end.kind.as_str()), (text, "chat.message_complete"));
    assert_eq!((answer.end.id.as_str(), &answer.end.data["stopReason"]), ("r", &json!("cancelled")));
    let usage = &answer.end.data["usage"];
    let tokens = |field: &str| usage[field].as_u64().expect("a number");
    assert_eq!(usage["source"], "estimated");
    assert_eq!(tokens("outputTokens"), (text.len() as u64).div_ceil(4));
    assert_eq!(tokens("inputTokens"), ("count".len() as u64).div_ceil(4));
    assert_eq!(tokens("costNanoUsd"), tokens("inputTokens") * 3_000 + tokens("outputTokens") * 15_000);
}

#[tokio::test]
async fn an_answer_is_stopped_by_either_id_and_from_any_socket_and_the_call_ends_too() {
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
            assert_cancelled(&answer, "one two three");
            assert!(proxy.ended_call().await.client_gone, "the call of Bedrock is given up");
            let stored = &proxy.history("s").await["messages"][1];
            assert_eq!((&stored["content"], &stored["stopReason"]), (&json!("one two three"), &json!("cancelled")));
            assert_eq!(stored["usage"], answer.end.data["usage"]);
        }
    }
}

#[tokio::test]
async fn an_answer_is_stopped_before_its_first_token() {
    for streaming in [true, false] {
        let proxy = stuck_after(0).await;
        let mut client = proxy.connect().await;
        client.send_message("r", "s", "count", streaming).await;
        client.send("c", "chat.cancel", json!({ "requestId": "r" })).await;
        let frame = client.frame().await;
        assert_eq!(frame.id, "r");
        if streaming {
            assert_eq!((frame.kind.as_str(), frame.seq()), ("chat.message_complete", 1));
            assert_eq!(frame.data["stopReason"], "cancelled");
        } else {
            assert_eq!(frame.kind, "chat.message_response");
            assert_eq!(
                (&frame.data["message"]["stopReason"], &frame.data["message"]["content"]),
                (&json!("cancelled"), &json!(""))
            );
        }
        client.ask("p", "ping", json!({})).await.expect("the pong, and nothing before it");
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

#[tokio::test]
async fn the_session_goes_on_after_a_stop() {
    let proxy = stuck_after(3).await;
    let (mut client, frames) = begun(&proxy).await;
    client.send("c", "chat.cancel", json!({ "requestId": "r" })).await;
    client.rest_of_answer(frames).await;
    proxy.emulator.set_script(bedrock_emulator::Script::always(Behaviour::text("five")));
    assert_eq!(client.chat("r2", "s", "go on").await.text, "five");
    let request = &proxy.emulator.ledger()[1].request;
    let texts: Vec<&Value> =
        request["messages"].as_array().expect("messages").iter().map(|m| &m["content"][0]["text"]).collect();
    assert_eq!(texts, ["count", "one two three", "go on"]);
}
