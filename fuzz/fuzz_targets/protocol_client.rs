//! Whatever a client sends is a frame that is written as it was read, or an error that a client can read; and it is the frame that a
//! tree of JSON says it is, refused for a reason or not at all.

#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::{
    Attachment, ErrorCode, RequestId,
    client::*,
    codec::{Incoming, decode_client, decode_server, encode_client, encode_server},
    limits::{
        MAX_ATTACHMENTS, MAX_CLIENT_FRAME_BYTES, MAX_DOCUMENTS, MAX_FILE_NAME_CHARS, MAX_JSON_DEPTH, MAX_PAGE_ITEMS,
        MAX_TITLE_CHARS,
    },
    server::{ServerFrame, ServerMessage},
};
use serde_json::Value;

fuzz_target!(|text: &str| {
    let expected = expected(text);
    match decode_client(text) {
        Ok(frame) => {
            assert!(text.len() <= MAX_CLIENT_FRAME_BYTES);
            assert!(depth(text) <= MAX_JSON_DEPTH);
            assert!(keeps_the_rules(&frame.message), "{text}");
            if let Some(expected) = expected {
                assert_eq!(frame, expected);
            }
            let written = encode_client(&frame);
            assert_eq!(decode_client(&written).as_ref(), Ok(&frame), "{written}");
        }
        Err(refused) => {
            let code = refused.error.code;
            assert!(matches!(code, ErrorCode::InvalidRequest | ErrorCode::MessageTooLarge), "{code}");
            assert!(!refused.error.message.is_empty());
            if let Some(frame) = expected.filter(|frame| keeps_the_rules(&frame.message)) {
                // Of two fields of one name there is no saying which is meant.
                let reason = depth(text) > MAX_JSON_DEPTH || has_a_field_twice(text);
                assert!(reason, "{:?} is refused: {}", frame, refused.error.message);
            }
            let frame = ServerFrame { id: refused.id.clone(), message: ServerMessage::Error(*refused.error) };
            let text = encode_server(&frame);
            let received = decode_server(&text).expect("an error that can be read");
            assert_eq!(received.id, refused.id.as_ref().map_or("", |id| id.as_str()));
            assert!(matches!(received.incoming, Incoming::Error(error) if error.code == code));
        }
    }
});

/// Whether an object in `text`, which is JSON, has two fields of one name: a tree keeps the last.
fn has_a_field_twice(text: &str) -> bool {
    let (mut colons, mut string, mut escaped) = (0usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if string => escaped = true,
            b'"' => string = !string,
            b':' if !string => colons += 1,
            _ => {}
        }
    }
    fn fields(value: &Value) -> usize {
        match value {
            Value::Array(items) => items.iter().map(fields).sum(),
            Value::Object(object) => object.len() + object.values().map(fields).sum::<usize>(),
            _ => 0,
        }
    }
    serde_json::from_str(text).is_ok_and(|tree| fields(&tree) != colons)
}

/// How deep the JSON in `text` nests.
fn depth(text: &str) -> usize {
    let (mut now, mut most, mut string, mut escaped) = (0usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if string => escaped = true,
            b'"' => string = !string,
            b'{' | b'[' if !string => {
                now += 1;
                most = most.max(now);
            }
            b'}' | b']' if !string => now = now.saturating_sub(1),
            _ => {}
        }
    }
    most
}

/// What is read by way of a tree of JSON, without the rules that types cannot say.
fn expected(text: &str) -> Option<ClientFrame> {
    let frame: Value = serde_json::from_str(text).ok().filter(Value::is_object)?;
    let id = RequestId::new(frame["id"].as_str()?).ok()?;
    let data = if frame["data"].is_null() { Value::Object(Default::default()) } else { frame["data"].clone() };
    macro_rules! read {
        ($($kind:literal: $data:ty,)*) => {
            match frame["type"].as_str()? {
                $($kind => serde_json::from_value::<$data>(data).ok()?.into(),)*
                _ => return None,
            }
        };
    }
    let message: ClientMessage = read! {
        "chat.send_message": SendMessage,
        "chat.cancel": Cancel,
        "chat.resume": Resume,
        "chat.regenerate": Regenerate,
        "chat.create_session": CreateSession,
        "chat.list_sessions": ListSessions,
        "chat.get_history": GetHistory,
        "chat.rename_session": RenameSession,
        "chat.delete_session": DeleteSession,
        "chat.approve_tool": ApproveTool,
        "chat.get_usage": UsageQuery,
        "client.hello": ClientHello,
        "auth.refresh": AuthRefresh,
        "ping": Ping,
    };
    Some(ClientFrame { id, message })
}

/// The rules as the protocol page has them.
fn keeps_the_rules(message: &ClientMessage) -> bool {
    let title = |title: &str| !title.trim().is_empty() && title.chars().count() <= MAX_TITLE_CHARS;
    let page = |limit: Option<u32>| limit.is_none_or(|limit| limit > 0 && limit <= MAX_PAGE_ITEMS);
    match message {
        ClientMessage::SendMessage(send) => {
            let says = !send.message.trim().is_empty() || !send.attachments.is_empty();
            let documents = send.attachments.iter().filter(|file| !file.media_type.starts_with("image/")).count();
            let counts = send.attachments.len() <= MAX_ATTACHMENTS && documents <= MAX_DOCUMENTS;
            says && counts && send.attachments.iter().all(may_be_sent)
        }
        ClientMessage::Cancel(cancel) => cancel.message_id.iter().count() + cancel.request_id.iter().count() == 1,
        ClientMessage::CreateSession(create) => create.title.as_deref().is_none_or(title),
        ClientMessage::RenameSession(rename) => title(&rename.title),
        ClientMessage::ListSessions(list) => page(list.limit),
        ClientMessage::GetHistory(history) => page(history.limit),
        _ => true,
    }
}

/// Whether a file is one that Bedrock reads, and its data base64 of at least one byte. How long it may be the frame's bound decides first.
fn may_be_sent(file: &Attachment) -> bool {
    const TYPES: [&str; 13] = [
        "image/png",
        "image/jpeg",
        "image/gif",
        "image/webp",
        "application/pdf",
        "text/csv",
        "application/msword",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.ms-excel",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "text/html",
        "text/plain",
        "text/markdown",
    ];
    let named = !file.name.trim().is_empty() && file.name.chars().count() <= MAX_FILE_NAME_CHARS;
    named && TYPES.contains(&&*file.media_type) && is_base64(&file.data)
}

/// Groups of four digits, of which the last may end in one or two `=` behind a digit whose unused bits are 0.
fn is_base64(text: &str) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/".contains(byte);
    let (groups, rest) = text.as_bytes().as_chunks::<4>();
    let Some((last, others)) = groups.split_last().filter(|_| rest.is_empty()) else { return false };
    let ends = match last {
        [a, b, b'=', b'='] => is_digit(a) && b"AQgw".contains(b),
        [a, b, c, b'='] => is_digit(a) && is_digit(b) && b"AEIMQUYcgkosw048".contains(c),
        all => all.iter().all(is_digit),
    };
    ends && others.as_flattened().iter().all(is_digit)
}
