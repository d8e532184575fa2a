//! HTTP: the page, health, and the upgrade to WebSocket.

mod admin;
mod headers;
mod ledger;
mod origin;
mod pages;
mod revocations;
mod stream;
mod tls;
mod upgrade;

use std::{convert::Infallible, io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{self, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::timeout,
};
use tracing::{debug, warn};

use crate::{observe::Observe, service::Service, ws::sockets::Sockets};

pub use admin::{AdminToken, MIN_TOKEN_CHARS};
pub use origin::Origins;
pub use tls::{Tls, TlsError};

use stream::Stream;

/// How long a client may take to shake hands for TLS, and then for the head of each request, where nothing else is set.
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the head of a request may be, in bytes, likewise.
pub const MAX_HEAD_BYTES: usize = 16 * 1024;

/// How long a connection may last that does not become a WebSocket, likewise. hyper has no limit for a client that asks and does not read.
pub const PLAIN_TIMEOUT: Duration = Duration::from_secs(60);

/// How many connections there may be besides open sockets, those that load the page or shake hands, likewise.
pub const MAX_PLAIN_CONNECTIONS: usize = 1_024;

/// How much of what was written the system may hold unsent for a socket: without a bound it takes megabytes for one that is not read,
/// and the proxy learns late that it is slow. Where the system has no such bound (other than Linux), it has its own.
#[cfg(target_os = "linux")]
const MAX_UNSENT_BYTES: u32 = 16 * 1024;

/// How long to wait after the system refuses a connection, as it does when it is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// The bounds of connections that are no WebSockets, or not yet.
#[derive(Debug, Clone, Copy)]
pub struct HttpLimits {
    /// See [`HEADER_TIMEOUT`].
    pub header_timeout: Duration,
    /// See [`MAX_HEAD_BYTES`].
    pub max_head_bytes: usize,
    /// See [`PLAIN_TIMEOUT`].
    pub plain_timeout: Duration,
    /// See [`MAX_PLAIN_CONNECTIONS`].
    pub max_plain_connections: usize,
}

/// The HTTP server.
#[derive(Debug)]
pub struct Http {
    /// What answers requests over WebSocket.
    pub service: Arc<Service>,
    /// The open sockets.
    pub sockets: Arc<Sockets>,
    /// Whose pages may connect.
    pub origins: Origins,
    /// A folder with a page.
    pub www: Option<PathBuf>,
    /// What administrators show; without it nobody is one.
    pub admin: Option<AdminToken>,
    /// Who is told of what happens.
    pub observe: Observe,
    /// TLS, unless somebody before the proxy does it.
    pub tls: Option<Tls>,
    /// Its bounds.
    pub limits: HttpLimits,
}

/// The other end of the connection that a request came over.
#[derive(Debug, Clone, Copy)]
struct Peer(SocketAddr);

impl Http {
    /// Accepts connections until the future is dropped.
    pub async fn accept(self: Arc<Self>, listener: TcpListener) {
        let plain = Arc::new(Semaphore::new(self.limits.max_plain_connections));
        loop {
            let Ok(permit) = plain.clone().acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, peer)) => {
                    let http = self.clone();
                    tokio::spawn(async move {
                        http.serve(stream, peer).await;
                        drop(permit);
                    });
                }
                Err(error) => {
                    warn!(%error, "a connection was refused by the system");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    async fn serve(self: Arc<Self>, stream: TcpStream, peer: SocketAddr) {
        if set_options(&stream).is_err() {
            return;
        }
        let HttpLimits { header_timeout, max_head_bytes, plain_timeout, .. } = self.limits;
        let stream = match &self.tls {
            None => Stream::Plain(stream),
            Some(tls) => match timeout(header_timeout, tls.accept(stream)).await {
                Ok(Ok(stream)) => Stream::Tls(Box::new(stream)),
                Ok(Err(error)) => return debug!(%peer, %error, "TLS was not agreed on"),
                Err(_) => return debug!(%peer, "TLS was not agreed on in time"),
            },
        };
        let service = service_fn(move |mut request: Request<Incoming>| {
            let http = self.clone();
            request.extensions_mut().insert(Peer(peer));
            async move { Ok::<_, Infallible>(http.respond(request).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(header_timeout)
            .max_buf_size(max_head_bytes)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        match timeout(plain_timeout, connection).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => debug!(%peer, %error, "a connection ended early"),
            Err(_) => debug!(%peer, "a connection was open for too long"),
        }
    }

    async fn respond(&self, request: Request<Incoming>) -> Response<Body> {
        let mut response = self.route(request).await;
        headers::protect(response.headers_mut(), self.tls.is_some());
        response
    }

    async fn route(&self, request: Request<Incoming>) -> Response<Body> {
        let path = request.uri().path();
        // Load balancers ask an address; there is nothing in the answer.
        let is_probe = matches!(path, "/healthz" | "/readyz");
        if let Err(reason) =
            self.origins.check_host(request.headers()).or_else(|reason| if is_probe { Ok(()) } else { Err(reason) })
        {
            return text(StatusCode::MISDIRECTED_REQUEST, reason);
        }
        if matches!(path, "/" | "/ws") && upgrade::is_wanted(request.headers()) {
            return upgrade::serve(self, request).await;
        }
        if path.starts_with(admin::PREFIX) {
            return admin::serve(self, request).await;
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
        }
        match path {
            "/healthz" => text(StatusCode::OK, "ok\n"),
            "/readyz" if self.sockets.is_draining() => text(StatusCode::SERVICE_UNAVAILABLE, "draining\n"),
            "/readyz" => text(StatusCode::OK, "ready\n"),
            "/ws" => {
                let mut response = text(StatusCode::UPGRADE_REQUIRED, "connect with a WebSocket client\n");
                response.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
                response
            }
            _ => pages::serve(self.www.as_deref(), request).await,
        }
    }
}

/// What is written goes out at once, and what cannot go out is not taken.
fn set_options(stream: &TcpStream) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(stream).set_tcp_notsent_lowat(MAX_UNSENT_BYTES)?;
    stream.set_nodelay(true)
}

/// A short response in plain text.
fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    let body = Full::new(text.into()).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response
}
