//! A connection with real logs: whatever comes in and in whatever order, every frame is one of the protocol, says what the log says
//! from where the client had got to, nothing is kept back from a socket that takes it, and
//! nothing follows a close.

#![no_main]

use std::{sync::Arc, time::Duration};

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use outcrop_proxy::{
    principal::Owner,
    service::{From, Outcome},
    sources::Sources,
    store::Fingerprint,
    turn::{Asking, Begin, NewTurn, Turn, Turns, log::End},
    ws::connection::{Connection, MAX_REQUESTS, PING_INTERVAL, Transmit},
};
use protocol::{
    ErrorCode, ErrorData, RequestId, SessionId, StopReason, Usage,
    client::SendMessage,
    close::CloseCode,
    codec::{Incoming, StreamKind, decode_server},
    limits::MAX_CONTENT_BYTES,
    server::{Pong, ServerMessage},
};
use tokio::time::Instant;

const MAX_STEPS: usize = 300;
const TURNS: usize = 4;
const MAX_FOLLOWS: usize = 3;

#[derive(Debug, Arbitrary)]
enum Step {
    Raw(String),
    Send { turn: u8 },
    Ping,
    Serve,
    Reply { request: u8 },
    Fail { request: u8 },
    Follow { request: u8, turn: u8, from: Where, whole: bool },
    Say { turn: u8, reasoning: bool, block: u8, text: String },
    SayMuch { turn: u8 },
    Finish { turn: u8, fails: bool },
    Transmit(u8),
    Alive,
    Pass(u16),
    Drain,
    Close,
}

#[derive(Debug, Arbitrary)]
enum Where {
    Start,
    Held,
    After(u8),
    Beyond,
    End,
}

fuzz_target!(|steps: Vec<Step>| {
    let mut rig = Rig::new();
    for step in steps.into_iter().take(MAX_STEPS) {
        rig.step(step);
    }
    rig.transmit(usize::MAX);
    rig.nothing_is_kept_back();
});

/// What is known of one turn and of the connection's cursor into it.
struct Followed {
    turn: Arc<Turn>,
    /// Every event's text, and of what kind it is.
    events: Vec<(StreamKind, String)>,
    ended: bool,
    /// Where the next frame may go on from: after the last frame, or where a resume asked for.
    cursors: Vec<u64>,
    /// Ends that may still come: one for each time that the turn was followed.
    ends: u32,
    whole: bool,
    /// Whether its client waits for its end: it is followed, and the end has not come.
    waits: bool,
}

struct Rig {
    start: Instant,
    now: Instant,
    connection: Connection,
    turns: Vec<Followed>,
    requests: Vec<RequestId>,
    /// The requests that were answered with a turn to follow.
    following: Vec<(RequestId, usize)>,
    pings: u32,
    closed: bool,
}

