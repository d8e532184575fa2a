//! What was used: one pass over the ledger's calls, summed by whom or what one likes.

use std::{cmp::Ordering, collections::HashMap, time::Duration};

use protocol::{
    MessageId, Timestamp, UsageSource,
    client::GroupBy,
    server::{BudgetState, UsageResponse, UsageRow, UsageSum},
};

use crate::{
    principal::Owner,
    store::{Call, CallsOf, Store, StoreError},
};

/// The most rows of a report: a few megabytes.
pub const MAX_ROWS: usize = 10_000;

/// The longest time that one report is about: a year and a month more.
pub const MAX_RANGE: Duration = Duration::from_secs(400 * 86_400);

/// The time that a report is about where nobody says since when.
pub const DEFAULT_RANGE: Duration = Duration::from_secs(30 * 86_400);

/// What calls may be summed by, and its name.
pub const GROUPS: [(&str, GroupBy); 6] = [
    ("user", GroupBy::User),
    ("organization", GroupBy::Organization),
    ("session", GroupBy::Session),
    ("model", GroupBy::Model),
    ("day", GroupBy::Day),
    ("hour", GroupBy::Hour),
];

/// What is between the keys of a row that has several, where they travel as one.
const KEY_SEPARATOR: &str = " / ";

/// Why there is no report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// It would be longer than [`MAX_ROWS`].
    #[error("this makes more than {MAX_ROWS} rows: narrow the range, or sum by something coarser")]
    TooManyRows,
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What calls used, in rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// From this point on.
    pub from: Timestamp,
    /// Up to this point, itself left out.
    pub to: Timestamp,
    /// What the keys of each row are.
    pub by: Vec<GroupBy>,
    /// The rows: times in their order, of anything else the dearest first, and the first key before the second.
    pub rows: Vec<ReportRow>,
    /// The sum of all calls.
    pub total: UsageSum,
}

/// One row of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportRow {
    /// One for each of [`Report::by`].
    pub keys: Vec<String>,
    /// What its calls used.
    pub sum: UsageSum,
}

impl Report {
    /// Sums `of`'s calls by each of `by` together. Where several users or organisations may have what is summed by under the same
    /// name, theirs comes before it, so that nobody's usage is added to another's.
    ///
    /// # Errors
    /// [`ReportError`].
    pub async fn make(store: &dyn Store, of: &CallsOf, by: &[GroupBy]) -> Result<Self, ReportError> {
        let mut fold = Fold::new(unmistakable(by, of));
        let mut after = None;
        loop {
            let page = store.calls(of, after).await?;
            page.calls.iter().try_for_each(|call| fold.add(call))?;
            after = page.next;
            if after.is_none() {
                return Ok(fold.end(of));
            }
        }
    }

    /// The report as it travels, for somebody for whom `budgets` hold.
    pub fn into_response(self, budgets: Vec<BudgetState>) -> UsageResponse {
        let row = |row: ReportRow| UsageRow { key: row.keys.join(KEY_SEPARATOR), sum: row.sum };
        let Self { from, to, rows, total, .. } = self;
        UsageResponse { from, to, rows: rows.into_iter().map(row).collect(), total, budgets }
    }
}

/// What time a report is about that was asked for with `from` and `to` at `now`.
///
/// # Errors
/// A sentence for a person where the time is empty or longer than [`MAX_RANGE`].
pub fn range(
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    now: Timestamp,
) -> Result<(Timestamp, Timestamp), &'static str> {
    // What was asked for in this very millisecond is there too.
    let to = to.unwrap_or(Timestamp::from_unix_ms(now.unix_ms() + 1));
    let default = to.unix_ms().saturating_sub(DEFAULT_RANGE.as_millis() as u64);
    let from = from.unwrap_or(Timestamp::from_unix_ms(default));
    if from >= to {
        return Err("The range is empty: choose a from that is before to.");
    }
    if u128::from(to.unix_ms() - from.unix_ms()) > MAX_RANGE.as_millis() {
        return Err("The range is longer than 400 days: ask for a part of it at a time.");
    }
    Ok((from, to))
}

