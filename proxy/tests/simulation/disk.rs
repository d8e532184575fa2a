//! What is kept when a process ends, and a process' way to it: as slow as a disk, and cut off when the process dies.

use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use fastrand::Rng;
use outcrop_proxy::{
    principal::Owner,
    store::{
        Account, Amount, Ask, Asked, Balance, CallsOf, CallsPage, Checkpoint, Closing, Decision, Kept, MemoryStore,
        OpenAnswer, Page, Revocation, Store, StoreError, Wishes,
    },
};
use protocol::{Message, MessageId, RequestId, SessionId, Timestamp, server::Session};
use tokio::time::sleep;

/// The slowest use of a disk, in each direction, by scenario.
pub(crate) fn slowest_ms(seed: u64) -> u64 {
    [1, 12, 12, 60][(seed % 4) as usize]
}

/// Whether a process was killed. Its tasks cannot be ended from outside, but nothing they do reaches anybody any more.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dead(Arc<AtomicBool>);

impl Dead {
    pub(crate) fn kill(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Debug)]
pub(crate) struct Disk {
    pub(crate) kept: Arc<MemoryStore>,
    pub(crate) dead: Dead,
    pub(crate) slowest_ms: u64,
    pub(crate) rng: Mutex<Rng>,
}

impl Disk {
    async fn wait(&self) {
        let wait_ms = {
            let mut rng = self.rng.lock().expect("a rng");
            if rng.bool() { 0 } else { rng.u64(1..=self.slowest_ms) }
        };
        if wait_ms > 0 {
            sleep(Duration::from_millis(wait_ms)).await;
        }
        if self.dead.is_dead() {
            pending::<()>().await;
        }
    }
}

macro_rules! slow_store {
    ($($name:ident($($argument:ident: $type:ty),*) -> $output:ty;)*) => {
        #[async_trait]
        impl Store for Disk {
            $(async fn $name(&self, $($argument: $type),*) -> Result<$output, StoreError> {
                self.wait().await;
                let result = self.kept.$name($($argument),*).await;
                self.wait().await;
                result
            })*
        }
    };
}

slow_store! {
    session(owner: &Owner, id: &SessionId) -> Session;
    ensure_session(owner: &Owner, session: Session) -> Session;
    sessions(owner: &Owner, before: Option<&SessionId>, limit: usize) -> Page<Session>;
    rename_session(owner: &Owner, id: &SessionId, title: String) -> Session;
    delete_session(owner: &Owner, id: &SessionId) -> ();
    messages(owner: &Owner, session: &SessionId, before: Option<&MessageId>, limit: usize) -> Page<Message>;
    conversation(owner: &Owner, session: &SessionId, before: Option<&MessageId>, limit: usize) -> Vec<Kept>;
    asked(owner: &Owner, session: &SessionId, request: &RequestId) -> Option<Asked>;
    ask(owner: &Owner, session: &SessionId, ask: Ask) -> ();
    checkpoint(owner: &Owner, session: &SessionId, answer: &MessageId, checkpoint: Checkpoint) -> Wishes;
    reserve_more(owner: &Owner, session: &SessionId, answer: &MessageId, amount: Amount) -> ();
    close(owner: &Owner, session: &SessionId, id: &MessageId, closing: Closing) -> ();
    open_answer(owner: &Owner, id: &MessageId) -> Option<OpenAnswer>;
    open_in(owner: &Owner, session: &SessionId) -> Option<MessageId>;
    ask_to_stop(owner: &Owner, id: &MessageId) -> bool;
    decide(owner: &Owner, answer: &MessageId, decision: Decision) -> bool;
    unfinished(now: Timestamp) -> Vec<OpenAnswer>;
    balances(accounts: &[Account]) -> Vec<Balance>;
    raise_alert(account: &Account, percent: u32) -> bool;
    calls(of: &CallsOf, after: Option<String>) -> CallsPage;
    revoke(revocation: Revocation) -> ();
    revocations(since: Timestamp, now: Timestamp) -> Vec<Revocation>;
    answer(owner: &Owner, id: &MessageId) -> Option<(SessionId, Message)>;
}
