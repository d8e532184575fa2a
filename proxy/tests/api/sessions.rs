//! Conversations: made, listed, read, renamed, deleted.

use bedrock_emulator::{Behaviour, Fault, Script};
use serde_json::{Value, json};

use crate::common::{Client, MODEL, Proxy, usage_of};

async fn listed(client: &mut Client, data: Value) -> (Vec<String>, bool) {
    let page = client.ask("l", "chat.list_sessions", data).await.expect("chat.sessions_response");
    let ids = page["sessions"].as_array().expect("sessions").iter();
    let ids = ids.map(|session| session["sessionId"].as_str().expect("an id").to_owned()).collect();
    (ids, page["hasMore"].as_bool().expect("hasMore"))
}

#[tokio::test]
async fn a_session_is_made_with_its_title_and_named_by_its_first_message_without_one() {
    let proxy = Proxy::start().await;
    let mut client = proxy.connect().await;
    let made = client.ask("c", "chat.create_session", json!({ "title": "Rivers" })).await.expect("a session");
    assert_eq!((&made["title"], &made["messageCount"]), (&json!("Rivers"), &json!(0)));
    assert_eq!(made["createdAt"], made["updatedAt"]);
    let plain = client.ask("c", "chat.create_session", json!({})).await.expect("a session");
    assert_eq!(plain.get("title"), None);
    assert_ne!(made["sessionId"], plain["sessionId"]);
    for session in [&made, &plain] {
        client
            .chat(
                session["sessionId"].as_str().expect("an id"),
                session["sessionId"].as_str().expect("an id"),
                "Tell me of lakes",
            )
            .await;
    }
    let page = client.ask("l", "chat.list_sessions", json!({})).await.expect("a list");
    let titles: Vec<_> =
        page["sessions"].as_array().expect("sessions").iter().map(|s| (&s["title"], &s["messageCount"])).collect();
    assert_eq!(titles, [(&json!("Tell me of lakes"), &json!(2)), (&json!("Rivers"), &json!(2))]);
}

#[tokio::test]
async fn the_list_comes_in_pages_the_latest_used_first() {
    let proxy = Proxy::start().await;
    let mut client = proxy.connect().await;
    for session in ["a", "b", "c"] {
        client.chat(session, session, "hi").await;
    }
    client.chat("again", "a", "hi again").await;
    assert_eq!(listed(&mut client, json!({ "limit": 2 })).await, (vec!["a".to_owned(), "c".to_owned()], true));
    assert_eq!(listed(&mut client, json!({ "limit": 2, "before": "c" })).await, (vec!["b".to_owned()], false));
    assert_eq!(listed(&mut client, json!({})).await.0.len(), 3);
}

#[tokio::test]
async fn the_history_comes_in_pages_the_oldest_first_with_usage_on_the_answers() {
    let proxy = Proxy::start().await;
    let mut client = proxy.connect().await;
    for n in 1..=3 {
        client.chat(&format!("r{n}"), "s", &format!("question {n}")).await;
    }
    let page = |before: Option<Value>| {
        let mut data = json!({ "sessionId": "s", "limit": 4 });
        if let Some(before) = before {
            data["before"] = before;
        }
        data
    };
    let latest = client.ask("h", "chat.get_history", page(None)).await.expect("history");
    assert_eq!((&latest["sessionId"], &latest["hasMore"], latest.get("inProgress")), (&json!("s"), &json!(true), None));
    let messages = latest["messages"].as_array().expect("messages");
    let texts: Vec<_> = messages.iter().map(|message| message["content"].as_str().expect("text")).collect();
    let calls = proxy.emulator.ledger();
    assert_eq!(texts, ["question 2", &calls[1].text_sent, "question 3", &calls[2].text_sent]);
    let roles: Vec<_> = messages.iter().map(|message| message["role"].as_str().expect("a role")).collect();
    assert_eq!(roles, ["user", "assistant", "user", "assistant"]);
    assert_eq!((messages[0].get("usage"), &messages[1]["usage"]), (None, &usage_of(&calls[1])));
    let older =
        client.ask("h", "chat.get_history", page(Some(messages[0]["messageId"].clone()))).await.expect("history");
    assert_eq!((older["messages"].as_array().map(Vec::len), &older["hasMore"]), (Some(2), &json!(false)));
}

