//! One column of a Parquet file, its values as text one after the other.

use parquet::basic::{ConvertedType, LogicalType, TimeUnit};
use parquet::column::reader::ColumnReader;
use parquet::data_type::{ByteArray, FixedLenByteArray, Int96};
use parquet::errors::{ParquetError, Result};
use parquet::schema::types::{ColumnDescPtr, ColumnDescriptor, SchemaDescriptor};
use std::io::Write;

/// What the integers of a column stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Number,
    Unsigned,
    /// With so many decimals.
    Decimal(u32),
    /// Days since 1970.
    Day,
    /// So many a second since 1970.
    Instant(i64),
}

/// The values of a batch.
enum Values {
    Bool(Vec<bool>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Int96(Vec<Int96>),
    Float(Vec<f32>),
    Double(Vec<f64>),
    Bytes(Vec<ByteArray>),
    Fixed(Vec<FixedLenByteArray>),
}

/// A column as it is read, a batch of rows at a time.
pub(super) struct Column {
    reader: ColumnReader,
    meaning: Meaning,
    most_defined: i16,
    repeats: bool,
    defined: Vec<i16>,
    repeated: Vec<i16>,
    values: Values,
    level: usize,
    value: usize,
    list: Vec<u8>,
}

impl Column {
    /// Whether a column is read: no list of lists, no map.
    pub(super) fn is_read(schema: &SchemaDescriptor, leaf: usize) -> bool {
        let column = schema.column(leaf);
        let lists = column.max_rep_level();
        let beside = |other: &usize| {
            *other != leaf && schema.get_column_root_idx(*other) == schema.get_column_root_idx(leaf)
        };
        lists == 0 || lists == 1 && !(0..schema.num_columns()).any(|other| beside(&other))
    }
    /// What a column is called: a list by the name of its root, others by all parts of their path.
    pub(super) fn name(schema: &SchemaDescriptor, leaf: usize) -> String {
        let column = schema.column(leaf);
        if column.max_rep_level() > 0 {
            return schema.get_column_root(leaf).name().to_owned();
        }
        column.path().string()
    }

    pub(super) fn new(descriptor: ColumnDescPtr, reader: ColumnReader) -> Self {
        let values = match &reader {
            ColumnReader::BoolColumnReader(_) => Values::Bool(Vec::new()),
            ColumnReader::Int32ColumnReader(_) => Values::Int32(Vec::new()),
            ColumnReader::Int64ColumnReader(_) => Values::Int64(Vec::new()),
            ColumnReader::Int96ColumnReader(_) => Values::Int96(Vec::new()),
            ColumnReader::FloatColumnReader(_) => Values::Float(Vec::new()),
            ColumnReader::DoubleColumnReader(_) => Values::Double(Vec::new()),
            ColumnReader::ByteArrayColumnReader(_) => Values::Bytes(Vec::new()),
            ColumnReader::FixedLenByteArrayColumnReader(_) => Values::Fixed(Vec::new()),
        };
        Self {
            reader,
            meaning: meaning(&descriptor),
            most_defined: descriptor.max_def_level(),
            repeats: descriptor.max_rep_level() > 0,
            defined: Vec::new(),
            repeated: Vec::new(),
            values,
            level: 0,
            value: 0,
            list: Vec::new(),
        }
    }

    /// Reads the next `rows`.
    ///
    /// # Errors
    /// There are not as many, or they cannot be read.
    pub(super) fn fill(&mut self, rows: usize) -> Result<()> {
        self.defined.clear();
        self.repeated.clear();
        (self.level, self.value) = (0, 0);
        let (mut defined, mut repeated) = (Some(&mut self.defined), Some(&mut self.repeated));
        macro_rules! read {
            ($reader:expr, $values:expr) => {{
                $values.clear();
                let mut found = 0;
                while found < rows {
                    let more = $reader.read_records(
                        rows - found,
                        defined.as_deref_mut(),
                        repeated.as_deref_mut(),
                        $values,
                    )?;
                    if more.0 == 0 {
                        return Err(ParquetError::EOF("a column ends before the others do".to_owned()));
                    }
                    found += more.0;
                }
                $values.len()
            }};
        }
        let values = match (&mut self.reader, &mut self.values) {
            (ColumnReader::BoolColumnReader(reader), Values::Bool(values)) => read!(reader, values),
            (ColumnReader::Int32ColumnReader(reader), Values::Int32(values)) => read!(reader, values),
            (ColumnReader::Int64ColumnReader(reader), Values::Int64(values)) => read!(reader, values),
            (ColumnReader::Int96ColumnReader(reader), Values::Int96(values)) => read!(reader, values),
            (ColumnReader::FloatColumnReader(reader), Values::Float(values)) => read!(reader, values),
            (ColumnReader::DoubleColumnReader(reader), Values::Double(values)) => read!(reader, values),
            (ColumnReader::ByteArrayColumnReader(reader), Values::Bytes(values)) => read!(reader, values),
            (ColumnReader::FixedLenByteArrayColumnReader(reader), Values::Fixed(values)) => {
                read!(reader, values)
            }
            _ => unreachable!("values are of the type of their reader"),
        };
        let present = if self.most_defined == 0 {
            rows
        } else {
            self.defined.iter().filter(|level| **level == self.most_defined).count()
        };
        if present != values {
            return Err(ParquetError::General("levels do not fit their values".to_owned()));
        }
        Ok(())
    }

