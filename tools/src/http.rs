//! The way to a server on the network: addresses are checked and then used as they were checked, redirects are not followed,
//! bodies are bounded, and no proxy of the environment is asked.

mod client;
mod events;
mod resolve;

use std::io;

pub(crate) use self::client::HttpClient;
pub use self::resolve::{Resolver, Resolving, SystemResolver};

/// The longest message that is read, in bytes. Also of children.
pub(crate) const MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;
/// The most that is shown of what a server said of an error.
const MAX_REASON_BYTES: usize = 256;

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    /// The address may not be connected to, or nobody is there. Nothing was sent.
    #[error("{0}")]
    Unreachable(String),
    /// There are no certificates to check the server's by.
    #[error("this machine has no CA certificates to check the server's by ({0}); install the package ca-certificates")]
    Certificates(io::Error),
    /// The server wants the request elsewhere.
    #[error("it answered with a redirect (HTTP {0}), which is not followed; set \"url\" to where it leads")]
    Redirect(u16),
    /// The server refused.
    #[error("it answered with HTTP {status}{}", advice(*status))]
    Status {
        /// The status.
        status: u16,
    },
    /// The connection broke, at whatever point.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// More came than is read.
    #[error("it answered with more than {MAX_MESSAGE_BYTES} bytes")]
    TooLarge,
}

fn advice(status: u16) -> &'static str {
    match status {
        401 | 403 => "; it wants to know who asks: put a token that it takes into \"headers\"",
        404 | 405 => "; is \"url\" that of its MCP endpoint?",
        _ => "",
    }
}

impl HttpError {
    /// Whether the request surely had no effect: it was not sent, or refused as such.
    pub(crate) fn is_without_effect(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Certificates(_) => true,
            Self::Status { status } => matches!(status, 400 | 401 | 403 | 404 | 405 | 406 | 413 | 415 | 429),
            Self::Redirect(_) | Self::Broken(_) | Self::TooLarge => false,
        }
    }
}

/// The end of a chain of errors is what happened.
fn last_of(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    crate::content::cut(&last.to_string(), MAX_REASON_BYTES).to_owned()
}
