//! The ledger against the emulator's own record: 2,000 turns with random stops, cuts and faults.
//!
//! `OUTCROP_SEED` says where the dice start, `OUTCROP_TURNS` how many turns there are.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "../api/common/mod.rs"]
#[allow(dead_code, unused_imports, reason = "shared with the tests of the api, which use all of it")]
mod common;

use std::{collections::HashMap, env};

use bedrock_emulator::{Config, LedgerEntry};
use common::{Client, Proxy, within};
use outcrop_proxy::store::{Call, CallOutcome, CallsOf, SqliteStore, Store};
use protocol::{Catalog, Timestamp, Usage, UsageSource};
use serde_json::json;
use tokio::task::JoinSet;

const SEED: u64 = 20_261_126;
const TURNS: u64 = 2_000;
/// Clients at a time.
const CLIENTS: u64 = 16;

/// Of a thousand questions, this many are given each fault. Those that break an answer off are rare, as they are in life: what the
/// rest of it would have been is known to nobody but Bedrock.
const FAULTS: [(u32, &str); 8] = [
    (60, "/throttle 1 "),
    (10, "/error-before ValidationException "),
    (5, "/strike cut headers "),
    (5, "/error-mid modelStreamErrorException 60 "),
    (5, "/cut 40 "),
    (5, "/cut-frame 80 "),
    (5, "/broken-frame 50 "),
    (5, "/no-metadata "),
];

