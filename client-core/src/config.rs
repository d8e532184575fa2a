//! The bounds of a client.

/// The bounds and times of a client. [`Config::default`] is what the protocol's rules say.
#[derive(Debug, Clone)]
pub struct Config {
    /// Requests that have not ended, sent or waiting: one more is refused. Each has a frame of at most
    /// [`protocol::limits::MAX_CLIENT_FRAME_BYTES`].
    pub max_requests: usize,
    /// The longest answer, in bytes of the frames it came in: a longer one is stopped and fails. Far above what any model writes.
    pub max_answer_bytes: usize,
    /// Sessions and models that have a total of their own; what is used beyond is summed up as `other`.
    pub max_totals: usize,
    /// How long an attempt to connect may take, from the token to the proxy's greeting.
    pub attempt_timeout_ms: u64,
    /// The longest wait before the second attempt; it doubles with each that fails.
    pub backoff_base_ms: u64,
    /// The longest wait before any attempt.
    pub backoff_cap_ms: u64,
    /// How long a connection has to last for the wait to start again from its base.
    pub healthy_after_ms: u64,
    /// The wait between attempts while the browser says that there is no network. It may be wrong, above all about a proxy on
    /// the same machine.
    pub offline_retry_ms: u64,
    /// How long to wait for another `chat.resume` of the same gap.
    pub resume_again_ms: u64,
    /// How soon a socket has to say something that may have died unnoticed: when the network came back, a person looks at the page
    /// again, or the machine seems to have slept.
    pub probe_within_ms: u64,
    /// When a silent socket is dead.
    pub idle: Liveness,
    /// When a silent socket is dead while an answer is awaited; the proxy sends `chat.status` every 5 s then.
    pub following: Liveness,
}

/// When a silent socket is dead. The second figure counts from the `ping`, not from the silence: a browser runs the timers of a
/// hidden tab as rarely as once a minute, and a socket must not be given up for that.
#[derive(Debug, Clone, Copy)]
pub struct Liveness {
    /// Silence after which a `ping` is sent.
    pub ping_after_ms: u64,
    /// Silence after the `ping` that means that the socket is dead.
    pub pong_within_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_requests: 64,
            max_answer_bytes: 32 * 1024 * 1024,
            max_totals: 256,
            attempt_timeout_ms: 20_000,
            backoff_base_ms: 500,
            backoff_cap_ms: 20_000,
            healthy_after_ms: 30_000,
            offline_retry_ms: 20_000,
            resume_again_ms: 5_000,
            probe_within_ms: 3_000,
            idle: Liveness { ping_after_ms: 25_000, pong_within_ms: 10_000 },
            following: Liveness { ping_after_ms: 8_000, pong_within_ms: 7_000 },
        }
    }
}
