//! The proxy as a client and Bedrock see it: the real server on a free port, with the emulator behind it.

mod admin;
mod bad_input;
mod budgets;
mod common;
mod content;
mod faults;
mod follow;
mod frames;
mod guardrails;
mod handshake;
mod history;
mod http;
mod limits;
mod organization_models;
mod probes;
mod raw_frames;
mod revocation;
mod sessions;
mod shutdown;
mod silence;
mod slow_reader;
mod stop;
mod tls;
mod tokens;
mod usage;
