//! Many simulations and what follows from them.

mod compare;
mod comparison;
mod size;
pub mod statistics;
mod target;

pub use compare::{Contender, compare, is_random};
pub use comparison::{Basis, Column, Comparison, Entry};
pub use size::{CHECK, Probe, Question, Sizing, Verdict, size};
pub use target::{Side, Target};
