//! Who may talk: what a token has to be, whom it speaks for, and which tokens count no more.

mod claims;
mod jwks;
mod keys;
pub mod mint;
mod revocations;

use std::sync::Arc;

use protocol::Timestamp;

use crate::{principal::Identity, settings::Authentication, sources::Sources};

pub use claims::ClaimNames;
pub use jwks::FetchError;
pub use keys::KeyError;

use keys::Keys;
pub use revocations::{POLL_INTERVAL, Revocations, RevokeError};

/// The longest token, in bytes: it has to fit the first frame.
pub const MAX_TOKEN_BYTES: usize = 6 * 1024;

/// How far the clock of whoever issues tokens may be ahead, in milliseconds. It counts for when a token begins, not for when it ends.
pub const CLOCK_SKEW_MS: u64 = 30_000;

/// Why a token does not count. Each is a sentence for whoever sent it; nothing of the token or the keys is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is none.
    #[error("Send client.hello with a token, or an Authorization header.")]
    Missing,
    /// It is no JWT.
    #[error("The token is no JWT of at most {MAX_TOKEN_BYTES} bytes.")]
    Malformed,
    /// It is signed in another way than those that are accepted.
    #[error("The token is signed with an algorithm that is not accepted here.")]
    Algorithm,
    /// The key is none of those that are known.
    #[error("The token is signed with a key that is not known here.")]
    UnknownKey,
    /// The signature does not fit.
    #[error("The token's signature is wrong.")]
    Signature,
    /// A claim is missing or is not what it has to be.
    #[error("The token's claim {0} is missing or not what it has to be.")]
    Claim(String),
    /// It does not count yet.
    #[error("The token does not count yet; its clock is ahead of the proxy's.")]
    NotYet,
    /// It does not count any more.
    #[error("The token has expired; get a fresh one.")]
    Expired,
    /// It would count for too long.
    #[error("The token lasts longer than tokens may here.")]
    TooLong,
    /// It was revoked.
    #[error("The token was revoked.")]
    Revoked,
    /// It speaks for somebody else than the one before it did.
    #[error("The token is somebody else's; connect anew with it.")]
    OtherPerson,
    /// Whether it counts cannot be told at present.
    #[error("The keys that tokens are checked with cannot be fetched; try again in a moment.")]
    KeysUnavailable,
}

impl Refusal {
    /// Whether another token, or the same one later, may be taken.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Expired | Self::NotYet | Self::KeysUnavailable)
    }
}

/// Says who people are.
#[derive(Debug)]
pub struct Auth {
    /// None while authentication is off.
    tokens: Option<Tokens>,
    revocations: Arc<Revocations>,
    sources: Sources,
}

/// What tokens have to be.
#[derive(Debug)]
struct Tokens {
    keys: Keys,
    names: ClaimNames,
    issuer: String,
    audience: String,
    max_lifetime_ms: u64,
}

impl Auth {
    /// Everybody is the one local person.
    pub fn off(sources: Sources) -> Self {
        Self { tokens: None, revocations: Arc::default(), sources }
    }

    /// Tokens have to be as `settings` say.
    ///
    /// # Errors
    /// [`KeyError`] where the keys cannot be had.
    pub async fn on(settings: &Authentication, sources: Sources) -> Result<Self, KeyError> {
        let tokens = Tokens {
            keys: Keys::new(settings).await?,
            names: settings.claims.clone(),
            issuer: settings.issuer()?.to_owned(),
            audience: settings.jwt_audience.clone(),
            max_lifetime_ms: settings.token_lifetime_ms(),
        };
        Ok(Self { tokens: Some(tokens), revocations: Arc::default(), sources })
    }

    /// Whether people have to show tokens.
    pub fn is_on(&self) -> bool {
        self.tokens.is_some()
    }

    /// The longest that a token counts, in milliseconds.
    pub fn max_lifetime_ms(&self) -> u64 {
        self.tokens.as_ref().map_or(0, |tokens| tokens.max_lifetime_ms)
    }

    /// What counts no more.
    pub fn revocations(&self) -> &Arc<Revocations> {
        &self.revocations
    }

    /// Who somebody without a token is; nobody while authentication is on.
    pub fn anybody(&self) -> Option<Arc<Identity>> {
        (!self.is_on()).then(|| Arc::new(Identity::local()))
    }

    /// Who shows `token`.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn identify(&self, token: Option<&str>) -> Result<Arc<Identity>, Refusal> {
        let Some(tokens) = &self.tokens else { return Ok(Arc::new(Identity::local())) };
        let token = token.filter(|token| !token.is_empty()).ok_or(Refusal::Missing)?;
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Refusal::Malformed);
        }
        let claims = tokens.keys.verify(token, &tokens.issuer, &tokens.audience).await?;
        let identity = tokens.names.identity(&claims, token, (self.sources.now)(), tokens.max_lifetime_ms)?;
        self.check(&identity)?;
        Ok(Arc::new(identity))
    }

    /// Whether an identity still counts.
    ///
    /// # Errors
    /// [`Refusal::Expired`] or [`Refusal::Revoked`].
    pub fn check(&self, identity: &Identity) -> Result<(), Refusal> {
        if identity.has_expired((self.sources.now)()) {
            return Err(Refusal::Expired);
        }
        if self.revocations.cover(identity) { Err(Refusal::Revoked) } else { Ok(()) }
    }

    /// The time of day.
    pub fn now(&self) -> Timestamp {
        (self.sources.now)()
    }
}
