//! The machine itself: calls in, frames and news out.

use std::collections::VecDeque;

use protocol::{
    ErrorCode, RequestId, StopReason, Usage,
    codec::{Incoming, JsonObject, decode_server, encode_raw},
    limits::MAX_CLIENT_FRAME_BYTES,
};

use crate::{
    Config, Handle, Input, News, Output, PageUsage, RequestError, RequestErrorCode, SendOptions, Status, Time,
    answer::Progress,
    connection::{Change, Connection, Load},
    ids::Ids,
    request::{Cancel, End, Kind, Request},
};

/// A client of one proxy. The crate's page says how it is driven.
#[derive(Debug)]
pub struct Client {
    pub(crate) config: Config,
    pub(crate) ids: Ids,
    pub(crate) connection: Connection,
    pub(crate) requests: Vec<Request>,
    pub(crate) default_model: Option<String>,
    /// The answer whose frames the next one is most likely like.
    pub(crate) latest: Option<Handle>,
    pub(crate) out: VecDeque<Output>,
    usage: PageUsage,
}

impl Client {
    /// A client that does nothing yet. `seed` decides its waits and its ids, so that it must be another one in every page; with
    /// the same seed and the same inputs it does the same.
    pub fn new(config: Config, seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        Self {
            ids: Ids::new(rng.u64(..)),
            connection: Connection::new(config.clone(), rng),
            config,
            requests: Vec::new(),
            default_model: None,
            latest: None,
            out: VecDeque::new(),
            usage: PageUsage::default(),
        }
    }

    /// Takes what happened.
    pub fn handle_input(&mut self, now: Time, input: Input<'_>) {
        let Self { connection, ids, out, .. } = self;
        let change = match input {
            Input::Received(text) => return self.receive(now, text),
            Input::ReceivedRest(rest) => return self.receive_rest(now, rest),
            Input::Connect => {
                connection.connect(now, out);
                Change::Nothing
            }
            Input::Token { attempt, result } => connection.token(now, attempt, result, out),
            Input::Opened => {
                connection.opened(now, ids, out);
                Change::Nothing
            }
            Input::SocketClosed { code, reason } => connection.socket_closed(now, code, reason, out),
            Input::Online | Input::Offline => {
                connection.network(now, input == Input::Online, ids, out);
                Change::Nothing
            }
            Input::Visible => {
                connection.wake(now, ids, out);
                Change::Nothing
            }
            Input::Close => connection.close(None, "The client was closed: make a new one.", out),
        };
        self.changed(now, change);
    }

