//! Stores: the same suite on each of them, and what only one of them has to do.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "tests")]

mod conformance;
mod dynamodb;
mod memory;
mod migrations;
mod money;
mod replacing;
mod sqlite;
mod tools;
