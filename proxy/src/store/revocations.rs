//! Tokens that count no more, though they have not expired.

use std::sync::Arc;

use protocol::Timestamp;
use serde::{Deserialize, Serialize};

use crate::principal::Owner;

/// The most revocations that there may be before some of them are forgotten.
pub const MAX_REVOCATIONS: usize = 10_000;

/// Which tokens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Revoked {
    /// The one of this id.
    Token {
        /// The organisation of whoever bears it.
        organization: Arc<str>,
        /// Its id.
        id: Arc<str>,
    },
    /// Those of a person.
    User(Owner),
    /// Those of everybody in an organisation.
    Organization(Arc<str>),
}

impl Revoked {
    /// Whose organisation it is about.
    pub fn organization(&self) -> &str {
        match self {
            Self::Token { organization, .. } | Self::Organization(organization) => organization,
            Self::User(owner) => &owner.organization,
        }
    }
}

/// That tokens count no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// Which.
    pub what: Revoked,
    /// When it was made. Of a person or an organisation, tokens that were issued later count.
    pub at: Timestamp,
    /// When it may be forgotten: none of the tokens counts then in any case.
    pub until: Timestamp,
}
