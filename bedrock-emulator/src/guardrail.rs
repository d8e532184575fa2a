//! Guardrails: what a request says of one, and what becomes of an answer that it blocks.

use serde::{Deserialize, Serialize};

use crate::answer::{Answer, Part, StopReason, Usage};
use crate::error::ApiError;
use crate::tokens;

/// What is said in place of an answer to a message that was blocked.
pub const BLOCKED_INPUT: &str = "Sorry, the guardrail blocked this message.";

/// What is said in place of an answer that was blocked, or of the rest of it.
pub const BLOCKED_OUTPUT: &str = "Sorry, the guardrail blocked this answer.";

const MAX_IDENTIFIER_CHARS: usize = 2_048;

/// What a guardrail blocks. Without one in the request nothing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Intervention {
    /// The message: no model runs, and nothing is used.
    Input {},
    /// The answer. In a stream the first tokens of it have come by then.
    Output {
        /// How many.
        after_tokens: u32,
    },
}

/// `guardrailConfig`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct GuardrailConfig {
    guardrail_identifier: Option<String>,
    guardrail_version: Option<String>,
    trace: Option<String>,
    stream_processing_mode: Option<String>,
}

impl GuardrailConfig {
    pub(crate) fn check(&self) -> Result<(), ApiError> {
        let field = |name: &str, value: Option<&str>, fits: bool| match value {
            _ if fits => Ok(()),
            None => Err(ApiError::validation(format!(
                "1 validation error detected: Value null at 'guardrailConfig.{name}' failed to satisfy constraint: Member must not be null"
            ))),
            Some(value) => Err(ApiError::validation(format!(
                "1 validation error detected: Value '{value}' at 'guardrailConfig.{name}' failed to satisfy constraint: Member must be one that the API documents"
            ))),
        };
        let identifier = self.guardrail_identifier.as_deref();
        field("guardrailIdentifier", identifier, identifier.is_some_and(is_identifier))?;
        let version = self.guardrail_version.as_deref();
        field("guardrailVersion", version, version.is_some_and(is_version))?;
        let one_of = |value: Option<&str>, known: &[&str]| value.is_none_or(|value| known.contains(&value));
        let (trace, mode) = (self.trace.as_deref(), self.stream_processing_mode.as_deref());
        field("trace", trace, one_of(trace, &["enabled", "disabled", "enabled_full"]))?;
        field("streamProcessingMode", mode, one_of(mode, &["sync", "async"]))
    }
}

fn is_identifier(text: &str) -> bool {
    let is_id = |id: &str| !id.is_empty() && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let in_arn = |arn: &str| {
        let parts: Vec<&str> = arn.split(':').collect();
        matches!(parts.as_slice(), ["arn", partition, "bedrock", region, account, resource]
            if partition.starts_with("aws") && !region.is_empty()
                && account.len() == 12 && account.chars().all(|c| c.is_ascii_digit())
                && resource.strip_prefix("guardrail/").is_some_and(is_id))
    };
    text.len() <= MAX_IDENTIFIER_CHARS && (is_id(text) || in_arn(text))
}

fn is_version(text: &str) -> bool {
    let is_number = (1..=8).contains(&text.len()) && !text.starts_with('0') && text.chars().all(|c| c.is_ascii_digit());
    text == "DRAFT" || is_number
}

impl Intervention {
    /// What becomes of `answer`. What its model used stays what it is.
    pub(crate) fn block(self, answer: Answer, stream: bool) -> Answer {
        let (text, usage) = match self {
            Intervention::Input {} => (BLOCKED_INPUT.to_owned(), Usage::default()),
            Intervention::Output { after_tokens } => {
                let before = if stream { after_tokens as usize } else { 0 };
                let whole: String =
                    answer.parts.iter().filter(|part| matches!(part, Part::Text(_))).map(Part::content).collect();
                let sent: String = tokens::pieces(&whole).take(before).collect();
                let seam = if sent.is_empty() { "" } else { "\n\n" };
                (format!("{sent}{seam}{BLOCKED_OUTPUT}"), answer.usage)
            }
        };
        Answer {
            parts: vec![Part::Text(text)],
            stop_reason: StopReason::GuardrailIntervened,
            stop_sequence: None,
            usage,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(identifier: &str, version: &str) -> GuardrailConfig {
        GuardrailConfig {
            guardrail_identifier: Some(identifier.to_owned()),
            guardrail_version: Some(version.to_owned()),
            ..GuardrailConfig::default()
        }
    }

    #[test]
    fn a_guardrail_is_named_by_id_or_arn_with_a_version() {
        let arn = "arn:aws:bedrock:us-east-1:123456789012:guardrail/a1b2";
        for (identifier, version) in [("a1b2", "1"), (arn, "DRAFT"), ("x", "12345678")] {
            assert!(config(identifier, version).check().is_ok(), "{identifier} {version}");
        }
        for (identifier, version, named) in [
            ("A1", "1", "guardrailIdentifier"),
            ("", "1", "guardrailIdentifier"),
            ("arn:aws:bedrock:us-east-1:1:guardrail/a", "1", "guardrailIdentifier"),
            ("a1", "", "guardrailVersion"),
            ("a1", "0", "guardrailVersion"),
            ("a1", "draft", "guardrailVersion"),
        ] {
            let error = config(identifier, version).check().expect_err(identifier);
            assert!(error.message.contains(named), "{}", error.message);
        }
        assert!(GuardrailConfig::default().check().is_err());
        let mode = |mode: &str| GuardrailConfig { stream_processing_mode: Some(mode.to_owned()), ..config("a", "1") };
        assert!(mode("async").check().is_ok() && mode("later").check().is_err());
        let trace = |trace: &str| GuardrailConfig { trace: Some(trace.to_owned()), ..config("a", "1") };
        assert!(trace("disabled").check().is_ok() && trace("off").check().is_err());
    }

    #[test]
    fn a_blocked_message_uses_nothing_and_a_blocked_answer_what_its_model_used() {
        let usage = Usage { input_tokens: 5, output_tokens: 3, ..Usage::default() };
        let answer = Answer {
            parts: vec![Part::Text("one two three".to_owned())],
            stop_reason: StopReason::EndTurn,
            stop_sequence: None,
            usage,
        };
        let input = Intervention::Input {}.block(answer.clone(), true);
        assert_eq!((input.parts[0].content(), input.usage), (BLOCKED_INPUT, Usage::default()));
        let output = Intervention::Output { after_tokens: 2 };
        let streamed = output.block(answer.clone(), true);
        assert_eq!(
            (streamed.parts[0].content(), streamed.usage),
            ("one two\n\nSorry, the guardrail blocked this answer.", usage)
        );
        assert_eq!(output.block(answer, false).parts[0].content(), BLOCKED_OUTPUT);
        assert_eq!(streamed.stop_reason.name(), "guardrail_intervened");
    }
}
