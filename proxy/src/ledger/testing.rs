//! What the tests of this module share.

use protocol::{
    MessageId, RequestId, SessionId, Timestamp, Usage,
    server::{BudgetScope, BudgetUnit},
};

use super::alerts::{Alert, AlertKind, AlertPeriod};
use crate::{
    principal::Owner,
    store::{Ask, Call, CallOutcome, Closing, Fingerprint, Opening, Reservation, Store, new_session},
};

/// So many milliseconds after the begin of a day.
pub(crate) const fn at(ms: u64) -> Timestamp {
    Timestamp::from_unix_ms(1_795_392_000_000 + ms)
}

/// The only call for an answer.
pub(crate) fn call(owner: &Owner, message: &str, asked: Timestamp, tokens: u64, cost_nano_usd: Option<u64>) -> Call {
    Call {
        owner: owner.clone(),
        session: SessionId::new("s").unwrap(),
        message: MessageId::new(message).unwrap(),
        number: 1,
        asked,
        model_asked: "asked".into(),
        model: "billed".into(),
        region: "us-east-1".into(),
        usage: Usage { input_tokens: tokens, total_tokens: tokens, cost_nano_usd, ..Usage::default() },
        duration_ms: 1_500,
        first_token_ms: Some(300),
        outcome: CallOutcome::Complete,
        tools: Vec::new(),
    }
}

/// Settles calls for one answer against what was set aside.
pub(crate) async fn settle(store: &dyn Store, reservation: Reservation, calls: Vec<Call>) {
    let Call { owner, session, message, asked, .. } = calls[0].clone();
    let request = RequestId::new(message.as_str()).unwrap();
    let answer =
        Opening { message_id: message.clone(), started: asked, model: "asked".into(), input_bytes: 1, reservation };
    let ask = Ask { request, fingerprint: Fingerprint::from_bytes([0; 32]), replaces: None, question: None, answer };
    store.ensure_session(&owner, new_session(session.clone(), None, None, asked)).await.unwrap();
    store.ask(&owner, &session, ask).await.unwrap();
    store.close(&owner, &session, &message, Closing { message: None, calls: Some(calls) }).await.unwrap();
}

/// Some alert.
pub(crate) fn alert(period: AlertPeriod) -> Alert {
    Alert {
        kind: AlertKind::Budget,
        scope: BudgetScope::Proxy,
        organization: None,
        user: None,
        period,
        percent: 80,
        spent: 8,
        limit: 10,
        unit: BudgetUnit::Tokens,
        renews_at: at(0),
        text: "80%".into(),
    }
}
