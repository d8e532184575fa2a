//! What administrators may ask.

use bedrock_emulator::Script;
use serde_json::Value;

use crate::common::{MODEL, Proxy, http, usage_of};

const TOKEN: &str = "a token of administrators";
const FLAGS: [&str; 2] = ["--admin-token", TOKEN];

/// A response in its parts: status, head, and body, out of its chunks if it came in any.
async fn ask(proxy: &Proxy, path: &str, more: &str) -> (u16, String, String) {
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{more}\r\n");
    let response = http(proxy.addr, &request).await;
    let (head, body) = response.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    let body = if head.contains("transfer-encoding: chunked") { whole(body) } else { body.to_owned() };
    assert!(head.contains("\r\ncache-control: no-store"), "{head}");
    assert!(!response.contains(TOKEN), "{response}");
    (status, head.to_owned(), body)
}

fn whole(mut chunks: &str) -> String {
    let mut body = String::new();
    loop {
        let (length, rest) = chunks.split_once("\r\n").expect("a length");
        let length = usize::from_str_radix(length, 16).expect("hexadecimal");
        if length == 0 {
            assert_eq!(rest, "\r\n", "nothing comes after the end");
            return body;
        }
        body.push_str(&rest[..length]);
        chunks = rest[length..].strip_prefix("\r\n").expect("the end of a chunk");
    }
}

async fn get(proxy: &Proxy, path: &str) -> String {
    let (status, head, body) = ask(proxy, path, &format!("authorization: Bearer {TOKEN}\r\n")).await;
    assert_eq!(status, 200, "{head}\n{body}");
    body
}

fn error(body: &str) -> String {
    let json: Value = serde_json::from_str(body).expect("JSON");
    json["error"].as_str().expect("a sentence").to_owned()
}

#[tokio::test]
async fn without_a_token_there_is_nothing_and_with_another_one_neither() {
    let proxy = Proxy::start().await;
    let (status, _, body) = ask(&proxy, "/admin/usage", &format!("authorization: Bearer {TOKEN}\r\n")).await;
    assert!(status == 404 && error(&body).contains("OUTCROP_ADMIN_TOKEN"), "{body}");
    let proxy = Proxy::with(&FLAGS, Script::new()).await;
    for header in [
        String::new(),
        "authorization: Bearer \r\n".to_owned(),
        "authorization: Bearer another token of theirs\r\n".to_owned(),
        format!("authorization: Basic {TOKEN}\r\n"),
        format!("authorization: Bearer {TOKEN}s\r\n"),
    ] {
        for path in ["/admin/usage", "/admin/calls", "/admin/", "/admin/usage?groupBy=nonsense"] {
            let (status, head, body) = ask(&proxy, path, &header).await;
            assert!(status == 401 && error(&body).contains("Bearer"), "{header}{path}: {body}");
            assert!(head.contains("www-authenticate: Bearer"), "{head}");
        }
    }
    let foreign = format!("authorization: Bearer {TOKEN}\r\norigin: https://elsewhere.example\r\n");
    assert_eq!(ask(&proxy, "/admin/usage", &foreign).await.0, 403);
    let post = format!(
        "POST /admin/usage HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer {TOKEN}\r\n\r\n"
    );
    assert!(http(proxy.addr, &post).await.starts_with("HTTP/1.1 405 "));
    let host = format!(
        "GET /admin/usage HTTP/1.1\r\nhost: rebound.example\r\nconnection: close\r\nauthorization: Bearer {TOKEN}\r\n\r\n"
    );
    assert!(http(proxy.addr, &host).await.starts_with("HTTP/1.1 421 "));
}

#[tokio::test]
async fn what_is_asked_wrongly_is_named() {
    let proxy = Proxy::with(&FLAGS, Script::new()).await;
    for (path, status, part) in [
        ("/admin/usage?groupBy=week", 400, "user, organization, session"),
        ("/admin/usage?from=soon", 400, "7d"),
        ("/admin/usage?from=2026-11-02&to=2026-11-01", 400, "before to"),
        ("/admin/usage?from=2020-01-01", 400, "400 days"),
        ("/admin/usage?format=xml", 400, "json and csv"),
        ("/admin/usage?sort=cost", 400, "groupBy"),
        ("/admin/calls?groupBy=user", 400, "/admin/usage"),
        ("/admin/users", 404, "/admin/calls"),
    ] {
        let (got, _, body) = ask(&proxy, path, &format!("authorization: Bearer {TOKEN}\r\n")).await;
        assert!(got == status && error(&body).contains(part), "{path}: {got} {body}");
    }
}

#[tokio::test]
async fn usage_and_calls_come_as_json_and_csv() {
    let proxy = Proxy::with(&FLAGS, Script::new()).await;
    let mut client = proxy.connect().await;
    for id in ["1", "2", "3"] {
        client.chat(id, "s", "hi").await;
    }
    let used: Vec<_> = proxy.emulator.ledger().iter().map(usage_of).collect();
    let tokens: u64 = used.iter().filter_map(|usage| usage["totalTokens"].as_u64()).sum();
    let cost: u64 = used.iter().filter_map(|usage| usage["costNanoUsd"].as_u64()).sum();

    let report: Value =
        serde_json::from_str(&get(&proxy, "/admin/usage?groupBy=user%2Cmodel&from=1h").await).expect("JSON");
    assert_eq!(report["groupBy"], serde_json::json!(["organization", "user", "model"]));
    let row = &report["rows"][0];
    let keys = [&row["organization"], &row["user"], &row["model"]];
    assert_eq!(keys, ["local", "local", MODEL]);
    assert_eq!(row["usage"]["totalTokens"], tokens);
    assert_eq!((&report["total"]["turns"], &report["total"]["usage"]["costNanoUsd"]), (&3.into(), &cost.into()));

    let csv = get(&proxy, "/admin/usage?organization=local&groupBy=user&format=csv").await;
    let lines: Vec<_> = csv.lines().collect();
    assert!(
        lines.len() == 2 && lines[0].starts_with("user,answers,") && lines[1].starts_with("local,3,3,0,0,"),
        "{csv}"
    );
    assert_eq!(get(&proxy, "/admin/usage?organization=other&format=csv").await.lines().count(), 1);

    let calls: Vec<Value> = serde_json::from_str(&get(&proxy, "/admin/calls").await).expect("JSON");
    let mut entries: Vec<_> = calls.iter().map(|call| call["usage"]["costNanoUsd"].as_u64().unwrap_or(0)).collect();
    let mut billed: Vec<_> = used.iter().map(|usage| usage["costNanoUsd"].as_u64().unwrap_or(0)).collect();
    entries.sort_unstable();
    billed.sort_unstable();
    assert_eq!(entries, billed);
    assert_eq!(
        (&calls[0]["user"], &calls[0]["outcome"], &calls[0]["sessionId"]),
        (&"local".into(), &"complete".into(), &"s".into())
    );
    let csv = get(&proxy, "/admin/calls?format=csv&user=local").await;
    assert!(csv.starts_with("asked,organization,user,") && csv.lines().count() == 4, "{csv}");
    assert_eq!(get(&proxy, "/admin/calls?to=2026-01-01&from=2025-12-01").await, "[\n]\n");
}
