//! Who may open a socket, and how slowly.

use std::time::Duration;

use bedrock_emulator::Script;
use outcrop_proxy::http::{HEADER_TIMEOUT, MAX_HEAD_BYTES};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, interval},
};

use crate::common::{Healthy, Proxy, http, within};

/// The handshake that works, each line by its name.
const GOOD: [(&str, &str); 5] = [
    ("host", "localhost"),
    ("connection", "keep-alive, Upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

fn request(change: Option<(&str, Option<&str>)>) -> String {
    let mut lines: Vec<(&str, &str)> = GOOD.to_vec();
    if let Some((name, value)) = change {
        lines.retain(|(line, _)| *line != name);
        lines.extend(value.map(|value| (name, value)));
    }
    let lines: String = lines.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("GET / HTTP/1.1\r\n{lines}\r\n")
}

/// The status of the answer to a handshake.
async fn status(proxy: &Proxy, request: &str) -> u16 {
    let mut stream = TcpStream::connect(proxy.addr).await.expect("a connection");
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut line = [0; 12];
    within("an answer", stream.read_exact(&mut line)).await.expect("a status line");
    std::str::from_utf8(&line[9..]).expect("text").parse().expect("a status")
}

#[tokio::test]
async fn a_handshake_that_is_not_right_is_refused() {
    let proxy = Proxy::with(&["--allowed-origins", "http://localhost:5173,https://chat.example"], Script::new()).await;
    let own = format!("http://127.0.0.1:{}", proxy.addr.port());
    for (name, value, expected) in [
        ("host", Some("127.0.0.1:9"), 101),
        ("host", Some("rebound.example"), 421),
        ("host", Some("192.168.0.1"), 421),
        ("host", None, 421),
        ("origin", Some(own.as_str()), 101),
        ("origin", Some("http://localhost:5173"), 101),
        ("origin", Some("https://chat.example"), 101),
        ("origin", Some("https://evil.example"), 403),
        ("origin", Some("null"), 403),
        ("sec-websocket-key", Some("short"), 400),
        ("sec-websocket-key", Some("dGhlIHNhbXBsZSBub25jZQ"), 400),
        ("sec-websocket-key", None, 400),
        ("sec-websocket-version", Some("8"), 400),
        ("sec-websocket-version", None, 400),
        ("connection", Some("keep-alive"), 400),
        ("upgrade", Some("h2c"), 200),
        ("sec-websocket-protocol", Some("some-other"), 101),
    ] {
        assert_eq!(status(&proxy, &request(Some((name, value)))).await, expected, "{name}: {value:?}");
    }
    assert_eq!(status(&proxy, &request(None)).await, 101);
    assert_eq!(status(&proxy, &request(None).replacen("GET", "POST", 1)).await, 400);
    assert_eq!(status(&proxy, &request(None).replacen("GET /", "GET /elsewhere", 1)).await, 404);
}

#[tokio::test]
async fn compression_is_not_agreed_on() {
    let proxy = Proxy::start().await;
    let mut stream = TcpStream::connect(proxy.addr).await.expect("a connection");
    let offer = request(Some(("sec-websocket-extensions", Some("permessage-deflate; client_max_window_bits"))));
    stream.write_all(offer.as_bytes()).await.expect("written");
    let mut response = Vec::new();
    while !response.ends_with(b"\r\n\r\n") {
        response.push(within("a response", stream.read_u8()).await.expect("a byte"));
    }
    let response = String::from_utf8(response).expect("text").to_ascii_lowercase();
    assert!(response.starts_with("http/1.1 101") && !response.contains("sec-websocket-extensions"), "{response}");
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let proxy = Proxy::start().await;
    let padding = "x".repeat(MAX_HEAD_BYTES - 1_000);
    assert_eq!(status(&proxy, &request(Some(("cookie", Some(&padding))))).await, 101);
    let padding = "x".repeat(MAX_HEAD_BYTES);
    assert_eq!(status(&proxy, &request(Some(("cookie", Some(&padding))))).await, 431);
    let many: String = (0..200).map(|n| format!("x-{n}: y\r\n")).collect();
    assert_eq!(status(&proxy, &request(None).replacen("host", &format!("{many}host"), 1)).await, 431);
}

#[tokio::test]
async fn who_runs_the_proxy_may_set_other_bounds() {
    let proxy = Proxy::with(&["--max-head-bytes", "65536"], Script::new()).await;
    assert_eq!(status(&proxy, &request(Some(("cookie", Some(&"x".repeat(60_000)))))).await, 101);
    assert_eq!(status(&proxy, &request(Some(("cookie", Some(&"x".repeat(200_000)))))).await, 431);

    let limit = Duration::from_millis(300);
    let flags = ["--max-plain-connections", "1", "--plain-timeout", "300ms"];
    let proxy = Proxy::with(&flags, Script::new()).await;
    let began = Instant::now();
    let mut only = TcpStream::connect(proxy.addr).await.expect("a connection");
    only.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.expect("written");
    let mut line = [0; 12];
    within("an answer", only.read_exact(&mut line)).await.expect("a status line");
    // There is room for one, which is kept open until its time is up.
    let next = http(proxy.addr, "GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
    let took = began.elapsed() + Duration::from_millis(50);
    assert!(next.starts_with("HTTP/1.1 200 ") && took >= limit, "{took:?}: {next}");
    let mut rest = Vec::new();
    within("the end", only.read_to_end(&mut rest)).await.expect("a closed connection");
}

#[tokio::test]
async fn what_is_no_http_is_answered_and_closed() {
    let proxy = Proxy::start().await;
    for bytes in ["\x16\x03\x01\x02\x00\x01\x00\x01\x7e\x03\x03\r\n\r\n", "EHLO mail.example\r\n\r\n"] {
        let all = http(proxy.addr, bytes).await;
        assert!(all.is_empty() || all.starts_with("HTTP/1.1 400 "), "{all}");
    }
}

/// The one test that waits in real time: what it checks is a clock of the HTTP library, over a real socket.
#[tokio::test]
async fn silence_and_slow_heads_are_cut_off_in_time() {
    let proxy = Proxy::start().await;
    let healthy = Healthy::start(&proxy).await;
    let until_closed = |drip: &'static [u8]| {
        let addr = proxy.addr;
        async move {
            let mut stream = TcpStream::connect(addr).await.expect("a connection");
            let began = Instant::now();
            let (mut buffer, mut tick, mut drip) = ([0; 1_024], interval(Duration::from_millis(100)), drip.iter());
            loop {
                tokio::select! {
                    read = stream.read(&mut buffer) => match read {
                        Ok(0) | Err(_) => return began.elapsed(),
                        Ok(_) => {}
                    },
                    _ = tick.tick() => {
                        if let Some(byte) = drip.next() {
                            let _ = stream.write_all(&[*byte]).await;
                        }
                    }
                }
            }
        }
    };
    let slow = b"GET / HTTP/1.1\r\nhost: localhost\r\ncookie: and so it goes on for a very long time, byte by byte\r\n";
    let after_a_request = b"G";
    let waited = within("all of them closed", async {
        tokio::join!(until_closed(b""), until_closed(slow), until_closed(after_a_request))
    })
    .await;
    for waited in [waited.0, waited.1, waited.2] {
        assert!(
            (HEADER_TIMEOUT..HEADER_TIMEOUT + Duration::from_secs(3)).contains(&(waited + Duration::from_millis(50))),
            "{waited:?}"
        );
    }
    healthy.end_unharmed(&proxy).await;
}
