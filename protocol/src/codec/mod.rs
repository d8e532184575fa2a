//! Frames to text and back. Nothing else parses.

mod cost;
mod decode_client;
mod decode_server;
mod encode;
#[cfg(test)]
mod frames;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod properties;
mod stream_decoder;
mod write;

pub use cost::cost_nano_usd;
pub use decode_client::{DecodeError, decode_client};
pub use decode_server::{Incoming, Received, decode_server};
pub use encode::{StreamEncoder, StreamKind, encode_client, encode_server};
pub use stream_decoder::{StreamDecoder, StreamFrame};
pub use write::{JsonObject, encode_raw, push_number};
