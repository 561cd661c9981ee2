//! An order of one's own, as one expression over what a job asks for and how long it has waited: the least goes first.
//!
//! Operations are those of any expression ([`crate::policy::expression`]). Terms are in [`TERMS`]. All is reckoned in 64-bit floating point, powers and logarithms by the same code on every
//! machine. What is no number, such as 0 divided by 0, goes last.
//!
//! ```
//! use gigawatt::policy::order::expression::Expression;
//! assert!(Expression::read("requested_time * gpus ** 0.5 - 0.1 * wait").is_ok());
//! let wrong = Expression::read("gpus * wiat").unwrap_err();
//! assert_eq!(wrong.message(), "`gpus * wiat`: unknown term `wiat` at character 8");
//! ```

use super::super::expression::{self, DEPTH, Step, Steps};
use super::{AsOf, ListedOrder, OrderKey, RANK_PERIOD};
use crate::error::Problem;

/// What expressions are listed under; one is chosen by writing it, not by this name.
pub const NAME: &str = "expression";

pub(super) const ENTRY: ListedOrder = ListedOrder {
    name: NAME,
    about: "least value first of what is written in its place, such as `requested_time * gpus ** 0.5 - 0.1 * wait`",
    source: "Carastan-Santos, de Camargo, SC 2017 (orders as functions of what is known of a job)",
    options: &[RANK_PERIOD],
    rule: OrderKey::Expression,
};

/// What an expression may read of a job.
#[derive(Debug)]
pub struct Term {
    /// As it is written.
    pub name: &'static str,
    /// What it counts.
    pub unit: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// Whether it changes while the job waits.
    varies: bool,
    read: fn(&AsOf<'_>, u32) -> f64,
}

/// Everything that an expression may read of a job.
pub const TERMS: &[Term] = &[
    Term {
        name: "wait",
        unit: "seconds",
        about: "since the job became eligible, as of the last `rank_period`",
        varies: true,
        read: |at, job| f64::from(at.waited(job)),
    },
    Term {
        name: "requested_time",
        unit: "seconds",
        about: "that it asks for",
        varies: false,
        read: |at, job| at.requested(job),
    },
    Term {
        name: "gpus",
        unit: "GPUs",
        about: "that it asks for; shares count as such",
        varies: false,
        read: |at, job| f64::from(at.state.class(job).gpus_milli) / 1000.0,
    },
    Term {
        name: "submit_time",
        unit: "seconds",
        about: "from the start of the run to its submission",
        varies: false,
        read: |at, job| f64::from(at.state.job(job).submit_time.0),
    },
    Term {
        name: "priority",
        unit: "number",
        about: "its priority; may be below 0",
        varies: false,
        read: |at, job| f64::from(at.state.job(job).priority),
    },
];

fn names() -> Vec<&'static str> {
    TERMS.iter().map(|term| term.name).collect()
}

/// An expression, ready to be reckoned.
#[derive(Debug, Clone)]
pub struct Expression {
    steps: Vec<Step>,
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// What is not understood, and at which character.
    pub fn read(text: &str) -> Result<Self, Box<Problem>> {
        let Steps { steps, .. } = Steps::read(text, &names())?;
        if !steps.iter().any(|step| matches!(step, Step::Term(_))) {
            let problem = expression::problem(text, "it reads no term, so that no job goes before another");
            return Err(Box::new(problem.hint("`fifo` is the order in which jobs came")));
        }
        Ok(Self { steps })
    }
    /// Whether its value changes while a job waits.
    #[must_use]
    pub fn varies(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Term(term) if TERMS[*term].varies))
    }
    /// The key of a job: in the order of the values, below 0 or not; what is no number last.
    pub(super) fn key(&self, at: &AsOf<'_>, job: u32) -> u64 {
        ascending(self.value(|term| (term.read)(at, job)))
    }
    fn value(&self, read: impl Fn(&Term) -> f64) -> f64 {
        let mut stack = [0.0; DEPTH];
        let mut top = 0;
        for step in &self.steps {
            match *step {
                Step::Number(number) => (stack[top], top) = (number, top + 1),
                Step::Term(term) => (stack[top], top) = (read(&TERMS[term]), top + 1),
                Step::Unary(of) => stack[top - 1] = of.of(stack[top - 1]),
                Step::Binary(of) => (stack[top - 2], top) = (of.of(stack[top - 2], stack[top - 1]), top - 1),
            }
        }
        stack[0]
    }
}

