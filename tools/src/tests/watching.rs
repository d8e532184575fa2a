use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use serde_json::json;
use tokio::time::Instant;

use super::scripted::{Script, ann, arguments, listed};
use crate::{MAX_DESCRIPTION_BYTES, MAX_SCHEMA_BYTES, MAX_TOOLS_PER_SERVER, Phase, listing::sort_out, state::Status};

#[tokio::test(start_paused = true)]
async fn tools_of_all_pages_are_offered_in_order() {
    let script = Script::new(&["d", "b", "c", "a", "e"]);
    script.page.store(2, Ordering::SeqCst);
    let running = script.hub(json!({"tools": {"c": {"disabled": true}}}), None);
    assert!(running.hub.ready(Duration::from_secs(1)).await);
    assert_eq!(running.names(), ["a", "b", "d", "e"]);
    assert_eq!(running.hub.servers()[0].left_out, 1);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_changes_is_followed() {
    let script = Script::new(&["a"]);
    let running = script.hub(json!({}), None);
    running.until_up(1).await;
    script.change(vec![listed("a", "does"), listed("b", "does")]).await;
    running.until(|standing| standing.tools.len() == 2).await;
    assert_eq!(running.names(), ["a", "b"]);
    script.change(Vec::new()).await;
    running.until(|standing| standing.tools.is_empty()).await;
    assert_eq!((running.names().len(), running.server.state().starts), (0, 1));
}

#[test]
fn what_exceeds_a_bound_is_left_out() {
    let long: &'static str = "x".repeat(MAX_DESCRIPTION_BYTES + 1).leak();
    let mut large = listed("large", "does");
    large.input_schema = Arc::new(arguments(json!({"type": "object", "description": "x".repeat(MAX_SCHEMA_BYTES)})));
    let mut invalid = listed("invalid", "does");
    invalid.input_schema = Arc::new(arguments(json!({"type": "thing"})));
    let mut elsewhere = listed("elsewhere", "does");
    elsewhere.input_schema = Arc::new(arguments(json!({"$ref": "https://example.com/schema.json"})));
    let all = [
        listed("a", "does"),
        listed("a", "twice"),
        listed("", "does"),
        listed("b\n", "does"),
        listed("l", long),
        large,
        invalid,
        elsewhere,
    ];
    let listing = sort_out(&"s".into(), &Default::default(), None, &all);
    assert_eq!((listing.tools.len(), listing.left_out), (1, 7));
    assert_eq!(listing.tools[0].description, "does");
    let many: Vec<_> = (0..MAX_TOOLS_PER_SERVER + 3).map(|n| listed(n.to_string().leak(), "does")).collect();
    let listing = sort_out(&"s".into(), &Default::default(), None, &many);
    assert_eq!((listing.tools.len(), listing.left_out), (MAX_TOOLS_PER_SERVER, 3));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_fails_is_started_again_and_again_with_longer_waits() {
    let script = Script::new(&["a"]);
    script.is_broken.store(true, Ordering::SeqCst);
    let running = script.hub(json!({}), None);
    assert!(running.hub.ready(Duration::from_secs(60)).await, "settled by a failure");
    let mut waits = Vec::new();
    for starts in 1..=9 {
        running.until(|standing| standing.starts == starts && matches!(standing.phase, Status::Down { .. })).await;
        let Phase::Down { retry_in, reason } = running.server.state().phase else { panic!() };
        assert!(!reason.is_empty());
        waits.push(retry_in.as_secs_f64());
    }
    // 1, 2, 4 … 60 s, each with up to one of itself or of the shortest more.
    assert!(waits[0] >= 1.0 && waits[0] <= 2.0, "{waits:?}");
    assert!(waits.windows(2).take(5).all(|pair| pair[1] > pair[0]), "{waits:?}");
    assert!(waits[7] >= 59.0 && waits[8] <= 60.0, "{waits:?}");
    script.is_broken.store(false, Ordering::SeqCst);
    running.until_up(10).await;
    assert_eq!(running.names(), ["a"]);
    tokio::time::advance(Duration::from_secs(61)).await;
    script.kill();
    running.until(|standing| matches!(standing.phase, Status::Down { .. })).await;
    let Phase::Down { retry_in, .. } = running.server.state().phase else { panic!() };
    assert!(retry_in <= Duration::from_secs(2), "after a minute of health the wait is short again: {retry_in:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_down_takes_only_its_own_tools_away() {
    let (one, two) = (Script::new(&["a"]), Script::new(&["b"]));
    let (one_running, two_running) = (one.hub(json!({}), None), two.hub(json!({}), None));
    let hub = crate::Hub::of(vec![one_running.server.clone(), two_running.server.clone()], Default::default());
    one_running.until_up(1).await;
    two_running.until_up(1).await;
    one.is_broken.store(true, Ordering::SeqCst);
    one.kill();
    one_running.until(|standing| standing.link.is_none()).await;
    let names: Vec<_> = hub.offer(&ann()).iter().map(|tool| tool.name.to_string()).collect();
    assert_eq!(names, ["b"]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_answers_no_ping_is_started_again() {
    let script = Script::new(&["a"]);
    let running = script.hub(json!({}), None);
    running.until_up(1).await;
    let began = Instant::now();
    script.is_mute.store(true, Ordering::SeqCst);
    running.until(|standing| standing.link.is_none()).await;
    assert_eq!(began.elapsed(), Duration::from_secs(40), "a ping after 30 s, and 10 s to answer it");
    script.is_mute.store(false, Ordering::SeqCst);
    running.until_up(2).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_busy_with_a_call_may_miss_pings() {
    let script = Script::new(&["wait"]);
    let running = script.hub(json!({"timeoutSeconds": 300}), None);
    running.until_up(1).await;
    script.is_mute.store(true, Ordering::SeqCst);
    let outcome = running.hub.call(&running.tool("wait"), &ann(), arguments(json!({}))).await;
    assert!(matches!(outcome, crate::Outcome::Unknown(_)));
    assert_eq!(running.server.state().starts, 1);
    running.until(|standing| standing.link.is_none()).await;
}

#[tokio::test(start_paused = true)]
async fn a_hub_that_is_shut_down_offers_nothing_more() {
    let script = Script::new(&["a"]);
    let running = script.hub(json!({}), None);
    running.until_up(1).await;
    running.hub.shutdown().await;
    assert_eq!((running.names().len(), running.server.state().phase), (0, Phase::Stopped));
}
