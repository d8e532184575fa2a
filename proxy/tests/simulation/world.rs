//! One scenario: one or two tabs, a machine whose processes come and go, the network between them, and the people in front.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use client_core::{Input, Output, Time};
use fastrand::Rng;
use tokio::time::{Instant, Sleep, sleep};

use crate::{
    link::Link,
    oracle::{Counts, Oracle},
    page::Page,
    server::{Machine, Process},
    upstream::Ledger,
};

/// How long a scenario may take: past it something hangs.
const MAX_MS: u64 = 1_500_000;

pub(crate) struct Clock {
    began: Instant,
    trace: bool,
}

impl Clock {
    pub(crate) fn now(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }

    pub(crate) fn at(&self, instant: Instant) -> u64 {
        (instant - self.began).as_millis() as u64
    }

    pub(crate) fn say(&self, what: impl FnOnce() -> String) {
        if self.trace {
            println!("{:>8} {}", self.now(), what());
        }
    }
}

pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) rng: Rng,
    timer: Pin<Box<Sleep>>,
    pub(crate) pages: Vec<Page>,
    pub(crate) links: Vec<Link>,
    machine: Machine,
    starting: Option<Pin<Box<dyn Future<Output = Process>>>>,
    winding_up: Option<Pin<Box<dyn Future<Output = ()>>>>,
    pub(crate) oracle: Oracle,
    pub(crate) faults_until: u64,
    to_ask: usize,
    ask_at: u64,
    reload_at: u64,
    look_at: u64,
    end_process_at: u64,
    start_process_at: Option<u64>,
}

impl World {
    pub(crate) fn new(seed: u64, trace: bool) -> Self {
        let mut rng = Rng::with_seed(seed);
        let ledger = Ledger::default();
        let mut sometimes = |within_ms: u64| if rng.bool() { rng.u64(0..within_ms) } else { u64::MAX };
        let (end_process_at, reload_at, look_at) = (sometimes(10_000), sometimes(12_000), sometimes(3_000));
        let tabs = if look_at == u64::MAX { 1 } else { 2 };
        Self {
            clock: Clock { began: Instant::now(), trace },
            timer: Box::pin(sleep(Duration::ZERO)),
            pages: (0..tabs).map(|_| Page::new(rng.u64(..))).collect(),
            links: Vec::new(),
            machine: Machine::new(seed, ledger.clone()),
            starting: None,
            winding_up: None,
            oracle: Oracle::new(seed, ledger),
            faults_until: rng.u64(20_000..120_000),
            to_ask: rng.usize(1..6),
            ask_at: 0,
            reload_at,
            look_at,
            end_process_at,
            start_process_at: Some(0),
            rng,
        }
    }

    pub(crate) async fn run(mut self) -> Counts {
        poll_fn(|cx| self.poll(cx)).await;
        self.oracle.check_end(&self.machine.kept).await;
        self.oracle.counts
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let now = self.clock.now();
        assert!(now < MAX_MS, "hangs");
        for spin in 0.. {
            assert!(spin < 10_000, "spins at {now} ms");
            if !self.step(cx, now) {
                break;
            }
        }
        if self.to_ask == 0 && self.is_quiet() {
            return Poll::Ready(());
        }
        let next = self.next().max(now + 1);
        self.timer.as_mut().reset(self.clock.began + Duration::from_millis(next.min(MAX_MS)));
        let _ = self.timer.as_mut().poll(cx);
        Poll::Pending
    }

    /// Whether every question has its end wherever it is shown.
    fn is_quiet(&self) -> bool {
        self.oracle.questions.iter().all(|question| question.ended)
            && self.pages.iter().all(|page| page.reading.is_empty() && !page.is_looking())
    }

