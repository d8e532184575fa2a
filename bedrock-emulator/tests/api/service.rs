//! The front door: who is let in, what is refused, the emulator's own pages, shutting down.

use crate::common::{client, post, prompt, request, start, stream, whole};
use bedrock_emulator::{Behaviour, Config, Emulator, Fault, LedgerEntry, MAX_BODY_BYTES, Outcome, Script};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request};
use serde_json::json;

async fn send(request: Request<Full<Bytes>>) -> (u16, Bytes) {
    let response = client(false).request(request).await.expect("a response");
    (response.status().as_u16(), response.into_body().collect().await.expect("a body").to_bytes())
}

#[tokio::test]
async fn callers_without_the_right_key_are_refused_and_written_down() {
    let emulator = start(Script::new()).await;
    for (authorization, expected) in [
        (None, "MissingAuthenticationTokenException"),
        (Some("Basic abc"), "MissingAuthenticationTokenException"),
        (Some("Bearer wrong"), "AccessDeniedException"),
        (Some("AWS4-HMAC-SHA256 x"), "IncompleteSignatureException"),
    ] {
        let mut request = request(&emulator.url(), crate::common::MODEL, "converse", &prompt("x"));
        request.headers_mut().remove("authorization");
        if let Some(value) = authorization {
            request.headers_mut().insert("authorization", value.parse().expect("a header"));
        }
        let (status, name, body) = whole(client(false).request(request).await.expect("a response")).await;
        assert_eq!((status, name.as_str()), (403, expected));
        assert!(body["message"].is_string());
    }
    let ledger = emulator.ledger();
    assert_eq!(ledger.len(), 4);
    assert!(ledger.iter().all(|entry| entry.outcome == Outcome::Rejected && entry.principal.is_empty()));
}

