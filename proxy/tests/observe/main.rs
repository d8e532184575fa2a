//! What can be seen of a proxy from outside, all of it at once.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "tests")]

mod collector;
#[allow(dead_code, reason = "shared with the tests of the command")]
#[path = "../cli/command.rs"]
mod command;
#[path = "../api/common/mod.rs"]
#[allow(dead_code, unused_imports, reason = "shared with the tests of the api, which use all of it")]
mod common;
mod failure;
mod page;

use std::{fs, net::SocketAddr, path::Path};

use bedrock_emulator::{Behaviour, Config, Emulator, ErrorType, Fault, LedgerEntry, SECRET_ACCESS_KEY, Script, Step};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

use crate::{
    command::{Ran, Run, Running},
    common::{
        Client, Heard, MODEL,
        tokens::{SECRET, but, claims, signed, signed_with, token_of},
        usage_of,
    },
};
use collector::{Collector, attribute};
use page::{Page, ask};

const ADMIN: &str = "the token of administrators";
const WEBHOOK_PATH: &str = "of-a-webhook-nobody-may-know";
const OTLP_SECRET: &str = "of-a-collector-nobody-may-know";

/// In everything that people write.
const SAID: &str = "kept-in-a-diary";

/// What came of a day.
struct Day {
    page: Page,
    ran: Ran,
    audit: Vec<Value>,
    audit_text: String,
    collector: Collector,
    ledger: Vec<LedgerEntry>,
    secrets: Vec<String>,
}

impl Day {
    /// The records of this kind.
    fn records(&self, kind: &str) -> Vec<&Value> {
        self.audit.iter().filter(|record| record["kind"] == kind).collect()
    }
}

/// Those who come, and how they are known.
struct People {
    ann: String,
    bob: String,
    /// Administers their organisation.
    eve: String,
    stranger: String,
}

impl People {
    fn new() -> Self {
        let eve = but(claims("acme", "eve"), "roles", json!(["outcrop-administrator"]));
        Self {
            ann: token_of("acme", "ann"),
            bob: token_of("acme", "bob"),
            eve: signed(&eve),
            stranger: signed_with(b"a secret that the proxy does not know", &claims("acme", "ann")),
        }
    }
}

fn fault(prompt: &str, error: ErrorType, times: Option<u32>) -> Step {
    Step::of(Behaviour::fault(Fault::ErrorBefore { error, message: None, times })).when_prompt(prompt)
}

fn run(emulator: &Emulator, collector: &Collector) -> Run {
    Run::against(emulator)
        .without("OUTCROP_AUTH")
        .env("OUTCROP_JWT_SECRET", SECRET)
        .env("OUTCROP_ADMIN_TOKEN", ADMIN)
        .env("OUTCROP_ALERT_WEBHOOK", &format!("{}/{WEBHOOK_PATH}", collector.url.replace("http:", "https:")))
        .env("OUTCROP_ALERT_AT", "1")
        .env("OUTCROP_BUDGETS", "user/day=6000tokens")
        // What the model is told of tools would be set aside too.
        .env("OUTCROP_ANALYTICS", "off")
        .env("OUTCROP_RETRY_BASE", "1ms")
        .env("OUTCROP_LOG", "debug")
        .env("OUTCROP_LOG_FORMAT", "json")
        .env("OUTCROP_AUDIT_LOG", "audit.log")
        .env("OUTCROP_AUDIT_LOG_BYTES", "4096")
        .env("OUTCROP_AUDIT_LOG_FILES", "1000")
        .env("OUTCROP_METRICS_LISTEN", "127.0.0.1:0")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url)
        .env("OTEL_EXPORTER_OTLP_HEADERS", &format!("authorization=Bearer%20{OTLP_SECRET}"))
}

async fn enter(addr: SocketAddr, token: &str) -> Client {
    let mut client = Client::connect(addr).await;
    client.ask("hello", "client.hello", json!({ "version": 1, "token": token })).await.expect("a greeting");
    client
}

