//! JSON as a table in markdown, and a sentence with its figures.

use std::cmp::Reverse;
use std::fmt::Write;

use serde_json::{Map, Value};

use super::figures::{amount, cell, figure, interest, label};

const MAX_ROWS: usize = 20;
const MAX_COLUMNS: usize = 6;
const MAX_FIGURES: usize = 3;
/// Objects inside objects that are taken apart.
const MAX_DEPTH: u32 = 3;
const NOTHING: &str = "There is nothing to show: the list is empty.\n";

/// The fields of an object by name, those of inner objects under both names.
type Fields = Vec<(String, Value)>;

/// Tells a value to whoever asked `prompt`.
pub(super) fn told(value: &Value, prompt: &str) -> String {
    let mut text = String::new();
    match value {
        Value::Array(items) => rows_or_list(&mut text, items, prompt, false),
        Value::Object(object) => fields(&mut text, object, prompt),
        scalar => {
            let _ = writeln!(text, "**{}**", cell("", scalar));
        }
    }
    text
}

fn rows_or_list(text: &mut String, items: &[Value], prompt: &str, has_sums: bool) {
    if items.is_empty() {
        text.push_str(NOTHING);
    } else if items.iter().all(Value::is_object) {
        rows(text, items, prompt, has_sums);
    } else {
        list(text, items);
    }
}

/// Its longest list as a table; its amounts in a sentence before that, its texts after. Without a list, a row for each field.
fn fields(text: &mut String, object: &Map<String, Value>, prompt: &str) {
    let is_rows = |value: &Value| value.as_array().is_some_and(|items| items.iter().all(Value::is_object));
    let lists = object.values().filter(|value| is_rows(value)).filter_map(Value::as_array);
    let rows = lists.max_by_key(|items| items.len());
    let flat = flattened(object);
    let mut amounts: Vec<_> = flat.iter().filter(|(name, value)| amount(name, value).is_some()).collect();
    amounts.sort_by_key(|(name, _)| Reverse(interest(name, prompt)));
    let amounts = amounts.iter().take(MAX_FIGURES).enumerate().map(|(i, (name, value))| {
        let figure = format!("{}: {}", label(name), cell(name, value));
        if i == 0 { format!("**{figure}**") } else { figure }
    });
    let sentence = amounts.collect::<Vec<_>>().join(", ");
    if !sentence.is_empty() {
        let _ = writeln!(text, "{sentence}.\n");
    }
    let Some(items) = rows else {
        let _ = writeln!(text, "| Field | Value |\n|---|---|");
        for (name, value) in flat.iter().take(MAX_ROWS) {
            let _ = writeln!(text, "| {} | {} |", label(name), cell(name, value));
        }
        return more(text, flat.len());
    };
    rows_or_list(text, items, prompt, !sentence.is_empty());
    let is_texts =
        |value: &&Value| value.as_array().is_some_and(|items| !items.is_empty() && items.iter().all(Value::is_string));
    for texts in object.values().filter(is_texts).filter_map(Value::as_array) {
        text.push('\n');
        list(text, texts);
    }
}

fn rows(text: &mut String, items: &[Value], prompt: &str, has_sums: bool) {
    let rows: Vec<Fields> = items.iter().filter_map(Value::as_object).map(flattened).collect();
    let mut columns: Vec<&str> = Vec::new();
    for (name, _) in rows.iter().flatten() {
        if !columns.contains(&name.as_str()) {
            columns.push(name);
        }
    }
    let is_amount = |column: &&str| {
        let mut values = rows.iter().filter_map(|row| at(row, column)).filter(|value| !value.is_null()).peekable();
        values.peek().is_some() && values.all(|value| amount(column, value).is_some())
    };
    let (mut amounts, mut shown): (Vec<&str>, Vec<&str>) = columns.into_iter().partition(is_amount);
    amounts.sort_by_key(|column| Reverse(interest(column, prompt)));
    if let Some(main) = amounts.first() {
        sentence(text, &rows, main, shown.first().copied(), has_sums);
    }
    let texts = shown.len().min(MAX_COLUMNS);
    shown.extend(amounts);
    shown.truncate(MAX_COLUMNS);
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    text.push_str(&line(shown.iter().map(|column| label(column)).collect()));
    text.push_str(&line((0..shown.len()).map(|i| if i < texts { "---" } else { "---:" }.to_owned()).collect()));
    for row in rows.iter().take(MAX_ROWS) {
        let value = |column: &&str| at(row, column).map_or_else(String::new, |value| cell(column, value));
        text.push_str(&line(shown.iter().map(value).collect()));
    }
    more(text, rows.len());
}

/// What the column adds up to, and the most of it.
fn sentence(text: &mut String, rows: &[Fields], column: &str, names: Option<&str>, has_sums: bool) {
    let amounts = rows.iter().filter_map(|row| Some((amount(column, at(row, column)?)?, row)));
    let amounts: Vec<(f64, &Fields)> = amounts.collect();
    let sum = figure(column, amounts.iter().map(|(amount, _)| amount).sum());
    let Some((most, row)) = amounts.iter().max_by(|a, b| a.0.total_cmp(&b.0)) else { return };
    let whose = names.and_then(|names| Some(format!(" ({})", cell(names, at(row, names)?)))).unwrap_or_default();
    let (most, label, count) = (figure(column, *most), label(column), amounts.len());
    let _ = match (count, has_sums) {
        (1, true) => Ok(()),
        (1, false) => writeln!(text, "**{label}: {sum}**{whose}.\n"),
        (_, true) => writeln!(text, "Of {count} rows the most is {most}{whose}.\n"),
        (_, false) => writeln!(text, "**{label}: {sum}** in {count} rows; the most is {most}{whose}.\n"),
    };
}

fn at<'a>(row: &'a Fields, column: &str) -> Option<&'a Value> {
    row.iter().find(|(name, _)| name == column).map(|(_, value)| value)
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

/// The fields that are no lists of objects or texts.
fn flattened(object: &Map<String, Value>) -> Fields {
    let mut flat = Fields::new();
    flatten(&mut flat, "", object, MAX_DEPTH);
    flat
}

fn flatten(flat: &mut Fields, before: &str, object: &Map<String, Value>, depth: u32) {
    for (name, value) in object {
        let name = if before.is_empty() { name.clone() } else { format!("{before} {name}") };
        match value {
            Value::Object(inner) if depth > 0 => flatten(flat, &name, inner, depth - 1),
            Value::Array(items) if items.iter().all(Value::is_object) => {}
            _ => flat.push((name, value.clone())),
        }
    }
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
