//! Who is asking. Everything that is kept is kept under an owner.

use std::sync::Arc;

/// A person within an organisation: the owner of sessions and answers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
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