async fn a_day() -> Day {
    let script = Script::new().step(fault("it is throttled", ErrorType::Throttling, Some(1))).step(fault(
        "it is denied",
        ErrorType::AccessDenied,
        None,
    ));
    let emulator = Emulator::start(Config { script, ..Config::unpaced() }).await.expect("an emulator");
    let collector = Collector::start().await;
    let run = run(&emulator, &collector);
    let mut running = run.spawn(&["serve", "--listen", "127.0.0.1:0"]);
    let addr = running.addr().await;
    let metrics = metrics_addr(&running);
    let people = People::new();

    let mut ann = enter(addr, &people.ann).await;
    assert_eq!(Page::read(metrics).await.value("outcrop_sockets_open"), 1.0);
    strangers(addr, &people.stranger).await;
    answers(&mut ann, &mut enter(addr, &people.bob).await).await;
    administrators(addr, &people).await;

    let page = Page::read(metrics).await;
    let close = CloseFrame { code: CloseCode::Normal, reason: "".into() };
    ann.send_raw(Message::Close(Some(close))).await;
    assert!(matches!(ann.hear().await, Heard::Closed(1000, _)));
    running.signal(Signal::TERM);
    let ran = running.end().await;
    let audit_text = audit_files(run.folder(), 4_096);
    let audit = audit_text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let People { ann, bob, eve, stranger } = people;
    let secrets = [SECRET, ADMIN, SECRET_ACCESS_KEY, WEBHOOK_PATH, OTLP_SECRET, SAID].map(str::to_owned);
    let ledger = emulator.ledger();
    let answers =
        ledger.iter().map(|call| call.text_sent.chars().take(60).collect()).filter(|text: &String| text.len() > 20);
    let secrets = secrets.into_iter().chain([ann, bob, eve, stranger]).chain(answers).collect();
    Day { page, ran, audit, audit_text, collector, ledger, secrets }
}

fn metrics_addr(running: &Running) -> SocketAddr {
    let line = running.said().lines().find_map(|line| line.strip_prefix("metrics are at http://")).expect("a line");
    line.strip_suffix("/metrics").expect("a path").parse().expect("an address")
}

/// The audit log, from its oldest line to its newest. No file is larger than it may be.
fn audit_files(folder: &Path, max_bytes: usize) -> String {
    let file = |n: usize| if n == 0 { "audit.log".to_owned() } else { format!("audit.log.{n}") };
    let count = (0..).take_while(|n| folder.join(file(*n)).exists()).count();
    assert!(count > 1, "one file does not hold a day");
    let read = |n: usize| fs::read_to_string(folder.join(file(n))).expect("a file");
    let files: Vec<_> = (0..count).rev().map(read).collect();
    assert!(files.iter().all(|file| file.len() <= max_bytes && file.ends_with('\n')));
    files.concat()
}

async fn strangers(addr: SocketAddr, token: &str) {
    let mut stranger = Client::connect(addr).await;
    let data = json!({ "version": 1, "token": token });
    assert_eq!(stranger.ask("hello", "client.hello", data).await.expect_err("refused").0, "unauthenticated");
    assert_eq!(stranger.close_code().await, 4500);
    let upgrade = format!(
        "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nauthorization: Bearer {token}\r\n"
    );
    assert_eq!(ask(addr, "GET /ws", &upgrade, "").await.0, 401);
}

async fn answers(ann: &mut Client, bob: &mut Client) {
    let said = |text: &str| format!("{text} {SAID}");
    assert_eq!(ann.chat("a1", "s", &said("Hello")).await.end.kind, "chat.message_complete");
    assert_eq!(ann.chat("a2", "s", &said("it is throttled")).await.end.kind, "chat.message_complete");
    let other = json!({ "sessionId": "s", "message": said("Hello"), "model": "no-such-model", "streaming": true });
    assert_eq!(ann.ask("a3", "chat.send_message", other).await.expect_err("refused").0, "model_not_found");
    let nonsense = json!({ "message": said("Hello") });
    assert_eq!(ann.ask("a4", "chat.nonsense", nonsense).await.expect_err("refused").0, "invalid_request");
    bob.chat("b1", "s", &said("it is denied")).await.error("model_access_denied");
    assert_eq!(ann.chat("a5", "t", &said("/length 2000 Tell me more")).await.end.kind, "chat.message_complete");
    ann.chat("a6", "t", &said("And now?")).await.error("budget_exceeded");
}

