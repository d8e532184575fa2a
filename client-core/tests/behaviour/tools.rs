//! Calls of tools: their arguments as they are written, how far they have come, and what a person says about them.

use client_core::{Handle, Piece};
use protocol::{ToolStatus, ToolUse};

use crate::world::World;

const PIECES: [&str; 4] = ["{\"zo", "ne\":", "\"UT", "C\"}"];

/// A client and its answer, of which the model has written the beginning of a call.
fn calling() -> (World, Handle) {
    let mut world = World::open();
    let handle = world.send("what time is it?");
    world.proxy.token(0, "Let me look.");
    world.proxy.begin_call(0);
    world.deliver_all();
    (world, handle)
}

/// The one call as it was given last.
fn call(world: &World, handle: Handle) -> &ToolUse {
    let calls = world.calls(handle);
    assert_eq!(calls.len(), 1, "{calls:?}");
    &calls[0]
}

fn written(world: &World, handle: Handle) -> &str {
    call(world, handle).partial_input.as_deref().unwrap_or_default()
}

#[test]
fn arguments_are_shown_as_they_are_written_and_then_whole() {
    let (mut world, handle) = calling();
    assert_eq!((call(&world, handle).status, written(&world, handle)), (ToolStatus::Preparing, ""));
    for at in 0..PIECES.len() {
        world.proxy.write_input(0, PIECES[at]);
        world.deliver_all();
        assert_eq!(written(&world, handle), PIECES[..=at].concat());
        assert_eq!(call(&world, handle).input.as_str(), "{}");
    }
    for expected in [ToolStatus::PendingApproval, ToolStatus::Running, ToolStatus::Succeeded] {
        world.proxy.further(0);
        world.deliver_all();
        let ToolUse { status, partial_input, input, .. } = call(&world, handle);
        assert_eq!((*status, partial_input, input.as_str()), (expected, &None, r#"{"zone":"UTC"}"#));
    }
    world.proxy.token(0, "\n\nNoon.");
    world.proxy.complete(0);
    world.deliver_all();
    assert_eq!(world.text(handle), "Let me look.\n\nNoon.");
    assert_eq!(world.answers[&handle].done.as_ref().unwrap().0, "Let me look.\n\nNoon.");
}

#[test]
fn arguments_survive_a_cut_at_every_event() {
    for snapshots in [false, true] {
        for joins in [false, true] {
            for cut_at in 0..=PIECES.len() {
                let why = format!("snapshots {snapshots}, joins {joins}, cut at {cut_at}");
                let (mut world, handle) = calling();
                (world.proxy.snapshots, world.proxy.joins) = (snapshots, joins);
                for (at, piece) in PIECES.iter().enumerate() {
                    if at == cut_at {
                        world.cut(1006);
                    }
                    world.proxy.write_input(0, piece);
                    world.deliver_all();
                }
                world.reconnect();
                world.deliver_all();
                assert_eq!(written(&world, handle), PIECES.concat(), "{why}");
                if cut_at == PIECES.len() {
                    world.cut(1006);
                }
                world.proxy.further(0);
                world.reconnect();
                world.deliver_all();
                assert_eq!(world.calls(handle), world.proxy.turns[0].calls(), "{why}");
                assert_eq!(world.text(handle), "Let me look.", "{why}");
            }
        }
    }
}

#[test]
fn what_piles_up_is_given_once_as_it_stands() {
    let (mut world, handle) = calling();
    world.takes = false;
    for piece in PIECES {
        world.proxy.write_input(0, piece);
    }
    world.deliver_all();
    let mut given = Vec::new();
    let mut take = |world: &mut World| {
        world.client.take(handle, |news| {
            if let Piece::Tool(call) = news.piece {
                given.push(call.partial_input.clone().unwrap_or_default());
            }
        });
        given.clone()
    };
    assert_eq!(take(&mut world), [PIECES.concat()]);
    assert_eq!(take(&mut world).len(), 1, "nothing is new");
}

#[test]
fn an_answer_is_followed_from_the_middle_of_a_calls_arguments() {
    let mut world = World::open();
    let turn = world.proxy.ask_elsewhere();
    world.proxy.begin_call(turn);
    world.proxy.write_input(turn, PIECES[0]);
    let part = r#"{"type":"tool_use","toolUseId":"m1-1","name":"clock","server":"time","input":{},"partialInput":"{\"zo","status":"preparing"}"#;
    let message = format!(r#"{{"messageId":"m1","content":"","parts":[{part}]}}"#);
    let held = format!(r#"{{"sessionId":"s","messageId":"m1","seq":2,"state":"streaming","message":{message}}}"#);
    let handle = world.client.follow(world.now(), &held).unwrap();
    world.input(client_core::Input::Connect);
    world.deliver_all();
    assert_eq!(world.calls(handle), [], "it is held already");
    world.proxy.write_input(turn, PIECES[1]);
    world.deliver_all();
    assert_eq!(written(&world, handle), PIECES[..2].concat());
}

#[test]
fn what_a_person_says_is_answered_and_holds_once() {
    for approved in [true, false] {
        for cut in [false, true] {
            let (mut world, handle) = calling();
            world.proxy.further(0);
            world.deliver_all();
            assert_eq!(call(&world, handle).status, ToolStatus::PendingApproval);
            let data = format!(r#"{{"toolUseId":"m1-1","messageId":"m1","approved":{approved}}}"#);
            let said = world.call("chat.approve_tool", &data);
            if cut {
                // The proxy has heard it, its reply is lost.
                world.cut(1006);
                world.reconnect();
            }
            world.deliver_all();
            let expected = format!(r#"{{"toolUseId":"m1-1","approved":{approved}}}"#);
            assert_eq!(world.replies[&said].as_deref(), Ok(expected.as_str()), "cut {cut}");
            let status = if approved { ToolStatus::Running } else { ToolStatus::Denied };
            assert_eq!((call(&world, handle).status, call(&world, handle).approved), (status, approved));
            let other = world.call("chat.approve_tool", &data.replace(&approved.to_string(), &(!approved).to_string()));
            world.deliver_all();
            assert_eq!(world.replies[&other].as_ref().unwrap_err().code.as_str(), "invalid_request");
        }
    }
}
