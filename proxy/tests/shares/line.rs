//! The line in front of Bedrock: what is said to those who wait, and what becomes of them.

use std::{sync::atomic::Ordering, time::Duration};

use serde_json::json;
use tokio::{
    io::DuplexStream,
    time::{Instant, timeout},
};

use crate::{
    common::Client,
    world::{World, complete, rate_limited},
};

const TAKES: Duration = Duration::from_secs(10);
const SECOND: Duration = Duration::from_secs(1);

/// One call at a time, and ann has it.
async fn taken(flags: &[&str]) -> (World, Client<DuplexStream>) {
    let world = World::new(&[&["--bedrock-calls", "1"], flags].concat(), TAKES);
    let mut ann = world.client("acme/ann").await;
    ann.send_message("taken", "taken", "Hi", true).await;
    assert_eq!(ann.frame().await.str("content"), "Well");
    (world, ann)
}

/// Asks and returns once it is said that the answer waits.
async fn waits(world: &World, user: &str) -> Client<DuplexStream> {
    let mut client = world.client(user).await;
    client.send_message("waits", "waits", "Hi", true).await;
    let said = client.frame().await;
    assert_eq!((said.kind.as_str(), said.str("state"), said.id.as_str()), ("chat.status", "queued", "waits"));
    client
}

#[tokio::test(start_paused = true)]
async fn who_waits_hears_so_every_five_seconds_until_it_is_their_turn() {
    let (world, mut ann) = taken(&[]).await;
    let began = Instant::now();
    let mut bob = waits(&world, "acme/bob").await;
    assert_eq!((world.queue(), world.bedrock.made()), ((1, 1), 1));
    let said = bob.frame().await;
    assert_eq!((said.str("state"), began.elapsed()), ("queued", 5 * SECOND));
    let answer = bob.answer().await;
    assert_eq!((complete(&answer)["usage"]["totalTokens"].as_u64(), began.elapsed()), (Some(5), 2 * TAKES));
    complete(&ann.answer_after(1).await);
    assert_eq!((world.queue(), world.bedrock.calls.lock().unwrap().most), ((0, 0), 1));
}

#[tokio::test(start_paused = true)]
async fn a_stop_in_the_line_works_at_once_and_costs_nothing() {
    let (world, _ann) = taken(&[]).await;
    let began = Instant::now();
    let (mut bob, mut eve) = (waits(&world, "acme/bob").await, waits(&world, "acme/eve").await);
    bob.send("stop", "chat.cancel", json!({ "requestId": "waits" })).await;
    let answer = bob.answer().await;
    let end = complete(&answer);
    assert_eq!((&end["stopReason"], &end["usage"]["totalTokens"]), (&json!("cancelled"), &json!(0)));
    assert_eq!((began.elapsed(), world.queue(), world.bedrock.made()), (Duration::ZERO, (1, 1), 1));
    complete(&eve.answer().await);
    assert_eq!((began.elapsed(), world.bedrock.made()), (2 * TAKES, 2), "bob's turn is eve's");
}

