//! The middle and the tail of a set of times.

use serde::Serialize;

/// Times in microseconds, summed up.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Quantiles {
    count: usize,
    p50_us: u64,
    p90_us: u64,
    p99_us: u64,
    max_us: u64,
}

impl Quantiles {
    /// By nearest rank; all 0 for no values.
    pub(crate) fn of(mut values_us: Vec<u64>) -> Self {
        values_us.sort_unstable();
        let count = values_us.len();
        let at = |share: f64| {
            let rank = (share * count as f64).ceil() as usize;
            values_us.get(rank.saturating_sub(1)).copied().unwrap_or_default()
        };
        Quantiles { count, p50_us: at(0.5), p90_us: at(0.9), p99_us: at(0.99), max_us: at(1.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_those_of_the_sorted_values() {
        let quantiles = Quantiles::of((1..=100).rev().collect());
        assert_eq!(quantiles, Quantiles { count: 100, p50_us: 50, p90_us: 90, p99_us: 99, max_us: 100 });
        assert_eq!(Quantiles::of(Vec::new()), Quantiles::default());
    }
}
