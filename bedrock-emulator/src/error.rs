//! Bedrock's errors: their names, their statuses and the two forms they travel in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An error type of the Bedrock Runtime API, or one of the common ones that its front door gives.
///
/// Names and statuses are those of the `Converse` and `InvokeModel` reference pages and of AWS's page on common errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ErrorType {
    /// 403: the caller may not do this; also a wrong API key.
    AccessDenied,
    /// 403: the session token is over.
    ExpiredToken,
    /// 403: the `Authorization` header is not complete.
    IncompleteSignature,
    /// 500: something failed inside.
    InternalServer,
    /// 403: the signature is wrong, too old or not yet valid.
    InvalidSignature,
    /// 403: there is no `Authorization` header.
    MissingAuthenticationToken,
    /// 424: the model failed.
    ModelError,
    /// 429: the model is not ready; SDKs retry it.
    ModelNotReady,
    /// 424: the model failed in mid-stream.
    ModelStreamError,
    /// 408: the model took too long.
    ModelTimeout,
    /// 413: the body is larger than the service takes.
    RequestTooLarge,
    /// 404: no such thing.
    ResourceNotFound,
    /// 400: the body is not the JSON that the operation takes.
    Serialization,
    /// 400: a quota of the account is used up.
    ServiceQuotaExceeded,
    /// 503: try again.
    ServiceUnavailable,
    /// 429: too many requests or tokens.
    Throttling,
    /// 404: no such operation.
    UnknownOperation,
    /// 403: the access key or session token is not known.
    UnrecognizedClient,
    /// 400: the request breaks a rule.
    Validation,
}

const ALL: [(ErrorType, &str, u16, &str); 19] = [
    (
        ErrorType::AccessDenied,
        "AccessDeniedException",
        403,
        "You don't have access to the model with the specified model ID.",
    ),
    (ErrorType::ExpiredToken, "ExpiredTokenException", 403, "The security token included in the request is expired"),
    (
        ErrorType::IncompleteSignature,
        "IncompleteSignatureException",
        403,
        "The request signature does not conform to AWS standards.",
    ),
    (
        ErrorType::InternalServer,
        "InternalServerException",
        500,
        "The system encountered an unexpected error during processing. Try your request again.",
    ),
    (
        ErrorType::InvalidSignature,
        "InvalidSignatureException",
        403,
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
    ),
    (ErrorType::MissingAuthenticationToken, "MissingAuthenticationTokenException", 403, "Missing Authentication Token"),
    (
        ErrorType::ModelError,
        "ModelErrorException",
        424,
        "The request failed due to an error while processing the model.",
    ),
    (ErrorType::ModelNotReady, "ModelNotReadyException", 429, "The model is not ready to serve inference requests."),
    (
        ErrorType::ModelStreamError,
        "ModelStreamErrorException",
        424,
        "The model stopped streaming because of an error. Try your request again.",
    ),
    (
        ErrorType::ModelTimeout,
        "ModelTimeoutException",
        408,
        "The request took too long to process. Processing time exceeded the model timeout length.",
    ),
    (
        ErrorType::RequestTooLarge,
        "RequestEntityTooLargeException",
        413,
        "The request body is larger than the service takes.",
    ),
    (ErrorType::ResourceNotFound, "ResourceNotFoundException", 404, "The specified resource ARN was not found."),
    (ErrorType::Serialization, "SerializationException", 400, "The request body is not valid JSON for this operation."),
    (
        ErrorType::ServiceQuotaExceeded,
        "ServiceQuotaExceededException",
        400,
        "Your request exceeds the service quota for your account.",
    ),
    (ErrorType::ServiceUnavailable, "ServiceUnavailableException", 503, "Bedrock is unable to process your request."),
    (ErrorType::Throttling, "ThrottlingException", 429, "Too many requests, please wait before trying again."),
    (ErrorType::UnknownOperation, "UnknownOperationException", 404, "No operation of this name and method."),
    (
        ErrorType::UnrecognizedClient,
        "UnrecognizedClientException",
        403,
        "The security token included in the request is invalid.",
    ),
    (ErrorType::Validation, "ValidationException", 400, "The request does not satisfy the constraints of the service."),
];

impl ErrorType {
    fn row(self) -> &'static (ErrorType, &'static str, u16, &'static str) {
        &ALL[self as usize]
    }

    /// The name in `x-amzn-ErrorType`, as in `ThrottlingException`.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// The HTTP status it has when it is the whole response.
    pub fn status(self) -> u16 {
        self.row().2
    }

    /// The text that a scripted error carries when none is given.
    pub fn default_message(self) -> &'static str {
        self.row().3
    }

    /// The name in `:exception-type` of an event stream, as in `throttlingException`.
    pub fn exception_name(self) -> String {
        let name = self.name();
        let mut camel = String::with_capacity(name.len());
        camel.push(name.as_bytes()[0].to_ascii_lowercase().into());
        camel.push_str(&name[1..]);
        camel
    }
}

impl fmt::Display for ErrorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no error of Bedrock.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an error type of Bedrock; one is, for example, ThrottlingException")]
pub struct UnknownErrorTypeError(String);

/// Takes `ThrottlingException`, `throttlingException` and `throttling` alike.
impl FromStr for ErrorType {
    type Err = UnknownErrorTypeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let short = |name: &str| name.to_ascii_lowercase().trim_end_matches("exception").to_owned();
        let wanted = short(text);
        ALL.iter()
            .find(|row| short(row.1) == wanted)
            .map(|row| row.0)
            .ok_or_else(|| UnknownErrorTypeError(text.to_owned()))
    }
}

impl TryFrom<String> for ErrorType {
    type Error = UnknownErrorTypeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ErrorType> for String {
    fn from(error: ErrorType) -> String {
        error.name().to_owned()
    }
}

/// An error as it is sent: the type decides the status, the message is for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {message}")]
pub(crate) struct ApiError {
    pub(crate) kind: ErrorType,
    pub(crate) message: String,
}

impl ApiError {
    pub(crate) fn new(kind: ErrorType, message: impl Into<String>) -> Self {
        ApiError { kind, message: message.into() }
    }

    pub(crate) fn validation(message: impl Into<String>) -> Self {
        ApiError::new(ErrorType::Validation, message)
    }

    /// A rule that the model, not Bedrock itself, enforces.
    pub(crate) fn from_model(message: impl fmt::Display) -> Self {
        ApiError::validation(format!("The model returned the following errors: {message}"))
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        serde_json::json!({ "message": self.message }).to_string().into_bytes()
    }
}

impl From<ErrorType> for ApiError {
    fn from(kind: ErrorType) -> Self {
        ApiError::new(kind, kind.default_message())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_finds_its_own_row_under_each_of_its_names() {
        for (kind, name, status, _) in ALL {
            assert_eq!((kind.name(), kind.status()), (name, status));
            assert_eq!(name.parse(), Ok(kind));
            assert_eq!(kind.exception_name().parse(), Ok(kind));
        }
        assert_eq!(ErrorType::ModelStreamError.exception_name(), "modelStreamErrorException");
        assert!("teapot".parse::<ErrorType>().is_err());
    }
}
