//! Fields of a line: numbers and dates from bytes, without allocation and without floats where digits will do.

use super::key::TimeUnit;

/// A non-negative decimal number, split so that it can be rounded either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decimal {
    /// The number rounded down.
    pub floor: u64,
    /// Whether something is left after that.
    pub fraction: bool,
}

impl Decimal {
    /// The number rounded up.
    pub(super) const fn ceil(self) -> u64 {
        self.floor.saturating_add(self.fraction as u64)
    }
}

/// Whether a field says nothing: empty, or what pandas, SQL and Slurm write for nothing.
#[inline]
pub(super) fn missing(bytes: &[u8]) -> bool {
    match bytes.first() {
        None => true,
        Some(b'n' | b'N' | b'U' | b'I') => [
            b"nan".as_slice(),
            b"NaN",
            b"NaT",
            b"None",
            b"none",
            b"null",
            b"NULL",
            b"Unknown",
            b"N/A",
            b"INVALID",
        ]
        .contains(&bytes),
        Some(_) => false,
    }
}

/// The number that the digits standing first make up, how many they are, and what follows. More than 19 make up none.
#[inline]
fn digits(bytes: &[u8]) -> (u64, usize, &[u8]) {
    let (mut value, mut rest) = (0_u64, bytes);
    while let [byte, more @ ..] = rest {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
        rest = more;
    }
    (value, bytes.len() - rest.len(), rest)
}

/// Digits only, at most 19 of them.
#[inline]
pub(super) fn unsigned(bytes: &[u8]) -> Option<u64> {
    match digits(bytes) {
        (value, 1..=19, []) => Some(value),
        _ => None,
    }
}

/// Digits only, within 32 bits.
#[inline]
pub(super) fn count(bytes: &[u8]) -> Option<u32> {
    unsigned(bytes).and_then(|value| u32::try_from(value).ok())
}

/// Digits with an optional sign.
pub(super) fn signed(bytes: &[u8]) -> Option<i64> {
    match bytes {
        [b'-', digits @ ..] => {
            unsigned(digits).and_then(|value| i64::try_from(value).ok()).map(|value| -value)
        }
        [b'+', digits @ ..] | digits => unsigned(digits).and_then(|value| i64::try_from(value).ok()),
    }
}

/// `66`, `66.0`, `66.25`, `6.6e1`.
#[inline]
pub(super) fn decimal(bytes: &[u8]) -> Option<Decimal> {
    match digits(bytes) {
        (floor, 1..=19, []) => Some(Decimal { floor, fraction: false }),
        (floor, count, [b'.', decimals @ ..]) if decimals.iter().all(u8::is_ascii_digit) => {
            let fraction = decimals.iter().any(|byte| *byte != b'0');
            (count <= 19 && bytes.len() > 1).then_some(Decimal { floor, fraction })
        }
        _ => exponent(bytes),
    }
}

/// A number with an exponent, as tables of floats have it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked first")]
fn exponent(bytes: &[u8]) -> Option<Decimal> {
    if bytes.len() > 40 || !bytes.iter().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'))
    {
        return None;
    }
    let value: f64 = std::str::from_utf8(bytes).ok()?.parse().ok()?;
    (0.0..9e15).contains(&value).then(|| Decimal { floor: value as u64, fraction: value.fract() > 0.0 })
}

/// A number of some unit of time as seconds.
#[inline]
pub(super) fn seconds(bytes: &[u8], unit: TimeUnit) -> Option<Decimal> {
    let (parts, whole) = unit.ratio();
    if parts == whole {
        return decimal(bytes);
    }
    if let Some(number) = unsigned(bytes) {
        return Some(Decimal { floor: number.checked_mul(whole)? / parts, fraction: number % parts > 0 });
    }
    with_point(bytes, parts, whole)
}

/// A number of some unit that has a point.
#[expect(clippy::cast_precision_loss, reason = "ratios are small")]
fn with_point(bytes: &[u8], parts: u64, whole: u64) -> Option<Decimal> {
    decimal(bytes)?;
    let value: f64 = std::str::from_utf8(bytes).ok()?.parse().ok()?;
    of_float(value * whole as f64 / parts as f64)
}

/// A number of seconds; digits that a float has no room for say nothing: it is rounded to millionths.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked first")]
pub(super) fn of_float(seconds: f64) -> Option<Decimal> {
    const MILLION: u64 = 1_000_000;
    let micros = (seconds * 1e6).round();
    (0.0..9e18)
        .contains(&micros)
        .then_some(micros as u64)
        .map(|micros| Decimal { floor: micros / MILLION, fraction: micros % MILLION > 0 })
}

/// A date with its time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Date {
    /// Unix seconds, rounded down.
    pub seconds: i64,
    /// Whether it had a fraction of a second.
    pub fraction: bool,
    /// Whether it names no time zone, so that UTC was assumed.
    pub naive: bool,
}

