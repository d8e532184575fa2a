//! One call of a model, from its body to its response.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hyper::Response;
use time::OffsetDateTime;
use tokio::time::{Instant, sleep_until};

use crate::answer::{self, Answer, Asked, Usage};
use crate::behaviour::{Behaviour, Bench};
use crate::bench::Rings;
use crate::body::ResponseBody;
use crate::cache::PromptCache;
use crate::chat::{Chat, Dialect};
use crate::config::Pace;
use crate::error::{ApiError, ErrorType};
use crate::fault::{Fault, Moment, Strike};
use crate::ledger::{Call, Content, Operation, Outcome, lock};
use crate::model::{self, Model};
use crate::playback::{Playback, Source};
use crate::script::{self, Player};
use crate::socket::Hangup;
use crate::timeline::{Ending, part_of_whole, timeline};
use crate::wire::{Context, converse, messages};
use crate::{frame, prefix, tokens, validate};

/// Requests whose scripted errors are being counted; past this the counts start anew.
const MAX_COUNTED_REQUESTS: usize = 4_096;

/// What calls share.
#[derive(Debug)]
pub(crate) struct Models {
    pub(crate) pace: Pace,
    pub(crate) prompt_prefixes: bool,
    pub(crate) player: Mutex<Player>,
    pub(crate) cache: Mutex<PromptCache>,
    pub(crate) rings: Rings,
    /// How often a request has got its scripted error, by the hash of its model and body.
    pub(crate) errors_given: Mutex<HashMap<u64, u32>>,
}

/// A request that was let in.
pub(crate) struct Incoming<'a> {
    pub(crate) operation: Operation,
    pub(crate) model_id: &'a str,
    pub(crate) body: &'a Bytes,
    pub(crate) received: Instant,
    /// The same moment in Unix time.
    pub(crate) since_epoch: Duration,
    /// Ends the connection at once.
    pub(crate) hangup: Hangup,
}

impl Models {
    /// Answers a call. The error is for the caller to send; the ledger hears of it from there.
    pub(crate) async fn respond(
        &self,
        incoming: Incoming<'_>,
        call: Call,
    ) -> Result<Response<ResponseBody>, (ApiError, Call)> {
        match self.plan(&incoming) {
            Ok(plan) => play(self, incoming, plan, call).await,
            Err(error) => Err((error, call)),
        }
    }

    fn plan(&self, incoming: &Incoming<'_>) -> Result<Plan, ApiError> {
        let model = model::find(incoming.model_id)
            .ok_or_else(|| ApiError::validation("The provided model identifier is invalid."))?;
        let dialect = dialect(incoming.operation);
        let chat = match dialect {
            Dialect::Converse => converse::parse(incoming.body)?,
            Dialect::Messages => messages::parse(incoming.body)?,
        };
        validate::check(&chat, model, dialect)?;
        let prompt = chat.prompt();
        let scripted =
            lock(&self.player).play(&script::Asked::of(&chat, incoming.operation, incoming.model_id, &prompt));
        let (mut behaviour, rest) = match scripted {
            Some(behaviour) => (behaviour, prompt.as_str()),
            None if self.prompt_prefixes => prefix::in_round(&prompt, chat.rounds()),
            None => (Behaviour::default(), prompt.as_str()),
        };
        if let Some((Moment::Request, Strike::Exception { error, message })) =
            behaviour.fault.as_ref().map(Fault::strike)
        {
            if self.is_due(&behaviour, incoming) {
                return Err(scripted_error(error, message));
            }
            behaviour.fault = None;
        }
        let usage = lock(&self.cache).count(model, &chat);
        validate::check_length(u64::from(usage.total_tokens()), model)?;
        Ok(Plan { dialect, model, prompt: rest.to_owned(), chat, behaviour, usage })
    }

    /// Whether the error before the answer is still to be given to this request.
    fn is_due(&self, behaviour: &Behaviour, incoming: &Incoming<'_>) -> bool {
        let Some(Fault::ErrorBefore { times: Some(times), .. }) = &behaviour.fault else { return true };
        let mut hasher = DefaultHasher::new();
        (incoming.model_id, incoming.body).hash(&mut hasher);
        let request = hasher.finish();
        let mut given = lock(&self.errors_given);
        if given.len() >= MAX_COUNTED_REQUESTS {
            given.clear();
        }
        let count = given.entry(request).or_insert(0);
        if *count >= *times {
            given.remove(&request);
            return false;
        }
        *count += 1;
        true
    }
}

struct Plan {
    dialect: Dialect,
    model: &'static Model,
    prompt: String,
    chat: Chat,
    behaviour: Behaviour,
    usage: Usage,
}

fn dialect(operation: Operation) -> Dialect {
    match operation {
        Operation::Converse | Operation::ConverseStream => Dialect::Converse,
        Operation::InvokeModel | Operation::InvokeModelWithResponseStream => Dialect::Messages,
    }
}

fn scripted_error(error: ErrorType, message: Option<String>) -> ApiError {
    message.map_or_else(|| error.into(), |message| ApiError::new(error, message))
}

