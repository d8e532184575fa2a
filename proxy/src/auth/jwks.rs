//! Keys that whoever issues tokens tells of: a JSON Web Key Set (RFC 7517), fetched again from time to time.
//!
//! They are looked at only when a token is checked, so they are fetched only then: when they are old, and when a token names a key
//! that is not among them, as the first does after a change of keys.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, StatusCode, Uri};
use jsonwebtoken::{Algorithm, AlgorithmFamily, jwk::Jwk};
use serde::Deserialize;
use serde_json::Value;
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};
use tracing::{info, warn};

use super::{
    Refusal,
    keys::{Key, KeyError, key_of_set},
};
use crate::https::{HttpClient, client_for};

/// After how long keys are fetched anew.
pub(super) const FRESH: Duration = Duration::from_secs(10 * 60);

/// How long keys are used that cannot be fetched anew.
pub(super) const STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// The shortest time between two fetches, whatever tokens say.
pub(super) const MIN_INTERVAL: Duration = Duration::from_secs(10);

/// How long a fetch may take.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);

/// The longest set, in bytes.
pub(super) const MAX_BYTES: usize = 256 * 1024;

/// The most keys that are used of a set.
pub(super) const MAX_KEYS: usize = 100;

/// Why a set was not fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Nobody answers.
    #[error("no answer within {} s", TIMEOUT.as_secs())]
    Timeout,
    /// Nobody is there.
    #[error("{0}")]
    Connection(#[from] hyper_util::client::legacy::Error),
    /// It is refused.
    #[error("the answer is {0}")]
    Status(StatusCode),
    /// It broke off, or it is too long.
    #[error("{0}")]
    Body(Box<dyn std::error::Error + Send + Sync>),
    /// It is none.
    #[error("the answer is no JSON Web Key Set ({0})")]
    Set(#[from] serde_json::Error),
    /// Nothing in it is of use.
    #[error("there is no key in it to check signatures with")]
    Empty,
}

/// The keys of one address.
#[derive(Debug)]
pub(super) struct Jwks {
    address: Uri,
    client: HttpClient,
    fetched: RwLock<Fetched>,
    /// When they were fetched again, or when that was tried; held by whoever does.
    tried: Mutex<Option<Instant>>,
}

#[derive(Debug, Clone)]
struct Fetched {
    keys: Arc<[Arc<Key>]>,
    at: Instant,
}

impl Jwks {
    /// The keys at `url`, as they are now.
    ///
    /// # Errors
    /// [`KeyError`] where they cannot be fetched.
    pub(super) async fn fetch(url: &str) -> Result<Self, KeyError> {
        let (address, client) = client_for(url)?;
        let keys = fetch(&client, &address).await?;
        let fetched = RwLock::new(Fetched { keys, at: Instant::now() });
        Ok(Self { address, client, fetched, tried: Mutex::default() })
    }

    /// The key that a token names, or the only one of its algorithm where it names none.
    pub(super) async fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Result<Arc<Key>, Refusal> {
        // There are only public keys: a token that is signed with a secret is a forgery, and no reason to look for more keys.
        if algorithm.family() == AlgorithmFamily::Hmac {
            return Err(Refusal::Algorithm);
        }
        let known = self.fetched();
        if known.at.elapsed() >= FRESH {
            self.fetch_again(known.at).await;
        }
        let known = self.fetched();
        if known.at.elapsed() >= STALE {
            return Err(Refusal::KeysUnavailable);
        }
        if let Some(key) = pick(&known.keys, id, algorithm) {
            return Ok(key);
        }
        self.fetch_again(known.at).await;
        pick(&self.fetched().keys, id, algorithm).ok_or(Refusal::UnknownKey)
    }

    fn fetched(&self) -> Fetched {
        self.fetched.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Fetches the keys, unless somebody did since `known` or did so a moment ago.
    async fn fetch_again(&self, known: Instant) {
        let mut tried = self.tried.lock().await;
        if self.fetched().at > known || tried.is_some_and(|tried| tried.elapsed() < MIN_INTERVAL) {
            return;
        }
        *tried = Some(Instant::now());
        match fetch(&self.client, &self.address).await {
            Ok(keys) => {
                info!(keys = keys.len(), "the keys of tokens were fetched");
                let mut fetched = self.fetched.write().unwrap_or_else(PoisonError::into_inner);
                *fetched = Fetched { keys, at: Instant::now() };
            }
            Err(error) => warn!(%error, "the keys of tokens cannot be fetched; those there are go on to be used"),
        }
    }
}

fn pick(keys: &[Arc<Key>], id: Option<&str>, algorithm: Algorithm) -> Option<Arc<Key>> {
    let mut fit = keys.iter().filter(|key| key.algorithm == algorithm && (id.is_none() || key.id.as_deref() == id));
    match (fit.next(), fit.next()) {
        (Some(key), None) => Some(key.clone()),
        _ => None,
    }
}

async fn fetch(client: &HttpClient, address: &Uri) -> Result<Arc<[Arc<Key>]>, FetchError> {
    timeout(TIMEOUT, fetch_now(client, address)).await.unwrap_or(Err(FetchError::Timeout))
}

async fn fetch_now(client: &HttpClient, address: &Uri) -> Result<Arc<[Arc<Key>]>, FetchError> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Value>,
    }
    let mut request = Request::new(Full::new(Bytes::new()));
    *request.uri_mut() = address.clone();
    let response = client.request(request).await?;
    if response.status() != StatusCode::OK {
        return Err(FetchError::Status(response.status()));
    }
    let body = Limited::new(response.into_body(), MAX_BYTES).collect().await.map_err(FetchError::Body)?.to_bytes();
    let set: Set = serde_json::from_slice(&body)?;
    // Keys of kinds that are not known are not for us.
    let known = set.keys.into_iter().filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
    let keys: Vec<_> = known.filter_map(|jwk| key_of_set(&jwk)).map(Arc::new).take(MAX_KEYS).collect();
    if keys.is_empty() { Err(FetchError::Empty) } else { Ok(keys.into()) }
}
