//! Reading and writing items, again where the table is busy.

use std::{convert::identity, fmt::Display, time::Duration};

use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::{
        query::builders::QueryFluentBuilder, transact_write_items::TransactWriteItemsError,
        update_item::UpdateItemError,
    },
    types::{
        AttributeValue, CancellationReason, ConditionCheck, Delete, DeleteRequest, KeysAndAttributes, Put, PutRequest,
        ReturnValue, ReturnValuesOnConditionCheckFailure as OnFailure, TransactWriteItem, Update, WriteRequest,
    },
};
use futures_util::{StreamExt, TryStreamExt, stream};
use tracing::warn;

use super::{
    failures::{ACTIONS, explain},
    item::{Change, Item, names_in, s},
    keys::{Key, PARTITION, SORT},
};
use crate::store::StoreError;

/// How often something is tried that others were in the way of.
pub const MAX_TRIES: u32 = 14;

/// The longest wait before the second try; it doubles with each.
pub const FIRST_WAIT: Duration = Duration::from_millis(20);

/// The longest wait between two tries.
pub const MAX_WAIT: Duration = Duration::from_secs(1);

/// The most items that are written or deleted with one request: DynamoDB's limit.
const MAX_BATCH: usize = 25;

/// The most items that are read with one request: DynamoDB's limit.
const MAX_BATCH_READ: usize = 100;

/// How many batches are under way at a time.
const PARALLEL_BATCHES: usize = 4;

/// A table.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) client: Client,
    pub(super) name: String,
}

/// Counts tries and waits between them.
#[derive(Debug, Default)]
pub(super) struct Tries {
    made: u32,
    unknown: bool,
}

impl Tries {
    /// Waits before the next try, for some time between half and all of what is due.
    ///
    /// # Errors
    /// `last` after so many tries.
    pub(super) async fn again(&mut self, last: StoreError) -> Result<(), StoreError> {
        self.made += 1;
        if self.made >= MAX_TRIES {
            return Err(last);
        }
        let due = FIRST_WAIT.saturating_mul(1 << (self.made - 1)).min(MAX_WAIT);
        tokio::time::sleep(due.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
        Ok(())
    }

    /// Takes note that nobody knows whether the last try was the last one that is needed.
    ///
    /// # Errors
    /// `error` the second time.
    pub(super) fn find_out(&mut self, error: StoreError) -> Result<(), StoreError> {
        if std::mem::replace(&mut self.unknown, true) { Err(error) } else { Ok(()) }
    }

    /// Whether this is the first try.
    pub(super) fn is_first(&self) -> bool {
        self.made == 0 && !self.unknown
    }

    /// Whether nobody knows of a try.
    pub(super) fn is_unknown(&self) -> bool {
        self.unknown
    }
}

/// Others were in the way, every time.
pub(super) fn contended() -> StoreError {
    StoreError::Unavailable("too much is written at the same place at once; try again".to_owned())
}

/// What became of a transaction whose parts are called `P`.
#[derive(Debug)]
pub(super) enum Outcome<P> {
    /// All of it is done.
    Done,
    /// These conditions did not hold, where the items were these. Nothing is done.
    Refused(Vec<(P, Item)>),
    /// Others were in the way. Nothing is done.
    Contended,
    /// Nobody knows.
    Unknown(StoreError),
}

/// A change as the SDK has it in a transaction. Its builders of updates, deletions and checks are alike, and have nothing in common.
macro_rules! of_change {
    ($builder:expr, $table:expr, $change:expr) => {
        $builder
            .table_name(&$table)
            .set_key(Some($change.key.item()))
            .set_condition_expression($change.condition.clone())
            .set_expression_attribute_names(Some($change.names()))
            .set_expression_attribute_values($change.values())
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .build()
            .map_err(unavailable_for)?
    };
}

/// Changes that are made together or not at all.
#[derive(Debug)]
pub(super) struct Transaction<P> {
    table: String,
    items: Vec<TransactWriteItem>,
    parts: Vec<P>,
}

impl<P: Copy> Transaction<P> {
    fn push(&mut self, part: P, item: TransactWriteItem) {
        self.items.push(item);
        self.parts.push(part);
    }

    /// Puts an item, where `condition` holds if there is one.
    pub(super) fn put(&mut self, part: P, item: Item, condition: Option<&str>) -> Result<(), StoreError> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .set_condition_expression(condition.map(str::to_owned))
            .set_expression_attribute_names(condition.map(names_in))
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .build()
            .map_err(unavailable_for)?;
        self.push(part, TransactWriteItem::builder().put(put).build());
        Ok(())
    }

    /// Makes a change.
    pub(super) fn update(&mut self, part: P, change: Change) -> Result<(), StoreError> {
        let update = of_change!(Update::builder().update_expression(change.expression()), self.table, change);
        self.push(part, TransactWriteItem::builder().update(update).build());
        Ok(())
    }

    /// Deletes the item of a change that only has a condition.
    pub(super) fn delete(&mut self, part: P, change: Change) -> Result<(), StoreError> {
        let delete = of_change!(Delete::builder(), self.table, change);
        self.push(part, TransactWriteItem::builder().delete(delete).build());
        Ok(())
    }

