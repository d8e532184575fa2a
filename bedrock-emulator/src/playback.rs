//! The body of a streamed response: sends what is due, in as few writes as the pace allows.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::bench::BenchStream;
use crate::ledger::{Call, Outcome};
use crate::socket::Hangup;
use crate::timeline::{Ending, Timeline};

/// Frames that are due together are sent together up to this size.
pub(crate) const CHUNK_BYTES: usize = 16 * 1024;
/// Time that the connection has to write the last bytes before it is cut.
const CUT_DELAY: Duration = Duration::from_millis(20);

/// Where the bytes come from.
#[derive(Debug)]
pub(crate) enum Source {
    Timeline { timeline: Timeline, next: usize },
    Bench(BenchStream),
}

impl Source {
    fn due(&self) -> Option<Duration> {
        match self {
            Source::Timeline { timeline, next } => timeline.items.get(*next).map(|item| item.due),
            Source::Bench(bench) => bench.due(),
        }
    }

    fn take(&mut self, elapsed: Duration) -> (Bytes, u32) {
        match self {
            Source::Bench(bench) => bench.take(elapsed),
            Source::Timeline { timeline, next } => {
                let start = next.checked_sub(1).map_or(0, |last| timeline.items[last].end);
                let rest = &timeline.items[*next..];
                let count = rest
                    .iter()
                    .take_while(|item| item.due <= elapsed && item.end - start <= CHUNK_BYTES)
                    .count()
                    .max(1);
                let last = rest[count - 1];
                *next += count;
                (timeline.bytes.slice(start..last.end), last.deltas)
            }
        }
    }

    fn ending(&self) -> Ending {
        match self {
            Source::Timeline { timeline, .. } => timeline.ending,
            Source::Bench(_) => Ending::End(Outcome::Completed),
        }
    }
}

/// A response body that plays a [`Source`].
pub(crate) struct Playback {
    source: Source,
    started: Instant,
    timer: Option<Pin<Box<Sleep>>>,
    call: Call,
    hangup: Hangup,
    state: PlayState,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum PlayState {
    Playing,
    Cutting { reset: bool },
    Silent,
    Over,
}

impl Playback {
    /// Times count from `started`; `hangup` ends the connection that the body is on.
    pub(crate) fn new(source: Source, started: Instant, call: Call, hangup: Hangup) -> Self {
        Playback { source, started, timer: None, call, hangup, state: PlayState::Playing }
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>, at: Instant) -> Poll<()> {
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if timer.deadline() != at {
            timer.as_mut().reset(at);
        }
        timer.as_mut().poll(cx)
    }

    /// Called when the last bytes are handed over, so that the ledger is right before a client can see them.
    fn end(&mut self) {
        match self.source.ending() {
            Ending::End(outcome) => {
                self.call.close(outcome);
                self.state = PlayState::Over;
            }
            Ending::Silence => self.state = PlayState::Silent,
            Ending::Cut { reset } => {
                self.call.close(Outcome::Cut);
                self.started = Instant::now();
                self.state = PlayState::Cutting { reset };
            }
        }
    }
}

impl Body for Playback {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = &mut *self;
        match this.state {
            PlayState::Over => return Poll::Ready(None),
            PlayState::Silent => return Poll::Pending,
            PlayState::Cutting { reset } => {
                if this.poll_timer(cx, this.started + CUT_DELAY).is_ready() {
                    this.hangup.now(reset);
                    this.state = PlayState::Silent;
                }
                return Poll::Pending;
            }
            PlayState::Playing => {}
        }
        let Some(due) = this.source.due() else {
            this.end();
            return self.poll_frame(cx);
        };
        let mut elapsed = this.started.elapsed();
        if elapsed < due {
            if this.poll_timer(cx, this.started + due).is_pending() {
                return Poll::Pending;
            }
            elapsed = this.started.elapsed().max(due);
        }
        let (bytes, deltas) = this.source.take(elapsed);
        this.call.sent(deltas);
        if this.source.due().is_none() {
            this.end();
        }
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.state == PlayState::Over
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;
    use crate::answer::{Answer, Part, StopReason, Usage};
    use crate::behaviour::Bench;
    use crate::bench::Rings;
    use crate::chat::Dialect;
    use crate::config::Pace;
    use crate::ledger::{Ledger, Operation, Record};
    use crate::timeline::timeline;

