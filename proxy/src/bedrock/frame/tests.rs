use proptest::prelude::*;

use super::*;
use crate::testing;

fn header(name: &str, value: &str) -> Vec<u8> {
    let mut out = vec![name.len() as u8];
    out.extend(name.as_bytes());
    out.push(7);
    out.extend((value.len() as u16).to_be_bytes());
    out.extend(value.as_bytes());
    out
}

fn frame(headers: &[u8], payload: &[u8]) -> Vec<u8> {
    let total = (PRELUDE_BYTES + headers.len() + payload.len() + CRC_BYTES) as u32;
    let mut out = total.to_be_bytes().to_vec();
    out.extend((headers.len() as u32).to_be_bytes());
    out.extend(crc32fast::hash(&out).to_be_bytes());
    out.extend(headers);
    out.extend(payload);
    out.extend(crc32fast::hash(&out).to_be_bytes());
    out
}

fn event(name: &str, payload: &str) -> Vec<u8> {
    let headers = [header(":event-type", name), header(":message-type", "event")].concat();
    frame(&headers, payload.as_bytes())
}

fn decode_all(pieces: &[&[u8]]) -> Result<Vec<(String, Vec<u8>)>, FrameError> {
    let mut decoder = FrameDecoder::default();
    let mut all = Vec::new();
    for piece in pieces {
        decoder.push(piece);
        while let Some(frame) = decoder.next_frame()? {
            all.push((format!("{:?}", frame.kind), frame.payload.to_vec()));
        }
    }
    assert!(!decoder.has_rest());
    Ok(all)
}

