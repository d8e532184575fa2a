//! The wire: two directions of bytes, and what becomes of them.

use std::{
    future::pending,
    io::{self, ErrorKind},
    net::SocketAddr,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use socket2::SockRef;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpSocket, TcpStream},
    sync::watch,
    time::{sleep, timeout},
};

use crate::chaos::{Fate, Order, Plan, Tally};

const CHUNK_BYTES: usize = 16 * 1024;

/// The buffer of a metered connection for what the proxy sends.
const NARROW_BYTES: u32 = 4_096;

/// The segments of a metered connection.
const SEGMENT_BYTES: u32 = 1_460;

/// The bytes that may come back from the proxy, over all connections of a network.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    allowed: watch::Sender<u64>,
    passed: watch::Sender<u64>,
}

impl Meter {
    /// Allows so many more.
    pub(crate) fn let_pass(&self, bytes: u64) {
        self.allowed.send_modify(|allowed| *allowed = allowed.saturating_add(bytes));
    }

    /// How many have passed.
    pub(crate) fn passed(&self) -> u64 {
        *self.passed.borrow()
    }

    /// Waits until as many have passed as were allowed.
    pub(crate) async fn used_up(&self) {
        let allowed = *self.allowed.borrow();
        self.passed.subscribe().wait_for(|passed| *passed >= allowed).await.expect("the meter is here");
    }

    /// Waits until some may pass; how many.
    async fn room(&self) -> usize {
        let passed = self.passed();
        let mut allowed = self.allowed.subscribe();
        let allowed = allowed.wait_for(|allowed| *allowed > passed).await.expect("the meter is here");
        usize::try_from(*allowed - passed).unwrap_or(usize::MAX)
    }

    fn pass(&self, bytes: u64) {
        self.passed.send_modify(|passed| *passed += bytes);
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
    meter: Option<Arc<Meter>>,
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
            let room = match &self.meter {
                Some(meter) => meter.room().await,
                None => CHUNK_BYTES,
            };
            if self.pending.is_empty() {
                if from.readable().await.is_err() {
                    return Stopped::Broken;
                }
                match from.try_read(&mut chunk[..room.min(CHUNK_BYTES)]) {
                    Ok(0) => return Stopped::End,
                    Ok(read) => self.pending.extend_from_slice(&chunk[..read]),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    Err(_) => return Stopped::Broken,
                }
                continue;
            }
            let most = if self.passed_bytes < crumbled { 1 } else { self.pending.len().min(room) };
            let length = most.min(usize::try_from(due - self.passed_bytes).unwrap_or(usize::MAX));
            if to.writable().await.is_err() {
                return Stopped::Broken;
            }
            match to.try_write(&self.pending[..length]) {
                Ok(written) => {
                    self.pending.drain(..written);
                    self.passed_bytes += written as u64;
                    self.meter.iter().for_each(|meter| meter.pass(written as u64));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => return Stopped::Broken,
            }
        }
    }
}

/// A connection to `proxy` whose buffers hold little: what is not let through is soon noticed there.
async fn narrow(proxy: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(NARROW_BYTES)?;
    // That of a network: with loopback's own of 64 KiB the system holds 2.6 MiB for a socket that is not read.
    SockRef::from(&socket).set_tcp_mss(SEGMENT_BYTES)?;
    socket.connect(proxy).await
}

pub(crate) async fn carry(
    mut client: TcpStream,
    proxy: SocketAddr,
    plan: Option<Plan>,
    mut orders: watch::Receiver<Order>,
    meter: Option<Arc<Meter>>,
    tally: Arc<Tally>,
) {
    orders.mark_unchanged();
    let server = if meter.is_some() { narrow(proxy).await } else { TcpStream::connect(proxy).await };
    let Ok(mut server) = server else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (mut up, mut down) = (Pipe::default(), Pipe { meter, ..Pipe::default() });
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