    /// Does nothing, where the condition of the change holds.
    pub(super) fn check(&mut self, part: P, change: Change) -> Result<(), StoreError> {
        let check = of_change!(ConditionCheck::builder(), self.table, change);
        self.push(part, TransactWriteItem::builder().condition_check(check).build());
        Ok(())
    }
}

impl Table {
    /// A transaction without any change.
    pub(super) fn transaction<P>(&self) -> Transaction<P> {
        Transaction { table: self.name.clone(), items: Vec::new(), parts: Vec::new() }
    }

    /// Carries out a transaction. The SDK gives it a token, so that it is carried out once however often it is sent.
    pub(super) async fn transact<P: Copy>(&self, transaction: Transaction<P>) -> Result<Outcome<P>, StoreError> {
        let Transaction { items, parts, .. } = transaction;
        let sent = self.client.transact_write_items().set_transact_items(Some(items)).send().await;
        let Err(error) = sent else { return Ok(Outcome::Done) };
        match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                outcome(cancelled.cancellation_reasons(), &parts)
            }
            Some(
                TransactWriteItemsError::InternalServerError(_)
                | TransactWriteItemsError::TransactionInProgressException(_),
            )
            | None => Ok(Outcome::Unknown(self.unavailable(&error))),
            Some(_) => Err(self.unavailable(&error)),
        }
    }

    /// The item at `key`, as it is now.
    pub(super) async fn get(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        let get = self.client.get_item().table_name(&self.name).set_key(Some(key.item())).consistent_read(true);
        Ok(get.send().await.map_err(|error| self.unavailable(&error))?.item)
    }

    /// The items at `keys`, in any order.
    pub(super) async fn get_all(&self, keys: Vec<Key>) -> Result<Vec<Item>, StoreError> {
        let mut found = Vec::new();
        for chunk in keys.chunks(MAX_BATCH_READ) {
            let mut left = chunk.iter().map(Key::item).collect::<Vec<_>>();
            let mut tries = Tries::default();
            loop {
                let wanted = KeysAndAttributes::builder().set_keys(Some(left)).consistent_read(true).build();
                let get = self.client.batch_get_item().request_items(&self.name, wanted.map_err(unavailable_for)?);
                let output = get.send().await.map_err(|error| self.unavailable(&error))?;
                found.extend(output.responses.and_then(|mut of| of.remove(&self.name)).unwrap_or_default());
                left = output
                    .unprocessed_keys
                    .and_then(|mut of| of.remove(&self.name))
                    .map_or_else(Vec::new, |rest| rest.keys);
                if left.is_empty() {
                    break;
                }
                tries.again(contended()).await?;
            }
        }
        Ok(found)
    }

    /// Puts an item, in the place of the one that is there.
    pub(super) async fn put(&self, item: Item) -> Result<(), StoreError> {
        let put = self.client.put_item().table_name(&self.name).set_item(Some(item));
        let mut tries = Tries::default();
        loop {
            match put.clone().send().await {
                Ok(_) => return Ok(()),
                Err(error) if is_contended(&error) => tries.again(contended()).await?,
                Err(error) => return Err(self.unavailable(&error)),
            }
        }
    }

    /// Makes a change. Returns the item as it is afterwards, or `Err` of the item as it is where the condition does not hold.
    pub(super) async fn update(&self, change: Change) -> Result<Result<Item, Item>, StoreError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(change.key.item()))
            .update_expression(change.expression())
            .set_condition_expression(change.condition.clone())
            .set_expression_attribute_names(Some(change.names()))
            .set_expression_attribute_values(change.values())
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(OnFailure::AllOld);
        let mut tries = Tries::default();
        loop {
            let error = match update.clone().send().await {
                Ok(output) => return Ok(Ok(output.attributes.unwrap_or_default())),
                Err(error) => error,
            };
            match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                    return Ok(Err(refused.item().cloned().unwrap_or_default()));
                }
                _ if is_contended(&error) => tries.again(contended()).await?,
                _ => return Err(self.unavailable(&error)),
            }
        }
    }

    /// Reads a partition, those items whose sort keys lie between `first` and `last`, as they are now.
    pub(super) fn between(&self, pk: &str, first: &str, last: &str) -> QueryFluentBuilder {
        self.partition(pk, "#pk = :pk AND #sk BETWEEN :first AND :last")
            .expression_attribute_names("#sk", SORT)
            .expression_attribute_values(":first", s(first))
            .expression_attribute_values(":last", s(last))
    }

    /// Reads a partition, those items whose sort keys begin with `prefix`, as they are now.
    pub(super) fn beginning(&self, pk: &str, prefix: &str) -> QueryFluentBuilder {
        self.partition(pk, "#pk = :pk AND begins_with(#sk, :prefix)")
            .expression_attribute_names("#sk", SORT)
            .expression_attribute_values(":prefix", s(prefix))
    }

    /// Reads a whole partition as it is now.
    pub(super) fn all_of(&self, pk: &str) -> QueryFluentBuilder {
        self.partition(pk, "#pk = :pk")
    }

    fn partition(&self, pk: &str, condition: &str) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.name)
            .consistent_read(true)
            .key_condition_expression(condition)
            .expression_attribute_names("#pk", PARTITION)
            .expression_attribute_values(":pk", s(pk))
    }

    /// The first `most` items that a query finds.
    pub(super) async fn collect(&self, query: QueryFluentBuilder, most: usize) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::new();
        let mut start: Option<Item> = None;
        while items.len() < most {
            let limit = i32::try_from(most - items.len()).unwrap_or(i32::MAX);
            let mut query = query.clone().limit(limit);
            if start.is_some() {
                query = query.set_exclusive_start_key(start);
            }
            let page = query.send().await.map_err(|error| self.unavailable(&error))?;
            items.extend(page.items.unwrap_or_default());
            start = page.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        Ok(items)
    }

    /// The keys of the first `most` items that a query finds, and some attributes besides.
    pub(super) async fn keys(
        &self,
        mut query: QueryFluentBuilder,
        also: &[&str],
        most: usize,
    ) -> Result<Vec<Item>, StoreError> {
        let mut projection = "#pk, #sk".to_owned();
        for name in also {
            projection.push_str(&format!(", #{name}"));
            query = query.expression_attribute_names(format!("#{name}"), *name);
        }
        self.collect(query.projection_expression(projection).expression_attribute_names("#sk", SORT), most).await
    }

    /// Puts all of `items`.
    pub(super) async fn put_all(&self, items: Vec<Item>) -> Result<(), StoreError> {
        let put = |item| PutRequest::builder().set_item(Some(item)).build().map_err(unavailable_for);
        let requests = items.into_iter().map(|item| Ok(WriteRequest::builder().put_request(put(item)?).build()));
        self.write_all(requests.collect::<Result<_, StoreError>>()?).await
    }

    /// Deletes the items at `keys`.
    pub(super) async fn delete_all(&self, keys: Vec<Key>) -> Result<(), StoreError> {
        let delete = |key: &Key| DeleteRequest::builder().set_key(Some(key.item())).build().map_err(unavailable_for);
        let requests = keys.iter().map(|key| Ok(WriteRequest::builder().delete_request(delete(key)?).build()));
        self.write_all(requests.collect::<Result<_, StoreError>>()?).await
    }

    async fn write_all(&self, requests: Vec<WriteRequest>) -> Result<(), StoreError> {
        let batches: Vec<_> = requests.chunks(MAX_BATCH).map(|batch| self.write_batch(batch.to_vec())).collect();
        stream::iter(batches).map(Ok).try_for_each_concurrent(PARALLEL_BATCHES, identity).await
    }

    async fn write_batch(&self, mut left: Vec<WriteRequest>) -> Result<(), StoreError> {
        let mut tries = Tries::default();
        loop {
            let write = self.client.batch_write_item().request_items(&self.name, left);
            let output = write.send().await.map_err(|error| self.unavailable(&error))?;
            left = output.unprocessed_items.and_then(|mut of| of.remove(&self.name)).unwrap_or_default();
            if left.is_empty() {
                return Ok(());
            }
            tries.again(contended()).await?;
        }
    }

    /// What clients are told of a request that failed. AWS's own words, which name accounts and roles, are for the operator.
    pub(super) fn unavailable<E>(&self, error: &SdkError<E>) -> StoreError
    where
        E: std::error::Error + ProvideErrorMetadata + 'static,
    {
        warn!(error = explain(&self.client, &self.name, &ACTIONS, error), "the store in DynamoDB fails");
        StoreError::Unavailable(match error.code() {
            Some(code) => format!("DynamoDB says {code}"),
            None => "DynamoDB does not answer".to_owned(),
        })
    }
}

/// Whether a transaction is at the item. The SDK does not send such a request again.
fn is_contended<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    error.code() == Some("TransactionConflictException")
}

/// A request cannot be made: a fault of this program.
fn unavailable_for(error: impl Display) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

/// What the reasons of a cancelled transaction say, one for each part of it.
fn outcome<P: Copy>(reasons: &[CancellationReason], parts: &[P]) -> Result<Outcome<P>, StoreError> {
    let mut refused = Vec::new();
    for (reason, part) in reasons.iter().zip(parts) {
        match reason.code() {
            None | Some("None") => {}
            Some("ConditionalCheckFailed") => refused.push((*part, reason.item().cloned().unwrap_or_default())),
            Some("TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded") => {}
            Some(code) => {
                warn!(code, error = reason.message(), "the store in DynamoDB fails");
                return Err(StoreError::Unavailable(format!("DynamoDB says {code}")));
            }
        }
    }
    Ok(if refused.is_empty() { Outcome::Contended } else { Outcome::Refused(refused) })
}

/// Whether an attribute is this text.
pub(super) fn is_text(value: Option<&AttributeValue>, text: &str) -> bool {
    value.and_then(|value| value.as_s().ok()).is_some_and(|kept| kept == text)
}
