//! A proxy that keeps turns as logs, as the real one does: a socket has a cursor into each turn that it follows.

use protocol::{
    Answer, AnswerState, Applied, ErrorCode, ErrorData, Message, MessageId, Part, RawJson, RequestId, Role, SessionId,
    StopReason, Timestamp, ToolStatus, ToolUse, ToolUseId, TurnEvent, Usage,
    client::{ApproveTool, ClientFrame, ClientMessage},
    codec::{decode_client, encode_server},
    server::{
        Draining, Limits, MessageComplete, MessageResponse, MessageStream, ModelInfo, Pong, Principal, PrincipalRole,
        ServerFrame, ServerHello, ServerMessage, SessionsResponse, Snapshot, ToolApproved, ToolUseUpdate,
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
    Text(u32, String),
    Input(u32, String),
    Tool(ToolUse),
    Complete(StopReason),
    Failed(ErrorCode),
}

impl Event {
    fn content(&self) -> &str {
        match self {
            Self::Text(_, text) | Self::Input(_, text) => text,
            _ => "",
        }
    }

    fn joins(&self, next: &Self) -> bool {
        match (self, next) {
            (Self::Text(a, _), Self::Text(b, _)) | (Self::Input(a, _), Self::Input(b, _)) => a == b,
            _ => false,
        }
    }
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
        self.log.iter().map(|event| if let Event::Text(_, text) = event { text } else { "" }).collect()
    }

    /// The answer after each event, as the protocol folds it.
    fn folds(&self) -> impl Iterator<Item = Answer> {
        self.log.iter().scan(Answer::default(), |answer, event| {
            let event = match event {
                Event::Text(part, content) => TurnEvent::Text { part: *part, content },
                Event::Input(part, content) => TurnEvent::ToolInput { part: *part, content },
                Event::Tool(call) => TurnEvent::ToolUse { call },
                Event::Complete(_) | Event::Failed(_) => return None,
            };
            let seq = answer.seq() + 1;
            assert_eq!(answer.apply(seq, seq, &event), Applied::Next);
            Some(answer.clone())
        })
    }

    pub(crate) fn parts(&self) -> Vec<Part> {
        self.folds().last().map(Answer::into_parts).unwrap_or_default()
    }

    /// Its calls, in their order, as they stand now.
    pub(crate) fn calls(&self) -> Vec<ToolUse> {
        let call = |part| if let Part::ToolUse(call) = part { Some(call) } else { None };
        self.parts().into_iter().filter_map(call).collect()
    }

    /// Whether a call once stood as this one.
    pub(crate) fn once_was(&self, call: &ToolUse) -> bool {
        let same = |part: &Part| matches!(part, Part::ToolUse(known) if known == call);
        self.folds().any(|answer| answer.parts().iter().any(same))
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
            ClientMessage::SendMessage(send) => self.ask(id, send.session_id, send.model, send.streaming),
            ClientMessage::Regenerate(again) => self.ask(id, Some(again.session_id), again.model, again.streaming),
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
            ClientMessage::ApproveTool(said) => self.decide(&id, said),
            ClientMessage::ListSessions(_) => {
                self.say(&id, ServerMessage::Sessions(SessionsResponse { sessions: Vec::new(), has_more: false }));
            }
            _ => {}
        }
        self.flush();
    }

    /// Begins an answer, once for each id.
    fn ask(&mut self, id: RequestId, session_id: Option<SessionId>, model: Option<String>, streaming: bool) {
        if self.draining {
            return self.refuse(&id, ErrorCode::Draining);
        }
        if let Some(turn) = self.turns.iter_mut().find(|turn| turn.id == id) {
            turn.cursor = Some(0);
            return;
        }
        self.turns.push(Turn {
            id,
            session_id: session_id.unwrap_or_else(|| SessionId::new("new").unwrap()),
            message_id: MessageId::new(format!("m{}", self.turns.len() + 1)).unwrap(),
            model: model.unwrap_or_else(|| "default-model".into()),
            streaming,
            log: Vec::new(),
            cursor: Some(0),
        });
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
        let turn = &mut self.turns[turn];
        let parts = turn.parts();
        let goes_on = matches!(parts.last(), Some(Part::Text { .. }));
        turn.log.push(Event::Text((parts.len() - usize::from(goes_on)) as u32, text.to_owned()));
        self.flush();
    }

    /// The model begins to write a call.
    pub(crate) fn begin_call(&mut self, turn: usize) {
        let turn = &mut self.turns[turn];
        turn.log.push(Event::Tool(ToolUse {
            tool_use_id: ToolUseId::new(format!("{}-{}", turn.message_id, turn.calls().len() + 1)).unwrap(),
            name: "clock".into(),
            server: Some("time".into()),
            input: RawJson::new("{}").unwrap(),
            partial_input: None,
            status: ToolStatus::Preparing,
            duration_ms: None,
            result: None,
            approved: false,
        }));
        self.flush();
    }

    /// The model writes more of the arguments of its latest call, if it is not done with them.
    pub(crate) fn write_input(&mut self, turn: usize, text: &str) {
        let turn = &mut self.turns[turn];
        let is_call = |part: &Part| matches!(part, Part::ToolUse(call) if call.status == ToolStatus::Preparing);
        if let Some(part) = turn.parts().iter().rposition(is_call) {
            turn.log.push(Event::Input(part as u32, text.to_owned()));
            self.flush();
        }
    }

    /// The latest call comes further: its arguments are whole, it runs, it returns something.
    pub(crate) fn further(&mut self, turn: usize) {
        let turn = &mut self.turns[turn];
        let Some(call) = turn.calls().pop() else { return };
        let call = match call.status {
            ToolStatus::Preparing => {
                let input = RawJson::new(r#"{"zone":"UTC"}"#).unwrap();
                ToolUse { input, partial_input: None, status: ToolStatus::PendingApproval, ..call }
            }
            ToolStatus::PendingApproval => ToolUse { approved: true, status: ToolStatus::Running, ..call },
            ToolStatus::Running => {
                let result = Some(RawJson::new(r#"{"text":"noon"}"#).unwrap());
                ToolUse { duration_ms: Some(7), result, status: ToolStatus::Succeeded, ..call }
            }
            _ => return,
        };
        turn.log.push(Event::Tool(call));
        self.flush();
    }

    /// A call that waits runs, or does not. Who says the same again is answered the same.
    fn decide(&mut self, id: &RequestId, said: ApproveTool) {
        let ApproveTool { tool_use_id, approved, .. } = said;
        for turn in &mut self.turns {
            let Some(call) = turn.calls().into_iter().find(|call| call.tool_use_id == tool_use_id) else { continue };
            let status = if approved { ToolStatus::Running } else { ToolStatus::Denied };
            let decided = call.approved || call.status == ToolStatus::Denied;
            if call.status == ToolStatus::PendingApproval {
                turn.log.push(Event::Tool(ToolUse { approved, status, ..call }));
            } else if !decided || call.approved != approved {
                return self.refuse(id, ErrorCode::InvalidRequest);
            }
            return self.say(id, ServerMessage::ToolApproved(ToolApproved { tool_use_id, approved }));
        }
        self.refuse(id, ErrorCode::InvalidRequest);
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
        self.turns[turn].log = text.chars().map(|letter| Event::Text(0, letter.into())).collect();
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
                let (first, event) = (at as u64 + 1, &turn.log[at]);
                let mut content = event.content().to_owned();
                at += 1;
                while let Some(next) = turn.log.get(at).filter(|next| self.joins && event.joins(next)) {
                    content.push_str(next.content());
                    at += 1;
                }
                let (session_id, message_id) = (turn.session_id.clone(), turn.message_id.clone());
                let stream = |part| MessageStream { session_id, message_id, part, first, seq: at as u64, content };
                let message = match event {
                    Event::Text(part, _) => ServerMessage::MessageStream(stream(*part)),
                    Event::Input(part, _) => ServerMessage::ToolInputStream(stream(*part)),
                    Event::Tool(call) => {
                        let message_id = turn.message_id.clone();
                        ServerMessage::ToolUse(ToolUseUpdate { message_id, seq: first, call: call.clone() })
                    }
                    Event::Complete(_) | Event::Failed(_) => end(turn, first),
                };
                self.wire.push(encode_server(&ServerFrame { id: Some(turn.id.clone()), message }));
            }
            turn.cursor = Some(at);
        }
    }
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
        other => panic!("no end: {other:?}"),
    }
}

fn message(turn: &Turn) -> Message {
    let ended = turn.ended();
    Message {
        message_id: turn.message_id.clone(),
        request_id: None,
        content: turn.text(),
        attachments: Vec::new(),
        role: Role::Assistant,
        timestamp: now(),
        usage: ended.then(usage),
        model: Some("model-of-the-answer".into()),
        stop_reason: ended.then_some(StopReason::EndTurn),
        parts: turn.parts(),
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
        limits: Limits {
            max_frame_bytes: 1 << 20,
            max_message_chars: 100_000,
            max_parallel_turns: 4,
            max_system_prompt_chars: 8_000,
        },
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
