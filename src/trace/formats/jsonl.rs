//! gigawatt's own JSON lines: one object a line, its keys those of [`NATIVE_COLUMNS`].
//!
//! Values are numbers, texts, `true`, `false` or `null`; what is a list in the CSV may be an array here. Other keys
//! are passed over and noted.
//!
//! ```
//! use gigawatt::trace::{Options, read_bytes};
//! let text = br#"{"job_id": "train", "gpus": 64, "submit_time": 0, "work_time": 7200}
//! {"job_id": "eval", "gpus": 0.5, "submit_time": 0, "work_time": 300, "after": ["train"]}"#;
//! let workload = read_bytes("jobs.jsonl", text, None, &Options::default())?.workload;
//! assert_eq!(workload.dependencies.successors(0)[0].job, 1);
//! # Ok::<(), gigawatt::error::Error>(())
//! ```
//!
//! [`NATIVE_COLUMNS`]: crate::trace::NATIVE_COLUMNS

use super::cells::Cells;
use super::native::{COLUMNS, COUNT, Reader, column};
use crate::error::{Place, Problem};
use crate::trace::checked::Checked;
use crate::trace::intake::Intake;
use crate::trace::{Format, Head, MapKey};
use memchr::{memchr, memchr2};
use std::collections::BTreeSet;
use std::ops::Range;

pub(in crate::trace) const FORMAT: Format = Format {
    name: "jsonl",
    about: "gigawatt's own JSON lines: an object a job with submit_time, gpus, work_time and what else it has",
    keys: &[],
    map_keys: &[MapKey::Platform],
    detect,
    read,
};

fn detect(head: &Head<'_>) -> bool {
    let has = |line: &[u8], key: &[u8]| line.windows(key.len()).any(|window| window == key);
    head.lines().next().is_some_and(|line| {
        line.starts_with(b"{")
            && has(line, b"\"gpus\"")
            && (has(line, b"\"submit_time\"") || has(line, b"\"work_time\""))
    })
}

fn read(mut text: &[u8], intake: &mut Intake<'_>) {
    let mut reader = Reader::new(intake);
    let mut object = Object::default();
    let checked = Checked::new(text);
    let mut number = 0;
    while !text.is_empty() {
        number += 1;
        let end = memchr(b'\n', text).unwrap_or(text.len());
        let line = &text[..end];
        text = text.get(end + 1..).unwrap_or_default();
        if line.trim_ascii().is_empty() {
            continue;
        }
        match object.scan(line) {
            Ok(()) => {
                let mut cells = Cells::new(checked, (number, line));
                for (column, value) in object.values.iter().enumerate() {
                    match value {
                        Value::Nothing => {}
                        Value::Line(range) => cells.set(column, &line[range.clone()]),
                        Value::Scratch(range) => cells.set(column, &object.scratch[range.clone()]),
                    }
                }
                reader.row(&cells, intake);
            }
            Err((at, expected)) => intake.bad_line(number, |file| {
                let at = at.min(line.len());
                Problem::new("not an object of JSON")
                    .at(Place::part(file, number, line, &line[at..line.len().min(at + 1)]))
                    .expected(format!("expected {expected}"))
            }),
        }
    }
    reader.finish(intake);
    if !object.unknown.is_empty() {
        let names: Vec<_> = object.unknown.iter().map(|name| format!("`{name}`")).collect();
        intake.notes.say(format!("keys not read: {}", names.join(", ")));
    }
}

/// Where the bytes of a value are.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Nothing,
    Line(Range<usize>),
    Scratch(Range<usize>),
}

/// An object of JSON without copies, but for texts with escapes and arrays.
struct Object {
    values: [Value; COUNT],
    scratch: Vec<u8>,
    unknown: BTreeSet<String>,
    /// The columns of the last line's keys, in their order.
    order: Vec<usize>,
    /// How many known keys this line has had.
    pairs: usize,
}

impl Default for Object {
    fn default() -> Self {
        Self {
            values: [const { Value::Nothing }; COUNT],
            scratch: Vec::new(),
            unknown: BTreeSet::new(),
            order: Vec::new(),
            pairs: 0,
        }
    }
}

