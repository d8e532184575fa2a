//! What records of the audit log are. `docs/observability.md` has a table of their fields.

use std::{net::SocketAddr, sync::Arc};

use protocol::{
    ErrorCode, MessageId, RawJson, RequestId, SessionId, Timestamp, ToolStatus, ToolUseId, server::PrincipalRole,
};
use serde::Serialize;

use crate::{
    ledger::export::CallEntry,
    principal::{Identity, Owner},
};

/// A record.
#[derive(Serialize)]
pub(super) struct Record<'a> {
    pub(super) time: Timestamp,
    #[serde(flatten)]
    pub(super) what: &'a What<'a>,
    #[serde(flatten)]
    pub(super) asker: &'a Asker,
}

impl Record<'_> {
    /// As a line.
    pub(super) fn line(&self) -> Vec<u8> {
        // Text cannot fail to be JSON, and all keys are text.
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        line
    }
}

/// Who did it, as far as that is known.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Asker {
    /// The connection it came over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_id: Option<Arc<str>>,
    /// The `id` of the frame that asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<RequestId>,
    /// The organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<Arc<str>>,
    /// The person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Arc<str>>,
    /// What the person may do beyond their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<PrincipalRole>,
    /// The token that was shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_id: Option<Arc<str>>,
    /// The other end of the connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_address: Option<SocketAddr>,
}

impl Asker {
    /// The same, now that it is known who it is.
    pub(crate) fn identified(self, identity: &Identity) -> Self {
        let Owner { organization, user } = identity.owner.clone();
        Self {
            organization: Some(organization),
            user: Some(user),
            role: Some(identity.role),
            token_id: identity.token.as_ref().map(|token| token.id.clone()),
            ..self
        }
    }
}

/// Whom or what an act of an administrator is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// The organisation; all of them where there is none.
    #[serde(rename = "targetOrganization", skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// The person; all of them where there is none.
    #[serde(rename = "targetUser", skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The token.
    #[serde(rename = "targetToken", skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// What was done.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all_fields = "camelCase")]
pub(crate) enum What<'a> {
    /// The proxy began to write this log.
    #[serde(rename = "proxy.started")]
    ProxyStarted { version: &'static str },
    /// It ended, and was able to say so.
    #[serde(rename = "proxy.stopped")]
    ProxyStopped {},
    /// A WebSocket was opened.
    #[serde(rename = "connection.opened")]
    ConnectionOpened {},
    /// A WebSocket was wanted and not opened.
    #[serde(rename = "connection.refused")]
    ConnectionRefused { outcome: &'static str, status: u16 },
    /// Somebody showed a token that counts, or need not show one.
    #[serde(rename = "connection.identified")]
    ConnectionIdentified {},
    /// A WebSocket was closed.
    #[serde(rename = "connection.closed")]
    ConnectionClosed { close_code: u16, duration_ms: u64 },
    /// A call of a model was settled.
    #[serde(rename = "model.call")]
    ModelCall {
        #[serde(flatten)]
        call: CallEntry<'a>,
        in_ledger: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        question: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        answer: Option<&'a str>,
    },
    /// A tool was called, or was not called though the model wanted it to be.
    #[serde(rename = "tool.call")]
    ToolCall {
        session_id: &'a SessionId,
        message_id: &'a MessageId,
        tool_use_id: &'a ToolUseId,
        #[serde(skip_serializing_if = "Option::is_none")]
        server: Option<&'a str>,
        tool: &'a str,
        outcome: ToolStatus,
        /// Whether a person let it run.
        approved: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        duration_ms: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        input: Option<&'a RawJson>,
        #[serde(skip_serializing_if = "Option::is_none")]
        result: Option<&'a RawJson>,
    },
    /// What somebody asked for was refused.
    #[serde(rename = "request.refused")]
    RequestRefused {
        outcome: ErrorCode,
        #[serde(skip_serializing_if = "Option::is_none")]
        session_id: Option<&'a SessionId>,
        #[serde(skip_serializing_if = "Option::is_none")]
        message_id: Option<&'a MessageId>,
        #[serde(skip_serializing_if = "Option::is_none")]
        question: Option<&'a str>,
    },
    /// An administrator did something, or was not let do it.
    #[serde(rename = "admin")]
    Admin {
        act: &'static str,
        outcome: &'static str,
        status: u16,
        #[serde(flatten)]
        target: Target,
    },
    /// Records are missing here.
    #[serde(rename = "audit.lost")]
    AuditLost { records: u64 },
}
