//! Lines of `KEY=VALUE` as Slurm's configuration files have them.

use super::super::findings::{Findings, Source};
use crate::error::{Place, Problem};
use std::cell::Cell;

/// A key and its value.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) key: String,
    pub(super) value: String,
    is_read: Cell<bool>,
}

/// The settings of one line: those after the first belong to it where it names nodes, partitions and the like.
#[derive(Debug)]
pub(super) struct Line<'s> {
    pub(super) source: &'s Source,
    /// From 1.
    pub(super) number: usize,
    pub(super) settings: Vec<Setting>,
}

impl Line<'_> {
    /// The value of a key, whatever its case, which is thereby read.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        let setting = self.settings.iter().rev().find(|setting| setting.key.eq_ignore_ascii_case(key))?;
        setting.is_read.set(true);
        Some(setting.value.as_str()).filter(|value| !value.is_empty())
    }
    /// Whether it begins with a key.
    pub(super) fn begins(&self, key: &str) -> bool {
        self.settings.first().is_some_and(|setting| setting.key.eq_ignore_ascii_case(key))
    }
    pub(super) fn has(&self, key: &str) -> bool {
        self.settings.iter().any(|setting| setting.key.eq_ignore_ascii_case(key))
    }
    /// `slurm.conf:12`.
    pub(super) fn from(&self) -> String {
        format!("{}:{}", self.source.name, self.number)
    }
    /// What stands under a key has no counterpart, if it is there.
    pub(super) fn leave_out(&self, key: &str, why: &str, findings: &mut Findings) {
        if let Some(value) = self.get(key) {
            findings.leave_out(self.source, self.number, format!("{}{key}={value}", self.subject(key)), why);
        }
    }
    /// One item of what stands under a key has no counterpart.
    pub(super) fn leave_out_item(&self, key: &str, item: &str, why: &str, findings: &mut Findings) {
        findings.leave_out(self.source, self.number, format!("{key} {item}"), why);
    }
    /// What is wrong with the value of a key.
    pub(super) fn complain(&self, value: &str, problem: Problem, findings: &mut Findings) {
        let text = self.source.text.lines().nth(self.number - 1).unwrap_or_default();
        let behind_key = text.find(&format!("={value}")).map(|at| at + 1);
        let place = match behind_key.or_else(|| text.find(value)) {
            Some(at) if !value.is_empty() => {
                Place::in_line(&self.source.name, self.number, text, at..at + value.len())
            }
            _ => self.source.place(self.number),
        };
        findings.problems.push(problem.at(place));
    }
    /// Whatever nobody has read: its key, and what it stands beside.
    pub(super) fn unread(&self) -> impl Iterator<Item = (&Setting, String)> {
        self.settings
            .iter()
            .filter(|setting| !setting.is_read.get())
            .map(|setting| (setting, self.subject(&setting.key)))
    }
    /// The node, partition or the like that a line is about, unless the key itself tells it.
    fn subject(&self, key: &str) -> String {
        let is_record = RECORDS.iter().any(|record| self.begins(record));
        match self.settings.first() {
            Some(first) if is_record && !first.key.eq_ignore_ascii_case(key) => {
                format!("{}={} ", first.key, first.value)
            }
            _ => String::new(),
        }
    }
}

/// Keys that begin a line whose other keys belong to them.
pub(super) const RECORDS: [&str; 8] =
    ["NodeName", "PartitionName", "NodeSet", "DownNodes", "FrontendName", "SwitchName", "BlockName", "Name"];

/// The lines of a file; what is none is reported.
pub(super) fn lines<'s>(source: &'s Source, findings: &mut Findings) -> Vec<Line<'s>> {
    let mut found = Vec::new();
    // A line that ends in a backslash goes on in the next.
    let mut joined: Option<(usize, String)> = None;
    for (number, text) in (1..).zip(source.text.lines()) {
        let text = without_comment(text);
        let (number, mut whole) = joined.take().unwrap_or((number, String::new()));
        if let Some(begun) = text.trim_end().strip_suffix('\\') {
            whole.push_str(begun);
            whole.push(' ');
            joined = Some((number, whole));
            continue;
        }
        whole.push_str(text);
        found.extend(line(source, number, &whole, findings));
    }
    if let Some((number, whole)) = joined {
        found.extend(line(source, number, &whole, findings));
    }
    found
}

