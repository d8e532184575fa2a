//! Every call, what it was sent and what it counted.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::answer::{Answer, Part, Usage};

/// Longest text and longest request body, in bytes, that an entry keeps.
pub const MAX_KEPT_BYTES: usize = 256 * 1024;

/// The operations of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Operation {
    /// `POST /model/{modelId}/converse`
    Converse,
    /// `POST /model/{modelId}/converse-stream`
    ConverseStream,
    /// `POST /model/{modelId}/invoke`
    InvokeModel,
    /// `POST /model/{modelId}/invoke-with-response-stream`
    InvokeModelWithResponseStream,
}

impl Operation {
    /// Whether the answer is an event stream.
    pub fn is_stream(self) -> bool {
        matches!(self, Operation::ConverseStream | Operation::InvokeModelWithResponseStream)
    }
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// It has not ended.
    Running,
    /// The whole answer was sent, its usage too.
    Completed,
    /// It was answered with an HTTP error.
    Rejected,
    /// An exception was sent inside the stream.
    Failed,
    /// The stream ended properly without its last events, as scripted.
    Truncated,
    /// The emulator cut or reset the connection, as scripted.
    Cut,
    /// The client went away before the end, or the emulator was shut down.
    ClientGone,
}

/// One call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LedgerEntry {
    /// As in `x-amzn-RequestId`.
    pub request_id: String,
    /// When the body was there, in milliseconds since 1970.
    pub received_at_unix_ms: u64,
    /// Which operation.
    pub operation: Operation,
    /// As the client wrote it: an id, a profile or an ARN.
    pub model_id: String,
    /// The access key id, or `api-key`; empty if the caller was not let in.
    pub principal: String,
    /// `HTTP/1.1` or `HTTP/2.0`.
    pub http_version: String,
    /// How it ended.
    pub outcome: Outcome,
    /// HTTP status that was sent; 0 if there was no response.
    pub status: u16,
    /// The error that was sent, before or inside the stream.
    pub error_type: Option<String>,
    /// What the call is billed: the whole answer, even if the client left, the stream failed or no response was sent, since the model
    /// ran. `None` if it was refused with an HTTP error.
    pub usage: Option<Usage>,
    /// Deltas of text, reasoning and tool input handed to the connection.
    pub deltas_sent: u32,
    /// The text of those deltas that are text, up to [`MAX_KEPT_BYTES`].
    pub text_sent: String,
    /// SHA-256 of the whole text that was sent, in hex.
    pub text_sha256: String,
    /// Whether the client went away before the end.
    pub client_gone: bool,
    /// Size of the request's body in bytes.
    pub request_bytes: usize,
    /// The request's body; null if it was no JSON or longer than [`MAX_KEPT_BYTES`].
    pub request: Value,
}

/// The newest calls, oldest first.
#[derive(Debug)]
pub(crate) struct Ledger {
    capacity: usize,
    records: Mutex<VecDeque<Arc<Record>>>,
}

impl Ledger {
    pub(crate) fn new(capacity: usize) -> Self {
        Ledger { capacity: capacity.max(1), records: Mutex::default() }
    }

    pub(crate) fn open(&self, record: Record) -> Call {
        let record = Arc::new(record);
        let mut records = lock(&self.records);
        if records.len() >= self.capacity {
            records.pop_front();
        }
        records.push_back(record.clone());
        Call { record }
    }

    pub(crate) fn entries(&self) -> Vec<LedgerEntry> {
        let records: Vec<Arc<Record>> = lock(&self.records).iter().cloned().collect();
        records.iter().map(|record| record.entry()).collect()
    }

    pub(crate) fn clear(&self) {
        lock(&self.records).clear();
    }
}

/// What is known of a call when it comes, and the state that changes.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) request_id: String,
    pub(crate) received_at_unix_ms: u64,
    pub(crate) operation: Operation,
    pub(crate) model_id: String,
    pub(crate) http_version: String,
    pub(crate) body: Bytes,
    pub(crate) deltas_sent: AtomicU32,
    pub(crate) state: Mutex<State>,
}

