//! This reader beside `serde_json`: the two take the same texts and read them alike, whole, cut short or spoilt.

use proptest::prelude::*;
use serde_json::Value;

use super::{plain::without_numbers, *};
use crate::testing::{self, Spoilt};

fn string(text: &str) -> Option<String> {
    let mut reader = Reader::new(text);
    let value = reader.string().ok()?.into_owned();
    reader.end().ok()?;
    Some(value)
}

/// JSON as people and programs write it: with white space and numbers of every form.
fn json() -> impl Strategy<Value = String> {
    let number = "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?";
    let leaf = prop_oneof![
        3 => testing::json_string(),
        2 => number,
        1 => prop::sample::select(vec!["true", "false", "null", "[]", "{}"]).prop_map(str::to_owned),
        1 => (1usize..70).prop_map(|depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth))),
    ];
    let space = || "[ \n\r\t]{0,2}";
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let items = prop::collection::vec((space(), inner.clone(), space()), 0..4);
        let fields = prop::collection::vec((space(), key(), space(), inner), 0..4);
        let joined = |items: Vec<String>| items.join(",");
        prop_oneof![
            items.prop_map(move |items| {
                let items = items.into_iter().map(|(before, item, after)| format!("{before}{item}{after}"));
                format!("[{}]", joined(items.collect()))
            }),
            fields.prop_map(move |fields| {
                let fields =
                    fields.into_iter().map(|(before, key, after, value)| format!("{before}{key}{after}:{value}"));
                format!("{{{}}}", joined(fields.collect()))
            }),
        ]
    })
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![3 => Just("\"a\"".to_owned()), 1 => Just("\"\\u0061\"".to_owned()), 2 => testing::json_string()]
}

/// Both take `text`, or neither does; and what both take is the same.
fn agree(text: &str) -> Result<(), TestCaseError> {
    let (plain, depth) = without_numbers(text);
    let mut reader = Reader::new(text);
    let passed_over = reader.skip().map(str::to_owned);
    let ours = passed_over.is_ok() && reader.end().is_ok();
    let theirs = serde_json::from_str::<Value>(&plain);
    prop_assert_eq!(ours, theirs.is_ok() && depth <= MAX_JSON_DEPTH, "{}", text);
    prop_assert_eq!(Object::read(text).is_ok(), ours && theirs.is_ok_and(|value| value.is_object()), "{}", text);
    let Ok(value) = serde_json::from_str::<Value>(text) else { return Ok(()) };
    let Ok(skipped) = passed_over else { return Ok(()) };
    let skipped = serde_json::from_str::<Value>(&skipped);
    prop_assert_eq!(skipped.as_ref().ok(), Some(&value));
    if let (Ok(object), Some(fields)) = (Object::read(text), value.as_object()) {
        fields.iter().try_for_each(|(name, value)| same(&object, name, value))?;
    }
    Ok(())
}

/// Each way to ask for a field gives what is there, or an error if that is something else.
fn same(object: &Object<'_>, name: &str, value: &Value) -> Result<(), TestCaseError> {
    let null = value.is_null();
    let raw = object.raw(name).map(|raw| serde_json::from_str::<Value>(raw).unwrap());
    prop_assert_eq!(raw.as_ref(), Some(value).filter(|value| !value.is_null()));
    let text = object.text(name).map(Cow::into_owned).ok();
    prop_assert_eq!(text, if null { Some(String::new()) } else { value.as_str().map(str::to_owned) });
    prop_assert_eq!(object.number(name).ok(), if null { Some(0) } else { value.as_u64() });
    prop_assert_eq!(object.flag(name).ok(), if null { Some(false) } else { value.as_bool() });
    let inner = object.object(name).map(|inner| inner.is_some()).ok();
    prop_assert_eq!(inner, if null { Some(false) } else { value.is_object().then_some(true) });
    let count = object.objects(name).map(|objects| objects.len()).ok();
    let objects = value.as_array().filter(|items| items.iter().all(Value::is_object)).map(Vec::len);
    prop_assert_eq!(count, if null { Some(0) } else { objects });
    Ok(())
}

proptest! {
    #![proptest_config(testing::cases(1_000))]

    #[test]
    fn json_reads_as_serde_json_reads_it(text in json(), spoilt in testing::spoilt()) {
        agree(&text)?;
        agree(&spoilt.iter().fold(text, |text, spoilt| Spoilt::apply(spoilt, &text)))?;
    }

    #[test]
    fn no_text_is_taken_by_one_alone(text in r#"([\[\]{}:,"\\ ]|true|null|[a-z]|-?[0-9.eE+]{1,3}|[ü😀\x00-\x1f]|\\u[dD89a-f]{4}){0,16}"#) {
        agree(&text)?;
    }

    #[test]
    fn strings_read_as_serde_json_reads_them(text in r#""(\\["\\/bfnrtu]|[a-fA-F0-9ud\\"]|\\u[dD][89abAB][0-9]{2}|\\u[dD][c-f][0-9]{2}|\PC|[\x00-\x1f]){0,12}"?"#) {
        prop_assert_eq!(string(&text), serde_json::from_str::<String>(&text).ok());
        agree(&text)?;
    }

    #[test]
    fn numbers_read_as_serde_json_reads_them(text in "[0-9]{0,22}[.eE-]?[0-9]{0,2}") {
        let mut reader = Reader::new(&text);
        let ours = reader.u64().ok().filter(|_| reader.end().is_ok());
        prop_assert_eq!(ours, serde_json::from_str::<u64>(&text).ok());
    }
}
