//! Reports and calls as files: CSV for spreadsheets, JSON for programs.

use protocol::{Usage, UsageSource, price::usd, server::UsageSum};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{query::group_name, report::Report};
use crate::store::{Call, ToolRun};

/// The columns of a report after those it is summed by.
const SUM_COLUMNS: [&str; 12] = [
    "answers",
    "calls",
    "estimated_calls",
    "unpriced_calls",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "total_tokens",
    "cost_usd",
    "tool_calls",
];

/// A report as JSON: as it travels to clients, but with one field for each thing it is summed by in each row.
pub fn report_json(report: &Report) -> Vec<u8> {
    let names: Vec<_> = report.by.iter().map(|by| group_name(*by)).collect();
    let row = |keys: &[String], sum: &UsageSum| {
        let keys = names.iter().zip(keys).map(|(name, key)| ((*name).to_owned(), json!(key)));
        let sum = json!(sum).as_object().cloned().unwrap_or_default();
        Value::Object(keys.chain(sum).collect::<Map<_, _>>())
    };
    let rows: Vec<_> = report.rows.iter().map(|each| row(&each.keys, &each.sum)).collect();
    let Report { from, to, total, .. } = report;
    let json = json!({ "from": from, "to": to, "groupBy": names, "rows": rows, "total": total });
    format!("{json:#}\n").into_bytes()
}

/// The rows of a report as CSV. A cost that is unknown is empty, not 0.
pub fn report_csv(report: &Report) -> Vec<u8> {
    let names = report.by.iter().map(|by| group_name(*by)).chain(SUM_COLUMNS);
    let mut lines = vec![names.map(str::to_owned).collect::<Vec<_>>()];
    for row in &report.rows {
        let UsageSum { turns, calls, estimated_calls, unpriced_calls, tool_calls, usage } = &row.sum;
        let mut line: Vec<_> = row.keys.iter().map(|key| plain(key)).collect();
        line.extend([turns, calls, estimated_calls, unpriced_calls].map(ToString::to_string));
        line.extend(tokens(usage));
        line.extend([dollars(usage), tool_calls.to_string()]);
        lines.push(line);
    }
    csv(&lines)
}

/// The columns of calls.
const CALL_COLUMNS: [&str; 22] = [
    "asked",
    "organization",
    "user",
    "session",
    "message",
    "number",
    "model_asked",
    "model",
    "region",
    "outcome",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "total_tokens",
    "estimated",
    "cost_usd",
    "price_version",
    "duration_ms",
    "first_token_ms",
    "tool_calls",
];

/// The first line of calls as CSV.
pub fn calls_csv_header() -> Vec<u8> {
    csv(&[CALL_COLUMNS.map(str::to_owned).to_vec()])
}

/// Calls as lines of CSV.
pub fn calls_csv(calls: &[Call]) -> Vec<u8> {
    let line = |call: &Call| {
        let Call { owner, usage, .. } = call;
        let mut line: Vec<_> = vec![call.asked.to_string(), plain(&owner.organization), plain(&owner.user)];
        line.extend([plain(call.session.as_str()), plain(call.message.as_str()), call.number.to_string()]);
        line.extend([&call.model_asked, &call.model, &call.region].map(|text| plain(text)));
        line.push(call.outcome.as_str().to_owned());
        line.extend(tokens(usage));
        line.extend([(usage.source == UsageSource::Estimated).to_string(), dollars(usage)]);
        line.push(plain(usage.price_version.as_deref().unwrap_or_default()));
        line.push(call.duration_ms.to_string());
        line.push(call.first_token_ms.map(|ms| ms.to_string()).unwrap_or_default());
        line.push(call.tools.len().to_string());
        line
    };
    csv(&calls.iter().map(line).collect::<Vec<_>>())
}

/// A call as it is exported.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CallEntry<'a> {
    asked: String,
    organization: &'a str,
    user: &'a str,
    session_id: &'a str,
    message_id: &'a str,
    number: u32,
    model_asked: &'a str,
    model: &'a str,
    region: &'a str,
    outcome: &'static str,
    usage: &'a Usage,
    duration_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_token_ms: Option<u64>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    tools: &'a [ToolRun],
}

impl<'a> CallEntry<'a> {
    pub(crate) fn of(call: &'a Call) -> Self {
        Self {
            asked: call.asked.to_string(),
            organization: &call.owner.organization,
            user: &call.owner.user,
            session_id: call.session.as_str(),
            message_id: call.message.as_str(),
            number: call.number,
            model_asked: &call.model_asked,
            model: &call.model,
            region: &call.region,
            outcome: call.outcome.as_str(),
            usage: &call.usage,
            duration_ms: call.duration_ms,
            first_token_ms: call.first_token_ms,
            tools: &call.tools,
        }
    }
}

/// Calls as JSON, one a line, with a comma before each but the `first` of all.
pub fn calls_json(calls: &[Call], mut first: bool) -> Vec<u8> {
    let mut json = Vec::new();
    for call in calls {
        let entry = CallEntry::of(call);
        json.extend_from_slice(if std::mem::take(&mut first) { b"\n" } else { b",\n" });
        json.extend_from_slice(json!(entry).to_string().as_bytes());
    }
    json
}

fn tokens(usage: &Usage) -> [String; 6] {
    [
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_read_input_tokens,
        usage.cache_write_input_tokens,
        usage.cache_write_1h_input_tokens,
        usage.total_tokens,
    ]
    .map(|tokens| tokens.to_string())
}

