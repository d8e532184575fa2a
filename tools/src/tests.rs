//! Servers that follow a script, on virtual time.

mod calls;
mod pinning;
mod scripted;
mod watching;
