//! Running a turn, from the stored message to the stored answer.

use std::{future::poll_fn, panic::AssertUnwindSafe, pin::pin, sync::Arc, time::Duration};

use futures_util::FutureExt;
use protocol::{
    Catalog, ErrorCode, ErrorData, Message, Role, StopReason, Usage, client::SendMessage, codec::StreamKind,
};
use tokio::time::{Instant, sleep_until, timeout};
use tracing::{debug, error, info, warn};

use super::{
    NewTurn, Turn, Turns,
    history::conversation,
    log::{End, LogFull, MAX_ANSWER_BYTES},
};
use crate::{
    bedrock::{ConverseRequest, EventSource, Upstream, UpstreamError, UpstreamEvent},
    sources::Sources,
    store::{Store, StoreError, new_session},
};

/// How many messages are read from the store to make a conversation of; those that failed or were sent twice fall out of it.
const READ_MESSAGES_FACTOR: usize = 3;

/// How long a stream may take to close after its last event, so that its connection can be used again.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

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
}

impl Runner {
    /// Runs `turn` in a task of its own. A panic in it ends the turn with an error and nothing else.
    pub fn start(self: &Arc<Self>, turn: Arc<Turn>, new: NewTurn) {
        let runner = self.clone();
        tokio::spawn(async move {
            if AssertUnwindSafe(runner.run(&turn, &new)).catch_unwind().await.is_err() {
                error!(message_id = %turn.message_id, "a turn panicked");
                let end = failed(&turn, internal());
                turn.append(|log| log.finish(end));
            }
            runner.turns.finish(&turn);
        });
    }

    async fn run(&self, turn: &Turn, new: &NewTurn) {
        let request = match self.prepare(turn, &new.send).await {
            Ok(request) => request,
            Err(error) => {
                warn!(message_id = %turn.message_id, %error, "a message could not be stored");
                let data = ErrorData::new(ErrorCode::InvalidRequest, format!("The message was not taken: {error}."));
                let end = failed(turn, data);
                return turn.append(|log| log.finish(end));
            }
        };
        let end = tokio::select! {
            biased;
            () = turn.cancelled() => self.cancelled_end(turn, &request),
            end = self.answer(turn, &request, new.send.streaming) => end,
        };
        self.settle(turn, end).await;
    }

