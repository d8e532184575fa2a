//! What went wrong with a server, in words, and whether a request may have had an effect.

use rmcp::{
    service::{ClientInitializeError, ServiceError},
    transport::{DynamicTransportError, streamable_http_client::StreamableHttpError},
};

use crate::{content::cut, http::HttpError};

/// The most of a server's words in a reason.
const MAX_REASON_BYTES: usize = 300;

/// Why a request had no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The server forgot the session, and did nothing. A new one can be had at once.
    SessionExpired,
    /// The request surely had no effect.
    WithoutEffect(String),
    /// The request may have been carried out.
    Lost(String),
    /// The server answered with an error of its own: its code and its words.
    Answered(i32, String),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::SessionExpired => f.write_str("it forgot the session (HTTP 404)"),
            Self::WithoutEffect(reason) | Self::Lost(reason) => f.write_str(reason),
            Self::Answered(code, words) => write!(f, "it answered with error {code}: {words}"),
        }
    }
}

/// A failed request.
pub(crate) fn of_request(error: ServiceError) -> Failure {
    match error {
        ServiceError::McpError(error) => Failure::Answered(error.code.0, words(&error.message)),
        ServiceError::TransportSend(error) => of_transport(&error),
        ServiceError::TransportClosed => Failure::Lost("the connection to it ended".into()),
        error => Failure::Lost(words(&error.to_string())),
    }
}

/// A failed handshake.
pub(crate) fn of_initialize(error: &ClientInitializeError) -> String {
    match error {
        ClientInitializeError::TransportError { error, .. } => of_transport(error).to_string(),
        ClientInitializeError::JsonRpcError(error) => format!("it refused the handshake: {}", words(&error.message)),
        error => words(&error.to_string()),
    }
}

fn of_transport(error: &DynamicTransportError) -> Failure {
    match error.error.downcast_ref::<StreamableHttpError<HttpError>>() {
        Some(StreamableHttpError::SessionExpired) => Failure::SessionExpired,
        Some(StreamableHttpError::Client(error)) if error.is_without_effect() => {
            Failure::WithoutEffect(error.to_string())
        }
        Some(StreamableHttpError::Client(error)) => Failure::Lost(error.to_string()),
        Some(StreamableHttpError::UnexpectedServerResponse(what)) => Failure::Lost(words(what)),
        Some(error) => Failure::Lost(words(&error.to_string())),
        // Half a line is no message: what could not be written whole was not understood.
        None => Failure::WithoutEffect(format!("it takes no more messages: {}", words(&error.error.to_string()))),
    }
}

/// What a server says, for a log or a model: bounded, on one line.
fn words(text: &str) -> String {
    cut(text, MAX_REASON_BYTES).chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}
