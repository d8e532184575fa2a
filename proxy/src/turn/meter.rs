//! One limit for each of many, kept by governor on Tokio's clock, and amounts that are taken of several limits or of none.

use std::{cell::RefCell, cmp::Reverse, collections::HashMap, hash::Hash, num::NonZeroU32, time::Duration};

use governor::{
    Quota, RateLimiter,
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::{StateStore, keyed::ShrinkableKeyedStateStore},
};
use tokio::time::Instant;

/// How an amount is too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Excess {
    /// It is not after this time, if nothing else is used meanwhile.
    Wait(Duration),
    /// It is more than there ever is.
    TooMuch,
}

impl Excess {
    pub(super) fn wait(self) -> Option<Duration> {
        match self {
            Self::Wait(wait) => Some(wait),
            Self::TooMuch => None,
        }
    }
}

/// One limit, for each of many: a bucket that holds a minute's worth and fills evenly.
#[derive(Debug)]
pub(super) struct Meter<K: Hash + Eq + Clone> {
    limiter: RateLimiter<Key<K>, Arrivals<K>, Clock, NoOpMiddleware<Duration>>,
    per_minute: NonZeroU32,
}

impl<K: Hash + Eq + Clone> Meter<K> {
    pub(super) fn new(per_minute: NonZeroU32) -> Self {
        let limiter = RateLimiter::new(Quota::per_minute(per_minute), Arrivals::default(), Clock(Instant::now()));
        Self { limiter, per_minute }
    }

    /// Forgets the buckets that are full.
    pub(super) fn forget(&self) {
        self.limiter.retain_recent();
    }

    /// How many buckets are kept.
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.limiter.len()
    }
}

/// An amount that is asked of a limit.
pub(super) struct Ask<'a, K: Hash + Eq + Clone> {
    meter: &'a Meter<K>,
    key: &'a K,
    amount: u64,
}

impl<'a, K: Hash + Eq + Clone> Ask<'a, K> {
    pub(super) fn new(meter: &'a Meter<K>, key: &'a K, amount: u64) -> Self {
        Self { meter, key, amount }
    }

    /// The same, but never more than there is in a full bucket.
    pub(super) fn at_most_all(self) -> Self {
        Self { amount: self.amount.min(u64::from(self.most())), ..self }
    }

    /// How much there is in a full bucket.
    pub(super) fn most(&self) -> u32 {
        self.meter.per_minute.get()
    }

    fn check(&self, counts: bool) -> Option<Excess> {
        if self.amount > u64::from(self.most()) {
            return Some(Excess::TooMuch);
        }
        let amount = u32::try_from(self.amount).ok().and_then(NonZeroU32::new)?;
        let key = Key { of: self.key.clone(), counts };
        let limiter = &self.meter.limiter;
        match limiter.check_key_n(&key, amount) {
            Ok(Ok(())) => None,
            Ok(Err(until)) => Some(Excess::Wait(until.wait_time_from(governor::clock::Clock::now(limiter.clock())))),
            Err(_) => Some(Excess::TooMuch),
        }
    }
}

/// An amount of any limit.
pub(super) trait Countable {
    /// Whether it is too much.
    fn excess(&self) -> Option<Excess>;
    /// Takes it.
    fn count(&self);
}

impl<K: Hash + Eq + Clone> Countable for Ask<'_, K> {
    fn excess(&self) -> Option<Excess> {
        self.check(false)
    }

    fn count(&self) {
        self.check(true);
    }
}

/// Takes all of these amounts or, where one is too much, none: then which it was that takes longest, the first of those. Nobody else
/// may ask meanwhile.
pub(super) fn take(asks: &[&dyn Countable]) -> Result<(), (usize, Excess)> {
    let excess = asks.iter().enumerate().filter_map(|(at, ask)| Some((ask.excess()?, Reverse(at)))).max();
    if let Some((excess, Reverse(at))) = excess {
        return Err((at, excess));
    }
    asks.iter().for_each(|ask| ask.count());
    Ok(())
}

/// Tokio's clock, which tests move.
#[derive(Debug, Clone, Copy)]
struct Clock(Instant);

impl governor::clock::Clock for Clock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Whose bucket, and whether it is to count or only to be looked at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key<K> {
    of: K,
    counts: bool,
}

/// When each bucket is full again, in governor's time. The stores that come with governor cannot look without counting.
#[derive(Debug)]
struct Arrivals<K>(RefCell<HashMap<K, Nanos>>);

impl<K> Default for Arrivals<K> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<K: Hash + Eq + Clone> StateStore for Arrivals<K> {
    type Key = Key<K>;

    fn measure_and_replace<T, F, E>(&self, key: &Key<K>, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut arrivals = self.0.borrow_mut();
        let (outcome, next) = measure(arrivals.get(&key.of).copied())?;
        if key.counts {
            arrivals.insert(key.of.clone(), next);
        }
        Ok(outcome)
    }
}

impl<K: Hash + Eq + Clone> ShrinkableKeyedStateStore<Key<K>> for Arrivals<K> {
    fn retain_recent(&self, drop_below: Nanos) {
        let mut arrivals = self.0.borrow_mut();
        arrivals.retain(|_, arrival| *arrival > drop_below);
        arrivals.shrink_to_fit();
    }

    fn len(&self) -> usize {
        self.0.borrow().len()
    }

    fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }
}
