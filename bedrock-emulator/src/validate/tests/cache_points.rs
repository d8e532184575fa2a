use super::*;
use crate::error::ErrorType;

fn point(ttl: &str) -> Value {
    json!({ "cachePoint": { "type": "default", "ttl": ttl } })
}

fn content(blocks: Value) -> Value {
    json!({ "messages": [user(blocks)] })
}

#[test]
fn a_request_has_at_most_four_the_longest_first() {
    let (short, hour, text) = (point("5m"), point("1h"), json!({ "text": "x" }));
    let tool = json!({ "toolSpec": { "name": "t", "inputSchema": { "json": { "type": "object" } } } });
    let spread = |system: &Value, tools: &Value| json!({ "messages": [user(json!([text, short, short]))], "system": [text, system], "toolConfig": { "tools": [tool, tools] } });
    let mut five = spread(&short, &short);
    five["messages"][0]["content"].as_array_mut().expect("array").push(short.clone());
    expect(
        SONNET_4,
        &[
            (spread(&short, &short), ""),
            (spread(&hour, &hour), ""),
            (five, "Found 5."),
            (
                spread(&hour, &short),
                "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block",
            ),
        ],
    );
}

#[test]
fn none_is_right_after_reasoning_or_a_document_of_text() {
    let signed = |text: &str| json!({ "reasoningContent": { "reasoningText": { "text": text, "signature": crate::reasoning::signature(text) } } });
    let document = |format: &str, bytes: &str| json!({ "document": { "format": format, "name": "n", "source": { "bytes": bytes } } });
    let (short, text) = (point("5m"), json!({ "text": "x" }));
    let after = |blocks: Value| json!({ "messages": [hello(), assistant(blocks), hello()] });
    expect(
        SONNET_4,
        &[
            (after(json!([signed("Hm"), short, text])), "Cache point cannot be inserted after reasoning block."),
            (after(json!([signed("Hm"), text, short])), ""),
            (content(json!([text, document("md", "YQ=="), short])), "messages.0.content.2.type: Field required"),
            (content(json!([document("md", "YQ=="), text, short])), ""),
            (content(json!([text, document("pdf", "JVBERi0xLjc="), short])), ""),
        ],
    );
}

#[test]
fn a_model_without_a_price_for_caching_denies_them() {
    let request = content(json!([{ "text": "x" }, point("5m")]));
    let chat = converse::parse(request.to_string().as_bytes()).expect("parses");
    let model = model::find(SONNET_3_5).expect("row");
    assert_eq!(check(&chat, model, Dialect::Converse).expect_err("denied").kind, ErrorType::AccessDenied);
    assert_eq!(refusal(SONNET_4, &request), None);
}
