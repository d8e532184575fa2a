//! Whatever is cut, lost, doubled or late: text and calls are what the proxy has.

use client_core::{Config, Handle, Input};
use proptest::{prelude::*, test_runner::RngSeed};

use crate::world::World;

#[derive(Debug, Clone)]
enum Step {
    Token(usize, String),
    Call(usize),
    Input(usize, String),
    /// A call comes further.
    Further(usize),
    Deliver(usize),
    /// The next frame on its way is lost.
    Lose,
    /// The next frame on its way comes twice.
    Double,
    Cut(u16),
    /// The page is loaded anew and sends its messages again, under their ids.
    Reload,
    Pass(u64),
    Visible,
    Unreachable(bool),
    Snapshots(bool),
    Joins(bool),
    Take(bool),
    GiveRests(bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0usize..2, "[a-z\"\\\\\nä😀]{1,4}").prop_map(|(turn, text)| Step::Token(turn, text)),
        1 => (0usize..2).prop_map(Step::Call),
        3 => (0usize..2, "[a-z\"\\\\\nä😀]{1,4}").prop_map(|(turn, text)| Step::Input(turn, text)),
        2 => (0usize..2).prop_map(Step::Further),
        6 => (1usize..4).prop_map(Step::Deliver),
        1 => Just(Step::Lose),
        1 => Just(Step::Double),
        2 => prop::sample::select(vec![1001, 1006, 1012, 4002]).prop_map(Step::Cut),
        1 => Just(Step::Reload),
        3 => (1u64..30_000).prop_map(Step::Pass),
        1 => Just(Step::Visible),
        1 => any::<bool>().prop_map(Step::Unreachable),
        1 => any::<bool>().prop_map(Step::Snapshots),
        1 => any::<bool>().prop_map(Step::Joins),
        1 => any::<bool>().prop_map(Step::Take),
        1 => any::<bool>().prop_map(Step::GiveRests),
    ]
}

fn send_both(world: &mut World) -> [Handle; 2] {
    [world.try_send_as("one", true, Some("one")).unwrap(), world.regenerate("two", true, Some("two"))]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 600,
        rng_seed: RngSeed::Fixed(20_261_123),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn text_and_calls_are_what_the_proxy_has(seed: u64, steps in prop::collection::vec(step(), 0..60)) {
        let mut world = World::with(Config::default(), seed);
        let mut handles = send_both(&mut world);
        world.deliver_all();
        prop_assert_eq!(world.proxy.turns.len(), 2);
        for step in steps {
            match step {
                Step::Token(turn, text) => world.proxy.token(turn, &text),
                Step::Call(turn) => world.proxy.begin_call(turn),
                Step::Input(turn, text) => world.proxy.write_input(turn, &text),
                Step::Further(turn) => world.proxy.further(turn),
                Step::Deliver(count) => {
                    for _ in 0..count {
                        world.deliver();
                    }
                }
                Step::Lose => {
                    if !world.proxy.wire.is_empty() {
                        world.proxy.wire.remove(0);
                    }
                }
                Step::Double => {
                    if let Some(frame) = world.proxy.wire.first().cloned() {
                        world.input(Input::Received(&frame));
                    }
                }
                Step::Cut(code) => world.cut(code),
                Step::Reload => {
                    world.reload();
                    handles = send_both(&mut world);
                }
                Step::Pass(ms) => world.pass_ms(ms),
                Step::Visible => world.input(Input::Visible),
                Step::Unreachable(yes) => world.reachable = !yes,
                Step::Snapshots(yes) => world.proxy.snapshots = yes,
                Step::Joins(yes) => world.proxy.joins = yes,
                Step::GiveRests(yes) => world.gives_rests = yes,
                Step::Take(yes) => {
                    world.takes = yes;
                    handles.into_iter().for_each(|handle| world.take(handle));
                }
            }
            for (turn, handle) in handles.into_iter().enumerate() {
                let has = &world.proxy.turns[turn];
                prop_assert!(has.text().starts_with(world.text(handle)));
                for call in world.calls(handle) {
                    prop_assert!(has.once_was(call), "{:?}", call);
                }
            }
        }
        world.takes = true;
        world.reachable = true;
        for turn in 0..2 {
            world.proxy.complete(turn);
        }
        // A greeting, a pong or an end that was lost is noticed in time.
        world.pass_ms(120_000);
        for (turn, handle) in handles.into_iter().enumerate() {
            world.take(handle);
            let text = world.proxy.turns[turn].text();
            prop_assert_eq!(world.text(handle), text.as_str());
            prop_assert_eq!(world.calls(handle), world.proxy.turns[turn].calls());
            prop_assert_eq!(world.answers[&handle].done.as_ref().map(|done| done.0.as_str()), Some(text.as_str()));
        }
        prop_assert_eq!(world.proxy.turns.len(), 2, "one model call for each message");
    }
}
