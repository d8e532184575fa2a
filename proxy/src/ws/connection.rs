//! A client's connection as a machine without I/O.
//!
//! It is given what was received and what time it is, and says what to do: which requests to serve, which frames to send, when to
//! be called again, when to close. It reads no clock and owns no socket, so that every order of events can be tested.
//!
//! Events of turns are not queued here. A followed turn is a cursor into its log; frames are made from what lies behind the
//! cursor when the socket can take them.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use protocol::{
    ErrorCode, ErrorData, Message, RequestId, SessionId, ToolUse,
    client::{Cancel, ClientFrame, ClientMessage},
    close::CloseCode,
    codec::{DecodeError, StreamEncoder, decode_client, encode_server},
    limits::MAX_UNAUTHENTICATED_FRAME_BYTES,
    server::{
        Draining, MessageComplete, MessageResponse, ServerFrame, ServerMessage, Snapshot, Status, StatusState,
        ToolUseUpdate,
    },
};
use tokio::time::Instant;

use crate::{
    service::{BUSY_RETRY_AFTER_MS, From, Outcome},
    turn::{
        Turn, asked_in,
        log::{Batch, End},
    },
};

/// How often the client is pinged.
pub const PING_INTERVAL: Duration = Duration::from_secs(25);

/// How long it may take to show a sign of life after a ping.
pub const PONG_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a client hears about an answer that is silent: page code cannot see pings.
pub const STATUS_INTERVAL: Duration = Duration::from_secs(5);

/// How many requests of one socket are served at a time; no more frames are read until one of them is done.
pub const MAX_REQUESTS: usize = 16;

/// How many frames in a row may make no sense.
pub const MAX_MALFORMED: u32 = 32;

/// How long a client may take to say who it is, where it has to.
pub const HELLO_TIMEOUT: Duration = Duration::from_secs(10);

/// How many frames it may send before the proxy knows.
pub const MAX_FRAMES_BEFORE_HELLO: u32 = 2;

/// What to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transmit {
    /// A text frame.
    Text(String),
    /// A ping.
    Ping,
    /// A close frame; nothing follows it.
    Close(CloseCode, &'static str),
}

/// The state of one connection.
#[derive(Debug)]
pub struct Connection {
    max_follows: usize,
    gate: Gate,
    follows: VecDeque<Follow>,
    replies: VecDeque<String>,
    requests: VecDeque<ClientFrame>,
    serving: usize,
    /// The messages among them: each has a place among the follows that is kept for its answer.
    sending: Vec<RequestId>,
    malformed: u32,
    pinged: Instant,
    awaiting_pong: bool,
    ping_due: bool,
    /// When new messages may be sent elsewhere, once the proxy is about to stop.
    draining: Option<Duration>,
    close: Option<(CloseCode, &'static str)>,
    close_sent: bool,
    /// What was refused here, without being served.
    refused: Vec<(Option<RequestId>, ErrorCode)>,
}

/// Whether the client is let in.
#[derive(Debug)]
enum Gate {
    /// It has until then to say who it is, and has sent so many frames.
    Shut { until: Instant, frames: u32 },
    /// It is, until its token expires.
    Open { until: Option<Instant> },
}

/// A cursor into the log of a turn.
#[derive(Debug)]
struct Follow {
    turn: Arc<Turn>,
    encoder: StreamEncoder,
    cursor: u64,
    whole: bool,
    news: Instant,
    /// How many changes of what the turn waits for the client knows of.
    waiting_known: u64,
}

/// What lies behind a cursor.
enum Event {
    NotYet,
    Text(String),
    Call(u64, ToolUse),
    End(u64, End),
    /// The answer is whole, and is to be sent as one message.
    Whole,
    /// A cursor beyond the end of a log that has ended has nothing to wait for.
    Nothing,
}

impl Connection {
    /// A connection that was opened `now` and follows at most `max_follows` turns at a time.
    pub fn new(now: Instant, max_follows: usize) -> Self {
        Self {
            max_follows,
            gate: Gate::Open { until: None },
            follows: VecDeque::new(),
            replies: VecDeque::new(),
            requests: VecDeque::new(),
            serving: 0,
            sending: Vec::new(),
            malformed: 0,
            pinged: now,
            awaiting_pong: false,
            ping_due: false,
            draining: None,
            close: None,
            close_sent: false,
            refused: Vec::new(),
        }
    }

