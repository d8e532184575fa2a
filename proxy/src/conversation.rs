//! What a model is sent of a conversation and says in it, as blocks. A message is kept with them where it is more than its text.
//!
//! Source: the ContentBlock page of the Bedrock Runtime API reference.

use protocol::{RawJson, Role};
use serde::{Deserialize, Serialize};

/// What one side says until it is the other's turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Whose it is.
    pub role: Role,
    /// What is said; never empty.
    pub blocks: Vec<Block>,
}

impl Turn {
    /// A turn that is nothing but text.
    pub fn saying(role: Role, text: &str) -> Self {
        Self { role, blocks: vec![Block::Text { text: text.to_owned() }] }
    }
}

/// A piece of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Block {
    /// Text; never blank where it is sent.
    Text {
        /// The text.
        text: String,
    },
    /// The model's reasoning. It goes back as it came, or not at all.
    Reasoning {
        /// The text that it lets be seen.
        text: String,
        /// What tells the model that it is its own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signature: Option<String>,
    },
    /// Reasoning that nobody but the model may read.
    RedactedReasoning {
        /// Its bytes.
        #[serde(with = "base64_bytes")]
        data: Vec<u8>,
    },
    /// The model calls a tool.
    ToolUse {
        /// Tells the call from others.
        id: String,
        /// The tool's name: as it is kept, `server/tool`; as Bedrock takes it, what [`outcrop_tools::wire_name`] makes of that.
        name: String,
        /// The arguments.
        input: RawJson,
    },
    /// What came of a call.
    ToolResult {
        /// The call.
        id: String,
        /// What the tool returned: texts, images and documents.
        content: Vec<Block>,
        /// Whether it failed.
        failed: bool,
    },
    /// An image.
    Image {
        /// `png`, `jpeg`, `gif` or `webp`.
        format: String,
        /// Its bytes.
        #[serde(with = "base64_bytes")]
        data: Vec<u8>,
    },
    /// A document.
    Document {
        /// `pdf`, `csv`, `doc`, `docx`, `xls`, `xlsx`, `html`, `txt` or `md`.
        format: String,
        /// What it is called.
        name: String,
        /// Its bytes.
        #[serde(with = "base64_bytes")]
        data: Vec<u8>,
    },
}

impl Block {
    /// How many bytes of text and data it has.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Text { text } => text.len(),
            Self::Reasoning { text, signature } => text.len() + signature.as_ref().map_or(0, String::len),
            Self::RedactedReasoning { data } | Self::Image { data, .. } | Self::Document { data, .. } => data.len(),
            Self::ToolUse { input, .. } => input.as_str().len(),
            Self::ToolResult { content, .. } => content.iter().map(Self::bytes).sum(),
        }
    }
}

mod base64_bytes {
    use base64::prelude::{BASE64_STANDARD, Engine};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        BASE64_STANDARD.decode(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
