//! From HTTP to WebSocket.

use std::{net::SocketAddr, sync::Arc};

use hyper::{
    HeaderMap, Request, Response, StatusCode,
    body::Incoming,
    header::{self, HeaderValue},
};
use hyper_util::rt::TokioIo;
use protocol::SUBPROTOCOL;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tracing::{Instrument, debug};

use super::{Body, Http, Peer, stream::Stream, text};
use crate::{auth::Refusal, principal::Identity, ws::socket::Socket};

/// Names of parameters in which tokens are known to travel.
const TOKEN_PARAMETERS: [&str; 4] = ["token", "access_token", "jwt", "authorization"];

/// Whether a request asks for a WebSocket.
pub(super) fn is_wanted(headers: &HeaderMap) -> bool {
    headers.get(header::UPGRADE).is_some_and(|upgrade| upgrade.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Answers the handshake.
pub(super) async fn serve(http: &Http, request: Request<Incoming>) -> Response<Body> {
    let peer = request.extensions().get().map(|Peer(addr)| *addr);
    let response = upgrade(http, request, peer).await;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        http.observe.connection_refused(peer, response.status().as_u16());
    }
    response
}

/// Leaves the socket to a task of its own, or says why not.
async fn upgrade(http: &Http, mut request: Request<Incoming>, peer: Option<SocketAddr>) -> Response<Body> {
    if let Err(reason) = http.origins.check_origin(request.headers()) {
        http.origins.tell_refused(request.headers());
        return text(StatusCode::FORBIDDEN, reason);
    }
    if has_token(request.uri().query().unwrap_or_default()) {
        let reason = "a token in an address is kept in logs: send it in client.hello, or in an Authorization header\n";
        return text(StatusCode::BAD_REQUEST, reason);
    }
    let identity = match who(http, request.headers()).await {
        Ok(identity) => identity,
        Err(refusal) => return unauthorized(&refusal),
    };
    let handshake = Request::from_parts(request_head(&request), ());
    let response = match create_response_with_body(&handshake, || ()) {
        Ok(response) => response,
        Err(error) => return text(StatusCode::BAD_REQUEST, format!("{error}\n")),
    };
    let Some(mut place) = http.sockets.enter() else {
        let mut response = text(StatusCode::SERVICE_UNAVAILABLE, "no room for another socket; try again in a moment\n");
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        return response;
    };
    place.trail = http.observe.connection(peer);
    let log = place.trail.log();
    let service = Arc::clone(&http.service);
    let upgraded = hyper::upgrade::on(&mut request);
    let socket = async move {
        let upgraded = match upgraded.await {
            Ok(upgraded) => upgraded,
            Err(error) => return debug!(%error, "a handshake was not finished"),
        };
        match upgraded.downcast::<TokioIo<Stream>>() {
            Ok(parts) => {
                let (stream, read_already) = (parts.io.into_inner(), parts.read_buf.to_vec());
                drop(parts.read_buf);
                Socket::new(stream, read_already, service, identity, place).await.run().await;
            }
            Err(_) => debug!("a socket over something else than a connection of ours"),
        }
    };
    tokio::spawn(socket.instrument(log));
    let (mut parts, ()) = response.into_parts();
    if offers_subprotocol(handshake.headers()) {
        parts.headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    }
    let (_, empty) = text(StatusCode::OK, "").into_parts();
    Response::from_parts(parts, empty)
}

/// Whoever asks for a WebSocket, where a header says so; they may say it later.
async fn who(http: &Http, headers: &HeaderMap) -> Result<Option<Arc<Identity>>, Refusal> {
    let auth = http.service.auth();
    match headers.get(header::AUTHORIZATION) {
        None => Ok(auth.anybody()),
        Some(value) => auth.identify(bearer(value)).await.map(Some),
    }
}

/// The token in `Authorization: Bearer …`.
pub(super) fn bearer(header: &HeaderValue) -> Option<&str> {
    let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim())
}

/// The answer to whoever shows no token that counts (RFC 6750, section 3).
pub(super) fn unauthorized(refusal: &Refusal) -> Response<Body> {
    let mut response = text(StatusCode::UNAUTHORIZED, format!("{refusal}\n"));
    let challenge = match refusal {
        Refusal::Missing => "Bearer realm=\"outcrop\"",
        _ => "Bearer realm=\"outcrop\", error=\"invalid_token\"",
    };
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    response
}

fn has_token(query: &str) -> bool {
    form_urlencoded::parse(query.as_bytes())
        .any(|(name, _)| TOKEN_PARAMETERS.iter().any(|parameter| name.eq_ignore_ascii_case(parameter)))
}

fn request_head(request: &Request<Incoming>) -> hyper::http::request::Parts {
    let mut head = Request::new(());
    *head.method_mut() = request.method().clone();
    *head.version_mut() = request.version();
    *head.uri_mut() = request.uri().clone();
    *head.headers_mut() = request.headers().clone();
    head.into_parts().0
}

fn offers_subprotocol(headers: &HeaderMap) -> bool {
    let offers = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    offers.flat_map(|value| value.split(',')).any(|offer| offer.trim() == SUBPROTOCOL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_comes_behind_its_scheme() {
        for (header, token) in [
            ("Bearer abc", Some("abc")),
            ("bearer  abc ", Some("abc")),
            ("Bearer ", Some("")),
            ("Basic abc", None),
            ("Bearer", None),
            ("abc", None),
            ("", None),
        ] {
            assert_eq!(bearer(&HeaderValue::from_static(header)), token, "{header:?}");
        }
    }

    #[test]
    fn a_token_in_an_address_is_seen_however_it_is_written() {
        for (query, expected) in [
            ("token=abc", true),
            ("a=b&Access_Token=abc", true),
            ("%74oken=abc", true),
            ("", false),
            ("tokens=3", false),
            ("a=token", false),
        ] {
            assert_eq!(has_token(query), expected, "{query}");
        }
    }
}
