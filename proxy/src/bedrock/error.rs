//! What can go wrong at Bedrock, in the protocol's codes and in words a person can act on.

use std::time::Duration;

use aws_sdk_bedrockruntime::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use protocol::{ErrorCode, ErrorData};
use serde::Deserialize;

use crate::turn::{
    breaker::Health,
    queue::{self, Refused},
};

/// A call to Bedrock that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct UpstreamError {
    /// The protocol's code for it.
    pub code: ErrorCode,
    /// Bedrock's own words, for the log.
    pub detail: String,
    message: String,
    retry: Retry,
    /// Trying again later is of no use, whatever the code says.
    hopeless: bool,
    /// Bedrock was not asked.
    is_ours: bool,
    retry_after: Option<Duration>,
}

/// Whether the same call may be made again while nothing of its answer was relayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// It would fail again.
    Never,
    /// It was refused before a model saw it, so nothing was billed.
    Refused,
    /// It broke off, and may have been billed.
    Broken,
}

/// Where a call was going, for the message.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The model id or inference profile.
    pub model: &'a str,
    /// The AWS region.
    pub region: &'a str,
}

impl UpstreamError {
    fn new(code: ErrorCode, detail: impl Into<String>, message: impl Into<String>) -> Self {
        let (detail, message) = (detail.into(), message.into());
        Self { code, detail, message, retry: Retry::Never, hopeless: false, is_ours: false, retry_after: None }
    }

    fn retried(self, retry: Retry) -> Self {
        Self { retry, ..self }
    }

    /// Whether the call may be made again.
    pub fn retry(&self) -> Retry {
        self.retry
    }

    /// Whether the call may have been billed though it failed.
    pub fn may_be_billed(&self) -> bool {
        self.retry == Retry::Broken
    }

    /// Whether the model is to blame, and not the request or the credentials.
    fn is_of_the_model(&self) -> bool {
        matches!(
            self.code,
            ErrorCode::Throttled
                | ErrorCode::UpstreamUnavailable
                | ErrorCode::ModelNotReady
                | ErrorCode::UpstreamTimeout
                | ErrorCode::UpstreamStreamError
        )
    }

    /// Whether another model is asked. Not after calls that broke off: each of them may have been billed.
    pub fn is_for_another_model(&self) -> bool {
        self.is_of_the_model() && !self.is_ours && self.code != ErrorCode::UpstreamStreamError && !self.may_be_billed()
    }

    /// What it says of the model's health.
    pub fn health(&self) -> Health {
        match self.code {
            ErrorCode::Throttled => Health::Busy,
            _ if self.is_of_the_model() => Health::Fails,
            _ => Health::Answers,
        }
    }

    /// The model failed so often that it is not called for `wait`.
    pub fn circuit_open(wait: Duration, target: Target<'_>) -> Self {
        let Target { model, region } = target;
        let seconds = wait.as_secs() + 1;
        let message = format!("{model} in {region} has failed again and again. It is tried again in {seconds} s.");
        let error = Self::new(ErrorCode::UpstreamUnavailable, "not called: it keeps failing", message);
        Self { retry_after: Some(wait), ..error }
    }

    /// There is no place for the call, so Bedrock was not asked.
    pub fn no_place(refused: Refused) -> Self {
        let (code, message) = match refused {
            Refused::TooManyOfOwner(most) => (
                ErrorCode::RateLimited,
                format!("{most} answers of one user wait for a place at Bedrock, the most. Wait for one of them."),
            ),
            Refused::TooMany(most) => (
                ErrorCode::Throttled,
                format!("{most} answers wait for a place at Bedrock, the most there may be. Try again in a moment."),
            ),
            Refused::TooLong(waited) => (
                ErrorCode::Throttled,
                format!("There was no place at Bedrock for {}. Try again in a moment.", in_words(waited)),
            ),
        };
        let error = Self::new(code, "not called: the line is too long", message);
        Self { is_ours: true, retry_after: Some(queue::RETRY_AFTER), ..error }
    }

    /// A stream that is not what Bedrock documents, or that ended before its end.
    pub fn broken_stream(detail: &str) -> Self {
        let message =
            "Bedrock's answer broke off. What had come is kept; send the message again to get a whole answer.";
        Self::new(ErrorCode::UpstreamStreamError, detail, message).retried(Retry::Broken)
    }

    /// Bedrock was silent for longer than the time it has.
    pub fn silent(waited: Duration) -> Self {
        let waited = in_words(waited);
        Self::new(
            ErrorCode::UpstreamTimeout,
            format!("nothing for {waited}"),
            format!("Bedrock sent nothing for {waited}, so the answer was given up. Try again in a moment."),
        )
        .retried(Retry::Broken)
    }

