//! One server: started, asked for its tools, watched, and started again.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use backon::{BackoffBuilder, ExponentialBuilder};
use rmcp::{
    Peer, RoleClient,
    model::{ClientRequest, PingRequest, Tool as Listed},
    service::PeerRequestOptions,
};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, MissedTickBehavior, interval_at, sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    Options, Pins, Resolver, ServerState,
    connect::{Connection, Source},
    failure::{self, Failure},
    handler::{Handler, Listeners},
    listing::{Listing, ask, sort_out},
    state::{Link, Standing, Status},
};

/// How long a server has from its start to the end of the handshake, and for each page of its list.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// How often a server is asked whether it is there, and how long it may take to say so.
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// How often pins are looked at while a tool is held back.
const PINS_EVERY: Duration = Duration::from_secs(5);
/// A list that keeps changing is asked for once in this time.
const LIST_EVERY: Duration = Duration::from_secs(1);
/// How long until a server that failed is started again; the wait doubles, with jitter.
const MIN_DELAY: Duration = Duration::from_secs(1);
const MAX_DELAY: Duration = Duration::from_secs(60);
/// A server that was up for as long begins with the shortest wait again.
const HEALTHY: Duration = Duration::from_secs(60);

/// One server.
pub(crate) struct Server {
    pub(crate) name: Arc<str>,
    pub(crate) options: Options,
    pub(crate) source: Source,
    /// Tools of a server without pins are trusted.
    pub(crate) pins: Option<Pins>,
    pub(crate) resolver: Arc<dyn Resolver>,
    pub(crate) standing: watch::Sender<Standing>,
    /// Calls it is working on.
    pub(crate) calls: AtomicUsize,
    /// Somebody found that it does not answer.
    pub(crate) suspicion: Notify,
    pub(crate) listeners: Listeners,
    /// Counts changes of all servers of a hub.
    revision: watch::Sender<u64>,
}

impl Server {
    pub(crate) fn new(
        name: Arc<str>,
        options: Options,
        source: Source,
        pins: Option<Pins>,
        resolver: Arc<dyn Resolver>,
        revision: watch::Sender<u64>,
    ) -> Self {
        Self {
            name,
            options,
            source,
            pins,
            resolver,
            standing: watch::Sender::new(Standing::default()),
            calls: AtomicUsize::new(0),
            suspicion: Notify::new(),
            listeners: Listeners::default(),
            revision,
        }
    }

    fn change(&self, change: impl FnOnce(&mut Standing)) {
        self.standing.send_modify(change);
        self.revision.send_modify(|revision| *revision += 1);
    }

    pub(crate) fn state(&self) -> ServerState {
        let standing = self.standing.borrow();
        ServerState {
            name: self.name.clone(),
            phase: standing.phase.phase(),
            tools: standing.tools.len(),
            held_back: standing.held.len(),
            left_out: standing.left_out,
            starts: standing.starts,
            calls: self.calls.load(Ordering::Relaxed),
        }
    }

