use super::Options;
use crate::error::{Error, Place, Problem};
use std::borrow::Cow;
use std::io::{ErrorKind, Read};

/// Up to here nobody asks how well an input was compressed.
const RATIO_FREE: u64 = 64 << 20;

/// The input as text: unpacked if it is gzip or zstd, known by their first bytes, and without a byte order mark.
///
/// A compressed input that unpacks to more than the options allow is refused before it fills the memory.
pub(super) fn unpack<'a>(file: &str, bytes: &'a [u8], options: &Options<'_>) -> Result<Cow<'a, [u8]>, Error> {
    let unpacked = match bytes {
        [0x1f, 0x8b, ..] => {
            drain(file, "gzip", flate2::read::MultiGzDecoder::new(bytes), bytes.len(), options)?
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            let decoder = zstd::stream::read::Decoder::with_buffer(bytes);
            let decoder = decoder.map_err(|error| broken(file, "zstd", &error))?;
            drain(file, "zstd", decoder, bytes.len(), options)?
        }
        _ => return Ok(Cow::Borrowed(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes))),
    };
    match unpacked.strip_prefix(b"\xef\xbb\xbf") {
        Some(text) => Ok(Cow::Owned(text.to_vec())),
        None => Ok(Cow::Owned(unpacked)),
    }
}

fn drain(
    file: &str,
    kind: &str,
    mut decoder: impl Read,
    packed: usize,
    options: &Options<'_>,
) -> Result<Vec<u8>, Error> {
    let ratio = options.max_ratio.saturating_mul(packed as u64).max(RATIO_FREE);
    let limit = options.max_unpacked.min(ratio);
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
