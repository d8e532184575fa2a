//! A certificate that is replaced while the proxy runs.

use std::{fs, net::SocketAddr, path::Path, sync::Arc};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustix::process::Signal;
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, ServerName},
    },
};
use tokio_tungstenite::client_async;

use crate::{
    command::Run,
    serve::{DEMO, chat},
};

/// Writes a new certificate for localhost, and its key.
fn renew(folder: &Path) -> CertificateDer<'static> {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    fs::write(folder.join("cert.pem"), cert.pem()).expect("written");
    fs::write(folder.join("key.pem"), signing_key.serialize_pem()).expect("written");
    cert.der().clone()
}

/// A connection to a proxy that shows this certificate.
async fn connect(addr: SocketAddr, certificate: &CertificateDer<'static>) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).expect("a certificate");
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(addr).await.expect("a connection");
    let name = ServerName::try_from("localhost").expect("a name");
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.expect("the certificate that is trusted")
}

#[tokio::test]
async fn a_new_certificate_is_served_after_sighup_and_open_sockets_stay() {
    let run = Run::bare();
    let first = renew(run.folder());
    let mut running = run.spawn(&[&DEMO[..], &["--tls-cert", "cert.pem", "--tls-key", "key.pem"]].concat());
    let addr = running.addr().await;
    let (mut ws, _) = client_async("wss://localhost/ws", connect(addr, &first).await).await.expect("a handshake");

    fs::write(run.folder().join("key.pem"), "no key").expect("written");
    running.signal(Signal::HUP);
    running.logs("is still the one from before").await;
    connect(addr, &first).await;

    let second = renew(run.folder());
    running.signal(Signal::HUP);
    running.logs("were read anew").await;
    connect(addr, &second).await;
    assert_eq!(chat(&mut ws, "hello").await["type"], "chat.message_complete");
    drop(ws);
    running.signal(Signal::TERM);
    let ran = running.end().await;
    assert!(ran.stdout.contains("listening on https://127.0.0.1:"), "{ran:?}");
    assert!(!ran.stderr.contains("no key"), "{ran:?}");
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_an_error_in_one_line() {
    let run = Run::bare();
    let tls = ["--tls-cert", "cert.pem", "--tls-key", "key.pem"];
    run.run(&[&DEMO[..], &tls].concat()).await.assert_one_line(&["cert.pem cannot be read", "check the path"]);
    renew(run.folder());
    fs::write(run.folder().join("key.pem"), "").expect("written");
    run.run(&[&DEMO[..], &tls].concat()).await.assert_one_line(&["key.pem has no private key in PEM"]);
}
