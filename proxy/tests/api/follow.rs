//! A turn belongs to the proxy, not to a socket.

use bedrock_emulator::{Behaviour, Fault, Outcome};
use serde_json::json;

use crate::common::{Client, Proxy, STEADY};

fn words() -> String {
    (1..=300).map(|n| format!("{n} ")).collect()
}

/// A proxy whose answer takes a second and a half.
async fn steady() -> Proxy {
    Proxy::answering(Behaviour::text(words()).with_pace(STEADY)).await
}

/// Asks for an answer, reads the start of it and hangs up: the text and number it got to, and the answer's id.
async fn hang_up_in_the_middle(proxy: &Proxy) -> (String, u64, String) {
    let mut client = proxy.connect().await;
    client.send_message("r", "s", "count", true).await;
    let mut text = String::new();
    loop {
        let frame = client.frame().await;
        text.push_str(frame.str("content"));
        if frame.seq() >= 40 {
            assert_eq!(proxy.only_call().outcome, Outcome::Running, "the answer was over too soon");
            return (text, frame.seq(), frame.str("messageId").to_owned());
        }
    }
}

async fn resume(client: &mut Client, message_id: &str, after: u64) {
    client.send("resume", "chat.resume", json!({ "messageId": message_id, "after": after })).await;
}

#[tokio::test]
async fn a_client_that_comes_back_in_the_middle_gets_the_exact_rest() {
    let proxy = steady().await;
    let (text, seq, message_id) = hang_up_in_the_middle(&proxy).await;
    let mut client = proxy.connect().await;
    resume(&mut client, &message_id, seq).await;
    let rest = client.answer_after(seq).await;
    assert_eq!(text + &rest.text, words());
    assert_eq!((rest.end.kind.as_str(), rest.end.id.as_str()), ("chat.message_complete", "r"));
    assert!(rest.frames.iter().all(|frame| frame.id == "r"), "under the turn's first id");
    assert_eq!(proxy.only_call().outcome, Outcome::Completed);
}

#[tokio::test]
async fn an_answer_goes_on_with_nobody_there_and_is_there_when_somebody_comes() {
    let proxy = steady().await;
    let (text, seq, message_id) = hang_up_in_the_middle(&proxy).await;
    assert_eq!(proxy.ended_call().await.outcome, Outcome::Completed);
    let mut client = proxy.connect().await;
    resume(&mut client, &message_id, seq).await;
    let rest = client.answer_after(seq).await;
    assert_eq!(text + &rest.text, words());
    assert_eq!(proxy.history("s").await["messages"][1]["content"], words());
    // Any point will do: the start, the end, and the last event alone.
    let last = rest.end.seq();
    for after in [0, 1, last - 1] {
        resume(&mut client, &message_id, after).await;
        assert_eq!(client.answer_after(after).await.end, rest.end);
    }
}

#[tokio::test]
async fn any_number_of_sockets_follow_an_answer_and_all_get_it_whole() {
    let proxy = steady().await;
    let mut first = proxy.connect().await;
    first.send_message("r", "s", "count", true).await;
    let begun = first.frame().await;
    let message_id = begun.str("messageId").to_owned();
    let mut others = Vec::new();
    for _ in 0..5 {
        let mut client = proxy.connect().await;
        resume(&mut client, &message_id, 0).await;
        others.push(client);
    }
    let own = first.rest_of_answer(vec![begun]).await;
    assert_eq!(own.text, words());
    for mut client in others {
        let answer = client.answer().await;
        assert_eq!((answer.text, answer.end), (words(), own.end.clone()));
    }
}

#[tokio::test]
async fn the_same_request_again_attaches_and_never_calls_twice() {
    let proxy = steady().await;
    let (_, _, message_id) = hang_up_in_the_middle(&proxy).await;
    let mut client = proxy.connect().await;
    let again = client.chat("r", "s", "count").await;
    assert_eq!((again.text.as_str(), again.message_id()), (words().as_str(), message_id.as_str()));
    let after_its_end = client.chat("r", "s", "count").await;
    assert_eq!((after_its_end.text, after_its_end.end), (words(), again.end));
    assert_eq!(proxy.emulator.ledger().len(), 1);
    assert_eq!(proxy.history("s").await["messages"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn a_request_for_a_new_session_is_never_the_same_as_another() {
    let proxy = Proxy::start().await;
    let mut client = proxy.connect().await;
    let first = client.ask("r", "chat.send_message", json!({ "message": "hi" })).await.expect("an answer");
    let again = client.ask("r", "chat.send_message", json!({ "message": "hi" })).await.expect("an answer");
    assert_ne!(first["sessionId"], again["sessionId"]);
    assert_eq!(proxy.emulator.ledger().len(), 2);
}

#[tokio::test]
async fn the_same_id_with_another_body_is_refused() {
    let proxy = Proxy::start().await;
    let mut client = proxy.connect().await;
    client.chat("r", "s", "hello").await;
    for (message, streaming) in [("goodbye", true), ("hello", false)] {
        client.send_message("r", "s", message, streaming).await;
        let frame = client.frame().await;
        assert_eq!((frame.kind.as_str(), frame.str("code")), ("chat.error", "invalid_request"));
        assert!(frame.str("message").contains("id r was used for another message"), "{frame:?}");
    }
    client.chat("r", "another-session", "goodbye").await;
    assert_eq!(proxy.emulator.ledger().len(), 2);
}

#[tokio::test]
async fn a_session_has_one_answer_at_a_time() {
    let proxy = Proxy::answering(Behaviour::text("one two").with_fault(Fault::Silence { after_tokens: 1 })).await;
    let mut client = proxy.connect().await;
    client.send_message("r1", "s", "count", true).await;
    client.frame().await;
    client.send_message("r2", "s", "and more", true).await;
    let frame = client.frame().await;
    assert_eq!((frame.id.as_str(), frame.str("code")), ("r2", "invalid_request"));
    assert!(frame.str("message").contains("Wait for its end, or stop it"), "{frame:?}");
    proxy.only_call();
}

#[tokio::test]
async fn two_answers_share_a_socket() {
    let proxy = steady().await;
    let mut client = proxy.connect().await;
    client.send_message("r1", "s1", "count", true).await;
    client.send_message("r2", "s2", "count", true).await;
    let (mut texts, mut ends) = ([String::new(), String::new()], 0);
    while ends < 2 {
        let frame = client.frame().await;
        match frame.kind.as_str() {
            "chat.message_stream" => texts[usize::from(frame.id == "r2")].push_str(frame.str("content")),
            "chat.message_complete" => ends += 1,
            _ => panic!("{frame:?}"),
        }
    }
    assert_eq!(texts, [words(), words()]);
}

#[tokio::test]
async fn a_resume_after_the_end_gets_the_end_and_one_beyond_it_an_error() {
    let proxy = Proxy::start().await;
    let mut client = proxy.connect().await;
    let answer = client.chat("r", "s", "hi").await;
    let (message_id, last) = (answer.message_id().to_owned(), answer.end.seq());
    resume(&mut client, &message_id, last).await;
    let again = client.frame().await;
    assert_eq!((again.kind.as_str(), again.seq()), ("chat.message_complete", last));
    let beyond = json!({ "messageId": message_id, "after": last + 1 });
    let (code, _) = client.ask("x", "chat.resume", beyond).await.expect_err("an error");
    assert_eq!(code, "invalid_request");
}
