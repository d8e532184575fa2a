//! Those who ask much, and one who does not.

use std::time::Duration;

use serde_json::json;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::world::{World, complete};

/// What Bedrock takes for an answer.
const TAKES: Duration = Duration::from_secs(4);

/// Everything that could get in the way of the line is out of it.
const WIDE: [&str; 14] = [
    "--max-turns",
    "2000",
    "--max-turns-per-socket",
    "64",
    "--user-parallel-turns",
    "64",
    "--organization-parallel-turns",
    "2000",
    "--queue-length",
    "2000",
    "--queue-length-per-user",
    "64",
    "--queue-timeout",
    "1h",
];

/// What somebody got who asked for much at once.
struct Greedy {
    /// How long each answer took, in the order in which they were asked for.
    took: Vec<Duration>,
    refused: usize,
}

/// Sends so many messages at once.
async fn greedy(world: &World, user: &str, messages: usize, refused_for_ms: u64) -> Greedy {
    let mut client = world.client(user).await;
    let began = Instant::now();
    for n in 0..messages {
        client.send_message(&format!("q{n}"), &format!("s{n}"), "Hi", true).await;
    }
    let (mut took, mut refused) = (Vec::new(), 0);
    while took.len() + refused < messages {
        let frame = client.frame().await;
        match frame.kind.as_str() {
            "chat.message_complete" => took.push(began.elapsed()),
            "chat.error" => {
                assert_eq!(frame.str("code"), "rate_limited", "{frame:?}");
                assert_eq!(frame.data["retryAfterMs"], json!(refused_for_ms), "{frame:?}");
                refused += 1;
            }
            _ => {}
        }
    }
    Greedy { took, refused }
}

/// Asks one question after the other, with a pause for thought; how long each answer took.
async fn modest(world: &World, questions: usize) -> Vec<Duration> {
    let mut took = Vec::new();
    for n in 0..questions {
        sleep(Duration::from_secs(3)).await;
        let began = Instant::now();
        complete(&world.ask("acme/modest", &format!("q{n}")).await);
        took.push(began.elapsed());
    }
    took
}

#[tokio::test(start_paused = true)]
async fn under_fifty_greedy_users_and_one_modest_one_the_modest_ones_waiting_time_stays_flat() {
    const USERS: usize = 50;
    const AT_ONCE: usize = 25;
    const SENT: usize = 30;
    const TAKEN: usize = 20;
    let flags = ["--bedrock-calls", "25", "--user-messages-per-minute", "20"];
    let world = std::sync::Arc::new(World::new(&[&WIDE[..], &flags].concat(), TAKES));
    let mut all = JoinSet::new();
    for n in 0..USERS {
        let world = world.clone();
        all.spawn(async move { greedy(&world, &format!("acme/greedy{n}"), SENT, 3_000).await });
    }
    let modest = modest(&world, 12).await;
    let greedy = all.join_all().await;

    // A turn of everybody, and then their own answer.
    let round = TAKES * (USERS + 1).div_ceil(AT_ONCE) as u32;
    assert!(modest.iter().all(|took| *took <= round + TAKES), "{modest:?}");
    let (first, last) = (modest[0], modest[modest.len() - 1]);
    assert!(last <= first + TAKES, "it does not grow: {modest:?}");
    for Greedy { took, refused } in &greedy {
        assert_eq!(
            (took.len(), *refused),
            (TAKEN, SENT - TAKEN),
            "beyond a minute's messages they are refused at once"
        );
    }
    // Each of theirs waits for about a round more than the one before it. Only on average: while places are free, who comes first has them.
    let mean = |n: usize| greedy.iter().map(|greedy| greedy.took[n]).sum::<Duration>() / USERS as u32;
    let means: Vec<_> = (0..TAKEN).map(mean).collect();
    let longest = modest.iter().max().expect("some");
    println!("the modest one: {modest:?}; the greedy ones, on average: {means:?}");
    assert!(means.windows(2).all(|next| next[1] >= next[0] + TAKES), "{means:?}");
    assert!(means[TAKEN - 1] >= *longest * 10, "{means:?} beside {modest:?}");
    assert_eq!(world.bedrock.calls.lock().unwrap().most, AT_ONCE);
    assert_eq!(world.bedrock.made(), USERS * TAKEN + modest.len());
}

#[tokio::test(start_paused = true)]
async fn one_greedy_user_delays_a_modest_one_by_a_call_or_two() {
    let world = std::sync::Arc::new(World::new(&[&WIDE[..], &["--bedrock-calls", "1"]].concat(), TAKES));
    let busy = world.clone();
    let greedy = tokio::spawn(async move { greedy(&busy, "acme/greedy", 51, 0).await });
    let modest = modest(&world, 10).await;
    // What is being made, at most one more of the greedy one's, and their own.
    assert!(modest.iter().all(|took| *took <= 3 * TAKES), "{modest:?}");
    let greedy = greedy.await.expect("no panic");
    assert_eq!((greedy.took.len(), greedy.took[50]), (51, 61 * TAKES), "there was always a call under way");
}
