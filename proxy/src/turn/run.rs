//! Running a turn, from the stored message to the stored answer.

use std::{convert::Infallible, panic::AssertUnwindSafe, pin::pin, sync::Arc, time::Duration};

use futures_util::FutureExt;
use protocol::{Catalog, ErrorCode, ErrorData, Message, Role, StopReason, Usage, server::StatusState};
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep, timeout},
};
use tokio_util::task::TaskTracker;
use tracing::{debug, error, info, warn};

use super::{
    NewTurn, Stop, Turn, Turns,
    answer::{Answered, Calls},
    attempts::RetryPolicy,
    breaker::Breakers,
    history::conversation,
    log::End,
};
use crate::{
    bedrock::{ConverseRequest, Upstream, UpstreamError},
    sources::Sources,
    store::{Ask, Checkpoint, Opening, Store, StoreError, Unfinished, new_session},
};

/// How many messages are read from the store to make a conversation of; those that failed or were sent twice fall out of it.
const READ_MESSAGES_FACTOR: usize = 3;

/// How many calls whose answer was stopped are read to their end at a time; more are dropped, and what they used is estimated.
pub const MAX_SETTLING: usize = 64;

/// When what has come of an answer is kept: so often, and whenever there is so much more of it.
pub const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(2);

/// See [`CHECKPOINT_INTERVAL`].
pub const CHECKPOINT_BYTES: usize = 8 * 1024;

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
    /// How long the call of a stopped answer is read on for what it used; not at all where this is `None`.
    pub stop_drain: Option<Duration>,
    /// How long a turn goes on that nobody follows; to its end where this is `None`.
    pub unwatched_timeout: Option<Duration>,
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
    /// The turns of this process.
    pub turns: Arc<Turns>,
    /// What an answer may take.
    pub limits: Limits,
    /// Where time and ids come from.
    pub sources: Sources,
    /// Which models are not to be called for a while.
    pub breakers: Breakers,
    /// Places for calls that are read to their end though their answer was stopped.
    pub settling: Semaphore,
    /// The tasks of the turns that run.
    pub tasks: TaskTracker,
}

impl Runner {
    /// Runs `turn` in a task of its own. A panic in it ends the turn with an error and nothing else.
    pub fn start(self: &Arc<Self>, turn: Arc<Turn>, new: NewTurn) {
        let runner = self.clone();
        self.tasks.spawn(async move {
            if AssertUnwindSafe(runner.run(&turn, &new)).catch_unwind().await.is_err() {
                error!(message_id = %turn.message_id, "a turn panicked");
                let end = failed(&turn, internal());
                turn.append(|log| log.finish(end));
            }
            runner.turns.finish(&turn);
        });
    }

    async fn run(&self, turn: &Turn, new: &NewTurn) {
        let request = match self.prepare(turn, new).await {
            Ok(request) => request,
            Err(error) => {
                warn!(message_id = %turn.message_id, %error, "a message could not be stored");
                let data = ErrorData::new(error.code(), format!("The message was not taken: {error}."));
                let end = failed(turn, data);
                self.turns.release(turn);
                return turn.append(|log| log.finish(end));
            }
        };
        let input_bytes = request.text_bytes();
        let calls = Calls::default();
        let limit = self.limits.answer_timeout;
        let mut answering = pin!(async {
            let answered = timeout(limit, self.ask(turn, request, new.send.streaming, &calls)).await;
            answered.unwrap_or_else(|_| Err(UpstreamError::too_long(limit)))
        });
        let stop = tokio::select! {
            biased;
            stop = turn.stopped() => stop,
            () = self.unwatched(turn) => {
                info!(message_id = %turn.message_id, "nobody follows an answer: it is stopped");
                Stop::Cancelled
            }
            never = self.keep(turn) => match never {},
            answered = &mut answering => {
                let end = self.end(turn, input_bytes, answered);
                return self.settle(turn, end, false).await;
            }
        };
        turn.append(|log| log.stop());
        if stop == Stop::Interrupted {
            return self.settle(turn, self.interrupted(turn, input_bytes), false).await;
        }
        let estimate = match calls.may_be_billed() {
            true => self.estimate(turn, input_bytes),
            false => self.priced(turn, Usage::default()),
        };
        let place = self.settling.try_acquire();
        let reads_on = self.limits.stop_drain.filter(|_| calls.is_open() && place.is_ok());
        let Some(limit) = reads_on else {
            let end = End::Complete { stop_reason: StopReason::Cancelled, usage: estimate };
            return self.settle(turn, end, false).await;
        };
        let stored = self.keep_stopped(turn, &estimate).await;
        self.turns.release(turn);
        turn.say(Some((StatusState::Settling, Instant::now())));
        let read_to_end = tokio::select! {
            biased;
            answered = timeout(limit, &mut answering) => answered.ok().and_then(Result::ok),
            () = turn.interrupted() => None,
        };
        let usage = read_to_end.map_or(estimate, |(_, usage)| self.priced(turn, usage));
        self.settle(turn, End::Complete { stop_reason: StopReason::Cancelled, usage }, stored).await;
    }

