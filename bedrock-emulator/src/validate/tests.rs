//! One row a rule, in the Converse API's own JSON.

mod cache_points;
mod media;
mod thinking;
mod tools;

use serde_json::{Value, json};

use super::*;
use crate::model;
use crate::wire::converse;

const SONNET_3_5: &str = "anthropic.claude-3-5-sonnet-20241022-v2:0";
const SONNET_4: &str = "us.anthropic.claude-sonnet-4-20250514-v1:0";
const OPUS_5_5: &str = "global.anthropic.claude-opus-5-5";

fn refusal(model_id: &str, request: &Value) -> Option<String> {
    let model = model::find(model_id).expect("a model of the table");
    let chat = match converse::parse(request.to_string().as_bytes()) {
        Ok(chat) => chat,
        Err(error) => return Some(error.message),
    };
    check(&chat, model, Dialect::Converse).err().map(|error| error.message)
}

/// Each request is refused with a message that has these words; one with none is let in.
fn expect(model_id: &str, rows: &[(Value, &str)]) {
    for (request, expected) in rows {
        let said = refusal(model_id, request).unwrap_or_default();
        assert!(
            said.contains(expected) && said.is_empty() == expected.is_empty(),
            "{request:.2000}\nexpected: {expected}\nsaid: {said:?}"
        );
    }
}

fn user(content: Value) -> Value {
    json!({ "role": "user", "content": content })
}

fn assistant(content: Value) -> Value {
    json!({ "role": "assistant", "content": content })
}

fn hello() -> Value {
    user(json!([{ "text": "Hello" }]))
}

fn tool_use(id: &str) -> Value {
    json!({ "toolUse": { "toolUseId": id, "name": "weather", "input": {} } })
}

fn tool_result(id: &str) -> Value {
    json!({ "toolResult": { "toolUseId": id, "content": [{ "text": "sunny" }] } })
}

fn with_tools(messages: Value) -> Value {
    json!({ "messages": messages, "toolConfig": tools(&["weather"]) })
}

fn tools(names: &[&str]) -> Value {
    let spec = |name: &&str| json!({ "toolSpec": { "name": name, "inputSchema": { "json": { "type": "object" } } } });
    json!({ "tools": names.iter().map(spec).collect::<Vec<_>>() })
}

#[test]
fn requests_that_keep_the_rules_pass() {
    let cache = json!({ "cachePoint": { "type": "default" } });
    for request in [
        json!({ "messages": [hello()] }),
        json!({ "messages": [hello(), assistant(json!([{ "text": "Hi" }])), hello()] }),
        json!({ "messages": [hello(), assistant(json!([{ "text": "The answer is" }]))] }),
        json!({ "messages": [hello()], "system": [{ "text": "x" }, cache], "inferenceConfig": { "maxTokens": 8192, "temperature": 0.5 } }),
        json!({ "messages": [user(json!([{ "text": "a" }, cache, cache, cache, cache]))] }),
        with_tools(json!([
            hello(),
            assistant(json!([tool_use("a"), tool_use("b")])),
            user(json!([tool_result("b"), tool_result("a")]))
        ])),
        json!({ "messages": [hello()], "inferenceConfig": { "maxTokens": 2048 },
            "additionalModelRequestFields": { "thinking": { "type": "enabled", "budget_tokens": 1024 } } }),
    ] {
        assert_eq!(refusal(SONNET_4, &request), None, "{request}");
    }
}

