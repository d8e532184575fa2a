//! What goes wrong with a call, and at which moment.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{ErrorType, UnknownErrorTypeError};

/// Where a fault in mid-stream strikes if nothing says where, in deltas.
pub(crate) const DEFAULT_AFTER_TOKENS: u32 = 10;

fn default_after_tokens() -> u32 {
    DEFAULT_AFTER_TOKENS
}

/// What goes wrong with a call. `after_tokens` counts the deltas that are sent before it.
///
/// [`Fault::Strike`] plays anything at any moment; the others are short for the common ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Fault {
    /// This, then.
    Strike {
        /// What happens.
        what: Strike,
        /// When.
        at: Moment,
    },
    /// An HTTP error instead of an answer.
    ErrorBefore {
        /// Which.
        error: ErrorType,
        /// Its message; the type's usual one if not set.
        #[serde(default)]
        message: Option<String>,
        /// How many equal requests get it before one is answered; every one if not set.
        #[serde(default)]
        times: Option<u32>,
    },
    /// An exception frame in mid-stream, inside HTTP 200.
    ErrorMid {
        /// Which.
        error: ErrorType,
        /// Its message; the type's usual one if not set.
        #[serde(default)]
        message: Option<String>,
        /// Deltas before it.
        #[serde(default = "default_after_tokens")]
        after_tokens: u32,
    },
    /// An exception frame after `messageStop`, in place of `metadata`.
    ErrorAfter {
        /// Which.
        error: ErrorType,
        /// Its message; the type's usual one if not set.
        #[serde(default)]
        message: Option<String>,
    },
    /// The connection stays open and nothing more comes.
    Silence {
        /// Deltas before it.
        #[serde(default = "default_after_tokens")]
        after_tokens: u32,
    },
    /// The TCP connection is closed with no end of the body.
    Cut {
        /// Deltas before it.
        #[serde(default = "default_after_tokens")]
        after_tokens: u32,
        /// Whether half of the next frame is sent before it.
        #[serde(default)]
        mid_frame: bool,
    },
    /// One frame's checksum is wrong; the stream goes on after it.
    BrokenFrame {
        /// Deltas before it.
        #[serde(default = "default_after_tokens")]
        after_tokens: u32,
    },
    /// The body ends properly, but `messageStop` and `metadata` never came.
    NoStop,
    /// The body ends properly after `messageStop`, but `metadata` never came.
    NoMetadata,
}

/// What happens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Strike {
    /// An exception frame; without a stream, an HTTP error.
    Exception {
        /// Which.
        error: ErrorType,
        /// Its message; the type's usual one if not set.
        #[serde(default)]
        message: Option<String>,
    },
    /// The connection stays open and nothing more comes.
    Silence,
    /// The TCP connection is closed (FIN) with no end of the body.
    Cut,
    /// The same with a reset (RST).
    Reset,
    /// The body ends properly, too early.
    End,
    /// The next frame's checksum is wrong; the stream goes on after it.
    Checksum,
    /// A prelude that says its frame is 4 GiB long, with a right checksum; the stream goes on after it.
    Length,
    /// Bytes that are no frame; the stream goes on after them.
    Garbage,
}

/// When it happens. A place that lies beyond the end of the content is its end, before `messageStop`.
///
/// Before the response there is nothing to end or to spoil: what is no exception, silence or reset is a cut. In an answer that is
/// sent whole, an exception is an HTTP error at any moment; silence, cut and reset at `Deltas` come before the response, since it is
/// sent when its last token is made; `Headers` and `Frame` are the headers alone and half of the body, with what follows in place of
/// the rest; everything else changes nothing there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Moment {
    /// When the request was read, before anything of the response.
    Request,
    /// After the headers of a 200, before the first event.
    Headers,
    /// After so many deltas of text, reasoning and tool input; the start of a tool use counts to what follows it.
    Deltas(u32),
    /// The same, and half of the next frame.
    Frame(u32),
    /// After `messageStop`, before `metadata`.
    Stop,
    /// After `metadata`, before the end of the body: the answer is whole.
    End,
}

impl Fault {
    /// An exception with the type's usual message: an HTTP error at [`Moment::Request`], a frame after it.
    pub fn exception(error: ErrorType, at: Moment) -> Self {
        Fault::Strike { what: Strike::Exception { error, message: None }, at }
    }

    /// What it is short for. The end of the content is a place beyond it.
    pub(crate) fn strike(&self) -> (Moment, Strike) {
        let exception =
            |error: &ErrorType, message: &Option<String>| Strike::Exception { error: *error, message: message.clone() };
        match self {
            Fault::Strike { what, at } => (*at, what.clone()),
            Fault::ErrorBefore { error, message, .. } => (Moment::Request, exception(error, message)),
            Fault::ErrorMid { error, message, after_tokens } => {
                (Moment::Deltas(*after_tokens), exception(error, message))
            }
            Fault::ErrorAfter { error, message } => (Moment::Stop, exception(error, message)),
            Fault::Silence { after_tokens } => (Moment::Deltas(*after_tokens), Strike::Silence),
            Fault::Cut { after_tokens, mid_frame: false } => (Moment::Deltas(*after_tokens), Strike::Cut),
            Fault::Cut { after_tokens, mid_frame: true } => (Moment::Frame(*after_tokens), Strike::Cut),
            Fault::BrokenFrame { after_tokens } => (Moment::Deltas(*after_tokens), Strike::Checksum),
            Fault::NoStop => (Moment::Deltas(u32::MAX), Strike::End),
            Fault::NoMetadata => (Moment::Stop, Strike::End),
        }
    }
}

/// The name of a strike, or of the exception that it is.
impl FromStr for Strike {
    type Err = UnknownErrorTypeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "silence" => Strike::Silence,
            "cut" => Strike::Cut,
            "reset" => Strike::Reset,
            "end" => Strike::End,
            "checksum" => Strike::Checksum,
            "length" => Strike::Length,
            "garbage" => Strike::Garbage,
            error => Strike::Exception { error: error.parse()?, message: None },
        })
    }
}

/// The text names no moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no moment of a call; one is, for example, headers or deltas:5")]
pub struct UnknownMomentError(String);

/// `request`, `headers`, `deltas:N`, `frame:N`, `stop` or `end`.
impl FromStr for Moment {
    type Err = UnknownMomentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownMomentError(text.to_owned());
        let (name, number) = match text.split_once(':') {
            Some((name, number)) => (name, Some(number.parse().map_err(|_| unknown())?)),
            None => (text, None),
        };
        Ok(match (name, number) {
            ("request", None) => Moment::Request,
            ("headers", None) => Moment::Headers,
            ("deltas", Some(deltas)) => Moment::Deltas(deltas),
            ("frame", Some(deltas)) => Moment::Frame(deltas),
            ("stop", None) => Moment::Stop,
            ("end", None) => Moment::End,
            _ => return Err(unknown()),
        })
    }
}
