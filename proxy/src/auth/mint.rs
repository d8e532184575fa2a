//! Tokens for development.

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use protocol::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    claims::ClaimPath,
    keys::{KeyError, MIN_SECRET_BYTES},
};
use crate::settings::Mint;

/// Why no token was made. Each says in one line what to do.
#[derive(Debug, thiserror::Error)]
pub enum MintError {
    /// There is nothing to sign with.
    #[error(
        "tokens are signed with OUTCROP_JWT_SECRET: set it to the same as the proxy's; those of other keys come from whoever holds them"
    )]
    NoSecret,
    /// Something else is wrong with the settings.
    #[error(transparent)]
    Settings(#[from] KeyError),
    /// It would not be accepted.
    #[error(
        "the proxy takes no token that counts for longer than {0}: shorten --expires-in, or set OUTCROP_TOKEN_LIFETIME"
    )]
    TooLong(humantime::FormattedDuration),
    /// It cannot be signed.
    #[error("the token cannot be signed: {0}")]
    Sign(#[from] jsonwebtoken::errors::Error),
}

/// A token as `settings` say, that counts from `now` on.
///
/// # Errors
/// [`MintError`].
pub fn mint(settings: &Mint, now: Timestamp, id: Uuid) -> Result<String, MintError> {
    let Mint { user, organization, roles, expires_in, auth } = settings;
    let secret = auth.jwt_secret.as_ref().ok_or(MintError::NoSecret)?.reveal().as_bytes();
    if secret.len() < MIN_SECRET_BYTES {
        return Err(KeyError::ShortSecret.into());
    }
    if *expires_in > auth.token_lifetime {
        return Err(MintError::TooLong(humantime::format_duration(auth.token_lifetime)));
    }
    let issued = now.unix_ms() / 1_000;
    let mut claims = json!({
        "iss": auth.issuer()?,
        "aud": auth.jwt_audience,
        "iat": issued,
        "exp": issued + expires_in.as_secs(),
        "jti": id.to_string(),
    });
    set(&mut claims, &auth.claims.user, json!(user));
    set(&mut claims, &auth.claims.organization, json!(organization));
    if !roles.is_empty() {
        set(&mut claims, &auth.claims.roles, json!(roles));
    }
    Ok(encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(secret))?)
}

/// Sets the claim at `path`.
fn set(claims: &mut Value, path: &ClaimPath, value: Value) {
    let mut at = claims;
    for name in path.names() {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        at = &mut at[name];
    }
    *at = value;
}
