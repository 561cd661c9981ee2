#[cfg(test)]
mod tests;

use super::field::{self, Decimal};
use super::intake::{Intake, TIME_MAX};
use super::key::TimeUnit;
use super::layout::{Layout, words};
use super::rejoin::FreeText;
use super::synonyms;
use crate::error::{Place, Problem};
use crate::units::Gpus;
use memchr::{memchr, memchr_iter, memchr2};
use std::ops::Range;

/// Lines of fields under a header: CSV with quotes, any other delimiter, or columns of a width each. One record at a
/// time, nothing allocated per line.
pub(super) struct Table<'a> {
    pub(super) whole: &'a [u8],
    pub(super) rest: &'a [u8],
    layout: Layout,
    pub(super) columns: Vec<Vec<u8>>,
    /// The header as it stands, to know it where dumps were joined.
    header: &'a [u8],
    pub(super) next_number: usize,
    number: usize,
    pub(super) line: &'a [u8],
    pub(super) fields: Vec<Range<usize>>,
    /// The fields of a record with quotes, without them; `fields` then point in here.
    unquoted: Vec<u8>,
    pub(super) quoted: bool,
    /// Whether names of columns are found in any case.
    pub(super) any_case: bool,
    /// Which columns are free text, where that may hold a delimiter.
    pub(super) free_text: Option<FreeText>,
}

impl<'a> Table<'a> {
    /// Reads the header of a table with these columns among others, whatever divides them.
    pub(super) fn open_any(text: &'a [u8], names: &[&str], intake: &mut Intake<'_>) -> Option<Self> {
        Self::open(text, Layout::of(text, names), intake)
    }
    /// Reads the header, unless the user names the columns.
    pub(super) fn open(text: &'a [u8], layout: Layout, intake: &mut Intake<'_>) -> Option<Self> {
        let named = &intake.options.map.columns;
        if !named.is_empty() {
            let layout = Layout::of_fields(text, named.len()).unwrap_or(layout);
            let columns = named.iter().map(|name| name.trim().as_bytes().to_vec()).collect();
            return Some(Self::with_columns(text, layout, columns));
        }
        let mut table = Self::with_columns(text, layout, Vec::new());
        if !table.advance(intake) {
            return None;
        }
        table.header = table.line;
        let names = table.layout.names(table.line);
        table.columns = names.into_iter().map(String::into_bytes).collect();
        // The line of dashes.
        if let Layout::Padded(_) = table.layout {
            table.advance(intake);
        }
        Some(table)
    }
    /// A table without a header.
    pub(super) fn with_columns(text: &'a [u8], layout: Layout, columns: Vec<Vec<u8>>) -> Self {
        Self {
            whole: text,
            rest: text,
            layout,
            columns,
            header: b"",
            next_number: 1,
            number: 1,
            line: b"",
            fields: Vec::new(),
            unquoted: Vec::new(),
            quoted: false,
            any_case: true,
            free_text: None,
        }
    }