    /// The client has to say who it is before anything else.
    pub fn shut(&mut self, now: Instant) {
        self.gate = Gate::Shut { until: now + HELLO_TIMEOUT, frames: 0 };
    }

    /// The client is let in, until its token expires.
    pub fn let_in(&mut self, now: Instant, expires_in: Option<Duration>) {
        self.gate = Gate::Open { until: expires_in.map(|expires_in| now + expires_in) };
    }

    /// Whether the client has said who it is, or need not.
    pub fn is_let_in(&self) -> bool {
        matches!(self.gate, Gate::Open { .. })
    }

    /// Takes a text frame.
    pub fn handle_text(&mut self, text: &str) {
        self.handle_alive();
        if let Gate::Shut { frames, .. } = &mut self.gate {
            *frames += 1;
            if text.len() > MAX_UNAUTHENTICATED_FRAME_BYTES {
                return self.close(CloseCode::TOO_LARGE, "before client.hello a frame has at most 8 KiB");
            }
            if *frames > MAX_FRAMES_BEFORE_HELLO {
                return self.close(CloseCode::NO_HELLO, "client.hello has to come first");
            }
        }
        match decode_client(text) {
            Ok(frame) => {
                self.malformed = 0;
                self.requests.push_back(frame);
            }
            Err(DecodeError { id, error }) => {
                self.malformed += 1;
                if self.malformed > MAX_MALFORMED {
                    self.close(CloseCode::MALFORMED, "too many frames that make no sense");
                }
                self.refuse(id, *error);
            }
        }
    }

    /// Takes note of a sign of life: a pong, a ping, or part of the above.
    pub fn handle_alive(&mut self) {
        self.awaiting_pong = false;
    }

    /// The next request to serve. Each must come back with [`Connection::handle_outcome`].
    ///
    /// A message that there is no place to follow the answer of is refused here, before the model is asked.
    pub fn poll_request(&mut self) -> Option<ClientFrame> {
        while let Some(at) = self.requests.iter().position(|request| !self.has_to_wait(request)) {
            let request = self.requests.remove(at)?;
            if let Some(session) = asked_in(&request.message)
                && !self.follows.iter().any(|follow| follow.is_of(&request.id, session))
            {
                if let Some(reconnect_in) = self.draining {
                    self.refuse_draining(request.id, reconnect_in);
                    continue;
                }
                if !self.has_place() {
                    self.refuse_follow(request.id);
                    continue;
                }
                self.sending.push(request.id.clone());
            }
            self.serving += 1;
            return Some(request);
        }
        None
    }

    /// A stop must not overtake the message whose answer it is to stop.
    fn has_to_wait(&self, request: &ClientFrame) -> bool {
        matches!(&request.message, ClientMessage::Cancel(Cancel { message_id: None, request_id: Some(id) }) if self.sending.contains(id))
    }

    /// Answers that were stopped and are only read on for what they used take no place.
    fn has_place(&self) -> bool {
        let going_on = self.follows.iter().filter(|follow| !follow.turn.is_stopped()).count();
        going_on + self.sending.len() < self.max_follows
    }

    fn refuse_follow(&mut self, id: RequestId) {
        let most = self.max_follows;
        let text = format!("{most} answers are being made for this connection, the most. Wait for one of them.");
        let mut error = ErrorData::new(ErrorCode::RateLimited, text);
        error.retry_after_ms = Some(BUSY_RETRY_AFTER_MS);
        self.refuse(Some(id), error);
    }

