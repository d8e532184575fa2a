//! Readers that are slow, and readers that stop.

use std::time::Duration;

use bedrock_emulator::Behaviour;
use outcrop_proxy::ws::socket::WRITE_TIMEOUT;
use serde_json::json;
use tokio::{
    io::AsyncReadExt,
    time::{Instant, pause, resume, sleep},
};

use crate::common::{Client, Opcode, Proxy, RawSocket, pipe, within};

const DELTAS: u32 = 20_000;
const DELTA: &str = " a delta of 20 bytes";

/// A proxy that has made an answer of 400,000 bytes, and the answer's id.
async fn with_long_answer() -> (Proxy, String) {
    let proxy = Proxy::answering(Behaviour::bench(DELTAS, DELTA, 0)).await;
    let answer = proxy.connect().await.chat("r", "s", "go").await;
    assert_eq!(answer.text.len(), DELTA.len() * DELTAS as usize);
    let message_id = answer.message_id().to_owned();
    (proxy, message_id)
}

fn resume_frame(message_id: &str) -> Vec<u8> {
    let data = json!({ "messageId": message_id, "after": 0 });
    Opcode::TEXT.frame(json!({ "id": "r", "type": "chat.resume", "data": data }).to_string().as_bytes())
}

#[tokio::test]
async fn a_reader_that_falls_behind_gets_fewer_and_larger_frames_and_all_of_the_text() {
    let proxy = Proxy::answering(Behaviour::bench(DELTAS, DELTA, 0)).await;
    let (pipe, _socket) = pipe(&proxy, 1_024);
    let mut client = Client::over(pipe).await;
    client.send_message("r", "s", "go", true).await;
    let first = client.frame().await;
    // Nobody reads until Bedrock has said everything.
    proxy.ended_call().await;
    let answer = client.rest_of_answer(vec![first]).await;
    assert_eq!(answer.text, DELTA.repeat(DELTAS as usize));
    let least = answer.text.len().div_ceil(protocol::limits::MAX_CONTENT_BYTES);
    assert!(answer.frames.len() < 2 * least + 16, "{} frames for {DELTAS} deltas", answer.frames.len());
}

#[tokio::test]
async fn a_reader_that_stops_is_cut_off_after_the_write_timeout() {
    let (proxy, message_id) = with_long_answer().await;
    let (pipe, socket) = pipe(&proxy, 4_096);
    let mut client = RawSocket { stream: pipe };
    pause();
    let began = Instant::now();
    client.write(&resume_frame(&message_id)).await;
    within("the end of the socket", socket).await.expect("no panic");
    let took = began.elapsed();
    assert!((WRITE_TIMEOUT..WRITE_TIMEOUT + Duration::from_millis(50)).contains(&took), "{took:?}");
    // What was written before is all there is, and the answer itself is unharmed.
    let mut rest = Vec::new();
    client.stream.read_to_end(&mut rest).await.expect("the end");
    assert_eq!(rest.len(), 4_096);
    resume();
    let mut other = proxy.connect().await;
    other.send("again", "chat.resume", json!({ "messageId": message_id, "after": 0 })).await;
    assert_eq!(other.answer().await.text.len(), DELTA.len() * DELTAS as usize);
}

#[tokio::test]
async fn a_reader_that_is_slow_but_reads_is_served_to_the_end() {
    // At 5 KiB a second a batch takes longer than the write timeout, and all of it less than the time to a ping.
    let proxy = Proxy::answering(Behaviour::bench(5_000, DELTA, 0)).await;
    let answer = proxy.connect().await.chat("r", "s", "go").await;
    let (pipe, _socket) = pipe(&proxy, 1_024);
    let mut client = RawSocket { stream: pipe };
    pause();
    let began = Instant::now();
    client.write(&resume_frame(answer.message_id())).await;
    let (mut received, mut chunk) = (Vec::new(), [0; 512]);
    let last = format!(r#""seq":{},"#, answer.end.seq());
    while !String::from_utf8_lossy(&received[received.len().saturating_sub(600)..]).contains(&last) {
        sleep(Duration::from_millis(100)).await;
        let count = within("more", client.stream.read(&mut chunk)).await.expect("more");
        assert_ne!(count, 0, "cut off after {} bytes and {:?}", received.len(), began.elapsed());
        received.extend_from_slice(&chunk[..count]);
    }
    assert!(began.elapsed() > WRITE_TIMEOUT + WRITE_TIMEOUT / 2, "{:?}", began.elapsed());
}
