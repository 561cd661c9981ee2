use super::field;
use super::mapping::Mapping;
use crate::error::{Problem, Problems};
use std::fmt;
use std::str::FromStr;

/// Finds the index of a platform by its name, in lower case.
pub type PlatformIndex<'a> = dyn Fn(&str) -> Option<usize> + 'a;

/// What to take of a trace, and how to read what it leaves open.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// Only jobs submitted from here on; this instant becomes time 0.
    pub from: Option<Moment>,
    /// Only jobs submitted before this instant.
    pub until: Option<Moment>,
    /// Factor on the rate of arrivals: the time between submits is divided by it, 10⁻⁶ ..= 10⁶.
    pub scale_load: f64,
    /// Each job is kept with this probability, above 0 and at most 1.
    pub sample: f64,
    /// Seed of the sample.
    pub seed: u64,
    /// Processors that stand for one GPU where a trace counts processors (SWF); a remainder takes one more.
    pub procs_per_gpu: u32,
    /// Whether "preceding job" and "think time" of SWF become dependencies.
    pub think_time: bool,
    /// Which SWF number names the partition of a job.
    pub swf_partition: SwfPartition,
    /// Index in the catalogue of the platform of that name. It may add unknown ones to the catalogue; `None`
    /// makes them unknown. Without it, wishes for platforms are left out, and the notes say so.
    pub platform: Option<&'a PlatformIndex<'a>>,
    /// What the user says about the trace that it does not say itself.
    pub map: &'a Mapping,
    /// Whether lines that cannot be read are left out, and counted, instead of refusing the file.
    pub skip_bad_lines: bool,
    /// The most bytes a compressed input may unpack to.
    pub max_unpacked: u64,
    /// The most bytes that one compressed byte may unpack to, beyond the first 64 MiB.
    pub max_ratio: u64,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            from: None,
            until: None,
            scale_load: 1.0,
            sample: 1.0,
            seed: 0,
            procs_per_gpu: 1,
            think_time: false,
            swf_partition: SwfPartition::Ignore,
            platform: None,
            map: Mapping::NONE,
            skip_bad_lines: false,
            max_unpacked: 8 << 30,
            max_ratio: 1000,
        }
    }
}

impl fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("from", &self.from)
            .field("until", &self.until)
            .field("scale_load", &self.scale_load)
            .field("sample", &self.sample)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

impl Options<'_> {
    /// The denominator of [`Options::scale_step`].
    pub(super) const MILLION: u64 = 1_000_000;

    /// Up to here nobody asks how well an input was compressed.
    const RATIO_FREE: u64 = 64 << 20;

    /// The most bytes that so many packed ones may unpack to.
    pub(super) fn most_unpacked(&self, packed: usize) -> u64 {
        self.max_unpacked.min(self.max_ratio.saturating_mul(packed as u64).max(Self::RATIO_FREE))
    }
    /// The factor on arrivals in millionths.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "`problems` checks the range"
    )]
    pub(super) fn scale_step(&self) -> u64 {
        (self.scale_load * 1e6).round() as u64
    }
    /// What 32 random bits must stay below for a job to be kept; none: every job is.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "`problems` checks the range"
    )]
    pub(super) fn sample_bound(&self) -> Option<u32> {
        (self.sample < 1.0).then_some((self.sample * 4_294_967_296.0) as u32)
    }
    /// What is wrong with the options themselves.
    pub(super) fn problems(&self) -> Problems {
        let mut problems = Problems::default();
        if !(1e-6..=1e6).contains(&self.scale_load) {
            let found = format!("scale-load `{}` is not a factor on the rate of arrivals", self.scale_load);
            problems.push(Problem::new(found).hint("2 doubles it; from 0.000001 to 1000000"));
        }
        if !(self.sample > 0.0 && self.sample <= 1.0) {
            let found = format!("sample `{}` is not the probability of keeping a job", self.sample);
            problems.push(Problem::new(found).hint("above 0 and at most 1"));
        }
        if self.procs_per_gpu == 0 {
            problems.push(Problem::new("0 processors for a GPU").hint("at least 1"));
        }
        problems
    }
}

/// Which number of an SWF line becomes the partition of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SwfPartition {
    /// None: every job may run on every node.
    #[default]
    Ignore,
    /// Field 15, as `queue3`.
    Queue,
    /// Field 16, as `partition3`.
    Partition,
}

/// A point of a trace's time.
///
/// ```
/// use gigawatt::trace::Moment;
/// assert_eq!("36h".parse(), Ok(Moment::Seconds(129_600)));
/// assert_eq!("90".parse(), Ok(Moment::Seconds(90)));
/// assert_eq!("1970-01-02".parse(), Ok(Moment::Unix(86_400)));
/// assert!("tomorrow".parse::<Moment>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Seconds after the trace's time 0.
    Seconds(u32),
    /// Unix seconds.
    Unix(i64),
}

/// Why a text is not a point of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected seconds (`3600`, `90m`, `36h`, `2d`) or a date (`2017-10-09`, `2017-10-09 07:00:00`)")]
pub struct ParseMomentError;

impl FromStr for Moment {
    type Err = ParseMomentError;
    fn from_str(text: &str) -> Result<Self, ParseMomentError> {
        let text = text.trim();
        let unit = match text.as_bytes().last() {
            Some(b's') => 1,
            Some(b'm') => 60,
            Some(b'h') => 3600,
            Some(b'd') => 86_400,
            _ => 0,
        };
        let digits = if unit == 0 { text } else { &text[..text.len() - 1] };
        if let Ok(number) = digits.parse::<u32>() {
            return number.checked_mul(unit.max(1)).map(Self::Seconds).ok_or(ParseMomentError);
        }
        // What is left out of a date counts as zero.
        let date =
            ["", ":00", " 00:00:00"].iter().find_map(|rest| field::date(format!("{text}{rest}").as_bytes()));
        date.map(|date| Self::Unix(date.seconds)).ok_or(ParseMomentError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_out_of_range_are_told_all_at_once() {
        assert!(Options::default().problems().is_empty(), "the defaults are right");
        let wrong = Options { scale_load: f64::NAN, sample: 0.0, procs_per_gpu: 0, ..Options::default() };
        assert_eq!(wrong.problems().total(), 3, "three are wrong");
    }

    #[test]
    fn moments_are_seconds_spans_or_dates() {
        for (text, moment) in [
            ("0", Moment::Seconds(0)),
            ("90m", Moment::Seconds(5400)),
            ("2d", Moment::Seconds(172_800)),
            ("1970-01-01 00:00:07", Moment::Unix(7)),
            ("1970-01-01T00:00:07+00:00", Moment::Unix(7)),
            ("1970-01-01 01:30", Moment::Unix(5400)),
            ("1970-01-01T01:30", Moment::Unix(5400)),
            ("1970-01-02", Moment::Unix(86_400)),
        ] {
            assert_eq!(text.parse(), Ok(moment), "{text}");
        }
        for text in ["", "-1", "5x", "99999999d", "é", "s", "2017-10", "2017-10-09T12", "2017-13-01"] {
            assert_eq!(text.parse::<Moment>(), Err(ParseMomentError), "{text}");
        }
    }
}
