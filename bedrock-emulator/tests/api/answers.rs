//! What the four operations answer when nothing goes wrong.

use crate::common::{chunks, client, closed_entry, post, prompt, request, start, stream, whole};
use bedrock_emulator::{Behaviour, Bench, Outcome, Script};
use serde_json::{Value, json};

fn messages(text: &str) -> Value {
    json!({ "anthropic_version": "bedrock-2023-05-31", "max_tokens": 1000, "messages": [{ "role": "user", "content": text }] })
}

#[tokio::test]
async fn a_stream_has_bedrocks_events_in_order_over_both_versions_of_http() {
    let emulator = start(Script::always(Behaviour::text("Hello 👋 world"))).await;
    for http2 in [false, true] {
        let response = client(http2)
            .request(request(&emulator.url(), crate::common::MODEL, "converse-stream", &prompt("hi")))
            .await;
        let streamed = stream(response.expect("a response")).await;
        let deltas = ["contentBlockDelta"; 4];
        assert_eq!(
            streamed.kinds(),
            [&["messageStart"][..], &deltas, &["contentBlockStop", "messageStop", "metadata"]].concat()
        );
        assert_eq!((streamed.text().as_str(), streamed.ended), ("Hello 👋 world", true));
        assert_eq!(streamed.events[0].payload["role"], "assistant");
        assert!(streamed.events.iter().all(|event| event.payload["p"].as_str().is_some_and(|p| p.starts_with('a'))));
        assert_eq!(streamed.events[6].payload["stopReason"], "end_turn");
        let metadata = &streamed.last().payload;
        assert_eq!(
            metadata["usage"],
            json!({ "inputTokens": 4, "outputTokens": 4, "totalTokens": 8, "cacheReadInputTokens": 0, "cacheWriteInputTokens": 0 })
        );
        assert!(metadata["metrics"]["latencyMs"].is_u64());
        let entry = closed_entry(&emulator).await;
        assert_eq!(entry.http_version, if http2 { "HTTP/2.0" } else { "HTTP/1.1" });
        assert_eq!(
            (entry.outcome, entry.deltas_sent, entry.text_sent.as_str()),
            (Outcome::Completed, 4, "Hello 👋 world")
        );
    }
}

#[tokio::test]
async fn all_four_operations_give_the_same_answer_and_usage() {
    let emulator = start(Script::new()).await;
    let question = "Explain rivers in Rust";
    let streamed = stream(post(&emulator, "converse-stream", &prompt(question)).await).await;
    let (status, _, converse) = whole(post(&emulator, "converse", &prompt(question)).await).await;
    let (_, _, invoked) = whole(post(&emulator, "invoke", &messages(question)).await).await;
    let invoke_stream =
        chunks(&stream(post(&emulator, "invoke-with-response-stream", &messages(question)).await).await);
    assert_eq!(status, 200);
    let text = converse["output"]["message"]["content"][0]["text"].as_str().expect("text");
    assert!(text.contains("```rust"), "{text}");
    assert_eq!(streamed.text(), text);
    assert_eq!(invoked["content"][0]["text"], text);
    assert_eq!(invoke_stream.iter().filter_map(|chunk| chunk["delta"]["text"].as_str()).collect::<String>(), text);
    let output = &converse["usage"]["outputTokens"];
    assert_eq!(&streamed.last().payload["usage"]["outputTokens"], output);
    assert_eq!(&invoked["usage"]["output_tokens"], output);
    assert_eq!(&invoke_stream.last().expect("chunk")["amazon-bedrock-invocationMetrics"]["outputTokenCount"], output);
    assert_eq!(output.as_u64(), Some(streamed.deltas() as u64));
}

#[tokio::test]
async fn an_invoke_stream_has_anthropics_events() {
    let behaviour = Behaviour::text("Hi").with_reasoning("Hm").with_tool_use("clock", json!({}));
    let emulator = start(Script::always(behaviour)).await;
    let chunks = chunks(&stream(post(&emulator, "invoke-with-response-stream", &messages("x")).await).await);
    let types: Vec<&str> = chunks.iter().map(|chunk| chunk["type"].as_str().expect("type")).collect();
    let block = ["content_block_start", "content_block_delta", "content_block_stop"];
    let tool = ["content_block_start", "content_block_delta", "content_block_delta", "content_block_stop"];
    let thinking = ["content_block_start", "content_block_delta", "content_block_delta", "content_block_stop"];
    assert_eq!(types, [&["message_start"][..], &thinking, &block, &tool, &["message_delta", "message_stop"]].concat());
    assert_eq!(chunks[0]["message"]["model"], "claude-3-5-sonnet-20241022");
    assert_eq!(chunks[2]["delta"], json!({ "type": "thinking_delta", "thinking": "Hm" }));
    assert_eq!(chunks[3]["delta"]["type"], "signature_delta");
    assert_eq!(chunks[9]["delta"], json!({ "type": "input_json_delta", "partial_json": "{" }));
    assert_eq!(chunks[12]["delta"]["stop_reason"], "tool_use");
}

