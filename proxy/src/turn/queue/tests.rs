use std::{
    collections::{HashMap, HashSet},
    num::NonZeroU32,
    pin::Pin,
};

use futures_util::FutureExt;
use proptest::prelude::*;
use tokio::{
    task::JoinSet,
    time::{advance, sleep},
};

use super::*;

const SECOND: Duration = Duration::from_secs(1);

const WIDE: Width =
    Width { calls: 2, waiting: 1_000, waiting_of_owner: 1_000, requests_per_minute: None, tokens_per_minute: None };

fn owner(name: &str) -> Owner {
    Owner { organization: "acme".into(), user: name.into() }
}

type Entering = Pin<Box<dyn Future<Output = Result<Place, Refused>> + Send>>;

/// Somebody who enters, polled once.
fn enter(queue: &Arc<Queue>, name: &str, tokens: u64) -> Result<Result<Place, Refused>, Entering> {
    let (queue, owner) = (queue.clone(), owner(name));
    let mut entering: Entering = Box::pin(async move { queue.enter(&owner, tokens, || {}).await });
    entering.as_mut().now_or_never().ok_or(entering)
}

fn place(queue: &Arc<Queue>, name: &str) -> Place {
    enter(queue, name, 1).ok().expect("at once").expect("a place")
}

fn waiting(queue: &Arc<Queue>, name: &str) -> Entering {
    enter(queue, name, 1).expect_err("nobody is let in")
}

