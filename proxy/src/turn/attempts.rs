//! How often and when Bedrock is asked again. Only one layer retries: the SDK's own retry is off.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio::time::Instant;

use crate::bedrock::{Retry, UpstreamError};

/// The longest wait between two attempts.
pub const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// When a call is made again.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// How many calls of one model there are at most.
    pub max_attempts: u32,
    /// The wait before the second is between half of this and all of it; it doubles each time, up to [`LONGEST_WAIT`].
    pub base: Duration,
    /// How long after the start of an answer no attempt begins any more.
    pub timeout: Duration,
}

/// The attempts at one answer by one model.
#[derive(Debug)]
pub struct Attempts {
    policy: RetryPolicy,
    deadline: Instant,
    made: u32,
    broke: bool,
    waits: ExponentialBackoff,
}

impl Attempts {
    /// No attempt yet, of an answer that began at `started`. `seed` decides the waits.
    pub fn new(policy: RetryPolicy, started: Instant, seed: u64) -> Self {
        // Half of each wait is fixed and half is random: on a quota per minute, full jitter can be no wait at all.
        let waits = ExponentialBuilder::new()
            .with_min_delay(policy.base / 2)
            .with_max_delay(LONGEST_WAIT / 2)
            .with_jitter()
            .with_jitter_seed(seed)
            .without_max_times()
            .build();
        Self { policy, deadline: started + policy.timeout, made: 0, broke: false, waits }
    }

    /// How long to wait after an attempt that failed with `error`; `None` if it was the last.
    pub fn after(&mut self, error: &UpstreamError, now: Instant) -> Option<Duration> {
        self.made += 1;
        match error.retry() {
            Retry::Never => return None,
            Retry::Refused => {}
            // The call that broke off may have been billed, so there is one more and not many.
            Retry::Broken if std::mem::replace(&mut self.broke, true) => return None,
            Retry::Broken => {}
        }
        let wait = self.waits.next()?;
        (self.made < self.policy.max_attempts && now + wait < self.deadline).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use protocol::ErrorCode;

    use super::*;
    use crate::bedrock::Target;

    const POLICY: RetryPolicy =
        RetryPolicy { max_attempts: 4, base: Duration::from_secs(1), timeout: Duration::from_secs(60) };

    fn refused() -> UpstreamError {
        UpstreamError::service("ThrottlingException", "slow down", Target { model: "m", region: "r" })
    }

    #[test]
    fn a_refusal_is_tried_again_with_waits_that_double_and_never_collapse() {
        for seed in 0..50 {
            let now = Instant::now();
            let mut attempts = Attempts::new(POLICY, now, seed);
            for nominal in [1_000, 2_000, 4_000] {
                let wait = attempts.after(&refused(), now).unwrap().as_millis();
                assert!((nominal / 2..=nominal).contains(&wait), "{wait} of {nominal}, seed {seed}");
            }
            assert_eq!(attempts.after(&refused(), now), None);
        }
    }

    #[test]
    fn a_call_that_broke_is_made_once_more() {
        let now = Instant::now();
        let mut attempts = Attempts::new(POLICY, now, 1);
        assert!(attempts.after(&UpstreamError::broken_stream("cut"), now).is_some());
        assert!(attempts.after(&refused(), now).is_some());
        assert_eq!(attempts.after(&UpstreamError::broken_stream("cut"), now), None);
    }

    #[test]
    fn nothing_is_tried_for_ever() {
        let now = Instant::now();
        let policy = RetryPolicy { max_attempts: 1_000, ..POLICY };
        let mut attempts = Attempts::new(policy, now, 1);
        let (mut waited, mut calls) = (Duration::ZERO, 0);
        while let Some(wait) = attempts.after(&refused(), now + waited) {
            assert!(wait <= LONGEST_WAIT);
            waited += wait;
            calls += 1;
        }
        assert!(waited <= POLICY.timeout && calls < 20, "{waited:?} {calls}");
    }

    #[test]
    fn what_cannot_get_better_is_not_tried_again() {
        let error = UpstreamError::service("ThrottlingException", "per day", Target { model: "m", region: "r" });
        assert_eq!((error.code, error.retry()), (ErrorCode::Throttled, Retry::Never));
        assert_eq!(Attempts::new(POLICY, Instant::now(), 1).after(&error, Instant::now()), None);
    }
}
