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
        self.head = head(text).unwrap_or_default().into();
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

/// What comes before the number of the part, if that is all and only what it ought to be: further fields may have anything within.
fn head(text: &str) -> Option<&str> {
    let mut reader = Reader::new(text);
    for name in ["{\"id\":", ",\"type\":", ",\"data\":{\"sessionId\":", ",\"messageId\":"] {
        if !reader.literal(name) {
            return None;
        }
        reader.string().ok()?;
    }
    if reader.literal(",\"part\":") { Some(reader.passed()) } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        MessageId, RequestId, SessionId,
        codec::{
            Incoming, StreamEncoder, StreamKind, decode_server,
            frames::{ids, request_id},
        },
        testing,
    };

    const KINDS: [StreamKind; 3] = [StreamKind::Text, StreamKind::Reasoning, StreamKind::ToolInput];

    fn encoder(message_id: &str) -> StreamEncoder {
        let (id, session_id) = (RequestId::new("r,\"part\":1").unwrap(), SessionId::new("s").unwrap());
        StreamEncoder::new(&id, &session_id, &MessageId::new(message_id).unwrap())
    }

    fn frame(encoder: &StreamEncoder, kind: StreamKind, numbers: (u32, u64, u64), content: &str) -> String {
        encoder.encode(kind, numbers.0, numbers.1, numbers.2, content)
    }

    /// What the plain reader makes of a frame of a stream.
    fn plain(text: &str) -> Option<StreamFrame<'_>> {
        match decode_server(text).ok()?.incoming {
            Incoming::Stream { part, first, seq, content, .. } => Some(StreamFrame { part, first, seq, content }),
            _ => None,
        }
    }

    /// The frames of one answer, whose ids may be anything.
    fn answer() -> impl Strategy<Value = (StreamEncoder, StreamKind)> {
        let kind = prop::sample::select(KINDS.to_vec());
        (request_id(), ids(), kind)
            .prop_map(|(id, (session_id, message_id), kind)| (StreamEncoder::new(&id, &session_id, &message_id), kind))
    }

    fn numbered() -> impl Strategy<Value = ((u32, u64, u64), String)> {
        (any::<(u32, u64, u64)>(), testing::text(6))
    }

    proptest! {
        #![proptest_config(testing::cases(800))]

        #[test]
        fn the_quick_reader_reads_what_the_plain_one_reads(
            (encoder, kind) in answer(),
            (learnt, learnt_text) in numbered(),
            (numbers, content) in numbered(),
            (other, other_kind) in answer(),
        ) {
            let mut decoder = StreamDecoder::default();
            decoder.learn(&frame(&encoder, kind, learnt, &learnt_text));
            let text = frame(&encoder, kind, numbers, &content);
            let quick = decoder.decode(&text);
            prop_assert_eq!(&quick, &plain(&text));
            let (part, first, seq) = numbers;
            prop_assert_eq!(&quick, &Some(StreamFrame { part, first, seq, content: content.clone().into() }));
            let rest = text.strip_prefix(decoder.head()).expect("the head of the stream");
            prop_assert_eq!(StreamDecoder::decode_rest(rest), quick);
            // The other kinds of the same answer, and another answer.
            let others = KINDS.into_iter().filter(|other| *other != kind).map(|kind| (&encoder, kind));
            for (encoder, kind) in others.chain([(&other, other_kind)]) {
                let text = frame(encoder, kind, numbers, &content);
                prop_assert_eq!(decoder.decode(&text), None);
            }
        }

        #[test]
        fn what_it_takes_of_a_spoilt_frame_the_plain_reader_takes(
            (encoder, kind) in answer(),
            (numbers, content) in numbered(),
            spoilt in testing::spoilt(),
        ) {
            let whole = frame(&encoder, kind, numbers, &content);
            let mut decoder = StreamDecoder::default();
            decoder.learn(&whole);
            // Behind the head, where it looks.
            let (head, rest) = whole.split_at(decoder.head().len());
            let rest = spoilt.iter().fold(rest.to_owned(), |rest, spoilt| spoilt.apply(&rest));
            let text = format!("{head}{rest}");
            let quick = decoder.decode(&text);
            prop_assert_eq!(&quick, &StreamDecoder::decode_rest(&rest));
            prop_assert!(quick.is_none() || quick == plain(&text), "{text}");
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

    #[test]
    fn what_another_field_has_within_is_not_taken_for_the_frame() {
        let later = r#""later":{"x":0,"part":7,"first":8,"seq":9,"content":"b"}"#;
        let text = format!(
            r#"{{"id":"r","type":"chat.message_stream","data":{{"part":0,"sessionId":"s","messageId":"m","first":1,"seq":1,"content":"a"}},{later}}}"#
        );
        assert_eq!(plain(&text).map(|frame| frame.content), Some("a".into()));
        let mut decoder = StreamDecoder::default();
        decoder.learn(&text);
        assert_eq!((decoder.decode(&text), decoder.head()), (None, ""));
    }
}
