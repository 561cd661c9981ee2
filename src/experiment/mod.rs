//! Many simulations and what follows from them.

mod compare;
mod comparison;
mod front;
mod size;
pub mod statistics;
mod sweep;
mod target;

pub use compare::{Contender, compare, is_random};
pub use comparison::{Basis, Column, Comparison, Entry};
pub use front::pareto;
pub use size::{CHECK, Probe, Question, Sizing, Verdict, size};
pub use sweep::{Axis, Design, Shard, points};
pub use target::{Side, Target};
