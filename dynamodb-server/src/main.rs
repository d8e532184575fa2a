//! DynamoDB on loopback. Prints its address, and serves until its standard input ends: it goes with whoever started it.

use std::{error::Error, io::Write};

use dynoxide::{Database, server::serve_with_shutdown};
use tokio::{
    io::{AsyncReadExt, stdin},
    net::TcpListener,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    std::io::stdout().flush()?;
    let serving = serve_with_shutdown(listener, Database::memory()?, std::future::pending());
    tokio::select! {
        served = serving => Ok(served?),
        () = end_of_input() => Ok(()),
    }
}

async fn end_of_input() {
    let mut bytes = [0; 64];
    while stdin().read(&mut bytes).await.is_ok_and(|read| read > 0) {}
}
