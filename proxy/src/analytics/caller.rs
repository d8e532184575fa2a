//! Who asks.

use protocol::{client::UsageScope, server::PrincipalRole};
use rmcp::model::RequestMetaObject;
use serde::{Deserialize, Serialize};

use crate::principal::{Identity, MAX_NAME_BYTES, Owner};

/// Under which key of a request's `_meta` it says who asks.
pub const CALLER: &str = "outcrop/caller";

/// Who asks, as the proxy tells tools.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The organisation of the person.
    pub organization: String,
    /// The person, unique within the organisation.
    pub user: String,
    /// What the person may see beyond their own.
    pub role: PrincipalRole,
}

impl From<&Identity> for Caller {
    fn from(identity: &Identity) -> Self {
        let Owner { organization, user } = &identity.owner;
        Self { organization: organization.to_string(), user: user.to_string(), role: identity.role }
    }
}

impl Caller {
    /// Who asks, as a request's metadata say.
    ///
    /// # Errors
    /// A sentence for whoever calls without.
    pub(super) fn of_request(meta: &RequestMetaObject) -> Result<Self, String> {
        let bad = || {
            format!(
                "The call does not say for whom it is: its _meta has to have {CALLER} with organization, user and role."
            )
        };
        let caller: Self = meta.get(CALLER).and_then(|caller| Self::deserialize(caller).ok()).ok_or_else(bad)?;
        let is_name = |name: &str| (1..=MAX_NAME_BYTES).contains(&name.len());
        if is_name(&caller.organization) && is_name(&caller.user) { Ok(caller) } else { Err(bad()) }
    }

    pub(super) fn owner(&self) -> Owner {
        Owner { organization: self.organization.as_str().into(), user: self.user.as_str().into() }
    }

    /// Whose usage "we" is where a call does not say.
    pub(super) fn scope(&self) -> UsageScope {
        match self.role {
            PrincipalRole::User => UsageScope::Own,
            PrincipalRole::Administrator | PrincipalRole::Operator => UsageScope::Organization,
        }
    }
}
