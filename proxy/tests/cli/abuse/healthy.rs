//! Clients that do nothing wrong, on a thread of their own, and how late their tokens are.

use std::{
    env,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use futures_util::{SinkExt, StreamExt, future::join_all};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::sleep};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

use super::{
    house::{HEALTHY_DELTAS, INTERVAL_US},
    within,
};

/// How many there are.
pub(super) const HEALTHY: usize = 50;

/// How long they are watched alone before each round.
const ALONE: Duration = Duration::from_secs(8);

/// Healthy clients, each asking for one answer after the other.
pub(super) struct Healthy {
    shared: Arc<Shared>,
    thread: thread::JoinHandle<usize>,
}

#[derive(Default)]
struct Shared {
    over: AtomicBool,
    connected: AtomicUsize,
    /// How late tokens were, in microseconds, while somebody wants to know.
    late_us: Mutex<Option<Vec<u64>>>,
}

/// How late tokens were, in microseconds.
#[derive(Debug, Clone, Copy)]
struct Late {
    p50: u64,
    p99: u64,
}

impl Healthy {
    /// Begins with their work.
    pub(super) fn start(addr: SocketAddr) -> Self {
        let shared = Arc::<Shared>::default();
        let of_thread = shared.clone();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let clients = (0..HEALTHY).map(|number| client(addr, number, &of_thread));
            runtime.block_on(join_all(clients)).into_iter().sum()
        });
        Self { shared, thread }
    }

    /// Whether latency is to be measured.
    pub(super) fn are_measured() -> bool {
        rounds() > 0
    }

    /// Waits until all of them have their sockets.
    pub(super) async fn connected(&self) {
        within("the healthy clients", async {
            while self.shared.connected.load(Ordering::Relaxed) < HEALTHY {
                sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
    }

    /// Does `abuse` once; where latency is to be measured, as often as asked, in turns with nothing. Returns what came of it each
    /// time, and how late the tokens of the healthy were, to be printed.
    pub(super) async fn beside<T>(&self, mut abuse: impl AsyncFnMut() -> T) -> (Vec<T>, String) {
        let rounds = rounds();
        if rounds == 0 {
            return (vec![abuse().await], "latency not measured".to_owned());
        }
        let (mut results, mut alone, mut beside) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..rounds {
            alone.push(self.watched(sleep(ALONE)).await.1);
            let (result, late) = self.watched(abuse()).await;
            results.push(result);
            beside.push(late);
        }
        let quantile = |name: &str, of: fn(&Late) -> u64| {
            let [alone, beside] =
                [&alone, &beside].map(|rounds| median(rounds.iter().map(of).collect()) as f64 / 1_000.0);
            format!("{name} {beside:.2} ms beside and {alone:.2} ms alone, × {:.2}", beside / alone)
        };
        let latency = format!("latency {}, {}", quantile("p50", |late| late.p50), quantile("p99", |late| late.p99));
        (results, latency)
    }

    async fn watched<T>(&self, work: impl Future<Output = T>) -> (T, Late) {
        let late_us = || self.shared.late_us.lock().expect("no panic");
        *late_us() = Some(Vec::new());
        let result = work.await;
        let mut late = late_us().take().expect("just set");
        late.sort_unstable();
        let at = |share: f64| late[((late.len() - 1) as f64 * share) as usize];
        assert!(!late.is_empty(), "the healthy clients got nothing");
        (result, Late { p50: at(0.5), p99: at(0.99) })
    }

    /// Lets them finish; each answer has been whole, and there has been one at least for each.
    pub(super) async fn end(self) -> usize {
        self.shared.over.store(true, Ordering::Relaxed);
        let answers = tokio::task::spawn_blocking(|| self.thread.join());
        let answers = within("the last answers", answers).await.expect("joined").expect("every answer was whole");
        assert!(answers >= HEALTHY, "{answers} answers");
        answers
    }
}

fn rounds() -> usize {
    env::var("OUTCROP_ABUSE_ROUNDS").map_or(0, |rounds| rounds.parse().expect("a number of rounds"))
}

async fn client(addr: SocketAddr, number: usize, shared: &Shared) -> usize {
    // They do not begin at once, and neither do their tokens come at once.
    sleep(Duration::from_micros(INTERVAL_US * number as u64 / HEALTHY as u64 + number as u64 * 10_000)).await;
    let mut ws = connect(addr).await;
    shared.connected.fetch_add(1, Ordering::Relaxed);
    let mut answers = 0;
    loop {
        let data = json!({ "sessionId": format!("healthy-{number}"), "message": "healthy", "streaming": true });
        let id = format!("{number}-{answers}");
        send(&mut ws, &json!({ "id": id, "type": "chat.send_message", "data": data })).await;
        let mut text = Text::default();
        while !text.take(&hear(&mut ws).await) {
            let Some(late) = text.late_us() else { continue };
            if let Some(all) = &mut *shared.late_us.lock().expect("no panic") {
                all.push(late);
            }
        }
        text.assert_is(HEALTHY_DELTAS, INTERVAL_US);
        answers += 1;
        if shared.over.load(Ordering::Relaxed) {
            return answers;
        }
    }
}

/// The text of an answer whose deltas are the times at which they were due, so that the first of them tells all the others.
#[derive(Debug, Default)]
pub(super) struct Text {
    pub(super) seq: u64,
    text: String,
}

impl Text {
    /// Takes a frame, with every rule of `seq`; whether it was the last.
    pub(super) fn take(&mut self, frame: &Value) -> bool {
        let data = &frame["data"];
        match frame["type"].as_str() {
            Some("chat.message_stream") => {
                assert_eq!(data["first"].as_u64(), Some(self.seq + 1), "{frame}");
                self.seq = data["seq"].as_u64().expect("a number");
                self.text.push_str(data["content"].as_str().expect("text"));
                false
            }
            Some("chat.message_complete") => {
                assert_eq!(data["seq"].as_u64(), Some(self.seq + 1), "{frame}");
                true
            }
            Some("chat.status" | "server.hello") => false,
            _ => panic!("not of an answer: {frame}"),
        }
    }

    /// How long ago its last delta was due, in microseconds.
    fn late_us(&self) -> Option<u64> {
        let due = self.text.rsplit(' ').next()?.parse().ok()?;
        Some(unix_us().saturating_sub(due))
    }

    /// That so many deltas have come, each once and in order.
    pub(super) fn assert_is(&self, deltas: u32, interval_us: u64) {
        let first: u64 = self.text[1..].split(' ').next().and_then(|first| first.parse().ok()).expect("a time");
        let whole: String = (0..u64::from(deltas)).map(|n| format!(" {}", first + n * interval_us)).collect();
        assert_eq!(self.text, whole);
    }

    /// The same for what has come so far.
    pub(super) fn assert_is_so_far(&self, interval_us: u64) {
        self.assert_is(u32::try_from(self.seq).expect("a few"), interval_us);
    }
}

pub(super) async fn connect(addr: SocketAddr) -> WebSocketStream<TcpStream> {
    try_connect(addr).await.expect("a handshake")
}

/// None where the proxy closes the connection before the handshake is done.
pub(super) async fn try_connect(addr: SocketAddr) -> Option<WebSocketStream<TcpStream>> {
    let stream = within("a connection", TcpStream::connect(addr)).await.ok()?;
    stream.set_nodelay(true).expect("a socket");
    Some(within("a handshake", client_async(format!("ws://{addr}/ws"), stream)).await.ok()?.0)
}

pub(super) async fn send(ws: &mut WebSocketStream<TcpStream>, frame: &Value) {
    within("room to send", ws.send(Message::text(frame.to_string()))).await.expect("an open socket");
}

/// The next frame of the protocol.
pub(super) async fn hear(ws: &mut WebSocketStream<TcpStream>) -> Value {
    loop {
        match within("a frame", ws.next()).await.expect("an open socket").expect("a frame") {
            Message::Text(text) => return serde_json::from_str(&text).expect("JSON"),
            Message::Ping(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values[values.len() / 2]
}

#[expect(clippy::disallowed_methods, reason = "the emulator's stamps are of this clock")]
fn unix_us() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_micros() as u64
}