    fn refuse_draining(&mut self, id: RequestId, reconnect_in: Duration) {
        let text =
            "The proxy is about to restart and begins no more answers. Connect again and send the message there.";
        let mut error = ErrorData::new(ErrorCode::Draining, text);
        error.retry_after_ms = Some(millis(reconnect_in));
        self.refuse(Some(id), error);
    }

    fn refuse(&mut self, id: Option<RequestId>, error: ErrorData) {
        self.refused.push((id.clone(), error.code));
        self.reply(id, ServerMessage::Error(error));
    }

    /// What was refused since the last time, without being served.
    pub fn take_refused(&mut self) -> Vec<(Option<RequestId>, ErrorCode)> {
        std::mem::take(&mut self.refused)
    }

    /// Whether the connection takes more frames. While it does not, the socket is not read, and TCP slows the client down.
    pub fn wants_input(&self) -> bool {
        let is_asking = !self.is_let_in() && self.serving + self.requests.len() > 0;
        self.close.is_none()
            && !is_asking
            && self.serving + self.requests.len() < MAX_REQUESTS
            && self.replies.len() < MAX_REQUESTS
    }

    /// Takes what came of the request `id`.
    pub fn handle_outcome(&mut self, now: Instant, id: RequestId, outcome: Outcome) {
        self.serving -= 1;
        if let Some(at) = self.sending.iter().position(|sending| *sending == id) {
            self.sending.swap_remove(at);
        }
        match outcome {
            Outcome::Reply(message) => self.reply(Some(id), *message),
            Outcome::Failed(error) => self.reply(Some(id), ServerMessage::Error(error)),
            Outcome::Refused(error, code, reason) => {
                self.reply(Some(id), ServerMessage::Error(error));
                self.close(code, reason);
            }
            Outcome::Identified { expires_in, reply, .. } => {
                self.let_in(now, expires_in);
                self.reply(Some(id), *reply);
            }
            Outcome::Follow { turn, from, whole } => self.follow(now, id, turn, from, whole),
        }
    }

    fn follow(&mut self, now: Instant, id: RequestId, turn: Arc<Turn>, from: From, whole: bool) {
        if let Some(follow) = self.follows.iter_mut().find(|follow| Arc::ptr_eq(&follow.turn, &turn)) {
            if let From::After(after) = from {
                (follow.cursor, follow.whole) = (after, whole);
            }
        } else if !self.has_place() {
            self.refuse_follow(id);
        } else {
            let encoder = StreamEncoder::new(&turn.request_id, &turn.session_id, &turn.message_id);
            let cursor = match from {
                From::After(after) => after,
                From::End => turn.with_log(|log| log.seq() - u64::from(log.end().is_some())),
            };
            self.follows.push_back(Follow { turn, encoder, cursor, whole, news: now, waiting_known: 0 });
        }
    }

    fn reply(&mut self, id: Option<RequestId>, message: ServerMessage) {
        self.replies.push_back(encode_server(&ServerFrame { id, message }));
    }

    /// The proxy is about to stop: no answer begins any more, and the connection ends with those it follows.
    pub fn drain(&mut self, reconnect_in: Duration) {
        if self.close.is_some() || self.draining.is_some() {
            return;
        }
        self.draining = Some(reconnect_in);
        self.reply(None, ServerMessage::Draining(Draining { reconnect_in_ms: millis(reconnect_in) }));
    }

    /// Whether it is to end.
    pub fn is_closing(&self) -> bool {
        self.close.is_some()
    }

    /// Why it is to end, or has.
    pub fn close_code(&self) -> Option<CloseCode> {
        self.close.map(|(code, _)| code)
    }

    fn close_if_drained(&mut self) {
        if self.draining.is_some() && self.follows.is_empty() && self.serving == 0 && self.requests.is_empty() {
            self.close(CloseCode::RESTART, "the proxy restarts");
        }
    }

