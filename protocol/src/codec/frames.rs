//! Frames of every type, for properties: each field with whatever its type can hold.

use proptest::{option, prelude::*, strategy::Union};
use serde_json::Value;

use crate::{
    AnswerState, Attachment, ErrorCode, ErrorData, Message, MessageId, ModelPrice, Part, RawJson, RequestId, Role,
    SessionId, StopReason, Timestamp, ToolStatus, ToolUse, ToolUseId, Usage, UsageSource,
    client::*,
    limits::{MAX_ATTACHMENTS, MAX_PAGE_ITEMS, MAX_TITLE_CHARS},
    price::LongPromptPrice,
    server::*,
    testing,
};

/// How deep the JSON of a tool may nest so that the deepest frame with it, a snapshot, is one that a client reads.
const MAX_TOOL_DEPTH: usize = crate::limits::MAX_JSON_DEPTH - 5;

/// Every frame that a client may send.
pub(super) fn client_frame() -> impl Strategy<Value = ClientFrame> {
    (request_id(), client_message()).prop_map(|(id, message)| ClientFrame { id, message })
}

/// Every frame that a proxy may send.
pub(super) fn server_frame() -> impl Strategy<Value = ServerFrame> {
    (option::of(request_id()), server_message()).prop_map(|(id, message)| ServerFrame { id, message })
}

fn client_message() -> Union<BoxedStrategy<ClientMessage>> {
    let attachment =
        (text(), text(), text()).prop_map(|(name, media_type, data)| Attachment { name, media_type, data });
    let attachments = prop_oneof![8 => Just(0), 2 => Just(1), 1 => Just(MAX_ATTACHMENTS)]
        .prop_flat_map(move |count| prop::collection::vec(attachment.clone(), count));
    let send = (option::of(session_id()), text(), any::<bool>(), option::of(text()), attachments).prop_map(
        |(session_id, message, streaming, model, attachments)| {
            // Blank is refused where nothing comes with it.
            let blank = message.trim().is_empty() && attachments.is_empty();
            let message = if blank { message + "x" } else { message };
            SendMessage { session_id, message, streaming, model, attachments }
        },
    );
    let cancel = prop_oneof![
        message_id().prop_map(|id| Cancel { message_id: Some(id), request_id: None }),
        request_id().prop_map(|id| Cancel { message_id: None, request_id: Some(id) }),
    ];
    let title = || {
        "[^\\s]|\\PC{0,40}x[ü😀\n\"]{0,3}"
            .prop_union("[ä😀]{200}")
            .prop_filter("a title", |title| title.chars().count() <= MAX_TITLE_CHARS && !title.trim().is_empty())
    };
    let limit = || option::of(prop_oneof![Just(1), 1..=MAX_PAGE_ITEMS, Just(MAX_PAGE_ITEMS)]);
    let group_by =
        prop::sample::select(vec![GroupBy::User, GroupBy::Session, GroupBy::Model, GroupBy::Day, GroupBy::Hour]);
    Union::new([
        send.prop_map(ClientMessage::from).boxed(),
        cancel.prop_map(ClientMessage::from).boxed(),
        (message_id(), any::<u64>()).prop_map(|(message_id, after)| Resume { message_id, after }.into()).boxed(),
        ids().prop_map(|(session_id, message_id)| Regenerate { session_id, message_id }.into()).boxed(),
        (option::of(title()), option::of(text()))
            .prop_map(|(title, model)| CreateSession { title, model }.into())
            .boxed(),
        (option::of(session_id()), limit()).prop_map(|(before, limit)| ListSessions { before, limit }.into()).boxed(),
        (session_id(), option::of(message_id()), limit())
            .prop_map(|(session_id, before, limit)| GetHistory { session_id, before, limit }.into())
            .boxed(),
        (session_id(), title()).prop_map(|(session_id, title)| RenameSession { session_id, title }.into()).boxed(),
        session_id().prop_map(|session_id| DeleteSession { session_id }.into()).boxed(),
        (tool_use_id(), any::<bool>())
            .prop_map(|(tool_use_id, approved)| ApproveTool { tool_use_id, approved }.into())
            .boxed(),
        (option::of(timestamp()), option::of(timestamp()), group_by)
            .prop_map(|(from, to, group_by)| UsageQuery { from, to, group_by }.into())
            .boxed(),
        (any::<u32>(), option::of(text())).prop_map(|(version, token)| ClientHello { version, token }.into()).boxed(),
        text().prop_map(|token| AuthRefresh { token }.into()).boxed(),
        Just(Ping {}.into()).boxed(),
    ])
}