#[derive(Debug)]
pub(crate) struct State {
    principal: String,
    outcome: Outcome,
    status: u16,
    error_type: Option<String>,
    usage: Option<Usage>,
    content: Content,
}

impl Default for State {
    fn default() -> Self {
        State {
            principal: String::new(),
            outcome: Outcome::Running,
            status: 200,
            error_type: None,
            usage: None,
            content: Content::None,
        }
    }
}

/// What the deltas are made of, so that counting them is enough while they are sent.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    None,
    Answer(Arc<Answer>),
    Repeated(Arc<str>),
}

/// A call in progress. Dropped before it was closed, it counts as a client that went away.
#[derive(Debug)]
pub(crate) struct Call {
    record: Arc<Record>,
}

impl Call {
    pub(crate) fn request_id(&self) -> &str {
        &self.record.request_id
    }

    pub(crate) fn admit(&self, principal: String) {
        lock(&self.record.state).principal = principal;
    }

    pub(crate) fn answer(&self, usage: Usage, content: Content) {
        let mut state = lock(&self.record.state);
        state.usage = Some(usage);
        state.content = content;
    }

    pub(crate) fn sent(&self, deltas: u32) {
        self.record.deltas_sent.store(deltas, Ordering::Release);
    }

    /// Answered with an HTTP error: nothing is billed.
    pub(crate) fn reject(&self, error_type: &str, status: u16) {
        self.fail(error_type, status);
        let mut state = lock(&self.record.state);
        (state.usage, state.content) = (None, Content::None);
        drop(state);
        self.close(Outcome::Rejected);
    }

    /// No response will be sent.
    pub(crate) fn unanswered(&self) {
        lock(&self.record.state).status = 0;
    }

    pub(crate) fn fail(&self, error_type: &str, status: u16) {
        let mut state = lock(&self.record.state);
        state.error_type = Some(error_type.to_owned());
        state.status = status;
    }

    pub(crate) fn close(&self, outcome: Outcome) {
        let mut state = lock(&self.record.state);
        if state.outcome == Outcome::Running {
            state.outcome = outcome;
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.close(Outcome::ClientGone);
    }
}

impl Record {
    fn entry(&self) -> LedgerEntry {
        let state = lock(&self.state);
        let deltas_sent = self.deltas_sent.load(Ordering::Acquire);
        let mut text = state.content.text(deltas_sent);
        let text_sha256 = hex::encode(Sha256::digest(&text));
        text.truncate(text.floor_char_boundary(MAX_KEPT_BYTES));
        LedgerEntry {
            request_id: self.request_id.clone(),
            received_at_unix_ms: self.received_at_unix_ms,
            operation: self.operation,
            model_id: self.model_id.clone(),
            principal: state.principal.clone(),
            http_version: self.http_version.clone(),
            outcome: state.outcome,
            status: state.status,
            error_type: state.error_type.clone(),
            usage: state.usage,
            deltas_sent,
            text_sent: text,
            text_sha256,
            client_gone: state.outcome == Outcome::ClientGone,
            request_bytes: self.body.len(),
            request: (self.body.len() <= MAX_KEPT_BYTES)
                .then(|| serde_json::from_slice(&self.body).ok())
                .flatten()
                .unwrap_or_default(),
        }
    }
}

impl Content {
    fn text(&self, deltas: u32) -> String {
        match self {
            Content::None => String::new(),
            Content::Repeated(text) => text.repeat(deltas as usize),
            Content::Answer(answer) => {
                let pieces = answer.parts.iter().flat_map(|part| part.deltas().map(move |piece| (part, piece)));
                pieces
                    .take(deltas as usize)
                    .filter(|(part, _)| matches!(part, Part::Text(_)))
                    .map(|(_, piece)| piece)
                    .collect()
            }
        }
    }
}

/// Nothing in the emulator panics with a lock held; should it, the data is whole all the same.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
