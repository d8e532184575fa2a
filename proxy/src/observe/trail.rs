//! What one connection leaves behind.

use std::sync::Arc;

use protocol::{
    ErrorCode, RequestId,
    client::{ClientFrame, ClientMessage},
    close::CloseCode,
};
use tokio::time::Instant;
use tracing::{Span, debug, error_span};

use super::{Asker, Caller, Observe, What, metrics, traces::RequestSpan};
use crate::{principal::Identity, turn::asked_in};

/// Tells of a connection from its beginning to its end, which is when this is dropped. [`Trail::default`] tells nobody.
#[derive(Debug, Default)]
pub struct Trail(Option<Told>);

#[derive(Debug)]
struct Told {
    observe: Observe,
    asker: Asker,
    opened: Instant,
    close: Option<CloseCode>,
}

impl Trail {
    /// A connection of `asker` was opened.
    pub(super) fn new(observe: Observe, asker: Asker) -> Self {
        metrics::connection();
        observe.record(&asker, &What::ConnectionOpened {});
        Self(Some(Told { observe, asker, opened: Instant::now(), close: None }))
    }

    /// It is known now who is connected.
    pub fn identified(&mut self, identity: &Identity) {
        let Some(told) = &mut self.0 else { return };
        told.asker = std::mem::take(&mut told.asker).identified(identity);
        told.observe.record(&told.asker, &What::ConnectionIdentified {});
    }

    /// Why it ends; what is said first counts.
    pub fn closes(&mut self, code: CloseCode) {
        if let Some(told) = &mut self.0 {
            told.close.get_or_insert(code);
        }
    }

    /// What its lines in the log have in common.
    pub fn log(&self) -> Span {
        match &self.0 {
            // The level is one that no filter leaves out: what belongs together is to be found whatever is logged.
            Some(told) => error_span!("connection", connection_id = told.asker.connection_id.as_deref()),
            None => Span::none(),
        }
    }

    /// A request came that was not worth serving.
    pub fn refused(&self, id: Option<RequestId>, code: ErrorCode) {
        metrics::error(code);
        let Some(told) = &self.0 else { return };
        debug!(request_id = id.as_ref().map(RequestId::as_str), code = code.as_str(), "refused");
        let asker = Asker { request_id: id, ..told.asker.clone() };
        let what = What::RequestRefused { outcome: code, session_id: None, message_id: None, question: None };
        told.observe.record(&asker, &what);
    }

    /// A request that is to be served.
    pub fn request(&self, frame: &ClientFrame) -> Option<Arc<Caller>> {
        let told = self.0.as_ref()?;
        let asker = Asker { request_id: Some(frame.id.clone()), ..told.asker.clone() };
        let log = error_span!(
            parent: None,
            "request",
            connection_id = asker.connection_id.as_deref(),
            request_id = frame.id.as_str()
        );
        let asked = asked_in(&frame.message);
        let traces = told.observe.0.traces.as_ref();
        let span = asked.zip(traces).map_or_else(RequestSpan::default, |(session, traces)| {
            traces.message(&asker, frame.message.type_text(), session)
        });
        let question = match &frame.message {
            ClientMessage::SendMessage(send) if told.observe.has_text() => Some(send.message.clone()),
            _ => None,
        };
        let observe = told.observe.clone();
        Some(Arc::new(Caller { observe, asker, question, is_message: asked.is_some(), span, log }))
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        let close = self.close.unwrap_or(match std::thread::panicking() {
            true => CloseCode::INTERNAL,
            false => CloseCode::ABNORMAL,
        });
        let duration_ms = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.observe.record(&self.asker, &What::ConnectionClosed { close_code: close.0, duration_ms });
    }
}
