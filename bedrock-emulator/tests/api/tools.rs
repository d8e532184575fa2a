//! Tools: asked for, streamed, answered, in loops and in faults.

use crate::common::{MODEL, closed_entry, converse, converse_stream, post, start, whole};
use bedrock_emulator::{Behaviour, Emulator, Fault, Outcome, Script, Step};
use serde_json::{Value, json};

/// A conversation in which tools are called, as a client keeps it.
struct Talk {
    messages: Vec<Value>,
    tools: Value,
}

impl Talk {
    fn new(prompt: &str) -> Self {
        let usage = json!({ "type": "object", "properties": {
            "from": { "type": "string", "format": "date" },
            "to": { "type": "string", "format": "date" },
            "group_by": { "type": "string", "enum": ["day", "model", "user"] },
        }, "required": ["from", "to"] });
        let city = json!({ "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"] });
        let tool = |name: &str, description: &str, schema: Value| json!({ "toolSpec": { "name": name, "description": description, "inputSchema": { "json": schema } } });
        Talk {
            messages: vec![json!({ "role": "user", "content": [{ "text": prompt }] })],
            tools: json!([
                tool("outcrop-analytics__usage", "Tokens and cost by day, model or user.", usage),
                tool("get_weather", "The weather of a city.", city),
            ]),
        }
    }

    fn body(&self) -> Value {
        json!({ "messages": self.messages, "toolConfig": { "tools": self.tools } })
    }

    async fn ask(&mut self, emulator: &Emulator) -> Value {
        let answer = converse(emulator, MODEL, &self.body()).await;
        self.messages.push(answer["output"]["message"].clone());
        answer
    }

    /// Answers every tool that was asked for with this content.
    fn answer(&mut self, content: &Value, status: &str) {
        let last = self.messages.last().expect("a message")["content"].as_array().expect("content").clone();
        let results: Vec<Value> = last.iter().filter_map(|block| block.get("toolUse")).map(|tool| {
            json!({ "toolResult": { "toolUseId": tool["toolUseId"], "content": [content], "status": status } })
        }).collect();
        self.messages.push(json!({ "role": "user", "content": results }));
    }
}

fn tool_uses(answer: &Value) -> Vec<(&str, &Value)> {
    let content = answer["output"]["message"]["content"].as_array().expect("content");
    let uses = content.iter().filter_map(|block| block.get("toolUse"));
    uses.map(|tool| (tool["name"].as_str().expect("name"), &tool["input"])).collect()
}

fn text(answer: &Value) -> &str {
    let content = answer["output"]["message"]["content"].as_array().expect("content");
    content.iter().find_map(|block| block["text"].as_str()).expect("text")
}

#[tokio::test]
async fn a_question_about_cost_uses_the_tool_about_it_and_its_figures() {
    let emulator = start(Script::new()).await;
    let mut talk = Talk::new("How much did we spend from 2026-11-23 to 2026-11-26, by model?");
    let answer = talk.ask(&emulator).await;
    assert_eq!(answer["stopReason"], "tool_use");
    let input = json!({ "from": "2026-11-23", "to": "2026-11-26", "group_by": "model" });
    assert_eq!(tool_uses(&answer), [("outcrop-analytics__usage", &input)]);
    let rows = json!([{ "model": "opus", "cost_usd": 12.5 }, { "model": "haiku", "cost_usd": 0.25 }]);
    talk.answer(&json!({ "json": { "rows": rows } }), "success");
    let told = talk.ask(&emulator).await;
    assert_eq!((&told["stopReason"], tool_uses(&told).len()), (&json!("end_turn"), 0));
    for expected in ["**Cost USD: $12.75** in 2 rows; the most is $12.50 (opus).", "| haiku | $0.2500 |"] {
        assert!(text(&told).contains(expected), "{}", text(&told));
    }
}