#[test]
fn every_broken_rule_is_named() {
    let long_name = "x".repeat(65);
    let calls = || assistant(json!([tool_use("a"), tool_use("b")]));
    for (request, expected) in [
        (json!({ "messages": [] }), "must start with a user message"),
        (json!({ "messages": [assistant(json!([{ "text": "Hi" }]))] }), "must start with a user message"),
        (json!({ "messages": [hello(), hello()] }), "must alternate between user and assistant roles"),
        (json!({ "messages": [user(json!([]))] }), "messages.0 is empty"),
        (json!({ "messages": [user(json!([{}]))] }), "messages.0.content.0 must set one of the following keys"),
        (
            json!({ "messages": [user(json!([{ "text": "a" }, { "text": " \n\t" }]))] }),
            "at messages.0.content.1 is blank",
        ),
        (
            json!({ "messages": [hello()], "system": [{ "text": "" }] }),
            "SystemContentBlock object at system.0 is blank",
        ),
        (
            with_tools(json!([hello(), calls(), user(json!([tool_result("a")]))])),
            "Expected toolResult blocks at messages.2.content for the following Ids: b",
        ),
        (with_tools(json!([hello(), calls()])), "Expected toolResult blocks at messages.2.content"),
        (with_tools(json!([hello(), calls(), hello()])), "for the following Ids: a, b"),
        (
            with_tools(json!([user(json!([tool_result("a")]))])),
            "messages.0.content exceeds the number of toolUse blocks",
        ),
        (
            with_tools(json!([hello(), calls(), user(json!([tool_result("a"), tool_result("b"), tool_result("b")]))])),
            "The toolResult blocks at messages.2.content contain duplicate Ids: b",
        ),
        (
            json!({ "messages": [hello(), assistant(json!([tool_use("a")])), user(json!([tool_result("a")]))] }),
            "The toolConfig field must be defined",
        ),
        (
            json!({ "messages": [hello()], "toolConfig": tools(&["my tool"]) }),
            "regular expression pattern: [a-zA-Z0-9_-]+",
        ),
        (json!({ "messages": [hello()], "toolConfig": tools(&[""]) }), "length greater than or equal to 1"),
        (json!({ "messages": [hello()], "toolConfig": tools(&[&long_name]) }), "length less than or equal to 64"),
        (json!({ "messages": [hello()], "toolConfig": tools(&["a", "a"]) }), "Tool names must be unique"),
        (json!({ "messages": [hello()], "inferenceConfig": { "maxTokens": 8193 } }), "exceeds the model limit of 8192"),
        (json!({ "messages": [hello()], "inferenceConfig": { "maxTokens": 0 } }), "greater than or equal to 1"),
        (
            json!({ "messages": [hello()], "inferenceConfig": { "maxTokens": 1024 },
                "additionalModelRequestFields": { "thinking": { "type": "enabled", "budget_tokens": 1024 } } }),
            "`max_tokens` must be greater than `thinking.budget_tokens`",
        ),
    ] {
        let message = refusal(SONNET_3_5, &request).unwrap_or_default();
        assert!(message.contains(expected), "{request}\nexpected: {expected}\nsaid: {message:?}");
    }
}

#[test]
fn what_newer_models_gave_up_is_refused_there_only() {
    let choice = json!({ "tools": tools(&["weather"])["tools"], "toolChoice": { "any": {} } });
    for (request, expected) in [
        (
            json!({ "messages": [hello()], "inferenceConfig": { "temperature": 1.0 } }),
            "`temperature` is deprecated for this model",
        ),
        (json!({ "messages": [hello()], "inferenceConfig": { "topP": 0.9 } }), "`top_p` is deprecated for this model"),
        (
            json!({ "messages": [hello(), assistant(json!([{ "text": "The" }]))] }),
            "does not support assistant message prefill",
        ),
        (json!({ "messages": [hello()], "toolConfig": choice }), "tool_choice forces tool use"),
    ] {
        assert_eq!(refusal(SONNET_3_5, &request), None, "{request}");
        let message = refusal(OPUS_5_5, &request).unwrap_or_default();
        assert!(message.contains(expected), "{request}\nsaid: {message:?}");
    }
}

#[test]
fn an_input_of_the_whole_window_fits_and_one_more_token_does_not() {
    let model = model::find(SONNET_3_5).expect("row");
    assert!(check_length(200_000, model).is_ok());
    assert_eq!(check_length(200_001, model).expect_err("too long").message, TOO_LONG);
}

#[test]
fn the_messages_api_has_its_own_words() {
    let refusal = |messages: Value| {
        let body = json!({ "anthropic_version": "bedrock-2023-05-31", "max_tokens": 10, "messages": messages,
            "tools": [{ "name": "weather", "input_schema": { "type": "object" } }] });
        let chat = crate::wire::messages::parse(body.to_string().as_bytes()).expect("parses");
        let model = model::find(SONNET_3_5).expect("row");
        check(&chat, model, Dialect::Messages).err().map(|error| error.message).unwrap_or_default()
    };
    let ask = json!({ "role": "user", "content": "Hello" });
    let call =
        json!({ "role": "assistant", "content": [{ "type": "tool_use", "id": "a", "name": "weather", "input": {} }] });
    let result = |id: &str| json!({ "role": "user", "content": [{ "type": "tool_result", "tool_use_id": id, "content": "sunny" }] });
    for (messages, expected) in [
        (json!([ask, call, result("a")]), ""),
        (json!([]), "messages: at least one message is required"),
        (json!([call]), "first message must use the \"user\" role"),
        (
            json!([{ "role": "user", "content": "  " }]),
            "messages.0: text content blocks must contain non-whitespace text",
        ),
        (
            json!([ask, call, ask]),
            "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: a",
        ),
        (json!([result("z")]), "unexpected `tool_use_id` found in `tool_result` blocks: z"),
    ] {
        let message = refusal(messages.clone());
        assert!(
            message.contains(expected) && message.is_empty() == expected.is_empty(),
            "{messages}\nsaid: {message:?}"
        );
    }
}
