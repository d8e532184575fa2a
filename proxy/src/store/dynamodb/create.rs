//! Making the table.

use std::time::Duration;

use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    types::{
        AttributeDefinition, BillingMode, KeySchemaElement, KeyType, LocalSecondaryIndex,
        PointInTimeRecoverySpecification, Projection, ProjectionType, ScalarAttributeType, TableDescription,
        TableStatus, TimeToLiveSpecification, TimeToLiveStatus,
    },
};

use super::{
    BY_USE, EXPIRES, PARTITION, SORT, USED,
    failures::{CREATE_ACTIONS, explain},
};

/// How often is asked whether the table is ready.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// How often at most.
const MAX_POLLS: u32 = 120;

/// Why the table was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CreateError {
    /// DynamoDB refused.
    #[error("cannot {0}: {1}")]
    Refused(&'static str, String),
    /// There is a table of this name with other keys.
    #[error(
        "there is a table {0} with other keys or indexes: choose another name with --dynamodb-table (OUTCROP_DYNAMODB_TABLE)"
    )]
    Different(String),
    /// It takes too long.
    #[error("the table {0} is not ready yet: try again in a minute")]
    NotReady(String),
}

fn refused<E>(client: &Client, name: &str, what: &'static str) -> impl Fn(SdkError<E>) -> CreateError
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    move |error| CreateError::Refused(what, explain(client, name, &CREATE_ACTIONS, &error))
}

/// Makes the table `name` unless it is there, paid by request, and switches on that items expire and that its last 35 days can be
/// restored. Returns whether it is new. It may be done again.
///
/// # Errors
/// [`CreateError`].
pub async fn create_table(client: &Client, name: &str) -> Result<bool, CreateError> {
    let is_new = create(client, name).await?;
    wait(client, name).await?;
    expire(client, name).await?;
    back_up(client, name).await?;
    Ok(is_new)
}

fn key(name: &str, kind: KeyType) -> KeySchemaElement {
    #[expect(clippy::expect_used, reason = "both are given")]
    KeySchemaElement::builder().attribute_name(name).key_type(kind).build().expect("a key")
}

fn keys(sort: &str) -> Vec<KeySchemaElement> {
    vec![key(PARTITION, KeyType::Hash), key(sort, KeyType::Range)]
}

async fn create(client: &Client, name: &str) -> Result<bool, CreateError> {
    #[expect(clippy::expect_used, reason = "all is given")]
    let text = |name: &str| {
        let text = AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S);
        text.build().expect("an attribute")
    };
    let everything = Projection::builder().projection_type(ProjectionType::All).build();
    let by_use =
        LocalSecondaryIndex::builder().index_name(BY_USE).set_key_schema(Some(keys(USED))).projection(everything);
    #[expect(clippy::expect_used, reason = "all is given")]
    let by_use = by_use.build().expect("an index");
    let made = client
        .create_table()
        .table_name(name)
        .set_attribute_definitions(Some([PARTITION, SORT, USED].map(text).into()))
        .set_key_schema(Some(keys(SORT)))
        .local_secondary_indexes(by_use)
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await;
    match made {
        Ok(_) => Ok(true),
        Err(error) if error.as_service_error().is_some_and(|error| error.is_resource_in_use_exception()) => Ok(false),
        Err(error) => Err(refused(client, name, "make the table")(error)),
    }
}

/// Waits until the table can be used.
async fn wait(client: &Client, name: &str) -> Result<(), CreateError> {
    for _ in 0..MAX_POLLS {
        let described = client.describe_table().table_name(name).send().await.map_err(refused(
            client,
            name,
            "describe the table",
        ))?;
        match described.table {
            Some(table) if !is_ours(&table) => return Err(CreateError::Different(name.to_owned())),
            Some(table) if table.table_status == Some(TableStatus::Active) => return Ok(()),
            _ => tokio::time::sleep(POLL_INTERVAL).await,
        }
    }
    Err(CreateError::NotReady(name.to_owned()))
}

/// Whether the table has the keys and the index that the store needs.
fn is_ours(table: &TableDescription) -> bool {
    let indexes = table.local_secondary_indexes();
    let by_use = indexes.iter().find(|index| index.index_name() == Some(BY_USE));
    table.key_schema() == keys(SORT) && by_use.is_some_and(|index| index.key_schema() == keys(USED))
}

async fn expire(client: &Client, name: &str) -> Result<(), CreateError> {
    let what = "switch on that items expire";
    let described =
        client.describe_time_to_live().table_name(name).send().await.map_err(refused(client, name, what))?;
    let status = described.time_to_live_description.and_then(|described| described.time_to_live_status);
    if matches!(status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)) {
        return Ok(());
    }
    #[expect(clippy::expect_used, reason = "both are given")]
    let expires =
        TimeToLiveSpecification::builder().enabled(true).attribute_name(EXPIRES).build().expect("a specification");
    let switched = client.update_time_to_live().table_name(name).time_to_live_specification(expires).send();
    switched.await.map(drop).map_err(refused(client, name, what))
}

/// Switches on point-in-time recovery, where the server knows it: emulators do not.
async fn back_up(client: &Client, name: &str) -> Result<(), CreateError> {
    #[expect(clippy::expect_used, reason = "all is given")]
    let specification = PointInTimeRecoverySpecification::builder()
        .point_in_time_recovery_enabled(true)
        .build()
        .expect("a specification");
    let switched =
        client.update_continuous_backups().table_name(name).point_in_time_recovery_specification(specification).send();
    match switched.await {
        Err(error) if error.code() == Some("UnknownOperationException") => Ok(()),
        switched => switched.map(drop).map_err(refused(client, name, "switch on point-in-time recovery")),
    }
}
