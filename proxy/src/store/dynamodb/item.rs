//! Attributes of items, and changes of them.

use std::{collections::HashMap, fmt::Display, str::FromStr};

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Serialize, de::DeserializeOwned};

use super::keys::Key;
use crate::store::StoreError;

/// The attributes of an item by their names.
pub(super) type Item = HashMap<String, AttributeValue>;

/// A text.
pub(super) fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// A number.
pub(super) fn n(number: impl Display) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// Bytes.
pub(super) fn bytes(bytes: &[u8]) -> AttributeValue {
    AttributeValue::B(bytes.into())
}

/// Anything as JSON.
pub(super) fn json(value: &impl Serialize) -> Result<AttributeValue, StoreError> {
    serde_json::to_string(value).map(s).map_err(unreadable)
}

/// What is kept cannot be read: a fault of the table, or of this program.
pub(super) fn unreadable(error: impl Display) -> StoreError {
    StoreError::Unavailable(format!("what is kept cannot be read: {error}"))
}

/// Reading an item.
pub(super) trait Attributes {
    /// The text `name`, if it is there.
    fn find_text(&self, name: &str) -> Option<&str>;

    /// The number `name`, if it is there and fits.
    fn find_number<T: FromStr>(&self, name: &str) -> Option<T>;

    /// Whether `name` is there.
    fn has(&self, name: &str) -> bool;

    /// The text `name`.
    fn text(&self, name: &str) -> Result<&str, StoreError> {
        self.find_text(name).ok_or_else(|| unreadable(format_args!("the text {name} is missing")))
    }

    /// The number `name`.
    fn number<T: FromStr>(&self, name: &str) -> Result<T, StoreError> {
        self.find_number(name).ok_or_else(|| unreadable(format_args!("the number {name} is missing")))
    }

    /// What the JSON in `name` says.
    fn parsed<T: DeserializeOwned>(&self, name: &str) -> Result<T, StoreError> {
        serde_json::from_str(self.text(name)?).map_err(unreadable)
    }

    /// The id in `name`.
    fn id<T: TryFrom<String, Error: Display>>(&self, name: &str) -> Result<T, StoreError> {
        self.text(name)?.to_owned().try_into().map_err(unreadable)
    }
}

impl Attributes for Item {
    fn find_text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_s().ok().map(String::as_str)
    }

    fn find_number<T: FromStr>(&self, name: &str) -> Option<T> {
        self.get(name)?.as_n().ok()?.parse().ok()
    }

    fn has(&self, name: &str) -> bool {
        self.contains_key(name)
    }
}

/// A change of one item, under a condition. Attributes are written `#name` in conditions: many names are reserved words.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) key: Key,
    set: Vec<String>,
    add: Vec<String>,
    remove: Vec<String>,
    pub(super) condition: Option<String>,
    values: Item,
}

impl Change {
    /// Of the item at `key`, which is made if it is not there.
    pub(super) fn of(key: Key) -> Self {
        Self { key, set: Vec::new(), add: Vec::new(), remove: Vec::new(), condition: None, values: Item::new() }
    }

    /// Gives an attribute a value.
    pub(super) fn set(mut self, name: &str, value: AttributeValue) -> Self {
        self.set.push(format!("#{name} = :{name}"));
        self.with(name, value)
    }

    /// Gives an attribute a value if it has none.
    pub(super) fn set_once(mut self, name: &str, value: AttributeValue) -> Self {
        self.set.push(format!("#{name} = if_not_exists(#{name}, :{name})"));
        self.with(name, value)
    }

    /// Adds to a number, which may be less than nothing.
    pub(super) fn add(mut self, name: &str, number: i128) -> Self {
        self.add.push(format!("#{name} :{name}"));
        self.with(name, n(number))
    }

    /// Adds a text to a set of texts.
    pub(super) fn include(mut self, name: &str, text: String) -> Self {
        self.add.push(format!("#{name} :{name}"));
        self.with(name, AttributeValue::Ss(vec![text]))
    }

    /// Takes an attribute away.
    pub(super) fn remove(mut self, name: &str) -> Self {
        self.remove.push(format!("#{name}"));
        self
    }

    /// Only where `condition` holds, and those before it.
    pub(super) fn when(mut self, condition: impl Into<String>) -> Self {
        let condition = condition.into();
        self.condition = Some(match self.condition {
            Some(before) => format!("{before} AND {condition}"),
            None => condition,
        });
        self
    }

    /// The value of `:name` in a condition.
    pub(super) fn with(mut self, name: &str, value: AttributeValue) -> Self {
        self.values.insert(format!(":{name}"), value);
        self
    }

    /// The change itself.
    pub(super) fn expression(&self) -> String {
        let part = |word: &str, changes: &[String]| {
            if changes.is_empty() { String::new() } else { format!("{word} {}", changes.join(", ")) }
        };
        [part("SET", &self.set), part("ADD", &self.add), part("REMOVE", &self.remove)].join(" ").trim().to_owned()
    }

    /// The names in it and its condition.
    pub(super) fn names(&self) -> HashMap<String, String> {
        names_in(&format!("{} {}", self.expression(), self.condition.as_deref().unwrap_or_default()))
    }

    /// The values in them.
    pub(super) fn values(&self) -> Option<Item> {
        (!self.values.is_empty()).then(|| self.values.clone())
    }
}

/// What `#name` stands for, of each in an expression.
pub(super) fn names_in(expression: &str) -> HashMap<String, String> {
    let ends = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    let names = expression.split('#').skip(1).filter_map(|rest| rest.split(ends).next());
    names.map(|name| (format!("#{name}"), name.to_owned())).collect()
}
