//! A TOML document read field by field, so that every problem in it is found at once and shown where it stands.
//!
//! ```
//! use gigawatt::document::Document;
//! use gigawatt::units::Seconds;
//! let mut document = Document::parse("night.toml", "name = 7\ncycel = \"30s\"\n");
//! document.set("seed=five");
//! let mut root = document.root();
//! let name = root.required::<String>("name");
//! let cycle = root.optional::<Seconds>("cycle");
//! let seed = root.value_or::<u64>("seed", 1);
//! root.finish();
//! assert!(name.is_none() && cycle.is_none() && seed == 1);
//!
//! let problems = document.into_problems().to_string();
//! assert!(problems.contains("`name`: expected a text, found `7`"), "{problems}");
//! assert!(problems.contains("night.toml:2:1"), "the unknown key `cycel` has its place");
//! assert!(problems.contains("hint: did you mean `cycle`?"), "and a hint");
//! assert!(problems.contains("--set seed=five"), "so has what the command line set");
//! ```

mod length;
mod set;
mod shape;
mod table;
mod value;

pub use length::Length;
pub use shape::{Shape, quantity};
pub use table::{Item, Table};
pub use value::{Array, Map, Read, Value};

use crate::error::{Error, Place, Problem, Problems, Result};
use std::cell::RefCell;
use std::ops::{Deref, Range};
use std::path::Path;
use toml::de::DeTable;

/// Where something stands in a document: a piece of its text, or of what the command line set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// 0: the text; n: the n-th setting from the command line.
    origin: u32,
    start: usize,
    end: usize,
}

impl Mark {
    const fn new(origin: u32, span: Range<usize>) -> Self {
        Self { origin, start: span.start, end: span.end }
    }
    /// Whether it comes from the command line, and not from the file.
    #[must_use]
    pub const fn is_setting(self) -> bool {
        self.origin > 0
    }
}

/// A value and where it stands, so that a later check can point at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub mark: Mark,
}

impl<T> Deref for Placed<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

/// A TOML file, what the command line sets in it, and the problems found so far.
#[derive(Debug)]
pub struct Document {
    name: String,
    source: String,
    root: Map,
    /// What the command line set, as typed.
    settings: Vec<String>,
    /// Where the text itself is not TOML; what follows from that is not reported on its own.
    broken: Vec<Range<usize>>,
    problems: RefCell<Vec<(Mark, Problem)>>,
    /// Who wants to know what is asked.
    notes: shape::Notes,
}

impl Document {
    /// The document of that text; `name` is shown in problems. A text that is no TOML is one of its problems.
    #[must_use]
    pub fn parse(name: impl Into<String>, source: impl Into<String>) -> Self {
        let (name, source) = (name.into(), source.into());
        let (table, errors) = DeTable::parse_recoverable(&source);
        let root = Map::from_toml(table.get_ref(), 0);
        let mut document = Self {
            name,
            root,
            settings: Vec::new(),
            broken: Vec::new(),
            problems: RefCell::default(),
            notes: None,
            source,
        };
        let mut found = Vec::new();
        for error in errors {
            let span = error.span().unwrap_or(0..0);
            found.push((Mark::new(0, span.clone()), Problem::new(error.message())));
            document.broken.push(span);
        }
        *document.problems.get_mut() = found;
        document
    }
    /// As [`Document::parse`], from bytes that may not be UTF-8.
    #[must_use]
    pub fn from_bytes(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(source) => Self::parse(name, source),
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let mut document = Self::parse(name, "");
                document.source = String::from_utf8_lossy(error.as_bytes()).into_owned();
                document.broken.push(valid..valid + 1);
                let problem = Problem::new("expected UTF-8 text, found other bytes");
                document.problems.get_mut().push((Mark::new(0, valid..valid + 1), problem));
                document
            }
        }
    }
    /// The document in the file at `path`.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be read; what is wrong inside it comes with the problems.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|source| Error::io("read", path, source))?;
        Ok(Self::from_bytes(path.display().to_string(), bytes))
    }
    /// What problems call it: its path, as a rule.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
    /// The whole document as a table.
    #[must_use]
    pub fn root(&self) -> Table<'_> {
        Table::new(self, &self.root, Mark::new(0, 0..0), 0)
    }
    /// Where a mark is, for a person.
    #[must_use]
    pub fn place(&self, mark: Mark) -> Place {
        if mark.origin > 0 {
            return Place::file(self.settings[mark.origin as usize - 1].as_str());
        }
        if mark.end == 0 {
            return Place::file(self.name.as_str());
        }
        Place::span(self.name.as_str(), &self.source, mark.start..mark.end)
    }
    /// Reports a problem at `mark`.
    pub fn complain(&self, mark: Mark, problem: Problem) {
        // What stands on a line that could not be read is whatever the recovery made of it.
        let line = |offset: usize| self.source[..self.source.floor_char_boundary(offset)].rfind('\n');
        let is_broken = |span: &Range<usize>| line(span.start) == line(mark.start);
        if mark.origin == 0 && mark.end > 0 && self.broken.iter().any(is_broken) {
            return;
        }
        // A template that many jobs use is read with each of them.
        let mut problems = self.problems.borrow_mut();
        let same = |(known, other): &(Mark, Problem)| *known == mark && *other == problem;
        if problems.len() > Problems::SHOWN || !problems.iter().any(same) {
            problems.push((mark, problem));
        }
    }
    fn missing(&self, mark: Mark, key: &str, hint: Option<&str>) {
        // In a broken text the key may stand where nothing could be read.
        if self.broken.is_empty() {
            let problem = Problem::new(format!("missing `{key}`"));
            self.complain(mark, hint.into_iter().fold(problem, Problem::hint));
        }
    }
    /// Whether a problem was found so far.
    #[must_use]
    pub fn has_problems(&self) -> bool {
        !self.problems.borrow().is_empty()
    }
    /// Every problem found so far, in the order of the file, those of the command line last.
    #[must_use]
    pub fn problems(&self) -> Problems {
        let mut found = self.problems.borrow().clone();
        found.sort_by_key(|(mark, _)| *mark);
        let mut problems = Problems::default();
        for (mark, problem) in found {
            let is_shown = problems.kept().len() < Problems::SHOWN;
            problems.push(if is_shown { problem.at(self.place(mark)) } else { problem });
        }
        problems
    }
    /// Every problem found, in the order of the file, those of the command line last.
    #[must_use]
    pub fn into_problems(self) -> Problems {
        self.problems()
    }
    /// `value`, if no problem was found.
    ///
    /// # Errors
    /// [`Error::Input`] with every problem.
    pub fn into_result<T>(self, value: T) -> Result<T> {
        self.problems().into_result(value)
    }
}

#[cfg(test)]
mod tests;
