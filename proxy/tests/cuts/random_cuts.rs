//! Answers of every kind, over networks that fail at random bytes: what the page holds is what Bedrock sent, and was paid once.

use std::{
    collections::{BTreeMap, HashMap},
    env,
    sync::Arc,
    time::Duration,
};

use bedrock_emulator::{Behaviour, LedgerEntry, Script, Step};
use client_core::Handle;
use protocol::Usage;
use tokio::{task::JoinSet, time::timeout};

use crate::{
    bills::{Bills, calls_by_question},
    chaos::{Network, Tally},
    common::Proxy,
    held::Ended,
    page::Page,
};

const SEED: u64 = 20_261_123;
const CUTS: u64 = 1_000;
/// Pages at a time, each with a network and sessions of its own.
const PAGES: u64 = 16;
/// Cuts between one proxy and one emulator; their answers fit into the ledger.
const CUTS_A_ROUND: u64 = 500;
const ANSWERS_A_SESSION: u64 = 3;
const LONG: &str = "(long)";
const ANSWER_PATIENCE: Duration = Duration::from_secs(60);

struct Asked {
    session: String,
    message: String,
    cancelled: bool,
    handle: Handle,
}

fn number(name: &str, usual: u64) -> u64 {
    env::var(name).map_or(usual, |text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")))
}

/// A message that no other is like, and that asks for an answer of some kind.
fn message(rng: &mut fastrand::Rng, tag: &str, streaming: bool) -> String {
    let topic = format!("Explain rivière Ελλάδα 日本語 🙂 {tag}.");
    if streaming && rng.u8(..24) == 0 {
        return format!("{topic} {LONG}");
    }
    // At most about a second each.
    let (pace, most) = [(0, 4_000), (20_000, 6_000), (2_000, 2_000), (300, 300)][rng.usize(..4)];
    let reasoning = if rng.u8(..5) == 0 { "/reasoning " } else { "" };
    format!("/pace {pace} /first {} /length {} {reasoning}{topic}", rng.u32(..40), rng.u32(200..=most.max(201)))
}

/// Asks and follows until the cuts are done.
async fn visit(
    proxy: std::net::SocketAddr,
    seed: u64,
    name: u64,
    drops: bool,
    tally: Arc<Tally>,
) -> (Page, Vec<Asked>) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let network = Network::start(proxy, rng.u64(..), tally.clone()).await;
    let mut page = Page::new(network.addr, rng.u64(..));
    let mut asked = Vec::new();
    while tally.goes_on() || asked.is_empty() {
        let count = asked.len() as u64;
        let mut session = format!("page-{name}-{}", count / ANSWERS_A_SESSION);
        let streaming = rng.u8(..6) > 0;
        let tag = format!("p{name}n{count}x");
        let mut message = message(&mut rng, &tag, streaming);
        let cancelled = streaming && !message.ends_with(LONG) && rng.u8(..4) == 0;
        let mut enough = if rng.u8(..4) == 0 { 0 } else { rng.usize(1..2_500) };
        if cancelled && drops {
            // Only the stop can end it; a token has a byte at least.
            enough = enough.min(150);
            message = format!("/silence {} {message}", enough + rng.usize(..50));
            // Said again before the next question, as one that was stopped before its first word is, it would silence that too.
            session = format!("page-{name}-stuck-{count}");
        }
        let handle = page.send(&session, &message, streaming, rng.bool() && !cancelled);
        let what = format!("page {name}, answer {count}: {message}");
        let followed = timeout(ANSWER_PATIENCE, async {
            if cancelled {
                page.until(|page| page.held(handle).bytes() >= enough || page.held(handle).ended()).await;
                page.cancel(handle);
            }
            page.until(|page| page.held(handle).ended()).await;
        });
        assert!(followed.await.is_ok(), "no end of {what}: {:?}", page.held(handle));
        asked.push(Asked { session, message, cancelled, handle });
    }
    (page, asked)
}

/// A question and what a page holds as its answer.
type Seen<'a> = (&'a str, Ended);

