//! A network that fails: a TCP proxy that cuts what it carries, by dice or by order.

use std::{
    future::pending,
    io::ErrorKind,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};

const CHUNK_BYTES: usize = 16 * 1024;

/// What happens to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Both ends are closed.
    Close,
    /// Both ends are reset.
    Reset,
    /// One direction ends, the other goes on.
    HalfClose,
    /// Nothing passes for so long, in the direction or in both; then it goes on, or is closed.
    Stall { ms: u64, both: bool, then_close: bool },
}

#[derive(Debug, Clone, Copy)]
struct Plan {
    fate: Fate,
    upward: bool,
    /// Bytes of the direction that pass before it happens.
    at_bytes: u64,
    /// Bytes of both directions that pass one by one.
    crumbled_bytes: u64,
}

impl Plan {
    fn draw(rng: &mut fastrand::Rng) -> Self {
        let upward = rng.u8(..4) == 0;
        // The handshake, the greeting, or anywhere: as likely near the start as far from it.
        let at_bytes = match rng.u8(..8) {
            0 => rng.u64(..200),
            1 => rng.u64(200..700),
            _ if upward => rng.u64(..700),
            _ => 1_000 + (1 << rng.u32(6..14)) + rng.u64(..256),
        };
        let fate = match rng.u8(..10) {
            0..3 => Fate::Close,
            3..6 => Fate::Reset,
            6..8 => Fate::HalfClose,
            _ => Fate::Stall { ms: rng.u64(20..600), both: rng.bool(), then_close: rng.u8(..4) > 0 },
        };
        let crumbled_bytes = if rng.u8(..4) == 0 { rng.u64(..2_048) } else { 0 };
        Self { fate, upward, at_bytes, crumbled_bytes }
    }
}

/// What was done, and how much of it is still wanted. Shared by all networks of a run.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    wanted: u64,
    closed: AtomicU64,
    reset: AtomicU64,
    half_closed: AtomicU64,
    stalled_and_closed: AtomicU64,
    stalled: AtomicU64,
    up_bytes: AtomicU64,
    down_bytes: AtomicU64,
}

impl Tally {
    pub(crate) fn wanting(cuts: u64) -> Self {
        Self { wanted: cuts, ..Self::default() }
    }

    pub(crate) fn cuts(&self) -> u64 {
        [&self.closed, &self.reset, &self.half_closed, &self.stalled_and_closed]
            .map(|kind| kind.load(Relaxed))
            .iter()
            .sum()
    }

    pub(crate) fn goes_on(&self) -> bool {
        self.cuts() < self.wanted
    }

    fn count(&self, fate: Fate) {
        let kind = match fate {
            Fate::Close => &self.closed,
            Fate::Reset => &self.reset,
            Fate::HalfClose => &self.half_closed,
            Fate::Stall { then_close: true, .. } => &self.stalled_and_closed,
            Fate::Stall { .. } => &self.stalled,
        };
        kind.fetch_add(1, Relaxed);
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let count = |kind: &AtomicU64| kind.load(Relaxed);
        write!(
            f,
            "{} cuts ({} closed, {} reset, {} half closed, {} stalled and closed), {} stalls, {} bytes up, {} bytes down",
            self.cuts(),
            count(&self.closed),
            count(&self.reset),
            count(&self.half_closed),
            count(&self.stalled_and_closed),
            count(&self.stalled),
            count(&self.up_bytes),
            count(&self.down_bytes),
        )
    }
}

/// What a test orders of all connections there are and will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Pass,
    /// Nothing comes back from the proxy.
    HoldReplies,
    /// Every connection that there is now is closed.
    Cut,
}

/// A network between one client and the proxy. Ends with it.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) addr: SocketAddr,
    order: watch::Sender<Order>,
    task: JoinHandle<()>,
}