/// `2017-10-09 07:01:55`, with `T` for the blank, fractions and an offset or `Z` where there is one.
pub(super) fn date(bytes: &[u8]) -> Option<Date> {
    let (civil, rest) = bytes.split_at_checked(19)?;
    let seconds = civil_seconds(civil.try_into().expect("19 bytes were split off"))?;
    if rest.is_empty() {
        return Some(Date { seconds, fraction: false, naive: true });
    }
    let digits = match rest {
        [b'.', more @ ..] => more.iter().take_while(|byte| byte.is_ascii_digit()).count() + 1,
        _ => 0,
    };
    let (fraction, zone) = rest.split_at(digits);
    let offset = zone_offset(zone)?;
    Some(Date {
        seconds: seconds - offset.unwrap_or(0),
        fraction: fraction.iter().any(|byte| matches!(byte, b'1'..=b'9')),
        naive: offset.is_none(),
    })
}

/// As [`date`]; the day alone is its first second, and `/` may stand between year, month and day.
pub(super) fn any_date(bytes: &[u8]) -> Option<Date> {
    if let Some(date) = date(bytes) {
        return Some(date);
    }
    let mut text = bytes.get(..40.min(bytes.len()))?.to_vec();
    if text.len() == 10 {
        text.extend_from_slice(b" 00:00:00");
    }
    for at in [4, 7] {
        if let Some(slash) = text.get_mut(at).filter(|byte| **byte == b'/') {
            *slash = b'-';
        }
    }
    date(&text)
}

/// Seconds east of UTC; `Some(None)` where no zone is named.
fn zone_offset(zone: &[u8]) -> Option<Option<i64>> {
    let two = |tens: u8, ones: u8| unsigned(&[tens, ones]).and_then(|value| i64::try_from(value).ok());
    let (sign, [h1, h0, m1, m0]) = match *zone {
        [] => return Some(None),
        [b'Z' | b'z'] | [b' ', b'U', b'T', b'C'] => return Some(Some(0)),
        [sign @ (b'+' | b'-'), h1, h0] => (sign, [h1, h0, b'0', b'0']),
        [sign @ (b'+' | b'-'), h1, h0, m1, m0] => (sign, [h1, h0, m1, m0]),
        [sign @ (b'+' | b'-'), h1, h0, b':', m1, m0] => (sign, [h1, h0, m1, m0]),
        _ => return None,
    };
    let (hours, minutes) = (two(h1, h0)?, two(m1, m0)?);
    let offset = hours * 3600 + minutes * 60;
    (hours <= 23 && minutes <= 59).then_some(Some(if sign == b'-' { -offset } else { offset }))
}

/// The numbers of two digits that begin at each byte; none where a digit of the form, a `0`, is none, or what stands
/// between digits is another byte.
#[inline]
fn pairs(bytes: [u8; 8], form: &[u8; 8]) -> Option<[u8; 8]> {
    /// The highest bit of every byte.
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // From here on a byte overflows into its highest bit: 10 above the zero of the form, or any other one.
    let room = u64::from_le_bytes(form.map(|byte| if byte == b'0' { 0x80 - 10 } else { 0x80 - 1 }));
    let above = u64::from_le_bytes(bytes) ^ u64::from_le_bytes(*form);
    let right = (above.wrapping_add(room) | above) & HIGH == 0;
    right.then(|| above.wrapping_mul(10).wrapping_add(above >> 8).to_le_bytes())
}

