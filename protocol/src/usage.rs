//! Tokens used and what they cost.

use serde::{Deserialize, Serialize};

/// Where the figures of a [`Usage`] come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
pub enum UsageSource {
    /// Bedrock said so, in the `metadata` event or the response.
    #[default]
    Reported,
    /// Bedrock did not get to say; counted from the text by the proxy.
    Estimated,
}

/// The tokens of one model call or a sum of them, and their cost.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema), ts(optional_fields))]
pub struct Usage {
    /// Input tokens, without those read from or written to the cache (as Converse reports them).
    #[cfg_attr(test, ts(type = "number"))]
    pub input_tokens: u64,
    /// Output tokens.
    #[cfg_attr(test, ts(type = "number"))]
    pub output_tokens: u64,
    /// Input, output and cache tokens together.
    #[cfg_attr(test, ts(type = "number"))]
    pub total_tokens: u64,
    /// Input tokens read from the prompt cache.
    #[serde(default)]
    #[cfg_attr(test, ts(type = "number"))]
    pub cache_read_input_tokens: u64,
    /// Input tokens written to the prompt cache, of either age.
    #[serde(default)]
    #[cfg_attr(test, ts(type = "number"))]
    pub cache_write_input_tokens: u64,
    /// Those of the cache writes that are kept for an hour and cost more.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[cfg_attr(test, ts(optional, as = "Option<u32>"))]
    pub cache_write_1h_input_tokens: u64,
    /// Whether Bedrock reported the figures.
    #[serde(default)]
    pub source: UsageSource,
    /// The cost in nano-dollars (10⁻⁹ USD). Absent where the model has no price: unknown is not 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(type = "number"))]
    pub cost_nano_usd: Option<u64>,
    /// The price table the cost was computed from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_version: Option<String>,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

impl Usage {
    /// An estimate from text lengths: about four bytes of UTF-8 a token, and never 0 for text that is not empty. For English it
    /// is within a quarter of what Claude counts; it is marked [`UsageSource::Estimated`].
    pub fn estimate(input_bytes: usize, output_bytes: usize) -> Self {
        let input_tokens = input_bytes.div_ceil(4) as u64;
        let output_tokens = output_bytes.div_ceil(4) as u64;
        Self {
            input_tokens,
            output_tokens,
            total_tokens: input_tokens + output_tokens,
            source: UsageSource::Estimated,
            ..Self::default()
        }
    }

    /// Adds `other` to the sum. Estimated stays estimated. A cost that is unknown makes no sum of costs: it leaves the known one.
    pub fn add(&mut self, other: &Usage) {
        self.input_tokens += other.input_tokens;
        self.output_tokens += other.output_tokens;
        self.total_tokens += other.total_tokens;
        self.cache_read_input_tokens += other.cache_read_input_tokens;
        self.cache_write_input_tokens += other.cache_write_input_tokens;
        self.cache_write_1h_input_tokens += other.cache_write_1h_input_tokens;
        if other.source == UsageSource::Estimated {
            self.source = UsageSource::Estimated;
        }
        self.cost_nano_usd = match (self.cost_nano_usd, other.cost_nano_usd) {
            (Some(a), Some(b)) => Some(a + b),
            (known, None) | (None, known) => known,
        };
        if other.price_version.is_some() {
            self.price_version.clone_from(&other.price_version);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_anywhere_marks_the_sum() {
        let mut sum = Usage { input_tokens: 1, total_tokens: 1, cost_nano_usd: Some(5), ..Usage::default() };
        sum.add(&Usage::estimate(9, 1));
        assert_eq!((sum.input_tokens, sum.output_tokens, sum.total_tokens), (4, 1, 5));
        assert_eq!(sum.source, UsageSource::Estimated);
        assert_eq!(sum.cost_nano_usd, Some(5));
    }
}
