//! Names become addresses once: what was checked is what is connected to, so that a second answer of the DNS changes nothing.

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use hyper_util::client::legacy::connect::dns::Name;
use tower_service::Service;

use crate::addresses::{Forbidden, forbidden};

/// What a [`Resolver`] gives.
pub type Resolving = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Finds the addresses of a host.
pub trait Resolver: Send + Sync + 'static {
    /// All addresses of `host`.
    fn resolve(&self, host: &str) -> Resolving;
}

/// The machine's own resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve(&self, host: &str) -> Resolving {
        let host = host.to_owned();
        Box::pin(async move { Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect()) })
    }
}

/// A resolver whose answers are checked.
#[derive(Clone)]
pub(super) struct Checked {
    pub(super) resolver: Arc<dyn Resolver>,
    pub(super) allow_private: bool,
}

impl fmt::Debug for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checked").field("allow_private", &self.allow_private).finish_non_exhaustive()
    }
}

/// Why a name has no address to connect to.
#[derive(Debug, thiserror::Error)]
enum ResolveError {
    #[error("its host has no address: {0}; check \"url\" and the DNS")]
    Lookup(io::Error),
    #[error("its host has no address; check \"url\" and the DNS")]
    None,
    #[error("its host has the address {0}, which gives out credentials of the machine; it is never connected to")]
    Metadata(IpAddr),
    #[error(
        "its host has the address {0}, which is not public ({1}); set \"allowPrivate\" in \"outcrop\" if it is meant"
    )]
    Special(IpAddr, &'static str),
}

impl Checked {
    async fn addresses(self, host: Name) -> Result<std::vec::IntoIter<SocketAddr>, ResolveError> {
        let addresses = self.resolver.resolve(host.as_str()).await.map_err(ResolveError::Lookup)?;
        // One that is forbidden is enough: who answers so means no good.
        for address in &addresses {
            match forbidden(*address, self.allow_private) {
                None => {}
                Some(Forbidden::Metadata) => return Err(ResolveError::Metadata(*address)),
                Some(Forbidden::Special(what)) => return Err(ResolveError::Special(*address, what)),
            }
        }
        if addresses.is_empty() {
            return Err(ResolveError::None);
        }
        // The connector puts the port in.
        let addresses: Vec<_> = addresses.into_iter().map(|address| SocketAddr::new(address, 0)).collect();
        Ok(addresses.into_iter())
    }
}

impl Service<Name> for Checked {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, host: Name) -> Self::Future {
        let checked = self.clone();
        Box::pin(async move { Ok(checked.addresses(host).await?) })
    }
}
