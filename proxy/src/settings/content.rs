//! What may be said, by whom to which model, and what watches over it.

use clap::Args;

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
}