#[tokio::test]
async fn reasoning_comes_first_with_its_signature_and_tool_input_in_pieces() {
    let behaviour =
        Behaviour::text("Hi").with_reasoning("Let me think").with_tool_use("get_weather", json!({ "city": "Oslo" }));
    let emulator = start(Script::always(behaviour)).await;
    let streamed = stream(post(&emulator, "converse-stream", &prompt("x")).await).await;
    let deltas = |key: &'static str, field: &'static str| -> String {
        streamed.events.iter().filter_map(|event| event.payload["delta"][key][field].as_str()).collect()
    };
    assert_eq!(deltas("reasoningContent", "text"), "Let me think");
    assert!(!deltas("reasoningContent", "signature").is_empty());
    assert_eq!(deltas("toolUse", "input"), r#"{"city":"Oslo"}"#);
    let starts: Vec<_> = streamed.events.iter().filter(|event| event.kind == "contentBlockStart").collect();
    assert_eq!(starts.len(), 1);
    assert_eq!(
        (&starts[0].payload["contentBlockIndex"], &starts[0].payload["start"]["toolUse"]["name"]),
        (&json!(2), &json!("get_weather"))
    );
    let order: Vec<_> =
        streamed.events.iter().filter_map(|event| event.payload["contentBlockIndex"].as_u64()).collect();
    assert!(order.is_sorted());
    assert_eq!(streamed.events[streamed.events.len() - 2].payload["stopReason"], "tool_use");
}

#[tokio::test]
async fn a_tool_that_the_prompt_names_is_used_and_its_result_answered() {
    let emulator = start(Script::new()).await;
    let schema = json!({ "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"] });
    let tools = json!({ "tools": [{ "toolSpec": { "name": "get_weather", "inputSchema": { "json": schema } } }] });
    let ask = json!({ "role": "user", "content": [{ "text": "Use get_weather for Oslo" }] });
    let (_, _, first) =
        whole(post(&emulator, "converse", &json!({ "messages": [ask], "toolConfig": tools })).await).await;
    assert_eq!(first["stopReason"], "tool_use");
    let message = &first["output"]["message"];
    let tool_use = &message["content"][1]["toolUse"];
    assert_eq!((&tool_use["name"], &tool_use["input"]), (&json!("get_weather"), &json!({ "city": "Oslo" })));
    let result = json!({ "toolResult": { "toolUseId": tool_use["toolUseId"], "content": [{ "text": "4 degrees" }] } });
    let answer = json!({ "role": "user", "content": [result] });
    let (_, _, second) =
        whole(post(&emulator, "converse", &json!({ "messages": [ask, message, answer], "toolConfig": tools })).await)
            .await;
    assert_eq!(second["stopReason"], "end_turn");
    let text = second["output"]["message"]["content"][0]["text"].as_str().expect("text");
    assert!(text.contains("`get_weather` returned") && text.contains("4 degrees"), "{text}");
}

#[tokio::test]
async fn max_tokens_and_stop_sequences_are_honoured_exactly() {
    let emulator = start(Script::always(Behaviour::text("one two three STOP four"))).await;
    let mut body = prompt("x");
    body["inferenceConfig"] = json!({ "maxTokens": 2 });
    let (_, _, cut) = whole(post(&emulator, "converse", &body).await).await;
    assert_eq!((&cut["stopReason"], &cut["usage"]["outputTokens"]), (&json!("max_tokens"), &json!(2)));
    assert_eq!(cut["output"]["message"]["content"][0]["text"], "one two");
    body["inferenceConfig"] = json!({ "stopSequences": ["STOP"] });
    let (_, _, stopped) = whole(post(&emulator, "converse", &body).await).await;
    assert_eq!(
        (&stopped["stopReason"], &stopped["output"]["message"]["content"][0]["text"]),
        (&json!("stop_sequence"), &json!("one two three "))
    );
}

#[tokio::test]
async fn prefixes_shape_the_answer_and_help_lists_them() {
    let emulator = start(Script::new()).await;
    let streamed =
        stream(post(&emulator, "converse-stream", &prompt("/pace 0 /length 137 Explain rivers")).await).await;
    assert_eq!((streamed.deltas(), streamed.last().payload["usage"]["outputTokens"].as_u64()), (137, Some(137)));
    assert!(streamed.text().starts_with("## Rivers"));
    let help = stream(post(&emulator, "converse-stream", &prompt("/help")).await).await;
    assert!(help.text().contains("/broken-frame"));
}

#[tokio::test]
async fn a_load_test_stream_is_whole_and_counted() {
    let emulator = start(Script::always(Behaviour::bench(1_000, " word", 0))).await;
    let streamed = stream(post(&emulator, "converse-stream", &prompt("x")).await).await;
    assert_eq!((streamed.deltas(), streamed.text()), (1_000, " word".repeat(1_000)));
    assert_eq!(streamed.last().payload["usage"]["outputTokens"], 1_000);
    let entry = closed_entry(&emulator).await;
    assert_eq!((entry.deltas_sent, entry.text_sent), (1_000, " word".repeat(1_000)));
}

#[tokio::test]
async fn a_stamped_stream_says_when_each_delta_is_due() {
    let bench = Bench { deltas: 3, text: String::new(), stamped: true, interval_us: 2_000, first_delta_us: 5_000 };
    let behaviour = Behaviour { bench: Some(bench), ..Behaviour::default() };
    let emulator = start(Script::always(behaviour)).await;
    let streamed = stream(post(&emulator, "converse-stream", &prompt("x")).await).await;
    let text = streamed.text();
    let stamps = text.split(' ').skip(1).map(|stamp| stamp.parse::<u64>().expect("a number")).collect::<Vec<_>>();
    assert_eq!((stamps.len(), stamps[1] - stamps[0], stamps[2] - stamps[1]), (3, 2_000, 2_000));
    let received_ms = closed_entry(&emulator).await.received_at_unix_ms;
    assert_eq!((stamps[0] - 5_000) / 1_000, received_ms);
}
