//! Everything that can go wrong at Bedrock, as the client sees it and as it is kept.

use bedrock_emulator::{Behaviour, ErrorType, Fault, LedgerEntry, Script, Step};
use futures_util::future::join_all;
use serde_json::json;

use crate::common::{Client, MODEL, Proxy};

/// A fault by its prompt prefix: the code and words the client gets, the tokens it keeps, how often Bedrock was asked.
struct Case {
    prompt: &'static str,
    code: &'static str,
    says: &'static str,
    tokens: u64,
    calls: usize,
}

const fn case(prompt: &'static str, code: &'static str, says: &'static str, tokens: u64, calls: usize) -> Case {
    Case { prompt, code, says, tokens, calls }
}

fn calls_of(proxy: &Proxy, prompt: &str) -> Vec<LedgerEntry> {
    let mut calls = proxy.emulator.ledger();
    calls.retain(|call| call.request["messages"][0]["content"][0]["text"] == prompt);
    calls
}

/// Plays the case in a session of its own and checks all that follows from it.
async fn play(proxy: &Proxy, case: &Case, model: &str, n: usize) {
    let session = format!("s{n}");
    let mut client = proxy.connect().await;
    let data = json!({ "sessionId": session, "message": case.prompt, "streaming": true, "model": model });
    client.send("r", "chat.send_message", data).await;
    let answer = client.answer().await;
    let said = answer.error(case.code).to_owned();
    let of = case.prompt;
    assert!(said.contains(case.says), "{of}: {said}");
    assert!(!answer.frames.iter().any(|frame| frame.kind == "chat.message_complete"), "{of}");
    assert_eq!(answer.end.seq(), case.tokens + 1, "{of}");
    let calls = calls_of(proxy, case.prompt);
    assert_eq!(calls.len(), case.calls, "{of}");
    assert!(calls[0].text_sent.starts_with(&answer.text), "{of}");

    let error = &answer.end.data;
    let history = proxy.history(&session).await;
    assert_eq!(history.get("inProgress"), None, "{of}");
    let messages = history["messages"].as_array().expect("messages");
    assert_eq!((&messages[0]["role"], &messages[0]["content"]), (&json!("user"), &json!(case.prompt)));
    if case.tokens == 0 {
        assert_eq!((answer.text.as_str(), error.get("usage"), messages.len()), ("", None, 1), "{of}");
    } else {
        assert_eq!(error["usage"]["source"], "estimated", "{of}");
        assert_eq!(error["usage"]["outputTokens"], answer.text.len().div_ceil(4), "{of}");
        assert_eq!((&messages[1]["content"], &messages[1]["error"]), (&json!(answer.text), error), "{of}");
        assert_eq!((&messages[1]["messageId"], messages[1].get("stopReason")), (&error["messageId"], None), "{of}");
    }
    // The session is free again. A message that was not answered at all is asked once more with the next, and fails likewise.
    let next = client.chat("next", &session, "/length 3 And now?").await;
    if case.tokens == 0 {
        next.error(case.code);
    } else {
        assert_eq!(next.end.kind, "chat.message_complete", "{of}");
    }
}

async fn play_all(proxy: &Proxy, cases: &[Case], model: &str) {
    join_all(cases.iter().enumerate().map(|(n, case)| play(proxy, case, model, n))).await;
}

#[tokio::test]
async fn every_error_before_the_stream_has_its_code_and_says_what_to_do() {
    let credentials = "AWS does not accept the proxy's credentials";
    play_all(
        &Proxy::start().await,
        &[
            case("/throttle", "throttled", "Wait a moment and try again", 0, 3),
            case("/error-before ModelNotReady", "model_not_ready", "Try again in a minute", 0, 3),
            case("/error-before InternalServer", "upstream_unavailable", "Try again in a moment", 0, 3),
            case("/error-before ServiceUnavailable", "upstream_unavailable", "Try again in a moment", 0, 3),
            case(
                "/error-before AccessDenied",
                "model_access_denied",
                "in the Bedrock console under Model access",
                0,
                1,
            ),
            case("/error-before Validation", "invalid_request", "Bedrock refused the request", 0, 1),
            case("/error-before ModelTimeout", "upstream_timeout", "took too long to answer", 0, 1),
            case("/error-before ModelError", "upstream_stream_error", "failed while it answered", 0, 1),
            case("/error-before ServiceQuotaExceeded", "throttled", "A quota of the account", 0, 1),
            case("/error-before ResourceNotFound", "model_not_found", "check BEDROCK_MODEL_ID and AWS_REGION", 0, 1),
            case("/error-before ExpiredToken", "model_access_denied", credentials, 0, 1),
            case("/error-before UnrecognizedClient", "model_access_denied", credentials, 0, 1),
            case("/error-before InvalidSignature", "model_access_denied", credentials, 0, 1),
            case("/overflow", "context_overflow", "Start a new one, or shorten the message", 0, 1),
        ],
        MODEL,
    )
    .await;
}

