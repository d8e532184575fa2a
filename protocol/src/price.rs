//! What tokens cost. Money is integers: prices are nano-dollars per million tokens, costs are nano-dollars.

use serde::{Deserialize, Serialize};

use crate::Usage;

/// The prices of one model, each in nano-dollars (10⁻⁹ USD) per million tokens: $3 per million is 3,000,000,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema), ts(optional_fields))]
pub struct ModelPrice {
    /// Input that is neither read from nor written to the cache.
    #[cfg_attr(test, ts(type = "number"))]
    pub input: u64,
    /// Output.
    #[cfg_attr(test, ts(type = "number"))]
    pub output: u64,
    /// Input written to the cache for five minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(type = "number"))]
    pub cache_write_5m: Option<u64>,
    /// Input written to the cache for an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(type = "number"))]
    pub cache_write_1h: Option<u64>,
    /// Input read from the cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(type = "number"))]
    pub cache_read: Option<u64>,
    /// What prompts above a length cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub long_prompt: Option<LongPromptPrice>,
}

/// The prices of prompts above a length. Cache prices grow in the ratio in which the price of input grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
pub struct LongPromptPrice {
    /// These prices hold where input and cache tokens together are more than this.
    #[cfg_attr(test, ts(type = "number"))]
    pub above_tokens: u64,
    /// Input, nano-dollars per million tokens.
    #[cfg_attr(test, ts(type = "number"))]
    pub input: u64,
    /// Output, nano-dollars per million tokens.
    #[cfg_attr(test, ts(type = "number"))]
    pub output: u64,
}

impl ModelPrice {
    /// The cost of `usage` in nano-dollars, rounded up to the next whole one at the end and nowhere before.
    ///
    /// `None` where tokens of a kind were used for which there is no price: unknown is not 0.
    #[expect(
        clippy::manual_div_ceil,
        reason = "it divides twice, and a division of 128 bits is much code in WebAssembly"
    )]
    pub fn cost_nano_usd(&self, usage: &Usage) -> Option<u64> {
        let write_1h = usage.cache_write_1h_input_tokens;
        let write_5m = usage.cache_write_input_tokens.checked_sub(write_1h)?;
        let prompt = usage.input_tokens + usage.cache_read_input_tokens + usage.cache_write_input_tokens;
        let long = self.long_prompt.filter(|long| prompt > long.above_tokens);
        let (input, output) = long.map_or((self.input, self.output), |long| (long.input, long.output));

        // Cache prices grow as the price of input does: by a fraction that is divided by once, at the end.
        let (up, down) = if long.is_some() && self.input > 0 { (input, self.input) } else { (1, 1) };

        let times = |tokens: u64, price: u64| u128::from(tokens) * u128::from(price);
        let cached = |tokens: u64, price: Option<u64>| if tokens == 0 { Some(0) } else { Some(times(tokens, price?)) };
        let plain = times(usage.input_tokens, input) + times(usage.output_tokens, output);
        let cache = cached(usage.cache_read_input_tokens, self.cache_read)?
            + cached(write_5m, self.cache_write_5m)?
            + cached(write_1h, self.cache_write_1h)?;
        let sum = plain * u128::from(down) + cache * u128::from(up);
        let divisor = 1_000_000 * u128::from(down);
        u64::try_from((sum + divisor - 1) / divisor).ok()
    }
}

