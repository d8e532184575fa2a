//! The Outcrop client as a state machine: connection, reconnect, answers and totals, without I/O, a clock or JavaScript. A
//! browser, a test and a load generator drive the same machine.
//!
//! # The rule of use
//!
//! A shell owns the socket, the timer and the clock. After every call that takes a [`Time`] it drains
//! [`Client::poll_output`], does what each [`Output`] says, and then arms its timer for [`Client::poll_timeout`].
//!
//! - [`Output::FetchToken`]: get a token and give it back as [`Input::Token`] with the same attempt.
//! - [`Output::OpenSocket`]: let go of any socket there is, connect, and report [`Input::Opened`], [`Input::Received`] and
//!   [`Input::SocketClosed`]. A socket that cannot be opened is closed, with code 1006.
//! - [`Output::CloseSocket`]: close it and report nothing more about it.
//! - [`Output::News`]: [`Client::take`] has something for this request. It is said once until that is called, so that a shell
//!   may wait for the next painted frame and text piles up here, joined, and not in the shell.
//! - Frames of a stream begin alike. A shell may give only the rest of one, as [`Input::ReceivedRest`], and may do so late: what it has
//!   kept goes first, before any other input and before [`Client::take`].
//!
//! Everything is bounded by [`Config`].

mod answer;
mod client;
mod config;
mod connection;
mod error;
mod ids;
mod io;
mod receive;
mod request;
mod status;
mod time;
mod totals;

pub use client::Client;
pub use config::{Config, Liveness};
pub use error::{RequestError, RequestErrorCode};
pub use ids::Handle;
pub use io::{Input, Output};
pub use request::{News, Piece, SendOptions};
pub use status::Status;
pub use time::Time;
pub use totals::{PageUsage, Total};
