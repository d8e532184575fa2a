//! Clients that come back when the proxy keeps the events of their answer no longer: the stored answer takes their place.

use bedrock_emulator::{Behaviour, Fault, LedgerEntry, Script, Step};
use client_core::Handle;
use outcrop_proxy::turn::{MAX_FINISHED_BYTES, log::MAX_ANSWER_BYTES};
use protocol::limits::MAX_CONTENT_BYTES;
use serde_json::{Value, json};

use crate::{
    bills::{Bills, calls_by_question},
    chaos::Network,
    common::{Proxy, within},
    held::Ended,
    page::Page,
};

/// A text of three frames at least, so that no page that has got one of them can have it all.
const LONG: &str = "/length 9000";
/// As much, and then it neither goes on nor ends.
const STUCK: &str = "(stuck)";
const STUCK_TOKENS: u32 = 9_000;
/// As much text as an answer may have.
const FILLER: &str = "(filler)";
/// The bytes that pass at a time before the cut.
const PIECE: u64 = 512;
const SNAPSHOT: &str = "chat.snapshot";

/// A page that is cut off, and away.
struct Away {
    session: String,
    question: String,
    page: Page,
    network: Network,
    handle: Handle,
    /// Whether it has heard of its answer, so that it asks for the rest and not again.
    named: bool,
}

impl Away {
    /// One that is cut off in the middle of its answer, with some of its text.
    async fn in_mid_answer(proxy: &Proxy, session: &str, kind: &str, late: bool) -> Self {
        let (network, mut page) = metered(proxy, session).await;
        let question = format!("{kind} Explain 日本語 🙂 {session}");
        let handle = page.send(session, &question, true, late);
        let some = |page: &Page| {
            page.heard("chat.message_stream") + page.heard("chat.reasoning_stream") > 0 || page.held(handle).ended()
        };
        let what = format!("some of the answer that is {session}");
        tokio::select! {
            () = within(&what, page.until(some)) => {}
            never = network.trickle(PIECE) => match never {},
        }
        network.cut();
        assert!(!page.held(handle).ended(), "{session}: {:?}", page.held(handle));
        assert!(late || !page.held(handle).message_id.is_empty());
        Self { session: session.to_owned(), question, page, network, handle, named: true }
    }

    /// One that has sent its message, and is cut off before it hears anything about it.
    async fn unacknowledged(proxy: &Proxy, session: &str, streaming: bool) -> Self {
        let (network, mut page) = metered(proxy, session).await;
        let question = format!("{LONG} Explain 日本語 🙂 {session}");
        page.connect();
        tokio::select! {
            () = within("a greeting", page.until(Page::is_open)) => {}
            never = network.trickle(PIECE) => match never {},
        }
        network.hold_replies();
        let handle = page.send(session, &question, streaming, false);
        page.meanwhile(called(proxy, &question)).await;
        network.cut();
        assert_eq!(page.held(handle).message_id, "");
        Self { session: session.to_owned(), question, page, network, handle, named: false }
    }

    /// One that came second to this one, and is cut off while it follows.
    async fn second_tab(&self, proxy: &Proxy) -> Self {
        let (network, mut page) = metered(proxy, "second-tab").await;
        let history = proxy.history(&self.session).await;
        let handle = page.follow(&self.session, &history["inProgress"]);
        tokio::select! {
            () = within("a greeting", page.until(Page::is_open)) => {}
            never = network.trickle(PIECE) => match never {},
        }
        network.cut();
        let (session, question) = (self.session.clone(), self.question.clone());
        Self { session, question, page, network, handle, named: true }
    }

    /// Comes back, and holds what was stored.
    async fn back(&mut self, proxy: &Proxy, calls: &[LedgerEntry], bills: &mut Bills) -> Ended {
        let Self { session, question, page, network, handle, named } = self;
        network.meter().let_pass(u64::MAX);
        within("the answer", page.until(|page| page.held(*handle).ended())).await;
        let ended = page.held(*handle).end(session);
        bills.compare(question, &ended, calls, true);
        assert_eq!(page.heard(SNAPSHOT), u64::from(*named), "{session}: snapshots");
        assert_eq!(page.usage().all.turns, 1, "{session}: usage is counted once");
        let history = proxy.history(session).await;
        assert_eq!(history["messages"].as_array().map(Vec::len), Some(2), "{session}: messages");
        assert_eq!(Ended::stored(&history["messages"][1]), ended, "{session}: kept otherwise");
        ended
    }
}

