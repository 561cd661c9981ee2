//! Whole-number quantities: time, GPUs, power, energy and money, each its own type.
//!
//! Decisions are made of integers alone, so that the same scenario gives the same history on any machine.
//!
//! ```
//! use gigawatt::units::{Gpus, Seconds, Time};
//! assert_eq!(Time(90) + Seconds(30), Time(120));
//! assert_eq!("0.5".parse::<Gpus>(), Ok(Gpus::from_milli(500)));
//! assert_eq!(Gpus::whole(8).to_string(), "8");
//! ```

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, AddAssign, Sub, SubAssign};
use std::str::FromStr;

/// An instant: whole seconds since the scenario's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(pub u32);

impl Time {
    /// The scenario's start.
    pub const ZERO: Self = Self(0);
    /// Later than everything that happens: the instant of what never happens.
    pub const NEVER: Self = Self(u32::MAX);

    /// The time passed since `earlier`; zero if that is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Seconds {
        Seconds(self.0.saturating_sub(earlier.0))
    }
}

/// A length of time in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seconds(pub u32);

impl Seconds {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// 136 years, which stand for ever.
    pub const FOREVER: Self = Self(u32::MAX);
}

/// Saturates at [`Time::NEVER`].
impl Add<Seconds> for Time {
    type Output = Self;
    fn add(self, rhs: Seconds) -> Self {
        Self(self.0.saturating_add(rhs.0))
    }
}

/// Saturates: 136 years stand for ever.
impl Add for Seconds {
    type Output = Self;
    fn add(self, rhs: Self) -> Self {
        Self(self.0.saturating_add(rhs.0))
    }
}

/// As people write a span: `45s`, `12m30s`, `3h05m`, `2d04h`.
impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = self.0;
        let text = match s {
            0..60 => format!("{s}s"),
            60..3600 => format!("{}m{:02}s", s / 60, s % 60),
            3600..86400 => format!("{}h{:02}m", s / 3600, s % 3600 / 60),
            _ => format!("{}d{:02}h", s / 86400, s % 86400 / 3600),
        };
        f.pad(&text)
    }
}

/// Why a text is not a length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a time such as `90s`, `45m`, `1h30m` or `2d`, or a whole number of seconds, up to 136 years"
)]
pub struct ParseSecondsError;

/// Reads what [`Display`](fmt::Display) writes, and any of `2d`, `1d12h30m`, `90` (seconds): units in falling order.
impl FromStr for Seconds {
    type Err = ParseSecondsError;
    fn from_str(text: &str) -> Result<Self, ParseSecondsError> {
        let bare = text.parse::<u32>().ok().filter(|_| !text.starts_with('+'));
        if let Some(seconds) = bare {
            return Ok(Self(seconds));
        }
        let (mut total, mut rest, mut ceiling) = (0_u32, text.trim(), u32::MAX);
        if rest.is_empty() {
            return Err(ParseSecondsError);
        }
        while !rest.is_empty() {
            let end = rest.find(|c: char| !c.is_ascii_digit()).ok_or(ParseSecondsError)?;
            let count: u32 = rest[..end].parse().map_err(|_| ParseSecondsError)?;
            let unit = match rest.as_bytes()[end] {
                b's' => 1,
                b'm' => 60,
                b'h' => 3600,
                b'd' => 86_400,
                _ => return Err(ParseSecondsError),
            };
            if unit >= ceiling {
                return Err(ParseSecondsError);
            }
            ceiling = unit;
            let more = count.checked_mul(unit).ok_or(ParseSecondsError)?;
            total = total.checked_add(more).ok_or(ParseSecondsError)?;
            rest = &rest[end + 1..];
        }
        Ok(Self(total))
    }
}

/// A number of GPUs in thousandths, so that a pod can ask for half of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Gpus(u32);

impl Gpus {
    /// No GPU.
    pub const ZERO: Self = Self(0);
    /// One whole GPU.
    pub const ONE: Self = Self(1000);
    /// The largest number of whole GPUs that can be counted.
    pub const MAX_WHOLE: u32 = u32::MAX / 1000;

    /// `count` whole GPUs.
    ///
    /// # Panics
    /// Above [`Gpus::MAX_WHOLE`]; whatever comes from a file is checked before.
    #[must_use]
    pub const fn whole(count: u32) -> Self {
        assert!(count <= Self::MAX_WHOLE, "more GPUs than thousandths can be counted for");
        Self(count * 1000)
    }
    /// A number of thousandths.
    #[must_use]
    pub const fn from_milli(milli: u32) -> Self {
        Self(milli)
    }
    /// The number in thousandths.
    #[must_use]
    pub const fn milli(self) -> u32 {
        self.0
    }
    /// Whole GPUs, a fraction counting as one more.
    #[must_use]
    pub const fn ceil(self) -> u32 {
        self.0.div_ceil(1000)
    }
    /// Whether it is a whole number of GPUs.
    #[must_use]
    pub const fn is_whole(self) -> bool {
        self.0.is_multiple_of(1000)
    }
    /// The number as a real, for statistics only.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / 1000.0
    }
}

