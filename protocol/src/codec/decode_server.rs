//! Reading what a proxy sends, on the client: what it has to act on, typed; the rest as the JSON it came as.

use std::borrow::Cow;

use super::StreamKind;
use crate::{
    ErrorCode, ErrorData, MessageId, Part, RawJson, StopReason, ToolStatus, ToolUse, ToolUseId, Usage, UsageSource,
    json::{JsonError, Object},
    server::StatusState,
};

/// A frame from a proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received<'a> {
    /// The id of the request it answers; empty if it answers none.
    pub id: Cow<'a, str>,
    /// The `type` of the frame.
    pub kind: Cow<'a, str>,
    /// What it says, as JSON.
    pub data: &'a str,
    /// What a client has to act on.
    pub incoming: Incoming<'a>,
}

/// What a client has to act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming<'a> {
    /// `chat.message_stream`, `chat.reasoning_stream` or `chat.tool_input_stream`.
    Stream {
        /// Which of them.
        kind: StreamKind,
        /// The conversation.
        session_id: Cow<'a, str>,
        /// The answer.
        message_id: Cow<'a, str>,
        /// Which part of the answer the text belongs to.
        part: u32,
        /// The number of the first event in the frame.
        first: u64,
        /// The number of the last event in the frame.
        seq: u64,
        /// The text to append.
        content: Cow<'a, str>,
    },
    /// `chat.tool_use`.
    ToolUse {
        /// The answer.
        message_id: Cow<'a, str>,
        /// The number of the event.
        seq: u64,
        /// The call as it stands now.
        call: ToolUse,
    },
    /// `chat.message_complete`.
    Complete {
        /// The conversation.
        session_id: Cow<'a, str>,
        /// The answer.
        message_id: Cow<'a, str>,
        /// The number of the event.
        seq: u64,
        /// The model that wrote the answer.
        model: Option<Cow<'a, str>>,
        /// Why the answer ended.
        stop_reason: StopReason,
        /// What it used.
        usage: Usage,
    },
    /// `chat.message_response`: a whole answer; the message itself is in `data`.
    Response {
        /// The conversation.
        session_id: Cow<'a, str>,
        /// The answer.
        message_id: Cow<'a, str>,
        /// Its text.
        content: Cow<'a, str>,
        /// The model that wrote it.
        model: Option<Cow<'a, str>>,
        /// Why it ended.
        stop_reason: Option<StopReason>,
        /// What it used.
        usage: Usage,
    },
    /// `chat.snapshot`: an answer so far.
    Snapshot {
        /// The conversation.
        session_id: Cow<'a, str>,
        /// The answer.
        message_id: Cow<'a, str>,
        /// The number of the last event in it.
        seq: u64,
        /// `streaming`, `complete` or `interrupted`.
        state: Cow<'a, str>,
        /// Its parts; one text where the frame has only that.
        parts: Vec<Part>,
        /// The model that writes it.
        model: Option<Cow<'a, str>>,
        /// What it used, once it is complete.
        usage: Option<Usage>,
        /// Why it ended, once it is complete.
        stop_reason: Option<StopReason>,
        /// Why it is not whole, if it failed.
        error: Option<Box<ErrorData>>,
    },
    /// `chat.status`.
    Status {
        /// The answer.
        message_id: Cow<'a, str>,
        /// What it is waiting for.
        state: StatusState,
        /// When Bedrock is asked again, in milliseconds.
        retry_in_ms: Option<u64>,
    },
    /// `chat.error`.
    Error(ErrorData),
    /// `server.hello`; all of it is in `data`.
    Hello {
        /// The model that answers where none is named.
        default_model: Option<Cow<'a, str>>,
    },
    /// `server.draining`.
    Draining {
        /// When to connect again, in milliseconds.
        reconnect_in_ms: u64,
    },
    /// Any other reply: what was asked for is in `data`.
    Reply,
}

/// Reads a frame from a proxy. Fields and error codes that are not known are taken as a later version's: an unknown code is
/// [`ErrorCode::Internal`] with the frame's own `retryable`.
///
/// # Errors
/// [`JsonError`] for text that is no frame.
pub fn decode_server(text: &str) -> Result<Received<'_>, JsonError> {
    let frame = Object::read(text)?;
    let (id, kind, data) = (frame.text("id")?, frame.text("type")?, frame.raw("data").unwrap_or("{}"));
    let incoming = incoming(&kind, data)?;
    Ok(Received { id, kind, data, incoming })
}

