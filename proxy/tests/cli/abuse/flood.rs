//! Clients that send without end and read nothing: the memory of the proxy stays bounded, and others are served.

use std::time::Duration;

use tokio::{io::AsyncWriteExt, time::timeout};

use super::{
    house::{deaf, is_alive, memory_kib},
    raw::{Opcode, RawSocket},
};
use crate::command::Run;

/// What a flood may add to the memory of the process: a socket's own buffers, and what the allocator keeps.
const MOST_KIB: u64 = 4 * 1_024;

/// How long a write has to make no progress until it is clear that the proxy does not read any more.
const BLOCKED: Duration = Duration::from_secs(2);

/// Writes `frame` so many times, or until the proxy takes no more; returns how many bytes it took.
async fn flood(socket: &mut RawSocket, frame: &[u8], times: usize) -> usize {
    let batch = frame.repeat(256);
    let mut written = 0;
    while written < times * frame.len() {
        match timeout(BLOCKED, socket.stream.write(&batch[written % frame.len()..])).await {
            Ok(Ok(count)) => written += count,
            Ok(Err(_)) | Err(_) => break,
        }
    }
    written
}

#[tokio::test]
async fn floods_that_nobody_reads_the_answers_to_take_no_more_memory() {
    let sing = format!(r#"{{"id":"a","type":"chat.sing","data":{{"x":"{}"}}}}"#, "x".repeat(60_000));
    let history = br#"{"id":"a","type":"chat.list_sessions"}"#;
    for (what, frame, times) in [
        ("100,000 pings", Opcode::PING.frame(&[b'x'; 125]), 100_000),
        ("100,000 pongs", Opcode(0x8a).frame(&[b'x'; 125]), 100_000),
        ("100,000 requests", Opcode::TEXT.frame(history), 100_000),
        ("large frames that make no sense", Opcode::TEXT.frame(sing.as_bytes()), 1_000),
        (
            "empty parts of a message without end",
            [Opcode::TEXT.unfinished().frame(b""), Opcode::CONTINUATION.unfinished().frame(b"").repeat(99)].concat(),
            1_000,
        ),
    ] {
        let mut running =
            Run::bare().spawn(&["serve", "--demo", "--demo-pace", "0", "--listen", "127.0.0.1:0", "--log", "off"]);
        let addr = running.addr().await;
        is_alive(addr).await;
        let before = memory_kib(running.pid(), "VmRSS:");
        let mut socket = deaf(addr).await;
        let written = flood(&mut socket, &frame, times).await;
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
        let mut socket = deaf(addr).await;
        socket.write(&Opcode::TEXT.claim(1_000_000)).await;
        promising.push(socket);
    }
    is_alive(addr).await;
    let after = memory_kib(running.pid(), "VmHWM:");
    assert!(after < before + MOST_KIB, "from {before} KiB to {after} KiB for 100 sockets");
}