    /// Stores the message and makes the request of the conversation.
    async fn prepare(&self, turn: &Turn, new: &NewTurn) -> Result<ConverseRequest, StoreError> {
        let Turn { owner, session_id, .. } = turn;
        let send = &new.send;
        let session = new_session(session_id.clone(), None, send.model.clone(), turn.started);
        self.store.ensure_session(owner, session).await?;
        let message = Message {
            message_id: self.sources.message_id(),
            request_id: Some(turn.request_id.clone()),
            content: send.message.clone(),
            role: Role::User,
            timestamp: turn.started,
            usage: None,
            model: None,
            stop_reason: None,
            parts: Vec::new(),
            error: None,
        };
        let read = self.limits.history_messages.max(1) * READ_MESSAGES_FACTOR;
        let mut history = self.store.messages(owner, session_id, None, read).await?.items;
        // The same again after a failure before anything came is a retry: it is in the conversation already.
        let is_retry = history.last().is_some_and(|last| last.role == Role::User && last.content == message.content);
        let question = (!is_retry).then(|| message.clone());
        if !is_retry {
            history.push(message);
        }
        let mut request = ConverseRequest {
            model: String::new(),
            system: self.limits.system_prompt.clone(),
            turns: conversation(&history, self.limits.history_messages),
            max_tokens: 0,
            temperature: None,
        };
        self.fit(&mut request, &turn.model());
        let answer = Opening {
            message_id: turn.message_id.clone(),
            started: turn.started,
            model: turn.model(),
            input_bytes: request.text_bytes() as u64,
        };
        let ask = Ask { request: turn.request_id.clone(), fingerprint: new.fingerprint, question, answer };
        self.store.ask(owner, session_id, ask).await?;
        turn.keep_question();
        Ok(request)
    }

    /// Keeps what comes of the answer, bit by bit, so that little of it is lost if the process ends.
    async fn keep(&self, turn: &Turn) -> Infallible {
        let (mut seq, mut bytes) = (0, 0);
        loop {
            // Whichever is first.
            let _ = timeout(CHECKPOINT_INTERVAL, turn.grown_to(bytes + CHECKPOINT_BYTES)).await;
            let (checkpoint, now) = turn.with_log(|log| (log.checkpoint(seq), log.text_bytes()));
            let Some((last, pieces)) = checkpoint else { continue };
            let checkpoint = Checkpoint { seq: last, model: turn.model(), pieces };
            match self.store.checkpoint(&turn.owner, &turn.session_id, &turn.message_id, checkpoint).await {
                Ok(()) => (seq, bytes) = (last, now),
                Err(error) => {
                    warn!(message_id = %turn.message_id, %error, "what has come of an answer is not stored yet");
                    bytes = now;
                }
            }
        }
    }

