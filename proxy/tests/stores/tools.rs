//! What every store has to do for answers that call tools: what the model is sent, and what people decide.

use std::collections::BTreeSet;

use outcrop_proxy::{
    conversation::{Block, Turn},
    store::{Ask, Checkpoint, Kept, MAX_CONVERSATION_BYTES, MAX_DECISIONS, MAX_TURNS_BYTES, Wishes},
};
use protocol::{AttachmentInfo, Message, RawJson, Role};

use crate::conformance::{
    LATE, TheStore, answer, answer_to, ask, asking, decision, drop_answer, id, keep_all, message, owner, request, text,
    with_sessions,
};

/// A test for each of the functions below, as in `conformance`.
macro_rules! tools {
    ($open:expr) => {
        $crate::tools::tools!($open;
            the_first_decision_on_a_call_reaches_whoever_makes_the_answer,
            two_decisions_at_once_on_one_call_are_one,
            what_the_model_is_sent_is_kept_beside_the_message,
            a_conversation_is_no_longer_than_it_may_be,
        );
    };
    ($open:expr; $($name:ident,)*) => {
        $(#[tokio::test]
        async fn $name() {
            let (store, _alive) = $open.await;
            $crate::tools::$name(store).await;
        })*
    };
}
pub(crate) use tools;

