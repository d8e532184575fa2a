//! Request bodies.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::Value;

use crate::chat::{Block, Chat, Message, Role, Tool, ToolChoice};
use crate::error::ApiError;
use crate::media::{Document, Image};
use crate::wire::converse::thinking;

/// Reads a request body.
pub(crate) fn parse(body: &[u8]) -> Result<Chat, ApiError> {
    let value: Value = serde_json::from_slice(body).map_err(malformed)?;
    for required in ["anthropic_version", "max_tokens", "messages"] {
        if value.get(required).is_none() {
            return Err(ApiError::validation(format!("{required}: Field required")));
        }
    }
    let thinking = thinking(&value);
    let sampling = ["temperature", "top_p", "top_k"].into_iter();
    let sampling = sampling.filter_map(|name| Some((name, value.get(name)?.as_f64().unwrap_or_default()))).collect();
    let request: Request = serde_json::from_value(value).map_err(malformed)?;
    let mut system = Vec::new();
    for block in request.system.into_blocks() {
        push(&mut system, block)?;
    }
    Ok(Chat {
        system,
        messages: messages(request.messages)?,
        tools: request.tools.into_iter().flat_map(tool).collect(),
        tool_choice: request.tool_choice.map(choice).unwrap_or_default(),
        max_tokens: Some(request.max_tokens),
        sampling,
        stop_sequences: request.stop_sequences,
        thinking,
        guardrail: None,
    })
}

fn malformed(error: serde_json::Error) -> ApiError {
    ApiError::validation(format!("Malformed input request: {error}, please reformat your input and try again."))
}

#[derive(Deserialize)]
struct Request {
    max_tokens: u64,
    messages: Vec<WireMessage>,
    #[serde(default)]
    system: Content,
    #[serde(default)]
    tools: Vec<WireTool>,
    tool_choice: Option<Value>,
    #[serde(default)]
    stop_sequences: Vec<String>,
}

#[derive(Deserialize)]
struct WireMessage {
    role: Role,
    content: Content,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Blocks(Vec<WireBlock>),
}

impl Default for Content {
    fn default() -> Self {
        Content::Blocks(Vec::new())
    }
}

impl Content {
    fn into_blocks(self) -> Vec<WireBlock> {
        match self {
            Content::Blocks(blocks) => blocks,
            Content::Text(text) => vec![WireBlock { kind: WireKind::Text { text }, cache_control: None }],
        }
    }
}

#[derive(Deserialize)]
struct WireBlock {
    #[serde(flatten)]
    kind: WireKind,
    cache_control: Option<CacheControl>,
}

#[derive(Deserialize)]
struct CacheControl {
    ttl: Option<String>,
}

impl CacheControl {
    fn one_hour(&self) -> bool {
        self.ttl.as_deref() == Some("1h")
    }
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum WireKind {
    Text {
        text: String,
    },
    Image {
        #[serde(default)]
        source: Source,
    },
    Document {
        #[serde(default)]
        source: Source,
        #[serde(default)]
        title: String,
    },
    Thinking {
        #[serde(default)]
        thinking: String,
        signature: Option<String>,
    },
    RedactedThinking {
        #[serde(default)]
        data: String,
    },
    ToolUse {
        id: String,
        name: String,
        #[serde(default)]
        input: Value,
    },
    ToolResult {
        tool_use_id: String,
        #[serde(default)]
        content: Content,
        #[serde(default)]
        is_error: bool,
    },
    #[serde(other)]
    Other,
}

/// Of an image or a document: base64, or text.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Source {
    media_type: String,
    data: String,
}

impl Source {
    /// The bytes, and the format as Converse names it.
    fn read(self) -> Result<(Vec<u8>, String), ApiError> {
        let format = match self.media_type.as_str() {
            "text/plain" => return Ok((self.data.into_bytes(), "txt".to_owned())),
            other => other.split_once('/').map_or(other, |(_, subtype)| subtype).to_owned(),
        };
        let bytes = BASE64_STANDARD.decode(self.data);
        let bytes = bytes.map_err(|_| ApiError::from_model("messages: source.base64.data: Invalid base64 data"))?;
        Ok((bytes, format))
    }
}