/// A key that puts jobs in the order of numbers: the bits of those of 0 or more are in that order, those of numbers below 0
/// in the other.
fn ascending(value: f64) -> u64 {
    const SIGN: u64 = 1 << 63;
    if value.is_nan() {
        return u64::MAX;
    }
    // 0 below 0 is 0.
    let bits = (value + 0.0).to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

/// Whether a text is meant as an expression: it is no name, or one can be read of it, as of `gpus-wait`.
#[must_use]
pub fn is_meant(text: &str) -> bool {
    expression::is_meant(text, &names())
}

/// An expression without the spaces that it may be written with; a name as it is.
#[must_use]
pub fn without_spaces(text: &str) -> String {
    if is_meant(text) { text.split_whitespace().collect() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> f64 {
        let read = |term: &Term| match term.name {
            "wait" => 7.0,
            "requested_time" => 100.0,
            "gpus" => 4.0,
            "priority" => -2.0,
            other => panic!("{other}"),
        };
        Expression::read(text).unwrap_or_else(|problem| panic!("{}", problem.message())).value(read)
    }

    #[test]
    fn operations_bind_as_written() {
        let cases = [
            ("1 + 2 * gpus", 9.0),
            ("(1 + 2) * gpus", 12.0),
            ("8 - gpus - 2", 2.0),
            ("8 / gpus / 2", 1.0),
            ("2 ** gpus ** .5", 4.0),
            ("-gpus ** 2", -16.0),
            ("2 ** -gpus", 0.0625),
            ("--gpus", 4.0),
            ("1e3 + .5 * gpus", 1002.0),
            ("requested_time * gpus ** 0.5 - 0.1*wait", 200.0 - 0.1 * 7.0),
            ("max(priority, min(gpus, wait)) + sqrt(gpus) + log2(8) + log10(100)", 4.0 + 2.0 + 3.0 + 2.0),
        ];
        for (text, expected) in cases {
            assert_eq!(value(text).to_bits(), f64::to_bits(expected), "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_told_with_its_place() {
        let cases = [
            ("", "``: expected a number, a term or `(` at the end"),
            ("gpus +", "`gpus +`: expected a number, a term or `(` at the end"),
            ("gpus * wiat", "`gpus * wiat`: unknown term `wiat` at character 8"),
            ("gpus wait", "`gpus wait`: expected an operator, found `wait` at character 6"),
            ("(gpus", "`(gpus`: expected `)` at the end"),
            ("gpus)", "`gpus)`: expected an operator, found `)` at character 5"),
            ("gpus ^ 2", "`gpus ^ 2`: expected an operator, found `^` at character 6"),
            ("sqrt gpus", "`sqrt gpus`: expected `(` at character 6"),
            ("min(gpus)", "`min(gpus)`: expected `,` at character 9"),
            ("1 / 0", "`1 / 0`: it reads no term, so that no job goes before another"),
            ("1.2.3", "`1.2.3`: expected a number, found `1.2.3` at character 1"),
            ("gpus + é", "`gpus + é`: expected a number, a term or `(`, found `é` at character 8"),
        ];
        for (text, expected) in cases {
            assert_eq!(Expression::read(text).expect_err("it is wrong").message(), expected, "{text}");
        }
        let deep = "(1 + ".repeat(40) + "1" + &")".repeat(40);
        let told = Expression::read(&deep).expect_err("it is too deep");
        assert!(told.message().ends_with("nested more than 32 deep"), "{}", told.message());
        let parentheses = "(".repeat(100_000);
        assert!(Expression::read(&parentheses).is_err(), "no depth overflows the stack");
    }

    #[test]
    fn keys_are_in_the_order_of_values() {
        let values =
            [f64::NEG_INFINITY, -1e300, -2.0, -1.0, -1e-300, 0.0, 1e-300, 1.0, 2.0, f64::INFINITY, f64::NAN];
        assert!(values.is_sorted_by(|one, other| ascending(*one) < ascending(*other)), "{values:?}");
        assert_eq!(ascending(-0.0), ascending(0.0), "0 is 0");
    }

    #[test]
    fn a_name_is_no_expression_unless_it_is_a_term() {
        for (text, expected) in [
            ("fair-tree", false),
            ("strf", false),
            ("wait", true),
            ("-wait", true),
            ("2*gpus", true),
            ("gpus-wait", true),
            ("1 - gpus", true),
        ] {
            assert_eq!(is_meant(text), expected, "{text}");
        }
    }
}
