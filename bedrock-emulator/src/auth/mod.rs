//! Who calls: a SigV4 signature or a Bedrock API key.

mod sigv4;

use std::time::SystemTime;

use hyper::http::request::Parts;
use subtle::ConstantTimeEq;

use crate::config::Credentials;
use crate::error::{ApiError, ErrorType};

/// The name of a caller who came with an API key.
const API_KEY_PRINCIPAL: &str = "api-key";

/// Who sent this request.
///
/// # Errors
/// With the error types and texts of AWS's front door.
pub(crate) fn identify(
    parts: &Parts,
    body: &[u8],
    credentials: &Credentials,
    region: &str,
    now: SystemTime,
) -> Result<String, ApiError> {
    let Some(value) = parts.headers.get(hyper::header::AUTHORIZATION) else {
        return Err(ErrorType::MissingAuthenticationToken.into());
    };
    let value = value.to_str().map_err(|_| ApiError::from(ErrorType::IncompleteSignature))?;
    match value.split_once(' ') {
        Some(("Bearer", key)) if bool::from(key.trim().as_bytes().ct_eq(credentials.api_key.as_bytes())) => {
            Ok(API_KEY_PRINCIPAL.to_owned())
        }
        Some(("Bearer", _)) => Err(ApiError::new(
            ErrorType::AccessDenied,
            "Authentication failed: Please make sure your API Key is valid.",
        )),
        Some((sigv4::ALGORITHM, rest)) => sigv4::verify(parts, rest, body, credentials, region, now),
        _ => Err(ErrorType::MissingAuthenticationToken.into()),
    }
}