    /// When something is due if nothing else happens.
    fn next(&self) -> u64 {
        let mut next = self.oracle.next().unwrap_or(u64::MAX);
        let mut at = |time: u64| next = next.min(time);
        for page in &self.pages {
            page.client.poll_timeout().map(|time| time.as_millis()).into_iter().chain(page.attempt).for_each(&mut at);
        }
        if self.to_ask > 0 && self.is_quiet() {
            at(self.ask_at);
        }
        [self.reload_at, self.look_at, self.end_process_at].into_iter().chain(self.start_process_at).for_each(&mut at);
        self.oracle.questions.iter().filter(|q| !q.ended && !q.stopped).filter_map(|q| q.stop_at).for_each(&mut at);
        self.links.iter().map(|link| link.next(&self.clock)).for_each(&mut at);
        next
    }

    fn step(&mut self, cx: &mut Context<'_>, now: u64) -> bool {
        let mut any = self.people(now);
        any |= self.processes(cx, now);
        self.oracle.check_stops(now);
        for tab in 0..self.pages.len() {
            let page = &mut self.pages[tab];
            if page.client.poll_timeout().is_some_and(|due| due.as_millis() <= now) {
                page.client.handle_timeout(Time::from_millis(now));
                any = true;
            }
            if page.attempt.is_some_and(|at| at <= now) {
                page.attempt = None;
                page.input(now, Input::SocketClosed { code: 1006, reason: "" });
                any = true;
            }
            any |= self.outputs(now, tab);
        }
        for at in 0..self.links.len() {
            any |= self.link(cx, now, at);
        }
        for tab in 0..self.pages.len() {
            any |= self.outputs(now, tab);
        }
        self.links.retain(|link| !link.is_over());
        any
    }

    /// Asks, stops, reloads, and looks from another tab.
    fn people(&mut self, now: u64) -> bool {
        let mut any = false;
        if self.to_ask > 0 && now >= self.ask_at && self.is_quiet() {
            self.to_ask -= 1;
            let (number, page) = (self.oracle.questions.len(), self.rng.usize(0..self.pages.len()));
            let text = format!("q{number}");
            let stop_at = (self.rng.u8(0..3) == 0).then(|| now + self.rng.u64(0..8_000));
            self.clock.say(|| format!("{page} asks {text}, stops at {stop_at:?}"));
            self.pages[page].send(now, number, &text, false);
            self.oracle.asked(text, page, stop_at);
            any = true;
        }
        for number in 0..self.oracle.questions.len() {
            let question = &mut self.oracle.questions[number];
            if question.stopped || question.ended || question.stop_at.is_none_or(|at| at > now) {
                continue;
            }
            let readers: Vec<_> =
                (0..self.pages.len()).filter(|&tab| self.pages[tab].reading(number).is_some()).collect();
            question.stopped = !readers.is_empty();
            if let Some(&tab) = self.rng.choice(&readers) {
                self.clock.say(|| format!("{tab} stops q{number}"));
                self.pages[tab].stop(now, number);
                self.oracle.questions[number].stopping = Some((tab, now));
            } else {
                question.stop_at = Some(now + 50);
            }
            any = true;
        }
        if now >= self.reload_at {
            self.reload_at = if self.rng.bool() { now + self.rng.u64(0..12_000) } else { u64::MAX };
            let tab = self.rng.usize(0..self.pages.len());
            self.clock.say(|| format!("{tab} reloads"));
            self.oracle.counts.reloads += 1;
            self.links.iter_mut().filter(|link| link.tab == tab).for_each(|link| link.leave(now, &mut self.rng));
            let questions = &mut self.oracle.questions;
            questions
                .iter_mut()
                .for_each(|question| question.stopping = question.stopping.filter(|(of, _)| *of != tab));
            self.pages[tab].reload(now, self.rng.u64(..), |number| questions[number].text.clone());
            any = true;
        }
        if now >= self.look_at {
            self.look_at = if self.is_quiet() && self.to_ask == 0 { u64::MAX } else { now + self.rng.u64(1..2_000) };
            self.pages[1].look(now);
            any = true;
        }
        any
    }

