//! What a client may say, of every type and within the rules.

use proptest::{option, prelude::*, strategy::Union};

use super::{ids, message_id, request_id, session_id, text, timestamp, tool_use_id};
use crate::{
    Attachment,
    client::*,
    limits::{MAX_ATTACHMENTS, MAX_DOCUMENTS, MAX_PAGE_ITEMS, MAX_TITLE_CHARS},
    media::{MEDIA_TYPES, MediaKind},
};

/// As many images as may be with all documents that may be.
const MAX_PICTURES: usize = MAX_ATTACHMENTS - MAX_DOCUMENTS;

pub(super) fn message_of_any_type() -> Union<BoxedStrategy<ClientMessage>> {
    let attachments = prop_oneof![8 => Just((0, 0)), 2 => Just((1, 1)), 1 => Just((MAX_PICTURES, MAX_DOCUMENTS))]
        .prop_flat_map(|(images, documents)| {
            let images = prop::collection::vec(attachment(MediaKind::Image), images);
            (images, prop::collection::vec(attachment(MediaKind::Document), documents))
        })
        .prop_map(|(images, documents)| [images, documents].concat());
    let wishes = || (any::<bool>(), option::of(text()), option::of(text()));
    let send = (option::of(session_id()), text(), wishes(), attachments, option::of(message_id())).prop_map(
        |(session_id, message, (streaming, model, system_prompt), attachments, replaces)| {
            // Blank is refused where nothing comes with it.
            let blank = message.trim().is_empty() && attachments.is_empty();
            let message = if blank { message + "x" } else { message };
            SendMessage { session_id, message, streaming, model, attachments, replaces, system_prompt }
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
        (ids(), wishes())
            .prop_map(|((session_id, message_id), (streaming, model, system_prompt))| {
                Regenerate { session_id, message_id, streaming, model, system_prompt }.into()
            })
            .boxed(),
        (option::of(title()), option::of(text()))
            .prop_map(|(title, model)| CreateSession { title, model }.into())
            .boxed(),
        (option::of(session_id()), limit()).prop_map(|(before, limit)| ListSessions { before, limit }.into()).boxed(),
        (session_id(), option::of(message_id()), limit())
            .prop_map(|(session_id, before, limit)| GetHistory { session_id, before, limit }.into())
            .boxed(),
        (session_id(), title()).prop_map(|(session_id, title)| RenameSession { session_id, title }.into()).boxed(),
        session_id().prop_map(|session_id| DeleteSession { session_id }.into()).boxed(),
        (tool_use_id(), option::of(message_id()), any::<bool>())
            .prop_map(|(tool_use_id, message_id, approved)| ApproveTool { tool_use_id, message_id, approved }.into())
            .boxed(),
        (option::of(timestamp()), option::of(timestamp()), group_by, option::of(usage_scope))
            .prop_map(|(from, to, group_by, scope)| UsageQuery { from, to, group_by, scope }.into())
            .boxed(),
        (any::<u32>(), option::of(text())).prop_map(|(version, token)| ClientHello { version, token }.into()).boxed(),
        text().prop_map(|token| AuthRefresh { token }.into()).boxed(),
        Just(Ping {}.into()).boxed(),
    ])
}

/// A file of this kind, within the rules.
fn attachment(kind: MediaKind) -> impl Strategy<Value = Attachment> {
    let types: Vec<_> = MEDIA_TYPES.iter().filter(|(_, media)| media.kind == kind).map(|(name, _)| *name).collect();
    let data = "([A-Za-z0-9+/]{4}){0,3}([A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=|[A-Za-z0-9+/][AQgw]==)";
    (text(), prop::sample::select(types), data).prop_map(|(name, media_type, data)| {
        let name = if name.trim().is_empty() { "x".to_owned() } else { name };
        Attachment { name, media_type: media_type.into(), data }
    })
}