async fn play(
    models: &Models,
    incoming: Incoming<'_>,
    plan: Plan,
    call: Call,
) -> Result<Response<ResponseBody>, (ApiError, Call)> {
    let stream = incoming.operation.is_stream();
    let bench = plan.behaviour.bench.as_ref().filter(|_| stream);
    let answer = match bench {
        Some(bench) => bench_answer(bench, plan.usage),
        None => {
            let limit = plan.model.max_output_tokens;
            let max_tokens = plan.chat.max_tokens.map_or(limit, |asked| u32::try_from(asked).unwrap_or(limit));
            let asked = Asked {
                chat: &plan.chat,
                behaviour: &plan.behaviour,
                prompt: &plan.prompt,
                max_tokens,
                seed: call.request_id(),
                today: (OffsetDateTime::UNIX_EPOCH + incoming.since_epoch).date(),
            };
            let answer = answer::answer(&asked, plan.usage);
            match plan.behaviour.guardrail.filter(|_| plan.chat.guardrail.is_some()) {
                Some(intervention) => intervention.block(answer, stream),
                None => answer,
            }
        }
    };
    let answer = Arc::new(answer);
    let content = match bench {
        None => Content::Answer(answer.clone()),
        Some(bench) if bench.stamped => Content::None,
        Some(bench) => Content::Repeated(bench.text.as_str().into()),
    };
    call.answer(answer.usage, content);
    let pace = plan.behaviour.pace(models.pace);
    let request_id = call.request_id().to_owned();
    let context =
        Context { dialect: plan.dialect, request_id: &request_id, model_id: incoming.model_id, answer: &answer };
    let fault = plan.behaviour.fault.as_ref();
    if let Some((Moment::Request, what)) = fault.map(Fault::strike) {
        no_response(&what, &incoming.hangup, call).await;
    }
    if !stream {
        return whole(&context, incoming, pace, fault, call).await;
    }
    let source = match bench {
        Some(bench) => Source::Bench(models.rings.stream(bench, &context, incoming.since_epoch)),
        None => Source::Timeline { timeline: timeline(&context, pace, fault), next: 0 },
    };
    if let Some((_, Strike::Exception { error, .. })) = fault.map(Fault::strike) {
        call.fail(error.name(), 200);
    }
    let content_type = match plan.dialect {
        Dialect::Converse => Response::builder().header("content-type", "application/vnd.amazon.eventstream"),
        Dialect::Messages => Response::builder()
            .header("content-type", "application/vnd.amazon.eventstream")
            .header("x-amzn-bedrock-content-type", "application/json"),
    };
    let body = ResponseBody::Played(Playback::new(source, incoming.received, call, incoming.hangup));
    Ok(content_type.body(body).expect("the headers are constants"))
}

/// What a load-test stream counts; its text is never built.
fn bench_answer(bench: &Bench, usage: Usage) -> Answer {
    let output_tokens = tokens::count(&bench.text).saturating_mul(bench.deltas);
    Answer {
        parts: Vec::new(),
        stop_reason: answer::StopReason::EndTurn,
        stop_sequence: None,
        usage: Usage { output_tokens, ..usage },
    }
}

/// Keeps the connection open without a word, or closes it. There is nothing before a response that could be spoilt otherwise.
async fn no_response(what: &Strike, hangup: &Hangup, call: Call) -> ! {
    call.unanswered();
    // The call is open for as long as the client waits.
    let _open = match what {
        Strike::Silence => Some(call),
        _ => {
            call.close(Outcome::Cut);
            hangup.now(*what == Strike::Reset);
            None
        }
    };
    std::future::pending().await
}

async fn whole(
    context: &Context<'_>,
    incoming: Incoming<'_>,
    pace: Pace,
    fault: Option<&Fault>,
    call: Call,
) -> Result<Response<ResponseBody>, (ApiError, Call)> {
    let usage = &context.answer.usage;
    let latency = pace.due(usage.output_tokens.saturating_sub(1));
    let strike = fault.map(Fault::strike);
    if let Some((Moment::Deltas(after), what @ (Strike::Silence | Strike::Cut | Strike::Reset))) = &strike {
        sleep_until(incoming.received + pace.due(*after).min(latency)).await;
        no_response(what, &incoming.hangup, call).await;
    }
    sleep_until(incoming.received + latency).await;
    if let Some((_, Strike::Exception { error, message })) = strike {
        return Err((scripted_error(error, message), call));
    }
    let latency_ms = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX).max(1);
    let mut response = Response::builder().header("content-type", "application/json");
    if context.dialect == Dialect::Messages {
        response = response
            .header("x-amzn-bedrock-input-token-count", usage.input_tokens)
            .header("x-amzn-bedrock-output-token-count", usage.output_tokens)
            .header("x-amzn-bedrock-invocation-latency", latency_ms);
    }
    let body = Bytes::from(context.body(latency_ms).to_string());
    let body = match strike.and_then(|(at, what)| spoilt(body.clone(), at, &what)) {
        None => {
            call.sent(usage.output_tokens);
            call.close(Outcome::Completed);
            ResponseBody::Whole(body)
        }
        Some((bytes, ending)) => {
            let timeline = part_of_whole(bytes, latency, 0, ending);
            let source = Source::Timeline { timeline, next: 0 };
            ResponseBody::Played(Playback::new(source, incoming.received, call, incoming.hangup))
        }
    };
    Ok(response.body(body).expect("the headers are constants and numbers"))
}

/// What is sent in place of the body of a whole answer, unless the fault has no meaning there.
fn spoilt(body: Bytes, at: Moment, what: &Strike) -> Option<(Bytes, Ending)> {
    let sent = match at {
        Moment::Headers => 0,
        Moment::Frame(_) => body.len() / 2,
        Moment::Request | Moment::Deltas(_) | Moment::Stop | Moment::End => return None,
    };
    let half = body.slice(..sent);
    Some(match what {
        Strike::Exception { .. } => return None,
        Strike::Silence => (half, Ending::Silence),
        Strike::Cut => (half, Ending::Cut { reset: false }),
        Strike::Reset => (half, Ending::Cut { reset: true }),
        Strike::End => (half, Ending::End(Outcome::Truncated)),
        Strike::Checksum | Strike::Length | Strike::Garbage => {
            let mut bytes = BytesMut::from(&half[..]);
            frame::garbage(&mut bytes);
            (bytes.freeze(), Ending::End(Outcome::Truncated))
        }
    })
}
