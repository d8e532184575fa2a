//! What may be said, by whom to which model, and what watches over it.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::bedrock::Guardrail;

/// What may be said.
#[derive(Debug, Args)]
pub struct Content {
    /// The longest message, in characters.
    #[arg(long, env = "OUTCROP_MAX_MESSAGE_CHARS", default_value_t = 100_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000), help_heading = "Content")]
    pub max_message_chars: u32,
    /// The longest message, in tokens, estimated at three bytes each. The default leaves half of a context of 200,000 for the rest of
    /// the conversation.
    #[arg(long, env = "OUTCROP_MAX_MESSAGE_TOKENS", default_value_t = 100_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000), help_heading = "Content")]
    pub max_message_tokens: u32,
    /// The longest instructions of a person's own for an answer (systemPrompt), in characters; with 0 none are taken. 8000 if not set, and
    /// 0 with a guardrail, since that does not look at system prompts.
    #[arg(long, env = "OUTCROP_MAX_SYSTEM_PROMPT_CHARS", value_name = "N", value_parser = clap::value_parser!(u32).range(..=100_000), help_heading = "Content")]
    pub max_system_prompt_chars: Option<u32>,
    /// Which of the models each organization may use; all of them if not set. A CSV file with the columns organization and model and a
    /// row for each model of an organization, the model an id or, with a * at its end, what ids begin with; the organization * is
    /// everybody else and has to be there. A rule holds for a model behind inference profiles and ARNs too; an application inference
    /// profile has to be named by its whole ARN.
    #[arg(long, env = "OUTCROP_ORGANIZATION_MODELS", value_name = "FILE", help_heading = "Content")]
    pub organization_models: Option<PathBuf>,
}

/// When text of a stream is looked at by the guardrail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GuardrailMode {
    /// Before it is sent.
    Sync,
    /// Meanwhile: it comes sooner, and what is blocked may have been shown.
    Async,
}

/// What watches over every call.
#[derive(Debug, Clone, Args)]
pub struct Guarding {
    /// The guardrail of Bedrock that every call is made with, by id or ARN. The credentials need bedrock:ApplyGuardrail on it.
    #[arg(
        long,
        env = "OUTCROP_GUARDRAIL_ID",
        value_name = "ID",
        requires = "guardrail_version",
        value_parser = guardrail_id,
        help_heading = "Content"
    )]
    pub guardrail_id: Option<String>,
    /// Its version: a number, or DRAFT.
    #[arg(
        long,
        env = "OUTCROP_GUARDRAIL_VERSION",
        value_name = "VERSION",
        requires = "guardrail_id",
        value_parser = guardrail_version,
        help_heading = "Content"
    )]
    pub guardrail_version: Option<String>,
    /// Whether text of an answer is sent only once the guardrail has looked at it (sync), or meanwhile (async): sooner, but what is
    /// blocked may have been shown.
    #[arg(
        long,
        env = "OUTCROP_GUARDRAIL_MODE",
        value_enum,
        default_value = "sync",
        value_name = "MODE",
        help_heading = "Content"
    )]
    pub guardrail_mode: GuardrailMode,
}

impl Guarding {
    /// The guardrail, if there is one.
    pub fn guardrail(&self) -> Option<Guardrail> {
        let (id, version) = self.guardrail_id.clone().zip(self.guardrail_version.clone())?;
        Some(Guardrail { id, version, sends_unchecked: self.guardrail_mode == GuardrailMode::Async })
    }
}

fn guardrail_id(text: &str) -> Result<String, String> {
    let id = text.rsplit_once(":guardrail/").map_or(text, |(_, id)| id);
    let is_id = !id.is_empty() && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let is_arn = || text.starts_with("arn:aws") && text.contains(":bedrock:");
    match is_id && (id == text || is_arn()) {
        true => Ok(text.to_owned()),
        false => Err("it is the guardrail's id, such as a1b2c3d4e5f6, or its ARN".to_owned()),
    }
}

fn guardrail_version(text: &str) -> Result<String, String> {
    let is_number = !text.starts_with('0') && text.parse::<u32>().is_ok_and(|number| number < 100_000_000);
    match text == "DRAFT" || is_number {
        true => Ok(text.to_owned()),
        false => Err("it is a number such as 1, or DRAFT".to_owned()),
    }
}
