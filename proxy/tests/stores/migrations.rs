//! Files that earlier versions have written, as dumps: what was in them is there after all steps to the latest schema.

use std::path::Path;

use outcrop_proxy::{
    principal::Owner,
    store::{
        Account, Amount, Asked, Balance, CallsOf, Checkpoint, Closing, Decision, Fingerprint, Kept, Limit, OpenAnswer,
        Opening, Piece, Reservation, SqliteStore, Store, Wishes,
    },
};
use protocol::{MessageId, RequestId, SessionId, Timestamp, ToolUseId, client::SendMessage};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::conformance::{asking, owner};

const MODEL: &str = "anthropic.claude-3-5-sonnet-20241022-v2:0";

fn session(name: &str) -> SessionId {
    SessionId::new(name).expect("an id")
}

fn message(name: &str) -> MessageId {
    MessageId::new(name).expect("an id")
}

fn request(name: &str) -> RequestId {
    RequestId::new(name).expect("an id")
}

fn restore(folder: &Path, dump: &str) {
    Connection::open(folder.join("outcrop.db")).expect("a file").execute_batch(dump).expect("a dump");
}

fn fingerprint(session_id: &str, message: &str) -> Fingerprint {
    Fingerprint::of(SendMessage {
        session_id: Some(session(session_id)),
        message: message.into(),
        streaming: true,
        model: None,
        attachments: Vec::new(),
        replaces: None,
        system_prompt: None,
    })
}

/// Ann's sessions, the latest used first.
fn sessions() -> Value {
    json!([
        {
            "sessionId": "rivers", "title": "Why do rivers meander?", "createdAt": "2026-11-23T09:30:00.000Z",
            "updatedAt": "2026-11-23T09:32:00.000Z", "messageCount": 5,
        },
        {
            "sessionId": "empty", "title": "For later", "model": MODEL, "createdAt": "2026-11-22T08:00:00.000Z",
            "updatedAt": "2026-11-22T08:00:00.000Z", "messageCount": 0,
        },
    ])
}

/// What was said of rivers: an answer with reasoning, one that broke off, and a question whose answer is under way.
fn messages() -> Value {
    let reported = json!({
        "inputTokens": 12, "outputTokens": 34, "totalTokens": 46, "cacheReadInputTokens": 0, "cacheWriteInputTokens": 0,
        "source": "reported", "costNanoUsd": 546_000, "priceVersion": "2026-11-20",
    });
    let estimated = json!({
        "inputTokens": 50, "outputTokens": 2, "totalTokens": 52, "cacheReadInputTokens": 0, "cacheWriteInputTokens": 0,
        "source": "estimated",
    });
    let why = "Their outer bank is \"worn\" \\ the inner one grows. 🏞";
    json!([
        {
            "messageId": "msg_1", "requestId": "r1", "role": "user", "timestamp": "2026-11-23T09:30:00.000Z",
            "content": "Why do rivers meander?",
        },
        {
            "messageId": "msg_2", "role": "assistant", "timestamp": "2026-11-23T09:30:00.000Z", "content": why,
            "usage": reported, "model": MODEL, "stopReason": "end_turn",
            "parts": [{ "type": "reasoning", "text": "Hm." }, { "type": "text", "text": why }],
        },
        {
            "messageId": "msg_3", "requestId": "r2", "role": "user", "timestamp": "2026-11-23T09:31:00.000Z",
            "content": "And glaciers?",
        },
        {
            "messageId": "msg_4", "role": "assistant", "timestamp": "2026-11-23T09:31:00.000Z", "content": "They",
            "model": MODEL,
            "error": {
                "code": "interrupted", "message": "It was cut.", "retryable": true, "messageId": "msg_4", "seq": 2,
                "usage": estimated,
            },
        },
        {
            "messageId": "msg_5", "requestId": "r3", "role": "user", "timestamp": "2026-11-23T09:32:00.000Z",
            "content": "日本語?",
        },
    ])
}

fn under_way(ann: &Owner) -> OpenAnswer {
    OpenAnswer {
        owner: ann.clone(),
        session: session("rivers"),
        request: request("r3"),
        opening: Opening {
            message_id: message("msg_6"),
            started: Timestamp::from_unix_ms(1_795_426_320_000),
            model: "a.fallback".into(),
            input_bytes: 77,
            reservation: Reservation::default(),
        },
        pieces: vec![
            Piece { seq: 0, reasoning: true, part: 0, text: "Which one? ".into(), call: None },
            Piece { seq: 0, reasoning: false, part: 1, text: "はい、そうです".into(), call: None },
        ],
    }
}

