//! A request as the emulator sees it, whichever API it came by.

use serde_json::Value;

use crate::guardrail::GuardrailConfig;

/// Which API's words and shapes a request uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `Converse` and `ConverseStream`.
    Converse,
    /// `InvokeModel` and its stream, with a body of Anthropic's Messages API.
    Messages,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Chat {
    pub(crate) system: Vec<Block>,
    pub(crate) messages: Vec<Message>,
    pub(crate) tools: Vec<Tool>,
    pub(crate) tool_choice: ToolChoice,
    pub(crate) max_tokens: Option<u64>,
    /// Names, in the request's own spelling, of the sampling parameters that are set.
    pub(crate) sampling: Vec<&'static str>,
    pub(crate) stop_sequences: Vec<String>,
    pub(crate) thinking: Option<Thinking>,
    pub(crate) guardrail: Option<GuardrailConfig>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Message {
    pub(crate) role: Role,
    pub(crate) blocks: Vec<Block>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    User,
    Assistant,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Block {
    Text(String),
    Reasoning(String),
    ToolUse {
        id: String,
        name: String,
        input: Value,
    },
    ToolResult {
        id: String,
        content: Vec<Block>,
        failed: bool,
    },
    /// JSON of a tool result.
    Json(Value),
    /// An image, document or video, by the name of its kind.
    Media(&'static str),
    CachePoint {
        one_hour: bool,
    },
    /// Guard content, citations and the like: passed over.
    Other,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Tool {
    Spec { name: String, description: String, schema: Value },
    CachePoint { one_hour: bool },
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum ToolChoice {
    #[default]
    Auto,
    None,
    Any,
    Named(String),
}

/// Extended thinking was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Thinking {
    pub(crate) budget_tokens: Option<u64>,
}

impl Chat {
    /// The texts of the last message, if the user wrote it.
    pub(crate) fn prompt(&self) -> String {
        self.messages.last().filter(|message| message.role == Role::User).map(Message::text).unwrap_or_default()
    }

    pub(crate) fn system_text(&self) -> String {
        text_of(&self.system)
    }
}

impl Message {
    pub(crate) fn text(&self) -> String {
        text_of(&self.blocks)
    }
}

fn text_of(blocks: &[Block]) -> String {
    let texts: Vec<&str> = blocks
        .iter()
        .filter_map(|block| if let Block::Text(text) = block { Some(text.as_str()) } else { None })
        .collect();
    texts.join("\n")
}
