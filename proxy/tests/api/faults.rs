//! What goes wrong at Bedrock, in the words that a person reads, and how the conversation goes on after it. Which error each fault
//! is, what is kept and what it costs is the fault matrix's.

use bedrock_emulator::{Behaviour, ErrorType, Fault, Script, Step};
use serde_json::json;

use crate::common::{Client, MODEL, Proxy};

/// Asks once, streamed and whole, and checks that both fail with the same code, in words that have `says` in them.
async fn fails(proxy: &Proxy, prompt: &str, code: &str, says: &str) {
    let mut client = proxy.connect().await;
    for streaming in [true, false] {
        let session = format!("{}-{streaming}", prompt.replace(|c: char| !c.is_ascii_alphanumeric(), "-"));
        client.send_message("r", &session, prompt, streaming).await;
        let answer = client.answer().await;
        let said = answer.error(code);
        assert!(said.contains(says), "{prompt}: {said}");
        assert_eq!((answer.frames.len(), answer.end.data.get("usage")), (1, None), "{prompt}");
        let history = proxy.history(&session).await;
        let messages = history["messages"].as_array().expect("messages");
        assert_eq!((messages.len(), &messages[0]["content"]), (1, &json!(prompt)));
        assert_eq!(history.get("inProgress"), None, "{prompt}");
    }
}

