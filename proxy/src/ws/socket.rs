//! The socket around a [`Connection`]: bytes, time and tasks.

use std::{
    future::{Future, poll_fn},
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{Sink, Stream, stream::FuturesUnordered};
use protocol::{
    RequestId,
    close::CloseCode,
    limits::{MAX_CLIENT_FRAME_BYTES, MAX_UNAUTHENTICATED_FRAME_BYTES},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Instant, Sleep, sleep_until, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Message,
        error::{CapacityError, ProtocolError},
        protocol::{CloseFrame, Role, WebSocketConfig},
    },
};
use tracing::debug;

use super::{
    connection::{Connection, MAX_FRAMES_BEFORE_HELLO, Transmit},
    progress::{Counted, Transport},
    sockets::Place,
};
use crate::{
    principal::Identity,
    service::{Outcome, Service},
};

/// How long a write may make no progress before the client counts as one that does not read.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// How many bytes are read of a client that nobody knows: its frames, with their heads and a few pings.
const MAX_BYTES_BEFORE_HELLO: usize = MAX_FRAMES_BEFORE_HELLO as usize * (MAX_UNAUTHENTICATED_FRAME_BYTES + 512);

/// How long a closed socket waits for the client's own close, and before that for what the client has not read yet.
pub const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// How many bytes are discarded while waiting for that.
const CLOSE_MAX_BYTES: usize = 2 * MAX_CLIENT_FRAME_BYTES;

/// How many bytes are gathered for one write; what a socket can hold beyond the kernel's own buffer.
pub const WRITE_BATCH_BYTES: usize = 64 * 1024;

/// The buffer for reading. tungstenite holds it for every socket and zeroes it at every look for a frame, twice for a token:
/// 4 KiB instead were 8,600 instructions more of 22,500 for a token at 50 a second, and 5 KiB more for an idle socket.
const READ_BUFFER_BYTES: usize = 512;

/// The longest single frame to a client: a whole answer of the longest length with every character escaped.
const MAX_WRITE_BUFFER_BYTES: usize = 16 * 1024 * 1024;

/// How many pings of the client may wait for their pong to be written.
const MAX_UNWRITTEN_PONGS: u32 = 1_000;

/// What a close frame without a code counts as (RFC 6455, section 7.1.5).
const NO_STATUS: CloseCode = CloseCode(1005);

/// How far apart clients are told to come back when the proxy stops.
const RECONNECT_SPREAD_MS: u64 = 5_000;

type Serving = Pin<Box<dyn Future<Output = (RequestId, Outcome)> + Send>>;

/// A client's socket.
pub struct Socket<S> {
    ws: WebSocketStream<Counted<S>>,
    connection: Connection,
    service: Arc<Service>,
    /// Who is connected; nobody knows yet where the client has to say so first.
    identity: Option<Arc<Identity>>,
    place: Place,
    serving: FuturesUnordered<Serving>,
    timer: Pin<Box<Sleep>>,
    flushing: Option<Flushing>,
    /// When it ends, whether or not the client has read what it was sent.
    ends: Option<Instant>,
    more_to_send: bool,
    unwritten_pongs: u32,
}

/// A write that has not been taken whole yet.
struct Flushing {
    since: Instant,
    written: u64,
}

enum Event {
    Received(Message),
    Broken(tungstenite::Error),
    Gone,
    Served(RequestId, Outcome),
    Ended,
    Proceed,
    Timer,
}

/// How a connection ended.
enum Ending {
    /// The socket is of no more use.
    Gone,
    /// A close frame was sent, or is to be.
    Closed,
    /// What the client sends cannot be read any more; it is told why.
    Unreadable(CloseCode, &'static str),
}

/// The limits of a socket, in tungstenite's terms.
pub fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BATCH_BYTES)
        .max_write_buffer_size(MAX_WRITE_BUFFER_BYTES)
        .max_message_size(Some(MAX_CLIENT_FRAME_BYTES))
        .max_frame_size(Some(MAX_CLIENT_FRAME_BYTES))
}

