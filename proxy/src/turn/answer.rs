//! Getting an answer out of Bedrock and into the log: calls, attempts, fallback models, relaying.

use std::{future::poll_fn, pin::pin, time::Duration};

use protocol::{StopReason, Usage, codec::StreamKind, server::StatusState};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tracing::{info, warn};

use super::{
    Limits, Runner, Turn,
    assembly::{Assembly, Wanted, wanted_in},
    attempts::Attempts,
    breaker::Health,
    calls::{Calls, Reply},
    log::{LogFull, MAX_ANSWER_BYTES},
    queue::Place,
    rounds::begun,
    toolbox::Toolbox,
};
use crate::{
    bedrock::{ConverseRequest, EventSource, UpstreamError, UpstreamEvent, WholeAnswer},
    conversation::Block,
    principal::Owner,
};

/// How long a stream may take to close after its last event, so that its connection can be used again.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// What is relayed, and where to.
#[derive(Clone, Copy)]
struct Relaying<'a> {
    turn: &'a Turn,
    request: &'a ConverseRequest,
    calls: &'a Calls,
    toolbox: &'a Toolbox,
}

impl Runner {
    /// Asks the models in turn until one answers or there is content that cannot be taken back.
    pub(super) async fn ask(
        &self,
        turn: &Turn,
        request: &mut ConverseRequest,
        streaming: bool,
        calls: &Calls,
        toolbox: &Toolbox,
    ) -> Result<Reply, UpstreamError> {
        let started = Instant::now();
        let asked = request.model.clone();
        let mut others = self.fallback_models(&turn.owner).filter(|model| **model != asked);
        loop {
            let error = match self.ask_model(turn, request, streaming, calls, toolbox, started).await {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            if !error.is_for_another_model() || calls.has_begun() || turn.is_stopped() {
                return Err(error);
            }
            let Some(other) = others.next() else { return Err(error) };
            info!(message_id = %turn.message_id, from = request.model, to = other, %error, "another model is asked");
            turn.say(Some((StatusState::Retrying, Instant::now())));
            turn.answer_with(other);
            self.fit(request, other);
        }
    }

    async fn ask_model(
        &self,
        turn: &Turn,
        request: &ConverseRequest,
        streaming: bool,
        calls: &Calls,
        toolbox: &Toolbox,
        started: Instant,
    ) -> Result<Reply, UpstreamError> {
        let mut attempts = Attempts::new(self.limits.retry, started, fastrand::u64(..));
        loop {
            let place = self.place(turn, request).await?;
            self.breakers
                .admit(&request.model, Instant::now())
                .map_err(|wait| UpstreamError::circuit_open(wait, request.target(self.upstream.region())))?;
            calls.begin(turn, request, self.upstream.region());
            let result = if streaming {
                self.stream(turn, request, calls, toolbox).await
            } else {
                self.whole(turn, request, calls).await
            };
            drop(place);
            calls.end(turn, &result);
            let health = result.as_ref().map_or_else(UpstreamError::health, |_| Health::Answers);
            self.breakers.record(&request.model, Instant::now(), health);
            let error = match result {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            if calls.has_begun() || turn.is_stopped() {
                return Err(error);
            }
            let now = Instant::now();
            let Some(wait) = attempts.after(&error, now) else { return Err(error) };
            warn!(message_id = %turn.message_id, model = request.model, %error, ?wait, "Bedrock is asked again");
            turn.say(Some((StatusState::Retrying, now + wait)));
            sleep(wait).await;
            turn.say(None);
        }
    }

    /// A place at Bedrock, when it is this turn's. Followers hear that it waits.
    async fn place(&self, turn: &Turn, request: &ConverseRequest) -> Result<Place, UpstreamError> {
        let mut waits = false;
        let say_so = || {
            waits = true;
            turn.say(Some((StatusState::Queued, Instant::now())));
        };
        let place = self.queue.enter(&turn.owner, request.most_tokens(), say_so).await;
        if waits {
            turn.say(None);
        }
        place.map_err(UpstreamError::no_place)
    }

    async fn whole(&self, turn: &Turn, request: &ConverseRequest, calls: &Calls) -> Result<Reply, UpstreamError> {
        let answer = self.upstream.converse(request).await?;
        calls.content();
        turn.append(|log| {
            for (number, block) in (0..).zip(&answer.blocks) {
                match block {
                    Block::Text { text } => log.append(StreamKind::Text, number, text).map_err(too_large)?,
                    Block::Reasoning { text, .. } => {
                        log.append(StreamKind::Reasoning, number, text).map_err(too_large)?;
                    }
                    _ => {}
                }
            }
            Ok(())
        })?;
        let WholeAnswer { blocks, stop_reason, usage } = answer;
        Ok(Reply { stop_reason, usage, wanted: wanted_in(&blocks), blocks })
    }

    async fn stream(
        &self,
        turn: &Turn,
        request: &ConverseRequest,
        calls: &Calls,
        toolbox: &Toolbox,
    ) -> Result<Reply, UpstreamError> {
        let first = self.limits.first_event_timeout;
        let started = Instant::now();
        let mut stream = timeout(first, self.upstream.converse_stream(request))
            .await
            .unwrap_or_else(|_| Err(UpstreamError::silent(first)))?;
        let mut assembly = Assembly::default();
        let relaying = Relaying { turn, request, calls, toolbox };
        let (stop_reason, usage) = self.relay(relaying, stream.as_mut(), started + first, &mut assembly).await?;
        // Nothing is to come any more; the connection is only worth keeping if that is so.
        tokio::spawn(async move {
            let _ = timeout(CLOSE_TIMEOUT, poll_fn(|cx| stream.poll_read(cx))).await;
        });
        let (blocks, wanted) = assembly.finish();
        Ok(Reply { stop_reason, usage, blocks, wanted })
    }

    /// Reads events into the log: one lock and one ring of the followers for each read from Bedrock, not for each token.
    async fn relay(
        &self,
        relaying: Relaying<'_>,
        stream: &mut dyn EventSource,
        first_deadline: Instant,
        assembly: &mut Assembly,
    ) -> Result<(StopReason, Usage), UpstreamError> {
        let Relaying { turn, request, calls, toolbox } = relaying;
        let target = request.target(self.upstream.region());
        let (mut stop_reason, mut usage, mut has_begun) = (None, None, false);
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
            let mut content_came = false;
            let drained = turn.append(|log| {
                stream.drain(target, &mut |event| {
                    content_came |= event.is_content();
                    assembly.take(&event);
                    match event {
                        UpstreamEvent::Text { block, content } => {
                            reasoning = false;
                            log.append(StreamKind::Text, block, &content).map_err(too_large)?;
                        }
                        UpstreamEvent::Reasoning { block, content } => {
                            reasoning = true;
                            log.append(StreamKind::Reasoning, block, &content).map_err(too_large)?;
                        }
                        UpstreamEvent::ToolUse { id, name, .. } => {
                            let (id, name) = (id.into_owned(), name.into_owned());
                            log.call(begun(&Wanted { id, name, input: None }, toolbox)?).map_err(too_large)?;
                        }
                        UpstreamEvent::ToolInput { block, content } => {
                            log.append(StreamKind::ToolInput, block, &content).map_err(too_large)?;
                        }
                        UpstreamEvent::Stop(reason) => stop_reason = Some(reason),
                        UpstreamEvent::Metadata(tokens) => usage = Some(tokens),
                        UpstreamEvent::Signature { .. }
                        | UpstreamEvent::Redacted { .. }
                        | UpstreamEvent::Hidden
                        | UpstreamEvent::Other => {}
                    }
                    Ok(())
                })
            });
            if content_came && !has_begun {
                has_begun = true;
                calls.content();
            }
            // What has come is whole where both have: nothing that follows can take that back.
            if let (Some(stop_reason), Some(usage)) = (stop_reason, &usage) {
                return Ok((stop_reason, usage.clone()));
            }
            drained?;
            let allowed = if reasoning { self.limits.reasoning_timeout } else { self.limits.event_timeout };
            if was_first || allowed != silence {
                silence = allowed;
                watchdog.as_mut().reset(Instant::now() + silence);
            }
        }
    }

    /// The models that `owner` may be answered with where the one that was asked for cannot.
    pub(super) fn fallback_models<'a>(&'a self, owner: &'a Owner) -> impl Iterator<Item = &'a String> {
        let Limits { fallback_models, model_rules, .. } = &self.limits;
        fallback_models.iter().filter(|model| model_rules.allow(&owner.organization, model, &self.catalog))
    }

    /// Makes `request` one for `model`.
    pub(super) fn fit(&self, request: &mut ConverseRequest, model: &str) {
        let known = self.catalog.find(model);
        if !request.model.is_empty() && request.model != model {
            without_reasoning(request);
        }
        model.clone_into(&mut request.model);
        request.max_tokens = self.max_tokens(model);
        let reasons = known.is_some_and(|known| known.reasons_on_request()) && !is_amid_unreasoned_calls(request);
        request.reasoning_tokens = self.limits.reasoning_tokens.filter(|_| reasons);
        if let Some(budget) = request.reasoning_tokens {
            // The budget is part of the answer's tokens, as Bedrock counts them.
            let most = known.and_then(|known| known.max_output_tokens).unwrap_or(u32::MAX);
            request.max_tokens = request.max_tokens.saturating_add(budget).min(most);
            request.reasoning_tokens = Some(budget.min(request.max_tokens.saturating_sub(1)));
        }
        request.temperature = self.limits.temperature.filter(|_| {
            request.reasoning_tokens.is_none() && known.is_none_or(|known| known.takes_sampling_parameters)
        });
        request.is_cached = self.limits.prompt_cache && known.is_some_and(|known| known.has_prompt_cache());
    }

    /// The most tokens of an answer by `model`.
    pub(super) fn max_tokens(&self, model: &str) -> u32 {
        let max_output = self.catalog.find(model).and_then(|known| known.max_output_tokens);
        self.limits.max_tokens.min(max_output.unwrap_or(u32::MAX))
    }
}

/// Takes the reasoning out: another model could not tell it from forgery.
fn without_reasoning(request: &mut ConverseRequest) {
    for turn in &mut request.turns {
        turn.blocks.retain(|block| !matches!(block, Block::Reasoning { .. } | Block::RedactedReasoning { .. }));
    }
    request.turns.retain(|turn| !turn.blocks.is_empty());
}

/// Whether the model goes on from calls that nobody reasoned about: it may not begin to in the middle.
///
/// Source: Anthropic's guide to extended thinking with tool use.
fn is_amid_unreasoned_calls(request: &ConverseRequest) -> bool {
    let is_result = |block: &Block| matches!(block, Block::ToolResult { .. });
    let [.., said, results] = request.turns.as_slice() else { return false };
    let is_amid = results.blocks.iter().any(is_result);
    is_amid && !matches!(said.blocks.first(), Some(Block::Reasoning { .. } | Block::RedactedReasoning { .. }))
}

pub(super) fn too_large(_: LogFull) -> UpstreamError {
    UpstreamError::too_large(MAX_ANSWER_BYTES)
}
