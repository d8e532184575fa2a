//! A server on the network that forgets its sessions, and one that says too much.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, Response, StatusCode, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use outcrop_tools::{Content, Hub, Outcome, Phase};
use serde_json::{Value, json};
use support::{ann, arguments, tool, up};

#[derive(Default)]
struct Server {
    /// The session it knows.
    session: AtomicUsize,
    /// Whether it ends a connection in the midst of an answer.
    is_cutting: AtomicBool,
    /// Whether it says with a 400 and words without an id that it does not know a session, as many do.
    is_vague: AtomicBool,
    /// How large what it says is.
    size: AtomicUsize,
    calls: Mutex<Vec<Value>>,
}

impl Server {
    async fn start() -> (Arc<Self>, String) {
        let server = Arc::new(Self::default());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/mcp", listener.local_addr().unwrap());
        let shared = server.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let shared = shared.clone();
                let service = service_fn(move |request| shared.clone().answer(request));
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service),
                );
            }
        });
        (server, url)
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let status = |status| Ok(Response::builder().status(status).body(Full::default()).unwrap());
        if request.method() != Method::POST {
            return status(StatusCode::METHOD_NOT_ALLOWED);
        }
        assert_eq!(request.headers()["x-key"], "k");
        let session = request.headers().get("mcp-session-id").map(|value| value.to_str().unwrap().to_owned());
        let message: Value = serde_json::from_slice(&request.into_body().collect().await.unwrap().to_bytes()).unwrap();
        let method = message["method"].as_str().unwrap_or_default();
        if method != "initialize" && session != Some(self.session.load(Ordering::SeqCst).to_string()) {
            if self.is_vague.load(Ordering::SeqCst) {
                let body =
                    json!({"jsonrpc": "2.0", "id": null, "error": {"code": -32000, "message": "no such session"}})
                        .to_string();
                let response =
                    Response::builder().status(StatusCode::BAD_REQUEST).header("content-type", "application/json");
                return Ok(response.body(Full::new(body.into())).unwrap());
            }
            return status(StatusCode::NOT_FOUND);
        }
        let result = match method {
            "initialize" => {
                self.session.fetch_add(1, Ordering::SeqCst);
                json!({"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": {"name": "s", "version": "1"}})
            }
            "tools/list" => json!({"tools": [{"name": "say", "inputSchema": {"type": "object"}}]}),
            "tools/call" => {
                self.calls.lock().unwrap().push(message["params"].clone());
                json!({"content": [{"type": "text", "text": "x".repeat(self.size.load(Ordering::SeqCst))}]})
            }
            "ping" => json!({}),
            _ => return status(StatusCode::ACCEPTED),
        };
        let body = json!({"jsonrpc": "2.0", "id": message["id"], "result": result}).to_string();
        let response = Response::builder()
            .header("content-type", "application/json")
            .header("mcp-session-id", self.session.load(Ordering::SeqCst).to_string());
        // More is promised than comes.
        let response = match self.is_cutting.load(Ordering::SeqCst) && method == "tools/call" {
            true => response.header("content-length", body.len() + 1),
            false => response,
        };
        Ok(response.body(Full::new(body.into())).unwrap())
    }
}

async fn hub(url: &str, options: Value) -> Arc<Hub> {
    let mut outcrop = json!({"allowPrivate": true});
    outcrop.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
    up(json!({"s": {"url": url, "headers": {"X-Key": "${KEY}"}, "outcrop": outcrop}}), &[("KEY", "k")]).await
}

#[tokio::test]
async fn a_call_in_a_session_that_was_forgotten_is_made_in_a_new_one() {
    for is_vague in [false, true] {
        let (server, url) = Server::start().await;
        let hub = hub(&url, json!({})).await;
        server.is_vague.store(is_vague, Ordering::SeqCst);
        server.session.fetch_add(10, Ordering::SeqCst);
        let outcome = hub.call(&tool(&hub, "s__say"), &ann(), arguments(json!({"n": 1}))).await;
        assert_eq!(
            outcome,
            Outcome::Returned { content: vec![Content::Text(String::new())], is_error: false, truncated: false }
        );
        assert_eq!(server.calls.lock().unwrap().len(), 1);
        assert_eq!(hub.servers()[0].starts, 2);
        hub.shutdown().await;
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_unknown_and_never_asked_for_again() {
    let (server, url) = Server::start().await;
    let hub = hub(&url, json!({})).await;
    server.is_cutting.store(true, Ordering::SeqCst);
    let outcome = hub.call(&tool(&hub, "s__say"), &ann(), arguments(json!({}))).await;
    assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
    assert_eq!(server.calls.lock().unwrap().len(), 1);
    assert_eq!(hub.servers()[0].phase, Phase::Up);
}

#[tokio::test]
async fn results_are_cut_and_messages_beyond_all_measure_are_not_read() {
    let (server, url) = Server::start().await;
    let hub = hub(&url, json!({})).await;
    server.size.store(outcrop_tools::MAX_RESULT_BYTES + 1, Ordering::SeqCst);
    let outcome = hub.call(&tool(&hub, "s__say"), &ann(), arguments(json!({}))).await;
    let Outcome::Returned { content, truncated: true, .. } = outcome else { panic!("{outcome:?}") };
    assert!(matches!(&content[..], [Content::Text(text)] if text.len() == outcrop_tools::MAX_RESULT_BYTES));
    server.size.store(4 * 1024 * 1024, Ordering::SeqCst);
    let outcome = hub.call(&tool(&hub, "s__say"), &ann(), arguments(json!({}))).await;
    assert_eq!(outcome, Outcome::Unknown("it answered with more than 4194304 bytes".into()));
}
