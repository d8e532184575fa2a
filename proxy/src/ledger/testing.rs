//! What the tests of this module share.

use protocol::RequestId;

use crate::store::{Ask, Call, Closing, Fingerprint, Opening, Reservation, Store, new_session};

/// Settles calls for one answer against what was set aside.
pub(super) async fn settle(store: &dyn Store, reservation: Reservation, calls: Vec<Call>) {
    let Call { owner, session, message, asked, .. } = calls[0].clone();
    let request = RequestId::new(message.as_str()).unwrap();
    let answer =
        Opening { message_id: message.clone(), started: asked, model: "asked".into(), input_bytes: 1, reservation };
    let ask = Ask { request, fingerprint: Fingerprint::from_bytes([0; 32]), question: None, answer };
    store.ensure_session(&owner, new_session(session.clone(), None, None, asked)).await.unwrap();
    store.ask(&owner, &session, ask).await.unwrap();
    store.close(&owner, &session, &message, Closing { message: None, calls: Some(calls) }).await.unwrap();
}
