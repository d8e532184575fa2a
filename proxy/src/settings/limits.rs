//! How much each may use, so that there is enough for all.

use std::{num::NonZeroU32, time::Duration};

use clap::Args;

use super::duration;
use crate::turn::{
    MaxTurns,
    queue::Width,
    rates::{PerMinute, Rates},
};

/// How much each may use. What holds for a user or an organization holds where authentication is on: without it there is one person.
#[derive(Debug, Clone, Args)]
pub struct Limits {
    /// The most messages of one user in a minute. A minute's worth may come at once.
    #[arg(
        long,
        env = "OUTCROP_USER_MESSAGES_PER_MINUTE",
        default_value = "60",
        value_name = "N",
        help_heading = "Limits"
    )]
    pub user_messages_per_minute: NonZeroU32,
    /// The most messages of one organization in a minute.
    #[arg(
        long,
        env = "OUTCROP_ORGANIZATION_MESSAGES_PER_MINUTE",
        default_value = "1000",
        value_name = "N",
        help_heading = "Limits"
    )]
    pub organization_messages_per_minute: NonZeroU32,
    /// The most tokens that the answers of one user may take that begin in a minute: conversation and longest answer, as Bedrock counts
    /// them at the start.
    #[arg(
        long,
        env = "OUTCROP_USER_TOKENS_PER_MINUTE",
        default_value = "1000000",
        value_name = "N",
        help_heading = "Limits"
    )]
    pub user_tokens_per_minute: NonZeroU32,
    /// The same of one organization.
    #[arg(
        long,
        env = "OUTCROP_ORGANIZATION_TOKENS_PER_MINUTE",
        default_value = "10000000",
        value_name = "N",
        help_heading = "Limits"
    )]
    pub organization_tokens_per_minute: NonZeroU32,
    /// The most answers under way for one user.
    #[arg(long, env = "OUTCROP_USER_PARALLEL_TURNS", default_value_t = 16, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Limits")]
    pub user_parallel_turns: u32,
    /// The most answers under way for one organization.
    #[arg(long, env = "OUTCROP_ORGANIZATION_PARALLEL_TURNS", default_value_t = 256, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Limits")]
    pub organization_parallel_turns: u32,
    /// The most answers under way at a time.
    #[arg(long, env = "OUTCROP_MAX_TURNS", default_value_t = 1_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Limits")]
    pub max_turns: u32,
    /// The most answers under way for one socket.
    #[arg(long, env = "OUTCROP_MAX_TURNS_PER_SOCKET", default_value_t = 8, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64), help_heading = "Limits")]
    pub max_turns_per_socket: u32,
    /// The most calls of Bedrock at a time. Others wait, and each user has their turn.
    #[arg(long, env = "OUTCROP_BEDROCK_CALLS", default_value_t = 512, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Limits")]
    pub bedrock_calls: u32,
    /// The most calls of Bedrock that begin in a minute: this proxy's part of the account's quota. Not limited here if not
    /// set.
    #[arg(long, env = "OUTCROP_BEDROCK_REQUESTS_PER_MINUTE", value_name = "N", help_heading = "Limits")]
    pub bedrock_requests_per_minute: Option<NonZeroU32>,
    /// The most tokens that the calls may take that begin in a minute, likewise.
    #[arg(long, env = "OUTCROP_BEDROCK_TOKENS_PER_MINUTE", value_name = "N", help_heading = "Limits")]
    pub bedrock_tokens_per_minute: Option<NonZeroU32>,
    /// The most calls that wait.
    #[arg(long, env = "OUTCROP_QUEUE_LENGTH", default_value_t = 1_000, value_name = "N", help_heading = "Limits")]
    pub queue_length: u32,
    /// The most calls of one user that wait.
    #[arg(long, env = "OUTCROP_QUEUE_LENGTH_PER_USER", default_value_t = 8, value_name = "N", help_heading = "Limits")]
    pub queue_length_per_user: u32,
    /// How long a call waits.
    #[arg(long, env = "OUTCROP_QUEUE_TIMEOUT", default_value = "60s", value_name = "TIME", value_parser = duration, help_heading = "Timers")]
    pub queue_timeout: Duration,
}

impl Limits {
    /// What may be used in a minute; without limit where there is only one person.
    pub fn rates(&self, is_one_person: bool) -> Rates {
        if is_one_person {
            return Rates::default();
        }
        let user = PerMinute { messages: self.user_messages_per_minute, tokens: self.user_tokens_per_minute };
        let organization =
            PerMinute { messages: self.organization_messages_per_minute, tokens: self.organization_tokens_per_minute };
        Rates::new(user, organization)
    }

    /// How many answers may be under way.
    pub fn turns(&self, is_one_person: bool) -> MaxTurns {
        let all = self.max_turns as usize;
        let (of_user, of_organization) = match is_one_person {
            true => (all, all),
            false => (self.user_parallel_turns as usize, self.organization_parallel_turns as usize),
        };
        MaxTurns { all, of_user, of_organization }
    }

    /// The line in front of Bedrock.
    pub fn width(&self, is_one_person: bool) -> Width {
        let waiting_of_owner = if is_one_person { self.queue_length } else { self.queue_length_per_user };
        Width {
            calls: self.bedrock_calls as usize,
            waiting: self.queue_length as usize,
            waiting_of_owner: waiting_of_owner as usize,
            requests_per_minute: self.bedrock_requests_per_minute,
            tokens_per_minute: self.bedrock_tokens_per_minute,
        }
    }
}
