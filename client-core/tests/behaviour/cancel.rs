//! Stop stops: at every moment of an answer's life, and whatever becomes of the connection.

use protocol::StopReason;

use crate::world::World;

#[test]
fn a_message_that_was_never_sent_ends_here_and_now_and_used_nothing() {
    let mut world = World::new();
    world.reachable = false;
    let handle = world.send("hi");
    world.cancel(handle);
    let (content, stop_reason, usage) = world.answers[&handle].done.clone().unwrap();
    assert_eq!((content.as_str(), stop_reason, usage.total_tokens), ("", StopReason::Cancelled, 0));
    assert_eq!(world.client.usage().all.turns, 0);
    world.reachable = true;
    world.reconnect();
    assert!(world.proxy.types().is_empty());
}

/// Cancels before, between and after all events; the connection holds.
#[test]
fn a_stopped_answer_ends_as_the_proxy_says() {
    const TOKENS: usize = 4;
    for cancel_at in 0..=TOKENS {
        let mut world = World::open();
        let handle = world.send("hi");
        for at in 0..=TOKENS {
            if at == cancel_at {
                world.cancel(handle);
                world.cancel(handle);
                world.deliver_all();
                break;
            }
            world.proxy.token(0, "a");
            world.deliver_all();
        }
        assert_eq!(world.stop_reason(handle), Some(StopReason::Cancelled), "{cancel_at}");
        assert_eq!(world.text(handle).len(), cancel_at);
        assert_eq!(world.proxy.types(), ["chat.send_message", "chat.cancel"]);
        let sent = format!("{:?}", world.proxy.heard.last().unwrap());
        let name = if cancel_at == 0 { "message_id: None" } else { "request_id: None" };
        assert!(sent.contains(name), "by request id until the answer has a name: {sent}");
        assert_eq!(world.client.usage().all.usage.total_tokens, 200);
    }
}

/// Cancels while there is no connection, before and after the first event.
#[test]
fn a_stop_without_a_connection_is_sent_after_the_reconnect() {
    for begun in [false, true] {
        let mut world = World::open();
        let handle = world.send("hi");
        if begun {
            world.proxy.token(0, "a");
            world.deliver_all();
        }
        world.cut(1006);
        world.cancel(handle);
        assert_eq!(world.stop_reason(handle), None);
        world.reconnect();
        world.deliver_all();
        let first = if begun { "chat.resume" } else { "chat.send_message" };
        assert_eq!(world.proxy.types()[1..], [first, "chat.cancel"]);
        assert_eq!(world.stop_reason(handle), Some(StopReason::Cancelled), "begun {begun}");
        assert_eq!(world.proxy.turns.len(), 1);
    }
}

#[test]
fn a_stop_whose_connection_is_cut_is_sent_again() {
    let mut world = World::open();
    let handle = world.send("hi");
    world.proxy.token(0, "a");
    world.deliver_all();
    world.cancel(handle);
    world.cut(1006);
    world.reconnect();
    world.deliver_all();
    assert_eq!(world.proxy.types(), ["chat.send_message", "chat.cancel", "chat.resume", "chat.cancel"]);
    assert_eq!(world.stop_reason(handle), Some(StopReason::Cancelled));
}

#[test]
fn a_stop_that_comes_too_late_changes_nothing() {
    let mut world = World::open();
    world.takes = false;
    let handle = world.send("hi");
    world.proxy.token(0, "a");
    world.proxy.complete(0);
    world.deliver_all();
    world.cancel(handle);
    world.take(handle);
    assert_eq!(world.stop_reason(handle), Some(StopReason::EndTurn));
    assert_eq!(world.proxy.types(), ["chat.send_message"]);
    world.cancel(handle);
}

#[test]
fn an_answer_that_nobody_waits_for_is_counted_and_not_spoken_of() {
    let mut world = World::open();
    let handle = world.send("hi");
    world.cancel(handle);
    world.client.release(handle);
    world.deliver_all();
    assert!(!world.answers.contains_key(&handle));
    assert_eq!(world.client.usage().all.usage.total_tokens, 200);
}
