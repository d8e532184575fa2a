//! The client's own JSON reader beside serde: it takes nothing that is no JSON and whatever serde takes for a frame of the protocol,
//! and what both take they read alike. The quick reader of streams reads what the plain one reads.
//!
//! A zero byte parts two frames: the second one meets a decoder that has learnt the first.

#![no_main]

#[path = "../../protocol/src/json/plain.rs"]
mod plain;

use libfuzzer_sys::fuzz_target;
use plain::without_numbers;
use protocol::{
    ErrorData, MessageId, Part, RequestId, SessionId,
    codec::{Incoming, StreamDecoder, StreamEncoder, StreamFrame, StreamKind, decode_server},
    limits::MAX_JSON_DEPTH,
    server::{Draining, MessageComplete, MessageResponse, MessageStream, ServerHello, Snapshot, Status, ToolUseUpdate},
};
use serde_json::{Value, from_value};

fuzz_target!(|text: &str| {
    let (first, second) = text.split_once('\0').unwrap_or((text, text));
    for frame in [first, second] {
        compare(frame);
    }
    let mut decoder = StreamDecoder::default();
    if plain(first).is_some() {
        decoder.learn(first);
        assert_eq!(decoder.decode(first).is_some(), !decoder.head().is_empty());
        assert!(!decoder.head().is_empty() || !as_the_proxy_writes(first));
        if let Some(quick) = decoder.decode(second) {
            assert_eq!(Some(quick), plain(second));
        }
    }
});

fn plain(text: &str) -> Option<StreamFrame<'_>> {
    match decode_server(text).ok()?.incoming {
        Incoming::Stream { part, first, seq, content, .. } => Some(StreamFrame { part, first, seq, content }),
        _ => None,
    }
}

/// Whether `text` is, byte for byte, a frame of the proxy's encoder.
fn as_the_proxy_writes(text: &str) -> bool {
    let Ok(received) = decode_server(text) else { return false };
    let Incoming::Stream { kind, session_id, message_id, part, first, seq, content } = received.incoming else {
        return false;
    };
    let ids = (RequestId::new(&*received.id), SessionId::new(&*session_id), MessageId::new(&*message_id));
    let (Ok(id), Ok(session_id), Ok(message_id)) = ids else { return false };
    StreamEncoder::new(&id, &session_id, &message_id).encode(kind, part, first, seq, &content) == text
}

