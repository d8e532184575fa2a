//! Input for a tool, made from its schema and the prompt.

use serde_json::{Map, Value, json};
use time::Date;

use super::dates::{self, Days};
use super::{mentions, words};

/// Deepest schema that is followed.
const MAX_DEPTH: u32 = 8;

/// An object with every property that is required, and those of the others that the prompt says something about.
pub(super) fn from_schema(schema: &Value, prompt: &str, today: Date) -> Value {
    let maker = Maker { root: schema, prompt, days: dates::mentioned(prompt, today), today };
    maker.object(schema, MAX_DEPTH)
}

struct Maker<'a> {
    root: &'a Value,
    prompt: &'a str,
    days: Option<Days>,
    today: Date,
}

impl Maker<'_> {
    fn object(&self, schema: &Value, depth: u32) -> Value {
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let properties = schema["properties"].as_object().into_iter().flatten();
        let properties: Vec<_> = properties.map(|(name, schema)| (name, self.resolved(schema, depth))).collect();
        let names_days =
            properties.iter().any(|(name, schema)| is_period(schema) && self.mentioned(name, schema).is_some());
        let mut object = Map::new();
        for (name, schema) in properties {
            let value = self.mentioned(name, schema);
            let value = if required.contains(&name.as_str()) {
                value.or_else(|| Some(self.usual(name, schema, depth)))
            } else {
                value.filter(|_| !names_days || date_of(name, schema, true).is_none())
            };
            object.extend(value.map(|value| (name.clone(), value)));
        }
        object.into()
    }

    /// What a schema refers to, or its first alternative that is not null.
    fn resolved<'s>(&'s self, schema: &'s Value, depth: u32) -> &'s Value {
        let referred = schema["$ref"].as_str().and_then(|to| self.root.pointer(to.strip_prefix('#')?));
        let alternatives = schema["anyOf"]
            .as_array()
            .or(schema["oneOf"].as_array())
            .filter(|all| all.iter().any(|one| one.get("const").is_none()));
        let alternative = alternatives.and_then(|all| all.iter().find(|one| one["type"] != "null"));
        match referred.or(alternative) {
            Some(next) if depth > 0 => self.resolved(next, depth - 1),
            _ => schema,
        }
    }

    /// What the prompt says of it, if anything.
    fn mentioned(&self, name: &str, schema: &Value) -> Option<Value> {
        if let Some(date) = date_of(name, schema, self.days.is_some()) {
            return self.days.map(|days| date.of(days).into());
        }
        let values = values(schema);
        if !values.is_empty() {
            return mentions::choice(&values, self.prompt, name).cloned();
        }
        match kind(schema) {
            "integer" | "number" => mentions::number(self.prompt, name).map(|number| within(number, schema)),
            "string" => mentions::text(self.prompt, name).map(Value::from),
            "boolean" => {
                let said = words::significant(self.prompt);
                let wanted = words::significant(name);
                (!wanted.is_empty() && wanted.iter().all(|word| said.contains(word))).then_some(Value::Bool(true))
            }
            "array" => self.mentioned(name, self.resolved(&schema["items"], MAX_DEPTH)).map(|value| json!([value])),
            _ => None,
        }
    }

    /// What is sent where the prompt says nothing.
    fn usual(&self, name: &str, schema: &Value, depth: u32) -> Value {
        if let Some(default) = schema.get("default").or(schema.get("const")) {
            return default.clone();
        }
        if let Some(date) = date_of(name, schema, self.days.is_some()) {
            return date.of(Days::usual(self.today)).into();
        }
        if let Some(first) = values(schema).into_iter().next() {
            return first;
        }
        match kind(schema) {
            "string" => subject(self.prompt).into(),
            "integer" | "number" => within(number(self.prompt).unwrap_or(1), schema),
            "boolean" => true.into(),
            "array" if depth > 0 => vec![self.usual(name, self.resolved(&schema["items"], depth), depth - 1)].into(),
            "object" if depth > 0 => self.object(schema, depth - 1),
            _ => Value::Object(Map::new()),
        }
    }
}

