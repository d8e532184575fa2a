//! The frames of the protocol page, field by field.

use bedrock_emulator::{Behaviour, Operation, Script};
use protocol::Timestamp;
use serde_json::{Value, json};

use crate::common::{Client, MODEL, Proxy, usage_of, within};

const TEXT: &str = "An outcrop is rock that\nshows at the surface: \"bedrock\" \u{1F30D}.";

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[tokio::test]
async fn a_whole_answer_is_one_frame_with_the_fixed_fields() {
    let proxy = Proxy::answering(Behaviour::text(TEXT)).await;
    let mut client = proxy.connect().await;
    client.send_message("req-1", "s1", "What is an outcrop?", false).await;
    let frame = client.frame().await;
    assert_eq!((frame.id.as_str(), frame.kind.as_str()), ("req-1", "chat.message_response"));
    let message = &frame.data["message"];
    let call = proxy.only_call();
    let expected = json!({
        "sessionId": "s1",
        "message": {
            "messageId": message["messageId"],
            "content": TEXT,
            "role": "assistant",
            "timestamp": message["timestamp"],
            "usage": usage_of(&call),
            "model": MODEL,
            "stopReason": "end_turn",
        },
    });
    assert_eq!(frame.data, expected);
    assert!(message["messageId"].as_str().expect("an id").starts_with("msg_"));
    let timestamp: Timestamp = serde_json::from_value(message["timestamp"].clone()).expect("RFC 3339");
    assert_eq!(json!(timestamp), message["timestamp"]);
    assert!(message["timestamp"].as_str().is_some_and(|text| text.len() == 24 && text.ends_with('Z')), "{message}");
    assert_eq!(call.operation, Operation::Converse);
}

#[tokio::test]
async fn a_streamed_answer_is_numbered_and_whole() {
    let proxy = Proxy::start().await;
    let mut client = proxy.connect().await;
    let answer = client.chat("req-1", "s1", "/length 500 Tell me about rivers").await;
    let call = proxy.only_call();
    let message_id = answer.message_id().to_owned();
    assert_eq!(answer.text, call.text_sent);
    let (end, stream) = answer.frames.split_last().expect("frames");
    for frame in stream {
        assert_eq!((frame.id.as_str(), frame.kind.as_str()), ("req-1", "chat.message_stream"));
        assert_eq!(keys(&frame.data), ["content", "first", "messageId", "part", "seq", "sessionId"]);
        assert_eq!((frame.str("sessionId"), frame.str("messageId")), ("s1", message_id.as_str()));
        assert_eq!(frame.data["part"], 0);
    }
    assert_eq!(stream[0].data["first"], 1);
    let expected = json!({
        "sessionId": "s1",
        "messageId": message_id,
        "seq": u64::from(call.deltas_sent) + 1,
        "model": MODEL,
        "stopReason": "end_turn",
        "usage": usage_of(&call),
    });
    assert_eq!((end.id.as_str(), end.kind.as_str(), &end.data), ("req-1", "chat.message_complete", &expected));
    assert_eq!(call.operation, Operation::ConverseStream);
}

#[tokio::test]
async fn the_cost_is_that_of_the_price_table() {
    let proxy = Proxy::start().await;
    let mut client = proxy.connect().await;
    let answer = client.chat("r", "s", "/length 100 hello").await;
    let usage = &answer.end.data["usage"];
    let (input, output) = (usage["inputTokens"].as_u64().expect("a number"), 100);
    // Claude 3.5 Sonnet: $3 and $15 for a million tokens.
    assert_eq!(usage["outputTokens"], output);
    assert_eq!(usage["costNanoUsd"], input * 3_000 + output * 15_000);
    assert_eq!((&usage["source"], &usage["totalTokens"]), (&json!("reported"), &json!(input + output)));
    assert!(usage["priceVersion"].is_string());
}

#[tokio::test]
async fn reasoning_comes_in_frames_of_its_own_and_is_a_part_of_the_message() {
    let proxy = Proxy::answering(Behaviour::text("Yes.").with_reasoning("Let me think about it.")).await;
    let mut client = proxy.connect().await;
    let answer = client.chat("r", "s", "Is it?").await;
    assert_eq!((answer.reasoning.as_str(), answer.text.as_str()), ("Let me think about it.", "Yes."));
    let parts: Vec<_> = answer.frames.iter().filter_map(|frame| frame.data["part"].as_u64()).collect();
    assert!(parts.is_sorted() && parts.first() == Some(&0) && parts.last() == Some(&1), "{parts:?}");
    let history = proxy.history("s").await;
    let stored = &history["messages"][1];
    assert_eq!(stored["content"], "Yes.");
    let expected =
        json!([{ "type": "reasoning", "text": "Let me think about it." }, { "type": "text", "text": "Yes." }]);
    assert_eq!(stored["parts"], expected);
}

#[tokio::test]
async fn a_message_without_a_session_makes_one() {
    let proxy = Proxy::start().await;
    let mut client = proxy.connect().await;
    let mut sessions = Vec::new();
    for id in ["r1", "r2"] {
        let data = client.ask(id, "chat.send_message", json!({ "message": "Hello there" })).await.expect("an answer");
        sessions.push(data["sessionId"].as_str().expect("an id").to_owned());
    }
    assert_ne!(sessions[0], sessions[1]);
    let listed = client.ask("r3", "chat.list_sessions", json!({})).await.expect("a list");
    let ids: Vec<_> = listed["sessions"].as_array().expect("sessions").iter().map(|s| &s["sessionId"]).collect();
    assert_eq!(ids, [&json!(sessions[1]), &json!(sessions[0])]);
}

