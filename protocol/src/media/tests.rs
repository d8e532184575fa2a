use std::{collections::BTreeSet, fs, path::Path};

use proptest::prelude::*;

use super::*;
use crate::{limits::MAX_ATTACHMENTS_BYTES, testing};

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 by shifting bits, without a table of what is left over.
fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

fn file(name: &str, media_type: &str, data: &str) -> Attachment {
    Attachment { name: name.into(), media_type: media_type.into(), data: data.into() }
}

proptest! {
    #![proptest_config(testing::cases(800))]

    #[test]
    fn what_is_encoded_has_its_length(bytes in prop::collection::vec(any::<u8>(), 0..50)) {
        prop_assert_eq!(base64_len(&encode(&bytes)), Some(bytes.len()));
    }

    /// Of all texts that stand for the same bytes one is taken: what changes in it makes others, or none.
    #[test]
    fn there_is_one_form(bytes in prop::collection::vec(any::<u8>(), 0..6), at: u8, with in "[A-Za-z0-9+/=_ \nü-]{0,2}") {
        let text = encode(&bytes);
        let at = usize::from(at) % (text.len() + 1);
        let changed = format!("{}{with}{}", &text[..at], text.get(at + 1..).unwrap_or_default());
        if base64_len(&changed).is_some() {
            prop_assert!(changed.len() % 4 == 0 && changed.trim_end_matches('=').bytes().all(|byte| DIGITS.contains(&byte)));
            prop_assert_eq!(encode(&decode(&changed)), changed);
        }
    }
}

fn decode(text: &str) -> Vec<u8> {
    let digits = text.trim_end_matches('=').bytes().map(|byte| DIGITS.iter().position(|digit| *digit == byte).unwrap());
    let bits: Vec<_> = digits.flat_map(|digit| (0..6).rev().map(move |bit| digit >> bit & 1)).collect();
    bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |byte, bit| byte << 1 | *bit as u8)).collect()
}

#[test]
fn what_is_not_base64_is_not() {
    for text in
        ["A", "AA", "AAA", "AAAA=", "====", "=", "AA==AAAA", "AB==", "AAB=", "AA A", "AA-_", "QQ==\n", "QQ=", "ü==="]
    {
        assert_eq!(base64_len(text), None, "{text:?}");
    }
    assert_eq!(["", "QQ==", "QUI=", "QUJD"].map(base64_len), [Some(0), Some(1), Some(2), Some(3)]);
}

#[test]
fn bedrocks_words_are_there_once() {
    let words: BTreeSet<_> = MEDIA_TYPES.iter().map(|(_, media)| media.format).collect();
    assert_eq!(words.len(), MEDIA_TYPES.len());
    assert_eq!(format_of("image/jpeg"), Some(Media { kind: MediaKind::Image, format: "jpeg" }));
    assert_eq!(format_of("text/markdown"), Some(Media { kind: MediaKind::Document, format: "md" }));
    assert_eq!((format_of("image/bmp"), format_of("image/PNG"), format_of("")), (None, None, None));
}

#[test]
fn a_file_that_cannot_be_sent_is_named_with_the_reason() {
    let long = "ü".repeat(MAX_FILE_NAME_CHARS + 1);
    for (file, expected) in [
        (file("", "image/png", "QQ=="), "1 to 255 characters, not 0"),
        (file(" \t", "image/png", "QQ=="), "not 2"),
        (file(&long, "image/png", "QQ=="), "not 256"),
        (
            file("a.bmp", "image/bmp", "QQ=="),
            r#"the file "a.bmp" is "image/bmp", which no model reads; send png, jpeg"#,
        ),
        (file("a\n.png", "image/png", ""), r#"the file "a\n.png" is empty"#),
        (file("a.png", "image/png", "QQ"), r#"the data of the file "a.png" is not base64"#),
    ] {
        let (code, text) = refused(std::slice::from_ref(&file)).unwrap();
        assert_eq!(code, ErrorCode::InvalidRequest, "{file:?}");
        assert!(text.contains(expected), "{text}");
        // It is shown to people, however odd the file's name is.
        assert!(text.len() < 400 && !text.contains(char::is_control), "{text:?}");
    }
    assert_eq!(refused(&[file(&"ü".repeat(MAX_FILE_NAME_CHARS), "image/png", "QQ==")]), None);
}

#[test]
fn bounds_are_themselves_allowed() {
    let code = |files: &[Attachment]| refused(files).map(|(code, _)| code);
    let (picture, text) = (file("a.png", "image/png", "QQ=="), file("a.txt", "text/plain", "QQ=="));
    let files = |pictures: usize, texts: usize| [vec![picture.clone(); pictures], vec![text.clone(); texts]].concat();
    assert_eq!(code(&files(MAX_ATTACHMENTS - MAX_DOCUMENTS, MAX_DOCUMENTS)), None);
    assert_eq!(code(&files(MAX_ATTACHMENTS, 0)), None);
    assert_eq!(code(&files(MAX_ATTACHMENTS + 1, 0)), Some(ErrorCode::MessageTooLarge));
    assert_eq!(code(&files(0, MAX_DOCUMENTS + 1)), Some(ErrorCode::MessageTooLarge));
    for (media_type, most) in [("image/gif", MAX_IMAGE_BYTES), ("application/pdf", MAX_DOCUMENT_BYTES)] {
        let of = |bytes: usize| file("much", media_type, &encode(&vec![7; bytes]));
        assert_eq!(code(&[of(most)]), None);
        assert_eq!(code(&[of(most + 1)]), Some(ErrorCode::MessageTooLarge));
        assert_eq!(of(most).info().unwrap().bytes, most as u64);
    }
}

/// The client's JavaScript checks files before they are read; its tests hold it to this file too.
#[test]
fn the_limits_of_the_npm_package_are_these() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/attachment-limits.json");
    let golden: serde_json::Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let ours = serde_json::json!({
        "maxFiles": MAX_ATTACHMENTS,
        "maxDocuments": MAX_DOCUMENTS,
        "maxTotalBytes": MAX_ATTACHMENTS_BYTES,
        "mediaTypes": MEDIA_TYPES.iter().map(|(media_type, _)| *media_type).collect::<Vec<_>>(),
    });
    assert_eq!(golden, ours);
}

#[test]
fn all_files_and_a_long_message_fit_a_frame() {
    let room = crate::limits::MAX_CLIENT_FRAME_BYTES - MAX_ATTACHMENTS_BYTES.div_ceil(3) * 4;
    assert!(room > 80 * 1024, "{room}");
}
