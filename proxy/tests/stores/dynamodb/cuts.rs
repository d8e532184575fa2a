//! What only this store has to do where messages give way to another: they are deleted after that.

use outcrop_proxy::store::{Ask, Closing, StoreError, dynamodb::LEASE};
use protocol::Message;

use super::{
    SERVER,
    faulty::{Fault, Faulty},
    special::{NOW, after, answer, answer_to, asking_at, kinds_in, session},
    store_at, store_in, table,
};
use crate::conformance::{TheStore, asking, message_id, owner, with_sessions};

async fn talk(store: &TheStore, names: &[&str], text: &str) {
    for name in names {
        let ask = asking_at(name, NOW);
        let question = ask.question.clone().expect("a question").message;
        let question = Message { content: text.to_owned(), ..question };
        let ask = Ask { question: Some(question.into()), ..ask };
        store.ask(&owner("ann"), &session("s"), ask).await.expect("asked");
        let closing = Closing { message: Some(answer(name, text).into()), calls: Some(Vec::new()) };
        store.close(&owner("ann"), &session("s"), &answer_to(name), closing).await.expect("closed");
    }
}

fn in_place_of(first: &str, name: &str) -> Ask {
    Ask { replaces: Some(message_id(first)), ..asking_at(name, NOW) }
}

async fn kept(store: &TheStore) -> Vec<String> {
    let page = store.messages(&owner("ann"), &session("s"), None, 99).await.expect("a page");
    page.items.into_iter().map(|message| message.message_id.to_string()).collect()
}

#[tokio::test]
async fn nothing_is_left_in_the_table_of_what_gave_way() {
    let table = table().await;
    let store = store_in(&table).await;
    let ann = owner("ann");
    with_sessions(&store, &ann, &["s"]).await;
    let long = "long".repeat(200_000);
    talk(&store, &["q1", "q2", "q3"], &long).await;
    store.ask(&ann, &session("s"), in_place_of("q1", "r")).await.expect("asked");
    let mut kinds = kinds_in(&table).await;
    kinds.retain(|kind| kind != "calls");
    // What was asked, four times, and the question.
    let conversation = vec!["conversation"; 4 + 1];
    assert_eq!(kinds, [conversation, vec!["days", "open", "owner", "place"]].concat());
}

#[tokio::test]
async fn what_gave_way_is_seen_no_more_and_deleted_by_another_proxy() {
    let table = table().await;
    let faulty = Faulty::before(&SERVER.url).await;
    let (here, there) = (store_at(&faulty.url, &table).await, store_in(&table).await);
    let ann = owner("ann");
    with_sessions(&here, &ann, &["s"]).await;
    talk(&here, &["q1", "q2", "q3"], "text").await;
    faulty.plan("BatchWriteItem", Fault::Denied, 1);
    here.ask(&ann, &session("s"), in_place_of("q2", "r")).await.expect("it is taken all the same");
    assert!(faulty.is_done());
    let closing = Closing { message: Some(answer("r", "text").into()), calls: Some(Vec::new()) };
    here.close(&ann, &session("s"), &answer_to("r"), closing).await.expect("closed");
    for store in [&here, &there] {
        assert_eq!(kept(store).await, ["q1", "answer-q1", "r", "answer-r"]);
        assert_eq!(store.answer(&ann, &answer_to("q2")).await, Ok(None));
        let again = store.ask(&ann, &session("s"), in_place_of("q3", "x")).await;
        assert_eq!(again, Err(StoreError::MessageNotFound));
    }
    let places = async || kinds_in(&table).await.iter().filter(|kind| *kind == "place").count();
    assert_eq!((places().await, kinds_in(&table).await.contains(&"deleting".to_owned())), (8, true));
    there.unfinished(NOW).await.expect("unfinished");
    assert_eq!((places().await, kinds_in(&table).await.contains(&"deleting".to_owned())), (4, false));
    assert_eq!(kept(&here).await, ["q1", "answer-q1", "r", "answer-r"]);
}

#[tokio::test]
async fn an_answer_that_was_left_open_does_not_come_after_its_question_gave_way() {
    let table = table().await;
    let (here, there) = (store_in(&table).await, store_in(&table).await);
    let ann = owner("ann");
    with_sessions(&here, &ann, &["s"]).await;
    here.ask(&ann, &session("s"), asking_at("q", NOW)).await.expect("asked");
    let ask = asking_at("r", after(LEASE));
    let ask = Ask { replaces: Some(message_id("q")), ..ask };
    there.ask(&ann, &session("s"), ask).await.expect("nobody answers any more");
    let late = Closing { message: Some(answer("q", "so far").into()), calls: Some(Vec::new()) };
    there.close(&ann, &session("s"), &answer_to("q"), late).await.expect("settled");
    assert_eq!(kept(&here).await, ["r"]);
    assert_eq!(here.open_in(&ann, &session("s")).await, Ok(Some(answer_to("r"))));
}

#[tokio::test]
async fn messages_give_way_once_where_the_reply_is_lost() {
    for fault in [Fault::Conflict, Fault::LostReply, Fault::LostReplyWithoutToken] {
        let table = table().await;
        let faulty = Faulty::before(&SERVER.url).await;
        let store = store_at(&faulty.url, &table).await;
        let ann = owner("ann");
        with_sessions(&store, &ann, &["s"]).await;
        talk(&store, &["q1", "q2"], "text").await;
        faulty.plan("TransactWriteItems", fault, 1);
        let ask = Ask { replaces: Some(answer_to("q1")), ..asking("r", true) };
        store.ask(&ann, &session("s"), ask).await.expect("asked");
        assert!(faulty.is_done());
        assert_eq!(kept(&store).await, ["q1"]);
        assert_eq!(store.session(&ann, &session("s")).await.expect("a session").message_count, 1, "{fault:?}");
        assert!(!kinds_in(&table).await.contains(&"deleting".to_owned()));
    }
}
