//! What frames from the proxy do.

use protocol::{
    AnswerState, Applied, ErrorCode, ErrorData, Part, StopReason, TurnEvent, Usage,
    codec::{Incoming, Received, StreamDecoder, StreamFrame, StreamKind, decode_server},
};

use crate::{
    Client, Handle, RequestError, RequestErrorCode, Time,
    request::{Cancel, Kind, Request},
};

const LOST: &str = "The proxy does not have this answer any more. Send the message again.";
const DIFFERENT: &str = "The answer changed while the connection was lost. Send the message again.";

impl Client {
    pub(crate) fn receive(&mut self, now: Time, text: &str) {
        let awaited_hello = self.connection.awaited_hello();
        if awaited_hello.is_none() && !self.connection.is_open() {
            return;
        }
        self.connection.heard(now);
        if awaited_hello.is_none() && self.received_like_the_last(now, text) {
            return;
        }
        let Ok(received) = decode_server(text) else {
            let change = self.connection.unreadable(now, &mut self.out);
            return self.changed(now, change);
        };
        let handle = self.ids.parse(&received.id).or_else(|| self.chose(&received.id));
        if awaited_hello.is_some() {
            if awaited_hello == handle {
                self.greeting(now, received);
            }
            return;
        }
        if let Incoming::Draining { reconnect_in_ms } = received.incoming {
            return self.connection.drain(now, reconnect_in_ms);
        }
        let asked = handle.and_then(|handle| self.position(handle));
        if let Some(at) = asked.or_else(|| self.followed(handle, &received.incoming)) {
            let request = &mut self.requests[at];
            if request.end.is_none() {
                if let Incoming::Stream { kind, .. } = received.incoming {
                    request.decoder.learn(text);
                    request.decodes = kind;
                    self.latest = Some(request.handle);
                }
                self.answered(now, at, received, text.len());
            }
        } else if let Some(at) = handle.and_then(|id| self.resumed(id)) {
            if let Incoming::Error(error) = received.incoming {
                self.not_resumed(now, at, error);
            } else {
                self.answered(now, at, received, text.len());
            }
        } else if let ("", Incoming::Error(error)) = (&*received.id, received.incoming) {
            self.nameless_error(error);
        }
    }

    /// The answer that a frame is about, if it is one that somebody else asked for: its frames have the id of that request.
    fn followed(&self, handle: Option<Handle>, incoming: &Incoming<'_>) -> Option<usize> {
        if handle.is_some_and(|id| self.resumed(id).is_some()) {
            return None;
        }
        let name: &str = match incoming {
            Incoming::Stream { message_id, .. }
            | Incoming::ToolUse { message_id, .. }
            | Incoming::Complete { message_id, .. }
            | Incoming::Snapshot { message_id, .. }
            | Incoming::Status { message_id, .. } => message_id,
            Incoming::Error(error) => error.message_id.as_ref()?.as_str(),
            _ => return None,
        };
        self.requests.iter().position(|request| request.followed && request.message_id == name)
    }

    /// The answer that a `chat.resume` with this id was about, if it is not answered yet.
    fn resumed(&self, id: Handle) -> Option<usize> {
        self.requests.iter().position(|request| request.resume.is_some_and(|(asked, _)| asked == id))
    }

    /// The path of nearly all frames: more text of the latest answer, in a frame that begins like the last one.
    pub(crate) fn receive_rest(&mut self, now: Time, rest: &str) {
        let latest = self.latest.and_then(|handle| self.position(handle));
        let at = latest.filter(|&at| self.requests[at].end.is_none() && self.connection.is_open());
        let frame = StreamDecoder::decode_rest(rest);
        if let (Some(at), Some(frame)) = (at, frame) {
            self.connection.heard(now);
            self.more(now, at, frame, self.requests[at].decoder.head().len() + rest.len());
        } else {
            let whole = self.head().map_or("", |(_, head)| head).to_owned() + rest;
            self.receive(now, &whole);
        }
    }

