//! Reads an expression into steps, operands first.

use super::{Binary, DEPTH, Step, Steps, Unary, problem};
use crate::error::Problem;

/// A piece of an expression.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Token<'t> {
    Number(f64),
    Word(&'t str),
    /// An operator or a parenthesis.
    Sign(&'t str),
    End,
}

/// The steps of an expression.
///
/// # Errors
/// What is not understood, and at which character.
pub(super) fn steps(text: &str, terms: &[&str]) -> Result<Steps, Box<Problem>> {
    let read = Steps { steps: Vec::new(), at: Vec::new() };
    let mut parser = Parser { text, terms, at: 0, token: Token::End, after: 0, read, nested: 0 };
    parser.advance()?;
    parser.sum()?;
    if parser.token != Token::End {
        return Err(parser.wrong("expected an operator"));
    }
    let mut depth = 0;
    for step in &parser.read.steps {
        depth = match step {
            Step::Number(_) | Step::Term(_) => depth + 1,
            Step::Unary(_) => depth,
            Step::Binary(_) => depth - 1,
        };
        if depth > DEPTH {
            return Err(parser.too_deep());
        }
    }
    Ok(parser.read)
}

struct Parser<'t> {
    text: &'t str,
    terms: &'t [&'t str],
    /// Where the token begins, and where the next is looked for.
    at: usize,
    after: usize,
    token: Token<'t>,
    read: Steps,
    /// How many operations are begun within one another.
    nested: usize,
}

type Parsed = Result<(), Box<Problem>>;

impl<'t> Parser<'t> {
    fn problem(&self, told: &str) -> Box<Problem> {
        let functions =
            Unary::NAMED.iter().map(|(name, _)| *name).chain(Binary::NAMED.iter().map(|(name, _)| *name));
        let functions: Vec<&str> = functions.collect();
        let hint = format!("terms: {}; + - * / ** ( ); {}", self.terms.join(", "), functions.join(", "));
        Box::new(problem(self.text, told).hint(hint))
    }
    /// The character at which the token begins, counted from 1.
    fn character(&self) -> usize {
        self.text[..self.at].chars().count() + 1
    }
    fn push(&mut self, step: Step, character: usize) {
        self.read.steps.push(step);
        self.read.at.push(character);
    }
    /// What is told of the token that is not what was expected.
    fn wrong(&self, expected: &str) -> Box<Problem> {
        let found = &self.text[self.at..self.after];
        if self.at == self.text.len() {
            return self.problem(&format!("{expected} at the end"));
        }
        let character = self.character();
        self.problem(&format!("{expected}, found `{found}` at character {character}"))
    }
    fn too_deep(&self) -> Box<Problem> {
        self.problem(&format!("nested more than {DEPTH} deep"))
    }