/// What is to be summed by, each once, with the owners that tell rows of the same name apart.
fn unmistakable(by: &[GroupBy], of: &CallsOf) -> Vec<GroupBy> {
    let mut all = Vec::new();
    let one_organization = of.organization.is_some();
    let one_user = one_organization && of.user.is_some();
    for group in by {
        let owners: &[GroupBy] = match group {
            GroupBy::User if !one_organization => &[GroupBy::Organization],
            GroupBy::Session if !one_organization => &[GroupBy::Organization, GroupBy::User],
            GroupBy::Session if !one_user => &[GroupBy::User],
            _ => &[],
        };
        for owner in owners {
            if !by.contains(owner) && !all.contains(owner) {
                all.push(*owner);
            }
        }
        if !all.contains(group) {
            all.push(*group);
        }
    }
    all
}

fn key(by: GroupBy, call: &Call) -> String {
    match by {
        GroupBy::User => call.owner.user.to_string(),
        GroupBy::Organization => call.owner.organization.to_string(),
        GroupBy::Session => call.session.to_string(),
        GroupBy::Model => call.model.clone(),
        GroupBy::Day => call.asked.to_string()[..10].to_owned(),
        GroupBy::Hour => format!("{}:00Z", &call.asked.to_string()[..13]),
    }
}

fn is_time(by: GroupBy) -> bool {
    matches!(by, GroupBy::Day | GroupBy::Hour)
}

/// A report while calls are added to it, those of one answer after each other.
struct Fold {
    by: Vec<GroupBy>,
    rows: HashMap<Vec<String>, UsageSum>,
    total: UsageSum,
    /// The answer whose calls come, and the rows it is counted in.
    answer: Option<(Owner, MessageId)>,
    counted: Vec<Vec<String>>,
}

impl Fold {
    fn new(by: Vec<GroupBy>) -> Self {
        Self { by, rows: HashMap::new(), total: UsageSum::default(), answer: None, counted: Vec::new() }
    }

    fn add(&mut self, call: &Call) -> Result<(), ReportError> {
        let keys: Vec<_> = self.by.iter().map(|by| key(*by, call)).collect();
        if self.rows.len() >= MAX_ROWS && !self.rows.contains_key(&keys) {
            return Err(ReportError::TooManyRows);
        }
        let goes_on = self.answer.as_ref().is_some_and(|(owner, id)| *owner == call.owner && *id == call.message);
        if !goes_on {
            self.answer = Some((call.owner.clone(), call.message.clone()));
            self.counted.clear();
            self.total.turns += 1;
        }
        let row = self.rows.entry(keys.clone()).or_default();
        if !self.counted.contains(&keys) {
            row.turns += 1;
            self.counted.push(keys);
        }
        add(row, call);
        add(&mut self.total, call);
        Ok(())
    }

    fn end(self, of: &CallsOf) -> Report {
        let Self { by, rows, mut total, .. } = self;
        if total.calls == 0 {
            total.usage.cost_nano_usd = Some(0);
        }
        let rows = rows.into_iter().map(|(keys, sum)| ReportRow { keys, sum }).collect();
        Report { from: of.from, to: of.to, rows: in_order(rows, &by), by, total }
    }
}

/// Adds what `call` used to `sum`.
fn add(sum: &mut UsageSum, call: &Call) {
    sum.calls += 1;
    sum.estimated_calls += u64::from(call.usage.source == UsageSource::Estimated);
    sum.unpriced_calls += u64::from(call.usage.cost_nano_usd.is_none());
    sum.tool_calls += call.tools.len() as u64;
    sum.usage.add(&call.usage);
}

fn in_order(mut rows: Vec<ReportRow>, by: &[GroupBy]) -> Vec<ReportRow> {
    // What all rows together cost that begin with the same keys.
    let mut costs: HashMap<Vec<String>, u64> = HashMap::new();
    for ReportRow { keys, sum } in &rows {
        for depth in 1..=keys.len() {
            *costs.entry(keys[..depth].to_vec()).or_default() += sum.usage.cost_nano_usd.unwrap_or(0);
        }
    }
    let compare = |n: usize, a: &[String], b: &[String]| {
        let by_key = a[n].cmp(&b[n]);
        if is_time(by[n]) { by_key } else { costs[&b[..=n]].cmp(&costs[&a[..=n]]).then(by_key) }
    };
    rows.sort_by(|a, b| {
        let mut orders = (0..by.len()).map(|n| compare(n, &a.keys, &b.keys));
        orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    });
    rows
}

#[cfg(test)]
mod tests;
