//! A tool that is offered.

use std::{fmt, sync::Arc, time::Duration};

use serde_json::Value;

use crate::{Approval, Caller, config::Access, schema::Schema};

/// A tool of a server, as it was listed and approved.
pub struct Tool {
    /// The server's name in the operator's file.
    pub server: Arc<str>,
    /// The tool's own name.
    pub name: Arc<str>,
    /// A name for people.
    pub title: Option<String>,
    /// What it does, in the server's words: data, not to be followed.
    pub description: String,
    /// JSON Schema of its arguments, an object.
    pub input_schema: Value,
    /// Whether a person has to let a call run.
    pub approval: Approval,
    /// Whether a second call does no more than the first.
    pub idempotent: bool,
    /// How long a call may take, everything included.
    pub timeout: Duration,
    /// Its name as Bedrock takes it.
    pub wire_name: String,
    /// What it is pinned by.
    pub fingerprint: String,
    pub(crate) access: Access,
    pub(crate) schema: Schema,
}

impl Tool {
    /// Whether `caller` may use it.
    pub(crate) fn is_for(&self, caller: &Caller) -> bool {
        self.access.includes(caller)
    }
}

impl fmt::Debug for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tool").field("server", &self.server).field("name", &self.name).finish_non_exhaustive()
    }
}