/// Where a line stops being JSON, and what should be there.
type Wrong = (usize, &'static str);

impl Object {
    /// At most so many unknown keys are named.
    const UNKNOWN_MOST: usize = 20;

    fn scan(&mut self, line: &[u8]) -> Result<(), Wrong> {
        self.values.fill(Value::Nothing);
        self.scratch.clear();
        self.pairs = 0;
        let mut at = blank(line, 0);
        at = byte(line, at, b'{', "`{`")?;
        if line.get(at) == Some(&b'}') {
            at += 1;
        } else {
            loop {
                at = self.pair(line, at)?;
                match line.get(at) {
                    Some(b',') => at = blank(line, at + 1),
                    Some(b'}') => {
                        at += 1;
                        break;
                    }
                    _ => return Err((at, "`,` or `}`")),
                }
            }
        }
        at = blank(line, at);
        if at < line.len() { Err((at, "the end of the line")) } else { Ok(()) }
    }

    /// A key, its value, and the blanks after it.
    fn pair(&mut self, line: &[u8], start: usize) -> Result<usize, Wrong> {
        let (key, after) = self.text(line, start)?;
        let at = byte(line, blank(line, after), b':', "`:`")?;
        let name = match &key {
            Value::Line(range) => &line[range.clone()],
            Value::Scratch(range) => &self.scratch[range.clone()],
            Value::Nothing => b"",
        };
        // Keys come in the same order in most lines.
        let expected =
            self.order.get(self.pairs).copied().filter(|index| COLUMNS[*index].name.as_bytes() == name);
        let Some(index) = expected.or_else(|| column(name)) else {
            if self.unknown.len() < Self::UNKNOWN_MOST
                && !self.unknown.contains(&*String::from_utf8_lossy(name))
            {
                let name = String::from_utf8_lossy(name).into_owned();
                self.unknown.insert(name);
            }
            return skip(line, at).map(|at| blank(line, at));
        };
        if self.values[index] != Value::Nothing {
            return Err((start, "each key once"));
        }
        match self.order.get_mut(self.pairs) {
            Some(known) => *known = index,
            None => self.order.push(index),
        }
        self.pairs += 1;
        let (value, at) = match line.get(at) {
            Some(b'[') => self.array(line, at + 1)?,
            _ => self.scalar(line, at)?,
        };
        self.values[index] = value;
        Ok(blank(line, at))
    }

    fn scalar(&mut self, line: &[u8], at: usize) -> Result<(Value, usize), Wrong> {
        match line.get(at) {
            Some(b'"') => self.text(line, at),
            Some(b'-' | b'0'..=b'9') => number(line, at).map(|end| (Value::Line(at..end), end)),
            _ => {
                for word in [b"true".as_slice(), b"false", b"null"] {
                    if line[at.min(line.len())..].starts_with(word) {
                        let end = at + word.len();
                        let value = if word == b"null" { Value::Line(at..at) } else { Value::Line(at..end) };
                        return Ok((value, end));
                    }
                }
                Err((at, "a number, a text, `true`, `false`, `null` or an array of them"))
            }
        }
    }

    /// The elements joined by `;`.
    fn array(&mut self, line: &[u8], at: usize) -> Result<(Value, usize), Wrong> {
        let mut at = blank(line, at);
        let mut joined = Vec::new();
        if line.get(at) != Some(&b']') {
            loop {
                let (value, end) = self.scalar(line, at)?;
                match value {
                    Value::Line(range) => joined.extend_from_slice(&line[range]),
                    Value::Scratch(range) => joined.extend_from_slice(&self.scratch[range]),
                    Value::Nothing => {}
                }
                at = blank(line, end);
                match line.get(at) {
                    Some(b',') => at = blank(line, at + 1),
                    Some(b']') => break,
                    _ => return Err((at, "`,` or `]`")),
                }
                joined.push(b';');
            }
        }
        let start = self.scratch.len();
        self.scratch.extend_from_slice(&joined);
        Ok((Value::Scratch(start..self.scratch.len()), at + 1))
    }

    /// A text in quotes, and where it ends.
    fn text(&mut self, line: &[u8], at: usize) -> Result<(Value, usize), Wrong> {
        if line.get(at) != Some(&b'"') {
            return Err((at, "a text in quotes"));
        }
        let start = at + 1;
        let mut end = start;
        let mut escapes = false;
        loop {
            let Some(found) = memchr2(b'"', b'\\', &line[end..]) else {
                return Err((line.len(), "a closing quote"));
            };
            end += found;
            if line[end] == b'"' {
                break;
            }
            escapes = true;
            end = (end + 2).min(line.len());
        }
        let bytes = &line[start..end];
        if !escapes {
            let plain = bytes.iter().all(|byte| matches!(byte, 0x20..0x80));
            let right = plain || bytes.iter().all(|byte| *byte >= 0x20) && std::str::from_utf8(bytes).is_ok();
            return if right {
                Ok((Value::Line(start..end), end + 1))
            } else {
                Err((start, "text in UTF-8"))
            };
        }
        let text: String = serde_json::from_slice(&line[at..=end]).map_err(|_| (start, "a text of JSON"))?;
        let from = self.scratch.len();
        self.scratch.extend_from_slice(text.as_bytes());
        Ok((Value::Scratch(from..self.scratch.len()), end + 1))
    }
}

fn blank(line: &[u8], mut at: usize) -> usize {
    while matches!(line.get(at), Some(b' ' | b'\t' | b'\r')) {
        at += 1;
    }
    at
}

/// Past this byte and the blanks after it.
fn byte(line: &[u8], at: usize, wanted: u8, expected: &'static str) -> Result<usize, Wrong> {
    if line.get(at) == Some(&wanted) { Ok(blank(line, at + 1)) } else { Err((at, expected)) }
}

/// The end of a number of JSON.
fn number(line: &[u8], start: usize) -> Result<usize, Wrong> {
    let digits = |mut at: usize| {
        while line.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        at
    };
    let more = |at: usize| match digits(at) {
        end if end > at => Ok(end),
        _ => Err((at, "a digit")),
    };
    let mut at = start + usize::from(line.get(start) == Some(&b'-'));
    at = if line.get(at) == Some(&b'0') { at + 1 } else { more(at)? };
    if line.get(at) == Some(&b'.') {
        at = more(at + 1)?;
    }
    if matches!(line.get(at), Some(b'e' | b'E')) {
        at = more(at + 1 + usize::from(matches!(line.get(at + 1), Some(b'+' | b'-'))))?;
    }
    Ok(at)
}

/// The end of any value, which nobody reads.
fn skip(line: &[u8], start: usize) -> Result<usize, Wrong> {
    let mut values = serde_json::Deserializer::from_slice(&line[start.min(line.len())..]).into_iter();
    match values.next() {
        Some(Ok(serde::de::IgnoredAny)) => Ok(start + values.byte_offset()),
        _ => Err((start, "a value of JSON")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(line: &str) -> Result<Vec<String>, Wrong> {
        let mut object = Object::default();
        object.scan(line.as_bytes())?;
        let text = |value: &Value| match value {
            Value::Nothing => String::new(),
            Value::Line(range) => line[range.clone()].to_owned(),
            Value::Scratch(range) => String::from_utf8_lossy(&object.scratch[range.clone()]).into_owned(),
        };
        Ok(object.values.iter().map(text).collect())
    }

    #[test]
    fn what_serde_refuses_is_refused() {
        let whole = r#"{"job_id": "a\u00e9\"b", "gpus": 1.5e1, "after": ["x", 7, null], "q": {"r": [1, {}]}, "preemptible": true}"#;
        let values = scan(whole).unwrap();
        assert_eq!(values[column(b"job_id").unwrap()], "aé\"b", "escapes");
        assert_eq!(values[column(b"after").unwrap()], "x;7;", "arrays are joined");
        let mut refused = 0;
        for cut in 0..whole.len() {
            for glue in ["", "}", "\"", "]", ",", "0", "{", " ", "\u{1}", ":", "-"] {
                for rest in [cut, (cut + 1).min(whole.len())] {
                    if !whole.is_char_boundary(cut) || !whole.is_char_boundary(rest) {
                        continue;
                    }
                    let line = format!("{}{glue}{}", &whole[..cut], &whole[rest..]);
                    if serde_json::from_str::<serde_json::Value>(&line).is_err() {
                        refused += 1;
                        assert!(scan(&line).is_err(), "serde refuses {line}");
                    }
                }
            }
        }
        assert!(refused > 1000, "the comparison saw {refused} broken lines");
    }
}
