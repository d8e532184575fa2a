//! The models on Bedrock, what they can do and what they cost: dated data, from `data/models.csv`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{
    ModelPrice, Usage,
    price::{LongPromptPrice, nano_usd},
};

/// What is known of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// The most tokens it reads.
    pub context_tokens: Option<u32>,
    /// The most tokens it writes in an answer.
    pub max_output_tokens: Option<u32>,
    /// Whether it takes `temperature` and `topP`; newer models answer them with a validation error.
    pub takes_sampling_parameters: bool,
    /// Whether it always reasons before it answers.
    pub always_reasons: bool,
    /// What it costs.
    pub price: Option<ModelPrice>,
}

impl Model {
    /// Whether it reasons where it is asked to and given a number of tokens: the generations between those that never do, which write
    /// no more than 8,192 tokens, and those that decide for themselves, which take no sampling parameters either.
    pub fn reasons_on_request(&self) -> bool {
        const LONGEST_WITHOUT: u32 = 8_192;
        let writes_more = self.max_output_tokens.is_some_and(|most| most > LONGEST_WITHOUT);
        writes_more && self.takes_sampling_parameters && !self.always_reasons
    }

    /// Whether Bedrock keeps prompts of it in its cache: then that has a price.
    pub fn has_prompt_cache(&self) -> bool {
        self.price.is_some_and(|price| price.cache_read.is_some())
    }
}

/// A dated table of models.
#[derive(Debug, Clone)]
pub struct Catalog {
    version: String,
    models: BTreeMap<String, Model>,
}

/// A model table that cannot be read.
#[derive(Debug)]
pub struct CatalogError(String);

impl std::fmt::Display for CatalogError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "model table: {}", self.0)
    }
}

impl std::error::Error for CatalogError {}

#[derive(Deserialize)]
struct Row {
    model_id: String,
    input_usd_mtok: String,
    output_usd_mtok: String,
    cache_write_5m: String,
    cache_write_1h: String,
    cache_read: String,
    long_prompt_input: String,
    long_prompt_output: String,
    long_prompt_threshold: Option<u64>,
    context: Option<u32>,
    max_output: Option<u32>,
    supports_sampling_params: String,
    thinking_always_on: String,
}

impl Catalog {
    /// The table this version was built with.
    #[expect(clippy::expect_used, reason = "the table is part of the build and a test reads it")]
    pub fn builtin() -> Self {
        Self::from_csv("2026-11-23", include_str!("../../data/models.csv")).expect("data/models.csv is well-formed")
    }

    /// Reads a table with the columns of `data/models.csv`; prices are dollars per million tokens with at most nine decimals.
    ///
    /// # Errors
    /// [`CatalogError`] names the line and what is wrong with it.
    pub fn from_csv(version: &str, csv: &str) -> Result<Self, CatalogError> {
        let mut models = BTreeMap::new();
        for (index, row) in csv::Reader::from_reader(csv.as_bytes()).deserialize::<Row>().enumerate() {
            let line = index + 2;
            let row = row.map_err(|error| CatalogError(error.to_string()))?;
            let id = row.model_id.clone();
            let model = row.into_model().map_err(|text| CatalogError(format!("line {line}: {text}")))?;
            if models.insert(id.clone(), model).is_some() {
                return Err(CatalogError(format!("line {line}: {id} is there twice")));
            }
        }
        Ok(Self { version: version.to_owned(), models })
    }

