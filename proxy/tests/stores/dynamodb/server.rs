//! DynamoDB on loopback.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::LazyLock,
};

/// The program of a server that was built before; without it the server is built here.
const PROGRAM: &str = "OUTCROP_DYNAMODB_SERVER_BIN";

/// The address of a server that runs already, such as DynamoDB Local; without it one is started.
const URL: &str = "OUTCROP_DYNAMODB_TEST_URL";

/// A server that ends with this process: its standard input does.
pub(crate) struct Server {
    pub(crate) url: String,
    _process: Option<Child>,
}

pub(crate) static SERVER: LazyLock<Server> = LazyLock::new(|| {
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
