//! A person is asked before a tool is called.

use serde_json::{Value, json};

use crate::{
    Calls as _, calling,
    common::{Client, Frame, Proxy},
    one, proxy,
    server::Does,
};

/// Reads up to the call that waits.
async fn pending(client: &mut Client) -> (Vec<Frame>, Frame) {
    let mut read = Vec::new();
    loop {
        let frame = client.frame().await;
        read.push(frame.clone());
        if frame.kind == "chat.tool_use" && frame.str("status") == "pending_approval" {
            return (read, frame);
        }
    }
}

async fn say(client: &mut Client, call: &Frame, approved: bool) -> Result<Value, (String, String)> {
    let data = json!({ "toolUseId": call.str("toolUseId"), "messageId": call.str("messageId"), "approved": approved });
    client.ask("a", "chat.approve_tool", data).await
}

async fn asking(options: Value, flags: &[&str]) -> (crate::Server, Proxy) {
    let server = one("echo", Does::Echoes).await;
    let proxy = proxy(&server, options, flags, calling(&[("echo", json!({ "x": 7 }))], "Well.")).await;
    (server, proxy)
}

#[tokio::test]
async fn a_tool_waits_for_a_yes_which_any_socket_of_the_person_may_say() {
    let (server, proxy) = asking(json!({}), &[]).await;
    let mut client = proxy.connect().await;
    client.send_message("1", "s", "go", true).await;
    let (read, call) = pending(&mut client).await;
    assert_eq!((call.data["input"].clone(), server.called().len()), (json!({ "x": 7 }), 0));
    // After a reload the page finds it waiting.
    let mut other = proxy.connect().await;
    let history = other.history("s").await;
    assert_eq!(history["inProgress"]["message"]["parts"][1]["status"], "pending_approval");
    assert_eq!(say(&mut other, &call, true).await.unwrap()["approved"], true);
    let answer = client.rest_of_answer(read).await;
    assert_eq!(answer.states(), ["preparing", "pending_approval", "running", "succeeded"]);
    assert_eq!((answer.calls()[3].2["approved"].as_bool(), server.called().len()), (Some(true), 1));
    let late = say(&mut other, &call, false).await.unwrap_err();
    assert_eq!(late.0, "invalid_request");
}

#[tokio::test]
async fn a_no_is_final_and_the_model_hears_of_it() {
    let (server, proxy) = asking(json!({}), &[]).await;
    let mut client = proxy.connect().await;
    client.send_message("1", "s", "go", true).await;
    let (read, call) = pending(&mut client).await;
    let mut other = proxy.connect().await;
    assert!(say(&mut other, &call, false).await.is_ok());
    assert_eq!(say(&mut other, &call, true).await.unwrap_err().0, "invalid_request");
    let answer = client.rest_of_answer(read).await;
    assert_eq!((answer.states().last(), server.called().len()), (Some(&"denied"), 0));
    assert_eq!((answer.text.as_str(), &answer.end.data["stopReason"]), ("I look.\n\nWell.", &json!("end_turn")));
    let sent = proxy.emulator.ledger().last().unwrap().request.to_string();
    assert!(sent.contains("the person said no"), "{sent}");
}

#[tokio::test]
async fn silence_is_a_no() {
    let (server, proxy) = asking(json!({}), &["--approval-timeout", "1s"]).await;
    let answer = proxy.connect().await.chat("1", "s", "go").await;
    assert_eq!((answer.states().last(), server.called().len()), (Some(&"denied"), 0));
    assert!(answer.calls().last().unwrap().2["result"]["text"].as_str().unwrap().contains("nobody allowed it in time"));
}

#[tokio::test]
async fn once_in_a_conversation_is_once_also_after_the_answer_and_not_in_another_one() {
    let (server, proxy) = asking(json!({ "approval": "session" }), &[]).await;
    let mut client = proxy.connect().await;
    client.send_message("1", "s", "go", true).await;
    let (read, call) = pending(&mut client).await;
    say(&mut proxy.connect().await, &call, true).await.unwrap();
    client.rest_of_answer(read).await;
    let again = client.chat("2", "s", "again").await;
    assert_eq!(again.states(), ["preparing", "running", "succeeded"]);
    assert_eq!(server.called().len(), 2);
    client.send_message("3", "other", "go", true).await;
    pending(&mut client).await;
}

#[tokio::test]
async fn whoever_takes_whole_answers_is_not_asked_and_nothing_is_called() {
    let (server, proxy) = asking(json!({}), &[]).await;
    let mut client = proxy.connect().await;
    client.send_message("1", "s", "go", false).await;
    let frame = client.frame().await;
    assert_eq!(frame.data["message"]["parts"][1]["status"], "denied", "{frame:?}");
    assert!(server.called().is_empty());
}

#[tokio::test]
async fn what_is_nobodys_to_say_is_refused() {
    let (_server, proxy) = asking(json!({}), &[]).await;
    let mut client = proxy.connect().await;
    for data in
        [json!({ "toolUseId": "t", "approved": true }), json!({ "toolUseId": "t", "messageId": "m", "approved": true })]
    {
        assert_eq!(client.ask("a", "chat.approve_tool", data).await.unwrap_err().0, "invalid_request");
    }
}
