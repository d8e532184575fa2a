//! A client, a proxy and the time between them.

use std::collections::BTreeMap;

use client_core::{Client, Config, Handle, Input, Output, Piece, RequestError, SendOptions, Status, Time};
use protocol::{StopReason, ToolUse, Usage};

use crate::proxy::Proxy;

/// What a consumer has of an answer.
#[derive(Debug, Default)]
pub(crate) struct Received {
    /// The pieces of text, joined.
    pub(crate) text: String,
    /// The calls of tools in the order in which they were first given, each as it was given last.
    pub(crate) calls: Vec<ToolUse>,
    /// The whole text, why it ended, and what it used.
    pub(crate) done: Option<(String, StopReason, Usage)>,
    pub(crate) failed: Option<RequestError>,
}

pub(crate) struct World {
    pub(crate) client: Client,
    pub(crate) proxy: Proxy,
    now_ms: u64,
    /// Each page has another seed.
    reloads: u64,
    /// Whether a connection can be made.
    pub(crate) reachable: bool,
    /// Whether an attempt to connect is left without any event.
    pub(crate) black_hole: bool,
    pub(crate) token_fails: bool,
    pub(crate) connected: bool,
    /// When each attempt began, in milliseconds.
    pub(crate) attempts: Vec<u64>,
    pub(crate) closes: Vec<u16>,
    pub(crate) statuses: Vec<Status>,
    pub(crate) answers: BTreeMap<Handle, Received>,
    pub(crate) replies: BTreeMap<Handle, Result<String, RequestError>>,
    /// Whether the consumer takes news as they come.
    pub(crate) takes: bool,
    /// Whether frames are given without a head that the client knows.
    pub(crate) gives_rests: bool,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Config::default(), 7)
    }

    pub(crate) fn with(config: Config, seed: u64) -> Self {
        Self {
            client: Client::new(config, seed),
            proxy: Proxy::new(),
            now_ms: 1_000,
            reloads: 0,
            reachable: true,
            black_hole: false,
            token_fails: false,
            connected: false,
            attempts: Vec::new(),
            closes: Vec::new(),
            statuses: Vec::new(),
            answers: BTreeMap::new(),
            replies: BTreeMap::new(),
            takes: true,
            gives_rests: true,
        }
    }

    /// A world whose client is connected.
    pub(crate) fn open() -> Self {
        let mut world = Self::new();
        world.input(Input::Connect);
        world.deliver_all();
        assert!(matches!(world.client.status(), Status::Open { .. }));
        world
    }

    pub(crate) fn now(&self) -> Time {
        Time::from_millis(self.now_ms)
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.now_ms
    }

    pub(crate) fn input(&mut self, input: Input<'_>) {
        self.client.handle_input(self.now(), input);
        self.drain();
    }

    /// Asks for a streamed answer in session `s`.
    pub(crate) fn send(&mut self, message: &str) -> Handle {
        self.try_send(message, true).unwrap()
    }

    pub(crate) fn try_send(&mut self, message: &str, streaming: bool) -> Result<Handle, RequestError> {
        self.try_send_as(message, streaming, None)
    }

    /// Asks for an answer in session `s` under an id of the page's own.
    pub(crate) fn try_send_as(
        &mut self,
        message: &str,
        streaming: bool,
        id: Option<&str>,
    ) -> Result<Handle, RequestError> {
        let data = format!(r#"{{"sessionId":"s","message":"{message}","streaming":{streaming}}}"#);
        let options = SendOptions { streaming, session_id: Some("s"), model: None, id, resent: self.reloads > 0 };
        let handle = self.client.send_message(self.now(), &data, options);
        self.drain();
        handle
    }

    /// Asks in session `s` for another answer in the place of `message_id`.
    pub(crate) fn regenerate(&mut self, message_id: &str, streaming: bool, id: Option<&str>) -> Handle {
        let data = format!(r#"{{"sessionId":"s","messageId":"{message_id}","streaming":{streaming}}}"#);
        let options = SendOptions { streaming, session_id: Some("s"), model: None, id, resent: self.reloads > 0 };
        let handle = self.client.regenerate(self.now(), &data, options).unwrap();
        self.drain();
        handle
    }

    pub(crate) fn call(&mut self, kind: &str, data: &str) -> Handle {
        let handle = self.client.call(self.now(), kind, data).unwrap();
        self.drain();
        handle
    }

    pub(crate) fn cancel(&mut self, handle: Handle) {
        self.client.cancel(self.now(), handle);
        self.drain();
    }

    /// Lets the next frame on its way arrive.
    pub(crate) fn deliver(&mut self) -> bool {
        if self.proxy.wire.is_empty() {
            return false;
        }
        let frame = self.proxy.wire.remove(0);
        self.receive(&frame);
        true
    }

    /// Gives a frame to the client, without its head where the client knows that and the world does so.
    fn receive(&mut self, frame: &str) {
        let head = self.client.head().map(|(_, head)| head.to_owned());
        match head.and_then(|head| frame.strip_prefix(&head)) {
            Some(rest) if self.gives_rests => self.input(Input::ReceivedRest(rest)),
            _ => self.input(Input::Received(frame)),
        }
    }

    pub(crate) fn deliver_all(&mut self) {
        while self.deliver() {}
    }

    /// The socket closes with this code. What was on its way is lost.
    pub(crate) fn cut(&mut self, code: u16) {
        self.proxy.cut();
        if std::mem::take(&mut self.connected) {
            self.input(Input::SocketClosed { code, reason: "" });
        }
    }

    /// The page is loaded anew: another client, of another seed, and nothing of the first one is left.
    pub(crate) fn reload(&mut self) {
        self.proxy.cut();
        self.connected = false;
        self.reloads += 1;
        self.client = Client::new(Config::default(), self.reloads);
        self.answers.clear();
        self.replies.clear();
    }

    /// Lets time pass, doing what is due when it is due. Frames arrive at once.
    pub(crate) fn pass_ms(&mut self, ms: u64) {
        let end = self.now_ms + ms;
        for _ in 0..10_000 {
            self.deliver_all();
            match self.client.poll_timeout() {
                Some(due) if due.as_millis() <= end => {
                    self.now_ms = self.now_ms.max(due.as_millis());
                    self.client.handle_timeout(self.now());
                    self.drain();
                }
                _ => {
                    self.now_ms = end;
                    return;
                }
            }
        }
        panic!("the client's timer spins at {} ms", self.now_ms);
    }

    /// Lets time pass without any timer.
    pub(crate) fn sleep_ms(&mut self, ms: u64) {
        self.now_ms += ms;
    }

    /// Follows an answer of which `text` is known, up to event `seq`.
    pub(crate) fn follow(&mut self, message_id: &str, seq: u64, text: &str) -> Result<Handle, RequestError> {
        let message = format!(r#"{{"messageId":"{message_id}","content":"{text}"}}"#);
        let held = format!(
            r#"{{"sessionId":"s","messageId":"{message_id}","seq":{seq},"state":"streaming","message":{message}}}"#
        );
        let handle = self.client.follow(self.now(), &held);
        self.drain();
        handle
    }

    /// Lets time pass until the client is connected, at most a minute.
    pub(crate) fn reconnect(&mut self) {
        for _ in 0..6_000 {
            if matches!(self.client.status(), Status::Open { .. }) {
                return;
            }
            self.pass_ms(10);
        }
        panic!("not connected: {:?}", self.client.status());
    }

    pub(crate) fn take(&mut self, handle: Handle) {
        let received = self.answers.entry(handle).or_default();
        self.client.take(handle, |news| match news.piece {
            Piece::Text(text) => {
                assert!(!text.is_empty(), "a piece of text is never empty");
                received.text.push_str(text);
            }
            Piece::Done { content, stop_reason, usage } => {
                assert!(received.done.is_none() && received.failed.is_none(), "an answer ends once");
                received.done = Some((content, stop_reason, usage.clone()));
            }
            Piece::Failed(error) => {
                assert!(received.done.is_none() && received.failed.is_none(), "an answer ends once");
                received.failed = Some(error.clone());
            }
            Piece::Tool(call) => match received.calls.iter_mut().find(|known| known.tool_use_id == call.tool_use_id) {
                Some(known) => known.clone_from(call),
                None => received.calls.push(call.clone()),
            },
            Piece::Reasoning(_) | Piece::Status { .. } => {}
        });
    }

    pub(crate) fn text(&self, handle: Handle) -> &str {
        self.answers.get(&handle).map_or("", |received| &received.text)
    }

    pub(crate) fn calls(&self, handle: Handle) -> &[ToolUse] {
        self.answers.get(&handle).map_or(&[], |received| &received.calls)
    }

    pub(crate) fn stop_reason(&self, handle: Handle) -> Option<StopReason> {
        Some(self.answers.get(&handle)?.done.as_ref()?.1)
    }

    pub(crate) fn retry_in_ms(&self) -> u64 {
        match self.client.status() {
            Status::Reconnecting { retry_in_ms, .. } => *retry_in_ms,
            other => panic!("not waiting: {other:?}"),
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.client.poll_output() {
            match output {
                Output::FetchToken { attempt } => {
                    self.attempts.push(self.now_ms);
                    let result =
                        if self.token_fails { Err("no".to_owned()) } else { Ok(Some(format!("token-{attempt}"))) };
                    self.client.handle_input(self.now(), Input::Token { attempt, result });
                }
                Output::OpenSocket => {
                    assert!(!self.connected, "one socket at a time");
                    if self.black_hole {
                        continue;
                    }
                    self.connected = self.reachable;
                    let closed = Input::SocketClosed { code: 1006, reason: "" };
                    let input = if self.reachable { Input::Opened } else { closed };
                    self.client.handle_input(self.now(), input);
                }
                Output::SendText(text) => {
                    assert!(self.connected, "nothing is sent without a socket");
                    self.proxy.hear(&text);
                }
                Output::CloseSocket { code } => {
                    self.closes.push(code);
                    self.connected = false;
                    self.proxy.cut();
                }
                Output::StatusChanged(status) => self.statuses.push(status),
                Output::News { handle, .. } => {
                    if self.takes {
                        self.take(handle);
                    }
                }
                Output::Reply { handle, result } => {
                    assert!(self.replies.insert(handle, result).is_none(), "a request is answered once");
                }
                Output::UsageChanged => {}
            }
        }
    }
}
