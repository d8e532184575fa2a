//! A client that sees everything: raw responses, the frames that arrived, how the body ended.

use aws_smithy_eventstream::frame::read_message_from;
use base64::Engine;
use bedrock_emulator::{API_KEY, Config, Emulator, LedgerEntry, Outcome, Script};
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

pub(crate) const MODEL: &str = "anthropic.claude-3-5-sonnet-20241022-v2:0";
/// One that caches prompts and thinks.
pub(crate) const CACHING_MODEL: &str = "us.anthropic.claude-sonnet-4-20250514-v1:0";

/// An emulator without waiting, with this script.
pub(crate) async fn start(script: Script) -> Emulator {
    Emulator::start(Config { script, ..Config::unpaced() }).await.expect("starts on a free port")
}

/// A client of HTTP/1.1, or of HTTP/2 with prior knowledge.
pub(crate) fn client(http2: bool) -> Client<HttpConnector, Full<Bytes>> {
    Client::builder(TokioExecutor::new()).http2_only(http2).build_http()
}

pub(crate) fn prompt(text: &str) -> Value {
    json!({ "messages": [{ "role": "user", "content": [{ "text": text }] }] })
}

pub(crate) fn request(url: &str, model_id: &str, operation: &str, body: &Value) -> Request<Full<Bytes>> {
    let id: String = model_id.replace(':', "%3A").replace('/', "%2F");
    Request::post(format!("{url}/model/{id}/{operation}"))
        .header("authorization", format!("Bearer {API_KEY}"))
        .header("content-type", "application/json")
        .body(Full::from(body.to_string()))
        .expect("request")
}

/// The answer of a call that must succeed, without a stream.
pub(crate) async fn converse(emulator: &Emulator, model_id: &str, body: &Value) -> Value {
    let response =
        client(false).request(request(&emulator.url(), model_id, "converse", body)).await.expect("a response");
    let (status, _, answer) = whole(response).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

/// The same as a stream.
pub(crate) async fn converse_stream(emulator: &Emulator, model_id: &str, body: &Value) -> Streamed {
    let request = request(&emulator.url(), model_id, "converse-stream", body);
    stream(client(false).request(request).await.expect("a response")).await
}

pub(crate) async fn post(emulator: &Emulator, operation: &str, body: &Value) -> Response<Incoming> {
    client(false).request(request(&emulator.url(), MODEL, operation, body)).await.expect("a response")
}

/// Status, error type and body of a response without a stream.
pub(crate) async fn whole(response: Response<Incoming>) -> (u16, String, Value) {
    let header = response.headers().get("x-amzn-errortype").map(|value| value.to_str().expect("ASCII").to_owned());
    let error_type = header.unwrap_or_default().split(':').next().unwrap_or_default().to_owned();
    assert!(response.headers().contains_key("x-amzn-requestid"));
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.expect("a whole body").to_bytes();
    (status, error_type, serde_json::from_slice(&body).expect("JSON"))
}

/// One frame: its event or exception type, whether it is an exception, its payload.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    pub(crate) kind: String,
    pub(crate) exception: bool,
    pub(crate) payload: Value,
}

/// What arrived of a stream.
#[derive(Debug)]
pub(crate) struct Streamed {
    pub(crate) events: Vec<Event>,
    /// Whether the body had a proper end.
    pub(crate) ended: bool,
    /// Whether a frame could not be decoded; nothing after it was.
    pub(crate) broken: bool,
    /// Bytes of a frame that did not come whole.
    pub(crate) left_over: usize,
}

impl Streamed {
    pub(crate) fn kinds(&self) -> Vec<&str> {
        self.events.iter().map(|event| event.kind.as_str()).collect()
    }

    pub(crate) fn deltas(&self) -> usize {
        self.events.iter().filter(|event| event.kind == "contentBlockDelta").count()
    }

    pub(crate) fn text(&self) -> String {
        self.events.iter().filter_map(|event| event.payload["delta"]["text"].as_str()).collect()
    }

    /// What the deltas of a block have in this field, in order.
    pub(crate) fn fields(&self, key: &str, field: &str) -> Vec<&str> {
        self.events.iter().filter_map(|event| event.payload["delta"][key][field].as_str()).collect()
    }

    pub(crate) fn last(&self) -> &Event {
        self.events.last().expect("an event")
    }
}

/// Reads a stream to its end, however that comes.
pub(crate) async fn stream(response: Response<Incoming>) -> Streamed {
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/vnd.amazon.eventstream");
    let mut body = response.into_body();
    let mut bytes = BytesMut::new();
    let ended = loop {
        match body.frame().await {
            None => break true,
            Some(Err(_)) => break false,
            Some(Ok(frame)) => bytes.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data)),
        }
    };
    decode(bytes.freeze(), ended)
}

/// The frames that these bytes hold whole.
pub(crate) fn decode(mut bytes: Bytes, ended: bool) -> Streamed {
    let mut streamed = Streamed { events: Vec::new(), ended, broken: false, left_over: 0 };
    while bytes.len() >= 4 {
        let length = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize;
        if bytes.len() < length {
            break;
        }
        match read_message_from(&mut bytes.split_to(length)) {
            Err(_) => {
                streamed.broken = true;
                return streamed;
            }
            Ok(message) => streamed.events.push(event(&message)),
        }
    }
    streamed.left_over = bytes.len();
    streamed
}

fn event(message: &aws_smithy_types::event_stream::Message) -> Event {
    let header = |name: &str| {
        let found = message.headers().iter().find(|header| header.name().as_str() == name)?;
        Some(found.value().as_string().expect("a string").as_str().to_owned())
    };
    assert_eq!(header(":content-type").as_deref(), Some("application/json"));
    let exception = header(":message-type").expect("message type") == "exception";
    let kind = header(if exception { ":exception-type" } else { ":event-type" }).expect("type");
    Event { kind, exception, payload: serde_json::from_slice(message.payload()).expect("JSON") }
}

/// The Anthropic events inside the chunks of an `InvokeModel` stream.
pub(crate) fn chunks(streamed: &Streamed) -> Vec<Value> {
    let bytes = streamed
        .events
        .iter()
        .filter(|event| event.kind == "chunk")
        .map(|event| event.payload["bytes"].as_str().expect("bytes"));
    bytes
        .map(|bytes| {
            serde_json::from_slice(&base64::prelude::BASE64_STANDARD.decode(bytes).expect("base64")).expect("JSON")
        })
        .collect()
}

/// The newest entry, once it is no longer running.
pub(crate) async fn closed_entry(emulator: &Emulator) -> LedgerEntry {
    loop {
        let entry = emulator.ledger().pop().expect("a call");
        if entry.outcome != Outcome::Running {
            return entry;
        }
        tokio::task::yield_now().await;
    }
}
