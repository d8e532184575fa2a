//! Images and documents: how many, how large, where, of which kind.
//!
//! Counts are those of a request, earlier messages included, as Bedrock counts them.

use std::collections::HashSet;

use crate::chat::{Block, Chat, Dialect, Message, Role};
use crate::error::ApiError;
use crate::media::{DOCUMENT_FORMATS, Document, IMAGE_FORMATS, Image};

const MAX_IMAGES: usize = 20;
const MAX_DOCUMENTS: usize = 5;
/// 3.75 MiB, which are 5 MiB of base64.
const MAX_IMAGE_BYTES: usize = 3_932_160;
/// 4.5 MiB.
const MAX_DOCUMENT_BYTES: usize = 4_718_592;
/// Longest side of an image, in pixels.
const MAX_IMAGE_SIDE: usize = 8_000;
const MAX_NAME_CHARS: usize = 200;

pub(super) fn check(chat: &Chat, dialect: Dialect) -> Result<(), ApiError> {
    let (mut images, mut names) = (0, Vec::new());
    for (i, message) in chat.messages.iter().enumerate() {
        place(message, i)?;
        for (j, block) in message.blocks.iter().enumerate() {
            let inner = if let Block::ToolResult { content, .. } = block { content.as_slice() } else { &[] };
            let path = Path { i, j, dialect };
            for block in std::iter::once(block).chain(inner) {
                match block {
                    Block::Image(file) => {
                        images += 1;
                        image(file, &path)?;
                    }
                    Block::Document(file) => {
                        names.push(file.name.as_str());
                        document(file, &path)?;
                    }
                    _ => {}
                }
            }
        }
    }
    if images > MAX_IMAGES {
        return Err(ApiError::from_model(format!("messages: too many images: {images} > {MAX_IMAGES}")));
    }
    if names.len() > MAX_DOCUMENTS && dialect == Dialect::Converse {
        return Err(ApiError::validation("You can't include more than 5 documents in a request."));
    }
    let mut seen = HashSet::new();
    if dialect == Dialect::Converse && !names.into_iter().all(|name| seen.insert(name)) {
        return Err(ApiError::validation(
            "Messages can't contain duplicate document names. Rename the document and retry your request.",
        ));
    }
    Ok(())
}

/// Files are the user's, and documents have words beside them.
fn place(message: &Message, i: usize) -> Result<(), ApiError> {
    let is_file = |block: &Block| matches!(block, Block::Image(_) | Block::Document(_) | Block::Video);
    if message.role == Role::Assistant && message.blocks.iter().any(is_file) {
        return Err(ApiError::validation(format!(
            "The message at messages.{i} has the role assistant and includes an image, a document or a video. You can only include them if the role is user."
        )));
    }
    let documents = message.blocks.iter().any(|block| matches!(block, Block::Document(_)));
    if documents && !message.blocks.iter().any(|block| matches!(block, Block::Text(_))) {
        return Err(ApiError::validation(
            "A text block must be included when using documents. Add a text block and retry your request.",
        ));
    }
    Ok(())
}

struct Path {
    i: usize,
    j: usize,
    dialect: Dialect,
}

impl Path {
    fn member(&self, field: &str) -> String {
        format!("messages.{}.member.content.{}.member.{field}", self.i + 1, self.j + 1)
    }

    fn model(&self, field: &str) -> String {
        let source = if self.dialect == Dialect::Converse { "source.bytes" } else { "source.base64" };
        format!("messages.{}.content.{}.{field}.{source}", self.i, self.j)
    }
}

fn image(file: &Image, path: &Path) -> Result<(), ApiError> {
    format(&file.format, &IMAGE_FORMATS, &path.member("image.format"))?;
    not_empty(&file.bytes, &path.member("image.source.bytes"))?;
    let refuse = |why: String| Err(ApiError::from_model(format!("{}: {why}", path.model("image"))));
    if file.bytes.len() > MAX_IMAGE_BYTES {
        let base64 = |bytes: usize| bytes.div_ceil(3) * 4;
        return refuse(format!(
            "image exceeds 5 MB maximum: {} bytes > {} bytes",
            base64(file.bytes.len()),
            base64(MAX_IMAGE_BYTES)
        ));
    }
    match (file.actual_format(), file.size()) {
        (Some(actual), _) if actual != file.format => refuse(format!(
            "The image was specified using the image/{} media type, but the image appears to be a image/{actual} image",
            file.format
        )),
        (None, _) | (_, None) => refuse("Could not process image".to_owned()),
        (_, Some((width, height))) if width.max(height) > MAX_IMAGE_SIDE => {
            refuse(format!("At least one of the image dimensions exceed max allowed size: {MAX_IMAGE_SIDE} pixels"))
        }
        _ => Ok(()),
    }
}

fn document(file: &Document, path: &Path) -> Result<(), ApiError> {
    format(&file.format, &DOCUMENT_FORMATS, &path.member("document.format"))?;
    not_empty(&file.bytes, &path.member("document.source.bytes"))?;
    if path.dialect == Dialect::Converse {
        name(&file.name, &path.member("document.name"))?;
    }
    if file.bytes.len() > MAX_DOCUMENT_BYTES {
        return Err(ApiError::validation(format!(
            "The document at {} is larger than 4.5 MB. Send a smaller document and retry your request.",
            path.model("document")
        )));
    }
    if file.format == "pdf" && !file.bytes.starts_with(b"%PDF-") {
        return Err(ApiError::from_model(format!("{}: The PDF specified was not valid.", path.model("document"))));
    }
    Ok(())
}

/// Only in lower case, and `jpeg` is not `jpg`.
fn format(given: &str, known: &[&str], path: &str) -> Result<(), ApiError> {
    if known.contains(&given) {
        return Ok(());
    }
    let known = known.join(", ");
    Err(ApiError::validation(format!(
        "1 validation error detected: Value '{given}' at '{path}' failed to satisfy constraint: Member must satisfy enum value set: [{known}]"
    )))
}

fn not_empty(bytes: &[u8], path: &str) -> Result<(), ApiError> {
    if bytes.is_empty() {
        return Err(ApiError::validation(format!(
            "1 validation error detected: Value at '{path}' failed to satisfy constraint: Member must have length greater than or equal to 1"
        )));
    }
    Ok(())
}

/// Bedrock takes underscores too, which its message does not name, and of whitespace only the space.
fn name(name: &str, path: &str) -> Result<(), ApiError> {
    let length = name.chars().count();
    if !(1..=MAX_NAME_CHARS).contains(&length) {
        let bound = if length == 0 { "greater than or equal to 1" } else { "less than or equal to 200" };
        return Err(ApiError::validation(format!(
            "1 validation error detected: Value '{name}' at '{path}' failed to satisfy constraint: Member must have length {bound}"
        )));
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_' | '(' | ')' | '[' | ']');
    if name.contains("  ") || !name.chars().all(fits) {
        return Err(ApiError::validation(
            "The document file name can only contain alphanumeric characters, whitespace characters, hyphens, parentheses, and square brackets. The name can't contain more than one consecutive whitespace character. Check that the file name conforms to these restrictions and retry your request.",
        ));
    }
    Ok(())
}
