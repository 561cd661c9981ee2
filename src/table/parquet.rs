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
use super::{Cells, Head, Kind, as_io};
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
        let values = columns.into_iter().map(Cells::values).collect::<std::result::Result<Vec<_>, _>>();
        let values = values.map_err(io::Error::other)?;
        let (descriptions, properties) = self.described();
        let encoded = values.into_par_iter().zip(descriptions);
        let encoded = encoded.map(|(values, description)| encoded_column(values, description, &properties));
        self.append(encoded.collect())
    }
    /// The same, each of so many columns made on the thread that writes it.
    pub(super) fn group_of(&mut self, count: usize, make: impl Fn(usize) -> Cells + Sync) -> io::Result<()> {
        let (descriptions, properties) = self.described();
        let encoded = (0..count).into_par_iter().zip(descriptions).map(|(index, description)| {
            let values = make(index).values().map_err(io::Error::other)?;
            encoded_column(values, description, &properties)
        });
        self.append(encoded.collect())
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
    fn append(&mut self, columns: Vec<io::Result<(Bytes, ColumnCloseResult)>>) -> io::Result<()> {
        let mut group = self.file.next_row_group().map_err(as_io)?;
        for column in columns {
            let (bytes, closed) = column?;
            group.append_column(&bytes, closed).map_err(as_io)?;
        }
        group.close().map_err(as_io)?;
        self.file.flush()?;
        self.out.write_all(&std::mem::take(self.file.inner_mut()))
    }
}

/// A column as its schema.
fn field(head: &Head<'_>) -> Result<Type> {
    let primitive = |physical| Type::primitive_type_builder(head.name, physical);
    let column = match head.kind {
        Kind::Integer => primitive(Physical::INT64),
        Kind::Real => primitive(Physical::DOUBLE),
        Kind::Text => primitive(Physical::BYTE_ARRAY).with_logical_type(Some(LogicalType::String)),
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
    // Of times and counts hardly two are the same, but neighbours are near each other.
    for head in heads {
        let path = match head.kind {
            Kind::Integer | Kind::Instant => vec![head.name],
            Kind::Indices => vec![head.name, "list", "element"],
            Kind::Real | Kind::Text | Kind::Texts => continue,
        };
        let path = ColumnPath::new(path.into_iter().map(str::to_owned).collect());
        properties = properties
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
    }
    properties.build()
}

/// A column as the bytes of its pages.
fn encoded_column(
    values: Values,
    description: ColumnDescPtr,
    properties: &WriterPropertiesPtr,
) -> io::Result<(Bytes, ColumnCloseResult)> {
    let mut pages = TrackedWrite::new(Vec::new());
    let page_writer = Box::new(SerializedPageWriter::new(&mut pages));
    let mut writer = get_column_writer(description, properties.clone(), page_writer);
    let Values { levels, repeats, is_list, data, .. } = values;
    let repeats = is_list.then_some(repeats.as_slice());
    let levels = Some(levels.as_slice());
    let written = match (&mut writer, data) {
        (ColumnWriter::Int64ColumnWriter(writer), Data::Integers(all)) => {
            writer.write_batch(&all, levels, None)
        }
        (ColumnWriter::DoubleColumnWriter(writer), Data::Reals(all)) => {
            writer.write_batch(&all, levels, None)
        }
        (ColumnWriter::ByteArrayColumnWriter(writer), Data::Texts(bytes, ends)) => {
            let all = ByteArray::from(bytes);
            let mut start = 0;
            let text = |end: usize| {
                let begin = std::mem::replace(&mut start, end);
                all.slice(begin, end - begin)
            };
            let texts: Vec<ByteArray> = ends.into_iter().map(text).collect();
            writer.write_batch(&texts, levels, repeats)
        }
        (ColumnWriter::Int32ColumnWriter(writer), Data::Indices(all)) => {
            writer.write_batch(&all, levels, repeats)
        }
        _ => return Err(io::Error::other("the cells of a column are not of its kind")),
    };
    let closed = written.and_then(|_| writer.close()).map_err(as_io)?;
    Ok((Bytes::from(pages.into_inner().map_err(as_io)?), closed))
}
