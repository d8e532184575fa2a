//! What a tool returned, bounded.

use base64::{Engine, prelude::BASE64_STANDARD};
use rmcp::model::{CallToolResult, ContentBlock, ResourceContents};

/// The most text and data of one result that is kept, in bytes.
pub const MAX_RESULT_BYTES: usize = 1024 * 1024;
/// The most parts of one result.
const MAX_PARTS: usize = 128;
/// The most of an address, a name or a media type.
const MAX_NAME_BYTES: usize = 2048;

/// A part of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Text: data, not to be followed.
    Text(String),
    /// An image.
    Image {
        /// Its media type, as the server has it.
        media_type: String,
        /// The image itself.
        data: Vec<u8>,
    },
    /// Sound, which no model takes; it is not kept.
    Audio {
        /// Its media type, as the server has it.
        media_type: String,
        /// How large it was.
        bytes: usize,
    },
    /// A resource with its contents.
    Resource {
        /// Its address at the server.
        uri: String,
        /// Its media type, if the server told.
        media_type: Option<String>,
        /// What is in it.
        blob: Blob,
    },
    /// A resource by its address alone. Nothing is fetched.
    Link {
        /// Its address at the server.
        uri: String,
        /// Its name.
        name: String,
    },
}

/// What is in a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blob {
    /// Text.
    Text(String),
    /// Anything else.
    Bytes(Vec<u8>),
}

/// `text`, or its beginning of at most `bytes`.
pub(crate) fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// The parts of a result, of which at most [`MAX_RESULT_BYTES`], and whether that is less than there was.
pub(crate) fn read(result: CallToolResult) -> (Vec<Content>, bool) {
    let mut reader = Reader { left: MAX_RESULT_BYTES, truncated: result.content.len() > MAX_PARTS };
    let is_without_text = !result.content.iter().any(|block| matches!(block, ContentBlock::Text(_)));
    let mut content: Vec<Content> =
        result.content.into_iter().take(MAX_PARTS).filter_map(|block| reader.block(block)).collect();
    if let Some(structured) = result.structured_content.filter(|_| is_without_text) {
        content.extend(reader.text(structured.to_string()).map(Content::Text));
    }
    (content, reader.truncated)
}

struct Reader {
    left: usize,
    truncated: bool,
}

impl Reader {
    fn block(&mut self, block: ContentBlock) -> Option<Content> {
        let content = match block {
            ContentBlock::Text(part) => Content::Text(self.text(part.text)?),
            ContentBlock::Image(part) => match self.bytes(&part.data)? {
                Ok(data) => Content::Image { media_type: name(part.mime_type), data },
                Err(Unreadable) => return self.text("(an image whose data is not Base64)".into()).map(Content::Text),
            },
            ContentBlock::Audio(part) => {
                Content::Audio { media_type: name(part.mime_type), bytes: decoded_bytes(&part.data) }
            }
            ContentBlock::Resource(part) => match part.resource {
                ResourceContents::TextResourceContents { uri, mime_type, text, .. } => Content::Resource {
                    uri: name(uri),
                    media_type: mime_type.map(name),
                    blob: Blob::Text(self.text(text)?),
                },
                ResourceContents::BlobResourceContents { uri, mime_type, blob, .. } => match self.bytes(&blob)? {
                    Ok(data) => {
                        Content::Resource { uri: name(uri), media_type: mime_type.map(name), blob: Blob::Bytes(data) }
                    }
                    Err(Unreadable) => {
                        return self.text("(a resource whose data is not Base64)".into()).map(Content::Text);
                    }
                },
                _ => return None,
            },
            ContentBlock::ResourceLink(link) => Content::Link { uri: name(link.uri), name: name(link.name) },
            _ => return None,
        };
        Some(content)
    }

    /// As much of `text` as there is room for; `None` where there is none.
    fn text(&mut self, mut text: String) -> Option<String> {
        let kept = cut(&text, self.left).len();
        self.truncated |= kept < text.len();
        if kept == 0 && !text.is_empty() {
            return None;
        }
        text.truncate(kept);
        self.left -= kept;
        Some(text)
    }

