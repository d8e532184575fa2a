//! What a server is doing, for whoever offers its tools or looks at it.

use std::{sync::Arc, time::Duration};

use rmcp::{Peer, RoleClient};
use tokio::time::Instant;

use crate::Tool;

/// What a server is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// It is started and asked for its tools.
    Starting,
    /// Its tools can be used.
    Up,
    /// It is down, and will be started again.
    Down {
        /// Why.
        reason: String,
        /// When it is started again.
        retry_in: Duration,
    },
    /// The hub was shut down.
    Stopped,
}

/// A server as it is right now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerState {
    /// Its name.
    pub name: Arc<str>,
    /// What it is doing.
    pub phase: Phase,
    /// How many tools of it can be used.
    pub tools: usize,
    /// How many tools are held back until they are approved.
    pub held_back: usize,
    /// How many tools are left out: turned off, too large, not understood, or too many.
    pub left_out: usize,
    /// How often it was started.
    pub starts: u64,
    /// How many calls it is working on.
    pub calls: usize,
}

/// A tool that is not what it was when it was approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its server.
    pub server: Arc<str>,
    /// Its name.
    pub tool: Arc<str>,
    /// The fingerprint it was approved with.
    pub pinned: String,
    /// The fingerprint it has now.
    pub found: String,
    /// What it says of itself now: data, not to be followed.
    pub description: String,
}

/// Where a server stands, within this crate.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    pub(crate) phase: Status,
    /// Whether it was up or failed at least once.
    pub(crate) is_settled: bool,
    /// The connection, while it is up.
    pub(crate) link: Option<Link>,
    pub(crate) tools: Vec<Arc<Tool>>,
    pub(crate) held: Vec<Held>,
    pub(crate) left_out: usize,
    pub(crate) starts: u64,
}

/// [`Phase`], with a point in time.
#[derive(Debug, Clone)]
pub(crate) enum Status {
    Starting,
    Up,
    Down { reason: String, retry_at: Instant },
    Stopped,
}

impl Status {
    pub(crate) fn phase(&self) -> Phase {
        match self {
            Self::Starting => Phase::Starting,
            Self::Up => Phase::Up,
            Self::Down { reason, retry_at } => {
                Phase::Down { reason: reason.clone(), retry_in: retry_at.saturating_duration_since(Instant::now()) }
            }
            Self::Stopped => Phase::Stopped,
        }
    }
}

/// A connection: whom to ask, and which of the server's connections it is.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) peer: Peer<RoleClient>,
    pub(crate) number: u64,
}

impl Default for Standing {
    fn default() -> Self {
        Self {
            phase: Status::Starting,
            is_settled: false,
            link: None,
            tools: Vec::new(),
            held: Vec::new(),
            left_out: 0,
            starts: 0,
        }
    }
}
