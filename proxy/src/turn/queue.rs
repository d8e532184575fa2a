//! The line in front of Bedrock: so many calls at a time, so many requests and tokens a minute. What is beyond waits here instead of
//! being refused there, and each owner has their turn, however many calls of others wait.
//!
//! A call has its place from before it is made until Bedrock has nothing more to send, or the proxy does not listen any more: an answer
//! that was stopped and is only read on for what it used still takes of Bedrock's quota, so it keeps its place.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use super::line::{Line, Ticket};
use crate::principal::Owner;

pub use super::line::Width;

/// When to try again where the line is too long or too slow. Nobody knows when it is shorter.
pub const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Everybody who waits to call Bedrock.
#[derive(Debug)]
pub struct Queue {
    line: Mutex<Line>,
    timeout: Duration,
}

/// A place at Bedrock, or in the line. Dropped, it is somebody else's.
#[derive(Debug)]
pub struct Place {
    queue: Arc<Queue>,
    owner: Owner,
    ticket: Ticket,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// So many calls of this owner wait, which is the most.
    TooManyOfOwner(usize),
    /// So many wait in all, which is the most.
    TooMany(usize),
    /// It has waited for so long, which is the longest.
    TooLong(Duration),
}

impl Queue {
    /// A line of this width, in which nobody waits for longer than `timeout`.
    pub fn new(width: Width, timeout: Duration) -> Arc<Self> {
        Arc::new(Self { line: Mutex::new(Line::new(width)), timeout })
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a call of `owner` that may take so many tokens, in its turn; `waits` is called if that is not at once. Who stops
    /// waiting is not in the line any more.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn enter(self: &Arc<Self>, owner: &Owner, tokens: u64, waits: impl FnOnce()) -> Result<Place, Refused> {
        let bell = Arc::new(Notify::new());
        let ticket = self.line().join(owner, tokens, bell.clone())?;
        let place = Place { queue: self.clone(), owner: owner.clone(), ticket };
        if self.line().has_place(ticket) {
            return Ok(place);
        }
        waits();
        let until = Instant::now() + self.timeout;
        loop {
            // Only the first in the line looks at the quota again; when somebody else becomes the first, they are rung for.
            let due = self.line().next_look(owner, ticket);
            tokio::select! {
                biased;
                () = bell.notified() => {}
                () = sleep_until(due.map_or(until, |due| due.min(until))) => self.line().advance(),
            }
            if self.line().has_place(ticket) {
                return Ok(place);
            }
            if Instant::now() >= until {
                return Err(Refused::TooLong(self.timeout));
            }
        }
    }

    /// How many calls are made now, and how many wait.
    pub fn lengths(&self) -> (usize, usize) {
        self.line().lengths()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.queue.line().leave(&self.owner, self.ticket);
    }
}

#[cfg(test)]
mod tests;
