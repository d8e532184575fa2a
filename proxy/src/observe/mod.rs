//! What can be seen of the proxy from outside: an audit log, metrics, traces, and what lines of the log have in common.
//!
//! Everything is told once for a connection, a request, a call or an answer, and nothing for a token. What is told here is never the text
//! of a message, unless the audit log is to have it.

pub mod audit;
mod caller;
pub mod logs;
pub mod metrics;
pub mod page;
pub mod panics;
mod store;
pub mod traces;
mod trail;

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use crate::{
    https::AddressError,
    ledger::export::CallEntry,
    principal::Owner,
    settings::{Observability, OnAuditFailure, Switch},
    sources::Sources,
    store::{Call, CallOutcome},
    turn::{Turn, log::End},
};

use audit::{Audit, Rotating, What};
use protocol::{StopReason, ToolUse};
use traces::Traces;

pub use audit::{Asker, Target};
pub use caller::Caller;
pub(crate) use caller::current as current_caller;
pub use page::{Page, PageError};
pub use store::Measured;
pub(crate) use traces::{ChatSpan, RequestSpan};
pub use trail::Trail;

/// The environment variable that every program with OpenTelemetry knows.
const OTEL_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// Why the proxy cannot be observed as it is to be.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// The audit log cannot be written.
    #[error(
        "the audit log {0} cannot be written ({1}): give it another file with --audit-log (OUTCROP_AUDIT_LOG), in a folder that the proxy may write to"
    )]
    Audit(PathBuf, io::Error),
    /// Traces cannot be sent.
    #[error("traces cannot be sent to OUTCROP_OTLP_ENDPOINT: {0}")]
    Traces(AddressError),
}

/// Tells what happens to whoever is to know. [`Observe::default`] tells nobody.
#[derive(Debug, Clone, Default)]
pub struct Observe(Arc<Observers>);

#[derive(Debug, Default)]
struct Observers {
    audit: Option<Audit>,
    has_text: bool,
    must_be_audited: bool,
    traces: Option<Traces>,
}

impl Observe {
    /// Begins to tell, as `settings` say.
    ///
    /// # Errors
    /// [`ObserveError`].
    pub fn start(settings: &Observability) -> Result<Self, ObserveError> {
        let audit = settings.audit_log.as_ref().map(|path| {
            Rotating::open(path, settings.audit_log_bytes, settings.audit_log_files)
                .and_then(|file| Audit::start(file, Sources::system().now))
                .map_err(|error| ObserveError::Audit(path.clone(), error))
        });
        let endpoint = settings.otlp_endpoint.clone().or_else(|| std::env::var(OTEL_ENDPOINT).ok());
        let endpoint = endpoint.filter(|endpoint| !endpoint.is_empty());
        Ok(Self(Arc::new(Observers {
            audit: audit.transpose()?,
            has_text: settings.audit_text == Switch::On,
            must_be_audited: settings.audit_on_failure == OnAuditFailure::Refuse,
            traces: endpoint.map(|endpoint| Traces::start(&endpoint)).transpose().map_err(ObserveError::Traces)?,
        })))
    }

    /// Somebody at `remote` has opened a WebSocket.
    pub(crate) fn connection(&self, remote: Option<SocketAddr>) -> Trail {
        let id = format!("con_{}", (Sources::system().unique)().simple());
        let asker = Asker { connection_id: Some(id.into()), remote_address: remote, ..Asker::default() };
        Trail::new(self.clone(), asker)
    }

    /// Somebody at `remote` was refused one, with this HTTP status.
    pub(crate) fn connection_refused(&self, remote: Option<SocketAddr>, status: u16) {
        metrics::connection_refused(status);
        let asker = Asker { remote_address: remote, ..Asker::default() };
        self.record(&asker, &What::ConnectionRefused { outcome: outcome_of(status), status });
    }

    /// An administrator did something, or was not let do it.
    pub(crate) fn administered(&self, asker: &Asker, act: &'static str, status: u16, target: Target) {
        self.record(asker, &What::Admin { act, outcome: outcome_of(status), status, target });
    }