fn dollars(usage: &Usage) -> String {
    usage.cost_nano_usd.map(|cost| usd(cost).trim_start_matches('$').to_owned()).unwrap_or_default()
}

/// A text that no spreadsheet takes for a formula.
fn plain(text: &str) -> String {
    // The last ones are wider forms, which some take for the same.
    let begins = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    if text.starts_with(begins) { format!("'{text}") } else { text.to_owned() }
}

#[expect(clippy::expect_used, reason = "memory takes what is written to it, and the lines are of one length")]
fn csv(lines: &[Vec<String>]) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    lines.iter().for_each(|line| writer.write_record(line).expect("written"));
    writer.into_inner().expect("written")
}

#[cfg(test)]
mod tests {
    use protocol::{MessageId, SessionId, Timestamp, ToolStatus, client::GroupBy};

    use super::*;
    use crate::{ledger::report::ReportRow, principal::Owner, store::CallOutcome};

    fn sum(cost_nano_usd: Option<u64>) -> UsageSum {
        let usage = Usage { input_tokens: 3, total_tokens: 3, cost_nano_usd, ..Usage::default() };
        UsageSum { turns: 1, calls: 2, estimated_calls: 0, unpriced_calls: 1, tool_calls: 4, usage }
    }

    fn report(keys: [&str; 2], cost: Option<u64>) -> Report {
        let (from, to) = (Timestamp::from_unix_ms(0), Timestamp::from_unix_ms(1));
        let row = ReportRow { keys: keys.map(str::to_owned).into(), sum: sum(cost) };
        Report { from, to, by: vec![GroupBy::User, GroupBy::Model], rows: vec![row], total: sum(cost) }
    }

    #[test]
    fn nothing_in_a_file_is_a_formula_and_an_unknown_cost_is_empty() {
        for (name, cell) in [
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@x", "'@x"),
            ("＝1", "'＝1"),
            ("a,\"b\"\r\nc", "\"a,\"\"b\"\"\r\nc\""),
            ("", ""),
            ("ann", "ann"),
        ] {
            let csv = String::from_utf8(report_csv(&report([name, "m"], None))).unwrap();
            let body = csv.split_once("\r\n").unwrap().1;
            assert_eq!(body, format!("{cell},m,1,2,0,1,3,0,0,0,0,3,,4\r\n"));
        }
        let csv = String::from_utf8(report_csv(&report(["ann", "m"], Some(2_400_000)))).unwrap();
        assert!(csv.starts_with("user,model,answers,calls,") && csv.ends_with(",3,0.0024,4\r\n"), "{csv}");
    }

    #[test]
    fn each_row_names_what_it_is_of() {
        let json: Value = serde_json::from_slice(&report_json(&report(["ann", "m"], None))).unwrap();
        assert_eq!(json["groupBy"], json!(["user", "model"]));
        let row = &json["rows"][0];
        assert_eq!((&row["user"], &row["model"], &row["unpricedCalls"]), (&json!("ann"), &json!("m"), &json!(1)));
        assert_eq!((row["usage"].get("costNanoUsd"), row.get("key")), (None, None));
        assert_eq!(json["total"], json!(sum(None)));
    }

    #[test]
    fn calls_of_some_pages_are_one_file() {
        let call = Call {
            owner: Owner { organization: "o".into(), user: "=ann".into() },
            session: SessionId::new("-s").unwrap(),
            message: MessageId::new("m").unwrap(),
            number: 1,
            asked: Timestamp::from_unix_ms(0),
            model_asked: "asked".into(),
            model: "billed".into(),
            region: "us-east-1".into(),
            usage: Usage { output_tokens: 4, total_tokens: 4, ..Usage::estimate(0, 16) },
            duration_ms: 5,
            first_token_ms: None,
            outcome: CallOutcome::Cancelled,
            tools: vec![ToolRun {
                server: Some("files".into()),
                name: "read".into(),
                status: ToolStatus::UnknownOutcome,
                duration_ms: 9,
            }],
        };
        let two = [Call { tools: Vec::new(), ..call.clone() }, call];
        let csv = [calls_csv_header(), calls_csv(&two), calls_csv(&two)].concat();
        let mut reader = csv::Reader::from_reader(csv.as_slice());
        assert_eq!(reader.headers().unwrap().len(), CALL_COLUMNS.len());
        let lines: Vec<Vec<String>> = reader.deserialize().map(Result::unwrap).collect();
        assert_eq!(lines.len(), 4);
        assert_eq!(
            lines[3],
            "1970-01-01T00:00:00.000Z o '=ann '-s m 1 asked billed us-east-1 cancelled 0 4 0 0 0 4 true   5  1"
                .split(' ')
                .collect::<Vec<_>>()
        );
        let json =
            [b"[".to_vec(), calls_json(&two, true), calls_json(&[], false), calls_json(&two, false), b"\n]".to_vec()];
        let entries: Vec<Value> = serde_json::from_slice(&json.concat()).unwrap();
        assert_eq!(entries.len(), 4);
        assert_eq!(entries[1]["usage"]["source"], "estimated");
        let tool = json!([{ "server": "files", "name": "read", "status": "unknown_outcome", "durationMs": 9 }]);
        assert_eq!((&entries[3]["tools"], entries[2].get("tools")), (&tool, None));
        assert_eq!((&entries[3]["user"], entries[3].get("firstTokenMs")), (&json!("=ann"), None));
    }
}