async fn administrators(addr: SocketAddr, people: &People) {
    let mut bob = enter(addr, &people.bob).await;
    let with = |token: &str| format!("authorization: Bearer {token}\r\n");
    assert_eq!(ask(addr, "GET /admin/usage?user=ann", &with(&people.eve), "").await.0, 200);
    assert_eq!(ask(addr, "GET /admin/usage", &with(&people.bob), "").await.0, 403);
    assert_eq!(ask(addr, "GET /admin/calls", &with(ADMIN), "").await.0, 200);
    assert_eq!(ask(addr, "GET /admin/calls", &with("a guess at the token"), "").await.0, 401);
    let wish = json!({ "organization": "acme", "user": "bob" }).to_string();
    assert_eq!(ask(addr, "POST /admin/revocations", &with(&people.eve), &wish).await.0, 201);
    assert_eq!(bob.close_code().await, 4503);
    // The dashboard asks over its socket.
    let mut eve = enter(addr, &people.eve).await;
    for (scope, allowed) in [("own", true), ("organization", true), ("all", false)] {
        let usage = eve.ask(scope, "chat.get_usage", json!({ "groupBy": "user", "scope": scope })).await;
        assert_eq!(usage.is_ok(), allowed, "{usage:?}");
    }
}

#[tokio::test]
async fn all_that_can_be_seen_is_right_and_no_secret_is_among_it() {
    let day = a_day().await;
    assert_eq!(day.ran.status.code(), Some(0), "{}", day.ran.stderr);
    no_secret_is_told(&day);
    connections_are_recorded(&day);
    calls_are_recorded(&day);
    refusals_are_recorded(&day);
    acts_are_recorded(&day);
    metrics_are_right(&day);
    traces_are_right(&day);
    lines_of_the_log_belong_to_requests(&day);
}

fn no_secret_is_told(day: &Day) {
    let traces = String::from_utf8_lossy(&day.collector.bytes()).into_owned();
    let Ran { stdout, stderr, .. } = &day.ran;
    for (what, output) in [
        ("standard output", stdout),
        ("the log", stderr),
        ("the audit log", &day.audit_text),
        ("metrics", &day.page.0),
        ("traces", &traces),
    ] {
        assert!(!output.is_empty(), "{what}");
        for secret in &day.secrets {
            let line = output.lines().find(|line| line.contains(secret.as_str()));
            assert!(line.is_none(), "{secret} is in {what}: {line:?}");
        }
    }
}

fn connections_are_recorded(day: &Day) {
    assert_eq!((day.records("proxy.started").len(), day.records("proxy.stopped").len()), (1, 1));
    assert_eq!(day.audit.last().expect("a record")["kind"], "proxy.stopped");
    // Ann, the stranger, Bob twice, Eve.
    let opened = day.records("connection.opened");
    assert_eq!(opened.len(), 5);
    let mut closed = Vec::new();
    for record in &opened {
        let id = record["connectionId"].as_str().expect("an id");
        assert!(id.starts_with("con_") && record["remoteAddress"].as_str().expect("one").starts_with("127.0.0.1:"));
        let of_it = |kind: &str| day.records(kind).into_iter().filter(|record| record["connectionId"] == id).collect();
        let (identified, ends): (Vec<_>, Vec<_>) = (of_it("connection.identified"), of_it("connection.closed"));
        assert_eq!(ends.len(), 1, "{id}");
        assert!(ends[0]["durationMs"].is_u64());
        closed.push((ends[0]["closeCode"].as_u64().expect("a code"), identified.len(), ends[0]["user"].clone()));
    }
    let [ann, bob, eve] = ["ann", "bob", "eve"].map(|user| json!(user));
    let expected = [(1000, 1, ann), (4500, 0, Value::Null), (1006, 1, bob.clone()), (4503, 1, bob), (1006, 1, eve)];
    assert_eq!(closed, expected);
    let identified = day.records("connection.identified")[0];
    let who = ["organization", "user", "role", "tokenId"].map(|field| identified[field].as_str().expect(field));
    assert_eq!(who, ["acme", "ann", "user", "acme-ann"]);
    let refused = day.records("connection.refused");
    assert_eq!((refused.len(), &refused[0]["status"], &refused[0]["outcome"]), (1, &json!(401), &json!("refused")));
}

