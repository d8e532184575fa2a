//! The client against the model proxy of its own tests: whatever is cut, lost, doubled, late or stopped, the text is what the proxy
//! has; and whatever a proxy may say, there is one socket, one end for each request, and a timer that does not spin.

#![no_main]

#[path = "../../client-core/tests/behaviour/proxy.rs"]
#[allow(dead_code)]
mod proxy;
#[path = "../../client-core/tests/behaviour/world.rs"]
#[allow(dead_code)]
mod world;

use arbitrary::Arbitrary;
use client_core::{Config, Handle, Input, Status};
use libfuzzer_sys::fuzz_target;
use protocol::{ErrorCode, StopReason, client::ClientMessage};
use world::World;

const MAX_STEPS: usize = 200;
const MAX_REQUESTS: usize = 8;
const CLOSES: [u16; 6] = [1001, 1006, 1012, 4001, 4002, 4005];

#[derive(Debug, Arbitrary)]
enum Step {
    Token {
        turn: bool,
        text: String,
    },
    /// The model begins a call.
    Call {
        turn: bool,
    },
    /// It writes more of its arguments.
    Input {
        turn: bool,
        text: String,
    },
    /// The call comes further.
    Further {
        turn: bool,
    },
    Complete {
        turn: bool,
    },
    Fail {
        turn: bool,
    },
    Deliver(u8),
    Lose,
    Double,
    Swap,
    Cut(u8),
    Pass(u16),
    Visible,
    Network {
        online: bool,
    },
    Unreachable(bool),
    BlackHole(bool),
    TokenFails(bool),
    Pongs(bool),
    Snapshots(bool),
    Joins(bool),
    Take(bool),
    GiveRests(bool),
    Cancel {
        turn: bool,
    },
    List,
    Whole,
    Drain(u16),
    Closed,
    /// A frame that no honest proxy sends.
    Say {
        turn: bool,
        kind: u8,
        data: String,
    },
    Raw(String),
    Close,
}

#[derive(Debug, Arbitrary)]
struct Scenario {
    seed: u64,
    /// Whether the proxy keeps to the protocol.
    honest: bool,
    steps: Vec<Step>,
}

fuzz_target!(|scenario: Scenario| {
    let config = Config { max_requests: MAX_REQUESTS, ..Config::default() };
    let mut world = World::with(config, scenario.seed);
    let handles = [world.send("one"), world.send("two")];
    world.deliver_all();
    assert_eq!(world.proxy.turns.len(), 2);
    let mut run = Run { world, handles, ended: [false; 2], honest: true };
    for step in scenario.steps.into_iter().take(MAX_STEPS) {
        run.step(step, scenario.honest);
        run.world.takes.then(|| run.check());
    }
    if run.honest {
        run.finish();
    }
});

struct Run {
    world: World,
    handles: [Handle; 2],
    ended: [bool; 2],
    honest: bool,
}

