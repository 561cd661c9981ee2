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

use super::cells::{Data, Values};
use super::{Cells, Column, Head, Kind, as_io};
use bytes::Bytes;
use parquet::basic::{Compression, Encoding, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel};
use parquet::column::writer::{ColumnCloseResult, ColumnWriter, get_column_writer};
use parquet::data_type::ByteArray;
use parquet::errors::Result;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::{SerializedFileWriter, SerializedPageWriter, TrackedWrite};
use parquet::schema::types::{ColumnDescPtr, ColumnPath, PrimitiveTypeBuilder, Type, TypePtr};
use rayon::prelude::*;
use std::io::{self, Write};
use std::sync::Arc;

/// A Parquet file that is being written.
pub struct File<'a> {
    out: &'a mut dyn Write,
    /// Writes to memory, from where every group goes to `out`.
    file: SerializedFileWriter<Vec<u8>>,
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
        Ok(Self { out, file: file.map_err(as_io)? })
    }
    /// Writes rows below those that are there, given as their columns.
    ///
    /// # Errors
    /// The system says no, columns are not equally long, or a number is beyond 64 bits.
    pub fn group(&mut self, columns: Vec<Cells>) -> io::Result<()> {
        let values = columns.into_iter().map(Cells::into_values).collect::<std::result::Result<Vec<_>, _>>();
        let values = values.map_err(io::Error::other)?;
        let (descriptions, properties) = self.described();
        let encoded = values.into_par_iter().zip(descriptions).map(|(mut values, description)| {
            let mut pages = TrackedWrite::new(Vec::new());
            let mut writer = column_writer(description, &properties, &mut pages);
            write(&mut writer, &mut values)?;
            let closed = writer.close().map_err(as_io)?;
            finished(pages, closed)
        });
        let encoded = encoded.collect::<io::Result<Vec<_>>>()?;
        self.append(encoded)
    }
    /// The same, given as rows: some columns at a time, each thread those that it makes.
    pub(super) fn rows<R: Sync>(&mut self, columns: &[Column<R>], rows: &[R]) -> io::Result<()> {
        let (descriptions, properties) = self.described();
        let columns: Vec<(&Column<R>, ColumnDescPtr)> = columns.iter().zip(descriptions).collect();
        let encoded = columns.par_chunks(COLUMNS).map(|columns| encoded(columns, rows, &properties));
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

    fn described(&self) -> (Vec<ColumnDescPtr>, WriterPropertiesPtr) {
        (self.file.schema_descr().columns().to_vec(), self.file.properties().clone())
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

/// The pages of a column, and what there is to say of them.
type Encoded = (Bytes, ColumnCloseResult);

/// Columns that one thread makes side by side, and rows at a time: these and their cells stay in its cache.
const COLUMNS: usize = 6;
const ROWS: usize = 1024;

/// Some columns of rows as the bytes of their pages.
fn encoded<R>(
    columns: &[(&Column<R>, ColumnDescPtr)],
    rows: &[R],
    properties: &WriterPropertiesPtr,
) -> io::Result<Vec<Encoded>> {
    let mut pages: Vec<_> = columns.iter().map(|_| TrackedWrite::new(Vec::new())).collect();
    let begin = |(pages, (column, description)): (_, &(&Column<R>, ColumnDescPtr))| {
        (column_writer(description.clone(), properties, pages), Cells::new(column.head.kind))
    };
    let mut writers: Vec<(ColumnWriter<'_>, Cells)> = pages.iter_mut().zip(columns).map(begin).collect();
    for rows in rows.chunks(ROWS) {
        for ((column, _), (writer, cells)) in columns.iter().zip(&mut writers) {
            for row in rows {
                (column.write)(row, cells);
                cells.end();
            }
            let values = cells.values().map_err(io::Error::other)?;
            write(writer, values)?;
            values.clear();
        }
    }
    let closed = writers.into_iter().map(|(writer, _)| writer.close()).collect::<Result<Vec<_>>>();
    pages.into_iter().zip(closed.map_err(as_io)?).map(|(pages, closed)| finished(pages, closed)).collect()
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
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_created_by(format!("gigawatt version {}", env!("CARGO_PKG_VERSION")))
        .set_key_value_metadata(Some(vec![said]));
    for head in heads {
        let path = |parts: &[&str]| ColumnPath::new(parts.iter().map(|part| (*part).to_owned()).collect());
        let (path, encoding) = match head.kind {
            // Of times and counts hardly two are the same, but neighbours are near each other.
            Kind::Integer | Kind::Instant => (path(&[head.name]), Encoding::DELTA_BINARY_PACKED),
            Kind::Indices => (path(&[head.name, "list", "element"]), Encoding::DELTA_BINARY_PACKED),
            Kind::Real => (path(&[head.name]), Encoding::PLAIN),
            // Neighbouring names begin alike.
            Kind::Name => (path(&[head.name]), Encoding::DELTA_BYTE_ARRAY),
            Kind::Text | Kind::Texts => continue,
        };
        properties =
            properties.set_column_dictionary_enabled(path.clone(), false).set_column_encoding(path, encoding);
    }
    // The least and the greatest of words tell a reader nothing that it could skip.
    for head in heads.iter().filter(|head| matches!(head.kind, Kind::Text | Kind::Name)) {
        let path = ColumnPath::new(vec![head.name.to_owned()]);
        properties = properties.set_column_statistics_enabled(path, EnabledStatistics::None);
    }
    properties.build()
}

fn column_writer<'p>(
    description: ColumnDescPtr,
    properties: &WriterPropertiesPtr,
    pages: &'p mut TrackedWrite<Vec<u8>>,
) -> ColumnWriter<'p> {
    get_column_writer(description, properties.clone(), Box::new(SerializedPageWriter::new(pages)))
}

fn finished(pages: TrackedWrite<Vec<u8>>, closed: ColumnCloseResult) -> io::Result<Encoded> {
    Ok((Bytes::from(pages.into_inner().map_err(as_io)?), closed))
}

/// Cells below those of the column that are there; whole lists.
fn write(writer: &mut ColumnWriter<'_>, values: &mut Values) -> io::Result<()> {
    let Values { levels, repeats, is_list, data, .. } = values;
    let repeats = is_list.then_some(repeats.as_slice());
    let levels = Some(levels.as_slice());
    let written = match (writer, data) {
        (ColumnWriter::Int64ColumnWriter(writer), Data::Integers(all)) => {
            writer.write_batch(all, levels, None)
        }
        (ColumnWriter::DoubleColumnWriter(writer), Data::Reals(all)) => writer.write_batch(all, levels, None),
        (ColumnWriter::ByteArrayColumnWriter(writer), Data::Texts(bytes, ends)) => {
            let all = ByteArray::from(std::mem::take(bytes));
            let mut start = 0;
            let text = |end: usize| {
                let begin = std::mem::replace(&mut start, end);
                all.slice(begin, end - begin)
            };
            let texts: Vec<ByteArray> = ends.iter().copied().map(text).collect();
            writer.write_batch(&texts, levels, repeats)
        }
        (ColumnWriter::Int32ColumnWriter(writer), Data::Indices(all)) => {
            writer.write_batch(all, levels, repeats)
        }
        _ => return Err(io::Error::other("the cells of a column are not of its kind")),
    };
    written.map(drop).map_err(as_io)
}
