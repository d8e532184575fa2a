//! Which models an organisation may use.
//!
//! A model has many names: its id, inference profiles of several geographies, ARNs of both. A rule for the model holds for all of them.
//! Of an application inference profile, a provisioned or an imported model nobody can tell which model is behind it, so that it has to be
//! named exactly.

use std::collections::BTreeMap;

use protocol::Catalog;
use serde::Deserialize;

/// Stands for every organisation that has no rules of its own.
const OTHERS: &str = "*";

/// What inference profiles begin with: where a request may go.
const GEOGRAPHIES: [&str; 15] =
    ["af", "apac", "au", "ca", "eu", "global", "il", "in", "jp", "me", "mx", "sa", "uk", "us", "us-gov"];

/// Which models an organisation may use, out of those that are offered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelRules {
    /// None where everybody may use what is offered.
    patterns: Option<BTreeMap<String, Vec<String>>>,
}

#[derive(Deserialize)]
struct Row {
    organization: String,
    model: String,
}

impl ModelRules {
    /// Everybody may use what is offered.
    pub fn none() -> Self {
        Self::default()
    }

    /// Reads a table with the columns `organization` and `model`, a row for each model of an organisation. A model is an id, or the
    /// beginning of some with a `*` behind it. The organisation `*` is all that have no row; there has to be one, so that nothing is
    /// allowed by mistake. An organisation with no model has a row with none.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_csv(csv: &str) -> Result<Self, String> {
        let mut patterns: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).comment(Some(b'#')).from_reader(csv.as_bytes());
        for (index, row) in reader.deserialize::<Row>().enumerate() {
            let Row { organization, model } = row.map_err(|error| error.to_string())?;
            if organization.is_empty() {
                return Err(format!("row {} names no organization", index + 1));
            }
            if model.strip_suffix('*').unwrap_or(&model).contains('*') {
                return Err(format!("{model} has a * elsewhere than at its end"));
            }
            patterns.entry(organization).or_default().extend((!model.is_empty()).then_some(model));
        }
        if !patterns.contains_key(OTHERS) {
            return Err(
                "it has no row for *, all other organizations: add one, without a model if they have none".to_owned()
            );
        }
        Ok(Self { patterns: Some(patterns) })
    }

    /// Whether `organization` may use `model`: a model id, an inference profile or an ARN.
    pub fn allow(&self, organization: &str, model: &str, catalog: &Catalog) -> bool {
        let Some(patterns) = &self.patterns else { return true };
        let Some(patterns) = patterns.get(organization).or_else(|| patterns.get(OTHERS)) else { return false };
        let profile = is_telling(model).then(|| catalog.billed_id(model));
        let names: Vec<&str> = profile.into_iter().flat_map(|id| [id, without_geography(id)]).collect();
        patterns.iter().any(|pattern| {
            pattern == model
                || match pattern.strip_suffix('*') {
                    Some(start) => names.iter().any(|name| name.starts_with(start)),
                    None => names.contains(&pattern.as_str()),
                }
        })
    }
}

/// Whether the name of a model says which one it is.
fn is_telling(model: &str) -> bool {
    match model.strip_prefix("arn:") {
        // partition:service:region:account:kind/id
        Some(rest) => rest
            .splitn(5, ':')
            .nth(4)
            .and_then(|resource| resource.split_once('/'))
            .is_some_and(|(kind, id)| matches!(kind, "foundation-model" | "inference-profile") && id.contains('.')),
        // Ids of models begin with who made them.
        None => model.contains('.'),
    }
}

