//! `kill -9` at random moments, again and again over one and the same folder, while clients ask, follow and stop: what any of them
//! had seen by then is there afterwards.
//!
//! A process that is killed loses nothing that it gave to the system, so this shows that nothing is said before it is written, and
//! that every half-written file can be read; it does not show what a power cut does.
//!
//! `OUTCROP_KILLS` says how often (default 100), `OUTCROP_SEED` where the dice start.

mod checks;
#[allow(dead_code, reason = "shared with the tests of the command")]
#[path = "../cli/command.rs"]
mod command;
#[allow(dead_code, reason = "shared with the tests that cut connections")]
#[path = "../cuts/held.rs"]
mod held;
#[path = "../cuts/link.rs"]
mod link;
#[allow(dead_code, reason = "shared with the tests that cut connections")]
#[path = "../cuts/page.rs"]
mod page;
mod visitor;

use std::{
    cell::Cell, collections::HashMap, env, future::pending, os::unix::process::ExitStatusExt, path::Path,
    time::Duration,
};

use bedrock_emulator::{Config, Emulator};
use checks::{Figures, Kill, check_file, check_history, check_told};
use command::Run;
use futures_util::future::join_all;
use page::Page;
use rusqlite::{Connection, config::DbConfig};
use rustix::process::Signal;
use tokio::time::{Instant, timeout};
use visitor::{Kind, Talk, Visitor};

const SEED: u64 = 20_261_124;
const KILLS: u64 = 100;
const VISITORS: u64 = 6;

/// One that writes long answers.
const MODEL: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";

/// More calls than there are between two kills.
const LEDGER_CALLS: usize = 16_384;

/// Every so many kills one comes late enough for checkpoints.
const LATE_EVERY: u64 = 12;
/// Before every so many others nothing can be written for some time, as if the disk stood still: what is said then is found out.
const STALLED_EVERY: u64 = 3;
/// When a kill comes, after the load has begun.
const SOON_MS: std::ops::Range<u64> = 0..400;
const LATE_MS: std::ops::Range<u64> = 3_500..4_500;

/// How long anything else may take.
const PATIENCE: Duration = Duration::from_secs(60);

fn number(name: &str, usual: u64) -> u64 {
    env::var(name).map_or(usual, |text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")))
}

async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what}: not within {PATIENCE:?}"))
}

async fn pass(time: Duration) {
    let _ = timeout(time, pending::<()>()).await;
}

/// Keeps everybody else from writing for as long as it is there.
fn stall(folder: &Path) -> Connection {
    let file = Connection::open(folder.join("outcrop.db")).expect("a file");
    // What is in the write-ahead log is for the next proxy to read.
    file.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).expect("set");
    file.execute_batch("BEGIN IMMEDIATE").expect("its turn");
    file
}

/// The text that Bedrock sent for each question. None is asked twice.
fn note_calls(emulator: &Emulator, sent: &mut HashMap<String, String>) {
    let calls = emulator.ledger();
    assert!(calls.len() < LEDGER_CALLS, "the ledger has forgotten calls");
    emulator.clear_ledger();
    for call in calls {
        let messages = call.request["messages"].as_array().expect("messages");
        let prompt = messages.last().expect("a message")["content"][0]["text"].as_str().expect("a text");
        // A question that was left without an answer is said again before the next one.
        let question = prompt.rsplit("\n\n").next().unwrap_or_default().to_owned();
        if let Some(before) = sent.insert(question.clone(), call.text_sent) {
            panic!("{question} was asked twice; the first time {} bytes were sent", before.len());
        }
    }
}

/// Holds the history of every session that has changed against what was seen of it when the proxy was `killed`; in the end, of all.
async fn check_all(reader: &mut Page, visitors: &mut [Visitor], killed: Option<Kill>, figures: &mut Figures) {
    for Visitor { page, talks } in visitors {
        for talk in talks {
            for session in talk.take_changed(killed.is_some()) {
                let asked = reader.ask_history(&session.name);
                reader.until(|reader| reader.held(asked).ended()).await;
                check_history(reader.held(asked), page, session, killed, figures);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_seen_before_a_kill_is_there_after_it() {
    let (seed, kills) = (number("OUTCROP_SEED", SEED), number("OUTCROP_KILLS", KILLS));
    // Shown by the test runner when the test fails.
    println!("dice: OUTCROP_SEED={seed} OUTCROP_KILLS={kills}");
    let mut dice = fastrand::Rng::with_seed(seed);
    let emulator =
        Emulator::start(Config { ledger_capacity: LEDGER_CALLS, ..Config::unpaced() }).await.expect("an emulator");
    let data = tempfile::tempdir().expect("a folder");
    let folder = data.path().to_str().expect("UTF-8");
    let run = Run::against(&emulator);
    let flags = ["--model", MODEL, "--max-tokens", "64000", "--history-messages", "1", "--log", "off"];
    let serve = [&["serve", "--listen", "127.0.0.1:0", "--data-dir", folder], &flags[..]].concat();
    let mut visitors: Vec<_> = (0..VISITORS)
        .map(|name| Visitor::new(name, if name == 0 { Kind::Pulse } else { Kind::All }, dice.u64(..)))
        .collect();
    let (mut figures, mut sent, mut killed) = (Figures::default(), HashMap::new(), None);
    for kill in 0..=kills {
        let mut running = run.spawn(&serve);
        let proxy = running.addr().await;
        check_file(data.path());
        note_calls(&emulator, &mut sent);
        let mut reader = Page::patient(proxy, dice.u64(..));
        reader.connect();
        within("what is kept", check_all(&mut reader, &mut visitors, killed, &mut figures)).await;
        visitors.iter_mut().for_each(|visitor| visitor.page.proxy = proxy);
        if kill == kills {
            within("the last answers", join_all(visitors.iter_mut().map(Visitor::finish))).await;
            within("what is kept", check_all(&mut reader, &mut visitors, None, &mut figures)).await;
            note_calls(&emulator, &mut sent);
            running.signal(Signal::TERM);
            assert_eq!(running.end().await.status.code(), Some(0));
            break;
        }
        let is_late = kill % LATE_EVERY == LATE_EVERY - 1;
        let is_stalled = !is_late && kill % STALLED_EVERY == 0;
        let moment = dice.u64(if is_late { LATE_MS } else { SOON_MS });
        let stalled_ms = if is_stalled { dice.u64(..=moment) } else { 0 };
        let is_killed = Cell::new(false);
        let begun = Instant::now();
        let load = join_all(visitors.iter_mut().map(|visitor| visitor.go_on(&is_killed)));
        let killing = async {
            pass(Duration::from_millis(moment - stalled_ms)).await;
            let _stalled = is_stalled.then(|| stall(data.path()));
            pass(Duration::from_millis(stalled_ms)).await;
            is_killed.set(true);
            let now = Instant::now();
            running.signal(Signal::KILL);
            assert_eq!(running.end().await.status.signal(), Some(Signal::KILL.as_raw()));
            now
        };
        let (at, _) = within("the end of a proxy that is killed", async { tokio::join!(killing, load) }).await;
        let slowest = visitors.iter().map(|visitor| visitor.slowest_pulse(begun, at)).max().unwrap_or_default();
        killed = Some(Kill { at, slowest });
    }
    for Visitor { page, talks } in &visitors {
        talks
            .iter()
            .flat_map(Talk::asked)
            .for_each(|asked| check_told(page.held(asked.handle), asked, &sent, &mut figures));
    }
    println!("kill: {kills} kills, {figures}");
    if kills >= KILLS {
        figures.assert_every_kind();
    }
}
