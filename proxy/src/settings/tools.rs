//! Tools: which there are, and how far an answer may go with them; reasoning and the prompt cache.

use std::{path::PathBuf, time::Duration};

use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use protocol::{price::nano_usd, server::ToolApproval};

use super::{Switch, duration};
use crate::turn::ToolLimits;

/// The longest time that a person has to let a call run.
pub const MAX_APPROVAL_TIMEOUT: Duration = Duration::from_secs(3_600);

/// The shortest.
pub const MIN_APPROVAL_TIMEOUT: Duration = Duration::from_secs(1);

/// What is appended to the path of the file of MCP servers for that of the pins.
const PINS: &str = ".pins.json";

/// Which MCP servers there are.
#[derive(Debug, Args)]
pub struct Mcp {
    /// The MCP servers whose tools the model may call: a JSON file with mcpServers. There are none but the one built in if not set.
    #[arg(long, env = "OUTCROP_MCP_CONFIG", value_name = "FILE", help_heading = "Tools")]
    pub mcp_config: Option<PathBuf>,
    /// The file that remembers which tools were approved, as they were; the path of OUTCROP_MCP_CONFIG with .pins.json appended if not
    /// set.
    #[arg(long, env = "OUTCROP_MCP_PINS", value_name = "FILE", help_heading = "Tools")]
    pub mcp_pins: Option<PathBuf>,
}

/// Tools, and what an answer may use with them.
#[derive(Debug, Args)]
pub struct ToolSettings {
    /// The servers.
    #[command(flatten)]
    pub mcp: Mcp,
    /// Whether the model may ask what was used and what it cost, with the tools built in. Each person sees what the usage page shows
    /// them.
    #[arg(
        long,
        env = "OUTCROP_ANALYTICS",
        value_enum,
        default_value = "on",
        value_name = "WHETHER",
        help_heading = "Tools"
    )]
    pub analytics: Switch,
    /// When a person is asked before these tools are called. They only read.
    #[arg(long, env = "OUTCROP_ANALYTICS_APPROVAL", default_value = "never", value_name = "WHEN", value_parser = approval(), help_heading = "Tools")]
    pub analytics_approval: ToolApproval,
    /// The most rounds of an answer: how often the model may call tools and be called again with their results.
    #[arg(long, env = "OUTCROP_MAX_TOOL_ROUNDS", default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=50), help_heading = "Tools")]
    pub max_tool_rounds: u32,
    /// The most calls of tools for an answer.
    #[arg(long, env = "OUTCROP_MAX_TOOL_CALLS", default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=500), help_heading = "Tools")]
    pub max_tool_calls: u32,
    /// How long all rounds of an answer may take, without the time that people take to approve.
    #[arg(long, env = "OUTCROP_TOOL_LOOP_TIMEOUT", default_value = "10m", value_name = "TIME", value_parser = duration, help_heading = "Tools")]
    pub tool_loop_timeout: Duration,
    /// How many tokens all model calls of an answer may take before no more tools are called; not limited if not set.
    #[arg(long, env = "OUTCROP_TOOL_LOOP_TOKENS", value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Tools")]
    pub tool_loop_tokens: Option<u64>,
    /// What all model calls of an answer may cost before no more tools are called, in US dollars, such as 0.50; not limited if not set.
    #[arg(long, env = "OUTCROP_TOOL_LOOP_COST", value_name = "AMOUNT", value_parser = dollars, help_heading = "Tools")]
    pub tool_loop_cost: Option<u64>,
    /// How long a person has to let a call run; after that it is denied. 1s to 1h.
    #[arg(long, env = "OUTCROP_APPROVAL_TIMEOUT", default_value = "5m", value_name = "TIME", value_parser = approval_timeout, help_heading = "Tools")]
    pub approval_timeout: Duration,
    /// The most text of one result that the model is sent, in bytes.
    #[arg(long, env = "OUTCROP_TOOL_RESULT_BYTES", default_value_t = 32_768, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1_024..=262_144), help_heading = "Tools")]
    pub tool_result_bytes: u32,
    /// Whether models that can are asked to keep the beginning of a conversation in their cache, which is cheaper to read.
    #[arg(
        long,
        env = "OUTCROP_PROMPT_CACHE",
        value_enum,
        default_value = "on",
        value_name = "WHETHER",
        help_heading = "Answers"
    )]
    pub prompt_cache: Switch,
    /// How many tokens models that can may reason with before they answer, 1024 or more, on top of OUTCROP_MAX_TOKENS; they do not if
    /// not set.
    #[arg(long, env = "OUTCROP_REASONING_TOKENS", value_name = "N", value_parser = clap::value_parser!(u32).range(1_024..), help_heading = "Answers")]
    pub reasoning_tokens: Option<u32>,
}

impl Mcp {
    /// Where approved tools are remembered; nowhere where there are no servers.
    pub fn pins(&self) -> Option<PathBuf> {
        let beside = |config: &PathBuf| {
            let mut path = config.clone().into_os_string();
            path.push(PINS);
            PathBuf::from(path)
        };
        self.mcp_pins.clone().or_else(|| self.mcp_config.as_ref().map(beside))
    }
}

