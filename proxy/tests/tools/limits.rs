//! How far an answer may go with tools.

use bedrock_emulator::{Behaviour, Script, Step};
use serde_json::{Value, json};

use crate::{
    Calls as _,
    common::{Answer, Proxy},
    free, one, proxy,
    server::Does,
};

/// A model that asks for a tool again and again.
fn endless() -> Script {
    Script::always(Behaviour::text("Again.").with_tool_use("s__echo", json!({ "x": 1 })))
}

async fn asked(flags: &[&str]) -> (crate::Server, Proxy, Answer) {
    let server = one("echo", Does::Echoes).await;
    let proxy = proxy(&server, free(), flags, endless()).await;
    let answer = proxy.connect().await.chat("1", "s", "go").await;
    (server, proxy, answer)
}

fn ended_by_limit(answer: &Answer, why: &str) {
    assert_eq!(answer.end.data["stopReason"], "tool_limit", "{:?}", answer.end);
    let (_, status, data) = answer.calls().into_iter().last().unwrap();
    assert_eq!(status, "denied");
    assert!(data["result"]["text"].as_str().unwrap().contains(why), "{data}");
}

#[tokio::test]
async fn an_endless_loop_ends_after_so_many_rounds_and_the_conversation_goes_on() {
    let (server, proxy, answer) = asked(&["--max-tool-rounds", "3"]).await;
    ended_by_limit(&answer, "3 times at most");
    assert_eq!((server.called().len(), proxy.emulator.ledger().len()), (3, 4));
    let next = proxy.connect().await.chat("2", "s", "go on").await;
    ended_by_limit(&next, "3 times at most");
}

#[tokio::test]
async fn or_after_so_many_calls_tokens_or_cost_or_so_long() {
    let (server, _, answer) = asked(&["--max-tool-calls", "2"]).await;
    ended_by_limit(&answer, "2 tools at most");
    assert_eq!(server.called().len(), 2);
    let (server, _, answer) = asked(&["--tool-loop-tokens", "1"]).await;
    ended_by_limit(&answer, "tokens");
    assert_eq!(server.called().len(), 0);
    let (_, _, answer) = asked(&["--tool-loop-cost", "0.000001"]).await;
    ended_by_limit(&answer, "cost");
    let (server, _, answer) = asked(&["--tool-loop-timeout", "1ns"]).await;
    ended_by_limit(&answer, "takes");
    assert_eq!(server.called().len(), 0);
}

#[tokio::test]
async fn a_budget_holds_in_the_middle_of_an_answer_and_keeps_what_had_come() {
    let (_server, proxy, answer) = asked(&["--budgets", "user/day=30000tokens", "--max-tokens", "4096"]).await;
    assert_eq!(
        (answer.end.kind.as_str(), answer.end.str("code")),
        ("chat.error", "budget_exceeded"),
        "{:?}",
        answer.end
    );
    assert!(answer.text.starts_with("Again.\n\nAgain."), "{}", answer.text);
    let usage = proxy.connect().await.ask("u", "chat.get_usage", json!({ "groupBy": "user" })).await.unwrap();
    let budget = &usage["budgets"][0];
    assert_eq!(
        (&budget["reserved"], &budget["spent"]),
        (&json!(0), &usage["total"]["usage"]["totalTokens"]),
        "{usage}"
    );
    assert!(budget["spent"].as_u64() <= budget["limit"].as_u64());
}

#[tokio::test]
async fn what_was_called_is_in_the_usage() {
    let (_server, proxy, _) = asked(&["--max-tool-rounds", "2"]).await;
    let usage = proxy.connect().await.ask("u", "chat.get_usage", json!({ "groupBy": "model" })).await.unwrap();
    let total: &Value = &usage["total"];
    assert_eq!((&total["turns"], &total["calls"], &total["toolCalls"]), (&json!(1), &json!(3), &json!(2)), "{usage}");
}

#[tokio::test]
async fn what_the_model_writes_badly_is_told_to_it() {
    let server = one("echo", Does::Echoes).await;
    let bad = Behaviour::text("I look.").with_raw_tool_use("s__echo", "{\"x\": 1");
    let script = Script::new().step(Step::of(bad).when_round(0)).step(Step::of(Behaviour::text("Sorry.")));
    let proxy = proxy(&server, free(), &[], script).await;
    let answer = proxy.connect().await.chat("1", "s", "go").await;
    assert_eq!((answer.states().last(), server.called().len()), (Some(&"failed"), 0));
    assert_eq!(answer.text, "I look.\n\nSorry.");
}
