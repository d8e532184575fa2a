//! Rules 7 and 9 of the protocol page: when to connect again, and when not to.

use client_core::{Config, Input, Status};
use protocol::{ErrorCode, ErrorData};

use crate::{proxy::Greeting, world::World};

#[test]
fn the_greeting_goes_first_and_requests_wait_for_its_answer() {
    let mut world = World::new();
    world.proxy.greeting = Greeting::Silence;
    world.send("hi");
    assert_eq!(world.proxy.heard.len(), 1);
    assert_eq!(world.proxy.heard[0].message.type_text(), "client.hello");
    let mut world = World::new();
    world.send("hi");
    world.deliver_all();
    assert_eq!(world.proxy.types(), ["chat.send_message"]);
}

#[test]
fn waits_double_up_to_the_cap_with_full_jitter() {
    let mut shortest_of_the_last = u64::MAX;
    for seed in 0..50 {
        let mut world = World::with(Config::default(), seed);
        world.reachable = false;
        world.input(Input::Connect);
        while world.attempts.len() <= 10 {
            let failures = world.attempts.len() - 1;
            let longest = (500 << failures).min(20_000);
            let wait = world.retry_in_ms();
            assert!(wait <= longest, "seed {seed}: {wait} after {failures} failures");
            if failures >= 9 {
                shortest_of_the_last = shortest_of_the_last.min(wait);
            }
            let before = world.attempts.len();
            world.pass_ms(wait);
            assert!(world.attempts.len() > before, "seed {seed}");
        }
    }
    assert!(shortest_of_the_last < 5_000, "the jitter is full: {shortest_of_the_last}");
}

#[test]
fn waits_start_again_only_after_half_a_minute_of_health() {
    for (lived_ms, starts_again) in [(29_000, false), (31_000, true)] {
        let mut longest = 0;
        for seed in 0..40 {
            let mut world = World::with(Config::default(), seed);
            world.reachable = false;
            world.input(Input::Connect);
            while world.attempts.len() < 7 {
                world.pass_ms(1_000);
            }
            world.reachable = true;
            world.reconnect();
            world.pass_ms(lived_ms);
            world.cut(1006);
            longest = longest.max(world.retry_in_ms());
        }
        assert_eq!(longest <= 500, starts_again, "{lived_ms} ms of health, then up to {longest} ms");
    }
}

#[test]
fn the_browsers_word_that_there_is_a_network_or_a_reader_ends_the_wait() {
    for input in [Input::Online, Input::Visible] {
        let mut world = World::with(Config { backoff_base_ms: 20_000, ..Config::default() }, 3);
        world.reachable = false;
        world.input(Input::Connect);
        assert!(world.retry_in_ms() > 0);
        world.reachable = true;
        world.input(input);
        world.deliver_all();
        assert!(matches!(world.client.status(), Status::Open { .. }));
    }
}

#[test]
fn offline_is_shown_and_tried_now_and_then_all_the_same() {
    let mut world = World::open();
    world.reachable = false;
    world.input(Input::Offline);
    assert!(matches!(world.client.status(), Status::Open { .. }), "the socket may live on");
    world.cut(1006);
    assert_eq!(world.client.status(), &Status::Offline);
    let before = world.attempts.len();
    world.pass_ms(60_000);
    assert_eq!(world.attempts.len(), before + 3);
    assert_eq!(world.client.status(), &Status::Offline);
    world.reachable = true;
    world.input(Input::Online);
    world.deliver_all();
    assert!(matches!(world.client.status(), Status::Open { .. }));
}

#[test]
fn every_attempt_asks_for_a_token_of_its_own() {
    let mut world = World::open();
    for _ in 0..3 {
        world.cut(4003);
        world.reconnect();
    }
    let tokens: Vec<_> = world.proxy.tokens.iter().map(|token| token.clone().unwrap()).collect();
    assert_eq!(tokens, ["token-1", "token-2", "token-3", "token-4"]);
}

#[test]
fn a_token_that_cannot_be_had_is_asked_for_again() {
    let mut world = World::new();
    world.token_fails = true;
    world.input(Input::Connect);
    assert!(matches!(world.client.status(), Status::Reconnecting { reason, .. } if reason == "no"));
    world.token_fails = false;
    world.reconnect();
}

#[test]
fn the_token_of_an_attempt_that_was_given_up_is_dropped() {
    let mut world = World::new();
    world.black_hole = true;
    world.input(Input::Connect);
    world.pass_ms(60_000);
    let opened = world.attempts.len();
    world.input(Input::Token { attempt: 1, result: Ok(Some("old".into())) });
    world.black_hole = false;
    world.reconnect();
    assert!(opened > 1);
    assert!(world.proxy.tokens.iter().all(|token| token.as_deref() != Some("old")));
}

