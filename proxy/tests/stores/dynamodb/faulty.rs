//! Something in front of the server that fails as a network or a busy table does.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, header::HeaderValue, service::service_fn};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// A transaction is at the same item.
    Conflict,
    /// It is not allowed.
    Denied,
    /// It is done, and the reply is lost.
    LostReply,
    /// The same, by a server that does not know a transaction again.
    LostReplyWithoutToken,
}

/// What goes wrong next with requests of one operation, and what was asked for so far.
#[derive(Debug, Default)]
struct Plan {
    faults: VecDeque<(&'static str, Fault)>,
    actions: BTreeSet<String>,
}

/// A server between a store and the real one, for as long as it is kept.
pub(super) struct Faulty {
    pub(super) url: String,
    plan: Arc<Mutex<Plan>>,
    _tasks: JoinSet<()>,
}

impl Faulty {
    pub(super) async fn before(server: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let plan = Arc::new(Mutex::new(Plan::default()));
        let mut tasks = JoinSet::new();
        let client = Client::builder(TokioExecutor::new()).build_http();
        tasks.spawn(serve(listener, server, client, plan.clone()));
        Self { url, plan, _tasks: tasks }
    }

    /// The next `times` requests of `operation` go wrong.
    pub(super) fn plan(&self, operation: &'static str, fault: Fault, times: usize) {
        self.plan.lock().expect("no panic").faults.extend(std::iter::repeat_n((operation, fault), times));
    }

    /// Whether all that was planned has happened.
    pub(super) fn is_done(&self) -> bool {
        self.plan.lock().expect("no panic").faults.is_empty()
    }

    /// What whoever made the requests must be allowed, as IAM names it.
    pub(super) fn actions(&self) -> BTreeSet<String> {
        self.plan.lock().expect("no panic").actions.clone()
    }
}

async fn serve(
    listener: TcpListener,
    server: &'static str,
    client: Client<HttpConnector, Full<Bytes>>,
    plan: Arc<Mutex<Plan>>,
) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        let (client, plan) = (client.clone(), plan.clone());
        let answer = service_fn(move |request| answer(request, server, client.clone(), plan.clone()));
        connections.spawn(async move {
            // A lost reply ends it.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
        });
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the reply is lost")]
struct Lost;

async fn answer(
    request: Request<Incoming>,
    server: &'static str,
    client: Client<HttpConnector, Full<Bytes>>,
    plan: Arc<Mutex<Plan>>,
) -> Result<Response<Full<Bytes>>, Lost> {
    let (mut head, body) = request.into_parts();
    let mut body = body.collect().await.expect("a body").to_bytes();
    let target = head.headers.get("x-amz-target").map(|value| value.to_str().expect("text").to_owned());
    let operation = target.as_deref().and_then(|target| target.split('.').next_back()).unwrap_or_default();
    let fault = {
        let Plan { faults, actions } = &mut *plan.lock().expect("no panic");
        actions.extend(actions_of(operation, &body));
        let is_next = faults.front().is_some_and(|(planned, _)| *planned == operation);
        is_next.then(|| faults.pop_front()).flatten().map(|(_, fault)| fault)
    };
    match fault {
        Some(Fault::Conflict) => return Ok(conflict(&body)),
        Some(Fault::Denied) => return Ok(error(json!({ "__type": "AccessDeniedException", "message": "no" }))),
        Some(Fault::LostReplyWithoutToken) => body = without_token(&body),
        Some(Fault::LostReply) | None => {}
    }
    head.uri = format!("{server}/").parse().expect("an address");
    head.headers.insert("content-length", HeaderValue::from(body.len()));
    let request = Request::from_parts(head, Full::new(body));
    let (head, body) = client.request(request).await.expect("a reply").into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    if fault.is_some() { Err(Lost) } else { Ok(Response::from_parts(head, Full::new(body))) }
}

/// What a request needs to be allowed; a transaction what its parts would need alone.
fn actions_of(operation: &str, body: &Bytes) -> Vec<String> {
    if operation != "TransactWriteItems" {
        return vec![format!("dynamodb:{operation}")];
    }
    let request: Value = serde_json::from_slice(body).expect("JSON");
    let parts = request["TransactItems"].as_array().expect("parts").iter();
    let kinds = parts.flat_map(|part| part.as_object().expect("an object").keys());
    kinds.map(|kind| format!("dynamodb:{kind}Item")).collect()
}

fn error(body: Value) -> Response<Full<Bytes>> {
    let response = Response::builder().status(400).header("content-type", "application/x-amz-json-1.0");
    response.body(Full::from(body.to_string())).expect("a response")
}

fn conflict(body: &Bytes) -> Response<Full<Bytes>> {
    let request: Value = serde_json::from_slice(body).expect("JSON");
    let Some(items) = request["TransactItems"].as_array() else {
        return error(json!({ "__type": "com.amazonaws.dynamodb.v20120810#TransactionConflictException" }));
    };
    let mut reasons = vec![json!({ "Code": "None" }); items.len()];
    reasons[0] = json!({ "Code": "TransactionConflict", "Message": "Transaction is ongoing for the item" });
    error(json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons",
        "CancellationReasons": reasons,
    }))
}

fn without_token(body: &Bytes) -> Bytes {
    let mut request: Value = serde_json::from_slice(body).expect("JSON");
    request.as_object_mut().expect("an object").remove("ClientRequestToken");
    request.to_string().into()
}
