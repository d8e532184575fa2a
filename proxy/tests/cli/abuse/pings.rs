//! A million pings of clients that never read a pong.

use std::time::Duration;

use tokio::{
    io::AsyncWriteExt,
    time::{Instant, timeout},
};

use super::{
    healthy::{HEALTHY, Healthy},
    house::{House, deaf},
    raw::Opcode,
};

const PINGS: usize = 1_000_000;

/// How long a write may make no progress until the next client takes over.
const BLOCKED: Duration = Duration::from_millis(500);

/// What all of it may cost, the beginning of the healthy clients' work included.
const MOST_KIB: u64 = 20 * 1_024;

#[tokio::test]
async fn a_million_pings_whose_pongs_nobody_reads_take_no_memory() {
    let house = House::open(&[]).await;
    let healthy = Healthy::start(house.addr);
    let batch = Opcode::PING.frame(&[b'x'; 125]);
    let length = batch.len();
    let batch = batch.repeat(256);
    let (rounds, latency) = healthy
        .beside(async || {
            let began = Instant::now();
            let (sockets, memory) = house
                .memory_of(async {
                    let (mut written, mut sockets) = (0, Vec::new());
                    while written < PINGS * length {
                        let mut socket = deaf(house.addr).await;
                        let mut by_this = 0;
                        while written + by_this < PINGS * length {
                            match timeout(BLOCKED, socket.stream.write(&batch[by_this % length..])).await {
                                Ok(Ok(count)) => by_this += count,
                                Ok(Err(_)) | Err(_) => break,
                            }
                        }
                        assert!(by_this > 1_000 * length, "{} pings were taken of a client", by_this / length);
                        written += by_this;
                        sockets.push(socket);
                    }
                    sockets.len()
                })
                .await;
            (sockets, memory, began.elapsed())
        })
        .await;
    let (sockets, memory, took) = rounds[0];
    println!(
        "abuse: unread pings: {PINGS} by {sockets} clients one after the other in {took:.1?} beside {HEALTHY} healthy ones; {memory}; {latency}"
    );
    memory.assert_grew_at_most(MOST_KIB);
    healthy.end().await;
    house.close().await;
}