    /// Ends the connection once what is queued has been sent.
    pub fn close(&mut self, code: CloseCode, reason: &'static str) {
        self.close.get_or_insert((code, reason));
    }

    /// When to call [`Connection::handle_timeout`], if nothing else happens. The time may be too early, never too late. `None`
    /// once the connection is to be closed: there is nothing to wait for but the socket.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.close.is_some() {
            return None;
        }
        let liveness = self.pinged + if self.awaiting_pong { PONG_TIMEOUT } else { PING_INTERVAL };
        let status = self.follows.iter().map(|follow| follow.news + STATUS_INTERVAL).min();
        let gate = match self.gate {
            Gate::Shut { until, .. } => Some(until),
            Gate::Open { until } => until,
        };
        status.into_iter().chain(gate).chain([liveness]).min()
    }

    /// Does what is due `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        match self.gate {
            Gate::Shut { until, .. } if now >= until => {
                return self.close(CloseCode::NO_HELLO, "no client.hello in time");
            }
            Gate::Open { until: Some(until) } if now >= until => {
                return self.close(CloseCode::TOKEN_EXPIRED, "the token has expired");
            }
            _ => {}
        }
        if self.awaiting_pong && now >= self.pinged + PONG_TIMEOUT {
            return self.close(CloseCode::SILENT, "no sign of life");
        }
        if !self.awaiting_pong && now >= self.pinged + PING_INTERVAL {
            self.pinged = now;
            self.awaiting_pong = true;
            self.ping_due = true;
        }
        for at in 0..self.follows.len() {
            let follow = &mut self.follows[at];
            if now < follow.news + STATUS_INTERVAL {
                continue;
            }
            follow.news = now;
            // A socket that is slow to take what there is, is not an answer that is silent.
            if follow.has_more() || !follow.turn.is_question_kept() {
                continue;
            }
            // A wait that is over has nothing to say of the silence after it.
            let waiting = follow.turn.waiting().state;
            let waiting = waiting.filter(|(state, until)| *state != StatusState::Retrying || *until > now);
            let text = follow.status_frame(now, waiting);
            self.replies.push_back(text);
        }
    }

    /// The next frame to send, made now: asked for only when the socket can take it.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Transmit> {
        if self.close_sent {
            return None;
        }
        if std::mem::take(&mut self.ping_due) {
            return Some(Transmit::Ping);
        }
        if let Some(reply) = self.replies.pop_front() {
            return Some(Transmit::Text(reply));
        }
        self.close_if_drained();
        if let Some((code, reason)) = self.close {
            self.close_sent = true;
            return Some(Transmit::Close(code, reason));
        }
        // Each turn gets a frame in its turn.
        for _ in 0..self.follows.len() {
            let mut follow = self.follows.pop_front()?;
            let (text, ended) = follow.next_frame(now);
            if text.is_some() {
                follow.news = now;
            }
            if !ended {
                self.follows.push_back(follow);
            }
            if let Some(text) = text {
                return Some(Transmit::Text(text));
            }
        }
        None
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl Follow {
    /// Whether it follows the answer that was asked for under this id in this session.
    fn is_of(&self, id: &RequestId, session: Option<&SessionId>) -> bool {
        self.turn.request_id == *id && Some(&self.turn.session_id) == session
    }

    /// Whether there is something to send.
    fn has_more(&self) -> bool {
        let is_kept = || self.turn.kept_elsewhere().is_some();
        if self.whole {
            self.turn.has_ended()
        } else {
            self.turn.with_log(|log| log.read(self.cursor).is_some()) || is_kept()
        }
    }

    /// The next frame, and whether it is the last: what lies behind the cursor, or else what the turn has begun to wait for.
    fn next_frame(&mut self, now: Instant) -> (Option<String>, bool) {
        let waiting = self.turn.waiting();
        match self.next_event() {
            (None, false) if waiting.changes > self.waiting_known => {
                self.waiting_known = waiting.changes;
                (waiting.state.map(|state| self.status_frame(now, Some(state))), false)
            }
            event => event,
        }
    }

    fn status_frame(&self, now: Instant, waiting: Option<(StatusState, Instant)>) -> String {
        let (state, retry_in_ms) = match waiting {
            Some((StatusState::Retrying, until)) => {
                (StatusState::Retrying, Some(millis(until.saturating_duration_since(now))))
            }
            Some((state, _)) => (state, None),
            None => (StatusState::Stalled, None),
        };
        let message_id = self.turn.message_id.clone();
        let message = ServerMessage::Status(Status { message_id, state, retry_in_ms });
        encode_server(&ServerFrame { id: Some(self.turn.request_id.clone()), message })
    }

    /// The frame with what lies behind the cursor, and whether it is the last.
    fn next_event(&mut self) -> (Option<String>, bool) {
        let Self { turn, encoder, cursor, whole, .. } = self;
        if *whole && !turn.has_ended() {
            return (None, false);
        }
        if let Some(message) = turn.kept_elsewhere() {
            return (Some(turn.kept_frame(message, *whole)), true);
        }
        let event = turn.with_log(|log| {
            if *whole && let Some(End::Complete { .. }) = log.end() {
                return Event::Whole;
            }
            let after = if *whole { log.seq() - 1 } else { *cursor };
            match log.read(after) {
                None if log.end().is_some() => Event::Nothing,
                None => Event::NotYet,
                Some(batch @ Batch::Deltas { kind, part, first, seq, content }) => {
                    *cursor = batch.seq();
                    Event::Text(encoder.encode(kind, part, first, seq, content))
                }
                Some(Batch::Call { seq, call }) => {
                    *cursor = seq;
                    Event::Call(seq, call.clone())
                }
                Some(Batch::End { seq, end }) => Event::End(seq, end.clone()),
            }
        });
        match event {
            Event::NotYet => (None, false),
            Event::Nothing => (None, true),
            Event::Text(text) => (Some(text), false),
            Event::Call(seq, call) => (Some(turn.call_frame(seq, call)), false),
            Event::End(seq, end) => (Some(turn.end_frame(seq, &end)), true),
            Event::Whole => (Some(turn.whole_frame()), true),
        }
    }
}

