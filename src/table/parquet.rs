//! Tables as Parquet: written group by group, the columns of a group side by side.
//!
//! Every column may be empty somewhere. Indices and texts are lists (`LIST` of `INT32` and of strings), instants are `TIMESTAMP` in UTC, decimal
//! numbers `DOUBLE`. What columns are counted in and say is the file's key-value metadata `columns`, as JSON.
//!
//! ```
//! use gigawatt::table::{Cells, Head, Kind, parquet::File};
//! let head = Head { name: "wait_p95", unit: "s", kind: Kind::Real, about: "", since: "0.1.0" };
//! let mut waits = Cells::new(Kind::Real);
//! for wait in [12.5, f64::NAN] {
//!     waits.real(wait);
//!     waits.end();
//! }
//! let mut bytes = Vec::new();
//! let mut file = File::new(&mut bytes, &[head]).unwrap();
//! file.group(vec![waits]).unwrap();
//! file.finish().unwrap();
//! assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
//! ```

use super::pages::{Encoded, Pages};
use super::{Cells, Column, Head, Kind, as_io};
use parquet::basic::{LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::errors::Result;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnDescPtr, PrimitiveTypeBuilder, Type, TypePtr};
use rayon::prelude::*;
use std::io::{self, Write};
use std::sync::Arc;

/// A Parquet file that is being written.
pub struct File<'a> {
    out: &'a mut dyn Write,
    /// Writes to memory, from where every group goes to `out`.
    file: SerializedFileWriter<Vec<u8>>,
    /// Of its columns.
    kinds: Vec<Kind>,
}

impl std::fmt::Debug for File<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("File").finish_non_exhaustive()
    }
}

impl<'a> File<'a> {
    /// Begins a file of these columns.
    ///
    /// # Errors
    /// Two columns have one name.
    pub fn new(out: &'a mut dyn Write, heads: &[Head<'_>]) -> io::Result<Self> {
        let fields = heads.iter().map(|head| field(head).map(Arc::new)).collect::<Result<Vec<TypePtr>>>();
        let schema = fields.and_then(|fields| Type::group_type_builder("table").with_fields(fields).build());
        let schema = Arc::new(schema.map_err(as_io)?);
        let file = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties(heads)));
        Ok(Self { out, file: file.map_err(as_io)?, kinds: heads.iter().map(|head| head.kind).collect() })
    }
    /// Writes rows below those that are there, given as their columns.
    ///
    /// # Errors
    /// The system says no, columns are not equally long, or a number is beyond 64 bits.
    pub fn group(&mut self, columns: Vec<Cells>) -> io::Result<()> {
        let described = self.described().into_par_iter().zip(&self.kinds);
        let encoded = columns.into_par_iter().zip(described).map(|(mut cells, (description, kind))| {
            let values = cells.values().map_err(io::Error::other)?;
            if values.kind != *kind {
                return Err(io::Error::other("the cells of a column are not of its kind"));
            }
            let mut pages = Pages::new(*kind)?;
            pages.page(values)?;
            pages.close(values, description)
        });
        let encoded = encoded.collect::<io::Result<Vec<_>>>()?;
        self.append(encoded)
    }
    /// The same, given as rows: some columns at a time, each thread those that it makes.
    pub(super) fn rows<R: Sync>(&mut self, columns: &[Column<R>], rows: &[R]) -> io::Result<()> {
        let columns: Vec<(&Column<R>, ColumnDescPtr)> = columns.iter().zip(self.described()).collect();
        let encoded = columns.par_chunks(COLUMNS).map(|columns| encoded(columns, rows));
        let encoded = encoded.collect::<io::Result<Vec<_>>>()?;
        self.append(encoded.into_iter().flatten())
    }
    /// Ends the file.
    ///
    /// # Errors
    /// The system says no.
    pub fn finish(self) -> io::Result<()> {
        let rest = self.file.into_inner().map_err(as_io)?;
        self.out.write_all(&rest)
    }

    fn described(&self) -> Vec<ColumnDescPtr> {
        self.file.schema_descr().columns().to_vec()
    }
    fn append(&mut self, columns: impl IntoIterator<Item = Encoded>) -> io::Result<()> {
        let mut group = self.file.next_row_group().map_err(as_io)?;
        for (bytes, closed) in columns {
            group.append_column(&bytes, closed).map_err(as_io)?;
        }
        group.close().map_err(as_io)?;
        self.file.flush()?;
        self.out.write_all(&std::mem::take(self.file.inner_mut()))
    }
}

