//! Finding credentials and region, and making the SDK clients.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_credential_types::{Credentials, provider::ProvideCredentials};
use aws_sdk_bedrockruntime::Client;
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use super::{Bedrock, CLIENTS};

/// How long a connection that is not in use is kept. Load balancers drop silent ones after that.
pub const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(15);

/// How long connecting may take.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the SDK's credential chain may look for credentials. Its last link asks the network.
pub const CREDENTIALS_TIMEOUT: Duration = Duration::from_secs(10);

/// Where and as whom to call Bedrock.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Another address than the region's own, as with an interface endpoint or the emulator.
    pub endpoint_url: Option<String>,
    /// Credentials and region, if not those of the SDK's default chain.
    pub fixed: Option<(Credentials, String)>,
}

/// Why there is no way to Bedrock.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// The chain found no credentials.
    #[error(
        "no AWS credentials found ({0}): set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_BEARER_TOKEN_BEDROCK; or start with --demo to try without AWS"
    )]
    Credentials(String),
    /// No region is set.
    #[error("no AWS region is set: set AWS_REGION, for example AWS_REGION=us-west-2, or a region in the AWS profile")]
    Region,
    /// The machine has no certificates to check Bedrock's by.
    #[error("this machine has no CA certificates to check Bedrock's by: install the package ca-certificates")]
    Certificates,
}

/// What was found, for people to read.
#[derive(Debug, Clone)]
pub struct Found {
    /// The SDK's configuration.
    pub config: SdkConfig,
    /// The region.
    pub region: String,
    /// Whose credentials: a masked access key id, or an API key.
    pub identity: String,
}

/// Looks for credentials and region with the SDK's default chain.
///
/// # Errors
/// [`ConnectError`], which says what to do.
pub async fn find(options: &Options) -> Result<Found, ConnectError> {
    let http_client = http_client(options)?;
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client)
        // `turn::attempts` decides: it knows what was relayed and tells people that it waits.
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts);
    if let Some(url) = &options.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    if let Some((credentials, region)) = &options.fixed {
        loader = loader.credentials_provider(credentials.clone()).region(Region::new(region.clone()));
    }
    let config = loader.load().await;
    let identity = identity(&config, options).await?;
    let region = config.region().map(ToString::to_string).ok_or(ConnectError::Region)?;
    Ok(Found { config, region, identity })
}

/// The way to Bedrock with what was found.
///
/// # Errors
/// [`ConnectError::Certificates`].
pub fn connect(found: &Found, options: &Options) -> Result<Bedrock, ConnectError> {
    let client = || {
        let config = found.config.to_builder().http_client(http_client(options)?).build();
        Ok(Client::new(&config))
    };
    let clients = (0..CLIENTS).map(|_| client()).collect::<Result<_, _>>()?;
    Ok(Bedrock::new(clients, &found.region))
}

async fn identity(config: &SdkConfig, options: &Options) -> Result<String, ConnectError> {
    if options.fixed.is_none() && std::env::var_os("AWS_BEARER_TOKEN_BEDROCK").is_some_and(|token| !token.is_empty()) {
        return Ok("the Bedrock API key in AWS_BEARER_TOKEN_BEDROCK".to_owned());
    }
    let none = |detail: String| ConnectError::Credentials(detail);
    let provider = config.credentials_provider().ok_or_else(|| none("the chain is empty".to_owned()))?;
    let credentials = tokio::time::timeout(CREDENTIALS_TIMEOUT, provider.provide_credentials())
        .await
        .map_err(|_| none(format!("nothing answered within {} s", CREDENTIALS_TIMEOUT.as_secs())))?
        .map_err(|error| none(error.to_string()))?;
    let key = credentials.access_key_id();
    let tail = key.get(key.len().saturating_sub(4)..).unwrap_or_default();
    Ok(format!("access key …{tail}"))
}

fn http_client(options: &Options) -> Result<SharedHttpClient, ConnectError> {
    let builder = Builder::new().pool_idle_timeout(POOL_IDLE_TIMEOUT);
    let plaintext = options.endpoint_url.as_deref().is_some_and(|url| url.starts_with("http://"));
    if plaintext && options.fixed.is_some() {
        return Ok(builder.build_http());
    }
    // The SDK panics where the system has no root certificates.
    let build = || builder.tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(build)).map_err(|_| ConnectError::Certificates)
}
