//! What a client may say, of every type and within the rules.

use proptest::{option, prelude::*, strategy::Union};

use super::{ids, message_id, request_id, session_id, text, timestamp, tool_use_id};
use crate::{
    Attachment,
    client::*,
    limits::{MAX_ATTACHMENTS, MAX_PAGE_ITEMS, MAX_TITLE_CHARS},
};

pub(super) fn message_of_any_type() -> Union<BoxedStrategy<ClientMessage>> {
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
    let group_by = prop::sample::select(vec![
        GroupBy::User,
        GroupBy::Organization,
        GroupBy::Session,
        GroupBy::Model,
        GroupBy::Day,
        GroupBy::Hour,
    ]);
    let usage_scope = prop::sample::select(vec![UsageScope::Own, UsageScope::Organization, UsageScope::All]);
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
        (option::of(timestamp()), option::of(timestamp()), group_by, option::of(usage_scope))
            .prop_map(|(from, to, group_by, scope)| UsageQuery { from, to, group_by, scope }.into())
            .boxed(),
        (any::<u32>(), option::of(text())).prop_map(|(version, token)| ClientHello { version, token }.into()).boxed(),
        text().prop_map(|token| AuthRefresh { token }.into()).boxed(),
        Just(Ping {}.into()).boxed(),
    ])
}