#[tokio::test(start_paused = true)]
async fn a_stopped_answer_that_is_read_to_its_end_keeps_its_place() {
    let (world, mut ann) = taken(&[]).await;
    let began = Instant::now();
    ann.send("stop", "chat.cancel", json!({ "requestId": "taken" })).await;
    assert_eq!(ann.frame().await.str("state"), "settling");
    // For her it is over: her session takes the next message, which waits for Bedrock.
    ann.send_message("next", "taken", "And now?", true).await;
    assert_eq!(ann.frame().await.str("state"), "queued");
    assert_eq!((world.queue(), began.elapsed()), ((1, 1), Duration::ZERO));
    while ann.frame().await.kind != "chat.message_complete" {}
    assert_eq!(began.elapsed(), TAKES);
    complete(&ann.answer().await);
    assert_eq!((world.bedrock.made(), world.bedrock.calls.lock().unwrap().most), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_refused_leaves_its_place_to_others_until_it_is_made_again() {
    let world = World::new(&["--bedrock-calls", "1"], TAKES);
    world.bedrock.refuses.store(1, Ordering::Relaxed);
    let mut ann = world.client("acme/ann").await;
    ann.send_message("q", "q", "Hi", true).await;
    assert_eq!(ann.frame().await.str("state"), "retrying");
    assert_eq!(world.queue(), (0, 0));
    let began = Instant::now();
    let (bob, ann) = tokio::join!(world.ask("acme/bob", "q"), ann.answer());
    complete(&bob);
    complete(&ann);
    assert_eq!((began.elapsed(), world.bedrock.calls.lock().unwrap().most), (2 * TAKES, 1));
}

#[tokio::test(start_paused = true)]
async fn a_line_that_is_too_long_or_too_slow_is_an_error_that_says_when_to_come_back() {
    let flags =
        ["--queue-length", "2", "--queue-length-per-user", "1", "--queue-timeout", "7s", "--fallback-models", "x"];
    let (world, _ann) = taken(&flags).await;
    let began = Instant::now();
    let (mut bob, _eve) = (waits(&world, "acme/bob").await, waits(&world, "acme/eve").await);
    let of_bob = world.ask("acme/bob", "one-more").await;
    assert_eq!(rate_limited(&of_bob), 5_000);
    assert!(of_bob.error("rate_limited").starts_with("1 answers of one user wait"), "{:?}", of_bob.end);
    let of_all = world.ask("other/joe", "one-more").await;
    assert!(of_all.error("throttled").starts_with("2 answers wait"), "{:?}", of_all.end);
    assert_eq!((&of_all.end.data["retryable"], &of_all.end.data["retryAfterMs"]), (&json!(true), &json!(5_000)));
    let slow = bob.answer().await;
    assert!(slow.error("throttled").contains("no place at Bedrock for 7 seconds"), "{:?}", slow.end);
    assert_eq!((began.elapsed(), world.bedrock.made()), (7 * SECOND, 1), "no other model is asked");
    assert_eq!(slow.end.data.get("usage"), None);
}

#[tokio::test(start_paused = true)]
async fn the_time_of_an_answer_runs_in_the_line_too() {
    let world = World::new(&["--answer-timeout", "3s", "--bedrock-requests-per-minute", "1"], Duration::ZERO);
    let began = Instant::now();
    complete(&world.ask("acme/ann", "q").await);
    let answer = waits(&world, "acme/bob").await.answer().await;
    assert!(answer.error("upstream_timeout").contains("more than 3 seconds"), "{:?}", answer.end);
    assert_eq!((began.elapsed(), world.bedrock.made()), (3 * SECOND, 1));
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_ends_ends_those_who_wait_when_its_time_is_over() {
    let (world, mut ann) = taken(&[]).await;
    let mut bob = waits(&world, "acme/bob").await;
    let began = Instant::now();
    timeout(TAKES, world.service.wind_up(SECOND, SECOND)).await.expect("an end");
    assert_eq!((began.elapsed(), world.queue(), world.bedrock.made()), (SECOND, (0, 0), 1));
    bob.answer().await.error("interrupted");
    ann.answer_after(1).await.error("interrupted");
}

#[tokio::test(start_paused = true)]
async fn within_its_time_a_proxy_that_ends_still_serves_those_who_wait() {
    let (world, mut ann) = taken(&[]).await;
    let mut bob = waits(&world, "acme/bob").await;
    let began = Instant::now();
    world.service.wind_up(3 * TAKES, SECOND).await;
    assert_eq!(began.elapsed(), 2 * TAKES);
    complete(&ann.answer_after(1).await);
    complete(&bob.answer().await);
}

#[tokio::test(start_paused = true)]
async fn the_quota_of_the_account_is_kept_by_waiting() {
    let world = World::new(&["--bedrock-requests-per-minute", "2"], Duration::ZERO);
    let began = Instant::now();
    for id in ["q0", "q1", "q2", "q3"] {
        complete(&world.ask("acme/ann", id).await);
    }
    let made: Vec<_> = world.bedrock.calls.lock().unwrap().made.iter().map(|at| (*at - began).as_secs()).collect();
    assert_eq!(made, [0, 0, 30, 60]);
}
