//! What every store has to do where messages give way to another.

use outcrop_proxy::{
    principal::Owner,
    store::{Amount, Ask, Asked, Closing, Fingerprint, Opening, Reservation, StoreError},
};
use protocol::{Message, MessageId, Role};

use crate::{
    conformance::{
        LATE, TheStore, answer, answer_to, ask, asking, drop_answer, id, keep_all, message, message_id, owner, request,
        with_sessions,
    },
    money::account,
};

/// A test for each of the functions below, as in `conformance`.
macro_rules! replacing {
    ($open:expr) => {
        $crate::replacing::replacing!($open;
            a_question_gives_way_to_another_with_all_that_came_after_it,
            an_answer_gives_way_and_its_question_is_asked_again,
            an_answer_without_a_message_has_none_that_gives_way,
            a_long_conversation_gives_way_at_once,
            what_is_not_taken_leaves_everything_as_it_was,
            a_stopped_answer_that_gave_way_does_not_come_back_when_it_is_settled,
            pages_and_conversations_pass_over_what_gave_way,
        );
    };
    ($open:expr; $($name:ident,)*) => {
        $(#[tokio::test]
        async fn $name() {
            let (store, _alive) = $open.await;
            $crate::replacing::$name(store).await;
        })*
    };
}
pub(crate) use replacing;

/// Ann's session with these questions and an answer to each.
async fn conversation(store: &TheStore, questions: &[&str]) -> Owner {
    let ann = owner("ann");
    with_sessions(store, &ann, &["s"]).await;
    for name in questions {
        ask(store, &ann, name).await.expect("asked");
        answer(store, &ann, name).await;
    }
    ann
}

/// The question `name` in the place of `first`.
fn in_place_of(first: &MessageId, name: &str) -> Ask {
    Ask { replaces: Some(first.clone()), ..asking(name, false) }
}

/// The question of the answer `first` once more, under the id `name`.
fn again(first: &MessageId, name: &str) -> Ask {
    Ask { replaces: Some(first.clone()), ..asking(name, true) }
}

/// The ids of all messages of the session, which are as many as it says.
async fn kept(store: &TheStore, owner: &Owner) -> Vec<String> {
    let page = store.messages(owner, &id("s"), None, 500).await.expect("a page");
    let names: Vec<_> = page.items.iter().map(|message| message.message_id.to_string()).collect();
    let conversation = store.conversation(owner, &id("s"), None, 500).await.expect("a conversation");
    assert_eq!(conversation.iter().map(|kept| kept.message.message_id.to_string()).collect::<Vec<_>>(), names);
    assert_eq!(store.session(owner, &id("s")).await.expect("a session").message_count as usize, names.len());
    names
}

pub(crate) async fn a_question_gives_way_to_another_with_all_that_came_after_it(store: TheStore) {
    let ann = conversation(&store, &["q1", "q2", "q3"]).await;
    store.ask(&ann, &id("s"), in_place_of(&message_id("q2"), "r2")).await.expect("asked");
    assert_eq!(kept(&store, &ann).await, ["q1", "answer-q1", "r2"]);
    assert_eq!(store.open_in(&ann, &id("s")).await, Ok(Some(answer_to("r2"))));
    for gone in ["q2", "q3"] {
        assert_eq!(store.answer(&ann, &answer_to(gone)).await, Ok(None));
        let asked = store.asked(&ann, &id("s"), &request(gone)).await.expect("read");
        assert_eq!(asked.map(|asked| asked.answer), Some(answer_to(gone)), "its id stays known");
    }
    let replaced = answer(&store, &ann, "r2").await;
    assert_eq!(store.answer(&ann, &answer_to("r2")).await, Ok(Some((id("s"), replaced))));
    store.ask(&ann, &id("s"), in_place_of(&message_id("r2"), "r3")).await.expect("asked");
    answer(&store, &ann, "r3").await;
    assert_eq!(kept(&store, &ann).await, ["q1", "answer-q1", "r3", "answer-r3"]);
    store.ask(&ann, &id("s"), in_place_of(&message_id("q1"), "r1")).await.expect("asked");
    answer(&store, &ann, "r1").await;
    ask(&store, &ann, "q4").await.expect("asked");
    assert_eq!(kept(&store, &ann).await, ["r1", "answer-r1", "q4"], "it goes on");
    let title = store.session(&ann, &id("s")).await.expect("a session").title;
    assert_eq!(title.as_deref(), Some("text of q1"), "the first one gave it");
}

