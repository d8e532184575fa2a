//! WebSocket close codes.
//!
//! The standard ones (RFC 6455, section 7.4.1) keep their meaning. Of our own, 4000 to 4499 mean "reconnect" and 4500 to 4999
//! mean "do not": a client needs no list to act rightly on a code it has never seen.

/// Why a socket was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CloseCode(pub u16);

impl CloseCode {
    /// The normal end.
    pub const NORMAL: Self = Self(1000);
    /// The page or the process goes away.
    pub const GOING_AWAY: Self = Self(1001);
    /// A frame breaks the WebSocket protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// A binary frame: this protocol is text.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// Nothing was received before the connection ended. Never sent.
    pub const ABNORMAL: Self = Self(1006);
    /// A text frame that is not UTF-8.
    pub const INVALID_UTF8: Self = Self(1007);
    /// A rule of the proxy was broken.
    pub const POLICY: Self = Self(1008);
    /// A frame over the limit.
    pub const TOO_LARGE: Self = Self(1009);
    /// A fault of the proxy.
    pub const INTERNAL: Self = Self(1011);
    /// The proxy restarts.
    pub const RESTART: Self = Self(1012);
    /// The proxy has too much to do.
    pub const OVERLOADED: Self = Self(1013);
    /// No frame and no pong for too long.
    pub const SILENT: Self = Self(4001);
    /// The reader does not keep up: a write made no progress for too long.
    pub const READS_TOO_SLOWLY: Self = Self(4002);
    /// The token expired; come back with a fresh one.
    pub const TOKEN_EXPIRED: Self = Self(4003);
    /// Too many requests; come back later.
    pub const RATE_LIMITED: Self = Self(4004);
    /// The proxy is about to stop.
    pub const DRAINING: Self = Self(4005);
    /// The token is refused.
    pub const TOKEN_REFUSED: Self = Self(4500);
    /// Frames that make no sense, too often.
    pub const MALFORMED: Self = Self(4501);
    /// No `client.hello` in time.
    pub const NO_HELLO: Self = Self(4502);
    /// The bearer's rights were revoked.
    pub const REVOKED: Self = Self(4503);
    /// Too many connections of this user.
    pub const TOO_MANY_CONNECTIONS: Self = Self(4504);
    /// The proxy does not speak the client's version.
    pub const VERSION: Self = Self(4505);

    /// Whether a client that lost its socket with this code should connect again.
    pub const fn should_reconnect(self) -> bool {
        !matches!(self.0, 1000 | 1002 | 1003 | 1007 | 1008 | 1009 | 1010 | 4500..=4999)
    }
}

#[cfg(test)]
mod tests {
    use super::CloseCode;

    #[test]
    fn only_faults_of_the_client_end_its_attempts() {
        for code in [1001, 1005, 1006, 1011, 1012, 1013, 4000, 4001, 4002, 4003, 4004, 4005, 4499] {
            assert!(CloseCode(code).should_reconnect(), "{code}");
        }
        for code in [1000, 1002, 1003, 1007, 1008, 1009, 4500, 4501, 4502, 4503, 4504, 4505, 4999] {
            assert!(!CloseCode(code).should_reconnect(), "{code}");
        }
    }
}
