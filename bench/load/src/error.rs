//! Why a measurement has no result.

use std::time::Duration;

/// A run that failed. Nothing is measured of a server that answers wrongly.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("WebSocket: {0}")]
    WebSocket(#[from] tokio_tungstenite::tungstenite::Error),
    #[error("HTTP: {0}")]
    Http(#[from] hyper::Error),
    #[error("not a frame of the protocol: {0}")]
    Json(#[from] serde_json::Error),
    #[error("{0}")]
    Unexpected(String),
    #[error("the server sent an error: {0}")]
    Refused(String),
    #[error("the server closed the connection before the answer was whole")]
    Closed,
    #[error("{received} tokens came where {expected} were sent")]
    Tokens { received: u64, expected: u64 },
    #[error("not done after {} s", .0.as_secs())]
    TimedOut(Duration),
}

/// A failure that has no type of its own.
pub(crate) fn unexpected(text: impl Into<String>) -> LoadError {
    LoadError::Unexpected(text.into())
}
