//! Tokens: who gets in with which, and who does not.

use std::sync::LazyLock;

use bedrock_emulator::Script;
use jsonwebtoken::{
    Algorithm, EncodingKey, Header, encode,
    jwk::{Jwk, KeyAlgorithm},
};
use rand::{SeedableRng, rngs::StdRng};
use rsa::{
    RsaPrivateKey,
    pkcs1::EncodeRsaPrivateKey,
    pkcs8::{EncodePublicKey, LineEnding},
};
use serde_json::{Value, json};

use crate::common::{
    Heard, Proxy,
    tokens::{KeyServer, SECRET, WITH_TOKENS, but, claims, client_of, forged, now, signed, signed_with, token_of},
};

/// Two keys, the same in every run.
static RSA: LazyLock<[RsaPrivateKey; 2]> = LazyLock::new(|| {
    let mut rng = StdRng::seed_from_u64(20_261_126);
    [(); 2].map(|()| RsaPrivateKey::new(&mut rng, 2_048).expect("a key"))
});

fn signing(key: &RsaPrivateKey) -> EncodingKey {
    EncodingKey::from_rsa_der(key.to_pkcs1_der().expect("DER").as_bytes())
}

fn public_pem(key: &RsaPrivateKey) -> String {
    key.to_public_key().to_public_key_pem(LineEnding::LF).expect("PEM")
}

fn public_jwk(key: &RsaPrivateKey, id: &str) -> Value {
    let mut jwk = Jwk::from_encoding_key(&signing(key), Algorithm::RS256).expect("a JWK");
    jwk.common.key_id = Some(id.to_owned());
    jwk.common.key_algorithm = Some(KeyAlgorithm::RS256);
    serde_json::to_value(jwk).expect("JSON")
}

fn rsa_signed(key: &RsaPrivateKey, id: Option<&str>, claims: &Value) -> String {
    let header = Header { kid: id.map(str::to_owned), ..Header::new(Algorithm::RS256) };
    encode(&header, claims, &signing(key)).expect("a token")
}

/// What comes of a hello with `token`: the answer, and how the socket is closed if it is.
async fn hello(proxy: &Proxy, token: Option<&str>) -> Result<Value, (String, u16)> {
    let mut client = proxy.connect().await;
    let mut data = json!({ "version": 1 });
    if let Some(token) = token {
        data["token"] = json!(token);
    }
    client.send("hello", "client.hello", data).await;
    let frame = client.frame().await;
    if frame.kind == "server.hello" {
        return Ok(frame.data);
    }
    assert_eq!((frame.kind.as_str(), frame.id.as_str()), ("chat.error", "hello"), "{frame:?}");
    assert_eq!(frame.str("code"), "unauthenticated");
    match client.hear().await {
        Heard::Closed(code, _) => Err((frame.str("message").to_owned(), code)),
        other => panic!("the end of the socket was expected: {other:?}"),
    }
}

#[tokio::test]
async fn a_token_says_who_somebody_is_and_for_how_long() {
    let proxy = Proxy::with(&WITH_TOKENS, Script::new()).await;
    let roles = json!(["reader", "outcrop-administrator"]);
    let data = hello(&proxy, Some(&signed(&but(claims("acme", "ann"), "roles", roles)))).await.expect("a greeting");
    assert_eq!(data["principal"], json!({ "user": "ann", "organization": "acme", "role": "administrator" }));
    let expires_in = data["expiresInMs"].as_u64().expect("a time");
    assert!((3_590_000..=3_600_000).contains(&expires_in), "{expires_in}");
    let mut client = client_of(&proxy, &token_of("acme", "ann")).await;
    assert_eq!(client.chat("q", "s", "Hello").await.end.kind, "chat.message_complete");
}

#[tokio::test]
async fn nothing_is_served_before_the_token() {
    let proxy = Proxy::with(&WITH_TOKENS, Script::new()).await;
    let mut client = proxy.connect().await;
    let (code, text) = client.ask("q", "chat.list_sessions", json!({})).await.expect_err("refused");
    assert!(code == "unauthenticated" && text.contains("client.hello"), "{text}");
    // The second frame may be the token still.
    client
        .ask("h", "client.hello", json!({ "version": 1, "token": token_of("acme", "ann") }))
        .await
        .expect("a greeting");
    client.ask("q", "chat.list_sessions", json!({})).await.expect("sessions");
    // Who never says who they are is shown out.
    let mut client = proxy.connect().await;
    for id in ["1", "2"] {
        client.ask(id, "chat.send_message", json!({ "message": "Hi" })).await.expect_err("refused");
    }
    client.send("3", "ping", json!({})).await;
    assert!(matches!(client.hear().await, Heard::Closed(4502, _)));
    assert!(proxy.emulator.ledger().is_empty());
}

