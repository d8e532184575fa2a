//! The open sockets: how many there are, whose they are, and how to reach them. hyper's own shutdown does not know upgraded connections.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::Notify;

use crate::{counts::Counts, observe::Trail, principal::Identity, turn::Wake};

/// How many sockets there may be whose clients have not said yet who they are. Each has
/// [`HELLO_TIMEOUT`](super::connection::HELLO_TIMEOUT) to do so.
pub const MAX_UNIDENTIFIED: usize = 1_024;

/// How many sockets there may be.
#[derive(Debug, Clone, Copy)]
pub struct MaxSockets {
    /// In all.
    pub all: usize,
    /// Of one user.
    pub of_user: usize,
    /// Of one organisation.
    pub of_organization: usize,
}

/// The open sockets.
#[derive(Debug)]
pub struct Sockets {
    max: MaxSockets,
    draining: AtomicBool,
    inner: Mutex<Inner>,
    left: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    open: HashMap<u64, Open>,
    identified: usize,
    counts: Counts,
}

#[derive(Debug)]
struct Open {
    wake: Arc<Wake>,
    ended: Arc<Wake>,
    identity: Option<Arc<Identity>>,
}

/// A socket's place among them, given back when dropped.
#[derive(Debug)]
pub struct Place {
    sockets: Arc<Sockets>,
    number: u64,
    wake: Arc<Wake>,
    ended: Arc<Wake>,
    /// What the connection leaves behind.
    pub(crate) trail: Trail,
}

impl Sockets {
    /// At most `max` of them.
    pub fn new(max: MaxSockets) -> Arc<Self> {
        Arc::new(Self { max, draining: AtomicBool::new(false), inner: Mutex::default(), left: Notify::new() })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for one more, unless there are as many as may be or the proxy is about to stop.
    pub fn enter(self: &Arc<Self>) -> Option<Place> {
        let mut inner = self.inner();
        let unidentified = inner.open.len() - inner.identified;
        if self.is_draining() || inner.open.len() >= self.max.all || unidentified >= MAX_UNIDENTIFIED {
            return None;
        }
        let number = inner.next;
        inner.next += 1;
        let (wake, ended) = (Arc::<Wake>::default(), Arc::<Wake>::default());
        inner.open.insert(number, Open { wake: wake.clone(), ended: ended.clone(), identity: None });
        Some(Place { sockets: self.clone(), number, wake, ended, trail: Trail::default() })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.inner().open.len()
    }

    /// Whether the proxy is about to stop.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Takes no more of them and tells all to say goodbye.
    pub fn drain(&self) {
        let inner = self.inner();
        self.draining.store(true, Ordering::Release);
        inner.open.values().for_each(|open| open.wake.ring());
    }

    /// Ends those whose clients may not talk any more.
    pub fn end(&self, may_not_talk: impl Fn(&Identity) -> bool) {
        let inner = self.inner();
        let those = inner.open.values().filter(|open| open.identity.as_deref().is_some_and(&may_not_talk));
        those.for_each(|open| open.ended.ring());
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

    /// The bell that says that whoever is connected may not talk any more.
    pub fn ended(&self) -> &Wake {
        &self.ended
    }

    /// Whether the proxy is about to stop.
    pub fn is_draining(&self) -> bool {
        self.sockets.is_draining()
    }

    /// Takes note of whose socket it is; `false` where they have as many as they may. A person who is known may show another token.
    pub fn identify(&self, identity: &Arc<Identity>) -> bool {
        let mut guard = self.sockets.inner();
        let Inner { open, identified, counts, .. } = &mut *guard;
        let Some(open) = open.get_mut(&self.number) else { return false };
        if open.identity.replace(identity.clone()).is_some() {
            return true;
        }
        *identified += 1;
        counts.add(&identity.owner);
        let (users, organizations) = counts.of(&identity.owner);
        let max = &self.sockets.max;
        // Without authentication everybody is the same person.
        identity.token.is_none() || (users <= max.of_user && organizations <= max.of_organization)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inner = self.sockets.inner();
        let identity = inner.open.remove(&self.number).and_then(|open| open.identity);
        if let Some(identity) = identity {
            inner.identified -= 1;
            inner.counts.take(&identity.owner);
        }
        drop(inner);
        self.sockets.left.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use protocol::{Timestamp, server::PrincipalRole};

    use super::*;
    use crate::principal::{Owner, Token};

    fn max(all: usize) -> MaxSockets {
        MaxSockets { all, of_user: 2, of_organization: 3 }
    }

    fn person(organization: &str, user: &str) -> Arc<Identity> {
        let owner = Owner { organization: organization.into(), user: user.into() };
        let token = Token { id: user.into(), issued: None, expires: Timestamp::MAX };
        Arc::new(Identity { owner, role: PrincipalRole::User, token: Some(token) })
    }

    #[tokio::test]
    async fn places_are_bounded_and_given_back() {
        let sockets = Sockets::new(max(1));
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

    #[test]
    fn nobody_takes_more_places_than_are_theirs() {
        let sockets = Sockets::new(max(100));
        let enter = |who: &Arc<Identity>| Some(sockets.enter().unwrap()).filter(|place| place.identify(who));
        let (ann, bob, eve) = (person("acme", "ann"), person("acme", "bob"), person("other", "ann"));
        let first = enter(&ann).expect("hers");
        assert!(first.identify(&ann), "a fresh token is no further socket");
        let second = enter(&ann).expect("hers");
        assert!(enter(&ann).is_none(), "of a user");
        let third = enter(&bob).expect("his");
        assert!(enter(&bob).is_none(), "of an organisation");
        assert!(enter(&eve).is_some());
        drop(first);
        assert!(enter(&bob).is_some());
        drop((second, third));
        let inner = sockets.inner();
        assert!(inner.identified == 0 && inner.counts.is_empty(), "{inner:?}");
    }

    #[test]
    fn those_who_have_not_said_who_they_are_leave_room_for_others() {
        let sockets = Sockets::new(max(MAX_UNIDENTIFIED + 1));
        let strangers: Vec<_> = (0..MAX_UNIDENTIFIED).map(|_| sockets.enter().unwrap()).collect();
        assert!(sockets.enter().is_none());
        assert!(strangers[0].identify(&person("acme", "ann")));
        assert!(sockets.enter().is_some());
    }

    #[test]
    fn those_who_may_not_talk_are_told_and_no_others() {
        let sockets = Sockets::new(max(100));
        let [ann, bob, stranger] = [(); 3].map(|()| sockets.enter().unwrap());
        ann.identify(&person("acme", "ann"));
        bob.identify(&person("acme", "bob"));
        sockets.end(|identity| &*identity.owner.user == "ann");
        let mut cx = Context::from_waker(Waker::noop());
        let told = [&ann, &bob, &stranger].map(|place| place.ended().poll_rung(&mut cx).is_ready());
        assert_eq!(told, [true, false, false]);
    }
}
