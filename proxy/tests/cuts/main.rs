//! The real client and the real proxy over real sockets, with a network between them that cuts, resets, stalls and crumbles.
//!
//! `OUTCROP_CUTS` says how many connections are cut (default 1,000), `OUTCROP_SEED` where the dice start.

mod bills;
mod carry;
mod chaos;
#[path = "../api/common/mod.rs"]
#[allow(dead_code, unused_imports, reason = "shared with the tests of the api, which use all of it")]
mod common;
mod every_position;
mod evicted;
mod held;
mod link;
mod lost_reply;
mod page;
mod random_cuts;
mod slow_socket;
mod tabs;
