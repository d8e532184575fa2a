//! Clients that say little or nothing.

use std::time::Duration;

use futures_util::{StreamExt, future::join_all, stream};
use outcrop_proxy::{
    http::HEADER_TIMEOUT,
    ws::connection::{PING_INTERVAL, PONG_TIMEOUT},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};

use super::{
    healthy::{HEALTHY, Healthy},
    house::{House, deaf, narrow},
    raw::{Opcode, RawSocket},
    within,
};

/// A client at work; in the end, how long it was open.
type Going = tokio::task::JoinHandle<Duration>;

/// How many of each kind.
const EACH: usize = 200;

/// What one may cost, the healthy clients' work included.
const MOST_KIB_EACH: u64 = 40;

/// How much later than promised one may be gone, on a machine that is busy.
const BUSY: Duration = Duration::from_secs(20);

/// Writes the head of a request, a byte a second, until the proxy has had enough.
async fn slow_head(mut stream: TcpStream) -> Duration {
    let began = Instant::now();
    let mut answer = [0; 512];
    for byte in b"GET /ws HTTP/1.1\r\nhost: localhost\r\nx-slow: and so on and so forth\r\n".iter() {
        if stream.write_all(&[*byte]).await.is_err() {
            break;
        }
        if let Ok(Ok(0) | Err(_)) = timeout(Duration::from_secs(1), stream.read(&mut answer)).await {
            break;
        }
    }
    began.elapsed()
}

/// Connects and says nothing.
async fn silent_for(mut stream: TcpStream) -> Duration {
    let began = Instant::now();
    let _ = within("the end", stream.read_to_end(&mut Vec::new())).await;
    began.elapsed()
}

/// Says nothing on an open socket, not even to a ping.
async fn mute(mut socket: RawSocket) -> Duration {
    let began = Instant::now();
    assert_eq!(socket.close_code().await, Some(4001));
    began.elapsed()
}

/// The head of a frame, and then a byte of it every second.
async fn slow_frame(mut socket: RawSocket) -> Duration {
    let began = Instant::now();
    socket.write(&Opcode::TEXT.claim(100_000)).await;
    while socket.stream.write_all(b"x").await.is_ok() && began.elapsed() < 2 * (PING_INTERVAL + PONG_TIMEOUT) {
        sleep(Duration::from_secs(1)).await;
    }
    began.elapsed()
}

fn longest(times: Vec<Duration>) -> Duration {
    times.into_iter().max().expect("some")
}

#[tokio::test]
async fn clients_that_say_nothing_are_closed_in_time_and_cost_little() {
    let house = House::open(&[]).await;
    let healthy = Healthy::start(house.addr);
    let (rounds, latency) = healthy
        .beside(async || {
            house
                .memory_of(async {
                    // Few at a time: of a crowd, the system itself forgets some, and of who says nothing nobody ever knows.
                    let shake_hands =
                        || stream::iter((0..EACH).map(|_| deaf(house.addr))).buffer_unordered(20).collect();
                    let (mutes, slow): (Vec<_>, Vec<_>) = (shake_hands().await, shake_hands().await);
                    let newcomer = || async {
                        let head = narrow(house.addr).await;
                        let head = tokio::spawn(slow_head(head));
                        let silent = narrow(house.addr).await;
                        (head, tokio::spawn(silent_for(silent)))
                    };
                    let newcomers: Vec<_> =
                        stream::iter((0..EACH).map(|_| newcomer())).buffer_unordered(20).collect().await;
                    let many = |((a, b), (head, silent)): ((RawSocket, RawSocket), (Going, Going))| async {
                        let (head, silent, a, b) = tokio::join!(head, silent, mute(a), slow_frame(b));
                        (head.expect("no panic"), silent.expect("no panic"), a, b)
                    };
                    let mut all: [Vec<Duration>; 4] = Default::default();
                    let all_of_them = mutes.into_iter().zip(slow).zip(newcomers).map(many);
                    for (head, silent, mute, frame) in join_all(all_of_them).await {
                        for (times, time) in all.iter_mut().zip([head, silent, mute, frame]) {
                            times.push(time);
                        }
                    }
                    all.map(longest)
                })
                .await
        })
        .await;
    let ([head, silent, mute, frame], memory) = rounds[0];
    println!(
        "abuse: slow and silent clients: {EACH} of each kind beside {HEALTHY} healthy ones; {memory}; gone at the latest: slow heads after {head:.1?}, silent connections {silent:.1?}, sockets without a sign of life {mute:.1?}, frames a byte a second {frame:.1?}; {latency}"
    );
    memory.assert_grew_at_most(4 * EACH as u64 * MOST_KIB_EACH);
    for (what, took, promised) in [
        ("a slow head", head, HEADER_TIMEOUT),
        ("a silent connection", silent, HEADER_TIMEOUT),
        ("a mute socket", mute, PING_INTERVAL + PONG_TIMEOUT),
        ("a slow frame", frame, PING_INTERVAL + PONG_TIMEOUT),
    ] {
        assert!(took < promised + BUSY, "{what} was gone after {took:?}");
    }
    healthy.end().await;
    house.close().await;
}