fn calls_are_recorded(day: &Day) {
    let calls = day.records("model.call");
    let expected = [
        ("a1", "ann", "complete"),
        ("a2", "ann", "throttled"),
        ("a2", "ann", "complete"),
        ("b1", "bob", "model_access_denied"),
        ("a5", "ann", "complete"),
    ];
    assert_eq!((calls.len(), day.ledger.len()), (expected.len(), expected.len()));
    for ((call, billed), (request, user, outcome)) in calls.iter().zip(&day.ledger).zip(expected) {
        let seen = ["requestId", "user", "outcome"].map(|field| call[field].as_str().expect(field));
        assert_eq!(seen, [request, user, outcome], "{call}");
        let fields = ["organization", "role", "tokenId", "modelAsked", "model", "region"];
        let seen = fields.map(|field| call[field].as_str().expect(field));
        assert_eq!(seen, ["acme", "user", &format!("acme-{user}"), MODEL, MODEL, "us-west-2"]);
        assert!(call["messageId"].as_str().expect("an id").starts_with("msg_"));
        assert_eq!((&call["inLedger"], call.get("question"), call.get("answer")), (&json!(true), None, None));
        match billed.usage {
            Some(_) => {
                let usage = usage_of(billed);
                for field in ["inputTokens", "outputTokens", "totalTokens", "costNanoUsd", "priceVersion"] {
                    assert_eq!(call["usage"][field], usage[field], "{field} of {call}");
                }
            }
            None => assert_eq!(call["usage"]["totalTokens"], 0, "{call}"),
        }
        let session = if request == "a5" { "t" } else { "s" };
        assert!(call["sessionId"] == session && call["durationMs"].is_u64(), "{call}");
    }
}

fn refusals_are_recorded(day: &Day) {
    let refusals: Vec<_> = day
        .records("request.refused")
        .into_iter()
        .map(|record| (record["requestId"].clone(), record["outcome"].clone(), record["user"].clone()))
        .collect();
    let ann = |id: &str, code: &str| (json!(id), json!(code), json!("ann"));
    let expected = [
        (json!("hello"), json!("unauthenticated"), Value::Null),
        ann("a3", "model_not_found"),
        ann("a4", "invalid_request"),
        ann("a6", "budget_exceeded"),
        (json!("all"), json!("forbidden"), json!("eve")),
    ];
    assert_eq!(refusals, expected);
    let over_budget = day.records("request.refused")[3];
    assert!(over_budget["sessionId"] == "t" && over_budget["messageId"].is_string(), "{over_budget}");
}

fn acts_are_recorded(day: &Day) {
    let fields = ["act", "outcome", "status", "user", "role", "tokenId", "targetOrganization", "targetUser"];
    let acts: Vec<Value> = day
        .records("admin")
        .into_iter()
        .map(|record| fields.iter().map(|field| record[*field].clone()).collect())
        .collect();
    let expected = [
        json!(["usage.read", "done", 200, "eve", "administrator", "acme-eve", "acme", "ann"]),
        json!(["usage.read", "refused", 403, "bob", "user", "acme-bob", null, null]),
        json!(["calls.read", "done", 200, null, "operator", "OUTCROP_ADMIN_TOKEN", null, null]),
        json!(["calls.read", "refused", 401, null, null, null, null, null]),
        json!(["revocation.made", "done", 201, "eve", "administrator", "acme-eve", "acme", "bob"]),
        json!(["usage.read", "done", 200, "eve", "administrator", "acme-eve", "acme", null]),
    ];
    assert_eq!(acts, expected);
    assert!(day.records("admin").iter().all(|record| record["remoteAddress"].is_string()));
}

