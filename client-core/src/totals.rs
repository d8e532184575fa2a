//! What this client has used, by session and by model.

use protocol::{Usage, UsageSource};

/// The sum of some answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Total {
    /// Tokens, and the cost of the answers whose model has a price.
    pub usage: Usage,
    /// How many answers.
    pub turns: u64,
    /// Those whose model has no known price.
    pub unpriced_turns: u64,
    /// Those whose usage is an estimate.
    pub estimated_turns: u64,
}

impl Total {
    fn add(&mut self, usage: &Usage) {
        self.usage.add(usage);
        self.turns += 1;
        self.unpriced_turns += u64::from(usage.cost_nano_usd.is_none());
        self.estimated_turns += u64::from(usage.source == UsageSource::Estimated);
    }
}

/// What a client has used since it was made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageUsage {
    /// All of it.
    pub all: Total,
    /// By session id, in the order of first use.
    pub by_session: Vec<(String, Total)>,
    /// By model, in the order of first use. It is the model of the answer where the proxy names it, else the one that was asked
    /// for, else the proxy's default.
    pub by_model: Vec<(String, Total)>,
}

impl PageUsage {
    pub(crate) fn add(&mut self, session: &str, model: &str, usage: &Usage, max_keys: usize) {
        self.all.add(usage);
        add_to(&mut self.by_session, session, usage, max_keys);
        add_to(&mut self.by_model, model, usage, max_keys);
    }
}

fn add_to(totals: &mut Vec<(String, Total)>, key: &str, usage: &Usage, max_keys: usize) {
    let find = |totals: &[(String, Total)], key: &str| totals.iter().position(|(known, _)| known == key);
    let key = if find(totals, key).is_none() && totals.len() >= max_keys { "other" } else { key };
    let at = find(totals, key).unwrap_or_else(|| {
        totals.push((key.to_owned(), Total::default()));
        totals.len() - 1
    });
    totals[at].1.add(usage);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_that_is_unknown_is_counted_and_not_taken_for_0() {
        let mut page = PageUsage::default();
        page.add("s", "m", &Usage { total_tokens: 5, cost_nano_usd: Some(7), ..Usage::default() }, 9);
        page.add("s", "n", &Usage::estimate(4, 4), 9);
        let Total { usage, turns, unpriced_turns, estimated_turns } = &page.all;
        assert_eq!((usage.total_tokens, usage.cost_nano_usd), (7, Some(7)));
        assert_eq!((*turns, *unpriced_turns, *estimated_turns), (2, 1, 1));
        assert_eq!((page.by_session.len(), page.by_model.len()), (1, 2));
    }

    #[test]
    fn keys_beyond_the_bound_are_summed_up_together() {
        let mut page = PageUsage::default();
        for key in ["a", "b", "c", "d", "a"] {
            page.add(key, key, &Usage::estimate(4, 0), 2);
        }
        let keys: Vec<_> = page.by_model.iter().map(|(key, total)| (key.as_str(), total.turns)).collect();
        assert_eq!(keys, [("a", 2), ("b", 1), ("other", 2)]);
    }
}
