//! The events of `ConverseStream`, out of the JSON of their frames.
//!
//! Source: the ConverseStream page of the Bedrock Runtime API reference.

use std::borrow::Cow;

use protocol::{StopReason, Usage};
use serde::Deserialize;

use super::{
    error::{Target, UpstreamError, stream_exception},
    frame::{Frame, FrameKind},
};

/// What of a stream matters here.
#[derive(Debug, PartialEq, Eq)]
pub enum UpstreamEvent<'a> {
    /// More text of the content block `block`.
    Text {
        /// Bedrock's `contentBlockIndex`.
        block: u32,
        /// The text.
        content: Cow<'a, str>,
    },
    /// More reasoning of the content block `block`.
    Reasoning {
        /// Bedrock's `contentBlockIndex`.
        block: u32,
        /// The text.
        content: Cow<'a, str>,
    },
    /// More of the signature of the reasoning in the content block `block`.
    Signature {
        /// Bedrock's `contentBlockIndex`.
        block: u32,
        /// The signature.
        signature: Cow<'a, str>,
    },
    /// More of the reasoning in the content block `block` that only the model may read.
    Redacted {
        /// Bedrock's `contentBlockIndex`.
        block: u32,
        /// Its bytes, in base64.
        base64: Cow<'a, str>,
    },
    /// The content block `block` is the call of a tool.
    ToolUse {
        /// Bedrock's `contentBlockIndex`.
        block: u32,
        /// Tells the call from others.
        id: Cow<'a, str>,
        /// The tool.
        name: Cow<'a, str>,
    },
    /// More of the arguments of the call in the content block `block`.
    ToolInput {
        /// Bedrock's `contentBlockIndex`.
        block: u32,
        /// Text of JSON.
        content: Cow<'a, str>,
    },
    /// Content that is none of these.
    Hidden,
    /// `messageStop`.
    Stop(StopReason),
    /// `metadata`, the last event.
    Metadata(Usage),
    /// An event without anything to show.
    Other,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BlockDelta<'a> {
    #[serde(default)]
    content_block_index: u32,
    #[serde(borrow)]
    delta: Delta<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delta<'a> {
    #[serde(borrow, default)]
    text: Option<Text<'a>>,
    #[serde(borrow, default)]
    reasoning_content: Option<ReasoningDelta<'a>>,
    #[serde(borrow, default)]
    tool_use: Option<ToolDelta<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReasoningDelta<'a> {
    #[serde(borrow, default)]
    text: Option<Text<'a>>,
    #[serde(borrow, default)]
    signature: Option<Text<'a>>,
    #[serde(borrow, default)]
    redacted_content: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct ToolDelta<'a> {
    #[serde(borrow, default)]
    input: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BlockStart<'a> {
    #[serde(default)]
    content_block_index: u32,
    #[serde(borrow, default)]
    start: Option<Start<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Start<'a> {
    #[serde(borrow, default)]
    tool_use: Option<ToolStart<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToolStart<'a> {
    #[serde(borrow)]
    tool_use_id: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
}

