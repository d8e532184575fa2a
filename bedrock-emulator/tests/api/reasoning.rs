//! Reasoning in answers and in history, what can be read of it and what cannot.

use crate::common::{
    CACHING_MODEL, chunks, client, converse, converse_stream, post, prompt, request, start, stream, whole,
};
use bedrock_emulator::{Behaviour, Script};
use serde_json::{Value, json};

#[tokio::test]
async fn reasoning_goes_back_as_it_came_or_is_refused() {
    let emulator = start(Script::new()).await;
    for prefix in ["/think", "/think /redacted"] {
        let ask = prompt(&format!("{prefix} Explain rivers"));
        let answer = converse(&emulator, CACHING_MODEL, &ask).await;
        let mut body = ask.clone();
        let next = prompt("And lakes?")["messages"][0].clone();
        body["messages"].as_array_mut().expect("messages").extend([answer["output"]["message"].clone(), next]);
        converse(&emulator, CACHING_MODEL, &body).await;
        let reasoning = &mut body["messages"][1]["content"][0]["reasoningContent"];
        let key = if prefix == "/think" { "reasoningText" } else { "redactedContent" };
        assert_eq!(reasoning.as_object().expect("reasoning").keys().collect::<Vec<_>>(), [key]);
        match key {
            "reasoningText" => reasoning[key]["text"] = "something else".into(),
            _ => reasoning[key] = "c29tZXRoaW5nIGVsc2U=".into(),
        }
        let (status, kind, refused) = whole(post(&emulator, "converse", &body).await).await;
        assert_eq!((status, kind.as_str()), (400, "ValidationException"));
        assert!(refused["message"].as_str().expect("message").contains("messages.1.content.0: Invalid"), "{refused}");
    }
}

#[tokio::test]
async fn a_stream_and_a_whole_answer_have_the_same_proof() {
    let emulator = start(Script::always(Behaviour::text("Hi").with_reasoning("Let me think"))).await;
    let answer = converse(&emulator, CACHING_MODEL, &prompt("x")).await;
    let streamed = converse_stream(&emulator, CACHING_MODEL, &prompt("x")).await;
    let whole = &answer["output"]["message"]["content"][0]["reasoningContent"]["reasoningText"];
    assert_eq!(streamed.fields("reasoningContent", "signature"), [whole["signature"].as_str().expect("signature")]);
    assert_eq!(streamed.fields("reasoningContent", "text").concat(), whole["text"]);
    assert!(streamed.fields("reasoningContent", "redactedContent").is_empty());
}

#[tokio::test]
async fn redacted_reasoning_is_one_delta_of_bytes_and_is_billed() {
    let behaviour = Behaviour::text("Hi").with_reasoning("Let me think").with_redacted_reasoning();
    let emulator = start(Script::always(behaviour)).await;
    let answer = converse(&emulator, CACHING_MODEL, &prompt("x")).await;
    let streamed = converse_stream(&emulator, CACHING_MODEL, &prompt("x")).await;
    let content = &answer["output"]["message"]["content"];
    let data = content[0]["reasoningContent"]["redactedContent"].as_str().expect("bytes");
    assert_eq!(streamed.fields("reasoningContent", "redactedContent"), [data]);
    assert_eq!((content[1]["text"].as_str(), streamed.text().as_str()), (Some("Hi"), "Hi"));
    let kinds = [
        "messageStart",
        "contentBlockDelta",
        "contentBlockStop",
        "contentBlockDelta",
        "contentBlockStop",
        "messageStop",
        "metadata",
    ];
    assert_eq!(streamed.kinds(), kinds);
    assert_eq!(streamed.last().payload["usage"]["outputTokens"], 4, "three of reasoning, one of text");

    let body = json!({ "anthropic_version": "bedrock-2023-05-31", "max_tokens": 1000, "messages": [{ "role": "user", "content": "x" }] });
    let response =
        client(false).request(request(&emulator.url(), CACHING_MODEL, "invoke-with-response-stream", &body)).await;
    let chunks = chunks(&stream(response.expect("a response")).await);
    assert_eq!(chunks[1]["content_block"], json!({ "type": "redacted_thinking", "data": data }));
    assert_eq!(chunks[2]["type"], "content_block_stop");
}

#[tokio::test]
async fn a_loop_of_tools_with_thinking_keeps_its_reasoning() {
    let emulator = start(Script::new()).await;
    let tool = json!({ "toolSpec": { "name": "clock", "inputSchema": { "json": { "type": "object" } } } });
    let mut body = json!({
        "messages": prompt("What does the clock say?")["messages"],
        "toolConfig": { "tools": [tool] },
        "additionalModelRequestFields": { "thinking": { "type": "enabled", "budget_tokens": 1024 } },
    });
    let answer = converse(&emulator, CACHING_MODEL, &body).await;
    let message = answer["output"]["message"].clone();
    let id = message["content"]
        .as_array()
        .expect("content")
        .iter()
        .find_map(|block| block.get("toolUse"))
        .expect("a tool use")["toolUseId"]
        .clone();
    let result =
        json!({ "role": "user", "content": [{ "toolResult": { "toolUseId": id, "content": [{ "text": "noon" }] } }] });
    let with = |message: Value| {
        let mut messages = body["messages"].as_array().expect("messages").clone();
        messages.extend([message, result.clone()]);
        messages
    };
    let (whole_turn, mut stripped) = (with(message.clone()), message);
    stripped["content"].as_array_mut().expect("content").remove(0);
    let without = with(stripped);
    body["messages"] = whole_turn.into();
    let told = converse(&emulator, CACHING_MODEL, &body).await;
    assert!(told["output"]["message"]["content"][1]["text"].as_str().expect("text").contains("> noon"), "{told}");
    body["messages"] = without.into();
    let response = client(false).request(request(&emulator.url(), CACHING_MODEL, "converse", &body)).await;
    let (_, kind, refused) = whole(response.expect("a response")).await;
    assert_eq!(kind, "ValidationException");
    assert!(refused["message"].as_str().expect("message").contains("must start with a thinking block"), "{refused}");
}

#[tokio::test]
async fn reasoning_that_the_limit_cuts_has_the_signature_of_what_came() {
    let emulator = start(Script::always(Behaviour::text("Hi").with_reasoning("one two three"))).await;
    let mut body = prompt("x");
    body["inferenceConfig"] = json!({ "maxTokens": 2 });
    let answer = converse(&emulator, CACHING_MODEL, &body).await;
    assert_eq!(answer["stopReason"], "max_tokens");
    let message = &answer["output"]["message"];
    assert_eq!(message["content"][0]["reasoningContent"]["reasoningText"]["text"], "one two");
    let next = prompt("go on")["messages"][0].clone();
    converse(&emulator, CACHING_MODEL, &json!({ "messages": [prompt("x")["messages"][0], message, next] })).await;
}
