//! The client against a proxy that is a few lines long, on virtual time. One binary, so that the world below is built once.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails as its test does")]

mod calls;
mod cancel;
mod chosen_id;
mod follow;
mod liveness;
mod proxy;
mod random_cuts;
mod reconnect;
mod regenerate;
mod resume;
mod tools;
mod world;
