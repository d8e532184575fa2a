//! Numbers and names as people read them.

use serde_json::Value;

use super::words;

const CELL_CHARS: usize = 80;
/// Numbers of these names are no amounts.
const NO_AMOUNTS: [&str; 10] = ["id", "year", "month", "week", "day", "date", "hour", "rank", "port", "version"];

/// What a number is worth, if it is a number that can be added up.
pub(super) fn amount(name: &str, value: &Value) -> Option<f64> {
    let no_amount = words::split(name).iter().any(|word| NO_AMOUNTS.contains(&word.as_str()));
    let number = value.as_f64().or_else(|| value.as_str()?.parse().ok()).filter(|number: &f64| number.is_finite());
    number.filter(|_| !no_amount)
}

/// How well a name fits the question: its own words, then what means the same, then money and totals, before parts of them.
pub(super) fn interest(name: &str, prompt: &str) -> i32 {
    let asked: Vec<String> = words::split(prompt).iter().map(|word| words::stem(word)).collect();
    let names = words::split(name);
    let has = |is: &dyn Fn(&str) -> bool| i32::from(names.iter().any(|word| is(word)));
    let own = has(&|word| asked.contains(&words::stem(word)));
    let meant = words::significant(prompt);
    let alike = i32::from(words::significant(name).iter().any(|word| meant.contains(word)));
    let money = has(&|word| matches!(word, "usd" | "cost" | "amount"));
    let total = has(&|word| word == "total");
    let part = has(&|word| matches!(word, "other" | "others" | "before" | "previous" | "average" | "percent"));
    own * 16 + alike * 8 + money * 4 + total - part
}

fn is_money(name: &str) -> bool {
    let names = words::split(name);
    let has = |word: &str| names.iter().any(|name| name == word);
    (has("usd") || has("dollars")) && !has("percent")
}

/// `cost_usd` as `Cost USD`.
pub(super) fn label(name: &str) -> String {
    let mut words = words::split(name);
    words.dedup();
    let word = |(i, word): (usize, &String)| match word.as_str() {
        "usd" | "id" | "url" => word.to_uppercase(),
        _ if i == 0 => super::compose::capitalised(word),
        _ => word.clone(),
    };
    words.iter().enumerate().map(word).collect::<Vec<_>>().join(" ")
}

pub(super) fn cell(name: &str, value: &Value) -> String {
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
pub(super) fn figure(name: &str, number: f64) -> String {
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
    let percent = if words::split(name).iter().any(|word| word == "percent") { " %" } else { "" };
    format!("{}{}{grouped}{fraction}{percent}", if number < 0.0 { "-" } else { "" }, if money { "$" } else { "" })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn figures_are_written_as_people_write_them() {
        for (name, value, expected) in [
            ("tokens", json!(1_234_567), "1,234,567"),
            ("cost_usd", json!("0.01234"), "$0.0123"),
            ("costUsd", json!(1_000), "$1,000.00"),
            ("change", json!(-12.345), "-12.35"),
            ("change_percent cost_usd", json!(-12.5), "-12.50 %"),
            ("userId", json!(12_345), "12345"),
            ("note", json!("a | b\nc"), "a \\| b c"),
            ("none", Value::Null, ""),
        ] {
            assert_eq!(cell(name, &value), expected, "{name}");
        }
        assert_eq!((label("total total_tokens").as_str(), label("costUsd").as_str()), ("Total tokens", "Cost USD"));
    }

    #[test]
    fn what_was_asked_for_comes_before_parts_and_other_things() {
        let order = |prompt: &str, names: &mut [&'static str]| names.sort_by_key(|name| -interest(name, prompt));
        let mut names = ["others cost_usd", "total calls", "total total_tokens", "total cost_usd"];
        order("How much did we spend?", &mut names);
        assert_eq!(names[0], "total cost_usd");
        order("How many tokens were used?", &mut names);
        assert_eq!(names[0], "total total_tokens");
        order("How many calls were there?", &mut names);
        assert_eq!(names[0], "total calls");
    }
}
