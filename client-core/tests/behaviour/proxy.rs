//! A proxy that keeps turns as logs, as the real one does: a socket has a cursor into each turn that it follows.

use protocol::{
    AnswerState, ErrorCode, ErrorData, Message, MessageId, Part, RequestId, Role, SessionId, StopReason, Timestamp,
    Usage,
    client::{ClientFrame, ClientMessage},
    codec::{decode_client, encode_server},
    server::{
        Draining, Limits, MessageComplete, MessageResponse, MessageStream, ModelInfo, Pong, Principal, PrincipalRole,
        ServerFrame, ServerHello, ServerMessage, SessionsResponse, Snapshot,
    },
};

pub(crate) fn usage() -> Usage {
    Usage {
        input_tokens: 50,
        output_tokens: 150,
        total_tokens: 200,
        cost_nano_usd: Some(2_400_000),
        ..Usage::default()
    }
}

fn now() -> Timestamp {
    Timestamp::from_unix_ms(1_795_000_000_000)
}

#[derive(Debug, Clone)]
enum Event {
    Text(String),
    Complete(StopReason),
    Failed(ErrorCode),
}

#[derive(Debug)]
pub(crate) struct Turn {
    id: RequestId,
    session_id: SessionId,
    message_id: MessageId,
    model: String,
    streaming: bool,
    log: Vec<Event>,
    /// How far the present socket has got, if it follows.
    cursor: Option<usize>,
}

impl Turn {
    fn ended(&self) -> bool {
        matches!(self.log.last(), Some(Event::Complete(_) | Event::Failed(_)))
    }

    pub(crate) fn text(&self) -> String {
        self.log
            .iter()
            .filter_map(|event| if let Event::Text(text) = event { Some(text.as_str()) } else { None })
            .collect()
    }
}

/// What happens to a greeting.
#[derive(Debug, Clone)]
pub(crate) enum Greeting {
    Welcome,
    Refuse(ErrorData),
    Silence,
}

#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) greeting: Greeting,
    pub(crate) turns: Vec<Turn>,
    /// Whether a resume is answered with a snapshot.
    pub(crate) snapshots: bool,
    /// Whether a ping is answered.
    pub(crate) pongs: bool,
    /// Whether new work is refused, since the process is about to stop.
    pub(crate) draining: bool,
    /// Whether text that waits is joined in one frame.
    pub(crate) joins: bool,
    /// Every frame that came, by type, with the token of a greeting.
    pub(crate) heard: Vec<ClientFrame>,
    pub(crate) tokens: Vec<Option<String>>,
    /// Frames to the client that are on their way.
    pub(crate) wire: Vec<String>,
}

impl Proxy {
    pub(crate) fn new() -> Self {
        Self {
            greeting: Greeting::Welcome,
            turns: Vec::new(),
            snapshots: false,
            pongs: true,
            draining: false,
            joins: false,
            heard: Vec::new(),
            tokens: Vec::new(),
            wire: Vec::new(),
        }
    }

