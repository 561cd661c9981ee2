//! Prices, energies and the like, as they are written in a scenario.

use crate::document::{Read, Value};
use crate::units::fixed_point;

/// The number of a value and the unit behind it, if there is one.
fn parts(value: &Value) -> Option<(String, Option<String>)> {
    match value {
        Value::Integer(number) => Some((number.to_string(), None)),
        Value::Float(text) => Some((text.clone(), None)),
        Value::String(text) => {
            let split = text.find(|c: char| !matches!(c, '0'..='9' | '.' | '-' | '+')).unwrap_or(text.len());
            let unit = text[split..].trim();
            Some((text[..split].to_owned(), (!unit.is_empty()).then(|| unit.to_owned())))
        }
        _ => None,
    }
}

/// A number with one of these units, each of which stands for 10 to some power of what is counted; the first one is
/// meant where none is written.
fn scaled(value: &Value, units: &[(&str, usize)], range: std::ops::RangeInclusive<i64>) -> Option<i64> {
    let (number, unit) = parts(value)?;
    let decimals = match unit {
        None => units[0].1,
        Some(unit) => units.iter().find(|(name, _)| *name == unit)?.1,
    };
    fixed_point(&number, decimals).filter(|scaled| range.contains(scaled))
}

/// µ$/MWh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EnergyPrice(pub(super) i64);

impl Read for EnergyPrice {
    fn expected() -> String {
        "a price such as `42.5` or `42.5 $/MWh`, or `0.0425 $/kWh`, up to a million $/MWh".to_owned()
    }
    fn read(value: &Value) -> Option<Self> {
        let most = crate::cluster::grid::Signal::MAX;
        scaled(value, &[("$/MWh", 6), ("$/kWh", 9)], -most..=most).map(Self)
    }
    fn schema() -> serde_json::Value {
        let number = serde_json::json!({ "type": "number" });
        serde_json::json!({ "anyOf": [number, crate::document::quantity(&Self::expected())] })
    }
}

/// µ$ a kilowatt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DemandPrice(pub(super) i64);

impl Read for DemandPrice {
    fn expected() -> String {
        "a price a month such as `12.5` or `12.5 $/kW`, from 0 to a million".to_owned()
    }
    fn read(value: &Value) -> Option<Self> {
        scaled(value, &[("$/kW", 6)], 0..=crate::cluster::grid::Signal::MAX).map(Self)
    }
}

/// Grams a MWh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Intensity(pub(super) i64);

impl Read for Intensity {
    fn expected() -> String {
        "a carbon intensity such as `369` or `369 g/kWh`, from 0 to a million".to_owned()
    }
    fn read(value: &Value) -> Option<Self> {
        scaled(value, &[("g/kWh", 3), ("kg/MWh", 3)], 0..=1_000_000_000).map(Self)
    }
}

/// Joules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Energy(pub(super) u64);

impl Read for Energy {
    fn expected() -> String {
        "an energy such as `500 kWh`, `100 MWh`, `1.2 GWh` or `360 GJ`".to_owned()
    }
    fn read(value: &Value) -> Option<Self> {
        let (number, unit) = parts(value)?;
        let (decimals, factor) = match unit.as_deref()? {
            "J" => (0, 1),
            "kJ" => (3, 1),
            "MJ" => (6, 1),
            "GJ" => (9, 1),
            "kWh" => (3, 3600),
            "MWh" => (6, 3600),
            "GWh" => (9, 3600),
            _ => return None,
        };
        let joules = u64::try_from(fixed_point(&number, decimals)?).ok()?.checked_mul(factor)?;
        (joules <= crate::cluster::grid::Battery::CAPACITY_MAX).then_some(Self(joules))
    }
}

/// Parts of a million.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Efficiency(pub(super) u32);

impl Read for Efficiency {
    fn expected() -> String {
        "a share above 0 and at most 1, such as `0.85`".to_owned()
    }
    fn read(value: &Value) -> Option<Self> {
        let ppm = u32::try_from(scaled(value, &[("", 6)], 1..=1_000_000)?).ok()?;
        Some(Self(ppm))
    }
}

/// What a list such as `mon-fri;sun` names, as bits, the first name being bit 0; a range may pass the end: `nov-feb`.
fn named(text: &str, names: &[&str]) -> Option<u16> {
    let place = |name: &str| names.iter().position(|known| *known == name.trim());
    let mut bits = 0_u16;
    for piece in text.split([';', ',']) {
        let (first, last) = piece.split_once('-').unwrap_or((piece, piece));
        let (mut at, last) = (place(first)?, place(last)?);
        loop {
            bits |= 1 << at;
            if at == last {
                break;
            }
            at = (at + 1) % names.len();
        }
    }
    Some(bits)
}