#[tokio::test]
async fn both_paths_and_every_choice_of_subprotocol_serve_a_client_that_never_says_hello() {
    for (path, offer, expected) in [
        ("/", None, None),
        ("/ws", None, None),
        ("/ws?v=1", Some("outcrop.v1"), Some("outcrop.v1")),
        ("/", Some("chat, outcrop.v1"), Some("outcrop.v1")),
    ] {
        let proxy = Proxy::start().await;
        let (mut client, response) = Client::connect_to(proxy.addr, path, offer).await;
        let chosen = response.headers().get("sec-websocket-protocol").map(|value| value.to_str().expect("text"));
        assert_eq!(chosen, expected, "{path} {offer:?}");
        assert!(response.headers().get("sec-websocket-extensions").is_none());
        let answer = client.chat("r", "s", "Hello").await;
        assert_eq!(answer.end.kind, "chat.message_complete");
    }
}

#[tokio::test]
async fn hello_tells_who_the_client_is_the_limits_and_the_models_with_prices() {
    let proxy = Proxy::with(&["--models", "us.anthropic.claude-opus-5-5,no.such-model"], Script::new()).await;
    let mut client = proxy.connect().await;
    let hello = client.ask("h", "client.hello", json!({ "version": 1 })).await.expect("server.hello");
    assert_eq!((&hello["version"], &hello["demo"], &hello["tools"]), (&json!(1), &json!(false), &json!([])));
    assert_eq!(hello["principal"], json!({ "user": "local", "organization": "local", "role": "operator" }));
    let limits = json!({ "maxFrameBytes": 1_048_576, "maxMessageChars": 100_000, "maxParallelTurns": 8, "maxSystemPromptChars": 8_000 });
    assert_eq!(hello["limits"], limits);
    let models = hello["models"].as_array().expect("models");
    let summary: Vec<_> =
        models.iter().map(|m| (m["model"].as_str(), m["default"].as_bool(), m["price"]["input"].as_u64())).collect();
    assert_eq!(
        summary,
        [
            (Some(MODEL), Some(true), Some(3_000_000_000)),
            (Some("us.anthropic.claude-opus-5-5"), Some(false), Some(4_400_000_000)),
            (Some("no.such-model"), Some(false), None),
        ]
    );
    let (code, text) = client.ask("h2", "client.hello", json!({ "version": 2 })).await.expect_err("another version");
    assert_eq!(code, "invalid_request");
    assert!(text.contains("version 1"), "{text}");
}

#[tokio::test]
async fn a_ping_gets_a_pong_with_its_id_also_while_an_answer_streams() {
    let proxy = Proxy::answering(Behaviour::text("word ".repeat(200)).with_pace(crate::common::STEADY)).await;
    let mut client = proxy.connect().await;
    client.send_message("r", "s", "Hello", true).await;
    let mut frames = vec![client.frame().await];
    client.send("p \u{e4}\"1\"", "ping", json!({})).await;
    let pong = within("pong", async {
        loop {
            let frame = client.frame().await;
            if frame.kind == "pong" {
                return frame;
            }
            frames.push(frame);
        }
    })
    .await;
    assert_eq!((pong.id.as_str(), &pong.data), ("p \u{e4}\"1\"", &json!({})));
    assert!(frames.iter().all(|frame| frame.kind == "chat.message_stream"), "the answer was over");
    assert_eq!(client.rest_of_answer(frames).await.text, "word ".repeat(200));
}

#[tokio::test]
async fn what_the_proxy_does_not_serve_is_an_error_on_the_request() {
    let proxy = Proxy::with(&["--max-message-chars", "10"], Script::new()).await;
    let mut client = proxy.connect().await;
    let attachment = json!({ "name": "a.png", "mediaType": "image/png", "data": "" });
    let cases = [
        (
            "chat.send_message",
            json!({ "message": "\u{e4}".repeat(11) }),
            "message_too_large",
            "11 characters, the most is 10",
        ),
        ("chat.send_message", json!({ "message": "x", "model": "gpt" }), "model_not_found", MODEL),
        ("chat.send_message", json!({ "message": "x", "attachments": [attachment] }), "invalid_request", "a.png"),
        ("chat.regenerate", json!({ "sessionId": "s", "messageId": "m" }), "session_not_found", "no such session"),
        ("chat.approve_tool", json!({ "toolUseId": "t", "approved": true }), "invalid_request", "No call"),
    ];
    for (kind, data, code, part) in cases {
        let (got, text) = client.ask("r", kind, data).await.expect_err(kind);
        assert_eq!(got, code, "{kind}");
        assert!(text.contains(part) && !text.contains("hidden"), "{kind}: {text}");
    }
    // Without authentication any token is as good as none.
    let refreshed = client.ask("r", "auth.refresh", json!({ "token": "hidden" })).await.expect("refreshed");
    assert_eq!(refreshed, json!({}));
    client.ask("ok", "chat.send_message", json!({ "message": "\u{e4}".repeat(10) })).await.expect("an answer");
    assert_eq!(proxy.emulator.ledger().len(), 1);
}
