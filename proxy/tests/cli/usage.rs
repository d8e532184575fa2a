//! `outcrop-proxy usage`, and what administrators are told of a store of more than a page.

use std::{path::Path, sync::Arc};

use outcrop_proxy::{
    principal::Owner,
    store::{
        Ask, Call, CallOutcome, CallsPage, Closing, Fingerprint, Opening, Reservation, SqliteStore, Store, new_session,
    },
};
use protocol::{MessageId, RequestId, SessionId, Timestamp, Usage, UsageSource};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    command::Run,
    serve::{chat, connect},
};

const SERVE: [&str; 6] = ["serve", "--demo", "--demo-pace", "0", "--listen", "127.0.0.1:0"];

const TOKEN: &str = "the token of administrators";

fn owner(user: &str) -> Owner {
    Owner { organization: "acme".into(), user: user.into() }
}

/// Has `user`'s store hold so many calls for one answer.
async fn fill(data: &Path, user: &str, calls: u32, usage: Usage) {
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(data).expect("a store"));
    let asked = Timestamp::try_from("2026-11-01T12:34:56Z".to_owned()).expect("a time");
    let (owner, session) = (owner(user), SessionId::new("s").expect("an id"));
    let message = MessageId::new(format!("answer-to-{user}")).expect("an id");
    let call = Call {
        owner: owner.clone(),
        session: session.clone(),
        message: message.clone(),
        number: 0,
        asked,
        model_asked: "asked".into(),
        model: "some-model".into(),
        region: "us-west-2".into(),
        usage,
        duration_ms: 5,
        first_token_ms: None,
        outcome: CallOutcome::Complete,
        tools: Vec::new(),
    };
    let answer = Opening {
        message_id: message.clone(),
        started: asked,
        model: "asked".into(),
        input_bytes: 1,
        reservation: Reservation::default(),
    };
    let request = RequestId::new("r").expect("an id");
    let ask = Ask { request, fingerprint: Fingerprint::from_bytes([0; 32]), replaces: None, question: None, answer };
    store.ensure_session(&owner, new_session(session.clone(), None, None, asked)).await.expect("a session");
    store.ask(&owner, &session, ask).await.expect("asked");
    let calls = (1..=calls).map(|number| Call { number, ..call.clone() }).collect();
    store.close(&owner, &session, &message, Closing { message: None, calls: Some(calls) }).await.expect("settled");
}

fn tokens(tokens: u64, cost_nano_usd: Option<u64>) -> Usage {
    Usage { input_tokens: tokens, total_tokens: tokens, cost_nano_usd, ..Usage::default() }
}

#[tokio::test]
async fn it_reads_what_a_proxy_is_writing() {
    let run = Run::bare();
    let mut running = run.spawn(&SERVE);
    let mut ws = connect(&mut running).await;
    for _ in 0..2 {
        assert_eq!(chat(&mut ws, "hello").await["type"], "chat.message_complete");
        // The same id in the same session is the same answer: one is settled, however often it is asked for.
    }
    let ran = run.run(&["usage", "--from", "7d", "--group-by", "user,model", "--format", "json"]).await;
    assert_eq!((ran.status.code(), ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    let report: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!((&report["total"]["turns"], &report["rows"][0]["user"]), (&json!(1), &json!("local")));
    running.signal(Signal::TERM);
    assert_eq!(running.end().await.status.code(), Some(0));
    let table = run.run(&["usage"]).await;
    assert!(table.stdout.contains(" UTC\nday ") && table.stdout.contains("\ntotal "), "{table:?}");
    let mut running = run.spawn(&SERVE);
    running.addr().await;
    running.signal(Signal::TERM);
    assert_eq!(running.end().await.status.code(), Some(0), "reading leaves nothing in the way");
}

#[tokio::test]
async fn a_table_has_totals_and_what_is_not_known_of_them() {
    let run = Run::bare();
    let data = run.folder().join("outcrop-data");
    fill(&data, "ann", 3, tokens(1_000, Some(2_400_000))).await;
    fill(&data, "bob", 1, Usage { source: UsageSource::Estimated, ..tokens(10, None) }).await;
    let args = ["usage", "--from", "2026-11-01", "--to", "2026-11-02", "--organization", "acme"];
    let ran = run.run(&[&args[..], &["--group-by", "user"]].concat()).await;
    let lines: Vec<Vec<&str>> = ran.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0].join(" "), "2026-11-01 00:00 to 2026-11-02 00:00, UTC");
    assert_eq!(lines[3], ["ann", "1", "3", "3,000", "0", "0", "0", "3,000", "$0.0072"], "{ran:?}");
    assert_eq!(lines[4], ["bob", "1", "1", "10", "0", "0", "0", "10", "unpriced"], "{ran:?}");
    assert_eq!(lines[6], ["total", "2", "4", "3,010", "0", "0", "0", "3,010", "≈", "$0.0072", "+", "1", "unpriced"]);
    let csv = run.run(&[&args[..], &["--user", "ann", "--format", "csv", "--group-by", "hour"]].concat()).await;
    assert!(csv.stdout.ends_with("2026-11-01T12:00Z,1,3,0,0,3000,0,0,0,0,3000,0.0072,0\r\n"), "{csv:?}");
}

