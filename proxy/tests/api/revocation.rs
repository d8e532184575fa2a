//! Rights that end: sockets of those whose token expired or was revoked are closed within five seconds, whatever they do.

use std::time::Duration;

use bedrock_emulator::Script;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::{net::TcpSocket, time::Instant};

use crate::common::{
    Client, Heard, Proxy, RawSocket, http,
    tokens::{SECRET, WITH_TOKENS, but, claims, client_of, now, signed, token_of},
    within,
};

/// How long a socket may outlive the rights of its owner.
const LIMIT: Duration = Duration::from_secs(5);

const ADMIN: &str = "a token of administrators";

/// A proxy that asks for tokens and has administrators.
async fn proxy() -> Proxy {
    Proxy::with(&[&WITH_TOKENS[..], &["--admin-token", ADMIN]].concat(), Script::new()).await
}

/// Asks as an administrator; the status and what is said.
async fn admin(proxy: &Proxy, token: &str, request: &str, body: &str) -> (u16, Value) {
    let request = format!(
        "{request} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    let response = http(proxy.addr, &request).await;
    let (head, body) = response.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}")))
}

async fn revoke(proxy: &Proxy, what: Value) {
    let (status, answer) = admin(proxy, ADMIN, "POST /admin/revocations", &what.to_string()).await;
    assert_eq!(status, 201, "{answer}");
}

/// Reads until the socket is closed, and returns how.
async fn closed(client: &mut Client) -> (u16, Instant) {
    loop {
        match client.hear().await {
            Heard::Closed(code, _) => return (code, Instant::now()),
            Heard::Gone => panic!("no close frame"),
            _ => {}
        }
    }
}