pub(crate) async fn an_answer_gives_way_and_its_question_is_asked_again(store: TheStore) {
    let ann = conversation(&store, &["q1", "q2"]).await;
    for (gone, name, left) in [
        (answer_to("q2"), "r1", ["q1", "answer-q1", "q2", "answer-r1"].as_slice()),
        (answer_to("r1"), "r2", ["q1", "answer-q1", "q2", "answer-r2"].as_slice()),
        (answer_to("q1"), "r3", ["q1", "answer-r3"].as_slice()),
    ] {
        store.ask(&ann, &id("s"), again(&gone, name)).await.expect("asked");
        let without = &left[..left.len() - 1];
        assert_eq!(kept(&store, &ann).await, without);
        let question = store.messages(&ann, &id("s"), None, 1).await.expect("a page").items.pop().expect("a question");
        assert_eq!((question.role, question.request_id), (Role::User, Some(request(name))), "under its latest id");
        answer(&store, &ann, name).await;
        assert_eq!(kept(&store, &ann).await, left);
    }
}

pub(crate) async fn an_answer_without_a_message_has_none_that_gives_way(store: TheStore) {
    let ann = conversation(&store, &["q1"]).await;
    store.ask(&ann, &id("s"), again(&answer_to("q1"), "r1")).await.expect("asked");
    drop_answer(&store, &ann, "r1").await.expect("it failed before anything came");
    assert_eq!(kept(&store, &ann).await, ["q1"]);
    assert_eq!(store.ask(&ann, &id("s"), again(&answer_to("r1"), "r2")).await, Err(StoreError::MessageNotFound));
    store.ask(&ann, &id("s"), asking("r2", true)).await.expect("asked");
    let page = store.messages(&ann, &id("s"), None, 9).await.expect("a page");
    assert_eq!(page.items[0].request_id, Some(request("r2")));
    answer(&store, &ann, "r2").await;
    assert_eq!(kept(&store, &ann).await, ["q1", "answer-r2"]);
}

