//! What of a conversation reaches the model.

use bedrock_emulator::{Behaviour, ErrorType, Fault, Script, Step};
use serde_json::{Value, json};

use crate::common::{MODEL, Proxy};

const OPUS: &str = "us.anthropic.claude-opus-5-5";

/// The roles and texts of the messages in the last call's body.
fn sent(proxy: &Proxy) -> Vec<(String, String)> {
    let request = proxy.emulator.ledger().pop().expect("a call").request;
    let messages = request["messages"].as_array().expect("messages");
    messages
        .iter()
        .map(|message| {
            let content = message["content"].as_array().expect("content");
            assert_eq!(content.len(), 1, "{message}");
            (
                message["role"].as_str().expect("a role").to_owned(),
                content[0]["text"].as_str().expect("text").to_owned(),
            )
        })
        .collect()
}

fn echo() -> Script {
    (1..=9).fold(Script::new(), |script, call| {
        script.step(Step::of(Behaviour::text(format!("answer {call}"))).when_call(call))
    })
}

async fn converse(flags: &[&str], turns: u32, streaming: bool) -> Proxy {
    let proxy = Proxy::with(flags, echo()).await;
    let mut client = proxy.connect().await;
    for n in 1..=turns {
        let id = format!("r{n}");
        client.send_message(&id, "s", &format!("question {n}"), streaming).await;
        loop {
            let frame = client.frame().await;
            match frame.kind.as_str() {
                "chat.message_stream" => {}
                "chat.message_complete" | "chat.message_response" => break,
                _ => panic!("{frame:?}"),
            }
        }
    }
    proxy
}

#[tokio::test]
async fn the_model_reads_the_last_messages_in_whole_turns() {
    for streaming in [true, false] {
        let proxy = converse(&[], 7, streaming).await;
        let mut expected = Vec::new();
        for n in 3..=6 {
            expected.push(("user".to_owned(), format!("question {n}")));
            expected.push(("assistant".to_owned(), format!("answer {n}")));
        }
        expected.push(("user".to_owned(), "question 7".to_owned()));
        assert_eq!(sent(&proxy), expected, "13 messages are stored, the last 10 begin with an answer");
    }
}

#[tokio::test]
async fn a_question_is_stored_with_the_id_it_was_asked_under() {
    for streaming in [true, false] {
        let proxy = converse(&[], 2, streaming).await;
        let history = proxy.history("s").await;
        let messages = history["messages"].as_array().expect("messages");
        let ids: Vec<_> = messages.iter().map(|message| message.get("requestId").and_then(Value::as_str)).collect();
        assert_eq!(ids, [Some("r1"), None, Some("r2"), None]);
    }
}

#[tokio::test]
async fn how_much_it_reads_is_a_setting() {
    let proxy = converse(&["--history-messages", "1"], 2, true).await;
    assert_eq!(sent(&proxy), [("user".to_owned(), "question 2".to_owned())]);
    let proxy = converse(&["--history-messages", "3"], 3, true).await;
    assert_eq!(sent(&proxy).len(), 3);
}

#[tokio::test]
async fn sessions_do_not_read_each_other() {
    let proxy = Proxy::with(&[], echo()).await;
    let mut client = proxy.connect().await;
    client.chat("r", "one", "the secret of one").await;
    client.chat("r", "two", "hello from two").await;
    assert_eq!(sent(&proxy), [("user".to_owned(), "hello from two".to_owned())]);
}

#[tokio::test]
async fn what_failed_is_said_once_when_it_is_said_again() {
    let fault = Fault::ErrorBefore { error: ErrorType::AccessDenied, message: None, times: None };
    let script = Script::new().step(Step::of(Behaviour::fault(fault)).when_call(1));
    let proxy = Proxy::with(&[], script).await;
    let mut client = proxy.connect().await;
    client.chat("r1", "s", "hello").await.error("model_access_denied");
    client.chat("r2", "s", "hello").await;
    assert_eq!(sent(&proxy), [("user".to_owned(), "hello".to_owned())]);
}

#[tokio::test]
async fn an_answer_that_broke_off_stays_in_the_conversation() {
    let fault = Fault::NoMetadata;
    let script = Script::new().step(Step::of(Behaviour::text("half an").with_fault(fault)).when_call(1));
    let proxy = Proxy::with(&[], script).await;
    let mut client = proxy.connect().await;
    client.chat("r1", "s", "hello").await.error("upstream_stream_error");
    client.chat("r2", "s", "go on").await;
    let expected = [("user", "hello"), ("assistant", "half an"), ("user", "go on")];
    assert_eq!(sent(&proxy), expected.map(|(role, text)| (role.to_owned(), text.to_owned())));
}

#[tokio::test]
async fn system_prompt_and_limits_go_with_every_call_and_the_temperature_only_where_it_is_taken() {
    let flags = ["--system-prompt", "Be brief.", "--temperature", "0.5", "--max-tokens", "50000", "--models", OPUS];
    let flags = [&flags[..], &["--prompt-cache", "off"]].concat();
    let proxy = Proxy::with(&flags, Script::new()).await;
    let mut client = proxy.connect().await;
    // Claude 3.5 Sonnet writes at most 8,192 tokens; Opus 5.5 more than was asked for, and refuses sampling parameters.
    for (model, expected) in
        [(MODEL, json!({ "maxTokens": 8_192, "temperature": 0.5 })), (OPUS, json!({ "maxTokens": 50_000 }))]
    {
        for streaming in [true, false] {
            proxy.emulator.clear_ledger();
            let data = json!({ "message": "hi", "model": model, "streaming": streaming });
            client.send("r", "chat.send_message", data).await;
            while client.frame().await.kind == "chat.message_stream" {}
            let call = proxy.only_call();
            assert_eq!((call.status, call.model_id.as_str()), (200, model));
            assert_eq!(call.request["system"], json!([{ "text": "Be brief." }]));
            assert_eq!(call.request["inferenceConfig"], expected, "{model}");
            // The same id again would be the same turn.
            client.send("d", "ping", json!({})).await;
            client.frame().await;
        }
    }
}

#[tokio::test]
async fn nothing_is_made_up_where_nothing_is_set() {
    let proxy = Proxy::start().await;
    proxy.connect().await.chat("r", "s", "hi").await;
    let request = proxy.only_call().request;
    assert_eq!(request["system"], Value::Null);
    assert_eq!(request["inferenceConfig"], json!({ "maxTokens": 4_096 }));
}
