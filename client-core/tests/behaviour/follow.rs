//! An answer that another page asked for, or this one before it was loaded anew.

use client_core::{Handle, RequestErrorCode};
use protocol::{ErrorCode, StopReason};

use crate::world::World;

const TOKENS: [&str; 4] = ["Be", "dr", "ock", "!"];

/// A client that holds two of an answer's events.
fn following() -> (World, Handle) {
    let mut world = World::open();
    let turn = world.proxy.ask_elsewhere();
    for token in &TOKENS[..2] {
        world.proxy.token(turn, token);
    }
    let handle = world.follow("m1", 2, "Bedr").unwrap();
    (world, handle)
}

fn assert_tail(world: &World, handle: Handle, why: &str) {
    let received = &world.answers[&handle];
    assert_eq!(received.text, "ock!", "{why}: the tail alone");
    let (content, stop_reason, usage) = received.done.as_ref().unwrap_or_else(|| panic!("{why}: {received:?}"));
    assert_eq!((content.as_str(), *stop_reason, usage.total_tokens), ("Bedrock!", StopReason::EndTurn, 200), "{why}");
}

#[test]
fn the_tail_comes_under_a_foreign_id_and_the_end_has_all_of_it() {
    let (mut world, handle) = following();
    assert_eq!(world.proxy.types(), ["chat.resume"]);
    let asked = format!("{:?}", world.proxy.heard.last().unwrap());
    assert!(asked.contains("after: 2"), "{asked}");
    for token in &TOKENS[2..] {
        world.proxy.token(0, token);
    }
    world.proxy.complete(0);
    world.deliver_all();
    assert_tail(&world, handle, "uncut");
    assert_eq!(world.client.usage().all.turns, 1);
}

#[test]
fn it_survives_a_cut_at_every_event_and_snapshots() {
    for snapshots in [false, true] {
        for cut_at in 2..=TOKENS.len() {
            let (mut world, handle) = following();
            world.proxy.snapshots = snapshots;
            for (at, token) in TOKENS.iter().enumerate().skip(2) {
                if at == cut_at {
                    world.cut(1006);
                }
                world.proxy.token(0, token);
                world.deliver_all();
            }
            world.proxy.complete(0);
            if cut_at == TOKENS.len() {
                world.cut(1006);
            }
            world.reconnect();
            world.deliver_all();
            assert_tail(&world, handle, &format!("snapshots {snapshots}, cut at {cut_at}"));
        }
    }
}

/// While connected, and without a connection.
#[test]
fn it_is_stopped_by_its_name() {
    for cut in [false, true] {
        let (mut world, handle) = following();
        world.deliver_all();
        if cut {
            world.cut(1006);
        }
        world.cancel(handle);
        assert_eq!(world.stop_reason(handle), None, "it ends as the proxy says");
        world.reconnect();
        world.deliver_all();
        assert_eq!(world.stop_reason(handle), Some(StopReason::Cancelled), "cut {cut}");
        assert_eq!(world.proxy.types().last(), Some(&"chat.cancel"));
    }
}

#[test]
fn who_looks_away_stops_nothing() {
    let (mut world, handle) = following();
    world.client.release(handle);
    world.proxy.token(0, "x");
    world.deliver_all();
    assert_eq!(world.proxy.types(), ["chat.resume"]);
    assert_eq!(world.text(handle), "");
    assert!(world.follow("m1", 3, "Bedrx").is_ok(), "and may look again");
}

#[test]
fn the_end_of_an_answer_that_nobody_looks_at_ends_no_other_request() {
    let (mut world, handle) = following();
    world.client.release(handle);
    let other = world.send("hi");
    world.proxy.fail(0, ErrorCode::UpstreamStreamError);
    world.deliver_all();
    assert!(!world.answers.contains_key(&other), "{:?}", world.answers.get(&other));
}

#[test]
fn a_stop_outlives_a_look_away_without_a_connection() {
    let (mut world, handle) = following();
    world.cut(1006);
    world.cancel(handle);
    world.client.release(handle);
    world.reconnect();
    assert_eq!(world.proxy.types().last(), Some(&"chat.cancel"));
}

#[test]
fn an_answer_that_the_proxy_does_not_have_is_interrupted() {
    let mut world = World::open();
    let handle = world.follow("gone", 2, "Bedr").unwrap();
    world.deliver_all();
    let error = world.answers[&handle].failed.as_ref().unwrap();
    assert_eq!((error.code, error.retryable), (RequestErrorCode::Proxy(ErrorCode::Interrupted), true));
}

#[test]
fn an_error_of_the_answer_ends_it() {
    let (mut world, handle) = following();
    world.proxy.fail(0, ErrorCode::UpstreamStreamError);
    world.deliver_all();
    assert_eq!(
        world.answers[&handle].failed.as_ref().map(|error| error.code),
        Some(RequestErrorCode::Proxy(ErrorCode::UpstreamStreamError))
    );
}

#[test]
fn one_client_follows_an_answer_once() {
    let (mut world, _) = following();
    let error = world.follow("m1", 2, "Bedr").unwrap_err();
    assert_eq!(error.code, RequestErrorCode::Proxy(ErrorCode::InvalidRequest));
    assert!(world.follow("", 0, "").is_err());
}
