//! The object `outcrop` of a server: who may use its tools, and how.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde::Deserialize;

use super::DEFAULT_TIMEOUT;
use crate::{Caller, Role};

/// Whether a person has to let a call of a tool run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Approval {
    /// Every call.
    #[default]
    Always,
    /// The first call in a conversation.
    Session,
    /// No call.
    Never,
}

/// What is Outcrop's own about a server. Each is as the file has it; what is left out is the default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Options {
    /// The organizations that may use it; all if it is left out.
    pub organizations: Option<Vec<Arc<str>>>,
    /// The roles that may use it; all if it is left out.
    pub roles: Option<Vec<Role>>,
    /// Whether a person has to let its calls run.
    #[serde(default)]
    pub approval: Approval,
    /// Whether a second call of its tools does no more than the first.
    #[serde(default)]
    pub idempotent: bool,
    /// How long a call may take, in seconds; 30 if it is left out.
    pub timeout_seconds: Option<u64>,
    /// Whether it is told who asks.
    #[serde(default)]
    pub pass_caller: bool,
    /// Whether it may be at a private address, and without TLS.
    #[serde(default)]
    pub allow_private: bool,
    /// Variables of the proxy's environment that it gets besides the usual ones.
    #[serde(default)]
    pub inherit_env: Vec<String>,
    /// What is different for single tools, by their names.
    #[serde(default)]
    pub tools: BTreeMap<String, ToolOptions>,
}

/// What is different for one tool.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ToolOptions {
    /// Whether a person has to let its calls run.
    pub approval: Option<Approval>,
    /// Whether a second call does no more than the first.
    pub idempotent: Option<bool>,
    /// How long a call may take, in seconds.
    pub timeout_seconds: Option<u64>,
    /// The organizations that may use it, of those that may use the server.
    pub organizations: Option<Vec<Arc<str>>>,
    /// The roles that may use it, of those that may use the server.
    pub roles: Option<Vec<Role>>,
    /// Whether nobody may use it.
    #[serde(default)]
    pub disabled: bool,
}

/// Who may use a tool: whoever is in all of these.
#[derive(Debug, Clone, Default)]
pub(crate) struct Access {
    organizations: Vec<Vec<Arc<str>>>,
    roles: Vec<Vec<Role>>,
}

impl Access {
    pub(crate) fn includes(&self, caller: &Caller) -> bool {
        self.organizations.iter().all(|allowed| allowed.contains(&caller.organization))
            && self.roles.iter().all(|allowed| allowed.contains(&caller.role))
    }
}

/// What counts for one tool in the end.
#[derive(Debug, Clone)]
pub(crate) struct Effective {
    pub(crate) approval: Approval,
    pub(crate) idempotent: bool,
    pub(crate) timeout: Duration,
    pub(crate) access: Access,
}

impl Options {
    /// What counts for `tool`; `None` where it is turned off.
    pub(crate) fn of(&self, tool: &str) -> Option<Effective> {
        let none = ToolOptions::default();
        let own = self.tools.get(tool).unwrap_or(&none);
        let seconds = own.timeout_seconds.or(self.timeout_seconds);
        (!own.disabled).then(|| Effective {
            approval: own.approval.unwrap_or(self.approval),
            idempotent: own.idempotent.unwrap_or(self.idempotent),
            timeout: seconds.map_or(DEFAULT_TIMEOUT, Duration::from_secs),
            access: Access {
                organizations: [&self.organizations, &own.organizations].into_iter().flatten().cloned().collect(),
                roles: [&self.roles, &own.roles].into_iter().flatten().cloned().collect(),
            },
        })
    }
}