impl Run {
    fn step(&mut self, step: Step, honest: bool) {
        let ended = match step {
            Step::Token { turn, .. }
            | Step::Call { turn }
            | Step::Input { turn, .. }
            | Step::Further { turn }
            | Step::Complete { turn }
            | Step::Fail { turn } => self.has_ended(turn),
            _ => false,
        };
        let world = &mut self.world;
        match step {
            Step::Token { .. } | Step::Call { .. } | Step::Input { .. } | Step::Further { .. } if ended => {}
            Step::Complete { .. } | Step::Fail { .. } if ended => {}
            // A log has no empty events.
            Step::Token { text, .. } | Step::Input { text, .. } if text.is_empty() => {}
            Step::Token { turn, text } => world.proxy.token(turn.into(), &text),
            Step::Call { turn } => world.proxy.begin_call(turn.into()),
            Step::Input { turn, text } => world.proxy.write_input(turn.into(), &text),
            Step::Further { turn } => world.proxy.further(turn.into()),
            Step::Complete { turn } => {
                self.ended[usize::from(turn)] = true;
                world.proxy.complete(turn.into());
            }
            Step::Fail { turn } => {
                self.ended[usize::from(turn)] = true;
                world.proxy.fail(turn.into(), ErrorCode::UpstreamStreamError);
            }
            Step::Deliver(count) => {
                for _ in 0..count {
                    world.deliver();
                }
            }
            Step::Lose => drop((!world.proxy.wire.is_empty()).then(|| world.proxy.wire.remove(0))),
            Step::Double => {
                if let Some(frame) = world.proxy.wire.first().cloned() {
                    world.input(Input::Received(&frame));
                }
            }
            Step::Swap => {
                if world.proxy.wire.len() > 1 {
                    world.proxy.wire.swap(0, 1);
                }
            }
            Step::Cut(code) => {
                world.proxy.draining = false;
                world.cut(CLOSES[usize::from(code) % CLOSES.len()]);
            }
            Step::Pass(ms) => world.pass_ms(ms.into()),
            Step::Visible => world.input(Input::Visible),
            Step::Network { online } => world.input(if online { Input::Online } else { Input::Offline }),
            Step::Unreachable(yes) => world.reachable = !yes,
            Step::BlackHole(yes) => world.black_hole = yes,
            Step::TokenFails(yes) => world.token_fails = yes,
            Step::Pongs(yes) => world.proxy.pongs = yes,
            Step::Snapshots(yes) => world.proxy.snapshots = yes,
            Step::Joins(yes) => world.proxy.joins = yes,
            Step::GiveRests(yes) => world.gives_rests = yes,
            Step::Take(yes) => {
                world.takes = yes;
                self.handles.into_iter().for_each(|handle| self.world.take(handle));
            }
            Step::Cancel { turn } => world.cancel(self.handles[usize::from(turn)]),
            Step::List => {
                let now = world.now();
                let _ = world.client.call(now, "chat.list_sessions", "{}");
                // The world does what a call gave rise to with its next input.
                world.input(Input::Connect);
            }
            Step::Whole => {
                let _ = world.try_send("whole", false);
            }
            Step::Drain(ms) => world.proxy.announce_stop(ms.into()),
            // Only a socket that is not open yet: any other is cut.
            Step::Closed if world.connected => {}
            Step::Closed => world.input(Input::SocketClosed { code: 1006, reason: "" }),
            _ if honest => {}
            Step::Say { turn, kind, data } => {
                self.honest = false;
                let kinds = protocol::server::ServerMessage::TYPES;
                let id = world.proxy.heard.iter().filter(|f| matches!(f.message, ClientMessage::SendMessage(_)));
                let id = id.map(|frame| frame.id.to_string()).nth(turn.into()).unwrap_or_default();
                let id = serde_json::Value::from(id);
                let kind = kinds[usize::from(kind) % kinds.len()];
                world.input(Input::Received(&format!(r#"{{"id":{id},"type":"{kind}","data":{data}}}"#)));
            }
            Step::Raw(text) => {
                self.honest = false;
                world.input(Input::Received(&text));
            }
            Step::Close => {
                self.honest = false;
                world.input(Input::Close);
            }
        }
    }

    /// Whether the log of a turn has its end: by the proxy, or since a cancel was heard.
    fn has_ended(&self, turn: bool) -> bool {
        let turn = usize::from(turn);
        let heard = &self.world.proxy.heard;
        let mut sends = heard.iter().filter(|frame| matches!(frame.message, ClientMessage::SendMessage(_)));
        let request = sends.nth(turn).map(|frame| &frame.id);
        let name = format!("m{}", turn + 1);
        self.ended[turn]
            || heard.iter().any(|frame| match &frame.message {
                ClientMessage::Cancel(cancel) => {
                    cancel.message_id.as_ref().is_some_and(|id| id.as_str() == name)
                        || cancel.request_id.as_ref() == request
                }
                _ => false,
            })
    }

    fn check(&self) {
        assert!(self.world.proxy.wire.len() < 100_000);
        for (handle, answer) in &self.world.answers {
            if let Some((content, ..)) = &answer.done {
                assert_eq!(content, &answer.text, "{handle:?}: the whole text is the pieces, whoever the proxy is");
            }
        }
        if !self.honest {
            return;
        }
        for (turn, handle) in self.handles.into_iter().enumerate() {
            let (has, shown) = (self.world.proxy.turns[turn].text(), self.world.text(handle));
            assert!(has.starts_with(shown), "{shown:?} is shown of {has:?}");
            for call in self.world.calls(handle) {
                assert!(self.world.proxy.turns[turn].once_was(call), "{call:?} is shown");
            }
        }
    }

    /// The network is well again: every answer comes to its end, with all its text.
    fn finish(mut self) {
        for turn in [false, true] {
            self.step(Step::Complete { turn }, true);
        }
        let world = &mut self.world;
        (world.takes, world.reachable, world.black_hole, world.token_fails) = (true, true, false, false);
        (world.proxy.pongs, world.proxy.draining) = (true, false);
        world.cut(1006);
        world.input(Input::Online);
        world.pass_ms(200_000);
        assert!(matches!(world.client.status(), Status::Open { .. }), "{:?}", world.client.status());
        for (turn, handle) in self.handles.into_iter().enumerate() {
            world.take(handle);
            let has = world.proxy.turns[turn].text();
            assert_eq!(world.text(handle), has);
            let answer = &world.answers[&handle];
            match (&answer.done, &answer.failed) {
                (Some((content, reason, _)), None) => {
                    assert_eq!(content, &has);
                    assert_eq!(world.calls(handle), world.proxy.turns[turn].calls());
                    assert!(matches!(reason, StopReason::EndTurn | StopReason::Cancelled), "{reason:?}");
                }
                (None, Some(_)) => {}
                other => panic!("an answer without an end: {other:?}"),
            }
        }
        let asked = |frame: &&protocol::client::ClientFrame| matches!(frame.message, ClientMessage::SendMessage(_));
        let ids: std::collections::BTreeSet<_> =
            world.proxy.heard.iter().filter(asked).map(|frame| &frame.id).collect();
        assert!(world.proxy.turns.len() <= ids.len(), "one model call for each message");
    }
}
