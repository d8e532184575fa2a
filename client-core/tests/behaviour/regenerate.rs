//! A question that is asked again: an answer like any other.

use protocol::StopReason;

use crate::world::World;

#[test]
fn its_answer_is_followed_or_comes_whole() {
    for streaming in [true, false] {
        let mut world = World::open();
        let handle = world.regenerate("m0", streaming, None);
        world.proxy.token(0, "again");
        world.proxy.complete(0);
        world.deliver_all();
        assert_eq!(world.proxy.types(), ["chat.regenerate"]);
        if streaming {
            assert_eq!((world.text(handle), world.stop_reason(handle)), ("again", Some(StopReason::EndTurn)));
        } else {
            assert!(world.replies[&handle].as_ref().unwrap().contains("again"));
        }
        assert_eq!(world.client.usage().by_session[0].0, "s");
        assert_eq!(world.client.usage().all.turns, 1);
    }
}

/// Before the answer has a name it is asked for again under the same id, after that it is resumed: never is it a second one.
#[test]
fn a_cut_costs_nothing_of_it() {
    for begun in [false, true] {
        let mut world = World::open();
        let handle = world.regenerate("m0", true, Some("mine"));
        if begun {
            world.proxy.token(0, "a");
            world.deliver_all();
        }
        world.cut(1006);
        world.reconnect();
        world.proxy.token(0, "b");
        world.proxy.complete(0);
        world.deliver_all();
        let second = if begun { "chat.resume" } else { "chat.regenerate" };
        assert_eq!(world.proxy.types(), ["chat.regenerate", second]);
        assert_eq!((world.text(handle), world.proxy.turns.len()), (if begun { "ab" } else { "b" }, 1));
        let ids: Vec<_> = world.proxy.heard.iter().filter(|frame| frame.id.as_str() == "mine").collect();
        assert_eq!(ids.len(), if begun { 1 } else { 2 });
    }
}

#[test]
fn it_is_stopped_as_any_answer() {
    let mut world = World::open();
    let handle = world.regenerate("m0", true, Some("mine"));
    world.cancel(handle);
    world.deliver_all();
    assert_eq!(world.proxy.types(), ["chat.regenerate", "chat.cancel"]);
    assert_eq!(world.stop_reason(handle), Some(StopReason::Cancelled));
}