fn metrics_are_right(day: &Day) {
    let page = &day.page;
    let turns = page.all("outcrop_turns_total");
    let expected = [
        ("{outcome=\"budget_exceeded\"}", 1.0),
        ("{outcome=\"complete\"}", 3.0),
        ("{outcome=\"model_access_denied\"}", 1.0),
    ];
    assert_eq!(turns.into_iter().collect::<Vec<_>>(), expected);
    let codes = [
        "budget_exceeded",
        "forbidden",
        "invalid_request",
        "model_access_denied",
        "model_not_found",
        "unauthenticated",
    ];
    let expected: Vec<_> = codes.iter().map(|code| (format!("{{code=\"{code}\"}}"), 1.0)).collect();
    let errors = page.all("outcrop_errors_total");
    assert_eq!(errors.into_iter().map(|(code, n)| (code.to_owned(), n)).collect::<Vec<_>>(), expected);
    let model = |name: &str, more: &str| page.value(&format!("{name}{{{more}model=\"{MODEL}\"}}"));
    let calls =
        |outcome: &str| page.value(&format!("outcrop_upstream_calls_total{{model=\"{MODEL}\",outcome=\"{outcome}\"}}"));
    assert_eq!([calls("complete"), calls("throttled"), calls("model_access_denied")], [3.0, 1.0, 1.0]);
    assert_eq!(model("outcrop_upstream_retries_total", ""), 1.0);
    let sum = |field: &str| -> u64 {
        let billed = day.ledger.iter().filter(|call| call.usage.is_some());
        billed.map(|call| usage_of(call)[field].as_u64().expect(field)).sum()
    };
    assert_eq!(model("outcrop_tokens_total", "kind=\"input\","), sum("inputTokens") as f64);
    assert_eq!(model("outcrop_tokens_total", "kind=\"output\","), sum("outputTokens") as f64);
    assert_eq!(model("outcrop_cost_nanodollars_total", ""), sum("costNanoUsd") as f64);
    assert_eq!(model("outcrop_time_to_first_token_seconds_count", ""), 3.0);
    let buckets = page.all("outcrop_time_to_first_token_seconds_bucket");
    assert_eq!(buckets.len(), 14, "those of the page on metrics, and the rest");
    // Ann, the stranger, Bob twice, Eve.
    assert_eq!(page.value("outcrop_connections_total"), 5.0);
    assert_eq!(page.value("outcrop_connections_refused_total{status=\"401\"}"), 1.0);
    let store =
        |operation: &str| page.value(&format!("outcrop_store_operation_seconds_count{{operation=\"{operation}\"}}"));
    assert_eq!([store("ask"), store("close"), store("revoke")], [5.0, 4.0, 1.0]);
    assert!(page.all("outcrop_store_errors_total").is_empty());
    for none in ["outcrop_panics_total", "outcrop_audit_records_lost_total", "outcrop_audit_write_failures_total"] {
        assert!(page.0.contains(&format!("\n{none} 0\n")), "{none} in {}", page.0);
    }
    for person in ["acme", "ann", "con_", "msg_"] {
        assert!(!page.0.contains(&format!("\"{person}")), "{person} is a label");
    }
}

