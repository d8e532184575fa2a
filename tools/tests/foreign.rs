//! Against servers that nobody here wrote: MCP's own reference server in Node, and servers on the official SDK for Python.
//! `npm test -- mcp` installs them and says where they are.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::{
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};

use outcrop_tools::{Blob, Content, Hub, Outcome, Progress};
use serde_json::{Value, json};
use support::{LIMIT, ann, arguments, tool, up};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpStream,
    process::{Child, Command},
};

fn path(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; run this by: npm test -- mcp"))
}

fn python(script: &[&str], options: Value) -> Value {
    let script = script.iter().map(|part| (*part).to_owned());
    json!({"command": path("OUTCROP_MCP_PYTHON"), "args": script.collect::<Vec<_>>(), "outcrop": options})
}

fn everything(options: Value) -> Value {
    json!({"command": "node", "args": [path("OUTCROP_MCP_EVERYTHING"), "stdio"], "outcrop": options})
}

async fn hub(servers: Value) -> Arc<Hub> {
    up(servers, &[("PATH", &path("PATH"))]).await
}

async fn call(hub: &Hub, name: &str, fields: Value) -> Outcome {
    hub.call(&tool(hub, name), &ann(), arguments(fields)).await
}

/// The content of a call that went well.
async fn content(hub: &Hub, name: &str, fields: Value) -> Vec<Content> {
    match call(hub, name, fields).await {
        Outcome::Returned { content, is_error: false, .. } => content,
        outcome => panic!("{name}: {outcome:?}"),
    }
}

async fn text(hub: &Hub, name: &str, fields: Value) -> String {
    match &content(hub, name, fields).await[..] {
        [Content::Text(text), ..] => text.clone(),
        content => panic!("{name}: {content:?}"),
    }
}

/// The words of a call that the tool or its server refused.
async fn refusal(hub: &Hub, name: &str, fields: Value) -> String {
    match call(hub, name, fields).await {
        Outcome::Returned { content, is_error: true, .. } => format!("{content:?}"),
        outcome => panic!("{name}: {outcome:?}"),
    }
}

/// A server on the network, killed when dropped.
struct Remote {
    child: Child,
    url: String,
}

impl Remote {
    async fn python() -> Self {
        let mut command = Command::new(path("OUTCROP_MCP_PYTHON"));
        command.arg(path("OUTCROP_MCP_SERVER")).arg("http");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true).spawn().unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).await.unwrap();
        Self::listening(child, port.trim().parse().unwrap()).await
    }

    async fn everything(port: u16) -> Self {
        let mut command = Command::new("node");
        command.arg(path("OUTCROP_MCP_EVERYTHING")).arg("streamableHttp").env("PORT", port.to_string());
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn().unwrap();
        Self::listening(child, port).await
    }

    /// Once it can be connected to.
    async fn listening(child: Child, port: u16) -> Self {
        let listening = async {
            while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LIMIT, listening).await.expect("it does not listen");
        Self { child, url: format!("http://127.0.0.1:{port}/mcp") }
    }

    fn config(&self) -> Value {
        json!({"url": self.url, "outcrop": {"allowPrivate": true, "passCaller": true}})
    }

    async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

async fn everything_works(hub: &Hub) {
    assert_eq!(text(hub, "every__echo", json!({"message": "hello"})).await, "Echo: hello");
    assert!(text(hub, "every__get-sum", json!({"a": 2, "b": 3})).await.contains('5'));
    let image = content(hub, "every__get-tiny-image", json!({})).await;
    let is_png = |part: &Content| matches!(part, Content::Image { media_type, data } if media_type == "image/png" && data.starts_with(b"\x89PNG"));
    assert!(image.iter().any(is_png), "{image:?}");
    let links = content(hub, "every__get-resource-links", json!({"count": 2})).await;
    assert_eq!(links.iter().filter(|part| matches!(part, Content::Link { .. })).count(), 2, "{links:?}");
    let resource =
        content(hub, "every__get-resource-reference", json!({"resourceType": "Text", "resourceId": 1})).await;
    assert!(resource.iter().any(|part| matches!(part, Content::Resource { blob: Blob::Text(_), .. })), "{resource:?}");
    let weather = text(hub, "every__get-structured-content", json!({"location": "Chicago"})).await;
    assert!(weather.contains("temperature"), "{weather}");
    let outcome = call(hub, "every__get-sum", json!({"a": "two"})).await;
    assert!(matches!(&outcome, Outcome::NotCalled(reason) if reason.contains("/a")), "{outcome:?}");

    let told = Arc::new(Mutex::new(Vec::new()));
    let listener = told.clone();
    let listener = Arc::new(move |progress: Progress| listener.lock().unwrap().push((progress.done, progress.total)));
    let long = tool(hub, "every__trigger-long-running-operation");
    let outcome =
        hub.call_and_listen(&long, &ann(), arguments(json!({"duration": 0.05, "steps": 2})), Some(listener)).await;
    assert!(matches!(outcome, Outcome::Returned { is_error: false, .. }), "{outcome:?}");
    assert_eq!(*told.lock().unwrap(), [(1.0, Some(2.0)), (2.0, Some(2.0))]);
}

