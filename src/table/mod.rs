//! Tables of named, typed columns, and the two ways to write them: CSV for people, Parquet for analysis.
//!
//! A table is a list of [`Column`]s: what each is called, counted in and says, and how a cell of it is made of a row.
//! Both files are written from that one list, so that they hold the same, and a dictionary of columns is printed from
//! it.
//!
//! ```
//! use gigawatt::table::{Cells, Column, Encoding, Head, Kind, Writer};
//! struct Run { seed: u64, wait: f64, nodes: Vec<u32> }
//! let head = |name, unit, kind| Head { name, unit, kind, about: "", since: "0.1.0" };
//! let columns: [Column<Run>; 3] = [
//!     Column { head: head("seed", "", Kind::Integer), write: |run, cells| cells.integer(run.seed) },
//!     Column { head: head("wait", "s", Kind::Real), write: |run, cells| cells.real(run.wait) },
//!     Column {
//!         head: head("nodes", "", Kind::Indices),
//!         write: |run, cells| cells.indices("n", |found| found.extend(run.nodes.iter().map(|node| *node..=*node))),
//!     },
//! ];
//! let run = Run { seed: 7, wait: 2.5, nodes: vec![17, 29] };
//! let mut text = Vec::new();
//! let mut writer = Writer::new(Encoding::Csv, &columns, &mut text).unwrap();
//! writer.rows(&[run]).unwrap();
//! writer.finish().unwrap();
//! assert_eq!(text, b"seed,wait,nodes\n7,2.5,n17;n29\n");
//! ```
//!
//! Columns that are only known at run time are collected in [`Cells`] and written by [`parquet::File`].

mod cells;
pub mod parquet;
#[cfg(test)]
mod tests;

pub use cells::Cells;

use ::parquet::errors::ParquetError;
use rayon::prelude::*;
use std::io::{self, Write};

/// What the cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Whole numbers of 64 bits.
    Integer,
    /// Real numbers; what is not a number is not known.
    Real,
    /// Words, of which many are the same.
    Text,
    /// Names, of which hardly two are the same.
    Name,
    /// Instants in UTC, to the second: `2026-01-31T18:00:00Z`.
    Instant,
    /// Ascending indices, `n3-5;n9` in CSV, so that no reader takes them for a number; lists in Parquet.
    Indices,
    /// Names, with `;` between them in CSV; lists in Parquet.
    Texts,
}

impl Kind {
    /// What a user reads of it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Real => "real",
            Self::Text | Self::Name => "text",
            Self::Instant => "UTC",
            Self::Indices | Self::Texts => "list",
        }
    }
}

/// What is known of a column without a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head<'a> {
    /// As files call it.
    pub name: &'a str,
    /// What it is counted in; empty for names and lists.
    pub unit: &'a str,
    /// What its cells are.
    pub kind: Kind,
    /// What it says, with its formula where it has one.
    pub about: &'a str,
    /// The first version that wrote it.
    pub since: &'a str,
}

/// One column of a table of rows `R`.
#[derive(Debug)]
pub struct Column<R> {
    /// What it is called and says.
    pub head: Head<'static>,
    /// Writes the cell of a row; nothing, where nothing is known.
    pub write: fn(&R, &mut Cells),
}

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Text with commas, a line a row.
    Csv,
    /// Apache Parquet, compressed with zstd.
    Parquet,
}

impl Encoding {
    /// Every one.
    pub const ALL: &[Self] = &[Self::Csv, Self::Parquet];
}

/// Rows that one thread turns into text at a time.
const CHUNK: usize = 4096;

/// Writes rows under columns.
#[derive(Debug)]
pub struct Writer<'a, R> {
    columns: &'a [Column<R>],
    to: To<'a>,
}

enum To<'a> {
    Csv(&'a mut dyn Write),
    Parquet(Box<parquet::File<'a>>),
}

impl std::fmt::Debug for To<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Csv(_) => "Csv",
            Self::Parquet(_) => "Parquet",
        })
    }
}

impl<'a, R: Sync> Writer<'a, R> {
    /// Rows that are best handed over at a time: enough for a group of a Parquet file, few enough for memory.
    pub const BATCH: usize = 1 << 17;

    /// Begins a table.
    ///
    /// # Errors
    /// The system says no.
    pub fn new(encoding: Encoding, columns: &'a [Column<R>], out: &'a mut dyn Write) -> io::Result<Self> {
        let to = match encoding {
            Encoding::Csv => {
                let mut header = Cells::line();
                columns.iter().for_each(|column| {
                    header.text(column.head.name);
                    header.comma();
                });
                out.write_all(&header.lines())?;
                To::Csv(out)
            }
            Encoding::Parquet => {
                let heads: Vec<Head<'_>> = columns.iter().map(|column| column.head).collect();
                To::Parquet(Box::new(parquet::File::new(out, &heads)?))
            }
        };
        Ok(Self { columns, to })
    }
    /// Writes rows below those that are there; of a Parquet file they become a group of their own.
    ///
    /// # Errors
    /// The system says no, or a number is beyond 64 bits.
    pub fn rows(&mut self, rows: &[R]) -> io::Result<()> {
        let columns = self.columns;
        match &mut self.to {
            To::Csv(out) => {
                let lines = |rows: &[R]| {
                    let mut cells = Cells::line();
                    for row in rows {
                        for column in columns {
                            (column.write)(row, &mut cells);
                            cells.comma();
                        }
                        cells.end_line();
                    }
                    cells.lines()
                };
                let texts: Vec<Vec<u8>> = rows.par_chunks(CHUNK).map(lines).collect();
                texts.iter().try_for_each(|text| out.write_all(text))
            }
            To::Parquet(file) if !rows.is_empty() => file.rows(columns, rows),
            To::Parquet(_) => Ok(()),
        }
    }
    /// Ends the table.
    ///
    /// # Errors
    /// The system says no.
    pub fn finish(self) -> io::Result<()> {
        match self.to {
            To::Csv(_) => Ok(()),
            To::Parquet(file) => file.finish(),
        }
    }
}

/// What the writer of Parquet complains of, as whoever writes a file is told.
fn as_io(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(source) => *source,
            Err(source) => io::Error::other(source),
        },
        other => io::Error::other(other),
    }
}
