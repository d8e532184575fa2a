//! Images, documents, reasoning and the prompt cache.

use base64::prelude::{BASE64_STANDARD, Engine};
use bedrock_emulator::{Behaviour, Config, Script};
use serde_json::{Value, json};

use crate::{
    calling,
    common::{Answer, Client, Proxy},
    free, one, proxy,
    server::{Does, PNG},
};

const SONNET_4_5: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";

async fn plain(flags: &[&str], script: Script) -> Proxy {
    Proxy::over(flags, Config { script, ..Config::unpaced() }).await
}

fn file(name: &str, media_type: &str, data: &str) -> Value {
    json!({ "name": name, "mediaType": media_type, "data": data })
}

/// Asks the model that can do all of this.
async fn asked(client: &mut Client, id: &str, message: &str) -> Answer {
    let data = json!({ "sessionId": "s", "message": message, "streaming": true, "model": SONNET_4_5 });
    client.send(id, "chat.send_message", data).await;
    client.answer().await
}

fn with_files(files: &[Value]) -> Value {
    json!({ "sessionId": "s", "message": "what is this?", "streaming": true, "attachments": files })
}

#[tokio::test]
async fn files_reach_the_model_and_again_with_the_next_question() {
    let proxy = plain(&[], Script::new()).await;
    let mut client = proxy.connect().await;
    let notes = BASE64_STANDARD.encode("The river is high today.");
    let files = [file("dot.png", "image/png", PNG), file("notes 1.md", "text/markdown", &notes)];
    client.send("1", "chat.send_message", with_files(&files)).await;
    let answer = client.answer().await;
    assert_eq!(answer.end.kind, "chat.message_complete", "{:?}", answer.end);
    assert!(answer.text.contains("PNG") && answer.text.contains("river"), "{}", answer.text);
    let history = client.history("s").await;
    let question = &history["messages"][0];
    assert_eq!(question["content"], "what is this?");
    assert_eq!(question["attachments"][1], json!({ "name": "notes 1.md", "mediaType": "text/markdown", "bytes": 24 }));
    client.chat("2", "s", "and now?").await;
    let content = proxy.emulator.ledger()[1].request["messages"][0]["content"].clone();
    assert_eq!(content[0]["image"]["format"], "png", "{content}");
    assert_eq!(content[1]["document"]["name"], "notes 1 md");
}

#[tokio::test]
async fn files_alone_are_a_message_and_the_same_again_is_the_same_message() {
    let proxy = plain(&[], Script::new()).await;
    let mut client = proxy.connect().await;
    let data =
        json!({ "sessionId": "s", "message": "", "streaming": true, "attachments": [file("a.png", "image/png", PNG)] });
    client.send("1", "chat.send_message", data.clone()).await;
    let first = client.answer().await;
    client.send("1", "chat.send_message", data).await;
    assert_eq!(client.answer().await.message_id(), first.message_id());
    assert_eq!(proxy.emulator.ledger().len(), 1);
    let other =
        json!({ "sessionId": "s", "message": "", "streaming": true, "attachments": [file("b.png", "image/png", PNG)] });
    client.send("1", "chat.send_message", other).await;
    assert_eq!(client.frame().await.str("code"), "invalid_request");
}

#[tokio::test]
async fn a_file_that_nobody_can_read_is_refused_by_name() {
    let proxy = plain(&[], Script::new()).await;
    let mut client = proxy.connect().await;
    for bad in [
        file("a.exe", "application/x-msdownload", "AAAA"),
        file("b.png", "image/png", "not base64!"),
        file("c.png", "image/png", ""),
        file("d.png", "image/png", "AAAA"),
    ] {
        let name = bad["name"].as_str().unwrap().to_owned();
        client.send("1", "chat.send_message", with_files(&[bad])).await;
        let frame = client.frame().await;
        assert!(frame.kind == "chat.error" && frame.str("message").contains(&name), "{frame:?}");
    }
    assert!(proxy.emulator.ledger().is_empty());
}

#[tokio::test]
async fn reasoning_is_shown_and_goes_back_as_it_came() {
    let server = one("echo", Does::Echoes).await;
    let asks = Behaviour::text("I look.").with_reasoning("Hm, I wonder.").with_tool_use("s__echo", json!({ "x": 1 }));
    let script = Script::new()
        .step(bedrock_emulator::Step::of(asks).when_round(0))
        .step(bedrock_emulator::Step::of(Behaviour::text("It is 1.").with_redacted_reasoning()));
    let flags = ["--models", SONNET_4_5, "--reasoning-tokens", "2048"];
    let proxy = proxy(&server, free(), &flags, script).await;
    let mut client = proxy.connect().await;
    let answer = asked(&mut client, "1", "go").await;
    assert_eq!(
        (answer.end.kind.as_str(), answer.reasoning.as_str()),
        ("chat.message_complete", "Hm, I wonder."),
        "{:?}",
        answer.end
    );
    let sent = |n: usize| proxy.emulator.ledger()[n].request.clone();
    assert_eq!(sent(0)["additionalModelRequestFields"]["thinking"]["budget_tokens"], 2048);
    let first = sent(1)["messages"][1]["content"][0]["reasoningContent"]["reasoningText"].clone();
    assert!(first["text"] == "Hm, I wonder." && first["signature"].is_string(), "{first}");
    let next = asked(&mut client, "2", "sure?").await;
    assert_eq!(next.end.kind, "chat.message_complete", "{:?}", next.end);
    let turns = sent(2)["messages"].as_array().unwrap().clone();
    assert!(turns[3]["content"][0]["reasoningContent"]["redactedContent"].is_string(), "{turns:?}");
}

#[tokio::test]
async fn prompts_are_cached_with_at_most_four_points() {
    let server = one("echo", Does::Echoes).await;
    let script = calling(&[("echo", json!({ "x": 1 }))], "It is 1.");
    let flags = ["--models", SONNET_4_5, "--system-prompt", "Be kind."];
    let on = proxy(&server, free(), &flags, script.clone()).await;
    let mut client = on.connect().await;
    asked(&mut client, "1", &"river ".repeat(1_500)).await;
    let answer = asked(&mut client, "2", "again").await;
    let points = |request: &Value| request.to_string().matches("cachePoint").count();
    let sent: Vec<usize> = on.emulator.ledger().iter().map(|call| points(&call.request)).collect();
    assert_eq!(sent, [3, 4, 4, 4]);
    assert!(answer.end.data["usage"]["cacheReadInputTokens"].as_u64() > Some(1_000), "{:?}", answer.end);
    let off = proxy(&server, free(), &[&flags[..], &["--prompt-cache", "off"]].concat(), script).await;
    asked(&mut off.connect().await, "1", "hi").await;
    assert_eq!(points(&off.emulator.ledger()[0].request), 0);
}
