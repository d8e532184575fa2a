//! Money: what may be spent, what was, and who is told.

pub mod budgets;
pub mod report;
#[cfg(test)]
mod testing;

pub use budgets::{Budget, Budgets};
pub use report::{Report, ReportError};