    /// The names of the types that came, without greetings and pings.
    pub(crate) fn types(&self) -> Vec<&'static str> {
        let types = self.heard.iter().map(|frame| frame.message.type_text());
        types.filter(|&kind| kind != "client.hello" && kind != "ping").collect()
    }

    pub(crate) fn pings(&self) -> usize {
        self.heard.iter().filter(|frame| matches!(frame.message, ClientMessage::Ping(_))).count()
    }

    /// The socket is gone: nothing on its way arrives, and nobody follows.
    pub(crate) fn cut(&mut self) {
        self.wire.clear();
        self.turns.iter_mut().for_each(|turn| turn.cursor = None);
    }

    pub(crate) fn hear(&mut self, text: &str) {
        let frame = decode_client(text).unwrap_or_else(|error| panic!("{error:?} in {text}"));
        self.heard.push(frame.clone());
        let id = frame.id;
        match frame.message {
            ClientMessage::Hello(hello) => {
                self.tokens.push(hello.token);
                match self.greeting.clone() {
                    Greeting::Welcome => self.say(&id, ServerMessage::Hello(welcome())),
                    Greeting::Refuse(error) => self.say(&id, ServerMessage::Error(error)),
                    Greeting::Silence => {}
                }
            }
            ClientMessage::Ping(_) if self.pongs => self.say(&id, ServerMessage::Pong(Pong {})),
            ClientMessage::SendMessage(_) if self.draining => self.refuse(&id, ErrorCode::Draining),
            ClientMessage::SendMessage(send) => match self.turns.iter_mut().find(|turn| turn.id == id) {
                Some(turn) => turn.cursor = Some(0),
                None => {
                    let number = self.turns.len() + 1;
                    self.turns.push(Turn {
                        id,
                        session_id: send.session_id.unwrap_or_else(|| SessionId::new("new").unwrap()),
                        message_id: MessageId::new(format!("m{number}")).unwrap(),
                        model: send.model.unwrap_or_else(|| "default-model".into()),
                        streaming: send.streaming,
                        log: Vec::new(),
                        cursor: Some(0),
                    });
                }
            },
            ClientMessage::Resume(resume) => {
                let snapshots = self.snapshots;
                match self.turns.iter_mut().find(|turn| turn.message_id == resume.message_id) {
                    None => self.refuse(&id, ErrorCode::SessionNotFound),
                    Some(turn) if snapshots => {
                        turn.cursor = Some(turn.log.len());
                        let (id, snapshot) = (turn.id.clone(), snapshot(turn));
                        self.say(&id, ServerMessage::Snapshot(snapshot));
                    }
                    Some(turn) => turn.cursor = Some(resume.after as usize),
                }
            }
            ClientMessage::Cancel(cancel) => {
                let named = |turn: &&mut Turn| {
                    Some(&turn.message_id) == cancel.message_id.as_ref() || Some(&turn.id) == cancel.request_id.as_ref()
                };
                match self.turns.iter_mut().find(named) {
                    None => self.refuse(&id, ErrorCode::SessionNotFound),
                    Some(turn) if turn.ended() => {}
                    Some(turn) => turn.log.push(Event::Complete(StopReason::Cancelled)),
                }
            }
            ClientMessage::ListSessions(_) => {
                self.say(&id, ServerMessage::Sessions(SessionsResponse { sessions: Vec::new(), has_more: false }));
            }
            _ => {}
        }
        self.flush();
    }

    /// Another page asks for an answer in session `s`; nobody here follows it.
    pub(crate) fn ask_elsewhere(&mut self) -> usize {
        let number = self.turns.len() + 1;
        self.turns.push(Turn {
            id: RequestId::new(format!("elsewhere-{number}")).unwrap(),
            session_id: SessionId::new("s").unwrap(),
            message_id: MessageId::new(format!("m{number}")).unwrap(),
            model: "default-model".into(),
            streaming: true,
            log: Vec::new(),
            cursor: None,
        });
        number - 1
    }

    pub(crate) fn token(&mut self, turn: usize, text: &str) {
        self.turns[turn].log.push(Event::Text(text.to_owned()));
        self.flush();
    }

    pub(crate) fn complete(&mut self, turn: usize) {
        self.turns[turn].log.push(Event::Complete(StopReason::EndTurn));
        self.flush();
    }

    pub(crate) fn fail(&mut self, turn: usize, code: ErrorCode) {
        self.turns[turn].log.push(Event::Failed(code));
        self.flush();
    }

    /// Makes all that the turn said something else.
    pub(crate) fn rewrite(&mut self, turn: usize, text: &str) {
        self.turns[turn].log = text.chars().map(|letter| Event::Text(letter.into())).collect();
    }

    pub(crate) fn announce_stop(&mut self, reconnect_in_ms: u64) {
        self.draining = true;
        let message = ServerMessage::Draining(Draining { reconnect_in_ms });
        self.wire.push(encode_server(&ServerFrame { id: None, message }));
    }

    fn refuse(&mut self, id: &RequestId, code: ErrorCode) {
        self.say(id, ServerMessage::Error(ErrorData::new(code, "refused")));
    }

    pub(crate) fn say(&mut self, id: &RequestId, message: ServerMessage) {
        self.wire.push(encode_server(&ServerFrame { id: Some(id.clone()), message }));
    }

    fn flush(&mut self) {
        for turn in &mut self.turns {
            let Some(cursor) = turn.cursor else { continue };
            let events = turn.log.get(cursor..).unwrap_or_default();
            if !turn.streaming {
                if let Some(Event::Complete(_)) = events.last() {
                    let data = MessageResponse { session_id: turn.session_id.clone(), message: message(turn) };
                    let (id, message) = (Some(turn.id.clone()), ServerMessage::MessageResponse(data));
                    self.wire.push(encode_server(&ServerFrame { id, message }));
                    turn.cursor = Some(turn.log.len());
                }
                continue;
            }
            let mut at = cursor;
            while at < turn.log.len() {
                let first = at as u64 + 1;
                let mut joined = String::new();
                while let Some(Event::Text(text)) = turn.log.get(at) {
                    joined.push_str(text);
                    at += 1;
                    if !self.joins {
                        break;
                    }
                }
                if joined.is_empty() && matches!(turn.log.get(at), Some(Event::Text(_)) | None) {
                    continue;
                }
                let message = if at as u64 >= first {
                    stream(turn, first, at as u64, joined)
                } else {
                    at += 1;
                    end(turn, first)
                };
                self.wire.push(encode_server(&ServerFrame { id: Some(turn.id.clone()), message }));
            }
            turn.cursor = Some(at);
        }
    }
}

