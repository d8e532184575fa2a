//! What users and organisations may use in a minute: messages, and tokens.
//!
//! Each limit is a bucket that holds a minute's worth and fills evenly. Tokens are those that an answer may take, as Bedrock itself
//! counts them at its start: its question with the conversation, and the longest answer. What an answer did not use is not given back.

use std::{
    hash::Hash,
    num::NonZeroU32,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use protocol::{ErrorCode, ErrorData};
use tokio::time::Instant;

use super::meter::{Ask, Countable, Excess, Meter, take};
use crate::principal::Owner;

/// How often those are forgotten who have not used anything for so long that their buckets are full.
pub const FORGET_INTERVAL: Duration = Duration::from_secs(60);

/// What each may use in a minute.
#[derive(Debug, Clone, Copy)]
pub struct PerMinute {
    /// Messages.
    pub messages: NonZeroU32,
    /// Tokens.
    pub tokens: NonZeroU32,
}

/// What was used of late, by whom.
#[derive(Debug, Default)]
pub struct Rates(Option<Mutex<Buckets>>);

#[derive(Debug)]
struct Buckets {
    users: Of<Owner>,
    organizations: Of<Arc<str>>,
    forgot: Instant,
}

/// The buckets of one kind of owner.
#[derive(Debug)]
struct Of<K: Hash + Eq + Clone> {
    messages: Meter<K>,
    tokens: Meter<K>,
}

/// A message that is one too many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverRate {
    /// How long to wait; none where it is too much at any time.
    pub wait: Option<Duration>,
    text: String,
}

impl Rates {
    /// These, of each user and of each organisation. [`Rates::default`] has no limit.
    pub fn new(user: PerMinute, organization: PerMinute) -> Self {
        let buckets = Buckets { users: Of::new(user), organizations: Of::new(organization), forgot: Instant::now() };
        Self(Some(Mutex::new(buckets)))
    }

    fn buckets(&self) -> Option<MutexGuard<'_, Buckets>> {
        let mut buckets = self.0.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.forget(Instant::now());
        Some(buckets)
    }

    /// Counts a message of `owner`.
    ///
    /// # Errors
    /// [`OverRate`] where there were too many; then it does not count.
    pub fn message(&self, owner: &Owner) -> Result<(), OverRate> {
        let Some(buckets) = self.buckets() else { return Ok(()) };
        let Buckets { users, organizations, .. } = &*buckets;
        let of_user = Ask::new(&users.messages, owner, 1);
        let of_organization = Ask::new(&organizations.messages, &owner.organization, 1);
        take(&[&of_user, &of_organization]).map_err(|(at, excess)| {
            let (whose, most) = [("One user", of_user.most()), ("An organization", of_organization.most())][at];
            let text =
                format!("{whose} may send {most} messages a minute, and these were sent. Wait, and send it again.");
            OverRate { wait: excess.wait(), text }
        })
    }

    /// Counts so many tokens of `owner`.
    ///
    /// # Errors
    /// [`OverRate`] where there were too many; then they do not count. The wait is one after which the message may be sent again too.
    pub fn tokens(&self, owner: &Owner, tokens: u64) -> Result<(), OverRate> {
        let Some(buckets) = self.buckets() else { return Ok(()) };
        let Buckets { users, organizations, .. } = &*buckets;
        let of_user = Ask::new(&users.tokens, owner, tokens);
        let of_organization = Ask::new(&organizations.tokens, &owner.organization, tokens);
        take(&[&of_user, &of_organization]).map_err(|(at, excess)| {
            let (whose, most) = [("one user", of_user.most()), ("an organization", of_organization.most())][at];
            let text = match excess {
                Excess::Wait(_) => format!(
                    "This answer may take up to {tokens} tokens, and of the {most} that {whose} may use in a minute too few are left. Wait, and send it again."
                ),
                Excess::TooMuch => format!(
                    "This answer may take up to {tokens} tokens, more than {whose} may use in a minute ({most}). Send less at once, or have the limit raised."
                ),
            };
            let again = [
                Ask::new(&users.messages, owner, 1).excess(),
                Ask::new(&organizations.messages, &owner.organization, 1).excess(),
            ];
            let excess = again.into_iter().flatten().fold(excess, Excess::max);
            OverRate { wait: excess.wait(), text }
        })
    }

    /// How many buckets are kept because they are not full.
    #[cfg(test)]
    fn kept(&self) -> usize {
        self.buckets().map_or(0, |buckets| buckets.users.kept() + buckets.organizations.kept())
    }
}

impl OverRate {
    /// As it is told to the client.
    pub fn into_data(self) -> ErrorData {
        let mut data = ErrorData::new(ErrorCode::RateLimited, self.text);
        data.retryable = self.wait.is_some();
        data.retry_after_ms = self.wait.map(millis);
        data
    }
}

/// Whole milliseconds, never less than the time.
fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

impl Buckets {
    fn forget(&mut self, now: Instant) {
        if now >= self.forgot + FORGET_INTERVAL {
            self.forgot = now;
            self.users.forget();
            self.organizations.forget();
        }
    }
}

impl<K: Hash + Eq + Clone> Of<K> {
    fn new(most: PerMinute) -> Self {
        Self { messages: Meter::new(most.messages), tokens: Meter::new(most.tokens) }
    }

    fn forget(&self) {
        self.messages.forget();
        self.tokens.forget();
    }

    #[cfg(test)]
    fn kept(&self) -> usize {
        self.messages.kept() + self.tokens.kept()
    }
}

#[cfg(test)]
mod tests;
