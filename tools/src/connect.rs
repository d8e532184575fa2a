//! A connection to a server, up to the end of MCP's handshake.

use std::{fmt, sync::Arc, time::Duration};

use rmcp::{
    Peer, RoleClient, ServiceExt,
    service::ClientInitializeError,
    transport::{
        IntoTransport, StreamableHttpClientTransport, async_rw::AsyncRwTransport,
        common::client_side_sse::ExponentialBackoff, streamable_http_client::StreamableHttpClientTransportConfig,
    },
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::JoinHandle,
};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    Resolver,
    child::Child,
    config::Launch,
    failure,
    handler::Handler,
    http::{HttpClient, MAX_MESSAGE_BYTES},
    hub::Serve,
};

/// How long the end of a connection may take, such as that of a session at an HTTP server.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);
/// The longest wait before a stream of notifications is opened again.
const MAX_STREAM_DELAY: Duration = Duration::from_secs(30);
/// How many requests an HTTP server is sent at a time; the others wait, within their time.
const MAX_PARALLEL: usize = 64;
/// What fits into the pipe of a server that is built in.
const PIPE_BYTES: usize = 64 * 1024;

/// Where a server is.
#[derive(Clone)]
pub(crate) enum Source {
    Configured(Launch),
    Builtin(Serve),
}

/// A connection after the handshake. Dropped, it ends, and a process with it.
pub(crate) struct Connection {
    peer: Peer<RoleClient>,
    service: DropGuard,
    ended: JoinHandle<()>,
    child: Option<Child>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("child", &self.child).finish_non_exhaustive()
    }
}

impl Connection {
    /// Connects and shakes hands, or says why not. There is no time limit in here.
    pub(crate) async fn open(
        server: &Arc<str>,
        source: &Source,
        allow_private: bool,
        resolver: &Arc<dyn Resolver>,
        handler: Handler,
    ) -> Result<Self, String> {
        match source {
            Source::Configured(Launch::Child { command, args, environment, folder }) => {
                let (child, output, input) = Child::start(server, command, args, environment, folder.as_deref())
                    .map_err(|error| format!("{command:?} does not start: {error}; is it installed, and in PATH?"))?;
                match serve(lines(output, input), handler).await {
                    Ok(connection) => Ok(Self { child: Some(child), ..connection }),
                    Err(ClientInitializeError::ConnectionClosed(_) | ClientInitializeError::TransportError { .. }) => {
                        Err(format!(
                            "{} before it answered; what it says of it is logged at the level debug",
                            child.end().await
                        ))
                    }
                    Err(error) => Err(failure::of_initialize(&error)),
                }
            }
            Source::Configured(Launch::Http { url, headers }) => {
                let client =
                    HttpClient::new(url, allow_private, resolver.clone()).map_err(|error| error.to_string())?;
                let mut config = StreamableHttpClientTransportConfig::with_uri(url.as_str());
                // A new session is the supervisor's to make, since other calls may be under way in the old one.
                config.reinit_on_expired_session = false;
                config.max_concurrent_requests = MAX_PARALLEL;
                config.custom_headers = headers
                    .iter()
                    .filter_map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?)))
                    .collect();
                let mut again = ExponentialBackoff::default();
                again.max_delay = Some(MAX_STREAM_DELAY);
                config.retry_config = Arc::new(again);
                let transport = StreamableHttpClientTransport::with_client(client, config);
                serve(transport, handler).await.map_err(|error| failure::of_initialize(&error))
            }
            Source::Builtin(start) => {
                let (ours, theirs) = tokio::io::duplex(PIPE_BYTES);
                start(theirs);
                let (output, input) = tokio::io::split(ours);
                serve(lines(output, input), handler).await.map_err(|error| failure::of_initialize(&error))
            }
        }
    }

    pub(crate) fn peer(&self) -> &Peer<RoleClient> {
        &self.peer
    }

    /// Until the other side has ended it.
    pub(crate) async fn ended(&mut self) {
        let _ = (&mut self.ended).await;
    }

    /// Ends it, in order where that is quick. Tells how a process ended.
    pub(crate) async fn close(mut self) -> Option<String> {
        drop(self.service);
        if !self.ended.is_finished() && tokio::time::timeout(CLOSE_TIMEOUT, &mut self.ended).await.is_err() {
            self.ended.abort();
        }
        Some(self.child?.end().await)
    }
}

fn lines<R, W>(output: R, input: W) -> AsyncRwTransport<RoleClient, R, W>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    AsyncRwTransport::new_client(output, input).with_max_line_length(MAX_MESSAGE_BYTES)
}

async fn serve<T, E, A>(transport: T, handler: Handler) -> Result<Connection, ClientInitializeError>
where
    T: IntoTransport<RoleClient, E, A>,
    E: std::error::Error + Send + Sync + 'static,
{
    let cancel = CancellationToken::new();
    let guard = cancel.clone().drop_guard();
    let service = handler.serve_with_ct(transport, cancel).await?;
    let peer = service.peer().clone();
    let ended = tokio::spawn(async move {
        // How it ended is told by what it was doing.
        let _ = service.waiting().await;
    });
    Ok(Connection { peer, service: guard, ended, child: None })
}
