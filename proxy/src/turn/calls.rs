//! The calls that are made for one answer, and what each of them used.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use protocol::{Catalog, ErrorCode, StopReason, Usage};
use tokio::time::Instant;

use super::Turn;
use crate::{
    bedrock::{ConverseRequest, UpstreamError},
    observe::{ChatSpan, RequestSpan},
    store::{Call, CallOutcome},
};

/// Why a call ended, and what it used.
pub(super) type Answered = (StopReason, Usage);

/// Where the calls for an answer stand.
#[derive(Debug)]
pub(super) struct Calls {
    /// The model that was asked for.
    asked: String,
    /// The bytes of text it was asked with.
    input_bytes: usize,
    /// What they are parts of in traces.
    span: RequestSpan,
    made: Mutex<Vec<Made>>,
}

#[derive(Debug)]
struct Made {
    model: String,
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
    /// None yet, for the question of `turn` with so much text.
    pub(super) fn new(turn: &Turn, input_bytes: usize) -> Self {
        let span = turn.caller.as_ref().map(|caller| caller.span().clone()).unwrap_or_default();
        Self { asked: turn.model(), input_bytes, span, made: Mutex::default() }
    }

    fn made(&self) -> MutexGuard<'_, Vec<Made>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call begins.
    pub(super) fn begin(&self, turn: &Turn, request: &ConverseRequest, region: &str) {
        let span = self.span.chat(request, region, &turn.session_id);
        let (model, started) = (request.model.clone(), Instant::now());
        let made = Made { model, started, first_content: None, ended: None, span };
        self.made().push(made);
    }

    /// The call under way has brought content: another one would be a second bill.
    pub(super) fn content(&self) {
        if let Some(last) = self.made().last_mut() {
            last.first_content.get_or_insert_with(|| last.started.elapsed());
        }
    }

    /// The call under way has ended.
    pub(super) fn end(&self, result: &Result<Answered, UpstreamError>) {
        let ended = match result {
            Ok((_, usage)) => Ended::Answered(usage.clone()),
            Err(error) if error.may_be_billed() => Ended::Broken(error.code),
            Err(error) => Ended::Refused(error.code),
        };
        if let Some(last) = self.made().last_mut() {
            last.span.end(result);
            last.ended = Some((last.started.elapsed(), ended));
        }
    }

    /// Whether a call is under way.
    pub(super) fn is_open(&self) -> bool {
        self.made().last().is_some_and(|last| last.ended.is_none())
    }

    /// Whether a call has brought content.
    pub(super) fn has_begun(&self) -> bool {
        self.made().iter().any(|made| made.first_content.is_some())
    }

    /// The ledger's entries; calls that did not fail by themselves end with `ending`. What Bedrock did not report is estimated, from the text of the answer where the call brought it.
    pub(super) fn entries(&self, turn: &Turn, catalog: &Catalog, region: &str, ending: CallOutcome) -> Vec<Call> {
        let made = self.made();
        let entry = |(n, call): (usize, &Made)| {
            let is_last = n + 1 == made.len();
            let output_bytes = || if is_last { turn.with_log(|log| log.text_bytes()) } else { 0 };
            let (duration, mut usage, code) = match &call.ended {
                None => (call.started.elapsed(), Usage::estimate(self.input_bytes, output_bytes()), None),
                Some((duration, Ended::Answered(usage))) => (*duration, usage.clone(), None),
                Some((duration, Ended::Refused(code))) if call.first_content.is_none() => {
                    (*duration, Usage::default(), Some(*code))
                }
                Some((duration, Ended::Refused(code) | Ended::Broken(code))) => {
                    (*duration, Usage::estimate(self.input_bytes, output_bytes()), Some(*code))
                }
            };
            catalog.price(&call.model, &mut usage);
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
                tools: Vec::new(),
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