impl<S: Transport> Socket<S> {
    /// A socket over a stream whose handshake is done; `read_already` are bytes that came with it. Without an identity the client has
    /// to say who it is.
    pub async fn new(
        stream: S,
        read_already: Vec<u8>,
        service: Arc<Service>,
        identity: Option<Arc<Identity>>,
        place: Place,
    ) -> Self {
        let now = Instant::now();
        let mut connection = Connection::new(now, service.offer().max_parallel_turns as usize);
        let mut stream = Counted::new(stream);
        if identity.is_none() {
            connection.shut(now);
            stream.limit_reads(Some(MAX_BYTES_BEFORE_HELLO));
        }
        let ws = WebSocketStream::from_partially_read(stream, read_already, Role::Server, Some(config())).await;
        let mut socket = Self {
            ws,
            timer: Box::pin(sleep_until(connection.poll_timeout().unwrap_or(now))),
            connection,
            service,
            identity: None,
            place,
            serving: FuturesUnordered::new(),
            flushing: None,
            ends: None,
            more_to_send: false,
            unwritten_pongs: 0,
        };
        if let Some(identity) = identity {
            let expires_in = socket.service.expires_in_ms(&identity).map(Duration::from_millis);
            socket.connection.let_in(now, expires_in);
            socket.identify(identity);
        }
        socket
    }

    /// Takes note of who is connected.
    fn identify(&mut self, identity: Arc<Identity>) {
        self.ws.get_mut().limit_reads(None);
        if !self.place.identify(&identity) {
            self.connection.close(CloseCode::TOO_MANY_CONNECTIONS, "too many connections; close another one");
        }
        self.place.trail.identified(&identity);
        // It may have been revoked before anybody knew whose socket this is.
        if self.service.auth().check(&identity).is_err() {
            self.end();
        }
        self.identity = Some(identity);
    }

    fn end(&mut self) {
        self.connection.close(CloseCode::REVOKED, "the token was revoked");
    }

    /// Serves the client until one of the two ends it.
    pub async fn run(mut self) {
        let due = self.due(Instant::now());
        self.timer.as_mut().reset(due);
        let ending = loop {
            match self.step().await {
                None => {}
                Some(ending) => break ending,
            }
        };
        if let Some(code) = self.connection.close_code() {
            self.place.trail.closes(code);
        }
        if let Ending::Unreadable(code, _) = ending {
            self.place.trail.closes(code);
        }
        match ending {
            Ending::Gone => {}
            Ending::Closed => self.finish_close().await,
            Ending::Unreadable(code, reason) => self.refuse(code, reason).await,
        }
    }

    async fn step(&mut self) -> Option<Ending> {
        let event = poll_fn(|cx| self.poll_event(cx)).await;
        let now = Instant::now();
        match event {
            Event::Received(message) => {
                if let Some(ending) = self.received(message) {
                    return Some(ending);
                }
            }
            Event::Broken(error) => return Some(broken(&error)),
            Event::Gone => return Some(Ending::Gone),
            Event::Served(id, outcome) => {
                match &outcome {
                    Outcome::Follow { turn, .. } => turn.follow(self.place.wake()),
                    Outcome::Identified { identity, .. } => self.identify(identity.clone()),
                    _ => {}
                }
                self.connection.handle_outcome(now, id, outcome);
                let due = self.due(now);
                self.timer.as_mut().reset(due);
            }
            Event::Ended => self.end(),
            Event::Proceed if self.place.is_draining() => {
                self.connection.drain(Duration::from_millis(fastrand::u64(0..RECONNECT_SPREAD_MS)));
            }
            Event::Proceed => {}
            Event::Timer => {
                if self.ends.is_some_and(|ends| now >= ends) {
                    return Some(Ending::Gone);
                }
                if self.stuck(now) {
                    debug!("the client does not read");
                    self.connection.close(CloseCode::READS_TOO_SLOWLY, "reads too slowly");
                    return Some(Ending::Gone);
                }
                self.connection.handle_timeout(now);
                let due = self.due(now);
                self.timer.as_mut().reset(due);
            }
        }
        self.serve_requests();
        let ending = self.send(now);
        if ending.is_none() && self.connection.is_closing() && self.ends.is_none() {
            // The client has not read what it was sent before.
            self.ends = Some(now + CLOSE_TIMEOUT);
            let due = self.due(now);
            self.timer.as_mut().reset(due);
        }
        ending
    }

