//! What people ask of the ledger, as they write it in a terminal or in an address.

use std::{str::FromStr, time::Duration};

use protocol::{Timestamp, client::GroupBy};

use super::report::{GROUPS, range};
use crate::store::CallsOf;

/// A point in time as a person writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// So long before now.
    Ago(Duration),
    /// This one.
    At(Timestamp),
}

impl Point {
    /// The point, seen from `now`.
    pub fn seen_from(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(point) => point,
            Self::Ago(time) => {
                let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
                Timestamp::from_unix_ms(now.unix_ms().saturating_sub(ms))
            }
        }
    }
}

impl FromStr for Point {
    type Err = String;

    /// Out of a day (`2026-11-01`, at its begin), a time (`2026-11-01T09:00:00Z`) or a time ago (`7d`).
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let whole = if text.len() == "2026-11-01".len() { format!("{text}T00:00:00Z") } else { text.to_owned() };
        if let Ok(point) = Timestamp::try_from(whole) {
            return Ok(Self::At(point));
        }
        let ago = humantime::parse_duration(text).map(Self::Ago);
        ago.map_err(|_| format!("{text:?} is no time; write it as 7d, 2026-11-01 or 2026-11-01T09:00:00Z"))
    }
}

/// One of [`GROUPS`] by its name.
///
/// # Errors
/// A sentence for a person.
pub fn group(name: &str) -> Result<GroupBy, String> {
    let found = GROUPS.into_iter().find(|(known, _)| *known == name.trim());
    let names = || GROUPS.map(|(name, _)| name).join(", ");
    found.map(|(_, group)| group).ok_or_else(|| format!("{name:?} is nothing to sum by; there are {}", names()))
}

/// The name of `group`.
pub fn group_name(group: GroupBy) -> &'static str {
    GROUPS.into_iter().find(|(_, known)| *known == group).map_or("", |(name, _)| name)
}

/// Whose calls, since when, and summed by what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Since when.
    pub from: Option<Point>,
    /// Until when.
    pub to: Option<Point>,
    /// By what; by day where there is nothing.
    pub by: Vec<GroupBy>,
    /// The organisation's only.
    pub organization: Option<String>,
    /// The user's only.
    pub user: Option<String>,
}

impl Query {
    /// Which calls these are, seen from `now`.
    ///
    /// # Errors
    /// A sentence for a person, as of [`range`].
    pub fn calls(&self, now: Timestamp) -> Result<CallsOf, &'static str> {
        let point = |point: Option<Point>| point.map(|point| point.seen_from(now));
        let (from, to) = range(point(self.from), point(self.to), now)?;
        Ok(CallsOf { organization: self.organization.clone(), user: self.user.clone(), from, to })
    }

    /// By what they are summed.
    pub fn by(&self) -> &[GroupBy] {
        if self.by.is_empty() { &[GroupBy::Day] } else { &self.by }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_three_ways() {
        let now = Timestamp::try_from("2026-11-26T09:30:00Z".to_owned()).unwrap();
        for (text, expected) in [
            ("7d", "2026-11-19T09:30:00.000Z"),
            (" 90min ", "2026-11-26T08:00:00.000Z"),
            ("2026-11-01", "2026-11-01T00:00:00.000Z"),
            ("2026-11-01T09:00:00Z", "2026-11-01T09:00:00.000Z"),
            ("500000y", "1970-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(text.parse::<Point>().unwrap().seen_from(now).to_string(), expected, "{text}");
        }
        for bad in ["", "soon", "2026-13-01", "2026-11-1", "7", "äääää"] {
            assert!(bad.parse::<Point>().unwrap_err().contains("2026-11-01"), "{bad}");
        }
    }

    #[test]
    fn groups_have_names_and_what_is_none_is_told_them() {
        for (name, by) in GROUPS {
            assert_eq!((group(name), group_name(by)), (Ok(by), name));
        }
        assert_eq!(
            group("week").unwrap_err(),
            "\"week\" is nothing to sum by; there are user, organization, session, model, day, hour"
        );
        assert_eq!(Query::default().by(), [GroupBy::Day]);
    }
}