#[test]
fn close_codes_say_whether_to_come_back() {
    for code in [1001, 1005, 1006, 1011, 1012, 1013, 4001, 4002, 4003, 4004, 4005, 4321] {
        let mut world = World::open();
        world.cut(code);
        assert!(matches!(world.client.status(), Status::Reconnecting { .. }), "{code}");
        world.reconnect();
    }
    for code in [1000, 1008, 1009, 4500, 4501, 4502, 4503, 4504, 4505, 4777] {
        let mut world = World::open();
        let handle = world.send("hi");
        world.cut(code);
        assert!(matches!(world.client.status(), Status::Closed { code: Some(c), .. } if *c == code), "{code}");
        assert_eq!(world.answers[&handle].failed.as_ref().unwrap().code.as_str(), "closed");
        let attempts = world.attempts.len();
        world.pass_ms(600_000);
        world.input(Input::Online);
        assert_eq!(world.attempts.len(), attempts, "{code}");
        assert_eq!(world.try_send("more", true).unwrap_err().code.as_str(), "closed");
    }
}

#[test]
fn a_refused_token_ends_it_and_a_proxy_that_is_too_busy_does_not() {
    let mut world = World::new();
    world.proxy.greeting = Greeting::Refuse(ErrorData::new(ErrorCode::Unauthenticated, "Sign in again."));
    let handle = world.send("hi");
    world.deliver_all();
    assert!(matches!(world.client.status(), Status::Closed { code: Some(4500), reason } if reason == "Sign in again."));
    assert_eq!(world.answers[&handle].failed.as_ref().unwrap().message, "Sign in again.");

    let mut world = World::new();
    let busy = ErrorData { retry_after_ms: Some(7_000), ..ErrorData::new(ErrorCode::RateLimited, "later") };
    world.proxy.greeting = Greeting::Refuse(busy);
    world.input(Input::Connect);
    world.deliver_all();
    assert!(world.retry_in_ms() >= 7_000);
    world.proxy.greeting = Greeting::Welcome;
    world.reconnect();
}

#[test]
fn an_attempt_without_an_answer_ends_after_20_seconds() {
    for silent_proxy in [true, false] {
        let mut world = World::new();
        world.black_hole = !silent_proxy;
        world.proxy.greeting = Greeting::Silence;
        world.input(Input::Connect);
        world.pass_ms(19_999);
        assert_eq!(world.client.status(), &Status::Connecting);
        world.pass_ms(1);
        assert!(matches!(world.client.status(), Status::Reconnecting { .. }));
        assert_eq!(world.closes, [4001]);
    }
}

#[test]
fn a_proxy_that_stops_is_left_at_its_hint_without_a_wait() {
    let mut world = World::open();
    world.proxy.announce_stop(750);
    world.deliver_all();
    world.pass_ms(749);
    assert_eq!(world.attempts.len(), 1);
    world.proxy.draining = false;
    world.pass_ms(1);
    assert_eq!((world.attempts.len(), world.closes.as_slice()), (2, [1000].as_slice()));
    assert!(matches!(world.client.status(), Status::Open { .. }));
}

#[test]
fn a_proxy_that_stops_may_finish_its_answers_and_gets_no_new_ones() {
    let mut world = World::open();
    let first = world.send("one");
    world.proxy.token(0, "a");
    world.proxy.announce_stop(500);
    world.deliver_all();
    let second = world.send("two");
    world.pass_ms(4_000);
    assert_eq!((world.attempts.len(), world.proxy.turns.len()), (1, 1), "it is still being followed");
    world.proxy.draining = false;
    world.proxy.token(0, "b");
    world.proxy.complete(0);
    world.pass_ms(1);
    assert_eq!(world.text(first), "ab");
    assert_eq!((world.attempts.len(), world.proxy.turns.len()), (2, 2));
    world.proxy.complete(1);
    world.deliver_all();
    assert!(world.stop_reason(second).is_some());
}

#[test]
fn a_request_that_a_stopping_proxy_refuses_is_sent_to_the_next() {
    let mut world = World::open();
    world.proxy.draining = true;
    let handle = world.send("hi");
    world.deliver_all();
    world.proxy.draining = false;
    world.pass_ms(1_000);
    assert_eq!((world.attempts.len(), world.proxy.turns.len()), (2, 1));
    world.proxy.complete(0);
    world.deliver_all();
    assert!(world.stop_reason(handle).is_some());
}

#[test]
fn a_socket_closed_before_the_hint_is_opened_again_at_the_hint() {
    let mut world = World::open();
    world.proxy.announce_stop(3_000);
    world.deliver_all();
    world.pass_ms(1_000);
    world.cut(1012);
    assert_eq!(world.retry_in_ms(), 2_000);
}

#[test]
fn a_frame_that_cannot_be_read_costs_the_connection_and_no_answer() {
    let mut world = World::open();
    let handle = world.send("hi");
    world.proxy.token(0, "a");
    world.deliver_all();
    world.input(Input::Received("{\"id\":"));
    assert_eq!(world.closes, [4000]);
    world.reconnect();
    world.proxy.token(0, "b");
    world.proxy.complete(0);
    world.deliver_all();
    assert_eq!(world.text(handle), "ab");
}

#[test]
fn close_ends_everything_once() {
    let mut world = World::open();
    let handle = world.send("hi");
    let call = world.call("chat.get_history", r#"{"sessionId":"s"}"#);
    world.input(Input::Close);
    world.input(Input::Close);
    assert_eq!(world.closes, [1000]);
    assert_eq!(world.answers[&handle].failed.as_ref().unwrap().code.as_str(), "closed");
    assert_eq!(world.replies[&call].as_ref().unwrap_err().code.as_str(), "closed");
    assert_eq!(world.client.poll_timeout(), None);
}