#[derive(Deserialize)]
struct WireTool {
    name: String,
    description: Option<String>,
    #[serde(default)]
    input_schema: Value,
    cache_control: Option<CacheControl>,
}

/// Neighbours of one role are one turn, as the Messages API says.
fn messages(wire: Vec<WireMessage>) -> Result<Vec<Message>, ApiError> {
    let mut messages: Vec<Message> = Vec::new();
    for message in wire {
        let mut blocks = Vec::new();
        for block in message.content.into_blocks() {
            push(&mut blocks, block)?;
        }
        match messages.last_mut() {
            Some(last) if last.role == message.role => last.blocks.append(&mut blocks),
            _ => messages.push(Message { role: message.role, blocks }),
        }
    }
    Ok(messages)
}

fn push(blocks: &mut Vec<Block>, wire: WireBlock) -> Result<(), ApiError> {
    blocks.push(match wire.kind {
        WireKind::Text { text } => Block::Text(text),
        WireKind::Image { source } => {
            let (bytes, format) = source.read()?;
            Block::Image(Image { format, bytes })
        }
        WireKind::Document { source, title } => {
            let (bytes, format) = source.read()?;
            Block::Document(Document { format, name: title, bytes })
        }
        WireKind::Thinking { thinking, signature } => Block::Reasoning { text: thinking, signature },
        WireKind::RedactedThinking { data } => Block::Redacted(BASE64_STANDARD.decode(data).unwrap_or_default()),
        WireKind::ToolUse { id, name, input } => Block::ToolUse { id, name, input },
        WireKind::ToolResult { tool_use_id, content, is_error } => {
            let mut inner = Vec::new();
            for block in content.into_blocks() {
                push(&mut inner, block)?;
            }
            Block::ToolResult { id: tool_use_id, content: inner, failed: is_error }
        }
        WireKind::Other => Block::Other,
    });
    blocks.extend(wire.cache_control.map(|control| Block::CachePoint { one_hour: control.one_hour() }));
    Ok(())
}

fn tool(wire: WireTool) -> impl Iterator<Item = Tool> {
    let point = wire.cache_control.map(|control| Tool::CachePoint { one_hour: control.one_hour() });
    [Tool::Spec { name: wire.name, description: wire.description, schema: wire.input_schema }].into_iter().chain(point)
}

fn choice(value: Value) -> ToolChoice {
    match (value["type"].as_str(), value["name"].as_str()) {
        (Some("tool"), Some(name)) => ToolChoice::Named(name.to_owned()),
        (Some("any"), _) => ToolChoice::Any,
        (Some("none"), _) => ToolChoice::None,
        _ => ToolChoice::Auto,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_may_be_a_string_or_blocks_and_neighbours_of_one_role_merge() {
        let chat = parse(
            br#"{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"system":"be kind","messages":[
              {"role":"user","content":"a"},
              {"role":"user","content":[{"type":"text","text":"b","cache_control":{"type":"ephemeral","ttl":"1h"}}]}]}"#,
        )
        .expect("parses");
        assert_eq!(chat.system, [Block::Text("be kind".into())]);
        let expected = [Block::Text("a".into()), Block::Text("b".into()), Block::CachePoint { one_hour: true }];
        assert_eq!(chat.messages, [Message { role: Role::User, blocks: expected.to_vec() }]);
        assert_eq!(chat.max_tokens, Some(9));
    }

    #[test]
    fn the_required_fields_are_required() {
        for (body, missing) in [
            (r#"{"max_tokens":1,"messages":[]}"#, "anthropic_version"),
            (r#"{"anthropic_version":"x","messages":[]}"#, "max_tokens"),
            (r#"{"anthropic_version":"x","max_tokens":1}"#, "messages"),
        ] {
            assert_eq!(parse(body.as_bytes()).expect_err(missing).message, format!("{missing}: Field required"));
        }
    }
}
