//! A server that does what a test wants, in this process.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use rmcp::{
    ErrorData, Peer, RoleServer, ServerHandler, ServiceExt,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorCode, ListToolsResult,
        PaginatedRequestParams, ProgressNotificationParam, ServerCapabilities, ServerConfig, Tool as Listed,
    },
    service::RequestContext,
};
use serde_json::{Map, Value, json};
use tokio::{
    sync::{Notify, watch},
    task::AbortHandle,
};

use crate::{Caller, Hub, Options, Pins, Role, SystemResolver, Tool, connect::Source, server::Server, state::Standing};

/// What the server does, and what it saw.
pub(super) struct Script {
    pub(super) tools: Mutex<Vec<Listed>>,
    /// How many tools it lists on a page.
    pub(super) page: AtomicUsize,
    /// Whether it ends every connection at once.
    pub(super) is_broken: AtomicBool,
    /// Whether it answers no pings.
    pub(super) is_mute: AtomicBool,
    /// How often it was started.
    pub(super) starts: AtomicUsize,
    /// Name, arguments and metadata of each call.
    pub(super) calls: Mutex<Vec<(String, Value, Value)>>,
    /// How many calls came.
    pub(super) came: watch::Sender<usize>,
    /// How many calls were cancelled.
    pub(super) cancelled: watch::Sender<usize>,
    /// Lets a waiting call go on.
    pub(super) go_on: Notify,
    connection: Mutex<Option<AbortHandle>>,
    peer: Mutex<Option<Peer<RoleServer>>>,
    outcomes: Mutex<VecDeque<Result<CallToolResult, ErrorData>>>,
}

pub(super) fn listed(name: &'static str, description: &'static str) -> Listed {
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}});
    Listed::new(name, description, schema.as_object().unwrap().clone())
}

impl Script {
    pub(super) fn new(tools: &[&'static str]) -> Arc<Self> {
        Arc::new(Self {
            tools: Mutex::new(tools.iter().map(|name| listed(name, "does")).collect()),
            page: AtomicUsize::new(usize::MAX),
            is_broken: AtomicBool::new(false),
            is_mute: AtomicBool::new(false),
            starts: AtomicUsize::new(0),
            calls: Mutex::default(),
            came: watch::Sender::new(0),
            cancelled: watch::Sender::new(0),
            go_on: Notify::new(),
            connection: Mutex::default(),
            peer: Mutex::default(),
            outcomes: Mutex::default(),
        })
    }

    /// A hub with this server, under the name `s`.
    pub(super) fn hub(self: &Arc<Self>, options: Value, pins: Option<Pins>) -> Running {
        let script = self.clone();
        let source = Source::Builtin(Arc::new(move |pipe| script.serve(pipe)));
        let options: Options = serde_json::from_value(options).unwrap();
        let revision = watch::Sender::new(0);
        let server =
            Arc::new(Server::new("s".into(), options, source, pins, Arc::new(SystemResolver), revision.clone()));
        Running { hub: Hub::of(vec![server.clone()], revision), server }
    }

    pub(super) fn serve(self: &Arc<Self>, mut pipe: tokio::io::DuplexStream) {
        self.starts.fetch_add(1, Ordering::SeqCst);
        if self.is_broken.load(Ordering::SeqCst) {
            return;
        }
        // What passes the relay can be cut at any moment.
        let (mut inner, far) = tokio::io::duplex(64 * 1024);
        let relay = tokio::spawn(async move { tokio::io::copy_bidirectional(&mut pipe, &mut inner).await });
        *self.connection.lock().unwrap() = Some(relay.abort_handle());
        let script = self.clone();
        tokio::spawn(async move {
            let Ok(service) = Scripted(script.clone()).serve(far).await else { return };
            *script.peer.lock().unwrap() = Some(service.peer().clone());
            let _ = service.waiting().await;
        });
    }

    /// Ends the connection at once, as a crash would.
    pub(super) fn kill(&self) {
        self.connection.lock().unwrap().take().unwrap().abort();
    }

    /// Lists other tools from now on, and says so.
    pub(super) async fn change(&self, tools: Vec<Listed>) {
        *self.tools.lock().unwrap() = tools;
        let peer = self.peer.lock().unwrap().clone().unwrap();
        peer.notify_tool_list_changed().await.unwrap();
    }

    /// What the next call of `say` returns.
    pub(super) fn next(&self, outcome: Result<CallToolResult, ErrorData>) {
        self.outcomes.lock().unwrap().push_back(outcome);
    }

    pub(super) async fn until_called(&self, times: usize) {
        self.came.subscribe().wait_for(|came| *came >= times).await.unwrap();
    }
}

struct Scripted(Arc<Script>);

impl ServerHandler for Scripted {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().enable_tool_list_changed().build())
    }

    async fn ping(&self, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        if self.0.is_mute.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        Ok(())
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let first = request.and_then(|request| request.cursor).map_or(0, |cursor| cursor.parse().unwrap());
        let page = self.0.page.load(Ordering::SeqCst);
        let tools = self.0.tools.lock().unwrap().clone();
        let mut result = ListToolsResult::with_all_items(tools.iter().skip(first).take(page).cloned().collect());
        result.next_cursor = (tools.len() - first > page).then(|| (first + page).to_string());
        Ok(result)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let script = &self.0;
        let arguments = request.arguments.map_or(Value::Null, Value::Object);
        let meta = serde_json::to_value(&context.meta).unwrap();
        script.calls.lock().unwrap().push((request.name.to_string(), arguments, meta));
        script.came.send_modify(|came| *came += 1);
        match &*request.name {
            "wait" => {
                tokio::select! {
                    () = script.go_on.notified() => {}
                    () = context.ct.cancelled() => script.cancelled.send_modify(|cancelled| *cancelled += 1),
                }
            }
            "progress" => {
                let token = context.meta.get_progress_token().unwrap();
                let told = ProgressNotificationParam::new(token, 1.0).with_total(2.0).with_message("half");
                context.peer.notify_progress(told).await.unwrap();
            }
            _ => {}
        }
        let next = script.outcomes.lock().unwrap().pop_front();
        next.unwrap_or_else(|| Ok(CallToolResult::success(vec![ContentBlock::text("done")])))
            .map(CallToolResponse::Complete)
    }
}

pub(super) fn refused(words: &'static str) -> ErrorData {
    ErrorData::new(ErrorCode::INVALID_PARAMS, words, None)
}

/// A hub with one server.
pub(super) struct Running {
    pub(super) hub: Arc<Hub>,
    pub(super) server: Arc<Server>,
}

impl Running {
    pub(super) async fn until(&self, what: impl Fn(&Standing) -> bool) {
        let mut standing = self.server.standing.subscribe();
        let met = tokio::time::timeout(Duration::from_secs(3600), standing.wait_for(|standing| what(standing))).await;
        assert!(met.is_ok(), "{:?}", self.server.state());
    }

    pub(super) async fn until_up(&self, starts: u64) {
        self.until(|standing| standing.link.as_ref().is_some_and(|link| link.number >= starts)).await;
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.hub.offer(&ann()).iter().map(|tool| tool.name.to_string()).collect()
    }

    pub(super) fn tool(&self, name: &str) -> Arc<Tool> {
        self.hub.find(&ann(), &format!("s__{name}")).unwrap()
    }
}

pub(super) fn ann() -> Caller {
    Caller {
        organization: "acme".into(),
        user: "ann".into(),
        role: Role::User,
        session: "s1".into(),
        message: "m1".into(),
    }
}

pub(super) fn arguments(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}
