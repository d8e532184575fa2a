//! JSON as a table in markdown, and a sentence with its figures.

use std::fmt::Write;

use serde_json::{Map, Value};

use super::words;

const MAX_ROWS: usize = 20;
const MAX_COLUMNS: usize = 8;
const MAX_FIGURES: usize = 3;
const CELL_CHARS: usize = 80;
/// Objects inside objects that are taken apart.
const MAX_DEPTH: u32 = 3;
/// Numbers of these names are no amounts.
const NO_AMOUNTS: [&str; 10] = ["id", "year", "month", "week", "day", "date", "hour", "rank", "port", "version"];

/// Tells a value to whoever asked `prompt`.
pub(super) fn told(value: &Value, prompt: &str) -> String {
    let mut text = String::new();
    match value {
        Value::Array(items) if items.is_empty() => text.push_str("There is nothing to show: the list is empty.\n"),
        Value::Array(items) if items.iter().all(Value::is_object) => rows(&mut text, items, prompt, false),
        Value::Array(items) => list(&mut text, items),
        Value::Object(object) => fields(&mut text, object, prompt),
        scalar => {
            let _ = writeln!(text, "**{}**", cell("", scalar));
        }
    }
    text
}

/// Its longest list as a table; its amounts in a sentence before that. Without a list, a row for each field.
fn fields(text: &mut String, object: &Map<String, Value>, prompt: &str) {
    let is_rows = |value: &Value| value.as_array().is_some_and(|items| items.iter().all(Value::is_object));
    let lists = object.values().filter(|value| is_rows(value)).filter_map(Value::as_array);
    let list = lists.max_by_key(|items| items.len());
    let mut flat = Vec::new();
    flatten(&mut flat, "", object, MAX_DEPTH);
    let mut amounts: Vec<&(String, Value)> =
        flat.iter().filter(|(name, value)| amount(name, value).is_some()).collect();
    amounts.sort_by_key(|(name, _)| std::cmp::Reverse(interest(name, prompt)));
    let amounts = amounts.iter().take(MAX_FIGURES).enumerate().map(|(i, (name, value))| {
        let figure = format!("{}: {}", label(name), cell(name, value));
        if i == 0 { format!("**{figure}**") } else { figure }
    });
    let sentence = amounts.collect::<Vec<_>>().join(", ");
    if !sentence.is_empty() {
        let _ = writeln!(text, "{sentence}.\n");
    }
    match list {
        Some(items) if items.is_empty() => text.push_str("There is nothing to show: the list is empty.\n"),
        Some(items) => rows(text, items, prompt, !sentence.is_empty()),
        None => {
            let _ = writeln!(text, "| Field | Value |\n|---|---|");
            for (name, value) in flat.iter().take(MAX_ROWS) {
                let _ = writeln!(text, "| {} | {} |", label(name), cell(name, value));
            }
            more(text, flat.len());
        }
    }
}

