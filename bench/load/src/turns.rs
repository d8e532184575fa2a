//! One short answer after the other: the fixed cost of a turn, and the time to its first token.

use serde::Serialize;
use tokio::time::Instant;

use crate::cpu::cpu_ns;
use crate::error::LoadError;
use crate::quantiles::Quantiles;
use crate::source::{Source, Step, Target, tokens};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    target: Target,
    /// What to ask
    #[arg(long)]
    prompt: String,
    /// Turns that are measured
    #[arg(long, value_name = "N")]
    turns: u32,
    /// Turns before them that are not
    #[arg(long, value_name = "N", default_value_t = 50)]
    warm_up: u32,
    /// Tokens that each answer must have
    #[arg(long, value_name = "N", default_value_t = 1)]
    tokens: u64,
    /// Process whose CPU time is measured
    #[arg(long)]
    pid: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Measured {
    turns: u32,
    elapsed_us: u64,
    cpu_ns: Option<u64>,
    first_token: Quantiles,
}

pub(crate) async fn run(args: &Args) -> Result<(), LoadError> {
    let mut source = Source::connect(&args.target).await?;
    for _ in 0..args.warm_up {
        turn(&mut source, args).await?;
    }
    let cpu = || args.pid.map(cpu_ns).transpose();
    let cpu_before = cpu()?;
    let started = Instant::now();
    let mut first_tokens_us = Vec::with_capacity(args.turns as usize);
    for _ in 0..args.turns {
        first_tokens_us.push(turn(&mut source, args).await?);
    }
    let elapsed_us = started.elapsed().as_micros() as u64;
    let cpu_ns = cpu()?.zip(cpu_before).map(|(after, before)| after.saturating_sub(before));
    let measured = Measured { turns: args.turns, elapsed_us, cpu_ns, first_token: Quantiles::of(first_tokens_us) };
    println!("{}", serde_json::to_string(&measured)?);
    Ok(())
}

/// The time to the first token, in microseconds.
async fn turn(source: &mut Source, args: &Args) -> Result<u64, LoadError> {
    let asked = Instant::now();
    source.ask(&args.prompt).await?;
    let mut first_us = None;
    let mut received = 0;
    while let Step::Text(text) = source.next().await? {
        first_us.get_or_insert_with(|| asked.elapsed().as_micros() as u64);
        received += tokens(&text);
    }
    match first_us {
        Some(first_us) if received == args.tokens => Ok(first_us),
        _ => Err(LoadError::Tokens { received, expected: args.tokens }),
    }
}
