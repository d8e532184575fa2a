//! Bedrock, through the AWS SDK: credentials, signing, endpoints, retries and error shapes are the SDK's.
//!
//! Of a stream, only the decoding is done here ([`frame`], [`event`]), since it runs for every token.

pub mod connect;
mod error;
pub mod event;
pub mod frame;
mod guardrail;
mod stream;
pub mod upstream;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use aws_sdk_bedrockruntime::{
    Client,
    operation::converse::ConverseOutput,
    types::{
        ContentBlock, ConversationRole, InferenceConfiguration, Message, ReasoningContentBlock, SystemContentBlock,
    },
};
use protocol::{Role, StopReason, Usage};

use crate::content::BYTES_OF_A_TOKEN;

pub use error::{Retry, Target, UpstreamError};
pub use event::UpstreamEvent;
pub use guardrail::Guardrail;
pub use stream::EventStream;
pub use upstream::{EventSource, Upstream};

use error::call_error;
use stream::TakeBody;

/// How many SDK clients there are. Each keeps connections of its own, since HTTP/2 limits the streams of one connection.
pub const CLIENTS: usize = 4;

/// One message of a conversation, as Bedrock takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Whose it is.
    pub role: Role,
    /// What is said; never blank.
    pub text: String,
}

/// A call of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct ConverseRequest {
    /// The model id, inference profile or ARN.
    pub model: String,
    /// The system prompt, if there is one.
    pub system: Option<String>,
    /// The conversation: it starts and ends with the user and alternates.
    pub turns: Vec<Turn>,
    /// The most tokens of the answer. Always sent: Bedrock reserves quota by it.
    pub max_tokens: u32,
    /// The temperature, unless the model refuses it.
    pub temperature: Option<f32>,
}

impl ConverseRequest {
    /// The bytes of text that are sent, for estimates.
    pub fn text_bytes(&self) -> usize {
        self.system.as_deref().map_or(0, str::len) + self.turns.iter().map(|turn| turn.text.len()).sum::<usize>()
    }

    /// About the most input tokens it may be counted as: [`Usage::estimate`] is about right for English, this for everything, and each
    /// message has a frame of its own.
    pub fn most_input_tokens(&self) -> u64 {
        const TOKENS_OF_A_FRAME: usize = 16;
        (self.text_bytes().div_ceil(BYTES_OF_A_TOKEN) + TOKENS_OF_A_FRAME * (self.turns.len() + 1)) as u64
    }

    /// The most tokens that it and its answer may take, as Bedrock counts them before it begins.
    pub fn most_tokens(&self) -> u64 {
        self.most_input_tokens() + u64::from(self.max_tokens)
    }

    /// Where it goes if it is sent to `region`, for messages.
    pub fn target<'a>(&'a self, region: &'a str) -> Target<'a> {
        Target { model: &self.model, region }
    }
}

/// A whole answer of `Converse`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WholeAnswer {
    /// Its blocks: whether it is reasoning, and the text.
    pub blocks: Vec<(bool, String)>,
    /// Why it ended.
    pub stop_reason: StopReason,
    /// What it used.
    pub usage: Usage,
}

/// The way to Bedrock.
#[derive(Debug, Clone)]
pub struct Bedrock {
    pool: Arc<[Pooled]>,
    region: Arc<str>,
    guardrail: Option<Guardrail>,
}

#[derive(Debug)]
struct Pooled {
    client: Client,
    in_use: Arc<AtomicUsize>,
}

/// A use of a client, counted so that the next call takes the least loaded one.
#[derive(Debug)]
struct Lease(Arc<AtomicUsize>);

impl Drop for Lease {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Bedrock {
    /// A way to Bedrock over `clients`, all of `region`.
    pub fn new(clients: Vec<Client>, region: &str) -> Self {
        let pool = clients.into_iter().map(|client| Pooled { client, in_use: Arc::default() }).collect();
        Self { pool, region: region.into(), guardrail: None }
    }

    /// The same with every call watched by `guardrail`, if there is one.
    pub fn guarded(self, guardrail: Option<Guardrail>) -> Self {
        Self { guardrail, ..self }
    }