#[tokio::test]
async fn every_error_before_an_answer_says_what_to_do() {
    let proxy = Proxy::with(&["--max-attempts", "1"], Script::new()).await;
    let credentials = "AWS does not accept the proxy's credentials";
    // Those that are a fault of the model do not stand in a row, or it would not be called any more.
    for (prompt, code, says) in [
        ("/throttle", "throttled", "Wait a moment and try again"),
        ("/error-before ModelNotReady", "model_not_ready", "Try again in a minute"),
        ("/error-before AccessDenied", "model_access_denied", "in the Bedrock console under Model access"),
        ("/error-before InternalServer", "upstream_unavailable", "Try again in a moment"),
        ("/error-before Validation", "invalid_request", "Bedrock refused the request"),
        ("/error-before ServiceUnavailable", "upstream_unavailable", "Try again in a moment"),
        ("/error-before ServiceQuotaExceeded", "throttled", "A quota of the account"),
        ("/error-before ResourceNotFound", "model_not_found", "check BEDROCK_MODEL_ID and AWS_REGION"),
        ("/error-before ModelTimeout", "upstream_timeout", "took too long to answer"),
        ("/error-before ExpiredToken", "model_access_denied", credentials),
        ("/error-before ModelError", "upstream_stream_error", "failed while it answered"),
        ("/error-before UnrecognizedClient", "model_access_denied", credentials),
        ("/error-before InvalidSignature", "model_access_denied", credentials),
        ("/overflow", "context_overflow", "Start a new one, or shorten the message"),
    ] {
        fails(&proxy, prompt, code, says).await;
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_kept_with_what_it_is_thought_to_have_used() {
    let proxy = Proxy::start().await;
    let broken = "send the message again to get a whole answer";
    for (n, (prompt, code, says)) in [
        ("/error-mid Throttling 5", "throttled", "Wait a moment and try again"),
        ("/error-mid ModelStreamError 5", "upstream_stream_error", "failed while it answered"),
        ("/error-mid InternalServer 5", "upstream_unavailable", "Try again in a moment"),
        ("/cut 5", "upstream_stream_error", broken),
        ("/broken-frame 5", "upstream_stream_error", broken),
    ]
    .into_iter()
    .enumerate()
    {
        let session = format!("s{n}");
        let mut client = proxy.connect().await;
        let answer = client.chat("r", &session, prompt).await;
        assert!(answer.error(code).contains(says), "{prompt}: {:?}", answer.end);
        assert_eq!(answer.end.seq(), 6, "{prompt}");
        let usage = &answer.end.data["usage"];
        assert_eq!(
            (&usage["source"], &usage["outputTokens"]),
            (&json!("estimated"), &json!(answer.text.len().div_ceil(4)))
        );
        let kept = proxy.history(&session).await["messages"][1].clone();
        assert_eq!((&kept["content"], &kept["error"]), (&json!(answer.text), &answer.end.data), "{prompt}");
        assert_eq!((&kept["messageId"], kept.get("stopReason")), (&json!(answer.message_id()), None), "{prompt}");
        let next = client.chat("next", &session, "/length 3 And now?").await;
        assert_eq!(next.end.kind, "chat.message_complete", "{prompt}");
    }
}

#[tokio::test]
async fn silence_has_an_end() {
    let flags = ["--max-attempts", "1", "--first-event-timeout", "300ms", "--event-timeout", "200ms"];
    let proxy = Proxy::with(&flags, Script::new()).await;
    for (session, prompt, says) in [
        ("s1", "/first 600000 hi", "Bedrock sent nothing for 300 ms"),
        ("s2", "/silence 0", "Bedrock sent nothing for 200 ms"),
        ("s3", "/silence 5", "Bedrock sent nothing for 200 ms"),
    ] {
        let answer = proxy.connect().await.chat("r", session, prompt).await;
        assert!(answer.error("upstream_timeout").contains(says), "{prompt}: {answer:?}");
    }
    let flags = ["--event-timeout", "10ms", "--reasoning-timeout", "200ms"];
    let proxy = Proxy::with(&flags, Script::new()).await;
    let answer = proxy.connect().await.chat("r", "s", "/reasoning /silence 3 hi").await;
    assert!(answer.error("upstream_timeout").contains("nothing for 200 ms"), "{answer:?}");
    let proxy = Proxy::with(&["--answer-timeout", "300ms"], Script::new()).await;
    let answer = proxy.connect().await.chat("r", "s", "/pace 100 /length 1000 hi").await;
    assert!(answer.error("upstream_timeout").contains("more than 300 ms"), "{answer:?}");
    assert!(!answer.text.is_empty());
    let mut client = proxy.connect().await;
    let (code, said) = client
        .ask("w", "chat.send_message", json!({ "sessionId": "w", "message": "/silence 5" }))
        .await
        .expect_err("silence");
    assert_eq!(code, "upstream_timeout");
    assert!(said.contains("more than 300 ms"), "{said}");
    assert_eq!(proxy.history("w").await["messages"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_model_that_cannot_be_called_is_told_apart_by_the_reason() {
    let on_demand = "Invocation of model ID x with on-demand throughput isn\u{2019}t supported.";
    let denied = "User: arn:aws:iam::1:user/x is not authorized to perform: bedrock:InvokeModelWithResponseStream";
    let fault = |error, message: &str| {
        Step::of(Behaviour::fault(Fault::ErrorBefore { error, message: Some(message.to_owned()), times: None }))
    };
    let script = Script::new()
        .step(fault(ErrorType::Validation, on_demand).when_prompt("profile"))
        .step(fault(ErrorType::AccessDenied, denied).when_prompt("policy"))
        .step(fault(ErrorType::Throttling, "Too many tokens per day").when_prompt("daily"));
    let proxy = Proxy::with(&["--models", "anthropic.claude-9"], script).await;
    let profile = format!("use an inference profile, such as us.{MODEL}");
    fails(&proxy, "profile", "model_not_found", &profile).await;
    let policy = "allow bedrock:InvokeModel and bedrock:InvokeModelWithResponseStream";
    fails(&proxy, "policy", "model_access_denied", policy).await;
    fails(&proxy, "daily", "throttled", "It renews in up to a day").await;
    let mut client = proxy.connect().await;
    client.send("r", "chat.send_message", json!({ "message": "hi", "model": "anthropic.claude-9" })).await;
    let frame = client.frame().await;
    assert_eq!(frame.str("code"), "model_not_found");
    assert!(
        frame.str("message").contains("anthropic.claude-9 is no model that Bedrock knows in us-west-2"),
        "{frame:?}"
    );
}

#[tokio::test]
async fn a_wait_is_told_at_once_with_its_length() {
    let proxy = Proxy::with(&["--retry-base", "200ms"], Script::new()).await;
    for streaming in [true, false] {
        let mut client = proxy.connect().await;
        client
            .send_message("r", &format!("s-{streaming}"), &format!("/throttle 1 /length 3 {streaming}"), streaming)
            .await;
        let frame = client.frame().await;
        assert_eq!((frame.id.as_str(), frame.kind.as_str(), frame.str("state")), ("r", "chat.status", "retrying"));
        assert!((0..=200).contains(&frame.data["retryInMs"].as_i64().expect("a time")), "{frame:?}");
        let next = client.frame().await;
        let id = if streaming { &next.data["messageId"] } else { &next.data["message"]["messageId"] };
        assert_eq!(&frame.data["messageId"], id);
    }
}

#[tokio::test]
async fn a_bedrock_that_is_gone_is_an_error_and_not_the_end_of_the_proxy() {
    let proxy = Proxy::with(&["--retry-base", "1ms"], Script::new()).await;
    let (addr, emulator) = (proxy.addr, proxy.emulator);
    emulator.shutdown().await;
    let mut client = Client::connect(addr).await;
    let answer = client.chat("r", "s", "hello").await;
    assert!(answer.error("upstream_unavailable").contains("cannot reach Bedrock in us-west-2"), "{answer:?}");
    client.ask("p", "ping", json!({})).await.expect("a pong");
}

#[tokio::test]
async fn a_retry_after_a_failure_is_one_question_in_the_conversation() {
    let script = Script::new().step(Step::of(Behaviour::error(ErrorType::Validation)).times(1));
    let proxy = Proxy::with(&[], script).await;
    let mut client = proxy.connect().await;
    client.chat("r1", "s", "hi").await.error("invalid_request");
    let answer = client.chat("r2", "s", "hi").await;
    assert_eq!(answer.end.kind, "chat.message_complete");
    let history = proxy.history("s").await;
    let messages = history["messages"].as_array().expect("messages");
    let known: Vec<_> = messages.iter().map(|m| (&m["role"], &m["requestId"])).collect();
    assert_eq!(known, [(&json!("user"), &json!("r2")), (&json!("assistant"), &json!(null))]);
}

#[tokio::test]
async fn a_deleted_conversation_cannot_be_resumed() {
    let proxy = Proxy::start().await;
    let mut client = proxy.connect().await;
    let answer = client.chat("r", "s", "hi").await;
    client.ask("d", "chat.delete_session", json!({ "sessionId": "s" })).await.expect("chat.session_deleted");
    let resume = json!({ "messageId": answer.message_id(), "after": 0 });
    let (code, _) = client.ask("x", "chat.resume", resume).await.expect_err("an error");
    assert_eq!(code, "session_not_found");
}
