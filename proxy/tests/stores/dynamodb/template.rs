//! CloudFormation's template and the IAM policy in it, beside what the program asks for.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, ProjectionType, TableDescription, TimeToLiveStatus,
};
use outcrop_proxy::store::{
    Account, Amount, Checkpoint, Closing, Piece,
    dynamodb::{ACTIONS, CREATE_ACTIONS, LEASE, create_table},
};
use protocol::{Message, MessageId, Role, SessionId, Timestamp};
use serde_json::Value;

use super::{SERVER, client, faulty::Faulty, store_at, table};
use crate::{
    conformance::{asking, decision, drop_answer, owner, with_sessions},
    money::{account, reserve},
};

fn resources() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/dynamodb.yaml");
    let text = std::fs::read_to_string(path).expect("the template");
    serde_saphyr::from_str::<Value>(&text).expect("YAML")["Resources"].take()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value:?}")).to_owned()
}

/// Two texts of each member of a list.
fn pairs(list: &Value, first: &str, second: &str) -> Vec<(String, String)> {
    let members = list.as_array().unwrap_or_else(|| panic!("{list:?}")).iter();
    members.map(|member| (text(&member[first]), text(&member[second]))).collect()
}

fn keys(schema: &[KeySchemaElement]) -> Vec<(String, String)> {
    schema.iter().map(|key| (key.attribute_name().to_owned(), key.key_type().as_str().to_owned())).collect()
}

fn attributes(definitions: &[AttributeDefinition]) -> BTreeMap<String, String> {
    let pair = |of: &AttributeDefinition| (of.attribute_name().to_owned(), of.attribute_type().as_str().to_owned());
    definitions.iter().map(pair).collect()
}

#[tokio::test]
async fn the_template_is_of_the_same_table() {
    let name = table().await;
    let client = client(&SERVER.url).await;
    let described = client.describe_table().table_name(&name).send().await.expect("described").table;
    let TableDescription { key_schema, attribute_definitions, local_secondary_indexes, billing_mode_summary, .. } =
        described.expect("a table");
    let template = &resources()["Table"]["Properties"];
    assert_eq!(pairs(&template["KeySchema"], "AttributeName", "KeyType"), keys(&key_schema.expect("keys")));
    let attribute_types = pairs(&template["AttributeDefinitions"], "AttributeName", "AttributeType");
    assert_eq!(
        attribute_types.into_iter().collect::<BTreeMap<_, _>>(),
        attributes(&attribute_definitions.expect("attributes"))
    );
    let (indexes, in_template) =
        (local_secondary_indexes.expect("indexes"), template["LocalSecondaryIndexes"].as_array().expect("indexes"));
    assert_eq!((indexes.len(), in_template.len()), (1, 1));
    assert_eq!(Some(&*text(&in_template[0]["IndexName"])), indexes[0].index_name());
    assert_eq!(pairs(&in_template[0]["KeySchema"], "AttributeName", "KeyType"), keys(indexes[0].key_schema()));
    let projection = indexes[0].projection().and_then(|projection| projection.projection_type());
    assert_eq!(projection, Some(&ProjectionType::All));
    assert_eq!(text(&in_template[0]["Projection"]["ProjectionType"]), "ALL");
    let mode = billing_mode_summary.and_then(|summary| summary.billing_mode);
    assert_eq!(mode, Some(BillingMode::PayPerRequest));
    assert_eq!(text(&template["BillingMode"]), "PAY_PER_REQUEST");
    let described = client.describe_time_to_live().table_name(&name).send().await.expect("described");
    let described = described.time_to_live_description.expect("a description");
    let expires = &template["TimeToLiveSpecification"];
    assert_eq!(Some(&*text(&expires["AttributeName"])), described.attribute_name());
    assert_eq!(described.time_to_live_status(), Some(&TimeToLiveStatus::Enabled));
    assert_eq!(expires["Enabled"].as_bool(), Some(true));
}

#[tokio::test]
async fn the_policy_allows_what_a_proxy_asks_for_and_no_more() {
    let actions = |names: &[&str]| names.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    let name = format!("template-{}", std::process::id());
    let faulty = Faulty::before(&SERVER.url).await;
    create_table(&client(&faulty.url).await, &name).await.expect("a table");
    assert_eq!(faulty.actions(), actions(&CREATE_ACTIONS));

    let statements = resources()["ProxyPolicy"]["Properties"]["PolicyDocument"]["Statement"].clone();
    let [items, by_use] = statements.as_array().expect("statements").as_slice() else { panic!("{statements:?}") };
    let allowed = items["Action"].as_array().expect("a list").iter().map(text).collect::<BTreeSet<_>>();
    assert_eq!(allowed, actions(&ACTIONS));
    assert_eq!(text(&by_use["Action"]), "dynamodb:Query");
    assert_eq!(text(&by_use["Resource"]["Fn::Sub"]), "${Table.Arn}/index/by-use");

    let faulty = Faulty::before(&SERVER.url).await;
    use_everything(&faulty.url, &name).await;
    assert_eq!(faulty.actions(), allowed);
}

/// Does everything with a table that needs an action of its own.
async fn use_everything(url: &str, table: &str) {
    let store = store_at(url, table).await;
    let (ann, now) = (owner("ann"), Timestamp::from_unix_ms(5));
    let session = |name: &str| SessionId::new(name).expect("an id");
    with_sessions(&store, &ann, &["s"]).await;
    assert_eq!(store.sessions(&ann, None, 9).await.expect("a page").items.len(), 1);
    store.ask(&ann, &session("s"), asking("q", false)).await.expect("asked");
    let id = MessageId::new("answer-q").expect("an id");
    let piece = Piece { seq: 1, reasoning: false, part: 0, text: "text".into(), call: None };
    let checkpoint = Checkpoint { at: now, model: "m".into(), pieces: vec![piece] };
    store.checkpoint(&ann, &session("s"), &id, checkpoint).await.expect("kept");
    assert_eq!(store.decide(&ann, &id, decision("call", true)).await, Ok(true));
    store.reserve_more(&ann, &session("s"), &id, Amount::default()).await.expect("set aside");
    assert_eq!(store.conversation(&ann, &session("s"), None, 9).await.expect("a conversation").len(), 1);
    // Nobody answers any more, so something else may be asked.
    let mut next = asking("r", false);
    next.answer.started = Timestamp::from_unix_ms(now.unix_ms() + LEASE.as_millis() as u64);
    store.ask(&ann, &session("s"), next).await.expect("asked");
    let answer =
        Message { message_id: id.clone(), role: Role::Assistant, ..asking("q", false).question.expect("one").message };
    let closing = Closing { message: Some(answer.into()), calls: Some(Vec::new()) };
    store.close(&ann, &session("s"), &id, closing).await.expect("closed");
    drop_answer(&store, &ann, "r").await.expect("settled");
    let accounts: [Account; 1] = [account("user", None, None)];
    reserve(&store, &ann, "b", Amount::default(), &accounts).await.expect("asked");
    store.balances(&accounts).await.expect("balances");
    store.delete_session(&ann, &session("s")).await.expect("deleted");
}