    /// When there is something to do if nothing else happens before.
    fn due(&self, now: Instant) -> Instant {
        let write = self.flushing.as_ref().map(|flushing| flushing.since + WRITE_TIMEOUT);
        let due = self.connection.poll_timeout().into_iter().chain(write).chain(self.ends).min();
        due.unwrap_or(now + WRITE_TIMEOUT)
    }

    /// Whether a write has made no progress for too long.
    fn stuck(&mut self, now: Instant) -> bool {
        let written = self.ws.get_ref().moved();
        let Some(flushing) = &mut self.flushing else { return false };
        if flushing.written != written {
            *flushing = Flushing { since: now, written };
        }
        now >= flushing.since + WRITE_TIMEOUT
    }

    fn received(&mut self, message: Message) -> Option<Ending> {
        match message {
            Message::Text(text) => self.connection.handle_text(&text),
            Message::Binary(_) => {
                self.connection.close(CloseCode::UNSUPPORTED_DATA, "frames are text");
            }
            Message::Ping(_) => {
                self.connection.handle_alive();
                self.unwritten_pongs += 1;
                if self.unwritten_pongs > MAX_UNWRITTEN_PONGS {
                    self.connection.close(CloseCode::POLICY, "too many pings");
                }
                self.more_to_send = true;
            }
            Message::Pong(_) => self.connection.handle_alive(),
            Message::Close(frame) => {
                let code = frame.map_or(NO_STATUS, |frame| CloseCode(frame.code.into()));
                self.place.trail.closes(code);
                return Some(Ending::Closed);
            }
            Message::Frame(_) => {}
        }
        None
    }

    fn serve_requests(&mut self) {
        while let Some(frame) = self.connection.poll_request() {
            let (service, identity, id) = (self.service.clone(), self.identity.clone(), frame.id.clone());
            let caller = self.place.trail.request(&frame);
            self.serving.push(Box::pin(async move {
                let served = service.handle(identity.as_deref(), frame);
                let outcome = match caller {
                    Some(caller) => caller.serve(served).await,
                    None => served.await,
                };
                (id, outcome)
            }));
        }
        for (id, code) in self.connection.take_refused() {
            self.place.trail.refused(id, code);
        }
    }

