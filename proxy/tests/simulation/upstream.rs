//! A Bedrock that is scripted by a seed, on virtual time, with a ledger of what it sent and billed.

use std::{
    borrow::Cow,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use async_trait::async_trait;
use fastrand::Rng;
use outcrop_proxy::bedrock::{
    ConverseRequest, EventSource, Target, Upstream, UpstreamError, UpstreamEvent, WholeAnswer, upstream::TakeEvent,
};
use outcrop_proxy::conversation::Block;
use protocol::{StopReason, Usage};
use tokio::time::{Instant, Sleep, sleep};

use crate::disk::Dead;

const PIECES: [&str; 8] = ["a", " word", "ü", "😀", "\n", "\"\\", "日本", " longer piece of text"];

/// One call.
#[derive(Debug, Default)]
pub(crate) struct Call {
    pub(crate) question: String,
    /// Which process made it.
    pub(crate) process: u64,
    /// Exactly what was sent of text, and when there was how much of it.
    pub(crate) text: String,
    sent: Vec<(Instant, usize)>,
    /// Whether any content was sent.
    pub(crate) begun: bool,
    /// What it reported to have used, once `messageStop` and `metadata` were sent; like no other call.
    pub(crate) reported: Option<Usage>,
    /// When that was.
    pub(crate) whole_at: Option<Instant>,
}

impl Call {
    /// How much of the text was sent by then.
    pub(crate) fn sent_by(&self, then: Instant) -> usize {
        self.sent[..self.sent.partition_point(|(at, _)| *at <= then)].last().map_or(0, |(_, bytes)| *bytes)
    }
}

pub(crate) type Ledger = Arc<Mutex<Vec<Call>>>;

#[derive(Debug)]
pub(crate) struct Bedrock {
    pub(crate) seed: u64,
    pub(crate) process: u64,
    pub(crate) ledger: Ledger,
    pub(crate) dead: Dead,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Exception,
    Cut,
    End,
    Silence,
}

struct Source {
    rng: Rng,
    ledger: Ledger,
    dead: Dead,
    call: usize,
    pause: Pin<Box<Sleep>>,
    deltas: u32,
    given: u32,
    batch: u32,
    pace_ms: u64,
    reasoning: u32,
    fault: Option<(u32, Fault)>,
    over: bool,
}

#[async_trait]
impl Upstream for Bedrock {
    fn region(&self) -> &str {
        "us-west-2"
    }

    async fn converse_stream(&self, request: &ConverseRequest) -> Result<Box<dyn EventSource>, UpstreamError> {
        let last = match request.turns.last().and_then(|turn| turn.blocks.last()) {
            Some(Block::Text { text }) => text.as_str(),
            _ => "",
        };
        let question = last.rsplit("\n\n").next().unwrap_or_default().to_owned();
        let call = {
            let mut ledger = self.ledger.lock().expect("the ledger");
            ledger.push(Call { question, process: self.process, ..Call::default() });
            ledger.len() - 1
        };
        let mut rng = Rng::with_seed(self.seed.wrapping_mul(31).wrapping_add(call as u64));
        sleep(Duration::from_millis(rng.u64(0..100))).await;
        if rng.u8(0..100) < 12 {
            return Err(UpstreamError::service("ThrottlingException", "slow down", request.target("us-west-2")));
        }
        let deltas = rng.u32(50..1_200);
        let fault = (rng.u8(0..100) < 20).then(|| {
            let at = if rng.bool() { 0 } else { rng.u32(0..deltas + 1) };
            (at, [Fault::Exception, Fault::Cut, Fault::End, Fault::Silence][rng.usize(0..4)])
        });
        Ok(Box::new(Source {
            pause: Box::pin(sleep(Duration::from_millis(rng.u64(1..200)))),
            pace_ms: rng.u64(1..25),
            reasoning: if rng.bool() { rng.u32(0..40) } else { 0 },
            rng,
            ledger: self.ledger.clone(),
            dead: self.dead.clone(),
            call,
            deltas,
            given: 0,
            batch: 0,
            fault,
            over: false,
        }))
    }

    async fn converse(&self, _: &ConverseRequest) -> Result<WholeAnswer, UpstreamError> {
        Err(UpstreamError::broken_stream("nobody asks for whole answers here"))
    }
}

impl EventSource for Source {
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, UpstreamError>> {
        if self.dead.is_dead() {
            return Poll::Pending;
        }
        if self.over {
            return Poll::Ready(Ok(false));
        }
        std::task::ready!(self.pause.as_mut().poll(cx));
        let pause = Duration::from_millis(self.rng.u64(0..=2 * self.pace_ms));
        self.pause.as_mut().reset(Instant::now() + pause);
        match self.fault.filter(|(at, _)| *at <= self.given) {
            Some((_, Fault::Cut)) => return Poll::Ready(Err(UpstreamError::broken_stream("cut"))),
            Some((_, Fault::End)) => return Poll::Ready(Ok(false)),
            Some((_, Fault::Silence)) => {
                self.pause.as_mut().reset(Instant::now() + Duration::from_secs(100_000));
                return Poll::Pending;
            }
            _ => {}
        }
        self.batch = self.rng.u32(1..6);
        Poll::Ready(Ok(true))
    }

    fn drain(&mut self, target: Target<'_>, take: &mut TakeEvent<'_>) -> Result<(), UpstreamError> {
        for _ in 0..std::mem::take(&mut self.batch) {
            match self.fault {
                Some((at, Fault::Exception)) if at <= self.given => {
                    return Err(UpstreamError::service("ModelStreamErrorException", "it broke", target));
                }
                Some((at, _)) if at <= self.given => return Ok(()),
                _ => {}
            }
            if self.given == self.deltas {
                take(UpstreamEvent::Stop(StopReason::EndTurn))?;
                let input_tokens = 10 + self.call as u64;
                let usage =
                    Usage { input_tokens, output_tokens: 9, total_tokens: input_tokens + 9, ..Usage::default() };
                let call = &mut self.ledger.lock().expect("the ledger")[self.call];
                (call.reported, call.whole_at) = (Some(usage.clone()), Some(Instant::now()));
                self.over = true;
                return take(UpstreamEvent::Metadata(usage));
            }
            let content = PIECES[self.rng.usize(0..PIECES.len())];
            let reasoning = self.given < self.reasoning;
            self.given += 1;
            {
                let call = &mut self.ledger.lock().expect("the ledger")[self.call];
                call.begun = true;
                if !reasoning {
                    call.text.push_str(content);
                    call.sent.push((Instant::now(), call.text.len()));
                }
            }
            let content = Cow::Borrowed(content);
            take(match reasoning {
                true => UpstreamEvent::Reasoning { block: 0, content },
                false => UpstreamEvent::Text { block: 1, content },
            })?;
        }
        Ok(())
    }
}
