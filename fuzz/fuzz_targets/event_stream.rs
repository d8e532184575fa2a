//! The decoder of the event stream: the same frames wherever the bytes were cut, and those that the AWS SDK's decoder reads,
//! no more and no fewer.

#![no_main]

use aws_smithy_eventstream::frame::{DecodedFrame, MessageFrameDecoder};
use aws_smithy_types::event_stream::Message;
use libfuzzer_sys::fuzz_target;
use outcrop_proxy::bedrock::{
    Target, UpstreamError, UpstreamEvent,
    frame::{FrameDecoder, FrameError, FrameKind, MAX_FRAME_BYTES},
};
use serde_json::Value;

#[derive(Debug, PartialEq)]
struct Seen {
    kind: String,
    name: String,
    payload: Vec<u8>,
}

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    // Nearly every change breaks a checksum: the same with checksums that are right.
    check(&repaired(bytes));
});

fn check(bytes: &[u8]) {
    let whole = decode(bytes, |_| usize::MAX);
    if bytes.len() <= 4096 {
        assert_eq!(decode(bytes, |_| 1), whole, "byte by byte");
    }
    let mut state = crc32fast::hash(bytes) | 1;
    let random = |_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as usize % 97
    };
    assert_eq!(decode(bytes, random), whole, "in pieces");

    let (frames, error, has_rest) = whole;
    let mut rest = bytes;
    let mut oracle = MessageFrameDecoder::new();
    for frame in &frames {
        assert!(frame.payload.len() < MAX_FRAME_BYTES);
        let message = match oracle.decode_frame(&mut rest) {
            Ok(DecodedFrame::Complete(message)) => message,
            Ok(DecodedFrame::Incomplete) => panic!("the SDK waits for more of {frame:?}"),
            // Headers that mean nothing here are passed over unread.
            Err(error) => {
                let text = format!("{error:?}");
                assert!(text.contains("Header") || text.contains("Utf8"), "the SDK refuses {frame:?}: {error:?}");
                return;
            }
        };
        assert_eq!(message.payload().as_ref(), frame.payload);
        let header = |name: &str| text(&message, name).map(|text| text.expect("a string"));
        let kind = header(":message-type").unwrap_or("event");
        let name = match kind {
            "event" => header(":event-type"),
            "exception" => header(":exception-type"),
            _ => header(":error-code"),
        };
        assert_eq!((&*frame.kind, &*frame.name), (kind, name.unwrap_or_default()));
    }
    assert!(error.is_some() || has_rest != rest.is_empty(), "what is left is told");
    let Ok(DecodedFrame::Complete(next)) = oracle.decode_frame(&mut rest) else { return };
    // The SDK reads one more. That is right only where the headers say nothing that is known here.
    assert_eq!(error, Some(FrameError::Header), "the SDK reads {next:?}");
    let kind = text(&next, ":message-type").unwrap_or(Some("event"));
    let known = matches!(kind, Some("event" | "exception" | "error"));
    let counts = [":message-type", ":event-type", ":exception-type", ":error-code"];
    let strings = next.headers().iter().filter(|header| counts.contains(&header.name().as_str()));
    let all_strings = strings.clone().all(|header| header.value().as_string().is_ok());
    assert!(!known || !all_strings, "refused: {next:?}");
}

/// The last header of this name; nothing within if it is no text.
fn text<'a>(message: &'a Message, name: &str) -> Option<Option<&'a str>> {
    let found = message.headers().iter().rev().find(|header| header.name().as_str() == name)?;
    Some(found.value().as_string().ok().map(|text| text.as_str()))
}

/// The frames of `bytes`, given in pieces; why it ended, if that was an error; whether bytes were left.
fn decode(bytes: &[u8], mut size: impl FnMut(()) -> usize) -> (Vec<Seen>, Option<FrameError>, bool) {
    let mut decoder = FrameDecoder::default();
    let mut frames = Vec::new();
    let mut rest = bytes;
    loop {
        let (piece, after) = rest.split_at(size(()).clamp(1, rest.len().max(1)).min(rest.len()));
        rest = after;
        decoder.push(piece);
        loop {
            match decoder.next_frame() {
                Ok(None) => break,
                Ok(Some(frame)) => {
                    let read = UpstreamEvent::read(&frame, Target { model: "m", region: "r" });
                    event(frame.kind, read, frame.payload);
                    let (kind, name) = match frame.kind {
                        FrameKind::Event(name) => ("event", name),
                        FrameKind::Exception(name) => ("exception", name),
                        FrameKind::Error(name) => ("error", name),
                    };
                    frames.push(Seen { kind: kind.into(), name: name.into(), payload: frame.payload.to_vec() });
                }
                // What is left after an error depends on how much had come.
                Err(error) => return (frames, Some(error), false),
            }
        }
        if rest.is_empty() {
            return (frames, None, decoder.has_rest());
        }
    }
}

/// Text is what the JSON says, and is read where the JSON says it plainly.
fn event(kind: FrameKind<'_>, event: Result<UpstreamEvent<'_>, UpstreamError>, payload: &[u8]) {
    let Ok(json) = serde_json::from_slice::<Value>(payload) else { return };
    let delta = &json["delta"];
    // What is there for a field: nothing, or nothing but text.
    let said =
        |value: &Value| if value.is_null() { Some(None) } else { value.as_str().map(|text| Some(text.to_owned())) };
    let block = json.get("contentBlockIndex").map_or(Some(0), |block| block.as_u64()?.try_into().ok());
    let reasoning = &delta["reasoningContent"];
    let tool = &delta["toolUse"];
    let is_plain = |value: &Value| value.is_null() || value.is_object();
    let plain = delta.is_object() && is_plain(reasoning) && is_plain(tool);
    let (Some(block), Some(text), Some(input), Some(thought), true) =
        (block, said(&delta["text"]), said(&tool["input"]), said(&reasoning["text"]), plain)
    else {
        return;
    };
    let (Some(signature), Some(redacted)) = (said(&reasoning["signature"]), said(&reasoning["redactedContent"])) else {
        return;
    };
    if kind != FrameKind::Event("contentBlockDelta") {
        return;
    }
    let expected = match (text, input, thought, signature, redacted) {
        (Some(text), ..) => UpstreamEvent::Text { block, content: text.into() },
        (_, Some(input), ..) => UpstreamEvent::ToolInput { block, content: input.into() },
        (_, _, Some(text), ..) => UpstreamEvent::Reasoning { block, content: text.into() },
        (_, _, _, Some(signature), _) => UpstreamEvent::Signature { block, signature: signature.into() },
        (.., Some(base64)) => UpstreamEvent::Redacted { block, base64: base64.into() },
        _ => UpstreamEvent::Hidden,
    };
    match event {
        Ok(event) => assert_eq!(event, expected),
        // Of two fields of one name there is no saying which is meant.
        Err(error) => assert!(format!("{error:?}").contains("duplicate field"), "{error:?} for {json}"),
    }
}

/// `bytes` as frames with the lengths they claim, where those make sense, and the checksums they ought to have.
fn repaired(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let mut at = 0;
    while let Some(prelude) = out.get(at..at + 12) {
        let total = u32::from_be_bytes([prelude[0], prelude[1], prelude[2], prelude[3]]) as usize;
        let crc = crc32fast::hash(&prelude[..8]);
        out[at + 8..at + 12].copy_from_slice(&crc.to_be_bytes());
        if total < 16 || out.len() - at < total {
            break;
        }
        let end = at + total - 4;
        let crc = crc32fast::hash(&out[at..end]);
        out[end..end + 4].copy_from_slice(&crc.to_be_bytes());
        at += total;
    }
    out
}
