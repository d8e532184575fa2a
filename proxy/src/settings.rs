//! Settings: flags above the environment above `.env` above defaults.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};

use protocol::client::GroupBy;

use crate::ledger::{
    Budget, Query,
    query::{Point, group},
};

/// The model that answers where nothing else is set.
pub const DEFAULT_MODEL: &str = "anthropic.claude-3-5-sonnet-20241022-v2:0";

/// The longest time that answers under way are given when the proxy is asked to stop.
pub const MAX_SHUTDOWN_GRACE: Duration = Duration::from_secs(20);

/// The models that demo mode offers beside the default one, so that there is something to choose from.
const DEMO_MODELS: [&str; 3] = [
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "us.anthropic.claude-haiku-4-5-20251001-v1:0",
    "us.anthropic.claude-opus-5-5",
];

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
}

/// When to answer from the built-in emulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Demo {
    /// Always; nothing of AWS is needed.
    Always,
    /// Where no AWS credentials are found.
    Auto,
    /// Never: missing credentials are an error.
    Never,
}

/// What becomes of the call of a stopped answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnStop {
    /// It is read to its end, so that what it used is known exactly.
    Drain,
    /// It is dropped; Bedrock is reported to bill it all the same.
    Abort,
}

/// Where conversations are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StoreKind {
    /// In a file on this machine.
    Sqlite,
    /// In a table of DynamoDB that several proxies share.
    Dynamodb,
    /// Nowhere: they end with the process.
    Memory,
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

/// What metrics are written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MetricsFormat {
    /// CloudWatch's embedded metric format.
    Emf,
}

/// Where conversations, and the ledger, are kept.
#[derive(Debug, Clone, Args)]
pub struct Conversations {
    /// Where conversations are kept.
    #[arg(
        long,
        env = "OUTCROP_STORE",
        value_enum,
        default_value = "sqlite",
        value_name = "STORE",
        help_heading = "Conversations"
    )]
    pub store: StoreKind,
    /// The folder of the SQLite file; made if it is not there. One proxy at a time may use it.
    #[arg(
        long,
        env = "OUTCROP_DATA_DIR",
        default_value = "outcrop-data",
        value_name = "DIR",
        help_heading = "Conversations"
    )]
    pub data_dir: PathBuf,
    /// Which table of DynamoDB.
    #[command(flatten)]
    pub dynamodb: Dynamodb,
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

/// Which Bedrock, and which model.
#[derive(Debug, Clone, Args)]
pub struct Upstream {
    /// The model that answers: a model id, an inference profile or an ARN.
    #[arg(long, env = "BEDROCK_MODEL_ID", default_value = DEFAULT_MODEL, value_name = "ID", help_heading = "Bedrock")]
    pub model: String,
    /// Another address than the region's own, such as an interface endpoint.
    #[arg(long, env = "BEDROCK_ENDPOINT_URL", value_name = "URL", value_parser = endpoint, help_heading = "Bedrock")]
    pub endpoint_url: Option<String>,
}

/// Which table of DynamoDB.
#[derive(Debug, Clone, Args)]
pub struct Dynamodb {
    /// The DynamoDB table; outcrop-proxy create-table makes it.
    #[arg(
        id = "dynamodb-table",
        long = "dynamodb-table",
        env = "OUTCROP_DYNAMODB_TABLE",
        default_value = "outcrop",
        value_name = "NAME",
        help_heading = "Conversations"
    )]
    pub table: String,
    /// Another address of DynamoDB than the region's own, such as an interface endpoint.
    #[arg(
        id = "dynamodb-endpoint-url",
        long = "dynamodb-endpoint-url",
        env = "OUTCROP_DYNAMODB_ENDPOINT_URL",
        value_name = "URL",
        value_parser = endpoint,
        help_heading = "Conversations"
    )]
    pub endpoint_url: Option<String>,
}

