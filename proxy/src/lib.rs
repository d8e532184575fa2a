//! The proxy between Outcrop clients and AWS Bedrock.
//!
//! A socket ([`ws`]) takes requests and hands them to the [`service`], which begins a [`turn`]; the turn reads Bedrock's events
//! ([`bedrock`]) into its log and stores the answer ([`store`]); every socket that follows the turn sends what lies behind its
//! cursor. [`app`] puts it together.

pub mod analytics;
pub mod app;
pub mod auth;
pub mod bedrock;
pub mod check;
pub mod content;
pub mod conversation;
mod counts;
pub mod http;
mod https;
pub mod ledger;
pub mod models;
pub mod observe;
pub mod principal;
pub mod service;
pub mod settings;
pub mod sources;
pub mod store;
#[cfg(test)]
mod testing;
pub mod tools;
pub mod turn;
pub mod usage;
pub mod ws;
