//! Traces, by OTLP: a span for each message of a person, and within it one for each call of a model, with the names of OpenTelemetry's
//! semantic conventions for generative AI. Nothing that people or models say is in them.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, Response};
use opentelemetry::{
    Array, Context, KeyValue, StringValue, Value,
    trace::{Span as _, SpanKind, Status, TraceContextExt, Tracer, TracerProvider},
};
use opentelemetry_http::HttpError;
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{SdkTracer, SdkTracerProvider, Span},
};
use protocol::{ErrorCode, SessionId, StopReason, ToolStatus, ToolUse, Usage};
use tokio::{runtime::Handle, task::spawn_blocking, time::timeout};
use tracing::warn;

use super::Asker;
use crate::{
    bedrock::{ConverseRequest, UpstreamError},
    https::{AddressError, HttpClient, client_for},
};

/// Where a collector takes traces, below its address.
const PATH: &str = "/v1/traces";

/// How long a collector may take for what it is sent.
pub const EXPORT_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest answer of a collector, in bytes.
const MAX_RESPONSE_BYTES: usize = 64 * 1024;

/// How long the last spans may take when the proxy ends.
pub const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);

/// Makes spans and sends them.
#[derive(Debug, Clone)]
pub(super) struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

impl Traces {
    /// Sends spans to the collector at `endpoint`. What else OpenTelemetry has of settings is in its environment variables, such as
    /// `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_SERVICE_NAME` and `OTEL_TRACES_SAMPLER`.
    ///
    /// # Errors
    /// An address that is none.
    pub(super) fn start(endpoint: &str) -> Result<Self, AddressError> {
        let address = format!("{}{PATH}", endpoint.trim_end_matches('/'));
        let (_, client) = client_for(&address)?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Collector { client, runtime: Handle::current() })
            .with_endpoint(address)
            .build()
            .map_err(|_| AddressError::Address)?;
        let mut resource = Resource::builder();
        if std::env::var_os("OTEL_SERVICE_NAME").is_none() {
            resource = resource.with_service_name("outcrop-proxy");
        }
        let provider =
            SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource.build()).build();
        let tracer = provider.tracer("outcrop-proxy");
        Ok(Self { provider, tracer })
    }

    /// Sends what has not been sent; spans that end after this are dropped.
    pub(super) async fn finish(&self) {
        let provider = self.provider.clone();
        let flushed = spawn_blocking(move || provider.shutdown_with_timeout(FLUSH_TIMEOUT)).await;
        if !matches!(flushed, Ok(Ok(()))) {
            warn!("the last traces were not sent");
        }
    }

    /// A frame of this type, which asks for an answer, begins to be served.
    pub(super) fn message(&self, asker: &Asker, kind: &'static str, session: Option<&SessionId>) -> RequestSpan {
        let mut attributes = vec![KeyValue::new("rpc.method", kind)];
        attributes.extend(asker.request_id.as_ref().map(|id| KeyValue::new("outcrop.request.id", text(id.as_str()))));
        let connection = asker.connection_id.as_ref();
        attributes.extend(connection.map(|id| KeyValue::new("outcrop.connection.id", text(id))));
        attributes.extend(session.map(|id| KeyValue::new("gen_ai.conversation.id", text(id.as_str()))));
        let builder = self.tracer.span_builder(kind).with_kind(SpanKind::Server).with_attributes(attributes);
        let span = self.tracer.build_with_context(builder, &Context::new());
        let context = Context::new().with_remote_span_context(span.span_context().clone());
        RequestSpan(Some(Arc::new(Open { tracer: self.tracer.clone(), context, span: Mutex::new(span) })))
    }
}

/// The span of a message; none while there are no traces.
#[derive(Debug, Clone, Default)]
pub(crate) struct RequestSpan(Option<Arc<Open>>);

#[derive(Debug)]
struct Open {
    tracer: SdkTracer,
    /// What calls for it are parts of.
    context: Context,
    span: Mutex<Span>,
}

impl RequestSpan {
    /// It has ended, with an error if it has. What comes after that does not count.
    pub(crate) fn end(&self, error: Option<ErrorCode>) {
        let Some(open) = &self.0 else { return };
        let mut span = open.span.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(code) = error {
            failed(&mut span, code);
        }
        span.end();
    }

