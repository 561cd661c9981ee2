//! Expressions over named terms, as orders and placements are written: read into steps, operands first.
//!
//! | operation | |
//! |---|---|
//! | `a + b`, `a - b`, `a * b`, `a / b`, `-a` | as usual, `*` and `/` before `+` and `-`, of equals the left one first |
//! | `a ** b` | power, before all others, of two the right one first |
//! | `sqrt(a)`, `log2(a)`, `log10(a)`, `min(a, b)`, `max(a, b)` | |
//!
//! What the terms are, and what an operation means for their values, is up to the part that has the expression.

mod parse;

use crate::error::Problem;

/// How many values an expression may have to keep at once.
pub(super) const DEPTH: usize = 32;

/// An operation on one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unary {
    Negate,
    Sqrt,
    Log2,
    Log10,
}

impl Unary {
    /// Functions by their names.
    const NAMED: [(&str, Self); 3] = [("sqrt", Self::Sqrt), ("log2", Self::Log2), ("log10", Self::Log10)];

    /// In 64-bit floating point, by the same code on every machine.
    pub(super) fn of(self, value: f64) -> f64 {
        match self {
            Self::Negate => -value,
            Self::Sqrt => libm::sqrt(value),
            Self::Log2 => libm::log2(value),
            Self::Log10 => libm::log10(value),
        }
    }
}

/// An operation on two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Min,
    Max,
}

impl Binary {
    /// Functions by their names.
    const NAMED: [(&str, Self); 2] = [("min", Self::Min), ("max", Self::Max)];

    /// In 64-bit floating point, by the same code on every machine.
    pub(super) fn of(self, one: f64, other: f64) -> f64 {
        match self {
            Self::Add => one + other,
            Self::Subtract => one - other,
            Self::Multiply => one * other,
            Self::Divide => one / other,
            Self::Power => libm::pow(one, other),
            Self::Min => libm::fmin(one, other),
            Self::Max => libm::fmax(one, other),
        }
    }
}

/// A step of an expression: operands first.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    Number(f64),
    /// A term, by its place among those that there are.
    Term(usize),
    Unary(Unary),
    Binary(Binary),
}

/// An expression that has been read.
#[derive(Debug, Clone)]
pub(super) struct Steps {
    pub(super) steps: Vec<Step>,
    /// By step: the character, counted from 1, at which it is written.
    pub(super) at: Vec<usize>,
}

impl Steps {
    /// Reads an expression over terms of these names.
    ///
    /// # Errors
    /// What is not understood, and at which character.
    pub(super) fn read(text: &str, terms: &[&str]) -> Result<Self, Box<Problem>> {
        parse::steps(text, terms)
    }
}

/// Whether a text is meant as an expression over terms of these names: it is no name, or one can be read of it, as of
/// `gpus-wait`.
pub(super) fn is_meant(text: &str, terms: &[&str]) -> bool {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    !text.trim().chars().all(is_part) || Steps::read(text, terms).is_ok()
}

/// A problem of an expression, which is told by how it begins.
pub(super) fn problem(text: &str, told: &str) -> Problem {
    const TOLD: usize = 60;
    let end = text.char_indices().nth(TOLD);
    let shortened = end.map_or_else(|| text.to_owned(), |(end, _)| format!("{}…", &text[..end]));
    Problem::new(format!("`{shortened}`: {told}"))
}
