//! Frames of every type, written and read; spoilt frames, read by both readers.

use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use serde_json::Value;

use super::{
    decode_client, decode_server, encode_client, encode_raw, encode_server,
    frames::{client_frame, server_frame},
    golden::assert_same,
};
use crate::{
    RequestId,
    client::ClientMessage,
    json::plain::without_numbers,
    limits::MAX_JSON_DEPTH,
    server::ServerMessage,
    testing::{self, Spoilt},
};

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// What serde makes of a frame from a proxy: whether it is one, as far as a client has to act on it.
fn serde_takes(text: &str) -> bool {
    let Ok(Value::Object(frame)) = serde_json::from_str(text) else { return false };
    let (Some(Value::String(_)), Some(Value::String(kind)), Some(data @ Value::Object(_))) =
        (frame.get("id"), frame.get("type"), frame.get("data"))
    else {
        return false;
    };
    ServerMessage::from_data(kind, &data.to_string()).is_some_and(|message| message.is_ok())
}

proptest! {
    #![proptest_config(testing::cases(800))]

    #[test]
    fn what_a_client_writes_the_proxy_reads(frame in client_frame()) {
        let text = encode_client(&frame);
        let read = decode_client(&text);
        prop_assert_eq!(read.as_ref(), Ok(&frame), "{}", text);
        // The client's own writer, which knows no serde.
        let data = value(&text)["data"].to_string();
        let raw = encode_raw(frame.id.as_str(), frame.message.type_text(), &data);
        prop_assert_eq!(decode_client(&raw), Ok(frame), "{}", raw);
    }

    #[test]
    fn what_the_proxy_writes_a_client_reads(frame in server_frame()) {
        let text = encode_server(&frame);
        let id = frame.id.as_ref().map_or("", RequestId::as_str);
        let plain = value(&text);
        prop_assert_eq!((plain["id"].as_str(), plain["type"].as_str()), (Some(id), Some(frame.message.type_text())));
        let received = decode_server(&text).map_err(|error| TestCaseError::fail(format!("{error:?} in {text}")))?;
        prop_assert_eq!((&*received.id, &*received.kind), (id, frame.message.type_text()));
        assert_same(&text, &received.incoming, &frame.message);
        let data = ServerMessage::from_data(&received.kind, received.data);
        prop_assert_eq!(data.unwrap().unwrap(), frame.message);
    }

    #[test]
    fn a_spoilt_frame_is_read_by_both_readers_or_by_none(frame in server_frame(), spoilt in testing::spoilt()) {
        let text = spoilt.iter().fold(encode_server(&frame), |text, spoilt| Spoilt::apply(spoilt, &text));
        let (plain, depth) = without_numbers(&text);
        let is_json = depth <= MAX_JSON_DEPTH && serde_json::from_str::<Value>(&plain).is_ok_and(|json| json.is_object());
        match decode_server(&text) {
            Ok(received) => {
                prop_assert!(is_json, "{}", text);
                if let Ok(json) = serde_json::from_str::<Value>(&text) {
                    prop_assert_eq!(json["id"].as_str().unwrap_or_default(), &*received.id);
                    prop_assert_eq!(json["type"].as_str().unwrap_or_default(), &*received.kind);
                }
                if serde_takes(&text) {
                    let message = ServerMessage::from_data(&received.kind, &value(received.data).to_string());
                    assert_same(&text, &received.incoming, &message.unwrap().unwrap());
                }
            }
            Err(_) => prop_assert!(!(is_json && serde_takes(&text)), "{}", text),
        }
    }

    #[test]
    fn a_spoilt_frame_from_a_client_is_refused_or_written_as_it_was_read(frame in client_frame(), spoilt in testing::spoilt()) {
        let text = spoilt.iter().fold(encode_client(&frame), |text, spoilt| Spoilt::apply(spoilt, &text));
        match decode_client(&text) {
            Ok(read) => {
                prop_assert!(serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok(), "{}", text);
                prop_assert_eq!(decode_client(&encode_client(&read)), Ok(read), "{}", text);
            }
            Err(refused) => prop_assert!(!refused.error.message.is_empty()),
        }
    }
}

/// A type that is added is added to the properties.
#[test]
fn the_properties_hold_for_every_type() {
    let mut runner = TestRunner::new(testing::cases(1));
    let mut sample = |count| {
        (0..count)
            .map(|_| {
                let client = client_frame().new_tree(&mut runner).unwrap().current();
                let server = server_frame().new_tree(&mut runner).unwrap().current();
                (client.message.type_text(), server.message.type_text())
            })
            .unzip()
    };
    let (client, server): (std::collections::BTreeSet<_>, std::collections::BTreeSet<_>) = sample(500);
    assert_eq!(client, ClientMessage::TYPES.iter().copied().collect());
    assert_eq!(server, ServerMessage::TYPES.iter().copied().collect());
}
