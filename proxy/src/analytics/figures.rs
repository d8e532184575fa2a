//! Figures as models read them: named plainly, money in dollars to the last digit, at most so many rows.

use std::collections::BTreeMap;

use protocol::{client::UsageScope, price::usd, server::UsageSum};
use serde::Serialize;

use super::{
    Caller,
    days::{Day, Days},
};

/// The most rows that are listed; the others are summed.
pub(super) const MAX_ROWS: usize = 100;

/// The most bytes of listed rows, written as JSON: a row with long names takes more.
pub(super) const MAX_ROWS_BYTES: usize = 24 * 1024;

/// What some calls of models used. Counts that are seldom anything but 0 are left out where they are.
#[derive(Debug, Serialize)]
pub(super) struct Figures {
    /// Exact; none where it is unknown.
    cost_usd: Option<String>,
    answers: u64,
    calls: u64,
    #[serde(skip_serializing_if = "is_zero")]
    tool_calls: u64,
    input_tokens: u64,
    output_tokens: u64,
    #[serde(skip_serializing_if = "is_zero")]
    cache_read_tokens: u64,
    #[serde(skip_serializing_if = "is_zero")]
    cache_write_tokens: u64,
    total_tokens: u64,
    #[serde(skip_serializing_if = "is_zero")]
    calls_without_price: u64,
    #[serde(skip_serializing_if = "is_zero")]
    estimated_calls: u64,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

impl From<&UsageSum> for Figures {
    fn from(sum: &UsageSum) -> Self {
        let usage = &sum.usage;
        Self {
            cost_usd: usage.cost_nano_usd.map(dollars),
            answers: sum.turns,
            calls: sum.calls,
            tool_calls: sum.tool_calls,
            input_tokens: usage.input_tokens,
            output_tokens: usage.output_tokens,
            cache_read_tokens: usage.cache_read_input_tokens,
            cache_write_tokens: usage.cache_write_input_tokens,
            total_tokens: usage.total_tokens,
            calls_without_price: sum.unpriced_calls,
            estimated_calls: sum.estimated_calls,
        }
    }
}

/// Nano-dollars as dollars, exactly: `0.0024`.
pub(super) fn dollars(nano_usd: u64) -> String {
    usd(nano_usd).trim_start_matches('$').to_owned()
}

/// The sum of `sums`. An answer that is in several of them counts in each.
pub(super) fn total<'a>(sums: impl IntoIterator<Item = &'a UsageSum>) -> UsageSum {
    let mut total = UsageSum::default();
    for sum in sums {
        total.turns += sum.turns;
        total.calls += sum.calls;
        total.estimated_calls += sum.estimated_calls;
        total.unpriced_calls += sum.unpriced_calls;
        total.tool_calls += sum.tool_calls;
        total.usage.add(&sum.usage);
    }
    if total.calls == 0 {
        total.usage.cost_nano_usd = Some(0);
    }
    total
}

/// One row of an answer: what it is of, and the figures.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    #[serde(flatten)]
    pub(super) of: BTreeMap<&'static str, String>,
    #[serde(flatten)]
    pub(super) figures: Figures,
}

/// The rows that are not listed, summed.
#[derive(Debug, Serialize)]
pub(super) struct Others {
    rows: usize,
    #[serde(flatten)]
    figures: Figures,
}

/// Which rows are listed where there are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listed {
    First,
    Last,
}

/// What a row is of, and its sum.
pub(super) type Entry = (BTreeMap<&'static str, String>, UsageSum);

/// At most `most` of `entries` as rows, and the others summed.
pub(super) fn rows(entries: &[Entry], most: usize, listed: Listed) -> (Vec<Row>, Option<Others>) {
    let row = |(of, sum): &Entry| Row { of: of.clone(), figures: sum.into() };
    let mut bytes = 0;
    let fits = |row: &Row| {
        bytes += serde_json::to_vec(row).map_or(MAX_ROWS_BYTES, |json| json.len() + 1);
        bytes <= MAX_ROWS_BYTES
    };
    let most = most.min(MAX_ROWS);
    let (rows, left) = match listed {
        Listed::First => {
            let rows: Vec<_> = entries.iter().take(most).map(row).take_while(fits).collect();
            let left = &entries[rows.len()..];
            (rows, left)
        }
        Listed::Last => {
            let mut rows: Vec<_> = entries.iter().rev().take(most).map(row).take_while(fits).collect();
            rows.reverse();
            let left = &entries[..entries.len() - rows.len()];
            (rows, left)
        }
    };
    let others = || Others { rows: left.len(), figures: (&total(left.iter().map(|(_, sum)| sum))).into() };
    (rows, (!left.is_empty()).then(others))
}

/// What every answer says first.
#[derive(Debug, Serialize)]
pub(super) struct Head {
    today: Day,
    scope: UsageScope,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    from: Day,
    to: Day,
}

impl Head {
    pub(super) fn new(today: Day, caller: &Caller, scope: UsageScope, days: Days) -> Self {
        Self {
            today,
            scope,
            organization: (scope != UsageScope::All).then(|| caller.organization.clone()),
            user: (scope == UsageScope::Own).then(|| caller.user.clone()),
            from: days.first,
            to: days.last,
        }
    }
}

/// What is to be said with such a total, of which not all rows may be listed.
pub(super) fn notes(total: &UsageSum, listed: usize, others: Option<&Others>, what: &str) -> Vec<String> {
    let mut notes = Vec::new();
    let UsageSum { calls, unpriced_calls, estimated_calls, .. } = total;
    if *calls == 0 {
        notes.push("Nothing was used in this range.".to_owned());
    }
    if *unpriced_calls > 0 {
        notes.push(format!("{unpriced_calls} of {calls} calls went to models without a price; costs leave them out."));
    }
    if *estimated_calls > 0 {
        notes.push(format!("The tokens and cost of {estimated_calls} of {calls} calls are estimates."));
    }
    if let Some(Others { rows, .. }) = others {
        notes.push(format!("{listed} {what} are listed; \"others\" is the sum of the {rows} that are not."));
    }
    notes
}
