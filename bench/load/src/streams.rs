//! Many answers at once: what a token costs the server, and how late it is.
//!
//! Without a window the measurement spans all answers from first question to last end. With one it begins a second after the last
//! question, so that the cost of turns is outside it. A server that cannot keep up is measured over what it does in that time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::clock::unix_us;
use crate::cpu::cpu_ns;
use crate::error::{LoadError, unexpected};
use crate::quantiles::Quantiles;
use crate::source::{Source, Step, Target, stamps, tokens};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    target: Target,
    /// What to ask
    #[arg(long)]
    prompt: String,
    /// Streams at a time
    #[arg(long, value_name = "N")]
    streams: u32,
    /// Tokens that each answer must have
    #[arg(long, value_name = "N")]
    tokens: u64,
    /// From the first question to the last, in milliseconds; evenly in between
    #[arg(long, value_name = "MS", default_value_t = 0)]
    spread_ms: u64,
    /// Measure only this long, in milliseconds, from a second after the last question
    #[arg(long, value_name = "MS")]
    window_ms: Option<u64>,
    /// The tokens are stamps of the time they were due
    #[arg(long)]
    stamped: bool,
    /// Process whose CPU time is measured
    #[arg(long)]
    pid: Option<u32>,
}

/// From the last question to the window.
const SETTLE: Duration = Duration::from_secs(1);

#[derive(Default)]
struct Shared {
    tokens: AtomicU64,
    frames: AtomicU64,
    bytes: AtomicU64,
    measuring: AtomicBool,
}

/// What was so far.
struct Mark {
    at: Instant,
    tokens: u64,
    frames: u64,
    bytes: u64,
    cpu_ns: Option<u64>,
    own_cpu_ns: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Measured {
    streams: u32,
    tokens: u64,
    frames: u64,
    bytes: u64,
    elapsed_us: u64,
    cpu_ns: Option<u64>,
    /// Of this process: near the elapsed time, the load generator measures itself.
    own_cpu_ns: u64,
    latency: Quantiles,
}

pub(crate) async fn run(args: &Args) -> Result<(), LoadError> {
    let mut sources = Vec::with_capacity(args.streams as usize);
    for _ in 0..args.streams {
        sources.push(Source::connect(&args.target).await?);
    }
    let shared = Arc::new(Shared::default());
    shared.measuring.store(args.window_ms.is_none(), Ordering::Relaxed);
    let started = mark(&shared, args)?;
    let mut streams = JoinSet::new();
    for (number, source) in (0_u32..).zip(sources) {
        let begin = started.at + Duration::from_millis(args.spread_ms) * number / args.streams;
        let (shared, stamped, prompt) = (shared.clone(), args.stamped, args.prompt.clone());
        streams.spawn(async move {
            sleep_until(begin).await;
            stream(source, &prompt, stamped, &shared).await
        });
    }
    let window = async {
        let Some(window_ms) = args.window_ms else { return Ok(None) };
        sleep_until(started.at + Duration::from_millis(args.spread_ms) + SETTLE).await;
        shared.measuring.store(true, Ordering::Relaxed);
        let first = mark(&shared, args)?;
        sleep(Duration::from_millis(window_ms)).await;
        shared.measuring.store(false, Ordering::Relaxed);
        Ok(Some((first, mark(&shared, args)?)))
    };
    let whole = async {
        let mut latencies = Vec::new();
        while let Some(ended) = streams.join_next().await {
            let (received, mut late) = ended.map_err(|error| unexpected(error.to_string()))??;
            if received != args.tokens {
                return Err(LoadError::Tokens { received, expected: args.tokens });
            }
            latencies.append(&mut late);
        }
        Ok((latencies, mark(&shared, args)?))
    };
    let (window, (latencies, ended)) = tokio::try_join!(window, whole)?;
    let whole_at = ended.at;
    let (first, last) = window.unwrap_or((started, ended));
    if last.at > whole_at {
        return Err(unexpected("the streams ended before the window did"));
    }
    println!("{}", serde_json::to_string(&measured(args, &first, &last, latencies))?);
    Ok(())
}

/// One answer: its tokens, and how late each was in the window, in microseconds.
async fn stream(
    mut source: Source,
    prompt: &str,
    stamped: bool,
    shared: &Shared,
) -> Result<(u64, Vec<u64>), LoadError> {
    source.ask(prompt).await?;
    let mut received = 0;
    let mut late_us = Vec::new();
    while let Step::Text(text) = source.next().await? {
        let count = tokens(&text);
        received += count;
        shared.tokens.fetch_add(count, Ordering::Relaxed);
        shared.frames.fetch_add(1, Ordering::Relaxed);
        shared.bytes.fetch_add(text.len() as u64, Ordering::Relaxed);
        if stamped && shared.measuring.load(Ordering::Relaxed) {
            let now = unix_us();
            late_us.extend(stamps(&text).map(|due| now.saturating_sub(due)));
        }
    }
    Ok((received, late_us))
}

fn mark(shared: &Shared, args: &Args) -> Result<Mark, LoadError> {
    Ok(Mark {
        tokens: shared.tokens.load(Ordering::Relaxed),
        frames: shared.frames.load(Ordering::Relaxed),
        bytes: shared.bytes.load(Ordering::Relaxed),
        cpu_ns: args.pid.map(cpu_ns).transpose()?,
        own_cpu_ns: cpu_ns(std::process::id())?,
        at: Instant::now(),
    })
}

fn measured(args: &Args, first: &Mark, last: &Mark, latencies: Vec<u64>) -> Measured {
    Measured {
        streams: args.streams,
        tokens: last.tokens - first.tokens,
        frames: last.frames - first.frames,
        bytes: last.bytes - first.bytes,
        elapsed_us: (last.at - first.at).as_micros() as u64,
        cpu_ns: last.cpu_ns.zip(first.cpu_ns).map(|(after, before)| after.saturating_sub(before)),
        own_cpu_ns: last.own_cpu_ns.saturating_sub(first.own_cpu_ns),
        latency: Quantiles::of(latencies),
    }
}
