//! The keys that tokens are checked with. Each key has one algorithm, whatever a token says of itself.

use std::{path::PathBuf, sync::Arc};

use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, Validation, decode, decode_header,
    errors::{Error, ErrorKind},
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse},
};
use serde_json::Value;

use super::{
    Refusal,
    jwks::{FetchError, Jwks},
};
use crate::{https::AddressError, settings::Authentication};

/// The shortest secret, in bytes: as long as what HMAC with SHA-256 makes (RFC 7518, section 3.2).
pub(super) const MIN_SECRET_BYTES: usize = 32;

/// Why the keys cannot be had. Each says in one line what to do.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Nothing is set.
    #[error(
        "authentication is on, and there is no key to check tokens with: set OUTCROP_JWT_SECRET, OUTCROP_JWT_PUBLIC_KEY or OUTCROP_JWKS_URL; or, for this machine only, --auth off"
    )]
    None,
    /// Too much is set.
    #[error(
        "tokens are checked with one of OUTCROP_JWT_SECRET, OUTCROP_JWT_PUBLIC_KEY and OUTCROP_JWKS_URL: leave the others out"
    )]
    Several,
    /// The secret can be guessed.
    #[error("OUTCROP_JWT_SECRET has less than {MIN_SECRET_BYTES} bytes: make one with openssl rand -base64 32")]
    ShortSecret,
    /// Other issuers' tokens have to be told from each other.
    #[error(
        "set OUTCROP_JWT_ISSUER to the issuer (iss) of the tokens that OUTCROP_JWT_PUBLIC_KEY or OUTCROP_JWKS_URL is for"
    )]
    NoIssuer,
    /// The public key is none.
    #[error(
        "{0} is no public key in PEM of RSA (2048 bits or more), P-256, P-384 or Ed25519 ({1}): see OUTCROP_JWT_PUBLIC_KEY"
    )]
    PublicKey(PathBuf, String),
    /// The address is none.
    #[error("the keys of OUTCROP_JWKS_URL cannot be fetched: {0}")]
    Address(#[from] AddressError),
    /// There is nothing at the address.
    #[error("the keys of OUTCROP_JWKS_URL cannot be fetched: {0}")]
    Fetch(#[from] FetchError),
}

/// A key and the one algorithm it is for.
pub(super) struct Key {
    /// How tokens name it.
    pub(super) id: Option<String>,
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("id", &self.id).field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// The keys that tokens are checked with.
#[derive(Debug)]
pub(super) enum Keys {
    /// One that was set.
    Fixed(Arc<Key>),
    /// Those that whoever issues the tokens tells of.
    Fetched(Box<Jwks>),
}

impl Keys {
    /// The keys of `settings`.
    ///
    /// # Errors
    /// [`KeyError`].
    pub(super) async fn new(settings: &Authentication) -> Result<Self, KeyError> {
        match (&settings.jwt_secret, &settings.jwt_public_key, &settings.jwks_url) {
            (None, None, None) => Err(KeyError::None),
            (Some(secret), None, None) => {
                let secret = secret.reveal().as_bytes();
                if secret.len() < MIN_SECRET_BYTES {
                    return Err(KeyError::ShortSecret);
                }
                let key = DecodingKey::from_secret(secret);
                Ok(Self::Fixed(Arc::new(Key { id: None, algorithm: Algorithm::HS256, key })))
            }
            (None, Some(path), None) => {
                let wrong = |error: &dyn std::fmt::Display| KeyError::PublicKey(path.clone(), error.to_string());
                let pem = std::fs::read(path).map_err(|error| wrong(&error))?;
                let (algorithm, key) = public_key(&pem).map_err(|error| wrong(&error))?;
                Ok(Self::Fixed(Arc::new(Key { id: None, algorithm, key })))
            }
            (None, None, Some(url)) => Ok(Self::Fetched(Box::new(Jwks::fetch(url).await?))),
            _ => Err(KeyError::Several),
        }
    }

    /// The claims of `token`, if a key of ours signed it, `issuer` issued it, and it is for `audience`.
    pub(super) async fn verify(&self, token: &str, issuer: &str, audience: &str) -> Result<Value, Refusal> {
        let header = decode_header(token).map_err(refusal)?;
        // What must be understood (RFC 7515, section 4.1.11) is not.
        if header.crit.is_some() || header.enc.is_some() || header.zip.is_some() {
            return Err(Refusal::Malformed);
        }
        let key = match self {
            Self::Fixed(key) => key.clone(),
            Self::Fetched(jwks) => jwks.find(header.kid.as_deref(), header.alg).await?,
        };
        let mut validation = Validation::new(key.algorithm);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        // Time is checked with the clock that everything else has.
        validation.validate_exp = false;
        decode(token, &key.key, &validation).map(|token| token.claims).map_err(refusal)
    }
}

fn refusal(error: Error) -> Refusal {
    match error.into_kind() {
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName | ErrorKind::UnsupportedAlgorithm => {
            Refusal::Algorithm
        }
        ErrorKind::InvalidSignature => Refusal::Signature,
        ErrorKind::InvalidIssuer => Refusal::Claim("iss".to_owned()),
        ErrorKind::InvalidAudience => Refusal::Claim("aud".to_owned()),
        ErrorKind::MissingRequiredClaim(claim) | ErrorKind::InvalidClaimFormat(claim) => Refusal::Claim(claim),
        _ => Refusal::Malformed,
    }
}

/// A key in PEM, whichever it is of those that are accepted.
fn public_key(pem: &[u8]) -> Result<(Algorithm, DecodingKey), Error> {
    if let Ok(key) = DecodingKey::from_rsa_pem(pem) {
        return Ok((Algorithm::RS256, key));
    }
    if let Ok(key) = DecodingKey::from_ed_pem(pem) {
        return Ok((Algorithm::EdDSA, key));
    }
    let key = DecodingKey::from_ec_pem(pem)?;
    // An uncompressed point: 1 byte, and two coordinates.
    match key.try_get_as_bytes()?.len() {
        65 => Ok((Algorithm::ES256, key)),
        97 => Ok((Algorithm::ES384, key)),
        _ => Err(ErrorKind::InvalidEcdsaKey.into()),
    }
}

/// A key of a set, if it is one to check signatures with that is accepted. A secret in a public set is none.
pub(super) fn key_of_set(jwk: &Jwk) -> Option<Key> {
    if !matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature)) {
        return None;
    }
    let by_shape = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => Algorithm::ES256,
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P384 => Algorithm::ES384,
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => Algorithm::EdDSA,
        _ => return None,
    };
    let algorithm = match jwk.common.key_algorithm {
        None => by_shape,
        Some(KeyAlgorithm::RS256) => Algorithm::RS256,
        Some(KeyAlgorithm::RS384) => Algorithm::RS384,
        Some(KeyAlgorithm::RS512) => Algorithm::RS512,
        Some(KeyAlgorithm::PS256) => Algorithm::PS256,
        Some(KeyAlgorithm::PS384) => Algorithm::PS384,
        Some(KeyAlgorithm::PS512) => Algorithm::PS512,
        Some(KeyAlgorithm::ES256) => Algorithm::ES256,
        Some(KeyAlgorithm::ES384) => Algorithm::ES384,
        Some(KeyAlgorithm::EdDSA) => Algorithm::EdDSA,
        Some(_) => return None,
    };
    let key = DecodingKey::from_jwk(jwk).ok()?;
    let fits = key.family() == algorithm.family() && key.family() != AlgorithmFamily::Hmac;
    fits.then(|| Key { id: jwk.common.key_id.clone(), algorithm, key })
}
