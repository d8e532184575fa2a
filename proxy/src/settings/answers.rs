//! How answers are made, and how long they may take.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::duration;

/// What becomes of the call of a stopped answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnStop {
    /// It is read to its end, so that what it used is known exactly.
    Drain,
    /// It is dropped; Bedrock is reported to bill it all the same.
    Abort,
}

/// How answers are made, and how long they may take.
#[derive(Debug, Args)]
pub struct Answers {
    /// What the model is told before every conversation.
    #[arg(long, env = "OUTCROP_SYSTEM_PROMPT", value_name = "TEXT", help_heading = "Answers")]
    pub system_prompt: Option<String>,
    /// The most tokens of an answer; a lower limit of the model counts.
    #[arg(long, env = "OUTCROP_MAX_TOKENS", default_value_t = 4_096, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Answers")]
    pub max_tokens: u32,
    /// How freely the model chooses its words, 0 to 1; left out for models that refuse it.
    #[arg(long, env = "OUTCROP_TEMPERATURE", value_name = "T", value_parser = temperature, help_heading = "Answers")]
    pub temperature: Option<f32>,
    /// How many of the latest messages the model is sent, in whole turns.
    #[arg(long, env = "OUTCROP_HISTORY_MESSAGES", default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000), help_heading = "Answers")]
    pub history_messages: u32,
    /// What becomes of the call when a person stops an answer: read on for what it used, or dropped, which leaves an estimate.
    #[arg(
        long,
        env = "OUTCROP_ON_STOP",
        value_enum,
        default_value = "drain",
        value_name = "WHAT",
        help_heading = "Answers"
    )]
    pub on_stop: OnStop,
    /// How long a stopped answer is read on.
    #[arg(long, env = "OUTCROP_STOP_DRAIN_TIMEOUT", default_value = "60s", value_name = "TIME", value_parser = duration, help_heading = "Timers")]
    pub stop_drain_timeout: Duration,
    /// How long an answer goes on that no socket follows; to its end if not set.
    #[arg(long, env = "OUTCROP_UNWATCHED_TIMEOUT", value_name = "TIME", value_parser = duration, help_heading = "Timers")]
    pub unwatched_timeout: Option<Duration>,
    /// How long Bedrock may take to send the first event.
    #[arg(long, env = "OUTCROP_FIRST_EVENT_TIMEOUT", default_value = "120s", value_name = "TIME", value_parser = duration, help_heading = "Timers")]
    pub first_event_timeout: Duration,
    /// How long it may be silent between two events.
    #[arg(long, env = "OUTCROP_EVENT_TIMEOUT", default_value = "60s", value_name = "TIME", value_parser = duration, help_heading = "Timers")]
    pub event_timeout: Duration,
    /// The same while the model reasons.
    #[arg(long, env = "OUTCROP_REASONING_TIMEOUT", default_value = "180s", value_name = "TIME", value_parser = duration, help_heading = "Timers")]
    pub reasoning_timeout: Duration,
    /// How long an answer may take in all.
    #[arg(long, env = "OUTCROP_ANSWER_TIMEOUT", default_value = "15m", value_name = "TIME", value_parser = duration, help_heading = "Timers")]
    pub answer_timeout: Duration,
}

fn temperature(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err("it is a number from 0 to 1".to_owned()),
    }
}
