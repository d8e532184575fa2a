//! Why a request failed.

use protocol::{ErrorCode, ErrorData, MessageId, Usage};

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestErrorCode {
    /// The proxy said so, or would have.
    Proxy(ErrorCode),
    /// The client was closed, or the proxy refuses it for good.
    Closed,
    /// [`Config::max_requests`](crate::Config::max_requests) have not ended yet.
    Overloaded,
}

impl RequestErrorCode {
    /// The code as JavaScript sees it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proxy(code) => code.as_str(),
            Self::Closed => "closed",
            Self::Overloaded => "overloaded",
        }
    }
}

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestError {
    /// What kind of failure it is.
    pub code: RequestErrorCode,
    /// One or two sentences for a person.
    pub message: String,
    /// Whether the same request can succeed later.
    pub retryable: bool,
    /// How long to wait before that, in milliseconds.
    pub retry_after_ms: Option<u64>,
    /// The answer that failed, where one had begun.
    pub message_id: Option<MessageId>,
    /// What the failed answer used, where that is known.
    pub usage: Option<Box<Usage>>,
}

impl RequestError {
    pub(crate) fn new(code: RequestErrorCode, retryable: bool, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retryable, retry_after_ms: None, message_id: None, usage: None }
    }

    pub(crate) fn interrupted(message: &str) -> Self {
        Self::new(RequestErrorCode::Proxy(ErrorCode::Interrupted), true, message)
    }
}

impl From<ErrorData> for RequestError {
    fn from(data: ErrorData) -> Self {
        Self {
            code: RequestErrorCode::Proxy(data.code),
            message: data.message,
            retryable: data.retryable,
            retry_after_ms: data.retry_after_ms,
            message_id: data.message_id,
            usage: data.usage.map(Box::new),
        }
    }
}

impl std::fmt::Display for RequestError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for RequestError {}