#[tokio::test]
async fn a_client_that_is_no_browser_may_send_its_token_in_a_header_and_never_in_an_address() {
    let proxy = Proxy::with(&WITH_TOKENS, Script::new()).await;
    let shake = async |path: &str, headers: &str| {
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
        );
        crate::common::head(proxy.addr, &request).await
    };
    let good = token_of("acme", "ann");
    assert!(shake("/", &format!("authorization: Bearer {good}\r\n")).await.starts_with("HTTP/1.1 101"));
    assert!(shake("/", "").await.starts_with("HTTP/1.1 101"), "it may come in client.hello");
    let refused = shake("/", &format!("authorization: Bearer {good}x\r\n")).await;
    assert!(refused.starts_with("HTTP/1.1 401"), "{refused}");
    assert!(refused.contains("www-authenticate: Bearer realm=\"outcrop\", error=\"invalid_token\""), "{refused}");
    assert!(shake("/", "authorization: Basic YW5uOnNlY3JldA==\r\n").await.starts_with("HTTP/1.1 401"));
    for path in ["/?token=", "/ws?a=b&access_token="] {
        let refused = shake(&format!("{path}{good}"), "").await;
        assert!(refused.starts_with("HTTP/1.1 400") && !refused.contains(&good), "{refused}");
    }
}

#[tokio::test]
async fn tokens_that_are_wrong_in_any_way_open_nothing() {
    let proxy = Proxy::with(&WITH_TOKENS, Script::new()).await;
    let good = claims("acme", "ann");
    let with = |name: &str, value: Value| signed(&but(good.clone(), name, value));
    let hs256 = json!({ "alg": "HS256", "typ": "JWT" });
    let whole = signed(&good);
    let (head_and_claims, signature) = whole.rsplit_once('.').expect("a signature");
    let other = signed(&claims("acme", "eve"));
    let swapped = format!("{head_and_claims}.{}", other.rsplit('.').next().expect("a signature"));
    let huge = signed(&but(good.clone(), "more", json!("x".repeat(4_600))));
    let mut critical = Header::new(Algorithm::HS256);
    critical.crit = Some(vec!["exp".to_owned()]);
    let critical = encode(&critical, &good, &EncodingKey::from_secret(SECRET.as_bytes())).expect("a token");
    let refused = |code: u16| move |token: String| (token, code);
    let cases: Vec<(String, u16)> = [
        forged(&json!({ "alg": "none" }), &good, b""),
        forged(&json!({ "alg": "None" }), &good, b""),
        forged(&json!({ "alg": "NONE", "typ": "JWT" }), &good, b"x"),
        forged(&hs256, &good, b""),
        forged(&hs256, &good, &[0; 32]),
        forged(&json!({ "alg": "HS384" }), &good, &[0; 48]),
        forged(&json!({ "alg": "RS256" }), &good, &[0; 256]),
        forged(&json!({ "alg": "HS256", "enc": "A256GCM" }), &good, &[0; 32]),
        critical,
        swapped,
        huge,
        signed_with(b"", &good),
        signed_with(b"another secret that the proxy does not know", &good),
        format!("{head_and_claims}."),
        format!(".{signature}"),
        format!("{whole}."),
        format!("{whole}.x"),
        "....".to_owned(),
        "ä".repeat(100),
        with("iss", json!("somebody")),
        with("iss", Value::Null),
        with("aud", json!("somebody")),
        with("aud", json!(["somebody"])),
        with("aud", Value::Null),
        with("aud", json!({ "0": "outcrop" })),
        with("exp", Value::Null),
        with("exp", json!("tomorrow")),
        with("exp", json!(-1)),
        with("exp", json!(1e300)),
        with("exp", json!(now() + 100_000)),
        with("sub", Value::Null),
        with("sub", json!("")),
        with("sub", json!(" ")),
        with("sub", json!(["ann"])),
        with("sub", json!("an\nn")),
        with("sub", json!("a".repeat(129))),
        with("org", Value::Null),
        with("org", json!(true)),
        with("roles", json!({ "outcrop-operator": true })),
        with("roles", json!([["outcrop-operator"]])),
        with("jti", json!(["x"])),
    ]
    .map(refused(4500))
    .into_iter()
    .chain(
        [with("exp", json!(now() - 1)), with("nbf", json!(now() + 3_000)), with("iat", json!(now() + 3_000))]
            .map(refused(4003)),
    )
    .collect();
    for (token, code) in cases {
        let (text, closed) = hello(&proxy, Some(&token)).await.expect_err(&token);
        assert_eq!(closed, code, "{token} {text}");
        assert!(text.starts_with("The token") && !text.contains(SECRET), "{text}");
    }
    for none in [None, Some("")] {
        assert_eq!(hello(&proxy, none).await.expect_err("no token").1, 4500);
    }
    hello(&proxy, Some(&whole)).await.expect("the good one");
    // Those are other ways to say the same.
    for token in
        [with("aud", json!(["somebody", "outcrop"])), with("exp", json!(now() as f64 + 60.5)), with("sub", json!(7))]
    {
        hello(&proxy, Some(&token)).await.expect("a good one");
    }
}

