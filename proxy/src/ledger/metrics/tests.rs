use std::collections::BTreeMap;

use protocol::{ErrorCode, Usage};

use super::*;
use crate::{
    ledger::{
        alerts::AlertPeriod,
        testing::{at, call},
    },
    principal::Owner,
};

/// What the alarms look at.
const ALARMS: &str = include_str!("../../../../infra/alarms.yaml");

/// Checks a line against the specification of the format, and returns its figures and its dimension sets.
fn read(line: &str) -> (BTreeMap<String, f64>, Vec<Vec<String>>, Value) {
    let json: Value = serde_json::from_str(line).expect("JSON");
    assert!(json["_aws"]["Timestamp"].is_u64(), "{line}");
    let directives = json["_aws"]["CloudWatchMetrics"].as_array().expect("directives");
    assert_eq!(directives.len(), 1);
    let directive = &directives[0];
    assert!((1..=1_024).contains(&directive["Namespace"].as_str().expect("a namespace").len()));
    let sets: Vec<Vec<String>> = serde_json::from_value(directive["Dimensions"].clone()).expect("dimension sets");
    assert!(!sets.is_empty() && sets.iter().all(|set| set.len() <= 30));
    for name in sets.iter().flatten() {
        let value = json[name].as_str().unwrap_or_else(|| panic!("{name} is no member: {line}"));
        assert!((1..=1_024).contains(&value.len()) && value.is_ascii() && !value.starts_with(':'), "{value:?}");
    }
    let metrics = directive["Metrics"].as_array().expect("metrics");
    assert!((1..=100).contains(&metrics.len()));
    let figures = metrics.iter().map(|metric| {
        let (name, unit) = (metric["Name"].as_str().expect("a name"), metric["Unit"].as_str().expect("a unit"));
        assert!(METRICS.contains(&(name, unit)), "{name} {unit}");
        (name.to_owned(), json[name].as_f64().unwrap_or_else(|| panic!("{name} is no figure: {line}")))
    });
    (figures.collect(), sets, json.clone())
}

async fn lines(count: impl AsyncFnOnce(&mut Metrics<Vec<u8>>)) -> Vec<String> {
    let mut metrics = Metrics::new(Vec::new());
    count(&mut metrics).await;
    let written = String::from_utf8(metrics.out.lock().unwrap().clone()).unwrap();
    written.split_inclusive('\n').map(str::to_owned).collect()
}

#[tokio::test]
async fn each_call_is_a_line_of_the_format() {
    let whole = call(&Owner::local(), "1", at(0), 7, Some(2_400_000));
    let usage = Usage { cost_nano_usd: None, ..Usage::estimate(4, 8) };
    let failed = Call {
        usage,
        outcome: CallOutcome::Failed(ErrorCode::Throttled),
        duration_ms: 0,
        first_token_ms: None,
        ..whole.clone()
    };
    let lines = lines(async |metrics| metrics.count(&[whole, failed], at(1)).await).await;
    assert_eq!(lines.len(), 2);
    let (figures, sets, json) = read(&lines[0]);
    assert_eq!(sets, [vec![], vec!["Model".to_owned()], vec!["Organization".to_owned()]]);
    assert_eq!((&json["Model"], &json["Organization"]), (&json!("billed"), &json!("local")));
    let expected = [
        ("CacheReadTokens", 0.0),
        ("CostUSD", 0.0024),
        ("Errors", 0.0),
        ("EstimatedCalls", 0.0),
        ("InputTokens", 7.0),
        ("Invocations", 1.0),
        ("Latency", 1_500.0),
        ("OutputTokens", 0.0),
        ("TimeToFirstToken", 300.0),
        ("UnpricedCalls", 0.0),
    ];
    assert_eq!(figures, expected.map(|(name, figure)| (name.to_owned(), figure)).into());
    let (figures, ..) = read(&lines[1]);
    assert_eq!((figures["Errors"], figures["EstimatedCalls"], figures["UnpricedCalls"]), (1.0, 1.0, 1.0));
    for unknown in ["CostUSD", "Latency", "TimeToFirstToken"] {
        assert!(!figures.contains_key(unknown), "{unknown} is not known");
    }
}

#[tokio::test]
async fn an_alert_is_counted_for_its_organisation_or_in_all() {
    let alert = |kind, organization: Option<&str>| Alert {
        kind,
        organization: organization.map(str::to_owned),
        ..crate::ledger::testing::alert(AlertPeriod::Day)
    };
    let alerts = [alert(AlertKind::Budget, Some("acme")), alert(AlertKind::Unusual, None)];
    let lines = lines(async |metrics| {
        for alert in &alerts {
            metrics.alert(alert, at(1)).await;
        }
    })
    .await;
    let (figures, sets, json) = read(&lines[0]);
    assert_eq!((figures["BudgetAlerts"], sets.len(), &json["Organization"]), (1.0, 2, &json!("acme")));
    let (figures, sets, _) = read(&lines[1]);
    assert_eq!((figures["UnusualUsage"], sets), (1.0, vec![vec![]]));
}

#[test]
fn there_are_so_many_names_and_all_can_be_taken() {
    let mut names = Names::default();
    assert_eq!(names.name(":äcme\n"), "?cme?");
    assert_eq!(names.name(" : "), OTHER);
    assert_eq!(names.name(&"x".repeat(2_000)).len(), MAX_NAME_CHARS);
    let own = (0..MAX_NAMES * 2).filter(|n| names.name(&n.to_string()) != OTHER).count();
    assert_eq!(own, MAX_NAMES - 2);
    assert_eq!(names.name("0"), "0", "the first ones keep their names");
}

/// Every text under one of these keys, wherever it is.
fn under<'a>(key: &str, value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| match value.as_str() {
            Some(text) if name == key => found.push(text),
            _ => under(key, value, found),
        }),
        Value::Array(values) => values.iter().for_each(|value| under(key, value, found)),
        _ => {}
    }
}

#[test]
fn alarms_look_at_metrics_that_are_written() {
    let template: Value = serde_saphyr::from_str(ALARMS).expect("YAML");
    let resources = template["Resources"].as_object().expect("resources");
    for alarm in resources.values() {
        assert_eq!(alarm["Type"], "AWS::CloudWatch::Alarm");
        let (mut names, mut namespaces) = (Vec::new(), Vec::new());
        under("MetricName", alarm, &mut names);
        under("Namespace", alarm, &mut namespaces);
        assert!(!names.is_empty() && names.len() == namespaces.len(), "{alarm}");
        for name in names {
            assert!(METRICS.iter().any(|(known, _)| *known == name), "{name} is not written");
        }
        assert!(namespaces.iter().all(|namespace| *namespace == NAMESPACE), "{namespaces:?}");
    }
    let parameters = template["Parameters"].as_object().expect("parameters");
    let mut references = Vec::new();
    under("Ref", &template, &mut references);
    under("Fn::Sub", &template, &mut references);
    for parameter in parameters.keys() {
        assert!(references.iter().any(|text| text.contains(parameter.as_str())), "{parameter} is used by nothing");
    }
    for name in references.iter().filter(|text| !text.contains(' ')) {
        assert!(parameters.contains_key(*name), "{name} is no parameter");
    }
}
