//! Why a call has no figures, in words that a model can act upon or pass on.

use tracing::warn;

use crate::{
    ledger::{ReportError, report::MAX_ROWS, reports::UsageError},
    store::StoreError,
};

/// The longest reason, in characters: some quote arguments.
const MAX_CHARS: usize = 400;

/// Why a call has no figures.
#[derive(Debug)]
pub(super) enum Failure {
    /// The arguments do not fit; what would.
    Arguments(String),
    /// It is not for this person to see.
    Forbidden,
    /// The report would be too long.
    TooManyRows,
    /// The ledger cannot be read.
    Unavailable,
}

impl Failure {
    /// For the model.
    pub(super) fn told(&self) -> String {
        match self {
            Self::Arguments(text) if text.chars().count() > MAX_CHARS => {
                text.chars().take(MAX_CHARS).chain("…".chars()).collect()
            }
            Self::Arguments(text) => text.clone(),
            Self::Forbidden => "The person you talk to may not see this. Users see their own usage only (scope \"own\"), \
                administrators that of their organization (scope \"organization\"), operators everybody's (scope \"all\"). \
                Tell them so, and offer what their role allows."
                .to_owned(),
            Self::TooManyRows => format!(
                "That makes more than {MAX_ROWS} rows. Choose a shorter range, or group by something coarser, such as day."
            ),
            Self::Unavailable => {
                "The ledger cannot be read at the moment. Say so, and suggest to ask again later.".to_owned()
            }
        }
    }
}

impl From<UsageError> for Failure {
    fn from(error: UsageError) -> Self {
        match error {
            UsageError::Range(text) => Self::Arguments(text.to_owned()),
            UsageError::Forbidden => Self::Forbidden,
            UsageError::Report(ReportError::TooManyRows) => Self::TooManyRows,
            UsageError::Report(ReportError::Store(error)) => error.into(),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        warn!(%error, "a tool could not read the ledger");
        Self::Unavailable
    }
}
