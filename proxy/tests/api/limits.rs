//! How much at a time.

use bedrock_emulator::{Behaviour, Fault, Script};
use serde_json::json;

use crate::common::{Heard, NO_CODE, Opcode, Proxy, RawSocket};

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
        assert_eq!(refused.data["retryable"], true);
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
