//! What a prompt says about one argument of a tool.

use serde_json::Value;

use super::words::{is_filler, split, stem};

/// Words before one that a table is to have a row for.
const GROUPING: [&str; 7] = ["by", "per", "each", "every", "top", "which", "most"];
const UNITS: [&str; 6] = ["hour", "day", "week", "month", "quarter", "year"];
const ADVERBS: [&str; 6] = ["hourly", "daily", "weekly", "monthly", "quarterly", "yearly"];

/// The value of an enumeration that the prompt speaks of: `by model`, `daily`, `top 5 users`, or its own words. `last 7 days` does not
/// speak of a table by day.
pub(super) fn choice<'a>(values: &'a [Value], prompt: &str, property: &str) -> Option<&'a Value> {
    let prompt = split(prompt);
    let groups = split(property)
        .iter()
        .any(|word| matches!(word.as_str(), "group" | "by" | "grouping" | "interval" | "granularity" | "bucket"));
    let strength = |value: &&Value| value.as_str().map_or(0, |value| strength(&split(value), &prompt, groups));
    let best = values.iter().map(|value| strength(&value)).max().filter(|best| *best > 0)?;
    values.iter().find(|value| strength(value) == best)
}

/// 0 if it is not spoken of, 2 if that is said expressly.
fn strength(value: &[String], prompt: &[String], groups: bool) -> u8 {
    let [word] = value else {
        let found = !value.is_empty() && prompt.windows(value.len()).any(|window| window == value);
        return if found { 2 } else { 0 };
    };
    let wanted = stem(word);
    let is_unit = UNITS.contains(&word.as_str());
    let at = |at: usize| {
        let before = |n: usize| at.checked_sub(n).map_or("", |at| prompt[at].as_str());
        let counted = before(1).parse::<u32>().is_ok() && before(2) == "top";
        let grouping = counted || GROUPING.contains(&before(1)) || ADVERBS.contains(&prompt[at].as_str());
        let of_time = is_unit && matches!(before(1), "this" | "last" | "past" | "current");
        match groups {
            true if grouping => 2,
            // "models", but not "the model opus".
            true => u8::from(!is_unit && prompt[at] != *word),
            false if grouping => 0,
            false => u8::from(of_time || !is_unit && !is_filler(word)),
        }
    };
    (0..prompt.len()).filter(|i| stem(&prompt[*i]) == wanted).map(at).max().unwrap_or(0)
}

/// The number after `top`, `first` or the property's own name, or before it: `top 5`, `limit 5`, `5 days`.
pub(super) fn number(prompt: &str, property: &str) -> Option<i64> {
    let words = split(prompt);
    let name: Vec<String> = split(property).iter().map(|word| stem(word)).collect();
    let counts = name.iter().any(|word| matches!(word.as_str(), "limit" | "top" | "count" | "max" | "n"));
    (0..words.len()).find_map(|i| {
        let number = words[i].parse::<i64>().ok()?;
        let before = i.checked_sub(1).map_or("", |i| words[i].as_str());
        let after = words.get(i + 1).map(|word| stem(word)).unwrap_or_default();
        let fits =
            (counts && matches!(before, "top" | "first")) || name.contains(&stem(before)) || name.contains(&after);
        fits.then_some(number)
    })
}

/// What follows the property's name: `model=opus`, `city: Oslo`, `for the user ada`.
pub(super) fn text(prompt: &str, property: &str) -> Option<String> {
    let name = split(property).pop()?;
    let raw: Vec<&str> = prompt.split_whitespace().collect();
    let clean = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
    raw.iter().enumerate().find_map(|(i, word)| {
        if let Some((key, value)) =
            word.split_once(['=', ':']).filter(|(key, _)| stem(&clean(key).to_lowercase()) == stem(&name))
        {
            let value = if value.is_empty() { raw.get(i + 1).copied().unwrap_or_default() } else { value };
            return Some(clean(value))
                .filter(|_| key.chars().all(char::is_alphanumeric))
                .filter(|value| !value.is_empty());
        }
        let before = |n: usize| i.checked_sub(n).map_or("", |at| raw[at]);
        let article = usize::from(before(1) == "the");
        let led = matches!(before(1 + article).to_lowercase().as_str(), "for" | "of" | "from" | "with" | "in");
        let value = raw.get(i + 1).map(|word| clean(word)).filter(|value| !value.is_empty());
        value.filter(|_| led && word.to_lowercase() == name)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn group(prompt: &str) -> Option<String> {
        let values = json!(["day", "week", "model", "user"]);
        choice(values.as_array().expect("array"), prompt, "group_by")
            .map(|value| value.as_str().expect("string").to_owned())
    }

    #[test]
    fn an_enumeration_is_chosen_by_how_it_is_spoken_of() {
        for (prompt, expected) in [
            ("usage by model", Some("model")),
            ("cost per day this week", Some("day")),
            ("daily cost of each model", Some("day")),
            ("our top 5 users in the last 7 days", Some("user")),
            ("Who spent the most?", Some("user")),
            ("models last week", Some("model")),
            ("How much did we spend this week?", None),
            ("the last 7 days", None),
        ] {
            assert_eq!(group(prompt).as_deref(), expected, "{prompt}");
        }
        let periods = json!(["today", "this_week", "last_7_days"]);
        let period = choice(periods.as_array().expect("array"), "the cost of the last 7 days", "period");
        assert_eq!(period, Some(&json!("last_7_days")));
    }

    #[test]
    fn numbers_and_texts_belong_to_what_stands_beside_them() {
        assert_eq!(number("top 5 users in the last 7 days", "limit"), Some(5));
        assert_eq!(number("top 5 users in the last 7 days", "days"), Some(7));
        assert_eq!(number("in the last 7 days", "limit"), None);
        assert_eq!(text("cost for user ada, please", "user").as_deref(), Some("ada"));
        assert_eq!(text("cost of the model opus-5", "model").as_deref(), Some("opus-5"));
        assert_eq!(text("search with label: bug", "label").as_deref(), Some("bug"));
        assert_eq!(text("which user spent most", "user"), None);
        assert_eq!(text("usage by user", "user"), None);
    }
}
