//! One scenario: a page, a proxy that may restart, the network between them, and what must hold.

use std::{
    collections::VecDeque,
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use client_core::{Client, Config, Handle, Input, Liveness, Output, Piece, SendOptions, Time};
use fastrand::Rng;
use outcrop_proxy::{
    principal::Owner,
    service::Service,
    store::{MemoryStore, Store},
    ws::connection::Transmit,
};
use protocol::{Role, SessionId, StopReason, Usage};
use tokio::time::{Instant, Sleep, sleep};

use crate::{
    process::{Peer, service},
    upstream::Ledger,
};

/// Frames on their way in one direction before a write blocks.
const WINDOW_FRAMES: usize = 16;

/// How long a scenario may take: past it something hangs.
const MAX_MS: u64 = 1_500_000;

#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) cuts: u64,
    pub(crate) answers: u64,
    pub(crate) whole: u64,
    pub(crate) stopped: u64,
    pub(crate) restarts: u64,
    pub(crate) calls: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, other: &Self) {
        self.cuts += other.cuts;
        self.answers += other.answers;
        self.whole += other.whole;
        self.stopped += other.stopped;
        self.restarts += other.restarts;
        self.calls += other.calls;
    }
}

enum Up {
    Text(String),
    Pong,
}

enum Down {
    Text(String),
    Ping,
    Close(u16),
}

/// A connection: each end may believe in it longer than the other.
struct Link {
    opens: u64,
    client: bool,
    server: Option<Peer>,
    up: VecDeque<(u64, Up)>,
    down: VecDeque<(u64, Down)>,
    stalled: [bool; 2],
    slow_ms: u64,
    write_at: u64,
    stuck_since: Option<u64>,
    cut_at: u64,
    client_ends: Option<u64>,
    server_ends: Option<u64>,
}

struct Answer {
    handle: Handle,
    question: String,
    text: String,
    cancel_at: Option<u64>,
    cancelled: bool,
    ended: bool,
    whole: bool,
}

pub(crate) struct World {
    seed: u64,
    trace: bool,
    rng: Rng,
    began: Instant,
    timer: Pin<Box<Sleep>>,
    client: Client,
    links: Vec<Link>,
    attempt: Option<u64>,
    answers: Vec<Answer>,
    to_ask: usize,
    ask_at: u64,
    usages: u64,
    unused: u64,
    store: Arc<MemoryStore>,
    ledger: Ledger,
    service: Option<Arc<Service>>,
    winding_up: Option<Pin<Box<dyn Future<Output = ()>>>>,
    restart_at: u64,
    faults_until: u64,
    counts: Counts,
}

impl World {
    pub(crate) fn new(seed: u64, trace: bool) -> Self {
        let mut rng = Rng::with_seed(seed);
        let config = Config {
            attempt_timeout_ms: 1_000,
            backoff_base_ms: 20,
            backoff_cap_ms: 60,
            resume_again_ms: 500,
            following: Liveness { ping_after_ms: 400, pong_within_ms: 300 },
            ..Config::default()
        };
        let (store, ledger) = (Arc::new(MemoryStore::default()), Ledger::default());
        Self {
            client: Client::new(config, seed),
            service: Some(service(seed, ledger.clone(), store.clone())),
            restart_at: if rng.bool() { rng.u64(0..10_000) } else { u64::MAX },
            faults_until: rng.u64(5_000..60_000),
            to_ask: rng.usize(1..4),
            seed,
            trace,
            rng,
            store,
            ledger,
            began: Instant::now(),
            timer: Box::pin(sleep(Duration::ZERO)),
            links: Vec::new(),
            attempt: None,
            answers: Vec::new(),
            ask_at: 0,
            usages: 0,
            unused: 0,
            winding_up: None,
            counts: Counts::default(),
        }
    }

    pub(crate) async fn run(mut self) -> Counts {
        poll_fn(|cx| self.poll(cx)).await;
        self.check_end().await;
        self.counts
    }