async fn metered(proxy: &Proxy, name: &str) -> (Network, Page) {
    let network = Network::metered(proxy.addr).await;
    let seed = name.bytes().fold(0, |seed: u64, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
    let page = Page::patient(network.addr, seed);
    (network, page)
}

async fn called(proxy: &Proxy, question: &str) {
    within("the call", async {
        while !calls_by_question(proxy).contains_key(question) {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// Waits until no turn runs, those that only say their last included.
async fn all_ended(proxy: &Proxy) {
    within("the end of all turns", async {
        while proxy.service.running() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// Asks from elsewhere for the answer from its beginning: what kind of frame comes first.
async fn resumed(proxy: &Proxy, message_id: &Value) -> String {
    let mut client = proxy.connect().await;
    client.send("again", "chat.resume", json!({ "messageId": message_id, "after": 0 })).await;
    client.frame().await.kind
}

/// Makes as many of the longest answers as it takes for the proxy to let go of all those before.
async fn fill(proxy: &Proxy) -> usize {
    let count = MAX_FINISHED_BYTES / MAX_ANSWER_BYTES;
    for n in 0..count {
        let mut client = proxy.connect().await;
        client.send_message("r", &format!("filler-{n}"), FILLER, true).await;
        client.frame().await;
    }
    all_ended(proxy).await;
    count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_comes_back_too_late_for_the_events_gets_the_stored_answer_and_no_second_call() {
    let stuck = Behaviour { length_tokens: Some(2 * STUCK_TOKENS), ..Behaviour::default() };
    let filler = "x".repeat(MAX_CONTENT_BYTES);
    let fillers = Behaviour::bench((MAX_ANSWER_BYTES / MAX_CONTENT_BYTES) as u32, filler, 0);
    let script = Script::new()
        .step(Step::of(stuck.with_fault(Fault::Silence { after_tokens: STUCK_TOKENS })).when_prompt(STUCK))
        .step(Step::of(fillers).when_prompt(FILLER));
    let flags = ["--max-tokens", "64000", "--on-stop", "abort"];
    let proxy = Proxy::with(&flags, script).await;

    let reasoning = format!("{LONG} /reasoning");
    let mut away = vec![
        Away::in_mid_answer(&proxy, "taken-at-once", LONG, false).await,
        Away::in_mid_answer(&proxy, "taken-at-the-end", LONG, true).await,
        Away::in_mid_answer(&proxy, "with-reasoning", &reasoning, false).await,
        Away::in_mid_answer(&proxy, "stopped-too-late", LONG, false).await,
        Away::unacknowledged(&proxy, "unheard-of", true).await,
        Away::unacknowledged(&proxy, "unheard-of-and-whole", false).await,
        Away::in_mid_answer(&proxy, "stopped-from-elsewhere", STUCK, false).await,
    ];
    let stuck = away.last().expect("the stuck one");
    let second_tab = stuck.second_tab(&proxy).await;
    let cancel = json!({ "messageId": stuck.page.held(stuck.handle).message_id });
    let mut other = proxy.connect().await;
    other.send("c", "chat.cancel", cancel).await;
    // What had not come by then may come first.
    while other.frame().await.kind != "chat.message_complete" {}
    away.push(second_tab);
    all_ended(&proxy).await;

    let calls = calls_by_question(&proxy);
    assert_eq!(calls.len(), away.len() - 1, "a call for each message");
    let mut ids = Vec::new();
    for away in &away {
        ids.push(proxy.history(&away.session).await["messages"][1]["messageId"].clone());
        assert_ne!(resumed(&proxy, ids.last().expect("an id")).await, SNAPSHOT, "{} is kept", away.session);
    }
    let fillers = fill(&proxy).await;
    for (away, id) in away.iter().zip(&ids) {
        assert_eq!(resumed(&proxy, id).await, SNAPSHOT, "{} is kept no longer", away.session);
    }
    proxy.emulator.clear_ledger();

    let mut bills = Bills::default();
    for away in &mut away {
        if away.session == "stopped-too-late" {
            away.page.cancel(away.handle);
        }
        let ended = away.back(&proxy, &calls[&away.question], &mut bills).await;
        assert_eq!(ended.was_stopped(), away.question.contains(STUCK), "{}", away.session);
        assert_eq!(ended.reasoning.is_empty(), away.session != "with-reasoning", "{}", away.session);
    }
    assert_eq!(proxy.emulator.ledger().len(), 0, "nothing was asked a second time");
    println!(
        "cuts: {} clients that came back when {fillers} answers of {MAX_ANSWER_BYTES} bytes had taken the place of theirs, each with the stored text, whole, and no second call; {bills}",
        away.len()
    );
}