fn civil_seconds(text: &[u8; 19]) -> Option<i64> {
    let [c0, c1, date @ .., between, h0, h1, m, m0, m1, s, s0, s1] = *text;
    let century = unsigned(&[c0, c1])?;
    let [year, _, _, month, _, _, day, _] = pairs(date, b"00-00-00")?;
    let [hour, _, _, minute, _, _, second, _] = pairs([h0, h1, m, m0, m1, s, s0, s1], b"00:00:00")?;
    let year = century * 100 + u64::from(year);
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u8::from(leap),
        _ => return None,
    };
    // A leap second is read as the second after it.
    let fits = (1..=length).contains(&day) && hour <= 23 && minute <= 59 && second <= 60;
    let fits = fits && matches!(between, b' ' | b'T' | b't');
    let [hour, minute, second] = [hour, minute, second].map(i64::from);
    fits.then(|| days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

/// Days from 1970-01-01 to a date of the Gregorian calendar; its years begin in March, so that they end with a leap day
/// (H. Hinnant, `days_from_civil`).
fn days(year: u64, month: u8, day: u8) -> i64 {
    /// Days from March of the year −400, where no date comes before, to 1970-01-01.
    const EPOCH: i64 = 719_468 + 146_097;
    let (years, month) = if month > 2 { (year + 400, month - 3) } else { (year + 399, month + 9) };
    let before = years * 365 + years / 4 - years / 100 + years / 400 + (153 * u64::from(month) + 2) / 5;
    i64::try_from(before).unwrap_or(i64::MAX) + i64::from(day) - 1 - EPOCH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let agree = |text: &str| {
            let zoned = if text.len() == 19 { format!("{text}Z") } else { text.to_owned() };
            let expected: jiff::Timestamp = zoned.replace(' ', "T").parse().unwrap();
            let date = date(text.as_bytes()).unwrap();
            assert_eq!(
                date.seconds,
                expected.as_second() - i64::from(expected.subsec_nanosecond() < 0),
                "{text}"
            );
            date
        };
        for year in [1970, 1972, 1999, 2000, 2017, 2024, 2099, 2100, 1969] {
            for (month, day) in [(1, 1), (2, 28), (3, 1), (6, 30), (12, 31)] {
                assert!(agree(&format!("{year:04}-{month:02}-{day:02} 07:01:55")).naive, "no zone named");
            }
        }
        assert!(!agree("2024-02-29T23:59:59+08:00").naive, "a zone is named");
        assert!(agree("2024-02-29T23:59:59.25Z").fraction, "a quarter of a second");
        assert!(!agree("2024-02-29T23:59:59.000-0330").fraction, "no fraction after all");
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "2017-10-09",
            "2017-13-09 07:01:55",
            "2023-02-29 00:00:00",
            "2017-10-09 24:00:00",
            "2017-10-09 07:01:5x",
            "2017-10-09 07:01:55+8",
            "2017-10-09 07:01:55 Mars",
            "2017/10/09 07:01:55",
            "2017-10-09 07:01:55+99:00",
        ] {
            assert_eq!(date(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn decimals_round_both_ways() {
        for (text, floor, ceil) in [
            ("0", 0, 0),
            ("66.0", 66, 66),
            ("66.25", 66, 67),
            (".5", 0, 1),
            ("7.", 7, 7),
            ("1e3", 1000, 1000),
            ("1.5E+2", 150, 150),
            ("1.5e-1", 0, 1),
            ("9999999999999999999", 9_999_999_999_999_999_999, 9_999_999_999_999_999_999),
        ] {
            let decimal = decimal(text.as_bytes()).unwrap();
            assert_eq!((decimal.floor, decimal.ceil()), (floor, ceil), "{text}");
        }
        for text in
            ["", ".", "-1", "1.2.3", "1e99", "abc", "0x10", "99999999999999999999", "1_000", "inf", "NaN"]
        {
            assert_eq!(decimal(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn times_of_any_unit_are_seconds() {
        for (text, unit, floor, ceil) in [
            ("46122500", TimeUnit::Millisecond, 46_122, 46_123),
            ("1577836800000000", TimeUnit::Microsecond, 1_577_836_800, 1_577_836_800),
            ("1.5", TimeUnit::Minute, 90, 90),
            ("0.5769444444444503", TimeUnit::Hour, 2077, 2077),
            ("25.129444444444445", TimeUnit::Hour, 90_466, 90_466),
            ("2", TimeUnit::Day, 172_800, 172_800),
            ("7.25", TimeUnit::Second, 7, 8),
            ("1.5e3", TimeUnit::Millisecond, 1, 2),
        ] {
            let seconds = seconds(text.as_bytes(), unit).unwrap();
            assert_eq!((seconds.floor, seconds.ceil()), (floor, ceil), "{text} {}", unit.plural());
        }
        for text in ["", "x", "-1", "1e300", "99999999999999999999"] {
            assert_eq!(seconds(text.as_bytes(), TimeUnit::Hour), None, "{text}");
        }
    }

    #[test]
    fn days_and_slashes_make_dates_too() {
        let of = |text: &str| any_date(text.as_bytes()).map(|date| date.seconds);
        assert_eq!(of("1970-01-02"), Some(86_400), "the first second of a day");
        assert_eq!(of("1970/01/02 00:00:07"), Some(86_407), "slashes");
        assert_eq!((of("1970/13/02"), of("1970-01-0"), of("a")), (None, None, None), "no dates");
    }

    #[test]
    fn whole_numbers_have_only_digits() {
        assert_eq!(
            (signed(b"-12"), signed(b"+3"), signed(b"--1"), signed(b"")),
            (Some(-12), Some(3), None, None)
        );
        assert_eq!((count(b"4294967295"), count(b"4294967296"), count(b" 1")), (Some(u32::MAX), None, None));
    }

    #[test]
    fn pairs_keep_to_their_form() {
        let of = |text: &str| pairs(text.as_bytes().try_into().unwrap(), b"00:00:00");
        assert_eq!(of("07:01:59").map(|pairs| [pairs[0], pairs[3], pairs[6]]), Some([7, 1, 59]), "a time");
        for text in ["07:01:5x", "07-01:59", "0/:01:59", "07:0::59", "\u{ff}:01:59"] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
