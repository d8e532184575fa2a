//! Sockets that take few bytes beside one that takes all of them: the same text, in fewer and larger frames, whatever is cut.

use std::ops::Range;

use bedrock_emulator::Behaviour;
use futures_util::future::join_all;
use serde_json::json;
use tokio::sync::watch;

use crate::{
    bills::{Bills, hash},
    chaos::Network,
    common::{Proxy, within},
    held::Ended,
    page::Page,
};

const SEED: u64 = 20_261_126;
const STREAM: &str = "chat.message_stream";

const DELTAS: u32 = 6_000;
const DELTA: &str = " rivière größer Ελλάδα 日本語 🙂 \"quoted\"\n and so on, for a hundred bytes and some more of it";
/// From one delta to the next.
const INTERVAL_US: u64 = 500;

/// The bytes that each slow socket gets for a frame of the fast one, of which the smallest have 300; and whether it is cut.
const SLOW: [(u64, bool); 4] = [(8, true), (24, false), (72, true), (144, false)];
/// The bytes it gets at a time when the fast one has everything.
const LAST_PIECES: u64 = 1_024;
/// A slow socket is cut after so many bytes: never before a frame of the longest kind has come.
const CUT_AFTER_BYTES: Range<u64> = 40_000..90_000;

/// How far the fast reader is, in frames; `None` once it has the whole answer.
type Beat = Option<u64>;

struct Slow {
    ended: Ended,
    frames: u64,
    cuts: u64,
}

/// Follows the answer over a socket that gets `rate` bytes for each beat, and may be cut again and again.
async fn read_slowly(
    proxy: &Proxy,
    message_id: &str,
    (rate, is_cut): (u64, bool),
    mut beat: watch::Receiver<Beat>,
) -> Slow {
    let network = Network::metered(proxy.addr).await;
    let mut rng = fastrand::Rng::with_seed(SEED ^ rate);
    let mut page = Page::patient(network.addr, rng.u64(..));
    // It knows the answer's name and nothing of its text.
    let message =
        json!({ "messageId": message_id, "content": "", "role": "assistant", "timestamp": "2026-01-01T00:00:00Z" });
    let handle = page.follow("s", &json!({ "message": message, "seq": 0 }));
    let mut cuts = 0;
    let letting = async {
        let mut cut_at = rng.u64(CUT_AFTER_BYTES);
        loop {
            let goes_on = beat.borrow_and_update().is_some();
            network.meter().let_pass(if goes_on { rate } else { LAST_PIECES });
            network.meter().used_up().await;
            if is_cut && network.meter().passed() >= cut_at {
                network.cut();
                cuts += 1;
                cut_at = network.meter().passed() + rng.u64(CUT_AFTER_BYTES);
            }
            if goes_on {
                beat.changed().await.expect("a fast reader");
            }
        }
    };
    tokio::select! {
        () = within("the end of a slow answer", page.until(|page| page.held(handle).ended())) => {}
        () = letting => unreachable!("it lets bytes pass for as long as it is asked to"),
    }
    Slow { ended: page.held(handle).end("a slow answer"), frames: page.heard(STREAM), cuts }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_socket_gets_all_of_the_text_in_fewer_and_larger_frames() {
    let proxy = Proxy::answering(Behaviour::bench(DELTAS, DELTA, INTERVAL_US)).await;
    let mut fast = Page::new(proxy.addr, SEED);
    let asked = fast.send("s", "go", true, false);
    within("a word", fast.until(|page| page.heard(STREAM) > 0)).await;
    let message_id = fast.held(asked).message_id.clone();
    let (beat, beats) = watch::channel(Some(0));
    let reading = within(
        "the fast answer",
        fast.until(|page| {
            let ended = page.held(asked).ended();
            beat.send_replace((!ended).then(|| page.heard(STREAM)));
            ended
        }),
    );
    let slow = join_all(SLOW.map(|slow| read_slowly(&proxy, &message_id, slow, beats.clone())));
    let ((), slow) = tokio::join!(reading, slow);

    let (ended, frames) = (fast.held(asked).end("the fast answer"), fast.heard(STREAM));
    assert_eq!(hash(&ended.text), hash(&DELTA.repeat(DELTAS as usize)));
    let (calls, mut bills) = ([proxy.ended_call().await], Bills::default());
    bills.compare("the fast answer", &ended, &calls, false);
    let (mut most, mut cuts) = (0, 0);
    for ((rate, is_cut), slow) in SLOW.iter().zip(&slow) {
        let what = format!("the answer at {rate} bytes for a frame");
        bills.compare(&what, &slow.ended, &calls, false);
        assert_eq!(slow.ended, ended, "{what}");
        // The text being the same, fewer frames are larger ones.
        assert!(2 * slow.frames < frames, "{what}: {} frames beside {frames}", slow.frames);
        assert_eq!(slow.cuts > 0, *is_cut, "{what} was cut {} times", slow.cuts);
        most = most.max(slow.frames);
        cuts += slow.cuts;
    }
    let (count, bytes) = (slow.len(), ended.text.len());
    println!(
        "cuts: {count} slow sockets, two of them cut {cuts} times, {bytes} bytes of text each in at most {most} frames, beside a fast one that took {frames}; {bills}"
    );
}
