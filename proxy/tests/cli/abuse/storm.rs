//! A thousand clients that all come back at once, again and again.

use std::{net::SocketAddr, time::Duration};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::Instant};
use tokio_tungstenite::WebSocketStream;

use super::{
    healthy::{HEALTHY, Healthy, Text, connect, hear, send, try_connect},
    house::{House, Memory, STORM_DELTAS, STORM_INTERVAL_US, resume_frame},
};

const CLIENTS: usize = 1_000;

/// How often all of them are cut off before they may stay.
const CUTS: usize = 3;

/// Room for all of them and for the healthy.
const FLAGS: &[&str] = &["--max-sockets", "1100"];

/// How many answers they follow, all under way.
const ANSWERS: usize = 4;

/// How often a client tries to connect.
const ATTEMPTS: usize = 10;

/// What a client may cost while it is connected.
const MOST_KIB_EACH: u64 = 48;

/// Asks for an answer; its id, as soon as it has begun.
async fn begin(addr: SocketAddr, session: &str) -> String {
    let mut ws = connect(addr).await;
    let data = json!({ "sessionId": session, "message": "storm", "streaming": true });
    send(&mut ws, &json!({ "id": session, "type": "chat.send_message", "data": data })).await;
    hear(&mut ws).await["data"]["messageId"].as_str().expect("an id").to_owned()
}

/// Connects as a page does: a handshake that the proxy had no time for in its five seconds is made again.
async fn connect_at_last(addr: SocketAddr) -> WebSocketStream<TcpStream> {
    for _ in 0..ATTEMPTS {
        if let Some(ws) = try_connect(addr).await {
            return ws;
        }
    }
    panic!("no connection in {ATTEMPTS} attempts");
}

/// Connects, says hello, resumes, and stays until more has come, or to the end. Returns whether the answer has ended.
async fn come_back(addr: SocketAddr, message_id: &str, text: &mut Text, to_the_end: bool) -> bool {
    let mut ws = connect_at_last(addr).await;
    send(&mut ws, &json!({ "id": "hello", "type": "client.hello", "data": { "version": 1 } })).await;
    let resume: Value = serde_json::from_str(&resume_frame(message_id, text.seq)).expect("JSON");
    send(&mut ws, &resume).await;
    let had = text.seq;
    loop {
        if text.take(&hear(&mut ws).await) {
            return true;
        }
        if text.seq > had && !to_the_end {
            return false;
        }
    }
}

/// Cuts all of them off again and again; how long the slowest took to be back, and what it cost the proxy.
async fn storm(house: &House, number: usize) -> (Duration, Memory) {
    let sessions: Vec<_> = (0..ANSWERS).map(|answer| format!("storm-{number}-{answer}")).collect();
    let ids = join_all(sessions.iter().map(|session| begin(house.addr, session))).await;
    let mut texts: Vec<_> = (0..CLIENTS).map(|_| Text::default()).collect();
    house
        .memory_of(async {
            let mut slowest = Duration::ZERO;
            for cut in 0..=CUTS {
                let began = Instant::now();
                let coming = texts.iter_mut().zip(ids.iter().cycle());
                let coming = coming.map(|(text, id)| come_back(house.addr, id, text, cut == CUTS));
                let ended = join_all(coming).await;
                assert_eq!(ended, [cut == CUTS; CLIENTS], "under way until the last round, and then whole");
                if cut < CUTS {
                    slowest = slowest.max(began.elapsed());
                }
                texts.iter().for_each(|text| text.assert_is_so_far(STORM_INTERVAL_US));
            }
            texts.iter().for_each(|text| text.assert_is(STORM_DELTAS, STORM_INTERVAL_US));
            slowest
        })
        .await
}

#[tokio::test]
async fn a_thousand_clients_that_come_back_at_once_are_all_served() {
    let house = House::open(FLAGS).await;
    let healthy = Healthy::start(house.addr);
    let mut number = 0..;
    let (rounds, latency) = healthy.beside(async || storm(&house, number.next().expect("endless")).await).await;
    let (slowest, memory) = rounds[0];
    let mut figures = format!(
        "{CLIENTS} clients, {CUTS} times cut off and back at once, beside {HEALTHY} healthy ones; {} resumes, every text exact; all back with more text within {slowest:.1?}; {memory}; {latency}",
        CLIENTS * (CUTS + 1)
    );
    if Healthy::are_measured() {
        // The clients of the storm take more of the machine than the proxy does. What the healthy feel of that is no fault of their proxy.
        let other = House::open(FLAGS).await;
        let (_, latency) = healthy.beside(async || storm(&other, number.next().expect("endless")).await).await;
        figures += &format!("; while another proxy has the storm, {latency}");
        other.close().await;
    }
    println!("abuse: reconnect storm: {figures}");
    memory.assert_grew_at_most(CLIENTS as u64 * MOST_KIB_EACH);
    healthy.end().await;
    house.close().await;
}