fn rows(text: &mut String, items: &[Value], prompt: &str, has_sums: bool) {
    let rows: Vec<Vec<(String, Value)>> = items
        .iter()
        .filter_map(Value::as_object)
        .map(|object| {
            let mut flat = Vec::new();
            flatten(&mut flat, "", object, MAX_DEPTH);
            flat
        })
        .collect();
    let mut columns: Vec<&str> = Vec::new();
    for (name, _) in rows.iter().flatten() {
        if !columns.contains(&name.as_str()) && columns.len() < MAX_COLUMNS {
            columns.push(name);
        }
    }
    let at = |row: &[(String, Value)], column: &str| {
        row.iter().find(|(name, _)| name == column).map(|(_, value)| value.clone())
    };
    let is_amount = |column: &str| {
        rows.iter().all(|row| at(row, column).is_none_or(|value| value.is_null() || amount(column, &value).is_some()))
    };
    let amounts: Vec<&str> = columns.iter().copied().filter(|column| is_amount(column)).collect();
    columns.sort_by_key(|column| amounts.contains(column));
    if let Some(main) = amounts.iter().rev().max_by_key(|column| interest(column, prompt)) {
        let figures: Vec<(f64, &Vec<(String, Value)>)> =
            rows.iter().filter_map(|row| Some((amount(main, &at(row, main)?)?, row))).collect();
        let label = label(main);
        let sum: f64 = figures.iter().map(|(figure, _)| figure).sum();
        let most = figures.iter().max_by(|a, b| a.0.total_cmp(&b.0));
        match (most, figures.len(), has_sums) {
            (Some((most, row)), 2.., _) => {
                let whose = columns
                    .iter()
                    .find(|column| !amounts.contains(column))
                    .and_then(|column| Some(format!(" ({})", cell(column, &at(row, column)?))));
                let (most, whose) = (figure(main, *most), whose.unwrap_or_default());
                let count = figures.len();
                let _ = match has_sums {
                    true => writeln!(text, "Of {count} rows the most is {most}{whose}.\n"),
                    false => writeln!(
                        text,
                        "**{label}: {}** in {count} rows; the most is {most}{whose}.\n",
                        figure(main, sum)
                    ),
                };
            }
            (Some(_), 1, false) => {
                let _ = writeln!(text, "**{label}: {}**.\n", figure(main, sum));
            }
            _ => {}
        }
    }
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    text.push_str(&line(columns.iter().map(|column| label(column)).collect()));
    text.push_str(&line(
        columns.iter().map(|column| if amounts.contains(column) { "---:" } else { "---" }.to_owned()).collect(),
    ));
    for row in rows.iter().take(MAX_ROWS) {
        text.push_str(&line(
            columns
                .iter()
                .map(|column| at(row, column).map_or_else(String::new, |value| cell(column, &value)))
                .collect(),
        ));
    }
    more(text, rows.len());
}

fn list(text: &mut String, items: &[Value]) {
    for item in items.iter().take(MAX_ROWS) {
        let _ = writeln!(text, "- {}", cell("", item));
    }
    more(text, items.len());
}

fn more(text: &mut String, count: usize) {
    if count > MAX_ROWS {
        let _ = writeln!(text, "\n… and {} more.", count - MAX_ROWS);
    }
}

/// The fields that are no lists of objects, those of inner objects under both names.
fn flatten(flat: &mut Vec<(String, Value)>, before: &str, object: &Map<String, Value>, depth: u32) {
    for (name, value) in object {
        let name = if before.is_empty() { name.clone() } else { format!("{before} {name}") };
        match value {
            Value::Object(inner) if depth > 0 => flatten(flat, &name, inner, depth - 1),
            Value::Array(items) if !items.is_empty() && items.iter().all(Value::is_object) => {}
            _ => flat.push((name, value.clone())),
        }
    }
}

/// What a number is worth, if it is a number that can be added up.
fn amount(name: &str, value: &Value) -> Option<f64> {
    let no_amount = words::split(name).iter().any(|word| NO_AMOUNTS.contains(&word.as_str()));
    let number = value.as_f64().or_else(|| value.as_str()?.parse().ok()).filter(|number: &f64| number.is_finite());
    number.filter(|_| !no_amount)
}

/// How well a name fits the question: its own words, then what means the same, then money.
fn interest(name: &str, prompt: &str) -> usize {
    let asked: Vec<String> = words::split(prompt).iter().map(|word| words::stem(word)).collect();
    let names = words::split(name);
    let own = names.iter().filter(|word| asked.contains(&words::stem(word))).count();
    let meant = words::significant(prompt);
    let alike = words::significant(name).iter().filter(|word| meant.contains(word)).count();
    own * 4
        + alike * 2
        + usize::from(is_money(name) || names.iter().any(|word| matches!(word.as_str(), "cost" | "total" | "amount")))
}

fn is_money(name: &str) -> bool {
    words::split(name).iter().any(|word| matches!(word.as_str(), "usd" | "dollars"))
}

