//! One record of a table after the other: a line, or what its quotes hold together.

use super::Table;
use crate::error::{Place, Problem};
use crate::trace::intake::Intake;
use crate::trace::layout::{Layout, words};
use memchr::{memchr, memchr_iter, memchr2};
use std::ops::Range;

impl Table<'_> {
    /// Goes to the next line that is not blank and splits it.
    pub(super) fn advance(&mut self, intake: &mut Intake<'_>) -> bool {
        // What writes `|` or columns of a width does not quote: there a quote is a character.
        let quotes = matches!(self.layout, Layout::Delimited(delimiter) if delimiter != b'|');
        while !self.rest.is_empty() {
            self.number = self.next_number;
            self.quoted = false;
            let stop = if quotes { memchr2(b'\n', b'"', self.rest) } else { memchr(b'\n', self.rest) };
            let end = match stop {
                Some(quote) if self.rest[quote] == b'"' => {
                    self.fields.clear();
                    return self.advance_quoted(intake);
                }
                Some(end) => end,
                None => self.rest.len(),
            };
            let line = &self.rest[..end];
            self.rest = self.rest.get(end + 1..).unwrap_or_default();
            self.next_number += 1;
            self.line = line.strip_suffix(b"\r").unwrap_or(line);
            if self.line.is_empty() || self.layout == Layout::Words && self.line.starts_with(b"#") {
                continue;
            }
            self.split_again();
            self.read_decimal_commas(intake);
            return true;
        }
        false
    }

    /// Splits the line into its fields.
    pub(in crate::trace) fn split_again(&mut self) {
        self.fields.clear();
        match &self.layout {
            Layout::Delimited(delimiter) => split(self.line, *delimiter, &mut self.fields),
            Layout::Words => {
                // Where blanks divide columns, an empty one is written as `-`.
                let told = |word: Range<usize>| match &self.line[word.clone()] {
                    b"-" => word.start..word.start,
                    _ => word,
                };
                self.fields.extend(words(self.line).map(told));
            }
            Layout::Padded(columns) => {
                let length = self.line.len();
                let last = columns.len().saturating_sub(1);
                let place = |(index, column): (usize, &Range<usize>)| {
                    let end = if index == last { length } else { column.end.min(length) };
                    column.start.min(end)..end
                };
                self.fields.extend(columns.iter().enumerate().map(place));
            }
        }
    }

    /// A record with a quote in it, which may go on over line ends.
    fn advance_quoted(&mut self, intake: &mut Intake<'_>) -> bool {
        self.quoted = true;
        self.unquoted.clear();
        let text = self.rest;
        let Layout::Delimited(delimiter) = self.layout else { return false };
        let mut at = 0;
        loop {
            let start = self.unquoted.len();
            let closed = if text.get(at) == Some(&b'"') { self.unquote(text, &mut at) } else { true };
            if !closed {
                let line = &text[..memchr(b'\n', text).unwrap_or(text.len())];
                let number = self.number;
                intake.problem(|file| {
                    Problem::new("a quote that is never closed").at(Place::line(file, number, line))
                });
                self.rest = b"";
                return false;
            }
            let stop = |byte: &u8| *byte == delimiter || *byte == b'\n';
            let length = text[at..].iter().position(stop).unwrap_or(text.len() - at);
            let plain = &text[at..at + length];
            at += length;
            let ends_line = text.get(at) != Some(&delimiter);
            let plain = if ends_line { plain.strip_suffix(b"\r").unwrap_or(plain) } else { plain };
            self.unquoted.extend_from_slice(plain);
            self.fields.push(start..self.unquoted.len());
            if ends_line {
                break;
            }
            at += 1;
        }
        let line = &text[..at];
        self.line = line.strip_suffix(b"\r").unwrap_or(line);
        let breaks = if intake.by_row { 0 } else { memchr_iter(b'\n', line).count() };
        self.next_number += breaks + 1;
        self.rest = text.get(at + 1..).unwrap_or_default();
        self.read_decimal_commas(intake);
        true
    }

    /// Takes a comma between digits for a decimal point: where `;` divides columns, that is what commas are for.
    fn read_decimal_commas(&mut self, intake: &mut Intake<'_>) {
        if self.layout != Layout::Delimited(b';') || memchr(b',', self.line).is_none() {
            return;
        }
        if !self.quoted {
            self.unquoted.clear();
            self.unquoted.extend_from_slice(self.line);
        }
        let is_number = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
        for field in &self.fields {
            let text = self.unquoted[field.clone()].trim_ascii();
            let digits = text.strip_prefix(b"-").unwrap_or(text);
            let Some(comma) = memchr(b',', digits) else { continue };
            if is_number(&digits[..comma]) && is_number(&digits[comma + 1..]) {
                let at = digits.as_ptr().addr() - self.unquoted.as_ptr().addr() + comma;
                self.unquoted[at] = b'.';
                self.quoted = true;
                intake.notes.count("number", "with a decimal comma: read as a decimal point", 1);
            }
        }
    }

    /// Appends a quoted text, `""` standing for a quote; false if it does not end.
    fn unquote(&mut self, text: &[u8], at: &mut usize) -> bool {
        *at += 1;
        loop {
            let Some(length) = memchr(b'"', &text[*at..]) else { return false };
            self.unquoted.extend_from_slice(&text[*at..*at + length]);
            *at += length + 1;
            if text.get(*at) != Some(&b'"') {
                return true;
            }
            self.unquoted.push(b'"');
            *at += 1;
        }
    }
}

/// Appends the fields between delimiters, found eight bytes at a time: fields are short.
pub(super) fn split(line: &[u8], delimiter: u8, fields: &mut Vec<Range<usize>>) {
    /// All bits of every byte but the highest.
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let everywhere = u64::from_le_bytes([delimiter; 8]);
    let (mut start, mut base) = (0, 0);
    let mut rest = line;
    while let Some((bytes, more)) = rest.split_first_chunk::<8>() {
        let differs = u64::from_le_bytes(*bytes) ^ everywhere;
        // The highest bit of each byte that does not differ.
        let mut found = !(((differs & LOW) + LOW) | differs | LOW);
        while found != 0 {
            let end = base + (found.trailing_zeros() >> 3) as usize;
            fields.push(start..end);
            start = end + 1;
            found &= found - 1;
        }
        base += 8;
        rest = more;
    }
    for (at, _) in rest.iter().enumerate().filter(|(_, byte)| **byte == delimiter) {
        fields.push(start..base + at);
        start = base + at + 1;
    }
    fields.push(start..line.len());
}
