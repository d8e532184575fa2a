//! The quick way to read the frames of one answer, the counterpart of [`StreamEncoder`](super::StreamEncoder).
//!
//! Frames of a stream are alike up to the number of the part. A client that has read one compares the rest of them with its head
//! and parses only what follows: a fifth of the text. What is not alike is read by [`decode_server`](super::decode_server).

use std::borrow::Cow;

use crate::json::Reader;

/// What differs between the frames of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamFrame<'a> {
    /// Which part of the answer the text belongs to.
    pub part: u32,
    /// The number of the first event in the frame.
    pub first: u64,
    /// The number of the last event in the frame.
    pub seq: u64,
    /// The text to append.
    pub content: Cow<'a, str>,
}

/// Remembers how the frames of a stream begin.
#[derive(Debug, Clone, Default)]
pub struct StreamDecoder {
    head: Box<str>,
}

impl StreamDecoder {
    /// Remembers how `text` begins, a frame that [`decode_server`](super::decode_server) read as one of a stream. It remembers nothing if
    /// the frame is not written as [`StreamEncoder`](super::StreamEncoder) writes it.
    pub fn learn(&mut self, text: &str) {
        const PART: &[u8] = b",\"part\":";
        // Inside a JSON string the quotes of this pattern would be escaped. `str::find` would be 2 KB of code.
        let at = text.as_bytes().windows(PART.len()).position(|bytes| bytes == PART);
        let head = at.and_then(|at| text.get(..at + PART.len()));
        self.head = head.unwrap_or_default().into();
        if self.decode(text).is_none() {
            self.head = Box::default();
        }
    }

    /// How the frame that was learnt begins; empty if none was.
    pub fn head(&self) -> &str {
        &self.head
    }

    /// The frame in `text`, if it begins like the one that was learnt and goes on as those do.
    pub fn decode<'a>(&self, text: &'a str) -> Option<StreamFrame<'a>> {
        if self.head.is_empty() { None } else { Self::decode_rest(text.strip_prefix(&*self.head)?) }
    }

    /// The frame that goes on with `rest` after the [`head`](Self::head): a caller who can compare sooner than here, before text is
    /// copied, need not give the head at all.
    pub fn decode_rest(rest: &str) -> Option<StreamFrame<'_>> {
        let mut reader = Reader::new(rest);
        let part = reader.u64().ok()?.try_into().ok()?;
        let mut number = |name| if reader.literal(name) { reader.u64().ok() } else { None };
        let (first, seq) = (number(",\"first\":")?, number(",\"seq\":")?);
        let content = if reader.literal(",\"content\":") { reader.string().ok()? } else { return None };
        if !reader.literal("}}") {
            return None;
        }
        reader.end().ok()?;
        Some(StreamFrame { part, first, seq, content })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        MessageId, RequestId, SessionId,
        codec::{Incoming, StreamEncoder, StreamKind, decode_server},
    };

    fn encoder(message_id: &str) -> StreamEncoder {
        let (id, session_id) = (RequestId::new("r,\"part\":1").unwrap(), SessionId::new("s").unwrap());
        StreamEncoder::new(&id, &session_id, &MessageId::new(message_id).unwrap())
    }

    fn frame(encoder: &StreamEncoder, kind: StreamKind, numbers: (u32, u64, u64), content: &str) -> String {
        encoder.encode(kind, numbers.0, numbers.1, numbers.2, content)
    }

    proptest! {
        #[test]
        fn the_quick_reader_reads_what_the_plain_one_reads(
            numbers: (u32, u64, u64),
            content in r#"(\PC|[\x00-\x1f"\\]|,"part":){0,12}"#,
        ) {
            let encoder = encoder("m");
            let mut decoder = StreamDecoder::default();
            decoder.learn(&frame(&encoder, StreamKind::Text, (0, 1, 1), "x,\"part\":7"));
            let text = frame(&encoder, StreamKind::Text, numbers, &content);
            let plain = decode_server(&text).unwrap().incoming;
            let Incoming::Stream { part, first, seq, content, .. } = plain else { panic!("{plain:?}") };
            prop_assert_eq!(decoder.decode(&text), Some(StreamFrame { part, first, seq, content }));
        }

        #[test]
        fn what_it_takes_is_a_frame(cut in 0usize..140, insert in r#"["}\\,:0-9x ]{0,3}"#) {
            let encoder = encoder("m");
            let whole = frame(&encoder, StreamKind::Text, (0, 11, 12), "ab\n");
            let mut decoder = StreamDecoder::default();
            decoder.learn(&whole);
            let cut = cut.min(whole.len());
            let text = format!("{}{insert}{}", &whole[..cut], &whole[cut..]);
            if let Some(quick) = decoder.decode(&text) {
                let plain = decode_server(&text).unwrap().incoming;
                let Incoming::Stream { part, first, seq, content, .. } = plain else { panic!("{plain:?}") };
                prop_assert_eq!(quick, StreamFrame { part, first, seq, content });
            }
        }
    }

    #[test]
    fn another_stream_and_another_order_of_fields_are_left_to_the_plain_reader() {
        let mut decoder = StreamDecoder::default();
        let text = frame(&encoder("m"), StreamKind::Text, (0, 1, 1), "a");
        assert_eq!(decoder.decode(&text), None);
        decoder.learn(&text);
        assert!(decoder.decode(&text).is_some());
        assert_eq!(decoder.decode(&frame(&encoder("n"), StreamKind::Text, (0, 2, 2), "b")), None);
        assert_eq!(decoder.decode(&frame(&encoder("m"), StreamKind::Reasoning, (0, 2, 2), "b")), None);
        decoder.learn(r#"{"id":"r","type":"chat.message_stream","data":{"messageId":"m","part":0,"seq":1,"first":1,"content":""}}"#);
        assert_eq!(decoder.decode(&text), None);
    }
}
