use crate::ensemble::{Measure, Unit, measure};
use crate::error::Problem;
use crate::units::Seconds;

/// A bound on a measure, such as `wait_p95 < 30m`.
///
/// ```
/// use gigawatt::experiment::Target;
/// let target = Target::parse("wait_p95 < 30m").unwrap();
/// assert_eq!((target.measure.key, target.bound), ("wait_p95_s", 1800.0));
/// assert!(target.is_met(1799.0) && !target.is_met(1800.0));
/// assert!(!target.is_met(f64::NAN), "what is not known meets nothing");
/// ```
#[derive(Debug, Clone)]
pub struct Target {
    /// As it was written.
    pub text: String,
    /// What it is about.
    pub measure: &'static Measure,
    /// On which side of the bound a value has to be.
    pub side: Side,
    /// In the unit of the measure.
    pub bound: f64,
}

/// On which side of a bound a value has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `=`
    Equal,
}

/// As written; longer ones first, since `<=` begins as `<` does.
const SIDES: [(&str, Side); 6] = [
    ("<=", Side::AtMost),
    (">=", Side::AtLeast),
    ("==", Side::Equal),
    ("<", Side::Below),
    (">", Side::Above),
    ("=", Side::Equal),
];

impl Target {
    /// The target that a text such as `unfinished = 0` or `cost <= $1200` means.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Box<Problem>> {
        let at = text.find(['<', '>', '=']).ok_or_else(|| {
            let problem =
                Problem::new(format!("`{text}` is no target: expected a measure, a sign and a value"));
            Box::new(problem.hint("such as `wait_p95 < 30m`; signs are <, <=, >, >= and ="))
        })?;
        let (name, rest) = text.split_at(at);
        let found = SIDES.iter().find_map(|(sign, side)| Some((*side, rest.strip_prefix(sign)?)));
        let (side, value) = found.unwrap_or((Side::Equal, rest));
        let measure = measure(name.trim())?;
        let bound = amount(value.trim(), measure.unit).ok_or_else(|| {
            let expected = expected(measure.unit);
            let problem = Problem::new(format!("`{text}`: expected {expected}, found `{}`", value.trim()));
            Box::new(problem.hint(format!("{}: {}", measure.word(), measure.about)))
        })?;
        let target = Self { text: text.trim().to_owned(), measure, side, bound };
        target.must_be_within_reach(value.trim())?;
        Ok(target)
    }
    /// That there are values that meet it, and, of a share, that its bound is one.
    fn must_be_within_reach(&self, written: &str) -> Result<(), Box<Problem>> {
        let unit = self.measure.unit;
        let (least, most) = unit.reach().into_inner();
        let can_be_met = match self.side {
            Side::Below => self.bound > least,
            Side::AtMost => self.bound >= least,
            Side::Above => self.bound < most,
            Side::AtLeast => self.bound <= most,
            Side::Equal => (least..=most).contains(&self.bound),
        };
        if can_be_met && (unit != Unit::Share || (least..=most).contains(&self.bound)) {
            return Ok(());
        }
        let (word, about) = (self.measure.word(), self.measure.about);
        let said = match unit {
            Unit::Share => format!("`{}`: {word} is a share, from 0 to 1", self.text),
            _ => format!("`{}` is met by nothing: {word} is at least 0", self.text),
        };
        let is_percent = unit == Unit::Share && (1.0..=100.0).contains(&self.bound);
        let hint = match is_percent && written.parse::<f64>().is_ok() {
            true => format!("did you mean `{}%`?", self.text),
            false => format!("{word}: {about}"),
        };
        Err(Box::new(Problem::new(said).hint(hint)))
    }
    /// Whether a value is where it has to be.
    #[must_use]
    pub fn is_met(&self, value: f64) -> bool {
        match self.side {
            Side::Below => value < self.bound,
            Side::AtMost => value <= self.bound,
            Side::Above => value > self.bound,
            Side::AtLeast => value >= self.bound,
            Side::Equal => (value - self.bound).abs() <= 1e-9 * self.bound.abs(),
        }
    }
}

