//! What every store has to do.

use std::sync::Arc;

use outcrop_proxy::{
    principal::Owner,
    store::{
        Amount, Ask, Asked, Checkpoint, Closing, Decision, Fingerprint, Kept, MAX_MESSAGES, OpenAnswer, Opening, Page,
        Piece, Reservation, Revocation, Revoked, Store, StoreError, Wishes, new_session,
    },
};
use protocol::{
    Message, MessageId, Part, RawJson, RequestId, Role, SessionId, Timestamp, ToolStatus, ToolUse, ToolUseId, Usage,
    client::SendMessage, server::Session,
};

/// A test for each of the functions below, of the store that `$open` makes; it is kept alive by what comes with it.
macro_rules! conformance {
    ($open:expr) => {
        $crate::conformance::conformance!($open;
            two_owners_may_hold_the_same_id_and_see_only_their_own,
            the_first_message_gives_the_title_and_a_person_another,
            sessions_come_in_pages_the_latest_used_first,
            history_comes_in_pages_the_oldest_first,
            a_session_has_room_for_so_many_messages_and_no_question_without_room_for_its_answer,
            an_id_is_asked_under_once_and_remembered,
            a_question_asked_again_is_under_its_latest_id,
            a_message_comes_back_as_it_was,
            an_answer_is_found_by_its_id_and_replaced_but_never_brought_back,
            what_is_deleted_is_gone_with_all_that_belonged_to_it,
            one_answer_at_a_time_is_under_way_in_a_session,
            an_answer_is_open_until_it_is_settled_and_is_settled_once,
            an_answer_that_is_kept_frees_its_session_before_it_is_settled,
            an_answer_under_way_outlives_its_session_without_its_text,
            an_answer_is_asked_to_stop_by_any_process,
            checkpoints_are_joined_in_their_order,
            what_is_asked_at_the_same_time_is_all_kept,
            what_was_revoked_is_known_until_it_may_be_forgotten,
        );
    };
    ($open:expr; $($name:ident,)*) => {
        $(#[tokio::test]
        async fn $name() {
            let (store, _alive) = $open.await;
            $crate::conformance::$name(store).await;
        })*
    };
}
pub(crate) use conformance;

const EARLY: Timestamp = Timestamp::from_unix_ms(1);
pub(crate) const LATE: Timestamp = Timestamp::from_unix_ms(5);

pub(crate) type TheStore = Arc<dyn Store>;

pub(crate) fn id(text: &str) -> SessionId {
    SessionId::new(text).expect("an id")
}

pub(crate) fn owner(user: &str) -> Owner {
    Owner { organization: "o".into(), user: user.into() }
}

pub(crate) fn message_id(text: &str) -> MessageId {
    MessageId::new(text).expect("an id")
}

pub(crate) fn request(name: &str) -> RequestId {
    RequestId::new(name).expect("an id")
}

pub(crate) fn message(name: &str, role: Role) -> Message {
    Message {
        message_id: message_id(name),
        request_id: None,
        content: format!("text of {name}"),
        role,
        timestamp: LATE,
        usage: None,
        model: None,
        stop_reason: None,
        attachments: Vec::new(),
        parts: Vec::new(),
        error: None,
    }
}

pub(crate) fn answer_to(name: &str) -> MessageId {
    message_id(&format!("answer-{name}"))
}

fn fingerprint(text: &str) -> Fingerprint {
    Fingerprint::of(SendMessage {
        session_id: None,
        message: text.into(),
        streaming: true,
        model: None,
        attachments: Vec::new(),
        replaces: None,
        system_prompt: None,
    })
}

/// The question `name`, asked for the first time unless `again`.
pub(crate) fn asking(name: &str, again: bool) -> Ask {
    let question = Message { request_id: Some(request(name)), ..message(name, Role::User) };
    Ask {
        request: request(name),
        fingerprint: fingerprint(name),
        replaces: None,
        question: (!again).then(|| question.into()),
        answer: Opening {
            message_id: answer_to(name),
            started: LATE,
            model: "first".into(),
            input_bytes: 7,
            reservation: Reservation::default(),
        },
    }
}

pub(crate) async fn ask(store: &TheStore, owner: &Owner, name: &str) -> Result<(), StoreError> {
    store.ask(owner, &id("s"), asking(name, false)).await
}