    fn received_like_the_last(&mut self, now: Time, text: &str) -> bool {
        for (at, request) in self.requests.iter().enumerate() {
            if request.end.is_some() {
                continue;
            }
            if let Some(frame) = request.decoder.decode(text) {
                self.latest = Some(request.handle);
                self.more(now, at, frame, text.len());
                return true;
            }
        }
        false
    }

    fn more(&mut self, now: Time, at: usize, frame: StreamFrame<'_>, frame_bytes: usize) {
        let request = &mut self.requests[at];
        let StreamFrame { part, first, seq, content } = frame;
        let event = event(request.decodes, part, &content);
        request.received_bytes += frame_bytes;
        if request.received_bytes > self.config.max_answer_bytes {
            self.stop_too_long(at);
        } else if self.apply(now, at, first, seq, &event) {
            self.announce(at);
        }
    }

    fn greeting(&mut self, now: Time, received: Received<'_>) {
        let change = match received.incoming {
            Incoming::Hello { default_model } => {
                self.default_model = default_model.map(Into::into);
                self.connection.greeted(now, received.data, &mut self.out)
            }
            Incoming::Error(error) => self.connection.refused(now, &error, &mut self.out),
            _ => return,
        };
        self.changed(now, change);
    }

    /// A frame about the request at `at`.
    fn answered(&mut self, now: Time, at: usize, received: Received<'_>, frame_bytes: usize) {
        let request = &mut self.requests[at];
        if request.kind == Kind::Stream {
            request.received_bytes += frame_bytes;
            if request.received_bytes > self.config.max_answer_bytes {
                return self.stop_too_long(at);
            }
        }
        match received.incoming {
            Incoming::Stream { kind, session_id, message_id, part, first, seq, content } => {
                request.name(&session_id, &message_id);
                if self.apply(now, at, first, seq, &event(kind, part, &content)) {
                    self.announce(at);
                }
            }
            Incoming::ToolUse { message_id, seq, call } => {
                request.name("", &message_id);
                if self.apply(now, at, seq, seq, &TurnEvent::ToolUse { call: &call }) {
                    self.announce(at);
                }
            }
            Incoming::Status { message_id, state, retry_in_ms } => {
                request.name("", &message_id);
                request.status = Some((state, retry_in_ms));
                if request.kind == Kind::Stream {
                    self.announce(at);
                }
            }
            Incoming::Complete { session_id, message_id, seq, model, stop_reason, usage } => {
                request.name(&session_id, &message_id);
                request.model = model.map(Into::into).or(request.model.take());
                let event = TurnEvent::Complete { stop_reason, usage: &usage };
                if request.kind == Kind::Whole || self.apply(now, at, seq, seq, &event) {
                    self.complete(at, stop_reason, usage);
                }
            }
            Incoming::Response { session_id, message_id, content, model, stop_reason, usage } => {
                request.name(&session_id, &message_id);
                request.model = model.map(Into::into).or(request.model.take());
                if request.kind == Kind::Whole {
                    self.count(at, Some(&usage));
                    self.reply(at, Ok(received.data.to_owned()));
                } else {
                    let parts = vec![Part::Text { text: content.into_owned() }];
                    let end = Some((stop_reason.unwrap_or(StopReason::EndTurn), usage));
                    self.replace(at, u64::MAX, parts, AnswerState::Complete, end);
                }
            }
            Incoming::Snapshot { session_id, message_id, seq, state, parts, model, usage, stop_reason, error } => {
                request.name(&session_id, &message_id);
                request.model = model.map(Into::into).or(request.model.take());
                request.caught_up();
                if request.kind != Kind::Stream {
                    return;
                }
                match &*state {
                    "streaming" => {
                        if seq > request.progress.answer().seq() {
                            self.replace(at, seq, parts, AnswerState::Streaming, None);
                        }
                    }
                    "complete" => {
                        let end = Some((stop_reason.unwrap_or(StopReason::Other), usage.unwrap_or_default()));
                        self.replace(at, seq, parts, AnswerState::Complete, end);
                    }
                    _ => {
                        let mut error =
                            error.map_or_else(|| RequestError::interrupted(LOST), |error| RequestError::from(*error));
                        error.usage = error.usage.or(usage.map(Box::new));
                        // What the proxy kept may be less than what came here: then that stays.
                        let _ = request.progress.replace(seq, AnswerState::Streaming, parts);
                        self.fail(at, error);
                    }
                }
            }
            Incoming::Error(error) => self.failed(now, at, error),
            Incoming::Reply if request.kind == Kind::Call => self.reply(at, Ok(received.data.to_owned())),
            Incoming::Reply | Incoming::Hello { .. } | Incoming::Draining { .. } => {}
        }
    }

