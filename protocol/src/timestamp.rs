//! Points in time as they travel.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// A point in time: RFC 3339, UTC, milliseconds, such as `2026-11-23T09:30:00.000Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema), ts(as = "String"))]
#[cfg_attr(test, schemars(extend("format" = "date-time")))]
pub struct Timestamp(u64);

impl Timestamp {
    /// The last millisecond of the year 9999, where RFC 3339 ends.
    pub const MAX: Self = Self(253_402_300_799_999);

    /// A point `ms` milliseconds after 1970-01-01T00:00:00Z, at most [`Timestamp::MAX`].
    pub const fn from_unix_ms(ms: u64) -> Self {
        if ms < Self::MAX.0 { Self(ms) } else { Self::MAX }
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub const fn unix_ms(self) -> u64 {
        self.0
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Self::from_unix_ms(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(self.0);
        humantime::format_rfc3339_millis(time).fmt(f)
    }
}

impl From<Timestamp> for String {
    fn from(timestamp: Timestamp) -> String {
        timestamp.to_string()
    }
}

impl TryFrom<String> for Timestamp {
    type Error = humantime::TimestampError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        humantime::parse_rfc3339(&text).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_rfc_3339_with_milliseconds_in_utc() {
        let text = "2026-11-23T09:30:00.007Z";
        let parsed = Timestamp::try_from(text.to_owned()).unwrap();
        assert_eq!(parsed.unix_ms(), 1_795_426_200_007);
        assert_eq!(parsed.to_string(), text);
        assert_eq!(Timestamp::from_unix_ms(u64::MAX).to_string(), "9999-12-31T23:59:59.999Z");
        assert!(Timestamp::try_from("yesterday".to_owned()).is_err());
    }
}
