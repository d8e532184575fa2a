//! Verification of AWS Signature Version 4 in the `Authorization` header.
//!
//! As AWS's page "Create a signed AWS API request" has it, for a service that is not S3: every segment of the path is encoded
//! once more than on the wire, query parameters are sorted, header values have their spaces collapsed.

use std::time::{Duration, SystemTime};

use hmac::{Hmac, KeyInit, Mac};
use hyper::http::request::Parts;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};
use time::PrimitiveDateTime;
use time::format_description::StaticFormatDescription;
use time::macros::format_description;

use crate::config::Credentials;
use crate::error::{ApiError, ErrorType};

pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const TOKEN_HEADER: &str = "x-amz-security-token";
const SERVICE: &str = "bedrock";
/// How far a request's date may be from the clock, either way.
const MAX_SKEW: Duration = Duration::from_secs(5 * 60);
const DATE_FORMAT: StaticFormatDescription = format_description!("[year][month][day]T[hour][minute][second]Z");
const UNRESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const PATH: AsciiSet = UNRESERVED.remove(b'/');

/// The fields of the header after the algorithm.
#[derive(Debug, PartialEq, Eq)]
struct Authorization<'a> {
    access_key_id: &'a str,
    date: &'a str,
    region: &'a str,
    service: &'a str,
    signed_headers: Vec<&'a str>,
    signature: &'a str,
}

/// The access key id, if the signature is right.
pub(super) fn verify(
    parts: &Parts,
    authorization: &str,
    body: &[u8],
    credentials: &Credentials,
    region: &str,
    now: SystemTime,
) -> Result<String, ApiError> {
    let given = parse(authorization)?;
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let amz_date = header("x-amz-date").ok_or_else(|| {
        ApiError::new(
            ErrorType::IncompleteSignature,
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
        )
    })?;
    if given.access_key_id != credentials.access_key_id || header(TOKEN_HEADER) != credentials.session_token.as_deref()
    {
        return Err(ErrorType::UnrecognizedClient.into());
    }
    check_date(amz_date, now)?;
    check_scope(&given, amz_date, region)?;
    let signs = |name: &str| given.signed_headers.contains(&name);
    let token_unsigned = header(TOKEN_HEADER).is_some() && !signs(TOKEN_HEADER);
    if token_unsigned || !(signs("host") || signs(":authority")) {
        let missing = if token_unsigned { "'x-amz-security-token'" } else { "'Host' or ':authority'" };
        let text = format!("{missing} must be a 'SignedHeader' in the AWS Authorization.");
        return Err(ApiError::new(ErrorType::InvalidSignature, text));
    }
    let canonical =
        canonical_request(parts, &given.signed_headers, &payload_hash(header("x-amz-content-sha256"), body)?);
    let scope = format!("{}/{}/{}/aws4_request", given.date, given.region, given.service);
    let to_sign = format!("{ALGORITHM}\n{amz_date}\n{scope}\n{}", hex::encode(Sha256::digest(canonical)));
    let mut key = format!("AWS4{}", credentials.secret_access_key).into_bytes();
    for part in [given.date, given.region, given.service, "aws4_request"] {
        key = mac(&key, part).finalize().into_bytes().to_vec();
    }
    let signature = hex::decode(given.signature).unwrap_or_default();
    mac(&key, &to_sign).verify_slice(&signature).map_err(|_| ApiError::from(ErrorType::InvalidSignature))?;
    Ok(given.access_key_id.to_owned())
}

fn mac(key: &[u8], text: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(text.as_bytes());
    mac
}

