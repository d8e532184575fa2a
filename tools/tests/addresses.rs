//! No server on the network is reached at an address that is forbidden, whichever way it is given.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, TcpListener},
    sync::{Arc, Mutex},
};

use outcrop_tools::{Hub, Pins, Resolver, Resolving};
use serde_json::json;
use support::{LIMIT, config, reason};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net,
};

/// Answers each question with the next of its answers.
struct Script {
    answers: Mutex<VecDeque<Vec<IpAddr>>>,
    asked: Mutex<Vec<String>>,
}

impl Script {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let answers = answers
            .iter()
            .map(|addresses| addresses.iter().map(|address| address.parse().unwrap()).collect())
            .collect();
        Arc::new(Self { answers: Mutex::new(answers), asked: Mutex::default() })
    }
}

impl Resolver for Script {
    fn resolve(&self, host: &str) -> Resolving {
        self.asked.lock().unwrap().push(host.to_owned());
        let answer = self.answers.lock().unwrap().pop_front().ok_or_else(|| io::Error::other("no more answers"));
        Box::pin(async move { answer })
    }
}

/// A listener that nobody may connect to.
struct Trap(TcpListener);

impl Trap {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    fn assert_untouched(&self, what: &str) {
        let accepted = self.0.accept().map(|(_, address)| address);
        assert!(matches!(&accepted, Err(error) if error.kind() == io::ErrorKind::WouldBlock), "{what}: {accepted:?}");
    }
}

async fn why_down(url: &str, allow_private: bool, resolver: Arc<Script>) -> String {
    let servers = json!({"remote": {"url": url, "outcrop": {"allowPrivate": allow_private}}});
    let hub = Hub::start_with(config(servers, &[]), Vec::new(), Pins::in_memory(), resolver);
    assert!(hub.ready(LIMIT).await);
    let reason = reason(&hub.servers()[0]).to_owned();
    hub.shutdown().await;
    reason
}

#[tokio::test]
async fn a_name_with_a_forbidden_address_is_not_connected_to() {
    let trap = Trap::new();
    let url = format!("https://tools.example:{}/mcp", trap.port());
    for answer in [
        &["127.0.0.1"][..],
        &["::1"],
        &["::ffff:127.0.0.1"],
        &["64:ff9b::7f00:1"],
        &["2002:7f00:1::"],
        &["10.0.0.1"],
        &["169.254.169.254"],
        // One of several is enough.
        &["8.8.8.8", "127.0.0.1"],
        &["127.0.0.1", "8.8.8.8"],
    ] {
        let resolver = Script::new(&[answer]);
        let reason = why_down(&url, false, resolver.clone()).await;
        assert!(reason.contains("is not public") || reason.contains("never connected to"), "{answer:?}: {reason}");
        assert_eq!(*resolver.asked.lock().unwrap(), ["tools.example"]);
        trap.assert_untouched(&format!("{answer:?}"));
    }
}

#[tokio::test]
async fn the_trap_would_see_a_connection() {
    let trap = Trap::new();
    let servers =
        json!({"remote": {"url": format!("http://tools.example:{}/", trap.port()), "outcrop": {"allowPrivate": true}}});
    let hub = Hub::start_with(config(servers, &[]), Vec::new(), Pins::in_memory(), Script::new(&[&["127.0.0.1"]]));
    let accepted = tokio::task::spawn_blocking(move || {
        trap.0.set_nonblocking(false).unwrap();
        trap.0.accept().is_ok()
    });
    assert!(accepted.await.unwrap());
    hub.shutdown().await;
}

#[tokio::test]
async fn credentials_of_the_machine_are_out_of_reach_even_where_private_addresses_are_allowed() {
    for answer in ["169.254.169.254", "169.254.170.2", "fd00:ec2::254", "::ffff:169.254.169.254"] {
        let reason = why_down("http://tools.example/latest", true, Script::new(&[&[answer]])).await;
        assert!(reason.contains("never connected to"), "{answer}: {reason}");
    }
}

#[tokio::test]
async fn a_name_without_an_address_is_a_reason() {
    let reason = why_down("https://tools.example/", false, Script::new(&[&[]])).await;
    assert!(reason.contains("has no address"), "{reason}");
    let reason = why_down("https://tools.example/", false, Script::new(&[])).await;
    assert!(reason.contains("no more answers"), "{reason}");
}

/// Answers every request with `head`, for as long as it is asked.
async fn answering(head: String) -> u16 {
    let listener = net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = vec![0; 64 * 1024];
            let _ = socket.read(&mut request).await;
            let _ =
                socket.write_all(format!("{head}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").as_bytes()).await;
        }
    });
    port
}

#[tokio::test]
async fn an_address_is_the_one_that_was_checked_when_a_name_changes_its_mind() {
    // The first answer may be connected to, and is; the second, for the connection after that, is checked for itself.
    let port = answering("HTTP/1.1 503 Service Unavailable".into()).await;
    let resolver = Script::new(&[&["127.0.0.1"], &["169.254.169.254"]]);
    let url = format!("http://tools.example:{port}/");
    let reason = why_down(&url, true, resolver.clone()).await;
    assert!(reason.contains("HTTP 503"), "{reason}");
    assert_eq!(
        resolver.asked.lock().unwrap().len(),
        1,
        "asked once for one connection: the answer that is checked is the one used"
    );
    let reason = why_down(&url, true, resolver).await;
    assert!(reason.contains("never connected to"), "{reason}");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let trap = Trap::new();
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let port = answering(format!("HTTP/1.1 {status}\r\nlocation: http://127.0.0.1:{}/", trap.port())).await;
        let reason = why_down(&format!("http://127.0.0.1:{port}/"), true, Script::new(&[])).await;
        assert!(reason.contains("redirect") && reason.contains(&status[..3]), "{reason}");
        trap.assert_untouched(status);
    }
}
