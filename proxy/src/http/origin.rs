//! Which pages may connect.
//!
//! A browser lets any page open a WebSocket to any address, localhost too, and says in `Origin` which page it is. And a page can
//! point a name of its own at 127.0.0.1, so that requests to the proxy carry that name in `Host`. Both are checked.

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

use hyper::{HeaderMap, Uri, header, http::uri::Authority};
use tracing::warn;

/// How many origins that may not connect are told of in the log, and how long one may be: anybody can send any.
const MAX_TOLD: usize = 16;
const MAX_TOLD_BYTES: usize = 256;

/// Whose pages may connect.
#[derive(Debug, Clone)]
pub struct Origins {
    allowed: Vec<String>,
    hosts: Vec<String>,
    listen: SocketAddr,
    told: Arc<Mutex<BTreeSet<String>>>,
}

impl Origins {
    /// The pages of `allowed` (exact origins, such as `http://localhost:5173`), and those that the proxy itself serves, on `listen` and
    /// under the names `hosts`.
    pub fn new(allowed: &[String], hosts: &[String], listen: SocketAddr) -> Self {
        let allowed = allowed.iter().map(|origin| origin.trim().trim_end_matches('/').to_ascii_lowercase()).collect();
        Self {
            allowed,
            hosts: hosts.iter().map(|host| host.trim().to_ascii_lowercase()).collect(),
            listen,
            told: Arc::default(),
        }
    }

    /// Checks that `Host` is a name under which the proxy is meant to be reached.
    ///
    /// # Errors
    /// What to tell the client.
    pub fn check_host(&self, headers: &HeaderMap) -> Result<(), &'static str> {
        match host(headers) {
            Some(authority) if self.is_ours(authority.host()) => Ok(()),
            _ => Err("the Host header has another name than this proxy's; OUTCROP_ALLOWED_HOSTS lists those it has\n"),
        }
    }

    fn is_ours(&self, host: &str) -> bool {
        let is_listened_on = || bare(host).parse::<IpAddr>().is_ok_and(|ip| ip == self.listen.ip());
        is_loopback(host) || is_listened_on() || self.hosts.iter().any(|known| known.eq_ignore_ascii_case(host))
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
        if self.allowed.contains(&origin) || self.is_own(&origin, headers) { Ok(()) } else { Err(refused) }
    }

    /// Says in the log, once of each origin, that its pages may not connect: a browser keeps the reason from them. Returns whether it
    /// did.
    pub fn tell_refused(&self, headers: &HeaderMap) -> bool {
        let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok()).unwrap_or_default();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = origin.len() <= MAX_TOLD_BYTES && told.len() < MAX_TOLD && told.insert(origin.to_owned());
        if is_news {
            warn!(origin, "a page may not connect: OUTCROP_ALLOWED_ORIGINS lists the origins whose pages may");
        }
        is_news
    }

    /// A page of ours has the address that its request goes to. Which name that may be was checked before.
    fn is_own(&self, origin: &str, headers: &HeaderMap) -> bool {
        let Some(uri) = origin.parse::<Uri>().ok().filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")))
        else {
            return false;
        };
        let is_here = uri.scheme_str() == Some("http")
            && uri.host().is_some_and(is_loopback)
            && uri.port_u16().unwrap_or(80) == self.listen.port();
        let is_same = || match (uri.authority(), host(headers)) {
            (Some(page), Some(host)) => page.as_str().eq_ignore_ascii_case(host.as_str()) && self.is_ours(host.host()),
            _ => false,
        };
        is_here || is_same()
    }
}

fn host(headers: &HeaderMap) -> Option<Authority> {
    headers.get(header::HOST)?.to_str().ok()?.parse().ok()
}

fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

fn is_loopback(host: &str) -> bool {
    let bare = bare(host);
    bare.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    fn origins() -> Origins {
        let listed = ["http://localhost:5173/".to_owned()];
        Origins::new(&listed, &["chat.acme.example".to_owned()], "10.0.0.9:3001".parse().unwrap())
    }

    #[test]
    fn an_origin_that_may_not_connect_is_told_of_once_and_not_any_number() {
        let origins = origins();
        let tells = |origin: &str| origins.tell_refused(&headers(header::ORIGIN, origin));
        assert!(tells("http://localhost:5174") && !tells("http://localhost:5174"));
        assert!(!tells(&format!("http://{}", "a".repeat(MAX_TOLD_BYTES))));
        let others = (0..100).filter(|n| tells(&format!("http://localhost:{n}"))).count();
        assert_eq!(others, MAX_TOLD - 1);
    }

    #[test]
    fn only_listed_pages_and_our_own_may_connect() {
        let origins = origins();
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
    fn a_page_may_connect_to_where_it_came_from_under_each_of_our_names() {
        let origins = origins();
        let from = |page: &str, host: &str| {
            let mut both = headers(header::ORIGIN, page);
            both.extend(headers(header::HOST, host));
            origins.check_origin(&both).is_ok()
        };
        // TLS may end before the proxy.
        assert!(from("https://chat.acme.example", "chat.acme.example"));
        assert!(from("https://chat.acme.example:8443", "Chat.acme.example:8443"));
        assert!(!from("https://chat.acme.example:8443", "chat.acme.example"));
        assert!(!from("https://chat.acme.example", "localhost:3001"));
        assert!(!from("https://rebound.example", "rebound.example"));
        assert!(!from("file://chat.acme.example", "chat.acme.example"));
    }

    #[test]
    fn a_name_that_is_not_this_machines_is_refused() {
        let origins = origins();
        for good in ["localhost:3001", "127.0.0.1:9", "[::1]:3001", "localhost", "10.0.0.9:3001", "Chat.Acme.example"] {
            assert!(origins.check_host(&headers(header::HOST, good)).is_ok(), "{good}");
        }
        for bad in ["rebound.example:3001", "10.0.0.1", "", "localhost.evil.example", "chat.acme.example.evil.example"]
        {
            assert!(origins.check_host(&headers(header::HOST, bad)).is_err(), "{bad}");
        }
        assert!(origins.check_host(&HeaderMap::new()).is_err());
    }
}
