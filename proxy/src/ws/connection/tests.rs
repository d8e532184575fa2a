use std::sync::Arc;

use protocol::{
    SessionId, StopReason, Usage, client::SendMessage, codec::StreamKind, limits::MAX_CONTENT_BYTES, server::Pong,
};
use serde_json::Value;

use super::*;
use crate::{
    principal::Owner,
    sources::Sources,
    turn::{Asking, Begin, NewTurn, Turns},
};

const SECOND: Duration = Duration::from_secs(1);

/// A connection, turns to follow, and the time.
struct Rig {
    now: Instant,
    connection: Connection,
    turns: Turns,
}

impl Rig {
    fn new(max_follows: usize) -> Self {
        let now = Instant::now();
        Self { now, connection: Connection::new(now, max_follows), turns: Turns::new(100) }
    }

    /// Lets time pass, calling the machine whenever it asks for it.
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

    /// Everything there is to send now.
    fn sent(&mut self) -> Vec<Transmit> {
        std::iter::from_fn(|| self.connection.poll_transmit(self.now)).collect()
    }

    /// The same without pings, where it is frames only.
    fn frames(&mut self) -> Vec<Value> {
        let text = |transmit| match transmit {
            Transmit::Text(text) => Some(serde_json::from_str(&text).unwrap()),
            Transmit::Ping => None,
            close @ Transmit::Close(..) => panic!("{close:?}"),
        };
        self.sent().into_iter().filter_map(text).collect()
    }

    fn receive(&mut self, text: &str) {
        self.connection.handle_text(text);
    }

    fn begin(&self, name: &str) -> Arc<Turn> {
        let session_id = SessionId::new(name).unwrap();
        let send = SendMessage {
            session_id: Some(session_id.clone()),
            message: "hi".into(),
            streaming: true,
            model: None,
            attachments: Vec::new(),
            replaces: None,
            system_prompt: None,
        };
        let owner = Owner::local();
        let new = NewTurn {
            owner,
            session_id,
            request_id: RequestId::new(name).unwrap(),
            fingerprint: crate::store::Fingerprint::of(send.clone()),
            asking: Asking::Message(send),
            model: "m".into(),
            role: protocol::server::PrincipalRole::User,
        };
        match self.turns.begin(&new, Sources::system()) {
            Begin::New(turn) => {
                turn.keep_question();
                turn
            }
            other => panic!("{other:?}"),
        }
    }