    fn now(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }

    fn say(&self, what: impl FnOnce() -> String) {
        if self.trace {
            println!("{:>8} {}", self.now(), what());
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let now = self.now();
        assert!(now < MAX_MS, "hangs at {:?}", self.client.status());
        for spin in 0.. {
            assert!(spin < 10_000, "spins at {now} ms");
            if !self.step(cx, now) {
                break;
            }
        }
        if self.to_ask == 0 && self.answers.iter().all(|answer| answer.ended) {
            return Poll::Ready(());
        }
        let next = self.next().max(now + 1);
        self.timer.as_mut().reset(self.began + Duration::from_millis(next.min(MAX_MS)));
        let _ = self.timer.as_mut().poll(cx);
        Poll::Pending
    }

    /// When something is due if nothing else happens.
    fn next(&self) -> u64 {
        let mut next = self.client.poll_timeout().map_or(u64::MAX, |time| time.as_millis());
        let mut at = |time: u64| next = next.min(time);
        self.attempt.into_iter().for_each(&mut at);
        if self.answers.iter().all(|answer| answer.ended) {
            at(self.ask_at);
        }
        if self.winding_up.is_none() {
            at(self.restart_at);
        }
        self.answers.iter().filter(|a| !a.ended && !a.cancelled).filter_map(|a| a.cancel_at).for_each(&mut at);
        for link in &self.links {
            if link.client || link.server.is_some() {
                at(link.cut_at);
            }
            link.client_ends.into_iter().chain(link.server_ends).for_each(&mut at);
            if !link.stalled[0] {
                link.up.front().map(|(due, _)| *due).into_iter().for_each(&mut at);
            }
            if !link.stalled[1] {
                link.down.front().map(|(due, _)| *due).into_iter().for_each(&mut at);
            }
            if let Some(peer) = &link.server {
                if link.opens > self.now() {
                    at(link.opens);
                }
                if link.write_at > self.now() {
                    at(link.write_at);
                }
                link.stuck_since.map(|since| since + 10_000).into_iter().for_each(&mut at);
                let due = peer.connection.poll_timeout();
                due.map(|due| (due - self.began).as_millis() as u64).into_iter().for_each(&mut at);
            }
        }
        next
    }

    fn step(&mut self, cx: &mut Context<'_>, now: u64) -> bool {
        let mut any = self.people(now);
        any |= self.restarts(cx, now);
        if self.client.poll_timeout().is_some_and(|due| due.as_millis() <= now) {
            self.client.handle_timeout(Time::from_millis(now));
            any = true;
        }
        if self.attempt.is_some_and(|at| at <= now) {
            self.attempt = None;
            self.input(now, Input::SocketClosed { code: 1006, reason: "" });
            any = true;
        }
        for at in 0..self.links.len() {
            any |= self.link(cx, now, at);
        }
        any |= self.outputs(now);
        self.links.retain(|link| link.client || link.server.is_some());
        any
    }

    fn input(&mut self, now: u64, input: Input<'_>) {
        self.client.handle_input(Time::from_millis(now), input);
    }

    /// Asks and stops.
    fn people(&mut self, now: u64) -> bool {
        let mut any = false;
        if self.to_ask > 0 && now >= self.ask_at && self.answers.iter().all(|answer| answer.ended) {
            self.to_ask -= 1;
            let question = format!("q{}", self.answers.len());
            let data = format!(r#"{{"sessionId":"s","message":"{question}","streaming":true}}"#);
            let options = SendOptions { streaming: true, session_id: Some("s"), model: None };
            let handle = self.client.send_message(Time::from_millis(now), &data, options).expect("taken");
            let cancel_at = (self.rng.u8(0..4) == 0).then(|| now + self.rng.u64(0..8_000));
            self.say(|| format!("asks {question}, stops at {cancel_at:?}"));
            let text = String::new();
            self.answers.push(Answer {
                handle,
                question,
                text,
                cancel_at,
                cancelled: false,
                ended: false,
                whole: false,
            });
            any = true;
        }
        for answer in &mut self.answers {
            if !answer.ended && !answer.cancelled && answer.cancel_at.is_some_and(|at| at <= now) {
                answer.cancelled = true;
                self.client.cancel(Time::from_millis(now), answer.handle);
                any = true;
            }
        }
        any
    }

    fn restarts(&mut self, cx: &mut Context<'_>, now: u64) -> bool {
        if self.winding_up.is_none() && now >= self.restart_at {
            self.restart_at = u64::MAX;
            self.counts.restarts += 1;
            self.say(|| "restarts".to_owned());
            for link in &mut self.links {
                let hint = Duration::from_millis(self.rng.u64(0..500));
                if let Some(peer) = &mut link.server {
                    peer.connection.drain(hint);
                }
            }
            let grace = Duration::from_millis(self.rng.u64(0..4_000));
            let service = self.service.take().expect("a service");
            self.winding_up = Some(Box::pin(async move { service.wind_up(grace, Duration::from_secs(5)).await }));
            return true;
        }
        if self.winding_up.as_mut().is_some_and(|ending| ending.as_mut().poll(cx).is_ready()) {
            self.winding_up = None;
            self.say(|| "a new process".to_owned());
            for link in &mut self.links {
                link.server = None;
                link.client_ends.get_or_insert(now + 5);
            }
            self.service = Some(service(self.seed, self.ledger.clone(), self.store.clone()));
            return true;
        }
        false
    }

    fn link(&mut self, cx: &mut Context<'_>, now: u64, at: usize) -> bool {
        let mut any = false;
        let link = &mut self.links[at];
        if link.client && link.opens <= now && link.opens != 0 {
            link.opens = 0;
            self.input(now, Input::Opened);
            return true;
        }
        if link.cut_at <= now {
            link.cut_at = u64::MAX;
            if now < self.faults_until {
                self.cut(now, at);
            }
            return true;
        }
        while !link.stalled[0] && link.up.front().is_some_and(|(due, _)| *due <= now) {
            let Some(peer) = link.server.as_mut().filter(|peer| peer.connection.wants_input()) else { break };
            match link.up.pop_front() {
                Some((_, Up::Text(text))) => peer.connection.handle_text(&text),
                _ => peer.connection.handle_alive(),
            }
            peer.serve(cx);
            any = true;
        }
        if link.server_ends.is_some_and(|ends| ends <= now) {
            link.server_ends = None;
            link.server = None;
        }
        if let Some(peer) = &mut link.server {
            any |= peer.serve(cx);
            while link.down.len() < WINDOW_FRAMES && link.write_at <= now {
                let Some(transmit) = peer.transmit() else { break };
                any = true;
                link.stuck_since = None;
                if link.slow_ms > 0 {
                    link.write_at = now + self.rng.u64(0..link.slow_ms);
                }
                let last = link.down.back().map_or(0, |(due, _)| *due);
                let delay = if self.rng.u8(..) == 0 { self.rng.u64(0..200) } else { self.rng.u64(1..6) };
                let (frame, over) = match transmit {
                    Transmit::Text(text) => (Down::Text(text), false),
                    Transmit::Ping => (Down::Ping, false),
                    Transmit::Close(code, _) => (Down::Close(code.0), true),
                };
                link.down.push_back((last.max(now + delay), frame));
                if over {
                    link.server = None;
                    break;
                }
            }
            if link.down.len() >= WINDOW_FRAMES {
                let since = *link.stuck_since.get_or_insert(now);
                if now >= since + 10_000 {
                    link.server = None;
                }
            } else {
                link.stuck_since = None;
            }
        }
        while let Some(link) = self.links.get_mut(at) {
            if link.stalled[1] || link.down.front().is_none_or(|(due, _)| *due > now) {
                break;
            }
            let Some((_, frame)) = link.down.pop_front() else { break };
            any = true;
            if !link.client {
                continue;
            }
            match frame {
                Down::Text(text) => {
                    self.say(|| format!("  < {text}"));
                    self.input(now, Input::Received(&text));
                }
                Down::Ping => link.up.push_back((now + 3, Up::Pong)),
                Down::Close(code) => {
                    link.client = false;
                    self.say(|| format!("closed {code}"));
                    self.input(now, Input::SocketClosed { code, reason: "" });
                }
            }
            self.outputs(now);
        }
        let link = &mut self.links[at];
        if link.client_ends.is_some_and(|ends| ends <= now) {
            link.client_ends = None;
            if std::mem::take(&mut link.client) {
                self.input(now, Input::SocketClosed { code: 1006, reason: "" });
            }
            any = true;
        }
        any
    }

    /// Each direction loses a suffix of what is on its way; the ends learn of it at once, late, or by their own timers.
    fn cut(&mut self, now: u64, at: usize) {
        self.counts.cuts += 1;
        let kind = self.rng.u8(0..12);
        let link = &mut self.links[at];
        let (up, down) = (self.rng.usize(0..=link.up.len()), self.rng.usize(0..=link.down.len()));
        let late = now + self.rng.u64(1..3_000);
        match kind {
            0 => link.stalled[0] = true,
            1 => link.stalled[1] = true,
            _ => {
                link.up.truncate(up);
                link.down.truncate(down);
                link.up.iter_mut().for_each(|(due, _)| *due = now);
                link.down.iter_mut().for_each(|(due, _)| *due = now);
                link.stalled = [false, false];
                (link.client_ends, link.server_ends) = match kind {
                    // Its frames reach the server long after the client has another connection.
                    2 | 3 => {
                        link.up.iter_mut().for_each(|(due, _)| *due = late - 1);
                        (Some(now), Some(late))
                    }
                    4 => (Some(now + 200), Some(now)),
                    _ => (Some(now), Some(now)),
                };
            }
        }
        self.say(|| format!("cut of kind {kind}"));
    }

    /// Does what the client asks for.
    fn outputs(&mut self, now: u64) -> bool {
        let mut any = false;
        while let Some(output) = self.client.poll_output() {
            any = true;
            match output {
                Output::FetchToken { attempt } => self.input(now, Input::Token { attempt, result: Ok(None) }),
                Output::OpenSocket => self.open(now),
                Output::SendText(text) => {
                    self.say(|| format!("  > {text}"));
                    let delay = self.rng.u64(1..6);
                    let link = self.links.iter_mut().find(|link| link.client).expect("a socket to send on");
                    let last = link.up.back().map_or(0, |(due, _)| *due);
                    link.up.push_back((last.max(now + delay), Up::Text(text)));
                    assert!(link.up.len() < 1_000, "the client floods");
                }
                Output::CloseSocket { .. } => {
                    self.attempt = None;
                    let late = now + self.rng.u64(1..2_000);
                    for link in self.links.iter_mut().filter(|link| link.client) {
                        link.client = false;
                        link.server_ends.get_or_insert(late);
                    }
                }
                Output::News { handle, .. } => self.news(now, handle),
                Output::Reply { .. } | Output::StatusChanged(_) | Output::UsageChanged => {}
            }
        }
        any
    }

    fn open(&mut self, now: u64) {
        self.links.iter().for_each(|link| assert!(!link.client, "one socket at a time"));
        let fate = self.rng.u8(0..100);
        let faults = now < self.faults_until;
        if faults && fate < 2 {
            return;
        }
        let Some(service) = self.service.clone().filter(|_| !faults || fate > 7) else {
            self.attempt = Some(now + 1 + self.rng.u64(0..10));
            return;
        };
        self.links.push(Link {
            opens: now + self.rng.u64(1..5),
            client: true,
            server: Some(Peer::new(service)),
            up: VecDeque::new(),
            down: VecDeque::new(),
            stalled: [false; 2],
            slow_ms: if self.rng.u8(0..8) == 0 { self.rng.u64(1..300) } else { 0 },
            write_at: 0,
            stuck_since: None,
            cut_at: now + if self.rng.u8(0..8) == 0 { self.rng.u64(1..2_000) } else { self.rng.u64(1..60) },
            client_ends: None,
            server_ends: None,
        });
    }

    /// What the client shows is checked piece by piece.
    fn news(&mut self, now: u64, handle: Handle) {
        let at = self.answers.iter().position(|answer| answer.handle == handle).expect("an answer that was asked for");
        let answer = &mut self.answers[at];
        let ledger = self.ledger.lock().expect("the ledger");
        let call = ledger.iter().rev().find(|call| call.question == answer.question && call.begun);
        let (counts, usages, unused) = (&mut self.counts, &mut self.usages, &mut self.unused);
        let mut ended = false;
        self.client.take(handle, |news| {
            assert!(!answer.ended, "nothing comes after the end");
            match news.piece {
                Piece::Text(text) => {
                    let sent = &call.expect("text has a call").text;
                    assert!(sent[answer.text.len()..].starts_with(text), "text that was not sent: {text:?}");
                    answer.text.push_str(text);
                }
                Piece::Done { content, stop_reason, usage } => {
                    assert_eq!(content, answer.text, "the whole is the sum of the pieces");
                    if stop_reason == StopReason::Cancelled {
                        assert!(answer.cancelled, "nobody stopped it");
                        counts.stopped += 1;
                    } else {
                        let call = call.expect("an answer has a call");
                        assert!(call.whole, "complete without messageStop and metadata");
                        assert_eq!(answer.text, call.text, "every byte that was sent");
                        counts.whole += 1;
                    }
                    (ended, answer.whole) = (true, true);
                    *usages += 1;
                    // Stopped before it was sent, or before a call: nothing was used, and it may not count as an answer.
                    *unused += u64::from(*usage == Usage::default());
                }
                Piece::Failed(error) => {
                    let excused = call.is_none_or(|call| !call.whole) || counts.restarts > 0;
                    assert!(excused, "a whole answer failed: {error:?}");
                    *usages += u64::from(error.usage.is_some());
                    ended = true;
                }
                Piece::Reasoning(_) | Piece::Tool(_) | Piece::Status { .. } => {}
            }
        });
        if ended {
            answer.ended = true;
            counts.answers += 1;
            self.ask_at = now + self.rng.u64(0..100);
        }
        let counted = self.client.usage().all.turns;
        assert!(counted <= *usages && counted + *unused >= *usages, "usage is counted once: {counted} of {usages}");
    }

    async fn check_end(&mut self) {
        {
            let ledger = self.ledger.lock().expect("the ledger");
            self.counts.calls += ledger.len() as u64;
            for answer in &self.answers {
                let calls: Vec<_> = ledger.iter().filter(|call| call.question == answer.question).collect();
                assert!(calls.len() <= 4, "{} calls for {}", calls.len(), answer.question);
                let begun = calls.iter().position(|call| call.begun);
                assert!(begun.is_none_or(|at| at + 1 == calls.len()), "a second bill after content");
            }
        }
        let session = SessionId::new("s").expect("an id");
        let Ok(page) = self.store.messages(&Owner::local(), &session, None, 100).await else { return };
        for answer in &self.answers {
            let asked = page.items.iter().filter(|m| m.role == Role::User && m.content == answer.question).count();
            assert!(asked <= 1, "a question is stored once");
            let at = page.items.iter().position(|m| m.role == Role::User && m.content == answer.question);
            let stored = at.and_then(|at| page.items.get(at + 1)).filter(|m| m.role == Role::Assistant);
            let stored = stored.map_or("", |message| &message.content);
            if answer.whole {
                assert_eq!(stored, answer.text, "history is what was shown of {}", answer.question);
            } else {
                assert!(stored.starts_with(&answer.text), "history has less than was shown of {}", answer.question);
            }
        }
    }
}
