//! `outcrop-proxy usage`: what was used and what it cost, in a terminal.

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets::NOTHING};
use protocol::{Timestamp, price::usd, server::UsageSum};

use crate::{
    app::store_to_read,
    ledger::{
        Report,
        export::{report_csv, report_json},
        query::group_name,
    },
    settings::{Format, Usage},
};

/// The columns of the table after those it is summed by, where any tool was called.
const COLUMNS: [&str; 9] =
    ["answers", "calls", "tools", "input", "output", "cache read", "cache write", "tokens", "cost"];

/// The place of the column that is left out where none was.
const TOOLS: usize = 2;

/// Reads the report that is asked for, as it is to be written.
///
/// # Errors
/// A line for a person, with what to do.
pub async fn usage(settings: &Usage, now: Timestamp) -> Result<Vec<u8>, String> {
    let query = settings.query();
    let of = query.calls(now)?;
    let store = store_to_read(&settings.conversations).await.map_err(|error| error.to_string())?;
    let report = Report::make(store.as_ref(), &of, query.by()).await.map_err(|error| error.to_string())?;
    Ok(match settings.format {
        Format::Table => table(&report).into_bytes(),
        Format::Csv => report_csv(&report),
        Format::Json => report_json(&report),
    })
}

/// A report for a person to read.
fn table(report: &Report) -> String {
    let Report { from, to, by, rows, total } = report;
    let mut text = format!("{} to {}, UTC\n", minute(*from), minute(*to));
    if rows.is_empty() {
        return text + "nothing was used\n";
    }
    let mut lines = vec![by.iter().map(|by| group_name(*by)).chain(COLUMNS).map(str::to_owned).collect::<Vec<_>>()];
    lines.extend(rows.iter().map(|row| line(row.keys.iter().map(|key| printable(key)).collect(), &row.sum)));
    let total_keys = (0..by.len()).map(|n| if n == 0 { "total" } else { "" }.to_owned());
    lines.push(line(total_keys.collect(), total));
    if total.tool_calls == 0 {
        lines.iter_mut().for_each(|line| drop(line.remove(by.len() + TOOLS)));
    }
    let widths = aligned(&lines, by.len()).column_max_content_widths();
    let rule: Vec<_> = widths.into_iter().map(|width| "─".repeat(width.into())).collect();
    lines.insert(lines.len() - 1, rule.clone());
    lines.insert(1, rule);
    // Each begins with a blank.
    aligned(&lines, by.len()).lines().for_each(|line| text += &format!("{}\n", line[1..].trim_end()));
    text + &notes(total)
}

/// The first `names` columns are names, the others figures.
fn aligned(lines: &[Vec<String>], names: usize) -> Table {
    let mut table = Table::new();
    // One that is wrapped to the width of a terminal cannot be read, nor taken apart by a program.
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    for line in lines {
        let cell = |(n, text): (usize, &String)| {
            Cell::new(text).set_alignment(if n < names { CellAlignment::Left } else { CellAlignment::Right })
        };
        table.add_row(line.iter().enumerate().map(cell));
    }
    table
}

fn line(mut cells: Vec<String>, sum: &UsageSum) -> Vec<String> {
    let UsageSum { turns, calls, tool_calls, usage, .. } = sum;
    let figures = [
        *turns,
        *calls,
        *tool_calls,
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_read_input_tokens,
        usage.cache_write_input_tokens,
        usage.total_tokens,
    ];
    cells.extend(figures.map(grouped));
    cells.push(cost(sum));
    cells
}

/// To the last digit that matters, and with what is not known of it.
fn cost(sum: &UsageSum) -> String {
    let about = if sum.estimated_calls > 0 { "≈ " } else { "" };
    match (sum.usage.cost_nano_usd, sum.unpriced_calls) {
        (None, _) => "unpriced".to_owned(),
        (Some(cost), 0) => format!("{about}{}", usd(cost)),
        (Some(cost), unpriced) => format!("{about}{} + {unpriced} unpriced", usd(cost)),
    }
}

