//! Running a turn, from the stored message to the stored answer.

use std::{convert::Infallible, panic::AssertUnwindSafe, pin::pin, sync::Arc, time::Duration};

use futures_util::FutureExt;
use outcrop_tools::Hub;
use protocol::{Catalog, ErrorCode, ErrorData, StopReason, Usage, UsageSource, server::StatusState};
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep, timeout},
};
use tokio_util::task::TaskTracker;
use tracing::{Instrument, Span, debug, error, info, warn};

use super::{
    NewTurn, Stop, Turn, Turns,
    asking::Asked,
    attempts::RetryPolicy,
    breaker::Breakers,
    calls::{Calls, sum},
    history::{Reader, conversation},
    log::End,
    queue::Queue,
    rates::OverRate,
    rounds::ToolLimits,
    toolbox::{ABOUT_RESULTS, Toolbox},
};
use crate::{
    bedrock::{ConverseRequest, Upstream},
    ledger::{Budgets, Watch, budgets::over_budget},
    models::ModelRules,
    sources::Sources,
    store::{
        Ask, Call, CallOutcome, Checkpoint, Closing, Decision, Kept, OpenAnswer, Opening, Reservation, Store,
        StoreError,
    },
};

/// How many calls whose answer was stopped are read to their end at a time; more are dropped, and what they used is estimated.
pub const MAX_SETTLING: usize = 64;

/// When what has come of an answer is kept: so often, and whenever there is so much more of it.
pub const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(2);

/// See [`CHECKPOINT_INTERVAL`].
pub const CHECKPOINT_BYTES: usize = 8 * 1024;

/// How often the store is told that an answer goes on of which nothing new has come, so that no other process ends it.
pub(super) const LEASE_RENEWAL: Duration = Duration::from_secs(10);

/// How often answers are looked for whose process has ended.
pub(super) const SWEEP_INTERVAL: Duration = Duration::from_secs(10);

/// How often an unwatched turn is looked at.
const WATCH_INTERVAL: Duration = Duration::from_secs(1);

/// What an answer may take, and how it is asked for.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The system prompt.
    pub system_prompt: Option<String>,
    /// The most tokens of an answer; the model's own limit counts where it is lower.
    pub max_tokens: u32,
    /// The temperature; left out for models that refuse it.
    pub temperature: Option<f32>,
    /// How many of the latest messages the model is sent.
    pub history_messages: usize,
    /// How long Bedrock may take to send the first event.
    pub first_event_timeout: Duration,
    /// How long it may be silent between events.
    pub event_timeout: Duration,
    /// The same while the model reasons.
    pub reasoning_timeout: Duration,
    /// How long an answer may take in all.
    pub answer_timeout: Duration,
    /// When a call is made again.
    pub retry: RetryPolicy,
    /// The models that are asked, in this order, where the one that was asked for cannot answer.
    pub fallback_models: Vec<String>,
    /// Who may use which.
    pub model_rules: ModelRules,
    /// How long the call of a stopped answer is read on for what it used; not at all where this is `None`.
    pub stop_drain: Option<Duration>,
    /// How long a turn goes on that nobody follows; to its end where this is `None`.
    pub unwatched_timeout: Option<Duration>,
    /// What an answer may do with tools.
    pub tools: ToolLimits,
    /// How many tokens a model may reason with that does so where it is asked to; such a model is not asked where this is `None`.
    pub reasoning_tokens: Option<u32>,
    /// Whether prompts are kept in Bedrock's cache.
    pub prompt_cache: bool,
}

/// Runs turns.
#[derive(Debug)]
pub struct Runner {
    /// The way to the models.
    pub upstream: Arc<dyn Upstream>,
    /// Where conversations are kept.
    pub store: Arc<dyn Store>,
    /// What is known of models.
    pub catalog: Arc<Catalog>,
    /// What tools there are.
    pub tools: Arc<Hub>,
    /// What may be spent.
    pub budgets: Budgets,
    /// The turns of this process.
    pub turns: Arc<Turns>,
    /// What an answer may take.
    pub limits: Limits,
    /// Where time and ids come from.
    pub sources: Sources,
    /// The line in front of Bedrock.
    pub queue: Arc<Queue>,
    /// Which models are not to be called for a while.
    pub breakers: Breakers,
    /// Places for calls that are read to their end though their answer was stopped.
    pub settling: Semaphore,
    /// Who is told of what is settled.
    pub watch: Watch,
    /// The tasks of the turns that run.
    pub tasks: TaskTracker,
}

