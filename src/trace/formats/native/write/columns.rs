//! A workload as Parquet: the columns of the CSV, each of its type, lists as lists.

use super::{Cell, Line, Told, is_required};
use crate::trace::formats::native::{COLUMNS, Column};
use parquet::basic::{Compression, ConvertedType, LogicalType, Repetition, Type as Physical, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{Type, TypePtr};
use std::io::{self, Write};
use std::sync::Arc;

/// Jobs of a row group.
const GROUP: usize = 1 << 20;

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Truth,
    Whole,
    /// Thousandths, as a number of three decimals.
    Share,
    Texts,
    Indices,
}

const fn kind(column: Column) -> Kind {
    match column {
        Column::Gpus | Column::PodGpus | Column::Cpu => Kind::Share,
        Column::Preemptible => Kind::Truth,
        Column::Platforms | Column::After => Kind::Texts,
        Column::Nodes => Kind::Indices,
        Column::JobId
        | Column::Tenant
        | Column::Kind
        | Column::Overrun
        | Column::Partition
        | Column::Topology
        | Column::Graph
        | Column::Outcome => Kind::Text,
        _ => Kind::Whole,
    }
}

/// Writes what `told` says of every line.
pub(super) fn write(told: &[(Column, Told)], lines: Vec<Line<'_>>, out: &mut dyn Write) -> io::Result<()> {
    // The writer wants to own what it writes to, and to be sent.
    let mut bytes = Vec::new();
    write_to(told, &lines, &mut bytes).map_err(io::Error::other)?;
    out.write_all(&bytes)
}

fn write_to(told: &[(Column, Told)], lines: &[Line<'_>], out: &mut Vec<u8>) -> Result<()> {
    let fields = told.iter().map(|(column, _)| field(*column)).collect::<Result<Vec<_>>>()?;
    let schema = Type::group_type_builder("jobs").with_fields(fields).build()?;
    let properties =
        WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
    let mut file = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties))?;
    for lines in lines.chunks(GROUP) {
        let mut group = file.next_row_group()?;
        for (column, cell) in told {
            let writer = group.next_column()?;
            let mut writer = writer.ok_or_else(|| ParquetError::General("a column too many".to_owned()))?;
            fill(&mut writer, *column, lines.iter().map(cell))?;
            writer.close()?;
        }
        group.close()?;
    }
    file.close()?;
    Ok(())
}

/// The type of a column.
fn field(column: Column) -> Result<TypePtr> {
    let name = COLUMNS[column as usize].name;
    let repetition = if is_required(column) { Repetition::REQUIRED } else { Repetition::OPTIONAL };
    let plain = |physical| {
        Type::primitive_type_builder(name, physical).with_repetition(repetition).build().map(Arc::new)
    };
    let list = |element: TypePtr| {
        let repeated = Type::group_type_builder("list").with_repetition(Repetition::REPEATED);
        let repeated = repeated.with_fields(vec![element]).build()?;
        let list =
            Type::group_type_builder(name).with_repetition(repetition).with_fields(vec![Arc::new(repeated)]);
        list.with_logical_type(Some(LogicalType::List))
            .with_converted_type(ConvertedType::LIST)
            .build()
            .map(Arc::new)
    };
    match kind(column) {
        Kind::Text => text(name, repetition),
        Kind::Truth => plain(Physical::BOOLEAN),
        Kind::Whole => plain(Physical::INT64),
        Kind::Share => plain(Physical::DOUBLE),
        Kind::Texts => list(text("element", Repetition::REQUIRED)?),
        Kind::Indices => {
            let element = Type::primitive_type_builder("element", Physical::INT64);
            list(Arc::new(element.with_repetition(Repetition::REQUIRED).build()?))
        }
    }
}

/// The type of texts.
fn text(name: &str, repetition: Repetition) -> Result<TypePtr> {
    let text = Type::primitive_type_builder(name, Physical::BYTE_ARRAY).with_repetition(repetition);
    text.with_logical_type(Some(LogicalType::String))
        .with_converted_type(ConvertedType::UTF8)
        .build()
        .map(Arc::new)
}

/// Writes the cells of a column.
fn fill<'a>(
    writer: &mut SerializedColumnWriter<'_>,
    column: Column,
    cells: impl Iterator<Item = Cell<'a>>,
) -> Result<()> {
    let mut levels = Levels { required: is_required(column), ..Levels::default() };
    macro_rules! batch {
        ($kind:ty, $values:expr) => {{
            let values = $values;
            writer.typed::<$kind>().write_batch(&values, levels.defined(), levels.repeated())?;
        }};
    }
    let bytes = |text: &str| ByteArray::from(text.as_bytes().to_vec());
    match kind(column) {
        Kind::Text => batch!(ByteArrayType, levels.one_each(cells, |cell| bytes(&cell.text()))),
        Kind::Truth => batch!(BoolType, levels.one_each(cells, |cell| cell.text() == "true")),
        Kind::Whole => batch!(
            Int64Type,
            levels.one_each(cells, |cell| match cell {
                Cell::Number(number) => *number,
                _ => unreachable!("a column of numbers holds numbers"),
            })
        ),
        Kind::Share => batch!(
            DoubleType,
            levels.one_each(cells, |cell| match cell {
                Cell::Milli(milli) => f64::from(*milli) / 1000.0,
                _ => unreachable!("a column of shares holds thousandths"),
            })
        ),
        Kind::Texts => batch!(
            ByteArrayType,
            levels.some_each(cells, |cell| match cell {
                Cell::List(items) => items.iter().map(|item| bytes(item)).collect(),
                _ => Vec::new(),
            })
        ),
        Kind::Indices => batch!(
            Int64Type,
            levels.some_each(cells, |cell| match cell {
                Cell::Indices(indices) => indices.iter().map(|index| i64::from(*index)).collect(),
                _ => Vec::new(),
            })
        ),
    }
    Ok(())
}

/// Which cells say something, and which values begin a list.
#[derive(Debug, Default)]
struct Levels {
    required: bool,
    defined: Vec<i16>,
    repeated: Vec<i16>,
}

impl Levels {
    fn defined(&self) -> Option<&[i16]> {
        (!self.required).then_some(&self.defined)
    }
    fn repeated(&self) -> Option<&[i16]> {
        (!self.repeated.is_empty()).then_some(&self.repeated)
    }

    /// The values of cells that say something.
    fn one_each<'a, T>(
        &mut self,
        cells: impl Iterator<Item = Cell<'a>>,
        value: impl Fn(&Cell<'a>) -> T,
    ) -> Vec<T> {
        let mut values = Vec::new();
        for cell in cells {
            let says = !matches!(cell, Cell::Nothing);
            self.defined.push(says.into());
            if says {
                values.push(value(&cell));
            }
        }
        values
    }

    /// The values of lists; one that is empty says nothing.
    fn some_each<'a, T>(
        &mut self,
        cells: impl Iterator<Item = Cell<'a>>,
        values: impl Fn(&Cell<'a>) -> Vec<T>,
    ) -> Vec<T> {
        let mut all = Vec::new();
        for cell in cells {
            let list = values(&cell);
            if list.is_empty() {
                self.defined.push(0);
                self.repeated.push(0);
            }
            for (place, item) in list.into_iter().enumerate() {
                // Defined: the list is there, and has an element.
                self.defined.push(2);
                self.repeated.push(i16::from(place > 0));
                all.push(item);
            }
        }
        all
    }
}