    /// Ends the answers that processes before this one have left open, as interrupted. Returns how many there were.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    pub async fn close_unfinished(&self) -> Result<usize, StoreError> {
        let unfinished = self.store.unfinished().await?;
        let count = unfinished.len();
        for answer in unfinished {
            let Unfinished { owner, session, opening, .. } = answer.clone();
            let input_bytes = usize::try_from(opening.input_bytes).unwrap_or(usize::MAX);
            let message = Turn::unfinished(answer).ok().filter(has_begun).map(|turn| {
                let end = self.interrupted(&turn, input_bytes);
                turn.message_ending(&end)
            });
            match self.store.close(&owner, &session, &opening.message_id, message).await {
                Ok(()) | Err(StoreError::SessionNotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(count)
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

    fn end(&self, turn: &Turn, input_bytes: usize, answered: Result<Answered, UpstreamError>) -> End {
        match answered {
            Ok((stop_reason, usage)) => End::Complete { stop_reason, usage: self.priced(turn, usage) },
            Err(error) => {
                warn!(message_id = %turn.message_id, model = turn.model(), %error, "Bedrock failed");
                let mut data = error.into_data();
                data.usage = self.estimate_if_begun(turn, input_bytes);
                failed(turn, data)
            }
        }
    }

    fn interrupted(&self, turn: &Turn, input_bytes: usize) -> End {
        let text =
            "The proxy was restarted before the answer was whole. What had come is kept; ask again for all of it.";
        let mut data = ErrorData::new(ErrorCode::Interrupted, text);
        data.usage = self.estimate_if_begun(turn, input_bytes);
        failed(turn, data)
    }

    fn estimate_if_begun(&self, turn: &Turn, input_bytes: usize) -> Option<Usage> {
        has_begun(turn).then(|| self.estimate(turn, input_bytes))
    }

    fn estimate(&self, turn: &Turn, input_bytes: usize) -> Usage {
        self.priced(turn, Usage::estimate(input_bytes, turn.with_log(|log| log.text_bytes())))
    }

    fn priced(&self, turn: &Turn, mut usage: Usage) -> Usage {
        self.catalog.price(&turn.model(), &mut usage);
        usage
    }

    /// Stores a stopped answer with what it is thought to have used, so that the conversation can go on while that is found out.
    async fn keep_stopped(&self, turn: &Turn, estimate: &Usage) -> bool {
        let end = End::Complete { stop_reason: StopReason::Cancelled, usage: estimate.clone() };
        let message = turn.message_ending(&end);
        let stored = self.store.close(&turn.owner, &turn.session_id, &turn.message_id, Some(message)).await;
        stored
            .inspect_err(|error| warn!(message_id = %turn.message_id, %error, "a stopped answer is not stored yet"))
            .is_ok()
    }

    /// Stores the answer, then says that it has ended. What failed before anything came leaves no message.
    async fn settle(&self, turn: &Turn, mut end: End, stored_before: bool) {
        let message = turn.message_ending(&end);
        let stored = if stored_before {
            self.store.replace(&turn.owner, &turn.session_id, message).await
        } else {
            let worth_keeping = has_begun(turn) || matches!(end, End::Complete { .. });
            let message = worth_keeping.then_some(message);
            self.store.close(&turn.owner, &turn.session_id, &turn.message_id, message).await
        };
        match stored {
            Ok(()) => {}
            Err(StoreError::SessionNotFound) => {
                info!(session_id = %turn.session_id, "the session was deleted meanwhile")
            }
            Err(error) => {
                error!(message_id = %turn.message_id, %error, "an answer could not be stored");
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
        // Whoever hears of the end may ask for more at once.
        self.turns.release(turn);
        turn.append(|log| log.finish(end));
    }
}

fn internal() -> ErrorData {
    ErrorData::new(ErrorCode::Internal, "The proxy failed at this answer. Try again; its log has more.")
}

/// Whether anything of the answer came, be it only reasoning.
fn has_begun(turn: &Turn) -> bool {
    turn.with_log(|log| log.text_bytes()) > 0
}

/// The end of a turn that failed with `error`, numbered.
fn failed(turn: &Turn, mut error: ErrorData) -> End {
    error.message_id = Some(turn.message_id.clone());
    error.seq = Some(turn.with_log(|log| log.seq()) + 1);
    End::Failed(error)
}
