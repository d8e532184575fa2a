//! A message in the place of another, and a question that is asked again.

use bedrock_emulator::{Behaviour, Config, ErrorType, Fault, Script, Step};
use serde_json::{Value, json};

use crate::common::{
    Answer, Client, Proxy,
    tokens::{WITH_TOKENS, client_of, token_of},
};

/// Answers "answer 1", "answer 2" and so on.
fn numbered() -> Script {
    (1..=9).fold(Script::new(), |script, call| {
        script.step(Step::of(Behaviour::text(format!("answer {call}"))).when_call(call))
    })
}

/// A proxy with the session "s", in which so many questions were answered.
async fn talked(flags: &[&str], questions: u32) -> (Proxy, Client) {
    let proxy = Proxy::with(flags, numbered()).await;
    let mut client = proxy.connect().await;
    for n in 1..=questions {
        let answer = client.chat(&format!("q{n}"), "s", &format!("question {n}")).await;
        assert_eq!(answer.end.kind, "chat.message_complete", "{:?}", answer.end);
    }
    (proxy, client)
}

async fn regenerate(client: &mut Client, id: &str, message: &str) -> Answer {
    client.send(id, "chat.regenerate", json!({ "sessionId": "s", "messageId": message, "streaming": true })).await;
    client.answer().await
}

fn instead(replaces: &str, message: &str) -> Value {
    json!({ "sessionId": "s", "message": message, "streaming": true, "replaces": replaces })
}

async fn say_instead(client: &mut Client, id: &str, replaces: &str, message: &str) -> Answer {
    client.send(id, "chat.send_message", instead(replaces, message)).await;
    client.answer().await
}

async fn texts(client: &mut Client) -> Vec<String> {
    let history = client.history("s").await;
    let messages = history["messages"].as_array().expect("messages");
    messages.iter().map(|message| message["content"].as_str().expect("text").to_owned()).collect()
}

/// The id of the `n`th message.
async fn id_of(client: &mut Client, n: usize) -> String {
    client.history("s").await["messages"][n]["messageId"].as_str().expect("an id").to_owned()
}

/// The texts of all messages in the latest call.
fn sent(proxy: &Proxy) -> Vec<String> {
    let request = proxy.emulator.ledger().pop().expect("a call").request;
    let content = |message: &Value| message["content"][0]["text"].as_str().expect("text").to_owned();
    request["messages"].as_array().expect("messages").iter().map(content).collect()
}

#[tokio::test]
async fn a_question_is_asked_again_and_its_answer_gives_way() {
    let (proxy, mut client) = talked(&[], 2).await;
    let first = id_of(&mut client, 3).await;
    let second = regenerate(&mut client, "r", &first).await;
    assert_eq!((second.text.as_str(), second.end.id.as_str()), ("answer 3", "r"));
    assert_eq!(sent(&proxy), ["question 1", "answer 1", "question 2"], "what gave way is not sent");
    assert_eq!(texts(&mut client).await, ["question 1", "answer 1", "question 2", "answer 3"]);
    // In the middle, whole, and for another model.
    let middle = id_of(&mut client, 1).await;
    let data = json!({ "sessionId": "s", "messageId": middle });
    let whole = client.ask("w", "chat.regenerate", data).await.expect("chat.message_response");
    assert_eq!(whole["message"]["content"], "answer 4");
    assert_eq!(sent(&proxy), ["question 1"]);
    assert_eq!(texts(&mut client).await, ["question 1", "answer 4"]);
    let usage = client.ask("u", "chat.get_usage", json!({ "groupBy": "user" })).await.expect("usage");
    assert_eq!(usage["rows"][0]["turns"], 4, "what they cost counts all the same: {usage}");
}

#[tokio::test]
async fn the_same_request_again_is_the_same_answer_also_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().to_str().expect("a path");
    let flags = ["--store", "sqlite", "--data-dir", data];
    let (mut proxy, mut client) = talked(&flags, 2).await;
    let (question, answer) = (id_of(&mut client, 0).await, id_of(&mut client, 3).await);
    let again = regenerate(&mut client, "r", &answer).await;
    assert_eq!(regenerate(&mut client, "r", &answer).await.message_id(), again.message_id());
    let instead = say_instead(&mut client, "m", &question, "another question").await;
    let calls = proxy.emulator.ledger().len();
    let same = async |client: &mut Client| {
        // It was replaced, with all that came after the question.
        assert!(regenerate(client, "r", &answer).await.error("interrupted").contains("replaced"));
        assert_eq!(say_instead(client, "m", &question, "another question").await.message_id(), instead.message_id());
        let other = say_instead(client, "m", &question, "something else").await;
        assert!(other.error("invalid_request").contains("used for another message"));
    };
    same(&mut client).await;
    assert_eq!(proxy.emulator.ledger().len(), calls, "nothing more is asked of Bedrock");
    proxy.stop();
    drop(client);
    proxy.stopped().await;
    let proxy = Proxy::over(&flags, Config { script: Script::new(), ..Config::unpaced() }).await;
    let mut client = proxy.connect().await;
    same(&mut client).await;
    assert_eq!(texts(&mut client).await, ["another question", "answer 4"]);
    assert_eq!(proxy.emulator.ledger().len(), 0);
}

