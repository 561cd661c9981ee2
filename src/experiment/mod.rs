//! Many simulations and what follows from them.

pub mod statistics;
