//! Bedrock, through the AWS SDK: credentials, signing, endpoints, retries and error shapes are the SDK's.
//!
//! Of a stream, only the decoding is done here ([`frame`], [`event`]), since it runs for every token.

pub mod connect;
mod convert;
mod error;
pub mod event;
pub mod frame;
mod guardrail;
mod order;
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
    types::{ConversationRole, InferenceConfiguration, Message, SystemContentBlock},
};
use aws_smithy_types::Document;
use protocol::{Role, StopReason, Usage};

use crate::{
    content::BYTES_OF_A_TOKEN,
    conversation::{Block, Turn},
};

pub use error::{Retry, Target, UpstreamError};
pub use event::UpstreamEvent;
pub use guardrail::Guardrail;
pub use stream::EventStream;
pub use upstream::{EventSource, Upstream};

use error::call_error;
use order::InOrder;
use stream::TakeBody;

/// How many SDK clients there are. Each keeps connections of its own, since HTTP/2 limits the streams of one connection.
pub const CLIENTS: usize = 4;

/// A tool as the model is told of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolSpec {
    /// Its name, as Bedrock takes it.
    pub name: String,
    /// What it does.
    pub description: String,
    /// What its arguments are, as a JSON Schema.
    pub input_schema: serde_json::Value,
}

/// The most tokens that an image is counted as.
///
/// Source: Anthropic's guide to vision; a larger image is made smaller before the model reads it.
pub const IMAGE_TOKENS: usize = 1_600;

/// About how many bytes of a document that is not plain text are a token. A page of a PDF is some 2,000 tokens and rarely less than 30 KB.
const DOCUMENT_BYTES_OF_A_TOKEN: usize = 16;

/// A call of a model.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ConverseRequest {
    /// The model id, inference profile or ARN.
    pub model: String,
    /// The system prompt, if there is one.
    pub system: Option<String>,
    /// The person's own instructions, which follow it.
    pub instructions: Option<String>,
    /// The conversation: it starts and ends with the user and alternates.
    pub turns: Vec<Turn>,
    /// The most tokens of the answer. Always sent: Bedrock reserves quota by it.
    pub max_tokens: u32,
    /// The temperature, unless the model refuses it.
    pub temperature: Option<f32>,
    /// The tools that the model may call.
    pub tools: Arc<[ToolSpec]>,
    /// How many tokens it may reason with before it answers, where it is asked to.
    pub reasoning_tokens: Option<u32>,
    /// Whether what is the same in the next call is to be kept in Bedrock's cache.
    pub is_cached: bool,
}

impl ConverseRequest {
    /// The bytes of text that are sent, for estimates; of images and documents, as many as their tokens would have in text.
    pub fn text_bytes(&self) -> usize {
        let tools = self
            .tools
            .iter()
            .map(|tool| tool.name.len() + tool.description.len() + tool.input_schema.to_string().len());
        let turns = self.turns.iter().flat_map(|turn| &turn.blocks).map(bytes_of);
        let system = self.system.iter().chain(&self.instructions).map(String::len);
        system.sum::<usize>() + tools.sum::<usize>() + turns.sum::<usize>()
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
    /// What it consists of.
    pub blocks: Vec<Block>,
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
            .set_tool_config(convert::tools(&request.tools, request.is_cached))
            .set_additional_model_request_fields(reasoning(request))
            .inference_config(inference(request))
            .set_guardrail_config(self.guardrail.as_ref().map(Guardrail::of_stream))
            .customize()
            .interceptor(body.clone())
            .interceptor(InOrder)
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
            .set_tool_config(convert::tools(&request.tools, request.is_cached))
            .set_additional_model_request_fields(reasoning(request))
            .inference_config(inference(request))
            .set_guardrail_config(self.guardrail.as_ref().map(Guardrail::of_whole))
            .customize()
            .interceptor(InOrder)
            .send()
            .await;
        match result {
            Ok(output) => whole_answer(output),
            Err(error) => Err(call_error(&error, request.target(&self.region))),
        }
    }
}

/// The bytes of text that a block is like.
fn bytes_of(block: &Block) -> usize {
    match block {
        Block::Text { text } | Block::Reasoning { text, .. } => text.len(),
        Block::RedactedReasoning { data } => data.len(),
        Block::ToolUse { name, input, .. } => name.len() + input.as_str().len(),
        Block::ToolResult { content, .. } => content.iter().map(bytes_of).sum(),
        Block::Image { .. } => IMAGE_TOKENS * BYTES_OF_A_TOKEN,
        Block::Document { format, data, .. } if matches!(format.as_str(), "txt" | "md" | "csv" | "html") => data.len(),
        Block::Document { data, .. } => data.len() / DOCUMENT_BYTES_OF_A_TOKEN * BYTES_OF_A_TOKEN,
    }
}

/// The conversation. With caching, the last two turns of the user end with cache points: what the next call has in common with this one
/// ends at the latter, what this one has with the call before at the former. With those of tools and system prompt that makes four.
fn messages(request: &ConverseRequest) -> Vec<Message> {
    let users = request.turns.iter().enumerate().filter(|(_, turn)| turn.role == Role::User).map(|(at, _)| at);
    let marked: Vec<usize> = if request.is_cached { users.rev().take(2).collect() } else { Vec::new() };
    let message = |(at, turn): (usize, &Turn)| {
        let role = match turn.role {
            Role::User => ConversationRole::User,
            Role::Assistant => ConversationRole::Assistant,
        };
        let mut content: Vec<_> = turn.blocks.iter().map(convert::block).collect();
        content.extend(marked.contains(&at).then(convert::cache_point));
        #[expect(clippy::expect_used, reason = "role and content are all that is required, and both are set")]
        Message::builder().role(role).set_content(Some(content)).build().expect("a whole message")
    };
    request.turns.iter().enumerate().map(message).collect()
}

/// The system prompt, then the person's own instructions. With caching, the first of them ends with the cache point: the proxy's own is the
/// same for everybody, and the cache points of the messages cover both.
fn system(request: &ConverseRequest) -> Option<Vec<SystemContentBlock>> {
    let texts = request.system.iter().chain(&request.instructions);
    let mut system: Vec<_> = texts.cloned().map(SystemContentBlock::Text).collect();
    if system.is_empty() {
        return None;
    }
    if request.is_cached {
        system.insert(1, SystemContentBlock::CachePoint(convert::point()));
    }
    Some(system)
}

/// Anthropic's extended thinking.
fn reasoning(request: &ConverseRequest) -> Option<Document> {
    let budget = request.reasoning_tokens?;
    Some(convert::document(&serde_json::json!({ "thinking": { "type": "enabled", "budget_tokens": budget } })))
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
    let blocks = message.content.into_iter().filter_map(convert::said).collect();
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