    /// The index of the column of that name.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        let exact = self.columns.iter().position(|column| *column == name.as_bytes());
        let alike = |column: &Vec<u8>| self.any_case && column.eq_ignore_ascii_case(name.as_bytes());
        exact.or_else(|| self.columns.iter().position(alike))
    }
    /// How many columns are called so.
    pub(super) fn count(&self, name: &str) -> usize {
        self.columns.iter().filter(|column| **column == name.as_bytes()).count()
    }
    /// The names of the columns.
    pub(super) fn columns(&self) -> impl Iterator<Item = &[u8]> {
        self.columns.iter().map(Vec::as_slice)
    }
    /// The indices of columns without which nothing can be read; a problem names all that are not there.
    pub(super) fn require<const N: usize>(
        &self,
        names: [&str; N],
        intake: &mut Intake<'_>,
    ) -> Option<[usize; N]> {
        let missing: Vec<&str> = names.iter().copied().filter(|name| self.column(name).is_none()).collect();
        if missing.is_empty() {
            return Some(names.map(|name| self.column(name).expect("none is missing")));
        }
        self.no_columns(&missing, intake);
        None
    }

    /// Says that columns are not there.
    pub(super) fn no_columns(&self, missing: &[&str], intake: &mut Intake<'_>) {
        let what = missing.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let noun = if missing.len() == 1 { "column" } else { "columns" };
        let (number, line) = (self.number, self.line);
        let near = self.near(missing);
        intake.problem(|file| {
            let problem = Problem::new(format!("no {noun} {what}")).at(Place::line(file, number, line));
            if near.is_empty() {
                problem
            } else {
                problem
                    .hint(format!("is {near}? `--format table` reads any table, `--map` says what is what"))
            }
        });
    }

    /// Columns that by their names may be missing ones.
    fn near(&self, missing: &[&str]) -> String {
        let names: Vec<_> = self.columns().map(String::from_utf8_lossy).collect();
        let columns: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
        let near = missing.iter().filter_map(|name| {
            let found: Vec<_> =
                synonyms::meant(name, &columns).iter().map(|column| format!("`{column}`")).collect();
            (!found.is_empty()).then(|| format!("{} meant to be `{name}`", found.join(" or ")))
        });
        near.collect::<Vec<_>>().join(", ")
    }

    /// Goes to the next record that has as many fields as the header.
    pub(super) fn next(&mut self, intake: &mut Intake<'_>) -> bool {
        while self.advance(intake) {
            if self.fields.len() == self.columns.len() {
                if !self.header.is_empty() && self.line == self.header {
                    intake.notes.count("line", "that repeats the header: passed over", 1);
                    continue;
                }
                return true;
            }
            if self.rejoin() {
                intake.notes.count(
                    "line",
                    "with free text in more fields or lines than one: put together",
                    1,
                );
                return true;
            }
            self.wrong_length(intake);
        }
        false
    }

    fn wrong_length(&self, intake: &mut Intake<'_>) {
        let (found, expected) = (self.fields.len(), self.columns.len());
        let (number, line) = (self.number, self.line);
        let named = if self.header.is_empty() { "are named" } else { "has" };
        let subject = if self.header.is_empty() { "columns" } else { "the header" };
        let free = self.layout == Layout::Delimited(b'|');
        intake.bad_line(number, |file| {
            let message = match self.header {
                b"" => format!("a line of {found} fields; {expected} {subject} {named}"),
                _ => format!("a line of {found} fields; {subject} {named} {expected}"),
            };
            let problem = Problem::new(message).at(Place::line(file, number, line));
            if free {
                problem.hint("leave out free-text columns (JobName, Comment, SubmitLine) or put one last")
            } else {
                problem
            }
        });
    }

    /// Goes to the next line that is not blank and splits it.
    fn advance(&mut self, intake: &mut Intake<'_>) -> bool {
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
            return true;
        }
        false
    }

    /// Splits the line into its fields.
    pub(super) fn split_again(&mut self) {
        self.fields.clear();
        match &self.layout {
            Layout::Delimited(delimiter) => split(self.line, *delimiter, &mut self.fields),
            Layout::Words => self.fields.extend(words(self.line)),
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
        self.next_number += memchr_iter(b'\n', line).count() + 1;
        self.rest = text.get(at + 1..).unwrap_or_default();
        true
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

    /// A field of the record, without blanks around it.
    pub(super) fn get(&self, column: usize) -> &[u8] {
        let data = if self.quoted { self.unquoted.as_slice() } else { self.line };
        data[self.fields[column].clone()].trim_ascii()
    }
    /// A field of the record; empty if there is no such column, or nothing in it.
    pub(super) fn optional(&self, column: Option<usize>) -> &[u8] {
        let value = column.map_or(b"".as_slice(), |column| self.get(column));
        if field::missing(value) { b"" } else { value }
    }
    /// The record as it stands in the file, and the number of its first line.
    pub(super) const fn place(&self) -> (usize, &'a [u8]) {
        (self.number, self.line)
    }

    /// Says that a field is not what was expected.
    pub(super) fn wrong(&self, column: usize, expected: &str, intake: &mut Intake<'_>) {
        let what = String::from_utf8_lossy(&self.columns[column]).into_owned();
        intake.wrong(self.number, self.line, self.get(column), &what, expected);
    }
    /// As [`Table::wrong`], with what to do about it.
    pub(super) fn wrong_with(&self, column: usize, expected: &str, hint: &str, intake: &mut Intake<'_>) {
        let what = String::from_utf8_lossy(&self.columns[column]).into_owned();
        intake.wrong_with(self.number, self.line, self.get(column), &what, expected, Some(hint));
    }
    /// A point of time, as a date or in seconds, fractions rounded down.
    pub(super) fn instant(&self, column: usize, intake: &mut Intake<'_>) -> Option<u32> {
        let instant = intake.instant(self.get(column));
        if instant.is_none() {
            self.wrong(column, INSTANT, intake);
        }
        instant
    }
    /// A length of time in seconds, fractions rounded up.
    pub(super) fn length(&self, column: usize, intake: &mut Intake<'_>) -> Option<u32> {
        let length = intake.length(self.get(column));
        if length.is_none() {
            self.wrong(column, LENGTH, intake);
        }
        length
    }
    /// A whole number, which may be written as `8.0`.
    pub(super) fn whole(&self, column: usize, most: u32, intake: &mut Intake<'_>) -> Option<u32> {
        let value = whole(self.get(column)).filter(|value| *value <= most);
        if value.is_none() {
            self.wrong(column, &format!("a whole number up to {most}"), intake);
        }
        value
    }
    /// A whole number of GPUs.
    pub(super) fn gpus(&self, column: usize, intake: &mut Intake<'_>) -> Option<Gpus> {
        self.whole(column, Gpus::MAX_WHOLE, intake).map(Gpus::whole)
    }
    /// A name; an empty one is `otherwise`.
    pub(super) fn text<'t>(
        &'t self,
        column: usize,
        otherwise: &'t str,
        intake: &mut Intake<'_>,
    ) -> Option<&'t str> {
        match std::str::from_utf8(self.get(column)) {
            Ok("") => Some(otherwise),
            Ok(text) => Some(text),
            Err(_) => {
                self.wrong(column, "UTF-8", intake);
                None
            }
        }
    }
}

