//! How to look further than a summary.

use super::Run;
use super::text::{USUAL, labelled};
use crate::report::lines::{columns, cut, visible};

/// Where more is told, and a command to go on with.
pub(super) fn further(run: &Run<'_>, kept_in: Option<&str>, width: usize) -> Vec<String> {
    let kept = match kept_in {
        Some(directory) => {
            let directory = cut(directory, 24);
            format!("{directory}/jobs.csv has a line a job, summary.json every number")
        }
        None => "--out DIR keeps a line a job and every number of this run".to_owned(),
    };
    let mut lines = labelled("Look further", &kept, width);
    lines.extend(labelled("", "gigawatt list columns says what the words mean", width));
    lines.extend(compare_command(&run.provenance.scenario, width).iter().map(|line| format!("  {line}")));
    lines
}

/// How to compare policies on the same scenario: to be copied, so that what takes too much room is left out whole.
fn compare_command(scenario: &[String], width: usize) -> Vec<String> {
    const POLICIES: &str = "-p fifo/none -p fifo/easy";
    let mut words = vec!["gigawatt compare".to_owned()];
    words.extend(scenario.iter().map(|word| visible(&quoted(word))));
    words.push(POLICIES.to_owned());
    let lines = folded(&words, width - 4);
    let most = if width < USUAL { 5 } else { 2 };
    if lines.len() <= most && lines.iter().all(|line| columns(line) <= width - 2) {
        return lines;
    }
    vec![format!("gigawatt compare … {POLICIES}   (the same scenario)")]
}

/// A word as a shell takes it.
pub(in crate::report) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=,:+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// A command in lines of about `width` columns, as a shell takes it.
fn folded(words: &[String], width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words {
        let line = lines.last_mut().expect("there is always one");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            line.push_str(" \\");
            lines.push(format!("  {word}"));
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}
