//! What administrators may ask over HTTP: everybody's usage, and the entries it is made of.

use std::{io, sync::Arc};

use bytes::Bytes;
use futures_util::{Stream, stream};
use http_body_util::{BodyExt, StreamBody};
use hyper::{
    Request, Response, StatusCode,
    body::Frame,
    header::{self, HeaderValue},
};
use protocol::ErrorCode;
use serde_json::json;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tracing::warn;

use super::{Body, Http, text};
use crate::{
    ledger::{
        Query, ReportError,
        export::{calls_csv, calls_csv_header, calls_json, report_csv, report_json},
        query::group,
    },
    service::Service,
    store::{CallsOf, CallsPage},
};

/// What the addresses of all this begin with.
pub(super) const PREFIX: &str = "/admin/";

/// The shortest token of administrators, in characters.
pub const MIN_TOKEN_CHARS: usize = 16;

/// What administrators know and nobody else: as a hash, which is compared in constant time.
pub struct AdminToken([u8; 32]);

impl std::fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AdminToken")
    }
}

impl AdminToken {
    /// This token, without blanks around it, if it has [`MIN_TOKEN_CHARS`] or more.
    pub fn new(token: &str) -> Option<Self> {
        let token = token.trim_ascii();
        (token.chars().count() >= MIN_TOKEN_CHARS).then(|| Self(Sha256::digest(token).into()))
    }

    fn is(&self, token: &[u8]) -> bool {
        let given: [u8; 32] = Sha256::digest(token).into();
        given.ct_eq(&self.0).into()
    }
}

/// What is asked for as a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Csv,
}

/// A refusal: a status, and a sentence that says what to do.
type Refused = (StatusCode, String);

