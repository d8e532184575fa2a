//! The store in memory.

use std::sync::Arc;

use outcrop_proxy::store::{MAX_SESSIONS, MemoryStore, Store, StoreError};
use protocol::SessionId;

use crate::{
    conformance::{conformance, owner, with_sessions},
    money::money,
    replacing::replacing,
    tools::tools,
};

async fn open() -> (Arc<dyn Store>, ()) {
    (Arc::new(MemoryStore::default()), ())
}

conformance!(open());
money!(open());
replacing!(open());
tools!(open());

#[tokio::test]
async fn the_session_not_used_for_longest_makes_room_for_a_new_one() {
    let (store, ()) = open().await;
    let ann = owner("ann");
    let names: Vec<_> = (0..=MAX_SESSIONS).map(|n| format!("n{n}")).collect();
    with_sessions(&store, &ann, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let session = async |name: &str| store.session(&ann, &SessionId::new(name).expect("an id")).await;
    assert_eq!(session("n0").await, Err(StoreError::SessionNotFound));
    assert!(session("n1").await.is_ok());
}
