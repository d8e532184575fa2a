//! Reading what clients send. Whatever comes in, the answer is a frame or an error that says what is wrong.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    ErrorCode, ErrorData, RequestId,
    client::{ClientFrame, ClientMessage},
    limits::{MAX_CLIENT_FRAME_BYTES, MAX_JSON_DEPTH, MAX_PAGE_ITEMS, MAX_TITLE_CHARS},
    media,
};

/// A frame that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError {
    /// The frame's id, if it could be read.
    pub id: Option<RequestId>,
    /// What to tell the client.
    pub error: Box<ErrorData>,
}

impl DecodeError {
    fn new(id: Option<RequestId>, code: ErrorCode, message: impl Into<String>) -> Self {
        Self { id, error: Box::new(ErrorData::new(code, message)) }
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

/// Reads a frame from a client. Unknown fields are ignored; `data` may be left out where every field of it may.
///
/// # Errors
/// [`DecodeError`], to be answered with `chat.error`; the socket can stay open.
pub fn decode_client(text: &str) -> Result<ClientFrame, DecodeError> {
    let refuse =
        |id: &Option<RequestId>, message: String| Err(DecodeError::new(id.clone(), ErrorCode::InvalidRequest, message));
    if text.len() > MAX_CLIENT_FRAME_BYTES {
        let message = format!("a frame has at most {MAX_CLIENT_FRAME_BYTES} bytes, this one has {}", text.len());
        return Err(DecodeError::new(None, ErrorCode::MessageTooLarge, message));
    }
    if is_too_deep(text) {
        return refuse(&None, format!("a frame nests at most {MAX_JSON_DEPTH} levels deep"));
    }
    let envelope: Envelope<'_> = match serde_json::from_str(text) {
        Ok(envelope) => envelope,
        Err(error) => {
            return refuse(&None, format!("a frame is a JSON object with id, type and data: {error}"));
        }
    };
    let id = match envelope.id {
        None => return refuse(&None, "the frame has no id; choose one, the reply carries it".to_owned()),
        Some(id) => match RequestId::new(id.into_owned()) {
            Ok(id) => id,
            Err(error) => return refuse(&None, error.to_string()),
        },
    };
    let some_id = Some(id.clone());
    let Some(kind) = envelope.kind else {
        return refuse(&some_id, "the frame has no type".to_owned());
    };
    let data = envelope.data.map_or("{}", RawValue::get);
    let message = match ClientMessage::from_data(&kind, data) {
        None => {
            let kind: String = kind.chars().take(64).collect();
            return refuse(&some_id, format!("unknown type {kind:?}; the protocol page lists them"));
        }
        Some(Err(error)) => return refuse(&some_id, format!("{kind}: {}", without_position(&error))),
        Some(Ok(message)) => message,
    };
    match broken_rule(&message) {
        None => Ok(ClientFrame { id, message }),
        Some((code, text)) => Err(DecodeError::new(some_id, code, format!("{kind}: {text}"))),
    }
}

/// Whether JSON nests deeper than it may. What nobody knows is passed over by `serde_json` without a bound of its own.
fn is_too_deep(text: &str) -> bool {
    let (mut depth, mut string, mut escaped) = (0usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if string => escaped = true,
            b'"' => string = !string,
            b'{' | b'[' if !string => depth += 1,
            b'}' | b']' if !string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_JSON_DEPTH {
            return true;
        }
    }
    false
}

/// serde's text without its line and column, which count from the start of `data` and would mislead.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

/// What the types cannot say.
fn broken_rule(message: &ClientMessage) -> Option<(ErrorCode, String)> {
    let invalid = |text: &str| Some((ErrorCode::InvalidRequest, text.to_owned()));
    let title = |title: &str| {
        let chars = title.chars().count();
        let fits = (1..=MAX_TITLE_CHARS).contains(&chars) && !title.trim().is_empty();
        if fits { None } else { invalid(&format!("a title has 1 to {MAX_TITLE_CHARS} characters and is not blank")) }
    };
    let page = |limit: Option<u32>| match limit {
        Some(limit) if !(1..=MAX_PAGE_ITEMS).contains(&limit) => {
            invalid(&format!("limit is 1 to {MAX_PAGE_ITEMS}, not {limit}"))
        }
        _ => None,
    };
    match message {
        ClientMessage::SendMessage(send) if send.message.trim().is_empty() && send.attachments.is_empty() => {
            invalid("the message is blank")
        }
        ClientMessage::SendMessage(send) => media::refused(&send.attachments),
        ClientMessage::Cancel(cancel) if cancel.message_id.is_some() == cancel.request_id.is_some() => {
            invalid("give either messageId or requestId")
        }
        ClientMessage::CreateSession(create) => create.title.as_deref().and_then(title),
        ClientMessage::RenameSession(rename) => title(&rename.title),
        ClientMessage::ListSessions(list) => page(list.limit),
        ClientMessage::GetHistory(history) => page(history.limit),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::MAX_ATTACHMENTS;

    fn error(text: &str) -> (Option<String>, ErrorCode, String) {
        let error = decode_client(text).unwrap_err();
        (error.id.map(Into::into), error.error.code, error.error.message)
    }

    #[test]
    fn an_error_names_the_field_and_carries_the_id_if_there_is_one() {
        let cases = [
            ("nonsense", None, "a frame is a JSON object"),
            ("[]", None, "a frame is a JSON object"),
            (r#"{"type":"ping"}"#, None, "has no id"),
            (r#"{"id":"","type":"ping"}"#, None, "1 to 128 bytes"),
            (r#"{"id":7,"type":"ping"}"#, None, "invalid type"),
            (r#"{"id":"a"}"#, Some("a"), "has no type"),
            (r#"{"id":"a","type":"chat.sing","data":{}}"#, Some("a"), r#"unknown type "chat.sing""#),
            (r#"{"id":"a","type":"chat.send_message"}"#, Some("a"), "missing field `message`"),
            (r#"{"id":"a","type":"chat.send_message","data":{"message":7}}"#, Some("a"), "expected a string"),
            (r#"{"id":"a","type":"chat.send_message","data":{"message":" \n"}}"#, Some("a"), "blank"),
            (r#"{"id":"a","type":"chat.send_message","data":{"message":"x","sessionId":"a b"}}"#, Some("a"), "A-Z a-z"),
            (
                r#"{"id":"a","type":"chat.send_message","data":{"message":"x","attachments":[{"name":"a.bmp","mediaType":"image/bmp","data":"QQ=="}]}}"#,
                Some("a"),
                r#"chat.send_message: the file "a.bmp" is "image/bmp""#,
            ),
            (r#"{"id":"a","type":"chat.cancel","data":{}}"#, Some("a"), "either messageId or requestId"),
            (r#"{"id":"a","type":"chat.list_sessions","data":{"limit":0}}"#, Some("a"), "limit is 1 to 100"),
            (r#"{"id":"a","type":"chat.rename_session","data":{"sessionId":"s","title":" "}}"#, Some("a"), "title"),
        ];
        for (text, id, expected) in cases {
            let (got_id, code, message) = error(text);
            assert_eq!((got_id.as_deref(), code), (id, ErrorCode::InvalidRequest), "{text}");
            assert!(message.contains(expected), "{text}: {message}");
            assert!(!message.contains(" at line ") || id.is_none(), "{message}");
        }
    }

    #[test]
    fn fields_that_nobody_knows_are_ignored_and_data_may_be_left_out() {
        assert!(decode_client(r#"{"id":"a","type":"ping","extra":1}"#).is_ok());
        assert!(decode_client(r#"{"id":"a","type":"ping","data":{"extra":[1,2]}}"#).is_ok());
        assert!(decode_client(r#"{"id":"a","type":"chat.send_message","data":{"message":"x","temper":1}}"#).is_ok());
    }

    #[test]
    fn bounds_are_themselves_allowed() {
        let refused = |kind: &str, data: &str| {
            let frame = decode_client(&format!(r#"{{"id":"a","type":"{kind}","data":{{{data}}}}}"#));
            frame.err().map(|refused| refused.error.code)
        };
        let attachments = |count: usize| {
            let all = vec![r#"{"name":"n","mediaType":"image/png","data":"QQ=="}"#; count].join(",");
            refused("chat.send_message", &format!(r#""message":"","attachments":[{all}]"#))
        };
        assert_eq!(attachments(MAX_ATTACHMENTS), None);
        assert_eq!(attachments(MAX_ATTACHMENTS + 1), Some(ErrorCode::MessageTooLarge));
        let title = |chars: usize| refused("chat.create_session", &format!(r#""title":"{}""#, "ü".repeat(chars)));
        assert_eq!((title(MAX_TITLE_CHARS), title(MAX_TITLE_CHARS + 1)), (None, Some(ErrorCode::InvalidRequest)));
        let page = |limit: u32| refused("chat.list_sessions", &format!(r#""limit":{limit}"#));
        assert_eq!((page(1), page(MAX_PAGE_ITEMS)), (None, None));
        assert_eq!(page(MAX_PAGE_ITEMS + 1), Some(ErrorCode::InvalidRequest));
    }

    #[test]
    fn a_frame_over_the_limit_is_too_large() {
        let text = format!(r#"{{"id":"a","type":"ping","data":{{"x":"{}"}}}}"#, "x".repeat(MAX_CLIENT_FRAME_BYTES));
        assert_eq!(error(&text).1, ErrorCode::MessageTooLarge);
    }

    #[test]
    fn deep_nesting_is_refused_and_not_followed() {
        let deep = "[".repeat(100_000);
        assert_eq!(error(&format!(r#"{{"id":"a","type":"ping","data":{deep}"#)).1, ErrorCode::InvalidRequest);
        let nested = |levels: usize| {
            let value = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
            decode_client(&format!(r#"{{"id":"a\"[","type":"ping","data":{{"x":{value}}}}}"#))
        };
        assert!(nested(MAX_JSON_DEPTH - 2).is_ok());
        assert_eq!(nested(MAX_JSON_DEPTH - 1).unwrap_err().error.code, ErrorCode::InvalidRequest);
    }
}