    /// Keeps it running until `stop`.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        let delays = || {
            ExponentialBuilder::new()
                .with_min_delay(MIN_DELAY)
                .with_max_delay(MAX_DELAY)
                .with_jitter()
                .without_max_times()
        };
        let mut next = delays().build();
        loop {
            self.change(|standing| {
                standing.phase = Status::Starting;
                standing.starts += 1;
            });
            let mut up_since = None;
            let ended = tokio::select! {
                () = stop.cancelled() => None,
                ended = self.live(&mut up_since, &stop) => ended,
            };
            let Some(ended) = ended else { break };
            let was_up = up_since.map_or(Duration::ZERO, |since: Instant| since.elapsed());
            if was_up >= HEALTHY {
                next = delays().build();
            }
            let delay = match ended {
                // Unless it forgets sessions as soon as it makes them.
                Failure::SessionExpired if was_up >= MIN_DELAY => Duration::ZERO,
                _ => next.next().unwrap_or(MAX_DELAY).min(MAX_DELAY),
            };
            let reason = ended.to_string();
            tracing::warn!(server = &*self.name, reason, retry_in_ms = delay.as_millis(), "an MCP server is down");
            self.down(Status::Down { reason, retry_at: Instant::now() + delay });
            tokio::select! {
                () = stop.cancelled() => break,
                () = sleep(delay) => {}
            }
        }
        self.down(Status::Stopped);
    }

    fn down(&self, phase: Status) {
        self.change(|standing| {
            *standing = Standing { phase, is_settled: true, starts: standing.starts, ..Standing::default() };
        });
    }

    /// One life of it, and why that ended; `None` where it was stopped.
    async fn live(&self, up_since: &mut Option<Instant>, stop: &CancellationToken) -> Option<Failure> {
        let handler = Handler { listeners: self.listeners.clone(), ..Handler::default() };
        let changed = handler.tools_changed.clone();
        let opening = Connection::open(&self.name, &self.source, self.options.allow_private, &self.resolver, handler);
        let mut connection = match timeout(START_TIMEOUT, opening).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(reason)) => return Some(Failure::WithoutEffect(reason)),
            Err(_) => {
                return Some(Failure::WithoutEffect(format!("it did not answer within {} s", START_TIMEOUT.as_secs())));
            }
        };
        let peer = connection.peer().clone();
        let ended = tokio::select! {
            () = stop.cancelled() => None,
            () = connection.ended() => Some(Failure::Lost("it closed the connection".into())),
            ended = self.watch(&peer, &changed, up_since) => Some(ended),
        };
        // No more calls while it ends.
        self.change(|standing| {
            standing.link = None;
            standing.tools.clear();
        });
        match (connection.close().await, ended) {
            (Some(status), Some(Failure::Lost(_))) => Some(Failure::Lost(status)),
            (_, ended) => ended,
        }
    }

    /// Lists its tools and follows them, for as long as it answers.
    async fn watch(&self, peer: &Peer<RoleClient>, changed: &Notify, up_since: &mut Option<Instant>) -> Failure {
        let mut listed = match self.list(peer).await {
            Ok(listed) => listed,
            Err(failure) => return failure,
        };
        *up_since = Some(Instant::now());
        let mut pings = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut looks = interval_at(Instant::now() + PINS_EVERY, PINS_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut may_list_at = Instant::now() + LIST_EVERY;
        let mut has_changed = false;
        loop {
            let is_held = !self.standing.borrow().held.is_empty();
            tokio::select! {
                () = changed.notified(), if !has_changed => has_changed = true,
                () = sleep_until(may_list_at), if has_changed => {
                    match self.list(peer).await {
                        Ok(list) => listed = list,
                        Err(failure) => return failure,
                    }
                    has_changed = false;
                    may_list_at = Instant::now() + LIST_EVERY;
                }
                _ = looks.tick(), if is_held => if self.have_pins_changed() { self.publish(peer, &listed) },
                _ = pings.tick() => if let Some(failure) = self.ping(peer).await { return failure },
                () = self.suspicion.notified() => if let Some(failure) = self.ping(peer).await { return failure },
            }
        }
    }

    fn have_pins_changed(&self) -> bool {
        let held = self.standing.borrow().held.clone();
        self.pins.as_ref().is_some_and(|pins| pins.have_changed(&held))
    }

    async fn list(&self, peer: &Peer<RoleClient>) -> Result<Vec<Listed>, Failure> {
        let listed = ask(peer, START_TIMEOUT).await.map_err(Failure::WithoutEffect)?;
        self.publish(peer, &listed);
        Ok(listed)
    }

    /// Offers what is fit to be offered of `listed`.
    fn publish(&self, peer: &Peer<RoleClient>, listed: &[Listed]) {
        let Listing { tools, held, left_out } = sort_out(&self.name, &self.options, self.pins.as_ref(), listed);
        self.change(|standing| {
            for held in held.iter().filter(|held| !standing.held.contains(held)) {
                tracing::warn!(
                    server = &*self.name, tool = &*held.tool, pinned = held.pinned, found = held.found,
                    "a tool has changed since it was approved and is held back; look at it and approve it: outcrop-proxy tools --approve {}/{}",
                    self.name, held.tool,
                );
            }
            if standing.link.is_none() {
                tracing::info!(server = &*self.name, tools = tools.len(), held_back = held.len(), left_out, "an MCP server is up");
            }
            standing.phase = Status::Up;
            standing.is_settled = true;
            standing.link = Some(Link { peer: peer.clone(), number: standing.starts });
            standing.tools = tools;
            standing.held = held;
            standing.left_out = left_out;
        });
    }

    /// Asks whether it is there. Tells what is wrong if it is not.
    async fn ping(&self, peer: &Peer<RoleClient>) -> Option<Failure> {
        let request = ClientRequest::PingRequest(PingRequest::default());
        let answer = async {
            let asked = peer.send_request_with_option(request, PeerRequestOptions::no_options()).await;
            asked.map_err(failure::of_request)?.await_response().await.map_err(failure::of_request)
        };
        match timeout(PING_TIMEOUT, answer).await {
            // An error is an answer too.
            Ok(Ok(_) | Err(Failure::Answered(..))) => None,
            Ok(Err(failure)) => Some(failure),
            // It may do one thing at a time; calls have limits of their own.
            Err(_) if self.calls.load(Ordering::Relaxed) > 0 => None,
            Err(_) => {
                Some(Failure::WithoutEffect(format!("it did not answer a ping within {} s", PING_TIMEOUT.as_secs())))
            }
        }
    }
}
