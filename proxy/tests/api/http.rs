//! Plain HTTP: health, and the page.

use std::{fs, path::PathBuf};

use bedrock_emulator::Script;

use crate::common::{Proxy, http};

async fn ask(proxy: &Proxy, method: &str, path: &str, more: &str) -> String {
    let request = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{more}\r\n");
    http(proxy.addr, &request).await
}

async fn get(proxy: &Proxy, path: &str) -> String {
    ask(proxy, "GET", path, "").await
}

/// A folder with a page, as a build leaves it.
fn page() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("page");
    fs::create_dir_all(folder.join("assets")).expect("a folder");
    fs::write(folder.join("index.html"), "<!doctype html><title>page</title>").expect("written");
    fs::write(folder.join("assets/app-1a2b.js"), "let plain;").expect("written");
    fs::write(folder.join("assets/app-1a2b.js.br"), "squeezed").expect("written");
    fs::write(folder.join("assets/client.wasm"), b"\0asm").expect("written");
    folder
}

#[tokio::test]
async fn health_and_readiness_answer_and_other_paths_do_not() {
    let proxy = Proxy::start().await;
    for (path, status, body) in [
        ("/healthz", "200 OK", "ok\n"),
        ("/readyz", "200 OK", "ready\n"),
        ("/", "200 OK", "connect by WebSocket"),
        ("/ws", "426 Upgrade Required", "WebSocket client"),
        ("/nothing", "404 Not Found", ""),
    ] {
        let response = get(&proxy, path).await;
        assert!(
            response.starts_with(&format!("HTTP/1.1 {status}\r\n")) && response.contains(body),
            "{path}: {response}"
        );
        for header in [
            "x-content-type-options: nosniff",
            "x-frame-options: DENY",
            "referrer-policy: no-referrer",
            "cross-origin-opener-policy: same-origin",
            "cross-origin-resource-policy: same-origin",
            "permissions-policy: accelerometer=()",
            "content-security-policy: default-src 'none'; frame-ancestors 'none'",
        ] {
            assert!(response.contains(&format!("\r\n{header}")), "{path}: {header} in {response}");
        }
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        assert!(ask(&proxy, method, "/", "").await.starts_with("HTTP/1.1 405 "), "{method}");
    }
    assert!(ask(&proxy, "HEAD", "/healthz", "").await.ends_with("\r\n\r\n"));
}

#[tokio::test]
async fn the_page_comes_with_a_strict_policy_and_its_files_are_kept_for_good() {
    let folder = page();
    let proxy = Proxy::with(&["--www", folder.to_str().expect("a path")], Script::new()).await;
    for path in ["/", "/index.html", "/a/path/of/the/page"] {
        let response = get(&proxy, path).await;
        assert!(response.starts_with("HTTP/1.1 200 ") && response.contains("<title>page</title>"), "{response}");
        assert!(response.contains("cache-control: no-cache\r\n"), "{response}");
        let policy = response.lines().find(|line| line.starts_with("content-security-policy: ")).expect("a policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("script-src 'self' 'wasm-unsafe-eval'"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe-inline") && !policy.contains('*'), "{policy}");
        for directive in ["object-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"] {
            assert!(policy.contains(directive), "{policy}");
        }
    }
    let script = get(&proxy, "/assets/app-1a2b.js").await;
    assert!(
        script.contains("cache-control: public, max-age=31536000, immutable\r\n") && script.ends_with("let plain;"),
        "{script}"
    );
    let squeezed = ask(&proxy, "GET", "/assets/app-1a2b.js", "accept-encoding: br\r\n").await;
    assert!(squeezed.contains("content-encoding: br\r\n") && squeezed.ends_with("squeezed"), "{squeezed}");
    assert!(get(&proxy, "/assets/client.wasm").await.contains("content-type: application/wasm\r\n"));
    let missing = get(&proxy, "/assets/gone.js").await;
    assert!(missing.contains("cache-control: no-cache\r\n"), "{missing}");
    assert_eq!(proxy.connect().await.chat("r", "s", "hi").await.end.kind, "chat.message_complete");
}

#[tokio::test]
async fn nothing_outside_the_pages_folder_is_served() {
    let folder = page();
    fs::write(folder.with_file_name("secret.txt"), "outside").expect("written");
    let proxy = Proxy::with(&["--www", folder.to_str().expect("a path")], Script::new()).await;
    for path in [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "//secret.txt",
        "/assets/../../secret.txt",
    ] {
        assert!(!get(&proxy, path).await.contains("outside"), "{path}");
    }
}
