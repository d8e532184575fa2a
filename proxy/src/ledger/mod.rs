//! Money: what may be spent, what was, and who is told.

pub mod budgets;

pub use budgets::{Budget, Budgets};
