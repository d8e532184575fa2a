//! The days that a prompt speaks of.

use time::{Date, Duration, Month};

use super::words;

/// The days of a question that names none.
const USUAL_DAYS: i64 = 7;
/// Longest span of `last N days` and its like.
const MAX_DAYS: i64 = 3_660;

/// From the first day to the last, both in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Days {
    pub(super) first: Date,
    pub(super) last: Date,
}

impl Days {
    /// Today and the days before it, so many in all.
    fn until(today: Date, count: i64) -> Days {
        let first = today.checked_sub(Duration::days(count.clamp(1, MAX_DAYS) - 1)).unwrap_or(Date::MIN);
        Days { first, last: today }
    }

    /// What is meant where nothing is said.
    pub(super) fn usual(today: Date) -> Days {
        Days::until(today, USUAL_DAYS)
    }
}

/// `2026-11-01`, `today`, `this week`, `last month`, `last 7 days`: the first of them in the prompt.
pub(super) fn mentioned(prompt: &str, today: Date) -> Option<Days> {
    explicit(prompt).or_else(|| {
        let words = words::split(prompt);
        (0..words.len()).find_map(|at| relative(&words[at..], today))
    })
}

fn explicit(prompt: &str) -> Option<Days> {
    let format = time::macros::format_description!("[year]-[month]-[day]");
    let mut dates = prompt
        .split(|c: char| !(c.is_ascii_digit() || c == '-'))
        .filter_map(|word| Date::parse(word.trim_matches('-'), format).ok());
    let first = dates.next()?;
    let last = dates.next().unwrap_or(first);
    Some(Days { first: first.min(last), last: first.max(last) })
}

fn relative(words: &[String], today: Date) -> Option<Days> {
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    let day = |date: Option<Date>| date.map(|date| Days { first: date, last: date });
    match (word(0), word(1)) {
        ("today", _) => day(Some(today)),
        ("yesterday", _) => day(today.previous_day()),
        ("this" | "current", unit) => Some(Days { first: start(unit, today)?, last: today }),
        ("last" | "previous", unit @ ("week" | "month" | "year")) => {
            let last = start(unit, today)?.previous_day()?;
            Some(Days { first: start(unit, last)?, last })
        }
        ("past", unit) if days_of(unit).is_some() => Some(Days::until(today, days_of(unit)?)),
        ("last" | "past" | "previous", count) => {
            let count: i64 = count.parse().ok()?;
            Some(Days::until(today, days_of(word(2))?.saturating_mul(count)))
        }
        _ => None,
    }
}

/// The first day of the week, month or year that a day is in.
fn start(unit: &str, day: Date) -> Option<Date> {
    match unit {
        "week" => day.checked_sub(Duration::days(day.weekday().number_days_from_monday().into())),
        "month" => day.replace_day(1).ok(),
        "year" => Date::from_calendar_date(day.year(), Month::January, 1).ok(),
        _ => None,
    }
}

fn days_of(unit: &str) -> Option<i64> {
    Some(match unit {
        "day" | "days" => 1,
        "week" | "weeks" => 7,
        "month" | "months" => 30,
        "year" | "years" => 365,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn relative_words_are_days_of_the_calendar() {
        let thursday = date!(2026 - 11 - 26);
        for (prompt, first, last) in [
            ("What did we spend today?", date!(2026 - 11 - 26), date!(2026 - 11 - 26)),
            ("and yesterday", date!(2026 - 11 - 25), date!(2026 - 11 - 25)),
            ("this week", date!(2026 - 11 - 23), date!(2026 - 11 - 26)),
            ("Last week, by day", date!(2026 - 11 - 16), date!(2026 - 11 - 22)),
            ("this month", date!(2026 - 11 - 01), date!(2026 - 11 - 26)),
            ("last month", date!(2026 - 10 - 01), date!(2026 - 10 - 31)),
            ("this year", date!(2026 - 01 - 01), date!(2026 - 11 - 26)),
            ("in the last 7 days", date!(2026 - 11 - 20), date!(2026 - 11 - 26)),
            ("past 2 weeks", date!(2026 - 11 - 13), date!(2026 - 11 - 26)),
            ("the past month", date!(2026 - 10 - 28), date!(2026 - 11 - 26)),
            ("from 2026-10-05 to 2026-10-09", date!(2026 - 10 - 05), date!(2026 - 10 - 09)),
        ] {
            assert_eq!(mentioned(prompt, thursday), Some(Days { first, last }), "{prompt}");
        }
        for prompt in ["Explain rivers", "the last time", "last 7 users", "this river", "2026-13-45", ""] {
            assert_eq!(mentioned(prompt, thursday), None, "{prompt}");
        }
        assert_eq!(Days::usual(thursday).first, date!(2026 - 11 - 20));
    }
}