/// `Option<Cow>` is always owned when serde derives it; a newtype around the `Cow` is not.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MessageStop<'a> {
    #[serde(borrow)]
    stop_reason: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Metadata {
    usage: TokenUsage,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TokenUsage {
    #[serde(default)]
    input_tokens: u64,
    #[serde(default)]
    output_tokens: u64,
    #[serde(default)]
    total_tokens: u64,
    #[serde(default)]
    cache_read_input_tokens: u64,
    #[serde(default)]
    cache_write_input_tokens: u64,
    #[serde(default)]
    cache_details: Vec<CacheDetail>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CacheDetail {
    ttl: String,
    #[serde(default)]
    input_tokens: u64,
}

impl From<TokenUsage> for Usage {
    fn from(tokens: TokenUsage) -> Self {
        let one_hour = |detail: &&CacheDetail| detail.ttl == "1h";
        Self {
            input_tokens: tokens.input_tokens,
            output_tokens: tokens.output_tokens,
            total_tokens: tokens.total_tokens,
            cache_read_input_tokens: tokens.cache_read_input_tokens,
            cache_write_input_tokens: tokens.cache_write_input_tokens,
            cache_write_1h_input_tokens: tokens.cache_details.iter().filter(one_hour).map(|d| d.input_tokens).sum(),
            ..Self::default()
        }
    }
}

impl<'a> UpstreamEvent<'a> {
    /// Whether the model has begun to answer with it.
    pub fn is_content(&self) -> bool {
        !matches!(self, Self::Stop(_) | Self::Metadata(_) | Self::Other)
    }

    /// Reads the event in `frame`.
    ///
    /// # Errors
    /// The exception the frame carries, or a stream error for JSON that is not what Bedrock documents.
    pub fn read(frame: &Frame<'a>, target: Target<'_>) -> Result<Self, UpstreamError> {
        let name = match frame.kind {
            FrameKind::Event(name) => name,
            FrameKind::Exception(name) | FrameKind::Error(name) => {
                return Err(stream_exception(name, frame.payload, target));
            }
        };
        match name {
            "contentBlockDelta" => {
                let BlockDelta { content_block_index: block, delta } = json(name, frame.payload)?;
                Ok(match delta {
                    Delta { text: Some(Text(content)), .. } => Self::Text { block, content },
                    Delta { tool_use: Some(ToolDelta { input: Some(Text(content)) }), .. } => {
                        Self::ToolInput { block, content }
                    }
                    Delta { reasoning_content: Some(reasoning), .. } => Self::reasoning(block, reasoning),
                    _ => Self::Hidden,
                })
            }
            "contentBlockStart" => {
                let BlockStart { content_block_index: block, start } = json(name, frame.payload)?;
                Ok(match start.and_then(|start| start.tool_use) {
                    Some(ToolStart { tool_use_id: Text(id), name: Text(name) }) => Self::ToolUse { block, id, name },
                    None => Self::Hidden,
                })
            }
            "messageStop" => {
                let stop: MessageStop<'_> = json(name, frame.payload)?;
                Ok(Self::Stop(StopReason::from_text(&stop.stop_reason)))
            }
            "metadata" => Ok(Self::Metadata(json::<Metadata>(name, frame.payload)?.usage.into())),
            _ => Ok(Self::Other),
        }
    }
}

impl<'a> UpstreamEvent<'a> {
    fn reasoning(block: u32, delta: ReasoningDelta<'a>) -> Self {
        match delta {
            ReasoningDelta { text: Some(Text(content)), .. } => Self::Reasoning { block, content },
            ReasoningDelta { signature: Some(Text(signature)), .. } => Self::Signature { block, signature },
            ReasoningDelta { redacted_content: Some(Text(base64)), .. } => Self::Redacted { block, base64 },
            ReasoningDelta { .. } => Self::Hidden,
        }
    }
}

fn json<'a, T: Deserialize<'a>>(name: &str, payload: &'a [u8]) -> Result<T, UpstreamError> {
    serde_json::from_slice(payload).map_err(|error| UpstreamError::broken_stream(&format!("{name}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &'static str, payload: &'static str) -> Result<UpstreamEvent<'static>, UpstreamError> {
        let target = Target { model: "m", region: "r" };
        UpstreamEvent::read(&Frame { kind: FrameKind::Event(name), payload: payload.as_bytes() }, target)
    }

    #[test]
    fn text_is_borrowed_unless_it_has_escapes() {
        let plain = read("contentBlockDelta", r#"{"contentBlockIndex":1,"delta":{"text":"hé"},"p":"abc"}"#).unwrap();
        assert!(matches!(plain, UpstreamEvent::Text { block: 1, content: Cow::Borrowed("hé") }), "{plain:?}");
        let escaped = read("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"text":"a\n\"b\""}}"#).unwrap();
        assert_eq!(escaped, UpstreamEvent::Text { block: 0, content: "a\n\"b\"".into() });
    }

    #[test]
    fn reasoning_is_shown_and_its_signature_is_not() {
        let text = read("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"hm"}}}"#);
        assert_eq!(text.unwrap(), UpstreamEvent::Reasoning { block: 0, content: "hm".into() });
        let signature =
            read("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"x"}}}"#);
        assert_eq!(signature.unwrap(), UpstreamEvent::Signature { block: 0, signature: "x".into() });
        let redacted = read(
            "contentBlockDelta",
            r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"redactedContent":"eA=="}}}"#,
        );
        assert_eq!(redacted.unwrap(), UpstreamEvent::Redacted { block: 0, base64: "eA==".into() });
    }

    #[test]
    fn a_tool_is_named_and_its_arguments_follow() {
        let start = read(
            "contentBlockStart",
            r#"{"contentBlockIndex":1,"start":{"toolUse":{"toolUseId":"tooluse_1","name":"get"}}}"#,
        );
        assert_eq!(start.unwrap(), UpstreamEvent::ToolUse { block: 1, id: "tooluse_1".into(), name: "get".into() });
        let input = read("contentBlockDelta", r#"{"contentBlockIndex":1,"delta":{"toolUse":{"input":"{\"a\":"}}}"#);
        assert_eq!(input.unwrap(), UpstreamEvent::ToolInput { block: 1, content: r#"{"a":"#.into() });
        assert_eq!(read("contentBlockStart", r#"{"contentBlockIndex":0,"start":{}}"#).unwrap(), UpstreamEvent::Hidden);
    }

    #[test]
    fn usage_tells_cache_writes_of_an_hour_apart() {
        let event = read(
            "metadata",
            r#"{"usage":{"inputTokens":5,"outputTokens":7,"totalTokens":42,"cacheReadInputTokens":10,
                "cacheWriteInputTokens":20,"cacheDetails":[{"ttl":"5m","inputTokens":12},{"ttl":"1h","inputTokens":8}]},
                "metrics":{"latencyMs":12}}"#,
        );
        let UpstreamEvent::Metadata(usage) = event.unwrap() else { panic!("no metadata") };
        assert_eq!((usage.input_tokens, usage.output_tokens, usage.total_tokens), (5, 7, 42));
        assert_eq!((usage.cache_write_input_tokens, usage.cache_write_1h_input_tokens), (20, 8));
    }

    #[test]
    fn events_that_are_new_are_ignored_and_broken_ones_are_not() {
        assert_eq!(read("somethingNew", "not even json").unwrap(), UpstreamEvent::Other);
        assert!(read("contentBlockDelta", r#"{"delta":7}"#).is_err());
        assert!(read("messageStop", "{}").is_err());
    }
}
