//! Text that makes no sense: a clear error, and a bound on how often.

use std::fmt::Write;

use bedrock_emulator::Script;
use outcrop_proxy::ws::connection::MAX_MALFORMED;
use protocol::limits::MAX_CLIENT_FRAME_BYTES;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::common::{Healthy, Heard, Proxy};

#[tokio::test]
async fn a_frame_that_makes_no_sense_gets_an_error_with_its_id_and_the_socket_stays_open() {
    let proxy = Proxy::start().await;
    let healthy = Healthy::start(&proxy).await;
    let mut client = proxy.connect().await;
    let long = "x".repeat(129);
    for (text, id, says) in [
        ("not JSON", "", "JSON object with id, type and data"),
        ("", "", "JSON object"),
        ("null", "", "JSON object"),
        (r#"["id","type"]"#, "", "JSON object"),
        ("{\"id\":\"a\",\"type\":\"ping\"} and more", "", "JSON object"),
        (r#"{"type":"ping"}"#, "", "no id"),
        (r#"{"id":7,"type":"ping"}"#, "", "invalid type"),
        (&format!(r#"{{"id":"{long}","type":"ping"}}"#), "", "1 to 128 bytes"),
        (r#"{"id":"a"}"#, "a", "no type"),
        (r#"{"id":"a","type":"chat.sing","data":{}}"#, "a", "unknown type \"chat.sing\""),
        (r#"{"id":"a","type":"pong"}"#, "a", "unknown type"),
        (r#"{"id":"a","type":"chat.send_message"}"#, "a", "missing field `message`"),
        (r#"{"id":"a","type":"chat.send_message","data":[]}"#, "a", "chat.send_message"),
        (r#"{"id":"a","type":"chat.send_message","data":{"message":null}}"#, "a", "expected a string"),
        (r#"{"id":"a","type":"chat.send_message","data":{"message":"  "}}"#, "a", "blank"),
        (r#"{"id":"a","type":"chat.send_message","data":{"message":"x","streaming":"yes"}}"#, "a", "boolean"),
        (
            r#"{"id":"a","type":"chat.send_message","data":{"message":"x","sessionId":"../etc"}}"#,
            "a",
            "A-Z a-z 0-9 _ -",
        ),
        (r#"{"id":"a","type":"chat.resume","data":{"messageId":"m","after":-1}}"#, "a", "chat.resume"),
        (
            r#"{"id":"a","type":"chat.cancel","data":{"messageId":"m","requestId":"r"}}"#,
            "a",
            "either messageId or requestId",
        ),
        (r#"{"id":"a","type":"chat.list_sessions","data":{"limit":101}}"#, "a", "1 to 100"),
        (r#"{"id":"a","type":"client.hello","data":{}}"#, "a", "version"),
    ] {
        client.send_raw(Message::text(text)).await;
        let frame = client.frame().await;
        assert_eq!(
            (frame.id.as_str(), frame.kind.as_str(), frame.str("code")),
            (id, "chat.error", "invalid_request"),
            "{text}"
        );
        assert!(frame.str("message").contains(says), "{text}: {frame:?}");
        assert!(frame.str("message").len() < 300, "{frame:?}");
    }
    client.ask("p", "ping", json!({})).await.expect("a pong");
    assert_eq!(proxy.emulator.ledger().len(), 1, "nothing of it reached Bedrock");
    healthy.end_unharmed(&proxy).await;
}

#[tokio::test]
async fn too_many_such_frames_in_a_row_close_the_socket_and_one_good_one_starts_the_count_anew() {
    let proxy = Proxy::start().await;
    let mut client = proxy.connect().await;
    for _ in 0..2 {
        for _ in 0..MAX_MALFORMED {
            client.send_raw(Message::text("nonsense")).await;
            assert_eq!(client.frame().await.kind, "chat.error");
        }
        client.ask("p", "ping", json!({})).await.expect("a pong");
    }
    for _ in 0..=MAX_MALFORMED {
        client.send_raw(Message::text("nonsense")).await;
    }
    for _ in 0..=MAX_MALFORMED {
        assert_eq!(client.frame().await.kind, "chat.error");
    }
    assert_eq!(client.close_code().await, 4501);
    assert_eq!(client.hear().await, Heard::Gone);
}

#[tokio::test]
async fn deep_nesting_and_the_longest_frame_are_read_without_harm() {
    let proxy = Proxy::start().await;
    let mut client = proxy.connect().await;
    let mut deep = String::from(r#"{"id":"a","type":"ping","data":"#);
    deep.push_str(&"[".repeat(500_000));
    client.send_raw(Message::text(deep)).await;
    assert_eq!(client.frame().await.str("code"), "invalid_request");
    let mut wide = String::from(r#"{"id":"a","type":"ping","data":{"x":""#);
    let rest = MAX_CLIENT_FRAME_BYTES - wide.len() - 3;
    write!(wide, "{}\"}}}}", "x".repeat(rest)).expect("written");
    assert_eq!(wide.len(), MAX_CLIENT_FRAME_BYTES);
    client.send_raw(Message::text(wide)).await;
    assert_eq!(client.frame().await.kind, "pong");
}

#[tokio::test]
async fn a_message_of_the_most_characters_reaches_bedrock_whole() {
    let proxy = Proxy::with(&["--max-message-chars", "200000"], Script::new()).await;
    let mut client = proxy.connect().await;
    let message = "\u{1F30D} world ".repeat(25_000);
    let answer = client.chat("r", "s", &message).await;
    assert_eq!(answer.end.kind, "chat.message_complete");
    assert_eq!(proxy.history("s").await["messages"][0]["content"], message);
    // The body is longer than the ledger keeps.
    assert!(proxy.only_call().request_bytes > message.trim().len());
}