    /// The answer took longer than any may.
    pub fn too_long(limit: Duration) -> Self {
        let limit = in_words(limit);
        Self::new(
            ErrorCode::UpstreamTimeout,
            format!("more than {limit}"),
            format!("The answer took more than {limit} and was ended. Ask for less at once."),
        )
    }

    /// The answer is longer than any may be.
    pub fn too_large(limit_bytes: usize) -> Self {
        Self::new(
            ErrorCode::UpstreamStreamError,
            format!("more than {limit_bytes} bytes"),
            format!("The answer grew past {} KiB and was ended.", limit_bytes / 1024),
        )
    }

    /// As it is told to the client.
    pub fn into_data(self) -> ErrorData {
        let mut data = ErrorData::new(self.code, self.message);
        data.retryable &= !self.hopeless;
        data.retry_after_ms = self.retry_after.map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
        data
    }

    /// What a service error of type `kind` with Bedrock's message means, before any of a stream.
    pub fn service(kind: &str, detail: &str, target: Target<'_>) -> Self {
        let Target { model, region } = target;
        let said = detail.to_ascii_lowercase();
        let daily = said.contains("per day") || said.contains("daily");
        let (code, message) = match kind {
            "ThrottlingException" | "TooManyRequestsException" if daily => (
                ErrorCode::Throttled,
                format!(
                    "The account's daily quota for {model} in {region} is used up. It renews in up to a day; a quota increase or another model helps before that."
                ),
            ),
            "ThrottlingException" | "TooManyRequestsException" => (
                ErrorCode::Throttled,
                format!(
                    "Bedrock takes no more requests for {model} in {region} right now. Wait a moment and try again."
                ),
            ),
            "ServiceQuotaExceededException" => {
                (ErrorCode::Throttled, format!("A quota of the account for {model} in {region} is used up: {detail}"))
            }
            "AccessDeniedException" | "ResourceNotFoundException" | "ValidationException"
                if said.contains("guardrail") =>
            {
                (
                    ErrorCode::ModelAccessDenied,
                    format!(
                        "The guardrail that the proxy is set to use cannot be used in {region}: check OUTCROP_GUARDRAIL_ID and OUTCROP_GUARDRAIL_VERSION, and allow bedrock:ApplyGuardrail on it in the IAM policy of the proxy's credentials. ({detail})"
                    ),
                )
            }
            "AccessDeniedException" if said.contains("not authorized to perform") => (
                ErrorCode::ModelAccessDenied,
                format!(
                    "The proxy's credentials may not use {model} in {region}: allow bedrock:InvokeModel and bedrock:InvokeModelWithResponseStream on the model (and on the inference profile, if it is one) in their IAM policy."
                ),
            ),
            "AccessDeniedException" => (
                ErrorCode::ModelAccessDenied,
                format!(
                    "Model access is not enabled for {model} in {region}: an administrator of the AWS account enables it in the Bedrock console under Model access."
                ),
            ),
            "ResourceNotFoundException" if said.contains("use case details") => (
                ErrorCode::ModelAccessDenied,
                format!(
                    "{model} is not open to this AWS account yet: an administrator submits the use case form of its provider in the Bedrock console, and it takes effect some minutes later."
                ),
            ),
            "ValidationException" if said.contains("operation not allowed") => (
                ErrorCode::ModelAccessDenied,
                format!(
                    "Bedrock does not let this AWS account call {model} in {region}: check Model access in the Bedrock console, and ask AWS Support where it is enabled, since new accounts can be restricted."
                ),
            ),
            "ResourceNotFoundException" => (
                ErrorCode::ModelNotFound,
                format!(
                    "Bedrock has no {model} in {region}: check BEDROCK_MODEL_ID and AWS_REGION, or whether the model has reached its end of life. ({detail})"
                ),
            ),
            "ValidationException" if said.contains("on-demand throughput") => (
                ErrorCode::ModelNotFound,
                format!(
                    "{model} cannot be called by its own id in {region}: use an inference profile, such as us.{model}, as BEDROCK_MODEL_ID."
                ),
            ),
            "ValidationException" if said.contains("model identifier is invalid") => (
                ErrorCode::ModelNotFound,
                format!("{model} is no model that Bedrock knows in {region}: check BEDROCK_MODEL_ID and AWS_REGION."),
            ),
            "ValidationException"
                if said.contains("too long") || said.contains("too many input tokens") || said.contains("context") =>
            {
                (
                    ErrorCode::ContextOverflow,
                    format!(
                        "The conversation is longer than {model} can read. Start a new one, or shorten the message."
                    ),
                )
            }
            "ValidationException" => {
                (ErrorCode::InvalidRequest, format!("Bedrock refused the request for {model}: {detail}"))
            }
            "ModelNotReadyException" => {
                (ErrorCode::ModelNotReady, format!("Bedrock is still loading {model}. Try again in a minute."))
            }
            "ModelTimeoutException" => (
                ErrorCode::UpstreamTimeout,
                format!("{model} took too long to answer. Try again, or ask for less at once."),
            ),
            "ModelErrorException" | "ModelStreamErrorException" => {
                (ErrorCode::UpstreamStreamError, format!("{model} failed while it answered: {detail} Try again."))
            }
            "UnrecognizedClientException"
            | "InvalidSignatureException"
            | "ExpiredTokenException"
            | "ExpiredToken"
            | "MissingAuthenticationTokenException"
            | "IncompleteSignatureException"
            | "NotAuthorized" => (
                ErrorCode::ModelAccessDenied,
                format!(
                    "AWS does not accept the proxy's credentials ({kind}). Renew them and restart the proxy; `outcrop-proxy check` tells more."
                ),
            ),
            _ => (
                ErrorCode::UpstreamUnavailable,
                format!("Bedrock cannot answer right now ({kind}). Try again in a moment."),
            ),
        };
        let used_up = code == ErrorCode::Throttled && (daily || kind == "ServiceQuotaExceededException");
        let retry = match code {
            ErrorCode::Throttled if !used_up => Retry::Refused,
            ErrorCode::ModelNotReady | ErrorCode::UpstreamUnavailable => Retry::Refused,
            _ => Retry::Never,
        };
        let error = Self::new(code, format!("{kind}: {detail}"), message).retried(retry);
        Self { hopeless: used_up, ..error }
    }
}

