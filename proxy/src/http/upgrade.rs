//! From HTTP to WebSocket.

use std::sync::Arc;

use hyper::{
    HeaderMap, Request, Response, StatusCode,
    body::Incoming,
    header::{self, HeaderValue},
};
use hyper_util::rt::TokioIo;
use protocol::SUBPROTOCOL;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tracing::debug;

use super::{Body, Http, text};
use crate::{principal::Owner, ws::socket::Socket};

/// Whether a request asks for a WebSocket.
pub(super) fn is_wanted(headers: &HeaderMap) -> bool {
    headers.get(header::UPGRADE).is_some_and(|upgrade| upgrade.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Answers the handshake and leaves the socket to a task of its own.
pub(super) fn upgrade(http: &Http, mut request: Request<Incoming>, owner: Owner) -> Response<Body> {
    if let Err(reason) = http.origins.check_origin(request.headers()) {
        return text(StatusCode::FORBIDDEN, reason);
    }
    let handshake = Request::from_parts(request_head(&request), ());
    let response = match create_response_with_body(&handshake, || ()) {
        Ok(response) => response,
        Err(error) => return text(StatusCode::BAD_REQUEST, format!("{error}\n")),
    };
    let Some(place) = http.sockets.enter() else {
        let mut response = text(StatusCode::SERVICE_UNAVAILABLE, "no room for another socket; try again in a moment\n");
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        return response;
    };
    let service = Arc::clone(&http.service);
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let upgraded = match upgraded.await {
            Ok(upgraded) => upgraded,
            Err(error) => return debug!(%error, "a handshake was not finished"),
        };
        match upgraded.downcast::<TokioIo<TcpStream>>() {
            Ok(parts) => {
                let (stream, read_already) = (parts.io.into_inner(), parts.read_buf.to_vec());
                drop(parts.read_buf);
                Socket::new(stream, read_already, service, owner, place).await.run().await;
            }
            Err(_) => debug!("a socket over something else than TCP"),
        }
    });

    let (mut parts, ()) = response.into_parts();
    if offers_subprotocol(handshake.headers()) {
        parts.headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    }
    let (_, empty) = text(StatusCode::OK, "").into_parts();
    Response::from_parts(parts, empty)
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
