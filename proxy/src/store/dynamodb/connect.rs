//! The way to DynamoDB.

use std::time::Duration;

use aws_config::{retry::RetryConfig, timeout::TimeoutConfig};
use aws_credential_types::provider::ProvideCredentials;
use aws_sdk_dynamodb::{Client, config::Builder};

use super::OpenError;
use crate::bedrock::connect::{CONNECT_TIMEOUT, CREDENTIALS_TIMEOUT, Options, find};

/// How long DynamoDB may take to answer one request.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(4);

/// How long a request may take with all its repetitions.
pub const OPERATION_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a request is made that fails on its way, or because the table is busy.
pub const MAX_ATTEMPTS: u32 = 5;

/// The longest wait before a request is made again; it doubles with each.
const FIRST_BACKOFF: Duration = Duration::from_millis(50);

/// The longest wait between two requests.
const MAX_BACKOFF: Duration = Duration::from_secs(1);

/// A client of DynamoDB, with credentials and region of the SDK's default chain unless others are given.
///
/// # Errors
/// [`OpenError`], which says what to do.
pub async fn connect(options: &Options) -> Result<Client, OpenError> {
    let found = find(options).await?;
    let none = |detail: &str| OpenError::Credentials(detail.to_owned());
    let provider = found.config.credentials_provider().ok_or_else(|| none("the chain is empty"))?;
    // An API key, which is all that was found perhaps, is enough for Bedrock and nothing to DynamoDB.
    tokio::time::timeout(CREDENTIALS_TIMEOUT, provider.provide_credentials())
        .await
        .map_err(|_| none(&format!("nothing answered within {} s", CREDENTIALS_TIMEOUT.as_secs())))?
        .map_err(|error| none(&error.to_string()))?;
    let retries = RetryConfig::standard()
        .with_max_attempts(MAX_ATTEMPTS)
        .with_initial_backoff(FIRST_BACKOFF)
        .with_max_backoff(MAX_BACKOFF);
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    // Whoever is asked again here has lost nothing: what must not happen twice carries a token.
    let config = Builder::from(&found.config).retry_config(retries).timeout_config(timeouts);
    Ok(Client::from_conf(config.build()))
}