async fn check(store: &SqliteStore) {
    let (ann, bob) = (owner("ann"), owner("bob"));
    let all = store.sessions(&ann, None, 9).await.expect("sessions");
    assert_eq!(serde_json::to_value(&all.items).expect("JSON"), sessions());
    let page = store.messages(&ann, &session("rivers"), None, 9).await.expect("messages");
    assert_eq!(serde_json::to_value(&page.items).expect("JSON"), messages());
    for (id, text, answer) in [("r1", "Why do rivers meander?", "msg_2"), ("r3", "日本語?", "msg_6")] {
        let asked = Asked { fingerprint: fingerprint("rivers", text), answer: message(answer) };
        assert_eq!(store.asked(&ann, &session("rivers"), &request(id)).await, Ok(Some(asked)));
    }
    let answer = store.answer(&ann, &message("msg_2")).await.expect("an answer").expect("an answer");
    assert_eq!((answer.0, serde_json::to_value(answer.1).expect("JSON")), (session("rivers"), messages()[1].clone()));
    assert_eq!(store.unfinished(Timestamp::MAX).await, Ok(vec![under_way(&ann)]));
    let of_bob = store.messages(&bob, &session("rivers"), None, 9).await.expect("messages");
    assert_eq!((of_bob.items.len(), of_bob.items[0].content.as_str()), (1, "Mine, of the same name"));
}

#[tokio::test]
async fn what_the_first_schema_kept_is_there_and_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    restore(folder.path(), include_str!("schema_1.sql"));
    // As it is taken to the latest schema, and as it is found there.
    for _ in 0..2 {
        check(&SqliteStore::open(folder.path()).expect("a store")).await;
    }
    let (store, ann) = (SqliteStore::open(folder.path()).expect("a store"), owner("ann"));
    let closing = Closing { message: None, calls: Some(Vec::new()) };
    store.close(&ann, &session("rivers"), &message("msg_6"), closing).await.expect("closed");
    store.ask(&ann, &session("rivers"), asking("q", false)).await.expect("asked");
    let closing = Closing { message: None, calls: Some(Vec::new()) };
    store.close(&ann, &session("rivers"), &asking("q", false).answer.message_id, closing).await.expect("closed");
    let page = store.messages(&ann, &session("rivers"), None, 1).await.expect("messages");
    assert_eq!((page.items[0].message_id.as_str(), page.has_more), ("q", true));
    store.delete_session(&ann, &session("rivers")).await.expect("deleted");
    assert_eq!(store.unfinished(Timestamp::MAX).await, Ok(Vec::new()));
}

#[tokio::test]
async fn what_the_third_schema_kept_is_without_tools_and_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    restore(folder.path(), include_str!("schema_3.sql"));
    let (store, ann) = (SqliteStore::open(folder.path()).expect("a store"), owner("ann"));
    let page = store.messages(&ann, &session("s"), None, 9).await.expect("messages");
    let kept = store.conversation(&ann, &session("s"), None, 9).await.expect("a conversation");
    assert_eq!(kept, page.items.into_iter().map(Kept::from).collect::<Vec<_>>());
    assert_eq!(kept.len(), 2);
    let of = CallsOf { organization: None, user: None, from: Timestamp::from_unix_ms(0), to: Timestamp::MAX };
    let calls = store.calls(&of, None).await.expect("calls").calls;
    assert_eq!(calls.iter().map(|call| (call.amount().nano_usd, call.tools.len())).collect::<Vec<_>>(), [(30, 0)]);

    let (id, now) = (message("answer-r2"), calls[0].asked);
    let decision = Decision { tool_use_id: ToolUseId::new("call").expect("an id"), approved: false };
    let goes_on = || Checkpoint { at: now, model: "asked".into(), pieces: Vec::new() };
    assert_eq!(store.checkpoint(&ann, &session("s"), &id, goes_on()).await, Ok(Wishes::default()));
    assert_eq!(store.decide(&ann, &id, decision.clone()).await, Ok(true));
    let wishes = store.checkpoint(&ann, &session("s"), &id, goes_on()).await;
    assert_eq!(wishes, Ok(Wishes { is_to_stop: false, decisions: vec![decision] }));
    let amount = |nano_usd, tokens| Amount { nano_usd, tokens };
    store.reserve_more(&ann, &session("s"), &id, amount(10, 1)).await.expect("there is as much");
    let limit = Limit { nano_usd: Some(100), tokens: None };
    let accounts = [Account { key: "user".into(), until: now, limit }];
    let reserved = Balance { spent: amount(30, 15), reserved: amount(70, 31) };
    assert_eq!(store.balances(&accounts).await, Ok(vec![reserved]));
    let closing = Closing { message: None, calls: Some(Vec::new()) };
    store.close(&ann, &session("s"), &id, closing).await.expect("closed");
    assert_eq!(store.balances(&accounts).await, Ok(vec![Balance { reserved: Amount::default(), ..reserved }]));
}
