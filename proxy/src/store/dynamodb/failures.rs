//! What DynamoDB does not do, and what an operator does about it.

use std::{error::Error, iter::successors};

use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
};

use crate::bedrock::connect::ConnectError;

/// What the proxy's credentials must be allowed on the table and its index.
pub const ACTIONS: [&str; 8] = [
    "dynamodb:GetItem",
    "dynamodb:BatchGetItem",
    "dynamodb:Query",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:ConditionCheckItem",
];

/// What the credentials of whoever makes the table must be allowed on it.
pub const CREATE_ACTIONS: [&str; 5] = [
    "dynamodb:CreateTable",
    "dynamodb:DescribeTable",
    "dynamodb:DescribeTimeToLive",
    "dynamodb:UpdateTimeToLive",
    "dynamodb:UpdateContinuousBackups",
];

/// Why the table cannot be used. Each says in one line what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The SDK's chain found no credentials.
    #[error(
        "no AWS credentials for DynamoDB found ({0}): set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; a table needs them in demo mode too"
    )]
    Credentials(String),
    /// No region is set, or the machine has no certificates.
    #[error(transparent)]
    Connect(ConnectError),
    /// The table has other keys.
    #[error(
        "the DynamoDB table {0} has other keys than conversations need: choose another name with --dynamodb-table (OUTCROP_DYNAMODB_TABLE)"
    )]
    OtherKeys(String),
    /// DynamoDB refused, or cannot be reached.
    #[error("{0}")]
    Refused(String),
}

impl From<ConnectError> for OpenError {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Credentials(detail) => Self::Credentials(detail),
            error => Self::Connect(error),
        }
    }
}

/// What an operator reads about a request for `table` that failed and needs `actions`.
pub(super) fn explain<E>(client: &Client, table: &str, actions: &[&str], error: &SdkError<E>) -> String
where
    E: Error + ProvideErrorMetadata + 'static,
{
    let message = error.message().unwrap_or("no more than that");
    match error.code() {
        Some("ResourceNotFoundException") => {
            let region = client.config().region().map_or("this region", |region| region.as_ref());
            format!(
                "there is no DynamoDB table {table} in {region}: make it with outcrop-proxy create-table, or name another with --dynamodb-table (OUTCROP_DYNAMODB_TABLE)"
            )
        }
        Some("AccessDeniedException") => {
            let actions = actions.join(", ");
            format!("AWS does not allow the use of the DynamoDB table {table} ({message}): allow {actions} on it")
        }
        Some(
            code @ ("UnrecognizedClientException"
            | "InvalidSignatureException"
            | "ExpiredTokenException"
            | "MissingAuthenticationTokenException"
            | "IncompleteSignatureException"),
        ) => format!("AWS does not accept the proxy's credentials for DynamoDB ({code}): renew them"),
        Some(code) => format!("DynamoDB says {code}: {message}"),
        None => format!(
            "DynamoDB cannot be reached ({}): check AWS_REGION, --dynamodb-endpoint-url (OUTCROP_DYNAMODB_ENDPOINT_URL) and the network",
            causes(error)
        ),
    }
}

/// An error and what it came from, in one line.
fn causes(error: &(dyn Error + 'static)) -> String {
    let chain = successors(Some(error), |&error| error.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ").replace('\n', " ")
}
