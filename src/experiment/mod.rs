//! Many simulations and what follows from them.

mod comparison;
mod measure;
pub mod statistics;

pub use comparison::{Basis, Column, Comparison, Entry};
pub use measure::{MEASURES, Measure, Unit};