#[tokio::test]
async fn what_cannot_be_read_is_said_in_one_line() {
    let run = Run::bare();
    run.run(&["usage"]).await.assert_one_line(&["no proxy has kept anything in outcrop-data", "--data-dir"]);
    run.run(&["usage", "--store", "memory"]).await.assert_one_line(&["in memory", "/admin/usage"]);
    run.run(&["usage", "--from", "2026-11-02", "--to", "2026-11-01"]).await.assert_one_line(&["before to"]);
    let data = run.folder().join("outcrop-data");
    fill(&data, "ann", 1, tokens(1, None)).await;
    let file = rusqlite::Connection::open(data.join("outcrop.db")).expect("a file");
    for (version, part) in [(1, "start this one once"), (1_000, "newer version")] {
        file.pragma_update(None, "user_version", version).expect("written");
        run.run(&["usage"]).await.assert_one_line(&["outcrop.db", part]);
    }
    for (args, part) in [(["--from", "soon"], "7d"), (["--group-by", "week"], "nothing to sum by")] {
        let ran = run.run(&["usage", args[0], args[1]]).await;
        assert!(ran.status.code() == Some(2) && ran.stderr.contains(part), "{ran:?}");
    }
}

#[tokio::test]
async fn a_download_of_more_calls_than_a_page_is_whole() {
    let run = Run::bare().env("OUTCROP_ADMIN_TOKEN", TOKEN);
    let count = CallsPage::MAX as u32 * 2 + 3;
    fill(&run.folder().join("outcrop-data"), "ann", count, tokens(7, Some(1))).await;
    let mut running = run.spawn(&SERVE);
    let addr = running.addr().await;
    let get = async |format: &str| {
        let mut stream = TcpStream::connect(addr).await.expect("a connection");
        // HTTP 1.0 has no chunks.
        let request = format!(
            "GET /admin/calls?format={format}&from=2026-11-01&to=2026-11-02 HTTP/1.0\r\nhost: localhost\r\n\
             authorization: Bearer {TOKEN}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.expect("written");
        let mut response = String::new();
        stream.read_to_string(&mut response).await.expect("read");
        response.split_once("\r\n\r\n").expect("a head").1.to_owned()
    };
    let calls: Vec<Value> = serde_json::from_str(&get("json").await).expect("JSON");
    let numbers: Vec<_> = calls.iter().filter_map(|call| call["number"].as_u64()).collect();
    assert_eq!(numbers, (1..=u64::from(count)).collect::<Vec<_>>());
    assert_eq!(get("csv").await.lines().count(), count as usize + 1);
    running.signal(Signal::TERM);
    let ran = running.end().await;
    assert!(!ran.stdout.contains(TOKEN) && !ran.stderr.contains(TOKEN), "{ran:?}");
}