/// What a point of time looks like, in messages.
pub(super) const INSTANT: &str = "seconds or a date like `2017-10-09 07:01:55`, from 1970 to 2106";
/// What a length of time looks like, in messages.
pub(super) const LENGTH: &str = "seconds, at most 136 years";

/// A whole number, which may be written as `8.0`.
pub(super) fn whole(bytes: &[u8]) -> Option<u32> {
    if let Some(value) = field::count(bytes) {
        return Some(value);
    }
    let Decimal { floor, fraction } = field::decimal(bytes)?;
    u32::try_from(floor).ok().filter(|_| !fraction)
}

/// Appends the fields between delimiters, found eight bytes at a time: fields are short.
fn split(line: &[u8], delimiter: u8, fields: &mut Vec<Range<usize>>) {
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

/// A header's name of a column: no blanks, no quotes.
pub(super) fn name(field: &[u8]) -> &[u8] {
    let field = field.trim_ascii();
    field.strip_prefix(b"\"").and_then(|field| field.strip_suffix(b"\"")).unwrap_or(field)
}

impl Intake<'_> {
    /// A point of time in a date or in seconds, fractions rounded down.
    pub(super) fn instant(&mut self, bytes: &[u8]) -> Option<u32> {
        self.instant_in(bytes, TimeUnit::Second)
    }
    /// A point of time in a date or in some unit, fractions of a second rounded down.
    pub(super) fn instant_in(&mut self, bytes: &[u8], unit: TimeUnit) -> Option<u32> {
        if let Some(b'-' | b'/') = bytes.get(4) {
            let date = field::any_date(bytes)?;
            self.naive |= date.naive;
            self.fractions += u64::from(date.fraction);
            self.dates = true;
            return u32::try_from(date.seconds)
                .ok()
                .filter(|time| *time <= TIME_MAX)
                .inspect(|time| self.saw(*time));
        }
        let seconds = field::seconds(bytes, unit)?;
        self.fractions += u64::from(seconds.fraction);
        u32::try_from(seconds.floor).ok().filter(|time| *time <= TIME_MAX).inspect(|time| self.saw(*time))
    }
    fn saw(&mut self, time: u32) {
        self.latest = self.latest.max(time);
    }
    /// A length of time in seconds, fractions rounded up.
    pub(super) fn length(&mut self, bytes: &[u8]) -> Option<u32> {
        self.length_in(bytes, TimeUnit::Second)
    }
    /// A length of time in some unit, fractions of a second rounded up.
    pub(super) fn length_in(&mut self, bytes: &[u8], unit: TimeUnit) -> Option<u32> {
        let seconds = field::seconds(bytes, unit)?;
        self.fractions += u64::from(seconds.fraction);
        u32::try_from(seconds.ceil()).ok().filter(|time| *time <= TIME_MAX)
    }
}