fn stream(turn: &Turn, first: u64, seq: u64, content: String) -> ServerMessage {
    let Turn { session_id, message_id, .. } = turn;
    let (session_id, message_id) = (session_id.clone(), message_id.clone());
    ServerMessage::MessageStream(MessageStream { session_id, message_id, part: 0, first, seq, content })
}

fn end(turn: &Turn, seq: u64) -> ServerMessage {
    let Turn { session_id, message_id, .. } = turn;
    let (session_id, message_id) = (session_id.clone(), message_id.clone());
    match &turn.log[seq as usize - 1] {
        Event::Complete(stop_reason) => {
            let stop_reason = *stop_reason;
            let model = turn.model.clone();
            ServerMessage::MessageComplete(MessageComplete {
                session_id,
                message_id,
                seq,
                model,
                stop_reason,
                usage: usage(),
            })
        }
        Event::Failed(code) => ServerMessage::Error(ErrorData {
            message_id: Some(message_id),
            seq: Some(seq),
            usage: Some(usage()),
            ..ErrorData::new(*code, "failed")
        }),
        Event::Text(_) => panic!("text is no end"),
    }
}

fn message(turn: &Turn) -> Message {
    let ended = turn.ended();
    Message {
        message_id: turn.message_id.clone(),
        request_id: None,
        content: turn.text(),
        role: Role::Assistant,
        timestamp: now(),
        usage: ended.then(usage),
        model: Some("model-of-the-answer".into()),
        stop_reason: ended.then_some(StopReason::EndTurn),
        parts: vec![Part::Text { text: turn.text() }],
        error: None,
    }
}

fn snapshot(turn: &Turn) -> Snapshot {
    Snapshot {
        session_id: turn.session_id.clone(),
        message_id: turn.message_id.clone(),
        seq: turn.log.len() as u64,
        state: if turn.ended() { AnswerState::Complete } else { AnswerState::Streaming },
        message: message(turn),
    }
}

fn welcome() -> ServerHello {
    ServerHello {
        version: 1,
        principal: Principal { user: "u".into(), organization: "o".into(), role: PrincipalRole::User },
        expires_in_ms: None,
        demo: false,
        limits: Limits { max_frame_bytes: 1 << 20, max_message_chars: 100_000, max_parallel_turns: 4 },
        models: vec![ModelInfo {
            model: "default-model".into(),
            default: true,
            max_output_tokens: None,
            context_tokens: None,
            price: None,
        }],
        price_version: "2026-11-23".into(),
        tools: Vec::new(),
    }
}