fn server_message() -> Union<BoxedStrategy<ServerMessage>> {
    let complete = (ids(), any::<u64>(), text(), stop_reason(), usage()).prop_map(
        |((session_id, message_id), seq, model, stop_reason, usage)| MessageComplete {
            session_id,
            message_id,
            seq,
            model,
            stop_reason,
            usage,
        },
    );
    let tool = (message_id(), any::<u64>(), tool_use()).prop_map(|(message_id, seq, call)| ToolUseUpdate {
        message_id,
        seq,
        call,
    });
    let state = prop::sample::select(vec![
        StatusState::Queued,
        StatusState::Retrying,
        StatusState::Stalled,
        StatusState::Settling,
    ]);
    let status = (message_id(), state, option::of(any::<u64>())).prop_map(|(message_id, state, retry_in_ms)| Status {
        message_id,
        state,
        retry_in_ms,
    });
    let state = prop::sample::select(vec![AnswerState::Streaming, AnswerState::Complete, AnswerState::Interrupted]);
    let snapshot =
        (ids(), any::<u64>(), state, message()).prop_map(|((session_id, message_id), seq, state, message)| Snapshot {
            session_id,
            message_id,
            seq,
            state,
            message,
        });
    let in_progress = (message(), any::<u64>()).prop_map(|(message, seq)| InProgress { message, seq });
    let history = (session_id(), prop::collection::vec(message(), 0..3), any::<bool>(), option::of(in_progress))
        .prop_map(|(session_id, messages, has_more, in_progress)| HistoryResponse {
            session_id,
            messages,
            has_more,
            in_progress,
        });
    let row = (text(), any::<u64>(), usage()).prop_map(|(key, turns, usage)| UsageRow { key, turns, usage });
    Union::new([
        (session_id(), message())
            .prop_map(|(session_id, message)| ServerMessage::MessageResponse(MessageResponse { session_id, message }))
            .boxed(),
        stream().prop_map(ServerMessage::MessageStream).boxed(),
        complete.prop_map(ServerMessage::MessageComplete).boxed(),
        stream().prop_map(ServerMessage::ReasoningStream).boxed(),
        tool.prop_map(ServerMessage::ToolUse).boxed(),
        status.prop_map(ServerMessage::Status).boxed(),
        snapshot.prop_map(ServerMessage::Snapshot).boxed(),
        error().prop_map(ServerMessage::Error).boxed(),
        session().prop_map(ServerMessage::SessionCreated).boxed(),
        (prop::collection::vec(session(), 0..3), any::<bool>())
            .prop_map(|(sessions, has_more)| ServerMessage::Sessions(SessionsResponse { sessions, has_more }))
            .boxed(),
        history.prop_map(ServerMessage::History).boxed(),
        session().prop_map(ServerMessage::SessionUpdated).boxed(),
        session_id().prop_map(|session_id| ServerMessage::SessionDeleted(SessionDeleted { session_id })).boxed(),
        (prop::collection::vec(row, 0..3), usage())
            .prop_map(|(rows, total)| ServerMessage::Usage(UsageResponse { rows, total }))
            .boxed(),
        hello().prop_map(ServerMessage::Hello).boxed(),
        option::of(timestamp()).prop_map(|expires_at| ServerMessage::Refreshed(AuthRefreshed { expires_at })).boxed(),
        Just(ServerMessage::Pong(Pong {})).boxed(),
        any::<u64>().prop_map(|reconnect_in_ms| ServerMessage::Draining(Draining { reconnect_in_ms })).boxed(),
    ])
}

fn stream() -> impl Strategy<Value = MessageStream> {
    (ids(), any::<u32>(), any::<u64>(), any::<u64>(), text()).prop_map(
        |((session_id, message_id), part, first, seq, content)| MessageStream {
            session_id,
            message_id,
            part,
            first,
            seq,
            content,
        },
    )
}

fn hello() -> impl Strategy<Value = ServerHello> {
    let long = (any::<u64>(), any::<u64>(), any::<u64>()).prop_map(|(above_tokens, input, output)| LongPromptPrice {
        above_tokens,
        input,
        output,
    });
    let amount = || option::of(any::<u64>());
    let price = (any::<u64>(), any::<u64>(), amount(), amount(), amount(), option::of(long)).prop_map(
        |(input, output, cache_write_5m, cache_write_1h, cache_read, long_prompt)| ModelPrice {
            input,
            output,
            cache_write_5m,
            cache_write_1h,
            cache_read,
            long_prompt,
        },
    );
    let model = (text(), option::of(any::<u32>()), option::of(any::<u32>()), option::of(price)).prop_map(
        |(model, max_output_tokens, context_tokens, price)| ModelInfo {
            model,
            default: false,
            max_output_tokens,
            context_tokens,
            price,
        },
    );
    // One model at most is the default.
    let models = (prop::collection::vec(model, 0..4), 0usize..5).prop_map(|(mut models, default)| {
        if let Some(model) = models.get_mut(default) {
            model.default = true;
        }
        models
    });
    let principal = (text(), text()).prop_map(|(user, organization)| Principal { user, organization });
    let limits = any::<(u32, u32, u32)>().prop_map(|(max_frame_bytes, max_message_chars, max_parallel_turns)| Limits {
        max_frame_bytes,
        max_message_chars,
        max_parallel_turns,
    });
    (any::<u32>(), principal, any::<bool>(), limits, models, text(), prop::collection::vec(text(), 0..3)).prop_map(
        |(version, principal, demo, limits, models, price_version, tools)| ServerHello {
            version,
            principal,
            demo,
            limits,
            models,
            price_version,
            tools,
        },
    )
}

fn session() -> impl Strategy<Value = Session> {
    (session_id(), option::of(text()), option::of(text()), timestamp(), timestamp(), any::<u32>()).prop_map(
        |(session_id, title, model, created_at, updated_at, message_count)| Session {
            session_id,
            title,
            model,
            created_at,
            updated_at,
            message_count,
        },
    )
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
    (message_id(), text(), role, timestamp(), parts, end).prop_map(
        |(message_id, content, role, timestamp, parts, (usage, model, stop_reason, error))| Message {
            message_id,
            content,
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
        ToolStatus::PendingApproval,
        ToolStatus::Running,
        ToolStatus::Succeeded,
        ToolStatus::Failed,
        ToolStatus::Denied,
        ToolStatus::UnknownOutcome,
    ]);
    // No result and a result that is null are one thing in a frame.
    let result = option::of(raw_json().prop_filter("a result", |json| json.as_str() != "null"));
    (tool_use_id(), text(), raw_json(), status, option::of(any::<u64>()), result).prop_map(
        |(tool_use_id, name, input, status, duration_ms, result)| ToolUse {
            tool_use_id,
            name,
            input,
            status,
            duration_ms,
            result,
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
    let deep = (1..=MAX_TOOL_DEPTH)
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
