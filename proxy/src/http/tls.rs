//! TLS, where the proxy does it itself.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::ws::progress::Counted;

/// How many bytes wait in TLS to be written, before and after they are encrypted.
const MAX_BUFFER_BYTES: usize = 32 * 1024;

/// Why a certificate or its key cannot be used. Nothing of what is in the files is told.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{0} cannot be read ({1}): check the path and who may read it")]
    Read(PathBuf, io::Error),
    /// A file has nothing of what it should.
    #[error("{0} has no {1} in PEM: it begins with -----BEGIN {2}-----")]
    Missing(PathBuf, &'static str, &'static str),
    /// They do not go together, or are of a kind that is not known.
    #[error("the certificate in {0} and the key in {1} cannot be used together ({2})")]
    Unusable(PathBuf, PathBuf, rustls::Error),
}

/// A certificate, its key, and where they were read from.
#[derive(Debug)]
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    config: RwLock<Arc<ServerConfig>>,
}

impl Tls {
    /// Reads the certificate, with those that lead from it to its root, and its key.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn new(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let config = RwLock::new(read(certificate, key)?);
        Ok(Self { certificate: certificate.to_owned(), key: key.to_owned(), config })
    }

    /// Reads both anew for the connections to come.
    ///
    /// # Errors
    /// [`TlsError`]; what was there stays.
    pub fn reload(&self) -> Result<(), TlsError> {
        let config = read(&self.certificate, &self.key)?;
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    /// Shakes hands.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<Counted<TcpStream>>> {
        let config = self.config.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut stream = TlsAcceptor::from(config).accept(Counted::new(stream)).await?;
        stream.get_mut().1.set_buffer_limit(Some(MAX_BUFFER_BYTES));
        Ok(stream)
    }
}

fn read(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let no_certificate = || TlsError::Missing(certificate.to_owned(), "certificate", "CERTIFICATE");
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unread(error, certificate, no_certificate))?;
    if chain.is_empty() {
        return Err(no_certificate());
    }
    let no_key = || TlsError::Missing(key.to_owned(), "private key", "PRIVATE KEY");
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| unread(error, key, no_key))?;
    let unusable = |error| TlsError::Unusable(certificate.to_owned(), key.to_owned(), error);
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(unusable)?;
    // WebSocket over HTTP/2 is another protocol (RFC 8441).
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn unread(error: pem::Error, path: &Path, missing: impl FnOnce() -> TlsError) -> TlsError {
    match error {
        pem::Error::Io(error) => TlsError::Read(path.to_owned(), error),
        _ => missing(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rcgen::{CertifiedKey, generate_simple_self_signed};

    use super::*;

    #[test]
    fn files_that_cannot_be_used_are_named_with_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let made = || generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (CertifiedKey { cert, signing_key }, other) = (made(), made());
        for (name, text) in [
            ("cert.pem", cert.pem()),
            ("key.pem", signing_key.serialize_pem()),
            ("other.pem", other.signing_key.serialize_pem()),
            ("empty.pem", String::new()),
            ("broken.pem", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n".to_owned()),
        ] {
            fs::write(path(name), text).unwrap();
        }
        assert!(Tls::new(&path("cert.pem"), &path("key.pem")).is_ok());
        for (certificate, key, says) in [
            ("none.pem", "key.pem", "none.pem cannot be read"),
            ("cert.pem", "none.pem", "none.pem cannot be read"),
            ("empty.pem", "key.pem", "BEGIN CERTIFICATE"),
            ("key.pem", "key.pem", "BEGIN CERTIFICATE"),
            ("broken.pem", "key.pem", "BEGIN CERTIFICATE"),
            ("cert.pem", "cert.pem", "BEGIN PRIVATE KEY"),
            ("cert.pem", "other.pem", "cannot be used together"),
        ] {
            let error = Tls::new(&path(certificate), &path(key)).unwrap_err().to_string();
            assert!(error.contains(says), "{certificate} {key}: {error}");
        }
        let tls = Tls::new(&path("cert.pem"), &path("key.pem")).unwrap();
        fs::write(path("key.pem"), "").unwrap();
        assert!(tls.reload().is_err());
    }
}
