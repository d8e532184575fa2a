//! Clients that misbehave, against the command as its own process: its memory stays bounded, they are closed in time, and the
//! clients beside them get every byte of their answers.
//!
//! Each test prints a line of figures that starts with `abuse:`. With `OUTCROP_ABUSE_ROUNDS=N` it also measures how late the
//! tokens of the healthy clients are, alone and beside the abuse in turns, N times; that wants a release build and a quiet machine.

mod crowd;
mod flood;
mod healthy;
mod house;
mod malformed;
mod pings;
mod slow;
mod stopped;
mod storm;
mod unreadable;

#[allow(dead_code, reason = "these tests need less of it than those it is shared with")]
#[path = "../../api/common/raw.rs"]
mod raw;

use std::time::Duration;

/// How long anything may take before a test gives up waiting for it.
const PATIENCE: Duration = Duration::from_secs(60);

async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what}: not within {PATIENCE:?}"))
}