    fn lease(&self) -> (&Client, Lease) {
        #[expect(clippy::expect_used, reason = "`connect` makes CLIENTS of them")]
        let least = self.pool.iter().min_by_key(|pooled| pooled.in_use.load(Ordering::Relaxed)).expect("a client");
        least.in_use.fetch_add(1, Ordering::Relaxed);
        (&least.client, Lease(least.in_use.clone()))
    }
}

#[async_trait]
impl Upstream for Bedrock {
    fn region(&self) -> &str {
        &self.region
    }

    async fn converse_stream(&self, request: &ConverseRequest) -> Result<Box<dyn EventSource>, UpstreamError> {
        let (client, lease) = self.lease();
        let body = TakeBody::default();
        let result = client
            .converse_stream()
            .model_id(&request.model)
            .set_messages(Some(messages(request)))
            .set_system(system(request))
            .inference_config(inference(request))
            .set_guardrail_config(self.guardrail.as_ref().map(Guardrail::of_stream))
            .customize()
            .interceptor(body.clone())
            .send()
            .await;
        match result {
            Ok(_) => Ok(Box::new(EventStream::new(body.take()?, lease))),
            Err(error) => Err(call_error(&error, request.target(&self.region))),
        }
    }

    async fn converse(&self, request: &ConverseRequest) -> Result<WholeAnswer, UpstreamError> {
        let (client, _lease) = self.lease();
        let result = client
            .converse()
            .model_id(&request.model)
            .set_messages(Some(messages(request)))
            .set_system(system(request))
            .inference_config(inference(request))
            .set_guardrail_config(self.guardrail.as_ref().map(Guardrail::of_whole))
            .send()
            .await;
        match result {
            Ok(output) => whole_answer(output),
            Err(error) => Err(call_error(&error, request.target(&self.region))),
        }
    }
}

fn messages(request: &ConverseRequest) -> Vec<Message> {
    let message = |turn: &Turn| {
        let role = match turn.role {
            Role::User => ConversationRole::User,
            Role::Assistant => ConversationRole::Assistant,
        };
        #[expect(clippy::expect_used, reason = "role and content are all that is required, and both are set")]
        Message::builder().role(role).content(ContentBlock::Text(turn.text.clone())).build().expect("a whole message")
    };
    request.turns.iter().map(message).collect()
}

fn system(request: &ConverseRequest) -> Option<Vec<SystemContentBlock>> {
    request.system.as_ref().map(|system| vec![SystemContentBlock::Text(system.clone())])
}

fn inference(request: &ConverseRequest) -> InferenceConfiguration {
    let max_tokens = i32::try_from(request.max_tokens).unwrap_or(i32::MAX);
    InferenceConfiguration::builder().max_tokens(max_tokens).set_temperature(request.temperature).build()
}

fn whole_answer(output: ConverseOutput) -> Result<WholeAnswer, UpstreamError> {
    let incomplete = || UpstreamError::broken_stream("a Converse response without message or usage");
    let stop_reason = StopReason::from_text(output.stop_reason.as_str());
    let reported = output.usage.ok_or_else(incomplete)?;
    let message = output.output.and_then(|output| output.as_message().ok().cloned()).ok_or_else(incomplete)?;
    let blocks = message
        .content
        .into_iter()
        .filter_map(|block| match block {
            ContentBlock::Text(text) => Some((false, text)),
            ContentBlock::ReasoningContent(ReasoningContentBlock::ReasoningText(reasoning)) => {
                Some((true, reasoning.text))
            }
            _ => None,
        })
        .collect();
    let tokens = |count: i32| u64::try_from(count).unwrap_or(0);
    let one_hour = reported.cache_details.iter().flatten().filter(|detail| detail.ttl.as_str() == "1h");
    let usage = Usage {
        input_tokens: tokens(reported.input_tokens),
        output_tokens: tokens(reported.output_tokens),
        total_tokens: tokens(reported.total_tokens),
        cache_read_input_tokens: tokens(reported.cache_read_input_tokens.unwrap_or(0)),
        cache_write_input_tokens: tokens(reported.cache_write_input_tokens.unwrap_or(0)),
        cache_write_1h_input_tokens: one_hour.map(|detail| tokens(detail.input_tokens)).sum(),
        ..Usage::default()
    };
    Ok(WholeAnswer { blocks, stop_reason, usage })
}
