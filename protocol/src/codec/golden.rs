//! The contract in files: `golden/` holds a frame of every type. A change of a type shows as a change of its file.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;

use super::{Incoming, StreamKind, decode_client, decode_server, encode_client, encode_server};
use crate::{
    Message, RequestId, Usage,
    client::ClientMessage,
    limits::MAX_TOOL_JSON_DEPTH,
    server::{ServerFrame, ServerMessage},
};

fn golden(side: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(side);
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn types(files: &[(String, String)]) -> BTreeSet<String> {
    files.iter().map(|(_, text)| value(text)["type"].as_str().unwrap().to_owned()).collect()
}

/// The frame in `text`, read with the types the proxy writes from.
fn server_frame(text: &str) -> ServerFrame {
    let frame = value(text);
    let data = frame["data"].to_string();
    let message = ServerMessage::from_data(frame["type"].as_str().unwrap(), &data).unwrap().unwrap();
    ServerFrame { id: RequestId::new(frame["id"].as_str().unwrap()).ok(), message }
}

#[test]
fn every_type_has_a_golden_file() {
    let all = |types: &[&str]| types.iter().map(|&t| t.to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(types(&golden("client")), all(ClientMessage::TYPES));
    assert_eq!(types(&golden("server")), all(ServerMessage::TYPES));
}

#[test]
fn client_frames_read_and_write_to_the_same_json() {
    for (name, text) in golden("client") {
        let frame = decode_client(&text).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(value(&encode_client(&frame)), value(&text), "{name}");
    }
}

#[test]
fn server_frames_read_and_write_to_the_same_json() {
    for (name, text) in golden("server") {
        assert_eq!(value(&encode_server(&server_frame(&text))), value(&text), "{name}");
    }
}

/// The client's reader takes no serde type; this holds the two readers of one contract together.
#[test]
fn the_clients_reader_sees_what_the_proxy_wrote() {
    for (name, text) in golden("server") {
        let received = decode_server(&text).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let frame = server_frame(&text);
        assert_eq!(received.id, frame.id.as_ref().map_or("", RequestId::as_str), "{name}");
        assert_eq!(received.kind, frame.message.type_text(), "{name}");
        assert_eq!(value(received.data), value(&text)["data"], "{name}");
        assert_same(&name, &received.incoming, &frame.message);
    }
}

/// The frames with a call in them, the golden ones with other arguments.
#[test]
fn a_client_reads_arguments_as_deep_as_they_may_be() {
    let reads = |depth: usize| {
        let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let plain = golden("server").into_iter().map(|(_, text)| value(&text).to_string());
        let plain = plain.filter(|text| text.contains(r#""input":{"city""#));
        let input = r#"{"city":"Oslo","units":["m","°C"]}"#;
        let read: Vec<_> = plain.map(|text| decode_server(&text.replace(input, &deep)).is_ok()).collect();
        assert_eq!(read.len(), 3, "a tool use, a snapshot and a history");
        read.into_iter().filter(|read| *read).count()
    };
    assert_eq!((reads(MAX_TOOL_JSON_DEPTH), reads(MAX_TOOL_JSON_DEPTH + 1)), (3, 2));
}

/// Fails unless the two are the same frame; `name` says which.
pub(super) fn assert_same(name: &str, incoming: &Incoming<'_>, message: &ServerMessage) {
    use Incoming as I;
    use ServerMessage as S;
    let same = match (incoming, message) {
        (
            I::Stream { kind, session_id, message_id, part, first, seq, content },
            S::MessageStream(data) | S::ReasoningStream(data) | S::ToolInputStream(data),
        ) => {
            let expected = match message {
                S::MessageStream(_) => StreamKind::Text,
                S::ReasoningStream(_) => StreamKind::Reasoning,
                _ => StreamKind::ToolInput,
            };
            assert_eq!(*kind, expected, "{name}");
            (session_id.as_ref(), message_id.as_ref(), *part, *first, *seq, content.as_ref())
                == (
                    data.session_id.as_str(),
                    data.message_id.as_str(),
                    data.part,
                    data.first,
                    data.seq,
                    data.content.as_str(),
                )
        }
        (I::ToolUse { message_id, seq, call }, S::ToolUse(data)) => {
            (message_id.as_ref(), *seq) == (data.message_id.as_str(), data.seq)
                && serde_json::to_value(call).unwrap() == serde_json::to_value(&data.call).unwrap()
        }
        (I::Complete { session_id, message_id, seq, model, stop_reason, usage }, S::MessageComplete(data)) => {
            assert_eq!(model.as_deref(), Some(data.model.as_str()), "{name}");
            (session_id.as_ref(), message_id.as_ref(), *seq, *stop_reason, usage)
                == (data.session_id.as_str(), data.message_id.as_str(), data.seq, data.stop_reason, &data.usage)
        }
        (I::Response { session_id, message_id, content, model, stop_reason, usage }, S::MessageResponse(data)) => {
            assert_eq!(*stop_reason, data.message.stop_reason, "{name}");
            (session_id.as_ref(), message_id.as_ref(), content.as_ref(), model.as_deref(), usage)
                == (
                    data.session_id.as_str(),
                    data.message.message_id.as_str(),
                    data.message.content.as_str(),
                    data.message.model.as_deref(),
                    &data.message.usage.clone().unwrap_or_default(),
                )
        }
        (
            I::Snapshot { session_id, message_id, seq, state, parts, model, usage, stop_reason, error },
            S::Snapshot(data),
        ) => {
            let Message { parts: all, content, .. } = &data.message;
            let plain = crate::Part::Text { text: content.clone() };
            let plain = if content.is_empty() { Vec::new() } else { vec![plain] };
            let expected = if all.is_empty() { &plain } else { all };
            assert_eq!(
                serde_json::to_value(parts).unwrap(),
                serde_json::to_value(expected).unwrap(),
                "{name}: the same JSON, spaces apart"
            );
            assert_eq!(
                (error.as_deref(), model.as_deref()),
                (data.message.error.as_ref(), data.message.model.as_deref()),
                "{name}"
            );
            (session_id.as_ref(), message_id.as_ref(), *seq, Value::from(state.as_ref()), usage, *stop_reason)
                == (
                    data.session_id.as_str(),
                    data.message_id.as_str(),
                    data.seq,
                    serde_json::to_value(data.state).unwrap(),
                    &data.message.usage as &Option<Usage>,
                    data.message.stop_reason,
                )
        }
        (I::Status { message_id, state, retry_in_ms }, S::Status(data)) => {
            (message_id.as_ref(), *state, *retry_in_ms) == (data.message_id.as_str(), data.state, data.retry_in_ms)
        }
        (I::Error(error), S::Error(data)) => error == data,
        (I::Hello { default_model }, S::Hello(data)) => {
            default_model.as_deref() == data.models.iter().find(|model| model.default).map(|model| model.model.as_str())
        }
        (I::Draining { reconnect_in_ms }, S::Draining(data)) => *reconnect_in_ms == data.reconnect_in_ms,
        (
            I::Reply,
            S::ToolApproved(_)
            | S::SessionCreated(_)
            | S::Sessions(_)
            | S::History(_)
            | S::SessionUpdated(_)
            | S::SessionDeleted(_)
            | S::Usage(_)
            | S::Refreshed(_)
            | S::Pong(_),
        ) => true,
        _ => false,
    };
    assert!(same, "{name}: {incoming:?} is not {message:?}");
}
