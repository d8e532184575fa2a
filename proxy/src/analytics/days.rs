//! Days in UTC, and ranges of them.

use protocol::Timestamp;
use serde::{Deserialize, Serialize};

/// How long a day is.
const DAY_MS: u64 = 86_400_000;

/// A day, counted from 1970-01-01; written as `2026-11-26`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Day(u64);

impl Day {
    pub(super) fn of(time: Timestamp) -> Self {
        Self(time.unix_ms() / DAY_MS)
    }

    pub(super) fn back(self, days: u64) -> Self {
        Self(self.0.saturating_sub(days))
    }

    fn begin(self) -> Timestamp {
        Timestamp::from_unix_ms(self.0 * DAY_MS)
    }

    fn monday(self) -> Self {
        // 1970-01-01 was a Thursday.
        self.back((self.0 + 3) % 7)
    }

    fn first_of_month(self) -> Self {
        let day_of_month = self.to_string()[8..].parse().unwrap_or(1);
        self.back(day_of_month - 1)
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.begin().to_string()[..10])
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}

impl TryFrom<String> for Day {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let midnight = Timestamp::try_from(format!("{text}T00:00:00Z"));
        let day = midnight.ok().map(Self::of).filter(|day| day.to_string() == text);
        day.ok_or_else(|| format!("{text:?} is no day: write it as 2026-11-26"))
    }
}

/// A range that has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Period {
    Today,
    Yesterday,
    /// From Monday.
    ThisWeek,
    LastWeek,
    ThisMonth,
    LastMonth,
    #[serde(rename = "last_7_days")]
    Last7Days,
    #[serde(rename = "last_30_days")]
    Last30Days,
}

impl Period {
    fn days(self, today: Day) -> Days {
        let (first, last) = match self {
            Self::Today => (today, today),
            Self::Yesterday => (today.back(1), today.back(1)),
            Self::ThisWeek => (today.monday(), today),
            Self::LastWeek => (today.monday().back(7), today.monday().back(1)),
            Self::ThisMonth => (today.first_of_month(), today),
            Self::LastMonth => {
                let last = today.first_of_month().back(1);
                (last.first_of_month(), last)
            }
            Self::Last7Days => (today.back(6), today),
            Self::Last30Days => (today.back(29), today),
        };
        Days { first, last }
    }
}

/// Some days in a row, the first and the last among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Days {
    pub(super) first: Day,
    pub(super) last: Day,
}

impl Days {
    /// The days that are asked for: a period, or from one day to another; the last 7 where nothing is said. None is after `today`.
    ///
    /// # Errors
    /// A sentence for a model where there are none, or more than `most`.
    pub(super) fn asked(
        period: Option<Period>,
        from: Option<Day>,
        to: Option<Day>,
        today: Day,
        most: u64,
    ) -> Result<Self, String> {
        if period.is_some() && (from.is_some() || to.is_some()) {
            return Err("Give either period, or from and to, not both.".to_owned());
        }
        if let Some(period) = period {
            return Ok(period.days(today));
        }
        let last = to.unwrap_or(today).min(today);
        let first = from.unwrap_or(last.back(6));
        if first > today {
            return Err(format!("from must not be in the future: {first} is after today, which is {today}."));
        }
        if first > last {
            return Err(format!(
                "from must be before to, or the same day: {first} is after {last}. Call again with another range."
            ));
        }
        let days = Self { first, last };
        match days.count() {
            count if count > most => Err(format!(
                "These are {count} days; at most {most} can be asked for at a time. Call again for a part of them."
            )),
            _ => Ok(days),
        }
    }

    pub(super) fn count(self) -> u64 {
        self.last.0 - self.first.0 + 1
    }

    /// As many days, right before these; none where there are not as many.
    pub(super) fn before(self) -> Option<Self> {
        let first = self.first.0.checked_sub(self.count())?;
        Some(Self { first: Day(first), last: self.first.back(1) })
    }

    pub(super) fn begin(self) -> Timestamp {
        self.first.begin()
    }

    /// The first moment after these.
    pub(super) fn end(self) -> Timestamp {
        Day(self.last.0 + 1).begin()
    }

    pub(super) fn has(self, day: Day) -> bool {
        (self.first..=self.last).contains(&day)
    }

    pub(super) fn iter(self) -> impl Iterator<Item = Day> {
        (self.first.0..=self.last.0).map(Day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        Day::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn periods_are_those_of_the_calendar() {
        for (today, period, first, last) in [
            ("2026-11-26", Period::Today, "2026-11-26", "2026-11-26"),
            ("2027-01-01", Period::Yesterday, "2026-12-31", "2026-12-31"),
            // A Thursday, a Monday, a Sunday.
            ("2026-11-26", Period::ThisWeek, "2026-11-23", "2026-11-26"),
            ("2026-11-23", Period::ThisWeek, "2026-11-23", "2026-11-23"),
            ("2026-11-29", Period::ThisWeek, "2026-11-23", "2026-11-29"),
            ("2026-11-26", Period::LastWeek, "2026-11-16", "2026-11-22"),
            ("2026-11-26", Period::ThisMonth, "2026-11-01", "2026-11-26"),
            ("2028-03-31", Period::LastMonth, "2028-02-01", "2028-02-29"),
            ("2027-01-15", Period::LastMonth, "2026-12-01", "2026-12-31"),
            ("2026-11-26", Period::Last7Days, "2026-11-20", "2026-11-26"),
            ("2026-11-26", Period::Last30Days, "2026-10-28", "2026-11-26"),
        ] {
            assert_eq!(period.days(day(today)), Days { first: day(first), last: day(last) }, "{period:?} on {today}");
        }
    }

    #[test]
    fn only_days_are_days() {
        assert_eq!(day("2028-02-29").to_string(), "2028-02-29");
        for bad in [
            "",
            "2026-11-31",
            "2027-02-29",
            "2026-1-1",
            "1969-12-31",
            "2026-11-26T00:00:00Z",
            "today",
            "+026-11-26",
            "99999-01-01",
        ] {
            assert!(Day::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
