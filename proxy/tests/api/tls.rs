//! TLS that the proxy does itself.

use std::{fs, net::SocketAddr, sync::Arc, time::Duration};

use bedrock_emulator::{Behaviour, Script};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::Instant,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore, SupportedProtocolVersion,
        crypto::ring,
        pki_types::{CertificateDer, ServerName},
        version::{TLS12, TLS13},
    },
};

use crate::common::{Client, Proxy, RawSocket, within};

/// A proxy with a certificate for localhost that only these tests trust.
struct Secure {
    proxy: Proxy,
    certificate: CertificateDer<'static>,
    _files: TempDir,
}

impl Secure {
    async fn start(more: &[&str], script: Script) -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let files = tempfile::tempdir().expect("a folder");
        let [certificate, key] = ["cert.pem", "key.pem"].map(|name| files.path().join(name));
        fs::write(&certificate, cert.pem()).expect("written");
        fs::write(&key, signing_key.serialize_pem()).expect("written");
        let path = |path: &std::path::Path| path.to_str().expect("a path").to_owned();
        let (certificate, key) = (path(&certificate), path(&key));
        let flags = [&["--tls-cert", &certificate, "--tls-key", &key][..], more].concat();
        Self { proxy: Proxy::with(&flags, script).await, certificate: cert.der().clone(), _files: files }
    }

    fn addr(&self) -> SocketAddr {
        self.proxy.addr
    }

    async fn connect(
        &self,
        version: &'static SupportedProtocolVersion,
        alpn: &[&str],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).expect("a certificate");
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[version])
            .expect("a version")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        let stream = TcpStream::connect(self.addr()).await.expect("a connection");
        let name = ServerName::try_from("localhost").expect("a name");
        within("handshake", TlsConnector::from(Arc::new(config)).connect(name, stream)).await
    }
}

#[tokio::test]
async fn the_page_and_sockets_are_served_over_tls() {
    let secure = Secure::start(&[], Script::new()).await;
    for (session, version) in [("tls13", &TLS13), ("tls12", &TLS12)] {
        let mut stream = secure.connect(version, &["h2", "http/1.1"]).await.expect("TLS");
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
        stream
            .write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            .await
            .expect("written");
        let mut response = String::new();
        within("a response", stream.read_to_string(&mut response)).await.expect("a proper end of TLS");
        assert!(response.starts_with("HTTP/1.1 200 ") && response.ends_with("ok\n"), "{response}");
        assert!(response.contains("strict-transport-security: max-age=31536000\r\n"), "{response}");

        let stream = secure.connect(version, &[]).await.expect("TLS");
        let mut client = Client::upgraded(stream, &format!("wss://localhost:{}/ws", secure.addr().port())).await;
        let answer = client.chat("r", session, "Explain rivers").await;
        assert_eq!(answer.end.kind, "chat.message_complete");
    }
    assert!(secure.connect(&TLS13, &["h2"]).await.is_err(), "HTTP/2 is not spoken");
    let plain = Proxy::start().await;
    let response =
        crate::common::http(plain.addr, "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
    assert!(response.starts_with("HTTP/1.1 200 ") && !response.contains("strict-transport"), "{response}");
}

#[tokio::test]
async fn a_long_answer_comes_whole_over_tls_and_what_comes_with_the_handshake_is_not_lost() {
    let text = " twenty bytes a delta";
    let secure = Secure::start(&[], Script::always(Behaviour::bench(20_000, text, 0))).await;
    let stream = secure.connect(&TLS13, &[]).await.expect("TLS");
    let mut client = Client::upgraded(stream, "wss://localhost/ws").await;
    assert_eq!(client.chat("r", "s", "go").await.text, text.repeat(20_000));

    let ping = crate::common::Opcode::TEXT.frame(br#"{"id":"early","type":"ping"}"#);
    let stream = secure.connect(&TLS13, &[]).await.expect("TLS");
    let mut early = RawSocket::shake_hands(stream, secure.addr(), &ping).await;
    let (_, pong) = early.read().await.expect("a pong");
    assert!(String::from_utf8(pong).expect("text").contains("early"));
}

#[tokio::test]
async fn what_is_no_tls_and_what_says_nothing_is_closed_in_time() {
    let limit = Duration::from_millis(300);
    let secure = Secure::start(&["--header-timeout", "300ms"], Script::new()).await;
    for (sent, least) in
        [(&b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"[..], Duration::ZERO), (b"", limit), (b"\x16\x03\x01", limit)]
    {
        let mut stream = TcpStream::connect(secure.addr()).await.expect("a connection");
        let began = Instant::now();
        stream.write_all(sent).await.expect("written");
        let mut response = Vec::new();
        let _ = within("the end", stream.read_to_end(&mut response)).await;
        assert!(!response.starts_with(b"HTTP"), "{response:?}");
        let took = began.elapsed() + Duration::from_millis(50);
        assert!((least..limit + Duration::from_secs(3)).contains(&took), "{sent:?}: {took:?}");
    }
    // Its time is up for the head too.
    let mut silent = secure.connect(&TLS13, &[]).await.expect("TLS");
    let mut response = Vec::new();
    let _ = within("the end", silent.read_to_end(&mut response)).await;
    assert!(response.is_empty() || response.starts_with(b"HTTP/1.1 408"), "{response:?}");
}
