//! Prices, budgets, and who is told of them.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Secret;
use crate::ledger::Budget;

/// What metrics are written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MetricsFormat {
    /// CloudWatch's embedded metric format.
    Emf,
}

/// Prices, budgets, and who is told of them.
#[derive(Debug, Args)]
pub struct Money {
    /// A table of models and prices instead of the one built in: a CSV file with the columns of data/models.csv. Its name without the
    /// ending, such as 2027-01-15, is the version that costs refer to.
    #[arg(long, env = "OUTCROP_PRICES", value_name = "FILE", help_heading = "Money")]
    pub prices: Option<PathBuf>,
    /// What may be spent, each as WHO/TIME=AMOUNT, separated by commas: user/day=5usd, organization/month=2000000tokens, proxy/day=100usd.
    #[arg(long, env = "OUTCROP_BUDGETS", value_delimiter = ',', value_name = "BUDGETS", help_heading = "Money")]
    pub budgets: Vec<Budget>,
    /// What administrators show at /admin/usage and /admin/calls, 16 characters or more; without it these are off. Everybody on this
    /// machine can read a flag: better set the environment.
    #[arg(long, env = "OUTCROP_ADMIN_TOKEN", hide_env_values = true, value_name = "TOKEN", help_heading = "Money")]
    pub admin_token: Option<Secret>,
    /// How much of a budget has to be spent for an alert, in percent, separated by commas.
    #[arg(long, env = "OUTCROP_ALERT_AT", value_delimiter = ',', default_value = "50,80,100", value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(1..=100), help_heading = "Money")]
    pub alert_at: Vec<u32>,
    /// How many times the usual tokens a user may use in an hour without an alert: the usual is the mean of the hours of use in the 7
    /// days before.
    #[arg(long, env = "OUTCROP_ALERT_UNUSUAL", default_value_t = 10, value_name = "TIMES", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Money")]
    pub alert_unusual: u32,
    /// How many tokens a user may use in an hour without an alert, however unusual it is.
    #[arg(
        long,
        env = "OUTCROP_ALERT_UNUSUAL_TOKENS",
        default_value_t = 100_000,
        value_name = "N",
        help_heading = "Money"
    )]
    pub alert_unusual_tokens: u64,
    /// Where alerts are sent besides the log: an address that takes JSON by POST.
    #[arg(long, env = "OUTCROP_ALERT_WEBHOOK", hide_env_values = true, value_name = "URL", help_heading = "Money")]
    pub alert_webhook: Option<Secret>,
    /// Write metrics to standard output: emf is CloudWatch's embedded metric format.
    #[arg(long, env = "OUTCROP_METRICS", value_enum, value_name = "FORMAT", help_heading = "Money")]
    pub metrics: Option<MetricsFormat>,
}
