//! From what a server lists to the tools that are offered.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use rmcp::{
    Peer, RoleClient,
    model::{ClientRequest, ErrorCode, ListToolsRequest, PaginatedRequestParams, ServerResult, Tool as Listed},
    service::PeerRequestOptions,
};
use serde_json::Value;

use crate::{
    Held, Options, Pins, Tool,
    content::cut,
    failure::{self, Failure},
    names::wire_name,
    pins::{Verdict, fingerprint},
    schema::Schema,
};

/// The most tools of one server that are offered.
pub const MAX_TOOLS_PER_SERVER: usize = 128;
/// The most tools that are offered to anybody.
pub const MAX_TOOLS: usize = 256;
/// The longest description of a tool; one that is longer is left out with its tool.
pub const MAX_DESCRIPTION_BYTES: usize = 4 * 1024;
/// The largest schema of a tool's arguments; one that is larger is left out with its tool.
pub const MAX_SCHEMA_BYTES: usize = 32 * 1024;
/// The longest name of a tool.
const MAX_NAME_BYTES: usize = 128;
/// The most pages that a list may have.
const MAX_PAGES: usize = 64;
/// What became of a server's list.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub(crate) tools: Vec<Arc<Tool>>,
    pub(crate) held: Vec<Held>,
    pub(crate) left_out: usize,
}

/// Asks a server for all its tools, each page within `limit`.
pub(crate) async fn ask(peer: &Peer<RoleClient>, limit: Duration) -> Result<Vec<Listed>, String> {
    let mut tools = Vec::new();
    let mut cursor = None;
    for _ in 0..MAX_PAGES {
        let params = Some(PaginatedRequestParams::default().with_cursor(cursor));
        let request = ClientRequest::ListToolsRequest(ListToolsRequest { params, ..Default::default() });
        let asked = peer.send_request_with_option(request, PeerRequestOptions::with_timeout(limit)).await;
        let answer = match asked {
            Ok(asked) => asked.await_response().await,
            Err(error) => Err(error),
        };
        let page = match answer.map_err(failure::of_request) {
            Ok(ServerResult::ListToolsResult(page)) => page,
            Ok(_) => return Err("it answered with something that is no list of tools".into()),
            // It has prompts or resources only.
            Err(Failure::Answered(code, _)) if code == ErrorCode::METHOD_NOT_FOUND.0 => return Ok(Vec::new()),
            Err(failure) => return Err(format!("it did not list its tools: {failure}")),
        };
        tools.extend(page.tools);
        match page.next_cursor {
            Some(next) if tools.len() <= MAX_TOOLS_PER_SERVER => cursor = Some(next),
            _ => return Ok(tools),
        }
    }
    Err(format!("its list of tools has more than {MAX_PAGES} pages"))
}

/// What is offered of `listed`. Servers without `pins` are trusted.
pub(crate) fn sort_out(server: &Arc<str>, options: &Options, pins: Option<&Pins>, listed: &[Listed]) -> Listing {
    let mut listing = Listing::default();
    let mut names = BTreeSet::new();
    let mut fitting = Vec::new();
    for tool in listed {
        let problem = if !names.insert(&*tool.name) {
            Some("another has its name".into())
        } else if fitting.len() == MAX_TOOLS_PER_SERVER {
            Some(format!("the server has more than {MAX_TOOLS_PER_SERVER} tools"))
        } else {
            problem_of(tool)
        };
        match problem {
            None => fitting.push((tool, fingerprint(tool))),
            Some(problem) => {
                tracing::warn!(
                    server = &**server,
                    tool = cut(&tool.name, MAX_NAME_BYTES),
                    "the tool is left out: {problem}"
                );
                listing.left_out += 1;
            }
        }
    }
    for name in options.tools.keys().filter(|name| !names.contains(name.as_str())) {
        tracing::warn!(server = &**server, tool = %name, "the file has options for a tool that the server does not list");
    }
    let looked_up: Vec<_> = fitting.iter().map(|(tool, fingerprint)| (&*tool.name, fingerprint.as_str())).collect();
    let verdicts = pins.map_or_else(|| vec![Verdict::Approved; fitting.len()], |pins| pins.settle(server, &looked_up));
    for ((tool, fingerprint), verdict) in fitting.into_iter().zip(verdicts) {
        let name: Arc<str> = tool.name.as_ref().into();
        match verdict {
            Verdict::Approved => {}
            Verdict::New => tracing::info!(server = &**server, tool = &*name, fingerprint, "a new tool is pinned"),
            Verdict::Held { pinned } => {
                let description = tool.description.as_deref().unwrap_or_default().to_owned();
                listing.held.push(Held { server: server.clone(), tool: name, pinned, found: fingerprint, description });
                continue;
            }
        }
        match offered(server, options, tool, name, fingerprint) {
            Ok(Some(tool)) => listing.tools.push(Arc::new(tool)),
            Ok(None) => listing.left_out += 1,
            Err(problem) => {
                tracing::warn!(server = &**server, tool = &*tool.name, "the tool is left out: {problem}");
                listing.left_out += 1;
            }
        }
    }
    listing.tools.sort_by(|a, b| a.name.cmp(&b.name));
    listing
}

fn problem_of(tool: &Listed) -> Option<String> {
    let description = tool.description.as_ref().map_or(0, |description| description.len());
    let title = tool.title.as_ref().map_or(0, String::len);
    let schema = Value::Object(tool.input_schema.as_ref().clone()).to_string().len();
    if !(1..=MAX_NAME_BYTES).contains(&tool.name.len()) || tool.name.chars().any(char::is_control) {
        Some(format!("its name has to have 1 to {MAX_NAME_BYTES} bytes and no control characters"))
    } else if description.max(title) > MAX_DESCRIPTION_BYTES {
        Some(format!("its description has more than {MAX_DESCRIPTION_BYTES} bytes"))
    } else if schema > MAX_SCHEMA_BYTES {
        Some(format!("its schema has more than {MAX_SCHEMA_BYTES} bytes"))
    } else {
        None
    }
}

/// The tool as it is offered, unless it is turned off.
fn offered(
    server: &Arc<str>,
    options: &Options,
    tool: &Listed,
    name: Arc<str>,
    fingerprint: String,
) -> Result<Option<Tool>, String> {
    let Some(effective) = options.of(&name) else { return Ok(None) };
    let input_schema = Value::Object(tool.input_schema.as_ref().clone());
    let schema = Schema::new(&input_schema)?;
    let annotated = tool.annotations.as_ref().and_then(|annotations| annotations.title.clone());
    Ok(Some(Tool {
        wire_name: wire_name(server, &name),
        server: server.clone(),
        title: tool.title.clone().or(annotated),
        description: tool.description.as_deref().unwrap_or_default().to_owned(),
        input_schema,
        approval: effective.approval,
        idempotent: effective.idempotent,
        timeout: effective.timeout,
        fingerprint,
        access: effective.access,
        schema,
        name,
    }))
}
