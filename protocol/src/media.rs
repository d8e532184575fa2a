//! The files that may be sent with a message: which kinds Bedrock reads, how it calls them, and how many.

use crate::{
    Attachment, AttachmentInfo, ErrorCode,
    limits::{MAX_ATTACHMENTS, MAX_DOCUMENT_BYTES, MAX_DOCUMENTS, MAX_FILE_NAME_CHARS, MAX_IMAGE_BYTES},
};

/// As what Bedrock reads a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaKind {
    /// A picture: an `image` block.
    Image,
    /// A text with its layout: a `document` block.
    Document,
}

/// A kind of file that Bedrock reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Media {
    /// As what.
    pub kind: MediaKind,
    /// Bedrock's word for it, the `format` of the block.
    pub format: &'static str,
}

/// Every media type that may be sent, with Bedrock's word for it.
pub const MEDIA_TYPES: &[(&str, Media)] = &[
    ("image/png", image("png")),
    ("image/jpeg", image("jpeg")),
    ("image/gif", image("gif")),
    ("image/webp", image("webp")),
    ("application/pdf", document("pdf")),
    ("text/csv", document("csv")),
    ("application/msword", document("doc")),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", document("docx")),
    ("application/vnd.ms-excel", document("xls")),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", document("xlsx")),
    ("text/html", document("html")),
    ("text/plain", document("txt")),
    ("text/markdown", document("md")),
];

const fn image(format: &'static str) -> Media {
    Media { kind: MediaKind::Image, format }
}

const fn document(format: &'static str) -> Media {
    Media { kind: MediaKind::Document, format }
}

impl MediaKind {
    /// The most bytes that a file of this kind has.
    pub const fn max_bytes(self) -> usize {
        match self {
            Self::Image => MAX_IMAGE_BYTES,
            Self::Document => MAX_DOCUMENT_BYTES,
        }
    }
}

/// What Bedrock reads a file of this media type as; `None` where it does not read it.
pub fn format_of(media_type: &str) -> Option<Media> {
    MEDIA_TYPES.iter().find(|(known, _)| *known == media_type).map(|(_, media)| *media)
}

/// How many bytes text in base64 stands for. `None` for what is not base64 in its one form: the standard alphabet, padded, nothing
/// behind it and no bits left over.
pub fn base64_len(text: &str) -> Option<usize> {
    let padding = text.bytes().rev().take_while(|byte| *byte == b'=').count();
    let digits = &text.as_bytes()[..text.len() - padding];
    // Of the last digit the low bits are not used: four of them where one byte is left, two where two are.
    let unused = match (digits.len() % 4, padding) {
        (0, 0) => 0,
        (2, 2) => 0b1111,
        (3, 1) => 0b11,
        _ => return None,
    };
    let is_whole = digits.last().is_none_or(|last| digit(*last).is_some_and(|value| value & unused == 0));
    (is_whole && digits.iter().all(|byte| digit(*byte).is_some())).then_some(digits.len() * 3 / 4)
}

const fn digit(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

impl Attachment {
    /// What is known of the file without its bytes; `None` where `data` is not base64.
    pub fn info(&self) -> Option<AttachmentInfo> {
        let bytes = base64_len(&self.data)? as u64;
        Some(AttachmentInfo { name: self.name.clone(), media_type: self.media_type.clone(), bytes })
    }
}

/// Why files cannot be sent with a message, if they cannot.
pub(crate) fn refused(attachments: &[Attachment]) -> Option<(ErrorCode, String)> {
    let too_many = |most: usize, what: &str, count: usize| {
        let text = format!("a message has at most {most} {what}, not {count}; send the rest with the next one");
        Some((ErrorCode::MessageTooLarge, text))
    };
    if attachments.len() > MAX_ATTACHMENTS {
        return too_many(MAX_ATTACHMENTS, "attachments", attachments.len());
    }
    if let Some(reason) = attachments.iter().find_map(refused_file) {
        return Some(reason);
    }
    let is_document =
        |file: &&Attachment| format_of(&file.media_type).is_some_and(|media| media.kind == MediaKind::Document);
    let documents = attachments.iter().filter(is_document).count();
    if documents > MAX_DOCUMENTS { too_many(MAX_DOCUMENTS, "documents", documents) } else { None }
}

fn refused_file(file: &Attachment) -> Option<(ErrorCode, String)> {
    let Attachment { name, media_type, data } = file;
    let shown = |text: &str| text.chars().take(64).collect::<String>();
    let (shown_name, chars) = (shown(name), name.chars().count());
    let invalid = |text: String| Some((ErrorCode::InvalidRequest, text));
    if name.trim().is_empty() || chars > MAX_FILE_NAME_CHARS {
        return invalid(format!(
            "a file's name has 1 to {MAX_FILE_NAME_CHARS} characters, not {chars}: {shown_name:?}"
        ));
    }
    let Some(media) = format_of(media_type) else {
        let formats: Vec<_> = MEDIA_TYPES.iter().map(|(_, media)| media.format).collect();
        let (formats, media_type) = (formats.join(", "), shown(media_type));
        return invalid(format!("the file {shown_name:?} is {media_type:?}, which no model reads; send {formats}"));
    };
    match base64_len(data) {
        None => invalid(format!("the data of the file {shown_name:?} is not base64 with padding")),
        Some(0) => invalid(format!("the file {shown_name:?} is empty")),
        Some(bytes) if bytes > media.kind.max_bytes() => {
            let most = media.kind.max_bytes();
            Some((ErrorCode::MessageTooLarge, format!("the file {shown_name:?} has {bytes} bytes, the most is {most}")))
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests;
