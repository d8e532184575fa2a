//! Anthropic's Messages API as `InvokeModel` takes and gives it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::BytesMut;
use serde::Deserialize;
use serde_json::{Value, json};

use super::converse::thinking;
use super::{Context, Event, StartKind, padding};
use crate::answer::{Part, Usage};
use crate::chat::{Block, Chat, Message, Role, Tool, ToolChoice};
use crate::error::ApiError;
use crate::frame;
use crate::media::{Document, Image};

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

pub(super) fn encode(out: &mut BytesMut, context: &Context<'_>, event: Event<'_>, serial: u32) {
    let usage = &context.answer.usage;
    let delta = |index: usize, delta: Value| json!({ "type": "content_block_delta", "index": index, "delta": delta });
    let chunk = match event {
        Event::MessageStart => {
            let usage = usage_value(usage, 1);
            let message = message(context, Vec::new(), Value::Null, Value::Null, usage);
            json!({ "type": "message_start", "message": message })
        }
        Event::BlockStart { index, kind } => {
            let block = match kind {
                StartKind::Text => json!({ "type": "text", "text": "" }),
                StartKind::Reasoning => json!({ "type": "thinking", "thinking": "", "signature": "" }),
                StartKind::Redacted { data } => json!({ "type": "redacted_thinking", "data": data }),
                StartKind::ToolUse { id, name } => json!({ "type": "tool_use", "id": id, "name": name, "input": {} }),
            };
            json!({ "type": "content_block_start", "index": index, "content_block": block })
        }
        Event::TextDelta { index, text } => delta(index, json!({ "type": "text_delta", "text": text })),
        Event::ReasoningDelta { index, text } => delta(index, json!({ "type": "thinking_delta", "thinking": text })),
        Event::Signature { index, signature } => {
            delta(index, json!({ "type": "signature_delta", "signature": signature }))
        }
        Event::Redacted { .. } => return,
        Event::ToolInputDelta { index, json } => {
            delta(index, json!({ "type": "input_json_delta", "partial_json": json }))
        }
        Event::BlockStop { index } => json!({ "type": "content_block_stop", "index": index }),
        Event::MessageStop => json!({
            "type": "message_delta",
            "delta": { "stop_reason": context.answer.stop_reason.name(), "stop_sequence": context.answer.stop_sequence },
            "usage": { "output_tokens": usage.output_tokens },
        }),
        Event::Metadata { latency_ms, first_byte_ms } => json!({
            "type": "message_stop",
            "amazon-bedrock-invocationMetrics": {
                "inputTokenCount": usage.input_tokens,
                "outputTokenCount": usage.output_tokens,
                "invocationLatency": latency_ms,
                "firstByteLatency": first_byte_ms,
                "cacheReadInputTokenCount": usage.cache_read_input_tokens,
                "cacheWriteInputTokenCount": usage.cache_write_input_tokens,
            },
        }),
    };
    let payload = format!(r#"{{"bytes":"{}","p":"{}"}}"#, BASE64_STANDARD.encode(chunk.to_string()), padding(serial));
    frame::event(out, "chunk", payload.as_bytes());
}

pub(super) fn body(context: &Context<'_>) -> Value {
    let answer = context.answer;
    let content = answer.parts.iter().map(|part| match part {
        Part::Text(text) => json!({ "type": "text", "text": text }),
        Part::Reasoning { text, signature } => json!({ "type": "thinking", "thinking": text, "signature": signature }),
        Part::Redacted { data, .. } => json!({ "type": "redacted_thinking", "data": data }),
        Part::ToolUse { id, name, json } => {
            json!({ "type": "tool_use", "id": id, "name": name, "input": crate::answer::parsed_input(json) })
        }
    });
    let usage = usage_value(&answer.usage, answer.usage.output_tokens);
    message(context, content.collect(), answer.stop_reason.name().into(), answer.stop_sequence.clone().into(), usage)
}

fn message(
    context: &Context<'_>,
    content: Vec<Value>,
    stop_reason: Value,
    stop_sequence: Value,
    usage: Value,
) -> Value {
    json!({
        "id": format!("msg_bdrk_{}", context.request_id.replace('-', "")),
        "type": "message",
        "role": "assistant",
        "model": model_name(context.model_id),
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": stop_sequence,
        "usage": usage,
    })
}

/// Anthropic's own name of a model: `us.anthropic.claude-x-v1:0` is `claude-x`.
fn model_name(model_id: &str) -> &str {
    let name = model_id.rsplit_once("anthropic.").map_or(model_id, |(_, name)| name);
    name.rfind("-v")
        .filter(|at| name[at + 2..].starts_with(|c: char| c.is_ascii_digit()))
        .map_or(name, |at| &name[..at])
}

fn usage_value(usage: &Usage, output_tokens: u32) -> Value {
    json!({
        "input_tokens": usage.input_tokens,
        "cache_creation_input_tokens": usage.cache_write_input_tokens,
        "cache_read_input_tokens": usage.cache_read_input_tokens,
        "output_tokens": output_tokens,
    })
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

    #[test]
    fn a_model_has_the_name_that_its_maker_gave_it() {
        assert_eq!(model_name("us.anthropic.claude-3-5-sonnet-20241022-v2:0"), "claude-3-5-sonnet-20241022");
        assert_eq!(model_name("global.anthropic.claude-opus-5-5"), "claude-opus-5-5");
    }
}
