//! The connection: attempts, waits, liveness and planned moves to another proxy. It knows nothing of requests.

use std::collections::VecDeque;

use protocol::{
    ErrorCode, ErrorData, VERSION,
    close::CloseCode,
    codec::{JsonObject, encode_raw},
};

use crate::{Config, Handle, Output, Status, Time, ids::Ids};

pub(crate) type Outbox = VecDeque<Output>;

/// Closes that the client itself starts, beside the protocol's own codes.
const UNREADABLE: CloseCode = CloseCode(4000);

/// What became of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Change {
    Nothing,
    Open,
    Lost,
    Closed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Idle,
    Token { until: Time },
    Opening { until: Time },
    Greeting { until: Time, hello: Handle },
    Open { since: Time },
    Waiting { until: Time },
    Closed,
}

/// What requests are under way on the present socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Load {
    Idle,
    /// Replies are awaited.
    Busy,
    /// Answers are awaited: the proxy says something every 5 s.
    Following,
}

#[derive(Debug)]
pub(crate) struct Connection {
    config: Config,
    rng: fastrand::Rng,
    phase: Phase,
    status: Status,
    /// Attempts and connections that ended since the last healthy one.
    failures: u32,
    attempt: u32,
    online: bool,
    token: Option<String>,
    last_frame: Time,
    ping_sent: Option<Time>,
    /// When a socket that is being probed has to have said something.
    probe_until: Option<Time>,
    /// When to move to another proxy, since this one is about to stop.
    move_at: Option<Time>,
}

impl Connection {
    pub(crate) fn new(config: Config, rng: fastrand::Rng) -> Self {
        Self {
            config,
            rng,
            phase: Phase::Idle,
            status: Status::Idle,
            failures: 0,
            attempt: 0,
            online: true,
            token: None,
            last_frame: Time::from_millis(0),
            ping_sent: None,
            probe_until: None,
            move_at: None,
        }
    }

    pub(crate) fn status(&self) -> &Status {
        &self.status
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open { .. })
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    /// Whether new requests go out: not to a proxy that is about to stop.
    pub(crate) fn takes_requests(&self) -> bool {
        self.is_open() && self.move_at.is_none()
    }

    /// The frame that the proxy's greeting answers, while that is awaited.
    pub(crate) fn awaited_hello(&self) -> Option<Handle> {
        if let Phase::Greeting { hello, .. } = self.phase { Some(hello) } else { None }
    }

    pub(crate) fn connect(&mut self, now: Time, out: &mut Outbox) {
        if self.phase == Phase::Idle {
            self.start(now, out);
        }
    }

    pub(crate) fn token(
        &mut self,
        now: Time,
        attempt: u32,
        result: Result<Option<String>, String>,
        out: &mut Outbox,
    ) -> Change {
        let Phase::Token { until } = self.phase else { return Change::Nothing };
        if attempt != self.attempt {
            return Change::Nothing;
        }
        match result {
            Err(reason) => self.lose(now, &reason, None, out),
            Ok(token) => {
                self.token = token;
                self.phase = Phase::Opening { until };
                out.push_back(Output::OpenSocket);
                Change::Nothing
            }
        }
    }

    pub(crate) fn opened(&mut self, now: Time, ids: &mut Ids, out: &mut Outbox) {
        let Phase::Opening { until } = self.phase else { return };
        let hello = ids.fresh();
        let mut data = JsonObject::default();
        data.number("version", u64::from(VERSION)).optional_text("token", self.token.take().as_deref());
        out.push_back(Output::SendText(encode_raw(&ids.text(hello), "client.hello", &data.finish())));
        self.last_frame = now;
        self.phase = Phase::Greeting { until, hello };
    }

    /// The proxy has greeted.
    pub(crate) fn greeted(&mut self, now: Time, hello: &str, out: &mut Outbox) -> Change {
        self.phase = Phase::Open { since: now };
        self.ping_sent = None;
        self.probe_until = None;
        self.move_at = None;
        self.say(Status::Open { hello: hello.to_owned() }, out);
        Change::Open
    }

