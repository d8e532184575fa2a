//! The command as a person runs it.

mod abuse;
mod check;
mod command;
#[path = "../api/common/mod.rs"]
#[allow(dead_code, unused_imports, reason = "shared with the tests of the api, which use all of it")]
mod common;
#[path = "../stores/dynamodb/server.rs"]
mod dynamodb_server;
mod observe;
mod serve;
mod settings;
mod table;
mod usage;
mod watch;