    /// Applies an event if it is the next one; asks for those before it if it is not.
    fn apply(&mut self, now: Time, at: usize, first: u64, seq: u64, event: &TurnEvent<'_>) -> bool {
        let request = &mut self.requests[at];
        if request.kind != Kind::Stream {
            return false;
        }
        match request.progress.apply(first, seq, event) {
            Applied::Next => {
                request.caught_up();
                request.status = None;
                true
            }
            Applied::Duplicate => false,
            Applied::Gap => {
                request.gap = true;
                self.resume(now, at);
                false
            }
        }
    }

    fn replace(&mut self, at: usize, seq: u64, parts: Vec<Part>, state: AnswerState, end: Option<(StopReason, Usage)>) {
        if !self.requests[at].progress.replace(seq, state, parts) {
            let mut error = RequestError::interrupted(DIFFERENT);
            error.usage = end.map(|(_, usage)| Box::new(usage));
            return self.fail(at, error);
        }
        match end {
            Some((stop_reason, usage)) => self.complete(at, stop_reason, usage),
            None => self.announce(at),
        }
    }

    fn failed(&mut self, now: Time, at: usize, error: ErrorData) {
        let request = &self.requests[at];
        let begun = !request.message_id.is_empty() || error.message_id.is_some();
        if error.code == ErrorCode::Draining && !begun {
            return self.not_taken(now, at, &error);
        }
        // The error of an answer is its last event, and counted; the error of a request has no number.
        if let (Kind::Stream, Some(seq)) = (request.kind, error.seq) {
            let message_id = error.message_id.as_ref().map_or("", |id| id.as_str());
            self.requests[at].name("", message_id);
            if !self.apply(now, at, seq, seq, &TurnEvent::Error(&error)) {
                return;
            }
        }
        self.fail(at, error.into());
    }

    /// The proxy could not read the id of a frame. It is about the last that it has not answered: an error on that one is better than a
    /// request that never ends.
    fn nameless_error(&mut self, error: ErrorData) {
        let unanswered = |request: &Request| request.in_flight() && request.message_id.is_empty();
        if let Some(at) = self.requests.iter().rposition(unanswered) {
            self.fail(at, error.into());
        }
    }

    fn not_resumed(&mut self, now: Time, at: usize, error: ErrorData) {
        match error.code {
            ErrorCode::Draining => self.not_taken(now, at, &error),
            ErrorCode::SessionNotFound => self.fail(at, RequestError::interrupted(LOST)),
            _ => self.fail(at, error.into()),
        }
    }

    /// The proxy is about to stop and took no new work: the request waits for the next connection.
    fn not_taken(&mut self, now: Time, at: usize, error: &ErrorData) {
        self.requests[at].lose_socket();
        let wait_ms = error.retry_after_ms.unwrap_or_else(|| self.connection.short_wait_ms());
        self.connection.drain(now, wait_ms);
    }

    fn stop_too_long(&mut self, at: usize) {
        if self.requests[at].cancel == Cancel::No {
            self.send_cancel(at);
        }
        let code = RequestErrorCode::Proxy(ErrorCode::MessageTooLarge);
        self.fail(
            at,
            RequestError::new(code, false, "The answer is longer than this client takes: ask for less at once."),
        );
    }
}

fn event(kind: StreamKind, part: u32, content: &str) -> TurnEvent<'_> {
    match kind {
        StreamKind::Text => TurnEvent::Text { part, content },
        StreamKind::Reasoning => TurnEvent::Reasoning { part, content },
        StreamKind::ToolInput => TurnEvent::ToolInput { part, content },
    }
}
