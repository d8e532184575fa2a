//! The server: accepts, serves HTTP/1.1 and HTTP/2 without TLS, shuts down.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::call::Models;
use crate::config::Config;
use crate::ledger::{Ledger, LedgerEntry};
use crate::script::{Player, Script};
use crate::service::Service;
use crate::socket::{Hangup, Socket};

/// How long a connection may be without a request's head, the first one included; also its idle time.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// Streams at a time on one HTTP/2 connection.
const MAX_CONCURRENT_STREAMS: u32 = 1_024;
/// Connections at a time; more wait to be accepted.
const MAX_CONNECTIONS: usize = 8_192;
/// Pause after a failed accept, as when file descriptors run out.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(50);

/// A running emulator. Dropped, it stops at once; [`Emulator::shutdown`] lets streams end.
#[derive(Debug)]
pub struct Emulator {
    addr: SocketAddr,
    service: Arc<Service>,
    grace: Duration,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
}

impl Emulator {
    /// Listens, and serves on the current tokio runtime.
    ///
    /// # Errors
    /// The address is not loopback (`InvalidInput`), or cannot be listened on.
    pub async fn start(config: Config) -> io::Result<Emulator> {
        if !config.listen.ip().is_loopback() {
            let text =
                format!("{} is not a loopback address; the emulator listens on loopback only", config.listen.ip());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let listener = TcpListener::bind(config.listen).await?;
        let addr = listener.local_addr()?;
        let service = Arc::new(Service {
            credentials: config.credentials,
            region: config.region,
            models: Models {
                pace: config.pace,
                prompt_prefixes: config.prompt_prefixes,
                player: Player::new(config.script).into(),
                cache: Default::default(),
                rings: Default::default(),
                errors_given: Default::default(),
            },
            ledger: Ledger::new(config.ledger_capacity),
            next_request: Default::default(),
        });
        let (stop, stopped) = watch::channel(false);
        let server = tokio::spawn(serve(listener, service.clone(), stopped));
        Ok(Emulator { addr, service, grace: config.shutdown_grace, stop, server })
    }

    /// Where it listens, with the port it was given.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The endpoint to give to an AWS SDK, as in `http://127.0.0.1:4566`.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The calls so far, oldest first, at most [`Config::ledger_capacity`].
    pub fn ledger(&self) -> Vec<LedgerEntry> {
        self.service.ledger.entries()
    }

    /// Forgets the calls so far.
    pub fn clear_ledger(&self) {
        self.service.ledger.clear();
    }

    /// Plays this script from its beginning, from the next call on.
    pub fn set_script(&self, script: Script) {
        self.service.set_script(script);
    }

    /// Accepts no more, lets running calls go on for [`Config::shutdown_grace`], then cuts them.
    pub async fn shutdown(mut self) {
        let _ = self.stop.send(true);
        if timeout(self.grace, &mut self.server).await.is_err() {
            self.server.abort();
            let _ = (&mut self.server).await;
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Ends when it is told to stop and the last connection is done; aborted, it takes its connections with it.
async fn serve(listener: TcpListener, service: Arc<Service>, stopped: watch::Receiver<bool>) {
    let mut stop = stopped.clone();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stop.changed() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, service.clone(), stopped.clone()));
                }
                Err(_) => sleep(ACCEPT_BACKOFF).await,
            },
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn connection(stream: TcpStream, service: Arc<Service>, mut stopped: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    let hangup = Hangup::default();
    let asked = Arc::new(AtomicBool::new(false));
    let handler = {
        let (hangup, asked) = (hangup.clone(), asked.clone());
        service_fn(move |request: hyper::Request<Incoming>| {
            asked.store(true, Ordering::Relaxed);
            let (service, hangup) = (service.clone(), hangup.clone());
            async move { Ok::<_, Infallible>(service.handle(request, hangup).await) }
        })
    };
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(MAX_CONCURRENT_STREAMS);
    let serving = builder.serve_connection(TokioIo::new(Socket { stream, hangup: hangup.clone() }), handler);
    tokio::pin!(serving);
    let silence = sleep(HEADER_TIMEOUT);
    tokio::pin!(silence);
    let mut silent = true;
    let mut stopping = false;
    loop {
        tokio::select! {
            _ = &mut serving => return,
            () = hangup.asked() => return,
            () = &mut silence, if silent => {
                silent = false;
                if !asked.load(Ordering::Relaxed) {
                    return;
                }
            }
            _ = stopped.changed(), if !stopping => {
                stopping = true;
                serving.as_mut().graceful_shutdown();
            }
        }
    }
}