    /// Calls were settled, of an answer with this text.
    pub(crate) fn calls(&self, caller: Option<&Caller>, calls: &[Call], answer: Option<&str>) {
        let mut failed = false;
        for call in calls {
            metrics::call(call, failed);
            failed = matches!(call.outcome, CallOutcome::Failed(_));
        }
        self.record_calls(caller, calls, answer, true);
    }

    /// Calls were made that the ledger does not know of.
    pub(crate) fn unsettled(&self, caller: Option<&Caller>, calls: &[Call]) {
        self.record_calls(caller, calls, None, false);
    }

    fn record_calls(&self, caller: Option<&Caller>, calls: &[Call], answer: Option<&str>, in_ledger: bool) {
        let asker = caller.map(|caller| caller.asker.clone()).unwrap_or_default();
        // Whose it is is in the call.
        let asker = Asker { organization: None, user: None, ..asker };
        let question = caller.and_then(|caller| caller.question.as_deref());
        for (n, call) in calls.iter().enumerate() {
            let answer = answer.filter(|_| n + 1 == calls.len());
            self.record(&asker, &What::ModelCall { call: CallEntry::of(call), in_ledger, question, answer });
        }
    }

    /// A turn has ended; `is_refused` where no model was asked.
    pub(crate) fn turn_ended(&self, turn: &Turn, end: &End, took: Duration, is_refused: bool) {
        let outcome = match end {
            End::Complete { stop_reason: StopReason::Cancelled, .. } => CallOutcome::Cancelled,
            End::Complete { .. } => CallOutcome::Complete,
            End::Failed(error) => CallOutcome::Failed(error.code),
        };
        metrics::turn(outcome, took);
        let Some(caller) = &turn.caller else { return };
        let code = match outcome {
            CallOutcome::Failed(code) => Some(code),
            _ => None,
        };
        if let Some(code) = code.filter(|_| is_refused) {
            caller.refused(code, Some((&turn.session_id, &turn.message_id)));
        }
        caller.span.end(code);
    }

    /// The call of a tool has ended, or it was not called.
    pub(crate) fn tool_called(&self, turn: &Turn, call: &ToolUse) {
        metrics::tool(call);
        let Owner { organization, user } = turn.owner.clone();
        let asker = turn.caller.as_ref().map(|caller| caller.asker.clone()).unwrap_or_default();
        let asker = Asker { organization: Some(organization), user: Some(user), ..asker };
        let what = What::ToolCall {
            session_id: &turn.session_id,
            message_id: &turn.message_id,
            tool_use_id: &call.tool_use_id,
            server: call.server.as_deref(),
            tool: &call.name,
            outcome: call.status,
            approved: call.approved,
            duration_ms: call.duration_ms,
            input: Some(&call.input).filter(|_| self.has_text()),
            result: call.result.as_ref().filter(|_| self.has_text()),
        };
        self.record(&asker, &what);
    }

    fn record(&self, asker: &Asker, what: &What<'_>) {
        if let Some(audit) = &self.0.audit {
            audit.record(asker, what);
        }
    }

    /// Whether the audit log has what people say.
    pub(crate) fn has_text(&self) -> bool {
        self.0.has_text && self.0.audit.is_some()
    }

    /// Whether a message may be taken: not while the audit log has to be written, and cannot be.
    async fn may_go_on(&self) -> bool {
        match &self.0.audit {
            Some(audit) if self.0.must_be_audited => audit.is_written().await,
            _ => true,
        }
    }

    /// Sends the last traces. The proxy is about to end.
    pub(crate) async fn finish_traces(&self) {
        if let Some(traces) = &self.0.traces {
            traces.finish().await;
        }
    }

    /// Writes what waits to be written. The proxy has ended: nothing is told after this.
    pub fn close(&self) {
        if let Some(audit) = &self.0.audit {
            audit.close();
        }
    }
}

fn outcome_of(status: u16) -> &'static str {
    match status {
        ..400 => "done",
        400..500 => "refused",
        _ => "failed",
    }
}
