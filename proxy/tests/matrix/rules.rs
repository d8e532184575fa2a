//! What the rules say of a cell. Written from the protocol page and the README, not from the proxy.

use bedrock_emulator::ErrorType;

use crate::cells::{Cell, REASONING, TEXT, What, When};

/// How often a model that refuses is called in all.
pub(crate) const MAX_ATTEMPTS: usize = 4;

/// What a client sees and what is billed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expected {
    /// The error's code and whether it says that trying again makes sense; none for a whole answer.
    pub(crate) error: Option<(&'static str, bool)>,
    /// The text and the reasoning that were relayed.
    pub(crate) text: &'static str,
    pub(crate) reasoning: &'static str,
    /// Calls of Bedrock, and how many of them a model would bill.
    pub(crate) calls: usize,
    pub(crate) billed: usize,
}

/// How a call that fails is treated.
enum Class {
    /// Refused before a model saw it: not billed, worth more attempts.
    Refused,
    /// Broke off: may be billed, worth one more call while nothing has come of the answer.
    Broken,
    /// Would fail again.
    Final,
}

pub(crate) fn expected(cell: &Cell) -> Expected {
    let (text, reasoning) = relayed_before(cell.when);
    if cell.when == When::AfterMetadata {
        // With messageStop and metadata the answer is whole, whatever follows.
        return Expected { error: None, text, reasoning, calls: 1, billed: 1 };
    }
    let class = match cell.what {
        What::Http(error) => match error {
            ErrorType::Throttling
            | ErrorType::InternalServer
            | ErrorType::ServiceUnavailable
            | ErrorType::ModelNotReady => Class::Refused,
            _ => Class::Final,
        },
        What::DailyQuota | What::Exception(ErrorType::Validation | ErrorType::ModelTimeout) => Class::Final,
        _ => Class::Broken,
    };
    let calls = match class {
        Class::Refused => MAX_ATTEMPTS,
        Class::Broken if !has_begun(cell.when) => 2,
        Class::Broken | Class::Final => 1,
    };
    let refused = matches!(cell.what, What::Http(_) | What::DailyQuota);
    if cell.once && calls > 1 {
        let (text, reasoning) = relayed_before(When::AfterMetadata);
        return Expected { error: None, text, reasoning, calls: 2, billed: if refused { 1 } else { 2 } };
    }
    Expected { error: Some(error(cell)), text, reasoning, calls, billed: if refused { 0 } else { calls } }
}

/// Whether a content block of the model has begun: from then on another call would be a second bill.
fn has_begun(when: When) -> bool {
    match when {
        When::BeforeHeaders | When::AfterHeaders | When::BeforeContent | When::InFirstFrame | When::InWholeBody => {
            false
        }
        When::InReasoning
        | When::InText
        | When::InFrame
        | When::AtToolUse
        | When::InToolInput
        | When::AfterMessageStop
        | When::AfterMetadata => true,
    }
}

fn relayed_before(when: When) -> (&'static str, &'static str) {
    match when {
        When::BeforeHeaders
        | When::AfterHeaders
        | When::BeforeContent
        | When::InFirstFrame
        | When::AtToolUse
        | When::InWholeBody => ("", ""),
        When::InReasoning => ("", &REASONING[..5]),
        When::InText | When::InFrame => (&TEXT[..13], ""),
        When::InToolInput | When::AfterMessageStop | When::AfterMetadata => (TEXT, ""),
    }
}

fn error(cell: &Cell) -> (&'static str, bool) {
    match cell.what {
        What::Http(error) | What::Exception(error) => match error {
            ErrorType::Throttling => ("throttled", true),
            ErrorType::InternalServer | ErrorType::ServiceUnavailable => ("upstream_unavailable", true),
            ErrorType::ModelNotReady => ("model_not_ready", true),
            ErrorType::Validation => ("invalid_request", false),
            ErrorType::AccessDenied => ("model_access_denied", false),
            ErrorType::ResourceNotFound => ("model_not_found", false),
            ErrorType::ModelError | ErrorType::ModelStreamError => ("upstream_stream_error", true),
            ErrorType::ModelTimeout => ("upstream_timeout", true),
            // A quota of the account comes back by itself only where it is one of a time.
            ErrorType::ServiceQuotaExceeded => ("throttled", false),
            other => unreachable!("no cell has {other}"),
        },
        What::DailyQuota => ("throttled", false),
        What::Silence => ("upstream_timeout", true),
        What::Cut | What::Reset if cell.when == When::BeforeHeaders => ("upstream_unavailable", true),
        What::Cut | What::Reset | What::Checksum | What::Length | What::Garbage | What::ProperEnd => {
            ("upstream_stream_error", true)
        }
    }
}
