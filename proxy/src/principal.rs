//! Who is asking. Everything that is kept is kept under an owner.

use std::sync::Arc;

use protocol::{Timestamp, server::PrincipalRole};
use serde::{Deserialize, Serialize};

/// The longest name of a user or an organisation, in bytes. It is part of keys, which have bounds of their own.
pub const MAX_NAME_BYTES: usize = 128;

/// A person within an organisation: the owner of sessions and answers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Owner {
    /// The organisation.
    pub organization: Arc<str>,
    /// The person, unique within the organisation.
    pub user: Arc<str>,
}

impl Owner {
    /// The one owner there is while authentication is off and the proxy listens on loopback only.
    pub fn local() -> Self {
        Self { organization: "local".into(), user: "local".into() }
    }
}

/// Whoever shows a token that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The person.
    pub owner: Owner,
    /// What the person may do beyond their own.
    pub role: PrincipalRole,
    /// The token; none while authentication is off.
    pub token: Option<Token>,
}

/// What is known of a token. The token itself is forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its id, as its issuer gave it, or else the SHA-256 of all of it in hexadecimal.
    pub id: Arc<str>,
    /// When it was issued; none where it does not say.
    pub issued: Option<Timestamp>,
    /// From when on it does not count.
    pub expires: Timestamp,
}

impl Identity {
    /// The one person there is while authentication is off: everything is theirs.
    pub fn local() -> Self {
        Self { owner: Owner::local(), role: PrincipalRole::Operator, token: None }
    }

    /// Whether the token has expired.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.token.as_ref().is_some_and(|token| token.expires <= now)
    }

    /// Whether the person may see and change what is `organization`'s.
    pub fn administers(&self, organization: &str) -> bool {
        match self.role {
            PrincipalRole::Operator => true,
            PrincipalRole::Administrator => *self.owner.organization == *organization,
            PrincipalRole::User => false,
        }
    }
}