#[tokio::test]
async fn the_history_holds_the_answer_in_progress_and_where_to_resume_it() {
    let proxy =
        Proxy::answering(Behaviour::text("one two three four").with_fault(Fault::Silence { after_tokens: 3 })).await;
    let mut client = proxy.connect().await;
    client.send_message("r", "s", "count", true).await;
    let mut frame = client.frame().await;
    while frame.seq() < 3 {
        frame = client.frame().await;
    }
    let history = proxy.history("s").await;
    assert_eq!(history["messages"].as_array().map(Vec::len), Some(1));
    let in_progress = &history["inProgress"];
    assert_eq!((&in_progress["seq"], &in_progress["message"]["content"]), (&json!(3), &json!("one two three")));
    assert_eq!(in_progress["message"]["messageId"], frame.data["messageId"]);
    // What is older than a message is never in progress.
    let before = json!({ "sessionId": "s", "before": history["messages"][0]["messageId"] });
    let older = client.ask("h", "chat.get_history", before).await.expect("history");
    assert_eq!((older.get("inProgress"), &older["messages"]), (None, &json!([])));
}

#[tokio::test]
async fn a_session_is_renamed_and_deleted() {
    let proxy = Proxy::start().await;
    let mut client = proxy.connect().await;
    client.chat("r", "s", "hi").await;
    let data = json!({ "sessionId": "s", "title": "Of rivers" });
    let renamed = client.ask("n", "chat.rename_session", data).await.expect("chat.session_updated");
    assert_eq!((&renamed["title"], &renamed["sessionId"]), (&json!("Of rivers"), &json!("s")));
    let deleted = client.ask("d", "chat.delete_session", json!({ "sessionId": "s" })).await.expect("deleted");
    assert_eq!(deleted, json!({ "sessionId": "s" }));
    assert_eq!(listed(&mut client, json!({})).await, (vec![], false));
}

#[tokio::test]
async fn a_deleted_session_stops_its_answer() {
    let stuck = Behaviour::text("one two").with_fault(Fault::Silence { after_tokens: 1 });
    let proxy = Proxy::with(&["--on-stop", "abort"], Script::always(stuck)).await;
    let mut client = proxy.connect().await;
    client.send_message("r", "s", "count", true).await;
    let first = client.frame().await;
    let mut other = proxy.connect().await;
    other.ask("d", "chat.delete_session", json!({ "sessionId": "s" })).await.expect("deleted");
    let end = client.rest_of_answer(vec![first]).await.end;
    assert_eq!((end.kind.as_str(), &end.data["stopReason"]), ("chat.message_complete", &json!("cancelled")), "{end:?}");
    assert!(proxy.ended_call().await.client_gone);
    assert_eq!(listed(&mut other, json!({})).await.0, Vec::<String>::new());
}

/// The end of an answer is only told when the session is free.
#[tokio::test]
async fn the_next_message_may_follow_at_once() {
    let proxy = Proxy::answering(Behaviour::text("yes")).await;
    let mut client = proxy.connect().await;
    for n in 0..50 {
        assert_eq!(client.chat(&format!("r{n}"), "s", "again").await.text, "yes", "message {n}");
    }
}

#[tokio::test]
async fn an_unknown_session_is_an_error_that_says_so() {
    let proxy = Proxy::start().await;
    let mut client = proxy.connect().await;
    for (kind, data) in [
        ("chat.get_history", json!({ "sessionId": "nobody" })),
        ("chat.rename_session", json!({ "sessionId": "nobody", "title": "x" })),
        ("chat.delete_session", json!({ "sessionId": "nobody" })),
        ("chat.resume", json!({ "messageId": "nobody", "after": 0 })),
        ("chat.cancel", json!({ "messageId": "nobody" })),
        ("chat.cancel", json!({ "requestId": "nobody" })),
    ] {
        let (code, text) = client.ask("r", kind, data).await.expect_err(kind);
        assert_eq!(code, "session_not_found", "{kind}: {text}");
    }
}

#[tokio::test]
async fn a_session_is_answered_by_its_own_model_unless_the_message_names_another() {
    let other = "us.anthropic.claude-sonnet-5";
    let proxy = Proxy::with(&["--models", other], Script::default()).await;
    let mut client = proxy.connect().await;
    let made = client.ask("c", "chat.create_session", json!({ "model": other })).await.expect("a session");
    let session = made["sessionId"].as_str().expect("an id").to_owned();
    assert_eq!(client.chat("r1", &session, "hi").await.end.data["model"], other);
    let data = json!({ "sessionId": session, "message": "ho", "streaming": true, "model": MODEL });
    client.send("r2", "chat.send_message", data).await;
    assert_eq!(client.answer().await.end.data["model"], MODEL);
}
