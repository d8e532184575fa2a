//! A page without a browser: the client machine with a real socket and a real timer.

use std::{
    collections::HashMap,
    future::{Future, poll_fn},
    net::SocketAddr,
    time::Duration,
};

use client_core::{Client, Config, Handle, Input, Liveness, Output, PageUsage, Piece, SendOptions, Status, Time};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use crate::{
    held::Held,
    link::{Happened, Link},
};

/// A page.
pub(crate) struct Page {
    client: Client,
    pub(crate) proxy: SocketAddr,
    began: Instant,
    link: Link,
    outbox: Vec<String>,
    held: HashMap<Handle, Held>,
    /// How many frames of each type have come.
    heard: HashMap<String, u64>,
    mishaps: Option<Mishaps>,
}

/// Frames that do not come once each and in order, as they do on a socket: what the protocol promises even then.
struct Mishaps {
    dice: fastrand::Rng,
    before: String,
    repeated: u64,
    lost: u64,
}

impl Mishaps {
    /// Whether the frame is lost. One without text never is: nothing that follows would tell of it.
    fn loses(&mut self, kind: &str) -> bool {
        let lost = kind.ends_with("_stream") && self.dice.u8(..24) == 0;
        self.lost += u64::from(lost);
        lost
    }

    /// The frame that comes after `frame` though it, or the one before it, has come already.
    fn again(&mut self, frame: String) -> Option<String> {
        let before = std::mem::replace(&mut self.before, frame.clone());
        if self.dice.u8(..8) > 0 {
            return None;
        }
        self.repeated += 1;
        Some(if self.dice.bool() && !before.is_empty() { before } else { frame })
    }
}

impl Page {
    /// With the protocol's rules at a fiftieth of their times. Now and then a frame comes twice, or some text not at all.
    pub(crate) fn new(proxy: SocketAddr, seed: u64) -> Self {
        let liveness = Liveness { ping_after_ms: 150, pong_within_ms: 250 };
        let config = Config { attempt_timeout_ms: 800, idle: liveness, following: liveness, ..Config::default() };
        let dice = fastrand::Rng::with_seed(seed);
        let mishaps = Mishaps { dice, before: String::new(), repeated: 0, lost: 0 };
        Self { mishaps: Some(mishaps), ..Self::with(proxy, seed, config) }
    }

    /// One that gives a socket up as late as the protocol says: for networks on which little comes.
    pub(crate) fn patient(proxy: SocketAddr, seed: u64) -> Self {
        Self::with(proxy, seed, Config::default())
    }

    fn with(proxy: SocketAddr, seed: u64, config: Config) -> Self {
        let config =
            Config { backoff_base_ms: 4, backoff_cap_ms: 30, healthy_after_ms: 500, resume_again_ms: 200, ..config };
        Self {
            client: Client::new(config, seed),
            proxy,
            began: Instant::now(),
            link: Link::None,
            outbox: Vec::new(),
            held: HashMap::new(),
            heard: HashMap::new(),
            mishaps: None,
        }
    }

    /// Sends a message; its pieces are taken as they come, or only at the end.
    pub(crate) fn send(&mut self, session: &str, message: &str, streaming: bool, late: bool) -> Handle {
        let data = json!({ "sessionId": session, "message": message, "streaming": streaming }).to_string();
        let options = SendOptions { streaming, session_id: Some(session), ..SendOptions::default() };
        let handle = self.client.send_message(self.now(), &data, options).expect("a request that is taken");
        self.held.insert(handle, Held { late, ..Held::default() });
        self.act();
        handle
    }

    /// Asks for the history of a session.
    pub(crate) fn ask_history(&mut self, session: &str) -> Handle {
        let data = json!({ "sessionId": session }).to_string();
        let handle = self.client.call(self.now(), "chat.get_history", &data).expect("a request that is taken");
        self.held.insert(handle, Held::default());
        self.act();
        handle
    }

    /// Follows an answer that another page has asked for: `in_progress` of the session's history.
    pub(crate) fn follow(&mut self, session: &str, in_progress: &Value) -> Handle {
        let message = &in_progress["message"];
        let held = json!({
            "sessionId": session,
            "messageId": message["messageId"],
            "seq": in_progress["seq"],
            "state": "streaming",
            "message": message,
        });
        let handle = self.client.follow(self.now(), &held.to_string()).expect("an answer that can be followed");
        self.held.insert(handle, Held::begun(message));
        self.act();
        handle
    }