#[tokio::test]
async fn a_question_about_something_else_uses_no_tool() {
    let emulator = start(Script::new()).await;
    for prompt in ["Explain rivers", "Hello", "Write a small Rust program"] {
        assert_eq!(tool_uses(&Talk::new(prompt).ask(&emulator).await), [], "{prompt}");
    }
}

#[tokio::test]
async fn prefixes_ask_for_tools_once_and_a_loop_asks_without_end() {
    let emulator = start(Script::new()).await;
    let mut talk =
        Talk::new("/tool outcrop-analytics/usage /tool get_weather {\"city\":\"Oslo\"} What about yesterday?");
    let answer = talk.ask(&emulator).await;
    let uses = tool_uses(&answer);
    assert_eq!(
        (uses.len(), uses[0].0, uses[1]),
        (2, "outcrop-analytics__usage", ("get_weather", &json!({ "city": "Oslo" })))
    );
    assert_eq!(uses[0].1["from"], uses[0].1["to"], "one day: {}", uses[0].1);
    talk.answer(&json!({ "text": "The user denied this call." }), "error");
    let told = talk.ask(&emulator).await;
    assert_eq!(text(&told).matches("The tool was not run: The user denied this call.").count(), 2);

    let mut talk = Talk::new("/loop-tools get_weather hi");
    let mut ids = std::collections::HashSet::new();
    for _ in 0..5 {
        let answer = talk.ask(&emulator).await;
        assert_eq!(tool_uses(&answer).len(), 1);
        let id = answer["output"]["message"]["content"][1]["toolUse"]["toolUseId"].as_str().expect("id");
        assert!(ids.insert(id.to_owned()), "{id} came twice");
        talk.answer(&json!({ "text": "rain" }), "success");
    }
    talk.messages.push(json!({ "role": "assistant", "content": [{ "text": "I stop." }] }));
    talk.messages.push(json!({ "role": "user", "content": [{ "text": "Explain rivers" }] }));
    assert_eq!(tool_uses(&talk.ask(&emulator).await).len(), 0);
}

#[tokio::test]
async fn a_script_follows_the_rounds_of_a_loop() {
    let first = Behaviour::text("I look.")
        .with_reasoning("Hm")
        .with_tool_use("get_weather", json!({ "town": 7 }))
        .with_tool_use("no_such_tool", json!({}));
    let script: Script = serde_json::from_value(json!({ "steps": [
        { "when": { "prompt": "weather", "round": 0 }, "do": first },
        { "when": { "toolResult": "rain" }, "do": { "text": "Take a coat." } },
        { "when": { "prompt": "weather", "round": 1 }, "do": { "toolUses": [{ "name": "get_weather" }] } },
    ] }))
    .expect("a script");
    let emulator = start(script).await;
    let mut talk = Talk::new("What is the weather in Oslo?");
    let answer = talk.ask(&emulator).await;
    assert_eq!(tool_uses(&answer), [("get_weather", &json!({ "town": 7 })), ("no_such_tool", &json!({}))]);
    let kinds: Vec<_> = answer["output"]["message"]["content"]
        .as_array()
        .expect("content")
        .iter()
        .flat_map(|block| block.as_object().expect("block").keys())
        .collect();
    assert_eq!(kinds, ["reasoningContent", "text", "toolUse", "toolUse"]);
    talk.answer(&json!({ "text": "unknown argument: town" }), "error");
    assert_eq!(tool_uses(&talk.ask(&emulator).await), [("get_weather", &json!({ "city": "Oslo" }))]);
    talk.answer(&json!({ "json": { "sky": "rain" } }), "success");
    assert_eq!(text(&talk.ask(&emulator).await), "Take a coat.");
}

