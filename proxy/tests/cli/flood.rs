//! Clients that send without end and read nothing: the memory of the proxy stays bounded, and others are served.

use std::{fs, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use crate::command::Run;

/// What a flood may add to the memory of the process: a socket's own buffers, and what the allocator keeps.
const MOST_KIB: u64 = 4 * 1_024;

/// How long a write has to make no progress until it is clear that the proxy does not read any more.
const BLOCKED: Duration = Duration::from_secs(2);

/// A figure of /proc, in KiB.
fn memory_kib(pid: u32, figure: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix(figure)).expect(figure);
    line.trim_matches(|c: char| !c.is_ascii_digit()).parse().expect("a number")
}

/// A WebSocket that is never read again, with a small buffer for what the proxy sends.
async fn deaf(addr: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("a buffer");
    let mut stream = socket.connect(addr).await.expect("a connection");
    let head = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("written");
    let mut status = [0; 12];
    stream.read_exact(&mut status).await.expect("a response");
    assert_eq!(&status, b"HTTP/1.1 101");
    stream
}

/// Writes `frame` so many times, or until the proxy takes no more; returns how many bytes it took.
async fn flood(stream: &mut TcpStream, frame: &[u8], times: usize) -> usize {
    let batch = frame.repeat(256);
    let mut written = 0;
    while written < times * frame.len() {
        match timeout(BLOCKED, stream.write(&batch[written % frame.len()..])).await {
            Ok(Ok(count)) => written += count,
            Ok(Err(_)) | Err(_) => break,
        }
    }
    written
}

/// A masked frame of at most 65,535 bytes; its mask is zero.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![opcode];
    match payload.len() {
        short @ 0..126 => frame.push(0x80 | short as u8),
        long => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&u16::try_from(long).expect("a short frame").to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(payload);
    frame
}

async fn is_alive(addr: SocketAddr) {
    let mut stream = deaf(addr).await;
    stream.write_all(&frame(0x81, br#"{"id":"a","type":"ping"}"#)).await.expect("written");
    let (mut all, mut chunk) = (Vec::new(), [0; 1_024]);
    while !String::from_utf8_lossy(&all).contains(r#""type":"pong""#) {
        let count = timeout(Duration::from_secs(10), stream.read(&mut chunk)).await.expect("a pong").expect("a pong");
        assert_ne!(count, 0);
        all.extend_from_slice(&chunk[..count]);
    }
}

#[tokio::test]
async fn floods_that_nobody_reads_the_answers_to_take_no_more_memory() {
    let sing = format!(r#"{{"id":"a","type":"chat.sing","data":{{"x":"{}"}}}}"#, "x".repeat(60_000));
    let history = br#"{"id":"a","type":"chat.list_sessions"}"#;
    for (what, frame, times) in [
        ("100,000 pings", frame(0x89, &[b'x'; 125]), 100_000),
        ("100,000 pongs", frame(0x8a, &[b'x'; 125]), 100_000),
        ("100,000 requests", frame(0x81, history), 100_000),
        ("large frames that make no sense", frame(0x81, sing.as_bytes()), 1_000),
        (
            "empty parts of a message without end",
            frame(0x01, b"").into_iter().chain(frame(0x00, b"").repeat(99)).collect(),
            1_000,
        ),
    ] {
        let mut running =
            Run::bare().spawn(&["serve", "--demo", "--demo-pace", "0", "--listen", "127.0.0.1:0", "--log", "off"]);
        let addr = running.addr().await;
        is_alive(addr).await;
        let before = memory_kib(running.pid(), "VmRSS:");
        let mut stream = deaf(addr).await;
        let written = flood(&mut stream, &frame, times).await;
        assert!(written > 10 * frame.len(), "{what}: {written} bytes");
        is_alive(addr).await;
        let most = memory_kib(running.pid(), "VmHWM:");
        assert!(most < before + MOST_KIB, "{what}: from {before} KiB to {most} KiB");
        running.signal(rustix::process::Signal::TERM);
        assert_eq!(running.end().await.status.code(), Some(0), "{what}");
    }
}

#[tokio::test]
async fn sockets_that_promise_a_large_frame_and_do_not_send_it_cost_what_they_sent() {
    let mut running =
        Run::bare().spawn(&["serve", "--demo", "--demo-pace", "0", "--listen", "127.0.0.1:0", "--log", "off"]);
    let addr = running.addr().await;
    is_alive(addr).await;
    let before = memory_kib(running.pid(), "VmRSS:");
    let mut promising = Vec::new();
    for _ in 0..100 {
        let mut stream = deaf(addr).await;
        let mut head = vec![0x81, 0x80 | 127];
        head.extend_from_slice(&1_000_000_u64.to_be_bytes());
        head.extend_from_slice(&[0; 4]);
        stream.write_all(&head).await.expect("written");
        promising.push(stream);
    }
    is_alive(addr).await;
    let after = memory_kib(running.pid(), "VmHWM:");
    assert!(after < before + MOST_KIB, "from {before} KiB to {after} KiB for 100 sockets");
}
