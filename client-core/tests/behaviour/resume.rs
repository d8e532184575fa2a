//! Rules 1 to 3 of the protocol page: no event is lost, none is applied twice, whatever happens to the socket.

use client_core::{Config, Handle};
use protocol::{ErrorCode, StopReason};

use crate::world::World;

const TOKENS: [&str; 6] = ["Be", "dr", "ock ", "at ", "the ", "surface"];

fn whole() -> String {
    TOKENS.concat()
}

fn assert_whole(world: &World, handle: Handle, why: &str) {
    let received = &world.answers[&handle];
    assert_eq!(received.text, whole(), "{why}");
    let (content, stop_reason, usage) = received.done.as_ref().unwrap_or_else(|| panic!("{why}: {received:?}"));
    assert_eq!((content, *stop_reason, usage.total_tokens), (&whole(), StopReason::EndTurn, 200), "{why}");
}

/// Cuts the connection once before each event and in each state of the proxy.
#[test]
fn an_answer_survives_a_cut_at_every_event() {
    for snapshots in [false, true] {
        for joins in [false, true] {
            for cut_at in 0..=TOKENS.len() {
                for lost_too in [false, true] {
                    let why = format!("snapshots {snapshots}, joins {joins}, cut at {cut_at}, frame lost {lost_too}");
                    let mut world = World::open();
                    (world.proxy.snapshots, world.proxy.joins) = (snapshots, joins);
                    let handle = world.send("hi");
                    for (at, token) in TOKENS.into_iter().enumerate() {
                        if at == cut_at && !lost_too {
                            world.cut(1006);
                        }
                        world.proxy.token(0, token);
                        if at == cut_at && lost_too {
                            world.cut(1006);
                        }
                        world.deliver_all();
                    }
                    world.proxy.complete(0);
                    if cut_at == TOKENS.len() {
                        world.cut(1006);
                    }
                    world.reconnect();
                    world.deliver_all();
                    assert_whole(&world, handle, &why);
                    assert_eq!(world.proxy.turns.len(), 1, "{why}: one model call");
                }
            }
        }
    }
}

#[test]
fn what_has_begun_is_resumed_after_the_last_event_and_what_has_not_is_sent_again_under_its_id() {
    let mut world = World::open();
    let begun = world.send("one");
    world.proxy.token(0, "a");
    world.proxy.token(0, "b");
    world.deliver_all();
    let silent = world.send("two");
    world.cut(1006);
    world.proxy.heard.clear();
    world.reconnect();
    assert_eq!(world.proxy.types(), ["chat.resume", "chat.send_message"]);
    let text = format!("{:?}", world.proxy.heard);
    assert!(text.contains("after: 2"), "{text}");
    world.proxy.complete(0);
    world.proxy.complete(1);
    world.deliver_all();
    assert_eq!(world.proxy.turns.len(), 2, "the id is the same, so that there is no third model call");
    assert!(world.stop_reason(begun).is_some() && world.stop_reason(silent).is_some());
}

#[test]
fn a_gap_is_asked_for_once_and_filled() {
    let mut world = World::open();
    let handle = world.send("hi");
    world.proxy.token(0, TOKENS[0]);
    world.deliver_all();
    world.proxy.token(0, TOKENS[1]);
    world.proxy.wire.clear();
    for token in &TOKENS[2..] {
        world.proxy.token(0, token);
    }
    let late = std::mem::take(&mut world.proxy.wire);
    for frame in &late {
        world.input(client_core::Input::Received(frame));
    }
    assert_eq!(world.text(handle), TOKENS[0], "nothing is applied out of order");
    assert_eq!(world.proxy.types(), ["chat.send_message", "chat.resume"]);
    world.proxy.complete(0);
    world.deliver_all();
    assert_whole(&world, handle, "after the gap");
}

