//! An audit log that cannot be written, and one that has texts.

use bedrock_emulator::{Config, Emulator};
use rustix::{
    fs::{CWD, FileType, Mode, OFlags, mknodat, open},
    process::Signal,
};
use serde_json::{Value, json};

use super::{SAID, audit_files, metrics_addr, page::Page};
use crate::{
    command::Run,
    common::{Client, MODEL},
};

const SERVE: [&str; 3] = ["serve", "--listen", "127.0.0.1:0"];

async fn emulator() -> Emulator {
    Emulator::start(Config::unpaced()).await.expect("an emulator")
}

/// A run whose audit log is a pipe, and who reads it.
fn with_pipe(emulator: &Emulator) -> (Run, impl Drop + use<>) {
    let run = Run::against(emulator).env("OUTCROP_AUDIT_LOG", "pipe").env("OUTCROP_METRICS_LISTEN", "127.0.0.1:0");
    let path = run.folder().join("pipe");
    mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a pipe");
    let reader = open(&path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty()).expect("its end");
    (run, reader)
}

#[tokio::test]
async fn a_disk_that_is_full_is_said_before_anybody_is_served() {
    let emulator = emulator().await;
    let ran = Run::against(&emulator).env("OUTCROP_AUDIT_LOG", "/dev/full").run(&SERVE).await;
    ran.assert_one_line(&["/dev/full", "No space left", "OUTCROP_AUDIT_LOG"]);
}

#[tokio::test]
async fn what_cannot_be_recorded_is_refused_where_it_has_to_be_recorded() {
    let emulator = emulator().await;
    let (run, reader) = with_pipe(&emulator);
    let mut running = run.env("OUTCROP_AUDIT_ON_FAILURE", "refuse").spawn(&SERVE);
    let mut client = Client::connect(running.addr().await).await;
    assert_eq!(client.chat("1", "s", "Hello").await.end.kind, "chat.message_complete");
    drop(reader);
    // Something to record, that cannot be.
    let other = json!({ "sessionId": "s", "message": "Hello", "model": "no-such-model" });
    client.ask("2", "chat.send_message", other).await.expect_err("refused");
    let again = json!({ "sessionId": "s", "message": "Hello", "streaming": true });
    let (code, text) = client.ask("3", "chat.send_message", again).await.expect_err("refused");
    assert!(code == "internal" && text.contains("audit log"), "{text}");
    client.ask("4", "chat.list_sessions", json!({})).await.expect("what costs nothing goes on");
    assert_eq!(emulator.ledger().len(), 1);
    let page = Page::read(metrics_addr(&running)).await;
    assert!(page.value("outcrop_audit_write_failures_total") >= 1.0);
    running.signal(Signal::TERM);
    let ran = running.end().await;
    assert!(ran.stderr.contains("the audit log cannot be written"), "{}", ran.stderr);
    assert!(ran.stderr.contains("records of the audit log are lost"), "{}", ran.stderr);
}

#[tokio::test]
async fn what_cannot_be_recorded_goes_on_where_it_need_not_be() {
    let emulator = emulator().await;
    let (run, reader) = with_pipe(&emulator);
    let mut running = run.spawn(&SERVE);
    let mut client = Client::connect(running.addr().await).await;
    drop(reader);
    for id in ["1", "2"] {
        assert_eq!(client.chat(id, "s", "Hello").await.end.kind, "chat.message_complete");
    }
    running.signal(Signal::TERM);
    let ran = running.end().await;
    assert_eq!(ran.status.code(), Some(0));
    assert!(ran.stderr.contains("the audit log cannot be written"), "{}", ran.stderr);
    assert!(ran.stderr.contains("records of the audit log are lost"), "{}", ran.stderr);
}

#[tokio::test]
async fn texts_are_in_the_audit_log_where_they_are_to_be() {
    let emulator = emulator().await;
    let run = Run::against(&emulator)
        .env("OUTCROP_AUDIT_LOG", "audit.log")
        .env("OUTCROP_AUDIT_LOG_BYTES", "4096")
        .env("OUTCROP_AUDIT_LOG_FILES", "1000")
        .env("OUTCROP_AUDIT_TEXT", "on");
    let mut running = run.spawn(&SERVE);
    let mut client = Client::connect(running.addr().await).await;
    let question = format!("/length 900 {SAID}");
    let answer = client.chat("1", "s", &question).await.text;
    let other = json!({ "sessionId": "s", "message": SAID, "model": "no-such-model" });
    client.ask("2", "chat.send_message", other).await.expect_err("refused");
    running.signal(Signal::TERM);
    let ran = running.end().await;
    assert!(!ran.stderr.contains(SAID), "{}", ran.stderr);
    let text = audit_files(run.folder(), 16_384);
    let records: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let of_kind = |kind: &str| records.iter().find(|record| record["kind"] == kind).expect("a record");
    let call = of_kind("model.call");
    assert_eq!((&call["question"], &call["answer"], &call["model"]), (&json!(question), &json!(answer), &json!(MODEL)));
    assert_eq!(of_kind("request.refused")["question"], SAID);
}
