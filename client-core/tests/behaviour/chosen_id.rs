//! A message whose id its caller chose, so that it can be sent again by a page that was loaded anew.

use client_core::{Input, RequestErrorCode};
use protocol::{ErrorCode, RequestId, StopReason};

use crate::world::World;

fn text(world: &World) -> String {
    world.proxy.turns[0].text()
}

#[test]
fn a_message_goes_out_under_its_id_and_its_answer_is_known_by_it() {
    for streaming in [true, false] {
        let mut world = World::open();
        let id = "a \"b\"/ü,\"part\":1";
        let handle = world.try_send_as("hi", streaming, Some(id)).unwrap();
        assert_eq!(world.proxy.heard.last().unwrap().id.as_str(), id);
        for token in ["Be", "dr", "ock"] {
            world.proxy.token(0, token);
            world.deliver_all();
        }
        assert_eq!(world.client.head().map(|(of, _)| of), streaming.then_some(handle), "the quick path is taken");
        world.proxy.complete(0);
        world.deliver_all();
        if streaming {
            assert_eq!(world.text(handle), text(&world));
            assert_eq!(world.stop_reason(handle), Some(StopReason::EndTurn));
        } else {
            assert!(world.replies[&handle].as_ref().unwrap().contains("Bedrock"));
        }
        assert_eq!(world.client.usage().all.turns, 1);
    }
}

/// Loads the page anew at every moment of an answer's life, whether the message has reached the proxy or not.
#[test]
fn a_page_that_was_loaded_anew_sends_it_again_and_is_answered_once() {
    const TOKENS: usize = 3;
    for arrived in [false, true] {
        for events in 0..=if arrived { TOKENS + 1 } else { 0 } {
            let mut world = if arrived { World::open() } else { World::new() };
            world.reachable = arrived;
            world.try_send_as("hi", true, Some("mine")).unwrap();
            for at in 0..events {
                if at == TOKENS { world.proxy.complete(0) } else { world.proxy.token(0, "a") }
            }
            world.reload();
            world.reachable = true;
            let handle = world.try_send_as("hi", true, Some("mine")).unwrap();
            world.reconnect();
            for at in events..=TOKENS {
                if at == TOKENS { world.proxy.complete(0) } else { world.proxy.token(0, "a") }
            }
            world.deliver_all();
            let why = format!("arrived {arrived}, {events} events");
            assert_eq!((world.text(handle), world.proxy.turns.len()), ("aaa", 1), "{why}");
            assert_eq!(world.stop_reason(handle), Some(StopReason::EndTurn), "{why}");
        }
    }
}

#[test]
fn it_keeps_its_id_over_a_cut() {
    let mut world = World::open();
    world.try_send_as("hi", true, Some("mine")).unwrap();
    world.cut(1006);
    world.reconnect();
    let sent: Vec<_> = world.proxy.heard.iter().filter(|frame| frame.id.as_str() == "mine").collect();
    assert_eq!((sent.len(), world.proxy.turns.len()), (2, 1));
}

#[test]
fn it_is_stopped_by_its_id_until_the_answer_has_a_name() {
    let mut world = World::open();
    let handle = world.try_send_as("hi", true, Some("mine")).unwrap();
    world.cancel(handle);
    world.deliver_all();
    let sent = format!("{:?}", world.proxy.heard.last().unwrap().message);
    let id = RequestId::new("mine").unwrap();
    assert!(sent.contains(&format!("request_id: Some({id:?})")), "{sent}");
    assert_eq!(world.stop_reason(handle), Some(StopReason::Cancelled));
}

/// The page before it was loaded anew may have sent it: an answer that nobody sees would go on, and be paid for.
#[test]
fn a_stop_after_a_reload_reaches_the_proxy_though_it_came_before_the_connection() {
    let mut world = World::open();
    world.try_send_as("hi", true, Some("mine")).unwrap();
    world.reload();
    world.reachable = false;
    let handle = world.try_send_as("hi", true, Some("mine")).unwrap();
    world.cancel(handle);
    assert_eq!(world.stop_reason(handle), None);
    world.reachable = true;
    world.reconnect();
    world.deliver_all();
    assert_eq!((world.stop_reason(handle), world.proxy.turns.len()), (Some(StopReason::Cancelled), 1));
}

#[test]
fn its_error_ends_it() {
    let mut world = World::open();
    let handle = world.try_send_as("hi", true, Some("mine")).unwrap();
    world.proxy.fail(0, ErrorCode::Throttled);
    world.deliver_all();
    assert_eq!(world.answers[&handle].failed.as_ref().unwrap().code.as_str(), "throttled");
}

#[test]
fn an_id_that_is_none_or_is_in_use_is_refused_and_nothing_is_sent() {
    let mut world = World::open();
    world.send("hi");
    let own = world.proxy.heard.last().unwrap().id.as_str().to_owned();
    let next = own.trim_end_matches(|letter: char| letter.is_ascii_digit()).to_owned() + "4000000000";
    world.try_send_as("hi", true, Some("taken")).unwrap();
    let heard = world.proxy.heard.len();
    let too_long = "x".repeat(129);
    for bad in ["", "a\n", "\u{85}", &too_long, &own, &next, "taken"] {
        let error = world.try_send_as("hi", true, Some(bad)).unwrap_err();
        assert_eq!(error.code, RequestErrorCode::Proxy(ErrorCode::InvalidRequest), "{bad:?}");
        assert!(!error.retryable && error.message.contains(" id "), "{bad:?}: {}", error.message);
    }
    assert_eq!(world.proxy.heard.len(), heard);
    assert!(world.try_send_as("hi", true, Some(&"x".repeat(128))).is_ok());
}

#[test]
fn an_id_is_free_again_when_its_answer_has_ended_taken_or_not() {
    for takes in [true, false] {
        let mut world = World::open();
        world.takes = takes;
        let first = world.try_send_as("hi", true, Some("mine")).unwrap();
        world.proxy.token(0, "a");
        world.proxy.complete(0);
        world.deliver_all();
        world.takes = true;
        let second = world.try_send_as("hi", true, Some("mine")).unwrap();
        world.deliver_all();
        world.take(first);
        for handle in [first, second] {
            assert_eq!((world.text(handle), world.stop_reason(handle)), ("a", Some(StopReason::EndTurn)));
        }
        assert_eq!(world.proxy.turns.len(), 1);
    }
}

/// Frames of an answer may come after it has ended here, under an id that is not one of this client's own.
#[test]
fn a_late_error_under_its_id_ends_no_other_request() {
    let mut world = World::open();
    world.try_send_as("hi", true, Some("mine")).unwrap();
    world.proxy.complete(0);
    world.deliver_all();
    let other = world.send("again");
    let late = r#"{"id":"mine","type":"chat.error","data":{"code":"internal","message":"late","retryable":false}}"#;
    world.input(Input::Received(late));
    assert!(!world.answers.contains_key(&other), "{:?}", world.answers.get(&other));
}
