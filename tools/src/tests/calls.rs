use std::{
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::json;
use tokio::time::Instant;

use super::scripted::{Script, ann, arguments, listed, refused};
use crate::{Builtin, Config, Content, Hub, Options, Outcome, Pins, Role};

fn text(words: &str) -> Vec<Content> {
    vec![Content::Text(words.into())]
}

#[tokio::test(start_paused = true)]
async fn a_call_returns_what_the_server_returned() {
    let script = Script::new(&["say"]);
    let running = script.hub(json!({}), None);
    running.until_up(1).await;
    let say = running.tool("say");
    let done = running.hub.call(&say, &ann(), arguments(json!({"n": 1}))).await;
    assert_eq!(done, Outcome::Returned { content: text("done"), is_error: false, truncated: false });
    script.next(Ok(CallToolResult::error(vec![ContentBlock::text("no such row")])));
    let failed = running.hub.call(&say, &ann(), arguments(json!({}))).await;
    assert_eq!(failed, Outcome::Returned { content: text("no such row"), is_error: true, truncated: false });
    script.next(Err(refused("n is odd")));
    let refused = running.hub.call(&say, &ann(), arguments(json!({}))).await;
    assert_eq!(
        refused,
        Outcome::Returned { content: text("error -32602: n is odd"), is_error: true, truncated: false }
    );
    script.next(Ok(CallToolResult::structured(json!({"rows": 2}))));
    let Outcome::Returned { content, .. } = running.hub.call(&say, &ann(), arguments(json!({}))).await else {
        panic!()
    };
    assert_eq!(content, text(r#"{"rows":2}"#));
}

#[tokio::test(start_paused = true)]
async fn arguments_that_the_schema_refuses_reach_no_server() {
    let script = Script::new(&["say"]);
    let running = script.hub(json!({}), None);
    running.until_up(1).await;
    let outcome = running.hub.call(&running.tool("say"), &ann(), arguments(json!({"n": "one"}))).await;
    let Outcome::NotCalled(reason) = outcome else { panic!("{outcome:?}") };
    assert!(reason.contains("/n: \"one\" is not of type \"integer\""), "{reason}");
    assert!(script.calls.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_server_is_told_who_asks_only_where_the_file_says_so() {
    for (pass, expected) in
        [(true, json!({"organization": "acme", "user": "ann", "role": "user"})), (false, json!(null))]
    {
        let script = Script::new(&["say"]);
        let running = script.hub(json!({"passCaller": pass}), None);
        running.until_up(1).await;
        running.hub.call(&running.tool("say"), &ann(), arguments(json!({"n": 1}))).await;
        let (_, sent, meta) = script.calls.lock().unwrap()[0].clone();
        assert_eq!(meta["outcrop/caller"], expected);
        assert_eq!(meta.get("outcrop/session").is_some(), pass);
        assert_eq!(meta.get("outcrop/message").is_some(), pass);
        assert_eq!(sent, json!({"n": 1}));
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_built_in_is_told_who_asks_and_keeps_its_name() {
    let script = Script::new(&["say"]);
    let server = script.clone();
    let builtin =
        Builtin { name: "own".into(), options: Options::default(), serve: Arc::new(move |pipe| server.serve(pipe)) };
    let config = Config::parse(r#"{"mcpServers": {"own": {"command": "/no/such/program"}}}"#, &|_| None).unwrap();
    let hub = Hub::start(config, vec![builtin], Pins::in_memory());
    assert!(hub.ready(Duration::from_secs(1)).await);
    assert_eq!(hub.servers().len(), 1);
    let say = hub.find(&ann(), "own__say").unwrap();
    let outcome = hub.call(&say, &ann(), arguments(json!({}))).await;
    assert!(matches!(outcome, Outcome::Returned { is_error: false, .. }));
    assert_eq!(script.calls.lock().unwrap()[0].2["outcrop/caller"]["user"], "ann");
    hub.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn tools_are_for_those_that_the_file_names() {
    let script = Script::new(&["all", "staff"]);
    let running = script.hub(json!({"organizations": ["acme"], "tools": {"staff": {"roles": ["operator"]}}}), None);
    running.until_up(1).await;
    let names = |caller| running.hub.offer(&caller).iter().map(|tool| tool.name.to_string()).collect::<Vec<_>>();
    let operator = crate::Caller { role: Role::Operator, ..ann() };
    let other = crate::Caller { organization: "other".into(), ..ann() };
    assert_eq!(names(ann()), ["all"]);
    assert_eq!(names(operator.clone()), ["all", "staff"]);
    assert_eq!(names(other.clone()), [""; 0]);
    let staff = running.hub.find(&operator, "s__staff").unwrap();
    let outcome = running.hub.call(&staff, &ann(), arguments(json!({}))).await;
    assert_eq!(outcome, Outcome::NotCalled("this person may not use the tool".into()));
    assert!(script.calls.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_takes_too_long_is_unknown_and_cancelled() {
    let script = Script::new(&["wait"]);
    let running = script.hub(json!({"timeoutSeconds": 7, "idempotent": true}), None);
    running.until_up(1).await;
    let began = Instant::now();
    let outcome = running.hub.call(&running.tool("wait"), &ann(), arguments(json!({}))).await;
    assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
    assert_eq!(began.elapsed(), Duration::from_secs(7));
    script.cancelled.subscribe().wait_for(|cancelled| *cancelled == 1).await.unwrap();
    assert_eq!(script.calls.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_nobody_waits_for_is_cancelled() {
    let script = Script::new(&["wait"]);
    let running = script.hub(json!({}), None);
    running.until_up(1).await;
    let (hub, wait) = (running.hub.clone(), running.tool("wait"));
    let call = tokio::spawn(async move { hub.call(&wait, &ann(), arguments(json!({}))).await });
    script.until_called(1).await;
    call.abort();
    script.cancelled.subscribe().wait_for(|cancelled| *cancelled == 1).await.unwrap();
    running.until(|_| running.server.calls.load(Ordering::Relaxed) == 0).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_that_breaks_off_is_unknown_and_never_made_again() {
    let script = Script::new(&["wait"]);
    let running = script.hub(json!({}), None);
    running.until_up(1).await;
    let (hub, wait) = (running.hub.clone(), running.tool("wait"));
    let call = tokio::spawn(async move { hub.call(&wait, &ann(), arguments(json!({}))).await });
    script.until_called(1).await;
    script.kill();
    let outcome = call.await.unwrap();
    assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
    running.until_up(2).await;
    assert_eq!(script.calls.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_idempotent_call_that_breaks_off_is_made_once_more() {
    let script = Script::new(&["wait"]);
    let running = script.hub(json!({"idempotent": true}), None);
    running.until_up(1).await;
    let (hub, wait) = (running.hub.clone(), running.tool("wait"));
    let call = tokio::spawn(async move { hub.call(&wait, &ann(), arguments(json!({}))).await });
    script.until_called(1).await;
    script.kill();
    script.until_called(2).await;
    script.go_on.notify_waiters();
    assert_eq!(call.await.unwrap(), Outcome::Returned { content: text("done"), is_error: false, truncated: false });
    let (hub, wait) = (running.hub.clone(), running.tool("wait"));
    let call = tokio::spawn(async move { hub.call(&wait, &ann(), arguments(json!({}))).await });
    for times in 3..=4 {
        script.until_called(times).await;
        script.kill();
    }
    assert!(matches!(call.await.unwrap(), Outcome::Unknown(_)));
    running.until_up(4).await;
    assert_eq!(script.calls.lock().unwrap().len(), 4, "once more, not twice");
}

#[tokio::test(start_paused = true)]
async fn a_tool_is_not_called_while_its_server_is_down_or_when_it_has_changed() {
    let script = Script::new(&["say", "gone"]);
    let running = script.hub(json!({}), None);
    running.until_up(1).await;
    let (say, gone) = (running.tool("say"), running.tool("gone"));
    script.change(vec![listed("say", "does something else")]).await;
    running.until(|standing| standing.tools.len() == 1).await;
    let outcome = running.hub.call(&say, &ann(), arguments(json!({}))).await;
    assert_eq!(outcome, Outcome::NotCalled("the tool has changed since it was offered".into()));
    let outcome = running.hub.call(&gone, &ann(), arguments(json!({}))).await;
    assert_eq!(outcome, Outcome::NotCalled("the tool is no longer offered".into()));
    script.is_broken.store(true, Ordering::SeqCst);
    script.kill();
    running.until(|standing| standing.link.is_none()).await;
    let outcome = running.hub.call(&say, &ann(), arguments(json!({}))).await;
    assert_eq!(outcome, Outcome::NotCalled("the server s is down".into()));
    assert!(script.calls.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn progress_is_told() {
    let script = Script::new(&["progress"]);
    let running = script.hub(json!({}), None);
    running.until_up(1).await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let listener = told.clone();
    let listener = Arc::new(move |progress: crate::Progress| listener.lock().unwrap().push(progress));
    let outcome =
        running.hub.call_and_listen(&running.tool("progress"), &ann(), arguments(json!({})), Some(listener)).await;
    assert!(matches!(outcome, Outcome::Returned { .. }));
    let expected = crate::Progress { done: 1.0, total: Some(2.0), message: Some("half".into()) };
    assert_eq!(*told.lock().unwrap(), [expected]);
}
