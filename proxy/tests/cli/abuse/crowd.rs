//! More connections than there may be.

use std::time::Duration;

use futures_util::future::join_all;
use outcrop_proxy::http::{HEADER_TIMEOUT, MAX_PLAIN_CONNECTIONS};
use tokio::time::Instant;

use super::{
    healthy::{HEALTHY, Healthy},
    house::{House, is_alive, narrow},
    raw::{RawSocket, http},
};

/// How many sockets there may be in this test: those of the healthy, and some that do nothing.
const MAX_SOCKETS: &str = "60";
const IDLE: usize = 10;

/// How many want one in spite of that.
const REFUSED: usize = 500;

/// How many connections besides say nothing: more than there is room for.
const SILENT: usize = MAX_PLAIN_CONNECTIONS + 400;

/// What a connection may cost.
const MOST_KIB_EACH: u64 = 24;

/// How much later than promised a client may be served, on a machine that is busy.
const BUSY: Duration = Duration::from_secs(4);

#[tokio::test]
async fn those_beyond_the_most_are_sent_away_and_those_within_are_unharmed() {
    let house = House::open(&["--max-sockets", MAX_SOCKETS]).await;
    let upgrade = format!(
        "GET /ws HTTP/1.1\r\nhost: {}\r\nconnection: upgrade, close\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        house.addr
    );
    let healthy = Healthy::start(house.addr);
    healthy.connected().await;
    let (rounds, latency) = healthy
        .beside(async || {
            house
                .memory_of(async {
                    let idle = join_all((0..IDLE).map(|_| RawSocket::connect(house.addr))).await;
                    for refused in join_all((0..REFUSED).map(|_| http(house.addr, &upgrade))).await {
                        assert!(
                            refused.starts_with("HTTP/1.1 503 ") && refused.contains("retry-after: 5"),
                            "{refused}"
                        );
                    }
                    drop(idle);
                    let silent = join_all((0..SILENT).map(|_| narrow(house.addr))).await;
                    let began = Instant::now();
                    is_alive(house.addr).await;
                    let waited = began.elapsed();
                    drop(silent);
                    waited
                })
                .await
        })
        .await;
    let (waited, memory) = rounds[0];
    println!(
        "abuse: connection flood: {REFUSED} handshakes beyond the most sockets, each refused with 503, and {SILENT} silent connections where {MAX_PLAIN_CONNECTIONS} have room, beside {HEALTHY} healthy clients; a newcomer was served after {waited:.1?}; {memory}; {latency}"
    );
    memory.assert_grew_at_most((REFUSED + SILENT) as u64 * MOST_KIB_EACH);
    assert!(waited < HEADER_TIMEOUT + BUSY, "served after {waited:?}");
    healthy.end().await;
    house.close().await;
}
