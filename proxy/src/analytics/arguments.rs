//! What models ask with.

use protocol::client::{GroupBy, UsageScope};
use rmcp::model::JsonObject;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    days::{Day, Days, Period},
    failure::Failure,
};

/// The most days of one call, as of `chat.get_usage`.
pub(super) const MAX_DAYS: u64 = crate::ledger::report::MAX_RANGE.as_secs() / 86_400;

/// The most days of a trend, which reads as many days before them.
pub(super) const MAX_TREND_DAYS: u64 = MAX_DAYS / 2;

/// How many users are listed where nobody says.
pub(super) const DEFAULT_USERS: u64 = 10;

/// The most users that are listed.
pub(super) const MAX_USERS: u64 = 50;

/// Of `usage_summary`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Summary {
    period: Option<Period>,
    from: Option<Day>,
    to: Option<Day>,
    pub(super) group_by: Option<GroupBy>,
    pub(super) scope: Option<UsageScope>,
}

/// Of `top_users`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Top {
    period: Option<Period>,
    from: Option<Day>,
    to: Option<Day>,
    limit: Option<i64>,
    pub(super) scope: Option<UsageScope>,
}

/// Of `usage_trend`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Trend {
    period: Option<Period>,
    from: Option<Day>,
    to: Option<Day>,
    pub(super) scope: Option<UsageScope>,
}

/// Of tools that take none.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

impl Summary {
    pub(super) fn days(&self, today: Day) -> Result<Days, Failure> {
        Days::asked(self.period, self.from, self.to, today, MAX_DAYS).map_err(Failure::Arguments)
    }
}

impl Top {
    pub(super) fn days(&self, today: Day) -> Result<Days, Failure> {
        Days::asked(self.period, self.from, self.to, today, MAX_DAYS).map_err(Failure::Arguments)
    }

    pub(super) fn limit(&self) -> Result<usize, Failure> {
        let limit = self.limit.map_or(Ok(DEFAULT_USERS), u64::try_from);
        let limit = limit.ok().filter(|limit| (1..=MAX_USERS).contains(limit));
        let wrong =
            || Failure::Arguments(format!("limit is a whole number from 1 to {MAX_USERS}. Call again with one."));
        limit.map(|limit| limit as usize).ok_or_else(wrong)
    }
}

impl Trend {
    pub(super) fn days(&self, today: Day) -> Result<Days, Failure> {
        Days::asked(self.period, self.from, self.to, today, MAX_TREND_DAYS).map_err(Failure::Arguments)
    }
}

/// The arguments of a call.
pub(super) fn read<T: DeserializeOwned>(arguments: JsonObject) -> Result<T, Failure> {
    let wrong = |error| {
        Failure::Arguments(format!("The arguments do not fit the tool's schema: {error}. Call again with others."))
    };
    serde_json::from_value(Value::Object(arguments)).map_err(wrong)
}