/// Columns that one thread makes side by side, and rows at a time: these and their cells stay in its cache.
const COLUMNS: usize = 6;
const ROWS: usize = 1024;

/// Some columns of rows as the bytes of their pages.
fn encoded<R>(columns: &[(&Column<R>, ColumnDescPtr)], rows: &[R]) -> io::Result<Vec<Encoded>> {
    let begin = |(column, _): &(&Column<R>, ColumnDescPtr)| {
        Ok((Pages::new(column.head.kind)?, Cells::new(column.head.kind)))
    };
    let mut made = columns.iter().map(begin).collect::<io::Result<Vec<(Pages, Cells)>>>()?;
    let chunks = rows.len().div_ceil(ROWS);
    for (index, rows) in rows.chunks(ROWS).enumerate() {
        for ((column, _), (pages, cells)) in columns.iter().zip(&mut made) {
            for row in rows {
                (column.write)(row, cells);
                cells.end();
            }
            let values = cells.values().map_err(io::Error::other)?;
            if index + 1 == chunks || values.fill_a_page() {
                pages.page(values)?;
            }
        }
    }
    let close = |((pages, mut cells), (_, description)): ((Pages, Cells), &(&Column<R>, ColumnDescPtr))| {
        pages.close(cells.values().map_err(io::Error::other)?, description.clone())
    };
    made.into_iter().zip(columns).map(close).collect()
}

/// A column as its schema.
fn field(head: &Head<'_>) -> Result<Type> {
    let primitive = |physical| Type::primitive_type_builder(head.name, physical);
    let column = match head.kind {
        Kind::Integer => primitive(Physical::INT64),
        Kind::Real => primitive(Physical::DOUBLE),
        Kind::Text | Kind::Name => {
            primitive(Physical::BYTE_ARRAY).with_logical_type(Some(LogicalType::String))
        }
        Kind::Instant => {
            let unit = LogicalType::timestamp(true, TimeUnit::MILLIS);
            primitive(Physical::INT64).with_logical_type(Some(unit))
        }
        Kind::Indices => return list(head.name, Type::primitive_type_builder("element", Physical::INT32)),
        Kind::Texts => {
            let element = Type::primitive_type_builder("element", Physical::BYTE_ARRAY);
            return list(head.name, element.with_logical_type(Some(LogicalType::String)));
        }
    };
    column.with_repetition(Repetition::OPTIONAL).build()
}

/// A list as every reader takes it: an optional group, a repeated one in it, and in that the element.
fn list(name: &str, element: PrimitiveTypeBuilder<'_>) -> Result<Type> {
    let element = Arc::new(element.with_repetition(Repetition::REQUIRED).build()?);
    let repeated = Type::group_type_builder("list").with_repetition(Repetition::REPEATED);
    let repeated = Arc::new(repeated.with_fields(vec![element]).build()?);
    let list = Type::group_type_builder(name).with_repetition(Repetition::OPTIONAL);
    list.with_logical_type(Some(LogicalType::List)).with_fields(vec![repeated]).build()
}

fn properties(heads: &[Head<'_>]) -> WriterProperties {
    let column = |head: &Head<'_>| {
        let said = serde_json::json!({ "unit": head.unit, "about": head.about, "since": head.since });
        (head.name.to_owned(), said)
    };
    let columns: serde_json::Map<String, serde_json::Value> = heads.iter().map(column).collect();
    let said = KeyValue::new("columns".to_owned(), serde_json::Value::from(columns).to_string());
    WriterProperties::builder()
        .set_created_by(format!("gigawatt version {}", env!("CARGO_PKG_VERSION")))
        .set_key_value_metadata(Some(vec![said]))
        .build()
}
