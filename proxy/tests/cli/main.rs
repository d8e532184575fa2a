//! The command as a person runs it.

mod abuse;
mod check;
mod command;
mod serve;
mod settings;
mod usage;
mod watch;
