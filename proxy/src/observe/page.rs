//! The page that Prometheus reads, on an address of its own.

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request, Response, StatusCode, body::Incoming, header, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use tracing::warn;

use super::metrics::{self, Levels, UPKEEP_INTERVAL};
use crate::http::{HEADER_TIMEOUT, MAX_HEAD_BYTES, Origins};

/// How many connections there may be at a time.
pub const MAX_CONNECTIONS: usize = 16;

/// How long one may last.
pub const CONNECTION_TIMEOUT: Duration = Duration::from_secs(60);

/// How long to wait after the system refuses a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The address cannot be listened on.
    #[error(
        "metrics cannot be served on {0} ({1}): choose another address of this machine with --metrics-listen (OUTCROP_METRICS_LISTEN)"
    )]
    Listen(SocketAddr, io::Error),
    /// Somebody else counts.
    #[error("this process counts its metrics in another way: leave OUTCROP_METRICS_LISTEN out")]
    Taken,
}

/// The page.
#[derive(Debug)]
pub struct Page {
    listener: TcpListener,
    addr: SocketAddr,
    handle: &'static PrometheusHandle,
}

impl Page {
    /// Turns metrics on and listens on `addr`. Whoever can reach that can read them, so there is a warning where it is not loopback.
    ///
    /// # Errors
    /// [`PageError`].
    pub async fn open(addr: SocketAddr) -> Result<Self, PageError> {
        let unusable = |error| PageError::Listen(addr, error);
        let listener = TcpListener::bind(addr).await.map_err(unusable)?;
        let addr = listener.local_addr().map_err(unusable)?;
        if !addr.ip().is_loopback() {
            warn!(%addr, "metrics can be read from other machines: see that only Prometheus can reach this address");
        }
        Ok(Self { listener, addr, handle: metrics::install().ok_or(PageError::Taken)? })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Serves it until the future is dropped; `levels` says how things are.
    pub async fn serve(self, levels: impl Fn() -> Levels + Send + Sync + 'static) -> Infallible {
        let Self { listener, addr, handle } = self;
        let upkeep = async {
            let mut again = interval(UPKEEP_INTERVAL);
            again.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                again.tick().await;
                handle.run_upkeep();
            }
        };
        let render = move || {
            metrics::levels(levels());
            handle.render()
        };
        tokio::select! {
            never = upkeep => never,
            never = accept(listener, addr, Arc::new(render)) => never,
        }
    }
}

async fn accept(
    listener: TcpListener,
    addr: SocketAddr,
    render: Arc<impl Fn() -> String + Send + Sync + 'static>,
) -> Infallible {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    // A page in a browser on this machine is none of Prometheus's.
    let origins = addr.ip().is_loopback().then(|| Arc::new(Origins::new(&[], &[], addr)));
    loop {
        // Nobody closes it.
        let place = places.clone().acquire_owned().await;
        match listener.accept().await {
            Ok((stream, _)) => {
                let (render, origins) = (render.clone(), origins.clone());
                tokio::spawn(async move {
                    let _ = timeout(CONNECTION_TIMEOUT, connection(stream, origins.as_deref(), &*render)).await;
                    drop(place);
                });
            }
            Err(error) => {
                warn!(%error, "a connection was refused by the system");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, origins: Option<&Origins>, render: &(impl Fn() -> String + Sync)) {
    let respond = async |request: Request<Incoming>| Ok::<_, Infallible>(respond(&request, origins, render));
    // Who goes away in the middle has missed it.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service_fn(respond))
        .await;
}

fn respond(
    request: &Request<Incoming>,
    origins: Option<&Origins>,
    render: impl Fn() -> String,
) -> Response<Full<Bytes>> {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let host = origins.map_or(Ok(()), |origins| origins.check_host(request.headers()));
    let (status, text) = match request.uri().path() {
        _ if host.is_err() => {
            (StatusCode::MISDIRECTED_REQUEST, "metrics are at the address they listen on\n".to_owned())
        }
        "/metrics" if is_read => (StatusCode::OK, render()),
        "/metrics" => (StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n".to_owned()),
        _ => (StatusCode::NOT_FOUND, "there is /metrics\n".to_owned()),
    };
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    let plain = header::HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response
}
