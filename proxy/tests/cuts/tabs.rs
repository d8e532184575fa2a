//! Two tabs on one answer, each over a network of its own that fails. Either, both or none stops it; both end with the same.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bedrock_emulator::Script;
use client_core::Handle;
use tokio::{task::JoinSet, time::timeout};

use crate::{
    bills::{Bills, calls_by_question},
    chaos::{Network, Tally},
    common::Proxy,
    held::Ended,
    page::Page,
};

const SEED: u64 = 20_261_127;
/// Pairs of tabs at a time.
const PAIRS: u64 = 8;
/// Cuts for each of the two things that a stop may mean to a proxy.
const CUTS: u64 = 80;
const ANSWER_PATIENCE: Duration = Duration::from_secs(60);

/// A tab that stops the answer once it has so many bytes of its text.
type StopAt = Option<usize>;

/// What two tabs saw of an answer; the second nothing, if the answer was over before it came.
struct Shared {
    session: String,
    question: String,
    stopped: bool,
    first: Ended,
    second: Option<Ended>,
}

async fn to_the_end(page: &mut Page, handle: Handle, stop_at: StopAt) {
    if let Some(enough) = stop_at {
        page.until(|page| page.held(handle).text.len() >= enough || page.held(handle).ended()).await;
        page.cancel(handle);
    }
    page.until(|page| page.held(handle).ended()).await;
}

/// What a person does who opens the session in a second tab.
async fn open(page: &mut Page, session: &str, stop_at: StopAt) -> Option<Handle> {
    let history = page.ask_history(session);
    page.until(|page| page.held(history).ended()).await;
    let held = page.held(history);
    let reply = held.reply.as_ref().unwrap_or_else(|| panic!("no history of {session}: {:?}", held.failed));
    let in_progress = reply.get("inProgress")?.clone();
    let handle = page.follow(session, &in_progress);
    to_the_end(page, handle, stop_at).await;
    Some(handle)
}

/// Asks and follows in both tabs until the cuts are done.
async fn pair(proxy: SocketAddr, name: u64, seed: u64, tally: Arc<Tally>) -> Vec<Shared> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let one = Network::start(proxy, rng.u64(..), tally.clone()).await;
    let two = Network::start(proxy, rng.u64(..), tally.clone()).await;
    let (mut first, mut second) = (Page::new(one.addr, rng.u64(..)), Page::new(two.addr, rng.u64(..)));
    let (mut all, mut followed) = (Vec::new(), 0);
    while tally.goes_on() || all.is_empty() {
        let session = format!("pair-{name}-{}", all.len());
        let reasoning = if rng.u8(..4) == 0 { "/reasoning " } else { "" };
        let question = format!("/pace 1500 /length {} {reasoning}Explain 日本語 🙂 {session}x", rng.u32(400..1_600));
        let mut stop = || rng.bool().then(|| rng.usize(..4_000));
        let stops = [stop(), stop()];
        let answer = timeout(ANSWER_PATIENCE, async {
            second.connect();
            second.until(Page::is_open).await;
            let asked = first.send(&session, &question, true, false);
            // Named: the proxy has it.
            first.until(|page| !page.held(asked).message_id.is_empty() || page.held(asked).ended()).await;
            let (following, ()) =
                tokio::join!(open(&mut second, &session, stops[1]), to_the_end(&mut first, asked, stops[0]));
            (asked, following)
        });
        let what = format!("seed {seed}, {question}");
        let (asked, following) = answer.await.unwrap_or_else(|_| panic!("no end of {what}"));
        let second = following.map(|handle| second.held(handle).end(&what));
        followed += u64::from(second.is_some());
        let stopped = stops[0].is_some() || second.is_some() && stops[1].is_some();
        all.push(Shared { session, question, stopped, first: first.held(asked).end(&what), second });
    }
    assert_eq!(first.usage().all.turns, all.len() as u64, "usage is counted once for each answer");
    assert_eq!(second.usage().all.turns, followed, "in the second tab too");
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_tabs_over_networks_that_fail_end_with_the_same_whoever_stops_it() {
    let (tally, mut bills) = (Arc::new(Tally::default()), Bills::default());
    let (mut answers, mut followed, mut stopped) = (0, 0, 0);
    for (at, on_stop) in ["drain", "abort"].into_iter().enumerate() {
        let proxy = Proxy::with(&["--on-stop", on_stop], Script::new()).await;
        tally.want(CUTS);
        let mut pairs = JoinSet::new();
        for name in 0..PAIRS {
            pairs.spawn(pair(proxy.addr, name, SEED + PAIRS * at as u64 + name, tally.clone()));
        }
        let shared = pairs.join_all().await.into_iter().flatten();
        let mut all_calls = calls_by_question(&proxy);
        for Shared { session, question, stopped: by_somebody, first, second } in shared {
            let calls = all_calls.remove(&question).unwrap_or_default();
            bills.compare(&question, &first, &calls, on_stop == "abort");
            assert!(by_somebody || !first.was_stopped(), "{question} was stopped by nobody");
            if let Some(second) = &second {
                assert_eq!(second, &first, "{question}: the tabs differ");
            }
            let history = proxy.history(&session).await;
            assert_eq!(Ended::stored(&history["messages"][1]), first, "{question}: kept otherwise");
            assert_eq!(history["messages"].as_array().map(Vec::len), Some(2));
            answers += 1;
            followed += u64::from(second.is_some());
            stopped += u64::from(first.was_stopped());
        }
        assert!(all_calls.is_empty(), "calls that nobody asked for: {:?}", all_calls.keys());
    }
    assert!(followed > 0 && stopped > 0, "{followed} followed, {stopped} stopped of {answers}");
    println!(
        "cuts: two tabs on {answers} answers, of which {followed} were under way when the second came and {stopped} were stopped by one of them, both with the same text and usage; {tally}; {bills}"
    );
}
