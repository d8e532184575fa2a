//! Authentication from outside: what is set, what is said, and what outlives a process.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::{client_async, tungstenite::Message};

use crate::command::Run;

const SECRET: &str = "a secret of the tests that opens nothing at all";
const ADMIN: &str = "a token of administrators";
const DEMO: [&str; 4] = ["serve", "--demo", "--listen", "127.0.0.1:0"];

fn with_secret() -> Run {
    Run::bare().env("OUTCROP_JWT_SECRET", SECRET).env("OUTCROP_ADMIN_TOKEN", ADMIN)
}

/// A token that the command made.
async fn token(run: &Run, flags: &[&str]) -> String {
    let ran = run.run(&[&["token"], flags].concat()).await;
    assert_eq!((ran.status.code(), ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    ran.stdout.trim_end().to_owned()
}

/// The answer to a hello with `token`.
async fn hello(addr: SocketAddr, token: &str) -> Value {
    let stream = TcpStream::connect(addr).await.expect("a connection");
    let mut ws = client_async(format!("ws://localhost:{}/ws", addr.port()), stream).await.expect("a handshake").0;
    let frame = json!({ "id": "h", "type": "client.hello", "data": { "version": 1, "token": token } });
    ws.send(Message::text(frame.to_string())).await.expect("sent");
    let said = ws.next().await.expect("a frame").expect("a frame");
    serde_json::from_str(said.to_text().expect("text")).expect("JSON")
}

async fn request(addr: SocketAddr, head: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(addr).await.expect("a connection");
    let request = format!("{head}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())
        .replace("HOST", "host: localhost");
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut response = String::new();
    stream.read_to_string(&mut response).await.expect("a response");
    response
}

#[tokio::test]
async fn without_a_key_it_says_what_to_set() {
    let bedrock = || {
        Run::bare()
            .env("AWS_REGION", "us-west-2")
            .env("AWS_ACCESS_KEY_ID", "AKIDFAKE")
            .env("AWS_SECRET_ACCESS_KEY", "fake")
    };
    let serve = ["serve", "--listen", "127.0.0.1:0", "--store", "memory"];
    let with = |more: &[&'static str]| [&serve[..], more].concat();
    let pem = Run::bare();
    std::fs::write(pem.folder().join("no.pem"), "no key").expect("written");
    for (run, args, parts) in [
        (bedrock(), with(&[]), ["no key to check tokens with", "--auth off"]),
        (bedrock().env("OUTCROP_JWT_SECRET", "short"), with(&[]), ["less than 32 bytes", "openssl rand"]),
        (
            bedrock().env("OUTCROP_JWT_SECRET", SECRET),
            with(&["--jwks-url", "http://127.0.0.1:9/keys"]),
            ["one of OUTCROP_JWT_SECRET", "leave the others out"],
        ),
        (bedrock(), with(&["--jwks-url", "http://127.0.0.1:9/keys"]), ["OUTCROP_JWKS_URL cannot be fetched", "onnect"]),
        (bedrock(), with(&["--jwks-url", "ftp://keys"]), ["OUTCROP_JWKS_URL cannot be fetched", "https://"]),
        (
            pem,
            [&DEMO[..], &["--auth", "on", "--jwt-public-key", "no.pem"]].concat(),
            ["no.pem is no public key", "Ed25519"],
        ),
        (Run::bare(), [&DEMO[..], &["--auth", "on"]].concat(), ["no key to check tokens with", "OUTCROP_JWT_SECRET"]),
        (
            Run::bare().env("OUTCROP_JWT_SECRET", SECRET),
            ["serve", "--demo", "--listen", "0.0.0.0:0", "--auth", "off"].to_vec(),
            ["authentication is off", "listen on 127.0.0.1"],
        ),
        (Run::bare(), ["token"].to_vec(), ["signed with OUTCROP_JWT_SECRET", "set it"]),
        (
            Run::bare().env("OUTCROP_JWT_SECRET", SECRET),
            ["token", "--expires-in", "48h"].to_vec(),
            ["longer than 1day", "OUTCROP_TOKEN_LIFETIME"],
        ),
    ] {
        let ran = run.run(&args).await;
        assert!(!ran.stderr.contains(SECRET), "{ran:?}");
        ran.assert_one_line(&parts);
    }
}

#[tokio::test]
async fn a_token_of_its_own_opens_it_whatever_the_claims_are_called() {
    let run = with_secret()
        .env("OUTCROP_USER_CLAIM", "/user/email")
        .env("OUTCROP_ORGANIZATION_CLAIM", "https://acme.example/org")
        .env("OUTCROP_ROLES_CLAIM", "/access/roles")
        .env("OUTCROP_OPERATOR_ROLE", "root")
        .env("OUTCROP_ALLOWED_HOSTS", "chat.acme.example");
    let mut running = run.spawn(&["serve", "--demo", "--listen", "0.0.0.0:0"]);
    let addr = SocketAddr::from(([127, 0, 0, 1], running.addr().await.port()));
    let token = token(&run, &["--user", "ann@acme.example", "--organization", "acme", "--roles", "reader,root"]).await;
    let greeting = hello(addr, &token).await;
    assert_eq!(
        greeting["data"]["principal"],
        json!({ "user": "ann@acme.example", "organization": "acme", "role": "operator" })
    );
    let other = Run::bare().env("OUTCROP_JWT_SECRET", "another secret of the tests, which opens nothing");
    assert_eq!(hello(addr, &crate::auth::token(&other, &[]).await).await["data"]["code"], "unauthenticated");
    for (head, status) in [
        ("GET /ws HTTP/1.1\r\nhost: chat.acme.example", "426"),
        ("GET /ws HTTP/1.1\r\nhost: rebound.example", "421"),
        ("GET /healthz HTTP/1.1\r\nhost: 10.1.2.3", "200"),
        ("GET /admin/usage HTTP/1.1\r\nHOST", "401"),
    ] {
        let response = request(addr, head, "").await;
        assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{head}: {response}");
    }
    let mine = format!("GET /admin/usage HTTP/1.1\r\nHOST\r\nauthorization: Bearer {token}");
    assert!(request(addr, &mine, "").await.starts_with("HTTP/1.1 200 "));
    running.signal(Signal::TERM);
    let ran = running.end().await;
    assert!(ran.stdout.contains("authentication is on"), "{ran:?}");
    for secret in [SECRET, &token, ADMIN] {
        assert!(!ran.stdout.contains(secret) && !ran.stderr.contains(secret), "{ran:?}");
    }
}

#[tokio::test]
async fn what_was_revoked_stays_so_in_the_next_process() {
    let run = with_secret();
    let token = token(&run, &["--user", "ann", "--organization", "acme"]).await;
    let mut running = run.spawn(&DEMO);
    let addr = running.addr().await;
    assert_eq!(hello(addr, &token).await["type"], "server.hello");
    let revoke = format!("POST /admin/revocations HTTP/1.1\r\nHOST\r\nauthorization: Bearer {ADMIN}");
    let response = request(addr, &revoke, r#"{"organization":"acme","user":"ann"}"#).await;
    assert!(response.starts_with("HTTP/1.1 201 "), "{response}");
    running.signal(Signal::KILL);
    let _ = running.end().await;
    let mut running = run.spawn(&DEMO);
    let addr = running.addr().await;
    let refused = hello(addr, &token).await;
    assert_eq!(refused["data"]["message"], "The token was revoked.");
    running.signal(Signal::TERM);
    assert_eq!(running.end().await.status.code(), Some(0));
}
