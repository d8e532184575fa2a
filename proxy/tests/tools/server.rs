//! An MCP server over HTTP that does as a test tells it, and remembers what it was asked.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, Response, StatusCode, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use tokio::{net::TcpListener, sync::Notify, task::AbortHandle};

/// A PNG of one pixel.
pub(crate) const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

const SESSION: &str = "mcp-session-id";

/// What a tool does.
#[derive(Debug, Clone)]
pub(crate) enum Does {
    /// Returns this as its result.
    Returns(Value),
    /// Returns its arguments as text.
    Echoes,
    /// Returns as text what came beside its arguments.
    TellsMeta,
    /// Waits to be let go, then returns `done`.
    Waits,
    /// Closes the connection without a word.
    Dies,
    /// Says that there is no session any more, the first time.
    ForgetsSession,
}

/// A call that came.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Called {
    pub(crate) tool: String,
    pub(crate) arguments: Value,
}

#[derive(Debug, Default)]
struct State {
    tools: Mutex<Vec<(&'static str, Does)>>,
    called: Mutex<Vec<Called>>,
    cancelled: Mutex<u32>,
    forgotten: Mutex<bool>,
    /// The number of the session that it knows.
    session: Mutex<u32>,
    go: Notify,
    came: Notify,
}

/// The server; it ends with this.
#[derive(Debug)]
pub(crate) struct Server {
    addr: SocketAddr,
    state: Arc<State>,
    task: AbortHandle,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub(crate) async fn start(tools: &[(&'static str, Does)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let addr = listener.local_addr().expect("an address");
        let state = Arc::new(State { tools: Mutex::new(tools.to_vec()), ..State::default() });
        let served = state.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = served.clone();
                tokio::spawn(async move {
                    let service = service_fn(move |request| answer(state.clone(), request));
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { addr, state, task: task.abort_handle() }
    }

    /// A file of servers that names it `s`, with these options.
    pub(crate) fn config(&self, options: Value) -> NamedTempFile {
        let mut options = options;
        options["allowPrivate"] = true.into();
        let url = format!("http://{}/mcp", self.addr);
        let config = json!({ "mcpServers": { "s": { "url": url, "outcrop": options } } });
        let file = NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), config.to_string()).expect("written");
        file
    }

    /// Lets whoever waits go on.
    pub(crate) fn go(&self) {
        self.state.go.notify_one();
    }

    pub(crate) fn called(&self) -> Vec<Called> {
        self.state.called.lock().expect("calls").clone()
    }

    /// The names of the tools that were called.
    pub(crate) fn names(&self) -> Vec<String> {
        self.called().into_iter().map(|called| called.tool).collect()
    }

    /// Waits until so many calls have come.
    pub(crate) async fn came(&self, count: usize) {
        loop {
            let came = self.state.came.notified();
            if self.called().len() >= count {
                return;
            }
            came.await;
        }
    }

    /// Waits until a call was cancelled.
    pub(crate) async fn cancelled(&self) {
        loop {
            let came = self.state.came.notified();
            if *self.state.cancelled.lock().expect("a count") > 0 {
                return;
            }
            came.await;
        }
    }
}

async fn answer(state: Arc<State>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, std::io::Error> {
    if request.method() != Method::POST {
        return Ok(status(StatusCode::METHOD_NOT_ALLOWED));
    }
    let session = request.headers().get(SESSION).and_then(|id| id.to_str().ok()?.parse::<u32>().ok());
    if session.is_some_and(|session| session != *state.session.lock().expect("a number")) {
        return Ok(status(StatusCode::NOT_FOUND));
    }
    let body = request.into_body().collect().await.map_err(std::io::Error::other)?.to_bytes();
    let message: Value = serde_json::from_slice(&body).expect("JSON");
    if message.get("id").is_none() {
        if message["method"] == "notifications/cancelled" {
            *state.cancelled.lock().expect("a count") += 1;
            state.came.notify_waiters();
        }
        return Ok(status(StatusCode::ACCEPTED));
    }
    let result = match message["method"].as_str() {
        Some("initialize") => json!({
            "protocolVersion": message["params"]["protocolVersion"],
            "capabilities": { "tools": {} },
            "serverInfo": { "name": "scripted", "version": "1" },
        }),
        Some("tools/list") => list(&state),
        Some("tools/call") => match call(&state, &message["params"]).await {
            Ok(result) => result,
            Err(Some(code)) => return Ok(status(code)),
            Err(None) => return Err(std::io::Error::other("it dies")),
        },
        _ => json!({}),
    };
    let text = json!({ "jsonrpc": "2.0", "id": message["id"], "result": result }).to_string();
    let mut response = Response::new(Full::new(Bytes::from(text)));
    response.headers_mut().insert("content-type", "application/json".parse().expect("a header"));
    if message["method"] == "initialize" {
        let session = *state.session.lock().expect("a number");
        response.headers_mut().insert(SESSION, session.into());
    }
    Ok(response)
}

fn status(code: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = code;
    response
}

fn list(state: &State) -> Value {
    let tool = |(name, _): &(&'static str, Does)| {
        json!({
            "name": name,
            "description": format!("Does what {name} does."),
            "inputSchema": { "type": "object", "properties": { "x": { "type": "integer" } } },
        })
    };
    let tools: Vec<Value> = state.tools.lock().expect("tools").iter().map(tool).collect();
    json!({ "tools": tools })
}

async fn call(state: &State, params: &Value) -> Result<Value, Option<StatusCode>> {
    let name = params["name"].as_str().expect("a name").to_owned();
    let tools: HashMap<_, _> = state.tools.lock().expect("tools").iter().cloned().collect();
    let does = tools[name.as_str()].clone();
    if matches!(does, Does::ForgetsSession) && !std::mem::replace(&mut *state.forgotten.lock().expect("a flag"), true) {
        *state.session.lock().expect("a number") += 1;
        return Err(Some(StatusCode::NOT_FOUND));
    }
    state.called.lock().expect("calls").push(Called { tool: name, arguments: params["arguments"].clone() });
    state.came.notify_waiters();
    let text = |text: String| json!({ "content": [{ "type": "text", "text": text }] });
    Ok(match does {
        Does::Returns(result) => result,
        Does::Echoes | Does::ForgetsSession => text(params["arguments"].to_string()),
        Does::TellsMeta => text(params["_meta"].to_string()),
        Does::Waits => {
            state.go.notified().await;
            text("done".to_owned())
        }
        Does::Dies => return Err(None),
    })
}

/// A result that is text.
pub(crate) fn text(text: &str) -> Does {
    Does::Returns(json!({ "content": [{ "type": "text", "text": text }] }))
}
