//! An answer is stopped in the middle of its tools, and the conversation goes on.

use bedrock_emulator::{Behaviour, Script, Step};
use serde_json::json;

use crate::{
    Calls as _, calling,
    common::{Client, Proxy},
    free, one, proxy,
    server::{Does, Server},
};

async fn stopped(client: &mut Client, proxy: &Proxy) -> crate::common::Answer {
    let mut other = proxy.connect().await;
    other.send("x", "chat.cancel", json!({ "requestId": "1" })).await;
    client.answer().await
}

#[tokio::test]
async fn a_call_that_runs_is_cancelled_and_its_outcome_is_unknown() {
    let server = Server::start(&[("slow", Does::Waits), ("echo", Does::Echoes)]).await;
    let script = calling(&[("slow", json!({})), ("echo", json!({ "x": 1 }))], "Went on.");
    let proxy = proxy(&server, free(), &[], script).await;
    let mut client = proxy.connect().await;
    client.send_message("1", "s", "go", true).await;
    server.came(2).await;
    let answer = stopped(&mut client, &proxy).await;
    server.cancelled().await;
    assert_eq!(answer.end.data["stopReason"], "cancelled");
    assert_eq!(answer.ends()["slow"], "unknown_outcome");
    // What is kept is what was shown, and Bedrock takes it.
    let history = client.history("s").await;
    let parts = history["messages"][1]["parts"].as_array().unwrap();
    assert_eq!(parts[1]["status"], "unknown_outcome");
    let next = client.chat("2", "s", "go on").await;
    assert_eq!(next.end.kind, "chat.message_complete", "{:?}", next.end);
    let sent = proxy.emulator.ledger()[1].request.clone();
    let results = sent["messages"][2]["content"].as_array().unwrap();
    assert_eq!(results[0]["toolResult"]["status"], "error", "{sent}");
    assert!(results.last().unwrap()["text"].is_string(), "the results come first, then the question");
}

#[tokio::test]
async fn a_call_that_waits_for_a_word_is_not_made() {
    let server = one("echo", Does::Echoes).await;
    let asks = Behaviour::text("I look.").with_tool_use("s__echo", json!({}));
    let script = Script::new().step(Step::of(asks).times(1)).step(Step::of(Behaviour::text("Went on.")));
    let proxy = proxy(&server, json!({}), &[], script).await;
    let mut client = proxy.connect().await;
    client.send_message("1", "s", "go", true).await;
    let mut read = Vec::new();
    loop {
        let frame = client.frame().await;
        read.push(frame.clone());
        if frame.kind == "chat.tool_use" && frame.str("status") == "pending_approval" {
            break;
        }
    }
    let mut other = proxy.connect().await;
    other.send("x", "chat.cancel", json!({ "requestId": "1" })).await;
    let answer = client.rest_of_answer(read).await;
    assert_eq!((answer.states().last(), server.called().len()), (Some(&"denied"), 0));
    assert_eq!(client.chat("2", "s", "go on").await.end.kind, "chat.message_complete");
}

#[tokio::test]
async fn what_ran_when_it_was_stopped_is_in_the_ledger() {
    let server = one("slow", Does::Waits).await;
    let proxy = proxy(&server, free(), &[], calling(&[("slow", json!({}))], "Well.")).await;
    let mut client = proxy.connect().await;
    client.send_message("1", "s", "go", true).await;
    server.came(1).await;
    stopped(&mut client, &proxy).await;
    let usage = client.ask("u", "chat.get_usage", json!({ "groupBy": "model" })).await.unwrap();
    assert_eq!((&usage["total"]["calls"], &usage["total"]["toolCalls"]), (&json!(1), &json!(1)), "{usage}");
}
