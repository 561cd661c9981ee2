//! The notations of Slurm: times and sizes.

use crate::trace::field;

/// `[days-]hours:minutes:seconds`, `minutes:seconds`, fractions rounded up.
pub(crate) fn clock(bytes: &[u8]) -> Option<u32> {
    let (days, rest) = match bytes.iter().position(|byte| *byte == b'-') {
        Some(dash) => (field::unsigned(&bytes[..dash])?, &bytes[dash + 1..]),
        None => (0, bytes),
    };
    let mut parts = rest.split(|byte| *byte == b':').rev();
    let seconds = field::decimal(parts.next()?)?.ceil();
    let mut more = || parts.next().map_or(Some(0), field::unsigned);
    let (minutes, hours) = (more()?, more()?);
    if rest.len() == bytes.len() && !rest.contains(&b':') || parts.next().is_some() {
        return None;
    }
    let total = days.checked_mul(86_400)?.checked_add(hours.checked_mul(3600)?)?;
    u32::try_from(total.checked_add(minutes.checked_mul(60)?)?.checked_add(seconds)?)
        .ok()
        .filter(|t| *t < u32::MAX)
}

/// Whole seconds, short of for ever.
pub(super) fn seconds(bytes: &[u8]) -> Option<u32> {
    field::count(bytes).filter(|time| *time < u32::MAX)
}

/// Whether a limit says that there is none.
fn unlimited(bytes: &[u8]) -> bool {
    [b"UNLIMITED".as_slice(), b"Partition_Limit", b"INFINITE"]
        .iter()
        .any(|word| bytes.eq_ignore_ascii_case(word))
}

/// A limit in minutes as seconds; 0 where there is none.
pub(super) fn minutes(bytes: &[u8]) -> Option<u32> {
    if unlimited(bytes) {
        Some(0)
    } else {
        field::count(bytes)?.checked_mul(60).filter(|time| *time < u32::MAX)
    }
}

/// A limit as a clock shows it; 0 where there is none.
pub(super) fn limit(bytes: &[u8]) -> Option<u32> {
    if unlimited(bytes) { Some(0) } else { clock(bytes) }
}

/// `1024`, `64G`, `1.50T`, `500Mn`: MiB, rounded up; without a unit MiB.
pub(super) fn memory_mib(value: &[u8]) -> Option<u32> {
    let value = value.strip_suffix(b"n").or(value.strip_suffix(b"c")).unwrap_or(value);
    let (digits, kib) = match value.split_last()? {
        (b'K', digits) => (digits, 1),
        (b'M', digits) => (digits, 1 << 10),
        (b'G', digits) => (digits, 1 << 20),
        (b'T', digits) => (digits, 1 << 30),
        (b'P', digits) => (digits, 1 << 40),
        _ => (value, 1_u64 << 10),
    };
    let (whole, fraction) = match digits.iter().position(|byte| *byte == b'.') {
        Some(point) => (&digits[..point], &digits[point + 1..]),
        None => (digits, b"".as_slice()),
    };
    let hundredths = match *fraction {
        [] => 0,
        [tenths] => field::unsigned(&[tenths])? * 10,
        [tenths, hundredths, ..] => field::unsigned(&[tenths, hundredths])?,
    };
    let kib =
        field::unsigned(whole)?.checked_mul(100)?.checked_add(hundredths)?.checked_mul(kib)?.div_ceil(100);
    u32::try_from(kib.div_ceil(1024)).ok().filter(|mib| *mib < u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_and_limits_are_read_as_slurm_writes_them() {
        for (text, seconds) in [
            ("00:00:05", Some(5)),
            ("01:02:03", Some(3723)),
            ("7-00:00:00", Some(604_800)),
            ("05:30", Some(330)),
            ("05:30.5", Some(331)),
            ("", None),
            ("5", None),
            ("1:2:3:4", None),
            ("x", None),
            ("99999-00:00:00", None),
        ] {
            assert_eq!(clock(text.as_bytes()), seconds, "{text}");
        }
        assert_eq!(
            (minutes(b"60"), minutes(b"UNLIMITED"), minutes(b"-1")),
            (Some(3600), Some(0), None),
            "minutes"
        );
        assert_eq!((limit(b"1-00:00:00"), limit(b"Partition_Limit")), (Some(86_400), Some(0)), "limits");
    }
}
