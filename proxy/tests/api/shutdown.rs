//! The proxy stops.

use bedrock_emulator::{Behaviour, Fault, Pace, Script};
use serde_json::json;

use crate::common::{Heard, Proxy, http};

/// Half a second from one token to the next: time enough to be told of the end and to ask for more.
const SLOW: Pace = Pace { first_token_ms: 0, tokens_per_second: 2.0 };

#[tokio::test]
async fn every_socket_is_told_and_closed_and_none_comes_in() {
    let stuck = Behaviour::text("one two").with_fault(Fault::Silence { after_tokens: 1 });
    let mut proxy = Proxy::with(&["--shutdown-grace", "300ms"], Script::always(stuck)).await;
    let mut clients = Vec::new();
    for n in 0..20 {
        let mut client = proxy.connect().await;
        if n % 2 == 0 {
            client.send_message("r", &format!("s{n}"), "count", true).await;
            assert_eq!(client.frame().await.str("content"), "one");
        } else {
            client.ask("p", "ping", json!({})).await.expect("a pong");
        }
        clients.push(client);
    }
    proxy.stop();
    for (n, mut client) in clients.into_iter().enumerate() {
        let draining = client.frame().await;
        assert_eq!((draining.id.as_str(), draining.kind.as_str()), ("", "server.draining"));
        assert!(draining.data["reconnectInMs"].as_u64().is_some_and(|ms| ms < 5_000), "{draining:?}");
        if n % 2 == 0 {
            let end = client.frame().await;
            assert_eq!((end.id.as_str(), end.kind.as_str(), end.str("code")), ("r", "chat.error", "interrupted"));
            assert_eq!((&end.data["retryable"], end.seq()), (&json!(true), 2));
        }
        let closed = client.hear().await;
        assert!(matches!(closed, Heard::Closed(1012, _)), "{closed:?}");
        assert_eq!(client.hear().await, Heard::Gone);
    }
    let addr = proxy.addr;
    proxy.stopped().await;
    assert!(tokio::net::TcpStream::connect(addr).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn an_answer_under_way_has_its_time_and_no_other_begins() {
    let mut proxy = Proxy::answering(Behaviour::text("one two three").with_pace(SLOW)).await;
    let (addr, mut client) = (proxy.addr, proxy.connect().await);
    client.send_message("r", "s", "count", true).await;
    assert_eq!(client.frame().await.str("content"), "one");
    proxy.stop();
    let mut frame = client.frame().await;
    let mut text = "one".to_owned();
    while frame.kind != "server.draining" {
        text.push_str(frame.str("content"));
        frame = client.frame().await;
    }
    let ready = format!("GET /readyz HTTP/1.1\r\nhost: {addr}\r\nconnection: close\r\n\r\n");
    assert!(http(addr, &ready).await.starts_with("HTTP/1.1 503 "), "not ready");
    client.send_message("r2", "s2", "count", true).await;
    let mut refused = None;
    loop {
        let frame = client.frame().await;
        match frame.kind.as_str() {
            "chat.message_stream" => text.push_str(frame.str("content")),
            "chat.error" => refused = Some((frame.id.clone(), frame.str("code").to_owned())),
            _ => break assert_eq!((frame.id.as_str(), frame.kind.as_str()), ("r", "chat.message_complete")),
        }
    }
    assert_eq!(text, "one two three");
    assert_eq!(refused, Some(("r2".to_owned(), "draining".to_owned())));
    assert_eq!(client.close_code().await, 1012);
    assert_eq!(proxy.emulator.ledger().len(), 1);
    proxy.stopped().await;
}

#[tokio::test]
async fn a_socket_that_does_not_listen_does_not_hold_it_up() {
    let mut proxy = Proxy::start().await;
    let silent = proxy.connect().await;
    proxy.stop();
    let began = tokio::time::Instant::now();
    proxy.stopped().await;
    assert!(began.elapsed() < outcrop_proxy::app::GOODBYE_TIMEOUT + std::time::Duration::from_secs(2));
    drop(silent);
}
