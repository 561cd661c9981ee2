//! History to numbers: one definition each, with its formula.

pub mod profile;
