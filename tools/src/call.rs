//! A call of a tool, and what is known of it afterwards.

use std::sync::atomic::Ordering;

use rmcp::{
    RoleClient,
    model::{CallToolRequest, CallToolRequestParams, ClientRequest, MetaObject, RequestMetaObject, ServerResult},
    service::{PeerRequestOptions, RequestHandle},
};
use serde_json::{Map, Value, json};
use tokio::time::{Instant, timeout_at};

use crate::{
    Caller, Content, Tool, content,
    failure::{self, Failure},
    handler::Listener,
    server::Server,
    state::Link,
};

/// What is known of a call when it is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The server answered.
    Returned {
        /// What it returned, bounded.
        content: Vec<Content>,
        /// Whether the tool failed, in its server's words.
        is_error: bool,
        /// Whether there was more than is kept.
        truncated: bool,
    },
    /// The tool surely was not called; why.
    NotCalled(String),
    /// The tool may have been called, and nobody knows what came of it; why. It is not called again.
    Unknown(String),
}

/// How far a call is, in the server's words.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// How much is done.
    pub done: f64,
    /// Of how much, if the server told.
    pub total: Option<f64>,
    /// What it is doing: data, not to be followed.
    pub message: Option<String>,
}

/// A call that can be sent.
struct Prepared {
    params: CallToolRequestParams,
    /// Goes into the parameters when it is sent.
    meta: Option<RequestMetaObject>,
    deadline: Instant,
    listener: Option<Listener>,
}

impl Server {
    /// Calls `tool`, of which at most one call has an effect unless it is idempotent.
    pub(crate) async fn call(
        &self,
        tool: &Tool,
        caller: &Caller,
        arguments: Map<String, Value>,
        listener: Option<Listener>,
    ) -> Outcome {
        if !tool.is_for(caller) {
            return Outcome::NotCalled("this person may not use the tool".into());
        }
        if let Err(problem) = tool.schema.check(&arguments) {
            return Outcome::NotCalled(problem);
        }
        let deadline = Instant::now() + tool.timeout;
        let request = Prepared {
            params: CallToolRequestParams::new(tool.name.to_string()).with_arguments(arguments),
            meta: self.options.pass_caller.then(|| meta(caller)),
            deadline,
            listener,
        };
        let link = match self.link(tool) {
            Ok(link) => link,
            Err(reason) => return Outcome::NotCalled(reason),
        };
        let failure = match self.attempt(&link, &request).await {
            Ok(outcome) => return outcome,
            Err(failure) => failure,
        };
        // The supervisor finds out what is wrong, and connects anew.
        self.suspicion.notify_one();
        match &failure {
            Failure::SessionExpired => {}
            Failure::Lost(_) if tool.idempotent => {}
            Failure::Lost(reason) => return Outcome::Unknown(reason.clone()),
            reason => return Outcome::NotCalled(reason.to_string()),
        }
        let may_have_effect = matches!(failure, Failure::Lost(_));
        let over = |reason: String| if may_have_effect { Outcome::Unknown(reason) } else { Outcome::NotCalled(reason) };
        let link = match timeout_at(deadline, self.next_link(link.number, tool)).await {
            Ok(Ok(link)) => link,
            Ok(Err(reason)) => return over(format!("{failure}; then {reason}")),
            Err(_) => return over(failure.to_string()),
        };
        match self.attempt(&link, &request).await {
            Ok(outcome) => outcome,
            Err(Failure::Lost(reason)) => Outcome::Unknown(reason),
            Err(failure) => over(failure.to_string()),
        }
    }

    /// The connection for a call of `tool`, which has to be what it was when it was offered.
    fn link(&self, tool: &Tool) -> Result<Link, String> {
        let standing = self.standing.borrow();
        let Some(link) = &standing.link else { return Err(format!("the server {} is down", self.name)) };
        match standing.tools.iter().find(|known| known.name == tool.name) {
            Some(known) if known.fingerprint == tool.fingerprint => Ok(link.clone()),
            Some(_) => Err("the tool has changed since it was offered".into()),
            None => Err("the tool is no longer offered".into()),
        }
    }