#[tokio::test]
async fn the_reference_server_works_as_a_child() {
    let hub = hub(json!({"every": everything(json!({}))})).await;
    everything_works(&hub).await;
    let names = text(&hub, "every__get-env", json!({})).await;
    assert!(names.contains("AWS_EC2_METADATA_DISABLED") && !names.contains("CARGO"), "{names}");
    hub.shutdown().await;
}

#[tokio::test]
async fn the_reference_server_works_on_the_network() {
    let remote = Remote::everything(free_port()).await;
    let hub = hub(json!({"every": remote.config()})).await;
    everything_works(&hub).await;
    hub.shutdown().await;
}

#[tokio::test]
async fn a_server_on_the_network_that_was_restarted_is_found_again_by_the_next_call() {
    let port = free_port();
    let remote = Remote::everything(port).await;
    let hub = hub(json!({"every": remote.config()})).await;
    remote.kill().await;
    let outcome = call(&hub, "every__echo", json!({"message": "one"})).await;
    assert!(matches!(outcome, Outcome::NotCalled(_) | Outcome::Unknown(_)), "{outcome:?}");
    let mut revisions = hub.revisions();
    while !hub.offer(&ann()).is_empty() {
        revisions.changed().await.unwrap();
    }
    let _remote = Remote::everything(port).await;
    offered(&hub, "every__echo").await;
    assert_eq!(text(&hub, "every__echo", json!({"message": "two"})).await, "Echo: two");
    hub.shutdown().await;
}

async fn python_works(hub: &Hub) {
    assert_eq!(text(hub, "py__add", json!({"a": 2, "b": 3})).await, "5");
    let words = refusal(hub, "py__fail", json!({})).await;
    assert!(words.contains("the disk is full"), "{words}");
    let picture = content(hub, "py__picture", json!({})).await;
    assert!(matches!(&picture[..], [Content::Image { data, .. }] if data.starts_with(b"\x89PNG")), "{picture:?}");
    let who = text(hub, "py__who", json!({})).await;
    assert!(who.contains("'organization': 'acme'") && who.contains("'user': 'ann'"), "{who}");
    let outcome = call(hub, "py__add", json!({"a": 2})).await;
    assert!(matches!(&outcome, Outcome::NotCalled(reason) if reason.contains("\"b\"")), "{outcome:?}");
}

/// Until the tool is offered.
async fn offered(hub: &Hub, name: &str) {
    let mut revisions = hub.revisions();
    let until = async {
        while hub.find(&ann(), name).is_none() {
            revisions.changed().await.unwrap();
        }
    };
    tokio::time::timeout(LIMIT, until).await.expect(name);
}

#[tokio::test]
async fn a_server_in_python_works_as_a_child_and_its_list_is_followed() {
    let server = path("OUTCROP_MCP_SERVER");
    let hub = hub(json!({"py": python(&[&server], json!({"passCaller": true}))})).await;
    python_works(&hub).await;
    assert_eq!(text(&hub, "py__count", json!({})).await, "counted");
    assert!(hub.find(&ann(), "py__grown").is_none());
    assert_eq!(text(&hub, "py__grow", json!({})).await, "grown");
    offered(&hub, "py__grown").await;
    assert_eq!(text(&hub, "py__grown", json!({})).await, "new");
    hub.shutdown().await;
}

#[tokio::test]
async fn a_server_in_python_works_on_the_network_and_its_list_is_followed() {
    let remote = Remote::python().await;
    let hub = hub(json!({"py": remote.config()})).await;
    python_works(&hub).await;
    assert_eq!(text(&hub, "py__grow", json!({})).await, "grown");
    offered(&hub, "py__grown").await;
    hub.shutdown().await;
}

#[tokio::test]
async fn a_server_that_dies_in_a_call_leaves_it_unknown_and_comes_back() {
    let server = path("OUTCROP_MCP_SERVER");
    let hub = hub(json!({"py": python(&[&server], json!({}))})).await;
    let outcome = call(&hub, "py__die", json!({})).await;
    assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
    offered(&hub, "py__add").await;
    assert_eq!(text(&hub, "py__add", json!({"a": 1, "b": 1})).await, "2");
    assert_eq!(hub.servers()[0].starts, 2);
    hub.shutdown().await;
}

#[tokio::test]
async fn a_call_that_waits_too_long_leaves_the_server_usable() {
    let server = path("OUTCROP_MCP_SERVER");
    let hub = hub(json!({"py": python(&[&server], json!({"tools": {"wait": {"timeoutSeconds": 1}}}))})).await;
    let outcome = call(&hub, "py__wait", json!({})).await;
    assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
    assert_eq!(text(&hub, "py__add", json!({"a": 1, "b": 1})).await, "2");
    hub.shutdown().await;
}

#[tokio::test]
async fn the_time_server_tells_the_time() {
    let hub = hub(json!({"time": python(&["-m", "mcp_server_time", "--local-timezone", "UTC"], json!({}))})).await;
    let now = text(&hub, "time__get_current_time", json!({"timezone": "Europe/Lisbon"})).await;
    assert!(now.contains("Europe/Lisbon"), "{now}");
    let words = refusal(&hub, "time__get_current_time", json!({"timezone": "Nowhere/Land"})).await;
    assert!(words.contains("Nowhere"), "{words}");
    assert!(hub.ready(Duration::ZERO).await);
    hub.shutdown().await;
}
