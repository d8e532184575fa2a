//! A store whose operations are counted and timed.

use async_trait::async_trait;
use protocol::{Message, MessageId, RequestId, SessionId, Timestamp, server::Session};
use tokio::time::Instant;

use super::metrics;
use crate::{
    principal::Owner,
    store::{
        Account, Amount, Ask, Asked, Balance, CallsOf, CallsPage, Checkpoint, Closing, Decision, Kept, OpenAnswer,
        Page, Revocation, Store, StoreError, Wishes,
    },
};

/// Times what the store in it does.
#[derive(Debug)]
pub struct Measured<S>(pub S);

async fn timed<T>(operation: &'static str, done: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let begun = Instant::now();
    let result = done.await;
    // The other errors are answers.
    let failed = matches!(result, Err(StoreError::Unavailable(_)));
    metrics::store(operation, begun.elapsed(), failed);
    result
}

macro_rules! measured {
    ($($operation:ident($($name:ident: $kind:ty),*) -> $result:ty;)*) => {
        #[async_trait]
        impl<S: std::ops::Deref<Target: Store> + std::fmt::Debug + Send + Sync> Store for Measured<S> {
            $(async fn $operation(&self, $($name: $kind),*) -> Result<$result, StoreError> {
                timed(stringify!($operation), self.0.$operation($($name),*)).await
            })*
        }
    };
}

measured! {
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
