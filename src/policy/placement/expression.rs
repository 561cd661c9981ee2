//! Weights of a placement, as one expression over the terms of its cost: `2 * leftover + energy`.
//!
//! What it comes to has to be a sum of terms with whole weights, so that it is the one cost function, on the CPU and on a GPU alike:
//! numbers multiply terms, and sums of them. A term that counts against the cost is its opposite counted for it, where it
//! has one: `-leftover` puts domains in the order of `spread`.
//!
//! ```
//! use gigawatt::policy::placement::expression::weights;
//! let read = |text| weights(text).map(|weights| weights.to_string());
//! assert_eq!(read("2 * (leftover + 3 * rack_leftover) + energy").unwrap(), "leftover=2,rack_leftover=6,energy=1");
//! assert_eq!(read("energy - leftover").unwrap(), "spread=1,energy=1", "empty nodes are cheap");
//! let wrong = read("leftover * energy").unwrap_err();
//! assert_eq!(wrong.message(), "`leftover * energy`: only a number multiplies terms, at character 10");
//! ```

use super::super::expression::{self, Binary, Step, Steps, Unary, problem};
use crate::cost::{TERMS, Weights};
use crate::error::Problem;

/// Terms each of which is what another leaves of the whole: one counted against is the other counted for.
const OPPOSITES: [(&str, &str); 2] = [("leftover", "spread"), ("rack_leftover", "rack_spread")];

/// A sum of terms, each so many times, and a number.
#[derive(Debug, Clone, PartialEq)]
struct Sum {
    /// By term, in the order of [`TERMS`].
    times: Vec<f64>,
    number: f64,
}

impl Sum {
    fn number(number: f64) -> Self {
        Self { times: vec![0.0; TERMS.len()], number }
    }
    fn term(index: usize) -> Self {
        let mut sum = Self::number(0.0);
        sum.times[index] = 1.0;
        sum
    }
    /// The number that it is, if no term counts.
    fn as_number(&self) -> Option<f64> {
        self.times.iter().all(|times| *times == 0.0).then_some(self.number)
    }
    fn scaled(mut self, by: f64) -> Self {
        self.times.iter_mut().for_each(|times| *times *= by);
        self.number *= by;
        self
    }
    fn plus(mut self, other: &Self) -> Self {
        self.times.iter_mut().zip(&other.times).for_each(|(times, more)| *times += more);
        self.number += other.number;
        self
    }
}

/// Whether a text is meant as an expression: it is no name, or one can be read of it.
#[must_use]
pub fn is_meant(text: &str) -> bool {
    expression::is_meant(text, &names())
}

fn names() -> Vec<&'static str> {
    TERMS.iter().map(|term| term.name).collect()
}

/// The weights that an expression comes to.
///
/// # Errors
/// What is not understood or is no sum of weighted terms, and at which character; weights that are not whole, negative ones of
/// terms without an opposite, and those that are too large together.
pub fn weights(text: &str) -> Result<Weights, Box<Problem>> {
    let read = Steps::read(text, &names())?;
    let mut stack: Vec<Sum> = Vec::new();
    for (step, character) in read.steps.iter().zip(&read.at) {
        let wrong = |told: &str| Box::new(problem(text, &format!("{told}, at character {character}")));
        let made = match *step {
            Step::Number(number) => Ok(Sum::number(number)),
            Step::Term(index) => Ok(Sum::term(index)),
            Step::Unary(of) => unary(of, operand(&mut stack)),
            Step::Binary(of) => {
                let second = operand(&mut stack);
                binary(of, operand(&mut stack), second)
            }
        };
        stack.push(made.map_err(wrong)?);
    }
    whole(text, operand(&mut stack))
}

fn operand(stack: &mut Vec<Sum>) -> Sum {
    stack.pop().expect("operands are read before what is done with them")
}

fn unary(of: Unary, operand: Sum) -> Result<Sum, &'static str> {
    match (of, operand.as_number()) {
        (_, Some(number)) => Ok(Sum::number(of.of(number))),
        (Unary::Negate, None) => Ok(operand.scaled(-1.0)),
        _ => Err("a term is weighed, and stands in no function"),
    }
}

