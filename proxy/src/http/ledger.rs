//! Usage, and the entries it is made of, for administrators: as JSON and as CSV.

use std::{io, sync::Arc};

use bytes::Bytes;
use futures_util::{Stream, stream};
use http_body_util::{BodyExt, StreamBody};
use hyper::{
    Response, StatusCode,
    body::Frame,
    header::{self, HeaderValue},
};
use protocol::ErrorCode;
use tracing::warn;

use super::{
    Body,
    admin::{Administrator, Refused},
    text,
};
use crate::{
    ledger::{
        Query, ReportError,
        export::{calls_csv, calls_csv_header, calls_json, report_csv, report_json},
        query::group,
    },
    observe::Target,
    service::Service,
    store::{CallsOf, CallsPage},
};

/// What is asked for as a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Csv,
}

/// Sums of usage.
pub(super) async fn usage(service: &Service, who: &Administrator, parameters: &str) -> Result<Response<Body>, Refused> {
    let (query, of, format) = asked(service, who, parameters)?;
    let report = service.report(&of, query.by()).await.map_err(|error| match error {
        ReportError::TooManyRows => wrong(format!("{error}.")),
        ReportError::Store(_) => failed(&error),
    })?;
    let file = match format {
        Format::Json => report_json(&report),
        Format::Csv => report_csv(&report),
    };
    Ok(as_file(text(StatusCode::OK, file), "outcrop-usage", format, &of))
}

/// Calls, page by page: however many they are, two pages of them are in memory at a time.
pub(super) async fn calls(
    service: Arc<Service>,
    who: &Administrator,
    parameters: &str,
) -> Result<Response<Body>, Refused> {
    let (query, of, format) = asked(&service, who, parameters)?;
    if !query.by.is_empty() {
        return Err(wrong("Calls are not summed: leave groupBy out, or ask for /admin/usage.".to_owned()));
    }
    let first = service.calls(&of, None).await.map_err(|error| failed(&error))?;
    let body = StreamBody::new(pages(service, of.clone(), format, first)).boxed_unsync();
    Ok(as_file(Response::new(body), "outcrop-calls", format, &of))
}

fn asked(service: &Service, who: &Administrator, parameters: &str) -> Result<(Query, CallsOf, Format), Refused> {
    let (mut query, format) = read(parameters).map_err(wrong)?;
    query.organization = who.organization(query.organization)?;
    let of = query.calls(service.now()).map_err(|sentence| wrong(sentence.to_owned()))?;
    Ok((query, of, format))
}

fn wrong(sentence: String) -> Refused {
    (StatusCode::BAD_REQUEST, sentence)
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

fn as_file(mut response: Response<Body>, name: &str, format: Format, of: &CallsOf) -> Response<Body> {
    let target = Target { organization: of.organization.clone(), user: of.user.clone(), token: None };
    response.extensions_mut().insert(target);
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
