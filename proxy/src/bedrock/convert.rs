//! Blocks, tools and JSON as the AWS SDK has them.

use aws_sdk_bedrockruntime::types::{
    CachePointBlock, CachePointType, ContentBlock, DocumentBlock, DocumentFormat, DocumentSource, ImageBlock,
    ImageFormat, ImageSource, ReasoningContentBlock, ReasoningTextBlock, Tool, ToolConfiguration, ToolInputSchema,
    ToolResultBlock, ToolResultContentBlock, ToolResultStatus, ToolSpecification, ToolUseBlock,
};
use aws_smithy_types::{Blob, Document, Number};
use protocol::RawJson;
use serde_json::Value;

use super::ToolSpec;
use crate::conversation::Block;

/// A block to be sent.
#[expect(clippy::expect_used, reason = "every builder is given all that it requires")]
pub(super) fn block(block: &Block) -> ContentBlock {
    match block {
        Block::Text { text } => ContentBlock::Text(text.clone()),
        Block::Reasoning { text, signature } => {
            let text = ReasoningTextBlock::builder().text(text).set_signature(signature.clone());
            ContentBlock::ReasoningContent(ReasoningContentBlock::ReasoningText(text.build().expect("a text")))
        }
        Block::RedactedReasoning { data } => {
            ContentBlock::ReasoningContent(ReasoningContentBlock::RedactedContent(Blob::new(data.clone())))
        }
        Block::ToolUse { id, name, input } => {
            let input = serde_json::from_str(input.as_str()).unwrap_or(Value::Null);
            let call = ToolUseBlock::builder().tool_use_id(id).name(name).input(document(&input));
            ContentBlock::ToolUse(call.build().expect("a call"))
        }
        Block::ToolResult { id, content, failed } => {
            let status = if *failed { ToolResultStatus::Error } else { ToolResultStatus::Success };
            let content = content.iter().filter_map(result).collect();
            let result = ToolResultBlock::builder().tool_use_id(id).status(status).set_content(Some(content));
            ContentBlock::ToolResult(result.build().expect("a result"))
        }
        Block::Image { format, data } => ContentBlock::Image(image(format, data)),
        Block::Document { format, name, data } => ContentBlock::Document(file(format, name, data)),
    }
}

fn result(block: &Block) -> Option<ToolResultContentBlock> {
    match block {
        Block::Text { text } => Some(ToolResultContentBlock::Text(text.clone())),
        Block::Image { format, data } => Some(ToolResultContentBlock::Image(image(format, data))),
        Block::Document { format, name, data } => Some(ToolResultContentBlock::Document(file(format, name, data))),
        _ => None,
    }
}

#[expect(clippy::expect_used, reason = "the builder is given all that it requires")]
fn image(format: &str, data: &[u8]) -> ImageBlock {
    let source = ImageSource::Bytes(Blob::new(data));
    ImageBlock::builder().format(ImageFormat::from(format)).source(source).build().expect("an image")
}

#[expect(clippy::expect_used, reason = "the builder is given all that it requires")]
fn file(format: &str, name: &str, data: &[u8]) -> DocumentBlock {
    let source = DocumentSource::Bytes(Blob::new(data));
    DocumentBlock::builder().format(DocumentFormat::from(format)).name(name).source(source).build().expect("a document")
}

/// Where what is kept in the cache ends.
#[expect(clippy::expect_used, reason = "the builder is given all that it requires")]
pub(super) fn point() -> CachePointBlock {
    CachePointBlock::builder().r#type(CachePointType::Default).build().expect("a point")
}

/// The same as a block of a message.
pub(super) fn cache_point() -> ContentBlock {
    ContentBlock::CachePoint(point())
}

/// The tools that the model may call; none where there are none, since Bedrock refuses an empty list.
#[expect(clippy::expect_used, reason = "every builder is given all that it requires")]
pub(super) fn tools(tools: &[ToolSpec], is_cached: bool) -> Option<ToolConfiguration> {
    if tools.is_empty() {
        return None;
    }
    let tool = |tool: &ToolSpec| {
        let schema = ToolInputSchema::Json(document(&tool.input_schema));
        let spec = ToolSpecification::builder().name(&tool.name).description(&tool.description).input_schema(schema);
        Tool::ToolSpec(spec.build().expect("a tool"))
    };
    let point = is_cached.then(|| Tool::CachePoint(point()));
    let tools = tools.iter().map(tool).chain(point).collect();
    Some(ToolConfiguration::builder().set_tools(Some(tools)).build().expect("tools"))
}

/// What the model said.
pub(super) fn said(block: ContentBlock) -> Option<Block> {
    Some(match block {
        ContentBlock::Text(text) => Block::Text { text },
        ContentBlock::ReasoningContent(ReasoningContentBlock::ReasoningText(reasoning)) => {
            Block::Reasoning { text: reasoning.text, signature: reasoning.signature }
        }
        ContentBlock::ReasoningContent(ReasoningContentBlock::RedactedContent(data)) => {
            Block::RedactedReasoning { data: data.into_inner() }
        }
        ContentBlock::ToolUse(call) => Block::ToolUse {
            id: call.tool_use_id,
            name: call.name,
            input: RawJson::new(&json(&call.input).to_string()).ok()?,
        },
        _ => return None,
    })
}

/// JSON as a document of the SDK's.
pub(super) fn document(value: &Value) -> Document {
    match value {
        Value::Null => Document::Null,
        Value::Bool(value) => Document::Bool(*value),
        Value::Number(number) => Document::Number(match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => Number::PosInt(number),
            (None, Some(number)) => Number::NegInt(number),
            (None, None) => Number::Float(number.as_f64().unwrap_or_default()),
        }),
        Value::String(text) => Document::String(text.clone()),
        Value::Array(values) => Document::Array(values.iter().map(document).collect()),
        Value::Object(fields) => {
            Document::Object(fields.iter().map(|(name, value)| (name.clone(), document(value))).collect())
        }
    }
}

/// A document of the SDK's as JSON.
fn json(document: &Document) -> Value {
    match document {
        Document::Null => Value::Null,
        Document::Bool(value) => Value::Bool(*value),
        Document::Number(Number::PosInt(number)) => Value::from(*number),
        Document::Number(Number::NegInt(number)) => Value::from(*number),
        Document::Number(Number::Float(number)) => Value::from(*number),
        Document::String(text) => Value::String(text.clone()),
        Document::Array(values) => values.iter().map(json).collect(),
        Document::Object(fields) => {
            Value::Object(fields.iter().map(|(name, value)| (name.clone(), json(value))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_comes_back_as_it_was() {
        let value = serde_json::json!({
            "a": [1, -2, 0.5, u64::MAX, i64::MIN, "ü", null, true], "b": { "c": {} }, "empty": [],
        });
        assert_eq!(json(&document(&value)), value);
    }

    #[test]
    fn no_tools_are_no_configuration() {
        assert!(tools(&[], true).is_none());
        let spec = ToolSpec { name: "t".into(), description: "d".into(), input_schema: serde_json::json!({}) };
        let config = tools(&[spec], true).unwrap();
        assert!(matches!(config.tools(), [Tool::ToolSpec(_), Tool::CachePoint(_)]));
    }
}
