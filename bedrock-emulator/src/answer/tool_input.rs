//! Input for a tool, made from its schema and the prompt.

use serde_json::{Map, Value, json};

/// Deepest schema that is followed.
const MAX_DEPTH: u32 = 8;

/// An object with every required property; without required ones, with all of them.
pub(super) fn from_schema(schema: &Value, prompt: &str) -> Value {
    value(schema, prompt, MAX_DEPTH)
}

fn value(schema: &Value, prompt: &str, depth: u32) -> Value {
    if let Some(first) = schema["enum"].as_array().and_then(|values| values.first()) {
        let mentioned =
            schema["enum"].as_array().into_iter().flatten().find(|v| v.as_str().is_some_and(|v| prompt.contains(v)));
        return mentioned.unwrap_or(first).clone();
    }
    match schema["type"].as_str() {
        Some("string") => subject(prompt).into(),
        Some("integer") => number(prompt).unwrap_or(1).into(),
        Some("number") => number(prompt).map_or(json!(1.0), Value::from),
        Some("boolean") => true.into(),
        Some("array") if depth > 0 => vec![value(&schema["items"], prompt, depth - 1)].into(),
        Some("object") if depth > 0 => object(schema, prompt, depth - 1),
        _ if schema["properties"].is_object() && depth > 0 => object(schema, prompt, depth - 1),
        _ => Value::Object(Map::new()),
    }
}

fn object(schema: &Value, prompt: &str, depth: u32) -> Value {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = schema["properties"].as_object().into_iter().flatten();
    let wanted = properties.filter(|(name, _)| required.is_empty() || required.contains(&name.as_str()));
    wanted.map(|(name, schema)| (name.clone(), value(schema, prompt, depth))).collect::<Map<_, _>>().into()
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
    use super::*;

    #[test]
    fn required_properties_are_filled_by_their_types() {
        let schema = json!({
            "type": "object",
            "properties": {
                "city": { "type": "string" },
                "days": { "type": "integer" },
                "unit": { "type": "string", "enum": ["celsius", "fahrenheit"] },
                "note": { "type": "string" },
            },
            "required": ["city", "days", "unit"],
        });
        let input = from_schema(&schema, "What will the weather in Oslo be for 3 days, in fahrenheit?");
        assert_eq!(input, json!({ "city": "Oslo", "days": 3, "unit": "fahrenheit" }));
        assert_eq!(from_schema(&json!({}), "x"), json!({}));
    }
}
