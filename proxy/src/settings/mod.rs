//! Settings: flags above the environment above `.env` above defaults.

mod answers;
mod auth;
mod bedrock;
mod content;
mod conversations;
mod limits;
mod money;
mod observe;
#[cfg(test)]
mod reference;
mod server;
mod tools;

use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use protocol::client::GroupBy;

use crate::ledger::{
    Query,
    query::{Point, group},
};

pub use answers::{Answers, OnStop};
pub use auth::{AuthMode, Authentication, Mint};
pub use bedrock::{Bedrock, DEFAULT_MODEL, Demo, Upstream};
pub use content::{Content, Guarding, GuardrailMode};
pub use conversations::{Conversations, Dynamodb, StoreKind};
pub use limits::Limits;
pub use money::{MetricsFormat, Money};
pub use observe::{LogFormat, MIN_AUDIT_LOG_BYTES, Observability, OnAuditFailure, Switch};
pub use server::{MAX_SHUTDOWN_GRACE, Server};
pub use tools::{MAX_APPROVAL_TIMEOUT, MIN_APPROVAL_TIMEOUT, Mcp, ToolSettings, Tools};

/// The models that demo mode offers beside the default one, so that there is something to choose from.
const DEMO_MODELS: [&str; 3] = [
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "us.anthropic.claude-haiku-4-5-20251001-v1:0",
    "us.anthropic.claude-opus-5-5",
];

/// The longest instructions of a person's own where no guardrail is set, in characters.
const DEFAULT_SYSTEM_PROMPT_CHARS: u32 = 8_000;

/// The proxy between Outcrop chat clients and Claude on AWS Bedrock.
///
/// Every setting is a flag and an environment variable; a .env file in the working directory is read too. AWS credentials and
/// region come from the AWS SDK's default chain: AWS_PROFILE, AWS_REGION, AWS_ACCESS_KEY_ID, SSO, container and instance roles.
#[derive(Debug, Parser)]
#[command(name = "outcrop-proxy", version, max_term_width = 110)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve chat clients over WebSocket, on / and /ws.
    Serve(Box<Serve>),
    /// Tell whether credentials, region, model access and IAM permissions are right, and what to do if not.
    Check(Upstream),
    /// Make the DynamoDB table that `serve --store dynamodb` needs. It may be run again.
    CreateTable(Dynamodb),
    /// Tell what was used and what it cost, out of what the proxy keeps, which may go on meanwhile.
    Usage(Usage),
    /// Tell which MCP servers and tools there are, and approve tools that have changed.
    Tools(Tools),
    /// Make a token for development, signed with OUTCROP_JWT_SECRET.
    Token(Mint),
}

/// A setting that is shown to nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The setting.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// What a report is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A table for people.
    Table,
    /// CSV, for spreadsheets.
    Csv,
    /// JSON, for programs.
    Json,
}

/// What is asked with `usage`.
#[derive(Debug, Args)]
pub struct Usage {
    /// Since when: a time ago (7d), a day (2026-11-01) or a time (2026-11-01T09:00:00Z), UTC; 30 days before --to if not set.
    #[arg(long, value_name = "TIME")]
    pub from: Option<Point>,
    /// Until when, likewise; until now if not set.
    #[arg(long, value_name = "TIME")]
    pub to: Option<Point>,
    /// By what it is summed, separated by commas: user, organization, session, model, day, hour.
    #[arg(long, value_delimiter = ',', default_value = "day", value_name = "GROUPS", value_parser = group)]
    pub group_by: Vec<GroupBy>,
    /// Only of this organization.
    #[arg(long, value_name = "NAME")]
    pub organization: Option<String>,
    /// Only of this user.
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// What it is written as.
    #[arg(long, value_enum, default_value = "table", value_name = "FORMAT")]
    pub format: Format,
    /// Where it is kept.
    #[command(flatten)]
    pub conversations: Conversations,
}

impl Usage {
    /// The question.
    pub fn query(&self) -> Query {
        let Self { from, to, group_by, organization, user, .. } = self;
        Query { from: *from, to: *to, by: group_by.clone(), organization: organization.clone(), user: user.clone() }
    }
}

/// The settings of `serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// Where the proxy listens, and for whom.
    #[command(flatten)]
    pub server: Server,
    /// Who may talk.
    #[command(flatten)]
    pub auth: Authentication,
    /// How much each may use.
    #[command(flatten)]
    pub limits: Limits,
    /// Where conversations are kept.
    #[command(flatten)]
    pub conversations: Conversations,
    /// How long messages are kept after they were written, and sessions after their last use; for ever if not set. In DynamoDB only.
    #[arg(long, env = "OUTCROP_SESSION_TTL", value_name = "TIME", value_parser = duration, help_heading = "Conversations")]
    pub session_ttl: Option<Duration>,
    /// Prices, budgets, and who is told of them.
    #[command(flatten)]
    pub money: Money,
    /// Which Bedrock, and which model.
    #[command(flatten)]
    pub upstream: Upstream,
    /// Who answers.
    #[command(flatten)]
    pub bedrock: Bedrock,
    /// What may be said.
    #[command(flatten)]
    pub content: Content,
    /// How answers are made, and how long they may take.
    #[command(flatten)]
    pub answers: Answers,
    /// Tools, and what an answer may use with them.
    #[command(flatten)]
    pub tools: ToolSettings,
    /// What can be seen of it from outside.
    #[command(flatten)]
    pub observe: Observability,
}

