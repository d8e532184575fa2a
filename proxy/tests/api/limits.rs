//! How much at a time.

use bedrock_emulator::{Behaviour, Fault, Script};
use serde_json::json;

use crate::common::{
    Heard, NO_CODE, Opcode, Proxy, RawSocket,
    tokens::{WITH_TOKENS, client_of, token_of},
};

fn stuck() -> Script {
    Script::always(Behaviour::text("one two").with_fault(Fault::Silence { after_tokens: 1 }))
}

#[tokio::test]
async fn a_socket_has_so_many_answers_at_a_time_and_the_process_too() {
    for (flag, sockets) in [("--max-turns-per-socket", 1), ("--max-turns", 4)] {
        let flags = [flag, "3"];
        let proxy = Proxy::with(&flags, stuck()).await;
        let mut clients = Vec::new();
        for _ in 0..sockets {
            clients.push(proxy.connect().await);
        }
        for n in 0..3 {
            let client = &mut clients[n % sockets];
            client.send_message(&format!("r{n}"), &format!("s{n}"), "count", true).await;
            assert_eq!(client.frame().await.str("content"), "one");
        }
        let client = clients.last_mut().expect("a client");
        client.send_message("one-more", "one-more", "count", true).await;
        let refused = client.frame().await;
        assert_eq!((refused.id.as_str(), refused.str("code")), ("one-more", "rate_limited"), "{flags:?}");
        assert_eq!((&refused.data["retryable"], &refused.data["retryAfterMs"]), (&json!(true), &json!(1_000)));
        let unknown = client.ask("h", "chat.get_history", json!({ "sessionId": "one-more" })).await;
        assert_eq!(unknown.expect_err("nothing is kept of it").0, "session_not_found", "{flags:?}");
        assert_eq!(proxy.emulator.ledger().len(), 3, "and nothing asked of Bedrock");
        // One that ends makes room for another.
        clients[0].send("c", "chat.cancel", json!({ "requestId": "r0" })).await;
        let mut settling = clients[0].frame().await;
        while settling.kind != "chat.status" {
            settling = clients[0].frame().await;
        }
        assert_eq!(settling.str("state"), "settling");
        clients[0].send_message("again", "again", "count", true).await;
        let again = clients[0].frame().await;
        assert_eq!((again.id.as_str(), again.str("content")), ("again", "one"));
    }
}

/// On a clock that tests move, and for organisations, tokens and the line in front of Bedrock, it is the tests of shares that show it.
#[tokio::test]
async fn who_shows_a_token_has_a_share_and_no_more() {
    let flags = [&WITH_TOKENS[..], &["--user-messages-per-minute", "2"]].concat();
    let proxy = Proxy::with(&flags, Script::new()).await;
    let mut ann = client_of(&proxy, &token_of("acme", "ann")).await;
    for id in ["q0", "q1"] {
        assert_eq!(ann.chat(id, "s", "Hello").await.end.kind, "chat.message_complete");
    }
    let refused = ann.chat("q2", "s", "Hello").await;
    assert!(refused.error("rate_limited").starts_with("One user may send 2 messages a minute"), "{:?}", refused.end);
    let wait_ms = refused.end.data["retryAfterMs"].as_u64().expect("a time");
    assert!((1..=30_000).contains(&wait_ms) && refused.end.data["retryable"] == true, "{:?}", refused.end);
    assert_eq!(ann.chat("q1", "s", "Hello").await.end.kind, "chat.message_complete", "the same again is not one more");
    // Another socket and another token of hers are no other share.
    let mut again = client_of(&proxy, &token_of("acme", "ann")).await;
    again.chat("q3", "t", "Hello").await.error("rate_limited");
    for (organization, user) in [("acme", "bob"), ("other", "ann")] {
        let mut client = client_of(&proxy, &token_of(organization, user)).await;
        assert_eq!(client.chat("q", "s", "Hello").await.end.kind, "chat.message_complete", "{organization}/{user}");
    }
    assert_eq!(proxy.emulator.ledger().len(), 4);
}

#[tokio::test]
async fn without_authentication_the_one_person_there_is_has_it_all() {
    let flags = [
        "--user-messages-per-minute=1",
        "--organization-messages-per-minute=1",
        "--user-tokens-per-minute=1",
        "--organization-tokens-per-minute=1",
        "--user-parallel-turns=1",
        "--organization-parallel-turns=1",
        "--queue-length-per-user=0",
        "--bedrock-calls=1",
    ];
    let proxy = Proxy::with(&flags, Script::new()).await;
    let mut client = proxy.connect().await;
    for n in 0..5 {
        client.send_message(&format!("q{n}"), &format!("s{n}"), "Hello", true).await;
    }
    let mut whole = 0;
    while whole < 5 {
        let frame = client.frame().await;
        assert_ne!(frame.kind, "chat.error", "{frame:?}");
        whole += u32::from(frame.kind == "chat.message_complete");
    }
}

#[tokio::test]
async fn a_socket_beyond_the_most_there_may_be_is_sent_away_until_one_leaves() {
    let proxy = Proxy::with(&["--max-sockets", "2"], Script::new()).await;
    let first = RawSocket::connect(proxy.addr).await;
    let mut second = proxy.connect().await;
    let request = format!(
        "GET /ws HTTP/1.1\r\nhost: {}\r\nconnection: upgrade, close\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        proxy.addr
    );
    let refused = crate::common::http(proxy.addr, &request).await;
    assert!(refused.starts_with("HTTP/1.1 503 ") && refused.contains("retry-after: 5"), "{refused}");
    second.ask("p", "ping", json!({})).await.expect("a pong");
    let mut first = first;
    first.write(&Opcode::CLOSE.frame(&1000_u16.to_be_bytes())).await;
    assert_eq!(first.close_code().await, Some(1000));
    assert_eq!(first.read().await, None, "the connection ends");
    let mut third = proxy.connect().await;
    third.ask("p", "ping", json!({})).await.expect("a pong");
}

#[tokio::test]
async fn a_thousand_requests_at_once_are_all_answered() {
    let proxy = Proxy::start().await;
    let mut socket = RawSocket::connect(proxy.addr).await;
    let frames: Vec<u8> =
        (0..1_000).flat_map(|n| Opcode::TEXT.frame(format!(r#"{{"id":"{n}","type":"ping"}}"#).as_bytes())).collect();
    socket.write(&frames).await;
    let mut seen = vec![false; 1_000];
    for _ in 0..1_000 {
        let (_, payload) = socket.read().await.expect("a pong");
        let pong: serde_json::Value = serde_json::from_slice(&payload).expect("JSON");
        assert_eq!(pong["type"], "pong");
        let id: usize = pong["id"].as_str().and_then(|id| id.parse().ok()).expect("a number");
        assert!(!std::mem::replace(&mut seen[id], true), "{id} twice");
    }
}

#[tokio::test]
async fn a_socket_closed_by_its_client_is_closed_in_return() {
    let proxy = Proxy::start().await;
    let mut client = proxy.connect().await;
    client.send_raw(tokio_tungstenite::tungstenite::Message::Close(None)).await;
    assert_eq!(client.hear().await, Heard::Closed(NO_CODE, String::new()));
    assert_eq!(client.hear().await, Heard::Gone);
}
