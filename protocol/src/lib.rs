//! What travels between an Outcrop client and an Outcrop proxy: messages, ids, usage, errors, close codes, prices, and the
//! codec that is the only place where frames are parsed. No I/O and no clock.
//!
//! A frame is one JSON object, `{ "id": string, "type": string, "data": object }`. The proxy reads frames with
//! [`codec::decode_client`] and writes them with [`codec::encode_server`]; a client writes with [`codec::encode_client`] and reads with
//! [`codec::decode_server`], which takes only what a client has to act on and leaves the rest as raw JSON.
//!
//! An answer is a sequence of numbered [`TurnEvent`]s. [`Answer`] folds them into a message; the proxy folds what it stores and
//! the client folds what it shows, so that both hold the same bytes.

#[cfg(test)]
mod asyncapi;
pub mod catalog;
pub mod client;
pub mod close;
pub mod codec;
mod error;
mod event;
mod fold;
mod ids;
mod json;
pub mod limits;
pub mod media;
mod message;
pub mod price;
mod raw;
pub mod server;
#[cfg(test)]
mod testing;
mod timestamp;
#[cfg(test)]
mod typescript;
mod usage;

pub use catalog::{Catalog, Model};
pub use error::{ErrorCode, ErrorData};
pub use event::{StopReason, ToolStatus, ToolUse, TurnEvent};
pub use fold::{Answer, AnswerState, Applied};
pub use ids::{InvalidId, InvalidRequestId, MessageId, RequestId, SessionId, ToolUseId};
pub use json::JsonError;
pub use message::{Attachment, AttachmentInfo, Message, Part, Role, ToolResult};
pub use price::ModelPrice;
pub use raw::RawJson;
pub use timestamp::Timestamp;
pub use usage::{Usage, UsageSource};

/// The version of the protocol this crate speaks, as in `client.hello` and the subprotocol name.
pub const VERSION: u32 = 1;

/// The WebSocket subprotocol a client offers. A client that offers none is served too.
pub const SUBPROTOCOL: &str = "outcrop.v1";