/// Hours of the day as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hours(pub(super) u32);

impl Read for Hours {
    fn expected() -> String {
        "hours such as `16-21` (from 16:00 to 21:00) or `22-6;12-13`".to_owned()
    }
    fn read(value: &Value) -> Option<Self> {
        let Value::String(text) = value else { return None };
        let mut bits = 0_u32;
        for piece in text.split([';', ',']) {
            let (from, to) = piece.split_once('-')?;
            let hour = |text: &str| text.trim().trim_end_matches(":00").parse::<u32>().ok();
            let (mut from, to) = (hour(from)?, hour(to)?);
            if from > 23 || to > 24 || from == to {
                return None;
            }
            while from != to {
                bits |= 1 << (from % 24);
                from = if from + 1 == 24 && to != 24 { 0 } else { from + 1 };
            }
        }
        Some(Self(bits))
    }
}

/// Days of the week as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Days(pub(super) u8);

impl Read for Days {
    fn expected() -> String {
        "days such as `mon-fri` or `sat;sun`".to_owned()
    }
    fn read(value: &Value) -> Option<Self> {
        let Value::String(text) = value else { return None };
        let bits = named(text, &["mon", "tue", "wed", "thu", "fri", "sat", "sun"])?;
        u8::try_from(bits).ok().map(Self)
    }
    fn schema() -> serde_json::Value {
        serde_json::json!({ "type": "string", "description": Self::expected() })
    }
}

/// Months as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MonthNames(pub(super) u16);

impl Read for MonthNames {
    fn expected() -> String {
        "months such as `jun-sep` or `nov-feb`".to_owned()
    }
    fn read(value: &Value) -> Option<Self> {
        let Value::String(text) = value else { return None };
        let names = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
        named(text, &names).map(Self)
    }
    fn schema() -> serde_json::Value {
        serde_json::json!({ "type": "string", "description": Self::expected() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::String(text.to_owned())
    }

    #[test]
    fn prices_and_energies_have_their_units() {
        for (written, micros) in [
            ("42.5", 42_500_000),
            ("-7 $/MWh", -7_000_000),
            ("0.0425 $/kWh", 42_500_000),
            ("8994$/MWh", 8_994_000_000),
        ] {
            assert_eq!(EnergyPrice::read(&text(written)), Some(EnergyPrice(micros)), "{written}");
        }
        assert_eq!(EnergyPrice::read(&Value::Integer(30)), Some(EnergyPrice(30_000_000)), "$/MWh");
        for wrong in ["", "$/MWh", "5 EUR/MWh", "1000001", "1e3", "é"] {
            assert_eq!(EnergyPrice::read(&text(wrong)), None, "{wrong}");
        }
        assert_eq!(Energy::read(&text("1.5 MWh")), Some(Energy(5_400_000_000)), "1.5 × 3.6 GJ");
        assert_eq!(Energy::read(&text("1 GJ")), Some(Energy(1_000_000_000)), "joules");
        for wrong in ["5", "-1 MWh", "5 MW", "9999999999 GWh"] {
            assert_eq!(Energy::read(&text(wrong)), None, "{wrong}");
        }
        assert_eq!(Efficiency::read(&Value::Float("0.85".to_owned())), Some(Efficiency(850_000)), "ppm");
        for wrong in ["0", "1.1", "-0.5", "x"] {
            assert_eq!(Efficiency::read(&text(wrong)), None, "{wrong}");
        }
    }

    #[test]
    fn hours_end_where_the_next_begins_and_names_are_included() {
        assert_eq!(Hours::read(&text("16-21")), Some(Hours(0b11111 << 16)), "five hours");
        assert_eq!(
            Hours::read(&text("22-2;12:00-13:00")),
            Some(Hours(0b11 << 22 | 1 << 12 | 0b11)),
            "past midnight"
        );
        assert_eq!(Hours::read(&text("0-24")), Some(Hours(0xff_ffff)), "all day");
        assert_eq!(Hours::read(&text("23-24")), Some(Hours(1 << 23)), "the last hour");
        for wrong in ["", "5", "5-5", "24-2", "5-25", "a-b", "-1-3"] {
            assert_eq!(Hours::read(&text(wrong)), None, "{wrong}");
        }
        assert_eq!(Days::read(&text("mon-fri")), Some(Days(0b1_1111)), "five days");
        assert_eq!(Days::read(&text("sat-mon;wed")), Some(Days(0b110_0101)), "past Sunday");
        assert_eq!(MonthNames::read(&text("nov-feb")), Some(MonthNames(0b1100_0000_0011)), "past December");
        assert_eq!(Days::read(&text("monday")), None, "three letters");
    }
}
