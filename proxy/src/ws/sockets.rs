//! The open sockets: how many there are, and how to reach all of them. hyper's own shutdown does not know upgraded connections.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::Notify;

use crate::turn::Wake;

/// The open sockets.
#[derive(Debug)]
pub struct Sockets {
    max: usize,
    draining: AtomicBool,
    inner: Mutex<Inner>,
    left: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    wakes: HashMap<u64, Arc<Wake>>,
}

/// A socket's place among them, given back when dropped.
#[derive(Debug)]
pub struct Place {
    sockets: Arc<Sockets>,
    number: u64,
    wake: Arc<Wake>,
}

impl Sockets {
    /// At most `max` of them.
    pub fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { max, draining: AtomicBool::new(false), inner: Mutex::default(), left: Notify::new() })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for one more, unless there are as many as may be or the proxy is about to stop.
    pub fn enter(self: &Arc<Self>) -> Option<Place> {
        let mut inner = self.inner();
        if self.is_draining() || inner.wakes.len() >= self.max {
            return None;
        }
        let number = inner.next;
        inner.next += 1;
        let wake = Arc::<Wake>::default();
        inner.wakes.insert(number, wake.clone());
        Some(Place { sockets: self.clone(), number, wake })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.inner().wakes.len()
    }

    /// Whether the proxy is about to stop.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Takes no more of them and tells all to say goodbye.
    pub fn drain(&self) {
        let inner = self.inner();
        self.draining.store(true, Ordering::Release);
        inner.wakes.values().for_each(|wake| wake.ring());
    }

    /// Waits until the last one is gone.
    pub async fn empty(&self) {
        loop {
            let left = self.left.notified();
            if self.count() == 0 {
                return;
            }
            left.await;
        }
    }
}

impl Place {
    /// The bell of this socket: rung by the turns it follows and when the proxy is about to stop.
    pub fn wake(&self) -> &Arc<Wake> {
        &self.wake
    }

    /// Whether the proxy is about to stop.
    pub fn is_draining(&self) -> bool {
        self.sockets.is_draining()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.sockets.inner().wakes.remove(&self.number);
        self.sockets.left.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn places_are_bounded_and_given_back() {
        let sockets = Sockets::new(1);
        let place = sockets.enter().unwrap();
        assert!(sockets.enter().is_none());
        drop(place);
        let place = sockets.enter().unwrap();
        sockets.drain();
        assert!(place.is_draining());
        drop(place);
        assert!(sockets.enter().is_none(), "nobody enters a house that is being closed");
        sockets.empty().await;
    }
}
