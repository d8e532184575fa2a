use super::*;

fn offered(spec: Value) -> Value {
    json!({ "messages": [hello()], "toolConfig": { "tools": [{ "toolSpec": spec }] } })
}

fn answered(results: Value) -> Value {
    with_tools(json!([hello(), assistant(json!([tool_use("a")])), user(results)]))
}

fn result(content: Value, status: &str) -> Value {
    answered(json!([{ "toolResult": { "toolUseId": "a", "content": content, "status": status } }]))
}

#[test]
fn a_tool_has_a_name_a_schema_and_no_empty_description() {
    let object = json!({ "json": { "type": "object" } });
    expect(
        SONNET_4,
        &[
            (offered(json!({ "name": "t", "description": "d", "inputSchema": object })), ""),
            (offered(json!({ "name": "t", "inputSchema": object })), ""),
            (
                offered(json!({ "name": "t", "description": "", "inputSchema": object })),
                "at 'toolConfig.tools.1.member.toolSpec.description' failed to satisfy constraint: Member must have length greater",
            ),
            (
                offered(json!({ "name": "t", "inputSchema": { "json": { "oneOf": [] } } })),
                "The value at toolConfig.tools.0.toolSpec.inputSchema.json.type must be one of the following: object.",
            ),
            (offered(json!({ "name": "t" })), "inputSchema.json.type must be"),
            (
                json!({ "messages": [hello()], "toolConfig": { "tools": [] } }),
                "at 'toolConfig.tools' failed to satisfy",
            ),
        ],
    );
}

#[test]
fn ids_are_words_and_each_is_used_once() {
    let long = "x".repeat(65);
    let used =
        |id: &str| with_tools(json!([hello(), assistant(json!([tool_use(id)])), user(json!([tool_result(id)]))]));
    let twice = json!([hello(), assistant(json!([tool_use("a"), tool_use("a")])), user(json!([tool_result("a")]))]);
    let again = json!([
        hello(),
        assistant(json!([tool_use("a")])),
        user(json!([tool_result("a")])),
        assistant(json!([tool_use("a")])),
        user(json!([tool_result("a")]))
    ]);
    expect(
        SONNET_4,
        &[
            (used("tooluse_a-1.b:c"), ""),
            (used(""), "at 'messages.2.member.content.1.member.toolUse.toolUseId' failed to satisfy"),
            (used(&long), "Member must have length less than or equal to 64"),
            (used("a b"), "satisfy regular expression pattern: [a-zA-Z0-9_.:-]+"),
            (with_tools(twice), "The toolUse blocks at messages.1.content contain duplicate Ids: a"),
            (with_tools(again), "messages.3.content.0: `tool_use` ids must be unique"),
        ],
    );
}

#[test]
fn results_have_content_come_first_and_belong_to_the_user() {
    let image = json!({ "image": { "format": "png", "source": { "bytes": media::png(8, 8) } } });
    let document = json!({ "document": { "format": "txt", "name": "n", "source": { "text": "words" } } });
    let text = json!({ "text": "and?" });
    expect(
        SONNET_4,
        &[
            (result(json!([{ "text": "a" }, { "json": { "b": 1 } }, image, document]), "success"), ""),
            (result(json!([{ "text": "no" }]), "error"), ""),
            (
                result(json!([]), "error"),
                "The content field at messages.2.content.0.toolResult cannot be empty when status value is error.",
            ),
            (result(json!([]), "success"), "at messages.2.content.0.toolResult is empty"),
            (result(json!([{ "text": " " }]), "success"), "text content blocks must be non-empty"),
            (answered(json!([tool_result("a"), text])), ""),
            (
                answered(json!([text, tool_result("a")])),
                "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: a",
            ),
            (answered(json!([tool_result("b"), tool_result("a")])), "exceeds the number of toolUse blocks"),
            (
                with_tools(json!([hello(), assistant(json!([tool_result("a")])), hello()])),
                "`tool_result` blocks can only be in `user` messages",
            ),
            (
                with_tools(json!([user(json!([tool_use("a")]))])),
                "`tool_use` blocks can only be in `assistant` messages",
            ),
            (
                with_tools(json!([
                    hello(),
                    assistant(json!([{ "toolUse": { "toolUseId": "a", "name": "weather", "input": "x" } }]))
                ])),
                "The format of the value at messages.1.content.0.toolUse.input is invalid",
            ),
        ],
    );
}
