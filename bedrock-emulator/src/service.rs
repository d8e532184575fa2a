//! From an HTTP request to the call it means, and to the emulator's own pages.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming as IncomingBody;
use hyper::header::HeaderValue;
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use tokio::time::{Instant, timeout};

use crate::auth;
use crate::body::ResponseBody;
use crate::call::{Incoming, Models};
use crate::config::Credentials;
use crate::error::{ApiError, ErrorType};
use crate::ledger::{Ledger, Operation, Record, lock};
use crate::script::{Player, Script};
use crate::socket::Hangup;

/// Largest request body, in bytes.
pub const MAX_BODY_BYTES: usize = 20 * 1024 * 1024;
/// How long a request's body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// All that an emulator's connections share.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) credentials: Credentials,
    pub(crate) region: String,
    pub(crate) models: Models,
    pub(crate) ledger: Ledger,
    pub(crate) next_request: AtomicU64,
}

impl Service {
    /// Answers any request; `hangup` ends the connection it came on.
    pub(crate) async fn handle(
        self: Arc<Self>,
        request: Request<IncomingBody>,
        hangup: Hangup,
    ) -> Response<ResponseBody> {
        let (parts, body) = request.into_parts();
        let number = self.next_request.fetch_add(1, Ordering::Relaxed) + 1;
        let request_id = format!("e0000000-0000-4000-8000-{number:012x}");
        let body = match timeout(BODY_TIMEOUT, Limited::new(body, MAX_BODY_BYTES).collect()).await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(error)) if error.is::<LengthLimitError>() => {
                return error_response(&ErrorType::RequestTooLarge.into(), &request_id);
            }
            Ok(Err(_)) | Err(_) => {
                return error_response(
                    &ApiError::new(ErrorType::Serialization, "The request body did not arrive."),
                    &request_id,
                );
            }
        };
        if let Some(page) = parts.uri.path().strip_prefix("/_emulator/") {
            return self.page(&parts.method, page, &body);
        }
        let mut response = match route(&parts) {
            Ok((operation, model_id)) => self.call(operation, &model_id, &parts, body, &request_id, hangup).await,
            Err(error) => error_response(&error, &request_id),
        };
        response.headers_mut().insert("x-amzn-requestid", header(&request_id));
        response
    }

    async fn call(
        &self,
        operation: Operation,
        model_id: &str,
        parts: &Parts,
        body: Bytes,
        request_id: &str,
        hangup: Hangup,
    ) -> Response<ResponseBody> {
        let received = Instant::now();
        let now = clock();
        let since_epoch = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let call = self.ledger.open(Record {
            request_id: request_id.to_owned(),
            received_at_unix_ms: u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX),
            operation,
            model_id: model_id.to_owned(),
            http_version: format!("{:?}", parts.version),
            body: body.clone(),
            deltas_sent: Default::default(),
            state: Default::default(),
        });
        let outcome = match auth::identify(parts, &body, &self.credentials, &self.region, now) {
            Ok(principal) => {
                call.admit(principal);
                let incoming = Incoming { operation, model_id, body: &body, received, since_epoch, hangup };
                self.models.respond(incoming, call).await
            }
            Err(error) => Err((error, call)),
        };
        outcome.unwrap_or_else(|(error, call)| {
            call.reject(error.kind.name(), error.kind.status());
            error_response(&error, request_id)
        })
    }

    /// `GET` and `DELETE /_emulator/ledger`, `PUT /_emulator/script`.
    fn page(&self, method: &Method, page: &str, body: &Bytes) -> Response<ResponseBody> {
        match (method, page) {
            (&Method::GET, "ledger") => {
                json(StatusCode::OK, serde_json::to_vec(&self.ledger.entries()).unwrap_or_default())
            }
            (&Method::DELETE, "ledger") => {
                self.ledger.clear();
                json(StatusCode::NO_CONTENT, Vec::new())
            }
            (&Method::PUT, "script") => match String::from_utf8_lossy(body).parse() {
                Ok(script) => {
                    self.set_script(script);
                    json(StatusCode::NO_CONTENT, Vec::new())
                }
                Err(error) => json(
                    StatusCode::BAD_REQUEST,
                    serde_json::json!({ "message": error.to_string() }).to_string().into_bytes(),
                ),
            },
            _ => json(StatusCode::NOT_FOUND, br#"{"message":"The emulator has no such page."}"#.to_vec()),
        }
    }

    pub(crate) fn set_script(&self, script: Script) {
        *lock(&self.models.player) = Player::new(script);
        lock(&self.models.errors_given).clear();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "signatures are checked against the real clock; this is where it is read"
)]
fn clock() -> SystemTime {
    SystemTime::now()
}

fn route(parts: &Parts) -> Result<(Operation, String), ApiError> {
    let unknown = || ApiError::from(ErrorType::UnknownOperation);
    let path = parts.uri.path().strip_prefix("/model/").ok_or_else(unknown)?;
    let (model_id, operation) = path.rsplit_once('/').ok_or_else(unknown)?;
    let operation = match operation {
        "converse" => Operation::Converse,
        "converse-stream" => Operation::ConverseStream,
        "invoke" => Operation::InvokeModel,
        "invoke-with-response-stream" => Operation::InvokeModelWithResponseStream,
        _ => return Err(unknown()),
    };
    if parts.method != Method::POST {
        return Err(unknown());
    }
    Ok((operation, percent_decode_str(model_id).decode_utf8_lossy().into_owned()))
}

fn error_response(error: &ApiError, request_id: &str) -> Response<ResponseBody> {
    let status = StatusCode::from_u16(error.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json(status, error.body());
    let name = format!("{}:http://internal.amazon.com/coral/com.amazon.bedrock/", error.kind.name());
    response.headers_mut().insert("x-amzn-errortype", header(&name));
    response.headers_mut().insert("x-amzn-requestid", header(request_id));
    response
}

fn json(status: StatusCode, body: Vec<u8>) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::Whole(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    response
}

fn header(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}
