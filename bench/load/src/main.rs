//! Load on a chat server, and what it costs. Each command makes one measurement and prints it as one line of JSON.
//!
//! The server is a proxy that speaks Outcrop's protocol over WebSocket, or Bedrock itself, for the time that an answer takes
//! without a proxy. One thread serves all sockets, so that the servers under test keep the rest of the machine.

mod bedrock;
mod clock;
mod cpu;
mod error;
mod idle;
mod quantiles;
mod socket;
mod source;
mod streams;
mod turns;

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::error::LoadError;

/// Makes load on a chat server and prints what it saw as one line of JSON.
#[derive(Parser)]
#[command(version)]
struct Args {
    #[command(subcommand)]
    command: Command,
    /// The whole run may take this long, in seconds
    #[arg(long, global = true, default_value_t = 120, value_name = "S")]
    timeout_s: u64,
}

#[derive(Subcommand)]
enum Command {
    /// Many answers at once, each on a socket of its own
    Streams(streams::Args),
    /// One answer after the other on one socket
    Turns(turns::Args),
    /// Sockets that are open and do nothing, until standard input ends
    Idle(idle::Args),
}

fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result = runtime.map_err(LoadError::from).and_then(|runtime| runtime.block_on(run(args)));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("outcrop-load: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<(), LoadError> {
    let limit = Duration::from_secs(args.timeout_s);
    let measurement = async {
        match args.command {
            Command::Streams(args) => streams::run(&args).await,
            Command::Turns(args) => turns::run(&args).await,
            Command::Idle(args) => idle::run(&args).await,
        }
    };
    tokio::time::timeout(limit, measurement).await.map_err(|_| LoadError::TimedOut(limit))?
}
