//! A request while it is served: who asks, and what there is to tell about it.

use std::sync::Arc;

use protocol::{ErrorCode, ErrorData, SessionId};
use tracing::{Instrument, Span, debug};

use super::{Asker, Observe, Target, What, metrics, traces::RequestSpan};
use crate::service::Outcome;

/// One request of one connection.
#[derive(Debug)]
pub struct Caller {
    pub(super) observe: Observe,
    pub(super) asker: Asker,
    /// What is asked, where the audit log has texts.
    pub(super) question: Option<String>,
    /// Whether the audit log has to know of it before it is served.
    pub(super) is_message: bool,
    pub(super) span: RequestSpan,
    /// What its lines in the log have in common.
    pub(super) log: Span,
}

tokio::task_local! {
    static CALLER: Arc<Caller>;
}

/// Whose request is being served by this task.
pub(crate) fn current() -> Option<Arc<Caller>> {
    CALLER.try_with(Arc::clone).ok()
}

impl Caller {
    /// Serves it with `serve`, unless the audit log cannot be written and must be.
    pub(crate) async fn serve(self: Arc<Self>, serve: impl Future<Output = Outcome>) -> Outcome {
        let log = self.log.clone();
        let served = async {
            if self.is_message && !self.observe.may_go_on().await {
                let text = "The proxy cannot write its audit log and takes no messages meanwhile. Try again later.";
                let mut error = ErrorData::new(ErrorCode::Internal, text);
                error.retryable = true;
                return Outcome::Failed(error);
            }
            serve.await
        };
        let served = async {
            let outcome = CALLER.scope(self.clone(), served).await;
            self.served(&outcome);
            outcome
        };
        served.instrument(log).await
    }

    fn served(self: &Arc<Self>, outcome: &Outcome) {
        match outcome {
            Outcome::Failed(error) | Outcome::Refused(error, ..) => {
                debug!(code = error.code.as_str(), "refused");
                metrics::error(error.code);
                self.refused(error.code, None);
                self.span.end(Some(error.code));
            }
            // The span of a message that begins an answer ends with that.
            Outcome::Follow { turn, .. } if turn.caller.as_ref().is_some_and(|caller| Arc::ptr_eq(caller, self)) => {}
            _ => self.span.end(None),
        }
    }

    /// It was refused.
    pub(super) fn refused(&self, code: ErrorCode, answer: Option<(&SessionId, &protocol::MessageId)>) {
        let what = What::RequestRefused {
            outcome: code,
            session_id: answer.map(|(session, _)| session),
            message_id: answer.map(|(_, message)| message),
            question: self.question.as_deref(),
        };
        self.observe.record(&self.asker, &what);
    }

    /// Somebody saw the usage of others: of an organisation, or of all of them.
    pub(crate) fn read_usage(&self, organization: Option<String>) {
        self.observe.administered(&self.asker, "usage.read", 200, Target { organization, ..Target::default() });
    }

    /// Its span among the traces.
    pub(crate) fn span(&self) -> &RequestSpan {
        &self.span
    }

    /// What its lines in the log have in common.
    pub(crate) fn log(&self) -> Span {
        self.log.clone()
    }
}
