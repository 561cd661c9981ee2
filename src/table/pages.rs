//! The pages of a column of a Parquet file.

use super::cells::{Data, Values};
use super::packed::{delta, delta_texts, hybrid, length};
use super::{Kind, as_io};
use bytes::Bytes;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::Result;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;
use std::io;
use zstd::bulk::Compressor;

/// The pages of a column in a file, and what there is to say of them.
pub(super) type Encoded = (Bytes, ColumnCloseResult);

/// Pages of a column that are done.
pub(super) struct Pages {
    /// None: they stay as they are.
    compressor: Option<Compressor<'static>>,
    done: Vec<CompressedPage>,
    rows: u64,
}

/// The level of zstd, from 1 to 22.
const LEVEL: i32 = 1;

impl Pages {
    /// No page yet.
    pub(super) fn new(kind: Kind) -> io::Result<Self> {
        // Steps that are packed to the bit leave little to gain: of 71,872 jobs, 4 % of the file.
        let is_packed = matches!(kind, Kind::Integer | Kind::Instant | Kind::Indices);
        let compressor = if is_packed { None } else { Some(Compressor::new(LEVEL)?) };
        Ok(Self { compressor, done: Vec::new(), rows: 0 })
    }
    /// Makes a page of the cells that are there, and takes them away.
    pub(super) fn page(&mut self, values: &mut Values) -> io::Result<()> {
        let mut bytes = Vec::new();
        if values.is_list {
            levels(&values.repeats, 1, &mut bytes);
        }
        levels(&values.levels, if values.is_list { 2 } else { 1 }, &mut bytes);
        let encoding = match &values.data {
            Data::Integers(all) => {
                delta(all, &mut bytes);
                Encoding::DELTA_BINARY_PACKED
            }
            Data::Reals(all) => {
                bytes.reserve(8 * all.len());
                all.iter().for_each(|number| bytes.extend_from_slice(&number.to_le_bytes()));
                Encoding::PLAIN
            }
            Data::Words(words) => {
                words.places(&mut bytes);
                Encoding::RLE_DICTIONARY
            }
            Data::Names(all, ends) => {
                delta_texts(all, ends, &mut bytes);
                Encoding::DELTA_BYTE_ARRAY
            }
        };
        self.rows += values.count as u64;
        let num_values = u32::try_from(values.levels.len()).map_err(io::Error::other)?;
        let level = Encoding::RLE;
        let page = |buf| Page::DataPage {
            buf,
            num_values,
            encoding,
            def_level_encoding: level,
            rep_level_encoding: level,
            statistics: None,
        };
        self.push(bytes, page)?;
        values.clear();
        Ok(())
    }
    /// Every page, and what there is to say of them; of words the pages point to those in `values`.
    pub(super) fn close(mut self, values: &Values, description: ColumnDescPtr) -> io::Result<Encoded> {
        if let Data::Words(words) = &values.data {
            let num_values = u32::try_from(words.count()).map_err(io::Error::other)?;
            let encoding = Encoding::PLAIN;
            self.push(words.plain(), |buf| Page::DictionaryPage {
                buf,
                num_values,
                encoding,
                is_sorted: false,
            })?;
            self.done.rotate_right(1);
        }
        self.written(description).map_err(as_io)
    }

    fn push(&mut self, bytes: Vec<u8>, page: impl FnOnce(Bytes) -> Page) -> io::Result<()> {
        let whole = bytes.len();
        let bytes = match &mut self.compressor {
            Some(compressor) => compressor.compress(&bytes)?,
            None => bytes,
        };
        self.done.push(CompressedPage::new(page(bytes.into()), whole));
        Ok(())
    }
    fn written(self, description: ColumnDescPtr) -> Result<Encoded> {
        let mut out = TrackedWrite::new(Vec::new());
        let mut encodings = vec![Encoding::RLE];
        let (mut compressed, mut whole, mut values) = (0, 0, 0);
        let (mut words, mut data) = (None, None);
        let mut writer = SerializedPageWriter::new(&mut out);
        for page in self.done {
            let is_words = matches!(page.compressed_page(), Page::DictionaryPage { .. });
            encodings.push(page.encoding());
            values += if is_words { 0 } else { i64::from(page.num_values()) };
            let place = writer.write_page(page)?;
            let first = if is_words { &mut words } else { &mut data };
            first.get_or_insert(place.offset as i64);
            compressed += place.compressed_size as i64;
            whole += place.uncompressed_size as i64;
        }
        encodings.dedup();
        let codec = match self.compressor {
            Some(_) => Compression::ZSTD(ZstdLevel::try_new(LEVEL)?),
            None => Compression::UNCOMPRESSED,
        };
        let metadata = ColumnChunkMetaData::builder(description)
            .set_compression(codec)
            .set_encodings(encodings)
            .set_total_compressed_size(compressed)
            .set_total_uncompressed_size(whole)
            .set_num_values(values)
            .set_data_page_offset(data.unwrap_or(0))
            .set_dictionary_page_offset(words);
        let closed = ColumnCloseResult {
            bytes_written: out.bytes_written() as u64,
            rows_written: self.rows,
            metadata: metadata.build()?,
            bloom_filter: None,
            column_index: None,
            offset_index: None,
        };
        Ok((Bytes::from(out.into_inner()?), closed))
    }
}

/// Levels behind how long they are.
fn levels(levels: &[u8], width: u32, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    hybrid(levels, width, out);
    let bytes = length(out.len() - start - 4);
    out[start..start + 4].copy_from_slice(&bytes);
}
