mod record;
#[cfg(test)]
mod tests;

use super::checked::Checked;
use super::field::{self, Decimal};
use super::intake::{Intake, TIME_MAX};
use super::key::TimeUnit;
use super::layout::{Layout, first_row};
use super::rejoin::FreeText;
use super::synonyms;
use crate::error::{Place, Problem};
use crate::units::Gpus;
use std::fmt::Display;
use std::ops::Range;

/// Lines of fields under a header: CSV with quotes, any other delimiter, or columns of a width each. One record at a
/// time, nothing allocated per line.
pub(super) struct Table<'a> {
    pub(super) whole: &'a [u8],
    pub(super) checked: Checked<'a>,
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
        table.next_number = usize::from(!intake.by_row);
        if text.trim_ascii_start().starts_with(b"#") {
            let (number, line) = first_row(text);
            table.rest = &text[line.as_ptr().addr() - text.as_ptr().addr()..];
            table.next_number = number;
        }
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
            checked: Checked::new(text),
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
        let near = self.near(missing);
        intake.problem(|file| {
            let problem = Problem::new(format!("no {noun} {what}")).at(self.place_in(file));
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
        let hint = match self.layout {
            Layout::Delimited(b'|') => {
                Some("leave out free-text columns (JobName, Comment, SubmitLine) or put one last")
            }
            _ if self.free_text.is_some() => Some(
                "print it with `sacct --parsable2` (`-P`): what stands between columns is then in no list",
            ),
            _ => None,
        };
        intake.bad_line(number, |file| {
            let message = match self.header {
                b"" => format!("a line of {found} fields; {expected} {subject} {named}"),
                _ => format!("a line of {found} fields; {subject} {named} {expected}"),
            };
            let problem = Problem::new(message).at(Place::line(file, number, line));
            if let Some(hint) = hint { problem.hint(hint) } else { problem }
        });
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

    /// Where the record is; the header of rows has no number.
    pub(super) fn place_in(&self, file: &str) -> Place {
        match self.number {
            0 => Place::file(file),
            number => Place::line(file, number, self.line),
        }
    }

    /// Whether commas divide the fields.
    pub(super) fn has_commas(&self) -> bool {
        self.layout == Layout::Delimited(b',')
    }
    /// Whether a column of a width was too narrow for a field, which then ends in `+`.
    pub(super) fn is_cut(&self, column: usize) -> bool {
        matches!(self.layout, Layout::Padded(_)) && self.get(column).ends_with(b"+")
    }

    /// Says that a field is not what was expected.
    pub(super) fn wrong(&self, column: usize, expected: &str, intake: &mut Intake<'_>) {
        if self.is_cut(column) {
            return self.wrong_with(column, expected, CUT, intake);
        }
        let what = String::from_utf8_lossy(&self.columns[column]).into_owned();
        intake.wrong(self.number, self.line, self.get(column), &what, expected);
    }
    /// As [`Table::wrong`], with what to do about it.
    pub(super) fn wrong_with(&self, column: usize, expected: &str, hint: &str, intake: &mut Intake<'_>) {
        let what = String::from_utf8_lossy(&self.columns[column]).into_owned();
        intake.wrong_with(self.number, self.line, self.get(column), &what, expected, Some(hint));
    }
    /// A value as `parse` reads it.
    fn read<'i, T>(
        &self,
        (column, value): (usize, &[u8]),
        expected: impl Display,
        intake: &mut Intake<'i>,
        parse: impl FnOnce(&mut Intake<'i>, &[u8]) -> Option<T>,
    ) -> Option<T> {
        let parsed = parse(intake, value);
        if parsed.is_none() {
            self.wrong(column, &expected.to_string(), intake);
        }
        parsed
    }
    /// A value as `parse` reads it, where there is such a column and something in it.
    pub(super) fn told<'i, T>(
        &self,
        column: Option<usize>,
        expected: impl Display,
        intake: &mut Intake<'i>,
        parse: impl FnOnce(&mut Intake<'i>, &[u8]) -> Option<T>,
    ) -> Option<Option<T>> {
        match column.map(|column| (column, self.optional(Some(column)))) {
            None | Some((_, b"")) => Some(None),
            Some(field) => self.read(field, expected, intake, parse).map(Some),
        }
    }
    /// A point of time, as a date or in seconds, fractions rounded down.
    pub(super) fn instant(&self, column: usize, intake: &mut Intake<'_>) -> Option<u32> {
        self.read((column, self.get(column)), INSTANT, intake, Intake::instant)
    }
    /// The same, where it is told.
    pub(super) fn told_instant(&self, column: Option<usize>, intake: &mut Intake<'_>) -> Option<Option<u32>> {
        self.told(column, INSTANT, intake, Intake::instant)
    }
    /// A length of time in seconds, fractions rounded up.
    pub(super) fn length(&self, column: usize, intake: &mut Intake<'_>) -> Option<u32> {
        self.read((column, self.get(column)), LENGTH, intake, Intake::length)
    }
    /// The same, where it is told.
    pub(super) fn told_length(&self, column: Option<usize>, intake: &mut Intake<'_>) -> Option<Option<u32>> {
        self.told(column, LENGTH, intake, Intake::length)
    }
    /// A whole number, which may be written as `8.0`.
    pub(super) fn whole(&self, column: usize, most: u32, intake: &mut Intake<'_>) -> Option<u32> {
        let expected = format_args!("a whole number up to {most}");
        self.read((column, self.get(column)), expected, intake, |_, value| whole_up_to(value, most))
    }
    /// The same, where it is told; else 0.
    pub(super) fn told_whole(
        &self,
        column: Option<usize>,
        most: u32,
        intake: &mut Intake<'_>,
    ) -> Option<u32> {
        let expected = format_args!("a whole number up to {most}");
        let told = self.told(column, expected, intake, |_, value| whole_up_to(value, most));
        told.map(Option::unwrap_or_default)
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
        match self.checked.part(self.get(column)) {
            Some("") => Some(otherwise),
            Some(text) => Some(text),
            None => {
                self.wrong(column, "UTF-8", intake);
                None
            }
        }
    }
}

/// What to do about a column that is too narrow.
const CUT: &str =
    "a narrow column cut it off: print with `--parsable2` (`-P`), or wider, such as `-o ReqTRES%80`";

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

fn whole_up_to(bytes: &[u8], most: u32) -> Option<u32> {
    whole(bytes).filter(|value| *value <= most)
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
        let length = u32::try_from(seconds.ceil()).ok().filter(|time| *time <= TIME_MAX)?;
        self.fractions += u64::from(seconds.fraction);
        Some(length)
    }
}