impl Serve {
    /// The longest instructions of a person's own. A guardrail does not look at system prompts, so that with one they have to be allowed.
    pub fn max_system_prompt_chars(&self) -> u32 {
        let default = if self.upstream.guarding.guardrail_id.is_some() { 0 } else { DEFAULT_SYSTEM_PROMPT_CHARS };
        self.content.max_system_prompt_chars.unwrap_or(default)
    }

    /// The models that clients may name, without repetition, the default one first.
    pub fn offered_models(&self, demo: bool) -> Vec<String> {
        let mut models = vec![self.upstream.model.clone()];
        let extra = if demo && self.bedrock.models.is_empty() {
            DEMO_MODELS.map(str::to_owned).to_vec()
        } else {
            self.bedrock.models.clone()
        };
        for model in extra.into_iter().map(|model| model.trim().to_owned()) {
            if !model.is_empty() && !models.contains(&model) {
                models.push(model);
            }
        }
        models
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).map_err(|error| format!("{error}; write it as 90s or 2m"))?;
    if duration.is_zero() { Err("it must be more than 0".to_owned()) } else { Ok(duration) }
}

fn endpoint(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match rest {
        Some(host) if !host.is_empty() && !host.starts_with('/') => Ok(text.to_owned()),
        _ => Err("it begins with https:// (or http:// for a machine of your own)".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::http::{HEADER_TIMEOUT, MAX_HEAD_BYTES, MAX_PLAIN_CONNECTIONS, PLAIN_TIMEOUT};

    fn serve(args: &[&str]) -> Result<Serve, String> {
        let all = ["outcrop-proxy", "serve"].iter().chain(args);
        match Cli::try_parse_from(all).map_err(|error| error.to_string())?.command {
            Command::Serve(serve) => Ok(*serve),
            _ => panic!("serve was asked for"),
        }
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn defaults_are_those_of_the_readme() {
        let serve = serve(&[]).unwrap();
        assert_eq!(serve.server.listen.to_string(), "127.0.0.1:3001");
        assert_eq!(serve.upstream.model, DEFAULT_MODEL);
        assert_eq!((serve.answers.history_messages, serve.bedrock.demo), (10, Demo::Never));
        let Limits { user_messages_per_minute, bedrock_calls, bedrock_requests_per_minute, .. } = serve.limits;
        assert_eq!((user_messages_per_minute.get(), bedrock_calls, bedrock_requests_per_minute), (60, 512, None));
        assert_eq!(serve.offered_models(false), [DEFAULT_MODEL]);
        assert_eq!(serve.offered_models(true).len(), 1 + DEMO_MODELS.len());
    }

    #[test]
    fn bounds_that_have_names_are_the_defaults() {
        let limits = serve(&[]).unwrap().server.http_limits();
        assert_eq!((limits.header_timeout, limits.plain_timeout), (HEADER_TIMEOUT, PLAIN_TIMEOUT));
        assert_eq!((limits.max_head_bytes, limits.max_plain_connections), (MAX_HEAD_BYTES, MAX_PLAIN_CONNECTIONS));
    }

    #[test]
    fn demo_takes_a_value_or_none() {
        assert_eq!(serve(&["--demo"]).unwrap().bedrock.demo, Demo::Always);
        assert_eq!(serve(&["--demo=auto"]).unwrap().bedrock.demo, Demo::Auto);
    }

    #[test]
    fn a_bad_value_is_named_with_what_would_be_right() {
        for (args, expected) in [
            (["--temperature", "2"], "a number from 0 to 1"),
            (["--event-timeout", "0s"], "more than 0"),
            (["--event-timeout", "soon"], "90s or 2m"),
            (["--endpoint-url", "ftp://x"], "https://"),
            (["--history-messages", "0"], "1..=1000"),
            (["--listen", "localhost"], "socket address"),
            (["--tls-cert", "cert.pem"], "--tls-key"),
            (["--max-head-bytes", "1"], "8192..=1048576"),
            (["--guardrail-id", "a1b2c3"], "--guardrail-version"),
            (["--guardrail-id", "My guardrail"], "a1b2c3d4e5f6"),
            (["--guardrail-version", "latest"], "or DRAFT"),
        ] {
            let error = serve(&args).unwrap_err();
            assert!(error.contains(expected) && error.contains(args[0]), "{error}");
        }
    }

    #[test]
    fn the_default_model_comes_first_and_once() {
        let serve = serve(&["--model", "a", "--models", "b, a,,b"]).unwrap();
        assert_eq!(serve.offered_models(true), ["a", "b"]);
    }
}
