//! Rule 8 of the protocol page: when a silent socket is dead.

use client_core::{Input, Status};

use crate::world::World;

#[test]
fn a_socket_that_answers_no_ping_is_dead_after_35_seconds() {
    let mut world = World::open();
    world.proxy.pongs = false;
    world.pass_ms(24_999);
    assert_eq!(world.proxy.pings(), 0);
    world.pass_ms(1);
    assert_eq!(world.proxy.pings(), 1);
    world.pass_ms(9_999);
    assert!(world.closes.is_empty());
    world.pass_ms(1);
    assert_eq!(world.closes, [4001]);
}

#[test]
fn a_socket_that_answers_pings_lives() {
    let mut world = World::open();
    world.pass_ms(600_000);
    assert_eq!((world.proxy.pings(), world.attempts.len()), (24, 1));
}

#[test]
fn a_followed_answer_makes_that_15_seconds_and_any_frame_counts() {
    let mut world = World::open();
    world.proxy.pongs = false;
    let handle = world.send("hi");
    for _ in 0..10 {
        world.pass_ms(14_000);
        world.proxy.token(0, "a");
        world.deliver_all();
    }
    assert_eq!((world.text(handle), world.attempts.len()), ("aaaaaaaaaa", 1));
    world.pass_ms(14_999);
    assert!(world.closes.is_empty());
    world.pass_ms(1);
    assert_eq!(world.closes, [4001]);
}

/// A hidden tab's timers run once a minute.
#[test]
fn a_timer_that_is_late_kills_no_living_socket() {
    let mut world = World::open();
    let start = world.now_ms();
    for minute in 1..=5 {
        let late = client_core::Time::from_millis(start + minute * 60_000);
        world.client.handle_timeout(late);
        let Some(client_core::Output::SendText(ping)) = world.client.poll_output() else { panic!("no ping") };
        world.proxy.hear(&ping);
        let pong = world.proxy.wire.remove(0);
        world.client.handle_input(late, Input::Received(&pong));
        assert_eq!(world.client.poll_output(), None);
    }
    assert!(matches!(world.client.status(), Status::Open { .. }));
}

#[test]
fn a_person_who_looks_again_learns_of_a_dead_socket_in_3_seconds() {
    let mut world = World::open();
    world.proxy.pongs = false;
    world.pass_ms(5_000);
    world.input(Input::Visible);
    assert_eq!(world.proxy.pings(), 1);
    world.input(Input::Online);
    assert_eq!(world.proxy.pings(), 1, "one ping is enough");
    world.pass_ms(2_999);
    assert!(world.closes.is_empty());
    world.pass_ms(1);
    assert_eq!(world.closes, [4001]);
}

#[test]
fn a_probe_that_is_answered_leaves_the_socket_alone() {
    let mut world = World::open();
    world.input(Input::Visible);
    world.pass_ms(20_000);
    assert_eq!((world.proxy.pings(), world.attempts.len(), world.closes.len()), (1, 1, 0));
}

/// The timers of a machine that slept are late, all of them.
#[test]
fn a_machine_that_slept_learns_of_a_dead_socket_in_3_seconds() {
    let mut world = World::open();
    world.proxy.pongs = false;
    world.sleep_ms(3_600_000);
    world.pass_ms(0);
    assert_eq!(world.proxy.pings(), 1);
    world.pass_ms(3_000);
    assert_eq!(world.closes, [4001]);
}

#[test]
fn what_is_sent_after_a_sleep_goes_with_a_probe() {
    let mut world = World::open();
    world.proxy.pongs = false;
    world.sleep_ms(3_600_000);
    world.send("hi");
    assert_eq!(world.proxy.pings(), 1);
    world.pass_ms(3_000);
    assert_eq!(world.closes, [4001]);
}