/// The conversation as the proxy keeps it: every question and every answer once, in order, with what it used.
async fn check_history(proxy: &Proxy, session: &str, seen: &[Seen<'_>]) {
    let history = proxy.history(session).await;
    let stored = history["messages"].as_array().expect("messages");
    assert_eq!(stored.len(), 2 * seen.len(), "{session}: messages");
    for (pair, (question, ended)) in stored.chunks(2).zip(seen) {
        assert_eq!(pair[0]["content"], *question, "{session}");
        assert_eq!(Ended::stored(&pair[1]), *ended, "{session}: {question}");
    }
}

/// What there was of all rounds.
#[derive(Default)]
struct Totals {
    answers: usize,
    bytes: usize,
    calls: usize,
    repeated: u64,
    lost: u64,
    bills: Bills,
}

/// What a page holds of its answers, against the calls there were for them.
async fn check(
    proxy: &Proxy,
    page: &Page,
    asked: &[Asked],
    calls: &mut HashMap<String, Vec<LedgerEntry>>,
    drops: bool,
    totals: &mut Totals,
) {
    let mut sessions: BTreeMap<&str, Vec<Seen<'_>>> = BTreeMap::new();
    let (mut known, mut used) = (0, Usage::default());
    for Asked { session, message, cancelled, handle } in asked {
        let held = page.held(*handle);
        let ended = held.end(message);
        let calls = calls.remove(message).unwrap_or_default();
        assert!(*cancelled || !ended.was_stopped(), "{message} was stopped by nobody");
        totals.bills.compare(message, &ended, &calls, drops);
        totals.answers += 1;
        totals.bytes += ended.text.len();
        totals.calls += calls.len();
        // An answer that was stopped before it was sent is known to nobody.
        if calls.is_empty() && held.message_id.is_empty() {
            continue;
        }
        known += 1;
        used.add(&ended.usage);
        sessions.entry(session).or_default().push((message, ended));
    }
    let all = &page.usage().all;
    assert_eq!((all.turns, &all.usage), (known, &used), "usage is counted once for each answer");
    for (session, seen) in &sessions {
        check_history(proxy, session, seen).await;
    }
}

/// Some cuts with a proxy that reads on for what a stopped answer used, or drops its call.
async fn round(seed: u64, tally: &Arc<Tally>, drops: bool, totals: &mut Totals) {
    let long = Behaviour::bench(6_000, " größer 日本語 🙂, w", 20);
    let script = Script::new().step(Step::of(long).when_prompt(LONG));
    let on_stop = if drops { "abort" } else { "drain" };
    let flags = ["--max-tokens", "64000", "--history-messages", "1", "--on-stop", on_stop];
    let proxy = Proxy::with(&flags, script).await;
    let mut pages = JoinSet::new();
    for name in 0..PAGES {
        pages.spawn(visit(proxy.addr, seed.wrapping_mul(PAGES).wrapping_add(name), name, drops, tally.clone()));
    }
    let pages = pages.join_all().await;
    let mut calls = calls_by_question(&proxy);
    for (page, asked) in &pages {
        let (repeated, lost) = page.mishaps();
        totals.repeated += repeated;
        totals.lost += lost;
        check(&proxy, page, asked, &mut calls, drops, totals).await;
    }
    // One call at most for each answer was seen above: so there is no other bill.
    assert!(calls.is_empty(), "calls that nobody asked for: {:?}", calls.keys());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_cut_the_text_is_what_bedrock_sent_and_was_asked_for_once() {
    let (seed, mut left) = (number("OUTCROP_SEED", SEED), number("OUTCROP_CUTS", CUTS));
    let (tally, mut totals) = (Arc::new(Tally::default()), Totals::default());
    let mut at = seed;
    while left > 0 {
        let cuts = left.min(CUTS_A_ROUND);
        // Shown by the test runner when the test fails; enough to repeat the plan of every connection.
        println!("round: OUTCROP_SEED={at} OUTCROP_CUTS={cuts}");
        tally.want(cuts);
        round(at, &tally, at.is_multiple_of(2), &mut totals).await;
        assert!(!tally.goes_on());
        left -= cuts;
        at = at.wrapping_add(1);
    }
    let Totals { answers, bytes, calls, repeated, lost, bills } = totals;
    println!(
        "cuts: {tally}: {answers} answers, {bytes} bytes of text, each as Bedrock sent it, in {calls} calls, {repeated} frames heard twice and {lost} not at all; {bills}"
    );
}
