//! The emulator over real sockets, by a client that looks at every frame.

mod answers;
mod cli;
mod common;
mod faults;
mod files;
mod guardrails;
mod moments;
mod reasoning;
mod service;
mod tools;
