//! Who is next: the order of the [`queue`](super::queue), apart from waiting.
//!
//! Owners who have calls waiting stand in a ring. The first of it makes a call, their oldest, and goes to the ring's end if they have
//! another. So between two calls of somebody who waits, nobody else makes more than one.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    num::NonZeroU32,
    sync::Arc,
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

use super::{
    meter::{Ask, Countable, Meter, take},
    queue::Refused,
};
use crate::principal::Owner;

/// How much gets through, and how many may wait.
#[derive(Debug, Clone, Copy)]
pub struct Width {
    /// How many calls are made at a time.
    pub calls: usize,
    /// How many may wait.
    pub waiting: usize,
    /// How many of them may be one owner's.
    pub waiting_of_owner: usize,
    /// How many calls may begin in a minute, where that is limited.
    pub requests_per_minute: Option<NonZeroU32>,
    /// How many tokens the calls may take that begin in a minute, where that is limited. One that may take more takes them all.
    pub tokens_per_minute: Option<NonZeroU32>,
}

/// Tells a call from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Ticket(u64);

#[derive(Debug)]
pub(super) struct Line {
    width: Width,
    requests: Option<Meter<()>>,
    tokens: Option<Meter<()>>,
    next: u64,
    /// The calls that are made.
    calls: HashSet<Ticket>,
    /// The owners of those that wait, each once; whose turn it is comes first.
    ring: VecDeque<Owner>,
    waiting: HashMap<Owner, VecDeque<Waiting>>,
    waiting_in_all: usize,
    /// When there is enough of the quota for the first, while there is not.
    due: Option<Instant>,
}

#[derive(Debug)]
struct Waiting {
    ticket: Ticket,
    tokens: u64,
    bell: Arc<Notify>,
}

impl Line {
    pub(super) fn new(width: Width) -> Self {
        Self {
            width,
            requests: width.requests_per_minute.map(Meter::new),
            tokens: width.tokens_per_minute.map(Meter::new),
            next: 0,
            calls: HashSet::new(),
            ring: VecDeque::new(),
            waiting: HashMap::new(),
            waiting_in_all: 0,
            due: None,
        }
    }

    /// One more, whose `bell` is rung when it has its place, or is the first to wait for the quota.
    pub(super) fn join(&mut self, owner: &Owner, tokens: u64, bell: Arc<Notify>) -> Result<Ticket, Refused> {
        let ticket = Ticket(self.next);
        self.next += 1;
        let theirs = self.waiting.entry(owner.clone()).or_default();
        if theirs.is_empty() {
            self.ring.push_back(owner.clone());
        }
        theirs.push_back(Waiting { ticket, tokens, bell });
        self.waiting_in_all += 1;
        self.advance();
        let Width { waiting, waiting_of_owner, .. } = self.width;
        let refused = if self.waiting.get(owner).is_some_and(|theirs| theirs.len() > waiting_of_owner) {
            Refused::TooManyOfOwner(waiting_of_owner)
        } else if self.waiting_in_all > waiting {
            Refused::TooMany(waiting)
        } else {
            return Ok(ticket);
        };
        self.leave(owner, ticket);
        Err(refused)
    }

    /// One less, wherever it was.
    pub(super) fn leave(&mut self, owner: &Owner, ticket: Ticket) {
        if !self.calls.remove(&ticket)
            && let Some(theirs) = self.waiting.get_mut(owner)
            && let Some(at) = theirs.iter().position(|waiting| waiting.ticket == ticket)
        {
            theirs.remove(at);
            self.waiting_in_all -= 1;
            if theirs.is_empty() {
                self.waiting.remove(owner);
                self.ring.retain(|other| other != owner);
            }
        }
        self.advance();
    }

    pub(super) fn has_place(&self, ticket: Ticket) -> bool {
        self.calls.contains(&ticket)
    }

    /// When to [`Line::advance`] on behalf of this one, if nothing else happens.
    pub(super) fn next_look(&self, owner: &Owner, ticket: Ticket) -> Option<Instant> {
        let is_first = self.ring.front() == Some(owner)
            && self.waiting.get(owner).and_then(VecDeque::front).is_some_and(|first| first.ticket == ticket);
        self.due.filter(|_| is_first)
    }

    pub(super) fn lengths(&self) -> (usize, usize) {
        (self.calls.len(), self.waiting_in_all)
    }

    /// Gives places to whoever may have one now.
    pub(super) fn advance(&mut self) {
        self.due = None;
        while self.calls.len() < self.width.calls
            && let Some(owner) = self.ring.front()
            && let Some(theirs) = self.waiting.get_mut(owner)
            && let Some(first) = theirs.front()
        {
            if let Err(wait) = afford(&self.requests, &self.tokens, first.tokens) {
                self.due = Some(Instant::now() + wait);
                first.bell.notify_one();
                return;
            }
            first.bell.notify_one();
            self.calls.insert(first.ticket);
            theirs.pop_front();
            self.waiting_in_all -= 1;
            if theirs.is_empty() {
                self.waiting.remove(owner);
                self.ring.pop_front();
            } else {
                self.ring.rotate_left(1);
            }
        }
    }
}

/// Takes a request with so many tokens of the quota, or tells when there is enough of it.
fn afford(requests: &Option<Meter<()>>, tokens: &Option<Meter<()>>, amount: u64) -> Result<(), Duration> {
    let requests = requests.as_ref().map(|meter| Ask::new(meter, &(), 1));
    let tokens = tokens.as_ref().map(|meter| Ask::new(meter, &(), amount).at_most_all());
    let asks: Vec<&dyn Countable> = [&requests, &tokens].into_iter().flatten().map(|ask| ask as _).collect();
    take(&asks).map_err(|(_, excess)| excess.wait().unwrap_or(Duration::from_secs(60)))
}
