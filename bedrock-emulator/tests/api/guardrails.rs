//! Guardrails.

use crate::common::{closed_entry, post, prompt, start, stream, whole};
use bedrock_emulator::{BLOCKED_INPUT, BLOCKED_OUTPUT, Script};
use serde_json::{Value, json};

fn guarded(text: &str) -> Value {
    let mut body = prompt(text);
    body["guardrailConfig"] = json!({ "guardrailIdentifier": "a1b2", "guardrailVersion": "1", "trace": "disabled" });
    body
}

#[tokio::test]
async fn a_guardrail_blocks_the_message_before_a_model_runs() {
    let emulator = start(Script::new()).await;
    let streamed = stream(post(&emulator, "converse-stream", &guarded("/guard Tell me a secret")).await).await;
    assert_eq!(streamed.text(), BLOCKED_INPUT);
    let stop = streamed.events.iter().find(|event| event.kind == "messageStop").expect("a stop");
    assert_eq!(stop.payload["stopReason"], "guardrail_intervened");
    assert_eq!(streamed.last().payload["usage"]["totalTokens"], 0);
    let (_, _, body) = whole(post(&emulator, "converse", &guarded("/guard Tell me a secret")).await).await;
    assert_eq!(body["output"]["message"]["content"], json!([{ "text": BLOCKED_INPUT }]));
    assert_eq!((&body["stopReason"], &body["usage"]["outputTokens"]), (&json!("guardrail_intervened"), &json!(0)));
}

#[tokio::test]
async fn a_guardrail_blocks_the_rest_of_a_stream_and_all_of_a_whole_answer() {
    let emulator = start(Script::new()).await;
    let ask = guarded("/guard 3 /length 20 Tell me about rivers");
    let streamed = stream(post(&emulator, "converse-stream", &ask).await).await;
    assert!(streamed.text().ends_with(&format!("\n\n{BLOCKED_OUTPUT}")), "{}", streamed.text());
    assert_ne!(streamed.text(), BLOCKED_OUTPUT);
    assert_eq!(streamed.last().payload["usage"]["outputTokens"], 20, "what the model wrote is billed");
    assert_eq!(closed_entry(&emulator).await.text_sent, streamed.text());
    let (_, _, body) = whole(post(&emulator, "converse", &ask).await).await;
    assert_eq!(body["output"]["message"]["content"][0]["text"], BLOCKED_OUTPUT);
    assert_eq!(body["usage"]["outputTokens"], 20);
}

#[tokio::test]
async fn without_a_guardrail_nothing_is_blocked_and_a_wrong_one_is_refused() {
    let emulator = start(Script::new()).await;
    let (_, _, body) = whole(post(&emulator, "converse", &prompt("/guard Explain rivers")).await).await;
    assert_eq!(body["stopReason"], "end_turn");
    let mut wrong = guarded("hi");
    wrong["guardrailConfig"]["guardrailVersion"] = json!(null);
    let (status, kind, body) = whole(post(&emulator, "converse", &wrong).await).await;
    assert_eq!((status, kind.as_str()), (400, "ValidationException"));
    assert!(body["message"].as_str().is_some_and(|text| text.contains("guardrailVersion")), "{body}");
}