fn number(name: &str, usual: u64) -> u64 {
    env::var(name).map_or(usual, |text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")))
}

/// A question that no other is like, and what happens to its answer.
fn question(rng: &mut fastrand::Rng, tag: &str) -> String {
    let mut dice = rng.u32(..1_000);
    let fault = FAULTS.iter().find(|(of_a_thousand, _)| {
        let hit = dice < *of_a_thousand;
        dice = dice.saturating_sub(*of_a_thousand);
        hit
    });
    let fault = fault.map_or("", |(_, fault)| fault);
    let pace = [0, 0, 5_000, 1_000][rng.usize(..4)];
    let reasoning = if rng.u8(..8) == 0 { "/reasoning " } else { "" };
    let words = "and then of the valleys below them ".repeat(rng.usize(..6));
    format!("{fault}/pace {pace} /length {} {reasoning}Tell me of the river {words}({tag})", rng.u32(20..200))
}

/// Asks its share of the questions, each in a session of its own.
async fn ask_all(addr: std::net::SocketAddr, seed: u64, name: u64, turns: u64) {
    let mut rng = fastrand::Rng::with_seed(seed.wrapping_add(name));
    let mut client = Client::connect(addr).await;
    for turn in 0..turns {
        let tag = format!("c{name}t{turn}");
        let question = question(&mut rng, &tag);
        let streaming = rng.u8(..6) > 0;
        client.send_message(&tag, &tag, &question, streaming).await;
        match rng.u8(..10) {
            // Stopped at once, or after the first frame.
            0 | 1 if streaming => {
                let mut read = Vec::new();
                if rng.bool() {
                    read.push(client.frame().await);
                }
                if read.iter().all(|frame| frame.kind != "chat.message_complete" && frame.kind != "chat.error") {
                    client.send("stop", "chat.cancel", json!({ "requestId": tag })).await;
                    client = drain(client, addr).await;
                }
            }
            // The socket goes away, and the answer goes on for nobody.
            2 => client = drain(client, addr).await,
            _ => loop {
                let end = client.frame().await.kind;
                if end == "chat.message_complete" || end == "chat.message_response" || end == "chat.error" {
                    break;
                }
            },
        }
    }
}

/// Leaves the connection to itself and takes another. The proxy has heard what was said on it: it has answered a ping since.
async fn drain(mut client: Client, addr: std::net::SocketAddr) -> Client {
    client.send("ping", "ping", json!({})).await;
    while client.frame().await.kind != "pong" {}
    Client::connect(addr).await
}

/// What a question is told from others by.
fn tag_of(text: &str) -> Option<&str> {
    let (_, tag) = text.rsplit_once('(')?;
    tag.strip_suffix(')')
}

fn calls_by_tag(ledger: &[LedgerEntry]) -> HashMap<String, Vec<&LedgerEntry>> {
    let mut calls: HashMap<_, Vec<_>> = HashMap::new();
    for call in ledger {
        let text = call.request["messages"][0]["content"][0]["text"].as_str().expect("a question");
        calls.entry(tag_of(text).expect("a tag").to_owned()).or_default().push(call);
    }
    calls
}

async fn all_calls(store: &SqliteStore) -> Vec<Call> {
    let all = CallsOf { organization: None, user: None, from: Timestamp::from_unix_ms(0), to: Timestamp::MAX };
    let (mut calls, mut after) = (Vec::new(), None);
    loop {
        let page = store.calls(&all, after).await.expect("a page");
        calls.extend(page.calls);
        after = page.next;
        if after.is_none() {
            return calls;
        }
    }
}

/// What Bedrock bills for a call, as the emulator has it.
fn billed(call: &LedgerEntry) -> Usage {
    let mut usage = call.usage.map_or_else(Usage::default, |billed| Usage {
        input_tokens: billed.input_tokens.into(),
        output_tokens: billed.output_tokens.into(),
        total_tokens: billed.total_tokens().into(),
        cache_read_input_tokens: billed.cache_read_input_tokens.into(),
        cache_write_input_tokens: billed.cache_write_input_tokens.into(),
        ..Usage::default()
    });
    Catalog::builtin().price(&call.model_id, &mut usage);
    usage
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ledger_is_bedrocks_own_record() {
    let (seed, turns) = (number("OUTCROP_SEED", SEED), number("OUTCROP_TURNS", TURNS));
    println!("ledger: seed {seed}");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("a path");
    let flags = ["--store", "sqlite", "--data-dir", path, "--retry-base", "10ms", "--budgets", "user/day=1000usd"];
    let config = Config { ledger_capacity: 2 * turns as usize, ..Config::unpaced() };
    let mut proxy = Proxy::over(&flags, config).await;
    let mut clients = JoinSet::new();
    for name in 0..CLIENTS {
        let share = turns / CLIENTS + u64::from(name < turns % CLIENTS);
        clients.spawn(ask_all(proxy.addr, seed, name, share));
    }
    clients.join_all().await;
    let ledger = within("the end of all answers", async {
        while proxy.service.running() > 0 {
            tokio::task::yield_now().await;
        }
        proxy.emulator.ledger()
    })
    .await;
    proxy.stop();
    proxy.stopped().await;

    let store = SqliteStore::open(folder.path()).expect("the store");
    assert_eq!(store.unfinished(Timestamp::MAX).await, Ok(Vec::new()), "nothing is open");
    let kept = all_calls(&store).await;
    let mut made = calls_by_tag(&ledger);
    let (mut reported, mut estimated, mut refused) = (0, 0, 0);
    let (mut told_nano_usd, mut billed_nano_usd) = (0, 0);
    let mut by_tag: HashMap<_, Vec<_>> = HashMap::new();
    for call in &kept {
        by_tag.entry(call.session.to_string()).or_default().push(call);
    }
    for (tag, mut told) in by_tag {
        told.sort_by_key(|call| call.number);
        let made = made.remove(&tag).unwrap_or_default();
        // A call that was given up before it reached Bedrock is one that may be billed all the same.
        assert!(told.len() >= made.len(), "{tag}: {} entries of {} calls", told.len(), made.len());
        assert!(told[made.len()..].iter().all(|call| call.outcome == CallOutcome::Cancelled), "{tag}: {told:?}");
        for (told, made) in told.iter().zip(made) {
            let billed = billed(made);
            told_nano_usd += told.usage.cost_nano_usd.expect("a price");
            billed_nano_usd += billed.cost_nano_usd.expect("a price");
            match told.usage.source {
                UsageSource::Estimated => estimated += 1,
                UsageSource::Reported => {
                    assert_eq!(told.usage, billed, "{tag}");
                    *(if made.usage.is_some() { &mut reported } else { &mut refused }) += 1;
                }
            }
        }
    }
    assert!(made.is_empty(), "calls without an entry: {:?}", made.keys());
    let off = (told_nano_usd as f64 / billed_nano_usd as f64 - 1.0) * 100.0;
    println!(
        "ledger: {turns} turns, {} entries: {reported} as reported, {refused} refused, {estimated} estimated; in sum {off:+.2} % of what is billed",
        kept.len()
    );
    assert!(off.abs() <= 5.0, "{off} % off");
    assert!(estimated * 20 <= kept.len(), "{estimated} of {} are estimated", kept.len());
    let spent: u64 = kept.iter().map(|call| call.amount().nano_usd).sum();
    assert_eq!(
        spent_of_accounts(folder.path()),
        [spent],
        "the budget has spent what the ledger says, and nothing is set aside"
    );
}

fn spent_of_accounts(folder: &std::path::Path) -> Vec<u64> {
    let connection = rusqlite::Connection::open(folder.join("outcrop.db")).expect("a file");
    let mut query = connection
        .prepare("SELECT sum(spent_nano_usd) FROM accounts HAVING max(reserved_nano_usd + reserved_tokens) = 0")
        .expect("a query");
    query.query_map([], |row| row.get(0)).expect("rows").collect::<Result<_, _>>().expect("rows")
}