/// The type, the first one that is not null of several.
fn kind(schema: &Value) -> &str {
    let several =
        schema["type"].as_array().and_then(|all| all.iter().filter_map(Value::as_str).find(|kind| *kind != "null"));
    let implied = if schema["properties"].is_object() { "object" } else { "" };
    schema["type"].as_str().or(several).unwrap_or(implied)
}

/// The values of an enumeration, however it is written.
fn values(schema: &Value) -> Vec<Value> {
    let listed = schema["enum"].as_array().into_iter().flatten();
    let constants = schema["oneOf"].as_array().or(schema["anyOf"].as_array()).into_iter().flatten();
    listed.chain(constants.filter_map(|one| one.get("const"))).filter(|value| !value.is_null()).cloned().collect()
}

/// Whether it names ranges of days, and so takes the place of dates.
fn is_period(schema: &Value) -> bool {
    values(schema)
        .iter()
        .filter_map(Value::as_str)
        .any(|value| matches!(value, "today" | "yesterday") || value.starts_with("last_"))
}

fn within(number: i64, schema: &Value) -> Value {
    let low = schema["minimum"].as_i64().unwrap_or(i64::MIN);
    number.min(schema["maximum"].as_i64().unwrap_or(i64::MAX)).max(low).into()
}

/// A day that a property is for.
struct DateOf {
    last: bool,
    day_after: bool,
    with_time: bool,
}

impl DateOf {
    fn of(&self, days: Days) -> String {
        let day = if self.last { days.last } else { days.first };
        let day = if self.day_after { day.next_day().unwrap_or(day) } else { day };
        match (self.with_time, self.last && !self.day_after) {
            (false, _) => day.to_string(),
            (true, false) => format!("{day}T00:00:00Z"),
            (true, true) => format!("{day}T23:59:59Z"),
        }
    }
}

/// By its format, or, where the prompt speaks of days, by its name.
fn date_of(name: &str, schema: &Value, speaks_of_days: bool) -> Option<DateOf> {
    let name = words::split(name);
    let is = |all: &[&str]| name.iter().any(|word| all.contains(&word.as_str()));
    let last = is(&["to", "end", "until", "before", "through"]);
    let named = name.iter().all(|word| {
        matches!(
            word.as_str(),
            "from"
                | "to"
                | "start"
                | "end"
                | "since"
                | "until"
                | "before"
                | "after"
                | "through"
                | "date"
                | "day"
                | "time"
                | "at"
        )
    });
    let format = schema["format"].as_str();
    let is_date = matches!(format, Some("date" | "date-time"))
        || (speaks_of_days && named && kind(schema) == "string" && format.is_none());
    let description = schema["description"].as_str().unwrap_or_default().to_lowercase();
    let day_after = last && (description.contains("exclusive") || description.contains("not included"));
    is_date.then_some(DateOf { last, day_after, with_time: format == Some("date-time") })
}

/// The last capitalised word after the first, else the last word.
fn subject(prompt: &str) -> String {
    let words: Vec<&str> = prompt
        .split_whitespace()
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|word| !word.is_empty())
        .collect();
    let capitalised = words.iter().skip(1).rfind(|word| word.starts_with(char::is_uppercase));
    capitalised.or(words.last()).map_or_else(|| "example".to_owned(), |word| (*word).to_owned())
}

