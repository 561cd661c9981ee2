//! Tables as little-endian columns, one after the other, behind their number of rows.

/// Why bytes are not what they claim to be: the end of a sentence.
pub(super) type Fault = String;

/// Writes columns of one table.
#[derive(Debug, Default)]
pub(super) struct ColumnWriter {
    bytes: Vec<u8>,
}

impl ColumnWriter {
    pub(super) fn new(rows: usize) -> Self {
        let rows = u64::try_from(rows).expect("a table in memory has fewer rows than 64 bits count");
        Self { bytes: rows.to_le_bytes().to_vec() }
    }
    pub(super) fn u8s(&mut self, values: impl ExactSizeIterator<Item = u8>) {
        self.bytes.extend(values);
    }
    pub(super) fn u32s(&mut self, values: impl ExactSizeIterator<Item = u32>) {
        let start = self.bytes.len();
        self.bytes.resize(start + values.len() * 4, 0);
        for (slot, value) in self.bytes[start..].as_chunks_mut::<4>().0.iter_mut().zip(values) {
            *slot = value.to_le_bytes();
        }
    }
    pub(super) fn u64s(&mut self, values: impl ExactSizeIterator<Item = u64>) {
        let start = self.bytes.len();
        self.bytes.resize(start + values.len() * 8, 0);
        for (slot, value) in self.bytes[start..].as_chunks_mut::<8>().0.iter_mut().zip(values) {
            *slot = value.to_le_bytes();
        }
    }
    pub(super) fn text(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }
    pub(super) fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Reads columns of one table; allocates nothing that the bytes do not pay for.
#[derive(Debug)]
pub(super) struct ColumnReader<'a> {
    rows: usize,
    rest: &'a [u8],
}

impl<'a> ColumnReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, Fault> {
        let (rows, rest) = bytes.split_first_chunk().ok_or("a table has no number of rows")?;
        let rows = usize::try_from(u64::from_le_bytes(*rows)).map_err(|_| "a table has too many rows")?;
        Ok(Self { rows, rest })
    }
    pub(super) const fn rows(&self) -> usize {
        self.rows
    }
    /// A column of as many values as the table has rows.
    pub(super) fn column<const N: usize>(&mut self) -> Result<&'a [[u8; N]], Fault> {
        self.column_of(self.rows)
    }
    /// A column of another length than the table.
    pub(super) fn column_of<const N: usize>(&mut self, rows: usize) -> Result<&'a [[u8; N]], Fault> {
        let bytes = rows.checked_mul(N).filter(|bytes| *bytes <= self.rest.len());
        let (column, rest) = self.rest.split_at(bytes.ok_or("a table is shorter than its number of rows")?);
        self.rest = rest;
        Ok(column.as_chunks().0)
    }
    pub(super) fn u32s(&mut self) -> Result<impl ExactSizeIterator<Item = u32> + 'a, Fault> {
        Ok(self.column()?.iter().map(|value| u32::from_le_bytes(*value)))
    }
    pub(super) fn u32s_of(&mut self, rows: usize) -> Result<impl ExactSizeIterator<Item = u32> + 'a, Fault> {
        Ok(self.column_of(rows)?.iter().map(|value| u32::from_le_bytes(*value)))
    }
    pub(super) fn u64s(&mut self) -> Result<impl ExactSizeIterator<Item = u64> + 'a, Fault> {
        Ok(self.column()?.iter().map(|value| u64::from_le_bytes(*value)))
    }
    pub(super) fn u8s(&mut self) -> Result<impl ExactSizeIterator<Item = u8> + 'a, Fault> {
        Ok(self.column::<1>()?.iter().map(|value| value[0]))
    }
    /// Everything that is left, as text.
    pub(super) fn text(self) -> Result<&'a str, Fault> {
        std::str::from_utf8(self.rest).map_err(|_| "a table of names is not UTF-8".to_owned())
    }
    /// Nothing may be left.
    pub(super) fn finish(self) -> Result<(), Fault> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err("a table is longer than its number of rows".to_owned())
        }
    }
}
