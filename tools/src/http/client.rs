//! Streamable HTTP over hyper, for rmcp's transport.

use std::{borrow::Cow, collections::HashMap, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::stream::BoxStream;
use http_body_util::Full;
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::Incoming,
    header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue},
};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rmcp::{
    model::{ClientJsonRpcMessage, ServerJsonRpcMessage},
    transport::streamable_http_client::{
        SseError, StreamableHttpClient, StreamableHttpError, StreamableHttpPostResponse,
    },
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use sse_stream::Sse;
use url::Url;

use super::{
    HttpError, Resolver,
    events::{beginning, events, whole},
    last_of,
    resolve::Checked,
};

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A connection that was idle for longer is not used again.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);
/// The most that is read of what a refusal says.
const MAX_REFUSAL_BYTES: usize = 16 * 1024;

const SESSION_ID: &str = "mcp-session-id";
const LAST_EVENT_ID: &str = "last-event-id";
const JSON: &str = "application/json";
const EVENT_STREAM: &str = "text/event-stream";

/// Asks one server.
#[derive(Debug, Clone)]
pub(crate) struct HttpClient(Client<HttpsConnector<HttpConnector<Checked>>, Full<Bytes>>);

type Headers = HashMap<HeaderName, HeaderValue>;
type PostError = StreamableHttpError<HttpError>;

impl HttpClient {
    /// A client for the server at `url`.
    pub(crate) fn new(url: &Url, allow_private: bool, resolver: Arc<dyn Resolver>) -> Result<Self, HttpError> {
        // The connector asks no resolver about an address that is written as such.
        crate::config::check_literal(url, allow_private).map_err(HttpError::Unreachable)?;
        let mut tcp = HttpConnector::new_with_resolver(Checked { resolver, allow_private });
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| HttpError::Unreachable(error.to_string()))?;
        let tls = match url.scheme() {
            "https" => tls.with_native_roots().map_err(HttpError::Certificates)?,
            _ => tls.with_root_certificates(RootCertStore::empty()),
        };
        let builder = HttpsConnectorBuilder::new().with_tls_config(tls.with_no_client_auth());
        let builder = if allow_private { builder.https_or_http() } else { builder.https_only() };
        let connector = builder.enable_http1().wrap_connector(tcp);
        Ok(Self(Client::builder(TokioExecutor::new()).pool_idle_timeout(IDLE_TIMEOUT).build(connector)))
    }

    async fn send(
        &self,
        method: Method,
        url: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response<Incoming>, PostError> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = url
            .parse()
            .map_err(|_| StreamableHttpError::Client(HttpError::Unreachable("its address is none".into())))?;
        *request.headers_mut() = headers;
        let response = self.0.request(request).await.map_err(|error| {
            let reason = last_of(&error);
            StreamableHttpError::Client(if error.is_connect() {
                HttpError::Unreachable(reason)
            } else {
                HttpError::Broken(reason)
            })
        })?;
        match response.status() {
            status if status.is_redirection() => Err(StreamableHttpError::Client(HttpError::Redirect(status.as_u16()))),
            _ => Ok(response),
        }
    }
}

fn headers(custom: Headers, session: Option<&str>, accept: &'static str) -> Result<HeaderMap, PostError> {
    let mut headers: HeaderMap = custom.into_iter().collect();
    headers.insert(ACCEPT, HeaderValue::from_static(accept));
    if let Some(session) = session {
        let value = HeaderValue::from_str(session)
            .map_err(|_| StreamableHttpError::UnexpectedServerResponse("its session id fits in no header".into()))?;
        headers.insert(SESSION_ID, value);
    }
    Ok(headers)
}

fn is_of(response: &Response<Incoming>, media_type: &str) -> bool {
    let value = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().is_some_and(|value| value.trim().eq_ignore_ascii_case(media_type))
}

fn status(status: StatusCode) -> PostError {
    StreamableHttpError::Client(HttpError::Status { status: status.as_u16() })
}

fn unexpected(what: &'static str) -> PostError {
    StreamableHttpError::UnexpectedServerResponse(Cow::Borrowed(what))
}

impl StreamableHttpClient for HttpClient {
    type Error = HttpError;

