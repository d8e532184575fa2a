//! What people send, made plain before it is kept or sent on.

use bedrock_emulator::Script;
use serde_json::json;

use crate::common::Proxy;

const SENT: &str = "Cafe\u{301} \u{202E}rivers\u{202C}\r\nand\0 lakes\u{E0069}\u{E0067}";
const KEPT: &str = "Café rivers\nand lakes";

#[tokio::test]
async fn what_cannot_be_seen_is_neither_kept_nor_sent() {
    let proxy = Proxy::start().await;
    let mut client = proxy.connect().await;
    assert_eq!(client.chat("r", "s", SENT).await.end.kind, "chat.message_complete");
    assert_eq!(proxy.only_call().request["messages"][0]["content"][0]["text"], KEPT);
    assert_eq!(client.history("s").await["messages"][0]["content"], KEPT);
    let sessions = client.ask("l", "chat.list_sessions", json!({})).await.expect("sessions");
    assert_eq!(sessions["sessions"][0]["title"], "Café rivers");
    let renamed = json!({ "sessionId": "s", "title": "a\u{2066}b\n c" });
    assert_eq!(client.ask("t", "chat.rename_session", renamed).await.expect("renamed")["title"], "ab c");
}

#[tokio::test]
async fn the_same_message_in_another_form_is_the_same_message() {
    let proxy = Proxy::start().await;
    let mut client = proxy.connect().await;
    let first = client.chat("r", "s", SENT).await;
    let again = client.chat("r", "s", KEPT).await;
    assert_eq!((again.message_id(), again.text.as_str()), (first.message_id(), first.text.as_str()));
    assert!(client.chat("r", "s", "Another").await.error("invalid_request").contains("another message"));
    assert_eq!(proxy.ended_call().await.text_sent, first.text);
}

#[tokio::test]
async fn a_message_that_shows_nothing_or_is_too_long_is_refused_before_anything_is_done() {
    let proxy = Proxy::with(&["--max-message-tokens", "10"], Script::new()).await;
    let mut client = proxy.connect().await;
    for (message, code, says) in [
        ("\u{202E}\u{200B}", "invalid_request", "blank"),
        ("one two three four five six seven", "message_too_large", "11 tokens or so, the most is 10"),
    ] {
        assert!(client.chat("r", "s", message).await.error(code).contains(says), "{message:?}");
    }
    let history = client.ask("h", "chat.get_history", json!({ "sessionId": "s" })).await;
    assert_eq!(history.expect_err("nothing is kept").0, "session_not_found");
    let (code, text) = client.ask("a\u{202E}b", "ping", json!({})).await.expect_err("an id that hides something");
    assert!(code == "invalid_request" && text.contains("UUID"), "{text}");
    assert_eq!(proxy.emulator.ledger().len(), 0);
}
