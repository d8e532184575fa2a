//! Errors as they travel, in `chat.error`.

use serde::{Deserialize, Serialize};

use crate::{MessageId, Usage};

macro_rules! error_codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal, $retryable:literal;)*) => {
        /// Why a request or an answer failed. The set is closed: a client can match on all of it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
        pub enum ErrorCode {
            $($(#[$doc])* #[serde(rename = $text)] $variant,)*
        }

        impl ErrorCode {
            /// Every code, in the order of the protocol page.
            pub const ALL: &[ErrorCode] = &[$(ErrorCode::$variant),*];

            /// The code as it is written in a frame.
            pub const fn as_str(self) -> &'static str {
                match self { $(ErrorCode::$variant => $text,)* }
            }

            /// Whether the same request can succeed later without a change by the client or the operator.
            pub const fn is_retryable(self) -> bool {
                match self { $(ErrorCode::$variant => $retryable,)* }
            }
        }
    };
}

error_codes! {
    /// The frame or a field of it is wrong; `message` says which.
    InvalidRequest = "invalid_request", false;
    /// No token, or one that is not valid any more.
    Unauthenticated = "unauthenticated", false;
    /// The token is valid, its bearer may not do this.
    Forbidden = "forbidden", false;
    /// No such session or message, or not this user's.
    SessionNotFound = "session_not_found", false;
    /// The message, its attachments or its frame are too long.
    MessageTooLarge = "message_too_large", false;
    /// Too many requests of this user or organisation; `retryAfterMs` says when.
    RateLimited = "rate_limited", true;
    /// A budget is used up.
    BudgetExceeded = "budget_exceeded", false;
    /// Bedrock refused for now: too many requests or tokens.
    Throttled = "throttled", true;
    /// Bedrock does not know the model, or not in this region.
    ModelNotFound = "model_not_found", false;
    /// The account or the credentials may not use the model.
    ModelAccessDenied = "model_access_denied", false;
    /// Bedrock is loading the model.
    ModelNotReady = "model_not_ready", true;
    /// The conversation is longer than the model reads.
    ContextOverflow = "context_overflow", false;
    /// A guardrail or the model's own filter stopped the answer.
    ContentFiltered = "content_filtered", false;
    /// Bedrock cannot be reached or is failing.
    UpstreamUnavailable = "upstream_unavailable", true;
    /// Bedrock's stream broke off, or ended without its end.
    UpstreamStreamError = "upstream_stream_error", true;
    /// Bedrock was silent for too long.
    UpstreamTimeout = "upstream_timeout", true;
    /// The answer ended with the process or the connection that carried it.
    Interrupted = "interrupted", true;
    /// The proxy is about to stop and takes no new work.
    Draining = "draining", true;
    /// A fault of the proxy itself; its log has more.
    Internal = "internal", true;
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for ErrorCode {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text).ok_or(())
    }
}

/// The data of `chat.error`, and the last event of an answer that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema), ts(optional_fields))]
pub struct ErrorData {
    /// What kind of failure it is.
    pub code: ErrorCode,
    /// One or two sentences for a person, with the next step in them.
    pub message: String,
    /// Whether the same request can succeed later.
    pub retryable: bool,
    /// How long to wait before that, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(type = "number"))]
    pub retry_after_ms: Option<u64>,
    /// The answer that failed, where one had begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// The number of this event, where an answer had begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(type = "number"))]
    pub seq: Option<u64>,
    /// What the failed answer used, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
}

impl ErrorData {
    /// An error about a request, with the code's own word on whether to retry.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            retryable: code.is_retryable(),
            retry_after_ms: None,
            message_id: None,
            seq: None,
            usage: None,
        }
    }
}