impl Network {
    /// To `proxy`. The connections fail as the dice say while `tally` wants more cuts, and as ordered.
    pub(crate) async fn start(proxy: SocketAddr, seed: u64, tally: Arc<Tally>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("an address");
        let (order, orders) = watch::channel(Order::Pass);
        let mut rng = fastrand::Rng::with_seed(seed);
        let task = tokio::spawn(async move {
            let mut carried = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.expect("a connection");
                let plan = Plan::draw(&mut rng);
                let plan = tally.goes_on().then_some(plan);
                carried.spawn(carry(client, proxy, plan, orders.clone(), tally.clone()));
                while carried.try_join_next().is_some() {}
            }
        });
        Self { addr, order, task }
    }

    pub(crate) fn hold_replies(&self) {
        self.order.send_replace(Order::HoldReplies);
    }

    /// Closes every connection; later ones pass.
    pub(crate) fn cut(&self) {
        self.order.send_replace(Order::Cut);
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Stopped {
    /// At the byte that was asked for.
    Due,
    End,
    Broken,
}

/// One direction of a connection. What it has read outlives a run that is given up.
#[derive(Debug, Default)]
struct Pipe {
    pending: Vec<u8>,
    passed_bytes: u64,
    ended: bool,
}

impl Pipe {
    async fn run(&mut self, from: &TcpStream, to: &TcpStream, due: u64, crumbled: u64) -> Stopped {
        if self.ended {
            return pending().await;
        }
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            if self.passed_bytes >= due {
                return Stopped::Due;
            }
            if self.pending.is_empty() {
                if from.readable().await.is_err() {
                    return Stopped::Broken;
                }
                match from.try_read(&mut chunk) {
                    Ok(0) => return Stopped::End,
                    Ok(read) => self.pending.extend_from_slice(&chunk[..read]),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    Err(_) => return Stopped::Broken,
                }
                continue;
            }
            let most = if self.passed_bytes < crumbled { 1 } else { self.pending.len() };
            let length = most.min(usize::try_from(due - self.passed_bytes).unwrap_or(usize::MAX));
            if to.writable().await.is_err() {
                return Stopped::Broken;
            }
            match to.try_write(&self.pending[..length]) {
                Ok(written) => {
                    self.pending.drain(..written);
                    self.passed_bytes += written as u64;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => return Stopped::Broken,
            }
        }
    }
}

async fn carry(
    mut client: TcpStream,
    proxy: SocketAddr,
    plan: Option<Plan>,
    mut orders: watch::Receiver<Order>,
    tally: Arc<Tally>,
) {
    orders.mark_unchanged();
    let Ok(mut server) = TcpStream::connect(proxy).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (mut up, mut down) = (Pipe::default(), Pipe::default());
    pass(&mut client, &mut server, (&mut up, &mut down), plan, &mut orders, &tally).await;
    tally.up_bytes.fetch_add(up.passed_bytes, Relaxed);
    tally.down_bytes.fetch_add(down.passed_bytes, Relaxed);
}

async fn pass(
    client: &mut TcpStream,
    server: &mut TcpStream,
    (up, down): (&mut Pipe, &mut Pipe),
    mut plan: Option<Plan>,
    orders: &mut watch::Receiver<Order>,
    tally: &Tally,
) {
    while !(up.ended && down.ended) {
        let due = |upward: bool| plan.filter(|plan| plan.upward == upward).map_or(u64::MAX, |plan| plan.at_bytes);
        let crumbled = plan.map_or(0, |plan| plan.crumbled_bytes);
        let held = *orders.borrow() == Order::HoldReplies;
        let (upward, stopped) = tokio::select! {
            stopped = up.run(client, server, due(true), crumbled) => (true, stopped),
            stopped = down.run(server, client, due(false), crumbled), if !held => (false, stopped),
            changed = orders.changed() => {
                if changed.is_err() || *orders.borrow() == Order::Cut {
                    return;
                }
                continue;
            }
        };
        let fate = match (stopped, plan) {
            (Stopped::Broken, _) => return,
            (Stopped::Due, Some(due)) => {
                plan = None;
                tally.count(due.fate);
                due.fate
            }
            _ => Fate::HalfClose,
        };
        match fate {
            Fate::Close => return,
            Fate::Reset => {
                let _ = (client.set_zero_linger(), server.set_zero_linger());
                return;
            }
            Fate::HalfClose => {
                let (pipe, to) = if upward { (&mut *up, &mut *server) } else { (&mut *down, &mut *client) };
                pipe.ended = true;
                let _ = to.shutdown().await;
            }
            Fate::Stall { ms, both, then_close } => {
                let passed = if upward { up.passed_bytes } else { down.passed_bytes };
                let stall = Duration::from_millis(ms);
                let over = match (both, upward) {
                    (true, _) => {
                        sleep(stall).await;
                        None
                    }
                    (false, true) => timeout(stall, down.run(server, client, u64::MAX, 0)).await.ok(),
                    (false, false) => timeout(stall, up.run(client, server, u64::MAX, 0)).await.ok(),
                };
                if then_close || over.is_some() {
                    return;
                }
                // What went on is cut all the same, a little later.
                plan = Some(Plan { fate: Fate::Close, upward, at_bytes: ms * 8 + passed, crumbled_bytes: 0 });
            }
        }
    }
}
