//! `usage_summary` and `top_users`.

use std::cmp::Reverse;

use protocol::{
    client::{GroupBy, UsageScope},
    server::PrincipalRole,
};
use rmcp::model::JsonObject;
use serde::Serialize;

use super::{
    Analytics, Caller,
    arguments::{Summary, Top},
    failure::Failure,
    figures::{Entry, Figures, Head, Listed, MAX_ROWS, Others, Row, notes, rows},
    read,
};
use crate::ledger::{Report, query::group_name};

/// What was used, in rows.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    #[serde(flatten)]
    head: Head,
    group_by: &'static str,
    total: Figures,
    notes: Vec<String>,
    rows: Vec<Row>,
    #[serde(skip_serializing_if = "Option::is_none")]
    others: Option<Others>,
}

impl Analytics {
    pub(super) async fn usage_summary(&self, arguments: JsonObject, caller: &Caller) -> Result<Answer, Failure> {
        let asked: Summary = read(arguments)?;
        let today = self.today();
        let days = asked.days(today)?;
        let scope = asked.scope.unwrap_or(caller.scope());
        let by = asked.group_by.unwrap_or(GroupBy::Day);
        let report = self.report(caller, scope, days, by).await?;
        let (listed, what) = match by {
            GroupBy::Day | GroupBy::Hour => (Listed::Last, "rows, the latest,"),
            _ => (Listed::First, "rows, the dearest,"),
        };
        let (rows, others) = rows(&entries(&report), MAX_ROWS, listed);
        Ok(Answer {
            head: Head::new(today, caller, scope, days),
            group_by: group_name(by),
            total: (&report.total).into(),
            notes: notes(&report.total, rows.len(), others.as_ref(), what),
            rows,
            others,
        })
    }

    pub(super) async fn top_users(&self, arguments: JsonObject, caller: &Caller) -> Result<Answer, Failure> {
        let asked: Top = read(arguments)?;
        let limit = asked.limit()?;
        let today = self.today();
        let days = asked.days(today)?;
        let scope = asked.scope.unwrap_or(caller.scope());
        let report = self.report(caller, scope, days, GroupBy::User).await?;
        let mut entries = entries(&report);
        // Whose cost is unknown comes after those who cost nothing. Those of all organisations come one organisation after the other.
        entries.sort_by_key(|(_, sum)| Reverse((sum.usage.cost_nano_usd, sum.usage.total_tokens)));
        let (rows, others) = rows(&entries, limit, Listed::First);
        let mut notes = notes(&report.total, rows.len(), others.as_ref(), "users, the dearest,");
        if caller.role == PrincipalRole::User {
            let text = "The person you talk to may see their own usage only, so nobody else is listed.";
            notes.push(text.to_owned());
        } else if scope == UsageScope::Own {
            notes.push("Only the person you talk to was asked for (scope \"own\").".to_owned());
        }
        Ok(Answer {
            head: Head::new(today, caller, scope, days),
            group_by: group_name(GroupBy::User),
            total: (&report.total).into(),
            notes,
            rows,
            others,
        })
    }
}

fn entries(report: &Report) -> Vec<Entry> {
    let names: Vec<_> = report.by.iter().map(|by| group_name(*by)).collect();
    let entry = |keys: &[String]| names.iter().copied().zip(keys.iter().cloned()).collect();
    report.rows.iter().map(|row| (entry(&row.keys), row.sum.clone())).collect()
}