fn parse(text: &str) -> Result<Authorization<'_>, ApiError> {
    let field = |name: &str| {
        let found = text.split(',').find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='));
        found.ok_or_else(|| {
            ApiError::new(ErrorType::IncompleteSignature, format!("Authorization header requires '{name}' parameter."))
        })
    };
    let (credential, signed_headers, signature) = (field("Credential")?, field("SignedHeaders")?, field("Signature")?);
    let scope: Vec<&str> = credential.split('/').collect();
    let [access_key_id, date, region, service, "aws4_request"] = scope[..] else {
        return Err(ApiError::new(
            ErrorType::IncompleteSignature,
            "Credential must have the form KEY/DATE/REGION/SERVICE/aws4_request.",
        ));
    };
    Ok(Authorization {
        access_key_id,
        date,
        region,
        service,
        signed_headers: signed_headers.split(';').collect(),
        signature,
    })
}

fn check_date(amz_date: &str, now: SystemTime) -> Result<(), ApiError> {
    let date = PrimitiveDateTime::parse(amz_date, DATE_FORMAT)
        .map_err(|_| ApiError::new(ErrorType::IncompleteSignature, "Date must be in ISO-8601 'basic format'."))?;
    let signed_at = SystemTime::from(date.assume_utc());
    let clock = time::OffsetDateTime::from(now).format(DATE_FORMAT).unwrap_or_default();
    let complain = |text: String| Err(ApiError::new(ErrorType::InvalidSignature, text));
    if signed_at + MAX_SKEW < now {
        return complain(format!("Signature expired: {amz_date} is now more than 5 min. before {clock}"));
    }
    if signed_at > now + MAX_SKEW {
        return complain(format!("Signature not yet current: {amz_date} is still more than 5 min. after {clock}"));
    }
    Ok(())
}

fn check_scope(given: &Authorization<'_>, amz_date: &str, region: &str) -> Result<(), ApiError> {
    let complain = |text: String| Err(ApiError::new(ErrorType::InvalidSignature, text));
    if given.service != SERVICE {
        return complain(format!("Credential should be scoped to correct service: '{SERVICE}'."));
    }
    if region != "*" && given.region != region {
        return complain(format!("Credential should be scoped to a valid region, not '{}'.", given.region));
    }
    if !amz_date.starts_with(given.date) {
        return complain(format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date: {amz_date}"
        ));
    }
    Ok(())
}

/// The hash that was signed: of the body, or what a header says in its place, if that is true.
fn payload_hash(header: Option<&str>, body: &[u8]) -> Result<String, ApiError> {
    match header {
        Some(unsigned) if unsigned == "UNSIGNED-PAYLOAD" || unsigned.starts_with("STREAMING-") => {
            Ok(unsigned.to_owned())
        }
        given => {
            let hash = hex::encode(Sha256::digest(body));
            if given.is_some_and(|given| given != hash) { Err(ErrorType::InvalidSignature.into()) } else { Ok(hash) }
        }
    }
}

fn canonical_request(parts: &Parts, signed_headers: &[&str], payload_hash: &str) -> String {
    let mut text =
        format!("{}\n{}\n{}\n", parts.method, utf8_percent_encode(parts.uri.path(), &PATH), canonical_query(parts));
    for name in signed_headers {
        text.push_str(&format!("{name}:{}\n", header_value(parts, name)));
    }
    text.push_str(&format!("\n{}\n{payload_hash}", signed_headers.join(";")));
    text
}

/// HTTP/2 has `:authority` where HTTP/1.1 has `host`; SDKs sign the one or the other.
fn header_value(parts: &Parts, name: &str) -> String {
    let lookup = if name == ":authority" { "host" } else { name };
    let given = parts.headers.get_all(lookup).iter().map(|value| collapsed(&String::from_utf8_lossy(value.as_bytes())));
    let mut values: Vec<String> = given.collect();
    if values.is_empty() && lookup == "host" {
        values.extend(parts.uri.authority().map(|authority| authority.as_str().to_owned()));
    }
    values.join(",")
}

fn canonical_query(parts: &Parts) -> String {
    let encode =
        |text: &str| utf8_percent_encode(&percent_decode_str(text).decode_utf8_lossy(), &UNRESERVED).to_string();
    let query = parts.uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<(String, String)> = query
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (encode(name), encode(value)))
        .collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn collapsed(value: &str) -> String {
    value.split(' ').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