#[tokio::test(start_paused = true)]
async fn so_many_calls_are_made_at_a_time_and_whoever_leaves_makes_room() {
    let queue = Queue::new(WIDE, 60 * SECOND);
    let (first, _second) = (place(&queue, "ann"), place(&queue, "ann"));
    let mut third = waiting(&queue, "ann");
    assert_eq!(queue.lengths(), (2, 1));
    drop(first);
    let third = third.as_mut().now_or_never().expect("at once").expect("a place");
    assert_eq!(queue.lengths(), (2, 0));
    drop(third);
    assert_eq!(queue.lengths(), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_told_so_once_and_who_does_not_is_not() {
    let queue = Queue::new(Width { calls: 1, ..WIDE }, 60 * SECOND);
    let told = std::cell::Cell::new(0);
    let local = Owner::local();
    let enter = || queue.enter(&local, 1, || told.set(told.get() + 1));
    let first = enter().await.expect("a place");
    assert_eq!(told.get(), 0);
    let mut second = Box::pin(enter());
    assert!(second.as_mut().now_or_never().is_none() && second.as_mut().now_or_never().is_none());
    assert_eq!(told.get(), 1);
    drop(first);
    second.await.expect("a place");
    assert_eq!(told.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn owners_take_turns_and_each_ones_calls_are_in_order() {
    let queue = Queue::new(Width { calls: 1, ..WIDE }, 600 * SECOND);
    let first = place(&queue, "greedy");
    let (order, mut all) = (Arc::new(Mutex::new(Vec::new())), JoinSet::new());
    for (name, calls) in [("greedy", 50), ("ann", 3), ("bob", 1)] {
        for n in 0..calls {
            let (entering, order) = (waiting(&queue, name), order.clone());
            all.spawn(async move {
                let place = entering.await.expect("a place");
                order.lock().unwrap().push((name, n));
                sleep(SECOND).await;
                drop(place);
            });
        }
    }
    drop(first);
    all.join_all().await;
    let order = std::mem::take(&mut *order.lock().unwrap());
    let taken_in_turn = [("greedy", 0), ("ann", 0), ("bob", 0), ("greedy", 1), ("ann", 1), ("greedy", 2), ("ann", 2)];
    assert_eq!(order[..7], taken_in_turn);
    assert!(order[7..].iter().copied().eq((3..50).map(|n| ("greedy", n))), "{order:?}");
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_is_not_waited_for() {
    let queue = Queue::new(Width { calls: 1, ..WIDE }, 60 * SECOND);
    let first = place(&queue, "ann");
    let (gone, mut stays) = (waiting(&queue, "bob"), waiting(&queue, "eve"));
    let let_in_and_gone = waiting(&queue, "joe");
    drop(gone);
    assert_eq!(queue.lengths(), (1, 2));
    drop(first);
    let place = stays.as_mut().now_or_never().expect("at once").expect("a place");
    drop(place);
    assert_eq!(queue.lengths(), (1, 0), "joe has a place and has not heard of it");
    drop(let_in_and_gone);
    assert_eq!(queue.lengths(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn the_line_is_bounded_in_length_and_in_time() {
    let queue = Queue::new(Width { calls: 1, waiting: 3, waiting_of_owner: 2, ..WIDE }, 60 * SECOND);
    let first = place(&queue, "ann");
    let mut all = vec![waiting(&queue, "ann"), waiting(&queue, "ann")];
    let refused = |name: &str| enter(&queue, name, 1).ok().expect("at once").expect_err("refused");
    assert_eq!(refused("ann"), Refused::TooManyOfOwner(2));
    all.push(waiting(&queue, "bob"));
    assert_eq!(refused("eve"), Refused::TooMany(3));
    assert_eq!(queue.lengths(), (1, 3), "who is refused leaves nothing behind");
    let began = Instant::now();
    let timed_out = all.swap_remove(0).await.expect_err("nobody leaves");
    assert_eq!((timed_out, began.elapsed()), (Refused::TooLong(60 * SECOND), 60 * SECOND));
    drop(all);
    assert_eq!(queue.lengths(), (1, 0));
    drop(first);
    assert_eq!(queue.lengths(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_the_quota_has_not_left_is_waited_for_exactly() {
    let per_minute = |n| NonZeroU32::new(n);
    let width = Width { calls: 100, requests_per_minute: per_minute(2), tokens_per_minute: per_minute(600), ..WIDE };
    let queue = Queue::new(width, 600 * SECOND);
    let began = Instant::now();
    let mut all = JoinSet::new();
    // Two at once, then one each 30 s; the fourth has to wait for its tokens, and one that may take more than all of them takes all.
    for (n, tokens) in [(0, 100), (1, 100), (2, 400), (3, 450), (4, 10_000)] {
        let queue = queue.clone();
        all.spawn(async move {
            let place = queue.enter(&owner(&format!("user {n}")), tokens, || {}).await.expect("a place");
            (n, began.elapsed().as_secs(), place)
        });
    }
    let mut times: Vec<_> = all.join_all().await.into_iter().map(|(n, at, _)| (n, at)).collect();
    times.sort_unstable();
    // 600 - 200 = 400 and 300 more in 30 s: 700, at most 600. 600 - 400 = 200, and 450 are there 25 s later, but a request only in 30.
    // What is left of 500 then is 50, and all 600 are there 55 s later.
    assert_eq!(times, [(0, 0), (1, 0), (2, 30), (3, 60), (4, 115)]);
}

#[tokio::test(start_paused = true)]
async fn when_the_first_of_the_line_gives_up_the_next_one_looks_at_the_quota() {
    let width = Width { calls: 100, requests_per_minute: NonZeroU32::new(1), ..WIDE };
    let queue = Queue::new(width, 600 * SECOND);
    let _first = place(&queue, "ann");
    let (head, next) = (waiting(&queue, "bob"), waiting(&queue, "eve"));
    advance(10 * SECOND).await;
    drop(head);
    let began = Instant::now();
    next.await.expect("a place");
    assert_eq!(began.elapsed(), 50 * SECOND);
}

#[derive(Debug, Clone)]
enum Step {
    Enter(usize),
    GiveUp(usize),
    Leave(usize),
}

fn step() -> impl Strategy<Value = Step> {
    // The first of the users asks more than all others together.
    let user = prop_oneof![Just(0_usize), 0..5_usize];
    prop_oneof![4 => user.prop_map(Step::Enter), 1 => (0..64_usize).prop_map(Step::GiveUp), 3 => (0..64_usize).prop_map(Step::Leave)]
}

proptest! {
    /// Whatever the order: no place is empty while somebody waits, nobody is forgotten, each one's calls are in order, and while
    /// somebody waits nobody else has two turns.
    #[test]
    fn everybody_has_their_turn(calls in 1..4_usize, steps in prop::collection::vec(step(), 1..200)) {
        let owners: Vec<_> = (0..5).map(|n| owner(&format!("user {n}"))).collect();
        let mut line = Line::new(Width { calls, ..WIDE });
        let (mut inside, mut outside) = (Vec::<(usize, Ticket)>::new(), Vec::<(usize, Ticket)>::new());
        // How many turns each had while each other one waited without having any.
        let mut passed: HashMap<(usize, usize), u32> = HashMap::new();
        for step in steps {
            match step {
                Step::Enter(user) => {
                    let ticket = line.join(&owners[user], 1, Arc::default()).expect("there is room");
                    outside.push((user, ticket));
                }
                Step::GiveUp(at) if !outside.is_empty() => {
                    let (user, ticket) = outside.remove(at % outside.len());
                    line.leave(&owners[user], ticket);
                }
                Step::Leave(at) if !inside.is_empty() => {
                    let (user, ticket) = inside.swap_remove(at % inside.len());
                    line.leave(&owners[user], ticket);
                }
                _ => {}
            }
            let (let_in, still): (Vec<_>, Vec<_>) = outside.drain(..).partition(|(_, ticket)| line.has_place(*ticket));
            outside = still;
            let waiting: HashSet<usize> = outside.iter().map(|(user, _)| *user).collect();
            for (user, ticket) in &let_in {
                let earlier = outside.iter().any(|(other, before)| other == user && before < ticket);
                prop_assert!(!earlier, "a call of {user} overtook another");
                passed.retain(|(waits, _), _| waits != user);
                for waits in waiting.iter().filter(|waits| *waits != user) {
                    let turns = passed.entry((*waits, *user)).or_default();
                    *turns += 1;
                    prop_assert!(*turns <= 1, "{user} had {turns} turns while {waits} waited");
                }
            }
            passed.retain(|(waits, _), _| waiting.contains(waits));
            inside.extend(let_in);
            prop_assert_eq!(line.lengths(), (inside.len(), outside.len()));
            prop_assert!(inside.len() == calls || outside.is_empty(), "a place is empty while {outside:?} wait");
        }
        for (user, ticket) in inside.into_iter().chain(outside) {
            line.leave(&owners[user], ticket);
        }
        prop_assert_eq!(line.lengths(), (0, 0));
    }
}