/// An error of an SDK call, before any of its stream.
pub(super) fn call_error<E>(error: &SdkError<E>, target: Target<'_>) -> UpstreamError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    // A 200 that cannot be read is an answer that broke off, and may be billed: the SDK calls it a service error without a code.
    if error.raw_response().is_some_and(|response| response.status().is_success()) {
        return UpstreamError::broken_stream(&DisplayErrorContext(error).to_string());
    }
    if let Some(service) = error.as_service_error() {
        let kind = service.code().unwrap_or("UnknownError");
        return UpstreamError::service(kind, service.message().unwrap_or_default(), target);
    }
    let detail = DisplayErrorContext(error).to_string();
    let retry = match error {
        SdkError::ConstructionFailure(_) => Retry::Never,
        _ if detail.contains("credentials") => Retry::Never,
        _ if could_not_connect(error) => Retry::Refused,
        _ => Retry::Broken,
    };
    let message = match error {
        SdkError::ConstructionFailure(_) => {
            "The proxy could not sign the request: its AWS credentials or region are missing. `outcrop-proxy check` tells which.".to_owned()
        }
        SdkError::TimeoutError(_) => {
            let message = format!("Bedrock in {} did not answer in time. Try again in a moment.", target.region);
            return UpstreamError::new(ErrorCode::UpstreamTimeout, detail, message).retried(Retry::Broken);
        }
        SdkError::ResponseError(_) => "Bedrock's answer could not be read. Try again in a moment.".to_owned(),
        _ if detail.contains("credentials") => {
            "The proxy has no valid AWS credentials. `outcrop-proxy check` tells what to do.".to_owned()
        }
        _ => format!("The proxy cannot reach Bedrock in {}. Check the network, or try again in a moment.", target.region),
    };
    UpstreamError::new(ErrorCode::UpstreamUnavailable, detail, message).retried(retry)
}

/// Whether no connection came about, so that no model can have seen the request.
fn could_not_connect(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    causes
        .any(|cause| cause.downcast_ref::<hyper_util::client::legacy::Error>().is_some_and(|error| error.is_connect()))
}

/// An exception inside a stream: its type is written with a small first letter, its message is in the payload.
pub(super) fn stream_exception(name: &str, payload: &[u8], target: Target<'_>) -> UpstreamError {
    #[derive(Deserialize)]
    struct Payload {
        #[serde(default, alias = "Message")]
        message: String,
    }
    let detail = serde_json::from_slice::<Payload>(payload).map(|p| p.message).unwrap_or_default();
    let mut kind = name.to_owned();
    if let Some(first) = kind.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let error = UpstreamError::service(&kind, &detail, target);
    // The model had taken the request: what would have been a refusal before the stream may be billed now.
    let breaks = error.retry == Retry::Refused || kind == "ModelStreamErrorException";
    error.retried(if breaks { Retry::Broken } else { Retry::Never })
}

