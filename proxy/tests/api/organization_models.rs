//! Which models an organisation may use.

use std::io::Write;

use bedrock_emulator::{Behaviour, ErrorType, Script, Step};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::common::{
    Proxy,
    tokens::{WITH_TOKENS, client_of, token_of},
};

const SONNET: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const HAIKU: &str = "us.anthropic.claude-haiku-4-5-20251001-v1:0";
const PROFILE: &str = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123";

const RULES: &str = "organization,model
*,anthropic.claude-haiku-4-5*
acme,*
empty,
";

async fn proxy(more: &[&str], script: Script) -> Proxy {
    let mut rules = NamedTempFile::new().expect("a file");
    rules.write_all(RULES.as_bytes()).expect("written");
    let models = [SONNET, HAIKU, PROFILE].join(",");
    let path = rules.path().to_str().expect("a path");
    let flags = [&WITH_TOKENS[..], &["--models", &models, "--organization-models", path], more].concat();
    Proxy::with(&flags, script).await
}

fn models(hello: &Value) -> Vec<(&str, bool)> {
    let models = hello["models"].as_array().expect("models");
    models.iter().map(|model| (model["model"].as_str().expect("a name"), model["default"] == true)).collect()
}

#[tokio::test]
async fn an_organization_is_offered_what_it_may_use_and_gets_nothing_else() {
    let proxy = proxy(&[], Script::new()).await;
    let hello = json!({ "version": 1 });
    let mut other = client_of(&proxy, &token_of("other", "ada")).await;
    assert_eq!(models(&other.ask("h", "client.hello", hello.clone()).await.expect("hello")), [(HAIKU, true)]);
    let mut acme = client_of(&proxy, &token_of("acme", "ada")).await;
    let offered = acme.ask("h", "client.hello", hello.clone()).await.expect("hello");
    // Of the application inference profile nobody knows the model.
    assert_eq!(models(&offered), [(crate::common::MODEL, true), (SONNET, false), (HAIKU, false)]);

    assert_eq!(other.chat("r1", "s", "Explain rivers").await.end.str("model"), HAIKU);
    let mut says = Vec::new();
    for model in [SONNET, PROFILE, "none.such"] {
        let send = json!({ "sessionId": "s", "message": "hi", "streaming": true, "model": model });
        let (code, text) = other.ask("r2", "chat.send_message", send).await.expect_err("refused");
        assert_eq!(code, "model_not_found");
        says.push(text.replace(model, "it"));
        let session = other.ask("c", "chat.create_session", json!({ "model": model })).await;
        assert_eq!(session.expect_err("refused").0, "model_not_found");
    }
    assert!(says[0].contains(HAIKU) && !says[0].contains(SONNET), "{says:?}");
    assert_eq!((&says[0], &says[1]), (&says[2], &says[2]), "not allowed is told as not there");

    let mut empty = client_of(&proxy, &token_of("empty", "ada")).await;
    assert_eq!(models(&empty.ask("h", "client.hello", hello).await.expect("hello")), []);
    assert!(empty.chat("r", "s", "hi").await.error("model_not_found").contains("No model is offered"));
    assert_eq!(proxy.emulator.ledger().len(), 1);
}

#[tokio::test]
async fn no_other_model_steps_in_that_the_organization_may_not_use() {
    let script = Script::new().step(Step::of(Behaviour::error(ErrorType::Throttling)).when_model("haiku"));
    let proxy = proxy(&["--fallback-models", SONNET, "--max-attempts", "1"], script).await;
    let mut other = client_of(&proxy, &token_of("other", "ada")).await;
    other.chat("r", "s", "hi").await.error("throttled");
    let mut acme = client_of(&proxy, &token_of("acme", "ada")).await;
    let send = json!({ "sessionId": "s", "message": "hi", "streaming": true, "model": HAIKU });
    acme.send("r", "chat.send_message", send).await;
    assert_eq!(acme.answer().await.end.str("model"), SONNET);
    let asked: Vec<String> = proxy.emulator.ledger().into_iter().map(|call| call.model_id).collect();
    assert_eq!(asked, [HAIKU, HAIKU, SONNET]);
}
