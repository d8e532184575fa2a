//! A connection between a tab and a process: delays, and cuts of which each end learns in its own time.

use std::{collections::VecDeque, task::Context};

use client_core::Input;
use fastrand::Rng;
use outcrop_proxy::ws::connection::Transmit;

use crate::{
    server::{Peer, Process},
    world::{Clock, World},
};

/// Frames on their way in one direction before a write blocks.
const WINDOW_FRAMES: usize = 16;

/// How long a write may be stuck before the server gives the connection up.
const STUCK_MS: u64 = 10_000;

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
pub(crate) struct Link {
    pub(crate) tab: usize,
    began: u64,
    opens: u64,
    /// When it has carried on an answer long enough to have carried a stop too.
    told_by: Option<u64>,
    /// Whether the tab still believes in it; the server does while it has its end.
    pub(crate) client: bool,
    pub(crate) server: Option<Peer>,
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

impl Link {
    pub(crate) fn new(now: u64, tab: usize, process: Process, rng: &mut Rng) -> Self {
        Self {
            tab,
            began: now,
            told_by: None,
            opens: now + rng.u64(1..5),
            client: true,
            server: Some(Peer::new(process)),
            up: VecDeque::new(),
            down: VecDeque::new(),
            stalled: [false; 2],
            slow_ms: if rng.u8(0..8) == 0 { rng.u64(1..300) } else { 0 },
            write_at: 0,
            stuck_since: None,
            cut_at: now + if rng.u8(0..8) == 0 { rng.u64(1..1_000) } else { rng.u64(4..24) },
            client_ends: None,
            server_ends: None,
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        !self.client && self.server.is_none()
    }

    /// When something is due if nothing else happens.
    pub(crate) fn next(&self, clock: &Clock) -> u64 {
        let now = clock.now();
        let mut next = u64::MAX;
        let mut at = |time: u64| next = next.min(time);
        at(self.cut_at);
        self.client_ends.into_iter().chain(self.server_ends).for_each(&mut at);
        if !self.stalled[0] {
            self.up.front().map(|(due, _)| *due).into_iter().for_each(&mut at);
        }
        if !self.stalled[1] {
            self.down.front().map(|(due, _)| *due).into_iter().for_each(&mut at);
        }
        if let Some(peer) = &self.server {
            [self.opens, self.write_at].into_iter().filter(|&due| due > now).for_each(&mut at);
            self.told_by.into_iter().for_each(&mut at);
            self.stuck_since.map(|since| since + STUCK_MS).into_iter().for_each(&mut at);
            peer.connection.poll_timeout().map(|due| clock.at(due)).into_iter().for_each(&mut at);
        }
        next
    }

    pub(crate) fn send(&mut self, now: u64, text: String, rng: &mut Rng) {
        let last = self.up.back().map_or(0, |(due, _)| *due);
        self.up.push_back((last.max(now + rng.u64(1..6)), Up::Text(text)));
        assert!(self.up.len() < 1_000, "the client floods");
    }

    /// The tab has let go of it, or is gone; the server learns of that later.
    pub(crate) fn leave(&mut self, now: u64, rng: &mut Rng) {
        self.client = false;
        self.server_ends.get_or_insert(now + rng.u64(1..2_000));
    }

    /// The process is gone; the tab learns of that soon.
    pub(crate) fn lose_process(&mut self, now: u64) {
        self.server = None;
        self.client_ends.get_or_insert(now + 5);
    }

    /// Each direction loses a suffix of what is on its way; the ends learn of it at once, late, or by their own timers.
    fn cut(&mut self, now: u64, rng: &mut Rng) {
        let (up, down) = (rng.usize(0..=self.up.len()), rng.usize(0..=self.down.len()));
        let late = now + rng.u64(1..3_000);
        let kind = rng.u8(0..40);
        if kind < 2 {
            self.stalled[usize::from(kind)] = true;
            return;
        }
        self.up.truncate(up);
        self.down.truncate(down);
        self.up.iter_mut().for_each(|(due, _)| *due = now);
        self.down.iter_mut().for_each(|(due, _)| *due = now);
        self.stalled = [false, false];
        (self.client_ends, self.server_ends) = match kind {
            // Its frames reach the server long after the client has another connection.
            2..6 => {
                self.up.iter_mut().for_each(|(due, _)| *due = late - 1);
                (Some(now), Some(late))
            }
            6 | 7 => (Some(now + 30), Some(now)),
            _ => (Some(now), Some(now)),
        };
    }

    /// Moves frames from the server onto the wire.
    fn write(&mut self, now: u64, rng: &mut Rng) -> bool {
        let mut any = false;
        while self.down.len() < WINDOW_FRAMES && self.write_at <= now {
            let Some(transmit) = self.server.as_mut().and_then(Peer::transmit) else { break };
            any = true;
            self.stuck_since = None;
            if self.slow_ms > 0 {
                self.write_at = now + rng.u64(0..self.slow_ms);
            }
            let last = self.down.back().map_or(0, |(due, _)| *due);
            let delay = if rng.u8(..) == 0 { rng.u64(0..200) } else { rng.u64(1..6) };
            let frame = match transmit {
                Transmit::Text(text) => Down::Text(text),
                Transmit::Ping => Down::Ping,
                Transmit::Close(code, _) => {
                    self.server = None;
                    Down::Close(code.0)
                }
            };
            self.down.push_back((last.max(now + delay), frame));
        }
        if self.down.len() < WINDOW_FRAMES {
            self.stuck_since = None;
        } else if now >= *self.stuck_since.get_or_insert(now) + STUCK_MS {
            self.server = None;
        }
        any
    }
}

impl World {
    /// Moves what is due on a connection; whether anything was.
    pub(crate) fn link(&mut self, cx: &mut Context<'_>, now: u64, at: usize) -> bool {
        let link = &mut self.links[at];
        let tab = link.tab;
        if link.client && link.opens <= now && link.opens != 0 {
            link.opens = 0;
            self.pages[tab].input(now, Input::Opened);
            return true;
        }
        if link.cut_at <= now {
            link.cut_at = u64::MAX;
            if now < self.faults_until {
                link.cut(now, &mut self.rng);
                self.oracle.counts.cuts += 1;
                self.clock.say(|| format!("cut of link {at}"));
            }
            return true;
        }
        let mut any = self.serve(cx, now, at);
        any |= self.deliver(now, at);
        let link = &mut self.links[at];
        if link.client_ends.is_some_and(|ends| ends <= now) {
            link.client_ends = None;
            if std::mem::take(&mut link.client) {
                self.pages[tab].input(now, Input::SocketClosed { code: 1006, reason: "" });
            }
            any = true;
        }
        any
    }

