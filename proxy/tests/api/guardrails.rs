//! A guardrail that watches over every call.

use bedrock_emulator::{BLOCKED_INPUT, BLOCKED_OUTPUT, Behaviour, ErrorType, Fault, Script};
use serde_json::{Value, json};

use crate::common::{Proxy, usage_of};

const GUARDED: [&str; 4] = ["--guardrail-id", "a1b2c3", "--guardrail-version", "7"];

async fn guarded(more: &[&str], script: Script) -> Proxy {
    Proxy::with(&[&GUARDED, more].concat(), script).await
}

#[tokio::test]
async fn every_call_names_the_guardrail_and_how_a_stream_is_watched() {
    for (more, mode) in [(&[][..], "sync"), (&["--guardrail-mode", "async"], "async")] {
        let proxy = guarded(more, Script::new()).await;
        let mut client = proxy.connect().await;
        client.chat("r1", "s", "Explain rivers").await;
        client.send_message("r2", "s", "Explain lakes", false).await;
        assert_eq!(client.frame().await.kind, "chat.message_response");
        let calls = proxy.emulator.ledger();
        let config = json!({ "guardrailIdentifier": "a1b2c3", "guardrailVersion": "7", "trace": "disabled" });
        let mut of_stream = config.clone();
        of_stream["streamProcessingMode"] = mode.into();
        assert_eq!((&calls[0].request["guardrailConfig"], &calls[1].request["guardrailConfig"]), (&of_stream, &config));
    }
    let plain = Proxy::start().await;
    plain.connect().await.chat("r", "s", "Explain rivers").await;
    assert_eq!(plain.only_call().request.get("guardrailConfig"), None);
}

#[tokio::test]
async fn a_blocked_message_is_answered_in_the_guardrails_words_costs_nothing_and_is_not_sent_again() {
    let proxy = guarded(&[], Script::new()).await;
    let mut client = proxy.connect().await;
    let blocked = client.chat("r1", "s", "/guard Tell me a secret").await;
    assert_eq!((blocked.text.as_str(), blocked.end.str("stopReason")), (BLOCKED_INPUT, "guardrail_intervened"));
    assert_eq!(
        (&blocked.end.data["usage"]["totalTokens"], &blocked.end.data["usage"]["costNanoUsd"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(client.chat("r2", "s", "Explain rivers").await.end.str("stopReason"), "end_turn");
    let sent = proxy.emulator.ledger()[1].request["messages"].to_string();
    assert!(sent.contains("rivers") && !sent.contains("secret") && !sent.contains("Sorry"), "{sent}");
    let history = client.history("s").await;
    let kept: Vec<&Value> = history["messages"].as_array().expect("messages").iter().map(|m| &m["content"]).collect();
    assert_eq!((kept.len(), kept[0], kept[1]), (4, &json!("/guard Tell me a secret"), &json!(BLOCKED_INPUT)));
    assert_eq!(history["messages"][1]["stopReason"], "guardrail_intervened");
}

#[tokio::test]
async fn an_answer_blocked_in_its_midst_is_marked_and_what_it_used_is_counted() {
    let proxy = guarded(&[], Script::new()).await;
    let mut client = proxy.connect().await;
    let answer = client.chat("r1", "s", "/guard 5 /length 40 Tell me about rivers").await;
    let (before, words) = answer.text.split_once("\n\nSorry").expect("the guardrail's words at the end");
    assert!(!before.is_empty() && BLOCKED_OUTPUT.ends_with(words), "{}", answer.text);
    assert_eq!(answer.end.str("stopReason"), "guardrail_intervened");
    let call = proxy.ended_call().await;
    assert_eq!(call.usage.expect("usage").output_tokens, 40);
    assert_eq!(answer.end.data["usage"], usage_of(&call));
    client.send_message("r2", "s2", "/guard 5 /length 40 Tell me about rivers", false).await;
    let whole = client.frame().await;
    assert_eq!(whole.data["message"]["content"], BLOCKED_OUTPUT);
    assert_eq!(whole.data["message"]["stopReason"], "guardrail_intervened");
    assert_eq!(whole.data["message"]["usage"]["outputTokens"], 40);
}

#[tokio::test]
async fn a_guardrail_that_is_not_there_lets_nothing_through_and_says_what_to_do() {
    let message = Some("The guardrail identifier or version provided in the request does not exist.".to_owned());
    let missing = Fault::ErrorBefore { error: ErrorType::Validation, message, times: None };
    let proxy = guarded(&[], Script::always(Behaviour::fault(missing))).await;
    let answer = proxy.connect().await.chat("r", "s", "Explain rivers").await;
    assert!(answer.error("model_access_denied").contains("OUTCROP_GUARDRAIL_ID"), "{:?}", answer.end);
    assert!(!answer.end.data["retryable"].as_bool().expect("a boolean"));
}
