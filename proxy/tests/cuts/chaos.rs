//! A network that fails: a TCP proxy that cuts what it carries, by dice or by order.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use tokio::{
    net::TcpListener,
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use crate::carry::{Meter, carry};

/// What happens to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
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
pub(crate) struct Plan {
    pub(crate) fate: Fate,
    pub(crate) upward: bool,
    /// Bytes of the direction that pass before it happens.
    pub(crate) at_bytes: u64,
    /// Bytes of both directions that pass one by one.
    pub(crate) crumbled_bytes: u64,
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
        let crumbled_bytes = if rng.u8(..6) == 0 { rng.u64(..1_024) } else { 0 };
        Self { fate, upward, at_bytes, crumbled_bytes }
    }
}

/// What was done, and how much of it is still wanted. Shared by all networks of a run.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    wanted: AtomicU64,
    closed: AtomicU64,
    reset: AtomicU64,
    half_closed: AtomicU64,
    stalled_and_closed: AtomicU64,
    stalled: AtomicU64,
    pub(crate) up_bytes: AtomicU64,
    pub(crate) down_bytes: AtomicU64,
}

impl Tally {
    /// So many more cuts are wanted.
    pub(crate) fn want(&self, cuts: u64) {
        self.wanted.store(self.cuts() + cuts, Relaxed);
    }

    pub(crate) fn cuts(&self) -> u64 {
        [&self.closed, &self.reset, &self.half_closed, &self.stalled_and_closed]
            .map(|kind| kind.load(Relaxed))
            .iter()
            .sum()
    }

    pub(crate) fn goes_on(&self) -> bool {
        self.cuts() < self.wanted.load(Relaxed)
    }

    pub(crate) fn count(&self, fate: Fate) {
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
pub(crate) enum Order {
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
    meter: Option<Arc<Meter>>,
    task: JoinHandle<()>,
}

impl Network {
    /// To `proxy`. The connections fail as the dice say while `tally` wants more cuts, and as ordered.
    pub(crate) async fn start(proxy: SocketAddr, seed: u64, tally: Arc<Tally>) -> Self {
        Self::open(proxy, seed, tally, None).await
    }

    /// To `proxy`, for clients that get only the bytes that are let through. It fails only as ordered.
    pub(crate) async fn metered(proxy: SocketAddr) -> Self {
        Self::open(proxy, 0, Arc::default(), Some(Arc::default())).await
    }

    async fn open(proxy: SocketAddr, seed: u64, tally: Arc<Tally>, meter: Option<Arc<Meter>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("an address");
        let (order, orders) = watch::channel(Order::Pass);
        let mut rng = fastrand::Rng::with_seed(seed);
        let metered = meter.clone();
        let task = tokio::spawn(async move {
            let mut carried = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.expect("a connection");
                let plan = Plan::draw(&mut rng);
                let plan = tally.goes_on().then_some(plan);
                carried.spawn(carry(client, proxy, plan, orders.clone(), metered.clone(), tally.clone()));
                while carried.try_join_next().is_some() {}
            }
        });
        Self { addr, order, meter, task }
    }

    pub(crate) fn hold_replies(&self) {
        self.order.send_replace(Order::HoldReplies);
    }

    /// Closes every connection; later ones pass.
    pub(crate) fn cut(&self) {
        self.order.send_replace(Order::Cut);
    }

    /// What a metered network lets through.
    pub(crate) fn meter(&self) -> &Meter {
        self.meter.as_ref().expect("a metered network")
    }

    /// Lets bytes through, `piece` at a time, for as long as anybody waits for it.
    pub(crate) async fn trickle(&self, piece: u64) -> Infallible {
        loop {
            self.meter().let_pass(piece);
            self.meter().used_up().await;
        }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.task.abort();
    }
}
