//! Whatever a client sends is a frame that is written as it was read, or an error that a client can read.

#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::{
    ErrorCode,
    codec::{Incoming, decode_client, decode_server, encode_client, encode_server},
    limits::{MAX_CLIENT_FRAME_BYTES, MAX_JSON_DEPTH},
    server::{ServerFrame, ServerMessage},
};

fuzz_target!(|text: &str| {
    match decode_client(text) {
        Ok(frame) => {
            assert!(text.len() <= MAX_CLIENT_FRAME_BYTES);
            assert!(depth(text) <= MAX_JSON_DEPTH);
            let written = encode_client(&frame);
            assert_eq!(decode_client(&written).as_ref(), Ok(&frame), "{written}");
        }
        Err(refused) => {
            let code = refused.error.code;
            assert!(matches!(code, ErrorCode::InvalidRequest | ErrorCode::MessageTooLarge), "{code}");
            assert!(!refused.error.message.is_empty());
            let frame = ServerFrame { id: refused.id.clone(), message: ServerMessage::Error(*refused.error) };
            let text = encode_server(&frame);
            let received = decode_server(&text).expect("an error that can be read");
            assert_eq!(received.id, refused.id.as_ref().map_or("", |id| id.as_str()));
            assert!(matches!(received.incoming, Incoming::Error(error) if error.code == code));
        }
    }
});

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
