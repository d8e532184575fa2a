//! Pricing a usage on the client: both come as the JSON of the page, and the one function of [`price`](crate::price) computes.

use super::decode_server::read_usage;
use crate::{
    ModelPrice,
    json::{JsonError, Object},
    price::LongPromptPrice,
};

/// What a usage costs: [`ModelPrice::cost_nano_usd`] of the JSON of `{ price: ModelPrice, usage: Usage }`.
///
/// # Errors
/// [`JsonError`] for a price without its two plain prices, and for anything that is not a whole number where one belongs.
pub fn cost_nano_usd(priced: &str) -> Result<Option<u64>, JsonError> {
    let priced = Object::read(priced)?;
    let part = |name| priced.object(name)?.ok_or(JsonError { offset: 0 });
    Ok(read_price(&part("price")?)?.cost_nano_usd(&read_usage(&part("usage")?)?))
}

fn read_price(data: &Object<'_>) -> Result<ModelPrice, JsonError> {
    let long_prompt = data.object("longPrompt")?.map(|long| {
        Ok(LongPromptPrice {
            above_tokens: needed(&long, "aboveTokens")?,
            input: needed(&long, "input")?,
            output: needed(&long, "output")?,
        })
    });
    Ok(ModelPrice {
        input: needed(data, "input")?,
        output: needed(data, "output")?,
        cache_write_5m: data.optional_number("cacheWrite5m")?,
        cache_write_1h: data.optional_number("cacheWrite1h")?,
        cache_read: data.optional_number("cacheRead")?,
        long_prompt: long_prompt.transpose()?,
    })
}

/// A price that is missing is not 0.
fn needed(data: &Object<'_>, name: &str) -> Result<u64, JsonError> {
    data.optional_number(name)?.ok_or(JsonError { offset: 0 })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::cost_nano_usd;
    use crate::{Catalog, ModelPrice, Usage};

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Case {
        name: String,
        model: String,
        price: Option<ModelPrice>,
        usage: Usage,
        cost_nano_usd: Option<u64>,
    }

    fn cases() -> Vec<Case> {
        serde_json::from_str(include_str!("../../../data/cost-golden.json")).unwrap()
    }

    #[test]
    fn the_golden_costs_are_those_of_the_table() {
        let catalog = Catalog::builtin();
        assert!(cases().len() > 30);
        for Case { name, model, price, mut usage, cost_nano_usd } in cases() {
            assert_eq!(catalog.find(&model).and_then(|model| model.price), price, "{name}: the price of {model}");
            catalog.price(&model, &mut usage);
            assert_eq!(usage.cost_nano_usd, cost_nano_usd, "{name}: {model}");
            assert_eq!(usage.price_version.is_some(), cost_nano_usd.is_some(), "{name}: {model}");
        }
    }

    #[test]
    fn the_clients_reader_comes_to_the_same_costs() {
        for Case { name, price, usage, cost_nano_usd: expected, .. } in cases() {
            let Some(price) = price else { continue };
            let priced = serde_json::json!({ "price": price, "usage": usage }).to_string();
            assert_eq!(cost_nano_usd(&priced), Ok(expected), "{name}");
        }
    }

    #[test]
    fn prices_that_grow_by_a_fraction_are_rounded_once_too() {
        let price = r#"{"input":3,"output":3,"cacheRead":1,"cacheWrite5m":1,"longPrompt":{"aboveTokens":0,"input":10,"output":10}}"#;
        let usage = r#"{"cacheReadInputTokens":1,"cacheWriteInputTokens":299999}"#;
        let priced = format!(r#"{{"price":{price},"usage":{usage}}}"#);
        assert_eq!(cost_nano_usd(&priced), Ok(Some(1)), "300,000 times 10/3 millionths, not each part rounded up");
    }

    #[test]
    fn a_price_that_is_missing_or_no_whole_number_is_refused() {
        let cost = |price: &str, usage: &str| cost_nano_usd(&format!(r#"{{"price":{price},"usage":{usage}}}"#));
        let usage = r#"{"inputTokens":1,"outputTokens":1,"totalTokens":2}"#;
        assert_eq!(cost(r#"{"input":1000000,"output":2000000}"#, usage), Ok(Some(3)));
        for price in [
            "{}",
            "null",
            r#"{"input":1}"#,
            r#"{"input":null,"output":1}"#,
            r#"{"input":1.5,"output":1}"#,
            r#"{"input":-1,"output":1}"#,
            r#"{"input":1,"output":1,"longPrompt":{"aboveTokens":1,"input":1}}"#,
        ] {
            assert!(cost(price, usage).is_err(), "{price}");
        }
        for usage in ["null", r#"{"inputTokens":0.5}"#] {
            assert!(cost(r#"{"input":1,"output":1}"#, usage).is_err(), "{usage}");
        }
    }
}
