//! Revocations: few, in one partition, by the time they were made.

use std::time::Duration;

use protocol::Timestamp;

use super::{
    DynamoStore, EXPIRES, expires_at,
    item::{Attributes, json},
    keys,
};
use crate::store::{MAX_REVOCATIONS, Revocation, StoreError};

impl DynamoStore {
    pub(super) async fn keep_revocation(&self, revocation: &Revocation) -> Result<(), StoreError> {
        let key = keys::revocation(revocation.at, &self.unique());
        let expires = expires_at(revocation.until, Duration::from_secs(1));
        self.table.put(key.with([("revocation", json(revocation)?), (EXPIRES, expires)])).await
    }

    pub(super) async fn read_revocations(
        &self,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<Revocation>, StoreError> {
        let query = self.table.between(keys::REVOCATIONS, &keys::revoked_at(since), &keys::revoked_at(Timestamp::MAX));
        let items = self.table.collect(query, MAX_REVOCATIONS).await?;
        let read = items.iter().map(|item| item.parsed::<Revocation>("revocation"));
        read.filter(|read| !read.as_ref().is_ok_and(|revocation| revocation.until <= now)).collect()
    }
}
