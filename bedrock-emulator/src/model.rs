//! The models that exist: rows of the shared price table, found by id, inference profile or ARN.

use std::collections::HashMap;
use std::sync::LazyLock;

const TABLE: &str = include_str!("../../data/models.csv");
/// Limits of the oldest Claude models on Bedrock, for a row that states none.
const DEFAULT_CONTEXT_TOKENS: u64 = 200_000;
const DEFAULT_MAX_OUTPUT_TOKENS: u32 = 4_096;

/// What the emulator must know of a model. An empty cell of the table means that nothing is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Model {
    pub(crate) id: &'static str,
    pub(crate) context_tokens: u64,
    pub(crate) max_output_tokens: u32,
    /// Shortest prefix that is cached.
    pub(crate) cache_min_tokens: u32,
    /// Whether there is a price for caching.
    pub(crate) caching: bool,
    pub(crate) sampling_params: bool,
    pub(crate) prefill: bool,
    pub(crate) forced_tool_use: bool,
}

static MODELS: LazyLock<HashMap<&'static str, Model>> = LazyLock::new(|| {
    let mut lines = TABLE.lines();
    let columns: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    lines.filter_map(|line| row(&columns, line)).map(|model| (model.id, model)).collect()
});

fn row(columns: &[&str], line: &'static str) -> Option<Model> {
    let cells: Vec<&'static str> = line.split(',').collect();
    let cell = |name: &str| columns.iter().position(|c| *c == name).and_then(|i| cells.get(i)).copied().unwrap_or("");
    let allowed = |name: &str| cell(name) != "False";
    Some(Model {
        id: Some(cell("model_id")).filter(|id| !id.is_empty())?,
        context_tokens: cell("context").parse().unwrap_or(DEFAULT_CONTEXT_TOKENS),
        max_output_tokens: cell("max_output").parse().unwrap_or(DEFAULT_MAX_OUTPUT_TOKENS),
        cache_min_tokens: cell("cache_min_tokens").parse().unwrap_or(1_024),
        caching: !cell("cache_read").is_empty(),
        sampling_params: allowed("supports_sampling_params"),
        prefill: allowed("supports_prefill"),
        forced_tool_use: allowed("supports_forced_tool_use"),
    })
}

/// The model behind an id, an inference profile id, or an ARN of either.
pub(crate) fn find(id_or_arn: &str) -> Option<&'static Model> {
    let id = match id_or_arn.strip_prefix("arn:") {
        None => id_or_arn,
        Some(arn) => {
            let mut fields = arn.splitn(5, ':');
            let service = fields.nth(1)?;
            let (kind, id) = fields.nth(2)?.split_once('/')?;
            (service == "bedrock" && matches!(kind, "inference-profile" | "foundation-model")).then_some(id)?
        }
    };
    MODELS.get(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_profiles_and_arns_are_found_and_others_are_not() {
        let base = "anthropic.claude-3-5-sonnet-20241022-v2:0";
        for known in [
            base.to_owned(),
            format!("us.{base}"),
            format!("arn:aws:bedrock:us-east-1::foundation-model/{base}"),
            format!("arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.{base}"),
            format!("arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/{base}"),
        ] {
            assert!(find(&known).expect(&known).id.ends_with(base));
        }
        for unknown in ["", "anthropic.claude-9", "arn:aws:s3:::bucket", "arn:aws:bedrock:us-east-1::other/x", "arn:"] {
            assert_eq!(find(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn the_table_gives_limits_and_refusals() {
        let old = find("anthropic.claude-3-haiku-20240307-v1:0").expect("row");
        assert_eq!((old.max_output_tokens, old.context_tokens, old.sampling_params), (4_096, 200_000, true));
        let new = find("global.anthropic.claude-opus-5-5").expect("row");
        assert_eq!((new.sampling_params, new.prefill, new.forced_tool_use), (false, false, false));
        assert!(MODELS.len() > 100);
    }
}
