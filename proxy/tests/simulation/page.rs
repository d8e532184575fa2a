//! A tab: the real client, and what its session storage keeps when it is loaded anew. It does what a dashboard does.

use client_core::{Client, Config, Handle, Input, Liveness, Output, SendOptions, Time};
use serde_json::{Value, json};

pub(crate) const SESSION: &str = "s";

pub(crate) struct Page {
    pub(crate) client: Client,
    /// When a socket that was asked for turns out not to open.
    pub(crate) attempt: Option<u64>,
    /// The answers that are shown as they come.
    pub(crate) reading: Vec<Reading>,
    /// Messages that nobody has acknowledged yet. It outlives a reload.
    pub(crate) outbox: Vec<usize>,
    history: Option<Handle>,
    /// What was used by the answers whose end this client has told of, and by those of them that used nothing.
    pub(crate) usages: u64,
    pub(crate) unused: u64,
}

/// An answer that is shown.
pub(crate) struct Reading {
    pub(crate) handle: Handle,
    pub(crate) question: usize,
    pub(crate) text: String,
}

/// What the history of the session says.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// Question and answer, in their order.
    pub(crate) turns: Vec<(String, Option<String>)>,
    /// What is held of an answer under way, and its text.
    pub(crate) in_progress: Option<(Value, String)>,
}

impl Page {
    pub(crate) fn new(seed: u64) -> Self {
        let config = Config {
            attempt_timeout_ms: 300,
            backoff_base_ms: 2,
            backoff_cap_ms: 8,
            resume_again_ms: 500,
            following: Liveness { ping_after_ms: 400, pong_within_ms: 300 },
            ..Config::default()
        };
        Self {
            client: Client::new(config, seed),
            attempt: None,
            reading: Vec::new(),
            outbox: Vec::new(),
            history: None,
            usages: 0,
            unused: 0,
        }
    }

    /// The tab is loaded anew: only the outbox is left, and what is in it is sent again under the same ids.
    pub(crate) fn reload(&mut self, now: u64, seed: u64, text: impl Fn(usize) -> String) {
        let outbox = std::mem::take(&mut self.outbox);
        *self = Self::new(seed);
        for question in outbox {
            self.send(now, question, &text(question), true);
        }
        if self.reading.is_empty() {
            self.look(now);
        }
    }

    pub(crate) fn input(&mut self, now: u64, input: Input<'_>) {
        self.client.handle_input(Time::from_millis(now), input);
    }

    pub(crate) fn send(&mut self, now: u64, question: usize, text: &str, resent: bool) {
        let data = json!({ "sessionId": SESSION, "message": text, "streaming": true }).to_string();
        let id = request_id(text);
        let options = SendOptions { streaming: true, session_id: Some(SESSION), model: None, id: Some(&id), resent };
        let handle = self.client.send_message(Time::from_millis(now), &data, options).expect("taken");
        self.outbox.push(question);
        self.reading.push(Reading { handle, question, text: String::new() });
    }

    /// Stops an answer. A message that was stopped is not sent again.
    pub(crate) fn stop(&mut self, now: u64, question: usize) {
        self.outbox.retain(|&waiting| waiting != question);
        if let Some(reading) = self.reading(question) {
            let handle = reading.handle;
            self.client.cancel(Time::from_millis(now), handle);
        }
    }

    pub(crate) fn reading(&self, question: usize) -> Option<&Reading> {
        self.reading.iter().find(|reading| reading.question == question)
    }

    /// Asks for the session's history, unless that is under way.
    pub(crate) fn look(&mut self, now: u64) {
        if self.history.is_none() {
            let data = json!({ "sessionId": SESSION }).to_string();
            self.history = Some(self.client.call(Time::from_millis(now), "chat.get_history", &data).expect("taken"));
        }
    }

    pub(crate) fn is_looking(&self) -> bool {
        self.history.is_some()
    }

    /// The history, if `output` is the reply to the question for it; none where the session is not known yet.
    pub(crate) fn history(&mut self, output: &Output) -> Option<History> {
        let Output::Reply { handle, result } = output else { return None };
        assert_eq!(self.history.take(), Some(*handle), "one question for the history at a time");
        let Ok(data) = result else { return Some(History::default()) };
        let data: Value = serde_json::from_str(data).expect("JSON");
        let mut history = History::default();
        for message in data["messages"].as_array().expect("messages") {
            let content = message["content"].as_str().expect("content").to_owned();
            if message["role"] == "user" {
                history.turns.push((content, None));
            } else {
                let (_, answer) = history.turns.last_mut().expect("a question before its answer");
                assert!(answer.replace(content).is_none(), "one answer to a question");
            }
        }
        history.in_progress = data.get("inProgress").filter(|held| !held.is_null()).map(|held| {
            let text = held["message"]["content"].as_str().expect("content").to_owned();
            let message_id = &held["message"]["messageId"];
            let held = json!({
                "sessionId": SESSION, "messageId": message_id, "seq": held["seq"], "state": "streaming",
                "message": held["message"],
            });
            (held, text)
        });
        Some(history)
    }

    /// Goes on with an answer that is under way.
    pub(crate) fn follow(&mut self, now: u64, question: usize, held: &Value, text: String) {
        if let Ok(handle) = self.client.follow(Time::from_millis(now), &held.to_string()) {
            self.reading.push(Reading { handle, question, text });
        }
    }
}

/// The id of a message, chosen by the page.
fn request_id(text: &str) -> String {
    format!("id-of-{text}")
}
