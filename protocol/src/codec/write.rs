//! Writing JSON without serde: what a client in a browser sends, where serde's writers would be a third of the module.

/// The text of a frame to a proxy, whose `data` is JSON already. `id` is the client's own and `kind` a type of the protocol.
pub fn encode_raw(id: &str, kind: &str, data: &str) -> String {
    let mut frame = JsonObject::with_capacity(id.len() + kind.len() + data.len() + 32);
    frame.text("id", id).text("type", kind).raw("data", data);
    frame.finish()
}

/// Writes one JSON object, field by field. Keys are the caller's own and need no escapes.
#[derive(Debug)]
pub struct JsonObject {
    out: String,
}

impl Default for JsonObject {
    fn default() -> Self {
        Self::with_capacity(64)
    }
}

impl JsonObject {
    /// An object without fields, with room for `bytes` of text.
    pub fn with_capacity(bytes: usize) -> Self {
        let mut out = String::with_capacity(bytes);
        out.push('{');
        Self { out }
    }

    /// Adds a string.
    pub fn text(&mut self, key: &str, value: &str) -> &mut Self {
        self.key(key);
        self.out.push('"');
        push_escaped(&mut self.out, value);
        self.out.push('"');
        self
    }

    /// Adds a string that is there.
    pub fn optional_text(&mut self, key: &str, value: Option<&str>) -> &mut Self {
        if let Some(value) = value {
            self.text(key, value);
        }
        self
    }

    /// Adds a whole number.
    pub fn number(&mut self, key: &str, value: u64) -> &mut Self {
        self.key(key);
        push_number(&mut self.out, value);
        self
    }

    /// Adds a whole number that is there.
    pub fn optional_number(&mut self, key: &str, value: Option<u64>) -> &mut Self {
        if let Some(value) = value {
            self.number(key, value);
        }
        self
    }

    /// Adds text that is JSON.
    pub fn raw(&mut self, key: &str, json: &str) -> &mut Self {
        self.key(key);
        self.out.push_str(json);
        self
    }

    /// The text of the object.
    pub fn finish(mut self) -> String {
        self.out.push('}');
        self.out
    }

    fn key(&mut self, key: &str) {
        if self.out.len() > 1 {
            self.out.push(',');
        }
        self.out.push('"');
        push_escaped(&mut self.out, key);
        self.out.push_str("\":");
    }
}

fn push_escaped(out: &mut String, text: &str) {
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(text.get(plain..at).unwrap_or_default());
        plain = at + 1;
        match byte {
            b'\n' => out.push_str("\\n"),
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(byte));
            }
            _ => {
                let hex = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
                out.push_str("\\u00");
                out.push(hex(byte >> 4));
                out.push(hex(byte & 15));
            }
        }
    }
    out.push_str(text.get(plain..).unwrap_or_default());
}

/// Writes a number as decimal digits, without the formatting of the standard library, which is more code than this module.
pub fn push_number(out: &mut String, value: u64) {
    let mut divisor: u64 = 1;
    while value / divisor >= 10 {
        divisor *= 10;
    }
    while divisor > 0 {
        out.push(char::from(b'0' + (value / divisor % 10) as u8));
        divisor /= 10;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{codec::decode_client, testing};

    proptest! {
        #![proptest_config(testing::cases(1_000))]

        #[test]
        fn what_is_written_reads_as_it_was(text in testing::text(8), key in testing::text(2), number: u64) {
            let key = format!("key{key}");
            let mut object = JsonObject::default();
            object.text("text", &text).number("number", number).optional_text("none", None).raw("raw", "[1,{}]");
            object.optional_text(&key, Some(&text)).optional_number("some", Some(number)).optional_number("no", None);
            let value: serde_json::Value = serde_json::from_str(&object.finish()).unwrap();
            let mut expected = serde_json::json!({ "text": text, "number": number, "raw": [1, {}], "some": number });
            expected[&key] = text.into();
            prop_assert_eq!(value, expected);
        }
    }

    #[test]
    fn a_raw_frame_is_one_the_proxy_reads() {
        let frame = decode_client(&encode_raw("a\"1", "chat.list_sessions", r#"{"limit":7}"#)).unwrap();
        assert_eq!((frame.id.as_str(), frame.message.type_text()), ("a\"1", "chat.list_sessions"));
        assert!(decode_client(&encode_raw("a", "ping", &JsonObject::default().finish())).is_ok());
    }
}