#[tokio::test]
async fn models_and_operations_that_do_not_exist_are_refused() {
    let emulator = start(Script::new()).await;
    let arn = format!("arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.{}", crate::common::MODEL);
    for (model, operation, status, name) in [
        ("anthropic.claude-9", "converse", 400, "ValidationException"),
        (crate::common::MODEL, "rerank", 404, "UnknownOperationException"),
        (&arn, "converse", 200, ""),
    ] {
        let response =
            client(false).request(request(&emulator.url(), model, operation, &prompt("x"))).await.expect("a response");
        let (got, got_name, _) = whole(response).await;
        assert_eq!((got, got_name.as_str()), (status, name), "{model} {operation}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_or_no_json_is_refused() {
    let emulator = start(Script::new()).await;
    let url = format!("{}/model/{}/converse", emulator.url(), crate::common::MODEL);
    let send = async |body: Vec<u8>| {
        let request = Request::post(&url).header("authorization", format!("Bearer {}", bedrock_emulator::API_KEY));
        whole(client(false).request(request.body(Full::from(body)).expect("request")).await.expect("a response")).await
    };
    assert_eq!(send(b"{".to_vec()).await.1, "SerializationException");
    assert_eq!(send(b"{\"messages\":7}".to_vec()).await.1, "SerializationException");
    assert_eq!(send(vec![b' '; MAX_BODY_BYTES + 1]).await.1, "RequestEntityTooLargeException");
}

#[tokio::test]
async fn an_input_beyond_the_window_of_the_model_is_too_long() {
    let emulator = start(Script::new()).await;
    let (status, _, body) = whole(post(&emulator, "converse", &prompt(&"word ".repeat(200_000))).await).await;
    assert_eq!((status, body["message"].as_str()), (400, Some("Input is too long for requested model.")));
}

#[tokio::test]
async fn a_cached_prefix_is_written_and_then_read() {
    let emulator = start(Script::new()).await;
    let mut body = prompt("x");
    body["system"] = json!([{ "text": "word ".repeat(3_000) }, { "cachePoint": { "type": "default", "ttl": "1h" } }]);
    let send = async |model| {
        let request = request(&emulator.url(), model, "converse", &body);
        whole(client(false).request(request).await.expect("a response")).await
    };
    let (status, refused, _) = send(crate::common::MODEL).await;
    assert_eq!((status, refused.as_str()), (403, "AccessDeniedException"), "a model without caching");
    let (_, _, first) = send(crate::common::CACHING_MODEL).await;
    let (_, _, second) = send(crate::common::CACHING_MODEL).await;
    let written = &first["usage"]["cacheWriteInputTokens"];
    assert!(written.as_u64() >= Some(3_000));
    assert_eq!(first["usage"]["cacheDetails"], json!([{ "ttl": "1h", "inputTokens": written }]));
    assert_eq!(&second["usage"]["cacheReadInputTokens"], written);
    assert_eq!(second["usage"]["inputTokens"], 4);
}

#[tokio::test]
async fn the_ledger_is_a_page_too_and_can_be_cleared() {
    let emulator = start(Script::always(Behaviour::text("Hello"))).await;
    let body = prompt("hi");
    let id = post(&emulator, "converse", &body).await.headers()["x-amzn-requestid"].to_str().expect("ASCII").to_owned();
    let page = |method: Method| {
        Request::builder()
            .method(method)
            .uri(format!("{}/_emulator/ledger", emulator.url()))
            .body(Full::default())
            .expect("request")
    };
    let (status, json) = send(page(Method::GET)).await;
    let entries: Vec<LedgerEntry> = serde_json::from_slice(&json).expect("entries");
    assert_eq!((status, entries.len()), (200, 1));
    assert_eq!(entries[0], emulator.ledger()[0]);
    let entry = &entries[0];
    assert_eq!((&entry.request_id, &entry.request, entry.principal.as_str()), (&id, &body, "api-key"));
    assert_eq!((entry.model_id.as_str(), entry.text_sent.as_str(), entry.status), (crate::common::MODEL, "Hello", 200));
    assert_eq!(send(page(Method::DELETE)).await.0, 204);
    assert!(emulator.ledger().is_empty());
}

#[tokio::test]
async fn the_ledger_keeps_the_newest_calls() {
    let emulator = Emulator::start(Config { ledger_capacity: 2, ..Config::unpaced() }).await.expect("starts");
    for text in ["one", "two", "three"] {
        post(&emulator, "converse", &prompt(text)).await;
    }
    let prompts: Vec<_> =
        emulator.ledger().iter().map(|entry| entry.request["messages"][0]["content"][0]["text"].clone()).collect();
    assert_eq!(prompts, ["two", "three"]);
}

#[tokio::test]
async fn a_script_can_be_put_and_a_wrong_one_is_refused() {
    let emulator = start(Script::new()).await;
    let put = |script: &'static str| {
        Request::put(format!("{}/_emulator/script", emulator.url())).body(Full::from(script)).expect("request")
    };
    assert_eq!(send(put(r#"{"steps":[{"do":{"text":"scripted"}}]}"#)).await.0, 204);
    assert_eq!(send(put(r#"{"steps":[{"do":{"txt":"scripted"}}]}"#)).await.0, 400);
    assert_eq!(stream(post(&emulator, "converse-stream", &prompt("x")).await).await.text(), "scripted");
}

#[tokio::test]
async fn it_listens_on_loopback_only() {
    let error = Emulator::start(Config { listen: "0.0.0.0:0".parse().expect("address"), ..Config::default() })
        .await
        .expect_err("refused");
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}

#[tokio::test]
async fn a_shutdown_ends_even_a_silent_stream() {
    let emulator = start(Script::always(Behaviour::fault(Fault::Silence { after_tokens: 1 }))).await;
    let url = emulator.url();
    let response = post(&emulator, "converse-stream", &prompt("x")).await;
    emulator.shutdown().await;
    assert!(!stream(response).await.ended);
    assert!(client(false).request(request(&url, crate::common::MODEL, "converse", &prompt("x"))).await.is_err());
}