#[test]
fn a_gap_that_is_not_filled_is_asked_for_again() {
    let mut world = World::open();
    let handle = world.send("hi");
    world.proxy.token(0, TOKENS[0]);
    world.deliver_all();
    world.proxy.token(0, TOKENS[1]);
    world.proxy.wire.clear();
    world.proxy.token(0, TOKENS[2]);
    let frame = world.proxy.wire.remove(0);
    world.input(client_core::Input::Received(&frame));
    world.proxy.wire.clear();
    world.pass_ms(4_999);
    assert_eq!(world.proxy.types(), ["chat.send_message", "chat.resume"]);
    world.pass_ms(1);
    for token in &TOKENS[3..] {
        world.proxy.token(0, token);
    }
    world.proxy.complete(0);
    world.deliver_all();
    assert_eq!(world.proxy.types(), ["chat.send_message", "chat.resume", "chat.resume"]);
    assert_whole(&world, handle, "after the second resume");
}

#[test]
fn repeated_frames_change_nothing() {
    let mut world = World::open();
    let handle = world.send("hi");
    for token in TOKENS {
        world.proxy.token(0, token);
    }
    world.proxy.complete(0);
    let frames = std::mem::take(&mut world.proxy.wire);
    for frame in frames.iter().flat_map(|frame| [frame, frame, &frames[0]]) {
        world.input(client_core::Input::Received(frame));
    }
    assert_whole(&world, handle, "every frame came twice");
    assert_eq!(world.client.usage().all.turns, 1);
}

#[test]
fn a_snapshot_that_says_something_else_fails_the_answer() {
    let mut world = World::open();
    let handle = world.send("hi");
    world.proxy.token(0, "Bedrock");
    world.deliver_all();
    world.cut(1006);
    world.proxy.snapshots = true;
    world.proxy.rewrite(0, "Granite");
    world.reconnect();
    world.deliver_all();
    let error = world.answers[&handle].failed.as_ref().unwrap();
    assert_eq!((error.code.as_str(), error.retryable), ("interrupted", true));
    assert_eq!(world.text(handle), "Bedrock", "what was given stays");
}

#[test]
fn an_answer_that_the_proxy_lost_is_interrupted() {
    let mut world = World::open();
    let handle = world.send("hi");
    world.proxy.token(0, "Bed");
    world.deliver_all();
    world.cut(1012);
    world.proxy.turns.clear();
    world.reconnect();
    world.deliver_all();
    assert_eq!(world.answers[&handle].failed.as_ref().unwrap().code.as_str(), "interrupted");
}

#[test]
fn the_error_of_an_answer_is_its_last_event_and_waits_for_those_before() {
    let mut world = World::open();
    let handle = world.send("hi");
    world.proxy.token(0, "a");
    world.deliver_all();
    world.proxy.token(0, "b");
    world.proxy.wire.clear();
    world.proxy.fail(0, ErrorCode::UpstreamStreamError);
    world.deliver_all();
    assert_eq!(world.text(handle), "ab");
    let error = world.answers[&handle].failed.as_ref().unwrap();
    assert_eq!(error.code.as_str(), "upstream_stream_error");
    assert_eq!(world.client.usage().all.turns, 1, "what a failed answer used counts");
}

#[test]
fn an_answer_beyond_the_bound_is_stopped_and_fails() {
    let mut world = World::with(Config { max_answer_bytes: 2_000, ..Config::default() }, 7);
    let handle = world.send("hi");
    world.deliver_all();
    for _ in 0..20 {
        world.proxy.token(0, "0123456789");
        world.deliver_all();
    }
    assert_eq!(world.answers[&handle].failed.as_ref().unwrap().code.as_str(), "message_too_large");
    assert_eq!(world.proxy.types(), ["chat.send_message", "chat.cancel"]);
}

#[test]
fn news_pile_up_joined_until_they_are_taken() {
    let mut world = World::open();
    world.takes = false;
    let handle = world.send("hi");
    for token in TOKENS {
        world.proxy.token(0, token);
    }
    world.deliver_all();
    let mut pieces = Vec::new();
    world.client.take(handle, |news| {
        if let client_core::Piece::Text(text) = news.piece {
            pieces.push(text.to_owned());
        }
    });
    assert_eq!(pieces, [whole()]);
}
