//! Parquet as the table that it holds: columns become CSV, which the readers of tables take on from there.
//!
//! Places in it are rows, from 1. Lists are divided by `;`, points of time are dates, and what is null is empty. A list of lists, and a map, is left out.
//! The footer tells how many rows and bytes there are: more than the options allow to be unpacked are refused before
//! anything is, and what a footer does not tell truly is refused where it shows. (One page is at most 2 GiB by the
//! format's own rules.)

mod column;

use super::Options;
use crate::error::{Error, Place, Problem};
use column::Column;
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The first and the last bytes of a file.
pub(super) const MAGIC: &[u8] = b"PAR1";

/// Rows that are turned into text at a time.
const BATCH: usize = 4096;

/// Why a file cannot be read.
enum Refusal {
    Broken(String),
    TooMuch(String),
}

impl From<ParquetError> for Refusal {
    fn from(error: ParquetError) -> Self {
        Self::Broken(error.to_string())
    }
}

/// The table in a file, as CSV with a header.
///
/// # Errors
/// It is broken, or larger than the options allow.
pub(super) fn table(file: &str, bytes: Vec<u8>, options: &Options<'_>) -> Result<Vec<u8>, Error> {
    let packed = bytes.len();
    let most = options.most_unpacked(packed);
    // The crate answers most of what is broken with an error, but not all.
    let read = catch_unwind(AssertUnwindSafe(|| text(bytes, most)));
    let refusal = match read {
        Ok(Ok(text)) => return Ok(text),
        Ok(Err(refusal)) => refusal,
        Err(_) => Refusal::Broken("it contradicts itself".to_owned()),
    };
    let problem = match refusal {
        Refusal::Broken(why) => Problem::new(format!("the Parquet data is broken: {why}"))
            .hint("the file may have been copied or downloaded in part"),
        Refusal::TooMuch(what) => {
            let found = format!("the Parquet data holds {what}: more than {} MiB unpacked", most >> 20);
            Problem::new(found).hint(format!(
                "{packed} compressed bytes should not; unpack it yourself if it is what it seems"
            ))
        }
    };
    Err(problem.at(Place::file(file)).into())
}

fn text(bytes: Vec<u8>, most: u64) -> Result<Vec<u8>, Refusal> {
    let reader = SerializedFileReader::new(bytes::Bytes::from(bytes))?;
    let metadata = reader.metadata();
    admit(metadata, most)?;
    let schema = metadata.file_metadata().schema_descr();
    let leaves: Vec<usize> =
        (0..schema.num_columns()).filter(|leaf| Column::is_read(schema, *leaf)).collect();
    let mut out = Vec::new();
    for (index, leaf) in leaves.iter().enumerate() {
        out.extend_from_slice(if index == 0 { b"" } else { b"," });
        column::quoted(Column::name(schema, *leaf).as_bytes(), &mut out);
    }
    out.push(b'\n');
    for group in 0..metadata.num_row_groups() {
        let group = reader.get_row_group(group)?;
        let mut left = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
        let mut columns = Vec::with_capacity(leaves.len());
        for leaf in &leaves {
            columns.push(Column::new(schema.column(*leaf), group.get_column_reader(*leaf)?));
        }
        while left > 0 {
            let rows = left.min(BATCH);
            for column in &mut columns {
                column.fill(rows)?;
            }
            for _ in 0..rows {
                for (index, column) in columns.iter_mut().enumerate() {
                    out.extend_from_slice(if index == 0 { b"" } else { b"," });
                    column.write_next(&mut out);
                }
                out.push(b'\n');
            }
            if out.len() as u64 > most {
                return Err(Refusal::TooMuch("a longer text than its footer tells".to_owned()));
            }
            left -= rows;
        }
    }
    Ok(out)
}

/// Refuses a file by what its footer tells: every value counts as a byte at least, as in a text.
fn admit(metadata: &ParquetMetaData, most: u64) -> Result<(), Refusal> {
    let told = |number: i64| u64::try_from(number).map_err(|_| Refusal::Broken("a negative size".to_owned()));
    let columns = metadata.file_metadata().schema_descr().num_columns().max(1) as u64;
    let (mut rows, mut size) = (0_u64, 0_u64);
    for group in metadata.row_groups() {
        rows = rows.saturating_add(told(group.num_rows())?);
        for column in group.columns() {
            size = size.saturating_add(told(column.uncompressed_size())?);
        }
    }
    if rows.saturating_mul(columns) > most || size > most {
        return Err(Refusal::TooMuch(format!("{rows} rows in {size} bytes")));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
