use super::{Options, parquet};
use crate::error::{Error, Place, Problem};
use std::borrow::Cow;
use std::io::{ErrorKind, Read};

/// An input as text.
pub(super) struct Text<'a> {
    bytes: Cow<'a, [u8]>,
    /// Whether it was no text but a table, so that places in it are rows, from 1, not lines.
    pub(super) by_row: bool,
}

impl std::ops::Deref for Text<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The input as text: unpacked if it is gzip, zstd or Parquet, known by their first bytes, in UTF-8 and without a byte
/// order mark.
///
/// An input that unpacks to more than the options allow is refused before it fills the memory.
pub(super) fn unpack<'a>(file: &str, bytes: &'a [u8], options: &Options<'_>) -> Result<Text<'a>, Error> {
    let text = |bytes| Text { bytes, by_row: false };
    let unpacked = match bytes {
        [0x1f, 0x8b, ..] => {
            drain(file, "gzip", flate2::read::MultiGzDecoder::new(bytes), bytes.len(), options)?
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            let decoder = zstd::stream::read::Decoder::with_buffer(bytes);
            let decoder = decoder.map_err(|error| broken(file, "zstd", &error))?;
            drain(file, "zstd", decoder, bytes.len(), options)?
        }
        _ if bytes.starts_with(parquet::MAGIC) => bytes.to_vec(),
        _ => return Ok(text(decoded(bytes))),
    };
    if unpacked.starts_with(parquet::MAGIC) {
        let bytes = Cow::Owned(parquet::table(file, unpacked, options)?);
        return Ok(Text { bytes, by_row: true });
    }
    // What was unpacked is handed on as it is unless a byte order mark says something else.
    Ok(text(match decoded(&unpacked) {
        Cow::Borrowed(same) if same.len() == unpacked.len() => Cow::Owned(unpacked),
        other => Cow::Owned(other.into_owned()),
    }))
}

/// A text without its byte order mark, in UTF-8 if it is UTF-16, its lines ending as elsewhere if a carriage return alone
/// ends them.
fn decoded(bytes: &[u8]) -> Cow<'_, [u8]> {
    let text = match bytes {
        [0xff, 0xfe, rest @ ..] => utf_8(encoding_rs::UTF_16LE, rest),
        [0xfe, 0xff, rest @ ..] => utf_8(encoding_rs::UTF_16BE, rest),
        _ => match zeros(bytes) {
            [false, true] => utf_8(encoding_rs::UTF_16LE, bytes),
            [true, false] => utf_8(encoding_rs::UTF_16BE, bytes),
            _ => Cow::Borrowed(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)),
        },
    };
    // A line of a trace is shorter than this.
    let head = &text[..text.len().min(HEAD)];
    if head.contains(&b'\r') && !text.contains(&b'\n') {
        return Cow::Owned(text.iter().map(|byte| if *byte == b'\r' { b'\n' } else { *byte }).collect());
    }
    text
}

/// How many bytes tell how a text is written.
const HEAD: usize = 4096;

/// Whether nearly every other byte of a text is zero, from the first one on or from the second: letters of UTF-16
/// without a byte order mark, if it is one of the two.
fn zeros(bytes: &[u8]) -> [bool; 2] {
    let head = &bytes[..bytes.len().min(HEAD)];
    let most = |from: usize| {
        let places = head.len().saturating_sub(from).div_ceil(2);
        let zeros = head.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
        places >= 4 && zeros * 10 >= places * 7
    };
    [most(0), most(1)]
}

fn utf_8(encoding: &'static encoding_rs::Encoding, bytes: &[u8]) -> Cow<'static, [u8]> {
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    Cow::Owned(text.into_owned().into_bytes())
}

fn drain(
    file: &str,
    kind: &str,
    mut decoder: impl Read,
    packed: usize,
    options: &Options<'_>,
) -> Result<Vec<u8>, Error> {
    let limit = options.most_unpacked(packed);
    let mut unpacked = Vec::new();
    // One byte beyond the limit tells "just fits" from "too much".
    match decoder.by_ref().take(limit.saturating_add(1)).read_to_end(&mut unpacked) {
        Err(error) => Err(broken(file, kind, &error)),
        Ok(_) if unpacked.len() as u64 > limit => {
            let message = format!("the {kind} data unpacks to more than {} MiB", limit >> 20);
            let hint =
                format!("{packed} compressed bytes should not; unpack it yourself if it is what it seems");
            Err(Problem::new(message).at(Place::file(file)).hint(hint).into())
        }
        Ok(_) => Ok(unpacked),
    }
}

fn broken(file: &str, kind: &str, error: &std::io::Error) -> Error {
    let problem = match error.kind() {
        ErrorKind::UnexpectedEof => Problem::new(format!("the {kind} data ends too early"))
            .hint("the file may have been copied or downloaded in part"),
        _ => Problem::new(format!("the {kind} data is broken: {error}")),
    };
    problem.at(Place::file(file)).into()
}
