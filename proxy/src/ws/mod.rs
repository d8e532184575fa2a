//! WebSockets: [`connection`] decides, [`socket`] does, [`sockets`] knows them all.

pub mod connection;
pub(crate) mod progress;
pub mod socket;
pub mod sockets;
