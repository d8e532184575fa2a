//! A collector of traces that keeps what it is sent.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Bytes, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, any_value::Value},
    trace::v1::Span,
};
use prost::Message;
use tokio::net::TcpListener;

/// A request as it came: its address, what it was authorised with, its body.
type Received = (String, String, Bytes);

pub(crate) struct Collector {
    pub(crate) url: String,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Collector {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let received = Arc::<Mutex<Vec<Received>>>::default();
        let keep = received.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let keep = keep.clone();
                let take = service_fn(move |request: Request<Incoming>| {
                    let keep = keep.clone();
                    async move {
                        let authorization = request.headers().get("authorization").cloned();
                        let authorization = authorization.expect("a header").to_str().expect("text").to_owned();
                        let path = request.uri().path().to_owned();
                        let body = request.into_body().collect().await.expect("a body").to_bytes();
                        keep.lock().expect("what came").push((path, authorization, body));
                        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
                    }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), take));
            }
        });
        Self { url, received }
    }

    /// Every span that came, in its order, all for `/v1/traces` and with this authorisation.
    pub(crate) fn spans(&self, authorization: &str) -> Vec<Span> {
        let received = self.received.lock().expect("what came");
        let bodies = received.iter().map(|(path, with, body)| {
            assert_eq!((path.as_str(), with.as_str()), ("/v1/traces", authorization));
            ExportTraceServiceRequest::decode(body.clone()).expect("OTLP")
        });
        let resources = bodies.flat_map(|body| body.resource_spans);
        resources.flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans).collect()
    }

    /// All of it as it came.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.received.lock().expect("what came").iter().flat_map(|(.., body)| body.to_vec()).collect()
    }
}

/// An attribute as text; lists with commas between.
pub(crate) fn attribute(span: &Span, key: &str) -> Option<String> {
    let found = span.attributes.iter().find(|attribute| attribute.key == key)?;
    found.value.as_ref().map(text)
}

fn text(value: &AnyValue) -> String {
    match &value.value {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::ArrayValue(list)) => list.values.iter().map(text).collect::<Vec<_>>().join(","),
        other => panic!("{other:?}"),
    }
}