fn incoming<'a>(kind: &str, data: &'a str) -> Result<Incoming<'a>, JsonError> {
    Ok(match kind {
        "chat.message_stream" | "chat.reasoning_stream" | "chat.tool_input_stream" => {
            let data = Object::read(data)?;
            Incoming::Stream {
                kind: match kind {
                    "chat.message_stream" => StreamKind::Text,
                    "chat.reasoning_stream" => StreamKind::Reasoning,
                    _ => StreamKind::ToolInput,
                },
                session_id: data.text("sessionId")?,
                message_id: data.text("messageId")?,
                part: data.number("part")?.try_into().unwrap_or(u32::MAX),
                first: data.number("first")?,
                seq: data.number("seq")?,
                content: data.text("content")?,
            }
        }
        "chat.tool_use" => {
            let data = Object::read(data)?;
            let (message_id, seq) = (data.text("messageId")?, data.number("seq")?);
            Incoming::ToolUse { message_id, seq, call: tool_use(&data)? }
        }
        "chat.message_complete" => {
            let data = Object::read(data)?;
            Incoming::Complete {
                session_id: data.text("sessionId")?,
                message_id: data.text("messageId")?,
                seq: data.number("seq")?,
                model: data.optional_text("model")?,
                stop_reason: stop_reason(&data)?.unwrap_or(StopReason::Other),
                usage: usage(&data)?.unwrap_or_default(),
            }
        }
        "chat.message_response" => {
            let data = Object::read(data)?;
            let message = message(&data)?;
            Incoming::Response {
                session_id: data.text("sessionId")?,
                message_id: message.text("messageId")?,
                content: message.text("content")?,
                model: message.optional_text("model")?,
                stop_reason: stop_reason(&message)?,
                usage: usage(&message)?.unwrap_or_default(),
            }
        }
        "chat.snapshot" => snapshot(&Object::read(data)?)?,
        "chat.status" => {
            let data = Object::read(data)?;
            let state = match &*data.text("state")? {
                "retrying" => StatusState::Retrying,
                "stalled" => StatusState::Stalled,
                "settling" => StatusState::Settling,
                _ => StatusState::Queued,
            };
            Incoming::Status {
                message_id: data.text("messageId")?,
                state,
                retry_in_ms: data.optional_number("retryInMs")?,
            }
        }
        "chat.error" => Incoming::Error(error(&Object::read(data)?)?),
        "server.hello" => {
            let mut default_model = None;
            for model in Object::read(data)?.objects("models")? {
                if model.flag("default")? {
                    default_model = model.optional_text("model")?;
                }
            }
            Incoming::Hello { default_model }
        }
        "server.draining" => Incoming::Draining { reconnect_in_ms: Object::read(data)?.number("reconnectInMs")? },
        _ => Incoming::Reply,
    })
}

fn message<'a>(data: &Object<'a>) -> Result<Object<'a>, JsonError> {
    data.object("message")?.ok_or(JsonError { offset: 0 })
}

fn snapshot<'a>(data: &Object<'a>) -> Result<Incoming<'a>, JsonError> {
    let message = message(data)?;
    let mut parts = Vec::new();
    for item in message.objects("parts")? {
        match &*item.text("type")? {
            "text" => parts.push(Part::Text { text: item.text("text")?.into_owned() }),
            "reasoning" => parts.push(Part::Reasoning { text: item.text("text")?.into_owned() }),
            "tool_use" => parts.push(Part::ToolUse(tool_use(&item)?)),
            // A later version's.
            _ => {}
        }
    }
    let content = message.text("content")?;
    if parts.is_empty() && !content.is_empty() {
        parts.push(Part::Text { text: content.into_owned() });
    }
    Ok(Incoming::Snapshot {
        session_id: data.text("sessionId")?,
        message_id: data.text("messageId")?,
        seq: data.number("seq")?,
        state: data.text("state")?,
        parts,
        model: message.optional_text("model")?,
        usage: usage(&message)?,
        stop_reason: stop_reason(&message)?,
        error: message.object("error")?.map(|data| error(&data).map(Box::new)).transpose()?,
    })
}

fn tool_use(data: &Object<'_>) -> Result<ToolUse, JsonError> {
    Ok(ToolUse {
        tool_use_id: ToolUseId::new(data.text("toolUseId")?.into_owned()).map_err(|_| JsonError { offset: 0 })?,
        name: data.text("name")?.into_owned(),
        server: data.optional_text("server")?.map(Cow::into_owned),
        partial_input: data.optional_text("partialInput")?.map(Cow::into_owned),
        approved: data.flag("approved")?,
        input: RawJson::from_reader(data.raw("input").unwrap_or("null")),
        status: ToolStatus::from_text(&data.text("status")?),
        duration_ms: data.optional_number("durationMs")?,
        result: data.raw("result").map(RawJson::from_reader),
    })
}

fn stop_reason(data: &Object<'_>) -> Result<Option<StopReason>, JsonError> {
    Ok(data.optional_text("stopReason")?.as_deref().map(StopReason::from_text))
}

fn usage(data: &Object<'_>) -> Result<Option<Usage>, JsonError> {
    data.object("usage")?.map(|data| read_usage(&data)).transpose()
}

pub(super) fn read_usage(data: &Object<'_>) -> Result<Usage, JsonError> {
    Ok(Usage {
        input_tokens: data.number("inputTokens")?,
        output_tokens: data.number("outputTokens")?,
        total_tokens: data.number("totalTokens")?,
        cache_read_input_tokens: data.number("cacheReadInputTokens")?,
        cache_write_input_tokens: data.number("cacheWriteInputTokens")?,
        cache_write_1h_input_tokens: data.number("cacheWrite1hInputTokens")?,
        source: if data.text("source")? == "estimated" { UsageSource::Estimated } else { UsageSource::Reported },
        cost_nano_usd: data.optional_number("costNanoUsd")?,
        price_version: data.optional_text("priceVersion")?.map(Cow::into_owned),
    })
}

fn error(data: &Object<'_>) -> Result<ErrorData, JsonError> {
    Ok(ErrorData {
        code: data.text("code")?.parse().unwrap_or(ErrorCode::Internal),
        message: data.text("message")?.into_owned(),
        retryable: data.flag("retryable")?,
        retry_after_ms: data.optional_number("retryAfterMs")?,
        message_id: data.optional_text("messageId")?.and_then(|id| MessageId::new(id.into_owned()).ok()),
        seq: data.optional_number("seq")?,
        usage: usage(data)?,
    })
}
