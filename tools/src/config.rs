//! The operator's file: which servers there are, and who may use what of them.

mod expand;
mod options;
mod parse;

pub(crate) use self::parse::check_literal;

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use url::Url;

pub(crate) use self::options::Access;
pub use self::options::{Approval, Options, ToolOptions};

/// The servers of the operator's file.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// In the order of their names.
    pub servers: Vec<ServerConfig>,
}

/// One server.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Its name in the file: 1 to 64 of `A-Z a-z 0-9 _ . -`.
    pub name: Arc<str>,
    /// What is Outcrop's own about it.
    pub options: Options,
    pub(crate) launch: Launch,
}

/// How a server is reached.
#[derive(Clone)]
pub(crate) enum Launch {
    /// A process of the proxy's own, spoken to over its standard input and output.
    Child { command: String, args: Vec<String>, environment: Vec<(String, String)>, folder: Option<PathBuf> },
    /// A server on the network, spoken to over streamable HTTP.
    Http { url: Url, headers: Vec<(String, String)> },
}

/// Arguments, environment and headers may hold secrets, and so may an address.
impl fmt::Debug for Launch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Child { command, .. } => f.debug_struct("Child").field("command", command).finish_non_exhaustive(),
            Self::Http { url, .. } => f.debug_struct("Http").field("host", &url.host_str()).finish_non_exhaustive(),
        }
    }
}

impl Config {
    /// Reads the usual form, `{"mcpServers": {name: …}}`. `env` is the proxy's environment, for `${NAME}` and what children get.
    ///
    /// # Errors
    /// [`ConfigError`], which names the server and never shows a value.
    pub fn parse(json: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        parse::parse(json, env)
    }
}

/// What is wrong with the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// It is no JSON, or not of the usual form.
    #[error("{0}; the file has the form {{\"mcpServers\": {{\"name\": {{\"command\": \"…\"}}}}}}")]
    Form(String),
    /// Something about one server.
    #[error("MCP server {server:?}: {problem}")]
    Server {
        /// Its name.
        server: String,
        /// What is wrong and what to do.
        problem: String,
    },
}

/// How long a call may take unless the file says otherwise.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest that the file may allow a call.
pub(crate) const MAX_TIMEOUT: Duration = Duration::from_secs(15 * 60);
/// The most servers.
pub(crate) const MAX_SERVERS: usize = 64;