impl Rig {
    fn new() -> Self {
        let registry = Turns::new(TURNS);
        let now = Instant::now();
        let turns = (0..TURNS).map(|number| Followed {
            turn: begin(&registry, &format!("t{number}")),
            events: Vec::new(),
            ended: false,
            cursors: Vec::new(),
            ends: 0,
            whole: false,
            waits: false,
        });
        Self {
            start: now,
            now,
            turns: turns.collect(),
            connection: Connection::new(now, MAX_FOLLOWS),
            requests: Vec::new(),
            following: Vec::new(),
            pings: 0,
            closed: false,
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Raw(text) => self.receive(&text),
            Step::Send { turn } => {
                let name = format!("t{}", usize::from(turn) % TURNS);
                self.receive(&format!(
                    r#"{{"id":"{name}","type":"chat.send_message","data":{{"sessionId":"{name}","message":"hi","streaming":true}}}}"#
                ));
            }
            Step::Ping => self.receive(r#"{"id":"p","type":"ping"}"#),
            Step::Serve => {
                if let Some(request) = self.connection.poll_request() {
                    self.requests.push(request.id);
                    assert!(self.requests.len() <= MAX_REQUESTS);
                }
            }
            Step::Reply { request } => {
                self.outcome(request, Outcome::Reply(Box::new(ServerMessage::Pong(Pong {}))));
            }
            Step::Fail { request } => {
                self.outcome(request, Outcome::Failed(ErrorData::new(ErrorCode::ModelNotFound, "no such model")));
            }
            Step::Follow { request, turn, from, whole } => self.follow(request, usize::from(turn) % TURNS, from, whole),
            Step::Say { turn, reasoning, block, text } => {
                self.say(usize::from(turn) % TURNS, reasoning, u32::from(block), &text);
            }
            Step::SayMuch { turn } => self.say(usize::from(turn) % TURNS, false, 0, &"ü".repeat(MAX_CONTENT_BYTES)),
            Step::Finish { turn, fails } => self.finish(usize::from(turn) % TURNS, fails),
            Step::Transmit(count) => self.transmit(count.into()),
            Step::Alive => self.connection.handle_alive(),
            Step::Pass(ms) => self.pass(Duration::from_millis(ms.into())),
            Step::Drain => self.connection.drain(Duration::from_secs(1)),
            Step::Close => self.connection.close(CloseCode::GOING_AWAY, "away"),
        }
    }

    /// As the socket does it: nothing is read while nothing is wanted.
    fn receive(&mut self, text: &str) {
        if self.connection.wants_input() {
            self.connection.handle_text(text);
        }
    }

    /// Answers a request, if there is one.
    fn outcome(&mut self, request: u8, outcome: Outcome) -> Option<RequestId> {
        if self.requests.is_empty() {
            return None;
        }
        let id = self.requests.swap_remove(usize::from(request) % self.requests.len());
        self.connection.handle_outcome(self.now, id.clone(), outcome);
        Some(id)
    }

    fn follow(&mut self, request: u8, at: usize, from: Where, whole: bool) {
        let followed = &self.turns[at];
        let seq = followed.turn.with_log(|log| log.seq());
        let from = match from {
            Where::Start => From::After(0),
            Where::Held => From::After(followed.cursors.last().copied().unwrap_or_default()),
            Where::After(after) => From::After(after.into()),
            Where::Beyond => From::After(u64::MAX),
            Where::End => From::End,
        };
        let cursor = match from {
            From::After(after) => after,
            From::End => seq - u64::from(followed.ended),
        };
        let outcome = Outcome::Follow { turn: followed.turn.clone(), from, whole };
        if let Some(id) = self.outcome(request, outcome) {
            self.following.push((id, at));
            let followed = &mut self.turns[at];
            followed.cursors.push(cursor);
            followed.ends += 1;
            followed.whole |= whole;
            followed.waits = true;
        }
    }

    /// A socket that takes all there is gets every event and the end, unless the connection was closed.
    fn nothing_is_kept_back(&self) {
        for followed in self.turns.iter().filter(|followed| followed.waits && !self.closed) {
            let last = followed.events.len() as u64;
            let beyond = followed.cursors.iter().any(|cursor| *cursor > last);
            match (followed.whole, followed.ended) {
                (true, false) => {}
                (false, _) if beyond => {}
                (true, true) => panic!("the whole answer is kept back"),
                (false, true) => panic!("the end {} is kept back after {:?}", last + 1, followed.cursors),
                (false, false) => assert!(followed.cursors.contains(&last), "{last} after {:?}", followed.cursors),
            }
        }
    }

    fn say(&mut self, at: usize, reasoning: bool, block: u32, text: &str) {
        let followed = &mut self.turns[at];
        if followed.ended {
            return;
        }
        if text.is_empty() {
            return;
        }
        let kind = if reasoning { StreamKind::Reasoning } else { StreamKind::Text };
        let (before, result) = followed.turn.append(|log| (log.seq(), log.append(kind, block, text)));
        if result.is_err() {
            return;
        }
        let events = followed.turn.with_log(|log| log.seq()) - before;
        // Long text is cut into events at character boundaries; together they are the text.
        let mut rest = text;
        for left in (1..=events).rev() {
            let cut = if left == 1 { rest.len() } else { rest.floor_char_boundary(MAX_CONTENT_BYTES) };
            let (piece, after) = rest.split_at(cut);
            followed.events.push((kind, piece.to_owned()));
            rest = after;
        }
        assert!(events == 0 || rest.is_empty());
    }

    fn finish(&mut self, at: usize, fails: bool) {
        let followed = &mut self.turns[at];
        if std::mem::replace(&mut followed.ended, true) {
            return;
        }
        let seq = followed.events.len() as u64 + 1;
        let end = if fails {
            let message_id = Some(followed.turn.message_id.clone());
            End::Failed(ErrorData {
                message_id,
                seq: Some(seq),
                ..ErrorData::new(ErrorCode::UpstreamStreamError, "cut")
            })
        } else {
            End::Complete { stop_reason: StopReason::EndTurn, usage: Usage::default() }
        };
        followed.turn.append(|log| log.finish(end));
    }

    fn pass(&mut self, time: Duration) {
        let (end, mut calls) = (self.now + time, 0);
        while let Some(due) = self.connection.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.connection.handle_timeout(self.now);
            calls += 1;
            assert!(calls < 1_000, "called for again and again");
        }
        self.now = end;
    }