    /// The proxy refused the greeting. A page can tell from the code that its token was the reason.
    pub(crate) fn refused(&mut self, now: Time, error: &ErrorData, out: &mut Outbox) -> Change {
        if error.retryable {
            self.drop_socket(CloseCode::NORMAL, out);
            self.lose(now, &error.message, error.retry_after_ms, out)
        } else {
            let is_token = error.code == ErrorCode::Unauthenticated;
            self.close(is_token.then_some(CloseCode::TOKEN_REFUSED.0), &error.message, out)
        }
    }

    pub(crate) fn socket_closed(&mut self, now: Time, code: u16, reason: &str, out: &mut Outbox) -> Change {
        if !self.has_socket() {
            return Change::Nothing;
        }
        if CloseCode(code).should_reconnect() {
            let known = if reason.is_empty() { "the connection was lost" } else { reason };
            self.lose(now, known, None, out)
        } else {
            self.phase = Phase::Closed;
            self.say(Status::Closed { code: Some(code), reason: reason.to_owned() }, out);
            Change::Closed
        }
    }

    /// A frame came that is none of this protocol: what it said is lost, so that the socket is given up.
    pub(crate) fn unreadable(&mut self, now: Time, out: &mut Outbox) -> Change {
        self.drop_socket(UNREADABLE, out);
        self.lose(now, "the proxy sent a frame that cannot be read", None, out)
    }

    /// Ends for good.
    pub(crate) fn close(&mut self, code: Option<u16>, reason: &str, out: &mut Outbox) -> Change {
        if self.is_closed() {
            return Change::Nothing;
        }
        self.drop_socket(CloseCode::NORMAL, out);
        self.phase = Phase::Closed;
        self.say(Status::Closed { code, reason: reason.to_owned() }, out);
        Change::Closed
    }

    /// Anything came over the socket.
    pub(crate) fn heard(&mut self, now: Time) {
        self.last_frame = now;
        self.ping_sent = None;
        self.probe_until = None;
    }

    /// The proxy is about to stop.
    pub(crate) fn drain(&mut self, now: Time, reconnect_in_ms: u64) {
        if self.is_open() && self.move_at.is_none() {
            self.move_at = Some(now.after_ms(reconnect_in_ms));
        }
    }

    /// Up to a second, spread out over the clients.
    pub(crate) fn short_wait_ms(&mut self) -> u64 {
        self.rng.u64(0..=1_000)
    }

    /// The browser says that the network is there, or a person looks: no wait is longer than that.
    pub(crate) fn wake(&mut self, now: Time, ids: &mut Ids, out: &mut Outbox) {
        match self.phase {
            Phase::Waiting { .. } => self.start(now, out),
            Phase::Open { .. } => self.probe(now, ids, out),
            _ => {}
        }
    }

    /// Probes a socket that should have been asked for a sign of life long ago: the machine may have slept.
    pub(crate) fn suspect(&mut self, now: Time, load: Load, ids: &mut Ids, out: &mut Outbox) {
        if self.is_open() && self.is_late(now, load) {
            self.probe(now, ids, out);
        }
    }

    pub(crate) fn network(&mut self, now: Time, online: bool, ids: &mut Ids, out: &mut Outbox) {
        self.online = online;
        match self.phase {
            Phase::Waiting { .. } if !online => {
                self.phase = Phase::Waiting { until: now.after_ms(self.config.offline_retry_ms) };
                self.say(Status::Offline, out);
            }
            // What the browser says of its network need not hold for this socket: the socket is asked.
            _ => self.wake(now, ids, out),
        }
    }