impl Turn {
    fn call_frame(&self, seq: u64, call: ToolUse) -> String {
        let message = ServerMessage::ToolUse(ToolUseUpdate { message_id: self.message_id.clone(), seq, call });
        encode_server(&ServerFrame { id: Some(self.request_id.clone()), message })
    }

    fn end_frame(&self, seq: u64, end: &End) -> String {
        let message = match end {
            End::Complete { stop_reason, usage } => ServerMessage::MessageComplete(MessageComplete {
                session_id: self.session_id.clone(),
                message_id: self.message_id.clone(),
                seq,
                model: self.model(),
                stop_reason: *stop_reason,
                usage: usage.clone(),
            }),
            End::Failed(error) => ServerMessage::Error(error.clone()),
        };
        encode_server(&ServerFrame { id: Some(self.request_id.clone()), message })
    }

    fn whole_frame(&self) -> String {
        let response = MessageResponse { session_id: self.session_id.clone(), message: self.message() };
        encode_server(&ServerFrame {
            id: Some(self.request_id.clone()),
            message: ServerMessage::MessageResponse(response),
        })
    }

    /// The end of an answer of another process.
    fn kept_frame(&self, message: Message, whole: bool) -> String {
        let session_id = self.session_id.clone();
        let message = match &message.error {
            Some(error) if whole => ServerMessage::Error(error.clone()),
            None if whole => ServerMessage::MessageResponse(MessageResponse { session_id, message }),
            _ => ServerMessage::Snapshot(Snapshot::of_kept(session_id, message)),
        };
        encode_server(&ServerFrame { id: Some(self.request_id.clone()), message })
    }
}

#[cfg(test)]
mod tests;
