//! Frames of every type, for properties: each field with whatever its type can hold.

mod client;
mod server;

use proptest::{option, prelude::*};
use serde_json::Value;

use crate::{
    AttachmentInfo, ErrorCode, ErrorData, Message, MessageId, Part, RawJson, RequestId, Role, SessionId, StopReason,
    Timestamp, ToolStatus, ToolUse, ToolUseId, Usage, UsageSource, client::ClientFrame, limits::MAX_TOOL_JSON_DEPTH,
    server::ServerFrame, testing,
};

/// Every frame that a client may send.
pub(super) fn client_frame() -> impl Strategy<Value = ClientFrame> {
    (request_id(), client::message_of_any_type()).prop_map(|(id, message)| ClientFrame { id, message })
}

/// Every frame that a proxy may send.
pub(super) fn server_frame() -> impl Strategy<Value = ServerFrame> {
    (option::of(request_id()), server::message_of_any_type()).prop_map(|(id, message)| ServerFrame { id, message })
}

fn message() -> impl Strategy<Value = Message> {
    let role = prop::sample::select(vec![Role::User, Role::Assistant]);
    let part = prop_oneof![
        text().prop_map(|text| Part::Text { text }),
        text().prop_map(|text| Part::Reasoning { text }),
        tool_use().prop_map(Part::ToolUse),
    ];
    let parts = prop::collection::vec(part, 0..3);
    let end = (option::of(usage()), option::of(text()), option::of(stop_reason()), option::of(error()));
    let ids = (message_id(), option::of(request_id()));
    let content = (text(), prop::collection::vec(attachment_info(), 0..2));
    (ids, content, role, timestamp(), parts, end).prop_map(
        |(
            (message_id, request_id),
            (content, attachments),
            role,
            timestamp,
            parts,
            (usage, model, stop_reason, error),
        )| Message {
            message_id,
            request_id,
            content,
            attachments,
            role,
            timestamp,
            usage,
            model,
            stop_reason,
            parts,
            error,
        },
    )
}

fn attachment_info() -> impl Strategy<Value = AttachmentInfo> {
    (text(), text(), any::<u64>()).prop_map(|(name, media_type, bytes)| AttachmentInfo { name, media_type, bytes })
}

fn error() -> impl Strategy<Value = ErrorData> {
    let number = || option::of(any::<u64>());
    let code = prop::sample::select(ErrorCode::ALL.to_vec());
    (code, text(), any::<bool>(), number(), option::of(message_id()), number(), option::of(usage())).prop_map(
        |(code, message, retryable, retry_after_ms, message_id, seq, usage)| ErrorData {
            code,
            message,
            retryable,
            retry_after_ms,
            message_id,
            seq,
            usage,
        },
    )
}

fn usage() -> impl Strategy<Value = Usage> {
    let source = prop::sample::select(vec![UsageSource::Reported, UsageSource::Estimated]);
    (any::<[u64; 6]>(), source, option::of(any::<u64>()), option::of(text())).prop_map(
        |(tokens, source, cost_nano_usd, price_version)| Usage {
            input_tokens: tokens[0],
            output_tokens: tokens[1],
            total_tokens: tokens[2],
            cache_read_input_tokens: tokens[3],
            cache_write_input_tokens: tokens[4],
            cache_write_1h_input_tokens: tokens[5],
            source,
            cost_nano_usd,
            price_version,
        },
    )
}

fn tool_use() -> impl Strategy<Value = ToolUse> {
    let status = prop::sample::select(vec![
        ToolStatus::Preparing,
        ToolStatus::PendingApproval,
        ToolStatus::Running,
        ToolStatus::Succeeded,
        ToolStatus::Failed,
        ToolStatus::Denied,
        ToolStatus::UnknownOutcome,
    ]);
    // No result and a result that is null are one thing in a frame.
    let result = option::of(raw_json().prop_filter("a result", |json| json.as_str() != "null"));
    let names = (tool_use_id(), text(), option::of(text()));
    let input = (raw_json(), option::of(text()));
    let how = (status, any::<bool>(), option::of(any::<u64>()));
    (names, input, how, result).prop_map(
        |((tool_use_id, name, server), (input, partial_input), (status, approved, duration_ms), result)| ToolUse {
            tool_use_id,
            name,
            server,
            input,
            partial_input,
            status,
            duration_ms,
            result,
            approved,
        },
    )
}

/// JSON in the one way in which `serde_json` writes it, without the fractions that it may read back as others.
fn raw_json() -> impl Strategy<Value = RawJson> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec((text(), inner), 0..3).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    });
    let deep = (1..=MAX_TOOL_JSON_DEPTH)
        .prop_map(|depth| (0..depth - 1).fold(Value::Array(vec![]), |inner, _| Value::from(vec![inner])));
    prop_oneof![9 => value, 1 => deep].prop_map(|value| RawJson::new(&value.to_string()).unwrap())
}

fn stop_reason() -> impl Strategy<Value = StopReason> {
    prop::sample::select(vec![
        StopReason::EndTurn,
        StopReason::MaxTokens,
        StopReason::StopSequence,
        StopReason::ToolUse,
        StopReason::GuardrailIntervened,
        StopReason::ContentFiltered,
        StopReason::ModelContextWindowExceeded,
        StopReason::Cancelled,
        StopReason::ToolLimit,
        StopReason::Other,
    ])
}

fn text() -> impl Strategy<Value = String> + Clone {
    testing::text(4)
}

fn timestamp() -> impl Strategy<Value = Timestamp> {
    any::<u64>().prop_map(Timestamp::from_unix_ms)
}

pub(super) fn request_id() -> impl Strategy<Value = RequestId> {
    text().prop_filter_map("an id", |text| {
        let plain: String = text.chars().filter(|char| !char.is_control()).collect();
        RequestId::new(plain).ok()
    })
}

/// A session and a message of it.
pub(super) fn ids() -> impl Strategy<Value = (SessionId, MessageId)> {
    (session_id(), message_id())
}

fn session_id() -> impl Strategy<Value = SessionId> {
    "[A-Za-z0-9_-]{1,128}".prop_map(|id| SessionId::new(id).unwrap())
}

fn message_id() -> impl Strategy<Value = MessageId> {
    "[A-Za-z0-9_-]{1,128}".prop_map(|id| MessageId::new(id).unwrap())
}

fn tool_use_id() -> impl Strategy<Value = ToolUseId> {
    "[A-Za-z0-9_-]{1,64}".prop_map(|id| ToolUseId::new(id).unwrap())
}