    async fn post_message(
        &self,
        url: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        _: Option<String>,
        custom: Headers,
    ) -> Result<StreamableHttpPostResponse, PostError> {
        let is_request = matches!(message, ClientJsonRpcMessage::Request(_));
        let mut headers = headers(custom, session.as_deref(), "application/json, text/event-stream")?;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
        let body = serde_json::to_vec(&message)?.into();
        let response = self.send(Method::POST, &url, headers, body).await?;
        let code = response.status();
        if code == StatusCode::NOT_FOUND && session.is_some() {
            return Err(StreamableHttpError::SessionExpired);
        }
        let is_json = is_of(&response, JSON);
        let new_session = response.headers().get(SESSION_ID).and_then(|value| value.to_str().ok()).map(str::to_owned);
        if !code.is_success() {
            // A refusal may be said in JSON-RPC; a server that wants credentials is not asked for its words.
            if is_json && !matches!(code, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
                let body = beginning(response.into_body(), MAX_REFUSAL_BYTES).await;
                match (&message, serde_json::from_slice(&body)) {
                    (ClientJsonRpcMessage::Request(asked), Ok(ServerJsonRpcMessage::Error(error)))
                        if error.id.as_ref() == Some(&asked.id) =>
                    {
                        return Ok(StreamableHttpPostResponse::Json(ServerJsonRpcMessage::Error(error), new_session));
                    }
                    // Many servers say so what should be a 404: they do not know the session, and looked at nothing else.
                    (ClientJsonRpcMessage::Request(_), Ok(ServerJsonRpcMessage::Error(_)))
                        if code == StatusCode::BAD_REQUEST && session.is_some() =>
                    {
                        return Err(StreamableHttpError::SessionExpired);
                    }
                    _ => {}
                }
            }
            return Err(status(code));
        }
        if !is_request || code == StatusCode::ACCEPTED || code == StatusCode::NO_CONTENT {
            return Ok(StreamableHttpPostResponse::Accepted);
        }
        if is_of(&response, EVENT_STREAM) {
            return Ok(StreamableHttpPostResponse::Sse(events(response.into_body()), new_session));
        }
        if !is_json {
            return Err(unexpected("it answered with neither JSON nor events; is \"url\" that of its MCP endpoint?"));
        }
        let body = whole(response.into_body()).await.map_err(StreamableHttpError::Client)?;
        let message =
            serde_json::from_slice(&body).map_err(|_| unexpected("it answered with JSON that is no message of MCP"))?;
        Ok(StreamableHttpPostResponse::Json(message, new_session))
    }

    async fn delete_session(
        &self,
        url: Arc<str>,
        session: Arc<str>,
        _: Option<String>,
        custom: Headers,
    ) -> Result<(), PostError> {
        let response = self.send(Method::DELETE, &url, headers(custom, Some(&session), JSON)?, Bytes::new()).await?;
        match response.status() {
            StatusCode::METHOD_NOT_ALLOWED => Err(StreamableHttpError::ServerDoesNotSupportDeleteSession),
            code if code.is_success() => Ok(()),
            code => Err(status(code)),
        }
    }

    async fn get_stream(
        &self,
        url: Arc<str>,
        session: Option<Arc<str>>,
        last_event: Option<String>,
        _: Option<String>,
        custom: Headers,
    ) -> Result<BoxStream<'static, Result<Sse, SseError>>, PostError> {
        let mut headers = headers(custom, session.as_deref(), EVENT_STREAM)?;
        if let Some(id) = last_event.as_deref().and_then(|id| HeaderValue::from_str(id).ok()) {
            headers.insert(LAST_EVENT_ID, id);
        }
        let response = self.send(Method::GET, &url, headers, Bytes::new()).await?;
        match response.status() {
            StatusCode::METHOD_NOT_ALLOWED => Err(StreamableHttpError::ServerDoesNotSupportSse),
            StatusCode::NOT_FOUND if session.is_some() => Err(StreamableHttpError::SessionExpired),
            code if !code.is_success() => Err(status(code)),
            _ if !is_of(&response, EVENT_STREAM) => Err(unexpected("it answered with no stream of events")),
            _ => Ok(events(response.into_body())),
        }
    }
}
