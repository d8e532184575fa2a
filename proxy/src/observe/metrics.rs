//! Metrics for Prometheus. Labels have few values, all of them known beforehand: never a person, a session or an organisation.
//!
//! Everything is counted once for an answer, a call or a connection; nothing for a token. Where no recorder is installed, counting does
//! nothing.

use std::{sync::OnceLock, time::Duration};

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use protocol::{ErrorCode, ToolUse};

use crate::store::{Call, CallOutcome};

/// The upper bounds of the buckets of times of answers and calls, in seconds.
pub const ANSWER_BUCKETS: [f64; 13] = [0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0];

/// The upper bounds of the buckets of times of the store, in seconds.
pub const STORE_BUCKETS: [f64; 11] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];

/// How often figures that nobody asks for are added up, so that they do not pile up.
pub const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

const MILLI: f64 = 1e-3;

const TURNS: &str = "outcrop_turns_total";
const TURN_SECONDS: &str = "outcrop_turn_seconds";
const TURNS_RUNNING: &str = "outcrop_turns_running";
const ERRORS: &str = "outcrop_errors_total";
const CALLS: &str = "outcrop_upstream_calls_total";
const RETRIES: &str = "outcrop_upstream_retries_total";
const CALL_SECONDS: &str = "outcrop_upstream_call_seconds";
const FIRST_TOKEN_SECONDS: &str = "outcrop_time_to_first_token_seconds";
const TOKENS: &str = "outcrop_tokens_total";
const TOOL_CALLS: &str = "outcrop_tool_calls_total";
const TOOL_SECONDS: &str = "outcrop_tool_call_seconds";
const COST: &str = "outcrop_cost_nanodollars_total";
const UNPRICED: &str = "outcrop_unpriced_calls_total";
const CALLS_RUNNING: &str = "outcrop_upstream_calls_running";
const CALLS_WAITING: &str = "outcrop_upstream_calls_waiting";
const CONNECTIONS: &str = "outcrop_connections_total";
const REFUSED: &str = "outcrop_connections_refused_total";
const SOCKETS: &str = "outcrop_sockets_open";
const STORE_SECONDS: &str = "outcrop_store_operation_seconds";
const STORE_ERRORS: &str = "outcrop_store_errors_total";
const PANICS: &str = "outcrop_panics_total";
const AUDIT_RECORDS: &str = "outcrop_audit_records_total";
const AUDIT_LOST: &str = "outcrop_audit_records_lost_total";
const AUDIT_FAILURES: &str = "outcrop_audit_write_failures_total";

/// Every counter without labels, and what it counts. They are on the page from the start.
const PLAIN_COUNTERS: [(&str, &str); 6] = [
    (CONNECTIONS, "WebSockets that were opened."),
    (UNPRICED, "Calls of models without a price: they cost something, and are not in the cost."),
    (PANICS, "Panics. Each ended one task; anything but 0 is a fault of the proxy's to report."),
    (AUDIT_RECORDS, "Records written to the audit log."),
    (AUDIT_LOST, "Records missing in the audit log."),
    (AUDIT_FAILURES, "Tries to write the audit log that failed."),
];

const COUNTERS: [(&str, &str); 9] = [
    (TURNS, "Answers that have ended, by outcome: complete, cancelled, or the code of an error."),
    (ERRORS, "Errors that clients were told, by code."),
    (CALLS, "Calls of models, by model and outcome."),
    (RETRIES, "Calls of models after one for the same answer that failed."),
    (TOOL_CALLS, "Calls of tools, by server and outcome."),
    (TOKENS, "Tokens, by model and kind: input, output, cache_read, cache_write."),
    (COST, "What calls cost, in billionths of a US dollar, by model."),
    (REFUSED, "WebSockets that were refused, by HTTP status."),
    (STORE_ERRORS, "Operations of the store that failed, by operation."),
];

const HISTOGRAMS: [(&str, &str); 5] = [
    (TURN_SECONDS, "How long answers took."),
    (CALL_SECONDS, "How long calls of models took, by model."),
    (FIRST_TOKEN_SECONDS, "How long calls of models took to bring the first content, by model."),
    (TOOL_SECONDS, "How long calls of tools took, by server."),
    (STORE_SECONDS, "How long operations of the store took, by operation."),
];

const GAUGES: [(&str, &str); 4] = [
    (SOCKETS, "WebSockets that are open."),
    (TURNS_RUNNING, "Answers under way."),
    (CALLS_RUNNING, "Calls of models under way."),
    (CALLS_WAITING, "Calls of models that wait for their turn in the line."),
];

/// The page, once metrics are on. They belong to the process.
static PAGE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Turns metrics on, if they are not; `None` where the process has a recorder of somebody else's.
pub fn install() -> Option<&'static PrometheusHandle> {
    PAGE.get_or_init(|| {
        let recorder = builder().ok()?.build_recorder();
        let handle = recorder.handle();
        metrics::set_global_recorder(recorder).ok()?;
        describe();
        Some(handle)
    })
    .as_ref()
}

