//! The command as a person runs it.

mod check;
mod command;
mod flood;
mod serve;
mod settings;