#[test]
fn frames_are_the_same_wherever_the_stream_is_cut_in_two_or_three() {
    let stream = [event("messageStart", "{}"), event("contentBlockDelta", r#"{"x":"ü"}"#), event("z", "")].concat();
    let whole = decode_all(&[&stream]).unwrap();
    assert_eq!(whole.len(), 3);
    for first in 0..=stream.len() {
        let (head, tail) = stream.split_at(first);
        assert_eq!(decode_all(&[head, tail]).unwrap(), whole, "cut at {first}");
        for second in 0..=tail.len() {
            let (middle, end) = tail.split_at(second);
            assert_eq!(decode_all(&[head, middle, end]).unwrap(), whole, "cut at {first} and {second}");
        }
    }
}

#[test]
fn a_changed_bit_anywhere_is_an_error() {
    let good = event("contentBlockDelta", r#"{"text":"hello"}"#);
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        let mut decoder = FrameDecoder::default();
        decoder.push(&bad);
        assert_eq!(decoder.next_frame(), Err(FrameError::Checksum), "bit {bit}");
    }
}

/// Frames of every kind, with other headers of every type between those that count.
fn any_frame() -> impl Strategy<Value = Seen> {
    let kind = prop::sample::select(vec![
        ("event", ":event-type"),
        ("exception", ":exception-type"),
        ("error", ":error-code"),
    ]);
    let value = (prop::sample::select(vec![0u8, 1, 2, 3, 4, 5, 6, 7, 8, 9]), prop::collection::vec(any::<u8>(), 16));
    let other = ("[a-z:-]{0,9}x", value).prop_map(|(name, (kind, bytes))| {
        let len = [0, 0, 1, 2, 4, 8, 5, 5, 8, 16][usize::from(kind)];
        let prefix: &[u8] = if matches!(kind, 6 | 7) { &[0, 5] } else { &[] };
        [&[name.len() as u8], name.as_bytes(), &[kind], prefix, &bytes[..len]].concat()
    });
    let others = prop::collection::vec(other, 0..4);
    let name = prop_oneof![Just("contentBlockDelta".to_owned()), "[A-Za-zü]{0,12}"];
    let payload = prop::collection::vec(any::<u8>(), 0..60);
    (kind, name, others, payload).prop_map(|((kind, header_name), name, others, payload)| {
        let mut headers = vec![header(header_name, &name), header(":message-type", kind)];
        for (at, other) in others.into_iter().enumerate() {
            headers.insert(at % (headers.len() + 1), other);
        }
        let bytes = frame(&headers.concat(), &payload);
        Seen { kind: kind.to_owned(), name, payload, bytes }
    })
}

/// A frame, and the bytes that say so.
#[derive(Debug, Clone)]
struct Seen {
    kind: String,
    name: String,
    payload: Vec<u8>,
    bytes: Vec<u8>,
}

impl Seen {
    fn is(&self, frame: &Frame<'_>) -> bool {
        let (kind, name) = match frame.kind {
            FrameKind::Event(name) => ("event", name),
            FrameKind::Exception(name) => ("exception", name),
            FrameKind::Error(name) => ("error", name),
        };
        (kind, name, frame.payload) == (&self.kind, &self.name, &self.payload)
    }
}

proptest! {
    #![proptest_config(testing::cases(500))]

    /// What was sent comes out, each frame as soon as its last byte is there, in pieces of any size.
    #[test]
    fn any_stream_in_any_pieces_is_its_frames(
        sent in prop::collection::vec(any_frame(), 1..5),
        sizes in prop::collection::vec(prop_oneof![Just(1usize), 0usize..90], 1..20),
    ) {
        let stream: Vec<u8> = sent.iter().flat_map(|frame| frame.bytes.clone()).collect();
        let ends: Vec<_> = sent.iter().scan(0, |end, frame| { *end += frame.bytes.len(); Some(*end) }).collect();
        let (mut decoder, mut seen, mut at) = (FrameDecoder::default(), 0, 0);
        let mut sizes = sizes.into_iter().chain([1]).cycle();
        while at < stream.len() {
            let upto = (at + sizes.next().unwrap_or(1)).min(stream.len());
            decoder.push(&stream[at..upto]);
            at = upto;
            while let Some(frame) = decoder.next_frame().unwrap() {
                prop_assert!(sent[seen].is(&frame), "{:?} is not {:?}", frame, sent[seen]);
                seen += 1;
            }
            prop_assert_eq!(seen, ends.iter().filter(|end| **end <= at).count(), "no frame is kept back");
            prop_assert_eq!(decoder.has_rest(), at != 0 && !ends.contains(&at));
        }
        prop_assert_eq!(seen, sent.len());
    }

    /// CRC-32 finds every run of changed bits that is no longer than itself: what was sent before it comes out, then an error.
    #[test]
    fn changed_bits_are_an_error_and_never_another_event(
        sent in prop::collection::vec(any_frame(), 1..4),
        frame: prop::sample::Index,
        place: prop::sample::Index,
        pattern in 1u32..,
        one_bit: bool,
        in_prelude: bool,
    ) {
        let mut stream: Vec<u8> = sent.iter().flat_map(|frame| frame.bytes.clone()).collect();
        let hit = frame.index(sent.len());
        let start: usize = sent[..hit].iter().map(|frame| frame.bytes.len()).sum();
        let len = sent[hit].bytes.len();
        let pattern = if one_bit { 1 } else { pattern };
        // The run stays within what one checksum covers: the prelude with its own, or the rest with the frame's.
        let covered = if in_prelude { 0..PRELUDE_BYTES } else { PRELUDE_BYTES..len };
        let at = start + covered.start + place.index(covered.len() - 3);
        for (byte, change) in stream[at..].iter_mut().zip(pattern.to_be_bytes()) {
            *byte ^= change;
        }
        let mut decoder = FrameDecoder::default();
        decoder.push(&stream);
        for frame in &sent[..hit] {
            prop_assert!(frame.is(&decoder.next_frame().unwrap().unwrap()));
        }
        prop_assert_eq!(decoder.next_frame(), Err(FrameError::Checksum));
    }
}

#[test]
fn an_impossible_length_is_refused_before_anything_is_kept() {
    let mut prelude = u32::MAX.to_be_bytes().to_vec();
    prelude.extend(0u32.to_be_bytes());
    prelude.extend(crc32fast::hash(&prelude).to_be_bytes());
    let mut decoder = FrameDecoder::default();
    decoder.push(&prelude);
    assert_eq!(decoder.next_frame(), Err(FrameError::Length(u32::MAX as usize)));
}

#[test]
fn headers_of_every_type_are_passed_over() {
    let mut headers = header(":message-type", "exception");
    for (kind, len) in [(0, 0), (1, 0), (2, 1), (3, 2), (4, 4), (5, 8), (8, 8), (9, 16)] {
        headers.extend([1, b'x', kind]);
        headers.extend(std::iter::repeat_n(0, len));
    }
    headers.extend([1, b'y', 6, 0, 2, 9, 9]);
    headers.extend(header(":exception-type", "throttlingException"));
    let bytes = frame(&headers, b"{}");
    let mut decoder = FrameDecoder::default();
    decoder.push(&bytes);
    let frame = decoder.next_frame().unwrap().unwrap();
    assert_eq!(frame.kind, FrameKind::Exception("throttlingException"));
    for broken in [&[200u8][..], &[1, b'x', 7, 0, 9], &[1, b'x', 99], &[1]] {
        assert_eq!(kind(broken), Err(FrameError::Header));
    }
}