    pub(crate) fn poll_timeout(&self, load: Load) -> Option<Time> {
        match self.phase {
            Phase::Idle | Phase::Closed => None,
            Phase::Token { until }
            | Phase::Opening { until }
            | Phase::Greeting { until, .. }
            | Phase::Waiting { until } => Some(until),
            Phase::Open { .. } => {
                let move_at = self.move_at.filter(|_| load == Load::Idle);
                Some(move_at.map_or(self.liveness_deadline(load), |at| at.min(self.liveness_deadline(load))))
            }
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Time, load: Load, ids: &mut Ids, out: &mut Outbox) -> Change {
        match self.phase {
            Phase::Waiting { until } if until <= now => {
                self.start(now, out);
                Change::Nothing
            }
            Phase::Token { until } if until <= now => self.lose(now, "no token came in time", None, out),
            Phase::Opening { until } | Phase::Greeting { until, .. } if until <= now => {
                self.drop_socket(CloseCode::SILENT, out);
                self.lose(now, "the proxy did not answer in time", None, out)
            }
            Phase::Open { .. } => self.open_timeout(now, load, ids, out),
            _ => Change::Nothing,
        }
    }

    fn open_timeout(&mut self, now: Time, load: Load, ids: &mut Ids, out: &mut Outbox) -> Change {
        if load == Load::Idle && self.move_at.is_some_and(|at| at <= now) {
            self.drop_socket(CloseCode::NORMAL, out);
            self.move_at = None;
            self.start(now, out);
            return Change::Lost;
        }
        if self.liveness_deadline(load) > now {
            return Change::Nothing;
        }
        if self.ping_sent.is_none() {
            if self.is_late(now, load) {
                self.probe(now, ids, out);
            } else {
                self.ping(now, ids, out);
            }
            return Change::Nothing;
        }
        self.drop_socket(CloseCode::SILENT, out);
        self.lose(now, "the connection went silent", None, out)
    }

    fn liveness_deadline(&self, load: Load) -> Time {
        let liveness = if load == Load::Following { self.config.following } else { self.config.idle };
        let deadline = match self.ping_sent {
            None => self.last_frame.after_ms(liveness.ping_after_ms),
            Some(sent) => sent.after_ms(liveness.pong_within_ms),
        };
        self.probe_until.map_or(deadline, |until| until.min(deadline))
    }

    /// Whether the liveness deadline has passed by more than a slow timer explains.
    fn is_late(&self, now: Time, load: Load) -> bool {
        now > self.liveness_deadline(load).after_ms(self.config.probe_within_ms)
    }

    fn probe(&mut self, now: Time, ids: &mut Ids, out: &mut Outbox) {
        self.ping(now, ids, out);
        self.probe_until.get_or_insert(now.after_ms(self.config.probe_within_ms));
    }

    fn ping(&mut self, now: Time, ids: &mut Ids, out: &mut Outbox) {
        if self.ping_sent.is_none() {
            self.ping_sent = Some(now);
            let id = ids.fresh();
            out.push_back(Output::SendText(encode_raw(&ids.text(id), "ping", "{}")));
        }
    }

    fn start(&mut self, now: Time, out: &mut Outbox) {
        self.attempt += 1;
        self.phase = Phase::Token { until: now.after_ms(self.config.attempt_timeout_ms) };
        self.say(Status::Connecting, out);
        out.push_back(Output::FetchToken { attempt: self.attempt });
    }

    fn lose(&mut self, now: Time, reason: &str, at_least_ms: Option<u64>, out: &mut Outbox) -> Change {
        if let Phase::Open { since } = self.phase
            && now.ms_since(since) >= self.config.healthy_after_ms
        {
            self.failures = 0;
        }
        let longest = self.config.backoff_base_ms.saturating_mul(1 << self.failures.min(32));
        let jitter = self.rng.u64(0..=longest.min(self.config.backoff_cap_ms));
        self.failures = self.failures.saturating_add(1);
        let wait_ms = match self.move_at.take() {
            Some(at) => at.ms_since(now),
            None if !self.online => self.config.offline_retry_ms,
            None => jitter.max(at_least_ms.unwrap_or(0)),
        };
        self.phase = Phase::Waiting { until: now.after_ms(wait_ms) };
        if self.online {
            let reason = reason.to_owned();
            self.say(Status::Reconnecting { attempt: self.failures, retry_in_ms: wait_ms, reason }, out);
        } else {
            self.say(Status::Offline, out);
        }
        Change::Lost
    }

    fn has_socket(&self) -> bool {
        matches!(self.phase, Phase::Opening { .. } | Phase::Greeting { .. } | Phase::Open { .. })
    }

    fn drop_socket(&mut self, code: CloseCode, out: &mut Outbox) {
        if self.has_socket() {
            out.push_back(Output::CloseSocket { code: code.0 });
        }
    }

    fn say(&mut self, status: Status, out: &mut Outbox) {
        if self.status != status {
            self.status = status.clone();
            out.push_back(Output::StatusChanged(status));
        }
    }
}
