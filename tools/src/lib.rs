//! MCP servers as a proxy uses them: started, watched, guarded, called.
//!
//! [`Config`] reads the operator's file, [`Hub`] runs the servers in it, [`Hub::offer`] says which tools somebody may use, and
//! [`Hub::call`] uses one. Whether a person has to let a call run is told by [`Tool::approval`]; asking is up to the caller of
//! this crate, as is everything about conversations.
//!
//! What a server says is data: it is bounded, never followed, and a tool that changes is held back until it is approved
//! again ([`Pins`]).

mod addresses;
mod call;
mod caller;
mod child;
mod config;
mod connect;
mod content;
mod environment;
mod failure;
mod handler;
mod http;
mod hub;
mod listing;
mod names;
mod pins;
mod schema;
mod server;
mod state;
#[cfg(test)]
mod tests;
mod tool;

pub use addresses::{Forbidden, forbidden};
pub use call::{Outcome, Progress};
pub use caller::{Caller, Role};
pub use config::{Approval, Config, ConfigError, Options, ServerConfig, ToolOptions};
pub use content::{Blob, Content, MAX_RESULT_BYTES};
pub use http::{Resolver, Resolving, SystemResolver};
pub use hub::{Builtin, Hub, Serve};
pub use listing::{MAX_DESCRIPTION_BYTES, MAX_SCHEMA_BYTES, MAX_TOOLS, MAX_TOOLS_PER_SERVER};
pub use names::{wire_name, wire_name_of};
pub use pins::{Pins, PinsError};
pub use state::{Held, Phase, ServerState};
pub use tool::Tool;
