//! A client for HTTP requests of the proxy's own: to a webhook, or for the keys of whoever issues tokens.

use std::{io, sync::Arc};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Uri, http::uri::Scheme};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};

/// Why an address cannot be asked. The address itself is not told: it may be a secret.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// The address is none.
    #[error("it is no address that begins with https:// (or http:// for a machine of your own)")]
    Address,
    /// There are no certificates to check that of the address by.
    #[error("this machine has no CA certificates to check its by ({0}); install the package ca-certificates")]
    Certificates(io::Error),
}

/// Asks; it follows no redirects.
pub(crate) type HttpClient = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// The address `url`, and a client for it.
///
/// # Errors
/// [`AddressError`].
pub(crate) fn client_for(url: &str) -> Result<(Uri, HttpClient), AddressError> {
    let address: Uri = url.parse().map_err(|_| AddressError::Address)?;
    let is_secure = address.scheme() == Some(&Scheme::HTTPS);
    if address.host().is_none() || !(is_secure || address.scheme() == Some(&Scheme::HTTP)) {
        return Err(AddressError::Address);
    }
    let client = client(is_secure).map_err(AddressError::Certificates)?;
    Ok((address, client))
}

fn client(is_secure: bool) -> io::Result<HttpClient> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    let config = match is_secure {
        true => config.with_native_roots()?,
        false => config.with_root_certificates(RootCertStore::empty()),
    };
    let config = config.with_no_client_auth();
    let connector = HttpsConnectorBuilder::new().with_tls_config(config).https_or_http().enable_http1().build();
    Ok(Client::builder(TokioExecutor::new()).build(connector))
}