    /// Does what is due. Calling it early does no harm.
    pub fn handle_timeout(&mut self, now: Time) {
        let load = self.load();
        let Self { connection, ids, out, .. } = self;
        let change = connection.handle_timeout(now, load, ids, out);
        self.changed(now, change);
        for at in 0..self.requests.len() {
            if self.requests[at].sent && self.requests[at].gap {
                self.resume(now, at);
            }
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due, if nothing happens before.
    pub fn poll_timeout(&self) -> Option<Time> {
        let gap = |request: &Request| {
            let (_, asked) = request.resume.filter(|_| request.in_flight() && request.gap)?;
            Some(asked.after_ms(self.config.resume_again_ms))
        };
        let gaps = self.requests.iter().filter_map(gap);
        self.connection.poll_timeout(self.load()).into_iter().chain(gaps).min()
    }

    /// What to do next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// Sends `chat.send_message` with `data`, the JSON of a [`protocol::client::SendMessage`].
    ///
    /// A streamed answer is read with [`take`](Self::take), any other ends with an [`Output::Reply`] that has the `data` of
    /// `chat.message_response`. It is sent as soon as there is a connection, and again after a reconnect under the same id, so that
    /// no message is answered twice.
    ///
    /// # Errors
    /// A [`RequestError`] for a request that is not taken: nothing will be said about it.
    pub fn send_message(&mut self, now: Time, data: &str, options: SendOptions<'_>) -> Result<Handle, RequestError> {
        self.ask(now, "chat.send_message", data, options)
    }

    /// Sends `chat.regenerate` with `data`, the JSON of a [`protocol::client::Regenerate`]. Its answer is like that of
    /// [`send_message`](Self::send_message).
    ///
    /// # Errors
    /// As of [`send_message`](Self::send_message).
    pub fn regenerate(&mut self, now: Time, data: &str, options: SendOptions<'_>) -> Result<Handle, RequestError> {
        self.ask(now, "chat.regenerate", data, options)
    }

    fn ask(
        &mut self,
        now: Time,
        type_text: &str,
        data: &str,
        options: SendOptions<'_>,
    ) -> Result<Handle, RequestError> {
        let kind = if options.streaming { Kind::Stream } else { Kind::Whole };
        let mut request = self.request_of(kind, type_text, data, options.id)?;
        request.ever_sent = options.resent;
        request.model = options.model.map(str::to_owned);
        options.session_id.unwrap_or_default().clone_into(&mut request.session_id);
        Ok(self.add(now, request))
    }

    /// Follows an answer that another page, or this one before it was loaded anew, has asked for. `held` is what there is of it: the
    /// JSON of a [`protocol::server::Snapshot`], which `inProgress` of `chat.history_response` is but for its session.
    ///
    /// It is read with [`take`](Self::take), which gives what comes after `held`; [`Piece::Done`](crate::Piece::Done) has the whole
    /// text. [`cancel`](Self::cancel) stops it as any other answer. [`release`](Self::release) only looks away: the answer goes on.
    /// What it used is counted here too.
    ///
    /// # Errors
    /// A [`RequestError`] for a request that is not taken, as one is for an answer that this client follows already.
    pub fn follow(&mut self, now: Time, held: &str) -> Result<Handle, RequestError> {
        self.admit()?;
        let frame = encode_raw("", "chat.snapshot", held);
        let Ok(Incoming::Snapshot { session_id, message_id, seq, parts, model, .. }) =
            decode_server(&frame).map(|received| received.incoming)
        else {
            return Err(invalid(NOT_IN_PROGRESS));
        };
        if message_id.is_empty() {
            return Err(invalid(NOT_IN_PROGRESS));
        }
        if let Some(at) = self.requests.iter().position(|known| known.message_id == message_id) {
            if !self.requests[at].released {
                return Err(invalid("This client follows this answer already: read its first stream."));
            }
            self.requests.remove(at);
        }
        let handle = self.ids.fresh();
        let mut request = Request::followed(handle, &session_id, &message_id, Progress::held(seq, parts));
        request.model = model.map(Into::into);
        request.received_bytes = held.len();
        Ok(self.add(now, request))
    }

    /// Sends a request of the type `kind` that has one reply, with `data`, the JSON of its fields. Ends with an
    /// [`Output::Reply`]. It is sent again after a reconnect.
    ///
    /// # Errors
    /// A [`RequestError`] for a request that is not taken: nothing will be said about it.
    pub fn call(&mut self, now: Time, kind: &str, data: &str) -> Result<Handle, RequestError> {
        let request = self.request_of(Kind::Call, kind, data, None)?;
        Ok(self.add(now, request))
    }

    /// Stops an answer. It ends as the proxy says, with what it used; one that was never sent ends at once, with no usage. Without a
    /// connection the proxy hears of it after the reconnect. Does nothing for anything but an answer under way.
    pub fn cancel(&mut self, now: Time, handle: Handle) {
        let Some(at) = self.position(handle) else { return };
        let request = &mut self.requests[at];
        if request.kind == Kind::Call || request.end.is_some() || request.cancel != Cancel::No {
            return;
        }
        request.cancel = Cancel::Wanted;
        self.suspect(now);
        let request = &self.requests[at];
        if !request.ever_sent {
            self.end_unsent(at);
        } else if request.sent {
            self.send_cancel(at);
        }
        self.pump(now);
    }

    /// Nobody waits for the request any more: nothing is said about it from now on. An answer that was asked for here is still followed
    /// to its end, for what it used; any other is not.
    pub fn release(&mut self, handle: Handle) {
        let Some(at) = self.position(handle) else { return };
        let request = &mut self.requests[at];
        request.released = true;
        let left = request.followed && request.cancel != Cancel::Wanted;
        if request.end.is_some() || !request.ever_sent || request.kind == Kind::Call || left {
            self.requests.remove(at);
        }
    }

    /// Gives `visit` what is new of a streamed answer since the last call, and forgets the answer once its end was given. Does
    /// nothing for any other handle.
    pub fn take(&mut self, handle: Handle, visit: impl FnMut(News<'_>)) {
        let Some(at) = self.position(handle) else { return };
        self.requests[at].take(visit);
        if self.requests[at].end.is_some() {
            self.requests.remove(at);
        }
    }

    /// Where the connection stands.
    pub fn status(&self) -> &Status {
        self.connection.status()
    }

    /// The answer that the next frame is probably about, and how that frame begins then. A shell for which handing over text is dear
    /// may compare and give only the rest, as [`Input::ReceivedRest`]. Changes only with [`Input::Received`].
    pub fn head(&self) -> Option<(Handle, &str)> {
        let latest = self.latest?;
        let head = self.requests.iter().find(|request| request.handle == latest)?.decoder.head();
        (!head.is_empty()).then_some((latest, head))
    }

    /// What was used so far.
    pub fn usage(&self) -> &PageUsage {
        &self.usage
    }

    fn request_of(
        &mut self,
        kind: Kind,
        type_text: &str,
        data: &str,
        id: Option<&str>,
    ) -> Result<Request, RequestError> {
        self.admit()?;
        let chosen_id = id.map(|id| self.chosen_id(id)).transpose()?;
        let handle = self.ids.fresh();
        let frame = match &chosen_id {
            Some(id) => encode_raw(id.as_str(), type_text, data),
            None => encode_raw(&self.ids.text(handle), type_text, data),
        };
        if frame.len() > MAX_CLIENT_FRAME_BYTES {
            let message = "The message and its attachments are longer than 1 MiB: send less at once.";
            return Err(RequestError::new(RequestErrorCode::Proxy(ErrorCode::MessageTooLarge), false, message));
        }
        Ok(Request { chosen_id, ..Request::new(handle, kind, frame) })
    }

    /// The id that the caller chose, if frames from the proxy can be told by it.
    fn chosen_id(&self, id: &str) -> Result<RequestId, RequestError> {
        let message = if self.ids.parse(id).is_some() {
            "This id is one that the client gives out itself: choose another."
        } else if self.chose(id).is_some() {
            "A message with this id is under way already: wait for its answer or choose another id."
        } else if let Ok(id) = RequestId::new(id) {
            return Ok(id);
        } else {
            "The id of a message has to be 1 to 128 bytes without control characters."
        };
        Err(invalid(message))
    }

    /// The message under way that has this id by its caller's choice.
    pub(crate) fn chose(&self, id: &str) -> Option<Handle> {
        let has = |request: &&Request| {
            request.end.is_none() && request.chosen_id.as_ref().is_some_and(|chosen| chosen.as_str() == id)
        };
        self.requests.iter().find(has).map(|request| request.handle)
    }

    /// Whether one more request is taken.
    fn admit(&self) -> Result<(), RequestError> {
        if let Status::Closed { reason, .. } = self.connection.status() {
            return Err(closed(reason));
        }
        if self.requests.len() >= self.config.max_requests {
            let message = "Too many requests have not ended yet: wait for one of them.";
            return Err(RequestError::new(RequestErrorCode::Overloaded, true, message));
        }
        Ok(())
    }

    /// A person waits, and the socket may have died while the machine slept.
    fn suspect(&mut self, now: Time) {
        let load = self.load();
        self.connection.suspect(now, load, &mut self.ids, &mut self.out);
    }

    fn add(&mut self, now: Time, request: Request) -> Handle {
        let handle = request.handle;
        self.suspect(now);
        self.requests.push(request);
        self.connection.connect(now, &mut self.out);
        self.pump(now);
        handle
    }

    pub(crate) fn changed(&mut self, now: Time, change: Change) {
        match change {
            Change::Nothing => {}
            Change::Open => self.pump(now),
            Change::Lost => self.requests.iter_mut().for_each(Request::lose_socket),
            Change::Closed => {
                let error = match self.connection.status() {
                    Status::Closed { reason, .. } => closed(reason),
                    _ => closed(""),
                };
                for at in (0..self.requests.len()).rev() {
                    if self.requests[at].end.is_none() {
                        self.fail(at, error.clone());
                    }
                }
            }
        }
    }

    /// Sends what waits, if the proxy takes it.
    fn pump(&mut self, now: Time) {
        if !self.connection.takes_requests() {
            return;
        }
        for at in 0..self.requests.len() {
            let request = &mut self.requests[at];
            if request.sent || request.end.is_some() {
                continue;
            }
            request.sent = true;
            request.ever_sent = true;
            if request.message_id.is_empty() {
                self.out.push_back(Output::SendText(request.frame.clone()));
            } else {
                self.resume(now, at);
            }
            if self.requests[at].cancel == Cancel::Wanted {
                self.send_cancel(at);
            }
        }
    }

    /// Asks for the events after those that are known, if that was not asked a moment ago.
    pub(crate) fn resume(&mut self, now: Time, at: usize) {
        let request = &mut self.requests[at];
        if request.resume.is_some_and(|(_, asked)| now.ms_since(asked) < self.config.resume_again_ms) {
            return;
        }
        let id = self.ids.fresh();
        request.resume = Some((id, now));
        let mut data = JsonObject::default();
        data.text("messageId", &request.message_id).number("after", request.progress.answer().seq());
        self.out.push_back(Output::SendText(encode_raw(&self.ids.text(id), "chat.resume", &data.finish())));
    }

    pub(crate) fn send_cancel(&mut self, at: usize) {
        let request = &mut self.requests[at];
        request.cancel = Cancel::Sent;
        let mut data = JsonObject::default();
        if request.message_id.is_empty() {
            match &request.chosen_id {
                Some(id) => data.text("requestId", id.as_str()),
                None => data.text("requestId", &self.ids.text(request.handle)),
            };
        } else {
            data.text("messageId", &request.message_id);
        }
        let id = self.ids.fresh();
        self.out.push_back(Output::SendText(encode_raw(&self.ids.text(id), "chat.cancel", &data.finish())));
    }

    fn end_unsent(&mut self, at: usize) {
        if self.requests[at].kind == Kind::Stream {
            self.requests[at].end = Some(End::Done { stop_reason: StopReason::Cancelled, usage: Usage::default() });
            self.announce(at);
        } else {
            self.reply(
                at,
                Err(RequestError::interrupted("The message was stopped before it was sent. Send it again.")),
            );
        }
    }

    /// Ends an answer that is whole or was stopped.
    pub(crate) fn complete(&mut self, at: usize, stop_reason: StopReason, usage: Usage) {
        self.count(at, Some(&usage));
        if self.requests[at].kind == Kind::Stream {
            self.end(at, End::Done { stop_reason, usage });
        } else {
            let mut error =
                RequestError::interrupted("The answer was stopped before it was whole. Send the message again.");
            error.usage = Some(Box::new(usage));
            self.reply(at, Err(error));
        }
    }

    pub(crate) fn fail(&mut self, at: usize, error: RequestError) {
        self.count(at, error.usage.as_deref());
        if self.requests[at].kind == Kind::Stream {
            self.end(at, End::Failed(error));
        } else {
            self.reply(at, Err(error));
        }
    }

    pub(crate) fn reply(&mut self, at: usize, result: Result<String, RequestError>) {
        let request = self.requests.remove(at);
        if !request.released {
            self.out.push_back(Output::Reply { handle: request.handle, result });
        }
    }

    fn end(&mut self, at: usize, end: End) {
        if self.requests[at].released {
            self.requests.remove(at);
        } else {
            self.requests[at].end = Some(end);
            self.announce(at);
        }
    }

    pub(crate) fn count(&mut self, at: usize, usage: Option<&Usage>) {
        let Some(usage) = usage else { return };
        let request = &self.requests[at];
        let model = request.model.as_deref().or(self.default_model.as_deref()).unwrap_or("unknown");
        self.usage.add(&request.session_id, model, usage, self.config.max_totals);
        self.out.push_back(Output::UsageChanged);
    }

    /// Says that there is something to take: once until it is taken, and again when the end has come.
    pub(crate) fn announce(&mut self, at: usize) {
        let request = &mut self.requests[at];
        let ended = request.end.is_some();
        if !request.released && (ended || !request.announced) {
            request.announced = true;
            self.out.push_back(Output::News { handle: request.handle, ended });
        }
    }

    pub(crate) fn position(&self, handle: Handle) -> Option<usize> {
        self.requests.iter().position(|request| request.handle == handle)
    }

    fn load(&self) -> Load {
        let mut load = Load::Idle;
        for request in self.requests.iter().filter(|request| request.in_flight()) {
            match request.kind {
                Kind::Call => load = Load::Busy,
                Kind::Stream | Kind::Whole => return Load::Following,
            }
        }
        load
    }
}

const NOT_IN_PROGRESS: &str = "This is no inProgress of a history: give what history() gives.";

fn invalid(message: &str) -> RequestError {
    RequestError::new(RequestErrorCode::Proxy(ErrorCode::InvalidRequest), false, message)
}

fn closed(reason: &str) -> RequestError {
    let message = if reason.is_empty() { "The connection was closed for good: make a new client." } else { reason };
    RequestError::new(RequestErrorCode::Closed, false, message)
}
