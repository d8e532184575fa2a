//! The Bedrock Runtime API on loopback: same HTTP, event stream and signatures as AWS's, answers made without a model, and
//! every way to fail on request.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
//! use bedrock_emulator::{Behaviour, Config, Emulator, Script};
//! let emulator = Emulator::start(Config { script: Script::always(Behaviour::text("Hello!")), ..Config::unpaced() }).await?;
//! println!("AWS_ENDPOINT_URL_BEDROCK_RUNTIME={}", emulator.url());
//! assert!(emulator.ledger().is_empty());
//! emulator.shutdown().await;
//! # Ok(()) }
//! ```
//!
//! Where things are: `service` routes a request, `auth` lets it in, `validate` refuses what Bedrock would (with `reasoning` and
//! `media`, which know what a conversation brings), `call` plans its answer from `script`, `prefix` and `answer`, `timeline` lays it
//! out in frames with its fault, `playback` sends them on time, `ledger` writes it down.

mod answer;
mod auth;
mod behaviour;
mod bench;
mod body;
mod cache;
mod call;
mod chat;
mod config;
mod emulator;
mod error;
mod fault;
mod frame;
mod guardrail;
mod ledger;
mod media;
mod model;
mod playback;
mod prefix;
mod reasoning;
mod script;
mod service;
mod socket;
mod timeline;
mod tokens;
mod validate;
mod wire;

pub use answer::Usage;
pub use behaviour::{Behaviour, Bench, MAX_LENGTH_TOKENS, ToolUse};
pub use config::{ACCESS_KEY_ID, API_KEY, Config, Credentials, Pace, SECRET_ACCESS_KEY};
pub use emulator::Emulator;
pub use error::{ErrorType, UnknownErrorTypeError};
pub use fault::{Fault, Moment, Strike, UnknownMomentError};
pub use guardrail::{BLOCKED_INPUT, BLOCKED_OUTPUT, Intervention};
pub use ledger::{LedgerEntry, MAX_KEPT_BYTES, Operation, Outcome};
pub use script::{Script, ScriptError, Step, When};
pub use service::MAX_BODY_BYTES;