/// Turns with every kind of block, of so many bytes as [`Kept::bytes`] counts them.
fn sent(bytes: usize) -> Vec<Turn> {
    let input = RawJson::new(r#"{"n":1}"#).expect("JSON");
    let image = Block::Image { format: "png".into(), data: vec![0, 255, 7] };
    let document = Block::Document { format: "pdf".into(), name: "report".into(), data: vec![1; 7] };
    let result = Block::ToolResult { id: "1".into(), content: vec![image.clone(), document.clone()], failed: true };
    let assistant = vec![
        Block::Reasoning { text: "hm".into(), signature: Some("s=".into()) },
        Block::Reasoning { text: "ä".into(), signature: None },
        Block::RedactedReasoning { data: vec![0, 1, 2] },
        Block::ToolUse { id: "1".into(), name: "files/read".into(), input },
    ];
    let rest = bytes - (2 + 2 + 2 + 3 + 7 + 3 + 7 + 3 + 7);
    // What JSON writes as it is, and what it writes as two characters.
    let text = "a\"".repeat(rest / 2) + &"a".repeat(rest % 2);
    vec![
        Turn { role: Role::Assistant, blocks: assistant },
        Turn { role: Role::User, blocks: vec![result, image, document, Block::Text { text }] },
    ]
}

pub(crate) async fn the_first_decision_on_a_call_reaches_whoever_makes_the_answer(store: TheStore) {
    let ann = owner("ann");
    with_sessions(&store, &ann, &["s"]).await;
    assert_eq!(store.decide(&ann, &answer_to("q"), decision("one", true)).await, Ok(false), "nothing is open");
    ask(&store, &ann, "q").await.expect("asked");
    let goes_on = async |pieces| {
        let checkpoint = Checkpoint { at: LATE, model: "m".into(), pieces };
        let Wishes { is_to_stop, mut decisions } =
            store.checkpoint(&ann, &id("s"), &answer_to("q"), checkpoint).await.expect("kept");
        decisions.sort();
        (is_to_stop, decisions)
    };
    assert_eq!(goes_on(Vec::new()).await, (false, Vec::new()));
    for (call, approved) in [("one", true), ("two-_2", false), ("one", false), ("two-_2", true), ("two-_2", false)] {
        assert_eq!(store.decide(&ann, &answer_to("q"), decision(call, approved)).await, Ok(true));
    }
    let both = vec![decision("one", true), decision("two-_2", false)];
    assert_eq!(goes_on(vec![text(1, 0, "text")]).await, (false, both.clone()));
    store.ask_to_stop(&ann, &answer_to("q")).await.expect("asked to stop");
    assert_eq!(goes_on(Vec::new()).await, (true, both), "all of them, every time");
    for n in 2..MAX_DECISIONS {
        assert_eq!(store.decide(&ann, &answer_to("q"), decision(&format!("call-{n}"), true)).await, Ok(true));
    }
    assert_eq!(store.decide(&ann, &answer_to("q"), decision("one-more", true)).await, Ok(false), "too many");
    assert_eq!(store.decide(&ann, &answer_to("q"), decision("one", true)).await, Ok(true), "it is decided");
    assert_eq!(goes_on(Vec::new()).await.1.len(), MAX_DECISIONS);
    answer(&store, &ann, "q").await;
    assert_eq!(store.decide(&ann, &answer_to("q"), decision("late", true)).await, Ok(false));
    assert_eq!(goes_on(Vec::new()).await, (false, Vec::new()));
}

pub(crate) async fn two_decisions_at_once_on_one_call_are_one(store: TheStore) {
    let ann = owner("ann");
    with_sessions(&store, &ann, &["s"]).await;
    ask(&store, &ann, "q").await.expect("asked");
    let deciding = (0..40).map(|n| {
        let (store, ann) = (store.clone(), ann.clone());
        let decision = decision(&format!("call-{}", n / 2), n % 2 == 0);
        tokio::spawn(async move { store.decide(&ann, &answer_to("q"), decision).await })
    });
    for task in deciding.collect::<Vec<_>>() {
        assert_eq!(task.await.expect("no panic"), Ok(true));
    }
    let checkpoint = Checkpoint { at: LATE, model: "m".into(), pieces: Vec::new() };
    let wishes = store.checkpoint(&ann, &id("s"), &answer_to("q"), checkpoint).await.expect("kept");
    let calls: BTreeSet<_> = wishes.decisions.iter().map(|decision| &decision.tool_use_id).collect();
    assert_eq!((wishes.decisions.len(), calls.len()), (20, 20));
}

pub(crate) async fn what_the_model_is_sent_is_kept_beside_the_message(store: TheStore) {
    let ann = owner("ann");
    with_sessions(&store, &ann, &["s"]).await;
    let attachments = vec![AttachmentInfo { name: "a.png".into(), media_type: "image/png".into(), bytes: 3 }];
    let question = Message { request_id: Some(request("q")), attachments, ..message("q", Role::User) };
    let question = Kept { message: question, turns: sent(1_000) };
    let ask_it = Ask { question: Some(question.clone()), ..asking("q", false) };
    store.ask(&ann, &id("s"), ask_it).await.expect("asked");
    assert_eq!(store.conversation(&ann, &id("s"), None, 9).await, Ok(vec![question.clone()]));
    drop_answer(&store, &ann, "q").await.expect("closed");
    store.ask(&ann, &id("s"), asking("again", true)).await.expect("asked again");
    let mut question = question;
    question.message.request_id = Some(request("again"));
    assert_eq!(
        store.conversation(&ann, &id("s"), None, 9).await,
        Ok(vec![question.clone()]),
        "as it was, under its latest id"
    );
    let answer = Message { message_id: answer_to("again"), ..message("a", Role::Assistant) };
    let first = Kept { message: answer, turns: Vec::new() };
    keep_all(&store, &ann, &first, false).await.expect("kept");
    assert_eq!(store.conversation(&ann, &id("s"), None, 9).await, Ok(vec![question.clone(), first.clone()]));
    let better = Kept { turns: sent(MAX_TURNS_BYTES - 100), ..first };
    assert!(better.bytes() <= MAX_TURNS_BYTES + better.message.content.len());
    keep_all(&store, &ann, &better, true).await.expect("replaced");
    let both = store.conversation(&ann, &id("s"), None, 2).await.expect("a conversation");
    assert!(both == [question.clone(), better.clone()], "as they were");
    assert!(
        store.conversation(&ann, &id("s"), None, 1).await.expect("a conversation") == [better.clone()],
        "the latest"
    );
    let page = store.messages(&ann, &id("s"), None, 9).await.expect("a page");
    assert_eq!(page.items, [question.message, better.message.clone()], "people see the messages alone");
    let found = store.answer(&ann, &better.message.message_id).await;
    assert_eq!(found, Ok(Some((id("s"), better.message))));
}

pub(crate) async fn a_conversation_is_no_longer_than_it_may_be(store: TheStore) {
    let ann = owner("ann");
    with_sessions(&store, &ann, &["s"]).await;
    for (name, bytes) in [("old", 1), ("long", MAX_CONVERSATION_BYTES), ("new", 1)] {
        let turn = Turn { role: Role::User, blocks: vec![Block::Text { text: "a".repeat(bytes) }] };
        let question = Kept { message: message(name, Role::User), turns: vec![turn] };
        store.ask(&ann, &id("s"), Ask { question: Some(question), ..asking(name, false) }).await.expect("asked");
        drop_answer(&store, &ann, name).await.expect("closed");
    }
    let conversation = store.conversation(&ann, &id("s"), None, 9).await.expect("a conversation");
    let names: Vec<_> = conversation.iter().map(|kept| kept.message.message_id.as_str()).collect();
    assert_eq!(names, ["new"], "nothing from before the one for which there is no room");
}
