//! Who a tool is called for.

use std::sync::Arc;

/// Who asks, and in which conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The organization of the person.
    pub organization: Arc<str>,
    /// The person, within the organization.
    pub user: Arc<str>,
    /// What the person may do besides talking.
    pub role: Role,
    /// The conversation.
    pub session: Arc<str>,
    /// The message that is being answered.
    pub message: Arc<str>,
}

/// What somebody may do besides talking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Nothing.
    User,
    /// See what the own organization uses.
    Administrator,
    /// See what all organizations use.
    Operator,
}

impl Role {
    /// As it is written in the file and told to servers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Administrator => "administrator",
            Self::Operator => "operator",
        }
    }
}