    /// Stores the message and makes the request of the conversation.
    async fn prepare(&self, turn: &Turn, send: &SendMessage) -> Result<ConverseRequest, StoreError> {
        let Turn { owner, session_id, .. } = turn;
        let session = new_session(session_id.clone(), None, send.model.clone(), turn.started);
        self.store.ensure_session(owner, session).await?;
        let message = Message {
            message_id: self.sources.message_id(),
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
        // The same again after a failure without a word is a retry: it is in the conversation already.
        let is_retry = history.last().is_some_and(|last| last.role == Role::User && last.content == message.content);
        if !is_retry {
            self.store.append(owner, session_id, message.clone()).await?;
            history.push(message);
        }
        let model = self.catalog.find(&turn.model);
        let max_output = model.and_then(|model| model.max_output_tokens).unwrap_or(u32::MAX);
        Ok(ConverseRequest {
            model: turn.model.clone(),
            system: self.limits.system_prompt.clone(),
            turns: conversation(&history, self.limits.history_messages),
            max_tokens: self.limits.max_tokens.min(max_output),
            temperature: self.limits.temperature.filter(|_| model.is_none_or(|model| model.takes_sampling_parameters)),
        })
    }

    async fn answer(&self, turn: &Turn, request: &ConverseRequest, streaming: bool) -> End {
        let limit = self.limits.answer_timeout;
        let answer =
            async { if streaming { self.stream(turn, request).await } else { self.whole(turn, request).await } };
        match timeout(limit, answer).await.unwrap_or_else(|_| Err(UpstreamError::too_long(limit))) {
            Ok((stop_reason, mut usage)) => {
                self.catalog.price(&turn.model, &mut usage);
                End::Complete { stop_reason, usage }
            }
            Err(error) => {
                warn!(message_id = %turn.message_id, model = turn.model, %error, "Bedrock failed");
                let mut data = error.into_data();
                if turn.with_log(|log| log.text_bytes()) > 0 {
                    data.usage = Some(self.estimate(turn, request));
                }
                failed(turn, data)
            }
        }
    }

    async fn whole(&self, turn: &Turn, request: &ConverseRequest) -> Result<(StopReason, Usage), UpstreamError> {
        let answer = self.upstream.converse(request).await?;
        turn.append(|log| {
            for (block, (reasoning, text)) in (0..).zip(&answer.blocks) {
                let kind = if *reasoning { StreamKind::Reasoning } else { StreamKind::Text };
                log.append(kind, block, text).map_err(too_large)?;
            }
            Ok(())
        })?;
        Ok((answer.stop_reason, answer.usage))
    }

    async fn stream(&self, turn: &Turn, request: &ConverseRequest) -> Result<(StopReason, Usage), UpstreamError> {
        let first = self.limits.first_event_timeout;
        let started = Instant::now();
        let mut stream = timeout(first, self.upstream.converse_stream(request))
            .await
            .unwrap_or_else(|_| Err(UpstreamError::silent(first)))?;
        let end = self.relay(turn, request, stream.as_mut(), started + first).await?;
        // Nothing is to come any more; the connection is only worth keeping if that is so.
        tokio::spawn(async move {
            let _ = timeout(CLOSE_TIMEOUT, poll_fn(|cx| stream.poll_read(cx))).await;
        });
        Ok(end)
    }

    /// Reads events into the log: one lock and one ring of the followers for each read from Bedrock, not for each token.
    async fn relay(
        &self,
        turn: &Turn,
        request: &ConverseRequest,
        stream: &mut dyn EventSource,
        first_deadline: Instant,
    ) -> Result<(StopReason, Usage), UpstreamError> {
        let target = request.target(self.upstream.region());
        let (mut stop_reason, mut usage) = (None, None);
        let mut silence = self.limits.first_event_timeout;
        // Set anew only when it goes off, not with every token: it then looks at how long the silence really was.
        let mut watchdog = pin!(sleep_until(first_deadline));
        let mut heard = None;
        loop {
            let more = tokio::select! {
                biased;
                read = poll_fn(|cx| stream.poll_read(cx)) => read?,
                () = watchdog.as_mut() => {
                    let deadline = heard.map_or(first_deadline, |heard: Instant| heard + silence);
                    if deadline <= Instant::now() {
                        return Err(UpstreamError::silent(silence));
                    }
                    watchdog.as_mut().reset(deadline);
                    continue;
                }
            };
            if !more {
                return Err(UpstreamError::broken_stream(match (stop_reason, usage) {
                    (None, _) => "the stream ended without messageStop",
                    _ => "the stream ended without metadata",
                }));
            }
            let was_first = heard.replace(Instant::now()).is_none();
            let mut reasoning = false;
            turn.append(|log| {
                stream.drain(target, &mut |event| {
                    match event {
                        UpstreamEvent::Text { block, content } => {
                            reasoning = false;
                            log.append(StreamKind::Text, block, &content).map_err(too_large)?;
                        }
                        UpstreamEvent::Reasoning { block, content } => {
                            reasoning = true;
                            log.append(StreamKind::Reasoning, block, &content).map_err(too_large)?;
                        }
                        UpstreamEvent::Stop(reason) => stop_reason = Some(reason),
                        UpstreamEvent::Metadata(tokens) => usage = Some(tokens),
                        UpstreamEvent::Other => {}
                    }
                    Ok(())
                })
            })?;
            if let (Some(stop_reason), Some(usage)) = (stop_reason, &usage) {
                return Ok((stop_reason, usage.clone()));
            }
            let allowed = if reasoning { self.limits.reasoning_timeout } else { self.limits.event_timeout };
            if was_first || allowed != silence {
                silence = allowed;
                watchdog.as_mut().reset(Instant::now() + silence);
            }
        }
    }

    fn cancelled_end(&self, turn: &Turn, request: &ConverseRequest) -> End {
        End::Complete { stop_reason: StopReason::Cancelled, usage: self.estimate(turn, request) }
    }

    fn estimate(&self, turn: &Turn, request: &ConverseRequest) -> Usage {
        let mut usage = Usage::estimate(request.text_bytes(), turn.with_log(|log| log.text_bytes()));
        self.catalog.price(&turn.model, &mut usage);
        usage
    }

    /// Stores the answer, then says that it has ended. What failed before its first word leaves no message.
    async fn settle(&self, turn: &Turn, mut end: End) {
        let message = turn.with_log(|log| turn.message_from(log, Some(&end)));
        let worth_keeping = !message.content.is_empty() || matches!(end, End::Complete { .. });
        let stored =
            if worth_keeping { self.store.append(&turn.owner, &turn.session_id, message).await } else { Ok(()) };
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
                model = turn.model,
                stop_reason = stop_reason.as_str(),
                input_tokens = usage.input_tokens,
                output_tokens = usage.output_tokens,
                cost_nano_usd = usage.cost_nano_usd,
                "answered"
            );
        }
        turn.append(|log| log.finish(end));
    }
}

fn too_large(_: LogFull) -> UpstreamError {
    UpstreamError::too_large(MAX_ANSWER_BYTES)
}

fn internal() -> ErrorData {
    ErrorData::new(ErrorCode::Internal, "The proxy failed at this answer. Try again; its log has more.")
}

/// The end of a turn that failed with `error`, numbered.
fn failed(turn: &Turn, mut error: ErrorData) -> End {
    error.message_id = Some(turn.message_id.clone());
    error.seq = Some(turn.with_log(|log| log.seq()) + 1);
    End::Failed(error)
}