/// Answers what was asked under [`PREFIX`]. Nothing of it is to be kept by anybody on the way.
pub(super) async fn serve<B>(http: &Http, request: &Request<B>) -> Response<Body> {
    let mut response = match answer(http, request).await {
        Ok(response) => response,
        Err((status, sentence)) => {
            let mut response = text(status, format!("{}\n", json!({ "error": sentence })));
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(header::CONTENT_TYPE, json);
            if status == StatusCode::UNAUTHORIZED {
                let bearer = HeaderValue::from_static("Bearer realm=\"outcrop\"");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, bearer);
            }
            response
        }
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn answer<B>(http: &Http, request: &Request<B>) -> Result<Response<Body>, Refused> {
    let Some(token) = &http.admin else {
        let off = "There is nothing here: the proxy was started without OUTCROP_ADMIN_TOKEN.";
        return Err((StatusCode::NOT_FOUND, off.to_owned()));
    };
    http.origins.check_origin(request.headers()).map_err(|text| (StatusCode::FORBIDDEN, text.trim_end().to_owned()))?;
    let given = request.headers().get(header::AUTHORIZATION).map(HeaderValue::as_bytes).and_then(bearer);
    if !given.is_some_and(|given| token.is(given)) {
        let sentence = "Send the proxy's OUTCROP_ADMIN_TOKEN as Authorization: Bearer TOKEN.";
        return Err((StatusCode::UNAUTHORIZED, sentence.to_owned()));
    }
    let wrong = |sentence: String| (StatusCode::BAD_REQUEST, sentence);
    let (query, format) = read(request.uri().query().unwrap_or_default()).map_err(wrong)?;
    let of = query.calls(http.service.now()).map_err(|sentence| wrong(sentence.to_owned()))?;
    match request.uri().path() {
        "/admin/usage" => usage(&http.service, &of, &query, format).await,
        "/admin/calls" if query.by.is_empty() => calls(http.service.clone(), of, format).await,
        "/admin/calls" => Err(wrong("Calls are not summed: leave groupBy out, or ask for /admin/usage.".to_owned())),
        _ => Err((StatusCode::NOT_FOUND, "There are /admin/usage and /admin/calls.".to_owned())),
    }
}

/// The token in `Authorization: Bearer …`.
fn bearer(header: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = header.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
}

fn read(parameters: &str) -> Result<(Query, Format), String> {
    let (mut query, mut format) = (Query::default(), Format::Json);
    for (name, value) in form_urlencoded::parse(parameters.as_bytes()) {
        match name.as_ref() {
            "from" => query.from = Some(value.parse()?),
            "to" => query.to = Some(value.parse()?),
            "groupBy" => query.by = value.split(',').map(group).collect::<Result<_, _>>()?,
            "organization" => query.organization = Some(value.into_owned()),
            "user" => query.user = Some(value.into_owned()),
            "format" => {
                format = match value.as_ref() {
                    "json" => Format::Json,
                    "csv" => Format::Csv,
                    other => return Err(format!("{other:?} is no format; there are json and csv")),
                };
            }
            other => {
                return Err(format!(
                    "{other:?} is no parameter; there are from, to, groupBy, organization, user, format"
                ));
            }
        }
    }
    Ok((query, format))
}

async fn usage(service: &Service, of: &CallsOf, query: &Query, format: Format) -> Result<Response<Body>, Refused> {
    let report = service.report(of, query.by()).await.map_err(|error| match error {
        ReportError::TooManyRows => (StatusCode::BAD_REQUEST, format!("{error}.")),
        ReportError::Store(_) => failed(&error),
    })?;
    let file = match format {
        Format::Json => report_json(&report),
        Format::Csv => report_csv(&report),
    };
    Ok(as_file(text(StatusCode::OK, file), "outcrop-usage", format))
}

/// Calls, page by page: however many they are, two pages of them are in memory at a time.
async fn calls(service: Arc<Service>, of: CallsOf, format: Format) -> Result<Response<Body>, Refused> {
    let first = service.calls(&of, None).await.map_err(|error| failed(&error))?;
    let body = StreamBody::new(pages(service, of, format, first)).boxed_unsync();
    Ok(as_file(Response::new(body), "outcrop-calls", format))
}

fn pages(
    service: Arc<Service>,
    of: CallsOf,
    format: Format,
    first: CallsPage,
) -> impl Stream<Item = io::Result<Frame<Bytes>>> + Send {
    struct Left {
        page: CallsPage,
        begun: bool,
        /// Whether a call was written.
        any: bool,
    }
    let left = Left { page: first, begun: false, any: false };
    stream::try_unfold(Some(left), move |left| {
        let (service, of) = (service.clone(), of.clone());
        async move {
            let Some(Left { page, begun, any }) = left else { return Ok(None) };
            let mut bytes = match (format, begun) {
                (_, true) => Vec::new(),
                (Format::Json, false) => b"[".to_vec(),
                (Format::Csv, false) => calls_csv_header(),
            };
            bytes.extend(match format {
                Format::Json => calls_json(&page.calls, !any),
                Format::Csv => calls_csv(&page.calls),
            });
            let any = any || !page.calls.is_empty();
            let next = match page.next {
                Some(after) => {
                    let next = service.calls(&of, Some(after)).await.map_err(|error| {
                        warn!(%error, "a download of calls broke off");
                        io::Error::other(error)
                    })?;
                    Some(Left { page: next, begun: true, any })
                }
                None => {
                    bytes.extend_from_slice(if format == Format::Json { b"\n]\n" } else { b"" });
                    None
                }
            };
            Ok(Some((Frame::data(Bytes::from(bytes)), next)))
        }
    })
}

fn failed(error: &dyn std::fmt::Display) -> Refused {
    warn!(%error, code = ErrorCode::Internal.as_str(), "an administrator got no answer");
    (StatusCode::INTERNAL_SERVER_ERROR, format!("The ledger cannot be read: {error}."))
}

fn as_file(mut response: Response<Body>, name: &str, format: Format) -> Response<Body> {
    let (kind, ending) = match format {
        Format::Json => ("application/json", "json"),
        Format::Csv => ("text/csv; charset=utf-8", "csv"),
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(disposition) = HeaderValue::from_str(&format!("attachment; filename=\"{name}.{ending}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_long_and_shown_to_nobody() {
        assert!(AdminToken::new("fifteen letters").is_none());
        let token = AdminToken::new(" sixteen letters!\n").unwrap();
        assert!(token.is(b"sixteen letters!"));
        assert!(!token.is(b"sixteen letters?") && !token.is(b"") && !token.is(b"sixteen letters! "));
        assert_eq!(format!("{token:?}"), "AdminToken");
    }

    #[test]
    fn a_token_comes_behind_its_scheme() {
        for (header, token) in [
            ("Bearer abc", Some("abc")),
            ("bearer  abc ", Some("abc")),
            ("Bearer ", Some("")),
            ("Basic abc", None),
            ("Bearer", None),
            ("abc", None),
            ("", None),
        ] {
            assert_eq!(bearer(header.as_bytes()), token.map(str::as_bytes), "{header:?}");
        }
    }
}