/// The settings of `serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// Where to listen. Without authentication only loopback addresses are allowed.
    #[arg(
        long,
        env = "OUTCROP_LISTEN",
        default_value = "127.0.0.1:3001",
        value_name = "ADDR:PORT",
        help_heading = "Server"
    )]
    pub listen: SocketAddr,
    /// A folder with a page to serve, such as the dashboard's build.
    #[arg(long, env = "OUTCROP_WWW_DIR", value_name = "DIR", help_heading = "Server")]
    pub www: Option<PathBuf>,
    /// Origins whose pages may connect, besides the page served here; separated by commas.
    #[arg(
        long,
        env = "OUTCROP_ALLOWED_ORIGINS",
        value_delimiter = ',',
        default_value = "http://localhost:5173,http://127.0.0.1:5173",
        value_name = "ORIGINS",
        help_heading = "Server"
    )]
    pub allowed_origins: Vec<String>,
    /// The most sockets open at a time.
    #[arg(long, env = "OUTCROP_MAX_SOCKETS", default_value_t = 10_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Server")]
    pub max_sockets: u32,
    /// The most answers under way at a time.
    #[arg(long, env = "OUTCROP_MAX_TURNS", default_value_t = 1_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Server")]
    pub max_turns: u32,
    /// The most answers under way for one socket.
    #[arg(long, env = "OUTCROP_MAX_TURNS_PER_SOCKET", default_value_t = 8, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64), help_heading = "Server")]
    pub max_turns_per_socket: u32,
    /// What is logged: "info", "warn", or "outcrop_proxy=debug" for a line with each answer.
    #[arg(long, env = "OUTCROP_LOG", default_value = "info", value_name = "FILTER", help_heading = "Server")]
    pub log: String,

    /// Where conversations are kept.
    #[command(flatten)]
    pub conversations: Conversations,
    /// How long messages are kept after they were written, and sessions after their last use; for ever if not set. In DynamoDB only.
    #[arg(long, env = "OUTCROP_SESSION_TTL", value_name = "TIME", value_parser = duration, help_heading = "Conversations")]
    pub session_ttl: Option<Duration>,

    /// A table of models and prices instead of the one built in: a CSV file with the columns of data/models.csv. Its name without the
    /// ending, such as 2027-01-15, is the version that costs refer to.
    #[arg(long, env = "OUTCROP_PRICES", value_name = "FILE", help_heading = "Money")]
    pub prices: Option<PathBuf>,
    /// What may be spent, each as WHO/TIME=AMOUNT, separated by commas: user/day=5usd, organization/month=2000000tokens, proxy/day=100usd.
    #[arg(long, env = "OUTCROP_BUDGETS", value_delimiter = ',', value_name = "BUDGETS", help_heading = "Money")]
    pub budgets: Vec<Budget>,
    /// What administrators show at /admin/usage and /admin/calls, 16 characters or more; without it these are off. Everybody on this
    /// machine can read a flag: better set the environment.
    #[arg(long, env = "OUTCROP_ADMIN_TOKEN", hide_env_values = true, value_name = "TOKEN", help_heading = "Money")]
    pub admin_token: Option<Secret>,
    /// How much of a budget has to be spent for an alert, in percent, separated by commas.
    #[arg(long, env = "OUTCROP_ALERT_AT", value_delimiter = ',', default_value = "50,80,100", value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(1..=100), help_heading = "Money")]
    pub alert_at: Vec<u32>,
    /// How many times the usual tokens a user may use in an hour without an alert: the usual is the mean of the hours of use in the 7
    /// days before.
    #[arg(long, env = "OUTCROP_ALERT_UNUSUAL", default_value_t = 10, value_name = "TIMES", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Money")]
    pub alert_unusual: u32,
    /// How many tokens a user may use in an hour without an alert, however unusual it is.
    #[arg(
        long,
        env = "OUTCROP_ALERT_UNUSUAL_TOKENS",
        default_value_t = 100_000,
        value_name = "N",
        help_heading = "Money"
    )]
    pub alert_unusual_tokens: u64,
    /// Where alerts are sent besides the log: an address that takes JSON by POST.
    #[arg(long, env = "OUTCROP_ALERT_WEBHOOK", hide_env_values = true, value_name = "URL", help_heading = "Money")]
    pub alert_webhook: Option<Secret>,
    /// Write metrics to standard output: emf is CloudWatch's embedded metric format.
    #[arg(long, env = "OUTCROP_METRICS", value_enum, value_name = "FORMAT", help_heading = "Money")]
    pub metrics: Option<MetricsFormat>,

    /// Which Bedrock, and which model.
    #[command(flatten)]
    pub upstream: Upstream,
    /// The models that clients may name, separated by commas; the default model is always one of them.
    #[arg(long, env = "OUTCROP_MODELS", value_delimiter = ',', value_name = "IDS", help_heading = "Bedrock")]
    pub models: Vec<String>,
    /// Answer from the built-in emulator, without AWS.
    #[arg(long, env = "OUTCROP_DEMO", value_enum, default_value = "never", default_missing_value = "always", num_args = 0..=1, require_equals = true, value_name = "WHEN", help_heading = "Bedrock")]
    pub demo: Demo,
    /// How fast the emulator answers, in tokens a second; 0 is as fast as it can.
    #[arg(long, env = "OUTCROP_DEMO_PACE", default_value_t = 50.0, value_name = "N", value_parser = pace, help_heading = "Bedrock")]
    pub demo_pace: f64,

    /// What the model is told before every conversation.
    #[arg(long, env = "OUTCROP_SYSTEM_PROMPT", value_name = "TEXT", help_heading = "Answers")]
    pub system_prompt: Option<String>,
    /// The most tokens of an answer; a lower limit of the model counts.
    #[arg(long, env = "OUTCROP_MAX_TOKENS", default_value_t = 4_096, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Answers")]
    pub max_tokens: u32,
    /// How freely the model chooses its words, 0 to 1; left out for models that refuse it.
    #[arg(long, env = "OUTCROP_TEMPERATURE", value_name = "T", value_parser = temperature, help_heading = "Answers")]
    pub temperature: Option<f32>,
    /// How many of the latest messages the model is sent, in whole turns.
    #[arg(long, env = "OUTCROP_HISTORY_MESSAGES", default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000), help_heading = "Answers")]
    pub history_messages: u32,
    /// The longest message, in characters.
    #[arg(long, env = "OUTCROP_MAX_MESSAGE_CHARS", default_value_t = 100_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000), help_heading = "Answers")]
    pub max_message_chars: u32,

    /// What becomes of the call when a person stops an answer: read on for what it used, or dropped, which leaves an estimate.
    #[arg(
        long,
        env = "OUTCROP_ON_STOP",
        value_enum,
        default_value = "drain",
        value_name = "WHAT",
        help_heading = "Answers"
    )]
    pub on_stop: OnStop,
    /// How long a stopped answer is read on.
    #[arg(long, env = "OUTCROP_STOP_DRAIN_TIMEOUT", default_value = "60s", value_name = "TIME", value_parser = duration, help_heading = "Timers")]
    pub stop_drain_timeout: Duration,
    /// How long an answer goes on that no socket follows; to its end if not set.
    #[arg(long, env = "OUTCROP_UNWATCHED_TIMEOUT", value_name = "TIME", value_parser = duration, help_heading = "Timers")]
    pub unwatched_timeout: Option<Duration>,
    /// The models that are asked, in this order, where the one asked for is busy or failing; separated by commas.
    #[arg(long, env = "OUTCROP_FALLBACK_MODELS", value_delimiter = ',', value_name = "IDS", help_heading = "Bedrock")]
    pub fallback_models: Vec<String>,
    /// How often a model is called in all while it refuses.
    #[arg(long, env = "OUTCROP_MAX_ATTEMPTS", default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=20), help_heading = "Bedrock")]
    pub max_attempts: u32,
    /// The longest wait before the second call; it doubles with each.
    #[arg(long, env = "OUTCROP_RETRY_BASE", default_value = "1s", value_name = "TIME", value_parser = duration, help_heading = "Timers")]
    pub retry_base: Duration,
    /// How long after the start of an answer no further call is begun.
    #[arg(long, env = "OUTCROP_RETRY_TIMEOUT", default_value = "3m", value_name = "TIME", value_parser = duration, help_heading = "Timers")]
    pub retry_timeout: Duration,
    /// How long answers under way may take when the proxy is asked to stop; at most 20 s, so that it ends within 30.
    #[arg(long, env = "OUTCROP_SHUTDOWN_GRACE", default_value = "20s", value_name = "TIME", value_parser = grace, help_heading = "Timers")]
    pub shutdown_grace: Duration,

    /// How long Bedrock may take to send the first event.
    #[arg(long, env = "OUTCROP_FIRST_EVENT_TIMEOUT", default_value = "120s", value_name = "TIME", value_parser = duration, help_heading = "Timers")]
    pub first_event_timeout: Duration,
    /// How long it may be silent between two events.
    #[arg(long, env = "OUTCROP_EVENT_TIMEOUT", default_value = "60s", value_name = "TIME", value_parser = duration, help_heading = "Timers")]
    pub event_timeout: Duration,
    /// The same while the model reasons.
    #[arg(long, env = "OUTCROP_REASONING_TIMEOUT", default_value = "180s", value_name = "TIME", value_parser = duration, help_heading = "Timers")]
    pub reasoning_timeout: Duration,
    /// How long an answer may take in all.
    #[arg(long, env = "OUTCROP_ANSWER_TIMEOUT", default_value = "15m", value_name = "TIME", value_parser = duration, help_heading = "Timers")]
    pub answer_timeout: Duration,
}