    /// A call of a model begins.
    pub(crate) fn chat(&self, request: &ConverseRequest, region: &str, conversation: &SessionId) -> ChatSpan {
        let Some(open) = &self.0 else { return ChatSpan(None) };
        let mut attributes = vec![
            KeyValue::new("gen_ai.operation.name", "chat"),
            KeyValue::new("gen_ai.provider.name", "aws.bedrock"),
            // What it was called before; collectors look for either.
            KeyValue::new("gen_ai.system", "aws.bedrock"),
            KeyValue::new("gen_ai.conversation.id", text(conversation.as_str())),
            KeyValue::new("gen_ai.request.model", text(&request.model)),
            KeyValue::new("gen_ai.request.max_tokens", i64::from(request.max_tokens)),
            KeyValue::new("cloud.region", text(region)),
        ];
        let temperature = request.temperature.map(f64::from);
        attributes.extend(temperature.map(|temperature| KeyValue::new("gen_ai.request.temperature", temperature)));
        let builder = open
            .tracer
            .span_builder(format!("chat {}", request.model))
            .with_kind(SpanKind::Client)
            .with_attributes(attributes);
        let mut span = open.tracer.build_with_context(builder, &open.context);
        // Bedrock does not say which model answers; it is the one that is asked.
        span.set_attribute(KeyValue::new("gen_ai.response.model", text(&request.model)));
        ChatSpan(Some(span))
    }
}

impl RequestSpan {
    /// The call of a tool begins.
    pub(crate) fn tool(&self, call: &ToolUse) -> ToolSpan {
        let Some(open) = &self.0 else { return ToolSpan(None) };
        let mut attributes = vec![
            KeyValue::new("gen_ai.operation.name", "execute_tool"),
            KeyValue::new("gen_ai.tool.name", text(&call.name)),
            KeyValue::new("gen_ai.tool.call.id", text(call.tool_use_id.as_str())),
            KeyValue::new("gen_ai.tool.type", "extension"),
        ];
        attributes.extend(call.server.as_deref().map(|server| KeyValue::new("outcrop.tool.server", text(server))));
        let name = format!("execute_tool {}", call.name);
        let builder = open.tracer.span_builder(name).with_kind(SpanKind::Internal).with_attributes(attributes);
        ToolSpan(Some(open.tracer.build_with_context(builder, &open.context)))
    }
}

/// The span of the call of a tool; one that is dropped has ended too, as one that was cancelled.
#[derive(Debug)]
pub(crate) struct ToolSpan(Option<Span>);

impl ToolSpan {
    /// The call has ended.
    pub(crate) fn end(mut self, status: ToolStatus) {
        let Some(mut span) = self.0.take() else { return };
        if status != ToolStatus::Succeeded {
            span.set_attribute(KeyValue::new("error.type", status.as_str()));
            span.set_status(Status::error(status.as_str()));
        }
        span.end();
    }
}

/// The span of a call; one that is dropped has ended too.
#[derive(Debug, Default)]
pub(crate) struct ChatSpan(Option<Span>);

impl ChatSpan {
    /// The call has ended.
    pub(crate) fn end(&mut self, result: Result<(StopReason, &Usage), &UpstreamError>) {
        let Some(mut span) = self.0.take() else { return };
        match result {
            Ok((reason, usage)) => answered(&mut span, reason, usage),
            Err(error) => failed(&mut span, error.code),
        }
        span.end();
    }
}

fn answered(span: &mut Span, reason: StopReason, usage: &Usage) {
    let count = |tokens: u64| i64::try_from(tokens).unwrap_or(i64::MAX);
    // Bedrock counts what was read from and written to its cache beside the input; the conventions count it among that.
    let cached = usage.cache_read_input_tokens + usage.cache_write_input_tokens;
    span.set_attributes([
        KeyValue::new("gen_ai.usage.input_tokens", count(usage.input_tokens + cached)),
        KeyValue::new("gen_ai.usage.output_tokens", count(usage.output_tokens)),
        KeyValue::new("gen_ai.usage.cache_read.input_tokens", count(usage.cache_read_input_tokens)),
        KeyValue::new("gen_ai.usage.cache_creation.input_tokens", count(usage.cache_write_input_tokens)),
        KeyValue::new(
            "gen_ai.response.finish_reasons",
            Value::Array(Array::String(vec![StringValue::from(reason.as_str())])),
        ),
    ]);
}

fn failed(span: &mut Span, code: ErrorCode) {
    span.set_attribute(KeyValue::new("error.type", code.as_str()));
    span.set_status(Status::error(code.as_str()));
}

fn text(text: &str) -> StringValue {
    text.to_owned().into()
}

/// The way to the collector, with the proxy's own HTTP client. The exporter asks from a thread of its own.
#[derive(Debug)]
struct Collector {
    client: HttpClient,
    runtime: Handle,
}

#[async_trait]
impl opentelemetry_http::HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let asked = async move {
            let (head, body) = client.request(request.map(Full::new)).await?.into_parts();
            let body = Limited::new(body, MAX_RESPONSE_BYTES).collect().await?.to_bytes();
            Ok(Response::from_parts(head, body))
        };
        // In the task: time is the runtime's.
        self.runtime.spawn(async move { timeout(EXPORT_TIMEOUT, asked).await }).await??
    }
}
