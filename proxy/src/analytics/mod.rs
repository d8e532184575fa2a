//! The built-in MCP server `outcrop-analytics`: what was used and what it cost, for models to ask. It only reads, and whoever asks
//! sees what the usage page shows them.
//!
//! Who asks is said in the metadata of each call ([`CALLER`]), which only the proxy writes. Nothing in a call's arguments, which the
//! model writes, makes it see more.

mod arguments;
mod budgets;
mod caller;
mod days;
mod failure;
mod figures;
mod summary;
mod tools;
mod trend;

use std::{borrow::Cow, sync::Arc};

use protocol::{
    Timestamp,
    client::{GroupBy, UsageQuery, UsageScope},
};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation, JsonObject,
        ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
    },
    serve_server,
    service::{NotificationContext, RequestContext},
};
use serde::Serialize;
use tokio::io::DuplexStream;
use tracing::debug;

use crate::{
    ledger::{Report, Reports, reports::UsageError},
    observe::{Asker, Observe, Target},
    principal::Owner,
};
use arguments::read;
use days::{Day, Days};
use failure::Failure;

pub use caller::{CALLER, Caller};

/// The server's name.
pub const NAME: &str = "outcrop-analytics";

/// What a model is told of the server as a whole.
const INSTRUCTIONS: &str = "Usage and cost of this chat service, from its own ledger: exact figures, up to the last answer that has \
ended. Days are UTC. Each result says what day today is and whose usage it is about.";

/// The server. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Analytics {
    reports: Arc<Reports>,
    now: fn() -> Timestamp,
    observe: Observe,
}

impl Analytics {
    /// A server that answers with `reports`, at the time that `now` says, and tells `observe` who sees the usage of others.
    pub fn new(reports: Arc<Reports>, now: fn() -> Timestamp, observe: Observe) -> Self {
        Self { reports, now, observe }
    }

    /// Serves a client at the other end of `io`, in a task of its own, until that end is closed.
    pub fn serve(&self, io: DuplexStream) {
        let server = self.clone();
        tokio::spawn(async move {
            let ended = match serve_server(server, io).await {
                Ok(running) => running.waiting().await.map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            debug!(?ended, server = NAME, "a client of the built-in server has gone");
        });
    }

    async fn call(
        &self,
        tool: &str,
        arguments: JsonObject,
        caller: &Caller,
    ) -> Option<Result<CallToolResult, Failure>> {
        Some(match tool {
            tools::USAGE_SUMMARY => self.usage_summary(arguments, caller).await.and_then(|answer| result(&answer)),
            tools::TOP_USERS => self.top_users(arguments, caller).await.and_then(|answer| result(&answer)),
            tools::USAGE_TREND => self.usage_trend(arguments, caller).await.and_then(|answer| result(&answer)),
            tools::BUDGET_STATUS => self.budget_status(arguments, caller).await.and_then(|answer| result(&answer)),
            _ => return None,
        })
    }

    fn today(&self) -> Day {
        Day::of((self.now)())
    }

    /// What `chat.get_usage` tells the caller of these days.
    async fn report(&self, caller: &Caller, scope: UsageScope, days: Days, by: GroupBy) -> Result<Report, Failure> {
        let query = UsageQuery { from: Some(days.begin()), to: Some(days.end()), group_by: by, scope: Some(scope) };
        let report = self.reports.usage(&caller.owner(), caller.role, &query, (self.now)()).await;
        match &report {
            Ok((of, _)) if scope != UsageScope::Own => self.tell(caller, 200, of.organization.clone()),
            Err(UsageError::Forbidden) => self.tell(caller, 403, None),
            _ => {}
        }
        Ok(report?.1)
    }

    /// Tells the audit log that the caller saw the usage of others, or was not let see it.
    fn tell(&self, caller: &Caller, status: u16, organization: Option<String>) {
        let Owner { organization: own, user } = caller.owner();
        let asker = Asker { organization: Some(own), user: Some(user), role: Some(caller.role), ..Asker::default() };
        self.observe.administered(&asker, "usage.read", status, Target { organization, ..Target::default() });
    }
}

/// An answer twice: for programs, and as text for models.
fn result(answer: &impl Serialize) -> Result<CallToolResult, Failure> {
    let text = serde_json::to_string(answer).map_err(|_| Failure::Unavailable)?;
    let mut result = CallToolResult::success(vec![ContentBlock::text(text)]);
    result.structured_content = Some(serde_json::to_value(answer).map_err(|_| Failure::Unavailable)?);
    Ok(result)
}

impl ServerHandler for Analytics {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new(NAME, env!("CARGO_PKG_VERSION")))
            .with_instructions(INSTRUCTIONS)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        tools::all().into_iter().find(|tool| tool.name == name)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(tools::all()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let caller = Caller::of_request(&context.meta).map_err(|text| ErrorData::invalid_params(text, None))?;
        let called = self.call(&request.name, request.arguments.unwrap_or_default(), &caller);
        let answer = tokio::select! {
            answer = called => answer,
            () = context.ct.cancelled() => return Err(ErrorData::internal_error("cancelled", None)),
        };
        let unknown = || ErrorData::invalid_params(Cow::from("There is no such tool: list the tools anew."), None);
        let failed = |failure: Failure| CallToolResult::error(vec![ContentBlock::text(failure.told())]);
        Ok(answer.ok_or_else(unknown)?.unwrap_or_else(failed).into())
    }

    // The default one writes a line at level info.
    async fn on_initialized(&self, _: NotificationContext<RoleServer>) {}
}

#[cfg(test)]
mod tests;
