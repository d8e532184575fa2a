//! Which Bedrock, which models, and what becomes of calls that fail.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{Guarding, duration, endpoint};

/// The model that answers where nothing else is set.
pub const DEFAULT_MODEL: &str = "anthropic.claude-3-5-sonnet-20241022-v2:0";

/// When to answer from the built-in emulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Demo {
    /// Always; nothing of AWS is needed.
    Always,
    /// Where no AWS credentials are found.
    Auto,
    /// Never: missing credentials are an error.
    Never,
}

/// Which Bedrock, and which model.
#[derive(Debug, Clone, Args)]
pub struct Upstream {
    /// The model that answers: a model id, an inference profile or an ARN.
    #[arg(long, env = "BEDROCK_MODEL_ID", default_value = DEFAULT_MODEL, value_name = "ID", help_heading = "Bedrock")]
    pub model: String,
    /// Another address than the region's own, such as an interface endpoint.
    #[arg(long, env = "BEDROCK_ENDPOINT_URL", value_name = "URL", value_parser = endpoint, help_heading = "Bedrock")]
    pub endpoint_url: Option<String>,
    /// What watches over every call.
    #[command(flatten)]
    pub guarding: Guarding,
}

/// Who answers.
#[derive(Debug, Args)]
pub struct Bedrock {
    /// The models that clients may name, separated by commas; the default model is always one of them.
    #[arg(long, env = "OUTCROP_MODELS", value_delimiter = ',', value_name = "IDS", help_heading = "Bedrock")]
    pub models: Vec<String>,
    /// The models that are asked, in this order, where the one asked for is busy or failing; separated by commas.
    #[arg(long, env = "OUTCROP_FALLBACK_MODELS", value_delimiter = ',', value_name = "IDS", help_heading = "Bedrock")]
    pub fallback_models: Vec<String>,
    /// How often a model is called in all while it refuses.
    #[arg(long, env = "OUTCROP_MAX_ATTEMPTS", default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=20), help_heading = "Bedrock")]
    pub max_attempts: u32,
    /// The longest wait before the second call; it doubles with each.
    #[arg(long, env = "OUTCROP_RETRY_BASE", default_value = "1s", value_name = "TIME", value_parser = duration, help_heading = "Timers")]
    pub retry_base: Duration,
    /// How long after the start of an answer no further call is begun.
    #[arg(long, env = "OUTCROP_RETRY_TIMEOUT", default_value = "3m", value_name = "TIME", value_parser = duration, help_heading = "Timers")]
    pub retry_timeout: Duration,
    /// Answer from the built-in emulator, without AWS.
    #[arg(long, env = "OUTCROP_DEMO", value_enum, default_value = "never", default_missing_value = "always", num_args = 0..=1, require_equals = true, value_name = "WHEN", help_heading = "Bedrock")]
    pub demo: Demo,
    /// How fast the emulator answers, in tokens a second; 0 is as fast as it can.
    #[arg(long, env = "OUTCROP_DEMO_PACE", default_value_t = 50.0, value_name = "N", value_parser = pace, help_heading = "Bedrock")]
    pub demo_pace: f64,
}

fn pace(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(value) if (0.0..=100_000.0).contains(&value) => Ok(value),
        _ => Err("it is a number of tokens a second, at most 100000".to_owned()),
    }
}
