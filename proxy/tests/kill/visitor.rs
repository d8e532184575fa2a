//! Clients that live through every kill: what they ask, and when they saw how much of the answers.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use client_core::Handle;
use tokio::time::Instant;

use crate::page::Page;

/// Conversations of one client at a time.
const TALKS: u64 = 2;
/// Fewer messages than a page of history has.
const QUESTIONS_A_SESSION: usize = 20;

/// A question, and what was seen of its answer.
pub(crate) struct Asked {
    pub(crate) question: String,
    pub(crate) handle: Handle,
    /// It is stopped once so many bytes have come.
    stop_at: Option<usize>,
    is_stopped: Cell<bool>,
    at: Instant,
    ended: Cell<Option<Instant>>,
    /// When so many bytes had been seen, each time there were more.
    seen: RefCell<Vec<(Instant, usize)>>,
}

/// What a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Answers of all kinds.
    All,
    /// Answers of one word, one after the other: they tell how fast the proxy is just then.
    Pulse,
}

/// Questions one after the other.
pub(crate) struct Session {
    pub(crate) name: String,
    pub(crate) asked: Vec<Asked>,
}

/// A conversation, and the next one when that has become long.
pub(crate) struct Talk {
    name: String,
    kind: Kind,
    dice: fastrand::Rng,
    sessions: Vec<Session>,
    /// How many sessions nothing more will come to.
    checked: usize,
}

/// A client.
pub(crate) struct Visitor {
    pub(crate) page: Page,
    pub(crate) talks: Vec<Talk>,
}

impl Asked {
    /// How many bytes had been seen so long before `end`.
    pub(crate) fn seen_before(&self, end: Instant, age: Duration) -> usize {
        let seen = self.seen.borrow();
        seen.iter().rev().find(|(at, _)| *at + age <= end).map_or(0, |(_, bytes)| *bytes)
    }

    /// Takes note of what has come.
    fn look(&self, page: &Page) {
        let bytes = page.held(self.handle).bytes();
        let mut seen = self.seen.borrow_mut();
        if bytes > seen.last().map_or(0, |(_, bytes)| *bytes) {
            seen.push((Instant::now(), bytes));
        }
        if self.ended.get().is_none() && page.held(self.handle).ended() {
            self.ended.set(Some(Instant::now()));
        }
    }

    /// How long it took within this time.
    fn took(&self, begun: Instant, killed: Instant) -> Duration {
        let ended = self.ended.get().unwrap_or(killed).min(killed);
        ended.saturating_duration_since(self.at.max(begun))
    }

    /// Whether it is time to stop the answer.
    fn is_enough(&self, page: &Page) -> bool {
        !self.is_stopped.get() && self.stop_at.is_some_and(|enough| page.held(self.handle).bytes() >= enough)
    }
}

impl Talk {
    fn new(name: String, kind: Kind, seed: u64) -> Self {
        Self { name, kind, dice: fastrand::Rng::with_seed(seed), sessions: Vec::new(), checked: 0 }
    }

    pub(crate) fn asked(&self) -> impl Iterator<Item = &Asked> {
        self.sessions.iter().flat_map(|session| &session.asked)
    }

    /// The sessions that something may have come to since they were checked; or all.
    pub(crate) fn take_changed(&mut self, only_changed: bool) -> &[Session] {
        let from = if only_changed { self.checked } else { 0 };
        self.checked = self.sessions.len().saturating_sub(1);
        &self.sessions[from..]
    }

    fn current(&self) -> Option<&Asked> {
        self.sessions.last().and_then(|session| session.asked.last())
    }

    fn has_ended(&self, page: &Page) -> bool {
        self.current().is_none_or(|asked| page.held(asked.handle).ended())
    }

    /// Looks at what has come; whether there is something to do.
    fn look(&self, page: &Page) -> bool {
        let Some(asked) = self.current() else { return true };
        asked.look(page);
        asked.is_enough(page) || page.held(asked.handle).ended()
    }

