//! Every fault of a tool and of Bedrock at every moment of an answer with tools.

use bedrock_emulator::{Behaviour, ErrorType, Fault, Moment, Script, Step, Strike};
use serde_json::json;

use crate::{Calls as _, calling, common::Answer, free, one, proxy, server::Does};

async fn once(does: Does, options: serde_json::Value) -> (crate::Server, Answer, String) {
    let server = one("tool", does).await;
    let proxy = proxy(&server, options, &[], calling(&[("tool", json!({}))], "Well.")).await;
    let mut client = proxy.connect().await;
    let answer = client.chat("1", "s", "go").await;
    assert_eq!(answer.end.kind, "chat.message_complete", "{:?}", answer.end);
    assert_eq!(client.chat("2", "s", "go on").await.end.kind, "chat.message_complete");
    let told = proxy.emulator.ledger()[1].request["messages"][2].to_string();
    (server, answer, told)
}

#[tokio::test]
async fn a_tool_that_dies_in_mid_call_is_not_called_again() {
    let (server, answer, told) = once(Does::Dies, free()).await;
    assert_eq!(answer.states().last(), Some(&"unknown_outcome"));
    // One for each of the two questions.
    assert_eq!(server.called().len(), 2);
    assert!(told.contains("may have had its effect"), "{told}");
}

#[tokio::test]
async fn a_tool_that_takes_too_long_has_an_unknown_outcome() {
    let options = json!({ "approval": "never", "timeoutSeconds": 1 });
    let (_server, answer, _) = once(Does::Waits, options).await;
    assert_eq!(answer.states().last(), Some(&"unknown_outcome"));
}

#[tokio::test]
async fn a_server_that_forgot_the_session_is_asked_again_once() {
    let (server, answer, _) = once(Does::ForgetsSession, free()).await;
    assert_eq!(answer.states().last(), Some(&"succeeded"), "{:?}", answer.calls());
    assert_eq!(server.called().len(), 2);
}

#[tokio::test]
async fn a_server_that_is_not_there_takes_only_its_own_tools_away() {
    let server = one("tool", Does::Echoes).await;
    let config = server.config(free());
    drop(server);
    let flags =
        ["--mcp-config", config.path().to_str().unwrap(), "--mcp-pins", "/nonexistent/pins", "--analytics", "on"];
    let proxy = crate::common::Proxy::with(&flags, Script::new()).await;
    let mut client = proxy.connect().await;
    let hello = client.ask("h", "client.hello", json!({ "version": 1 })).await.unwrap();
    let tools = hello["tools"].as_array().unwrap();
    assert!(!tools.is_empty() && tools.iter().all(|tool| tool["server"] == "outcrop-analytics"), "{hello}");
    assert_eq!(client.chat("1", "s", "hi").await.end.kind, "chat.message_complete");
}

/// Bedrock fails in the second round, at every moment: before anything of it came it is asked again, and after that what had come stays.
#[tokio::test]
async fn bedrock_may_fail_in_the_second_round() {
    let throttling = || Strike::Exception { error: ErrorType::Throttling, message: None };
    for (what, at, whole) in [
        (throttling(), Moment::Request, true),
        (throttling(), Moment::Headers, true),
        (Strike::Cut, Moment::Headers, true),
        (Strike::Cut, Moment::Deltas(1), false),
        (Strike::End, Moment::Deltas(1), false),
        (Strike::Reset, Moment::Stop, false),
    ] {
        let server = one("tool", Does::Echoes).await;
        let asks = Behaviour::text("I look.").with_tool_use("s__tool", json!({ "x": 1 }));
        let fails = Behaviour::text("Well, then.").with_fault(Fault::Strike { what: what.clone(), at });
        let script = Script::new()
            .step(Step::of(asks).when_round(0))
            .step(Step::of(fails).when_round(1).times(1))
            .step(Step::of(Behaviour::text("Well, then.")));
        let proxy = proxy(&server, free(), &["--retry-base", "1ms"], script).await;
        let mut client = proxy.connect().await;
        let answer = client.chat("1", "s", "go").await;
        assert_eq!(answer.end.kind == "chat.message_complete", whole, "{what:?} {at:?}: {:?}", answer.end);
        assert_eq!(server.called().len(), 1, "the tool is not called again: {what:?} {at:?}");
        assert_eq!(answer.states().last(), Some(&"succeeded"));
        let history = client.history("s").await;
        assert_eq!(history["messages"][1]["parts"][1]["status"], "succeeded", "{what:?} {at:?}");
        let next = client.chat("2", "s", "go on").await;
        assert_eq!(next.end.kind, "chat.message_complete", "{what:?} {at:?}: {:?}", next.end);
    }
}

/// Bedrock fails while it writes the arguments: the tool is not called.
#[tokio::test]
async fn bedrock_may_fail_within_the_arguments() {
    for what in [Strike::Cut, Strike::End, Strike::Exception { error: ErrorType::ModelStreamError, message: None }] {
        let server = one("tool", Does::Echoes).await;
        let asks = Behaviour::text("")
            .with_tool_use("s__tool", json!({ "x": 123_456_789, "y": "a longer argument, so that it is cut" }));
        let asks = asks.with_fault(Fault::Strike { what: what.clone(), at: Moment::Deltas(5) });
        let script = Script::new().step(Step::of(asks).times(1)).step(Step::of(Behaviour::text("Well.")));
        let proxy = proxy(&server, free(), &[], script).await;
        let mut client = proxy.connect().await;
        let answer = client.chat("1", "s", "go").await;
        assert_eq!(answer.end.kind, "chat.error", "{what:?}: {:?}", answer.end);
        assert_eq!((answer.states().last(), server.called().len()), (Some(&"denied"), 0), "{what:?}");
        let next = client.chat("2", "s", "go on").await;
        assert_eq!(next.end.kind, "chat.message_complete", "{what:?}: {:?}", next.end);
    }
}

/// The emulator throttles a request the first time that it comes, so it has to be the same to the byte the second time: Bedrock's cache
/// compares no other way.
#[tokio::test]
async fn the_same_request_is_the_same_to_the_byte() {
    let proxy = crate::common::Proxy::with(&["--analytics", "on", "--retry-base", "1ms"], Script::new()).await;
    let answer = proxy.connect().await.chat("1", "s", "/throttle 1 Explain rivers").await;
    assert_eq!(answer.end.kind, "chat.message_complete", "{:?}", answer.end);
    assert_eq!(proxy.emulator.ledger().len(), 2);
}
