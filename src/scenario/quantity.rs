use crate::document::{Read, Value};
use std::ops::Range;

/// Thousandths of a CPU core.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cores(pub(super) u32);

impl Read for Cores {
    fn expected() -> String {
        "a number of CPU cores with at most three decimals, up to 4294967".to_owned()
    }
    fn read(value: &Value) -> Option<Self> {
        // The same decimals as GPUs have.
        crate::units::Gpus::read(value).map(|number| Self(number.milli()))
    }
}

/// Thousandths of what something is worth beside others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Weight(pub(super) u32);

impl Read for Weight {
    fn expected() -> String {
        "a number of at least 0 with at most three decimals, up to 4294967".to_owned()
    }
    fn read(value: &Value) -> Option<Self> {
        // The same decimals as GPUs have.
        crate::units::Gpus::read(value).map(|number| Self(number.milli()))
    }
}

/// Memory in whole MiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mebibytes(pub(super) u32);

impl Read for Mebibytes {
    fn expected() -> String {
        "an amount of memory such as `512 MiB`, `64 GiB` or `2 TiB`".to_owned()
    }
    fn read(value: &Value) -> Option<Self> {
        let Value::String(text) = value else { return None };
        let split = text.find(|c: char| !c.is_ascii_digit())?;
        let factor = match text[split..].trim() {
            "MiB" => 1,
            "GiB" => 1024,
            "TiB" => 1024 * 1024,
            _ => return None,
        };
        text[..split].parse::<u32>().ok()?.checked_mul(factor).map(Self)
    }
}

/// An amount of data, bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bytes(pub(super) f64);

impl Read for Bytes {
    fn expected() -> String {
        "an amount of data such as `105GB` or `5.3 TB`".to_owned()
    }
    fn read(value: &Value) -> Option<Self> {
        if let Value::String(text) = value { bytes(text).map(Self) } else { None }
    }
}

/// How fast data is written, bytes a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct BytesPerSecond(pub(super) f64);

impl Read for BytesPerSecond {
    fn expected() -> String {
        "data a second such as `2GB/s` or `1 TB/s`".to_owned()
    }
    fn read(value: &Value) -> Option<Self> {
        let Value::String(text) = value else { return None };
        bytes(text.trim_end().strip_suffix("/s")?).map(Self)
    }
}

/// The number of bytes that a text with a decimal unit tells; above 0.
fn bytes(text: &str) -> Option<f64> {
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let unit = match text[split..].trim() {
        "B" => 1.0,
        "kB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "TB" => 1e12,
        "PB" => 1e15,
        _ => return None,
    };
    let number: f64 = text[..split].parse().ok()?;
    Some(number * unit).filter(|bytes| *bytes > 0.0 && bytes.is_finite())
}

/// Ranges of indices: `3-5;9`, or as `jobs.csv` writes them, `n3-5;n9`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ranges(pub(super) Vec<Range<u32>>);

impl Read for Ranges {
    fn expected() -> String {
        "indices such as `3` or `0-35;40`".to_owned()
    }
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Integer(number) => {
                let index = u32::try_from(*number).ok()?;
                Some(Self(std::iter::once(index..index.checked_add(1)?).collect()))
            }
            Value::String(text) => ranges(text).map(Self),
            _ => None,
        }
    }
    fn schema() -> serde_json::Value {
        serde_json::json!({ "type": ["string", "integer"], "description": Self::expected() })
    }
}

/// The ranges that a text like `3-5;9` or `n3-5;n9` names.
pub(super) fn ranges(text: &str) -> Option<Vec<Range<u32>>> {
    text.split([';', ','])
        .map(|piece| {
            let (first, last) = piece.split_once('-').unwrap_or((piece, piece));
            let first = first.trim();
            let first = first.strip_prefix('n').unwrap_or(first).parse::<u32>().ok()?;
            let last = last.trim();
            let last = last.strip_prefix('n').unwrap_or(last).parse::<u32>().ok()?;
            (first <= last && last < u32::MAX).then(|| first..last + 1)
        })
        .collect()
}

/// Ranges in ascending order, those that touch joined.
pub(super) fn merged(mut ranges: Vec<Range<u32>>) -> Vec<Range<u32>> {
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut joined: Vec<Range<u32>> = Vec::new();
    for range in ranges.into_iter().filter(|range| !range.is_empty()) {
        match joined.last_mut() {
            Some(last) if last.end >= range.start => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_of_memory_have_a_binary_unit() {
        let text = |text: &str| Mebibytes::read(&Value::String(text.to_owned())).map(|memory| memory.0);
        assert_eq!(text("512 MiB"), Some(512), "MiB");
        assert_eq!(text("64GiB"), Some(65_536), "GiB");
        assert_eq!(text("2 TiB"), Some(2_097_152), "TiB");
        for wrong in ["", "64", "64 GB", "GiB", "-1 GiB", "9999 TiB", "é GiB"] {
            assert_eq!(text(wrong), None, "{wrong}");
        }
        assert_eq!(Mebibytes::read(&Value::Integer(64)), None, "no unit");
    }

    #[test]
    fn amounts_of_data_have_a_decimal_unit() {
        let text = |text: &str| Value::String(text.to_owned());
        for (written, expected) in [("5.3TB", 5.3e12), ("105 GB", 1.05e11), ("1 B", 1.0)] {
            assert_eq!(Bytes::read(&text(written)), Some(Bytes(expected)), "{written}");
            let a_second = BytesPerSecond::read(&text(&format!("{written}/s")));
            assert_eq!(a_second, Some(BytesPerSecond(expected)), "{written} a second");
        }
        for wrong in ["", "5", "5 TiB", "GB", "-1 GB", "0 GB", "1.2.3 GB", "1 GB/s"] {
            assert_eq!(Bytes::read(&text(wrong)), None, "{wrong}");
        }
        assert_eq!(BytesPerSecond::read(&text("1 GB")), None, "no second");
    }

    #[test]
    fn ranges_are_read_as_they_are_written() {
        assert_eq!(ranges("3-5;9"), Some(vec![3..6, 9..10]), "two");
        for wrong in ["", "5-3", "a", "1-", "4294967295", "1;;2"] {
            assert_eq!(ranges(wrong), None, "{wrong}");
        }
        assert_eq!(merged(vec![9..12, 0..4, 4..5, 10..11]), [0..5, 9..12], "joined");
    }
}
