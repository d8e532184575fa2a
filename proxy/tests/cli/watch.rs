//! Metrics and alerts of `outcrop-proxy serve`.

use std::{path::Path, sync::Arc, time::Duration};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustix::process::Signal;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::timeout,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
};

use crate::{
    command::Run,
    serve::{chat, connect},
};

const SERVE: [&str; 6] = ["serve", "--demo", "--demo-pace", "0", "--listen", "127.0.0.1:0"];

#[tokio::test]
async fn metrics_are_lines_on_standard_output() {
    let mut running = Run::bare().spawn(&[&SERVE[..], &["--metrics", "emf"]].concat());
    let mut ws = connect(&mut running).await;
    assert_eq!(chat(&mut ws, "hello").await["type"], "chat.message_complete");
    drop(ws);
    running.signal(Signal::TERM);
    let ran = running.end().await;
    let lines: Vec<Value> = ran
        .stdout
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines.len(), 1, "{ran:?}");
    assert_eq!(lines[0]["_aws"]["CloudWatchMetrics"][0]["Namespace"], "Outcrop");
    assert_eq!((&lines[0]["Invocations"], &lines[0]["Organization"]), (&1.into(), &"local".into()));
    assert!(!ran.stderr.contains("_aws"), "{ran:?}");
}

/// An address with a certificate of its own, in the file `ca`, that takes one request and returns its body.
async fn secure_server(ca: &Path) -> (String, tokio::task::JoinHandle<Value>) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    std::fs::write(ca, cert.pem()).expect("written");
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .expect("a configuration");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let request = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        let mut stream = TlsAcceptor::from(Arc::new(config)).accept(stream).await.expect("a handshake");
        let mut request = Vec::new();
        loop {
            request.push(stream.read_u8().await.expect("more"));
            let Some(head) = request.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
            if let Ok(body) = serde_json::from_slice(&request[head + 4..]) {
                stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").await.expect("written");
                stream.shutdown().await.expect("closed");
                return body;
            }
        }
    });
    (format!("https://localhost:{port}/of-a-secret-path"), request)
}

#[tokio::test]
async fn a_webhook_is_told_over_https_before_the_proxy_ends() {
    let run = Run::bare();
    let ca = run.folder().join("ca.pem");
    let (url, request) = secure_server(&ca).await;
    let run = run
        .env("SSL_CERT_FILE", ca.to_str().expect("a path"))
        .env("OUTCROP_ALERT_WEBHOOK", &url)
        .env("OUTCROP_ALERT_AT", "1")
        .env("OUTCROP_BUDGETS", "user/day=10000tokens");
    let mut running = run.spawn(&SERVE);
    let mut ws = connect(&mut running).await;
    let done = chat(&mut ws, "/length 300 hello").await;
    assert_eq!(done["type"], "chat.message_complete");
    drop(ws);
    running.signal(Signal::TERM);
    let ran = running.end().await;
    let alert = timeout(Duration::from_secs(30), request).await.expect("a request").expect("no panic");
    assert_eq!((&alert["kind"], &alert["scope"], &alert["percent"]), (&"budget".into(), &"user".into(), &1.into()));
    assert_eq!(alert["spent"], done["data"]["usage"]["totalTokens"]);
    let line = ran.stderr.lines().find(|line| line.contains("alert: 1% of the budget")).expect("a line of the log");
    assert!(line.contains("WARN") && line.contains("user=\"local\""), "{line}");
    assert!(!ran.stderr.contains("of-a-secret-path") && !ran.stderr.contains("did not take"), "{ran:?}");
}