fn binary(of: Binary, first: Sum, second: Sum) -> Result<Sum, &'static str> {
    match (of, first.as_number(), second.as_number()) {
        (Binary::Divide, _, Some(0.0)) => Err("division by 0"),
        (_, Some(one), Some(other)) => Ok(Sum::number(of.of(one, other))),
        (Binary::Add, ..) => Ok(first.plus(&second)),
        (Binary::Subtract, ..) => Ok(first.plus(&second.scaled(-1.0))),
        (Binary::Multiply, Some(number), None) => Ok(second.scaled(number)),
        (Binary::Multiply, None, Some(number)) => Ok(first.scaled(number)),
        (Binary::Multiply, None, None) => Err("only a number multiplies terms"),
        (Binary::Divide, None, Some(number)) => Ok(first.scaled(1.0 / number)),
        (Binary::Divide, ..) => Err("only a number divides, and it divides terms"),
        (Binary::Power | Binary::Min | Binary::Max, ..) => {
            Err("a term is weighed, and stands in no function")
        }
    }
}

/// The weights of a sum.
fn whole(text: &str, sum: Sum) -> Result<Weights, Box<Problem>> {
    if sum.number != 0.0 {
        let told = format!("`{}` is added to the cost of every place, and changes nothing", sum.number);
        return Err(Box::new(problem(text, &told).hint("leave it out")));
    }
    let mut weights = Weights::ZERO;
    for (term, times) in TERMS.iter().zip(sum.times) {
        let opposite = OPPOSITES.into_iter().flat_map(|(one, other)| [(one, other), (other, one)]);
        let opposite = opposite.into_iter().find(|(name, _)| *name == term.name && times < 0.0);
        if times < 0.0 && opposite.is_none() {
            let told = format!("`{}` counts against the cost, and nothing is its opposite", term.name);
            return Err(Box::new(
                problem(text, &told)
                    .hint("`leftover` and `spread` are opposites, `rack_leftover` and `rack_spread`"),
            ));
        }
        let most = f64::from(Weights::SUM_MAX);
        let weight = times.abs();
        if weight.fract() != 0.0 || !(0.0..=most).contains(&weight) {
            let told = format!("`{}` has weight {weight}", term.name);
            let hint = format!("weights are whole numbers up to {most}: multiply all of them, or divide");
            return Err(Box::new(problem(text, &told).hint(hint)));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole, and in range as was asked"
        )]
        let weight = weight as u32;
        let counted =
            opposite.and_then(|(_, other)| TERMS.iter().find(|term| term.name == other)).unwrap_or(term);
        weights = counted.with(weights, counted.weight(weights) + weight);
    }
    match weights.sum() {
        0 => Err(Box::new(problem(text, "no term counts").hint("placement `first-fit` minds nothing"))),
        sum if sum > Weights::SUM_MAX => {
            let told = format!("the weights come to {sum}; all together they may be {}", Weights::SUM_MAX);
            Err(Box::new(problem(text, &told)))
        }
        _ => Ok(weights),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_adds_up_to_weighted_terms_is_weights() {
        for (text, expected) in [
            ("leftover", "leftover=1"),
            ("2*leftover + energy", "leftover=2,energy=1"),
            ("(leftover + energy / 2) * 4", "leftover=4,energy=2"),
            ("-leftover", "spread=1"),
            ("energy - 3 * rack_spread", "rack_leftover=3,energy=1"),
            ("leftover - spread", "leftover=2"),
            ("sqrt(9) * span + max(1, 2) ** 2 * carbon", "span=3,carbon=4"),
            ("leftover + 3 - 3", "leftover=1"),
        ] {
            let read = weights(text).unwrap_or_else(|problem| panic!("{}", problem.message()));
            assert_eq!(read.to_string(), expected, "{text}");
            assert_eq!(expected.parse(), Ok(read), "{text}");
        }
    }

    #[test]
    fn what_does_not_is_told_with_its_place() {
        for (text, expected) in [
            ("leftover * energy", "only a number multiplies terms, at character 10"),
            ("1 / leftover", "only a number divides, and it divides terms, at character 3"),
            ("max(leftover, energy)", "a term is weighed, and stands in no function, at character 1"),
            ("energy + sqrt(leftover)", "a term is weighed, and stands in no function, at character 10"),
            ("leftover + 3", "`3` is added to the cost of every place, and changes nothing"),
            ("0.5 * leftover", "`leftover` has weight 0.5"),
            ("leftover / (1 - 1)", "division by 0, at character 10"),
            ("-span", "`span` counts against the cost, and nothing is its opposite"),
            ("leftover - leftover", "no term counts"),
            ("65535 * leftover + span", "the weights come to 65536; all together they may be 65535"),
            ("70000 * leftover", "`leftover` has weight 70000"),
            ("leftover + gpus", "unknown term `gpus` at character 12"),
            ("leftover +", "expected a number, a term or `(` at the end"),
        ] {
            let problem = weights(text).expect_err(text);
            assert_eq!(problem.message(), format!("`{text}`: {expected}"));
        }
    }
}