/// A time as a person says it, to the millisecond.
fn in_words(time: Duration) -> String {
    match time.as_millis() {
        ms if ms >= 120_000 && ms % 60_000 == 0 => format!("{} minutes", ms / 60_000),
        ms if ms >= 2_000 && ms % 1_000 == 0 => format!("{} seconds", ms / 1_000),
        ms => format!("{ms} ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: Target<'_> = Target { model: "anthropic.claude-x", region: "us-west-2" };

    #[test]
    fn every_service_error_has_a_code_and_says_what_to_do() {
        let cases = [
            ("ThrottlingException", "Too many requests", ErrorCode::Throttled, "Wait a moment"),
            ("ThrottlingException", "Too many tokens per day", ErrorCode::Throttled, "renews"),
            (
                "AccessDeniedException",
                "User: x is not authorized to perform: bedrock:ApplyGuardrail on resource: y",
                ErrorCode::ModelAccessDenied,
                "OUTCROP_GUARDRAIL_ID",
            ),
            (
                "ValidationException",
                "The guardrail identifier or version provided in the request does not exist.",
                ErrorCode::ModelAccessDenied,
                "bedrock:ApplyGuardrail",
            ),
            (
                "AccessDeniedException",
                "You don't have access to the model",
                ErrorCode::ModelAccessDenied,
                "Model access is not enabled for anthropic.claude-x in us-west-2",
            ),
            (
                "AccessDeniedException",
                "User: x is not authorized to perform: bedrock:InvokeModel",
                ErrorCode::ModelAccessDenied,
                "IAM policy",
            ),
            ("ResourceNotFoundException", "Could not resolve", ErrorCode::ModelNotFound, "AWS_REGION"),
            (
                "ResourceNotFoundException",
                "Model use case details have not been submitted for this account. Fill out the form before using the model.",
                ErrorCode::ModelAccessDenied,
                "use case form",
            ),
            ("ValidationException", "Operation not allowed", ErrorCode::ModelAccessDenied, "Model access"),
            (
                "ValidationException",
                "Invocation with on-demand throughput isn’t supported",
                ErrorCode::ModelNotFound,
                "inference profile",
            ),
            (
                "ValidationException",
                "The provided model identifier is invalid.",
                ErrorCode::ModelNotFound,
                "BEDROCK_MODEL_ID",
            ),
            ("ValidationException", "Input is too long for requested model.", ErrorCode::ContextOverflow, "shorten"),
            ("ValidationException", "temperature is odd", ErrorCode::InvalidRequest, "temperature is odd"),
            ("ModelNotReadyException", "", ErrorCode::ModelNotReady, "minute"),
            ("ModelTimeoutException", "", ErrorCode::UpstreamTimeout, "Try again"),
            ("ModelErrorException", "oops.", ErrorCode::UpstreamStreamError, "oops."),
            ("UnrecognizedClientException", "", ErrorCode::ModelAccessDenied, "outcrop-proxy check"),
            ("InternalServerException", "", ErrorCode::UpstreamUnavailable, "Try again"),
            ("ServiceUnavailableException", "", ErrorCode::UpstreamUnavailable, "Try again"),
        ];
        for (kind, detail, code, expected) in cases {
            let data = UpstreamError::service(kind, detail, TARGET).into_data();
            assert_eq!(data.code, code, "{kind}");
            assert!(data.message.contains(expected), "{kind}: {}", data.message);
            assert_eq!(data.retryable, code.is_retryable() && !detail.contains("per day"), "{kind}");
        }
    }

    #[test]
    fn an_exception_in_the_stream_means_what_it_means_before_it() {
        let error = stream_exception("throttlingException", br#"{"message":"slow down"}"#, TARGET);
        assert_eq!((error.code, error.detail.as_str()), (ErrorCode::Throttled, "ThrottlingException: slow down"));
        assert_eq!(stream_exception("modelStreamErrorException", b"{}", TARGET).code, ErrorCode::UpstreamStreamError);
        assert_eq!(
            stream_exception("internalServerException", b"nonsense", TARGET).code,
            ErrorCode::UpstreamUnavailable
        );
        assert_eq!(stream_exception("", b"", TARGET).code, ErrorCode::UpstreamUnavailable);
    }

    /// A fallback after a call that broke off would be one more bill.
    #[test]
    fn another_model_is_asked_where_nothing_was_billed() {
        let refused = |kind| UpstreamError::service(kind, "", TARGET).is_for_another_model();
        assert!(refused("ThrottlingException") && refused("ServiceUnavailableException"));
        assert!(!refused("ValidationException") && !refused("AccessDeniedException"));
        assert!(!UpstreamError::silent(Duration::from_secs(1)).is_for_another_model());
        assert!(!stream_exception("internalServerException", b"{}", TARGET).is_for_another_model());
    }

    #[test]
    fn a_time_limit_is_told_as_it_was_set() {
        for (ms, expected) in [
            (900_000, "15 minutes"),
            (60_000, "60 seconds"),
            (90_000, "90 seconds"),
            (1_500, "1500 ms"),
            (200, "200 ms"),
        ] {
            let time = Duration::from_millis(ms);
            assert!(UpstreamError::silent(time).into_data().message.contains(&format!("nothing for {expected},")));
            assert!(UpstreamError::too_long(time).into_data().message.contains(&format!("more than {expected} ")));
        }
    }
}