/// What stands behind a number, and how much of the unit of the measure it is; the first is meant where none does.
const fn units(unit: Unit) -> &'static [(&'static str, f64)] {
    match unit {
        Unit::Seconds => &[("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86_400.0)],
        Unit::Ratio | Unit::Jobs => &[("", 1.0)],
        Unit::Share => &[("", 1.0), ("%", 0.01)],
        Unit::Joules => &[
            ("J", 1.0),
            ("kJ", 1e3),
            ("MJ", 1e6),
            ("GJ", 1e9),
            ("kWh", 3.6e6),
            ("MWh", 3.6e9),
            ("GWh", 3.6e12),
        ],
        Unit::Watts => &[("W", 1.0), ("kW", 1e3), ("MW", 1e6), ("GW", 1e9)],
        Unit::Dollars => &[("$", 1.0), ("k$", 1e3), ("M$", 1e6)],
        Unit::Grams => &[("g", 1.0), ("kg", 1e3), ("t", 1e6)],
    }
}

fn expected(unit: Unit) -> &'static str {
    match unit {
        Unit::Seconds => "a time such as `90s`, `30m` or `1h30m`",
        Unit::Ratio => "a number",
        Unit::Share => "a share such as `0.8` or `80%`",
        Unit::Jobs => "a number of jobs",
        Unit::Joules => "an energy such as `500 kWh` or `1.2 MWh`",
        Unit::Watts => "a power such as `800 kW` or `1.5 MW`",
        Unit::Dollars => "money such as `$1200` or `2.5 M$`",
        Unit::Grams => "a mass such as `250 kg` or `3 t`",
    }
}

/// A text as a number of that unit.
fn amount(text: &str, unit: Unit) -> Option<f64> {
    if unit == Unit::Seconds
        && let Ok(seconds) = text.parse::<Seconds>()
    {
        return Some(seconds.0.into());
    }
    let text = if unit == Unit::Dollars { text.strip_prefix('$').unwrap_or(text) } else { text };
    let end = text.find(|c: char| !matches!(c, '0'..='9' | '.' | '-' | '+')).unwrap_or(text.len());
    let number: f64 = text[..end].parse().ok()?;
    let name = text[end..].trim();
    let factor = if name.is_empty() { 1.0 } else { units(unit).iter().find(|(own, _)| *own == name)?.1 };
    Some(number * factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Problems;

    #[test]
    fn targets_are_read_in_the_units_of_their_measures() {
        for (text, key, side, bound) in [
            ("wait_p95 < 30m", "wait_p95_s", Side::Below, 1800.0),
            ("wait_p95<1h30m", "wait_p95_s", Side::Below, 5400.0),
            ("wait_mean <= 90.5", "wait_mean_s", Side::AtMost, 90.5),
            ("wait_mean_s <= 1.5h", "wait_mean_s", Side::AtMost, 5400.0),
            ("unfinished = 0", "unfinished_jobs", Side::Equal, 0.0),
            ("unfinished == 0", "unfinished_jobs", Side::Equal, 0.0),
            ("utilization >= 80%", "utilization", Side::AtLeast, 0.8),
            ("utilization > 0.5", "utilization", Side::Above, 0.5),
            ("peak <= 1.5 MW", "peak_w", Side::AtMost, 1.5e6),
            ("energy < 2 MWh", "energy_j", Side::Below, 7.2e9),
            ("cost < $1200", "cost_usd", Side::Below, 1200.0),
            ("cost < -3", "cost_usd", Side::Below, -3.0),
            ("carbon < 3t", "carbon_g", Side::Below, 3e6),
        ] {
            let target = Target::parse(text).unwrap();
            assert_eq!((target.measure.key, target.side, target.bound), (key, side, bound), "{text}");
        }
    }

    #[test]
    fn what_is_no_target_says_what_was_expected() {
        for (text, said) in [
            ("wait_p95", "expected a measure, a sign and a value"),
            ("wait_p59 < 3", "unknown measure `wait_p59`"),
            ("wait_p95 < 30x", "expected a time such as `90s`"),
            ("wait_p95 <", "found ``"),
            ("unfinished < 30m", "expected a number of jobs"),
            ("peak < 30 t", "expected a power"),
            ("< 3", "unknown measure ``"),
            ("wait_p95 =< 3", "found `< 3`"),
            ("utilization > 30", "utilization is a share, from 0 to 1"),
            ("utilization < 30", "utilization is a share, from 0 to 1"),
            ("utilization > 100%", "utilization is a share, from 0 to 1"),
            ("wait_p95 < 0s", "is met by nothing: wait_p95 is at least 0"),
            ("wait_max = -3", "is met by nothing: wait_max is at least 0"),
            ("unfinished <= -1", "is met by nothing: unfinished is at least 0"),
        ] {
            let problem = Target::parse(text).unwrap_err();
            assert!(problem.message().contains(said), "{text}: {}", problem.message());
        }
    }

    #[test]
    fn what_looks_like_a_percentage_is_suggested_as_one() {
        let hint = |text: &str| Problems::from(*Target::parse(text).unwrap_err()).to_string();
        assert!(
            hint("utilization>30").contains("did you mean `utilization>30%`?"),
            "{}",
            hint("utilization>30")
        );
        assert!(!hint("utilization>300%").contains("did you mean"), "{}", hint("utilization>300%"));
    }

    #[test]
    fn each_side_is_where_it_says() {
        for (side, met) in [
            (Side::Below, [true, false, false]),
            (Side::AtMost, [true, true, false]),
            (Side::Above, [false, false, true]),
            (Side::AtLeast, [false, true, true]),
            (Side::Equal, [false, true, false]),
        ] {
            let target = Target { side, bound: 2.0, ..Target::parse("slowdown_mean < 2").unwrap() };
            assert_eq!([1.0, 2.0, 3.0].map(|value| target.is_met(value)), met, "{side:?}");
            assert!(!target.is_met(f64::NAN), "{side:?}");
        }
    }
}
