//! Answers that another page asked for.

use client_core::{Input, Status};
use protocol::ErrorCode;

use crate::world::World;

const MESSAGE: &str =
    r#"{"messageId":"m1","content":"one two","role":"assistant","timestamp":"2026-11-23T12:00:00.000Z"}"#;

fn snapshot(seq: u64) -> String {
    format!(r#"{{"sessionId":"s","messageId":"m1","seq":{seq},"state":"streaming","message":{MESSAGE}}}"#)
}

/// A world in which another page asked and has read two events.
fn answer_of_another_page() -> World {
    let mut world = World::open();
    world.proxy.ask_from_elsewhere("theirs");
    world.proxy.token(0, "one");
    world.proxy.token(0, " two");
    world
}

#[test]
fn the_rest_comes_and_the_end_has_all_of_it() {
    let mut world = answer_of_another_page();
    let handle = world.follow(&snapshot(2));
    world.proxy.token(0, " three");
    world.deliver_all();
    assert_eq!(world.text(handle), " three");
    world.proxy.complete(0);
    world.deliver_all();
    let done = world.answers[&handle].done.as_ref().expect("an end");
    assert_eq!(done.0, "one two three");
    assert_eq!(world.proxy.types(), ["chat.resume"]);
}

#[test]
fn it_goes_on_after_a_cut_and_can_be_stopped() {
    let mut world = answer_of_another_page();
    let handle = world.follow(&snapshot(2));
    world.proxy.token(0, " three");
    world.deliver_all();
    world.cut(1006);
    world.proxy.token(0, " four");
    world.reconnect();
    world.deliver_all();
    assert_eq!(world.text(handle), " three four");
    world.cancel(handle);
    world.deliver_all();
    assert_eq!(world.stop_reason(handle), Some(protocol::StopReason::Cancelled));
}

#[test]
fn a_snapshot_in_answer_is_taken_where_it_goes_on() {
    let mut world = answer_of_another_page();
    world.proxy.token(0, " three");
    world.proxy.complete(0);
    world.proxy.snapshots = true;
    let handle = world.follow(&snapshot(2));
    world.deliver_all();
    assert_eq!(world.text(handle), " three");
    assert_eq!(world.answers[&handle].done.as_ref().map(|done| done.0.as_str()), Some("one two three"));
}

#[test]
fn one_that_is_gone_is_an_error_and_nonsense_is_refused() {
    let mut world = World::open();
    let handle = world.follow(&snapshot(2));
    world.deliver_all();
    let failed = world.answers[&handle].failed.as_ref().expect("an error");
    assert_eq!(failed.code, client_core::RequestErrorCode::Proxy(ErrorCode::Interrupted));
    assert!(world.client.follow(world.now(), "{}").is_err());
}

#[test]
fn who_leaves_stops_nothing() {
    let mut world = answer_of_another_page();
    let handle = world.follow(&snapshot(2));
    world.client.release(handle);
    world.proxy.complete(0);
    world.deliver_all();
    assert_eq!(world.proxy.types(), ["chat.resume"]);
    assert!(matches!(world.client.status(), Status::Open { .. }));
}

/// A dead socket is found soon after somebody looks, and not only when its time is up.
#[test]
fn a_page_that_is_looked_at_again_finds_a_dead_socket_at_once() {
    let mut world = answer_of_another_page();
    world.proxy.pongs = false;
    world.input(Input::Visible);
    world.pass_ms(2_900);
    assert!(matches!(world.client.status(), Status::Open { .. }));
    world.pass_ms(200);
    assert!(!matches!(world.client.status(), Status::Open { .. }) || world.attempts.len() > 1);
}