    fn call() -> (Ledger, Call) {
        let ledger = Ledger::new(1);
        let call = ledger.open(Record {
            request_id: "r".into(),
            received_at_unix_ms: 0,
            operation: Operation::ConverseStream,
            model_id: "m".into(),
            http_version: "HTTP/1.1".into(),
            body: Bytes::new(),
            deltas_sent: Default::default(),
            state: Default::default(),
        });
        (ledger, call)
    }

    fn answer(text: &str) -> Answer {
        let parts = vec![Part::Text(text.to_owned())];
        Answer { parts, stop_reason: StopReason::EndTurn, stop_sequence: None, usage: Usage::default() }
    }

    /// When each chunk came, in milliseconds, and its size.
    async fn chunks(source: Source) -> Vec<(u128, usize)> {
        let (_ledger, call) = call();
        let started = Instant::now();
        let mut body = Playback::new(source, started, call, Hangup::default());
        let mut chunks = Vec::new();
        while let Some(Ok(frame)) = body.frame().await {
            chunks.push((started.elapsed().as_millis(), frame.data_ref().map_or(0, Bytes::len)));
        }
        chunks
    }

    fn laid_out(text: &str, pace: Pace) -> Source {
        let answer = answer(text);
        let context =
            crate::wire::Context { dialect: Dialect::Converse, request_id: "r", model_id: "m", answer: &answer };
        Source::Timeline { timeline: timeline(&context, pace, None), next: 0 }
    }

    #[tokio::test(start_paused = true)]
    async fn a_paced_stream_is_one_chunk_a_token_on_time() {
        let pace = Pace { first_token_ms: 300, tokens_per_second: 50.0 };
        let chunks = chunks(laid_out("one two three four", pace)).await;
        assert_eq!(chunks.iter().map(|chunk| chunk.0).collect::<Vec<_>>(), [300, 320, 340, 360]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_unpaced_stream_comes_at_once_in_full_chunks() {
        let chunks = chunks(laid_out(&"word ".repeat(1_000), Pace::UNPACED)).await;
        let (last, full) = chunks.split_last().expect("chunks");
        assert!(full.len() > 5);
        assert!(full.iter().all(|(at, size)| *at == 0 && (CHUNK_BYTES - 300..=CHUNK_BYTES).contains(size)), "{full:?}");
        assert!(last.1 <= CHUNK_BYTES);
    }

    #[tokio::test(start_paused = true)]
    async fn a_load_test_stream_keeps_its_interval_and_shares_its_frames() {
        let rings = Rings::default();
        let answer = answer("x");
        let context =
            crate::wire::Context { dialect: Dialect::Converse, request_id: "r", model_id: "m", answer: &answer };
        let stream = |deltas, interval_us| {
            let bench = Bench { deltas, text: " word".into(), stamped: false, interval_us, first_delta_us: 5_000 };
            Source::Bench(rings.stream(&bench, &context, Duration::ZERO))
        };
        let paced = chunks(stream(3, 20_000)).await;
        assert_eq!(paced.iter().map(|chunk| chunk.0).collect::<Vec<_>>(), [0, 5, 25, 45, 45]);
        let burst = chunks(stream(1_000, 0)).await;
        assert!(burst.len() < 15, "{burst:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_ledger_is_closed_with_the_last_chunk_and_counts_what_was_sent() {
        let (ledger, call) = call();
        let mut body = Playback::new(
            laid_out("one two", Pace { first_token_ms: 0, tokens_per_second: 1.0 }),
            Instant::now(),
            call,
            Hangup::default(),
        );
        body.frame().await;
        assert_eq!((ledger.entries()[0].deltas_sent, ledger.entries()[0].outcome), (1, Outcome::Running));
        body.frame().await;
        assert_eq!((ledger.entries()[0].deltas_sent, ledger.entries()[0].outcome), (2, Outcome::Completed));
        drop(body);
        assert!(!ledger.entries()[0].client_gone);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_is_dropped_early_is_a_client_that_went_away() {
        let (ledger, call) = call();
        let mut body = Playback::new(laid_out("one two", Pace::HUMAN), Instant::now(), call, Hangup::default());
        body.frame().await;
        drop(body);
        assert!(ledger.entries()[0].client_gone);
    }
}
