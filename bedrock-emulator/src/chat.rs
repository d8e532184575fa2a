//! A request as the emulator sees it, whichever API it came by.

use serde_json::Value;

use crate::guardrail::GuardrailConfig;
use crate::media::{Document, Image};

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
    /// The sampling parameters that are set, by the model's own names.
    pub(crate) sampling: Vec<(&'static str, f64)>,
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
    /// Reasoning that an earlier answer began with, and what proves it.
    Reasoning {
        text: String,
        signature: Option<String>,
    },
    /// Reasoning that cannot be read.
    Redacted(Vec<u8>),
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
    Image(Image),
    Document(Document),
    Video,
    CachePoint {
        one_hour: bool,
    },
    /// Guard content, citations and the like: passed over.
    Other,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Tool {
    Spec { name: String, description: Option<String>, schema: Value },
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
    /// The model decides whether and how long it thinks.
    pub(crate) adaptive: bool,
}

impl Chat {
    /// The user's last message with words in it. It is not the last message while tools are being called: then that has only their
    /// results.
    pub(crate) fn prompt(&self) -> String {
        self.turn().map(Message::text).unwrap_or_default()
    }

    /// How many times tools have answered since the user last said something.
    pub(crate) fn rounds(&self) -> u32 {
        let since = self.messages.iter().rev().take_while(|message| !message.is_prompt());
        let rounds = since.filter(|message| message.tool_results().next().is_some()).count();
        u32::try_from(rounds).unwrap_or(u32::MAX)
    }

    /// The message that asks, unless the conversation is to be gone on with from the assistant's own words.
    pub(crate) fn turn(&self) -> Option<&Message> {
        let last = self.messages.last().filter(|message| message.role == Role::User)?;
        let asked = self.messages.iter().rev().find(|message| message.is_prompt());
        Some(asked.unwrap_or(last))
    }

    /// The results that the conversation ends with.
    pub(crate) fn last_results(&self) -> impl Iterator<Item = (&str, &[Block], bool)> {
        self.messages.last().into_iter().flat_map(Message::tool_results)
    }

    pub(crate) fn system_text(&self) -> String {
        text_of(&self.system)
    }
}

impl Message {
    pub(crate) fn text(&self) -> String {
        text_of(&self.blocks)
    }

    /// Whether the user says something in it, and does not only give back results of tools.
    fn is_prompt(&self) -> bool {
        let says = |block: &Block| !matches!(block, Block::ToolResult { .. } | Block::CachePoint { .. });
        self.role == Role::User && self.blocks.iter().any(says)
    }

    /// Id, content and failure of each.
    pub(crate) fn tool_results(&self) -> impl Iterator<Item = (&str, &[Block], bool)> {
        self.blocks.iter().filter_map(|block| match block {
            Block::ToolResult { id, content, failed } => Some((id.as_str(), content.as_slice(), *failed)),
            _ => None,
        })
    }
}

fn text_of(blocks: &[Block]) -> String {
    let texts: Vec<&str> = blocks
        .iter()
        .filter_map(|block| if let Block::Text(text) = block { Some(text.as_str()) } else { None })
        .collect();
    texts.join("\n")
}
