//! What a proxy may say, of every type.

use proptest::{option, prelude::*, strategy::Union};

use super::{error, ids, message, message_id, session_id, stop_reason, text, timestamp, tool_use, tool_use_id, usage};
use crate::{AnswerState, ModelPrice, price::LongPromptPrice, server::*};

pub(super) fn message_of_any_type() -> Union<BoxedStrategy<ServerMessage>> {
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
    let row = (text(), sum()).prop_map(|(key, sum)| UsageRow { key, sum });
    let rows = (prop::collection::vec(row, 0..3), sum());
    let budgets = prop::collection::vec(budget(), 0..3);
    Union::new([
        (session_id(), message())
            .prop_map(|(session_id, message)| ServerMessage::MessageResponse(MessageResponse { session_id, message }))
            .boxed(),
        stream().prop_map(ServerMessage::MessageStream).boxed(),
        complete.prop_map(ServerMessage::MessageComplete).boxed(),
        stream().prop_map(ServerMessage::ReasoningStream).boxed(),
        stream().prop_map(ServerMessage::ToolInputStream).boxed(),
        tool.prop_map(ServerMessage::ToolUse).boxed(),
        (tool_use_id(), any::<bool>())
            .prop_map(|(tool_use_id, approved)| ServerMessage::ToolApproved(ToolApproved { tool_use_id, approved }))
            .boxed(),
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
        (timestamp(), timestamp(), rows, budgets)
            .prop_map(|(from, to, (rows, total), budgets)| {
                ServerMessage::Usage(UsageResponse { from, to, rows, total, budgets })
            })
            .boxed(),
        hello().prop_map(ServerMessage::Hello).boxed(),
        option::of(any::<u64>())
            .prop_map(|expires_in_ms| ServerMessage::Refreshed(AuthRefreshed { expires_in_ms }))
            .boxed(),
        Just(ServerMessage::Pong(Pong {})).boxed(),
        any::<u64>().prop_map(|reconnect_in_ms| ServerMessage::Draining(Draining { reconnect_in_ms })).boxed(),
    ])
}

fn sum() -> impl Strategy<Value = UsageSum> {
    (any::<[u64; 5]>(), usage()).prop_map(|([turns, calls, estimated_calls, unpriced_calls, tool_calls], usage)| {
        UsageSum { turns, calls, estimated_calls, unpriced_calls, tool_calls, usage }
    })
}

fn budget() -> impl Strategy<Value = BudgetState> {
    let scope = prop::sample::select(vec![BudgetScope::User, BudgetScope::Organization, BudgetScope::Proxy]);
    let period = prop::sample::select(vec![BudgetPeriod::Day, BudgetPeriod::Month]);
    let unit = prop::sample::select(vec![BudgetUnit::NanoUsd, BudgetUnit::Tokens]);
    (scope, period, unit, any::<[u64; 3]>(), timestamp()).prop_map(
        |(scope, period, unit, [limit, spent, reserved], renews_at)| BudgetState {
            scope,
            period,
            unit,
            limit,
            spent,
            reserved,
            renews_at,
        },
    )
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
    let role =
        prop_oneof![Just(PrincipalRole::User), Just(PrincipalRole::Administrator), Just(PrincipalRole::Operator)];
    let principal =
        (text(), text(), role).prop_map(|(user, organization, role)| Principal { user, organization, role });
    let limits = any::<[u32; 4]>().prop_map(
        |[max_frame_bytes, max_message_chars, max_parallel_turns, max_system_prompt_chars]| Limits {
            max_frame_bytes,
            max_message_chars,
            max_parallel_turns,
            max_system_prompt_chars,
        },
    );
    let who = (principal, option::of(any::<u64>()));
    (any::<u32>(), who, any::<bool>(), limits, models, text(), prop::collection::vec(tool_info(), 0..3)).prop_map(
        |(version, (principal, expires_in_ms), demo, limits, models, price_version, tools)| ServerHello {
            version,
            principal,
            expires_in_ms,
            demo,
            limits,
            models,
            price_version,
            tools,
        },
    )
}

fn tool_info() -> impl Strategy<Value = ToolInfo> {
    let approval = prop::sample::select(vec![ToolApproval::Always, ToolApproval::Session, ToolApproval::Never]);
    (text(), text(), option::of(text()), option::of(text()), approval).prop_map(
        |(name, server, title, description, approval)| ToolInfo { name, server, title, description, approval },
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
