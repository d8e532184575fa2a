//! Tokens as their issuers make them, good and bad.

use std::sync::{Arc, Mutex};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use outcrop_proxy::sources::Sources;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::{Client, Proxy};

/// What tokens are signed with; it opens nothing else.
pub(crate) const SECRET: &str = "a secret of the tests that opens nothing at all";

/// The flags of a proxy that asks for tokens signed with [`SECRET`].
pub(crate) const WITH_TOKENS: [&str; 2] = ["--jwt-secret", SECRET];

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    (Sources::system().now)().unix_ms() / 1_000
}

/// The claims of a person's token that counts for an hour.
pub(crate) fn claims(organization: &str, user: &str) -> Value {
    json!({
        "iss": "outcrop", "aud": "outcrop", "sub": user, "org": organization,
        "iat": now() - 1, "exp": now() + 3_600, "jti": format!("{organization}-{user}"),
    })
}

/// The claims with one of them changed; `null` takes it away.
pub(crate) fn but(mut claims: Value, name: &str, value: Value) -> Value {
    let object = claims.as_object_mut().expect("an object");
    match value {
        Value::Null => drop(object.remove(name)),
        value => drop(object.insert(name.to_owned(), value)),
    }
    claims
}

/// A token of these claims, signed with [`SECRET`].
pub(crate) fn signed(claims: &Value) -> String {
    signed_with(SECRET.as_bytes(), claims)
}

pub(crate) fn signed_with(secret: &[u8], claims: &Value) -> String {
    encode(&Header::new(Algorithm::HS256), claims, &EncodingKey::from_secret(secret)).expect("a token")
}

/// A person's token that counts for an hour.
pub(crate) fn token_of(organization: &str, user: &str) -> String {
    signed(&claims(organization, user))
}

/// A token with any header at all, and a signature of these bytes.
pub(crate) fn forged(header: &Value, claims: &Value, signature: &[u8]) -> String {
    let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// A client that has said who it is.
pub(crate) async fn client_of(proxy: &Proxy, token: &str) -> Client {
    let mut client = proxy.connect().await;
    let hello = client.ask("hello", "client.hello", json!({ "version": 1, "token": token })).await;
    hello.unwrap_or_else(|error| panic!("{error:?}"));
    client
}

/// An address with a set of keys that can be changed, and how often it was asked.
pub(crate) struct KeyServer {
    pub(crate) url: String,
    keys: Arc<Mutex<(Value, usize)>>,
}

impl KeyServer {
    pub(crate) async fn start(keys: Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/keys", listener.local_addr().expect("an address"));
        let keys = Arc::new(Mutex::new((json!({ "keys": keys }), 0)));
        let served = keys.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    request.push(stream.read_u8().await.expect("a request"));
                }
                let body = {
                    let mut keys = served.lock().expect("keys");
                    keys.1 += 1;
                    keys.0.to_string()
                };
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                stream.write_all(format!("{head}{body}").as_bytes()).await.expect("written");
            }
        });
        Self { url, keys }
    }

    pub(crate) fn set(&self, keys: Value) {
        self.keys.lock().expect("keys").0 = json!({ "keys": keys });
    }

    pub(crate) fn asked(&self) -> usize {
        self.keys.lock().expect("keys").1
    }
}
