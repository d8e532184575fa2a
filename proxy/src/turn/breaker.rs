//! Circuit breakers: a model that keeps failing is not asked for a while, so that people get an answer about it at once.
//!
//! Libraries for this read the clock themselves; here time is an argument, so that tests run on virtual time.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// How many calls in a row have to fail.
pub const FAILURES_TO_OPEN: u32 = 10;

/// How long no call is made then; it doubles with each probe that fails.
pub const FIRST_OPEN: Duration = Duration::from_secs(5);

/// The longest time without a call.
pub const LONGEST_OPEN: Duration = Duration::from_secs(60);

/// One breaker for each model. There are no more models than the settings name.
#[derive(Debug, Default)]
pub struct Breakers(Mutex<HashMap<String, Breaker>>);

#[derive(Debug, Default)]
struct Breaker {
    failures: u32,
    open: Option<Open>,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    until: Instant,
    wait: Duration,
}

/// What a call said of the health of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It answers, if only to refuse this request.
    Answers,
    /// It is busy, which is no fault.
    Busy,
    /// It does not answer as it should.
    Fails,
}

impl Breakers {
    /// Whether `model` may be called `now`.
    ///
    /// # Errors
    /// How long it is not to be called. After that one call is let through, and another each time it is not heard of again.
    pub fn admit(&self, model: &str, now: Instant) -> Result<(), Duration> {
        let mut breakers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match breakers.get_mut(model).and_then(|breaker| breaker.open.as_mut()) {
            None => Ok(()),
            Some(open) if now < open.until => Err(open.until - now),
            Some(open) => {
                open.until = now + open.wait;
                Ok(())
            }
        }
    }

    /// Takes note of what a call of `model` said.
    pub fn record(&self, model: &str, now: Instant, health: Health) {
        let mut breakers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match health {
            Health::Busy => {}
            Health::Answers => drop(breakers.remove(model)),
            Health::Fails => {
                let breaker = breakers.entry(model.to_owned()).or_default();
                breaker.failures += 1;
                if breaker.failures >= FAILURES_TO_OPEN {
                    let wait = breaker.open.map_or(FIRST_OPEN, |open| (open.wait * 2).min(LONGEST_OPEN));
                    breaker.open = Some(Open { until: now + wait, wait });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_keeps_failing_is_left_alone_and_then_tried_once() {
        let (breakers, start) = (Breakers::default(), Instant::now());
        for _ in 0..FAILURES_TO_OPEN {
            assert_eq!(breakers.admit("m", start), Ok(()));
            breakers.record("m", start, Health::Fails);
        }
        assert_eq!(breakers.admit("m", start), Err(FIRST_OPEN));
        assert_eq!(breakers.admit("other", start), Ok(()));
        let later = start + FIRST_OPEN;
        assert_eq!(breakers.admit("m", later), Ok(()));
        assert_eq!(breakers.admit("m", later), Err(FIRST_OPEN), "one probe at a time");
        breakers.record("m", later, Health::Fails);
        assert_eq!(breakers.admit("m", later), Err(FIRST_OPEN * 2));
        breakers.record("m", later, Health::Answers);
        assert_eq!(breakers.admit("m", later), Ok(()));
    }

    #[test]
    fn a_busy_model_is_no_failing_one_and_the_wait_has_an_end() {
        let (breakers, now) = (Breakers::default(), Instant::now());
        for _ in 0..100 {
            breakers.record("busy", now, Health::Busy);
            breakers.record("fails", now, Health::Fails);
        }
        assert_eq!(breakers.admit("busy", now), Ok(()));
        assert_eq!(breakers.admit("fails", now), Err(LONGEST_OPEN));
    }
}
