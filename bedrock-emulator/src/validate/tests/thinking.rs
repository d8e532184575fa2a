use super::*;
use crate::reasoning;

fn thought(text: &str, signature: Option<&str>) -> Value {
    let mut reasoning = json!({ "text": text });
    if let Some(signature) = signature {
        reasoning["signature"] = signature.into();
    }
    json!({ "reasoningContent": { "reasoningText": reasoning } })
}

fn redacted(bytes: &str) -> Value {
    json!({ "reasoningContent": { "redactedContent": bytes } })
}

fn thinking(mut request: Value) -> Value {
    request["additionalModelRequestFields"] = json!({ "thinking": { "type": "enabled", "budget_tokens": 1024 } });
    request
}

#[test]
fn reasoning_in_history_is_what_was_made_here_unchanged() {
    let history = |block: Value| json!({ "messages": [hello(), assistant(json!([block, { "text": "Hi" }])), hello()] });
    let (signature, ours) = (reasoning::signature("Hm"), reasoning::redacted("Hm"));
    expect(
        SONNET_4,
        &[
            (history(thought("Hm", Some(&signature))), ""),
            (
                history(thought("Hmm", Some(&signature))),
                "messages.1.content.0: Invalid `signature` in `thinking` block",
            ),
            (history(thought("Hm", Some("c2ln"))), "Invalid `signature` in `thinking` block"),
            (history(thought("Hm", Some(""))), "messages.1.content.0.thinking.signature: Field required"),
            (history(thought("Hm", None)), "messages.1.content.0.thinking.signature: Field required"),
            (history(redacted(&ours)), ""),
            (history(redacted("c2VjcmV0")), "Invalid `data` in `redacted_thinking` block"),
            (history(redacted("?")), "is not base64"),
            (
                history(json!({ "reasoningContent": {} })),
                "must set one of the following keys: reasoningText, redactedContent",
            ),
            (
                json!({ "messages": [user(json!([thought("Hm", Some(&signature)), { "text": "x" }]))] }),
                "may only be in `assistant` messages",
            ),
        ],
    );
}

#[test]
fn while_tools_are_called_the_turn_begins_with_thinking() {
    let signature = reasoning::signature("Hm");
    let hm = thought("Hm", Some(&signature));
    let round = |id: &str, first: Value| {
        let uses: Vec<Value> = first.as_array().into_iter().flatten().cloned().chain([tool_use(id)]).collect();
        [assistant(uses.into()), user(json!([tool_result(id)]))]
    };
    let turns = |rounds: &[[Value; 2]]| {
        let all: Vec<Value> = [hello()].into_iter().chain(rounds.iter().flatten().cloned()).collect();
        thinking(with_tools(all.into()))
    };
    let missing = "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found";
    let mut over = turns(&[round("a", json!([]))]);
    let more = [assistant(json!([{ "text": "Sunny." }])), hello()];
    over["messages"].as_array_mut().expect("array").extend(more);
    let mut adaptive = turns(&[round("a", json!([]))]);
    adaptive["additionalModelRequestFields"]["thinking"]["type"] = "adaptive".into();
    expect(
        SONNET_4,
        &[
            (turns(&[round("a", json!([hm]))]), ""),
            (turns(&[round("a", json!([redacted(&reasoning::redacted("Hm"))]))]), ""),
            (turns(&[round("a", json!([hm])), round("b", json!([]))]), ""),
            (turns(&[round("a", json!([]))]), missing),
            (turns(&[round("a", json!([{ "text": "I look." }]))]), missing),
            (turns(&[round("a", json!([])), round("b", json!([hm]))]), missing),
            (over, ""),
            (adaptive, ""),
        ],
    );
}

#[test]
fn thinking_leaves_sampling_and_the_choice_of_tools_alone() {
    let with = |field: &str, value: Value| {
        let mut request = thinking(json!({ "messages": [hello()] }));
        request["inferenceConfig"][field] = value;
        request
    };
    let choice = |choice: Value| {
        thinking(
            json!({ "messages": [hello()], "toolConfig": { "tools": tools(&["weather"])["tools"], "toolChoice": choice } }),
        )
    };
    let mut top_k = thinking(json!({ "messages": [hello()] }));
    top_k["additionalModelRequestFields"]["top_k"] = 5.into();
    expect(
        SONNET_4,
        &[
            (with("temperature", json!(1.0)), ""),
            (with("temperature", json!(0.5)), "`temperature` may only be set to 1 when thinking is enabled"),
            (with("topP", json!(0.95)), ""),
            (with("topP", json!(0.9)), "`top_p` must be greater than or equal to 0.95"),
            (top_k, "`top_k` must be unset"),
            (choice(json!({ "auto": {} })), ""),
            (choice(json!({ "any": {} })), "Thinking may not be enabled when tool_choice forces tool use"),
            (
                choice(json!({ "tool": { "name": "weather" } })),
                "Thinking may not be enabled when tool_choice forces tool use",
            ),
        ],
    );
}
