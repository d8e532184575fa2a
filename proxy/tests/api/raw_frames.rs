//! Frames that break the WebSocket protocol or its limits: the right close code, and nobody else notices.

use protocol::limits::MAX_CLIENT_FRAME_BYTES;
use tokio::net::TcpStream;

use crate::common::{Healthy, Opcode, Proxy, RawSocket};

const OVER: usize = MAX_CLIENT_FRAME_BYTES + 1;

#[tokio::test]
async fn a_frame_that_breaks_the_rules_closes_the_socket_with_the_code_that_says_why() {
    let proxy = Proxy::start().await;
    let healthy = Healthy::start(&proxy).await;
    let ping = br#"{"id":"a","type":"ping"}"#;
    let half = vec![b'x'; OVER / 2 + 1];
    let close = |code: u16| Opcode::CLOSE.frame(&code.to_be_bytes());
    let cases: Vec<(&str, Vec<u8>, u16)> = vec![
        ("not UTF-8", Opcode::TEXT.frame(b"\xff\xfe"), 1007),
        ("UTF-8 cut short", Opcode::TEXT.frame(b"{\"id\":\"\xc3"), 1007),
        (
            "not UTF-8, in parts",
            [Opcode::TEXT.unfinished().frame(b"\xc3"), Opcode::CONTINUATION.frame(b"(")].concat(),
            1007,
        ),
        ("binary", Opcode::BINARY.frame(ping), 1003),
        ("too large, its head alone", Opcode::TEXT.claim(OVER as u64), 1009),
        ("too large, all of it", Opcode::TEXT.frame(&vec![b'x'; OVER]), 1009),
        ("larger than memory", Opcode::TEXT.claim(1 << 62), 1009),
        ("a length with the highest bit", Opcode::TEXT.claim(u64::MAX), 1009),
        (
            "too large in parts",
            [Opcode::TEXT.unfinished().frame(&half), Opcode::CONTINUATION.frame(&half)].concat(),
            1009,
        ),
        ("not masked", Opcode::TEXT.unmasked(ping), 1002),
        ("reserved bit 1, compression", Opcode::TEXT.reserved(4).frame(ping), 1002),
        ("reserved bit 2", Opcode::TEXT.reserved(2).frame(ping), 1002),
        ("reserved bit 3", Opcode::TEXT.reserved(1).frame(ping), 1002),
        ("reserved opcode", Opcode(0x83).frame(ping), 1002),
        ("reserved control opcode", Opcode(0x8b).frame(b""), 1002),
        ("a ping of 126 bytes", Opcode::PING.frame(&[0; 126]), 1002),
        ("a ping in parts", Opcode::PING.unfinished().frame(b"x"), 1002),
        ("a continuation of nothing", Opcode::CONTINUATION.frame(ping), 1002),
        ("text within text", [Opcode::TEXT.unfinished().frame(b"{"), Opcode::TEXT.frame(ping)].concat(), 1002),
        ("a close of one byte", Opcode::CLOSE.frame(b"x"), 1002),
        ("a close with a code that is never sent", close(1005), 1002),
        ("a proper close", close(1000), 1000),
    ];
    for (what, bytes, code) in cases {
        let mut socket = RawSocket::connect(proxy.addr).await;
        socket.write(&bytes).await;
        assert_eq!(socket.close_code().await, Some(code), "{what}");
        assert_eq!(socket.read().await, None, "{what}: the connection ends");
    }
    healthy.end_unharmed(&proxy).await;
}

#[tokio::test]
async fn a_message_in_parts_is_read_and_pings_between_them_are_answered() {
    let proxy = Proxy::start().await;
    let mut socket = RawSocket::connect(proxy.addr).await;
    let text = r#"{"id":"ä","type":"ping"}"#.as_bytes();
    // The first part ends within a character.
    socket.write(&Opcode::TEXT.unfinished().frame(&text[..8])).await;
    socket.write(&Opcode::PING.frame(b"now")).await;
    assert_eq!(socket.read().await, Some((10, b"now".to_vec())));
    socket.write(&Opcode::CONTINUATION.unfinished().frame(b"")).await;
    socket.write(&Opcode::CONTINUATION.frame(&text[8..])).await;
    let (opcode, payload) = socket.read().await.expect("a frame");
    assert_eq!((opcode, payload), (1, r#"{"id":"ä","type":"pong","data":{}}"#.as_bytes().to_vec()));
}

#[tokio::test]
async fn a_frame_that_comes_byte_by_byte_is_one_frame() {
    let proxy = Proxy::start().await;
    let mut socket = RawSocket::connect(proxy.addr).await;
    socket.stream.set_nodelay(true).expect("a socket");
    for byte in Opcode::TEXT.frame(br#"{"id":"a","type":"ping"}"#) {
        socket.write(&[byte]).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(socket.read().await.expect("a frame").1, br#"{"id":"a","type":"pong","data":{}}"#);
}

#[tokio::test]
async fn a_frame_that_comes_with_the_handshake_is_read() {
    let proxy = Proxy::start().await;
    let frame = Opcode::TEXT.frame(br#"{"id":"a","type":"ping"}"#);
    let stream = TcpStream::connect(proxy.addr).await.expect("a connection");
    let mut socket = RawSocket::shake_hands(stream, proxy.addr, &frame).await;
    assert_eq!(socket.read().await.expect("a frame").1, br#"{"id":"a","type":"pong","data":{}}"#);
}

#[tokio::test]
async fn a_client_that_vanishes_in_the_middle_of_a_frame_leaves_no_trace() {
    let proxy = Proxy::start().await;
    let healthy = Healthy::start(&proxy).await;
    for _ in 0..50 {
        let mut socket = RawSocket::connect(proxy.addr).await;
        socket.write(&Opcode::TEXT.claim(1_000_000)).await;
        socket.write(&[b'x'; 10_000]).await;
    }
    healthy.end_unharmed(&proxy).await;
}
