//! What a shell tells a client, and what a client asks of its shell.

use crate::{Handle, RequestError, Status};

/// What a shell tells a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input<'a> {
    /// Connect, if that is not under way already. A first request does it too.
    Connect,
    /// The answer to [`Output::FetchToken`]: a token, none where none is needed, or why there is none this time.
    Token {
        /// The attempt it was asked for; the token of an attempt that was given up is dropped.
        attempt: u32,
        /// The token.
        result: Result<Option<String>, String>,
    },
    /// The socket is open.
    Opened,
    /// A text frame came.
    Received(&'a str),
    /// A text frame came that begins with [`Client::head`](crate::Client::head), and this is the rest of it.
    ReceivedRest(&'a str),
    /// The socket is closed, by the other side or by a fault, or could not be opened.
    SocketClosed {
        /// The close code, 1006 where there is none.
        code: u16,
        /// The close reason.
        reason: &'a str,
    },
    /// The browser says that there is a network again.
    Online,
    /// The browser says that there is no network.
    Offline,
    /// A person looks at the page again.
    Visible,
    /// End for good.
    Close,
}

/// What a client asks of its shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Get a fresh token.
    FetchToken {
        /// To be given back with it.
        attempt: u32,
    },
    /// Open a socket.
    OpenSocket,
    /// Send a text frame.
    SendText(String),
    /// Close the socket.
    CloseSocket {
        /// The close code.
        code: u16,
    },
    /// The connection stands elsewhere.
    StatusChanged(Status),
    /// [`Client::take`](crate::Client::take) has something for this answer.
    News {
        /// The request.
        handle: Handle,
        /// Whether it has ended, so that there is nothing to wait for.
        ended: bool,
    },
    /// A request that is answered by one frame has ended.
    Reply {
        /// The request.
        handle: Handle,
        /// The `data` of the reply, as JSON.
        result: Result<String, RequestError>,
    },
    /// [`Client::usage`](crate::Client::usage) has grown.
    UsageChanged,
}