fn traces_are_right(day: &Day) {
    let spans = day.collector.spans(&format!("Bearer {OTLP_SECRET}"));
    let (requests, chats): (Vec<_>, Vec<_>) = spans.iter().partition(|span| span.parent_span_id.is_empty());
    let of_request = |id: &str| {
        let has_id = |span: &&&_| attribute(span, "outcrop.request.id").as_deref() == Some(id);
        let mut found = requests.iter().filter(has_id);
        let span = found.next().expect("a span");
        assert!(found.next().is_none() && span.name == "chat.send_message");
        *span
    };
    assert_eq!((requests.len(), chats.len()), (6, day.ledger.len()));
    for (id, error) in [("a1", None), ("a3", Some("model_not_found")), ("a6", Some("budget_exceeded"))] {
        assert_eq!(attribute(of_request(id), "error.type").as_deref(), error);
    }
    for (span, billed) in chats.iter().zip(&day.ledger) {
        assert_eq!(span.name, format!("chat {MODEL}"));
        assert!(span.end_time_unix_nano >= span.start_time_unix_nano);
        for (key, value) in [
            ("gen_ai.operation.name", "chat"),
            ("gen_ai.provider.name", "aws.bedrock"),
            ("gen_ai.system", "aws.bedrock"),
            ("gen_ai.request.model", MODEL),
            ("gen_ai.response.model", MODEL),
            ("gen_ai.request.max_tokens", "4096"),
        ] {
            assert_eq!(attribute(span, key).as_deref(), Some(value), "{key}");
        }
        let usage = billed.usage.map(|usage| (usage.input_tokens.to_string(), usage.output_tokens.to_string()));
        let told = attribute(span, "gen_ai.usage.input_tokens").zip(attribute(span, "gen_ai.usage.output_tokens"));
        assert_eq!(told, usage);
        let reasons = attribute(span, "gen_ai.response.finish_reasons");
        assert_eq!(reasons.as_deref(), usage.map(|_| "end_turn"));
        let is_failed = span.status.as_ref().is_some_and(|status| status.code == 2);
        assert_eq!(
            (is_failed, attribute(span, "error.type").is_some()),
            (billed.usage.is_none(), billed.usage.is_none())
        );
    }
    let retried = of_request("a2");
    let within =
        chats.iter().filter(|span| span.parent_span_id == retried.span_id && span.trace_id == retried.trace_id);
    assert_eq!(within.count(), 2);
}

fn lines_of_the_log_belong_to_requests(day: &Day) {
    let lines: Vec<Value> =
        day.ran.stderr.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect();
    let saying = |message: &str| -> Vec<&Value> {
        lines.iter().filter(|line| line["fields"]["message"] == message).map(|line| &line["span"]).collect()
    };
    let ids = |spans: Vec<&Value>| -> Vec<String> {
        assert!(spans.iter().all(|span| span["connection_id"].as_str().is_some_and(|id| id.starts_with("con_"))));
        spans.iter().map(|span| span["request_id"].as_str().expect("an id").to_owned()).collect()
    };
    assert_eq!(ids(saying("answered")), ["a1", "a2", "a5"]);
    assert_eq!(ids(saying("Bedrock is asked again")), ["a2"]);
    assert_eq!(ids(saying("Bedrock failed")), ["b1"]);
    assert_eq!(ids(saying("a message was not taken")), ["a6"]);
    assert_eq!(saying("refused").len(), 4);
    // Those of others are among them, at the level that was asked for.
    let of_others = |line: &&Value| !line["target"].as_str().expect("a target").starts_with("outcrop");
    assert!(lines.iter().filter(of_others).any(|line| line["level"] == "DEBUG"));
}

#[tokio::test]
async fn the_line_in_front_of_bedrock_can_be_seen() {
    let emulator = Emulator::start(Config::unpaced()).await.expect("an emulator");
    let run = Run::against(&emulator).env("OUTCROP_BEDROCK_CALLS", "1").env("OUTCROP_METRICS_LISTEN", "127.0.0.1:0");
    let mut running = run.spawn(&["serve", "--listen", "127.0.0.1:0"]);
    let mut client = Client::connect(running.addr().await).await;
    let metrics = metrics_addr(&running);
    client.send_message("1", "a", "/pace 1 /length 4000 Tell me about rivers", true).await;
    while client.frame().await.kind != "chat.message_stream" {}
    client.send_message("2", "b", "hi", true).await;
    while client.frame().await.data["state"] != "queued" {}
    let page = Page::read(metrics).await;
    assert_eq!(["running", "waiting"].map(|what| page.value(&format!("outcrop_upstream_calls_{what}"))), [1.0, 1.0]);
    assert_eq!(page.value("outcrop_turns_running"), 2.0);
}
