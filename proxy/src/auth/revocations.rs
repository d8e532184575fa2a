//! Which tokens count no more, though they have not expired.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use protocol::Timestamp;
use tokio::{sync::Notify, time::timeout};
use tracing::warn;

use crate::{
    principal::{Identity, Owner},
    store::{MAX_REVOCATIONS, Revocation, Revoked, Store, StoreError},
};

/// Why nothing was revoked.
#[derive(Debug, thiserror::Error)]
pub enum RevokeError {
    /// There are as many as may be.
    #[error(
        "there are {MAX_REVOCATIONS} revocations, the most; revoke an organization instead of its users, or change the keys"
    )]
    TooMany,
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How far the clocks of proxies that share a store may be apart, and how long a revocation may take to be stored.
const OVERLAP_MS: u64 = 60_000;

/// How often the store is asked for revocations that other proxies took.
pub const POLL_INTERVAL: Duration = Duration::from_secs(2);

/// What was revoked.
#[derive(Debug, Default)]
pub struct Revocations {
    known: RwLock<Known>,
    /// One was added.
    added: Notify,
}

#[derive(Debug, Default)]
struct Known {
    tokens: HashMap<(Arc<str>, Arc<str>), Timestamp>,
    users: HashMap<Owner, Term>,
    organizations: HashMap<Arc<str>, Term>,
}

/// Tokens count no more that were issued up to a point in time; there are none of them left after another one.
#[derive(Debug, Clone, Copy)]
struct Term {
    at: Timestamp,
    until: Timestamp,
}

impl Term {
    fn covers(&self, identity: &Identity) -> bool {
        // A token that does not say when it was issued may be as old as that.
        identity.token.as_ref().is_some_and(|token| token.issued.is_none_or(|issued| issued <= self.at))
    }

    fn later(self, other: Self) -> Self {
        Self { at: self.at.max(other.at), until: self.until.max(other.until) }
    }
}

impl Revocations {
    /// Takes note of some; `true` where any was not known.
    pub fn add(&self, revocations: &[Revocation], now: Timestamp) -> bool {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let mut any_new = false;
        for Revocation { what, at, until } in revocations.iter().filter(|revocation| revocation.until > now) {
            let term = Term { at: *at, until: *until };
            any_new |= match what {
                Revoked::Token { organization, id } => {
                    known.tokens.insert((organization.clone(), id.clone()), *until).is_none()
                }
                Revoked::User(owner) => extend(&mut known.users, owner, term),
                Revoked::Organization(organization) => extend(&mut known.organizations, organization, term),
            };
        }
        if any_new {
            self.added.notify_one();
            known.tokens.retain(|_, until| *until > now);
            known.users.retain(|_, term| term.until > now);
            known.organizations.retain(|_, term| term.until > now);
        }
        any_new
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.tokens.len() + known.users.len() + known.organizations.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes note of those that are in `store`, from the time `since` on; returns from when on to ask the next time.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    pub async fn read(&self, store: &dyn Store, since: Timestamp, now: Timestamp) -> Result<Timestamp, StoreError> {
        self.add(&store.revocations(since, now).await?, now);
        Ok(Timestamp::from_unix_ms(now.unix_ms().saturating_sub(OVERLAP_MS)))
    }

    /// Reads what other proxies add to `store`, and has it seen to with `see_to` whenever one is added, until the future is dropped.
    pub async fn follow(&self, store: &dyn Store, now: fn() -> Timestamp, see_to: impl Fn(&Self)) -> Infallible {
        let mut since = Timestamp::from_unix_ms(0);
        let mut is_failing = false;
        loop {
            match self.read(store, since, now()).await {
                Ok(next) => (since, is_failing) = (next, false),
                Err(error) if !std::mem::replace(&mut is_failing, true) => {
                    warn!(%error, "what other proxies revoke is not known here");
                }
                Err(_) => {}
            }
            // What was added by this proxy is seen to at once.
            if timeout(POLL_INTERVAL, self.added.notified()).await.is_ok() {
                see_to(self);
            }
        }
    }

    /// Whether a token counts no more.
    pub fn cover(&self, identity: &Identity) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let Owner { organization, .. } = &identity.owner;
        let of_token = identity
            .token
            .as_ref()
            .is_some_and(|token| known.tokens.contains_key(&(organization.clone(), token.id.clone())));
        let covers = |term: Option<&Term>| term.is_some_and(|term| term.covers(identity));
        of_token || covers(known.users.get(&identity.owner)) || covers(known.organizations.get(organization))
    }
}

fn extend<K: Clone + Eq + std::hash::Hash>(terms: &mut HashMap<K, Term>, key: &K, term: Term) -> bool {
    let before = terms.get(key).copied();
    let after = before.map_or(term, |before| before.later(term));
    terms.insert(key.clone(), after);
    before.is_none_or(|before| before.at < after.at)
}

#[cfg(test)]
mod tests {
    use protocol::server::PrincipalRole;

    use super::*;
    use crate::principal::Token;

    const DAY: u64 = 86_400_000;

    fn time(ms: u64) -> Timestamp {
        Timestamp::from_unix_ms(ms)
    }

    fn owner(user: &str) -> Owner {
        Owner { organization: "acme".into(), user: user.into() }
    }

    fn identity(user: &str, id: &str, issued: Option<u64>) -> Identity {
        let token = Token { id: id.into(), issued: issued.map(time), expires: time(DAY) };
        Identity { owner: owner(user), role: PrincipalRole::User, token: Some(token) }
    }

    fn revocation(what: Revoked, at: u64) -> Revocation {
        Revocation { what, at: time(at), until: time(at + DAY) }
    }

    #[test]
    fn a_person_is_covered_up_to_the_latest_revocation_and_a_token_for_ever() {
        let revocations = Revocations::default();
        let of_ann = |at| revocation(Revoked::User(owner("ann")), at);
        assert!(revocations.add(&[of_ann(1_000)], time(1_000)));
        assert!(!revocations.add(&[of_ann(1_000), of_ann(500)], time(1_000)), "nothing new");
        assert!(revocations.cover(&identity("ann", "t", Some(1_000))));
        assert!(revocations.cover(&identity("ann", "t", None)), "it may be as old as that");
        assert!(!revocations.cover(&identity("ann", "t", Some(1_001))));
        assert!(!revocations.cover(&identity("bob", "t", Some(0))));
        assert!(revocations.add(&[of_ann(2_000)], time(2_000)));
        assert!(revocations.cover(&identity("ann", "t", Some(1_001))));
        let token = Revoked::Token { organization: "acme".into(), id: "t".into() };
        assert!(revocations.add(&[revocation(token, 0)], time(0)));
        assert!(revocations.cover(&identity("bob", "t", Some(9_999))) && !revocations.cover(&Identity::local()));
    }

    #[test]
    fn what_may_be_forgotten_is() {
        let revocations = Revocations::default();
        revocations.add(&[revocation(Revoked::Organization("acme".into()), 0)], time(0));
        assert_eq!(revocations.len(), 1);
        assert!(!revocations.add(&[revocation(Revoked::User(owner("ann")), 0)], time(DAY)), "it is over");
        revocations.add(&[revocation(Revoked::User(owner("ann")), 1)], time(DAY));
        assert_eq!(revocations.len(), 1, "without the first");
    }
}