/// A line up to its comment, which begins at a `#` that no backslash or quotes keep.
fn without_comment(line: &str) -> &str {
    let (mut is_quoted, mut is_kept) = (false, false);
    for (at, letter) in line.char_indices() {
        match letter {
            '"' => is_quoted = !is_quoted,
            '#' if !is_quoted && !is_kept => return &line[..at],
            _ => {}
        }
        is_kept = letter == '\\';
    }
    line
}

fn line<'s>(source: &'s Source, number: usize, text: &str, findings: &mut Findings) -> Option<Line<'s>> {
    let mut rest = text.trim();
    if rest.get(..8).is_some_and(|word| word.eq_ignore_ascii_case("include ")) {
        findings.leave_out(source, number, rest, "give the file itself beside this one");
        return None;
    }
    let mut settings = Vec::new();
    while !rest.is_empty() {
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let (key, after) = rest.split_at(end);
        let key = key.trim_end_matches(['+', '-']);
        let Some(value) = after.trim_start().strip_prefix('=').filter(|_| !key.is_empty()) else {
            let found = rest.split_whitespace().next().unwrap_or_default();
            let problem = Problem::new(format!("expected `KEY=VALUE`, found `{found}`"));
            findings.complain(source, number, problem.hint("`#` begins a comment"));
            return None;
        };
        let value = value.trim_start();
        let (value, after) = match value.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => value.split_at(value.find(char::is_whitespace).unwrap_or(value.len())),
        };
        settings.push(Setting { key: key.to_owned(), value: value.to_owned(), is_read: Cell::new(false) });
        rest = after.trim_start();
    }
    (!settings.is_empty()).then_some(Line { source, number, settings })
}

#[cfg(test)]
mod tests {
    use super::*;

    type Told = Vec<(usize, Vec<(String, String)>)>;

    fn read(text: &str) -> (Told, Findings) {
        let source = Source { name: "slurm.conf".to_owned(), text: text.to_owned(), documents: Vec::new() };
        let mut findings = Findings::default();
        let lines = lines(&source, &mut findings);
        let told = |line: &Line<'_>| {
            let settings = line.settings.iter().map(|setting| (setting.key.clone(), setting.value.clone()));
            (line.number, settings.collect())
        };
        (lines.iter().map(told).collect(), findings)
    }

    #[test]
    fn lines_are_read_as_slurm_reads_them() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        for (text, expected) in [
            ("A=1", vec![(1, vec![pair("A", "1")])]),
            ("# A=1\n\nB = 2 # C=3", vec![(3, vec![pair("B", "2")])]),
            (
                "NodeName=a CPUs=2 \\\n  Gres=gpu:8\nB=",
                vec![
                    (1, vec![pair("NodeName", "a"), pair("CPUs", "2"), pair("Gres", "gpu:8")]),
                    (3, vec![pair("B", "")]),
                ],
            ),
            ("Reason=\"a # b\" C=1", vec![(1, vec![pair("Reason", "a # b"), pair("C", "1")])]),
            ("Flags+=x", vec![(1, vec![pair("Flags", "x")])]),
            ("A=1 \\", vec![(1, vec![pair("A", "1")])]),
            ("A=\"b", vec![(1, vec![pair("A", "b")])]),
        ] {
            assert_eq!(read(text).0, expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_setting_is_reported_and_what_is_elsewhere_told() {
        for text in ["A", "A=1 b", "= 3", "\u{e9}"] {
            assert_eq!(read(text).1.problems.total(), 1, "{text:?}");
        }
        let (lines, findings) = read("Include other.conf\n");
        assert!(lines.is_empty() && findings.left_out.len() == 1, "{findings:?}");
    }
}