    fn transmit(&mut self, most: usize) {
        for _ in 0..most {
            let Some(transmit) = self.connection.poll_transmit(self.now) else { return };
            assert!(!self.closed, "nothing follows a close: {transmit:?}");
            match transmit {
                Transmit::Text(text) => self.sent(&text),
                Transmit::Ping => {
                    self.pings += 1;
                    let most = (self.now - self.start).as_millis() / PING_INTERVAL.as_millis();
                    assert!(u128::from(self.pings) <= most, "a ping in {PING_INTERVAL:?}, no more");
                }
                Transmit::Close(..) => {
                    self.closed = true;
                    assert_eq!(self.connection.poll_timeout(), None);
                    assert!(!self.connection.wants_input());
                }
            }
        }
    }

    /// Every frame is one that a client reads, and text is what the log has after the client's cursor.
    fn sent(&mut self, text: &str) {
        let received = decode_server(text).unwrap_or_else(|error| panic!("{error:?} in {text}"));
        match received.incoming {
            Incoming::Stream { kind, message_id, first, seq, content, .. } => {
                let followed = find(&mut self.turns, &message_id);
                assert!(followed.cursors.contains(&(first - 1)), "{first} after {:?}", followed.cursors);
                let events = &followed.events[first as usize - 1..seq as usize];
                assert!(events.iter().all(|event| event.0 == kind));
                assert_eq!(*content, events.iter().map(|event| &*event.1).collect::<String>());
                assert!(!content.is_empty() && content.len() <= MAX_CONTENT_BYTES);
                followed.cursors = vec![seq];
            }
            Incoming::Complete { message_id, seq, .. } => find(&mut self.turns, &message_id).end(seq),
            Incoming::Response { message_id, content, .. } => {
                let followed = find(&mut self.turns, &message_id);
                assert!(followed.whole);
                let said = followed.events.iter().filter(|event| event.0 == StreamKind::Text).map(|event| &*event.1);
                assert_eq!(*content, said.collect::<String>());
                followed.end(followed.events.len() as u64 + 1);
            }
            Incoming::Error(error) => {
                // No place to follow it.
                if error.code == ErrorCode::RateLimited {
                    for (_, at) in self.following.iter().filter(|(id, _)| received.id == id.as_str()) {
                        self.turns[*at].waits = false;
                    }
                }
                if let (Some(id), Some(seq)) = (error.message_id, error.seq) {
                    find(&mut self.turns, id.as_str()).end(seq);
                }
            }
            Incoming::Status { message_id, .. } => {
                assert!(!find(&mut self.turns, &message_id).cursors.is_empty(), "it is not followed");
            }
            Incoming::Draining { .. } | Incoming::Reply => {}
            other => panic!("nothing was said that this answers: {other:?}"),
        }
    }
}

impl Followed {
    fn end(&mut self, seq: u64) {
        assert!(self.ended, "it goes on");
        assert_eq!(seq, self.events.len() as u64 + 1);
        assert!(self.ends > 0, "an end for each time it was followed");
        assert!(self.whole || self.cursors.contains(&(seq - 1)), "the end {seq} after {:?}", self.cursors);
        self.ends -= 1;
        self.waits = false;
    }
}

fn find<'a>(turns: &'a mut [Followed], message_id: &str) -> &'a mut Followed {
    turns
        .iter_mut()
        .find(|followed| followed.turn.message_id.as_str() == message_id)
        .expect("a turn of this connection")
}

fn begin(registry: &Turns, name: &str) -> Arc<Turn> {
    let session_id = SessionId::new(name).expect("an id");
    let send = SendMessage {
        session_id: Some(session_id.clone()),
        message: "hi".into(),
        streaming: true,
        model: None,
        attachments: Vec::new(),
        replaces: None,
        system_prompt: None,
    };
    let request_id = RequestId::new(name).expect("an id");
    let new = NewTurn {
        owner: Owner::local(),
        session_id,
        request_id,
        fingerprint: Fingerprint::of(send.clone()),
        asking: Asking::Message(send),
        model: "m".into(),
        role: protocol::server::PrincipalRole::User,
    };
    match registry.begin(&new, Sources::system()) {
        Begin::New(turn) => turn,
        other => panic!("{other:?}"),
    }
}