    /// Ends the process, politely or not, and starts another.
    fn processes(&mut self, cx: &mut Context<'_>, now: u64) -> bool {
        if now >= self.end_process_at {
            self.end_process_at = if self.rng.u8(0..4) == 0 { now + self.rng.u64(6_000..20_000) } else { u64::MAX };
            let Some(process) = self.machine.process.take() else { return true };
            let polite = self.rng.u8(0..3) > 0;
            self.clock.say(|| format!("the process ends, politely: {polite}"));
            for (number, question) in self.oracle.questions.iter_mut().enumerate() {
                question.interrupted |= !question.ended || self.pages.iter().any(|page| page.reading(number).is_some());
                question.crashed = question.crashed.or((!polite && !question.ended).then_some(now));
            }
            if polite {
                self.oracle.counts.restarts += 1;
                for link in &mut self.links {
                    let hint = Duration::from_millis(self.rng.u64(0..500));
                    link.server.iter_mut().for_each(|peer| peer.connection.drain(hint));
                }
                let grace = Duration::from_millis(self.rng.u64(0..4_000));
                let wind_up = async move { process.service.wind_up(grace, Duration::from_secs(5)).await };
                self.winding_up = Some(Box::pin(wind_up));
            } else {
                self.oracle.counts.crashes += 1;
                process.kill();
                self.links.iter_mut().for_each(|link| link.lose_process(now));
                self.start_process_at = Some(now + self.rng.u64(10..1_000));
            }
            return true;
        }
        if self.winding_up.as_mut().is_some_and(|ending| ending.as_mut().poll(cx).is_ready()) {
            self.winding_up = None;
            self.links.iter_mut().for_each(|link| link.lose_process(now));
            self.start_process_at = Some(now);
        }
        if self.start_process_at.is_some_and(|at| at <= now) {
            self.start_process_at = None;
            self.starting = Some(Box::pin(self.machine.start()));
        }
        if let Some(Poll::Ready(process)) = self.starting.as_mut().map(|starting| starting.as_mut().poll(cx)) {
            self.clock.say(|| "a new process".to_owned());
            self.starting = None;
            self.machine.process = Some(process);
            return true;
        }
        false
    }

    /// Does what a tab's client asks for.
    pub(crate) fn outputs(&mut self, now: u64, tab: usize) -> bool {
        let mut any = false;
        while let Some(output) = self.pages[tab].client.poll_output() {
            any = true;
            let page = &mut self.pages[tab];
            match output {
                Output::FetchToken { attempt } => page.input(now, Input::Token { attempt, result: Ok(None) }),
                Output::OpenSocket => self.open(now, tab),
                Output::SendText(text) => {
                    self.clock.say(|| format!("  {tab} > {text}"));
                    let link = self.links.iter_mut().find(|link| link.tab == tab && link.client);
                    link.expect("a socket to send on").send(now, text, &mut self.rng);
                }
                Output::CloseSocket { .. } => {
                    page.attempt = None;
                    let links = self.links.iter_mut().filter(|link| link.tab == tab && link.client);
                    links.for_each(|link| link.leave(now, &mut self.rng));
                }
                Output::News { handle, .. } => {
                    if let Some(at) = page.reading.iter().position(|reading| reading.handle == handle) {
                        self.oracle.news(tab, page, at);
                        if page.reading.is_empty() {
                            self.ask_at = now + self.rng.u64(0..100);
                        }
                    }
                }
                Output::Reply { .. } => {
                    if let Some(history) = page.history(&output) {
                        self.oracle.history(now, tab, page, history);
                    }
                }
                Output::StatusChanged(_) | Output::UsageChanged => {}
            }
        }
        any
    }

    fn open(&mut self, now: u64, tab: usize) {
        let open = self.links.iter().any(|link| link.tab == tab && link.client);
        assert!(!open, "one socket at a time");
        let fate = self.rng.u8(0..100);
        let faults = now < self.faults_until;
        if faults && fate < 1 {
            return;
        }
        match self.machine.process.clone().filter(|_| !faults || fate > 4) {
            Some(process) => self.links.push(Link::new(now, tab, process, &mut self.rng)),
            None => self.pages[tab].attempt = Some(now + 1 + self.rng.u64(0..10)),
        }
    }
}
