//! The proxy stops.

use bedrock_emulator::{Behaviour, Fault};
use serde_json::json;

use crate::common::{Heard, Proxy};

#[tokio::test]
async fn every_socket_is_told_and_closed_and_none_comes_in() {
    let mut proxy = Proxy::answering(Behaviour::text("one two").with_fault(Fault::Silence { after_tokens: 1 })).await;
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
    for mut client in clients {
        let draining = client.frame().await;
        assert_eq!((draining.id.as_str(), draining.kind.as_str()), ("", "server.draining"));
        assert!(draining.data["reconnectInMs"].as_u64().is_some_and(|ms| ms < 5_000), "{draining:?}");
        let closed = client.hear().await;
        assert!(matches!(closed, Heard::Closed(1012, _)), "{closed:?}");
        assert_eq!(client.hear().await, Heard::Gone);
    }
    let addr = proxy.addr;
    proxy.stopped().await;
    assert!(tokio::net::TcpStream::connect(addr).await.is_err(), "nobody listens any more");
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