    /// Serves a made-up request with this outcome.
    fn outcome(&mut self, id: &str, outcome: Outcome) {
        self.receive(&format!(r#"{{"id":"{id}","type":"ping"}}"#));
        let request = self.connection.poll_request().unwrap();
        self.connection.handle_outcome(self.now, request.id, outcome);
    }

    fn follow(&mut self, turn: &Arc<Turn>, from: From, whole: bool) {
        self.outcome("f", Outcome::Follow { turn: turn.clone(), from, whole });
    }
}

fn say(turn: &Turn, text: &str) {
    turn.append(|log| log.append(StreamKind::Text, 0, text)).unwrap();
}

fn finish(turn: &Turn) {
    turn.append(|log| log.finish(End::Complete { stop_reason: StopReason::EndTurn, usage: Usage::default() }));
}

fn pong() -> Outcome {
    Outcome::Reply(Box::new(ServerMessage::Pong(Pong {})))
}

fn send(name: &str) -> String {
    format!(
        r#"{{"id":"{name}","type":"chat.send_message","data":{{"sessionId":"{name}","message":"hi","streaming":true}}}}"#
    )
}

/// The type of each frame, and its text or state.
fn summary(frames: &[Value]) -> Vec<(&str, &str)> {
    let text = |data: &Value, name: &str| data[name].as_str().map(str::to_owned);
    let mut all = Vec::new();
    for frame in frames {
        let data = &frame["data"];
        let detail = ["content", "state", "code", "stopReason"].into_iter().find(|name| text(data, name).is_some());
        all.push((frame["type"].as_str().unwrap(), detail.map_or("", |name| data[name].as_str().unwrap())));
    }
    all
}

#[test]
fn a_silent_client_is_pinged_every_25_s_and_closed_10_s_after_a_ping_without_an_answer() {
    let mut rig = Rig::new(8);
    rig.pass(PING_INTERVAL - SECOND);
    assert_eq!(rig.sent(), []);
    rig.pass(SECOND);
    assert_eq!(rig.sent(), [Transmit::Ping]);
    rig.pass(PONG_TIMEOUT - SECOND);
    rig.connection.handle_alive();
    rig.pass(PING_INTERVAL - PONG_TIMEOUT);
    assert_eq!(rig.sent(), []);
    rig.pass(SECOND);
    assert_eq!(rig.sent(), [Transmit::Ping]);
    rig.pass(PONG_TIMEOUT - SECOND);
    assert_eq!(rig.sent(), []);
    rig.pass(SECOND);
    assert_eq!(rig.sent(), [Transmit::Close(CloseCode::SILENT, "no sign of life")]);
}

#[test]
fn any_frame_is_a_sign_of_life_even_one_that_makes_no_sense() {
    let mut rig = Rig::new(8);
    rig.pass(PING_INTERVAL);
    rig.receive("nonsense");
    rig.pass(PONG_TIMEOUT);
    assert!(!rig.sent().iter().any(|transmit| matches!(transmit, Transmit::Close(..))));
    assert!(rig.connection.wants_input());
}

#[test]
fn who_follows_a_silent_answer_hears_every_5_s_whether_it_waits_or_has_stalled() {
    for whole in [false, true] {
        let mut rig = Rig::new(8);
        let turn = rig.begin("t");
        rig.follow(&turn, From::After(0), whole);
        turn.say(Some((StatusState::Queued, rig.now)));
        assert_eq!(summary(&rig.frames()), [("chat.status", "queued")]);
        rig.pass(2 * STATUS_INTERVAL);
        assert_eq!(summary(&rig.frames()), [("chat.status", "queued"); 2]);
        turn.say(None);
        rig.pass(STATUS_INTERVAL - SECOND);
        assert_eq!(rig.frames(), [] as [Value; 0]);
        rig.pass(SECOND);
        let status = rig.frames();
        assert_eq!(summary(&status), [("chat.status", "stalled")]);
        assert_eq!(
            (&status[0]["id"], &status[0]["data"]["messageId"]),
            (&"t".into(), &turn.message_id.as_str().into())
        );
        rig.pass(STATUS_INTERVAL);
        assert_eq!(summary(&rig.frames()), [("chat.status", "stalled")]);
    }
    let mut rig = Rig::new(8);
    let turn = rig.begin("t");
    rig.follow(&turn, From::After(0), false);
    say(&turn, "a");
    assert_eq!(summary(&rig.frames()), [("chat.message_stream", "a")]);
    rig.pass(3 * STATUS_INTERVAL);
    assert_eq!(summary(&rig.frames()), [("chat.status", "stalled"); 3]);
    finish(&turn);
    rig.frames();
    rig.pass(STATUS_INTERVAL);
    assert_eq!(rig.frames(), [] as [Value; 0], "the answer is over");
}

#[test]
fn an_answer_that_comes_is_no_silence_and_neither_is_text_that_a_slow_socket_has_not_taken() {
    let mut rig = Rig::new(8);
    let turn = rig.begin("t");
    rig.follow(&turn, From::After(0), false);
    for _ in 0..20 {
        rig.pass(STATUS_INTERVAL - SECOND);
        rig.connection.handle_alive();
        say(&turn, "a");
        assert_eq!(summary(&rig.frames()), [("chat.message_stream", "a")]);
    }
    say(&turn, "b");
    rig.pass(4 * STATUS_INTERVAL);
    assert_eq!(summary(&rig.frames()), [("chat.message_stream", "b")]);
}

#[test]
fn sixteen_requests_are_served_at_a_time_and_sixteen_replies_wait() {
    let mut rig = Rig::new(8);
    for _ in 0..MAX_REQUESTS {
        assert!(rig.connection.wants_input());
        rig.receive(r#"{"id":"a","type":"ping"}"#);
    }
    assert!(!rig.connection.wants_input());
    let requests: Vec<_> = std::iter::from_fn(|| rig.connection.poll_request()).collect();
    assert_eq!(requests.len(), MAX_REQUESTS);
    assert!(!rig.connection.wants_input(), "being served is not done");
    for request in requests {
        rig.connection.handle_outcome(rig.now, request.id, pong());
    }
    assert!(!rig.connection.wants_input(), "nobody reads the replies");
    assert!(rig.connection.poll_transmit(rig.now).is_some());
    assert!(rig.connection.wants_input());
    assert_eq!(rig.frames().len(), MAX_REQUESTS - 1);
}

#[test]
fn frames_that_make_no_sense_are_answered_and_too_many_in_a_row_end_it() {
    let mut rig = Rig::new(8);
    for _ in 0..MAX_MALFORMED {
        rig.receive("nonsense");
    }
    rig.outcome("good", pong());
    for _ in 0..MAX_MALFORMED {
        rig.receive(r#"{"id":"bad","type":"chat.sing"}"#);
    }
    assert!(
        rig.frames()
            .iter()
            .filter(|frame| frame["id"] == "bad")
            .all(|frame| frame["data"]["code"] == "invalid_request")
    );
    rig.receive("nonsense");
    assert!(!rig.connection.wants_input());
    let sent = rig.sent();
    assert!(matches!(sent[..], [Transmit::Text(_), Transmit::Close(CloseCode::MALFORMED, _)]), "{sent:?}");
}

#[test]
fn a_whole_answer_is_one_frame_at_its_end() {
    let mut rig = Rig::new(8);
    let turn = rig.begin("t");
    rig.follow(&turn, From::After(0), true);
    say(&turn, "one ");
    say(&turn, "two");
    assert_eq!(rig.frames(), [] as [Value; 0]);
    finish(&turn);
    let frames = rig.frames();
    assert_eq!((frames.len(), &frames[0]["type"], &frames[0]["id"]), (1, &"chat.message_response".into(), &"t".into()));
    assert_eq!(frames[0]["data"]["message"]["content"], "one two");
    assert_eq!(rig.connection.follows.len(), 0);
}

#[test]
fn a_whole_answer_that_failed_is_one_error() {
    let mut rig = Rig::new(8);
    let turn = rig.begin("t");
    rig.follow(&turn, From::After(0), true);
    say(&turn, "one");
    turn.append(|log| log.finish(End::Failed(ErrorData::new(ErrorCode::Throttled, "wait"))));
    assert_eq!(summary(&rig.frames()), [("chat.error", "throttled")]);
}

#[test]
fn a_resume_gives_exactly_what_comes_after() {
    let mut rig = Rig::new(8);
    let turn = rig.begin("t");
    for text in ["1", "2", "3", "4"] {
        say(&turn, text);
    }
    rig.follow(&turn, From::After(2), false);
    let frames = rig.frames();
    assert_eq!(summary(&frames), [("chat.message_stream", "34")]);
    assert_eq!((&frames[0]["data"]["first"], &frames[0]["data"]["seq"]), (&3.into(), &4.into()));
    // Again, from another point: one follower of a turn, not two.
    rig.follow(&turn, From::After(3), false);
    assert_eq!((summary(&rig.frames()), rig.connection.follows.len()), (vec![("chat.message_stream", "4")], 1));
    finish(&turn);
    assert_eq!(summary(&rig.frames()), [("chat.message_complete", "end_turn")]);
    for beyond in [5, 6, u64::MAX] {
        rig.follow(&turn, From::After(beyond), false);
        assert_eq!((rig.frames().len(), rig.connection.follows.len()), (0, 0), "after {beyond}");
    }
}

#[test]
fn a_cursor_beyond_an_answer_that_goes_on_waits_for_it() {
    let mut rig = Rig::new(8);
    let turn = rig.begin("t");
    rig.follow(&turn, From::After(1), false);
    say(&turn, "1");
    assert_eq!(rig.frames(), [] as [Value; 0]);
    say(&turn, "2");
    assert_eq!(summary(&rig.frames()), [("chat.message_stream", "2")]);
}

#[test]
fn a_cancel_follows_from_here_and_one_that_comes_late_gets_the_end_again() {
    let mut rig = Rig::new(8);
    let turn = rig.begin("t");
    say(&turn, "old");
    rig.follow(&turn, From::End, false);
    assert_eq!(rig.frames(), [] as [Value; 0]);
    finish(&turn);
    for _ in 0..2 {
        let frames = rig.frames();
        assert_eq!(
            (summary(&frames), &frames[0]["data"]["seq"]),
            (vec![("chat.message_complete", "end_turn")], &2.into())
        );
        rig.follow(&turn, From::End, false);
    }
}

#[test]
fn a_cancel_waits_for_the_message_it_is_about_and_for_no_other() {
    let mut rig = Rig::new(9);
    rig.receive(&send("slow"));
    assert_eq!(rig.connection.poll_request().unwrap().id.as_str(), "slow");
    for request in ["slow", "other"] {
        rig.receive(&format!(r#"{{"id":"stop-{request}","type":"chat.cancel","data":{{"requestId":"{request}"}}}}"#));
    }
    assert_eq!(rig.connection.poll_request().unwrap().id.as_str(), "stop-other");
    assert_eq!(rig.connection.poll_request(), None);
    let turn = rig.begin("slow");
    let outcome = Outcome::Follow { turn, from: From::After(0), whole: false };
    rig.connection.handle_outcome(rig.now, RequestId::new("slow").unwrap(), outcome);
    assert_eq!(rig.connection.poll_request().unwrap().id.as_str(), "stop-slow");
}

#[test]
fn a_cancel_does_not_disturb_who_follows_already() {
    let mut rig = Rig::new(8);
    let turn = rig.begin("t");
    rig.follow(&turn, From::After(0), false);
    say(&turn, "not yet sent");
    rig.follow(&turn, From::End, false);
    assert_eq!(summary(&rig.frames()), [("chat.message_stream", "not yet sent")]);
}

#[test]
fn answers_take_turns_and_replies_go_before_them() {
    let mut rig = Rig::new(8);
    let turns = ["a", "b"].map(|name| rig.begin(name));
    for turn in &turns {
        say(turn, &"x".repeat(3 * MAX_CONTENT_BYTES));
        rig.follow(turn, From::After(0), false);
    }
    rig.outcome("p", pong());
    let frames = rig.frames();
    let ids: Vec<_> = frames.iter().map(|frame| frame["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["p", "a", "b", "a", "b", "a", "b"]);
    assert!(frames[1..].iter().all(|frame| frame["data"]["content"].as_str().unwrap().len() == MAX_CONTENT_BYTES));
}

#[test]
fn a_connection_follows_so_many_answers_at_a_time() {
    let mut rig = Rig::new(2);
    let turns = ["a", "b", "c"].map(|name| rig.begin(name));
    for turn in &turns {
        rig.follow(turn, From::After(0), false);
    }
    let refused = rig.frames();
    assert_eq!((summary(&refused), &refused[0]["id"]), (vec![("chat.error", "rate_limited")], &"f".into()));
    finish(&turns[0]);
    rig.frames();
    rig.follow(&turns[2], From::After(0), false);
    assert_eq!((rig.frames().len(), rig.connection.follows.len()), (0, 2));
}

#[test]
fn a_message_beyond_that_is_refused_before_it_is_served() {
    let mut rig = Rig::new(2);
    for name in ["a", "b", "c"] {
        rig.receive(&send(name));
    }
    let served: Vec<_> = std::iter::from_fn(|| rig.connection.poll_request()).collect();
    let ids: Vec<_> = served.iter().map(|frame| frame.id.as_str()).collect();
    assert_eq!(ids, ["a", "b"], "their answers are still to be followed");
    let refused = rig.frames();
    assert_eq!((summary(&refused), &refused[0]["id"]), (vec![("chat.error", "rate_limited")], &"c".into()));
    // Somebody else's answer does not take the place that was promised.
    let other = rig.begin("other");
    rig.follow(&other, From::After(0), false);
    assert_eq!(summary(&rig.frames()), [("chat.error", "rate_limited")]);
    let turn = rig.begin("a");
    rig.connection.handle_outcome(
        rig.now,
        served[0].id.clone(),
        Outcome::Follow { turn, from: From::After(0), whole: false },
    );
    let failed = Outcome::Failed(ErrorData::new(ErrorCode::ModelNotFound, "no such model"));
    rig.connection.handle_outcome(rig.now, served[1].id.clone(), failed);
    assert_eq!(summary(&rig.frames()), [("chat.error", "model_not_found")]);
    // The one that failed left its place; the same message again needs none.
    for (name, taken) in [("d", true), ("e", false), ("a", true)] {
        rig.receive(&send(name));
        assert_eq!(rig.connection.poll_request().is_some(), taken, "{name}");
    }
}

#[test]
fn a_drained_connection_says_so_once_and_closes_with_its_last_answer() {
    let mut rig = Rig::new(8);
    let turn = rig.begin("t");
    rig.follow(&turn, From::After(0), false);
    say(&turn, "unsent");
    rig.outcome("p", pong());
    rig.connection.drain(2 * SECOND);
    rig.connection.drain(3 * SECOND);
    let sent = rig.sent();
    let [Transmit::Text(pong), Transmit::Text(draining), Transmit::Text(text)] = &sent[..] else {
        panic!("{sent:?}");
    };
    assert!(pong.contains(r#""type":"pong""#) && text.contains("unsent"));
    assert_eq!(draining, r#"{"id":"","type":"server.draining","data":{"reconnectInMs":2000}}"#);
    finish(&turn);
    let sent = rig.sent();
    assert!(matches!(&sent[..], [Transmit::Text(_), Transmit::Close(CloseCode::RESTART, _)]), "{sent:?}");
    assert!(!rig.connection.wants_input());
}

#[test]
fn the_first_reason_to_close_counts_and_nothing_comes_after_the_close() {
    let mut rig = Rig::new(8);
    let turn = rig.begin("t");
    rig.follow(&turn, From::After(0), false);
    rig.connection.close(CloseCode::POLICY, "first");
    rig.connection.close(CloseCode::MALFORMED, "second");
    assert_eq!(rig.sent(), [Transmit::Close(CloseCode::POLICY, "first")]);
    say(&turn, "late");
    rig.outcome("p", pong());
    assert_eq!(rig.sent(), []);
}

#[test]
fn a_connection_that_is_to_be_closed_waits_for_nothing_but_its_socket() {
    let mut rig = Rig::new(8);
    let turn = rig.begin("t");
    rig.follow(&turn, From::After(0), false);
    rig.pass(PING_INTERVAL + PONG_TIMEOUT);
    assert_eq!(rig.connection.poll_timeout(), None);
}

const HELLO: &str = r#"{"id":"h","type":"client.hello","data":{"version":1,"token":"t"}}"#;

/// A connection whose client has to say who it is.
fn shut() -> Rig {
    let mut rig = Rig::new(4);
    rig.connection.shut(rig.now);
    rig
}

fn let_in(rig: &mut Rig, expires_in: Option<Duration>) {
    let request = rig.connection.poll_request().unwrap();
    let reply = Box::new(ServerMessage::Pong(Pong {}));
    let identity = Arc::new(crate::principal::Identity::local());
    rig.connection.handle_outcome(rig.now, request.id, Outcome::Identified { identity, expires_in, reply });
}

fn closed_with(rig: &mut Rig) -> Option<CloseCode> {
    rig.sent().into_iter().find_map(|sent| match sent {
        Transmit::Close(code, _) => Some(code),
        _ => None,
    })
}

#[test]
fn a_client_has_ten_seconds_to_say_who_it_is() {
    let mut rig = shut();
    rig.pass(HELLO_TIMEOUT - SECOND);
    assert_eq!(closed_with(&mut rig), None);
    rig.pass(SECOND);
    assert_eq!(closed_with(&mut rig), Some(CloseCode::NO_HELLO));
    let mut rig = shut();
    rig.receive(HELLO);
    let_in(&mut rig, None);
    rig.pass(HELLO_TIMEOUT);
    assert_eq!(closed_with(&mut rig), None);
}

#[test]
fn nothing_is_read_while_it_is_asked_who_the_client_is() {
    let mut rig = shut();
    assert!(rig.connection.wants_input());
    rig.receive(HELLO);
    assert!(!rig.connection.wants_input());
    let_in(&mut rig, None);
    assert!(rig.connection.wants_input() && rig.connection.is_let_in());
}

#[test]
fn before_that_frames_are_few_and_short() {
    let mut rig = shut();
    rig.receive(&"x".repeat(MAX_UNAUTHENTICATED_FRAME_BYTES + 1));
    assert_eq!(closed_with(&mut rig), Some(CloseCode::TOO_LARGE));
    let mut rig = shut();
    for _ in 0..MAX_FRAMES_BEFORE_HELLO {
        rig.receive("no frame");
        assert_eq!(closed_with(&mut rig), None);
    }
    rig.receive(HELLO);
    assert_eq!(closed_with(&mut rig), Some(CloseCode::NO_HELLO));
    assert!(rig.connection.poll_request().is_none());
}

#[test]
fn a_connection_ends_with_its_token_and_goes_on_with_a_fresh_one() {
    let mut rig = shut();
    rig.receive(HELLO);
    let_in(&mut rig, Some(20 * SECOND));
    rig.pass(19 * SECOND);
    assert_eq!(closed_with(&mut rig), None);
    rig.receive(HELLO);
    let_in(&mut rig, Some(3 * SECOND));
    rig.pass(2 * SECOND);
    assert_eq!(closed_with(&mut rig), None);
    rig.pass(SECOND);
    assert_eq!(closed_with(&mut rig), Some(CloseCode::TOKEN_EXPIRED));
}

#[test]
fn whoever_is_refused_hears_why_before_the_end() {
    let mut rig = shut();
    rig.receive(HELLO);
    let request = rig.connection.poll_request().unwrap();
    let error = ErrorData::new(ErrorCode::Unauthenticated, "no");
    let refused = Outcome::Refused(error, CloseCode::TOKEN_REFUSED, "the token is refused");
    rig.connection.handle_outcome(rig.now, request.id, refused);
    let sent = rig.sent();
    assert!(matches!(&sent[0], Transmit::Text(text) if text.contains("unauthenticated")), "{sent:?}");
    assert_eq!(sent[1..], [Transmit::Close(CloseCode::TOKEN_REFUSED, "the token is refused")]);
}