fn number(prompt: &str) -> Option<i64> {
    prompt.split(|c: char| !c.is_ascii_digit()).find_map(|digits| digits.parse().ok())
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    fn made(schema: &Value, prompt: &str) -> Value {
        from_schema(schema, prompt, date!(2026 - 11 - 26))
    }

    #[test]
    fn required_properties_are_filled_by_their_types() {
        let schema = json!({
            "type": "object",
            "properties": {
                "city": { "type": "string" },
                "days": { "type": "integer", "maximum": 2 },
                "unit": { "type": "string", "enum": ["celsius", "fahrenheit"] },
                "place": { "properties": { "exact": { "type": "boolean" }, "near": { "type": "string" } }, "required": ["exact"] },
                "note": { "type": "string" },
            },
            "required": ["city", "days", "unit", "place"],
        });
        let input = made(&schema, "What will the weather in Oslo be for 3 days, in fahrenheit?");
        assert_eq!(input, json!({ "city": "Oslo", "days": 2, "unit": "fahrenheit", "place": { "exact": true } }));
        assert_eq!(made(&json!({}), "x"), json!({}));
    }

    #[test]
    fn optional_properties_are_filled_only_where_the_prompt_speaks_of_them() {
        let schema = json!({
            "type": "object",
            "$defs": { "Group": { "oneOf": [{ "const": "day" }, { "const": "model" }, { "const": "user" }] } },
            "properties": {
                "from": { "type": ["string", "null"], "format": "date" },
                "to": { "type": "string", "description": "Last day, exclusive" , "format": "date" },
                "group_by": { "anyOf": [{ "$ref": "#/$defs/Group" }, { "type": "null" }] },
                "limit": { "type": "integer", "minimum": 1, "maximum": 50 },
                "user": { "type": "string" },
            },
        });
        for (prompt, expected) in [
            ("How much did we spend?", json!({})),
            ("How much did we spend this week?", json!({ "from": "2026-11-23", "to": "2026-11-27" })),
            ("cost by model", json!({ "group_by": "model" })),
            (
                "top 99 users yesterday",
                json!({ "from": "2026-11-25", "to": "2026-11-26", "group_by": "user", "limit": 50 }),
            ),
            ("cost per day for user ada", json!({ "group_by": "day", "user": "ada" })),
        ] {
            assert_eq!(made(&schema, prompt), expected, "{prompt}");
        }
    }

    #[test]
    fn a_period_by_its_name_takes_the_place_of_dates() {
        let schema = json!({ "properties": {
            "period": { "type": "string", "enum": ["today", "this_week", "last_7_days"] },
            "from": { "type": "string", "format": "date" },
            "to": { "type": "string", "format": "date" },
            "scope": { "type": "string", "enum": ["own", "organization", "all"] },
            "group_by": { "type": "string", "enum": ["day", "model", "user", "organization"], "default": "day" },
        } });
        for (prompt, expected) in [
            ("How much did we spend this week?", json!({ "period": "this_week" })),
            ("cost by model in the last 7 days", json!({ "period": "last_7_days", "group_by": "model" })),
            ("cost of the last 3 days", json!({ "from": "2026-11-24", "to": "2026-11-26" })),
            ("usage of my organization today", json!({ "period": "today", "scope": "organization" })),
            ("all the usage by organization", json!({ "group_by": "organization" })),
        ] {
            assert_eq!(made(&schema, prompt), expected, "{prompt}");
        }
    }

    #[test]
    fn dates_have_the_form_that_the_schema_asks_for() {
        let schema = json!({
            "properties": {
                "startTime": { "type": "string", "format": "date-time" },
                "endTime": { "type": "string", "format": "date-time" },
                "to": { "type": "string", "format": "email" },
            },
            "required": ["startTime", "endTime"],
        });
        let week = json!({ "startTime": "2026-11-20T00:00:00Z", "endTime": "2026-11-26T23:59:59Z" });
        assert_eq!(made(&schema, "the cost"), week);
        let yesterday = json!({ "startTime": "2026-11-25T00:00:00Z", "endTime": "2026-11-25T23:59:59Z" });
        assert_eq!(made(&schema, "the cost of yesterday"), yesterday);
        let plain = json!({ "properties": { "start": { "type": "string" }, "end": { "type": "string" } } });
        assert_eq!(made(&plain, "today"), json!({ "start": "2026-11-26", "end": "2026-11-26" }));
        assert_eq!(made(&plain, "the cost"), json!({}));
    }
}
