//! Many simulations and what follows from them.

mod compare;
mod comparison;
mod effects;
mod explain;
mod fit;
mod front;
mod size;
pub mod statistics;
mod sweep;
mod target;

pub use compare::{Contender, Match, compare, is_random};
pub use comparison::{Basis, Column, Comparison, Entry, Group, Reached};
pub use effects::{interactions, main_effects};
pub use explain::{
    Change, Evidence, Explained, Holder, Otherwise, Outlook, Outlooks, Passer, Refusing, Stretch, Surprise,
    explain, first_start, known_at, longer_wait, otherwise, outlooks, waits,
};
pub use fit::{Barrier, First, Fit, ceilings, fit, index_of};
pub use front::pareto;
pub use size::{CHECK, Probe, Question, Sizing, Verdict, size};
pub use sweep::{Axis, Design, Shard, points};
pub use target::{Side, Target};
