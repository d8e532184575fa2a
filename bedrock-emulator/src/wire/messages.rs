//! Anthropic's Messages API as `InvokeModel` takes and gives it.

mod request;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::BytesMut;
use serde_json::{Value, json};

use super::{Context, Event, StartKind, padding};
use crate::answer::{Part, Usage};
use crate::frame;

pub(crate) use request::parse;

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
    fn a_model_has_the_name_that_its_maker_gave_it() {
        assert_eq!(model_name("us.anthropic.claude-3-5-sonnet-20241022-v2:0"), "claude-3-5-sonnet-20241022");
        assert_eq!(model_name("global.anthropic.claude-opus-5-5"), "claude-opus-5-5");
    }
}
