//! Identifiers as newtypes. Each is checked where it enters, so that the rest of the code can rely on its alphabet and length.

use serde::{Deserialize, Serialize};

/// An identifier that breaks the rules of its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidId {
    kind: &'static str,
    max_chars: usize,
}

impl std::fmt::Display for InvalidId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a {} is 1 to {} characters of A-Z a-z 0-9 _ -", self.kind, self.max_chars)
    }
}

impl std::error::Error for InvalidId {}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $max:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        #[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema), ts(as = "String"))]
        #[cfg_attr(test, schemars(extend("minLength" = 1, "maxLength" = $max, "pattern" = "^[A-Za-z0-9_-]*$")))]
        pub struct $name(Box<str>);

        impl $name {
            /// The most characters an id of this kind has.
            pub const MAX_CHARS: usize = $max;

            /// Takes `text` if it is an id of this kind.
            ///
            /// # Errors
            /// [`InvalidId`] for an empty or long text or one with other characters than `A-Z a-z 0-9 _ -`.
            pub fn new(text: impl Into<Box<str>>) -> Result<Self, InvalidId> {
                let text = text.into();
                let fits = (1..=$max).contains(&text.len());
                if fits && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') {
                    Ok(Self(text))
                } else {
                    Err(InvalidId { kind: $kind, max_chars: $max })
                }
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.into()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A conversation. Session ids live under their owner: two users may hold the same one.
    SessionId, "session id", 128
);
id!(
    /// A message, minted by the proxy.
    MessageId, "message id", 128
);
id!(
    /// A call of a tool, minted by the model.
    ToolUseId, "tool use id", 64
);

/// The `id` of a frame: chosen by the client, repeated in every reply, and the idempotency key of `chat.send_message`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema), ts(as = "String"))]
#[cfg_attr(test, schemars(extend("minLength" = 1, "maxLength" = 128)))]
pub struct RequestId(Box<str>);

impl RequestId {
    /// The most bytes a request id has.
    pub const MAX_BYTES: usize = 128;

    /// Takes `text` if it has 1 to 128 bytes and no control characters.
    ///
    /// # Errors
    /// [`InvalidRequestId`] otherwise.
    pub fn new(text: impl Into<Box<str>>) -> Result<Self, InvalidRequestId> {
        let text = text.into();
        if (1..=Self::MAX_BYTES).contains(&text.len()) && !text.chars().any(char::is_control) {
            Ok(Self(text))
        } else {
            Err(InvalidRequestId)
        }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A frame's `id` that is empty, long or has control characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidRequestId;

impl std::fmt::Display for InvalidRequestId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a frame's id is 1 to 128 bytes without control characters")
    }
}

impl std::error::Error for InvalidRequestId {}

impl TryFrom<String> for RequestId {
    type Error = InvalidRequestId;
    fn try_from(text: String) -> Result<Self, InvalidRequestId> {
        Self::new(text)
    }
}

impl From<RequestId> for String {
    fn from(id: RequestId) -> String {
        id.0.into()
    }
}

impl std::fmt::Display for RequestId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_short_and_of_a_plain_alphabet() {
        let longest = "x".repeat(128);
        for good in ["a", "A-z_09", longest.as_str()] {
            assert_eq!(SessionId::new(good).unwrap().as_str(), good);
        }
        let too_long = "x".repeat(129);
        for bad in ["", "a b", "ä", "a/b", "a\n", too_long.as_str()] {
            assert!(SessionId::new(bad).is_err(), "{bad:?}");
        }
        assert!(ToolUseId::new("x".repeat(65)).is_err());
    }

    #[test]
    fn request_ids_are_the_clients_own_but_bounded() {
        assert!(RequestId::new("req 1/ü").is_ok());
        assert!(RequestId::new("").is_err());
        assert!(RequestId::new("a\u{7}").is_err());
        assert!(RequestId::new("x".repeat(129)).is_err());
    }
}
