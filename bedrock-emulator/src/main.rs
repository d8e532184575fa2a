//! The emulator as a program of its own.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use bedrock_emulator::{ACCESS_KEY_ID, API_KEY, Config, Credentials, Emulator, Pace, SECRET_ACCESS_KEY, Script};
use clap::Parser;

/// The Bedrock Runtime API on loopback, for tests and for trying out: no model, no AWS account, no cost.
///
/// Send it Converse, ConverseStream or InvokeModel calls from any AWS SDK. Start a message with /help to see what else it does.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Loopback address to listen on; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:4566", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// JSON file with scripted behaviour (see the README)
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// Tokens a second; 0 is as fast as it goes
    #[arg(long, default_value_t = Pace::HUMAN.tokens_per_second, value_name = "N", allow_negative_numbers = true)]
    pace: f64,
    /// Wait before the first token, in milliseconds
    #[arg(long, default_value_t = Pace::HUMAN.first_token_ms, value_name = "MS")]
    first_token_ms: u64,
    /// Region that signatures must be for; any if not given
    #[arg(long, default_value = "*", hide_default_value = true, value_name = "REGION")]
    region: String,
    /// Access key id that callers must sign with
    #[arg(long, default_value = ACCESS_KEY_ID, value_name = "ID")]
    access_key_id: String,
    /// Secret access key that callers must sign with
    #[arg(long, default_value = SECRET_ACCESS_KEY, value_name = "KEY")]
    secret_access_key: String,
    /// Session token that callers must send; none if not given
    #[arg(long, value_name = "TOKEN")]
    session_token: Option<String>,
    /// Bedrock API key that callers may send instead
    #[arg(long, default_value = API_KEY, value_name = "KEY")]
    api_key: String,
    /// Do not obey /commands at the start of a prompt
    #[arg(long)]
    no_prefixes: bool,
    /// Calls that the ledger keeps
    #[arg(long, default_value_t = 1_024, value_name = "N")]
    ledger_capacity: usize,
    /// Threads to serve with
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    threads: u16,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let mut builder = match args.threads {
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = builder.worker_threads(args.threads.into()).enable_all().build();
    match runtime.map_err(|error| error.to_string()).and_then(|runtime| runtime.block_on(run(args))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bedrock-emulator: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<(), String> {
    let listen = args.listen;
    let config = config(args)?;
    let credentials = config.credentials.clone();
    let region = if config.region == "*" { "us-east-1".to_owned() } else { config.region.clone() };
    let emulator = Emulator::start(config).await.map_err(|error| format!("cannot listen on {listen}: {error}"))?;
    let mut lines = format!(
        "Bedrock emulator listening on {url}\n\n\
         export AWS_ENDPOINT_URL_BEDROCK_RUNTIME={url}\nexport AWS_REGION={region}\n\
         export AWS_ACCESS_KEY_ID={}\nexport AWS_SECRET_ACCESS_KEY={}\n",
        credentials.access_key_id,
        credentials.secret_access_key,
        url = emulator.url(),
    );
    if let Some(token) = &credentials.session_token {
        lines.push_str(&format!("export AWS_SESSION_TOKEN={token}\n"));
    }
    lines.push_str(&format!(
        "# or, instead of the keys: export AWS_BEARER_TOKEN_BEDROCK={}\n\nCalls so far: {}/_emulator/ledger    Ctrl-C ends it.\n",
        credentials.api_key,
        emulator.url(),
    ));
    let mut stdout = std::io::stdout();
    stdout.write_all(lines.as_bytes()).and_then(|()| stdout.flush()).map_err(|error| error.to_string())?;
    stop_signal().await.map_err(|error| error.to_string())?;
    emulator.shutdown().await;
    Ok(())
}

fn config(args: Args) -> Result<Config, String> {
    if !(args.pace.is_finite() && args.pace >= 0.0) {
        return Err(format!("--pace {} is not a number of tokens a second", args.pace));
    }
    let script = match &args.script {
        None => Script::default(),
        Some(path) => {
            let text =
                std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
            text.parse().map_err(|error| format!("{}: {error}", path.display()))?
        }
    };
    Ok(Config {
        listen: args.listen,
        pace: Pace { first_token_ms: args.first_token_ms, tokens_per_second: args.pace },
        script,
        credentials: Credentials {
            access_key_id: args.access_key_id,
            secret_access_key: args.secret_access_key,
            session_token: args.session_token,
            api_key: args.api_key,
        },
        region: args.region,
        prompt_prefixes: !args.no_prefixes,
        ledger_capacity: args.ledger_capacity,
        ..Config::default()
    })
}

async fn stop_signal() -> std::io::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}
