//! Metrics for CloudWatch: lines in its embedded metric format, which whatever ships logs there turns into metrics.
//!
//! The format is a line of JSON for each call, with the figures as they are, and CloudWatch does all adding up; a metrics library
//! would add up here first, and needs to be told when to write.

use std::{
    collections::BTreeSet,
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use protocol::{Timestamp, UsageSource};
use serde_json::{Map, Value, json};
use tracing::warn;

use super::alerts::{Alert, AlertKind};
use crate::store::{Call, CallOutcome};

/// The namespace of every metric.
pub const NAMESPACE: &str = "Outcrop";

/// Every metric, and its unit.
pub const METRICS: [(&str, &str); 12] = [
    ("Invocations", "Count"),
    ("Errors", "Count"),
    ("InputTokens", "Count"),
    ("OutputTokens", "Count"),
    ("CacheReadTokens", "Count"),
    ("CostUSD", "None"),
    ("Latency", "Milliseconds"),
    ("TimeToFirstToken", "Milliseconds"),
    ("EstimatedCalls", "Count"),
    ("UnpricedCalls", "Count"),
    ("BudgetAlerts", "Count"),
    ("UnusualUsage", "Count"),
];

/// How many models, and how many organisations, a process has metrics of their own for: each costs money in CloudWatch.
pub const MAX_NAMES: usize = 100;

/// What those beyond [`MAX_NAMES`] are called.
pub const OTHER: &str = "other";

/// The longest name that CloudWatch takes, in characters.
const MAX_NAME_CHARS: usize = 1_024;

const NANO: f64 = 1e9;

/// Writes metrics.
#[derive(Debug)]
pub struct Metrics<W = io::Stdout> {
    out: Arc<Mutex<W>>,
    models: Names,
    organizations: Names,
}

impl<W: Write + Send + 'static> Metrics<W> {
    /// Metrics that are written to `out`.
    pub fn new(out: W) -> Self {
        Self { out: Arc::new(Mutex::new(out)), models: Names::default(), organizations: Names::default() }
    }

    /// Counts calls.
    pub(super) async fn count(&mut self, calls: &[Call], now: Timestamp) {
        let lines = calls.iter().map(|call| self.call(call, now)).collect();
        self.write(lines).await;
    }

    /// Counts an alert.
    pub(super) async fn alert(&mut self, alert: &Alert, now: Timestamp) {
        let metric = match alert.kind {
            AlertKind::Budget => "BudgetAlerts",
            AlertKind::Unusual => "UnusualUsage",
        };
        let organization = alert.organization.as_ref().map(|name| self.organizations.name(name));
        let names = organization.map(|name| ("Organization", name)).into_iter().collect();
        self.write(vec![line(now, names, vec![(metric, json!(1))])]).await;
    }

    fn call(&mut self, call: &Call, now: Timestamp) -> String {
        let Call { usage, .. } = call;
        let count = |is: bool| json!(u64::from(is));
        let mut figures = vec![
            ("Invocations", json!(1)),
            ("Errors", count(matches!(call.outcome, CallOutcome::Failed(_)))),
            ("InputTokens", json!(usage.input_tokens)),
            ("OutputTokens", json!(usage.output_tokens)),
            ("CacheReadTokens", json!(usage.cache_read_input_tokens)),
            ("EstimatedCalls", count(usage.source == UsageSource::Estimated)),
            ("UnpricedCalls", count(usage.cost_nano_usd.is_none())),
        ];
        // What is not known is left out, not 0.
        figures.extend(usage.cost_nano_usd.map(|cost| ("CostUSD", json!(cost as f64 / NANO))));
        figures.extend((call.duration_ms > 0).then(|| ("Latency", json!(call.duration_ms))));
        figures.extend(call.first_token_ms.map(|ms| ("TimeToFirstToken", json!(ms))));
        let model = self.models.name(&call.model);
        let organization = self.organizations.name(&call.owner.organization);
        line(now, vec![("Model", model), ("Organization", organization)], figures)
    }

    /// Writing may wait for whoever reads, so a thread for that does it.
    async fn write(&self, lines: Vec<String>) {
        let out = self.out.clone();
        let written = tokio::task::spawn_blocking(move || {
            let mut out = out.lock().unwrap_or_else(PoisonError::into_inner);
            out.write_all(lines.concat().as_bytes()).and_then(|()| out.flush())
        });
        if let Ok(Err(error)) = written.await {
            warn!(%error, "metrics cannot be written");
        }
    }
}

/// One line: the figures in all, and by each of the names.
fn line(now: Timestamp, names: Vec<(&str, String)>, figures: Vec<(&str, Value)>) -> String {
    let unit = |name: &str| METRICS.iter().find(|(known, _)| *known == name).map_or("None", |(_, unit)| *unit);
    let metrics: Vec<_> = figures.iter().map(|(name, _)| json!({ "Name": name, "Unit": unit(name) })).collect();
    let mut dimensions: Vec<Vec<&str>> = vec![Vec::new()];
    dimensions.extend(names.iter().map(|(name, _)| vec![*name]));
    let directive = json!({ "Namespace": NAMESPACE, "Dimensions": dimensions, "Metrics": metrics });
    let mut members = Map::new();
    members.insert("_aws".to_owned(), json!({ "Timestamp": now.unix_ms(), "CloudWatchMetrics": [directive] }));
    members.extend(names.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
    members.extend(figures.into_iter().map(|(name, value)| (name.to_owned(), value)));
    format!("{}\n", Value::Object(members))
}

/// The first [`MAX_NAMES`] names.
#[derive(Debug, Default)]
struct Names(BTreeSet<String>);

impl Names {
    /// `name` as CloudWatch takes it: printable ASCII, not blank and not too long. The others are [`OTHER`].
    fn name(&mut self, name: &str) -> String {
        let plain = |char: char| if char.is_ascii_graphic() || char == ' ' { char } else { '?' };
        let plain: String = name.chars().take(MAX_NAME_CHARS).map(plain).collect();
        let plain = plain.trim().trim_start_matches(':').to_owned();
        if plain.is_empty() || (!self.0.contains(&plain) && self.0.len() >= MAX_NAMES) {
            return OTHER.to_owned();
        }
        self.0.insert(plain.clone());
        plain
    }
}

#[cfg(test)]
mod tests;