pub(crate) async fn a_long_conversation_gives_way_at_once(store: TheStore) {
    let names: Vec<_> = (0..80).map(|n| format!("q{n}")).collect();
    let ann = conversation(&store, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!(kept(&store, &ann).await.len(), 160);
    store.ask(&ann, &id("s"), in_place_of(&message_id("q1"), "r")).await.expect("asked");
    answer(&store, &ann, "r").await;
    assert_eq!(kept(&store, &ann).await, ["q0", "answer-q0", "r", "answer-r"]);
}

pub(crate) async fn what_is_not_taken_leaves_everything_as_it_was(store: TheStore) {
    let ann = conversation(&store, &["q1", "q2"]).await;
    let bob = owner("bob");
    with_sessions(&store, &bob, &["s"]).await;
    with_sessions(&store, &ann, &["t"]).await;
    let before = (kept(&store, &ann).await, store.session(&ann, &id("s")).await);
    let unchanged = async || assert_eq!((kept(&store, &ann).await, store.session(&ann, &id("s")).await), before);
    for (owner, session, ask) in [
        (&ann, "s", in_place_of(&message_id("nobody"), "r")),
        (&ann, "s", in_place_of(&answer_to("q1"), "r")),
        (&ann, "s", again(&message_id("q1"), "r")),
        (&ann, "s", again(&answer_to("nobody"), "r")),
        (&ann, "t", in_place_of(&message_id("q1"), "r")),
        (&ann, "t", again(&answer_to("q1"), "r")),
        (&bob, "s", in_place_of(&message_id("q1"), "r")),
        (&bob, "s", again(&answer_to("q1"), "r")),
    ] {
        assert_eq!(store.ask(owner, &id(session), ask).await, Err(StoreError::MessageNotFound));
        assert_eq!(store.asked(owner, &id(session), &request("r")).await, Ok(None), "nothing was asked");
    }
    unchanged().await;
    assert_eq!(
        store.ask(&ann, &id("s"), in_place_of(&message_id("q1"), "q2")).await,
        Err(StoreError::AskedBefore),
        "an id is used once"
    );
    unchanged().await;
    let too_much =
        Reservation { amount: Amount { nano_usd: 0, tokens: 7 }, accounts: vec![account("user", None, Some(6))] };
    let ask = in_place_of(&message_id("q1"), "r");
    let ask = Ask { answer: Opening { reservation: too_much, ..ask.answer }, ..ask };
    assert!(matches!(store.ask(&ann, &id("s"), ask).await, Err(StoreError::OverBudget(..))));
    unchanged().await;
    let there = store.conversation(&ann, &id("s"), Some(&message_id("nobody")), 9).await;
    assert_eq!(there, Err(StoreError::MessageNotFound));
    store.ask(&ann, &id("s"), asking("q3", false)).await.expect("asked");
    let busy = store.ask(&ann, &id("s"), in_place_of(&message_id("q1"), "r")).await;
    assert_eq!(busy, Err(StoreError::SessionBusy));
    assert_eq!(kept(&store, &ann).await.len(), 5);
}

pub(crate) async fn a_stopped_answer_that_gave_way_does_not_come_back_when_it_is_settled(store: TheStore) {
    let ann = conversation(&store, &["q1"]).await;
    for (name, in_its_place) in [("q2", true), ("q3", false)] {
        ask(&store, &ann, name).await.expect("asked");
        let stopped = Message { message_id: answer_to(name), ..message(name, Role::Assistant) };
        keep_all(&store, &ann, &stopped.clone().into(), false).await.expect("kept");
        let then = format!("{name}-then");
        let ask = match in_its_place {
            true => again(&answer_to(name), &then),
            false => in_place_of(&message_id(name), &then),
        };
        store.ask(&ann, &id("s"), ask).await.expect("asked");
        let before = kept(&store, &ann).await;
        keep_all(&store, &ann, &stopped.clone().into(), true).await.expect("settled");
        assert_eq!(kept(&store, &ann).await, before);
        assert_eq!(store.answer(&ann, &answer_to(name)).await, Ok(None));
        assert_eq!(keep_all(&store, &ann, &stopped.into(), true).await, Err(StoreError::NotOpen), "once");
        answer(&store, &ann, &then).await;
    }
    assert_eq!(kept(&store, &ann).await, ["q1", "answer-q1", "q2", "answer-q2-then", "q3-then", "answer-q3-then"]);
}

pub(crate) async fn pages_and_conversations_pass_over_what_gave_way(store: TheStore) {
    let ann = conversation(&store, &["q1", "q2"]).await;
    store.ask(&ann, &id("s"), again(&answer_to("q2"), "r")).await.expect("asked");
    answer(&store, &ann, "r").await;
    ask(&store, &ann, "q3").await.expect("asked");
    let closing = Closing { message: None, calls: Some(Vec::new()) };
    store.close(&ann, &id("s"), &answer_to("q3"), closing).await.expect("closed");
    let page = async |before: Option<&str>, limit| {
        let page = store.messages(&ann, &id("s"), before.map(message_id).as_ref(), limit).await.expect("a page");
        let names: Vec<_> = page.items.into_iter().map(|message| message.message_id.to_string()).collect();
        (names.join(" "), page.has_more)
    };
    assert_eq!(page(None, 2).await, ("answer-r q3".into(), true));
    assert_eq!(page(Some("answer-r"), 2).await, ("answer-q1 q2".into(), true));
    assert_eq!(page(Some("answer-q1"), 2).await, ("q1".into(), false));
    assert_eq!(page(Some("q3"), 4).await, ("q1 answer-q1 q2 answer-r".into(), false));
    let before = async |before: &str, limit| {
        let kept = store.conversation(&ann, &id("s"), Some(&message_id(before)), limit).await.expect("a conversation");
        kept.into_iter().map(|kept| kept.message.message_id.to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(before("answer-r", 2).await, "answer-q1 q2");
    assert_eq!(before("q3", 9).await, "q1 answer-q1 q2 answer-r");
    assert_eq!(before("q1", 9).await, "");
    let asked = Asked { fingerprint: asking("r", true).fingerprint, answer: answer_to("r") };
    assert_ne!(asked.fingerprint, Fingerprint::from_bytes([0; 32]));
    assert_eq!(store.asked(&ann, &id("s"), &request("r")).await, Ok(Some(asked)));
    assert!(store.unfinished(LATE).await.expect("unfinished").is_empty());
}