#[tokio::test]
async fn a_message_takes_the_place_of_a_question_and_of_all_after_it() {
    let (proxy, mut client) = talked(&[], 3).await;
    let history = client.history("s").await;
    let [question, gone] = [2, 5].map(|n| history["messages"][n]["messageId"].as_str().expect("an id"));
    let answer = say_instead(&mut client, "r", question, "another question").await;
    assert_eq!(answer.text, "answer 4");
    assert_eq!(sent(&proxy), ["question 1", "answer 1", "another question"]);
    assert_eq!(texts(&mut client).await, ["question 1", "answer 1", "another question", "answer 4"]);
    // Nobody can follow, replace or ask for what gave way.
    let (code, _) = client.ask("f", "chat.resume", json!({ "messageId": gone })).await.expect_err("gone");
    assert_eq!(code, "session_not_found");
    assert!(say_instead(&mut client, "x", question, "hi").await.error("invalid_request").contains("history"));
    assert!(regenerate(&mut client, "y", gone).await.error("invalid_request").contains("history"));
    assert!(client.chat("q2", "s", "question 2").await.error("interrupted").contains("replaced"));
    let next = client.chat("q4", "s", "question 4").await;
    assert_eq!((next.text.as_str(), sent(&proxy).len()), ("answer 5", 5));
}

#[tokio::test]
async fn what_is_not_there_to_give_way_is_refused_and_leaves_everything() {
    let (proxy, mut client) = talked(&[], 1).await;
    let (question, answer) = (id_of(&mut client, 0).await, id_of(&mut client, 1).await);
    for (n, replaces) in [answer.as_str(), "nobody"].iter().enumerate() {
        let refused = say_instead(&mut client, &format!("m{n}"), replaces, "hi").await;
        assert!(refused.error("invalid_request").contains("no question of this session"), "{:?}", refused.end);
    }
    for (n, message) in [question.as_str(), "nobody"].iter().enumerate() {
        let refused = regenerate(&mut client, &format!("r{n}"), message).await;
        assert!(refused.error("invalid_request").contains("no answer of this session"), "{:?}", refused.end);
    }
    client.chat("q", "t", "hi").await;
    for (kind, data) in [
        ("chat.send_message", json!({ "sessionId": "t", "message": "hi", "replaces": question })),
        ("chat.regenerate", json!({ "sessionId": "t", "messageId": answer })),
    ] {
        assert_eq!(client.ask(kind, kind, data).await.expect_err("of another session").0, "invalid_request");
    }
    let data = json!({ "sessionId": "new", "message": "hi", "replaces": question });
    assert_eq!(client.ask("n", "chat.send_message", data).await.expect_err("no such session").0, "session_not_found");
    let sessions = client.ask("l", "chat.list_sessions", json!({})).await.expect("sessions");
    assert_eq!(sessions["sessions"].as_array().expect("sessions").len(), 2, "nor is one made");
    assert_eq!(texts(&mut client).await, ["question 1", "answer 1"]);
    assert_eq!(proxy.emulator.ledger().len(), 2);
}

#[tokio::test]
async fn what_is_refused_by_a_limit_leaves_everything() {
    let flags = [&WITH_TOKENS[..], &["--user-messages-per-minute", "2"]].concat();
    let limited = Proxy::with(&flags, numbered()).await;
    let poor = Proxy::with(&["--budgets", "user/day=1200tokens", "--max-tokens", "1000"], numbered()).await;
    let ann = client_of(&limited, &token_of("acme", "ann")).await;
    for (mut client, code) in [(ann, "rate_limited"), (poor.connect().await, "budget_exceeded")] {
        for n in ["1", "2"] {
            assert_eq!(client.chat(n, "s", "hi").await.end.kind, "chat.message_complete");
        }
        let (question, answer) = (id_of(&mut client, 0).await, id_of(&mut client, 1).await);
        let before = client.history("s").await;
        let long = "a long question ".repeat(100);
        if code == "rate_limited" {
            regenerate(&mut client, "r", &answer).await.error(code);
        }
        say_instead(&mut client, "m", &question, &long).await.error(code);
        assert_eq!(client.history("s").await, before, "{code}");
    }
}

#[tokio::test]
async fn a_session_with_an_answer_under_way_refuses_both() {
    let proxy = Proxy::with(&[], Script::new()).await;
    let mut client = proxy.connect().await;
    client.chat("q1", "s", "/length 5 hi").await;
    let (question, answer) = (id_of(&mut client, 0).await, id_of(&mut client, 1).await);
    client.send_message("q2", "s", "/pace 20 /length 20000 Go on", true).await;
    client.frame().await;
    let mut other = proxy.connect().await;
    for (kind, data) in [
        ("chat.send_message", instead(&question, "hi")),
        ("chat.regenerate", json!({ "sessionId": "s", "messageId": answer })),
    ] {
        let (code, text) = other.ask("r", kind, data).await.expect_err("busy");
        assert!(code == "invalid_request" && text.contains("stop it"), "{code} {text}");
    }
    assert_eq!(texts(&mut other).await.len(), 3);
}

