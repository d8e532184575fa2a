//! The command under test with an emulator beside it, and what the system knows of it.

use std::{fs, net::SocketAddr, time::Duration};

use bedrock_emulator::{Behaviour, Config, Emulator, Script, Step};
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use serde_json::json;
use socket2::SockRef;
use tokio::{
    net::{TcpSocket, TcpStream},
    time::{Instant, sleep},
};

use super::{
    raw::{Opcode, RawSocket},
    within,
};
use crate::command::{Run, Running};

/// How long deltas of paced answers lie apart.
pub(super) const INTERVAL_US: u64 = 20_000;

/// The deltas of a healthy client's answer.
pub(super) const HEALTHY_DELTAS: u32 = 100;

/// The deltas of the answer that a storm of clients resumes, and how far they lie apart.
pub(super) const STORM_DELTAS: u32 = 60;
pub(super) const STORM_INTERVAL_US: u64 = 200_000;

/// A long answer: more than the system takes for a socket that is not read, in a few of them.
pub(super) const LONG_DELTAS: u32 = 75_000;
pub(super) const LONG_DELTA: &str = " a delta of 20 bytes";

/// How often something that has no event is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// A running command and its Bedrock.
pub(super) struct House {
    pub(super) addr: SocketAddr,
    running: Running,
    _emulator: Emulator,
}

/// Resident memory of the command around a piece of work, in KiB.
#[derive(Debug, Clone, Copy)]
pub(super) struct Memory {
    pub(super) before: u64,
    pub(super) most: u64,
    pub(super) after: u64,
}

impl House {
    /// Starts both.
    pub(super) async fn open(flags: &[&str]) -> Self {
        raise_open_files();
        let stamped = |deltas, interval_us| {
            let mut behaviour = Behaviour::bench(deltas, "", interval_us);
            behaviour.bench.as_mut().expect("just set").stamped = true;
            behaviour
        };
        let script = Script::new()
            .step(Step::of(stamped(HEALTHY_DELTAS, INTERVAL_US)).when_prompt("healthy"))
            .step(Step::of(stamped(STORM_DELTAS, STORM_INTERVAL_US)).when_prompt("storm"))
            .step(Step::of(Behaviour::bench(LONG_DELTAS, LONG_DELTA, 0)).when_prompt("long"));
        let emulator = Emulator::start(Config { script, ..Config::unpaced() }).await.expect("an emulator");
        let serve = ["serve", "--listen", "127.0.0.1:0", "--log", "off"];
        let mut running = Run::against(&emulator).spawn(&[&serve, flags].concat());
        Self { addr: running.addr().await, running, _emulator: emulator }
    }

    /// Runs `work` and looks at the memory before, during and after it.
    pub(super) async fn memory_of<T>(&self, work: impl Future<Output = T>) -> (T, Memory) {
        let pid = self.running.pid();
        // Linux then counts the most from here on (proc(5), clear_refs).
        fs::write(format!("/proc/{pid}/clear_refs"), "5").expect("a process of ours");
        let before = memory_kib(pid, "VmRSS:");
        let result = work.await;
        (result, Memory { before, most: memory_kib(pid, "VmHWM:"), after: memory_kib(pid, "VmRSS:") })
    }

    pub(super) fn pid(&self) -> u32 {
        self.running.pid()
    }

    /// How many sockets the process holds, listeners and calls of Bedrock among them.
    pub(super) fn sockets(&self) -> usize {
        let files = fs::read_dir(format!("/proc/{}/fd", self.running.pid())).expect("a process of ours");
        let is_socket = |path: &std::path::Path| path.to_string_lossy().starts_with("socket:");
        files
            .filter(|file| file.as_ref().is_ok_and(|file| fs::read_link(file.path()).is_ok_and(|to| is_socket(&to))))
            .count()
    }

    /// Waits until the process holds at most so many sockets; says how long that took.
    pub(super) async fn sockets_at_most(&self, most: usize) -> Duration {
        let began = Instant::now();
        within("the sockets to be given back", async {
            while self.sockets() > most {
                sleep(LOOK).await;
            }
        })
        .await;
        began.elapsed()
    }

    /// Ends the command, which must still be well.
    pub(super) async fn close(self) {
        self.running.signal(Signal::TERM);
        let ran = self.running.end().await;
        assert_eq!((ran.status.code(), ran.stderr.as_str()), (Some(0), ""));
    }
}

impl Memory {
    /// That it never grew by more than this.
    pub(super) fn assert_grew_at_most(self, kib: u64) {
        assert!(self.most < self.before + kib, "{self}; allowed are {kib} KiB more");
    }
}

impl std::fmt::Display for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mib = |kib: u64| kib as f64 / 1_024.0;
        let Self { before, most, after } = *self;
        write!(f, "memory {:.1} MiB before, {:.1} at most, {:.1} after", mib(before), mib(most), mib(after))
    }
}

/// A figure of /proc, in KiB.
pub(super) fn memory_kib(pid: u32, figure: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix(figure)).expect(figure);
    line.trim_matches(|c: char| !c.is_ascii_digit()).parse().expect("a number")
}

/// A connection with a small buffer for what the proxy sends.
pub(super) async fn narrow(addr: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("a buffer");
    // That of a network: with loopback's own of 64 KiB the system holds 2.6 MiB for a socket that is not read.
    SockRef::from(&socket).set_tcp_mss(1_460).expect("a segment size");
    within("a connection", socket.connect(addr)).await.expect("a connection")
}

/// A WebSocket over such a connection, for those that never read.
pub(super) async fn deaf(addr: SocketAddr) -> RawSocket {
    RawSocket::shake_hands(narrow(addr).await, addr, b"").await
}

/// That a client is served.
pub(super) async fn is_alive(addr: SocketAddr) {
    let mut socket = RawSocket::connect(addr).await;
    socket.write(&Opcode::TEXT.frame(br#"{"id":"a","type":"ping"}"#)).await;
    assert_eq!(socket.read().await, Some((1, br#"{"id":"a","type":"pong","data":{}}"#.to_vec())));
}

/// A frame that asks for what there is of an answer after this event.
pub(super) fn resume_frame(message_id: &str, after: u64) -> String {
    json!({ "id": "resume", "type": "chat.resume", "data": { "messageId": message_id, "after": after } }).to_string()
}

/// As many open files as the system lets this user have; the command inherits it.
fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).expect("the maximum is allowed");
}