/// Decimal GPUs without needless zeros: `8`, `0.5`, `0.046`.
impl fmt::Display for Gpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, milli) = (self.0 / 1000, self.0 % 1000);
        if milli == 0 {
            return f.pad_integral(true, "", &whole.to_string());
        }
        let text = format!("{whole}.{milli:03}");
        f.pad(text.trim_end_matches('0'))
    }
}

/// Why a text is not a number of GPUs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a number of GPUs with at most three decimals, up to {max}", max = Gpus::MAX_WHOLE)]
pub struct ParseGpusError;

impl FromStr for Gpus {
    type Err = ParseGpusError;
    fn from_str(text: &str) -> Result<Self, ParseGpusError> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        let fraction = fraction.trim_end_matches('0');
        if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 3 {
            return Err(ParseGpusError);
        }
        let whole: u32 = whole.parse().map_err(|_| ParseGpusError)?;
        let milli: u32 = format!("{fraction:0<3}").parse().map_err(|_| ParseGpusError)?;
        whole.checked_mul(1000).and_then(|w| w.checked_add(milli)).map(Self).ok_or(ParseGpusError)
    }
}

impl Add for Gpus {
    type Output = Self;
    fn add(self, rhs: Self) -> Self {
        Self(self.0 + rhs.0)
    }
}
impl Sub for Gpus {
    type Output = Self;
    fn sub(self, rhs: Self) -> Self {
        Self(self.0 - rhs.0)
    }
}
impl AddAssign for Gpus {
    fn add_assign(&mut self, rhs: Self) {
        self.0 += rhs.0;
    }
}
impl SubAssign for Gpus {
    fn sub_assign(&mut self, rhs: Self) {
        self.0 -= rhs.0;
    }
}

/// Power in whole watts; 64 bits, since 5 GW exceeds 32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Watts(pub u64);

/// Why a text is not a power.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a power such as `800 W`, `120 kW`, `1.5 MW` or `1 GW`, in whole watts")]
pub struct ParseWattsError;

/// Reads `800 W`, `120 kW`, `1.5MW`: a decimal number that comes to whole watts.
impl FromStr for Watts {
    type Err = ParseWattsError;
    fn from_str(text: &str) -> Result<Self, ParseWattsError> {
        let split = text.find(|c: char| c.is_ascii_alphabetic()).ok_or(ParseWattsError)?;
        let (number, unit) = (text[..split].trim(), &text[split..]);
        let decimals = match unit {
            "W" => 0,
            "kW" => 3,
            "MW" => 6,
            "GW" => 9,
            _ => return Err(ParseWattsError),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > decimals {
            return Err(ParseWattsError);
        }
        format!("{whole}{fraction:0<decimals$}").parse().map(Self).map_err(|_| ParseWattsError)
    }
}

/// An amount of money in millionths of a dollar; negative where the grid pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Money(pub i64);

/// As a number of dollars; exact to the millionth up to nine billion of them.
impl Serialize for Money {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "beyond 2^53 millionths of a dollar nobody counts them"
        )]
        serializer.serialize_f64(self.0 as f64 / 1e6)
    }
}