#[tokio::test]
async fn a_stopped_answer_gives_way_even_while_its_call_is_read_to_its_end() {
    for on_stop in ["drain", "abort"] {
        let proxy = Proxy::with(&["--on-stop", on_stop], Script::new()).await;
        let mut client = proxy.connect().await;
        let mut other = proxy.connect().await;
        client.send_message("q", "s", "/pace 100 /length 100 Go on", true).await;
        let stopped = client.frame().await.str("messageId").to_owned();
        other.send("c", "chat.cancel", json!({ "messageId": stopped })).await;
        let mut asking = proxy.connect().await;
        let again = json!({ "sessionId": "s", "messageId": stopped });
        let answer = asking.ask("r", "chat.regenerate", again).await.expect("chat.message_response");
        assert_ne!(answer["message"]["messageId"], stopped);
        let end = loop {
            let frame = other.frame().await;
            if frame.kind != "chat.status" {
                break frame;
            }
        };
        assert_eq!((end.str("messageId"), end.str("stopReason")), (stopped.as_str(), "cancelled"), "{on_stop}");
        let kept = asking.history("s").await;
        assert_eq!(kept["messages"].as_array().expect("messages").len(), 2, "{on_stop}: {kept}");
        assert_eq!(kept["messages"][1]["messageId"], answer["message"]["messageId"]);
        let gone = asking.ask("f", "chat.resume", json!({ "messageId": stopped })).await;
        assert_eq!(gone.expect_err("gone").0, "session_not_found", "{on_stop}");
    }
}

#[tokio::test]
async fn a_failed_answer_is_asked_for_again_whether_anything_of_it_came_or_not() {
    let nothing = Fault::ErrorBefore { error: ErrorType::AccessDenied, message: None, times: None };
    let part = Behaviour::text("half an").with_fault(Fault::NoMetadata);
    for (failing, code, kept) in [
        (Behaviour::fault(nothing), "model_access_denied", vec!["question 1", "answer 1", "hello"]),
        (part, "upstream_stream_error", vec!["question 1", "answer 1", "hello", "half an"]),
    ] {
        let script = Script::new()
            .step(Step::of(Behaviour::text("answer 1")).when_call(1))
            .step(Step::of(failing).when_call(2))
            .step(Step::of(Behaviour::text("answer 3")).when_call(3));
        let proxy = Proxy::with(&[], script).await;
        let mut client = proxy.connect().await;
        client.chat("q1", "s", "question 1").await;
        let failed = client.chat("q2", "s", "hello").await;
        failed.error(code);
        assert_eq!(texts(&mut client).await, kept);
        let answer = regenerate(&mut client, "r", failed.message_id()).await;
        assert_eq!(answer.text, "answer 3", "{:?}", answer.end);
        assert_eq!(sent(&proxy), ["question 1", "answer 1", "hello"]);
        assert_eq!(texts(&mut client).await, ["question 1", "answer 1", "hello", "answer 3"]);
        regenerate(&mut client, "r2", failed.message_id()).await.error("invalid_request");
    }
}

#[tokio::test]
async fn files_are_sent_again_out_of_the_store_and_with_what_gives_way_they_are_gone() {
    let folder = tempfile::tempdir().expect("a folder");
    let flags = ["--store", "sqlite", "--data-dir", folder.path().to_str().expect("a path")];
    let proxy = Proxy::with(&flags, numbered()).await;
    let mut client = proxy.connect().await;
    let file = json!({ "name": "notes.md", "mediaType": "text/markdown", "data": "VGhlIHJpdmVyIGlzIGhpZ2gu" });
    let data = json!({ "sessionId": "s", "message": "what is this?", "streaming": true, "attachments": [file] });
    client.send("q", "chat.send_message", data).await;
    let first = client.answer().await;
    let document = |proxy: &Proxy| {
        let request = proxy.emulator.ledger().pop().expect("a call").request;
        request["messages"][0]["content"][0]["document"].clone()
    };
    let sent_first = document(&proxy);
    assert!(sent_first["source"]["bytes"].is_string(), "{sent_first}");
    regenerate(&mut client, "r", first.message_id()).await;
    assert_eq!(document(&proxy), sent_first);
    let question = client.history("s").await["messages"][0].clone();
    assert_eq!((&question["attachments"][0]["name"], &question["requestId"]), (&json!("notes.md"), &json!("r")));
    let question = question["messageId"].as_str().expect("an id").to_owned();
    say_instead(&mut client, "m", &question, "what is this?").await;
    assert_eq!(sent(&proxy), ["what is this?"]);
    assert_eq!(client.history("s").await["messages"][0].get("attachments"), None);
}