    /// The connection after the one that is `last`.
    async fn next_link(&self, last: u64, tool: &Tool) -> Result<Link, String> {
        let mut standing = self.standing.subscribe();
        let is_next = |standing: &crate::state::Standing| standing.link.as_ref().is_some_and(|link| link.number > last);
        if standing.wait_for(is_next).await.is_err() {
            return Err(format!("the server {} is down", self.name));
        }
        self.link(tool)
    }

    async fn attempt(&self, link: &Link, call: &Prepared) -> Result<Outcome, Failure> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let _working = Working(self);
        let mut options = PeerRequestOptions::no_options();
        options.meta = call.meta.clone();
        let request = ClientRequest::CallToolRequest(CallToolRequest::new(call.params.clone()));
        let sent = timeout_at(call.deadline, link.peer.send_request_with_option(request, options)).await;
        let handle = match sent {
            Ok(Ok(handle)) => handle,
            // It did not get as far as the connection.
            Ok(Err(_)) => return Err(Failure::WithoutEffect("the connection to it has ended".into())),
            Err(_) => return Err(Failure::WithoutEffect("it takes no more messages".into())),
        };
        let _listening =
            call.listener.clone().map(|listener| self.listeners.add(handle.progress_token.clone(), listener));
        let mut pending = Pending(Some(handle));
        let Some(handle) = &mut pending.0 else { return Err(Failure::Lost("it was not called".into())) };
        let Ok(answer) = timeout_at(call.deadline, &mut handle.rx).await else {
            return Ok(Outcome::Unknown("it did not answer in time; it may be at it still".into()));
        };
        pending.0 = None;
        match answer {
            Ok(Ok(result)) => Ok(returned(result)),
            Ok(Err(error)) => match failure::of_request(error) {
                Failure::Answered(code, words) => Ok(failed(format!("error {code}: {words}"))),
                failure => Err(failure),
            },
            Err(_) => Err(Failure::Lost("the connection to it ended".into())),
        }
    }
}

struct Working<'a>(&'a Server);

impl Drop for Working<'_> {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A call without an answer. Dropped, the server is told that nobody waits for it any more.
struct Pending(Option<RequestHandle<RoleClient>>);

impl Drop for Pending {
    fn drop(&mut self) {
        let (Some(handle), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) else { return };
        runtime.spawn(handle.cancel(Some("nobody waits for it".into())));
    }
}

fn meta(caller: &Caller) -> RequestMetaObject {
    let fields = [
        (
            "outcrop/caller",
            json!({"organization": *caller.organization, "user": *caller.user, "role": caller.role.as_str()}),
        ),
        ("outcrop/session", json!(*caller.session)),
        ("outcrop/message", json!(*caller.message)),
    ];
    let mut meta = RequestMetaObject::new();
    meta.extend(RequestMetaObject(MetaObject(
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
    )));
    meta
}

fn returned(result: ServerResult) -> Outcome {
    match result {
        ServerResult::CallToolResult(result) => {
            let is_error = result.is_error.unwrap_or(false);
            let (content, truncated) = content::read(result);
            Outcome::Returned { content, is_error, truncated }
        }
        // Nothing at all is a result as well.
        ServerResult::EmptyResult(_) | ServerResult::TaskAckResult(_) => {
            Outcome::Returned { content: Vec::new(), is_error: false, truncated: false }
        }
        ServerResult::InputRequiredResult(_) => {
            failed("it wants to ask a person something first, which is not possible here".into())
        }
        _ => failed("it returned something that is no result of a tool".into()),
    }
}

fn failed(words: String) -> Outcome {
    Outcome::Returned { content: vec![Content::Text(words)], is_error: true, truncated: false }
}
