//! Nobody uses more than their share: limits of users and organisations, and the line in front of Bedrock, on virtual time.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "../api/common/mod.rs"]
#[allow(dead_code, unused_imports, reason = "shared with the tests of the api, which use all of it")]
mod common;
mod greedy;
mod line;
mod rates;
mod world;
