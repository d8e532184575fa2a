//! A person's own instructions for an answer.

use bedrock_emulator::{Behaviour, Script};
use serde_json::{Value, json};

use crate::common::{Client, Proxy};

const SONNET_4_5: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";

fn with(prompt: &str) -> Value {
    json!({ "sessionId": "s", "message": "hi", "systemPrompt": prompt })
}

async fn said(client: &mut Client, id: &str, data: Value) -> Result<Value, (String, String)> {
    client.ask(id, "chat.send_message", data).await
}

fn system(proxy: &Proxy) -> Value {
    proxy.emulator.ledger().pop().expect("a call").request["system"].clone()
}

#[tokio::test]
async fn they_follow_the_operators_for_one_answer() {
    let flags = ["--system-prompt", "Be kind.", "--prompt-cache", "off"];
    let proxy = Proxy::with(&flags, Script::always(Behaviour::text("Yes"))).await;
    let mut client = proxy.connect().await;
    let answer = said(&mut client, "1", with("Be\u{2066} brief.")).await.expect("an answer");
    assert_eq!(system(&proxy), json!([{ "text": "Be kind." }, { "text": "Be brief." }]));
    let again = json!({ "sessionId": "s", "messageId": answer["message"]["messageId"], "systemPrompt": "In French." });
    client.ask("2", "chat.regenerate", again).await.expect("an answer");
    assert_eq!(system(&proxy), json!([{ "text": "Be kind." }, { "text": "In French." }]));
    said(&mut client, "3", with(" \n")).await.expect("an answer");
    assert_eq!(system(&proxy), json!([{ "text": "Be kind." }]), "what shows nothing is nothing");
    assert!(!client.history("s").await.to_string().contains("French"), "they are no part of the conversation");
    let plain = Proxy::with(&[], Script::always(Behaviour::text("Yes"))).await;
    said(&mut plain.connect().await, "1", with("Be brief.")).await.expect("an answer");
    assert_eq!(system(&plain), json!([{ "text": "Be brief." }]));
}

#[tokio::test]
async fn they_are_part_of_what_an_id_stands_for() {
    let proxy = Proxy::with(&[], Script::new()).await;
    let mut client = proxy.connect().await;
    let first = said(&mut client, "1", with("Be brief.")).await.expect("an answer");
    assert_eq!(said(&mut client, "1", with("Be brief.")).await.expect("the same"), first);
    assert_eq!(said(&mut client, "1", with("Be kind.")).await.expect_err("another").0, "invalid_request");
}

#[tokio::test]
async fn the_prompt_cache_has_its_point_after_what_is_the_same_for_everybody() {
    let flags = ["--models", SONNET_4_5];
    let model = |prompt| {
        let mut data = with(prompt);
        data["model"] = SONNET_4_5.into();
        data
    };
    let point = json!({ "cachePoint": { "type": "default" } });
    let operators = Proxy::with(&[&flags[..], &["--system-prompt", "Be kind."]].concat(), Script::new()).await;
    said(&mut operators.connect().await, "1", model("Be brief.")).await.expect("an answer");
    assert_eq!(system(&operators), json!([{ "text": "Be kind." }, point, { "text": "Be brief." }]));
    let own = Proxy::with(&flags, Script::new()).await;
    said(&mut own.connect().await, "1", model("Be brief.")).await.expect("an answer");
    assert_eq!(system(&own), json!([{ "text": "Be brief." }, point]));
}

#[tokio::test]
async fn how_long_they_may_be_is_told_and_held_to_and_nothing_with_a_guardrail_unless_that_is_said() {
    let guarded = ["--guardrail-id", "a1b2c3", "--guardrail-version", "7"];
    for (flags, most) in [
        (vec![], 8_000),
        (vec!["--max-system-prompt-chars", "5"], 5),
        (vec!["--max-system-prompt-chars", "0"], 0),
        (guarded.to_vec(), 0),
        ([&guarded[..], &["--max-system-prompt-chars", "5"]].concat(), 5),
    ] {
        let proxy = Proxy::with(&flags, Script::new()).await;
        let mut client = proxy.connect().await;
        let hello = client.ask("h", "client.hello", json!({ "version": 1 })).await.expect("server.hello");
        assert_eq!(hello["limits"]["maxSystemPromptChars"], most, "{flags:?}");
        let (code, text) = said(&mut client, "1", with(&"ü".repeat(most + 1))).await.expect_err("too long");
        let (expected, part) = match most {
            0 => ("invalid_request", "Leave systemPrompt out".to_owned()),
            most => ("message_too_large", format!("The system prompt has {} characters, the most is {most}", most + 1)),
        };
        assert!(code == expected && text.contains(&part), "{flags:?}: {code} {text}");
        if most > 0 {
            said(&mut client, "2", with(&"ü".repeat(most))).await.expect("an answer");
        }
    }
}

#[tokio::test]
async fn they_count_in_what_is_set_aside() {
    let proxy = Proxy::with(&["--budgets", "user/day=1200tokens", "--max-tokens", "1000"], Script::new()).await;
    let mut client = proxy.connect().await;
    let (code, _) = said(&mut client, "1", with(&"word ".repeat(200))).await.expect_err("over the budget");
    assert_eq!(code, "budget_exceeded");
    said(&mut client, "2", json!({ "sessionId": "s", "message": "hi" })).await.expect("an answer");
}
