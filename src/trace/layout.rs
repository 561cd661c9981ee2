//! How a table is laid out, found from its first lines: what stands between columns, or how wide they are.

use super::Head;
use super::table::name;
use memchr::memchr;
use std::ops::Range;

/// What stands between the fields of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Layout {
    /// A byte. Between `|` a quote is a character like others.
    Delimited(u8),
    /// Nothing: each column has its place, as a line of dashes below the header shows.
    Padded(Vec<Range<usize>>),
    /// Blanks, any number of them; lines that begin with `#` are comments.
    Words,
}

/// What may stand between columns, the likeliest first.
const DELIMITERS: [u8; 4] = *b",|\t;";

/// Whether a line names all these columns, in any order and case.
fn has(line: &[u8], delimiter: u8, names: &[&str]) -> bool {
    let named = |wanted: &&str| {
        line.split(|byte| *byte == delimiter).any(|field| name(field).eq_ignore_ascii_case(wanted.as_bytes()))
    };
    names.iter().all(named)
}

/// The delimiter under which a line names all these columns.
pub(super) fn delimiter(line: &[u8], names: &[&str]) -> Option<u8> {
    DELIMITERS.into_iter().find(|delimiter| has(line, *delimiter, names))
}

/// Where the words of a line are.
pub(super) fn words(line: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    line.split(u8::is_ascii_whitespace).filter_map(move |word| {
        let place = start..start + word.len();
        start = place.end + 1;
        (!word.is_empty()).then_some(place)
    })
}

/// Whether a line names all these columns, blanks between them.
pub(super) fn has_words(line: &[u8], names: &[&str]) -> bool {
    let named = |wanted: &&str| words(line).any(|word| line[word].eq_ignore_ascii_case(wanted.as_bytes()));
    names.iter().all(named)
}

/// The first line of a text that is not blank, below comments.
pub(super) fn first_line(text: &[u8]) -> &[u8] {
    first_row(text).1
}

/// The first line of a table, and its number: the header. Lines that begin with `#` above it are comments; where numbers
/// stand below the last of these, that is the header, without its `#`.
pub(super) fn first_row(text: &[u8]) -> (usize, &[u8]) {
    let text = Head::new(text).bytes;
    let mut lines =
        (1..).zip(text.split(|byte| *byte == b'\n')).map(|(number, line)| (number, line.trim_ascii()));
    let mut comment = None;
    let first = lines.find(|(number, line)| {
        if line.starts_with(b"#") {
            comment =
                Some((*number, line.trim_ascii_start().strip_prefix(b"#").unwrap_or(line).trim_ascii()));
        }
        !line.is_empty() && !line.starts_with(b"#")
    });
    // No name of a column begins with a digit.
    let is_number = |field: &[u8]| field.trim_ascii().first().is_some_and(u8::is_ascii_digit);
    let is_data =
        |line: &[u8]| line.split(|byte| matches!(byte, b',' | b'|' | b'\t' | b';' | b' ')).any(is_number);
    match (comment, first) {
        (Some(header), Some((_, line))) if is_data(line) => header,
        (Some(header), None) => header,
        (_, first) => first.unwrap_or((1, b"")),
    }
}

