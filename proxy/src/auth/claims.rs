//! What the claims of a token say of whoever shows it.

use std::{convert::Infallible, str::FromStr, sync::Arc};

use protocol::{Timestamp, server::PrincipalRole};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{CLOCK_SKEW_MS, Refusal};
use crate::principal::{Identity, MAX_NAME_BYTES, Owner, Token};

/// Where a claim is: its name, or a JSON pointer (RFC 6901) to one within another, such as `/realm_access/roles`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimPath(String);

impl FromStr for ClaimPath {
    type Err = Infallible;
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl std::fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl ClaimPath {
    fn find<'a>(&self, claims: &'a Value) -> Option<&'a Value> {
        if self.0.starts_with('/') { claims.pointer(&self.0) } else { claims.get(&self.0) }
    }

    /// The names on the way to the claim.
    pub(super) fn names(&self) -> Vec<String> {
        match self.0.strip_prefix('/') {
            Some(path) => path.split('/').map(|name| name.replace("~1", "/").replace("~0", "~")).collect(),
            None => vec![self.0.clone()],
        }
    }

    fn wrong(&self) -> Refusal {
        Refusal::Claim(self.0.clone())
    }
}

/// Which claims say who somebody is and what they may do.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
pub struct ClaimNames {
    /// The claim with the user; a name, or a JSON pointer such as /user/id.
    #[arg(
        id = "user-claim",
        long = "user-claim",
        env = "OUTCROP_USER_CLAIM",
        default_value = "sub",
        value_name = "CLAIM",
        help_heading = "Authentication"
    )]
    pub user: ClaimPath,
    /// The claim with the organization.
    #[arg(
        id = "organization-claim",
        long = "organization-claim",
        env = "OUTCROP_ORGANIZATION_CLAIM",
        default_value = "org",
        value_name = "CLAIM",
        help_heading = "Authentication"
    )]
    pub organization: ClaimPath,
    /// The claim with the roles: a list, or names with blanks between them.
    #[arg(
        id = "roles-claim",
        long = "roles-claim",
        env = "OUTCROP_ROLES_CLAIM",
        default_value = "roles",
        value_name = "CLAIM",
        help_heading = "Authentication"
    )]
    pub roles: ClaimPath,
    /// The role of those who may see and revoke what is their organization's.
    #[arg(
        long,
        env = "OUTCROP_ADMINISTRATOR_ROLE",
        default_value = "outcrop-administrator",
        value_name = "ROLE",
        help_heading = "Authentication"
    )]
    pub administrator_role: String,
    /// The role of those who may see and revoke everything.
    #[arg(
        long,
        env = "OUTCROP_OPERATOR_ROLE",
        default_value = "outcrop-operator",
        value_name = "ROLE",
        help_heading = "Authentication"
    )]
    pub operator_role: String,
    /// The organization of those whose token names none; without it such a token is refused.
    #[arg(long, env = "OUTCROP_DEFAULT_ORGANIZATION", value_name = "NAME", help_heading = "Authentication")]
    pub default_organization: Option<String>,
}

impl ClaimNames {
    /// Whom `claims` speak for at `now`. The signature is checked, and so are issuer and audience.
    pub(super) fn identity(
        &self,
        claims: &Value,
        token: &str,
        now: Timestamp,
        max_lifetime_ms: u64,
    ) -> Result<Identity, Refusal> {
        let now_ms = now.unix_ms();
        let expires = date(claims, "exp")?.ok_or_else(|| Refusal::Claim("exp".to_owned()))?;
        let issued = date(claims, "iat")?;
        let begins = date(claims, "nbf")?.into_iter().chain(issued).max();
        if begins.is_some_and(|begins| begins > now_ms.saturating_add(CLOCK_SKEW_MS)) {
            return Err(Refusal::NotYet);
        }
        if expires <= now_ms {
            return Err(Refusal::Expired);
        }
        if expires - now_ms > max_lifetime_ms.saturating_add(CLOCK_SKEW_MS) {
            return Err(Refusal::TooLong);
        }
        let organization = match (self.organization.find(claims), &self.default_organization) {
            (Some(claim), _) => name(claim),
            (None, Some(default)) => Some(default.as_str().into()),
            (None, None) => None,
        };
        let owner = Owner {
            organization: organization.ok_or_else(|| self.organization.wrong())?,
            user: self.user.find(claims).and_then(name).ok_or_else(|| self.user.wrong())?,
        };
        let id = match claims.get("jti") {
            Some(id) => name(id).ok_or_else(|| Refusal::Claim("jti".to_owned()))?,
            None => fingerprint(token),
        };
        let issued = issued.map(Timestamp::from_unix_ms);
        let token = Token { id, issued, expires: Timestamp::from_unix_ms(expires) };
        Ok(Identity { owner, role: self.role(claims)?, token: Some(token) })
    }

    fn role(&self, claims: &Value) -> Result<PrincipalRole, Refusal> {
        let roles: Vec<&str> = match self.roles.find(claims) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::String(roles)) => roles.split_ascii_whitespace().collect(),
            Some(Value::Array(roles)) => {
                roles.iter().map(Value::as_str).collect::<Option<_>>().ok_or_else(|| self.roles.wrong())?
            }
            Some(_) => return Err(self.roles.wrong()),
        };
        let has = |role: &String| roles.contains(&role.as_str());
        Ok(match () {
            () if has(&self.operator_role) => PrincipalRole::Operator,
            () if has(&self.administrator_role) => PrincipalRole::Administrator,
            () => PrincipalRole::User,
        })
    }
}

/// A name of somebody: not empty, without control characters, at most [`MAX_NAME_BYTES`].
fn name(claim: &Value) -> Option<Arc<str>> {
    let text = match claim {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.as_u64()?.to_string(),
        _ => return None,
    };
    let is_name = !text.trim().is_empty() && text.len() <= MAX_NAME_BYTES && !text.chars().any(char::is_control);
    is_name.then(|| text.into())
}

/// The id of a token that has none of its own.
pub(super) fn fingerprint(token: &str) -> Arc<str> {
    Sha256::digest(token).iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
}

/// A point in time as JWTs write it, in seconds since 1970 with or without a fraction (RFC 7519, section 2); in milliseconds.
fn date(claims: &Value, claim: &str) -> Result<Option<u64>, Refusal> {
    /// The year 9999.
    const LAST: f64 = 253_402_300_799.0;
    let seconds = match claims.get(claim) {
        None | Some(Value::Null) => return Ok(None),
        Some(value) => value.as_f64(),
    };
    match seconds.filter(|seconds| (0.0..=LAST).contains(seconds)) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is in between")]
        Some(seconds) => Ok(Some((seconds * 1_000.0) as u64)),
        None => Err(Refusal::Claim(claim.to_owned())),
    }
}
