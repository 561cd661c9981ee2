//! What stands above the jobs of an SWF log: comments, the second it began, and names of fields.

use super::gwf::is_job;
use super::swf::{FIELDS, READ, whole};
use crate::trace::intake::Intake;
use crate::trace::{Head, field};

/// Whether the text begins a log.
pub(super) fn detect(head: &Head<'_>) -> bool {
    let comment = |line: &&[u8]| line.starts_with(b";") || line.starts_with(b"#") || names(line);
    match head.lines().find(|line| !comment(line)) {
        Some(line) => {
            let words = || line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).take(FIELDS);
            // What nobody reads may be anything, but lines of GWF have more words.
            let right = words().zip(1..).all(|(word, field)| !READ[field] || whole(word, false).is_some());
            right && words().count() == FIELDS && !is_job(line)
        }
        None => head.bytes.trim_ascii_start().starts_with(b";"),
    }
}

/// Whether a line names the fields of a job.
pub(super) fn names(line: &[u8]) -> bool {
    let begins = line.first().is_some_and(u8::is_ascii_alphabetic);
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    begins && words.all(|word| word.first().is_some_and(u8::is_ascii_alphabetic)) && line.contains(&b' ')
}

/// Reads a comment, which may say when the log began.
pub(super) fn read(text: &[u8], intake: &mut Intake<'_>) {
    let text = String::from_utf8_lossy(&text[..text.len().min(200)]);
    let Some((key, value)) = text.split_once(':').map(|(key, value)| (key.trim(), value.trim())) else {
        return;
    };
    if key != "UnixStartTime" {
        return;
    }
    let word = value.split_ascii_whitespace().next().unwrap_or_default();
    let number = field::decimal(word.as_bytes()).and_then(|number| i64::try_from(number.floor).ok());
    let date = || field::date(value.as_bytes()).or_else(|| field::date(word.as_bytes()));
    match number.or_else(|| date().map(|date| date.seconds)) {
        // Zero stands for "unknown" in generated logs.
        Some(epoch) => intake.epoch = Some(epoch).filter(|epoch| *epoch > 0 && *epoch < i64::from(u32::MAX)),
        None if field::signed(word.as_bytes()).is_some() => {}
        None => {
            intake.notes.say(format!("header `UnixStartTime: {value}` is not a time: second 0 has no date"));
        }
    }
}
