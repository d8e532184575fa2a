//! The command as a person runs it.

mod abuse;
mod auth;
mod check;
#[allow(dead_code, reason = "shared with other tests, which use all of it")]
mod command;
#[path = "../stores/dynamodb/server.rs"]
mod dynamodb_server;
mod serve;
mod settings;
mod table;
mod tls;
mod usage;
mod watch;
