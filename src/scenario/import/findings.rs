use super::yaml::Node;
use crate::error::{Place, Problem, Problems};

/// A file of a scheduler's configuration.
#[derive(Debug)]
pub(super) struct Source {
    /// As the user named it.
    pub(super) name: String,
    pub(super) text: String,
    /// The documents of it, where it is YAML.
    pub(super) documents: Vec<Node>,
}

impl Source {
    /// A line of it, from 1.
    pub(super) fn place(&self, line: usize) -> Place {
        let text = self.text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
        let text = text.trim_end();
        let begin = text.len() - text.trim_start().len();
        Place::in_line(&self.name, line, text, begin..text.len())
    }
}

/// What came of reading, beside the scenario: what was assumed, what was left out, and what is wrong.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) assumed: Vec<String>,
    pub(super) left_out: Vec<LeftOut>,
    pub(super) problems: Problems,
}

/// Something that has no counterpart in a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The file, as it was named.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// What stands there.
    pub what: String,
    /// Why it is left out; empty: it does not bear on when and where jobs run.
    pub why: String,
}

impl std::fmt::Display for LeftOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{} {}", self.file, self.line, self.what)?;
        if self.why.is_empty() { Ok(()) } else { write!(f, ": {}", self.why) }
    }
}

impl Findings {
    /// Something was assumed; once each.
    pub(super) fn assume(&mut self, what: impl Into<String>) {
        let what = what.into();
        if !self.assumed.contains(&what) {
            self.assumed.push(what);
        }
    }
    /// Something has no counterpart.
    pub(super) fn leave_out(
        &mut self,
        source: &Source,
        line: usize,
        what: impl Into<String>,
        why: impl Into<String>,
    ) {
        let what = shortened(&what.into());
        self.left_out.push(LeftOut { file: source.name.clone(), line, what, why: why.into() });
    }
    /// Something is wrong.
    pub(super) fn complain(&mut self, source: &Source, line: usize, problem: Problem) {
        self.problems.push(problem.at(source.place(line)));
    }
}

/// A text without what nobody reads on to, in one line.
fn shortened(text: &str) -> String {
    const MOST: usize = 80;
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().count() <= MOST {
        return text;
    }
    let kept: String = text.chars().take(MOST).collect();
    format!("{kept}...")
}