/// Ends an answer for good, without a message.
pub(crate) async fn drop_answer(store: &TheStore, owner: &Owner, name: &str) -> Result<(), StoreError> {
    let closing = Closing { message: None, calls: Some(Vec::new()) };
    store.close(owner, &id("s"), &answer_to(name), closing).await
}

/// Asks something that gets no answer.
async fn ask_in_vain(store: &TheStore, owner: &Owner, name: &str) {
    ask(store, owner, name).await.expect("asked");
    drop_answer(store, owner, name).await.expect("closed");
}

async fn keep(store: &TheStore, owner: &Owner, answer: &Message, is_settled: bool) -> Result<(), StoreError> {
    keep_all(store, owner, &answer.clone().into(), is_settled).await
}

pub(crate) async fn keep_all(
    store: &TheStore,
    owner: &Owner,
    answer: &Kept,
    is_settled: bool,
) -> Result<(), StoreError> {
    let closing = Closing { message: Some(answer.clone()), calls: is_settled.then(Vec::new) };
    store.close(owner, &id("s"), &answer.message.message_id, closing).await
}

pub(crate) async fn answer(store: &TheStore, owner: &Owner, name: &str) -> Message {
    let answer = Message { message_id: answer_to(name), ..message(name, Role::Assistant) };
    keep(store, owner, &answer, true).await.expect("closed");
    answer
}

pub(crate) async fn with_sessions(store: &TheStore, owner: &Owner, sessions: &[&str]) {
    for name in sessions {
        store.ensure_session(owner, new_session(id(name), None, None, EARLY)).await.expect("a session");
    }
}

fn names(page: &Page<Message>) -> Vec<&str> {
    page.items.iter().map(|message| message.message_id.as_str()).collect()
}

pub(crate) fn text(seq: u64, part: u32, text: &str) -> Piece {
    Piece { seq, reasoning: false, part, text: text.into(), call: None }
}

