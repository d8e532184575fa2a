//! Where answers come from: a chat server's socket, or Bedrock itself.

use std::net::SocketAddr;

use clap::Args;

use crate::bedrock::Bedrock;
use crate::error::LoadError;
use crate::socket::Socket;

/// What to put load on; exactly one of the addresses.
#[derive(Debug, Clone, Args)]
pub(crate) struct Target {
    /// Address of a chat server's WebSocket
    #[arg(long, value_name = "ADDRESS", required_unless_present = "bedrock", conflicts_with = "bedrock")]
    pub(crate) server: Option<SocketAddr>,
    /// Address of the Bedrock API, to be called without a proxy
    #[arg(long, value_name = "ADDRESS", requires = "api_key")]
    pub(crate) bedrock: Option<SocketAddr>,
    /// Bedrock API key for calls without a proxy
    #[arg(long, value_name = "KEY")]
    pub(crate) api_key: Option<String>,
    /// Model for calls without a proxy
    #[arg(long, value_name = "ID", default_value = "anthropic.claude-3-5-sonnet-20241022-v2:0")]
    pub(crate) model: String,
}

/// One connection.
pub(crate) enum Source {
    Socket(Box<Socket>),
    Bedrock(Bedrock),
}

/// A step of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// More text.
    Text(String),
    /// The answer is whole.
    End,
}

impl Source {
    pub(crate) async fn connect(target: &Target) -> Result<Source, LoadError> {
        match (target.server, target.bedrock) {
            (Some(server), _) => Ok(Source::Socket(Box::new(Socket::connect(server).await?))),
            (None, Some(bedrock)) => {
                let key = target.api_key.clone().unwrap_or_default();
                Ok(Source::Bedrock(Bedrock::connect(bedrock, &target.model, &key).await?))
            }
            (None, None) => Err(crate::error::unexpected("no address to connect to")),
        }
    }

    /// Asks for an answer; its steps come from [`Source::next`]. Each has a conversation of its own.
    pub(crate) async fn ask(&mut self, prompt: &str) -> Result<(), LoadError> {
        match self {
            Source::Socket(socket) => socket.ask(prompt).await,
            Source::Bedrock(bedrock) => bedrock.ask(prompt).await,
        }
    }

    pub(crate) async fn next(&mut self) -> Result<Step, LoadError> {
        match self {
            Source::Socket(socket) => socket.next().await,
            Source::Bedrock(bedrock) => bedrock.next().await,
        }
    }
}

/// Tokens in a piece of a load-test stream, each of which begins with its only blank.
pub(crate) fn tokens(text: &str) -> u64 {
    text.bytes().filter(|byte| *byte == b' ').count() as u64
}

/// When the tokens of a piece of a stamped stream were due, in microseconds since the Unix epoch.
pub(crate) fn stamps(text: &str) -> impl Iterator<Item = u64> + '_ {
    text.split(' ').filter_map(|stamp| stamp.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_tokens_are_counted_one_by_one() {
        assert_eq!(tokens(" word word word"), 3);
        assert_eq!(tokens(""), 0);
        assert_eq!(
            stamps(" 1764000000000001 1764000000000002").collect::<Vec<_>>(),
            [1_764_000_000_000_001, 1_764_000_000_000_002]
        );
    }
}
