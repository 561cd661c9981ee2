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
    fn ranges_are_read_as_they_are_written() {
        assert_eq!(ranges("3-5;9"), Some(vec![3..6, 9..10]), "two");
        for wrong in ["", "5-3", "a", "1-", "4294967295", "1;;2"] {
            assert_eq!(ranges(wrong), None, "{wrong}");
        }
        assert_eq!(merged(vec![9..12, 0..4, 4..5, 10..11]), [0..5, 9..12], "joined");
    }
}