fn without_geography(id: &str) -> &str {
    match id.split_once('.') {
        Some((geography, rest)) if GEOGRAPHIES.contains(&geography) => rest,
        _ => id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HAIKU: &str = "anthropic.claude-haiku-4-5-20251001-v1:0";
    const SONNET: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";

    fn allowed(rules: &ModelRules, organization: &str, model: &str) -> bool {
        rules.allow(organization, model, &Catalog::builtin())
    }

    fn of(patterns: &[&str]) -> ModelRules {
        let rows: String = patterns.iter().map(|pattern| format!("acme,{pattern}\n")).collect();
        ModelRules::from_csv(&format!("organization,model\n{rows}*,\n")).unwrap()
    }

    #[test]
    fn a_rule_holds_for_the_model_behind_profiles_and_arns() {
        let arn = |kind: &str, id: &str| format!("arn:aws:bedrock:eu-west-1:123456789012:{kind}/{id}");
        let names = |id: &str| {
            let profile = format!("eu.{id}");
            let in_arn = [arn("inference-profile", &profile), arn("foundation-model", id)];
            [
                vec![id.to_owned(), format!("us.{id}"), format!("global.{id}"), format!("us-gov.{id}"), profile],
                in_arn.to_vec(),
            ]
            .concat()
        };
        for rules in [of(&[HAIKU]), of(&["anthropic.claude-haiku-4-5*"]), of(&["anthropic.claude-haiku*", "amazon.*"])]
        {
            for name in names(HAIKU) {
                assert!(allowed(&rules, "acme", &name), "{name}");
                assert!(!allowed(&rules, "other", &name), "{name}");
            }
            for name in names(SONNET) {
                assert!(!allowed(&rules, "acme", &name), "{name}");
            }
        }
        assert!(allowed(&of(&[SONNET]), "acme", &format!("{SONNET}:200k")), "another window of the same model");
    }

    #[test]
    fn a_rule_for_a_profile_holds_for_that_geography_only() {
        let rules = of(&["eu.anthropic.*"]);
        assert!(allowed(&rules, "acme", &format!("eu.{HAIKU}")));
        assert!(!allowed(&rules, "acme", &format!("us.{HAIKU}")));
        assert!(!allowed(&rules, "acme", HAIKU));
    }

    #[test]
    fn what_hides_its_model_is_allowed_by_its_exact_name_alone() {
        for hidden in [
            "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/anthropic.claude-haiku-4-5",
            "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abc123",
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/abc123",
            "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/x/inference-profile/us.anthropic.claude-haiku-4-5",
            "arn:aws:bedrock",
            "abc123",
        ] {
            assert!(!allowed(&of(&["*", "anthropic.*", "arn:aws:*", "abc*"]), "acme", hidden), "{hidden}");
            assert!(allowed(&of(&[hidden]), "acme", hidden), "{hidden}");
        }
    }

    #[test]
    fn names_that_only_look_alike_are_others() {
        let rules = of(&["anthropic.claude-haiku*"]);
        for name in
            ["xx.anthropic.claude-haiku-9", "us.eu.anthropic.claude-haiku-9", "evil.anthropic.claude-haiku-9", ""]
        {
            assert!(!allowed(&rules, "acme", name), "{name}");
        }
        assert!(allowed(&rules, "acme", "us.anthropic.claude-haiku-9"), "a model that the table does not know yet");
    }

    #[test]
    fn organizations_without_rows_share_those_of_the_star() {
        let rules =
            ModelRules::from_csv("organization,model\n# small\n* , anthropic.claude-haiku*\nacme,*\nnone,\n").unwrap();
        assert!(allowed(&rules, "anybody", HAIKU) && !allowed(&rules, "anybody", SONNET));
        assert!(allowed(&rules, "acme", SONNET));
        assert!(!allowed(&rules, "none", HAIKU));
        assert!(allowed(&ModelRules::none(), "none", HAIKU));
    }

    #[test]
    fn a_table_that_says_nothing_clear_is_refused() {
        for (csv, says) in [
            ("organization,model\nacme,x\n", "no row for *"),
            ("organization,model\n,x\n*,\n", "row 1 names no organization"),
            ("organization,model\n*,a*b\n", "elsewhere"),
            ("model\nx\n", "organization"),
            ("organization,model\n*\n", "fields"),
        ] {
            let error = ModelRules::from_csv(csv).unwrap_err();
            assert!(error.contains(says), "{csv}: {error}");
        }
    }
}
