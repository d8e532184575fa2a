//! Answers of every kind, over networks that fail at random bytes: what the page holds is what Bedrock sent, and was paid once.

use std::{collections::HashMap, env, sync::Arc, time::Duration};

use bedrock_emulator::{Behaviour, Config, LedgerEntry, Script, Step};
use client_core::Handle;
use protocol::StopReason;
use sha2::{Digest, Sha256};
use tokio::{task::JoinSet, time::timeout};

use crate::{
    chaos::{Network, Tally},
    common::{MODEL, Proxy, usage_of},
    page::{Held, Page},
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

fn hash(text: &str) -> String {
    hex::encode(Sha256::digest(text))
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
async fn visit(proxy: std::net::SocketAddr, seed: u64, name: u64, tally: Arc<Tally>) -> (Page, Vec<Asked>) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let network = Network::start(proxy, rng.u64(..), tally.clone()).await;
    let mut page = Page::new(network.addr, rng.u64(..));
    let mut asked = Vec::new();
    while tally.goes_on() || asked.is_empty() {
        let count = asked.len() as u64;
        let session = format!("page-{name}-{}", count / ANSWERS_A_SESSION);
        let streaming = rng.u8(..6) > 0;
        let tag = format!("p{name}n{count}x");
        let message = message(&mut rng, &tag, streaming);
        let cancelled = streaming && !message.ends_with(LONG) && rng.u8(..8) == 0;
        let handle = page.send(&session, &message, streaming, rng.bool() && !cancelled);
        let what = format!("page {name}, answer {count}: {message}");
        let followed = timeout(ANSWER_PATIENCE, async {
            if cancelled {
                let enough = if rng.bool() { 0 } else { rng.usize(..4_000) };
                page.until(|page| page.held(handle).text.len() >= enough || page.held(handle).ended()).await;
                page.cancel(handle);
            }
            page.until(|page| page.held(handle).ended()).await;
        });
        assert!(followed.await.is_ok(), "no end of {what}: {:?}", page.held(handle));
        asked.push(Asked { session, message, cancelled, handle });
    }
    (page, asked)
}

/// What the page holds of an answer against what Bedrock sent. The number of bytes.
fn check(asked: &Asked, held: &Held, calls: &[LedgerEntry]) -> (usize, String) {
    assert!(held.failed.is_none(), "{}: {:?}", asked.message, held.failed);
    let text = match (&held.reply, &held.done) {
        (Some(reply), _) => reply["message"]["content"].as_str().expect("a text").to_owned(),
        (None, Some((whole, ..))) => {
            assert_eq!(&held.text, whole, "the pieces are the whole");
            whole.clone()
        }
        (None, None) => panic!("{} has not ended", asked.message),
    };
    let stopped = matches!(&held.done, Some((_, StopReason::Cancelled, _)));
    assert!(asked.cancelled || !stopped, "{} was stopped by nobody", asked.message);
    if stopped {
        assert!(calls.len() <= 1, "{} calls for {}", calls.len(), asked.message);
        let sent = calls.first().map_or("", |call| call.text_sent.as_str());
        assert!(sent.starts_with(&text), "{}: not the start of what was sent", asked.message);
    } else {
        assert_eq!(calls.len(), 1, "calls for {}", asked.message);
        assert_eq!(hash(&text), calls[0].text_sha256, "{}", asked.message);
        assert!(!text.is_empty());
        let usage = match (&held.reply, &held.done) {
            (Some(reply), _) => reply["message"]["usage"].clone(),
            (None, Some((.., usage))) => serde_json::to_value(usage).expect("JSON"),
            (None, None) => unreachable!("it has ended"),
        };
        assert_eq!(usage, usage_of(&calls[0]), "{}", asked.message);
    }
    (text.len(), text)
}

/// The conversation as the proxy keeps it: every question and every answer once, in order.
async fn check_history(proxy: &Proxy, session: &str, expected: &[(&str, &str, &Held)]) {
    let history = proxy.history(session).await;
    let stored = history["messages"].as_array().expect("messages");
    let texts: Vec<&str> = stored.iter().map(|message| message["content"].as_str().expect("content")).collect();
    let wanted: Vec<&str> = expected.iter().flat_map(|&(question, answer, _)| [question, answer]).collect();
    assert!(texts == wanted, "{session}: {} stored messages are not the {} seen", texts.len(), wanted.len());
    for (answer, (.., held)) in stored.iter().skip(1).step_by(2).zip(expected) {
        let parts = answer["parts"].as_array().into_iter().flatten();
        let reasoning: String =
            parts.filter(|part| part["type"] == "reasoning").filter_map(|part| part["text"].as_str()).collect();
        assert!(held.reply.is_some() || reasoning == held.reasoning, "{session}: the reasoning differs");
    }
}

async fn round(seed: u64, cuts: u64) -> (Arc<Tally>, usize, usize) {
    let long = Behaviour::bench(12_000, " größer 日本語 🙂, w", 20);
    let script = Script::new().step(Step::of(long).when_prompt(LONG));
    let proxy = Proxy::with(&["--max-tokens", "64000", "--history-messages", "1"], script).await;
    let tally = Arc::new(Tally::wanting(cuts));
    let mut pages = JoinSet::new();
    for name in 0..PAGES {
        pages.spawn(visit(proxy.addr, seed.wrapping_mul(PAGES).wrapping_add(name), name, tally.clone()));
    }
    let pages = pages.join_all().await;
    let ledger = proxy.emulator.ledger();
    assert!(ledger.len() < Config::default().ledger_capacity, "the ledger has forgotten calls");
    assert!(ledger.iter().all(|call| call.model_id == MODEL));
    let mut calls: HashMap<String, Vec<LedgerEntry>> = HashMap::new();
    for call in ledger {
        let messages = call.request["messages"].as_array().expect("messages");
        let prompt = messages.last().expect("a message")["content"][0]["text"].as_str().expect("a text");
        // A question that was stopped before its first word is said again before the next one.
        let question = prompt.rsplit("\n\n").next().unwrap_or_default().to_owned();
        calls.entry(question).or_default().push(call);
    }
    let (mut answers, mut bytes) = (0, 0);
    for (page, asked) in &pages {
        let mut sessions: Vec<(&str, Vec<_>)> = Vec::new();
        let (mut texts, mut turns) = (Vec::new(), 0);
        for asked in asked {
            let held = page.held(asked.handle);
            let calls = calls.remove(&asked.message).unwrap_or_default();
            let (length, text) = check(asked, held, &calls);
            // An answer that was stopped before it was sent is known to nobody.
            let known = !(calls.is_empty() && held.message_id.is_empty());
            turns += u64::from(known);
            texts.push((known, text));
            answers += 1;
            bytes += length;
        }
        assert_eq!(page.usage().all.turns, turns, "usage is counted once for each answer");
        for (asked, (known, text)) in asked.iter().zip(&texts) {
            if sessions.last().is_none_or(|(name, _)| *name != asked.session) {
                sessions.push((&asked.session, Vec::new()));
            }
            if *known {
                let seen = (asked.message.as_str(), text.as_str(), page.held(asked.handle));
                sessions.last_mut().expect("a session").1.push(seen);
            }
        }
        for (session, expected) in sessions.iter().filter(|(_, expected)| !expected.is_empty()) {
            check_history(&proxy, session, expected).await;
        }
    }
    assert!(calls.is_empty(), "calls that nobody asked for: {:?}", calls.keys());
    (tally, answers, bytes)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_cut_the_text_is_what_bedrock_sent_and_was_asked_for_once() {
    let (seed, mut left) = (number("OUTCROP_SEED", SEED), number("OUTCROP_CUTS", CUTS));
    let mut at = seed;
    while left > 0 {
        let cuts = left.min(CUTS_A_ROUND);
        // Shown by the test runner when the test fails; enough to repeat the plan of every connection.
        println!("round: OUTCROP_SEED={at} OUTCROP_CUTS={cuts}");
        let (tally, answers, bytes) = round(at, cuts).await;
        assert!(tally.cuts() >= cuts);
        println!("{answers} answers, {bytes} bytes of text, {tally}");
        left -= cuts;
        at = at.wrapping_add(1);
    }
}