#[tokio::test]
async fn every_fault_in_the_stream_keeps_the_text_and_is_no_complete_answer() {
    let broken = "send the message again to get a whole answer";
    play_all(
        &Proxy::start().await,
        &[
            case("/error-mid Throttling 0", "throttled", "Wait a moment and try again", 0, 1),
            case("/error-mid ModelStreamError 5", "upstream_stream_error", "failed while it answered", 5, 1),
            case("/error-mid InternalServer 5", "upstream_unavailable", "Try again in a moment", 5, 1),
            case("/error-mid ServiceUnavailable 1", "upstream_unavailable", "Try again in a moment", 1, 1),
            case("/error-mid Validation 5", "invalid_request", "Bedrock refused the request", 5, 1),
            case(
                "/length 20 /error-after ModelStreamError",
                "upstream_stream_error",
                "failed while it answered",
                20,
                1,
            ),
            case("/cut 0", "upstream_stream_error", broken, 0, 1),
            case("/cut 5", "upstream_stream_error", broken, 5, 1),
            case("/cut-frame 5", "upstream_stream_error", broken, 5, 1),
            case("/broken-frame 0", "upstream_stream_error", broken, 0, 1),
            case("/broken-frame 5", "upstream_stream_error", broken, 5, 1),
            case("/length 20 /no-stop", "upstream_stream_error", broken, 20, 1),
            case("/length 20 /no-metadata", "upstream_stream_error", broken, 20, 1),
        ],
        MODEL,
    )
    .await;
}

#[tokio::test]
async fn silence_has_an_end() {
    let flags = ["--first-event-timeout", "300ms", "--event-timeout", "200ms"];
    play_all(
        &Proxy::with(&flags, Script::new()).await,
        &[
            case("/first 600000 hi", "upstream_timeout", "Bedrock sent nothing for 300 ms", 0, 1),
            case("/silence 0", "upstream_timeout", "Bedrock sent nothing for 200 ms", 0, 1),
            case("/silence 5", "upstream_timeout", "Bedrock sent nothing for 200 ms", 5, 1),
        ],
        MODEL,
    )
    .await;
    let flags = ["--event-timeout", "10ms", "--reasoning-timeout", "200ms"];
    let proxy = Proxy::with(&flags, Script::new()).await;
    let answer = proxy.connect().await.chat("r", "s", "/reasoning /silence 3 hi").await;
    assert!(answer.error("upstream_timeout").contains("nothing for 200 ms"), "{answer:?}");
    let proxy = Proxy::with(&["--answer-timeout", "300ms"], Script::new()).await;
    let answer = proxy.connect().await.chat("r", "s", "/pace 100 /length 1000 hi").await;
    assert!(answer.error("upstream_timeout").contains("more than 300 ms"), "{answer:?}");
    assert!(!answer.text.is_empty());
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
    let cases = [
        case("profile", "model_not_found", "use an inference profile, such as us.anthropic.claude-3-5-sonnet", 0, 1),
        case(
            "policy",
            "model_access_denied",
            "allow bedrock:InvokeModel and bedrock:InvokeModelWithResponseStream",
            0,
            1,
        ),
        case("daily", "throttled", "It renews in up to a day", 0, 3),
    ];
    play_all(&proxy, &cases, MODEL).await;
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
async fn a_whole_answer_fails_in_the_same_words() {
    let proxy = Proxy::with(&["--answer-timeout", "20s"], Script::new()).await;
    let cases = [
        ("/throttle", "throttled", 3),
        ("/error-before AccessDenied", "model_access_denied", 1),
        ("/error-before ModelTimeout", "upstream_timeout", 1),
        ("/error-mid ModelError", "upstream_stream_error", 1),
        ("/error-after InternalServer", "upstream_unavailable", 3),
        ("/overflow", "context_overflow", 1),
        ("/cut", "upstream_unavailable", 3),
    ];
    join_all(cases.iter().enumerate().map(|(n, (prompt, code, calls))| {
        let proxy = &proxy;
        async move {
            let mut client = proxy.connect().await;
            let data = json!({ "sessionId": format!("s{n}"), "message": prompt });
            let (got, text) = client.ask("r", "chat.send_message", data).await.expect_err(prompt);
            assert_eq!((got.as_str(), calls_of(proxy, prompt).len()), (*code, *calls), "{prompt}: {text}");
        }
    }))
    .await;
    let proxy = Proxy::with(&["--answer-timeout", "200ms"], Script::new()).await;
    let mut client = proxy.connect().await;
    let data = json!({ "sessionId": "s", "message": "/silence 5" });
    let (code, _) = client.ask("r", "chat.send_message", data).await.expect_err("silence");
    assert_eq!(code, "upstream_timeout");
    assert_eq!(proxy.history("s").await["messages"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_refusal_that_passes_is_not_even_noticed() {
    let proxy = Proxy::start().await;
    let mut client = proxy.connect().await;
    let answer = client.chat("r", "s", "/throttle 1 /length 10 hello").await;
    assert_eq!(answer.end.kind, "chat.message_complete");
    let statuses: Vec<_> = proxy.emulator.ledger().iter().map(|call| call.status).collect();
    assert_eq!(statuses, [429, 200]);
}

#[tokio::test]
async fn a_bedrock_that_is_gone_is_an_error_and_not_the_end_of_the_proxy() {
    let proxy = Proxy::start().await;
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
    let roles: Vec<_> = history["messages"].as_array().expect("messages").iter().map(|m| &m["role"]).collect();
    assert_eq!(roles, [&json!("user"), &json!("assistant")]);
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
