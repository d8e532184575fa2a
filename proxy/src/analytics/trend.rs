//! `usage_trend`.

use std::collections::{BTreeMap, HashMap};

use protocol::{client::GroupBy, server::UsageSum};
use rmcp::model::JsonObject;
use serde::Serialize;

use super::{
    Analytics, Caller,
    arguments::Trend,
    days::{Day, Days},
    failure::Failure,
    figures::{Entry, Figures, Head, Listed, MAX_ROWS, Others, Row, dollars, notes, rows, total},
    read,
};
use crate::ledger::report::ReportRow;

/// How usage goes up or down.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    #[serde(flatten)]
    head: Head,
    this: Stretch,
    before: Stretch,
    change_percent: Change,
    notes: Vec<String>,
    rows: Vec<Row>,
    #[serde(skip_serializing_if = "Option::is_none")]
    others: Option<Others>,
}

/// Some days together.
#[derive(Debug, Serialize)]
struct Stretch {
    from: Day,
    to: Day,
    days: u64,
    total: Figures,
    /// Rounded down to a nano-dollar and a token.
    average_per_day: Average,
}

#[derive(Debug, Serialize)]
struct Average {
    cost_usd: Option<String>,
    total_tokens: u64,
}

/// From what was before to what is now, to a tenth; none where there was nothing before, or where it is unknown.
#[derive(Debug, PartialEq, Serialize)]
struct Change {
    cost_usd: Option<f64>,
    total_tokens: Option<f64>,
    answers: Option<f64>,
}

impl Analytics {
    pub(super) async fn usage_trend(&self, arguments: JsonObject, caller: &Caller) -> Result<Answer, Failure> {
        let asked: Trend = read(arguments)?;
        let today = self.today();
        let days = asked.days(today)?;
        let too_early =
            || Failure::Arguments("There are not as many days before these: choose a later from.".to_owned());
        let before = days.before().ok_or_else(too_early)?;
        let scope = asked.scope.unwrap_or(caller.scope());
        let both = Days { first: before.first, last: days.last };
        let report = self.report(caller, scope, both, GroupBy::Day).await?;
        let of_day = |row: &ReportRow| {
            let day = Day::try_from(row.keys.first().cloned().unwrap_or_default()).ok()?;
            Some((day, row.sum.clone()))
        };
        let by_day: HashMap<Day, UsageSum> = report.rows.iter().filter_map(of_day).collect();
        let of = |days: Days| total(by_day.iter().filter(|(day, _)| days.has(**day)).map(|(_, sum)| sum));
        let (now, then) = (of(days), of(before));
        let entry = |day: Day| -> Entry {
            let sum = by_day.get(&day).cloned().unwrap_or_else(|| total([]));
            (BTreeMap::from([("day", day.to_string())]), sum)
        };
        let entries: Vec<_> = days.iter().map(entry).collect();
        let (rows, others) = rows(&entries, MAX_ROWS, Listed::Last);
        let mut notes = notes(&now, rows.len(), others.as_ref(), "days, the latest,");
        if then.unpriced_calls > 0 {
            notes.push(format!(
                "Before, {} of {} calls went to models without a price.",
                then.unpriced_calls, then.calls
            ));
        }
        if days.has(today) {
            notes.push("Today is not over: it counts as a whole day in averages and changes.".to_owned());
        }
        Ok(Answer {
            head: Head::new(today, caller, scope, days),
            change_percent: Change {
                cost_usd: change(then.usage.cost_nano_usd, now.usage.cost_nano_usd),
                total_tokens: change(Some(then.usage.total_tokens), Some(now.usage.total_tokens)),
                answers: change(Some(then.turns), Some(now.turns)),
            },
            this: stretch(days, &now),
            before: stretch(before, &then),
            notes,
            rows,
            others,
        })
    }
}

fn stretch(days: Days, sum: &UsageSum) -> Stretch {
    let count = days.count();
    let average_per_day = Average {
        cost_usd: sum.usage.cost_nano_usd.map(|cost| dollars(cost / count)),
        total_tokens: sum.usage.total_tokens / count,
    };
    Stretch { from: days.first, to: days.last, days: count, total: sum.into(), average_per_day }
}

/// By how many percent `now` is more than `then`, to a tenth.
fn change(then: Option<u64>, now: Option<u64>) -> Option<f64> {
    let (then, now) = (i128::from(then.filter(|then| *then > 0)?), i128::from(now?));
    let tenths = ((now - then) * 2_000 + then * (now - then).signum()) / (then * 2);
    Some(tenths as f64 / 10.0)
}

#[cfg(test)]
mod tests {
    use super::change;

    #[test]
    fn a_change_is_rounded_to_a_tenth_of_a_percent_and_there_is_none_from_nothing() {
        for (then, now, expected) in [
            (Some(100), Some(150), Some(50.0)),
            (Some(3), Some(4), Some(33.3)),
            (Some(3), Some(5), Some(66.7)),
            (Some(3), Some(1), Some(-66.7)),
            (Some(7), Some(7), Some(0.0)),
            (Some(7), Some(0), Some(-100.0)),
            (Some(u64::MAX), Some(u64::MAX), Some(0.0)),
            (Some(0), Some(5), None),
            (None, Some(5), None),
            (Some(5), None, None),
        ] {
            assert_eq!(change(then, now), expected, "{then:?} {now:?}");
        }
    }
}