/// What the marks in the table mean.
fn notes(total: &UsageSum) -> String {
    let UsageSum { calls, estimated_calls, unpriced_calls, .. } = total;
    let mut notes = String::new();
    if *estimated_calls > 0 {
        notes +=
            &format!("≈ {estimated_calls} of {calls} calls are estimates: Bedrock did not get to say what they used\n");
    }
    if *unpriced_calls > 0 {
        notes += &format!(
            "unpriced: {unpriced_calls} of {calls} calls are of models without a price; costs leave them out\n"
        );
    }
    notes
}

/// A number with its thousands apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A name that does nothing to a terminal.
fn printable(name: &str) -> String {
    name.chars().map(|char| if char.is_control() { '\u{fffd}' } else { char }).collect()
}

fn minute(time: Timestamp) -> String {
    time.to_string()[..16].replace('T', " ")
}

#[cfg(test)]
mod tests {
    use protocol::{Usage, client::GroupBy};

    use super::*;
    use crate::ledger::report::ReportRow;

    fn sum(cost_nano_usd: Option<u64>, estimated_calls: u64, unpriced_calls: u64) -> UsageSum {
        let usage = Usage { input_tokens: 1_234_567, total_tokens: 1_234_567, cost_nano_usd, ..Usage::default() };
        UsageSum { turns: 1, calls: 3, estimated_calls, unpriced_calls, tool_calls: 0, usage }
    }

    #[test]
    fn a_table_is_aligned_and_says_what_is_not_known() {
        let row = |key: &str, sum| ReportRow { keys: vec!["2026-11-26".to_owned(), key.to_owned()], sum };
        let rows = vec![row("a\u{1b}[2J", sum(Some(2_400_000), 0, 0)), row("model-ü", sum(None, 1, 3))];
        let (from, to) = (Timestamp::from_unix_ms(0), Timestamp::from_unix_ms(86_399_999));
        let by = vec![GroupBy::Day, GroupBy::Model];
        let report = Report { from, to, by, rows, total: sum(Some(2_400_000), 1, 3) };
        let text = table(&report);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "1970-01-01 00:00 to 1970-01-01 23:59, UTC");
        assert!(lines[1].starts_with("day ") && lines[1].ends_with(" cost"), "{text}");
        assert!(lines[3].contains("1,234,567") && lines[3].ends_with("$0.0024"), "{text}");
        assert!(lines[4].ends_with(" unpriced") && lines[6].ends_with("≈ $0.0024 + 3 unpriced"), "{text}");
        assert!(lines[7].starts_with("≈ 1 of 3 calls") && lines[8].starts_with("unpriced: 3 of 3"), "{text}");
        let ends: Vec<_> = lines[1..7].iter().map(|line| line.chars().count()).collect();
        assert!(ends.iter().all(|end| *end == ends[0]), "{text}");
        assert!(!text.contains('\u{1b}') && !text.contains("tools"));
        let with_tools = table(&Report { total: UsageSum { tool_calls: 7, ..report.total.clone() }, ..report.clone() });
        let words = |line: usize| with_tools.lines().nth(line).unwrap().split_whitespace().collect::<Vec<_>>();
        assert_eq!((words(1)[4], words(6)[3]), ("tools", "7"), "{with_tools}");
        let nothing = Report { rows: Vec::new(), ..report };
        assert_eq!(table(&nothing), "1970-01-01 00:00 to 1970-01-01 23:59, UTC\nnothing was used\n");
    }

    #[test]
    fn thousands_are_apart() {
        let texts = [0, 999, 1_000, 1_234_567, u64::MAX].map(grouped);
        assert_eq!(texts, ["0", "999", "1,000", "1,234,567", "18,446,744,073,709,551,615"]);
    }
}
