//! What an emulator is started with.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::script::Script;

/// The access key id that the emulator accepts by default. It opens nothing at AWS.
pub const ACCESS_KEY_ID: &str = "AKIDEMULATOREXAMPLE";
/// The secret key that belongs to [`ACCESS_KEY_ID`].
pub const SECRET_ACCESS_KEY: &str = "emulator-secret-access-key-example";
/// The Bedrock API key (bearer token) that the emulator accepts by default.
pub const API_KEY: &str = "bedrock-api-key-emulator-example";

/// How an emulator listens, answers and checks. `Config::default()` suits tests and people: a free port, [`Pace::HUMAN`].
#[derive(Debug, Clone)]
pub struct Config {
    /// Loopback only; port 0 takes a free one.
    pub listen: SocketAddr,
    /// How fast answers come where no script step and no prefix says otherwise.
    pub pace: Pace,
    /// What it does on which call.
    pub script: Script,
    /// What callers must sign with.
    pub credentials: Credentials,
    /// The region that signatures must be scoped to; `*` takes any.
    pub region: String,
    /// Whether `/throttle`, `/length` and the others at the start of a prompt are obeyed.
    pub prompt_prefixes: bool,
    /// How many calls the ledger keeps; the oldest goes first.
    pub ledger_capacity: usize,
    /// How long [`crate::Emulator::shutdown`] lets running streams go on before it cuts them.
    pub shutdown_grace: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            pace: Pace::HUMAN,
            script: Script::default(),
            credentials: Credentials::default(),
            region: "*".to_owned(),
            prompt_prefixes: true,
            ledger_capacity: 1_024,
            shutdown_grace: Duration::from_secs(1),
        }
    }
}

impl Config {
    /// For tests and load: everything at once, no waiting.
    pub fn unpaced() -> Self {
        Config { pace: Pace::UNPACED, ..Config::default() }
    }
}

/// How fast an answer comes. The k-th token is due at `first_token_ms + (k - 1) / tokens_per_second`, so no drift adds up.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pace {
    /// Wait before the first token, in milliseconds.
    pub first_token_ms: u64,
    /// Tokens a second after it; 0 sends all of them at once, many to a write.
    pub tokens_per_second: f64,
}

impl Pace {
    /// What a person expects of a model: 300 ms, then 50 tokens a second.
    pub const HUMAN: Pace = Pace { first_token_ms: 300, tokens_per_second: 50.0 };
    /// As fast as the socket takes it.
    pub const UNPACED: Pace = Pace { first_token_ms: 0, tokens_per_second: 0.0 };

    /// When the token of this number (from 0) is due, after the request came.
    pub(crate) fn due(&self, token: u32) -> Duration {
        let first = Duration::from_millis(self.first_token_ms);
        if self.tokens_per_second > 0.0 {
            first + Duration::try_from_secs_f64(f64::from(token) / self.tokens_per_second).unwrap_or(Duration::MAX / 4)
        } else {
            first
        }
    }
}

/// The only credentials an emulator accepts.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Access key id for SigV4.
    pub access_key_id: String,
    /// Secret access key for SigV4.
    pub secret_access_key: String,
    /// If set, `x-amz-security-token` must carry it; if not, none may be sent.
    pub session_token: Option<String>,
    /// Bedrock API key, sent as `Authorization: Bearer`.
    pub api_key: String,
}

impl Default for Credentials {
    fn default() -> Self {
        Credentials {
            access_key_id: ACCESS_KEY_ID.to_owned(),
            secret_access_key: SECRET_ACCESS_KEY.to_owned(),
            session_token: None,
            api_key: API_KEY.to_owned(),
        }
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}
