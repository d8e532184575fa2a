//! Where the connection stands, for people to see.

/// Where the connection stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Nothing was asked for yet.
    Idle,
    /// An attempt is under way.
    Connecting,
    /// The proxy has greeted.
    Open {
        /// The `data` of `server.hello`, as JSON.
        hello: String,
    },
    /// There is no connection; another attempt is made.
    Reconnecting {
        /// How many attempts and connections ended since the last that was healthy.
        attempt: u32,
        /// When the next attempt is made, in milliseconds from the change of status.
        retry_in_ms: u64,
        /// Why the last one ended.
        reason: String,
    },
    /// There is no connection and the browser says that there is no network.
    Offline,
    /// Ended for good.
    Closed {
        /// The proxy's close code, if it was the proxy that closed.
        code: Option<u16>,
        /// Why.
        reason: String,
    },
}
