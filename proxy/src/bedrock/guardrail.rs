//! The guardrail that watches over every call.
//!
//! What it blocks is not an error: Bedrock answers in its own words, which the operator wrote, and stops with
//! `guardrail_intervened`.

use aws_sdk_bedrockruntime::types::{
    GuardrailConfiguration, GuardrailStreamConfiguration, GuardrailStreamProcessingMode, GuardrailTrace,
};

/// A guardrail of Bedrock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guardrail {
    /// Its id or ARN.
    pub id: String,
    /// Its version: a number, or `DRAFT`.
    pub version: String,
    /// Whether text of a stream may come before it was looked at.
    pub sends_unchecked: bool,
}

impl Guardrail {
    /// For an answer that comes whole. There is no trace: it would repeat what was blocked.
    pub(super) fn of_whole(&self) -> GuardrailConfiguration {
        let Self { id, version, .. } = self;
        GuardrailConfiguration::builder()
            .guardrail_identifier(id)
            .guardrail_version(version)
            .trace(GuardrailTrace::Disabled)
            .build()
    }

    /// For an answer that comes as it is made.
    pub(super) fn of_stream(&self) -> GuardrailStreamConfiguration {
        let Self { id, version, sends_unchecked } = self;
        let mode =
            if *sends_unchecked { GuardrailStreamProcessingMode::Async } else { GuardrailStreamProcessingMode::Sync };
        GuardrailStreamConfiguration::builder()
            .guardrail_identifier(id)
            .guardrail_version(version)
            .trace(GuardrailTrace::Disabled)
            .stream_processing_mode(mode)
            .build()
    }
}