/// Dollars and cents: `$1,234.57`, `-$0.05`.
impl Money {
    /// Dollars to the millionth, so that sums are exact.
    ///
    /// ```
    /// use gigawatt::units::Money;
    /// assert_eq!(Money(-1_500_000).exact(), "-1.500000");
    /// ```
    #[must_use]
    pub fn exact(self) -> String {
        let (sign, micros) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        format!("{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cents = (self.0.unsigned_abs() + 5_000) / 10_000;
        let digits = (cents / 100).to_string();
        let mut grouped = String::new();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        let sign = if self.0 < 0 && cents > 0 { "-" } else { "" };
        f.pad(&format!("{sign}${grouped}.{:02}", cents % 100))
    }
}

/// The decimal number `text` times 10 to the power of `decimals`, rounded to the nearest whole number, halves away from
/// zero; none if it is no decimal number or beyond 64 bits.
///
/// ```
/// use gigawatt::units::fixed_point;
/// assert_eq!(fixed_point("15.4899999", 6), Some(15_490_000));
/// assert_eq!(fixed_point("-3", 2), Some(-300));
/// assert_eq!(fixed_point("1e3", 0), None);
/// ```
#[must_use]
pub fn fixed_point(text: &str, decimals: usize) -> Option<i64> {
    let (negative, number) = match text.strip_prefix('-') {
        Some(number) => (true, number),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() && fraction.is_empty() || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let kept = &fraction[..fraction.len().min(decimals)];
    let digits = format!("0{whole}{kept:0<decimals$}");
    let up = i64::from(fraction.as_bytes().get(decimals).is_some_and(|digit| *digit >= b'5'));
    let value = digits.parse::<i64>().ok()?.checked_add(up)?;
    Some(if negative { -value } else { value })
}

/// A speed or factor in Q16.16: 65,536 stands for 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Factor(pub u32);

impl Factor {
    /// Exactly 1.
    pub const ONE: Self = Self(1 << 16);

    /// The nearest representable factor; `None` outside 2⁻¹⁶ ..= 65,535 or if not a number.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked first")]
    pub fn from_f64(value: f64) -> Option<Self> {
        let scaled = (value * 65536.0).round();
        (1.0..=65535.0 * 65536.0).contains(&scaled).then_some(Self(scaled as u32))
    }
    /// The factor as a real, for printing only.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / 65536.0
    }
    /// The product of two factors, rounded down, at least 2⁻¹⁶.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "clamped to 32 bits first")]
    pub fn times(self, other: Self) -> Self {
        let product = (u64::from(self.0) * u64::from(other.0)) >> 16;
        Self(product.clamp(1, u64::from(u32::MAX)) as u32)
    }
}

impl Default for Factor {
    fn default() -> Self {
        Self::ONE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_gpus_is_read_exactly_or_not_at_all() {
        for (text, milli) in
            [("1", 1000), ("0.5", 500), ("0.046", 46), ("8.000", 8000), ("0", 0), ("4294967", 4_294_967_000)]
        {
            assert_eq!(text.parse::<Gpus>().map(Gpus::milli), Ok(milli), "{text}");
        }
        for text in ["", ".", "-1", "1.2345", "1e3", "4294968", "99999999999999999999", "0.5x", "nan"] {
            assert_eq!(text.parse::<Gpus>(), Err(ParseGpusError), "{text}");
        }
    }

    #[test]
    fn a_number_of_gpus_is_written_as_it_is_read() {
        for text in ["1", "0.5", "0.046", "72", "0"] {
            assert_eq!(text.parse::<Gpus>().unwrap().to_string(), text, "round trip");
        }
    }

    #[test]
    fn time_saturates_instead_of_wrapping() {
        assert_eq!(Time(u32::MAX - 1) + Seconds(5), Time::NEVER, "136 years stand for ever");
        assert_eq!(Time(3).since(Time(5)), Seconds(0), "no negative spans");
    }

    #[test]
    fn a_time_is_read_as_it_is_written() {
        for (text, seconds) in [
            ("0", 0),
            ("90", 90),
            ("90s", 90),
            ("12m30s", 750),
            ("3h05m", 11_100),
            ("2d04h", 187_200),
            ("6h", 21_600),
        ] {
            assert_eq!(text.parse(), Ok(Seconds(seconds)), "{text}");
        }
        assert_eq!(Seconds(11_100).to_string().parse(), Ok(Seconds(11_100)), "round trip");
        for text in ["", "h", "1h1h", "1m1h", "-5", "+5", "1.5h", "6 parsecs", "1hé", "50000d", "4294967296"]
        {
            assert_eq!(text.parse::<Seconds>(), Err(ParseSecondsError), "{text}");
        }
    }

    #[test]
    fn a_power_is_read_exactly_or_not_at_all() {
        for (text, watts) in
            [("800 W", 800), ("120kW", 120_000), ("1.5 MW", 1_500_000), ("5 GW", 5_000_000_000)]
        {
            assert_eq!(text.parse(), Ok(Watts(watts)), "{text}");
        }
        for text in ["", "5", "W", "-1 W", "0.5 W", "1e3 W", "5 kw", "99999999999999999999 W", "é W"] {
            assert_eq!(text.parse::<Watts>(), Err(ParseWattsError), "{text}");
        }
    }

    #[test]
    fn decimals_are_scaled_exactly_and_rounded_once() {
        for (text, decimals, value) in [
            ("42.5", 6, 42_500_000),
            ("-0.0000005", 6, -1),
            ("0.0000004999", 6, 0),
            (".5", 0, 1),
            ("7.", 1, 70),
            ("+8994", 6, 8_994_000_000),
            ("00012", 0, 12),
            ("9223372036854775807", 0, i64::MAX),
        ] {
            assert_eq!(fixed_point(text, decimals), Some(value), "{text}");
        }
        for text in ["", "-", ".", "1e3", "nan", "1.2.3", "--1", "9223372036854775808", "1 ", "١"] {
            assert_eq!(fixed_point(text, 0), None, "{text}");
        }
    }

    #[test]
    fn money_is_shown_in_dollars_and_cents() {
        for (micros, text) in [
            (1_234_567_890_123, "$1,234,567.89"),
            (-50_000, "-$0.05"),
            (-4_999, "$0.00"),
            (999_995_000, "$1,000.00"),
            (0, "$0.00"),
        ] {
            assert_eq!(Money(micros).to_string(), text, "{micros}");
        }
    }

    #[test]
    fn factors_multiply_and_never_reach_zero() {
        let half = Factor::from_f64(0.5).unwrap();
        assert_eq!(half.times(half), Factor::from_f64(0.25).unwrap(), "a quarter");
        assert_eq!(Factor(1).times(Factor(1)), Factor(1), "at least 2^-16");
        assert_eq!(Factor::from_f64(f64::NAN), None, "not a number");
        assert_eq!(Factor::from_f64(0.0), None, "a job must make progress");
    }
}