    /// Goes on to the next token.
    fn advance(&mut self) -> Parsed {
        let rest = &self.text[self.after..];
        let start = self.after + (rest.len() - rest.trim_start().len());
        let rest = &self.text[start..];
        let length_of =
            |is_part: fn(char) -> bool| rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
        let Some(first) = rest.chars().next() else {
            (self.at, self.after, self.token) = (start, start, Token::End);
            return Ok(());
        };
        self.at = start;
        if first.is_ascii_digit() || first == '.' {
            self.after = start + number_length(rest);
            let number = self.text[start..self.after].parse().map_err(|_| self.wrong("expected a number"));
            self.token = Token::Number(number?);
            return Ok(());
        }
        let length = if first.is_ascii_alphabetic() {
            length_of(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        } else if rest.starts_with("**") {
            2
        } else {
            first.len_utf8()
        };
        self.after = start + length;
        let piece = &rest[..length];
        self.token = if first.is_ascii_alphabetic() { Token::Word(piece) } else { Token::Sign(piece) };
        Ok(())
    }
    /// Goes on if the token is a sign.
    fn take(&mut self, sign: &str) -> Result<bool, Box<Problem>> {
        let is_it = self.token == Token::Sign(sign);
        if is_it {
            self.advance()?;
        }
        Ok(is_it)
    }
    fn must_take(&mut self, sign: &str) -> Parsed {
        if self.take(sign)? { Ok(()) } else { Err(self.expected(sign)) }
    }
    /// A sign that is not there.
    fn expected(&self, sign: &str) -> Box<Problem> {
        if self.at == self.text.len() {
            return self.problem(&format!("expected `{sign}` at the end"));
        }
        let character = self.character();
        self.problem(&format!("expected `{sign}` at character {character}"))
    }

    fn sum(&mut self) -> Parsed {
        self.product()?;
        loop {
            let of = match self.token {
                Token::Sign("+") => Binary::Add,
                Token::Sign("-") => Binary::Subtract,
                _ => return Ok(()),
            };
            self.operand(of, Self::product)?;
        }
    }
    fn product(&mut self) -> Parsed {
        self.unary()?;
        loop {
            let of = match self.token {
                Token::Sign("*") => Binary::Multiply,
                Token::Sign("/") => Binary::Divide,
                _ => return Ok(()),
            };
            self.operand(of, Self::unary)?;
        }
    }
    /// The second operand of an operation whose sign is the token.
    fn operand(&mut self, of: Binary, operand: fn(&mut Self) -> Parsed) -> Parsed {
        let character = self.character();
        self.advance()?;
        operand(self)?;
        self.push(Step::Binary(of), character);
        Ok(())
    }
    fn unary(&mut self) -> Parsed {
        self.nested += 1;
        if self.nested > DEPTH {
            return Err(self.too_deep());
        }
        let character = self.character();
        if self.take("-")? {
            self.unary()?;
            self.push(Step::Unary(Unary::Negate), character);
        } else {
            self.power()?;
        }
        self.nested -= 1;
        Ok(())
    }
    fn power(&mut self) -> Parsed {
        self.atom()?;
        if self.token == Token::Sign("**") {
            self.operand(Binary::Power, Self::unary)?;
        }
        Ok(())
    }
    fn atom(&mut self) -> Parsed {
        match self.token {
            Token::Number(number) => {
                self.push(Step::Number(number), self.character());
                self.advance()
            }
            Token::Sign("(") => {
                self.advance()?;
                self.sum()?;
                self.must_take(")")
            }
            Token::Word(word) => self.word(word),
            _ => Err(self.wrong("expected a number, a term or `(`")),
        }
    }
    /// A term, or a function of what stands in parentheses behind it.
    fn word(&mut self, word: &str) -> Parsed {
        let character = self.character();
        if let Some(term) = self.terms.iter().position(|term| *term == word) {
            self.push(Step::Term(term), character);
            return self.advance();
        }
        let unary = Unary::NAMED.iter().find(|(name, _)| *name == word).map(|(_, of)| Step::Unary(*of));
        let binary = Binary::NAMED.iter().find(|(name, _)| *name == word).map(|(_, of)| Step::Binary(*of));
        let Some(step) = unary.or(binary) else {
            return Err(self.problem(&format!("unknown term `{word}` at character {character}")));
        };
        self.advance()?;
        self.must_take("(")?;
        self.sum()?;
        if binary.is_some() {
            self.must_take(",")?;
            self.sum()?;
        }
        self.must_take(")")?;
        self.push(step, character);
        Ok(())
    }
}

/// How long the number is that a text begins with: digits and points, and an exponent.
fn number_length(text: &str) -> usize {
    let digits = |text: &str| {
        text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len())
    };
    let length = digits(text);
    let rest = &text[length..];
    let Some(exponent) = rest.strip_prefix(['e', 'E']) else { return length };
    let signed = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let figures = signed.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(signed.len());
    if figures == 0 { length } else { length + 1 + (exponent.len() - signed.len()) + figures }
}
