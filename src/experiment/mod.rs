//! Many simulations and what follows from them.

mod compare;
mod comparison;
mod measure;
pub mod statistics;

pub use compare::{Contender, Done, Tracer, Watch, compare, is_random};
pub use comparison::{Basis, Column, Comparison, Entry};
pub use measure::{MEASURES, Measure, Unit};
