//! Which pages may connect.
//!
//! A browser lets any page open a WebSocket to any address, localhost too, and says in `Origin` which page it is. And a page can
//! point a name of its own at 127.0.0.1, so that requests to the proxy carry that name in `Host`. Both are checked.

use std::net::IpAddr;

use hyper::{HeaderMap, Uri, header};

/// Whose pages may connect.
#[derive(Debug, Clone)]
pub struct Origins {
    allowed: Vec<String>,
    port: u16,
}

impl Origins {
    /// The pages of `allowed` (exact origins, such as `http://localhost:5173`), and those that the proxy itself serves on `port`.
    pub fn new(allowed: &[String], port: u16) -> Self {
        let allowed = allowed.iter().map(|origin| origin.trim().trim_end_matches('/').to_ascii_lowercase()).collect();
        Self { allowed, port }
    }

    /// Checks that `Host` is a name of this machine.
    ///
    /// # Errors
    /// What to tell the client.
    pub fn check_host(&self, headers: &HeaderMap) -> Result<(), &'static str> {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        match host.and_then(|host| host.parse::<hyper::http::uri::Authority>().ok()) {
            Some(authority) if is_loopback(authority.host()) => Ok(()),
            _ => Err("the Host header must name this machine: localhost or 127.0.0.1\n"),
        }
    }

    /// Checks that `Origin`, which every browser sends with a WebSocket handshake, is a page that may connect. Clients that are
    /// no browser send none.
    ///
    /// # Errors
    /// What to tell the client.
    pub fn check_origin(&self, headers: &HeaderMap) -> Result<(), &'static str> {
        let refused = "this origin may not connect; OUTCROP_ALLOWED_ORIGINS lists those that may\n";
        let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
        let origin = origin.to_str().map_err(|_| refused)?.to_ascii_lowercase();
        if self.allowed.contains(&origin) || self.is_own(&origin) { Ok(()) } else { Err(refused) }
    }

    fn is_own(&self, origin: &str) -> bool {
        let Ok(uri) = origin.parse::<Uri>() else { return false };
        let own_scheme = uri.scheme_str() == Some("http");
        own_scheme && uri.host().is_some_and(is_loopback) && uri.port_u16().unwrap_or(80) == self.port
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn only_listed_pages_and_our_own_may_connect() {
        let origins = Origins::new(&["http://localhost:5173/".to_owned()], 3001);
        for good in ["http://localhost:5173", "http://127.0.0.1:3001", "HTTP://LocalHost:3001", "http://[::1]:3001"] {
            assert!(origins.check_origin(&headers(header::ORIGIN, good)).is_ok(), "{good}");
        }
        for bad in [
            "http://localhost:8000",
            "https://evil.example",
            "null",
            "http://127.0.0.1.evil.example:3001",
            "http://localhost",
        ] {
            assert!(origins.check_origin(&headers(header::ORIGIN, bad)).is_err(), "{bad}");
        }
        assert!(origins.check_origin(&HeaderMap::new()).is_ok());
    }

    #[test]
    fn a_name_that_is_not_this_machines_is_refused() {
        let origins = Origins::new(&[], 3001);
        for good in ["localhost:3001", "127.0.0.1:9", "[::1]:3001", "localhost"] {
            assert!(origins.check_host(&headers(header::HOST, good)).is_ok(), "{good}");
        }
        for bad in ["rebound.example:3001", "10.0.0.1", "", "localhost.evil.example"] {
            assert!(origins.check_host(&headers(header::HOST, bad)).is_err(), "{bad}");
        }
        assert!(origins.check_host(&HeaderMap::new()).is_err());
    }
}