    pub(crate) fn cancel(&mut self, handle: Handle) {
        self.client.cancel(self.now(), handle);
        self.act();
    }

    pub(crate) fn usage(&self) -> &PageUsage {
        self.client.usage()
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self.client.status(), Status::Open { .. })
    }

    pub(crate) fn held(&self, handle: Handle) -> &Held {
        &self.held[&handle]
    }

    /// How many frames of this type have come.
    pub(crate) fn heard(&self, kind: &str) -> u64 {
        self.heard.get(kind).copied().unwrap_or_default()
    }

    /// How many frames came twice, and how many never.
    pub(crate) fn mishaps(&self) -> (u64, u64) {
        self.mishaps.as_ref().map_or((0, 0), |mishaps| (mishaps.repeated, mishaps.lost))
    }

    pub(crate) fn connect(&mut self) {
        self.input(Input::Connect);
    }

    /// Follows the socket and the timer until `reached`.
    pub(crate) async fn until(&mut self, reached: impl Fn(&Self) -> bool) {
        while !reached(self) {
            match self.happens().await {
                Happened::Opened => self.input(Input::Opened),
                Happened::Frame(text) => self.frame(text),
                Happened::Closed(code) => {
                    self.link = Link::None;
                    self.input(Input::SocketClosed { code, reason: "" });
                }
                Happened::Due => {
                    let now = self.now();
                    self.client.handle_timeout(now);
                    self.act();
                }
            }
        }
    }

    /// The same for as long as `other` takes.
    pub(crate) async fn meanwhile<T>(&mut self, other: impl Future<Output = T>) -> T {
        tokio::select! {
            result = other => result,
            () = self.until(|_| false) => unreachable!("nothing is waited for"),
        }
    }

    fn frame(&mut self, text: String) {
        let kind = text.split("\"type\":\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a type");
        *self.heard.entry(kind.to_owned()).or_default() += 1;
        if self.mishaps.as_mut().is_some_and(|mishaps| mishaps.loses(kind)) {
            return;
        }
        self.input(Input::Received(&text));
        if let Some(again) = self.mishaps.as_mut().and_then(|mishaps| mishaps.again(text)) {
            self.input(Input::Received(&again));
        }
    }

    fn now(&self) -> Time {
        Time::from_millis(self.began.elapsed().as_millis() as u64)
    }

    fn input(&mut self, input: Input<'_>) {
        self.client.handle_input(self.now(), input);
        self.act();
    }

    async fn happens(&mut self) -> Happened {
        let due = self.client.poll_timeout().map(|due| self.began + Duration::from_millis(due.as_millis()));
        let socket = poll_fn(|cx| self.link.poll(&mut self.outbox, cx));
        tokio::select! {
            happened = socket => happened,
            () = sleep_until(due.unwrap_or(self.began)), if due.is_some() => Happened::Due,
        }
    }

    fn act(&mut self) {
        while let Some(output) = self.client.poll_output() {
            match output {
                Output::FetchToken { attempt } => {
                    let now = self.now();
                    self.client.handle_input(now, Input::Token { attempt, result: Ok(None) });
                }
                Output::OpenSocket => {
                    self.outbox.clear();
                    self.link = Link::open(self.proxy);
                }
                Output::SendText(text) => self.outbox.push(text),
                Output::CloseSocket { .. } => self.link = Link::None,
                Output::News { handle, ended } => {
                    if ended || !self.held[&handle].late {
                        self.take(handle);
                    }
                }
                Output::Reply { handle, result } => {
                    let held = self.held.get_mut(&handle).expect("a request of this page");
                    match result {
                        Ok(data) => held.reply = Some(serde_json::from_str(&data).expect("JSON")),
                        Err(error) => held.failed = Some(error),
                    }
                }
                Output::StatusChanged(_) | Output::UsageChanged => {}
            }
        }
    }

    fn take(&mut self, handle: Handle) {
        let held = self.held.get_mut(&handle).expect("a request of this page");
        self.client.take(handle, |news| {
            assert!(!held.ended(), "news after the end");
            news.message_id.clone_into(&mut held.message_id);
            match news.piece {
                Piece::Text(text) => held.text.push_str(text),
                Piece::Reasoning(text) => held.reasoning.push_str(text),
                Piece::Done { content, stop_reason, usage } => held.done = Some((content, stop_reason, usage.clone())),
                Piece::Failed(error) => held.failed = Some(error.clone()),
                Piece::Tool(_) | Piece::Status { .. } => {}
            }
        });
    }
}
