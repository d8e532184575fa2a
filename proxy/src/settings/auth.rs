//! Who may talk.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};

use super::{Secret, duration};
use crate::auth::{ClaimNames, KeyError};

/// The issuer of tokens that `outcrop-proxy token` makes.
const OWN_ISSUER: &str = "outcrop";

/// Whether people have to show a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AuthMode {
    /// They have to.
    On,
    /// Everybody is the same person; only this machine is served.
    Off,
    /// On where there is a key to check tokens with, else off.
    Auto,
}

/// Who may talk.
#[derive(Debug, Clone, Args)]
pub struct Authentication {
    /// Whether people have to show a token; without that the proxy serves this machine only. On if not set; auto in demo mode.
    #[arg(long, env = "OUTCROP_AUTH", value_enum, value_name = "WHETHER", help_heading = "Authentication")]
    pub auth: Option<AuthMode>,
    /// The secret that tokens are signed with (HS256), 32 bytes or more. Everybody on this machine can read a flag: better set the
    /// environment.
    #[arg(
        long,
        env = "OUTCROP_JWT_SECRET",
        hide_env_values = true,
        value_name = "SECRET",
        help_heading = "Authentication"
    )]
    pub jwt_secret: Option<Secret>,
    /// A file with the public key that tokens are checked with, in PEM: RSA (RS256), P-256 (ES256), P-384 (ES384) or Ed25519 (EdDSA).
    #[arg(long, env = "OUTCROP_JWT_PUBLIC_KEY", value_name = "FILE", help_heading = "Authentication")]
    pub jwt_public_key: Option<PathBuf>,
    /// The address of the keys that tokens are checked with, a JSON Web Key Set.
    #[arg(long, env = "OUTCROP_JWKS_URL", value_name = "URL", help_heading = "Authentication")]
    pub jwks_url: Option<String>,
    /// Who has to have issued tokens (iss); with OUTCROP_JWT_SECRET it is "outcrop" if not set.
    #[arg(long, env = "OUTCROP_JWT_ISSUER", value_name = "ISSUER", help_heading = "Authentication")]
    pub jwt_issuer: Option<String>,
    /// Whom tokens have to be for (aud).
    #[arg(
        long,
        env = "OUTCROP_JWT_AUDIENCE",
        default_value = "outcrop",
        value_name = "AUDIENCE",
        help_heading = "Authentication"
    )]
    pub jwt_audience: String,
    /// The longest that a token may count. Revocations are kept for as long.
    #[arg(long, env = "OUTCROP_TOKEN_LIFETIME", default_value = "24h", value_name = "TIME", value_parser = duration, help_heading = "Authentication")]
    pub token_lifetime: Duration,
    /// Which claims say what.
    #[command(flatten)]
    pub claims: ClaimNames,
}

impl Authentication {
    /// Whether there is a key to check tokens with.
    fn has_key(&self) -> bool {
        self.jwt_secret.is_some() || self.jwt_public_key.is_some() || self.jwks_url.is_some()
    }

    /// Whether people have to show a token.
    pub fn is_on(&self, demo: bool) -> bool {
        match self.auth {
            Some(AuthMode::On) => true,
            Some(AuthMode::Off) => false,
            None if !demo => true,
            None | Some(AuthMode::Auto) => self.has_key(),
        }
    }

    /// Who has to have issued tokens.
    ///
    /// # Errors
    /// [`KeyError::NoIssuer`] where it has to be set and is not.
    pub fn issuer(&self) -> Result<&str, KeyError> {
        match (&self.jwt_issuer, &self.jwt_secret) {
            (Some(issuer), _) => Ok(issuer),
            (None, Some(_)) => Ok(OWN_ISSUER),
            (None, None) => Err(KeyError::NoIssuer),
        }
    }

    /// The longest that a token may count, in milliseconds.
    pub fn token_lifetime_ms(&self) -> u64 {
        u64::try_from(self.token_lifetime.as_millis()).unwrap_or(u64::MAX)
    }
}

/// The settings of `token`.
#[derive(Debug, Args)]
pub struct Mint {
    /// The user.
    #[arg(long, default_value = "developer", value_name = "NAME")]
    pub user: String,
    /// The organization.
    #[arg(long, default_value = "development", value_name = "NAME")]
    pub organization: String,
    /// Roles, separated by commas: outcrop-administrator, outcrop-operator.
    #[arg(long, value_delimiter = ',', value_name = "ROLES")]
    pub roles: Vec<String>,
    /// How long it counts.
    #[arg(long, default_value = "1h", value_name = "TIME", value_parser = duration)]
    pub expires_in: Duration,
    /// What tokens have to be.
    #[command(flatten)]
    pub auth: Authentication,
}
