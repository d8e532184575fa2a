//! A million frames and requests that are nearly right: nothing panics, and nothing grows.

use fastrand::Rng;
use futures_util::future::join_all;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    house::{House, is_alive, memory_kib},
    raw::{Opcode, RawSocket},
};

const SEED: u64 = 20_261_126;

/// How many frames each of so many clients sends, in batches.
const CLIENTS: usize = 8;
const BATCHES: usize = 4_100;
const BATCH: usize = 30;

/// How many HTTP requests there are besides.
const REQUESTS: usize = 20_000;

/// What may come on top of what the first tenth of it took: those that are right leave messages and calls, which this store keeps in memory.
const MOST_KIB: u64 = 12 * 1_024;

/// Frames that are right, to be spoilt.
const FRAMES: [&str; 8] = [
    r#"{"id":"a","type":"chat.send_message","data":{"sessionId":"s","message":"/length 1 Hi","streaming":true}}"#,
    r#"{"id":"a","type":"chat.resume","data":{"messageId":"msg_1","after":3}}"#,
    r#"{"id":"a","type":"chat.cancel","data":{"requestId":"x"}}"#,
    r#"{"id":"a","type":"chat.get_history","data":{"sessionId":"s","before":"m","limit":3}}"#,
    r#"{"id":"a","type":"chat.get_usage","data":{"groupBy":"day","from":"2026-11-01T00:00:00Z"}}"#,
    r#"{"id":"a","type":"client.hello","data":{"version":1,"token":"x.y.z"}}"#,
    r#"{"id":"a","type":"chat.create_session","data":{"title":"t","model":"m"}}"#,
    r#"{"id":"a","type":"auth.refresh","data":{"token":"x.y.z"}}"#,
];

/// Requests that are right, to be spoilt.
const HEADS: [&str; 4] = [
    "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nauthorization: Bearer x.y.z\r\n\r\n",
    "GET /admin/usage?groupBy=day&from=7d HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer x\r\n\r\n",
    "POST /admin/revocations HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n{}",
    "GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n",
];

/// One of them with some of its bytes changed, left out, doubled or put elsewhere.
fn spoilt(rng: &mut Rng, texts: &[&str]) -> Vec<u8> {
    let mut bytes = texts[rng.usize(..texts.len())].as_bytes().to_vec();
    for _ in 0..rng.usize(1..4) {
        if bytes.len() < 2 {
            break;
        }
        let at = rng.usize(..bytes.len());
        match rng.u8(..6) {
            0 => bytes[at] = rng.u8(..),
            1 => bytes[at] = *rng.choice(b"{}[]\",:\\0-e.\r\n ").expect("some"),
            2 => drop(bytes.remove(at)),
            3 => bytes.insert(at, rng.u8(..)),
            4 => bytes.truncate(at.max(1)),
            _ => {
                let end = rng.usize(at..bytes.len().min(at + 40));
                let part = bytes[at..end].to_vec();
                let to = rng.usize(..bytes.len());
                bytes.splice(to..to, part);
            }
        }
    }
    bytes
}

/// Frames of one client, each text; what is not UTF-8 is made so. One that makes sense ends each batch, and its answer is read.
async fn frames(house: &House, n: usize, batches: usize) -> usize {
    let mut rng = Rng::with_seed(SEED + n as u64);
    let mut socket = RawSocket::connect(house.addr).await;
    let mut sent = 0;
    for batch in 0..batches {
        let mut bytes = Vec::new();
        for _ in 0..BATCH {
            let frame = spoilt(&mut rng, &FRAMES);
            bytes.extend(Opcode::TEXT.frame(String::from_utf8_lossy(&frame).as_bytes()));
        }
        let id = format!("end-{batch}");
        bytes.extend(Opcode::TEXT.frame(format!(r#"{{"id":"{id}","type":"ping"}}"#).as_bytes()));
        socket.write(&bytes).await;
        sent += BATCH;
        loop {
            let Some((opcode, payload)) = socket.read().await else {
                panic!("seed {SEED}: the socket of client {n} is gone")
            };
            if opcode == 1 && serde_json::from_slice::<Value>(&payload).expect("JSON")["id"] == id.as_str() {
                break;
            }
            assert!(opcode == 1 || opcode == 9, "seed {SEED}: client {n} got opcode {opcode}");
        }
    }
    sent
}

async fn requests(house: &House, count: usize) -> usize {
    let mut rng = Rng::with_seed(SEED);
    for _ in 0..count {
        let mut stream = TcpStream::connect(house.addr).await.expect("a connection");
        let request = spoilt(&mut rng, &HEADS);
        // It is closed by whoever is first; what is unfinished is cut off here.
        let _ = stream.write_all(&request).await;
        let _ = stream.shutdown().await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }
    count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_frames_and_requests_that_are_nearly_right_harm_nothing() {
    let house = House::open(&["--store", "memory"]).await;
    let all = async |batches: usize, count: usize| {
        let clients = (0..CLIENTS).map(|n| frames(&house, n, batches));
        let (sent, asked) = tokio::join!(join_all(clients), requests(&house, count));
        sent.iter().sum::<usize>() + asked
    };
    let mut sent = all(BATCHES / 10, REQUESTS / 10).await;
    let before = memory_kib(house.pid(), "VmRSS:");
    sent += all(BATCHES, REQUESTS).await;
    is_alive(house.addr).await;
    let after = memory_kib(house.pid(), "VmRSS:");
    assert!(sent >= 1_000_000, "{sent}");
    assert!(after < before + MOST_KIB, "from {before} KiB to {after} KiB");
    // Nothing was written to its standard error, as a panic would be.
    house.close().await;
}