impl Serve {
    /// The models that clients may name, without repetition, the default one first.
    pub fn offered_models(&self, demo: bool) -> Vec<String> {
        let mut models = vec![self.upstream.model.clone()];
        let extra =
            if demo && self.models.is_empty() { DEMO_MODELS.map(str::to_owned).to_vec() } else { self.models.clone() };
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

fn grace(text: &str) -> Result<Duration, String> {
    let grace = humantime::parse_duration(text).map_err(|error| format!("{error}; write it as 5s"))?;
    if grace <= MAX_SHUTDOWN_GRACE { Ok(grace) } else { Err("it is at most 20s".to_owned()) }
}

fn temperature(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err("it is a number from 0 to 1".to_owned()),
    }
}

fn pace(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(value) if (0.0..=100_000.0).contains(&value) => Ok(value),
        _ => Err("it is a number of tokens a second, at most 100000".to_owned()),
    }
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
        assert_eq!(serve.listen.to_string(), "127.0.0.1:3001");
        assert_eq!(serve.upstream.model, DEFAULT_MODEL);
        assert_eq!((serve.history_messages, serve.demo), (10, Demo::Never));
        assert_eq!(serve.offered_models(false), [DEFAULT_MODEL]);
        assert_eq!(serve.offered_models(true).len(), 1 + DEMO_MODELS.len());
    }

    #[test]
    fn demo_takes_a_value_or_none() {
        assert_eq!(serve(&["--demo"]).unwrap().demo, Demo::Always);
        assert_eq!(serve(&["--demo=auto"]).unwrap().demo, Demo::Auto);
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
