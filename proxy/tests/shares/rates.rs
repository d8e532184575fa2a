//! What users and organisations may use, and what they are told beyond.

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::world::{World, complete, rate_limited};

const AT_ONCE: Duration = Duration::ZERO;

/// Sends messages of ann of acme until one is refused, then checks that it is served exactly when it was said, and that it was the
/// same for nobody else of `others`.
async fn refused_until(
    flags: &[&str],
    served: usize,
    wait_ms: u64,
    says: &str,
    others: &[&str],
    also_refused: &[&str],
) {
    let world = World::new(flags, AT_ONCE);
    let began = Instant::now();
    for n in 0..served {
        complete(&world.ask("acme/ann", &format!("q{n}")).await);
    }
    let refused = world.ask("acme/ann", "refused").await;
    assert_eq!(rate_limited(&refused), wait_ms, "{flags:?}");
    assert!(refused.error("rate_limited").contains(says), "{:?}", refused.end);
    for user in also_refused {
        assert_eq!(rate_limited(&world.ask(user, "too").await), wait_ms, "{user}");
    }
    for user in others {
        complete(&world.ask(user, "theirs").await);
    }
    assert_eq!((world.bedrock.made(), began.elapsed()), (served + others.len(), AT_ONCE));
    // Under the same id or another, it is early as long as it is.
    sleep(Duration::from_millis(wait_ms - 1)).await;
    assert_eq!(rate_limited(&world.ask("acme/ann", "refused").await), 1);
    sleep(Duration::from_millis(1)).await;
    complete(&world.ask("acme/ann", "refused").await);
    assert_eq!(began.elapsed(), Duration::from_millis(wait_ms));
}

#[tokio::test(start_paused = true)]
async fn a_user_sends_so_many_messages_a_minute() {
    let says = "One user may send 3 messages a minute";
    refused_until(&["--user-messages-per-minute", "3"], 3, 20_000, says, &["acme/bob", "other/ann"], &[]).await;
}

#[tokio::test(start_paused = true)]
async fn an_organization_sends_so_many_messages_a_minute() {
    let flags = ["--organization-messages-per-minute", "4"];
    let says = "An organization may send 4 messages a minute";
    refused_until(&flags, 4, 15_000, says, &["other/ann"], &["acme/bob"]).await;
}

#[tokio::test(start_paused = true)]
async fn users_and_organizations_use_so_many_tokens_a_minute() {
    let flags = |of: &'static str| [of, "1500", "--max-tokens", "1000"];
    let (user, organization) = (flags("--user-tokens-per-minute"), flags("--organization-tokens-per-minute"));
    let tokens = World::new(&user, AT_ONCE).tokens();
    let wait_ms = (2 * tokens - 1_500) * 40;
    let says = format!("This answer may take up to {tokens} tokens, and of the 1500 that one user may use in a minute");
    refused_until(&user, 1, wait_ms, &says, &["acme/bob", "other/ann"], &[]).await;
    let says = "that an organization may use in a minute too few are left";
    refused_until(&organization, 1, wait_ms, says, &["other/ann"], &["acme/bob"]).await;
}

#[tokio::test(start_paused = true)]
async fn what_takes_more_than_a_minutes_tokens_is_refused_for_good() {
    let world = World::new(&["--user-tokens-per-minute", "1000", "--max-tokens", "1000"], AT_ONCE);
    let refused = world.ask("acme/ann", "q").await;
    assert!(refused.error("rate_limited").contains("Send less at once, or have the limit raised"), "{:?}", refused.end);
    assert_eq!((&refused.end.data["retryable"], refused.end.data.get("retryAfterMs")), (&json!(false), None));
    assert_eq!(world.bedrock.made(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_sent_again_counts_once() {
    let takes = Duration::from_secs(1);
    let world = World::new(&["--user-messages-per-minute", "2"], takes);
    let mut sockets = Vec::new();
    for _ in 0..5 {
        let mut socket = world.client("acme/ann").await;
        socket.send_message("q", "s", "Hi", true).await;
        sockets.push(socket);
    }
    for socket in &mut sockets {
        assert_eq!(complete(&socket.answer().await)["usage"]["totalTokens"], 5);
    }
    // Long after its end too.
    complete(&world.client("acme/ann").await.chat("q", "s", "Hi").await);
    complete(&world.ask("acme/ann", "another").await);
    // Two messages, and what came back of them in 1 s and 1 s.
    assert_eq!(rate_limited(&world.ask("acme/ann", "one-more").await), 30_000 - 2_000);
    assert_eq!(world.bedrock.made(), 2);
}

#[tokio::test(start_paused = true)]
async fn so_many_answers_are_made_at_a_time_for_a_user_and_for_an_organization() {
    let takes = Duration::from_secs(10);
    for (flag, says, refused, served) in [
        ("--user-parallel-turns", "for one user", ["acme/ann", "acme/ann"], ["acme/bob", "other/ann"]),
        ("--organization-parallel-turns", "for one organization", ["acme/ann", "acme/bob"], ["other/ann", "other/bob"]),
    ] {
        let world = World::new(&[flag, "2"], takes);
        let mut ann = world.client("acme/ann").await;
        for id in ["q0", "q1"] {
            ann.send_message(id, id, "Hi", true).await;
            assert_eq!(ann.frame().await.str("content"), "Well");
        }
        for user in refused {
            let answer = world.ask(user, "one-more").await;
            assert_eq!(rate_limited(&answer), 1_000, "{flag}");
            assert!(answer.error("rate_limited").contains(says), "{:?}", answer.end);
        }
        assert_eq!(world.bedrock.made(), 2);
        let (one, two) = tokio::join!(world.ask(served[0], "theirs"), world.ask(served[1], "theirs"));
        assert_eq!([one, two].map(|answer| answer.end.kind), ["chat.message_complete"; 2]);
        // Those of ann have ended meanwhile.
        for user in refused {
            complete(&world.ask(user, "one-more").await);
        }
    }
}
