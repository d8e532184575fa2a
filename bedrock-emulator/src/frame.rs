//! `application/vnd.amazon.eventstream`: one message with its headers and both checksums.
//!
//! Layout (Smithy's event stream specification): total length, header length, CRC-32 of those eight bytes, headers, payload,
//! CRC-32 of all before it; all numbers big-endian. Every header here is a string (type 7).

use bytes::{BufMut, BytesMut};

const PRELUDE_BYTES: usize = 12;
const CRC_BYTES: usize = 4;
const STRING_HEADER: u8 = 7;

/// Appends the frame of an event.
pub(crate) fn event(out: &mut BytesMut, event_type: &str, payload: &[u8]) {
    frame(
        out,
        &[(":event-type", event_type), (":content-type", "application/json"), (":message-type", "event")],
        payload,
    );
}

/// Appends the frame of a modelled error, after which a client reads no further.
pub(crate) fn exception(out: &mut BytesMut, exception_type: &str, payload: &[u8]) {
    let headers =
        [(":exception-type", exception_type), (":content-type", "application/json"), (":message-type", "exception")];
    frame(out, &headers, payload);
}

/// Spoils the last checksum of the frame that `bytes` ends with.
pub(crate) fn break_crc(bytes: &mut [u8]) {
    if let Some(last) = bytes.last_mut() {
        *last ^= 0xff;
    }
}

/// Appends a prelude that promises a frame of 4 GiB; its own checksum is right.
pub(crate) fn absurd_length(out: &mut BytesMut) {
    let start = out.len();
    out.put_u32(u32::MAX);
    out.put_u32(0);
    out.put_u32(crc32fast::hash(&out[start..]));
}

/// Appends bytes that are no frame.
pub(crate) fn garbage(out: &mut BytesMut) {
    out.put_slice(b"<html><body><h1>502 Bad Gateway</h1></body></html>\r\n");
}

fn frame(out: &mut BytesMut, headers: &[(&str, &str)], payload: &[u8]) {
    let header_bytes: usize = headers.iter().map(|(name, value)| 1 + name.len() + 1 + 2 + value.len()).sum();
    let total = PRELUDE_BYTES + header_bytes + payload.len() + CRC_BYTES;
    let start = out.len();
    out.reserve(total);
    out.put_u32(total as u32);
    out.put_u32(header_bytes as u32);
    out.put_u32(crc32fast::hash(&out[start..start + 8]));
    for (name, value) in headers {
        out.put_u8(name.len() as u8);
        out.put_slice(name.as_bytes());
        out.put_u8(STRING_HEADER);
        out.put_u16(value.len() as u16);
        out.put_slice(value.as_bytes());
    }
    out.put_slice(payload);
    out.put_u32(crc32fast::hash(&out[start..]));
}

#[cfg(test)]
mod tests {
    use aws_smithy_eventstream::frame::read_message_from;

    use super::*;

    #[test]
    fn the_decoder_of_the_aws_sdk_reads_both_kinds() {
        let mut out = BytesMut::new();
        event(&mut out, "contentBlockDelta", br#"{"delta":{"text":"\u00e9"}}"#);
        exception(&mut out, "throttlingException", b"{}");
        let mut buffer = out.freeze();
        let first = read_message_from(&mut buffer).expect("first frame");
        let header = |name: &str| {
            let found = first.headers().iter().find(|h| h.name().as_str() == name).expect("header");
            found.value().as_string().expect("string").as_str().to_owned()
        };
        assert_eq!(header(":event-type"), "contentBlockDelta");
        assert_eq!(header(":content-type"), "application/json");
        assert_eq!(header(":message-type"), "event");
        assert_eq!(first.payload().as_ref(), br#"{"delta":{"text":"\u00e9"}}"#);
        let second = read_message_from(&mut buffer).expect("second frame");
        assert_eq!(second.headers()[0].value().as_string().expect("string").as_str(), "throttlingException");
        assert!(buffer.is_empty());
    }

    #[test]
    fn a_broken_checksum_is_refused_by_that_decoder() {
        let mut out = BytesMut::new();
        event(&mut out, "messageStop", b"{}");
        break_crc(&mut out);
        assert!(read_message_from(&mut out.freeze()).is_err());
    }

    #[test]
    fn an_absurd_length_and_garbage_are_refused_too() {
        for (spoil, longer) in [(absurd_length as fn(&mut BytesMut), true), (garbage, false)] {
            let mut out = BytesMut::new();
            spoil(&mut out);
            event(&mut out, "messageStop", b"{}");
            assert!(!longer || crc32fast::hash(&out[..8]).to_be_bytes() == out[8..12]);
            assert!(read_message_from(&mut out.freeze()).is_err());
        }
    }

    /// Computed with Python's zlib.crc32 over the bytes laid out by hand.
    #[test]
    fn the_bytes_of_a_small_frame_are_known() {
        let mut out = BytesMut::new();
        frame(&mut out, &[("a", "b")], b"{}");
        assert_eq!(hex::encode(&out), "0000001800000006dcd1a61f0161070001627b7df3d78873");
    }
}
