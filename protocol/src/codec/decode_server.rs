//! Reading what a proxy sends, on the client: what it has to act on, typed; the rest as the JSON it came as.

use std::borrow::Cow;

use crate::{
    ErrorCode, ErrorData, MessageId, Part, RawJson, StopReason, ToolStatus, ToolUse, ToolUseId, Usage, UsageSource,
    json::{JsonError, Reader},
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
    /// `chat.message_stream` or `chat.reasoning_stream`.
    Stream {
        /// Whether it is the model's reasoning.
        reasoning: bool,
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
    let (mut id, mut kind, mut data) = (Cow::Borrowed(""), Cow::Borrowed(""), "{}");
    let mut reader = Reader::new(text);
    reader.object(|r, key| {
        match key {
            "id" => id = r.string()?,
            "type" => kind = r.string()?,
            "data" => data = r.skip()?,
            _ => drop(r.skip()?),
        }
        Ok(())
    })?;
    reader.end()?;
    let incoming = incoming(&kind, data)?;
    Ok(Received { id, kind, data, incoming })
}

fn incoming<'a>(kind: &str, data: &'a str) -> Result<Incoming<'a>, JsonError> {
    let simple = match kind {
        "chat.tool_use" => return tool_use(data),
        "chat.error" => return Ok(Incoming::Error(error(&mut Reader::new(data))?)),
        "server.hello" => return hello(data),
        "chat.message_stream"
        | "chat.reasoning_stream"
        | "chat.message_complete"
        | "chat.message_response"
        | "chat.snapshot"
        | "chat.status"
        | "server.draining" => None,
        _ => Some(Incoming::Reply),
    };
    if let Some(simple) = simple {
        return Ok(simple);
    }
    let fields = Fields::read(data)?;
    let Fields {
        session_id,
        message_id,
        first,
        seq,
        part,
        content,
        stop_reason,
        usage,
        state,
        retry_in_ms,
        model,
        mut parts,
        error,
        reconnect_in_ms,
    } = fields;
    Ok(match kind {
        "chat.message_stream" | "chat.reasoning_stream" => Incoming::Stream {
            reasoning: kind == "chat.reasoning_stream",
            session_id,
            message_id,
            part,
            first,
            seq,
            content,
        },
        "chat.message_complete" => Incoming::Complete {
            session_id,
            message_id,
            seq,
            stop_reason: stop_reason.unwrap_or(StopReason::Other),
            usage: usage.unwrap_or_default(),
        },
        "chat.message_response" => {
            Incoming::Response { session_id, message_id, content, model, stop_reason, usage: usage.unwrap_or_default() }
        }
        "chat.snapshot" => {
            if parts.is_empty() && !content.is_empty() {
                parts.push(Part::Text { text: content.into_owned() });
            }
            Incoming::Snapshot { session_id, message_id, seq, state, parts, model, usage, stop_reason, error }
        }
        "chat.status" => {
            let state = match &*state {
                "retrying" => StatusState::Retrying,
                "stalled" => StatusState::Stalled,
                _ => StatusState::Queued,
            };
            Incoming::Status { message_id, state, retry_in_ms }
        }
        _ => Incoming::Draining { reconnect_in_ms },
    })
}

/// The fields that any of the types above has. One reader for all of them is a third of the code of one reader each.
#[derive(Default)]
struct Fields<'a> {
    session_id: Cow<'a, str>,
    message_id: Cow<'a, str>,
    first: u64,
    seq: u64,
    part: u32,
    content: Cow<'a, str>,
    stop_reason: Option<StopReason>,
    usage: Option<Usage>,
    state: Cow<'a, str>,
    retry_in_ms: Option<u64>,
    model: Option<Cow<'a, str>>,
    parts: Vec<Part>,
    error: Option<Box<ErrorData>>,
    reconnect_in_ms: u64,
}

impl<'a> Fields<'a> {
    fn read(data: &'a str) -> Result<Self, JsonError> {
        let mut fields = Self::default();
        fields.read_object(&mut Reader::new(data))?;
        Ok(fields)
    }

    fn read_object(&mut self, reader: &mut Reader<'a>) -> Result<(), JsonError> {
        reader.object(|r, key| {
            match key {
                "sessionId" => self.session_id = r.string()?,
                "messageId" => self.message_id = r.string()?,
                "first" => self.first = r.u64()?,
                "seq" => self.seq = r.u64()?,
                "part" => self.part = u32::try_from(r.u64()?).unwrap_or(u32::MAX),
                "content" => self.content = r.string()?,
                "stopReason" => self.stop_reason = r.optional_string()?.as_deref().map(StopReason::from_text),
                "usage" => self.usage = optional_usage(r)?,
                "state" => self.state = r.string()?,
                "retryInMs" => self.retry_in_ms = r.optional_u64()?,
                "model" => self.model = r.optional_string()?,
                "parts" => r.array(|r| {
                    self.parts.extend(part(r)?);
                    Ok(())
                })?,
                "error" if !r.null() => self.error = Some(Box::new(error(r)?)),
                "error" => {}
                "reconnectInMs" => self.reconnect_in_ms = r.u64()?,
                "message" => self.read_object(r)?,
                _ => drop(r.skip()?),
            }
            Ok(())
        })
    }
}