impl ToolSettings {
    /// What one answer may do with tools.
    pub fn limits(&self) -> ToolLimits {
        ToolLimits {
            rounds: self.max_tool_rounds,
            calls: self.max_tool_calls,
            timeout: self.tool_loop_timeout,
            tokens: self.tool_loop_tokens,
            nano_usd: self.tool_loop_cost,
            approval_timeout: self.approval_timeout,
            result_bytes: self.tool_result_bytes as usize,
        }
    }
}

/// `outcrop-proxy tools`.
#[derive(Debug, Args)]
pub struct Tools {
    /// The servers.
    #[command(flatten)]
    pub mcp: Mcp,
    /// Approve what is held back since it is not what it was: SERVER/TOOL, or SERVER for all of it. A proxy that runs follows.
    #[arg(long, value_name = "SERVER/TOOL")]
    pub approve: Option<String>,
}

fn approval() -> impl TypedValueParser<Value = ToolApproval> {
    PossibleValuesParser::new(["always", "session", "never"]).map(|text| match text.as_str() {
        "session" => ToolApproval::Session,
        "never" => ToolApproval::Never,
        _ => ToolApproval::Always,
    })
}

/// Nano-dollars out of dollars, exactly.
fn dollars(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let number = text.strip_prefix('$').or_else(|| text.strip_suffix("usd")).unwrap_or(text).trim();
    match nano_usd(number)? {
        None | Some(0) => Err("it must be more than 0; write it as 0.50".to_owned()),
        Some(nano_usd) => Ok(nano_usd),
    }
}

fn approval_timeout(text: &str) -> Result<Duration, String> {
    let timeout = duration(text)?;
    match (MIN_APPROVAL_TIMEOUT..=MAX_APPROVAL_TIMEOUT).contains(&timeout) {
        true => Ok(timeout),
        false => Err("it is from 1s to 1h".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Only {
        #[command(flatten)]
        tools: ToolSettings,
    }

    fn parse(args: &[&str]) -> Result<ToolSettings, String> {
        let all = ["serve"].iter().chain(args);
        Only::try_parse_from(all).map(|only| only.tools).map_err(|error| error.to_string())
    }

    #[test]
    fn without_settings_the_built_in_tools_are_there_and_bounds_hold() {
        let tools = parse(&[]).unwrap();
        assert_eq!((tools.analytics, tools.analytics_approval), (Switch::On, ToolApproval::Never));
        assert_eq!((tools.mcp.mcp_config.as_ref(), tools.mcp.pins()), (None, None));
        assert_eq!((tools.max_tool_rounds, tools.max_tool_calls, tools.tool_result_bytes), (10, 50, 32_768));
        assert_eq!(
            (tools.tool_loop_timeout, tools.approval_timeout),
            (Duration::from_secs(600), Duration::from_secs(300))
        );
        assert_eq!((tools.tool_loop_tokens, tools.tool_loop_cost, tools.reasoning_tokens), (None, None, None));
        assert_eq!(tools.prompt_cache, Switch::On);
    }

    #[test]
    fn pins_are_beside_the_file_of_servers_unless_they_have_a_path() {
        let pins = |args: &[&str]| parse(args).unwrap().mcp.pins();
        assert_eq!(pins(&["--mcp-config", "/etc/mcp.json"]), Some(PathBuf::from("/etc/mcp.json.pins.json")));
        assert_eq!(pins(&["--mcp-config", "a", "--mcp-pins", "/var/pins"]), Some(PathBuf::from("/var/pins")));
    }

    #[test]
    fn costs_are_read_to_the_last_digit() {
        for (text, nano_usd) in [("0.50", 500_000_000), ("$2", 2_000_000_000), ("0.000000001usd", 1)] {
            assert_eq!(parse(&["--tool-loop-cost", text]).unwrap().tool_loop_cost, Some(nano_usd), "{text}");
        }
    }

    #[test]
    fn approval_is_one_of_three() {
        for (text, approval) in
            [("always", ToolApproval::Always), ("session", ToolApproval::Session), ("never", ToolApproval::Never)]
        {
            assert_eq!(parse(&["--analytics-approval", text]).unwrap().analytics_approval, approval);
        }
    }

    #[test]
    fn a_bad_value_is_named_with_what_would_be_right() {
        for (args, expected) in [
            (["--analytics", "maybe"], "on, off"),
            (["--analytics-approval", "once"], "always, session, never"),
            (["--max-tool-rounds", "0"], "1..=50"),
            (["--max-tool-rounds", "51"], "1..=50"),
            (["--max-tool-calls", "0"], "1..=500"),
            (["--tool-loop-timeout", "0s"], "more than 0"),
            (["--tool-loop-tokens", "0"], "1.."),
            (["--tool-loop-cost", "0"], "0.50"),
            (["--tool-loop-cost", "free"], "price in dollars"),
            (["--approval-timeout", "2h"], "from 1s to 1h"),
            (["--approval-timeout", "10ms"], "from 1s to 1h"),
            (["--tool-result-bytes", "1023"], "1024..=262144"),
            (["--reasoning-tokens", "1000"], "1024.."),
        ] {
            let error = parse(&args).unwrap_err();
            assert!(error.contains(expected) && error.contains(args[0]), "{error}");
        }
    }
}
