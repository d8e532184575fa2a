//! JSON that is passed on and not looked into.

use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::Error as _};
use serde_json::{Value, value::RawValue};

/// Any JSON value, as text: a tool's arguments and results, which only the tool and the page understand.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema), ts(type = "unknown"), schemars(with = "serde_json::Value"))]
pub struct RawJson(Box<str>);

/// An object without fields.
impl Default for RawJson {
    fn default() -> Self {
        Self("{}".into())
    }
}

impl RawJson {
    /// Takes text that is one JSON value.
    ///
    /// # Errors
    /// `serde_json`'s, for text that is not.
    pub fn new(text: &str) -> serde_json::Result<Self> {
        serde_json::from_str::<&RawValue>(text).map(|raw| Self(raw.get().into()))
    }

    /// Takes text that the frame's reader has walked through already.
    pub(crate) fn from_reader(text: &str) -> Self {
        Self(text.into())
    }

    /// The JSON text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Serialize for RawJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(S::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RawJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // A RawValue cannot be read inside a tagged enum or a flattened struct; a Value can.
        Value::deserialize(deserializer).map(|value| Self(value.to_string().into()))
    }
}