    /// Hands frames to the socket, up to a batch, and leaves their flush to [`Socket::poll_event`]. Nothing is made while a
    /// flush is under way: a socket that takes its time gets more in its next frame.
    fn send(&mut self, now: Instant) -> Option<Ending> {
        if self.flushing.is_some() {
            self.more_to_send = true;
            return None;
        }
        let mut batched = 0;
        let mut any = std::mem::take(&mut self.more_to_send);
        while batched < WRITE_BATCH_BYTES {
            let Some(transmit) = self.connection.poll_transmit(now) else { break };
            any = true;
            let (message, last) = match transmit {
                Transmit::Text(text) => {
                    batched += text.len();
                    (Message::text(text), false)
                }
                Transmit::Ping => (Message::Ping(Default::default()), false),
                Transmit::Close(code, reason) => {
                    let frame = CloseFrame { code: code.0.into(), reason: reason.into() };
                    (Message::Close(Some(frame)), true)
                }
            };
            if Pin::new(&mut self.ws).start_send(message).is_err() {
                return Some(Ending::Gone);
            }
            if last {
                return Some(Ending::Closed);
            }
        }
        self.more_to_send = batched >= WRITE_BATCH_BYTES;
        if any {
            self.flushing = Some(Flushing { since: now, written: self.ws.get_ref().moved() });
        }
        None
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        if let Some(flushing) = &mut self.flushing {
            match Pin::new(&mut self.ws).poll_flush(cx) {
                Poll::Ready(Ok(())) => {
                    self.flushing = None;
                    self.unwritten_pongs = 0;
                    if self.more_to_send {
                        return Poll::Ready(Event::Proceed);
                    }
                }
                Poll::Ready(Err(_)) => return Poll::Ready(Event::Gone),
                Poll::Pending => {
                    let written = self.ws.get_ref().moved();
                    if flushing.written != written {
                        *flushing = Flushing { since: Instant::now(), written };
                    }
                    let deadline = flushing.since + WRITE_TIMEOUT;
                    if self.timer.deadline() > deadline {
                        self.timer.as_mut().reset(deadline);
                    }
                }
            }
        }
        if self.place.ended().poll_rung(cx).is_ready() {
            return Poll::Ready(Event::Ended);
        }
        if self.connection.wants_input()
            && let Poll::Ready(message) = Pin::new(&mut self.ws).poll_next(cx)
        {
            return Poll::Ready(match message {
                Some(Ok(message)) => Event::Received(message),
                Some(Err(error)) => Event::Broken(error),
                None => Event::Gone,
            });
        }
        if let Poll::Ready(Some((id, outcome))) = Pin::new(&mut self.serving).poll_next(cx) {
            return Poll::Ready(Event::Served(id, outcome));
        }
        if self.flushing.is_none() && self.place.wake().poll_rung(cx).is_ready() {
            return Poll::Ready(Event::Proceed);
        }
        if self.timer.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Event::Timer);
        }
        Poll::Pending
    }

    /// Sends what is left, the close frame last, and waits for the client's. The order is RFC 6455's, section 7.1.1.
    async fn finish_close(&mut self) {
        let handshake = async {
            poll_fn(|cx| Pin::new(&mut self.ws).poll_flush(cx)).await?;
            while let Some(message) = poll_fn(|cx| Pin::new(&mut self.ws).poll_next(cx)).await {
                message?;
            }
            Ok::<_, tungstenite::Error>(())
        };
        let _ = timeout(CLOSE_TIMEOUT, handshake).await;
    }

    /// Tells a client that sent what cannot be read why it is cut off. Its bytes are read and thrown away for a moment: a socket
    /// that is closed over unread bytes is reset, and the client would never see the reason.
    async fn refuse(&mut self, code: CloseCode, reason: &'static str) {
        let frame = CloseFrame { code: code.0.into(), reason: reason.into() };
        let refusal = async {
            Pin::new(&mut self.ws).start_send(Message::Close(Some(frame))).ok()?;
            poll_fn(|cx| Pin::new(&mut self.ws).poll_flush(cx)).await.ok()?;
            let stream = self.ws.get_mut();
            stream.limit_reads(None);
            stream.shutdown().await.ok()?;
            let (mut scratch, mut discarded) = ([0; 4096], 0);
            while discarded < CLOSE_MAX_BYTES {
                match stream.read(&mut scratch).await.ok()? {
                    0 => break,
                    count => discarded += count,
                }
            }
            Some(())
        };
        let _ = timeout(CLOSE_TIMEOUT, refusal).await;
    }
}

fn broken(error: &tungstenite::Error) -> Ending {
    match error {
        tungstenite::Error::Capacity(CapacityError::MessageTooLong { .. }) => {
            Ending::Unreadable(CloseCode::TOO_LARGE, "a frame has at most 1 MiB")
        }
        tungstenite::Error::Io(error) if error.kind() == io::ErrorKind::QuotaExceeded => {
            Ending::Unreadable(CloseCode::TOO_LARGE, "before client.hello a frame has at most 8 KiB")
        }
        tungstenite::Error::Utf8(_) => Ending::Unreadable(CloseCode::INVALID_UTF8, "a text frame that is not UTF-8"),
        tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Ending::Gone,
        tungstenite::Error::Protocol(_) => Ending::Unreadable(CloseCode::PROTOCOL_ERROR, "not the WebSocket protocol"),
        _ => Ending::Gone,
    }
}