    /// The server's end: what has come up, what is to go down.
    fn serve(&mut self, cx: &mut Context<'_>, now: u64, at: usize) -> bool {
        let mut any = false;
        let link = &mut self.links[at];
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
            if std::mem::take(&mut peer.stop_served) {
                self.oracle.stop_heard(now);
            }
            if std::mem::take(&mut peer.went_on) {
                link.told_by = Some(now + self.oracle.stop_ms);
            }
            if link.told_by.is_some_and(|by| by <= now) {
                link.told_by = None;
                // What was cut may have lost it, and is not held to it.
                if link.client && link.cut_at != u64::MAX {
                    self.oracle.check_told(link.tab, &self.pages[link.tab], link.began);
                }
            }
            any |= link.write(now, &mut self.rng);
        }
        any
    }

    /// How often a frame arrives: some twice, and some text not at all.
    fn arrivals(&mut self, text: &str) -> usize {
        match self.rng.u8(..) {
            0 => 2,
            1 if text.contains("chat.message_stream") => 0,
            _ => 1,
        }
    }

    /// The tab's end: what has come down.
    fn deliver(&mut self, now: u64, at: usize) -> bool {
        let mut any = false;
        loop {
            let link = &mut self.links[at];
            if link.stalled[1] || link.down.front().is_none_or(|(due, _)| *due > now) {
                return any;
            }
            let Some((_, frame)) = link.down.pop_front() else { return any };
            any = true;
            if !link.client {
                continue;
            }
            let tab = link.tab;
            match frame {
                Down::Text(text) => {
                    let times = self.arrivals(&text);
                    self.clock.say(|| format!("  {tab} < × {times} {text}"));
                    (0..times).for_each(|_| self.pages[tab].input(now, Input::Received(&text)));
                }
                Down::Ping => link.up.push_back((now + 3, Up::Pong)),
                Down::Close(code) => {
                    link.client = false;
                    self.clock.say(|| format!("{tab} closed {code}"));
                    self.pages[tab].input(now, Input::SocketClosed { code, reason: "" });
                }
            }
            self.outputs(now, tab);
        }
    }
}
