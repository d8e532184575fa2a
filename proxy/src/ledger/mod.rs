//! Money: what may be spent, what was, and who is told.

pub mod alerts;
pub mod budgets;
pub mod export;
pub mod metrics;
pub mod query;
pub mod report;
pub mod reports;
#[cfg(test)]
pub(crate) mod testing;
pub mod unusual;
pub mod watch;
pub mod webhook;

pub use budgets::{Budget, Budgets};
pub use query::Query;
pub use report::{Report, ReportError};
pub use reports::Reports;
pub use watch::Watch;