    /// Asks the next question, or stops the answer.
    fn act(&mut self, page: &mut Page) {
        if self.has_ended(page) {
            let question = self.question();
            let streaming = self.dice.u8(..8) > 0;
            let stop_at =
                (streaming && self.kind == Kind::All && self.dice.u8(..4) == 0).then(|| self.dice.usize(1..800));
            self.ask(page, question, streaming, stop_at);
        } else if let Some(asked) = self.current().filter(|asked| asked.is_enough(page)) {
            page.cancel(asked.handle);
            asked.is_stopped.set(true);
        }
    }

    fn ask(&mut self, page: &mut Page, question: String, streaming: bool, stop_at: Option<usize>) {
        if self.sessions.last().is_none_or(|session| session.asked.len() >= QUESTIONS_A_SESSION) {
            let name = format!("{}-{}", self.name, self.sessions.len());
            self.sessions.push(Session { name, asked: Vec::new() });
        }
        let session = self.sessions.last_mut().expect("just made");
        let handle = page.send(&session.name, &question, streaming, false);
        session.asked.push(Asked {
            question,
            handle,
            stop_at,
            is_stopped: Cell::default(),
            at: Instant::now(),
            ended: Cell::default(),
            seen: RefCell::default(),
        });
    }

    /// One that no other is like: for an answer at once, one in some hundredths of a second, one that takes seconds, or one of
    /// which much comes in these.
    fn question(&mut self) -> String {
        let n = self.asked().count();
        let (pace, length) = match self.dice.u8(..10) {
            _ if self.kind == Kind::Pulse => (0, 1),
            0..3 => (0, self.dice.u32(1..3_000)),
            3..7 => (1_000, self.dice.u32(1..200)),
            7..9 => (100, 600),
            _ => (6_000, 30_000),
        };
        let reasoning = if self.dice.u8(..5) == 0 { "/reasoning " } else { "" };
        format!("/pace {pace} /length {length} {reasoning}Explain rivière Ελλάδα 日本語 🙂 {}n{n}x.", self.name)
    }
}

impl Visitor {
    pub(crate) fn new(name: u64, kind: Kind, seed: u64) -> Self {
        let mut dice = fastrand::Rng::with_seed(seed);
        let nowhere = ([127, 0, 0, 1], 0).into();
        let mut page = Page::patient(nowhere, dice.u64(..));
        page.connect();
        let talks = (0..TALKS).map(|talk| Talk::new(format!("v{name}t{talk}"), kind, dice.u64(..))).collect();
        Self { page, talks }
    }

    /// The longest that an answer of a pulse took between two moments; nothing for other clients.
    pub(crate) fn slowest_pulse(&self, begun: Instant, killed: Instant) -> Duration {
        let pulses = self.talks.iter().filter(|talk| talk.kind == Kind::Pulse).flat_map(Talk::asked);
        pulses.map(|asked| asked.took(begun, killed)).max().unwrap_or_default()
    }

    /// Asks and follows until the proxy is killed and all that it had sent has been seen.
    pub(crate) async fn go_on(&mut self, is_killed: &Cell<bool>) {
        let Self { page, talks } = self;
        let is_over = |page: &Page| is_killed.get() && !page.is_open();
        while !is_over(page) {
            talks.iter_mut().for_each(|talk| talk.act(page));
            page.until(|page| is_over(page) | talks.iter().fold(false, |any, talk| talk.look(page) | any)).await;
        }
    }

    /// Follows what is under way to its end; then a last question is answered in every session.
    pub(crate) async fn finish(&mut self) {
        let Self { page, talks } = self;
        page.until(|page| talks.iter().all(|talk| talk.has_ended(page))).await;
        for talk in talks.iter_mut() {
            let question = format!("/length 50 Explain the end of {}", talk.name);
            talk.ask(page, question, true, None);
        }
        page.until(|page| talks.iter().all(|talk| talk.has_ended(page))).await;
        for asked in talks.iter().filter_map(Talk::current) {
            let ended = page.held(asked.handle).end(&asked.question);
            assert!(!ended.text.is_empty() && !ended.was_stopped(), "{}", asked.question);
        }
    }
}
