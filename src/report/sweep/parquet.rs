//! The rows of a sweep as Parquet, typed: the same that `runs.csv` has.

use crate::ensemble::MEASURES;
use crate::table::parquet::File;
use crate::table::{Cells, Head, Kind};
use std::io::{self, Write};

/// Rows of a group of the file.
const GROUP: usize = 1 << 16;

/// Writes lines of `runs.csv`, in their order, under the columns of a sweep over these keys. A key whose values are all
/// numbers has a column of numbers.
///
/// # Errors
/// Whatever `out` says, or a line that is not one of this sweep.
pub(super) fn write(keys: &[&str], lines: &[&str], out: &mut dyn Write) -> io::Result<()> {
    let records: Vec<csv::StringRecord> = lines.iter().map(|line| record(line)).collect::<io::Result<_>>()?;
    let kinds: Vec<Kind> = (0..keys.len())
        .map(|key| kind(records.iter().map(|own| own.get(2 + key).unwrap_or_default())))
        .collect();
    let heads = heads(keys, &kinds);
    let mut file = File::new(out, &heads)?;
    for group in records.chunks(GROUP) {
        let column = |(place, head): (usize, &Head<'_>)| {
            let mut cells = Cells::new(head.kind);
            for own in group {
                fill(own.get(place).unwrap_or_default(), head.kind, &mut cells);
                cells.end();
            }
            cells
        };
        file.group(heads.iter().enumerate().map(column).collect())?;
    }
    file.finish()
}

fn record(line: &str) -> io::Result<csv::StringRecord> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(line.as_bytes());
    reader.records().next().unwrap_or_else(|| Ok(csv::StringRecord::new())).map_err(io::Error::other)
}

/// What the values of a key are.
fn kind<'a>(mut values: impl Iterator<Item = &'a str> + Clone) -> Kind {
    if values.clone().all(|value| value.parse::<u32>().is_ok()) {
        return Kind::Integer;
    }
    if values.all(|value| value.parse::<f64>().is_ok_and(f64::is_finite)) { Kind::Real } else { Kind::Text }
}

fn heads<'a>(keys: &[&'a str], kinds: &[Kind]) -> Vec<Head<'a>> {
    let head = |name, unit, kind, about| Head { name, unit, kind, about, since: "0.1.0" };
    let mut heads = vec![
        head("run", "", Kind::Integer, "number of the run"),
        head("seed", "", Kind::Integer, "seed of every random number"),
    ];
    heads.extend(keys.iter().zip(kinds).map(|(key, kind)| head(key, "", *kind, "a key that varies")));
    heads.extend(
        MEASURES.iter().map(|measure| head(measure.key, measure.unit.name(), Kind::Real, measure.about)),
    );
    heads.push(head("jobs", "jobs", Kind::Integer, "how many jobs count"));
    heads.push(head(
        "stuck",
        "",
        Kind::Integer,
        "1 if jobs are left that nothing left to happen could start",
    ));
    heads.push(head("digest", "", Kind::Text, "digest of the history"));
    heads.push(head("problem", "", Kind::Text, "why the run could not be made"));
    heads
}

/// A cell of what a line says; nothing, where it says nothing.
fn fill(text: &str, kind: Kind, cells: &mut Cells) {
    match kind {
        _ if text.is_empty() => {}
        Kind::Integer => text.parse().into_iter().for_each(|number: u64| cells.integer(number)),
        Kind::Real => text.parse().into_iter().for_each(|number: f64| cells.real(number)),
        _ => cells.text(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ensemble::Delivered;
    use crate::report::sweep::line;
    use bytes::Bytes;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;

    #[test]
    fn the_file_has_what_the_lines_say() {
        let measures = MEASURES.iter().zip(1_u32..).map(|(_, place)| f64::from(place) / 3.0);
        let mut delivered = Delivered { values: measures.collect(), jobs: 12, ..Delivered::default() };
        delivered.values[1] = f64::NAN;
        let point = |nodes: &str, share: &str| ["easy", nodes, share].map(str::to_owned);
        let lines = [
            line(0, 7, &point("8", "0.5"), &Ok(delivered.clone())),
            line(1, 8, &point("16", "1"), &Err("a job, \"x\", asks for 72".to_owned())),
        ];
        let mut bytes = Vec::new();
        write(&["policy", "nodes", "share"], &[&lines[0], &lines[1]], &mut bytes).unwrap();
        let reader = SerializedFileReader::new(Bytes::from(bytes)).unwrap();
        let rows: Vec<Vec<Field>> = reader
            .get_row_iter(None)
            .unwrap()
            .map(|row| row.unwrap().get_column_iter().map(|(_, field)| field.clone()).collect())
            .collect();
        assert_eq!(rows[0][..3], [Field::Long(0), Field::Long(7), Field::Str("easy".to_owned())], "inputs");
        assert_eq!(
            (&rows[1][3], &rows[1][4]),
            (&Field::Long(16), &Field::Double(1.0)),
            "numbers by their kind"
        );
        assert_eq!(rows[0][5], Field::Double(delivered.values[0]), "to the last bit");
        assert_eq!((&rows[0][6], &rows[1][5]), (&Field::Null, &Field::Null), "nothing is known");
        assert_eq!(rows[1].last(), Some(&Field::Str("a job, \"x\", asks for 72".to_owned())), "why not");
        assert_eq!(rows[0].len(), 2 + 3 + MEASURES.len() + 4, "every column");
    }
}
