//! The log of the proxy, on standard error.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, filter::ParseError, fmt};

use crate::settings::{LogFormat, Observability};

/// Begins to log.
///
/// # Errors
/// A filter that is none.
pub fn init(settings: &Observability) -> Result<(), ParseError> {
    let filter = EnvFilter::try_new(&settings.log)?;
    let log = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match settings.log_format {
        LogFormat::Text => log.with_ansi(std::io::stderr().is_terminal()).init(),
        // A line stands for itself: what it has of its request is in its span.
        LogFormat::Json => log.json().with_current_span(true).with_span_list(false).init(),
    }
    Ok(())
}
