//! Readers that stop in the middle of a long answer.

use std::{net::SocketAddr, time::Duration};

use futures_util::{StreamExt, stream};
use outcrop_proxy::ws::socket::WRITE_TIMEOUT;
use serde_json::json;
use tokio::time::Instant;

use super::{
    healthy::{HEALTHY, Healthy, connect, hear, send},
    house::{House, LONG_DELTA, LONG_DELTAS, deaf, resume_frame},
    raw::{Opcode, RawSocket},
};

const STOPPED: usize = 500;

/// How many long answers each asks for: more than the system takes for a socket.
const LONG_ANSWERS: usize = 4;

/// What a stopped reader may cost: a batch, a frame, and the socket itself.
const MOST_KIB_EACH: u64 = 160;

/// How much later than promised the last of them may be gone, on a machine that is busy.
const BUSY: Duration = Duration::from_secs(4);

/// Makes the answers that the readers will ask for; their ids.
async fn long_answers(addr: SocketAddr) -> Vec<String> {
    let mut ws = connect(addr).await;
    let mut ids = Vec::new();
    for number in 0..LONG_ANSWERS {
        let data = json!({ "sessionId": format!("long-{number}"), "message": "long", "streaming": true });
        send(&mut ws, &json!({ "id": format!("long-{number}"), "type": "chat.send_message", "data": data })).await;
        let mut bytes = 0;
        ids.push(loop {
            let frame = hear(&mut ws).await;
            match frame["type"].as_str() {
                Some("chat.message_stream") => bytes += frame["data"]["content"].as_str().expect("text").len(),
                Some("chat.message_complete") => break frame["data"]["messageId"].as_str().expect("an id").to_owned(),
                _ => panic!("{frame}"),
            }
        });
        assert_eq!(bytes, LONG_DELTA.len() * LONG_DELTAS as usize);
    }
    ids
}

async fn stop_reading(addr: SocketAddr, ids: &[String]) -> RawSocket {
    let mut socket = deaf(addr).await;
    for id in ids {
        socket.write(&Opcode::TEXT.frame(resume_frame(id, 0).as_bytes())).await;
    }
    socket
}

#[tokio::test]
async fn readers_that_stop_are_closed_in_ten_seconds_and_cost_little_until_then() {
    let house = House::open(&[]).await;
    let ids = long_answers(house.addr).await;
    let healthy = Healthy::start(house.addr);
    healthy.connected().await;
    let (rounds, latency) = healthy
        .beside(async || {
            // Each of the healthy may begin a call of Bedrock meanwhile.
            let others = house.sockets() + HEALTHY;
            house
                .memory_of(async {
                    let began = Instant::now();
                    let connecting = stream::iter((0..STOPPED).map(|_| stop_reading(house.addr, &ids)));
                    let stopped: Vec<_> = connecting.buffer_unordered(50).collect().await;
                    let connected = began.elapsed();
                    assert_eq!(stopped.len(), STOPPED);
                    let closed = house.sockets_at_most(others).await;
                    drop(stopped);
                    (connected, closed)
                })
                .await
        })
        .await;
    let ((connected, closed), memory) = rounds[0];
    println!(
        "abuse: stopped readers: {STOPPED} beside {HEALTHY} healthy clients; {memory}; connected in {connected:.1?}, all closed {closed:.1?} later; {latency}"
    );
    memory.assert_grew_at_most(STOPPED as u64 * MOST_KIB_EACH);
    assert!(closed < WRITE_TIMEOUT + BUSY, "closed after {closed:?}");
    healthy.end().await;
    house.close().await;
}
