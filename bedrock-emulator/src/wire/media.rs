//! Images and documents as Converse sends them.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::Value;

use crate::chat::Block;
use crate::error::{ApiError, ErrorType};
use crate::media::{Document, Image};

/// An image or a document.
#[derive(Deserialize)]
pub(super) struct WireMedia {
    format: Option<String>,
    name: Option<String>,
    #[serde(default)]
    source: Value,
}

impl WireMedia {
    pub(super) fn image(self, path: &str) -> Result<Block, ApiError> {
        let bytes = self.bytes(path)?;
        Ok(Block::Image(Image { format: self.format.unwrap_or_default(), bytes }))
    }

    /// Text that is sent as it is has the format `txt` if it names none.
    pub(super) fn document(self, path: &str) -> Result<Block, ApiError> {
        let texts = match &self.source {
            source if source["text"].is_string() => source["text"].as_str().map(str::to_owned),
            source => source["content"]
                .as_array()
                .map(|blocks| blocks.iter().filter_map(|block| block["text"].as_str()).collect::<Vec<_>>().join("\n")),
        };
        let (bytes, usual) = match texts {
            Some(text) => (text.into_bytes(), "txt"),
            None => (self.bytes(path)?, ""),
        };
        Ok(Block::Document(Document {
            format: self.format.unwrap_or_else(|| usual.to_owned()),
            name: self.name.unwrap_or_default(),
            bytes,
        }))
    }

    fn bytes(&self, path: &str) -> Result<Vec<u8>, ApiError> {
        match self.source.get("bytes") {
            Some(bytes) => base64(bytes, &format!("{path}.bytes")),
            None => Err(ApiError::validation(format!(
                "The source at {path} has no bytes. The emulator reads no S3 objects: send the bytes."
            ))),
        }
    }
}

/// A blob of the API.
pub(super) fn base64(value: &Value, path: &str) -> Result<Vec<u8>, ApiError> {
    let decoded = value.as_str().and_then(|text| BASE64_STANDARD.decode(text).ok());
    decoded.ok_or_else(|| ApiError::new(ErrorType::Serialization, format!("The value at {path} is not base64.")))
}
