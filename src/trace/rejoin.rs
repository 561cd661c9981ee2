//! Free text that holds what divides columns or lines, put together again where that is certain.

use super::table::Table;
use memchr::memchr;

/// Columns of free text, and how to tell that a value fits any other one.
#[derive(Debug, Clone, Copy)]
pub(super) struct FreeText {
    /// Their names.
    pub names: &'static [&'static str],
    /// Names of columns of lists, which hold the delimiter where that is a comma.
    pub lists: &'static [&'static str],
    /// Whether a value may stand in the column of that name.
    pub fits: fn(&str, &[u8]) -> bool,
}

/// More fields or lines than these are not one record.
const MOST: usize = 16;

impl Table<'_> {
    /// Whether the record, of too many or too few fields, can be put together in exactly one way; then it is.
    pub(super) fn rejoin(&mut self) -> bool {
        let Some(text) = self.free_text else { return false };
        let free: Vec<usize> = (0..self.columns.len())
            .filter(|column| {
                let is = |name: &&str| self.columns[*column].eq_ignore_ascii_case(name.as_bytes());
                text.names.iter().any(is) || self.has_commas() && text.lists.iter().any(is)
            })
            .collect();
        if free.is_empty() || self.quoted {
            return false;
        }
        let wanted = self.columns.len();
        let (line, rest, next_number) = (self.line, self.rest, self.next_number);
        let mut lines = 0;
        while self.fields.len() < wanted && lines < MOST && self.append_line() {
            lines += 1;
        }
        let extra = self.fields.len().checked_sub(wanted).filter(|extra| *extra <= MOST);
        if let Some(ways) = extra.map(|extra| self.ways(&free, extra, text))
            && let [way] = ways.as_slice()
        {
            self.merge(&free, way);
            return true;
        }
        if lines > 0 {
            (self.line, self.rest, self.next_number) = (line, rest, next_number);
            self.split_again();
        }
        false
    }

    /// Makes the next line part of the record; false if there is none.
    fn append_line(&mut self) -> bool {
        if self.rest.is_empty() {
            return false;
        }
        let end = memchr(b'\n', self.rest).unwrap_or(self.rest.len());
        let start = self.line.as_ptr().addr() - self.whole.as_ptr().addr();
        let stop = self.rest.as_ptr().addr() - self.whole.as_ptr().addr() + end;
        let line = &self.whole[start..stop];
        self.line = line.strip_suffix(b"\r").unwrap_or(line);
        self.rest = self.rest.get(end + 1..).unwrap_or_default();
        self.next_number += 1;
        self.split_again();
        true
    }

    /// How `extra` fields may be given to the columns of free text so that every other column fits; two ways at most.
    fn ways(&self, free: &[usize], extra: usize, text: FreeText) -> Vec<Vec<usize>> {
        let mut ways = Vec::new();
        let mut way = vec![0; free.len()];
        way[0] = extra;
        let mut tried = 0;
        loop {
            if self.fits(free, &way, text) {
                ways.push(way.clone());
            }
            tried += 1;
            if ways.len() > 1 || tried > 1000 || !next(&mut way) {
                break;
            }
        }
        if tried > 1000 { Vec::new() } else { ways }
    }

    /// Whether every column that is not of free text fits, where free ones take `way` fields more.
    fn fits(&self, free: &[usize], way: &[usize], text: FreeText) -> bool {
        let mut at = 0;
        (0..self.columns.len()).all(|column| {
            let start = at;
            let place = free.iter().position(|known| *known == column);
            at += 1 + place.map_or(0, |place| way[place]);
            let name = String::from_utf8_lossy(&self.columns[column]);
            let value = &self.line[self.fields[start].start..self.fields[at - 1].end];
            (place.is_some() || !value.contains(&b'\n')) && (text.fits)(&name, value.trim_ascii())
        })
    }

    fn merge(&mut self, free: &[usize], way: &[usize]) {
        let mut at = 0;
        let mut fields = Vec::with_capacity(self.columns.len());
        for column in 0..self.columns.len() {
            let more = free.iter().position(|known| *known == column).map_or(0, |place| way[place]);
            fields.push(self.fields[at].start..self.fields[at + more].end);
            at += 1 + more;
        }
        self.fields = fields;
    }
}

/// The next way to give out the same number; false after the last.
fn next(way: &mut [usize]) -> bool {
    let last = way.len() - 1;
    let Some(from) = (0..last).rev().find(|place| way[*place] > 0) else { return false };
    way[from] -= 1;
    let rest = way[last] + 1;
    way[last] = 0;
    way[from + 1] = rest;
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_is_tried_once() {
        let mut way = vec![2, 0, 0];
        let mut ways = vec![way.clone()];
        while next(&mut way) {
            ways.push(way.clone());
        }
        ways.sort();
        ways.dedup();
        assert_eq!(ways.len(), 6, "two among three: {ways:?}");
        assert!(!next(&mut [3]), "one has all");
    }
}