#[tokio::test]
async fn a_public_key_is_no_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("key.pem");
    let pem = public_pem(&RSA[0]);
    std::fs::write(&file, &pem).expect("written");
    let file = file.to_str().expect("UTF-8");
    let proxy = Proxy::with(&["--jwt-public-key", file, "--jwt-issuer", "outcrop"], Script::new()).await;
    let good = claims("acme", "ann");
    hello(&proxy, Some(&rsa_signed(&RSA[0], None, &good))).await.expect("signed with its private key");
    let der = RSA[0].to_public_key().to_public_key_der().expect("DER");
    let embedded = {
        let mut header = Header::new(Algorithm::RS256);
        header.jwk = Some(Jwk::from_encoding_key(&signing(&RSA[1]), Algorithm::RS256).expect("a JWK"));
        encode(&header, &good, &signing(&RSA[1])).expect("a token")
    };
    for token in [
        signed_with(pem.as_bytes(), &good),
        signed_with(pem.trim_end().as_bytes(), &good),
        signed_with(der.as_bytes(), &good),
        rsa_signed(&RSA[1], None, &good),
        embedded,
    ] {
        assert_eq!(hello(&proxy, Some(&token)).await.expect_err("a forgery").1, 4500);
    }
}

#[tokio::test]
async fn keys_change_while_people_talk() {
    let [old, new] = &*RSA;
    let keys =
        KeyServer::start(json!([public_jwk(old, "old"), { "kty": "oct", "k": "c2VjcmV0", "alg": "HS256" }, 7])).await;
    let proxy = Proxy::with(&["--jwks-url", &keys.url, "--jwt-issuer", "outcrop"], Script::new()).await;
    let good = claims("acme", "ann");
    let mut talking = client_of(&proxy, &rsa_signed(old, Some("old"), &good)).await;
    assert_eq!(
        hello(&proxy, Some(&rsa_signed(old, None, &good))).await.expect("the only key")["principal"]["user"],
        "ann"
    );
    // A secret among public keys is none.
    assert_eq!(hello(&proxy, Some(&signed_with(b"secret", &good))).await.expect_err("a forgery").1, 4500);
    let before = keys.asked();
    keys.set(json!([public_jwk(old, "old"), public_jwk(new, "new")]));
    hello(&proxy, Some(&rsa_signed(new, Some("new"), &good))).await.expect("the new key is fetched");
    hello(&proxy, Some(&rsa_signed(old, Some("old"), &good))).await.expect("the old key counts still");
    assert_eq!(hello(&proxy, Some(&rsa_signed(new, Some("old"), &good))).await.expect_err("swapped").1, 4500);
    let fetches = keys.asked() - before;
    // Whoever makes up names of keys does not have them fetched again and again.
    for n in 0..20 {
        let name = format!("made-up-{n}");
        assert_eq!(hello(&proxy, Some(&rsa_signed(new, Some(&name), &good))).await.expect_err("unknown").1, 4500);
    }
    assert!(keys.asked() - before - fetches <= 1, "{}", keys.asked());
    assert_eq!(talking.chat("q", "s", "Hello").await.end.kind, "chat.message_complete");
    let fresh = rsa_signed(new, Some("new"), &good);
    let refreshed = talking.ask("r", "auth.refresh", json!({ "token": fresh })).await.expect("refreshed");
    assert!(refreshed["expiresInMs"].is_u64());
}

#[tokio::test]
async fn a_token_is_replaced_while_connected_by_one_of_the_same_person_only() {
    let proxy = Proxy::with(&WITH_TOKENS, Script::new()).await;
    let ann = claims("acme", "ann");
    let soon = signed(&but(ann.clone(), "exp", json!(now() + 2)));
    let mut client = client_of(&proxy, &soon).await;
    for token in [token_of("acme", "eve"), token_of("other", "ann"), "nothing".to_owned()] {
        let (code, _) = client.ask("r", "auth.refresh", json!({ "token": token })).await.expect_err("refused");
        assert_eq!(code, "unauthenticated");
    }
    let refreshed = client.ask("r", "auth.refresh", json!({ "token": signed(&ann) })).await.expect("refreshed");
    assert!(refreshed["expiresInMs"].as_u64().expect("a time") > 3_500_000);
    // It goes on beyond the end of the first one.
    let mut other = client_of(&proxy, &signed(&but(ann, "exp", json!(now() + 3)))).await;
    assert!(matches!(other.hear().await, Heard::Closed(4003, _)));
    client.ask("q", "chat.list_sessions", json!({})).await.expect("sessions");
}