impl Runner {
    /// Runs `turn` in a task of its own. A panic in it ends the turn with an error and nothing else.
    pub fn start(self: &Arc<Self>, turn: Arc<Turn>, new: NewTurn) {
        let runner = self.clone();
        let log = turn.caller.as_ref().map_or_else(Span::none, |caller| caller.log());
        let running = async move {
            if AssertUnwindSafe(runner.run(&turn, &new)).catch_unwind().await.is_err() {
                error!(message_id = %turn.message_id, "a turn panicked");
                runner.end_open(&turn).await;
                turn.append(|log| log.end_calls());
                let end = failed(&turn, internal());
                runner.finish(&turn, end, false);
            }
            turn.forget_transcript();
            runner.turns.finish(&turn);
        };
        self.tasks.spawn(running.instrument(log));
    }

    async fn run(&self, turn: &Turn, new: &NewTurn) {
        let (request, toolbox) = match self.prepare(turn, new).await {
            Ok(prepared) => prepared,
            Err(data) => {
                warn!(message_id = %turn.message_id, code = %data.code, text = data.message, "a message was not taken");
                if data.code == ErrorCode::RateLimited {
                    self.turns.forget_request(turn);
                }
                let end = failed(turn, data);
                return self.finish(turn, end, true);
            }
        };
        let calls = Calls::new(turn);
        let mut answering = Box::pin(self.converse(turn, request, new.asking.streaming(), &calls, &toolbox));
        let mut keeping = pin!(self.keep(turn));
        let stop = tokio::select! {
            biased;
            stop = turn.stopped() => stop,
            () = self.unwatched(turn) => {
                info!(message_id = %turn.message_id, "nobody follows an answer: it is stopped");
                Stop::Cancelled
            }
            never = keeping.as_mut() => match never {},
            answered = &mut answering => return self.answered(turn, &calls, answered).await,
        };
        self.end_calls(turn, &calls);
        turn.append(|log| log.stop());
        if stop == Stop::Interrupted {
            let bill = self.bill(turn, &calls, CallOutcome::Failed(ErrorCode::Interrupted));
            drop(answering);
            return self.settle(turn, interrupted(turn, &bill), bill).await;
        }
        let cancelled =
            |bill: &[Call]| End::Complete { stop_reason: StopReason::Cancelled, usage: self.usage(turn, bill) };
        let bill = self.bill(turn, &calls, CallOutcome::Cancelled);
        let place = self.settling.try_acquire();
        let Some(limit) = self.limits.stop_drain.filter(|_| calls.is_open() && place.is_ok()) else {
            // Its place in the line is somebody else's at once.
            drop(answering);
            return self.settle(turn, cancelled(&bill), bill).await;
        };
        self.keep_stopped(turn, &cancelled(&bill)).await;
        self.turns.release(turn);
        turn.say(Some((StatusState::Settling, Instant::now())));
        tokio::select! {
            biased;
            _ = timeout(limit, &mut answering) => {}
            () = turn.interrupted() => {}
            never = keeping => match never {},
        }
        let bill = self.bill(turn, &calls, CallOutcome::Cancelled);
        self.settle(turn, cancelled(&bill), bill).await;
    }