/// An idle client and one in the middle of an answer.
async fn two_clients(proxy: &Proxy, token: &str) -> [Client; 2] {
    let idle = client_of(proxy, token).await;
    let mut streaming = client_of(proxy, token).await;
    streaming.send_message("q", "s", "/pace 100 /length 4000 Tell me about rivers", true).await;
    assert_eq!(streaming.frame().await.kind, "chat.message_stream");
    [idle, streaming]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn expiry_ends_idle_and_streaming_sockets_and_admits_nothing_after_it() {
    let proxy = proxy().await;
    let ends = now() + 2;
    let token = signed(&but(claims("acme", "ann"), "exp", json!(ends)));
    let mut clients = two_clients(&proxy, &token).await;
    let all = clients.iter_mut().map(closed);
    for (code, at) in join_all(all).await {
        assert_eq!(code, 4003);
        let late = at.elapsed() + Duration::from_secs(now().saturating_sub(ends));
        assert!(now() >= ends && late <= LIMIT, "{late:?} late");
    }
    let calls = proxy.emulator.ledger().len();
    let mut again = proxy.connect().await;
    again.ask("h", "client.hello", json!({ "version": 1, "token": token })).await.expect_err("expired");
    assert_eq!(proxy.emulator.ledger().len(), calls);
    // The answer belongs to the person, not to the token.
    let mut back = client_of(&proxy, &token_of("acme", "ann")).await;
    let history = back.ask("y", "chat.get_history", json!({ "sessionId": "s" })).await.expect("a history");
    assert!(history["inProgress"].is_object(), "{history}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revocation_ends_the_sockets_it_is_about_and_no_others() {
    let proxy = proxy().await;
    let names = [("acme", "ann"), ("acme", "bob"), ("acme", "eve"), ("other", "ann")];
    let mut all = Vec::new();
    for (organization, user) in names {
        all.push(two_clients(&proxy, &token_of(organization, user)).await);
    }
    let [ann, bob, eve, other] = &mut all[..] else { unreachable!("four people") };
    for (what, gone) in [
        (json!({ "organization": "acme", "token": "acme-ann" }), ann),
        (json!({ "organization": "acme", "user": "bob" }), bob),
        (json!({ "organization": "acme" }), eve),
    ] {
        let since = Instant::now();
        revoke(&proxy, what).await;
        for (code, at) in join_all(gone.iter_mut().map(closed)).await {
            assert!(code == 4503 && at - since <= LIMIT, "{code} after {:?}", at - since);
        }
    }
    for (organization, user) in &names[..3] {
        let mut client = proxy.connect().await;
        let hello = json!({ "version": 1, "token": token_of(organization, user) });
        client.send("h", "client.hello", hello).await;
        assert_eq!(client.frame().await.str("code"), "unauthenticated");
        assert!(matches!(client.hear().await, Heard::Closed(4503, _)));
    }
    // A token that is issued later counts again, but not one of the id that was revoked.
    let later = |user: &str, id: &str| {
        let claims = but(claims("acme", user), "iat", json!(now() + 2));
        signed(&but(claims, "jti", json!(id)))
    };
    client_of(&proxy, &later("bob", "fresh")).await;
    let mut client = proxy.connect().await;
    let hello = json!({ "version": 1, "token": later("ann", "acme-ann") });
    client.ask("h", "client.hello", hello).await.expect_err("revoked");
    let [idle, streaming] = other;
    idle.ask("q", "chat.list_sessions", json!({})).await.expect("sessions");
    assert_eq!(streaming.frame().await.kind, "chat.message_stream");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_that_is_not_read_ends_too() {
    let proxy = proxy().await;
    let socket = TcpSocket::new_v4().expect("a socket");
    // The kernel holds little of what is not read.
    socket.set_recv_buffer_size(4_096).expect("a size");
    let stream = socket.connect(proxy.addr).await.expect("a connection");
    let mut stuck = Client::over(RawSocket::shake_hands(stream, proxy.addr, b"").await.stream).await;
    let hello = json!({ "version": 1, "token": token_of("acme", "ann") });
    stuck.ask("h", "client.hello", hello).await.expect("a greeting");
    for n in 0..8 {
        stuck.send_message(&format!("q{n}"), &format!("s{n}"), "/length 200000 Hi", true).await;
    }
    proxy.ended_calls(8).await;
    let since = Instant::now();
    revoke(&proxy, json!({ "organization": "acme", "user": "ann" })).await;
    within("the end of the socket", proxy.sockets.empty()).await;
    assert!(since.elapsed() <= LIMIT, "{:?}", since.elapsed());
    // It was the proxy that ended it, in the midst of what was not read.
    let mut frames = 0;
    while let Heard::Frame(_) = stuck.hear().await {
        frames += 1;
    }
    assert!(frames < 10_000, "{frames}");
}

#[tokio::test]
async fn administrators_revoke_what_is_theirs() {
    let proxy = proxy().await;
    let with_role = |role: &str| signed(&but(claims("acme", "ann"), "roles", json!(role)));
    let (of_acme, operator) = (with_role("outcrop-administrator"), with_role("reader outcrop-operator"));
    let user = token_of("acme", "ann");
    let bob = json!({ "user": "bob" }).to_string();
    let elsewhere = json!({ "organization": "other", "user": "bob" }).to_string();
    for (token, body, status) in [
        (&*user, &bob, 403),
        ("", &bob, 401),
        ("made up", &bob, 401),
        (&*of_acme, &elsewhere, 403),
        (&*operator, &bob, 400),
        (&*operator, &elsewhere, 201),
        (&*of_acme, &bob, 201),
    ] {
        let (answered, said) = admin(&proxy, token, "POST /admin/revocations", body).await;
        assert!(answered == status && !said.to_string().contains(SECRET), "{token} {body}: {answered} {said}");
    }
    for body in ["", "[]", "{}", r#"{"user":""}"#, r#"{"user":"a","token":"b"}"#, r#"{"name":"x"}"#] {
        assert_eq!(admin(&proxy, ADMIN, "POST /admin/revocations", body).await.0, 400, "{body}");
    }
    let long = "x".repeat(5_000);
    assert_eq!(admin(&proxy, ADMIN, "POST /admin/revocations", &long).await.0, 413);
    assert_eq!(admin(&proxy, ADMIN, "DELETE /admin/revocations", "").await.0, 405);
    let (_, theirs) = admin(&proxy, &of_acme, "GET /admin/revocations", "").await;
    let (_, all) = admin(&proxy, &operator, "GET /admin/revocations", "").await;
    let users = |list: &Value| {
        let list = list["revocations"].as_array().expect("a list").clone();
        list.iter().map(|one| one["organization"].as_str().expect("one").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!((users(&theirs), users(&all)), (vec!["acme".to_owned()], vec!["other".to_owned(), "acme".to_owned()]));
    // Usage is theirs in the same way.
    for (token, path, status) in [
        (&*user, "/admin/usage", 403),
        (&*of_acme, "/admin/usage", 200),
        (&*of_acme, "/admin/usage?organization=acme", 200),
        (&*of_acme, "/admin/usage?organization=other", 403),
        (&*of_acme, "/admin/usage?organization=unknown", 403),
        (&*operator, "/admin/usage?organization=other", 200),
    ] {
        assert_eq!(admin(&proxy, token, &format!("GET {path}"), "").await.0, status, "{path}");
    }
}