    /// The bytes that `data` stands for; `None` where there is no room, since half an image is none.
    fn bytes(&mut self, data: &str) -> Option<Result<Vec<u8>, Unreadable>> {
        if decoded_bytes(data) > self.left {
            self.truncated = true;
            return None;
        }
        Some(match BASE64_STANDARD.decode(data) {
            Ok(bytes) => {
                self.left = self.left.saturating_sub(bytes.len());
                Ok(bytes)
            }
            Err(_) => Err(Unreadable),
        })
    }
}

struct Unreadable;

/// How many bytes Base64 of this length is, give or take its padding.
fn decoded_bytes(data: &str) -> usize {
    let padding = data.bytes().rev().take(2).filter(|byte| *byte == b'=').count();
    (data.len() / 4 * 3).saturating_sub(padding)
}

fn name(name: String) -> String {
    cut(&name, MAX_NAME_BYTES).to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read_json(result: serde_json::Value) -> (Vec<Content>, bool) {
        read(serde_json::from_value(result).unwrap())
    }

    #[test]
    fn every_kind_of_content_is_read() {
        let (content, truncated) = read_json(json!({"content": [
            {"type": "text", "text": "warm"},
            {"type": "image", "data": "AQID", "mimeType": "image/png"},
            {"type": "audio", "data": "AQIDBA==", "mimeType": "audio/wav"},
            {"type": "resource", "resource": {"uri": "a://1", "mimeType": "text/plain", "text": "t"}},
            {"type": "resource", "resource": {"uri": "a://2", "blob": "AQ=="}},
            {"type": "resource_link", "uri": "a://3", "name": "three"},
        ]}));
        let expected = [
            Content::Text("warm".into()),
            Content::Image { media_type: "image/png".into(), data: vec![1, 2, 3] },
            Content::Audio { media_type: "audio/wav".into(), bytes: 4 },
            Content::Resource {
                uri: "a://1".into(),
                media_type: Some("text/plain".into()),
                blob: Blob::Text("t".into()),
            },
            Content::Resource { uri: "a://2".into(), media_type: None, blob: Blob::Bytes(vec![1]) },
            Content::Link { uri: "a://3".into(), name: "three".into() },
        ];
        assert_eq!((content.as_slice(), truncated), (expected.as_slice(), false));
    }

    #[test]
    fn structured_content_counts_where_there_is_no_text() {
        let structured = json!({"content": [], "structuredContent": {"degrees": 21}});
        assert_eq!(read_json(structured).0, [Content::Text(r#"{"degrees":21}"#.into())]);
        let both = json!({"content": [{"type": "text", "text": "21"}], "structuredContent": {"degrees": 21}});
        assert_eq!(read_json(both).0, [Content::Text("21".into())]);
    }

    #[test]
    fn a_result_is_cut_at_its_bound_between_characters() {
        let long = format!("a{}", "é".repeat(MAX_RESULT_BYTES / 2));
        let (content, truncated) =
            read_json(json!({"content": [{"type": "text", "text": long}, {"type": "text", "text": "more"}]}));
        let Content::Text(first) = &content[0] else { panic!("{content:?}") };
        assert_eq!((first.len(), truncated), (MAX_RESULT_BYTES - 1, true));
        assert_eq!(content[1], Content::Text("m".into()));
    }

    #[test]
    fn an_image_without_room_is_left_out_whole() {
        let text = "a".repeat(MAX_RESULT_BYTES - 2);
        let (content, truncated) = read_json(json!({"content": [
            {"type": "text", "text": text},
            {"type": "image", "data": "AQID", "mimeType": "image/png"},
            {"type": "image", "data": "AQI=", "mimeType": "image/png"},
        ]}));
        assert_eq!((content.len(), truncated), (2, true));
        assert_eq!(content[1], Content::Image { media_type: "image/png".into(), data: vec![1, 2] });
    }

    #[test]
    fn an_image_that_cannot_be_read_is_said_to_be_so() {
        let (content, _) = read_json(json!({"content": [{"type": "image", "data": "?", "mimeType": "image/png"}]}));
        assert_eq!(content, [Content::Text("(an image whose data is not Base64)".into())]);
    }
}