    /// What names this table in `priceVersion`: its date.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Every id in the table, in order.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.models.keys().map(String::as_str)
    }

    /// What is known of `model`: a model id, an inference profile or the ARN of either.
    ///
    /// The exact id counts, or else the longest id of the table with which `model` begins, up to a `:` (as in
    /// `anthropic.claude-sonnet-4-5-20250929-v1:0:200k`). Anything else is unknown: a price is never guessed.
    pub fn find(&self, model: &str) -> Option<&Model> {
        self.entry(model).map(|(_, known)| known)
    }

    /// What is billed for a call of `model`: the id of this table that stands for it. Without one it is the model id or inference
    /// profile itself.
    pub fn billed_id<'a>(&'a self, model: &'a str) -> &'a str {
        self.entry(model).map_or(bare_id(model), |(id, _)| id)
    }

    fn entry(&self, model: &str) -> Option<(&str, &Model)> {
        let id = bare_id(model);
        let candidates = std::iter::successors(Some(id), |id| id.rfind(':').map(|end| &id[..end]));
        candidates.into_iter().find_map(|id| self.models.get_key_value(id)).map(|(id, known)| (id.as_str(), known))
    }

    /// Puts the cost of `usage` on `model` into it, and the version of this table. A model without a price leaves both out.
    pub fn price(&self, model: &str, usage: &mut Usage) {
        let cost = self.find(model).and_then(|model| model.price).and_then(|price| price.cost_nano_usd(usage));
        usage.cost_nano_usd = cost;
        usage.price_version = cost.map(|_| self.version.clone());
    }
}

/// The model id or inference profile in `model`, which may be an ARN.
fn bare_id(model: &str) -> &str {
    if model.starts_with("arn:") { model.rsplit('/').next().unwrap_or(model) } else { model }
}

impl Row {
    fn into_model(self) -> Result<Model, String> {
        let price = match (nano_usd(&self.input_usd_mtok)?, nano_usd(&self.output_usd_mtok)?) {
            (Some(input), Some(output)) => Some(ModelPrice {
                input,
                output,
                cache_write_5m: nano_usd(&self.cache_write_5m)?,
                cache_write_1h: nano_usd(&self.cache_write_1h)?,
                cache_read: nano_usd(&self.cache_read)?,
                long_prompt: match (
                    self.long_prompt_threshold,
                    nano_usd(&self.long_prompt_input)?,
                    nano_usd(&self.long_prompt_output)?,
                ) {
                    (Some(above_tokens), Some(input), Some(output)) => {
                        Some(LongPromptPrice { above_tokens, input, output })
                    }
                    (None, None, None) => None,
                    _ => return Err("a long prompt needs a threshold and both prices".to_owned()),
                },
            }),
            _ => None,
        };
        Ok(Model {
            context_tokens: self.context,
            max_output_tokens: self.max_output,
            takes_sampling_parameters: self.supports_sampling_params != "False",
            always_reasons: self.thinking_always_on == "True",
            price,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_table_knows_the_default_model_and_its_relatives() {
        let catalog = Catalog::builtin();
        let sonnet = catalog.find("anthropic.claude-3-5-sonnet-20241022-v2:0").unwrap();
        assert_eq!(sonnet.max_output_tokens, Some(8192));
        assert!(sonnet.takes_sampling_parameters);
        assert!(!catalog.find("anthropic.claude-opus-5-5").unwrap().takes_sampling_parameters);
        assert!(catalog.ids().count() > 100);
    }

    #[test]
    fn arns_and_suffixed_ids_find_their_model_and_nothing_else_does() {
        let catalog = Catalog::builtin();
        let profile = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-5";
        assert_eq!(catalog.find(profile), catalog.find("us.anthropic.claude-sonnet-5"));
        assert_eq!(
            catalog.find("anthropic.claude-sonnet-4-5-20250929-v1:0:200k"),
            catalog.find("anthropic.claude-sonnet-4-5-20250929-v1:0"),
        );
        assert_eq!(catalog.billed_id(profile), "us.anthropic.claude-sonnet-5");
        assert_eq!(catalog.billed_id("arn:aws:bedrock:us-east-1:1:inference-profile/none.such"), "none.such");
        assert_eq!(catalog.find("ca.anthropic.claude-sonnet-5"), None);
        assert_eq!(catalog.find("anthropic.claude-sonnet-5-6"), None);
        assert_eq!(catalog.find(""), None);
    }

    #[test]
    fn an_unknown_model_has_no_cost_instead_of_none() {
        let mut usage = Usage { input_tokens: 1, ..Usage::default() };
        Catalog::builtin().price("meta.llama", &mut usage);
        assert_eq!((usage.cost_nano_usd, usage.price_version), (None, None));
    }
}
