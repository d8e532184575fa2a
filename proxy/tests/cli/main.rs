//! The command as a person runs it.

mod abuse;
mod check;
mod command;
#[path = "../stores/dynamodb/server.rs"]
mod dynamodb_server;
mod serve;
mod settings;
mod table;
mod tls;
mod usage;
mod watch;
