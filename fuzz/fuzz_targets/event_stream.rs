//! The decoder of the event stream: the same frames wherever the bytes were cut, and those that the AWS SDK's decoder reads.

#![no_main]

use aws_smithy_eventstream::frame::{DecodedFrame, MessageFrameDecoder};
use libfuzzer_sys::fuzz_target;
use outcrop_proxy::bedrock::{
    Target, UpstreamEvent,
    frame::{FrameDecoder, FrameError, FrameKind, MAX_FRAME_BYTES},
};

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

    let (frames, error, _) = whole;
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
        let header = |name: &str| {
            let found = message.headers().iter().rev().find(|header| header.name().as_str() == name)?;
            Some(found.value().as_string().expect("a string").as_str().to_owned())
        };
        let kind = header(":message-type").unwrap_or_else(|| "event".into());
        let name = match &*kind {
            "event" => header(":event-type"),
            "exception" => header(":exception-type"),
            _ => header(":error-code"),
        };
        assert_eq!((frame.kind.as_str(), frame.name.as_str()), (&*kind, name.as_deref().unwrap_or_default()));
    }
    if error.is_none() {
        let next = oracle.decode_frame(&mut rest);
        assert!(!matches!(next, Ok(DecodedFrame::Complete(_))), "the SDK reads one more: {next:?}");
    }
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
                    event(UpstreamEvent::read(&frame, Target { model: "m", region: "r" }).ok(), frame.payload);
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

/// Text is what the JSON says.
fn event(event: Option<UpstreamEvent<'_>>, payload: &[u8]) {
    let Ok(json) = serde_json::from_slice::<serde_json::Value>(payload) else { return };
    let delta = &json["delta"];
    match event {
        Some(UpstreamEvent::Text { content, .. }) => assert_eq!(delta["text"], *content),
        Some(UpstreamEvent::Reasoning { content, .. }) => assert_eq!(delta["reasoningContent"]["text"], *content),
        _ => {}
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