/// A call of a tool with all that can be known of one.
fn tool_use(status: ToolStatus) -> ToolUse {
    let json = |text| RawJson::new(text).expect("JSON");
    ToolUse {
        tool_use_id: ToolUseId::new("call").expect("an id"),
        name: "read".into(),
        server: Some("files".into()),
        input: json(r#"{"lines":[1,2.5,null],"path":"ä \"b\""}"#),
        partial_input: Some(r#"{"path":"ä"#.into()),
        status,
        duration_ms: Some(12),
        result: Some(json(r#"{"text":"🙂\n"}"#)),
        approved: true,
    }
}

pub(crate) fn decision(call: &str, approved: bool) -> Decision {
    Decision { tool_use_id: ToolUseId::new(call).expect("an id"), approved }
}

async fn open(store: &TheStore) -> Vec<MessageId> {
    let unfinished = store.unfinished(Timestamp::MAX).await.expect("unfinished");
    unfinished.into_iter().map(|answer| answer.opening.message_id).collect()
}

pub(crate) async fn two_owners_may_hold_the_same_id_and_see_only_their_own(store: TheStore) {
    let (ann, bob) = (owner("ann"), owner("bob"));
    let elsewhere = Owner { organization: "other".into(), ..ann.clone() };
    with_sessions(&store, &ann, &["s"]).await;
    ask(&store, &ann, "q").await.expect("asked");
    let answer = answer(&store, &ann, "q").await;
    ask(&store, &ann, "open").await.expect("asked");
    let missing = Err(StoreError::SessionNotFound);
    for other in [&bob, &elsewhere] {
        assert_eq!(store.session(other, &id("s")).await, Err(StoreError::SessionNotFound));
        assert_eq!(ask(&store, other, "m").await, missing);
        assert_eq!(keep(&store, other, &answer, true).await, Err(StoreError::NotOpen));
        assert_eq!(drop_answer(&store, other, "open").await, Err(StoreError::NotOpen));
        assert_eq!(store.open_answer(other, &answer_to("open")).await, Ok(None));
        assert_eq!(store.open_in(other, &id("s")).await, Err(StoreError::SessionNotFound));
        assert_eq!(store.ask_to_stop(other, &answer_to("open")).await, Ok(false));
        assert_eq!(store.delete_session(other, &id("s")).await, missing);
        assert_eq!(store.rename_session(other, &id("s"), "t".into()).await, Err(StoreError::SessionNotFound));
        assert_eq!(store.messages(other, &id("s"), None, 9).await, Err(StoreError::SessionNotFound));
        assert_eq!(store.answer(other, &answer.message_id).await, Ok(None));
        assert_eq!(store.sessions(other, None, 9).await, Ok(Page { items: Vec::new(), has_more: false }));
        let checkpoint = Checkpoint { at: LATE, model: "m".into(), pieces: vec![text(1, 0, "not theirs")] };
        let ignored = store.checkpoint(other, &id("s"), &answer_to("open"), checkpoint).await;
        assert_eq!(ignored, Ok(Wishes::default()));
        assert_eq!(store.conversation(other, &id("s"), None, 9).await, Err(StoreError::SessionNotFound));
        let more = store.reserve_more(other, &id("s"), &answer_to("open"), Amount::default()).await;
        assert_eq!(more, Err(StoreError::NotOpen));
        assert_eq!(store.decide(other, &answer_to("open"), decision("call", true)).await, Ok(false));
    }
    let open = store.open_answer(&ann, &answer_to("open")).await.expect("looked for").expect("open");
    assert_eq!(open.pieces, []);
    with_sessions(&store, &bob, &["s"]).await;
    assert_eq!(store.asked(&bob, &id("s"), &request("q")).await, Ok(None));
    assert_eq!(store.messages(&bob, &id("s"), None, 9).await, Ok(Page { items: Vec::new(), has_more: false }));
    assert_eq!(store.answer(&ann, &answer.message_id).await, Ok(Some((id("s"), answer))));
}

pub(crate) async fn the_first_message_gives_the_title_and_a_person_another(store: TheStore) {
    let ann = owner("ann");
    with_sessions(&store, &ann, &["s"]).await;
    ask_in_vain(&store, &ann, "m1").await;
    ask_in_vain(&store, &ann, "m2").await;
    let session = store.session(&ann, &id("s")).await.expect("a session");
    assert_eq!((session.title.as_deref(), session.message_count), (Some("text of m1"), 2));
    assert_eq!((session.created_at, session.updated_at), (EARLY, LATE));
    let renamed = store.rename_session(&ann, &id("s"), "Mine".into()).await.expect("renamed");
    assert_eq!(renamed, Session { title: Some("Mine".into()), ..session });
    assert_eq!(store.session(&ann, &id("s")).await, Ok(renamed.clone()));
    let again = new_session(id("s"), Some("other".into()), Some("model".into()), LATE);
    assert_eq!(store.ensure_session(&ann, again).await, Ok(renamed), "the one there is");
    let new = new_session(id("t"), Some("Given".into()), Some("model".into()), LATE);
    assert_eq!(store.ensure_session(&ann, new.clone()).await, Ok(new.clone()));
    assert_eq!(store.session(&ann, &id("t")).await, Ok(new));
}

pub(crate) async fn sessions_come_in_pages_the_latest_used_first(store: TheStore) {
    let ann = owner("ann");
    with_sessions(&store, &ann, &["s", "b", "c"]).await;
    ask(&store, &ann, "q").await.expect("asked");
    let names = |page: &Page<Session>| page.items.iter().map(|s| s.session_id.to_string()).collect::<Vec<_>>();
    let first = store.sessions(&ann, None, 2).await.expect("a page");
    assert_eq!((names(&first), first.has_more), (vec!["s".into(), "c".into()], true));
    let second = store.sessions(&ann, Some(&id("c")), 2).await.expect("a page");
    assert_eq!((names(&second), second.has_more), (vec!["b".into()], false));
    // The same for whoever has some and for whoever has none.
    for owner in [ann, owner("bob")] {
        let unknown = store.sessions(&owner, Some(&id("x")), 2).await;
        assert_eq!(unknown, Err(StoreError::SessionNotFound), "{owner:?}");
    }
}

pub(crate) async fn history_comes_in_pages_the_oldest_first(store: TheStore) {
    let ann = owner("ann");
    with_sessions(&store, &ann, &["s"]).await;
    for name in ["m1", "m2", "m3"] {
        ask_in_vain(&store, &ann, name).await;
    }
    let latest = store.messages(&ann, &id("s"), None, 2).await.expect("a page");
    assert_eq!((names(&latest), latest.has_more), (vec!["m2", "m3"], true));
    let older = store.messages(&ann, &id("s"), Some(&message_id("m2")), 2).await.expect("a page");
    assert_eq!((names(&older), older.has_more), (vec!["m1"], false));
    let unknown = store.messages(&ann, &id("s"), Some(&message_id("x")), 2).await.expect("a page");
    assert_eq!(names(&unknown), ["m2", "m3"], "before a message that is not there: the latest");
}

pub(crate) async fn a_session_has_room_for_so_many_messages_and_no_question_without_room_for_its_answer(
    store: TheStore,
) {
    let ann = owner("ann");
    with_sessions(&store, &ann, &["s"]).await;
    for n in 2..MAX_MESSAGES {
        ask_in_vain(&store, &ann, &n.to_string()).await;
    }
    ask(&store, &ann, "last").await.expect("asked");
    answer(&store, &ann, "last").await;
    assert_eq!(ask(&store, &ann, "x").await, Err(StoreError::SessionFull(MAX_MESSAGES)));
    let session = store.session(&ann, &id("s")).await.expect("a session");
    assert_eq!(session.message_count as usize, MAX_MESSAGES);
}

pub(crate) async fn an_id_is_asked_under_once_and_remembered(store: TheStore) {
    let ann = owner("ann");
    with_sessions(&store, &ann, &["s"]).await;
    ask(&store, &ann, "r").await.expect("asked");
    assert_eq!(ask(&store, &ann, "r").await, Err(StoreError::AskedBefore));
    drop_answer(&store, &ann, "r").await.expect("closed");
    assert_eq!(ask(&store, &ann, "r").await, Err(StoreError::AskedBefore), "without an answer too");
    let known = Asked { fingerprint: fingerprint("r"), answer: answer_to("r") };
    assert_eq!(store.asked(&ann, &id("s"), &request("r")).await, Ok(Some(known)));
    assert_eq!(store.asked(&ann, &id("s"), &request("other")).await, Ok(None));
    assert_eq!(store.session(&ann, &id("s")).await.expect("a session").message_count, 1, "all of it or nothing");
}

pub(crate) async fn a_question_asked_again_is_under_its_latest_id(store: TheStore) {
    let ann = owner("ann");
    with_sessions(&store, &ann, &["s"]).await;
    let ask = async |name: &str, again| {
        let asked = store.ask(&ann, &id("s"), asking(name, again)).await;
        if asked.is_ok() && name != "r4" {
            drop_answer(&store, &ann, name).await.expect("closed");
        }
        asked
    };
    let ids = async || {
        let page = store.messages(&ann, &id("s"), None, 9).await.expect("a page");
        page.items.into_iter().map(|message| message.request_id.map(|id| id.to_string())).collect::<Vec<_>>()
    };
    ask("r1", true).await.expect("asked");
    ask("r2", false).await.expect("asked");
    ask("r3", false).await.expect("asked");
    assert_eq!(ids().await, [Some("r2".into()), Some("r3".into())]);
    ask("r4", true).await.expect("asked");
    assert_eq!(ask("r2", true).await, Err(StoreError::AskedBefore));
    assert_eq!(ids().await, [Some("r2".into()), Some("r4".into())]);
    answer(&store, &ann, "r4").await;
    ask("r5", true).await.expect("asked");
    assert_eq!(ids().await, [Some("r2".into()), Some("r4".into()), None], "an answer is asked under no id");
}

pub(crate) async fn a_message_comes_back_as_it_was(store: TheStore) {
    let ann = owner("ann");
    with_sessions(&store, &ann, &["s"]).await;
    let text = "a \"quoted\" \\ 🙂 日本語 \u{0}\u{1f}\n".repeat(40_000);
    let question = Message { content: text.clone(), request_id: Some(request("q")), ..message("q", Role::User) };
    let usage = Usage { input_tokens: u64::MAX >> 12, cost_nano_usd: Some(1), ..Usage::default() };
    let error = protocol::ErrorData::new(protocol::ErrorCode::Interrupted, "It ended.");
    let answer = Message {
        message_id: answer_to("q"),
        usage: Some(usage),
        model: Some("m".into()),
        parts: vec![Part::Reasoning { text: text.clone() }, Part::Text { text: text.clone() }],
        content: text,
        error: Some(error),
        ..message("q", Role::Assistant)
    };
    let ask = Ask { question: Some(question.clone().into()), ..asking("q", false) };
    store.ask(&ann, &id("s"), ask).await.expect("asked");
    keep(&store, &ann, &answer, true).await.expect("closed");
    let page = store.messages(&ann, &id("s"), None, 9).await.expect("a page");
    assert!(page.items == [question, answer.clone()], "as it was");
    assert!(store.answer(&ann, &answer.message_id).await == Ok(Some((id("s"), answer))), "as it was");
}

pub(crate) async fn an_answer_is_found_by_its_id_and_replaced_but_never_brought_back(store: TheStore) {
    let ann = owner("ann");
    with_sessions(&store, &ann, &["s"]).await;
    ask(&store, &ann, "q").await.expect("asked");
    let first = Message { message_id: answer_to("q"), ..message("q", Role::Assistant) };
    keep(&store, &ann, &first, false).await.expect("kept");
    let better = Message { content: "better".into(), ..first };
    keep(&store, &ann, &better, true).await.expect("replaced");
    assert_eq!(store.answer(&ann, &better.message_id).await, Ok(Some((id("s"), better.clone()))));
    assert_eq!(store.session(&ann, &id("s")).await.expect("a session").message_count, 2);
    assert_eq!(store.answer(&ann, &message_id("q")).await, Ok(None), "a question is no answer");
    store.delete_session(&ann, &id("s")).await.expect("deleted");
    assert_eq!(store.answer(&ann, &better.message_id).await, Ok(None));
    with_sessions(&store, &ann, &["s"]).await;
    assert_eq!(keep(&store, &ann, &better, true).await, Err(StoreError::NotOpen));
    assert_eq!(store.session(&ann, &id("s")).await.expect("a session").message_count, 0);
}

pub(crate) async fn what_is_deleted_is_gone_with_all_that_belonged_to_it(store: TheStore) {
    let ann = owner("ann");
    with_sessions(&store, &ann, &["s", "t"]).await;
    ask(&store, &ann, "q").await.expect("asked");
    answer(&store, &ann, "q").await;
    store.delete_session(&ann, &id("s")).await.expect("deleted");
    assert_eq!(store.delete_session(&ann, &id("s")).await, Err(StoreError::SessionNotFound));
    with_sessions(&store, &ann, &["s"]).await;
    assert_eq!(store.messages(&ann, &id("s"), None, 9).await.expect("a page").items, []);
    assert_eq!(store.asked(&ann, &id("s"), &request("q")).await, Ok(None));
    ask(&store, &ann, "q").await.expect("it is another session");
}

pub(crate) async fn one_answer_at_a_time_is_under_way_in_a_session(store: TheStore) {
    let ann = owner("ann");
    with_sessions(&store, &ann, &["s", "t"]).await;
    assert_eq!(store.open_in(&ann, &id("s")).await, Ok(None));
    ask(&store, &ann, "q").await.expect("asked");
    assert_eq!(store.open_in(&ann, &id("s")).await, Ok(Some(answer_to("q"))));
    assert_eq!(store.open_in(&ann, &id("t")).await, Ok(None));
    assert_eq!(ask(&store, &ann, "r").await, Err(StoreError::SessionBusy));
    store.ask(&ann, &id("t"), asking("p", false)).await.expect("another session is free");
    answer(&store, &ann, "q").await;
    ask(&store, &ann, "r").await.expect("it is free now");
}

pub(crate) async fn an_answer_is_open_until_it_is_settled_and_is_settled_once(store: TheStore) {
    let ann = owner("ann");
    with_sessions(&store, &ann, &["s"]).await;
    ask(&store, &ann, "q1").await.expect("asked");
    let answered = answer(&store, &ann, "q1").await;
    assert_eq!(keep(&store, &ann, &answered, true).await, Err(StoreError::NotOpen));
    ask_in_vain(&store, &ann, "q2").await;
    ask(&store, &ann, "q3").await.expect("asked");
    let opening = asking("q3", false).answer;
    let pieces = Vec::new();
    let unfinished = OpenAnswer { owner: ann.clone(), session: id("s"), request: request("q3"), opening, pieces };
    assert_eq!(store.unfinished(Timestamp::MAX).await, Ok(vec![unfinished.clone()]));
    assert_eq!(store.open_answer(&ann, &answer_to("q3")).await, Ok(Some(unfinished)));
    assert_eq!(store.open_answer(&ann, &answer_to("q1")).await, Ok(None));
    let page = store.messages(&ann, &id("s"), None, 9).await.expect("a page");
    assert_eq!(names(&page), ["q1", "answer-q1", "q2", "q3"], "nobody sees what is open");
    drop_answer(&store, &ann, "q3").await.expect("closed");
    assert_eq!(drop_answer(&store, &ann, "q3").await, Err(StoreError::NotOpen));
    assert_eq!(open(&store).await, []);
}

pub(crate) async fn an_answer_that_is_kept_frees_its_session_before_it_is_settled(store: TheStore) {
    let ann = owner("ann");
    with_sessions(&store, &ann, &["s"]).await;
    ask(&store, &ann, "q").await.expect("asked");
    let answer = Message { message_id: answer_to("q"), ..message("q", Role::Assistant) };
    keep(&store, &ann, &answer, false).await.expect("kept");
    assert_eq!(open(&store).await, [answer_to("q")]);
    assert_eq!(store.open_in(&ann, &id("s")).await, Ok(None));
    assert_eq!(store.answer(&ann, &answer_to("q")).await, Ok(Some((id("s"), answer.clone()))));
    ask(&store, &ann, "r").await.expect("the session is free");
    drop_answer(&store, &ann, "q").await.expect("settled");
    assert_eq!(open(&store).await, [answer_to("r")]);
    assert_eq!(store.answer(&ann, &answer_to("q")).await, Ok(Some((id("s"), answer))), "as it was kept");
}

pub(crate) async fn an_answer_under_way_outlives_its_session_without_its_text(store: TheStore) {
    let ann = owner("ann");
    with_sessions(&store, &ann, &["s"]).await;
    ask(&store, &ann, "q").await.expect("asked");
    let checkpoint = |seq| Checkpoint { at: LATE, model: "m".into(), pieces: vec![text(seq, 0, "secret")] };
    store.checkpoint(&ann, &id("s"), &answer_to("q"), checkpoint(1)).await.expect("kept");
    store.delete_session(&ann, &id("s")).await.expect("deleted");
    store.checkpoint(&ann, &id("s"), &answer_to("q"), checkpoint(2)).await.expect("nothing is kept");
    let unfinished = store.unfinished(Timestamp::MAX).await.expect("unfinished");
    assert_eq!(unfinished.iter().map(|answer| answer.pieces.len()).collect::<Vec<_>>(), [0]);
    with_sessions(&store, &ann, &["s"]).await;
    assert_eq!(store.open_in(&ann, &id("s")).await, Ok(None));
    answer(&store, &ann, "q").await;
    assert_eq!(open(&store).await, []);
    let page = store.messages(&ann, &id("s"), None, 9).await.expect("a page");
    assert_eq!(names(&page), [""; 0], "it does not turn up in a session that is another one of the same id");
    assert_eq!(store.answer(&ann, &answer_to("q")).await, Ok(None));
}

pub(crate) async fn an_answer_is_asked_to_stop_by_any_process(store: TheStore) {
    let ann = owner("ann");
    with_sessions(&store, &ann, &["s"]).await;
    ask(&store, &ann, "q").await.expect("asked");
    let goes_on = async |name: &str| {
        let checkpoint = Checkpoint { at: LATE, model: "m".into(), pieces: Vec::new() };
        store.checkpoint(&ann, &id("s"), &answer_to(name), checkpoint).await
    };
    let wishes = |is_to_stop| Ok(Wishes { is_to_stop, decisions: Vec::new() });
    assert_eq!(goes_on("q").await, wishes(false));
    assert_eq!(store.ask_to_stop(&ann, &answer_to("q")).await, Ok(true));
    assert_eq!(goes_on("q").await, wishes(true));
    answer(&store, &ann, "q").await;
    assert_eq!(store.ask_to_stop(&ann, &answer_to("q")).await, Ok(false));
    assert_eq!(goes_on("q").await, wishes(false));
}

pub(crate) async fn checkpoints_are_joined_in_their_order(store: TheStore) {
    let ann = owner("ann");
    with_sessions(&store, &ann, &["s"]).await;
    ask(&store, &ann, "q").await.expect("asked");
    let keep = async |model: &str, pieces| {
        let checkpoint = Checkpoint { at: LATE, model: model.into(), pieces };
        store.checkpoint(&ann, &id("s"), &answer_to("q"), checkpoint).await.expect("kept");
    };
    let reasoning = Piece { seq: 4, reasoning: true, part: 0, text: "hm ".into(), call: None };
    keep("first", vec![reasoning.clone(), text(9, 1, "a")]).await;
    keep("second", vec![text(10, 1, "b🙂"), text(11, 2, "c")]).await;
    keep("second", Vec::new()).await;
    keep("second", vec![text(100, 2, "d")]).await;
    let call = |seq, status| Piece { seq, call: Some(tool_use(status)), ..text(0, 2, "") };
    keep("second", vec![call(101, ToolStatus::Preparing), call(102, ToolStatus::Running)]).await;
    keep("second", vec![call(103, ToolStatus::Succeeded), text(104, 2, "e")]).await;
    keep("second", vec![text(105, 2, "f")]).await;
    let open_answer = store.open_answer(&ann, &answer_to("q")).await.expect("looked for").expect("open");
    let texts = [reasoning, text(10, 1, "ab🙂"), text(100, 2, "cd")];
    let calls = [call(101, ToolStatus::Preparing), call(102, ToolStatus::Running), call(103, ToolStatus::Succeeded)];
    assert_eq!(open_answer.pieces, [&texts[..], &calls, &[text(105, 2, "ef")]].concat());
    assert_eq!(open_answer.opening.model, "second");
    assert_eq!(store.unfinished(Timestamp::MAX).await, Ok(vec![open_answer]));
    answer(&store, &ann, "q").await;
    keep("second", vec![text(106, 2, "late")]).await;
    assert_eq!(open(&store).await, [], "an answer that is settled takes nothing more");
}

pub(crate) async fn what_is_asked_at_the_same_time_is_all_kept(store: TheStore) {
    let ann = owner("ann");
    let session = |n: usize| id(&format!("s{}", n / 2));
    for n in (0..100).step_by(2) {
        store.ensure_session(&ann, new_session(session(n), None, None, EARLY)).await.expect("a session");
    }
    let asking = (0..100).map(|n| {
        let (store, ann) = (store.clone(), ann.clone());
        // Each twice: one of the two has it.
        tokio::spawn(async move { store.ask(&ann, &session(n), asking(&format!("q{}", n / 2), false)).await })
    });
    let mut results = Vec::new();
    for task in asking.collect::<Vec<_>>() {
        results.push(task.await.expect("no panic"));
    }
    let taken = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!(taken, 50);
    assert!(results.iter().all(|result| matches!(result, Ok(()) | Err(StoreError::AskedBefore))), "{results:?}");
    for n in (0..100).step_by(2) {
        assert_eq!(store.session(&ann, &session(n)).await.expect("a session").message_count, 1);
    }
    assert_eq!(open(&store).await.len(), 50);
}

pub(crate) async fn what_was_revoked_is_known_until_it_may_be_forgotten(store: TheStore) {
    let time = Timestamp::from_unix_ms;
    let revocation = |what, at, until| Revocation { what, at: time(at), until: time(until) };
    // DynamoDB deletes what expired long ago, so that none of the times is.
    let start = 4_000_000_000_000;
    let all = [
        revocation(Revoked::Token { organization: "o".into(), id: "a#b %".into() }, start, start + 10_000),
        revocation(Revoked::User(owner("ann")), start, start + 30_000),
        revocation(Revoked::Organization("ü".into()), start + 5_000, start + 30_000),
    ];
    for one in &all {
        store.revoke(one.clone()).await.expect("revoked");
    }
    let known = async |since, now| {
        let mut known = store.revocations(time(since), time(now)).await.expect("revocations");
        known.sort_by(|a, b| a.what.cmp(&b.what));
        known
    };
    assert_eq!(known(0, start).await, all);
    assert_eq!(known(start, start + 9_999).await, all);
    assert_eq!(known(start, start + 10_000).await, all[1..]);
    assert_eq!(known(start + 1, start).await, all[2..]);
    assert_eq!(known(0, start + 30_000).await, []);
}
