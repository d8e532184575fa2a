//! The store in DynamoDB, against a server of its own.

mod faulty;
mod special;

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU32, Ordering},
    },
};

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::Client;
use outcrop_proxy::{
    bedrock::connect::Options,
    store::{
        DynamoStore, Store,
        dynamodb::{connect, create_table},
    },
};

use crate::{conformance::conformance, money::money};

/// The program of a server that was built before; without it the server is built here.
const PROGRAM: &str = "OUTCROP_DYNAMODB_SERVER_BIN";

/// The address of a server that runs already, such as DynamoDB Local; without it one is started.
const URL: &str = "OUTCROP_DYNAMODB_TEST_URL";

/// A server that ends with this process: its standard input does.
struct Server {
    url: String,
    _process: Option<Child>,
}

static SERVER: LazyLock<Server> = LazyLock::new(|| {
    if let Ok(url) = std::env::var(URL) {
        return Server { url, _process: None };
    }
    let program = std::env::var_os(PROGRAM).map_or_else(build, PathBuf::from);
    let mut process =
        Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a DynamoDB server");
    let mut url = String::new();
    let stdout = process.stdout.take().expect("its output");
    BufReader::new(stdout).read_line(&mut url).expect("its address");
    Server { url: url.trim().to_owned(), _process: Some(process) }
});

/// Builds the server, beside what is built of the proxy.
fn build() -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dynamodb-server/Cargo.toml");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../dynamodb-server");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--locked", "--manifest-path"]).arg(source).arg("--target-dir").arg(&target);
    assert!(build.status().expect("cargo").success(), "the DynamoDB server is not built");
    target.join("debug/dynamodb-server")
}

async fn client(url: &str) -> Client {
    let credentials = Credentials::new("an-id", "a-secret", None, None, "tests");
    let options = Options { endpoint_url: Some(url.to_owned()), fixed: Some((credentials, "us-east-1".to_owned())) };
    connect(&options).await.expect("a client")
}

/// A new table.
async fn table() -> String {
    static TABLES: AtomicU32 = AtomicU32::new(0);
    let name = format!("table-{}-{}", std::process::id(), TABLES.fetch_add(1, Ordering::Relaxed));
    assert!(create_table(&client(&SERVER.url).await, &name).await.expect("a table"));
    name
}

/// A proxy's store in a table.
async fn store_in(table: &str) -> Arc<dyn Store> {
    store_at(&SERVER.url, table).await
}

/// The same, by way of another address.
async fn store_at(url: &str, table: &str) -> Arc<dyn Store> {
    Arc::new(DynamoStore::new(client(url).await, table, None))
}

async fn open() -> (Arc<dyn Store>, ()) {
    (store_in(&table().await).await, ())
}

conformance!(open());
money!(open());
