use std::{collections::BTreeSet, fs, time::Duration};

use clap::Parser;
use protocol::{Usage, UsageSource, server::PrincipalRole};
use rmcp::{
    RoleClient, ServiceError,
    model::{CallToolRequestParams, RequestMetaObject, RequestParamsMeta},
    serve_client,
    service::RunningService,
};
use serde_json::{Value, json};
use tokio::{io::duplex, time::timeout};

use super::*;
use crate::{
    ledger::{Budgets, reports::MAX_REPORTS, testing::settle},
    principal::Owner,
    settings::{Cli, Command},
    store::{Call, MemoryStore, Reservation, Store},
};

/// A Thursday.
const NOW: &str = "2026-11-26T09:00:00Z";

const ANN: Who = ("acme", "ann", "user");
const EVE: Who = ("acme", "eve", "administrator");
const OPS: Who = ("host", "ops", "operator");

type Who = (&'static str, &'static str, &'static str);

fn time(text: &str) -> Timestamp {
    Timestamp::try_from(text.to_owned()).unwrap()
}

fn now() -> Timestamp {
    time(NOW)
}

fn owner(organization: &str, user: &str) -> Owner {
    Owner { organization: organization.into(), user: user.into() }
}

/// A call for an answer of its own.
fn call(owner: &Owner, message: &str, asked: &str, model: &str, tokens: [u64; 2], cost_nano_usd: Option<u64>) -> Call {
    let [input_tokens, output_tokens] = tokens;
    let usage = Usage {
        input_tokens,
        output_tokens,
        total_tokens: input_tokens + output_tokens,
        cost_nano_usd,
        ..Usage::default()
    };
    Call { usage, model: model.into(), ..crate::ledger::testing::call(owner, message, time(asked), 0, None) }
}

/// What two organisations used.
fn calls() -> Vec<Call> {
    let (ann, bob, cid, other_ann) =
        (owner("acme", "ann"), owner("acme", "bob"), owner("globex", "cid"), owner("globex", "ann"));
    let mut all = vec![
        call(&ann, "m1", "2026-11-26T08:00:00Z", "sonnet", [50, 150], Some(2_400_000)),
        call(&ann, "m2", "2026-11-25T23:59:59.999Z", "haiku", [100, 10], Some(37_500)),
        call(&bob, "m3", "2026-11-25T00:00:00Z", "sonnet", [1_000, 1_000], Some(18_000_000)),
        call(&bob, "m4", "2026-11-20T00:00:00Z", "mystery", [7, 3], None),
        call(&bob, "m5", "2026-11-19T23:59:59.999Z", "sonnet", [10, 10], Some(180_000)),
        call(&cid, "m6", "2026-11-24T12:00:00Z", "opus", [100, 100], Some(9_000_000)),
        call(&other_ann, "m7", "2026-11-24T12:00:00Z", "sonnet", [1, 1], Some(18_000)),
    ];
    all[5].usage.source = UsageSource::Estimated;
    all
}

struct World {
    client: RunningService<RoleClient, ()>,
    reports: Arc<Reports>,
}

impl World {
    async fn new() -> Self {
        Self::with(calls(), Budgets::default(), Observe::default()).await
    }

    async fn with(calls: Vec<Call>, budgets: Budgets, observe: Observe) -> Self {
        let store = Arc::new(MemoryStore::default());
        for call in calls {
            let reservation =
                Reservation { accounts: budgets.accounts(&call.owner, call.asked), ..Reservation::default() };
            settle(store.as_ref(), reservation, vec![call]).await;
        }
        let reports = Arc::new(Reports::new(store as Arc<dyn Store>, budgets));
        let (near, far) = duplex(4_096);
        Analytics::new(reports.clone(), now, observe).serve(far);
        Self { client: serve_client((), near).await.unwrap(), reports }
    }

    async fn call(&self, meta: Value, tool: &str, arguments: Value) -> Result<CallToolResult, ServiceError> {
        let arguments = arguments.as_object().unwrap().clone();
        let mut request = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
        request.set_meta(serde_json::from_value::<RequestMetaObject>(meta).unwrap());
        self.client.call_tool(request).await
    }

    async fn ask(&self, who: Who, tool: &str, arguments: Value) -> CallToolResult {
        let (organization, user, role) = who;
        let meta = json!({ CALLER: { "organization": organization, "user": user, "role": role } });
        self.call(meta, tool, arguments).await.unwrap()
    }

    /// The figures, which are the same as data and as text.
    async fn answer(&self, who: Who, tool: &str, arguments: Value) -> Value {
        let result = self.ask(who, tool, arguments).await;
        assert_eq!(result.is_error, Some(false), "{result:?}");
        let answer = result.structured_content.clone().unwrap();
        assert_eq!(serde_json::from_str::<Value>(&text(&result)).unwrap(), answer);
        answer
    }

    /// Why there are none.
    async fn refused(&self, who: Who, tool: &str, arguments: Value) -> String {
        let result = self.ask(who, tool, arguments).await;
        assert_eq!((result.is_error, &result.structured_content), (Some(true), &None), "{result:?}");
        text(&result)
    }
}

fn text(result: &CallToolResult) -> String {
    let [block] = &result.content[..] else { panic!("{result:?}") };
    block.as_text().unwrap().text.clone()
}

/// A field of each row, and what it cost.
fn costs(answer: &Value, field: &str) -> Vec<(String, Value)> {
    let rows = answer["rows"].as_array().unwrap().iter();
    rows.map(|row| (row[field].as_str().unwrap().to_owned(), row["cost_usd"].clone())).collect()
}

fn pairs<const N: usize>(all: [(&str, &str); N]) -> Vec<(String, Value)> {
    all.map(|(key, cost)| (key.to_owned(), json!(cost))).into()
}

#[tokio::test]
async fn a_summary_is_of_the_last_seven_days_by_day_and_exact() {
    let world = World::new().await;
    let answer = world.answer(ANN, tools::USAGE_SUMMARY, json!({})).await;
    let sum = |cost: &str, [answers, input, output]: [u64; 3]| {
        json!({
            "cost_usd": cost, "answers": answers, "calls": answers,
            "input_tokens": input, "output_tokens": output, "total_tokens": input + output,
        })
    };
    let row = |day: &str, mut sum: Value| {
        sum["day"] = json!(day);
        sum
    };
    assert_eq!(
        answer,
        json!({
            "today": "2026-11-26", "scope": "own", "organization": "acme", "user": "ann",
            "from": "2026-11-20", "to": "2026-11-26", "group_by": "day",
            "total": sum("0.0024375", [2, 150, 160]),
            "notes": [],
            "rows": [
                row("2026-11-25", sum("0.0000375", [1, 100, 10])),
                row("2026-11-26", sum("0.0024", [1, 50, 150])),
            ],
        })
    );
}

#[tokio::test]
async fn everybody_sees_what_their_role_allows_and_no_more() {
    let world = World::new().await;
    let by_user = |scope: &str| json!({ "group_by": "user", "scope": scope });
    let own = world.answer(ANN, tools::USAGE_SUMMARY, by_user("own")).await;
    assert_eq!(costs(&own, "user"), pairs([("ann", "0.0024375")]));
    let organization = world.answer(EVE, tools::USAGE_SUMMARY, json!({ "group_by": "user" })).await;
    assert_eq!(costs(&organization, "user"), pairs([("bob", "0.018"), ("ann", "0.0024375")]));
    assert_eq!(
        (&organization["scope"], &organization["organization"], organization.get("user")),
        (&json!("organization"), &json!("acme"), None)
    );
    let all = world.answer(OPS, tools::USAGE_SUMMARY, by_user("all")).await;
    assert_eq!(
        costs(&all, "organization"),
        pairs([("acme", "0.018"), ("acme", "0.0024375"), ("globex", "0.009"), ("globex", "0.000018")])
    );
    assert_eq!((&all["total"]["cost_usd"], all.get("organization")), (&json!("0.0294555"), None));
    assert_eq!(world.answer(OPS, tools::USAGE_SUMMARY, json!({})).await["total"]["calls"], 0, "its own organization");
    for tool in [tools::USAGE_SUMMARY, tools::TOP_USERS, tools::USAGE_TREND] {
        for (who, scope) in [(ANN, "organization"), (ANN, "all"), (EVE, "all")] {
            let why = world.refused(who, tool, json!({ "scope": scope })).await;
            assert!(why.contains("may not see this") && why.contains("scope \"own\""), "{why}");
            assert!(!why.contains("bob") && !why.contains("globex"), "{why}");
        }
        let own = world.answer(ANN, tool, json!({})).await.to_string();
        assert!(!own.contains("bob") && !own.contains("globex") && !own.contains("0.018"), "{own}");
        let organization = world.answer(EVE, tool, json!({})).await.to_string();
        assert!(!organization.contains("globex") && !organization.contains("cid"), "{organization}");
    }
}

#[tokio::test]
async fn who_does_not_say_for_whom_is_refused() {
    let world = World::new().await;
    let long = "x".repeat(129);
    for meta in [
        json!({}),
        json!({ CALLER: null }),
        json!({ CALLER: "operator" }),
        json!({ CALLER: { "organization": "acme", "user": "ann" } }),
        json!({ CALLER: { "organization": "acme", "role": "user" } }),
        json!({ CALLER: { "organization": "acme", "user": "ann", "role": "root" } }),
        json!({ CALLER: { "organization": "acme", "user": "ann", "role": ["operator"] } }),
        json!({ CALLER: { "organization": "acme", "user": "", "role": "user" } }),
        json!({ CALLER: { "organization": "", "user": "ann", "role": "user" } }),
        json!({ CALLER: { "organization": "acme", "user": long, "role": "user" } }),
        json!({ "caller": { "organization": "acme", "user": "ann", "role": "operator" } }),
    ] {
        for tool in tools::all() {
            let result = world.call(meta.clone(), &tool.name, json!({})).await;
            let Err(ServiceError::McpError(error)) = result else { panic!("{meta}: {result:?}") };
            assert!(error.message.contains(CALLER), "{error:?}");
        }
    }
    let me = json!({ CALLER: { "organization": "acme", "user": "ann", "role": "user" } });
    let result = world.call(me, "drop_users", json!({})).await;
    assert!(matches!(result, Err(ServiceError::McpError(_))), "{result:?}");
}

#[tokio::test]
async fn arguments_cannot_widen_what_is_seen() {
    let world = World::new().await;
    let caller = json!({ "organization": "globex", "user": "cid", "role": "operator" });
    for arguments in [
        json!({ "organization": "globex" }),
        json!({ "user": "bob" }),
        json!({ "role": "operator" }),
        json!({ CALLER: caller }),
        json!({ "_meta": { CALLER: caller } }),
        json!({ "scope": "organization:globex" }),
        json!({ "scope": ["own", "all"] }),
        json!({ "scope": "ALL" }),
    ] {
        for tool in tools::all() {
            let why = world.refused(EVE, &tool.name, arguments.clone()).await;
            assert!(why.contains("Call again"), "{why}");
            assert!(why.chars().count() <= 401 && !why.contains("0.00"), "{why}");
        }
    }
    let why = world.refused(EVE, tools::USAGE_SUMMARY, json!({ "x".repeat(100_000): 1 })).await;
    assert!(why.ends_with('…') && why.chars().count() == 401);
    let nulls = json!({ "period": null, "from": null, "to": null, "scope": null, "group_by": null });
    assert_eq!(world.answer(ANN, tools::USAGE_SUMMARY, nulls).await["total"]["cost_usd"], "0.0024375");
}

#[tokio::test]
async fn sums_are_those_of_chat_get_usage() {
    let world = World::new().await;
    let names = ["day", "hour", "model", "user", "session", "organization"];
    for (who, role, scopes) in [
        (ANN, PrincipalRole::User, &["own"][..]),
        (EVE, PrincipalRole::Administrator, &["own", "organization"]),
        (OPS, PrincipalRole::Operator, &["own", "organization", "all"]),
    ] {
        for (scope, group_by) in scopes.iter().flat_map(|scope| names.map(|name| (*scope, name))) {
            let arguments = json!({ "from": "2026-11-01", "to": "2026-11-26", "scope": scope, "group_by": group_by });
            let answer = world.answer(who, tools::USAGE_SUMMARY, arguments).await;
            let query = json!({ "from": "2026-11-01T00:00:00Z", "to": "2026-11-27T00:00:00Z", "scope": scope, "groupBy": group_by });
            let query: UsageQuery = serde_json::from_value(query).unwrap();
            let (_, report) = world.reports.usage(&owner(who.0, who.1), role, &query, now()).await.unwrap();
            let usage = report.into_response(Vec::new());
            assert_eq!(answer["total"], json!(figures::Figures::from(&usage.total)));
            let rows: Vec<_> = usage.rows.iter().map(|row| json!(figures::Figures::from(&row.sum))).collect();
            let keys: BTreeSet<_> = names.into_iter().collect();
            let listed = answer["rows"].as_array().unwrap().iter().map(|row| {
                let figures = row.as_object().unwrap().iter().filter(|(name, _)| !keys.contains(name.as_str()));
                Value::Object(figures.map(|(name, figure)| (name.clone(), figure.clone())).collect())
            });
            assert_eq!(listed.collect::<Vec<_>>(), rows, "{who:?} {scope} {group_by}");
        }
    }
}

#[tokio::test]
async fn days_are_whole_and_the_last_one_is_among_them() {
    let world = World::new().await;
    for (arguments, calls, [from, to]) in [
        (json!({ "from": "2026-11-25", "to": "2026-11-25" }), 2, ["2026-11-25", "2026-11-25"]),
        (json!({ "from": "2026-11-19", "to": "2026-11-19" }), 1, ["2026-11-19", "2026-11-19"]),
        (json!({ "from": "2026-11-20" }), 4, ["2026-11-20", "2026-11-26"]),
        (json!({ "from": "2026-11-19" }), 5, ["2026-11-19", "2026-11-26"]),
        (json!({ "to": "2026-11-25" }), 4, ["2026-11-19", "2026-11-25"]),
        (json!({ "from": "2026-11-26", "to": "2027-06-01" }), 1, ["2026-11-26", "2026-11-26"]),
        (json!({ "period": "this_week" }), 3, ["2026-11-23", "2026-11-26"]),
        (json!({ "period": "last_week" }), 2, ["2026-11-16", "2026-11-22"]),
        (json!({ "from": "2025-10-23", "to": "2026-11-26" }), 5, ["2025-10-23", "2026-11-26"]),
    ] {
        let answer = world.answer(EVE, tools::USAGE_SUMMARY, arguments.clone()).await;
        assert_eq!(answer["total"]["calls"], calls, "{arguments}");
        assert_eq!((&answer["from"], &answer["to"]), (&json!(from), &json!(to)));
    }
    for (arguments, expected) in [
        (json!({ "from": "2026-11-25", "to": "2026-11-24" }), "from must be before to"),
        (json!({ "from": "2026-11-27" }), "today, which is 2026-11-26"),
        (json!({ "from": "2025-10-22", "to": "2026-11-26" }), "at most"),
        (json!({ "from": "1970-01-01" }), "at most"),
        (json!({ "from": "2026-11-31" }), "write it as 2026-11-26"),
        (json!({ "from": "yesterday" }), "write it as 2026-11-26"),
        (json!({ "to": 20_261_126 }), "Call again"),
        (json!({ "period": "today", "from": "2026-11-25" }), "not both"),
        (json!({ "period": "this_year" }), "this_month"),
    ] {
        for tool in [tools::USAGE_SUMMARY, tools::TOP_USERS, tools::USAGE_TREND] {
            let why = world.refused(EVE, tool, arguments.clone()).await;
            assert!(why.contains(expected), "{arguments}: {why}");
        }
    }
    let why = world.refused(EVE, tools::USAGE_TREND, json!({ "from": "2026-05-01" })).await;
    assert!(why.contains("210 days; at most 200"), "{why}");
    let first = json!({ "from": "1970-01-01", "to": "1970-01-01" });
    assert!(world.refused(EVE, tools::USAGE_TREND, first).await.contains("choose a later from"));
}

#[tokio::test]
async fn what_has_no_price_or_is_an_estimate_is_said() {
    let world = World::new().await;
    let answer = world.answer(OPS, tools::USAGE_SUMMARY, json!({ "scope": "all", "group_by": "model" })).await;
    assert_eq!(
        answer["notes"],
        json!([
            "1 of 6 calls went to models without a price; costs leave them out.",
            "The tokens and cost of 1 of 6 calls are estimates.",
        ])
    );
    assert_eq!((&answer["total"]["calls_without_price"], &answer["total"]["estimated_calls"]), (&json!(1), &json!(1)));
    let mystery = answer["rows"].as_array().unwrap().iter().find(|row| row["model"] == "mystery").unwrap();
    assert_eq!((&mystery["cost_usd"], &mystery["total_tokens"]), (&Value::Null, &json!(10)), "unknown is not 0");
    let nothing = world.answer(ANN, tools::USAGE_SUMMARY, json!({ "period": "last_month" })).await;
    assert_eq!(
        (&nothing["notes"], &nothing["total"]["cost_usd"]),
        (&json!(["Nothing was used in this range."]), &json!("0.00"))
    );
}

#[tokio::test]
async fn the_dearest_users_come_first_whatever_their_organization() {
    let world = World::new().await;
    let top = world.answer(OPS, tools::TOP_USERS, json!({ "scope": "all", "limit": 3 })).await;
    assert_eq!(costs(&top, "user"), pairs([("bob", "0.018"), ("cid", "0.009"), ("ann", "0.0024375")]));
    assert_eq!(top["rows"][2]["organization"], "acme");
    assert_eq!((&top["others"]["rows"], &top["others"]["cost_usd"]), (&json!(1), &json!("0.000018")));
    assert!(top["notes"].to_string().contains("3 users, the dearest, are listed"), "{top}");
    let own = world.answer(ANN, tools::TOP_USERS, json!({})).await;
    assert_eq!(costs(&own, "user"), pairs([("ann", "0.0024375")]));
    assert!(own["notes"].to_string().contains("own usage only"), "{own}");
    for limit in [json!(0), json!(-1), json!(51), json!(i64::MIN)] {
        let why = world.refused(OPS, tools::TOP_USERS, json!({ "limit": limit })).await;
        assert!(why.contains("from 1 to 50"), "{why}");
    }
    for limit in [json!(1e99), json!(2.5), json!("10"), json!(u64::MAX)] {
        assert!(world.refused(OPS, tools::TOP_USERS, json!({ "limit": limit })).await.contains("Call again"));
    }
}

#[tokio::test]
async fn rows_are_bounded_and_the_others_are_summed() {
    let name = |n: usize, length: usize| format!("{n:0length$}");
    for (length, listed) in [(3, 100), (128, 0)] {
        let calls = (0..150).map(|n| {
            let owner = owner(&"o".repeat(length), &name(n, length));
            call(&owner, &format!("m{n}"), NOW, "sonnet", [1, 1], Some(1_000 + n as u64))
        });
        let world = World::with(calls.collect(), Budgets::default(), Observe::default()).await;
        let result = world.ask(OPS, tools::USAGE_SUMMARY, json!({ "scope": "all", "group_by": "user" })).await;
        let answer = result.structured_content.clone().unwrap();
        let rows = answer["rows"].as_array().unwrap().len();
        assert!(text(&result).len() < figures::MAX_ROWS_BYTES + 1_024);
        assert!(if listed == 0 { (10..100).contains(&rows) } else { rows == listed }, "{rows}");
        assert_eq!(answer["others"]["rows"], 150 - rows);
        let others: u64 = (0..150 - rows as u64).map(|n| 1_000 + n).sum();
        assert_eq!(answer["others"]["cost_usd"], figures::dollars(others));
        assert_eq!(answer["total"]["calls"], 150);
    }
    let hours = (0..150).map(|n| {
        let asked = format!("2026-11-{:02}T{:02}:00:00Z", 19 + n / 24, n % 24);
        call(&owner("acme", "ann"), &format!("m{n}"), &asked, "sonnet", [1, 1], Some(1))
    });
    let world = World::with(hours.collect(), Budgets::default(), Observe::default()).await;
    let answer = world.answer(ANN, tools::USAGE_SUMMARY, json!({ "group_by": "hour", "from": "2026-11-19" })).await;
    let listed = costs(&answer, "hour");
    assert_eq!((listed.len(), listed[99].0.as_str()), (100, "2026-11-25T05:00Z"), "the latest");
    assert_eq!(answer["others"]["calls"], 50);
}

#[tokio::test]
async fn a_trend_has_every_day_and_the_same_time_before() {
    let world = World::new().await;
    let answer = world.answer(EVE, tools::USAGE_TREND, json!({ "from": "2026-11-25" })).await;
    assert_eq!((&answer["this"]["total"]["cost_usd"], &answer["this"]["days"]), (&json!("0.0204375"), &json!(2)));
    assert_eq!(answer["this"]["average_per_day"], json!({ "cost_usd": "0.01021875", "total_tokens": 1_155 }));
    let before = &answer["before"];
    assert_eq!(
        (&before["from"], &before["to"], &before["total"]["calls"]),
        (&json!("2026-11-23"), &json!("2026-11-24"), &json!(0))
    );
    assert_eq!(answer["change_percent"], json!({ "cost_usd": null, "total_tokens": null, "answers": null }));
    assert!(answer["notes"].to_string().contains("Today is not over"), "{answer}");

    let week = world.answer(EVE, tools::USAGE_TREND, json!({})).await;
    let days: Vec<_> = costs(&week, "day");
    assert_eq!(days.len(), 7);
    assert_eq!(
        (&days[0], &days[1]),
        (&("2026-11-20".to_owned(), Value::Null), &("2026-11-21".to_owned(), json!("0.00")))
    );
    assert_eq!(week["before"]["total"]["cost_usd"], "0.00018");
    // 20,437,500 nano-dollars after 180,000.
    assert_eq!(week["change_percent"], json!({ "cost_usd": 11_254.2, "total_tokens": 11_500.0, "answers": 300.0 }));
    let past = world.answer(EVE, tools::USAGE_TREND, json!({ "period": "last_week" })).await;
    assert!(!past["notes"].to_string().contains("Today"), "{past}");
    let longest = world.answer(EVE, tools::USAGE_TREND, json!({ "from": "2026-05-11" })).await;
    assert_eq!((longest["rows"].as_array().unwrap().len(), &longest["others"]["rows"]), (100, &json!(100)));
}

#[tokio::test]
async fn budgets_are_those_of_whoever_asks() {
    let none = World::new().await.answer(ANN, tools::BUDGET_STATUS, json!({})).await;
    assert_eq!((&none["budgets"], none["notes"].to_string().contains("No budgets")), (&json!([]), true));
    let budgets = ["user/day=5usd", "organization/month=5000tokens"].map(|text| text.parse().unwrap());
    let world = World::with(calls(), Budgets::new(budgets.into()).unwrap(), Observe::default()).await;
    let answer = world.answer(ANN, tools::BUDGET_STATUS, json!({})).await;
    assert_eq!(
        answer["budgets"],
        json!([
            {
                "of": "user", "period": "day", "unit": "usd", "limit": "5.00", "spent": "0.0024", "reserved": "0.00",
                "left": "4.9976", "renews_at": "2026-11-27T00:00:00.000Z",
            },
            {
                "of": "organization", "period": "month", "unit": "tokens", "limit": 5_000, "spent": 2_340, "reserved": 0,
                "left": 2_660, "renews_at": "2026-12-01T00:00:00.000Z",
            },
        ])
    );
    let other = world.answer(("globex", "ann", "operator"), tools::BUDGET_STATUS, json!({})).await;
    assert_eq!((&other["budgets"][0]["spent"], &other["budgets"][1]["spent"]), (&json!("0.00"), &json!(202)));
}

#[tokio::test]
async fn tools_say_what_they_take_and_that_they_only_read() {
    let world = World::new().await;
    let listed = world.client.list_all_tools().await.unwrap();
    let names: Vec<_> = listed.iter().map(|tool| tool.name.as_ref()).collect();
    assert_eq!(names, [tools::USAGE_SUMMARY, tools::TOP_USERS, tools::USAGE_TREND, tools::BUDGET_STATUS]);
    for tool in &listed {
        let hints = tool.annotations.as_ref().unwrap();
        assert_eq!(
            (hints.read_only_hint, hints.idempotent_hint, hints.destructive_hint),
            (Some(true), Some(true), Some(false))
        );
        assert!(tool.description.as_ref().is_some_and(|text| text.len() > 80), "{tool:?}");
        let schema = tool.schema_as_json_value();
        assert_eq!((&schema["type"], &schema["additionalProperties"]), (&json!("object"), &json!(false)));
        for (name, property) in schema["properties"].as_object().unwrap() {
            assert!(property["description"].is_string(), "{name}");
            let values = match property["enum"].as_array() {
                Some(values) => values.clone(),
                None if property["format"] == "date" => vec![json!("2026-11-26")],
                None => ["minimum", "maximum", "default"].map(|bound| property[bound].clone()).into(),
            };
            for value in values {
                world.answer(OPS, &tool.name, json!({ name: value })).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn only_so_many_reports_are_made_at_a_time_through_tools_too() {
    let world = World::new().await;
    let places = world.reports.places().acquire_many(MAX_REPORTS as u32).await.unwrap();
    assert_eq!(world.reports.places().available_permits(), 0);
    for tool in [tools::USAGE_SUMMARY, tools::TOP_USERS, tools::USAGE_TREND] {
        assert!(timeout(Duration::from_secs(60), world.ask(ANN, tool, json!({}))).await.is_err(), "{tool} waits");
    }
    drop(places);
    assert_eq!(world.answer(ANN, tools::USAGE_SUMMARY, json!({})).await["total"]["calls"], 2);
}

#[tokio::test]
async fn the_audit_log_tells_who_saw_the_usage_of_others() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit.log");
    let cli = Cli::try_parse_from(["outcrop-proxy", "serve", "--audit-log", file.to_str().unwrap()]).unwrap();
    let Command::Serve(settings) = cli.command else { panic!("serve was asked for") };
    let observe = Observe::start(&settings.observe).unwrap();
    let world = World::with(calls(), Budgets::default(), observe.clone()).await;
    world.answer(EVE, tools::USAGE_SUMMARY, json!({ "scope": "own" })).await;
    world.answer(EVE, tools::USAGE_SUMMARY, json!({})).await;
    world.answer(OPS, tools::TOP_USERS, json!({ "scope": "all" })).await;
    world.refused(ANN, tools::TOP_USERS, json!({ "scope": "all" })).await;
    observe.close();
    let records = fs::read_to_string(&file).unwrap();
    let acts: Vec<_> = records
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|record| record["kind"] == "admin")
        .map(|record| {
            json!([record["act"], record["status"], record["role"], record["user"], record["targetOrganization"]])
        })
        .collect();
    assert_eq!(
        acts,
        [
            json!(["usage.read", 200, "administrator", "eve", "acme"]),
            json!(["usage.read", 200, "operator", "ops", null]),
            json!(["usage.read", 403, "user", "ann", null]),
        ]
    );
}