    /// Appends what the next row holds.
    pub(super) fn write_next(&mut self, out: &mut Vec<u8>) {
        if !self.repeats {
            let level = self.level;
            self.level += 1;
            if self.most_defined == 0 || self.defined.get(level) == Some(&self.most_defined) {
                self.write_value(out);
            }
            return;
        }
        let mut list = std::mem::take(&mut self.list);
        list.clear();
        let mut first = true;
        while self.level < self.defined.len()
            && (first || self.repeated.get(self.level).is_some_and(|level| *level > 0))
        {
            if self.defined[self.level] == self.most_defined {
                list.extend_from_slice(if list.is_empty() { b"" } else { b";" });
                self.raw_value(&mut list);
            }
            self.level += 1;
            first = false;
        }
        quoted(&list, out);
        self.list = list;
    }

    fn write_value(&mut self, out: &mut Vec<u8>) {
        if matches!(self.values, Values::Bytes(_) | Values::Fixed(_)) {
            let mut text = std::mem::take(&mut self.list);
            text.clear();
            self.raw_value(&mut text);
            quoted(&text, out);
            self.list = text;
        } else {
            self.raw_value(out);
        }
    }

    /// Appends the next value as it is.
    fn raw_value(&mut self, out: &mut Vec<u8>) {
        let at = self.value;
        self.value += 1;
        match &self.values {
            Values::Bool(values) => out.extend_from_slice(if values[at] { b"true" } else { b"false" }),
            Values::Int32(values) if self.meaning == Meaning::Unsigned => {
                out.extend_from_slice(itoa::Buffer::new().format(values[at].cast_unsigned()).as_bytes());
            }
            Values::Int32(values) => whole(values[at].into(), self.meaning, out),
            Values::Int64(values) => whole(values[at], self.meaning, out),
            Values::Int96(values) => whole(values[at].to_micros(), Meaning::Instant(1_000_000), out),
            Values::Float(values) => write(out, format_args!("{}", values[at])),
            Values::Double(values) => write(out, format_args!("{}", values[at])),
            Values::Bytes(values) => out.extend_from_slice(values[at].data()),
            Values::Fixed(values) => out.extend_from_slice(values[at].data()),
        }
    }
}

/// What the integers of a column stand for, by its type.
fn meaning(column: &ColumnDescriptor) -> Meaning {
    if let Some(LogicalType::Timestamp(instant)) = column.logical_type_ref()
        && instant.unit == TimeUnit::NANOS
    {
        return Meaning::Instant(1_000_000_000);
    }
    match column.converted_type() {
        ConvertedType::TIMESTAMP_MILLIS => Meaning::Instant(1000),
        ConvertedType::TIMESTAMP_MICROS => Meaning::Instant(1_000_000),
        ConvertedType::DATE => Meaning::Day,
        ConvertedType::DECIMAL => Meaning::Decimal(u32::try_from(column.type_scale()).unwrap_or(0).min(18)),
        ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32 | ConvertedType::UINT_64 => {
            Meaning::Unsigned
        }
        _ => Meaning::Number,
    }
}

fn whole(value: i64, meaning: Meaning, out: &mut Vec<u8>) {
    match meaning {
        Meaning::Number => out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes()),
        Meaning::Unsigned => {
            out.extend_from_slice(itoa::Buffer::new().format(value.cast_unsigned()).as_bytes());
        }
        Meaning::Decimal(scale) => {
            let (unit, size) = (10_u64.pow(scale), value.unsigned_abs());
            let sign = if value < 0 { "-" } else { "" };
            write(out, format_args!("{sign}{}.{:02$}", size / unit, size % unit, scale as usize));
        }
        Meaning::Day => instant(value.saturating_mul(86_400), 0, out),
        Meaning::Instant(parts) => {
            let nanos = value.rem_euclid(parts) * (1_000_000_000 / parts);
            instant(value.div_euclid(parts), i32::try_from(nanos).unwrap_or(0), out);
        }
    }
}

/// A date in UTC; what no calendar has is the number of seconds.
fn instant(seconds: i64, nanos: i32, out: &mut Vec<u8>) {
    match jiff::Timestamp::new(seconds, nanos) {
        Ok(instant) => write(out, format_args!("{instant}")),
        Err(_) => write(out, format_args!("{seconds}")),
    }
}

fn write(out: &mut Vec<u8>, what: std::fmt::Arguments<'_>) {
    out.write_fmt(what).expect("memory takes every byte");
}

/// Appends a field of CSV, in quotes if it needs them.
pub(super) fn quoted(text: &[u8], out: &mut Vec<u8>) {
    if !text.iter().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r')) {
        out.extend_from_slice(text);
        return;
    }
    out.push(b'"');
    for part in text.split_inclusive(|byte| *byte == b'"') {
        out.extend_from_slice(part);
        if part.ends_with(b"\"") {
            out.push(b'"');
        }
    }
    out.push(b'"');
}
