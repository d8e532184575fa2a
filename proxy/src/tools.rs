//! The tools of this proxy: those of the operator's MCP servers, and those built in; `outcrop-proxy tools`.

use std::{fmt::Write, path::PathBuf, sync::Arc, time::Duration};

use comfy_table::{ContentArrangement, Table, presets::NOTHING};
use outcrop_tools::{
    Approval, Builtin, Caller, Config, ConfigError, Hub, Options, Phase, Pins, PinsError, Role, ServerState,
};
use protocol::server::ToolApproval;

use crate::{
    analytics::{self, Analytics},
    settings::{Mcp, Switch, ToolSettings, Tools},
};

/// How long `outcrop-proxy tools` waits for the servers.
const READY_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the proxy waits for its servers before it listens; those that take longer come later.
pub const START_TIMEOUT: Duration = Duration::from_secs(5);

/// Why there are no tools.
#[derive(Debug, thiserror::Error)]
pub enum ToolsError {
    /// The file is not there.
    #[error("{0} of --mcp-config (OUTCROP_MCP_CONFIG) cannot be read: {1}")]
    Unreadable(PathBuf, std::io::Error),
    /// The file makes no sense.
    #[error("{0}: {1}")]
    Config(PathBuf, ConfigError),
    /// The pins make no sense.
    #[error(transparent)]
    Pins(#[from] PinsError),
    /// There is no file.
    #[error("there are no MCP servers: name their file with --mcp-config (OUTCROP_MCP_CONFIG)")]
    NoConfig,
}

/// Starts the servers of the file, and the one built in if it is on.
///
/// # Errors
/// [`ToolsError`].
pub fn start(settings: &ToolSettings, analytics: Analytics) -> Result<Arc<Hub>, ToolsError> {
    let (config, pins) = configured(&settings.mcp)?;
    let options = Options { approval: approval(settings.analytics_approval), idempotent: true, ..Options::default() };
    let serve = Arc::new(move |io| analytics.serve(io));
    let built_in = Builtin { name: analytics::NAME.into(), options, serve };
    let built_in = (settings.analytics == Switch::On).then_some(built_in);
    Ok(Hub::start(config, built_in.into_iter().collect(), pins))
}

fn configured(settings: &Mcp) -> Result<(Config, Pins), ToolsError> {
    let Some(path) = &settings.mcp_config else { return Ok((Config::default(), Pins::in_memory())) };
    let json = std::fs::read_to_string(path).map_err(|error| ToolsError::Unreadable(path.clone(), error))?;
    let env = |name: &str| std::env::var(name).ok();
    let config = Config::parse(&json, &env).map_err(|error| ToolsError::Config(path.clone(), error))?;
    let pins = settings.pins().map_or_else(|| Ok(Pins::in_memory()), Pins::open)?;
    Ok((config, pins))
}

fn approval(approval: ToolApproval) -> Approval {
    match approval {
        ToolApproval::Always => Approval::Always,
        ToolApproval::Session => Approval::Session,
        ToolApproval::Never => Approval::Never,
    }
}

/// `outcrop-proxy tools`: tells which servers there are and what they have, and approves what is held back.
///
/// # Errors
/// [`ToolsError`].
pub async fn tell(settings: &Tools) -> Result<String, ToolsError> {
    if settings.mcp.mcp_config.is_none() {
        return Err(ToolsError::NoConfig);
    }
    let (config, pins) = configured(&settings.mcp)?;
    let hub = Hub::start(config, Vec::new(), pins.clone());
    hub.ready(READY_TIMEOUT).await;
    let mut told = String::new();
    if let Some(name) = &settings.approve {
        let (server, tool) = name.split_once('/').map_or((name.as_str(), None), |(server, tool)| (server, Some(tool)));
        for tool in pins.approve(server, tool)? {
            let _ = writeln!(told, "approved: {server}/{tool}");
        }
        hub.shutdown().await;
        return Ok(told);
    }
    let mut servers = table(["server", "state", "tools", "held back", "left out"]);
    for server in hub.servers() {
        let ServerState { name, tools, held_back, left_out, .. } = &server;
        let counts = [tools, held_back, left_out].map(ToString::to_string);
        servers.add_row([name.to_string(), phase(&server)].into_iter().chain(counts));
    }
    let _ = writeln!(told, "{servers}");
    let mut tools = table(["tool", "asks", "timeout", "idempotent"]);
    for tool in hub.offer(&operator()) {
        let asks = match tool.approval {
            Approval::Always => "always",
            Approval::Session => "once a conversation",
            Approval::Never => "never",
        };
        let timeout = humantime::format_duration(tool.timeout).to_string();
        let idempotent = if tool.idempotent { "yes" } else { "no" };
        tools.add_row([&format!("{}/{}", tool.server, tool.name), asks, &timeout, idempotent]);
    }
    let _ = writeln!(told, "\n{tools}");
    for held in hub.held_back() {
        let (server, tool) = (&held.server, &held.tool);
        let _ = writeln!(
            told,
            "\n{server}/{tool} is held back, since it is not what it was when it was approved. It says of itself now:\n  {}\n\
             To approve it: outcrop-proxy tools --approve {server}/{tool}",
            held.description.replace('\n', "\n  "),
        );
    }
    hub.shutdown().await;
    Ok(told)
}

fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled).set_header(header);
    table
}

fn phase(server: &ServerState) -> String {
    match &server.phase {
        Phase::Starting => "starting".to_owned(),
        Phase::Up => "up".to_owned(),
        Phase::Down { reason, .. } => format!("down: {reason}"),
        Phase::Stopped => "stopped".to_owned(),
    }
}

/// Whoever runs the command. What single organisations may not use is left out.
fn operator() -> Caller {
    let local = || Arc::from("local");
    Caller { organization: local(), user: local(), role: Role::Operator, session: "".into(), message: "".into() }
}
