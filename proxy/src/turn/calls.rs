//! The calls that are made for one answer, and what each of them used.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use protocol::{Catalog, ErrorCode, StopReason, ToolStatus, ToolUse, Usage};
use tokio::time::Instant;

use super::{Turn, assembly::Wanted};
use crate::{
    bedrock::{ConverseRequest, UpstreamError},
    conversation::Block,
    observe::{ChatSpan, RequestSpan},
    store::{Call, CallOutcome, ToolRun},
};

/// What came of a call that was answered.
#[derive(Debug)]
pub(super) struct Reply {
    /// Why it ended.
    pub(super) stop_reason: StopReason,
    /// What it used.
    pub(super) usage: Usage,
    /// What the model said.
    pub(super) blocks: Vec<Block>,
    /// The calls of tools that it wants.
    pub(super) wanted: Vec<Wanted>,
}

/// Where the calls for an answer stand.
#[derive(Debug)]
pub(super) struct Calls {
    /// The model that was asked for.
    asked: String,
    /// What they are parts of in traces.
    span: RequestSpan,
    made: Mutex<Vec<Made>>,
    /// How many were made before this round.
    before_round: AtomicUsize,
}

#[derive(Debug)]
struct Made {
    model: String,
    /// The bytes of text it was asked with.
    input_bytes: usize,
    /// How many bytes of text the answer had before it.
    text_before: usize,
    /// How many it had after it.
    text_after: Option<usize>,
    /// The tools that were called because of it.
    tools: Vec<ToolRun>,
    started: Instant,
    first_content: Option<Duration>,
    /// None of a call under way.
    ended: Option<(Duration, Ended)>,
    span: ChatSpan,
}

#[derive(Debug)]
enum Ended {
    Answered(Usage),
    Refused(ErrorCode),
    /// It may be billed all the same.
    Broken(ErrorCode),
}

impl Calls {
    /// None yet, for the question of `turn`.
    pub(super) fn new(turn: &Turn) -> Self {
        let span = turn.caller.as_ref().map(|caller| caller.span().clone()).unwrap_or_default();
        Self { asked: turn.model(), span, made: Mutex::default(), before_round: AtomicUsize::new(0) }
    }

    fn made(&self) -> MutexGuard<'_, Vec<Made>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call begins.
    pub(super) fn begin(&self, turn: &Turn, request: &ConverseRequest, region: &str) {
        let span = self.span.chat(request, region, &turn.session_id);
        let made = Made {
            model: request.model.clone(),
            input_bytes: request.text_bytes(),
            text_before: turn.with_log(|log| log.text_bytes()),
            text_after: None,
            tools: Vec::new(),
            started: Instant::now(),
            first_content: None,
            ended: None,
            span,
        };
        self.made().push(made);
    }

    /// The model is asked with what its tools returned: what it said before does not matter to whether it may be asked again.
    pub(super) fn begin_round(&self) {
        self.before_round.store(self.made().len(), Ordering::Relaxed);
    }

    /// Takes note of the tools that were called because of the last call, if any were.
    pub(super) fn tools(&self, turn: &Turn) {
        let mut calls = turn.with_log(|log| log.round_calls());
        calls.retain(|call| call.status != ToolStatus::Denied);
        let run = |call: ToolUse| ToolRun {
            server: call.server,
            name: call.name,
            status: call.status,
            duration_ms: call.duration_ms.unwrap_or(0),
        };
        if let Some(last) = self.made().last_mut() {
            last.tools = calls.into_iter().map(run).collect();
        }
    }

    /// The call under way has brought content: another one would be a second bill.
    pub(super) fn content(&self) {
        if let Some(last) = self.made().last_mut() {
            last.first_content.get_or_insert_with(|| last.started.elapsed());
        }
    }

    /// The call under way has ended.
    pub(super) fn end(&self, turn: &Turn, result: &Result<Reply, UpstreamError>) {
        let ended = match result {
            Ok(reply) => Ended::Answered(reply.usage.clone()),
            Err(error) if error.may_be_billed() => Ended::Broken(error.code),
            Err(error) => Ended::Refused(error.code),
        };
        if let Some(last) = self.made().last_mut() {
            last.span.end(result.as_ref().map(|reply| (reply.stop_reason, &reply.usage)));
            last.text_after = Some(turn.with_log(|log| log.text_bytes()));
            last.ended = Some((last.started.elapsed(), ended));
        }
    }

    /// Whether a call is under way.
    pub(super) fn is_open(&self) -> bool {
        self.made().last().is_some_and(|last| last.ended.is_none())
    }

    /// Whether a call of this round has brought content.
    pub(super) fn has_begun(&self) -> bool {
        let before = self.before_round.load(Ordering::Relaxed);
        self.made().iter().skip(before).any(|made| made.first_content.is_some())
    }

    /// The ledger's entries; the last call, where it did not fail by itself, ends with `ending`. What Bedrock did not report is estimated, from the text of the answer where the call brought it.
    pub(super) fn entries(&self, turn: &Turn, catalog: &Catalog, region: &str, ending: CallOutcome) -> Vec<Call> {
        let made = self.made();
        let entry = |(n, call): (usize, &Made)| {
            let is_last = n + 1 == made.len();
            let now = || turn.with_log(|log| log.text_bytes());
            let output_bytes = || call.text_after.unwrap_or_else(now) - call.text_before;
            let (duration, mut usage, code) = match &call.ended {
                None => (call.started.elapsed(), Usage::estimate(call.input_bytes, output_bytes()), None),
                Some((duration, Ended::Answered(usage))) => (*duration, usage.clone(), None),
                Some((duration, Ended::Refused(code))) if call.first_content.is_none() => {
                    (*duration, Usage::default(), Some(*code))
                }
                Some((duration, Ended::Refused(code) | Ended::Broken(code))) => {
                    (*duration, Usage::estimate(call.input_bytes, output_bytes()), Some(*code))
                }
            };
            catalog.price(&call.model, &mut usage);
            let ending = if is_last { ending } else { CallOutcome::Complete };
            let outcome = code.map_or(ending, CallOutcome::Failed);
            Call {
                owner: turn.owner.clone(),
                session: turn.session_id.clone(),
                message: turn.message_id.clone(),
                number: n as u32 + 1,
                asked: turn.started,
                model_asked: self.asked.clone(),
                model: catalog.billed_id(&call.model).to_owned(),
                region: region.to_owned(),
                usage,
                duration_ms: millis(duration),
                first_token_ms: call.first_content.map(millis),
                outcome,
                tools: call.tools.clone(),
            }
        };
        made.iter().enumerate().map(entry).collect()
    }
}

/// What calls used together.
pub(super) fn sum(calls: &[Call]) -> Usage {
    let mut calls = calls.iter().filter(|call| call.usage.total_tokens > 0 || call.outcome == CallOutcome::Complete);
    let first = calls.next().map(|call| call.usage.clone()).unwrap_or_default();
    calls.fold(first, |mut sum, call| {
        sum.add(&call.usage);
        sum
    })
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