impl Layout {
    /// How a table with these columns is laid out; with commas if they are not all there.
    pub(super) fn of(text: &[u8], names: &[&str]) -> Self {
        let line = first_line(text);
        match delimiter(line, names) {
            Some(delimiter) => Self::Delimited(delimiter),
            None if has_words(line, names) => Self::Words,
            None => Self::Delimited(b','),
        }
    }
    /// Delimited by whatever divides the first line into `count` fields.
    pub(super) fn of_fields(text: &[u8], count: usize) -> Option<Self> {
        let line = first_line(text);
        let fits = |delimiter: &u8| line.split(|byte| byte == delimiter).count() == count;
        let in_words = || (words(line).count() == count).then_some(Self::Words);
        DELIMITERS.into_iter().find(fits).map(Self::Delimited).or_else(in_words)
    }
    /// How any table is laid out: divided so that these columns are there, else into the most fields, at least two; by
    /// blanks where nothing else divides the header.
    pub(super) fn guess(text: &[u8], names: &[&str]) -> Option<Self> {
        let line = first_line(text);
        let known = || delimiter(line, names).filter(|_| !names.is_empty());
        let count = |delimiter: u8| line.iter().filter(|byte| **byte == delimiter).count();
        let most = || DELIMITERS.into_iter().rev().max_by_key(|delimiter| count(*delimiter));
        let divided = || known().or_else(|| most().filter(|delimiter| count(*delimiter) > 0));
        let in_words = || (words(line).count() > 1).then_some(Self::Words);
        Self::padded(text).or_else(|| divided().map(Self::Delimited)).or_else(in_words)
    }
    /// The names of the columns in a header.
    pub(super) fn names(&self, line: &[u8]) -> Vec<String> {
        let text = |field: &[u8]| String::from_utf8_lossy(name(field)).into_owned();
        match self {
            Self::Delimited(delimiter) => line.split(|byte| byte == delimiter).map(text).collect(),
            Self::Words => words(line).map(|word| text(&line[word])).collect(),
            Self::Padded(columns) => {
                let part =
                    |column: &Range<usize>| &line[column.start.min(line.len())..column.end.min(line.len())];
                columns.iter().map(|column| text(part(column))).collect()
            }
        }
    }
    /// Padded columns: dashes below the header say how wide they are.
    pub(super) fn padded(text: &[u8]) -> Option<Self> {
        let (_, below) = text.split_at(memchr(b'\n', text)? + 1);
        let dashes = &below[..memchr(b'\n', below).unwrap_or(below.len())];
        let dashes = dashes.strip_suffix(b"\r").unwrap_or(dashes);
        if !dashes.starts_with(b"-") || !dashes.iter().all(|byte| matches!(byte, b'-' | b' ')) {
            return None;
        }
        let mut columns = Vec::new();
        let mut start = 0;
        for word in dashes.split(|byte| *byte == b' ') {
            if !word.is_empty() {
                columns.push(start..start + word.len());
            }
            start += word.len() + 1;
        }
        Some(Self::Padded(columns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_may_stand_below_comments_or_be_one() {
        for (text, expected) in [
            ("\n a,b \n1,2\n", (2, "a,b")),
            ("# made by hand\na,b\nx,2\n", (2, "a,b")),
            ("# made by hand\n#a,b\nx,2\n", (2, "a,b")),
            ("# id gpus\n1 2\n", (1, "id gpus")),
            ("# id gpus\n", (1, "id gpus")),
            ("", (1, "")),
        ] {
            let (number, line) = first_row(text.as_bytes());
            assert_eq!((number, std::str::from_utf8(line).unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn layouts_are_found() {
        for (text, expected) in [("a,b\n", b','), ("A|B\n", b'|'), ("\n\"b\"\ta\n", b'\t'), ("b; a\n", b';')]
        {
            assert_eq!(Layout::of(text.as_bytes(), &["a", "b"]), Layout::Delimited(expected), "{text}");
        }
        assert_eq!(Layout::of_fields(b"1|2,5|3\n", 3), Some(Layout::Delimited(b'|')), "three fields");
        assert_eq!(Layout::of_fields(b"1 2 3\n", 3), Some(Layout::Words), "blanks");
        assert_eq!(Layout::of_fields(b"1 2 3\n", 2), None, "not two");
        assert_eq!(Layout::guess(b"id gpus  time\n1 2 3\n", &[]), Some(Layout::Words), "blanks");
        let found: Vec<_> = words(b" 1  -1\tU1 ").collect();
        assert_eq!(found, [1..2, 4..6, 7..9], "whatever stands between");
        let padded = b"JobID  State\n------ -----\n1      R\n";
        assert_eq!(Layout::padded(padded), Some(Layout::Padded(vec![0..6, 7..12])), "as wide as the dashes");
        assert_eq!(Layout::padded(b"a b\n1 2\n"), None, "no dashes");
    }
}
