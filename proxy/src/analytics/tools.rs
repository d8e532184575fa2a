//! The tools as they are offered.

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::{Value, json};

use super::arguments::{DEFAULT_USERS, MAX_DAYS, MAX_TREND_DAYS, MAX_USERS};

pub(super) const USAGE_SUMMARY: &str = "usage_summary";
pub(super) const TOP_USERS: &str = "top_users";
pub(super) const USAGE_TREND: &str = "usage_trend";
pub(super) const BUDGET_STATUS: &str = "budget_status";

/// All of them.
pub(super) fn all() -> Vec<Tool> {
    let summary = format!(
        "Usage and cost of this chat service in a range of days: the total, and a row for each day, hour, model, user, session or \
         organization. Use it for questions such as \"how much did we spend this week?\" or \"which model costs most?\". At most \
         {MAX_DAYS} days, at most 100 rows; the rest is summed as \"others\". Costs are exact, in US dollars. Counts that are 0 may be \
         left out."
    );
    let top = format!(
        "The users who cost most in a range of days, dearest first. For administrators and operators; a plain user gets only \
         themselves. At most {MAX_DAYS} days."
    );
    let trend = format!(
        "Whether usage goes up or down: cost and tokens of each day in a range, the totals and averages per day of the range and of as \
         many days right before it, and the change in percent. At most {MAX_TREND_DAYS} days."
    );
    let budgets = "The budgets that hold for the person you talk to: their own, their organization's and the whole service's, with \
                   what is spent, reserved and left, and when each begins anew. Use it for \"how much is left?\". It takes no arguments.";
    let group_by = json!({
        "type": "string",
        "enum": ["day", "hour", "model", "user", "session", "organization"],
        "default": "day",
        "description": "What there is a row for. user is of use with scope organization or all, organization with scope all.",
    });
    let limit = json!({
        "type": "integer",
        "minimum": 1,
        "maximum": MAX_USERS,
        "default": DEFAULT_USERS,
        "description": "How many users are listed.",
    });
    vec![
        tool(USAGE_SUMMARY, "Usage and cost", summary, in_range(&[("group_by", group_by)])),
        tool(TOP_USERS, "Users who cost most", top, in_range(&[("limit", limit)])),
        tool(USAGE_TREND, "Trend of usage", trend, in_range(&[])),
        tool(BUDGET_STATUS, "Budgets", budgets.to_owned(), object(json!({}))),
    ]
}

fn tool(name: &'static str, title: &str, description: String, schema: JsonObject) -> Tool {
    let hints =
        ToolAnnotations::with_title(title).read_only(true).destructive(false).idempotent(true).open_world(false);
    Tool::new(name, description, schema).with_title(title).with_annotations(hints)
}

/// The schema of arguments with a range and a scope.
fn in_range(more: &[(&str, Value)]) -> JsonObject {
    let mut properties = json!({
        "period": {
            "type": "string",
            "enum": ["today", "yesterday", "this_week", "last_week", "this_month", "last_month", "last_7_days", "last_30_days"],
            "description": "A range by its name, up to today; weeks begin on Monday. last_7_days where period, from and to are left \
                out. You need not know today's date for it.",
        },
        "from": {
            "type": "string",
            "format": "date",
            "description": "The first day, UTC, such as 2026-11-20, instead of period. 6 days before to where it is left out.",
        },
        "to": {
            "type": "string",
            "format": "date",
            "description": "The last day, itself included, UTC, such as 2026-11-26. Today where it is left out.",
        },
        "scope": {
            "type": "string",
            "enum": ["own", "organization", "all"],
            "description": "Whose usage: own is that of the person you talk to; organization (\"we\") is for administrators and \
                operators, all (every organization) for operators. Where it is left out, it is organization for administrators and \
                operators, and own for everybody else.",
        },
    });
    for (name, schema) in more {
        properties[*name] = schema.clone();
    }
    object(properties)
}

fn object(properties: Value) -> JsonObject {
    let schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    schema.as_object().cloned().unwrap_or_default()
}