/// `cost_usd` as `Cost USD`.
fn label(name: &str) -> String {
    let words = words::split(name);
    let word = |(i, word): (usize, &String)| match word.as_str() {
        "usd" | "id" | "url" => word.to_uppercase(),
        _ if i == 0 => super::compose::capitalised(word),
        _ => word.clone(),
    };
    words.iter().enumerate().map(word).collect::<Vec<_>>().join(" ")
}

fn cell(name: &str, value: &Value) -> String {
    let text = match value {
        Value::Null => return String::new(),
        Value::String(text) if is_money(name) => {
            text.parse().map_or_else(|_| text.clone(), |number| figure(name, number))
        }
        Value::String(text) => text.clone(),
        Value::Number(number) => match amount(name, value) {
            Some(amount) => figure(name, amount),
            None => number.to_string(),
        },
        other => other.to_string(),
    };
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|");
    match line.char_indices().nth(CELL_CHARS) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

/// With commas between the thousands; money with cents, less than a dollar with more of them.
fn figure(name: &str, number: f64) -> String {
    let money = is_money(name);
    let digits = match number.abs() {
        size if !money && size.fract() == 0.0 => 0,
        size if size > 0.0 && size < 1.0 => 4,
        _ => 2,
    };
    let plain = format!("{:.digits$}", number.abs());
    let (whole, fraction) =
        plain.split_once('.').map_or((plain.as_str(), String::new()), |(whole, rest)| (whole, format!(".{rest}")));
    let mut grouped = String::new();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{}{}{grouped}{fraction}", if number < 0.0 { "-" } else { "" }, if money { "$" } else { "" })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_of_objects_is_a_table_with_its_sum_and_its_most() {
        let rows = json!([
            { "model": "opus", "tokens": 1_200_000, "cost_usd": "12.5" },
            { "model": "haiku", "tokens": 800, "cost_usd": "0.0123" },
        ]);
        assert_eq!(
            told(&rows, "How much did we spend?"),
            "**Cost USD: $12.51** in 2 rows; the most is $12.50 (opus).\n\n| Model | Cost USD | Tokens |\n| --- | ---: | ---: |\n\
             | opus | $12.50 | 1,200,000 |\n| haiku | $0.0123 | 800 |\n",
        );
        assert!(
            told(&rows, "How many tokens were used?")
                .starts_with("**Tokens: 1,200,800** in 2 rows; the most is 1,200,000 (opus).")
        );
    }

    #[test]
    fn an_object_tells_its_totals_before_its_rows() {
        let answer = json!({
            "from": "2026-11-23",
            "total": { "costUsd": 3.5, "calls": 7 },
            "rows": [{ "day": "2026-11-23", "costUsd": 1.0 }, { "day": "2026-11-24", "costUsd": 2.5 }],
        });
        let text = told(&answer, "What did we spend this week?");
        assert!(
            text.starts_with(
                "**Total cost USD: $3.50**, Total calls: 7.\n\nOf 2 rows the most is $2.50 (2026-11-24).\n"
            ),
            "{text}"
        );
        assert!(text.contains("| 2026-11-23 | $1.00 |"), "{text}");
    }

    #[test]
    fn other_values_are_fields_lists_or_themselves() {
        assert_eq!(
            told(&json!({ "city": "Oslo", "ok": true }), ""),
            "| Field | Value |\n|---|---|\n| City | Oslo |\n| Ok | true |\n"
        );
        assert_eq!(told(&json!(["a", 2]), ""), "- a\n- 2\n");
        assert_eq!(told(&json!([]), ""), "There is nothing to show: the list is empty.\n");
        assert_eq!(told(&json!({ "rows": [] }), ""), "There is nothing to show: the list is empty.\n");
        assert_eq!(told(&json!(4), ""), "**4**\n");
        let long: Vec<Value> = (0..25).map(|i| json!({ "name": format!("a|b {i}") })).collect();
        let text = told(&json!(long), "");
        assert!(text.contains("| a\\|b 19 |\n\n… and 5 more.\n") && !text.contains("b 20"), "{text}");
    }
}