#[tokio::test]
async fn input_is_streamed_in_pieces_cut_anywhere_even_inside_escapes() {
    let input = json!({ "text": "a \"quoted\" line\nand тре\u{1f980} \u{7}" });
    let emulator = start(Script::always(Behaviour::text("").with_tool_use("get_weather", input.clone()))).await;
    let streamed = converse_stream(&emulator, MODEL, &Talk::new("x").body()).await;
    let pieces = streamed.fields("toolUse", "input");
    assert_eq!(serde_json::from_str::<Value>(&pieces.concat()).expect("JSON"), input);
    assert!(pieces.iter().any(|piece| piece.ends_with('\\')), "no escape is cut: {pieces:?}");
    assert!(pieces.len() > 20, "{pieces:?}");
    assert_eq!(streamed.last().payload["usage"]["outputTokens"], pieces.len());
    assert_eq!(closed_entry(&emulator).await.deltas_sent as usize, pieces.len());
}

#[tokio::test]
async fn input_may_be_no_json_or_nothing_at_all() {
    let behaviour =
        Behaviour::text("").with_raw_tool_use("get_weather", r#"{"city": "Os"#).with_raw_tool_use("get_weather", "");
    let emulator = start(Script::always(behaviour)).await;
    let streamed = converse_stream(&emulator, MODEL, &Talk::new("x").body()).await;
    assert_eq!(streamed.fields("toolUse", "input").concat(), r#"{"city": "Os"#);
    let kinds = streamed.kinds();
    let starts = kinds.iter().filter(|kind| **kind == "contentBlockStart").count();
    assert_eq!(
        (starts, &kinds[kinds.len() - 4..]),
        (2, &["contentBlockStart", "contentBlockStop", "messageStop", "metadata"][..])
    );
    let answer = Talk::new("x").ask(&emulator).await;
    assert_eq!(tool_uses(&answer), [("get_weather", &json!({})); 2]);
}

#[tokio::test]
async fn a_fault_strikes_in_the_middle_of_input() {
    let tool = Behaviour::text("I look.").with_tool_use("get_weather", json!({ "city": "Oslo" }));
    let cut = tool.clone().with_fault(Fault::Cut { after_tokens: 6, mid_frame: false });
    let failed = tool.with_fault(
        serde_json::from_value(json!({ "kind": "errorMid", "error": "modelStreamErrorException", "afterTokens": 6 }))
            .expect("a fault"),
    );
    let script = Script::new().step(Step::of(cut).times(1)).step(Step::of(failed));
    let emulator = start(script).await;
    let streamed = converse_stream(&emulator, MODEL, &Talk::new("x").body()).await;
    assert_eq!(
        (streamed.text().as_str(), streamed.fields("toolUse", "input").concat().as_str()),
        ("I look.", r#"{"city"#)
    );
    let stops = streamed.kinds().iter().filter(|kind| **kind == "contentBlockStop").count();
    assert_eq!((streamed.ended, stops), (false, 1), "the text's block has ended, the tool's has not");
    assert_eq!(closed_entry(&emulator).await.outcome, Outcome::Cut);
    let streamed = converse_stream(&emulator, MODEL, &Talk::new("x").body()).await;
    assert_eq!((streamed.last().kind.as_str(), streamed.last().exception), ("modelStreamErrorException", true));
    assert_eq!(streamed.fields("toolUse", "input").concat(), r#"{"city"#);
}

#[tokio::test]
async fn results_that_do_not_fit_their_uses_are_refused() {
    let emulator = start(Script::new()).await;
    let mut talk = Talk::new("/tool usage /tool get_weather hi");
    talk.ask(&emulator).await;
    talk.answer(&json!({ "text": "x" }), "success");
    talk.messages[2]["content"].as_array_mut().expect("results").pop();
    let (status, kind, body) = whole(post(&emulator, "converse", &talk.body()).await).await;
    assert_eq!((status, kind.as_str()), (400, "ValidationException"));
    let message = body["message"].as_str().expect("message");
    assert!(
        message.starts_with("Expected toolResult blocks at messages.2.content for the following Ids: tooluse_"),
        "{message}"
    );
}
