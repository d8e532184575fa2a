//! The Converse API: request bodies, response bodies, stream events.

use bytes::BytesMut;
use serde::Deserialize;
use serde_json::{Value, json};

use super::media::{WireMedia, base64};
use super::{Context, Event, StartKind, converse_usage, padding, quoted};
use crate::answer::{Answer, Part};
use crate::chat::{Block, Chat, Message, Role, Thinking, Tool, ToolChoice};
use crate::error::{ApiError, ErrorType};
use crate::frame;
use crate::guardrail::GuardrailConfig;

/// Reads a request body.
pub(crate) fn parse(body: &[u8]) -> Result<Chat, ApiError> {
    let request: Request =
        serde_json::from_slice(body).map_err(|error| ApiError::new(ErrorType::Serialization, error.to_string()))?;
    let messages = request.messages.into_iter().enumerate();
    let extra = &request.additional_model_request_fields;
    let config = request.inference_config;
    let mut sampling: Vec<(&'static str, f64)> = Vec::new();
    sampling.extend(config.temperature.map(|value| ("temperature", value)));
    sampling.extend(config.top_p.map(|value| ("top_p", value)));
    sampling.extend(extra.get("top_k").map(|value| ("top_k", value.as_f64().unwrap_or_default())));
    if request.tool_config.as_ref().is_some_and(|config| config.tools.is_empty()) {
        return Err(ApiError::validation(
            "1 validation error detected: Value '[]' at 'toolConfig.tools' failed to satisfy constraint: Member must have length greater than or equal to 1",
        ));
    }
    let tools = request.tool_config.unwrap_or_default();
    Ok(Chat {
        system: blocks(request.system, "system")?,
        messages: messages
            .map(|(i, m)| Ok(Message { role: m.role, blocks: blocks(m.content, &format!("messages.{i}.content"))? }))
            .collect::<Result<_, ApiError>>()?,
        tools: tools.tools.into_iter().filter_map(tool).collect(),
        tool_choice: tools.tool_choice.map(choice).unwrap_or_default(),
        max_tokens: config.max_tokens,
        sampling,
        stop_sequences: config.stop_sequences,
        thinking: thinking(extra),
        guardrail: request.guardrail_config,
    })
}

/// `{"thinking":{"type":"enabled"|"adaptive","budget_tokens":N}}`, in both APIs.
pub(in crate::wire) fn thinking(fields: &Value) -> Option<Thinking> {
    let thinking = fields.get("thinking")?;
    let asked = matches!(thinking["type"].as_str(), Some("enabled" | "adaptive"));
    let adaptive = thinking["type"] == "adaptive";
    asked.then(|| Thinking { budget_tokens: thinking["budget_tokens"].as_u64(), adaptive })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    #[serde(default)]
    messages: Vec<WireMessage>,
    #[serde(default)]
    system: Vec<WireBlock>,
    #[serde(default)]
    inference_config: InferenceConfig,
    tool_config: Option<ToolConfig>,
    guardrail_config: Option<GuardrailConfig>,
    #[serde(default)]
    additional_model_request_fields: Value,
}

#[derive(Deserialize)]
struct WireMessage {
    role: Role,
    #[serde(default)]
    content: Vec<WireBlock>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct InferenceConfig {
    max_tokens: Option<u64>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    stop_sequences: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ToolConfig {
    tools: Vec<WireTool>,
    tool_choice: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireTool {
    tool_spec: Option<ToolSpec>,
    cache_point: Option<CachePoint>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToolSpec {
    name: String,
    description: Option<String>,
    #[serde(default)]
    input_schema: Value,
}

#[derive(Deserialize)]
struct CachePoint {
    ttl: Option<String>,
}

/// A union: exactly one member is set.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireBlock {
    text: Option<String>,
    json: Option<Value>,
    image: Option<WireMedia>,
    document: Option<WireMedia>,
    video: Option<Value>,
    tool_use: Option<WireToolUse>,
    tool_result: Option<WireToolResult>,
    reasoning_content: Option<Value>,
    cache_point: Option<CachePoint>,
    guard_content: Option<Value>,
    citations_content: Option<Value>,
    search_result: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireToolUse {
    tool_use_id: String,
    name: String,
    #[serde(default)]
    input: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireToolResult {
    tool_use_id: String,
    #[serde(default)]
    content: Vec<WireBlock>,
    status: Option<String>,
}

fn blocks(blocks: Vec<WireBlock>, path: &str) -> Result<Vec<Block>, ApiError> {
    let keys = "text, image, toolUse, toolResult, document, video, cachePoint, reasoningContent, citationsContent, searchResult";
    let unset = |i| {
        ApiError::validation(format!(
            "The ContentBlock object at {path}.{i} must set one of the following keys: {keys}."
        ))
    };
    blocks.into_iter().enumerate().map(|(i, wire)| block(wire, path, i)?.ok_or_else(|| unset(i))).collect()
}

fn block(wire: WireBlock, path: &str, i: usize) -> Result<Option<Block>, ApiError> {
    let other = [wire.guard_content, wire.citations_content, wire.search_result].into_iter().flatten().next();
    Ok(if let Some(text) = wire.text {
        Some(Block::Text(text))
    } else if let Some(tool) = wire.tool_use {
        Some(Block::ToolUse { id: tool.tool_use_id, name: tool.name, input: tool.input })
    } else if let Some(result) = wire.tool_result {
        let content = blocks(result.content, &format!("{path}.{i}.toolResult.content"))?;
        Some(Block::ToolResult { id: result.tool_use_id, content, failed: result.status.as_deref() == Some("error") })
    } else if let Some(reasoning) = wire.reasoning_content {
        Some(reasoning_block(&reasoning, &format!("{path}.{i}.reasoningContent"))?)
    } else if let Some(point) = wire.cache_point {
        Some(Block::CachePoint { one_hour: point.ttl.as_deref() == Some("1h") })
    } else if let Some(value) = wire.json {
        Some(Block::Json(value))
    } else {
        let path = |kind: &str| format!("{path}.{i}.{kind}.source");
        let image = wire.image.map(|media| media.image(&path("image"))).transpose()?;
        let document = wire.document.map(|media| media.document(&path("document"))).transpose()?;
        image.or(document).or(wire.video.map(|_| Block::Video)).or(other.map(|_| Block::Other))
    })
}

fn reasoning_block(reasoning: &Value, path: &str) -> Result<Block, ApiError> {
    if let Some(redacted) = reasoning.get("redactedContent") {
        return base64(redacted, &format!("{path}.redactedContent")).map(Block::Redacted);
    }
    let text = reasoning["reasoningText"]["text"].as_str();
    let text = text.ok_or_else(|| {
        ApiError::validation(format!(
            "The ReasoningContentBlock object at {path} must set one of the following keys: reasoningText, redactedContent."
        ))
    })?;
    let signature = reasoning["reasoningText"]["signature"].as_str().map(str::to_owned);
    Ok(Block::Reasoning { text: text.to_owned(), signature })
}

fn tool(wire: WireTool) -> Option<Tool> {
    if let Some(spec) = wire.tool_spec {
        let schema = spec.input_schema.get("json").cloned().unwrap_or_default();
        return Some(Tool::Spec { name: spec.name, description: spec.description, schema });
    }
    wire.cache_point.map(|point| Tool::CachePoint { one_hour: point.ttl.as_deref() == Some("1h") })
}

fn choice(value: Value) -> ToolChoice {
    match value["tool"]["name"].as_str() {
        Some(name) => ToolChoice::Named(name.to_owned()),
        None if value.get("any").is_some() => ToolChoice::Any,
        None => ToolChoice::Auto,
    }
}

pub(super) fn encode(out: &mut BytesMut, context: &Context<'_>, event: Event<'_>, serial: u32) {
    let p = padding(serial);
    let (name, payload) = match event {
        Event::MessageStart => ("messageStart", format!(r#"{{"p":"{p}","role":"assistant"}}"#)),
        Event::BlockStart { index, kind: StartKind::ToolUse { id, name } } => (
            "contentBlockStart",
            format!(
                r#"{{"contentBlockIndex":{index},"p":"{p}","start":{{"toolUse":{{"name":{},"toolUseId":{}}}}}}}"#,
                quoted(name),
                quoted(id)
            ),
        ),
        Event::BlockStart { .. } => return,
        Event::TextDelta { index, text } => delta(index, p, "text", &quoted(text)),
        Event::ReasoningDelta { index, text } => {
            delta(index, p, "reasoningContent", &format!(r#"{{"text":{}}}"#, quoted(text)))
        }
        Event::Signature { index, signature } => {
            delta(index, p, "reasoningContent", &format!(r#"{{"signature":{}}}"#, quoted(signature)))
        }
        Event::Redacted { index, data } => {
            delta(index, p, "reasoningContent", &format!(r#"{{"redactedContent":"{data}"}}"#))
        }
        Event::ToolInputDelta { index, json } => {
            delta(index, p, "toolUse", &format!(r#"{{"input":{}}}"#, quoted(json)))
        }
        Event::BlockStop { index } => ("contentBlockStop", format!(r#"{{"contentBlockIndex":{index},"p":"{p}"}}"#)),
        Event::MessageStop => {
            ("messageStop", format!(r#"{{"p":"{p}","stopReason":"{}"}}"#, context.answer.stop_reason.name()))
        }
        Event::Metadata { latency_ms, .. } => {
            let usage = converse_usage(&context.answer.usage);
            ("metadata", format!(r#"{{"metrics":{{"latencyMs":{latency_ms}}},"p":"{p}","usage":{usage}}}"#))
        }
    };
    frame::event(out, name, payload.as_bytes());
}

fn delta(index: usize, p: &str, kind: &str, value: &str) -> (&'static str, String) {
    ("contentBlockDelta", format!(r#"{{"contentBlockIndex":{index},"delta":{{"{kind}":{value}}},"p":"{p}"}}"#))
}

pub(super) fn body(answer: &Answer, latency_ms: u64) -> Value {
    let content = answer.parts.iter().map(|part| match part {
        Part::Text(text) => json!({ "text": text }),
        Part::Reasoning { text, signature } => {
            json!({ "reasoningContent": { "reasoningText": { "text": text, "signature": signature } } })
        }
        Part::Redacted { data, .. } => json!({ "reasoningContent": { "redactedContent": data } }),
        Part::ToolUse { id, name, json } => {
            json!({ "toolUse": { "toolUseId": id, "name": name, "input": crate::answer::parsed_input(json) } })
        }
    });
    let content: Vec<Value> = content.collect();
    json!({
        "metrics": { "latencyMs": latency_ms },
        "output": { "message": { "content": content, "role": "assistant" } },
        "stopReason": answer.stop_reason.name(),
        "usage": converse_usage(&answer.usage),
    })
}
