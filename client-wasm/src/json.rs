//! What crosses to JavaScript, as JSON in the shape of `npm/index.d.ts`.

use client_core::{News, PageUsage, Piece, RequestError, Status, Total};
use protocol::{ToolUse, Usage, UsageSource, codec::JsonObject};

/// Chunks of an answer, as a JSON array.
#[derive(Default)]
pub(crate) struct Chunks {
    out: String,
}

impl Chunks {
    pub(crate) fn push(&mut self, news: &News<'_>) {
        self.out.push(if self.out.is_empty() { '[' } else { ',' });
        self.out.push_str(&chunk(news));
    }

    pub(crate) fn finish(mut self) -> String {
        if self.out.is_empty() {
            self.out.push('[');
        }
        self.out.push(']');
        self.out
    }
}

fn chunk(news: &News<'_>) -> String {
    let mut chunk = JsonObject::default();
    match &news.piece {
        Piece::Text(content) => chunk.text("type", "token").text("content", content),
        Piece::Reasoning(content) => chunk.text("type", "reasoning").text("content", content),
        Piece::Tool(call) => chunk.text("type", "tool").raw("call", &tool_use(call)),
        Piece::Status { state, retry_in_ms } => {
            chunk.text("type", "status").text("state", state.as_str()).optional_number("retryInMs", *retry_in_ms)
        }
        Piece::Done { content, stop_reason, usage } => chunk
            .text("type", "done")
            .text("content", content)
            .text("stopReason", stop_reason.as_str())
            .raw("usage", &self::usage(usage)),
        Piece::Failed(error) => chunk.text("type", "failed").raw("error", &self::error(error)),
    };
    chunk.text("sessionId", news.session_id).text("messageId", news.message_id);
    chunk.finish()
}

fn tool_use(call: &ToolUse) -> String {
    let mut object = JsonObject::default();
    object
        .text("toolUseId", call.tool_use_id.as_str())
        .text("name", &call.name)
        .optional_text("server", call.server.as_deref())
        .raw("input", call.input.as_str())
        .optional_text("partialInput", call.partial_input.as_deref())
        .text("status", call.status.as_str())
        .optional_number("durationMs", call.duration_ms);
    if let Some(result) = &call.result {
        object.raw("result", result.as_str());
    }
    if call.approved {
        object.raw("approved", "true");
    }
    object.finish()
}

/// A `ConnectionStatus`.
pub(crate) fn status(status: &Status) -> String {
    let mut object = JsonObject::default();
    match status {
        Status::Idle => object.text("state", "idle"),
        Status::Connecting => object.text("state", "connecting"),
        Status::Open { hello } => object.text("state", "open").raw("server", hello),
        Status::Reconnecting { attempt, retry_in_ms, reason } => object
            .text("state", "reconnecting")
            .number("attempt", u64::from(*attempt))
            .number("retryInMs", *retry_in_ms)
            .text("reason", reason),
        Status::Offline => object.text("state", "offline"),
        Status::Closed { code, reason } => {
            object.text("state", "closed").optional_number("code", code.map(u64::from)).text("reason", reason)
        }
    };
    object.finish()
}

/// The fields of a `ChatError`.
pub(crate) fn error(error: &RequestError) -> String {
    let mut object = JsonObject::default();
    object.text("code", error.code.as_str()).text("message", &error.message);
    object.raw("retryable", if error.retryable { "true" } else { "false" });
    object.optional_number("retryAfterMs", error.retry_after_ms);
    object.optional_text("messageId", error.message_id.as_ref().map(|id| id.as_str()));
    if let Some(usage) = &error.usage {
        object.raw("usage", &self::usage(usage));
    }
    object.finish()
}

/// A `Usage`.
fn usage(usage: &Usage) -> String {
    let mut object = JsonObject::default();
    tokens(&mut object, usage);
    let source = if usage.source == UsageSource::Estimated { "estimated" } else { "reported" };
    if usage.cache_write_1h_input_tokens > 0 {
        object.number("cacheWrite1hInputTokens", usage.cache_write_1h_input_tokens);
    }
    object.text("source", source).optional_number("costNanoUsd", usage.cost_nano_usd);
    object.optional_text("priceVersion", usage.price_version.as_deref());
    object.finish()
}

/// A `PageUsage`.
pub(crate) fn page_usage(page: &PageUsage) -> String {
    let mut object = JsonObject::default();
    total(&mut object, &page.all);
    object.raw("bySession", &totals(&page.by_session)).raw("byModel", &totals(&page.by_model));
    object.finish()
}

fn totals(totals: &[(String, Total)]) -> String {
    let mut object = JsonObject::default();
    for (key, sum) in totals {
        let mut inner = JsonObject::default();
        total(&mut inner, sum);
        object.raw(key, &inner.finish());
    }
    object.finish()
}

fn total(object: &mut JsonObject, total: &Total) {
    tokens(object, &total.usage);
    object
        .number("costNanoUsd", total.usage.cost_nano_usd.unwrap_or(0))
        .number("unpricedTurns", total.unpriced_turns)
        .number("estimatedTurns", total.estimated_turns)
        .number("turns", total.turns);
}

fn tokens(object: &mut JsonObject, usage: &Usage) {
    object
        .number("inputTokens", usage.input_tokens)
        .number("outputTokens", usage.output_tokens)
        .number("totalTokens", usage.total_tokens)
        .number("cacheReadInputTokens", usage.cache_read_input_tokens)
        .number("cacheWriteInputTokens", usage.cache_write_input_tokens);
}
