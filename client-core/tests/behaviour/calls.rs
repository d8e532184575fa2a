//! Requests with one reply, and the bounds of all requests.

use client_core::{Config, Handle, SendOptions};
use protocol::{ErrorCode, ErrorData, server::ServerMessage};

use crate::world::World;

#[test]
fn a_reply_is_given_as_the_json_it_came_as() {
    let mut world = World::open();
    let handle = world.call("chat.list_sessions", "{}");
    world.deliver_all();
    assert_eq!(world.replies[&handle].as_deref().unwrap(), r#"{"sessions":[],"hasMore":false}"#);
}

#[test]
fn what_was_not_answered_is_sent_again_under_the_same_id() {
    let mut world = World::open();
    let handle = world.call("chat.create_session", "{}");
    let first = world.proxy.heard.last().unwrap().id.clone();
    world.cut(1006);
    world.reconnect();
    let again = world.proxy.heard.last().unwrap();
    assert_eq!((&again.id, again.message.type_text()), (&first, "chat.create_session"));
    assert!(!world.replies.contains_key(&handle));
}

#[test]
fn an_answer_may_be_awaited_whole_over_a_cut() {
    let mut world = World::open();
    let handle = world.try_send("hi", false).unwrap();
    world.proxy.token(0, "Bed");
    world.cut(1006);
    world.proxy.token(0, "rock");
    world.proxy.complete(0);
    world.reconnect();
    world.deliver_all();
    assert_eq!(world.proxy.turns.len(), 1);
    let reply = world.replies[&handle].as_deref().unwrap();
    assert!(reply.contains(r#""content":"Bedrock""#), "{reply}");
    let page = world.client.usage();
    assert_eq!((page.all.turns, page.by_session[0].0.as_str()), (1, "s"));
    assert_eq!(page.by_model[0].0, "model-of-the-answer");
}

#[test]
fn the_65th_request_is_refused_until_one_has_ended() {
    let mut world = World::new();
    world.reachable = false;
    let handles: Vec<Handle> = (0..64).map(|_| world.send("hi")).collect();
    let error = world.try_send("hi", true).unwrap_err();
    assert_eq!((error.code.as_str(), error.retryable), ("overloaded", true));
    assert_eq!(world.client.call(world.now(), "chat.list_sessions", "{}").unwrap_err().code.as_str(), "overloaded");
    world.cancel(handles[3]);
    assert!(world.try_send("hi", true).is_ok());
}

#[test]
fn requests_are_sent_in_the_order_in_which_they_were_made() {
    let mut world = World::new();
    for _ in 0..5 {
        world.send("hi");
    }
    world.deliver_all();
    let ids: Vec<_> = world.proxy.heard[1..].iter().map(|frame| frame.id.as_str().to_owned()).collect();
    let mut sorted = ids.clone();
    sorted.sort();
    assert_eq!((ids.len(), &ids), (5, &sorted));
}

#[test]
fn a_message_that_no_frame_holds_is_refused_and_the_socket_kept() {
    let mut world = World::open();
    let data = format!(r#"{{"message":"{}"}}"#, "x".repeat(1 << 20));
    let error = world.client.send_message(world.now(), &data, SendOptions::default()).unwrap_err();
    assert_eq!((error.code.as_str(), error.retryable), ("message_too_large", false));
    assert_eq!(world.proxy.heard.len(), 1);
}

#[test]
fn an_error_ends_the_request_it_is_about() {
    let mut world = World::open();
    let (one, two) = (world.send("one"), world.call("chat.get_history", r#"{"sessionId":"s"}"#));
    for at in [1, 2] {
        let id = world.proxy.heard[at].id.clone();
        world.proxy.say(&id, ServerMessage::Error(ErrorData::new(ErrorCode::Forbidden, "no")));
    }
    world.deliver_all();
    assert_eq!(world.answers[&one].failed.as_ref().unwrap().code.as_str(), "forbidden");
    assert_eq!(world.replies[&two].as_ref().unwrap_err().code.as_str(), "forbidden");
}

#[test]
fn an_error_without_an_id_ends_the_last_request_that_has_no_answer() {
    let mut world = World::open();
    let begun = world.send("one");
    world.proxy.token(0, "a");
    world.deliver_all();
    let unread = world.send("two");
    let frame =
        r#"{"id":"","type":"chat.error","data":{"code":"invalid_request","message":"what?","retryable":false}}"#;
    world.input(client_core::Input::Received(frame));
    assert_eq!(world.answers[&unread].failed.as_ref().unwrap().code.as_str(), "invalid_request");
    assert!(world.answers[&begun].failed.is_none());
}

#[test]
fn usage_is_summed_by_the_model_that_was_asked_for_or_else_the_default() {
    let mut world = World::open();
    world.send("one");
    let options =
        SendOptions { streaming: true, session_id: Some("t"), model: Some("asked-for"), ..SendOptions::default() };
    let data = r#"{"sessionId":"t","message":"two","streaming":true,"model":"asked-for"}"#;
    world.client.send_message(world.now(), data, options).unwrap();
    world.input(client_core::Input::Connect);
    world.proxy.complete(0);
    world.proxy.complete(1);
    world.deliver_all();
    let page = world.client.usage();
    let models: Vec<_> = page.by_model.iter().map(|(name, total)| (name.as_str(), total.turns)).collect();
    assert_eq!(models, [("default-model", 1), ("asked-for", 1)]);
    assert_eq!((page.by_session.len(), page.all.usage.cost_nano_usd), (2, Some(4_800_000)));
}

#[test]
fn the_same_seed_does_the_same() {
    let run = |seed| {
        let mut world = World::with(Config::default(), seed);
        world.reachable = false;
        world.send("hi");
        world.pass_ms(100_000);
        world.reachable = true;
        world.reconnect();
        (world.attempts, format!("{:?}", world.proxy.heard))
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1).0, run(2).0);
}
