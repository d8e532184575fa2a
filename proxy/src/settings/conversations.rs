//! Where conversations are kept.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::endpoint;

/// Where conversations are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StoreKind {
    /// In a file on this machine.
    Sqlite,
    /// In a table of DynamoDB that several proxies share.
    Dynamodb,
    /// Nowhere: they end with the process.
    Memory,
}

/// Where conversations, and the ledger, are kept.
#[derive(Debug, Clone, Args)]
pub struct Conversations {
    /// Where conversations are kept.
    #[arg(
        long,
        env = "OUTCROP_STORE",
        value_enum,
        default_value = "sqlite",
        value_name = "STORE",
        help_heading = "Conversations"
    )]
    pub store: StoreKind,
    /// The folder of the SQLite file; made if it is not there. One proxy at a time may use it.
    #[arg(
        long,
        env = "OUTCROP_DATA_DIR",
        default_value = "outcrop-data",
        value_name = "DIR",
        help_heading = "Conversations"
    )]
    pub data_dir: PathBuf,
    /// Which table of DynamoDB.
    #[command(flatten)]
    pub dynamodb: Dynamodb,
}

/// Which table of DynamoDB.
#[derive(Debug, Clone, Args)]
pub struct Dynamodb {
    /// The DynamoDB table; outcrop-proxy create-table makes it.
    #[arg(
        id = "dynamodb-table",
        long = "dynamodb-table",
        env = "OUTCROP_DYNAMODB_TABLE",
        default_value = "outcrop",
        value_name = "NAME",
        help_heading = "Conversations"
    )]
    pub table: String,
    /// Another address of DynamoDB than the region's own, such as an interface endpoint.
    #[arg(
        id = "dynamodb-endpoint-url",
        long = "dynamodb-endpoint-url",
        env = "OUTCROP_DYNAMODB_ENDPOINT_URL",
        value_name = "URL",
        value_parser = endpoint,
        help_heading = "Conversations"
    )]
    pub endpoint_url: Option<String>,
}