    /// Stores the question and makes the request of the conversation.
    async fn prepare(&self, turn: &Turn, new: &NewTurn) -> Result<(ConverseRequest, Toolbox), ErrorData> {
        let Turn { owner, session_id, .. } = turn;
        let Asked { history, question, replaces } = self.question(turn, &new.asking).await?;
        turn.recall_approvals(&history);
        let toolbox = Toolbox::of(&self.tools, turn, new);
        let tools = toolbox.specs();
        let reader = Reader { model: &turn.model(), has_tools: !tools.is_empty() };
        let about_results = (!tools.is_empty()).then_some(ABOUT_RESULTS);
        let system: Vec<&str> = self.limits.system_prompt.as_deref().into_iter().chain(about_results).collect();
        let mut request = ConverseRequest {
            system: (!system.is_empty()).then(|| system.join("\n\n")),
            instructions: new.asking.system_prompt().map(str::to_owned),
            turns: conversation(&history, self.limits.history_messages, reader),
            tools,
            ..ConverseRequest::default()
        };
        self.fit(&mut request, &turn.model());
        self.turns.rates().tokens(owner, request.most_tokens()).map_err(OverRate::into_data)?;
        let reservation = self.reservation(turn, &request);
        let amount = reservation.amount;
        let answer = Opening {
            message_id: turn.message_id.clone(),
            started: turn.started,
            model: turn.model(),
            input_bytes: request.text_bytes() as u64,
            reservation,
        };
        let ask = Ask { request: turn.request_id.clone(), fingerprint: new.fingerprint, replaces, question, answer };
        let replaces = ask.replaces.is_some();
        self.store.ask(owner, session_id, ask).await.map_err(|error| match error {
            StoreError::OverBudget(account, balance) => over_budget(&account, balance, amount, turn.started),
            error => new.asking.not_taken(&error),
        })?;
        if replaces {
            self.turns.forget_before(turn);
        }
        turn.keep_question();
        Ok((request, toolbox))
    }

    /// What is set aside for the answer to `request`, by whichever model gives it.
    pub(super) fn reservation(&self, turn: &Turn, request: &ConverseRequest) -> Reservation {
        let others = self.fallback_models(&turn.owner).map(String::as_str);
        let models = std::iter::once(request.model.as_str()).chain(others);
        let most = |model| (model, self.max_tokens(model));
        let input_tokens = request.most_input_tokens();
        self.budgets.reservation(&turn.owner, turn.started, &self.catalog, input_tokens, models.map(most))
    }

    /// Keeps what comes of the answer, bit by bit, so that little of it is lost if the process ends.
    async fn keep(&self, turn: &Turn) -> Infallible {
        let (mut seq, mut bytes) = (0, 0);
        let mut kept = Instant::now();
        loop {
            // Whichever is first.
            let _ = timeout(CHECKPOINT_INTERVAL, turn.grown_to(bytes + CHECKPOINT_BYTES)).await;
            let (pieces, now) = turn.with_log(|log| (log.checkpoint(seq), log.text_bytes()));
            // Whoever is asked may answer at another process.
            let is_asking = turn.approvals.is_waiting();
            if pieces.is_empty() && !is_asking && kept.elapsed() < LEASE_RENEWAL {
                continue;
            }
            let last = pieces.last().map_or(seq, |piece| piece.seq);
            let checkpoint = Checkpoint { at: (self.sources.now)(), model: turn.model(), pieces };
            kept = Instant::now();
            match self.store.checkpoint(&turn.owner, &turn.session_id, &turn.message_id, checkpoint).await {
                Ok(wishes) => {
                    (seq, bytes) = (last, now);
                    for Decision { tool_use_id, approved } in &wishes.decisions {
                        turn.decide(tool_use_id, *approved);
                    }
                    if wishes.is_to_stop {
                        turn.cancel();
                    }
                }
                Err(error) => {
                    warn!(message_id = %turn.message_id, %error, "what has come of an answer is not stored yet");
                    bytes = now;
                }
            }
        }
    }