/// Dollars as decimal text to nano-dollars, exactly; none of an empty text.
///
/// # Errors
/// A sentence for a person where it is no amount with at most nine decimals.
pub fn nano_usd(dollars: &str) -> Result<Option<u64>, String> {
    if dollars.is_empty() {
        return Ok(None);
    }
    let (whole, fraction) = dollars.split_once('.').unwrap_or((dollars, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || fraction.len() > 9 || !digits(whole) || !digits(fraction) {
        return Err(format!("{dollars:?} is no price in dollars with at most nine decimals"));
    }
    let nano = format!("{whole}{fraction:0<9}");
    nano.parse().map(Some).map_err(|_| format!("{dollars:?} is too much"))
}

/// Nano-dollars for a person, such as `$0.0024`: to the last digit, with two decimals at least.
pub fn usd(nano_usd: u64) -> String {
    let (whole, fraction) = (nano_usd / 1_000_000_000, format!("{:09}", nano_usd % 1_000_000_000));
    format!("${whole}.{:0<2}", fraction.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::{nano_usd, usd};
    use crate::{Catalog, Usage};

    #[test]
    fn amounts_are_read_and_written_to_the_last_digit() {
        assert_eq!(nano_usd("0.1375"), Ok(Some(137_500_000)));
        assert_eq!(nano_usd("15"), Ok(Some(15_000_000_000)));
        assert_eq!(nano_usd(""), Ok(None));
        for bad in ["-1", "1e3", ".5", "1.0000000001", "99999999999999999999"] {
            assert!(nano_usd(bad).is_err(), "{bad}");
        }
        let texts = [0, 2_400_000, 5_000_000_000, 1_500_000_000, 1].map(usd);
        assert_eq!(texts, ["$0.00", "$0.0024", "$5.00", "$1.50", "$0.000000001"]);
    }

    fn cost(model: &str, usage: Usage) -> Option<u64> {
        Catalog::builtin().find(model)?.price?.cost_nano_usd(&usage)
    }

    fn tokens(input: u64, output: u64) -> Usage {
        Usage { input_tokens: input, output_tokens: output, total_tokens: input + output, ..Usage::default() }
    }

    #[test]
    fn fifty_in_and_a_hundred_and_fifty_out_on_sonnet_3_5_cost_0_0024_dollars() {
        assert_eq!(cost("anthropic.claude-3-5-sonnet-20241022-v2:0", tokens(50, 150)), Some(2_400_000));
    }

    #[test]
    fn a_fraction_of_a_nano_dollar_is_rounded_up_once() {
        // $0.10 and $0.50 per million are 100 and 500 nano-dollars a token; the eu premium makes them 110 and 550.
        assert_eq!(cost("anthropic.claude-haiku-5-5", tokens(1, 1)), Some(600));
        assert_eq!(cost("eu.anthropic.claude-haiku-5-5", tokens(3, 0)), Some(330));
        let read = Usage { cache_read_input_tokens: 1, ..Usage::default() };
        assert_eq!(cost("eu.anthropic.claude-haiku-5-5", read), Some(11));
        let write = Usage { cache_write_input_tokens: 1, ..Usage::default() };
        assert_eq!(cost("eu.anthropic.claude-haiku-5-5", write), Some(138), "137.5");
    }

    #[test]
    fn cache_writes_of_an_hour_cost_more_than_those_of_five_minutes() {
        let usage = Usage { cache_write_input_tokens: 30, cache_write_1h_input_tokens: 10, ..Usage::default() };
        assert_eq!(cost("anthropic.claude-sonnet-4-5-20250929-v1:0", usage), Some(20 * 3_750 + 10 * 6_000));
    }

    #[test]
    fn a_long_prompt_has_prices_of_its_own_and_cache_tokens_make_it_long() {
        let model = "anthropic.claude-sonnet-4-5-20250929-v1:0";
        assert_eq!(cost(model, tokens(200_000, 10)), Some(200_000 * 3_000 + 10 * 15_000));
        let long = Usage { cache_read_input_tokens: 1, ..tokens(200_000, 10) };
        assert_eq!(cost(model, long), Some(200_000 * 6_000 + 10 * 22_500 + 600));
    }

    #[test]
    fn tokens_without_a_price_make_the_cost_unknown() {
        let usage = Usage { cache_read_input_tokens: 1, ..tokens(1, 1) };
        assert_eq!(cost("anthropic.claude-3-opus-20240229-v1:0", usage), None);
        assert_eq!(cost("some.model", tokens(1, 1)), None);
    }
}