fn compare(text: &str) {
    let ours = decode_server(text);
    let (plain, depth) = without_numbers(text);
    let is_json = depth <= MAX_JSON_DEPTH && serde_json::from_str::<Value>(&plain).is_ok_and(|json| json.is_object());
    assert!(is_json || ours.is_err(), "it is no JSON: {text}");
    let Ok(theirs) = serde_json::from_str::<Value>(text) else { return };
    let string = |name: &str| match theirs.get(name) {
        None | Some(Value::Null) => Some(""),
        Some(value) => value.as_str(),
    };
    let kind = string("type");
    let data = match theirs.get("data") {
        None | Some(Value::Null) => Value::Object(Default::default()),
        Some(data) => data.clone(),
    };
    let Ok(received) = ours else {
        // What else is refused has a field of another type, or an array where serde takes one for an object.
        let frame = string("id").and(kind).filter(|_| is_json && data.is_object() && arrays_are_lists(&data));
        assert!(!frame.is_some_and(|kind| serde_reads(kind, data)), "{text}");
        return;
    };
    assert_eq!((Some(&*received.id), Some(&*received.kind)), (string("id"), kind));
    match received.incoming {
        Incoming::Stream { kind, session_id, message_id, part, first, seq, content } => {
            let theirs = match string("type") {
                Some("chat.message_stream") => StreamKind::Text,
                Some("chat.reasoning_stream") => StreamKind::Reasoning,
                _ => StreamKind::ToolInput,
            };
            assert_eq!(kind, theirs);
            let Ok(data) = from_value::<MessageStream>(data) else { return };
            assert_eq!((&*session_id, &*message_id), (data.session_id.as_str(), data.message_id.as_str()));
            assert_eq!((part, first, seq, &*content), (data.part, data.first, data.seq, &*data.content));
        }
        Incoming::ToolUse { message_id, seq, call } => {
            let Ok(data) = from_value::<ToolUseUpdate>(data) else { return };
            assert_eq!((&*message_id, seq), (data.message_id.as_str(), data.seq));
            assert_eq!(part_value(Part::ToolUse(call)), part_value(Part::ToolUse(data.call)));
        }
        Incoming::Complete { session_id, message_id, seq, model, stop_reason, usage } => {
            let Ok(data) = from_value::<MessageComplete>(data) else { return };
            assert_eq!((&*session_id, &*message_id), (data.session_id.as_str(), data.message_id.as_str()));
            assert_eq!((seq, model.as_deref(), stop_reason), (data.seq, Some(&*data.model), data.stop_reason));
            assert_eq!(usage, data.usage);
        }
        Incoming::Response { session_id, message_id, content, model, stop_reason, usage } => {
            let Ok(MessageResponse { session_id: session, message }) = from_value(data) else { return };
            assert_eq!((&*session_id, &*message_id), (session.as_str(), message.message_id.as_str()));
            assert_eq!((&*content, model.as_deref()), (&*message.content, message.model.as_deref()));
            assert_eq!((stop_reason, usage), (message.stop_reason, message.usage.unwrap_or_default()));
        }
        Incoming::Snapshot { session_id, message_id, seq, parts, model, usage, stop_reason, error, .. } => {
            let Ok(data) = from_value::<Snapshot>(data) else { return };
            let message = data.message;
            assert_eq!((&*session_id, &*message_id), (data.session_id.as_str(), data.message_id.as_str()));
            assert_eq!((seq, model.as_deref()), (data.seq, message.model.as_deref()));
            assert_eq!((usage, stop_reason), (message.usage, message.stop_reason));
            assert_eq!(error.map(|error| *error), message.error);
            let theirs = match message.parts {
                parts if parts.is_empty() && message.content.is_empty() => parts,
                parts if parts.is_empty() => vec![Part::Text { text: message.content }],
                parts => parts,
            };
            let values = |parts: Vec<Part>| parts.into_iter().map(part_value).collect::<Vec<_>>();
            assert_eq!(values(parts), values(theirs));
        }
        Incoming::Status { message_id, state, retry_in_ms } => {
            let Ok(data) = from_value::<Status>(data) else { return };
            assert_eq!((&*message_id, state, retry_in_ms), (data.message_id.as_str(), data.state, data.retry_in_ms));
        }
        Incoming::Error(error) => {
            let Ok(data) = from_value::<ErrorData>(data) else { return };
            assert_eq!(error, data);
        }
        Incoming::Draining { reconnect_in_ms } => {
            let Ok(data) = from_value::<Draining>(data) else { return };
            assert_eq!(reconnect_in_ms, data.reconnect_in_ms);
        }
        Incoming::Hello { default_model } => {
            let Ok(data) = from_value::<ServerHello>(data) else { return };
            let theirs = data.models.iter().rfind(|model| model.default).map(|model| &*model.model);
            assert_eq!(default_model.as_deref(), theirs);
        }
        Incoming::Reply => {}
    }
}

/// Whether serde takes `data` for what a client has to act on in a frame of this kind.
fn serde_reads(kind: &str, data: Value) -> bool {
    match kind {
        "chat.message_stream" | "chat.reasoning_stream" | "chat.tool_input_stream" => {
            from_value::<MessageStream>(data).is_ok()
        }
        "chat.tool_use" => from_value::<ToolUseUpdate>(data).is_ok(),
        "chat.message_complete" => from_value::<MessageComplete>(data).is_ok(),
        "chat.message_response" => from_value::<MessageResponse>(data).is_ok(),
        "chat.snapshot" => from_value::<Snapshot>(data).is_ok(),
        "chat.status" => from_value::<Status>(data).is_ok(),
        "chat.error" => from_value::<ErrorData>(data).is_ok(),
        "server.hello" => from_value::<ServerHello>(data).is_ok(),
        "server.draining" => from_value::<Draining>(data).is_ok(),
        // The client passes these on as JSON.
        _ => true,
    }
}

/// Whether arrays are only where the protocol has lists of objects, and in what a tool is given and gives.
fn arrays_are_lists(value: &Value) -> bool {
    value.as_object().into_iter().flatten().all(|(name, value)| match (&**name, value) {
        ("input" | "result", _) => true,
        ("parts" | "models", Value::Array(items)) => {
            items.iter().all(|item| item.is_object() && arrays_are_lists(item))
        }
        ("tools", Value::Array(_)) => true,
        (_, Value::Array(_)) => false,
        (_, value) => arrays_are_lists(value),
    })
}

/// A part as JSON: what is passed on as text may differ in its white space.
fn part_value(part: Part) -> Value {
    serde_json::to_value(part).expect("a part is JSON")
}
