//! What can be seen of the proxy from outside: its log, the audit log, metrics, traces.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, ValueEnum};

use super::endpoint;

/// The smallest file of the audit log, in bytes.
pub const MIN_AUDIT_LOG_BYTES: u64 = 4_096;

/// What the log is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// A line for people.
    Text,
    /// An object of JSON in each line.
    Json,
}

/// Whether something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// It is.
    On,
    /// It is not.
    Off,
}

/// What becomes of messages that the audit log cannot tell of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnAuditFailure {
    /// They are answered; records that are lost are counted.
    Continue,
    /// They are refused until the audit log can be written again.
    Refuse,
}

/// What can be seen of the proxy from outside.
#[derive(Debug, Args)]
pub struct Observability {
    /// What is logged: "info", "warn", or "outcrop_proxy=debug" for a line with each answer.
    #[arg(
        long,
        env = "OUTCROP_LOG",
        default_value = "info,rmcp=warn,aws_config::imds=error",
        value_name = "FILTER",
        help_heading = "Observability"
    )]
    pub log: String,
    /// What the log is written as, on standard error: lines for people, or JSON.
    #[arg(
        long,
        env = "OUTCROP_LOG_FORMAT",
        value_enum,
        default_value = "text",
        value_name = "FORMAT",
        help_heading = "Observability"
    )]
    pub log_format: LogFormat,
    /// The file of the audit log: a line of JSON for each connection, model call, refusal and act of an administrator. There is none if
    /// not set.
    #[arg(long, env = "OUTCROP_AUDIT_LOG", value_name = "FILE", help_heading = "Observability")]
    pub audit_log: Option<PathBuf>,
    /// How large the file may be, in bytes, before the next one is begun.
    #[arg(long, env = "OUTCROP_AUDIT_LOG_BYTES", default_value_t = 64 * 1024 * 1024, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(MIN_AUDIT_LOG_BYTES..), help_heading = "Observability")]
    pub audit_log_bytes: u64,
    /// How many files there are at most, FILE and FILE.1 upwards; the oldest is removed.
    #[arg(long, env = "OUTCROP_AUDIT_LOG_FILES", default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=1_000), help_heading = "Observability")]
    pub audit_log_files: u32,
    /// Whether the audit log has what people asked and what they were answered, too.
    #[arg(
        long,
        env = "OUTCROP_AUDIT_TEXT",
        value_enum,
        default_value = "off",
        value_name = "WHETHER",
        help_heading = "Observability"
    )]
    pub audit_text: Switch,
    /// What becomes of messages while the audit log cannot be written: they are answered and what is lost is counted, or they are
    /// refused.
    #[arg(
        long,
        env = "OUTCROP_AUDIT_ON_FAILURE",
        value_enum,
        default_value = "continue",
        value_name = "WHAT",
        help_heading = "Observability"
    )]
    pub audit_on_failure: OnAuditFailure,
    /// Where Prometheus finds metrics, at /metrics: such as 127.0.0.1:9464. They are off if not set. Whoever can reach the address can
    /// read them.
    #[arg(long, env = "OUTCROP_METRICS_LISTEN", value_name = "ADDR:PORT", help_heading = "Observability")]
    pub metrics_listen: Option<SocketAddr>,
    /// The collector that traces are sent to, by OTLP over HTTP: such as http://127.0.0.1:4318. OTEL_EXPORTER_OTLP_ENDPOINT counts where
    /// it is not set; without both there are none.
    #[arg(long, env = "OUTCROP_OTLP_ENDPOINT", value_name = "URL", value_parser = endpoint, help_heading = "Observability")]
    pub otlp_endpoint: Option<String>,
}
