//! Whether arguments fit a tool's schema, found without ever being kept busy by the schema.

use std::collections::HashMap;

use jsonschema::{PatternOptions, Validator};
use serde_json::{Map, Value};

use crate::content::cut;

/// How far a pattern of a schema may go back before an argument counts as not fitting.
const MAX_BACKTRACKING: usize = 100_000;
/// How large a schema may be with everything put in that it refers to, for arguments to be checked by it.
const MAX_UNFOLDED: usize = 10_000;
/// The most of a problem that is told, and of how many.
const MAX_PROBLEM_BYTES: usize = 1024;
const MAX_PROBLEMS: usize = 3;

/// A schema of arguments.
#[derive(Debug)]
pub(crate) struct Schema(Option<Validator>);

impl Schema {
    /// Takes a schema, or says what is wrong with it. Nothing that it refers to is fetched.
    pub(crate) fn new(schema: &Value) -> Result<Self, String> {
        let problem = |error: jsonschema::ValidationError<'_>| {
            format!("its schema is not valid: {}", cut(&error.to_string(), MAX_PROBLEM_BYTES))
        };
        if refers_elsewhere(schema) {
            return Err("its schema refers to another document, and nothing is fetched for it".into());
        }
        // Reading and checking take time that grows with what is put in, and for ever where that has no end.
        if (Unfolding { root: schema, known: HashMap::new() }).size(schema).is_none() {
            return jsonschema::meta::validate(schema).map(|()| Self(None)).map_err(problem);
        }
        let options = PatternOptions::fancy_regex().backtrack_limit(MAX_BACKTRACKING);
        let validator = jsonschema::options().offline().with_pattern_options(options).build(schema);
        validator.map(|validator| Self(Some(validator))).map_err(problem)
    }

    /// Whether `arguments` fit. Where the schema refers to itself or unfolds too far, that is for the server to find out.
    pub(crate) fn check(&self, arguments: &Map<String, Value>) -> Result<(), String> {
        let Some(validator) = &self.0 else { return Ok(()) };
        let arguments = Value::Object(arguments.clone());
        let problems: Vec<_> = validator
            .iter_errors(&arguments)
            .take(MAX_PROBLEMS)
            .map(|error| match error.instance_path().as_str() {
                "" => error.to_string(),
                path => format!("{path}: {error}"),
            })
            .collect();
        match problems.is_empty() {
            true => Ok(()),
            false => Err(format!(
                "the arguments do not fit the tool's schema: {}",
                cut(&problems.join("; "), MAX_PROBLEM_BYTES)
            )),
        }
    }
}

fn refers_elsewhere(schema: &Value) -> bool {
    match schema {
        Value::Object(fields) => fields.iter().any(|(name, value)| match (name.as_str(), value) {
            ("$ref", Value::String(target)) => !target.starts_with('#'),
            (_, value) => refers_elsewhere(value),
        }),
        Value::Array(items) => items.iter().any(refers_elsewhere),
        _ => false,
    }
}

/// Counts what a schema is with everything put in that it refers to.
struct Unfolding<'a> {
    root: &'a Value,
    /// What is referred to, and its size; none while it is being counted.
    known: HashMap<&'a str, Option<usize>>,
}

impl<'a> Unfolding<'a> {
    /// The size, if it has one within [`MAX_UNFOLDED`].
    fn size(&mut self, schema: &'a Value) -> Option<usize> {
        let sum = |sum: usize, size: Option<usize>| Some(sum.saturating_add(size?)).filter(|sum| *sum <= MAX_UNFOLDED);
        match schema {
            Value::Object(fields) => fields.iter().try_fold(1, |size, (name, value)| match (name.as_str(), value) {
                ("$ref", Value::String(target)) => sum(size, self.size_of(target)),
                ("$dynamicRef" | "$recursiveRef", Value::String(_)) => None,
                (_, value) => sum(size, self.size(value)),
            }),
            Value::Array(items) => items.iter().try_fold(1, |size, item| sum(size, self.size(item))),
            _ => Some(1),
        }
    }

    fn size_of(&mut self, target: &'a str) -> Option<usize> {
        if let Some(known) = self.known.get(target) {
            return *known;
        }
        self.known.insert(target, None);
        let pointer = target.strip_prefix('#').filter(|pointer| pointer.is_empty() || pointer.starts_with('/'))?;
        let size = self.size(self.root.pointer(pointer)?);
        self.known.insert(target, size);
        size
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(schema: &Value, arguments: &Value) -> Result<(), String> {
        Schema::new(schema).unwrap().check(arguments.as_object().unwrap())
    }

    #[test]
    fn arguments_are_checked_and_what_is_wrong_is_said() {
        let schema = json!({"type": "object", "required": ["n"], "properties": {"n": {"$ref": "#/$defs/n"}}, "$defs": {"n": {"type": "integer"}}});
        assert_eq!(check(&schema, &json!({"n": 1})), Ok(()));
        let problem = check(&schema, &json!({"n": "x"})).unwrap_err();
        assert!(problem.contains("/n: \"x\" is not of type \"integer\""), "{problem}");
        let problem = check(&schema, &json!({})).unwrap_err();
        assert!(problem.contains("\"n\" is a required property"), "{problem}");
    }

    #[test]
    fn a_schema_that_is_none_is_refused() {
        for schema in [
            json!({"type": "thing"}),
            json!({"pattern": "("}),
            json!({"items": [{"$ref": "https://example.com/schema.json"}]}),
            json!({"type": 1, "properties": {"a": {"$ref": "#"}}}),
        ] {
            assert!(Schema::new(&schema).is_err(), "{schema}");
        }
    }

    #[test]
    fn a_schema_keeps_nobody_busy() {
        // Each level is twice the one below.
        let level = |n: usize| json!({"allOf": [{"$ref": format!("#/$defs/{}", n + 1)}, {"$ref": format!("#/$defs/{}", n + 1)}]});
        let mut levels: Map<_, _> = (0..60).map(|n| (n.to_string(), level(n))).collect();
        levels.insert("60".into(), json!({}));
        let doubling = json!({"$ref": "#/$defs/0", "$defs": levels});
        let itself = json!({"$ref": "#"});
        let twice = json!({"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a"}]}}});
        let tree = json!({"properties": {"next": {"anyOf": [{"$ref": "#"}, {"$ref": "#"}]}}, "required": ["n"]});
        let backtracking = json!({"properties": {"n": {"pattern": "^(?=(a+)+$)(a|aa)+b$"}}});
        let long = json!({"n": "a".repeat(5000), "next": {}});
        for schema in [doubling, itself, twice, tree] {
            assert_eq!(check(&schema, &long), Ok(()), "{schema}");
        }
        assert!(check(&backtracking, &long).is_err());
    }
}