fn hello(data: &str) -> Result<Incoming<'_>, JsonError> {
    let mut default_model = None;
    Reader::new(data).object(|r, key| match key {
        "models" => r.array(|r| {
            let (mut name, mut default) = (Cow::Borrowed(""), false);
            r.object(|r, key| {
                match key {
                    "model" => name = r.string()?,
                    "default" => default = r.bool()?,
                    _ => drop(r.skip()?),
                }
                Ok(())
            })?;
            if default {
                default_model = Some(name);
            }
            Ok(())
        }),
        _ => r.skip().map(drop),
    })?;
    Ok(Incoming::Hello { default_model })
}

fn tool_use(data: &str) -> Result<Incoming<'_>, JsonError> {
    let mut call = Call::default();
    let (mut message_id, mut seq) = (Cow::Borrowed(""), 0);
    Reader::new(data).object(|r, key| {
        match key {
            "messageId" => message_id = r.string()?,
            "seq" => seq = r.u64()?,
            _ => call.field(r, key)?,
        }
        Ok(())
    })?;
    Ok(Incoming::ToolUse { message_id, seq, call: call.finish()? })
}

/// A part of a message; nothing for one of a kind that is not known.
fn part(reader: &mut Reader<'_>) -> Result<Option<Part>, JsonError> {
    let (mut kind, mut text, mut call) = (Cow::Borrowed(""), Cow::Borrowed(""), Call::default());
    reader.object(|r, key| {
        match key {
            "type" => kind = r.string()?,
            "text" => text = r.string()?,
            _ => call.field(r, key)?,
        }
        Ok(())
    })?;
    Ok(match &*kind {
        "text" => Some(Part::Text { text: text.into_owned() }),
        "reasoning" => Some(Part::Reasoning { text: text.into_owned() }),
        "tool_use" => Some(Part::ToolUse(call.finish()?)),
        _ => None,
    })
}

/// The fields of a [`ToolUse`], some of which may not have come yet.
#[derive(Default)]
struct Call<'a> {
    id: Cow<'a, str>,
    name: Cow<'a, str>,
    input: Option<RawJson>,
    status: Option<ToolStatus>,
    duration_ms: Option<u64>,
    result: Option<RawJson>,
}

impl<'a> Call<'a> {
    fn field(&mut self, r: &mut Reader<'a>, key: &str) -> Result<(), JsonError> {
        match key {
            "toolUseId" => self.id = r.string()?,
            "name" => self.name = r.string()?,
            "input" => self.input = Some(RawJson::from_reader(r.skip()?)),
            "status" => self.status = Some(ToolStatus::from_text(&r.string()?)),
            "durationMs" => self.duration_ms = r.optional_u64()?,
            "result" => self.result = Some(RawJson::from_reader(r.skip()?)),
            _ => drop(r.skip()?),
        }
        Ok(())
    }

    fn finish(self) -> Result<ToolUse, JsonError> {
        Ok(ToolUse {
            tool_use_id: ToolUseId::new(self.id.into_owned()).map_err(|_| JsonError { offset: 0 })?,
            name: self.name.into_owned(),
            input: self.input.unwrap_or_else(|| RawJson::from_reader("null")),
            status: self.status.unwrap_or(ToolStatus::UnknownOutcome),
            duration_ms: self.duration_ms,
            result: self.result,
        })
    }
}

fn optional_usage(reader: &mut Reader<'_>) -> Result<Option<Usage>, JsonError> {
    if reader.null() {
        return Ok(None);
    }
    let mut usage = Usage::default();
    reader.object(|r, key| {
        match key {
            "inputTokens" => usage.input_tokens = r.u64()?,
            "outputTokens" => usage.output_tokens = r.u64()?,
            "totalTokens" => usage.total_tokens = r.u64()?,
            "cacheReadInputTokens" => usage.cache_read_input_tokens = r.u64()?,
            "cacheWriteInputTokens" => usage.cache_write_input_tokens = r.u64()?,
            "cacheWrite1hInputTokens" => usage.cache_write_1h_input_tokens = r.u64()?,
            "source" if r.string()? == "estimated" => usage.source = UsageSource::Estimated,
            "source" => {}
            "costNanoUsd" => usage.cost_nano_usd = r.optional_u64()?,
            "priceVersion" => usage.price_version = r.optional_string()?.map(Cow::into_owned),
            _ => drop(r.skip()?),
        }
        Ok(())
    })?;
    Ok(Some(usage))
}

fn error(reader: &mut Reader<'_>) -> Result<ErrorData, JsonError> {
    let mut error = ErrorData::new(ErrorCode::Internal, "");
    reader.object(|r, key| {
        match key {
            "code" => error.code = r.string()?.parse().unwrap_or(ErrorCode::Internal),
            "message" => error.message = r.string()?.into_owned(),
            "retryable" => error.retryable = r.bool()?,
            "retryAfterMs" => error.retry_after_ms = r.optional_u64()?,
            "messageId" => error.message_id = r.optional_string()?.and_then(|id| MessageId::new(id.into_owned()).ok()),
            "seq" => error.seq = r.optional_u64()?,
            "usage" => error.usage = optional_usage(r)?,
            _ => drop(r.skip()?),
        }
        Ok(())
    })?;
    Ok(error)
}