fn builder() -> Result<PrometheusBuilder, BuildError> {
    let of_answers = [TURN_SECONDS, CALL_SECONDS, FIRST_TOKEN_SECONDS, TOOL_SECONDS];
    let builder =
        PrometheusBuilder::new().set_buckets_for_metric(Matcher::Full(STORE_SECONDS.to_owned()), &STORE_BUCKETS)?;
    of_answers.iter().try_fold(builder, |builder, name| {
        builder.set_buckets_for_metric(Matcher::Full((*name).to_owned()), &ANSWER_BUCKETS)
    })
}

fn describe() {
    for (name, text) in COUNTERS {
        describe_counter!(name, text);
    }
    for (name, text) in PLAIN_COUNTERS {
        describe_counter!(name, text);
        counter!(name).increment(0);
    }
    for (name, text) in HISTOGRAMS {
        describe_histogram!(name, Unit::Seconds, text);
    }
    for (name, text) in GAUGES {
        describe_gauge!(name, text);
    }
}

/// What is as it is at the moment.
#[derive(Debug, Clone, Copy)]
pub struct Levels {
    /// Open sockets.
    pub sockets: usize,
    /// Answers under way.
    pub turns: usize,
    /// Calls of models under way, and those that wait.
    pub calls: (usize, usize),
}

/// Takes note of how things are.
pub(super) fn levels(levels: Levels) {
    gauge!(SOCKETS).set(levels.sockets as f64);
    gauge!(TURNS_RUNNING).set(levels.turns as f64);
    let (running, waiting) = levels.calls;
    gauge!(CALLS_RUNNING).set(running as f64);
    gauge!(CALLS_WAITING).set(waiting as f64);
}

/// An answer has ended.
pub(crate) fn turn(outcome: CallOutcome, took: Duration) {
    counter!(TURNS, "outcome" => outcome.as_str()).increment(1);
    histogram!(TURN_SECONDS).record(took);
    if let CallOutcome::Failed(code) = outcome {
        error(code);
    }
}

/// A client is told of an error.
pub(crate) fn error(code: ErrorCode) {
    counter!(ERRORS, "code" => code.as_str()).increment(1);
}

/// The call of a tool has ended, or it was not called.
pub(super) fn tool(call: &ToolUse) {
    // Servers are those of the operator's file.
    let server = || call.server.clone().unwrap_or_default();
    counter!(TOOL_CALLS, "server" => server(), "outcome" => call.status.as_str()).increment(1);
    if let Some(ms) = call.duration_ms {
        histogram!(TOOL_SECONDS, "server" => server()).record(ms as f64 * MILLI);
    }
}

/// A call was settled; `is_retry` where the one before it for the same answer had failed.
pub(super) fn call(call: &Call, is_retry: bool) {
    let Call { usage, .. } = call;
    // Models are those of the settings.
    let model = || call.model.clone();
    counter!(CALLS, "model" => model(), "outcome" => call.outcome.as_str()).increment(1);
    if is_retry {
        counter!(RETRIES, "model" => model()).increment(1);
    }
    for (kind, tokens) in [
        ("input", usage.input_tokens),
        ("output", usage.output_tokens),
        ("cache_read", usage.cache_read_input_tokens),
        ("cache_write", usage.cache_write_input_tokens),
    ] {
        counter!(TOKENS, "model" => model(), "kind" => kind).increment(tokens);
    }
    match usage.cost_nano_usd {
        Some(cost) => counter!(COST, "model" => model()).increment(cost),
        None => counter!(UNPRICED).increment(1),
    }
    // Of a call whose process has ended nobody knows how long it took.
    if call.duration_ms > 0 {
        histogram!(CALL_SECONDS, "model" => model()).record(call.duration_ms as f64 * MILLI);
    }
    if let Some(ms) = call.first_token_ms {
        histogram!(FIRST_TOKEN_SECONDS, "model" => model()).record(ms as f64 * MILLI);
    }
}

/// A WebSocket was opened.
pub(super) fn connection() {
    counter!(CONNECTIONS).increment(1);
}

/// A WebSocket was refused with this status.
pub(super) fn connection_refused(status: u16) {
    counter!(REFUSED, "status" => status.to_string()).increment(1);
}

/// The store has done something.
pub(super) fn store(operation: &'static str, took: Duration, failed: bool) {
    histogram!(STORE_SECONDS, "operation" => operation).record(took);
    if failed {
        counter!(STORE_ERRORS, "operation" => operation).increment(1);
    }
}

/// A task panicked.
pub(super) fn panicked() {
    counter!(PANICS).increment(1);
}

pub(super) fn audit_written() {
    counter!(AUDIT_RECORDS).increment(1);
}

pub(super) fn audit_write_failed() {
    counter!(AUDIT_FAILURES).increment(1);
}

pub(super) fn audit_lost(records: u64) {
    counter!(AUDIT_LOST).increment(records);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_documentation_has_every_metric_and_no_other() {
        let page = include_str!("../../../docs/observability.md");
        let documented: BTreeSet<_> = page
            .lines()
            .filter_map(|line| line.strip_prefix("| `outcrop_")?.split_once('`'))
            .map(|(name, _)| name)
            .collect();
        let all = COUNTERS.iter().chain(&PLAIN_COUNTERS).chain(&HISTOGRAMS).chain(&GAUGES);
        let known: BTreeSet<_> = all.filter_map(|(name, _)| name.strip_prefix("outcrop_")).collect();
        assert_eq!(documented, known);
    }
}
