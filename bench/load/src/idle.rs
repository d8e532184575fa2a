//! Sockets that do nothing but answer pings.

use std::net::SocketAddr;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::task::JoinSet;

use crate::error::{LoadError, unexpected};
use crate::socket::Socket;

/// Handshakes at a time.
const CONCURRENT_HANDSHAKES: usize = 64;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Address of a chat server's WebSocket
    #[arg(long, value_name = "ADDRESS")]
    server: SocketAddr,
    /// How many sockets
    #[arg(long, value_name = "N")]
    sockets: usize,
}

/// Prints how many sockets are open, then holds them until standard input ends. A socket that ends before fails the run.
pub(crate) async fn run(args: &Args) -> Result<(), LoadError> {
    let mut holding = JoinSet::new();
    let mut connecting = FuturesUnordered::new();
    for _ in 0..args.sockets {
        if connecting.len() >= CONCURRENT_HANDSHAKES
            && let Some(socket) = connecting.next().await
        {
            holding.spawn(Socket::idle(socket?));
        }
        connecting.push(Socket::connect(args.server));
    }
    while let Some(socket) = connecting.next().await {
        holding.spawn(Socket::idle(socket?));
    }
    println!("{}", serde_json::json!({ "open": holding.len() }));
    let told = tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
    tokio::select! {
        told = told => told.map_err(|error| unexpected(error.to_string()))?.map(|_| ()).map_err(LoadError::from),
        Some(ended) = holding.join_next() => {
            ended.map_err(|error| unexpected(error.to_string()))?.and(Err(LoadError::Closed))
        }
    }
}
