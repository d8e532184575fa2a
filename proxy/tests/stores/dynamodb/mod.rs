//! The store in DynamoDB, against a server of its own.

mod cuts;
mod faulty;
mod server;
mod special;
mod template;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use aws_config::timeout::TimeoutConfig;
use aws_credential_types::Credentials;
use aws_sdk_dynamodb::Client;
use outcrop_proxy::{
    bedrock::connect::Options,
    store::{
        DynamoStore, Store,
        dynamodb::{connect, create_table},
    },
};

use self::server::SERVER;
use crate::{conformance::conformance, money::money, replacing::replacing, tools::tools};

/// How long the server may take for anything: it is not optimised, and a machine that is busy is no fault of the store's.
const PATIENCE: Duration = Duration::from_secs(120);

async fn client(url: &str) -> Client {
    let credentials = Credentials::new("an-id", "a-secret", None, None, "tests");
    let options = Options { endpoint_url: Some(url.to_owned()), fixed: Some((credentials, "us-east-1".to_owned())) };
    let made = connect(&options).await.expect("a client");
    let patient = TimeoutConfig::builder().operation_attempt_timeout(PATIENCE).operation_timeout(PATIENCE).build();
    Client::from_conf(made.config().to_builder().timeout_config(patient).build())
}

/// A new table.
async fn table() -> String {
    static TABLES: AtomicU32 = AtomicU32::new(0);
    let name = format!("table-{}-{}", std::process::id(), TABLES.fetch_add(1, Ordering::Relaxed));
    assert!(create_table(&client(&SERVER.url).await, &name).await.expect("a table"));
    name
}

/// A proxy's store in a table.
async fn store_in(table: &str) -> Arc<dyn Store> {
    store_at(&SERVER.url, table).await
}

/// The same, by way of another address.
async fn store_at(url: &str, table: &str) -> Arc<dyn Store> {
    Arc::new(DynamoStore::new(client(url).await, table, None))
}

async fn open() -> (Arc<dyn Store>, ()) {
    (store_in(&table().await).await, ())
}

conformance!(open());
money!(open());
replacing!(open());
tools!(open());