    /// Ends the answers that other processes have left open, as interrupted. Returns how many there were.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    pub async fn close_unfinished(&self) -> Result<usize, StoreError> {
        let mut count = 0;
        for answer in self.store.unfinished((self.sources.now)()).await? {
            let ours = self.turns.find(&answer.owner, &answer.opening.message_id);
            if ours.is_none_or(|turn| turn.has_ended()) && self.end_unfinished(answer).await? {
                count += 1;
            }
        }
        Ok(count)
    }

    /// Does the same again and again.
    pub async fn sweep(&self) -> Infallible {
        loop {
            sleep(SWEEP_INTERVAL).await;
            match self.close_unfinished().await {
                Ok(0) => {}
                Ok(answers) => warn!(answers, "were left open by another process: they are kept as interrupted"),
                Err(error) => warn!(%error, "answers that were left open could not be ended"),
            }
        }
    }

    /// Ends an answer with what is kept of it. What it used is estimated. Returns whether it was open.
    async fn end_unfinished(&self, answer: OpenAnswer) -> Result<bool, StoreError> {
        let OpenAnswer { owner, session, opening, .. } = answer.clone();
        let id = &opening.message_id;
        let stopped = self.store.answer(&owner, id).await?.map(|(_, message)| message);
        let turn = Turn::unfinished(answer).ok();
        let outcome = match stopped {
            Some(_) => CallOutcome::Cancelled,
            None => CallOutcome::Failed(ErrorCode::Interrupted),
        };
        let usage = stopped.as_ref().and_then(|message| message.usage.clone()).unwrap_or_else(|| {
            let input_bytes = usize::try_from(opening.input_bytes).unwrap_or(usize::MAX);
            let output_bytes = turn.as_ref().map_or(0, |turn| turn.with_log(|log| log.text_bytes()));
            let mut usage = Usage::estimate(input_bytes, output_bytes);
            self.catalog.price(&opening.model, &mut usage);
            usage
        });
        let call = Call {
            owner: owner.clone(),
            session: session.clone(),
            message: id.clone(),
            number: 1,
            asked: opening.started,
            model_asked: opening.model.clone(),
            model: self.catalog.billed_id(&opening.model).to_owned(),
            region: self.upstream.region().to_owned(),
            usage: Usage { source: UsageSource::Estimated, ..usage },
            duration_ms: 0,
            first_token_ms: None,
            outcome,
            tools: Vec::new(),
        };
        let bill = vec![call];
        let message = turn.filter(|turn| stopped.is_none() && has_begun(turn)).map(|turn| {
            turn.append(|log| log.end_calls());
            let end = interrupted(&turn, &bill);
            turn.message_ending(&end)
        });
        match self
            .store
            .close(&owner, &session, id, Closing { message: message.map(Kept::from), calls: Some(bill.clone()) })
            .await
        {
            Ok(()) => {
                self.watch.settled(None, bill, None);
                Ok(true)
            }
            Err(StoreError::NotOpen) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Ends what the store has of a turn that cannot do so itself.
    async fn end_open(&self, turn: &Turn) {
        let ended = async {
            match self.store.open_answer(&turn.owner, &turn.message_id).await? {
                Some(answer) => self.end_unfinished(answer).await,
                None => Ok(false),
            }
        };
        if let Err(error) = ended.await {
            error!(message_id = %turn.message_id, %error, "an answer is left open");
        }
    }

    /// Ready when nobody has followed the turn for longer than it goes on for nobody.
    async fn unwatched(&self, turn: &Turn) {
        let Some(limit) = self.limits.unwatched_timeout else { return std::future::pending().await };
        let mut since = None;
        loop {
            sleep(WATCH_INTERVAL.min(limit / 4)).await;
            if turn.is_watched() {
                since = None;
            } else if since.get_or_insert_with(Instant::now).elapsed() >= limit {
                return;
            }
        }
    }

    /// Ends a turn whose last call has ended.
    async fn answered(&self, turn: &Turn, calls: &Calls, answered: Result<StopReason, ErrorData>) {
        self.end_calls(turn, calls);
        match answered {
            Ok(stop_reason) => {
                let bill = self.bill(turn, calls, CallOutcome::Complete);
                self.settle(turn, End::Complete { stop_reason, usage: self.usage(turn, &bill) }, bill).await;
            }
            Err(mut data) => {
                let bill = self.bill(turn, calls, CallOutcome::Failed(data.code));
                data.usage = used(&bill);
                self.settle(turn, failed(turn, data), bill).await;
            }
        }
    }

    /// Ends the calls of tools that have not ended, and tells of those that ran.
    fn end_calls(&self, turn: &Turn, calls: &Calls) {
        let ended = turn.append(|log| log.end_calls());
        if ended.is_empty() {
            return;
        }
        ended.iter().for_each(|call| self.watch.tool_called(turn, call));
        calls.tools(turn);
    }

    /// The ledger's entries of all calls so far.
    fn bill(&self, turn: &Turn, calls: &Calls, ending: CallOutcome) -> Vec<Call> {
        calls.entries(turn, &self.catalog, self.upstream.region(), ending)
    }

    /// What a whole answer used.
    fn usage(&self, turn: &Turn, bill: &[Call]) -> Usage {
        used(bill).unwrap_or_else(|| {
            let mut usage = Usage::default();
            self.catalog.price(&turn.model(), &mut usage);
            usage
        })
    }

    /// Stores a stopped answer with what it is thought to have used, so that the conversation can go on while that is found out.
    async fn keep_stopped(&self, turn: &Turn, end: &End) {
        let closing = Closing { message: Some(turn.kept_ending(end)), calls: None };
        let stored = self.store.close(&turn.owner, &turn.session_id, &turn.message_id, closing).await;
        if let Err(error) = stored {
            warn!(message_id = %turn.message_id, %error, "a stopped answer is not stored yet");
        }
    }

    /// Stores the answer and what its calls used, then says that it has ended. What failed before anything came leaves no message.
    async fn settle(&self, turn: &Turn, mut end: End, bill: Vec<Call>) {
        let worth_keeping = has_begun(turn) || matches!(end, End::Complete { .. });
        let message = worth_keeping.then(|| turn.kept_ending(&end));
        let is_refused = bill.is_empty();
        let caller = turn.caller.as_deref();
        let text = message.as_ref().filter(|_| self.watch.has_text()).map(|kept| kept.message.content.clone());
        let closing = Closing { message, calls: Some(bill.clone()) };
        let stored = self.store.close(&turn.owner, &turn.session_id, &turn.message_id, closing).await;
        match stored {
            Ok(()) => self.watch.settled(caller, bill, text.as_deref()),
            Err(StoreError::NotOpen) => {
                warn!(message_id = %turn.message_id, "another process has ended this answer");
                end = failed(turn, ErrorData::new(ErrorCode::Interrupted, INTERRUPTED));
            }
            Err(error) => {
                error!(message_id = %turn.message_id, %error, "an answer could not be stored");
                self.watch.unsettled(caller, &bill);
                let text = "The answer could not be stored, so it will be missing from the conversation.";
                end = failed(turn, ErrorData::new(ErrorCode::Internal, text));
            }
        }
        if let End::Complete { stop_reason, usage } = &end {
            debug!(
                message_id = %turn.message_id,
                session_id = %turn.session_id,
                model = turn.model(),
                stop_reason = stop_reason.as_str(),
                input_tokens = usage.input_tokens,
                output_tokens = usage.output_tokens,
                cost_nano_usd = usage.cost_nano_usd,
                "answered"
            );
        }
        self.finish(turn, end, is_refused);
    }

    /// Says that the turn has ended; `is_refused` where no model was asked.
    fn finish(&self, turn: &Turn, end: End, is_refused: bool) {
        let took_ms = (self.sources.now)().unix_ms().saturating_sub(turn.started.unix_ms());
        self.watch.turn_ended(turn, &end, Duration::from_millis(took_ms), is_refused);
        // Whoever hears of the end may ask for more at once.
        self.turns.release(turn);
        turn.append(|log| log.finish(end));
    }
}

const INTERRUPTED: &str =
    "The proxy was restarted before the answer was whole. What had come is kept; ask again for all of it.";

/// The end of a turn whose process ends, or has.
fn interrupted(turn: &Turn, bill: &[Call]) -> End {
    let mut data = ErrorData::new(ErrorCode::Interrupted, INTERRUPTED);
    data.usage = used(bill);
    failed(turn, data)
}

/// What calls used, if any of them may be billed.
fn used(bill: &[Call]) -> Option<Usage> {
    let usage = sum(bill);
    (usage.total_tokens > 0).then_some(usage)
}

fn internal() -> ErrorData {
    ErrorData::new(ErrorCode::Internal, "The proxy failed at this answer. Try again; its log has more.")
}

/// Whether anything of the answer came, be it only reasoning.
fn has_begun(turn: &Turn) -> bool {
    turn.with_log(|log| log.seq()) > 0
}

/// The end of a turn that failed with `error`, numbered.
fn failed(turn: &Turn, mut error: ErrorData) -> End {
    error.message_id = Some(turn.message_id.clone());
    error.seq = Some(turn.with_log(|log| log.seq()) + 1);
    End::Failed(error)
}
