//! Values one after the other: how long each holds, and whether any is missing.

use crate::error::{Place, Problem};
use crate::trace::field;
use crate::trace::intake::Intake;
use crate::trace::options::Moment;

/// The shortest step: what meters and markets record is longer.
const STEP_MIN: i64 = 60;
/// How many steps of a new length make it a change; fewer are a gap.
const KEPT: usize = 3;
/// The most steps of a series.
pub(super) const STEPS_MAX: u64 = 10_000_000;

/// A point of time as a number of seconds, and from where it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) seconds: i64,
    pub(super) dated: bool,
}

impl Stamp {
    pub(super) fn read(text: &[u8]) -> Option<Self> {
        if let Some(seconds) = field::count(text) {
            return Some(Self { seconds: i64::from(seconds), dated: false });
        }
        let minute = || field::date(&[text, b":00"].concat());
        let date = field::date(text).or_else(minute).filter(|date| !date.fraction)?;
        Some(Self { seconds: date.seconds, dated: true })
    }
    pub(super) fn moment(self) -> Moment {
        let seconds = u32::try_from(self.seconds).unwrap_or(u32::MAX);
        if self.dated { Moment::Unix(self.seconds) } else { Moment::Seconds(seconds) }
    }
}

/// A series as its lines come in.
#[derive(Debug, Default)]
pub(super) struct Steps {
    pub(super) first: Option<Stamp>,
    last: Option<Stamp>,
    runs: Vec<Run>,
    pub(super) values: Vec<i64>,
}

/// Lines at the same distance from each other.
#[derive(Debug)]
struct Run {
    step: i64,
    count: usize,
    /// The time that ends its first step.
    place: Place,
}

impl Steps {
    /// The next time: a step after the last one.
    pub(super) fn follow(&mut self, stamp: Stamp, place: &dyn Fn(&str) -> Place, intake: &mut Intake<'_>) {
        self.first.get_or_insert(stamp);
        let Some(last) = self.last.replace(stamp) else { return };
        let passed = stamp.seconds - last.seconds;
        let told = if stamp.dated != last.dated {
            Some("dates and seconds are mixed".to_owned())
        } else if passed == 0 {
            Some("the same time again".to_owned())
        } else if passed < 0 {
            Some("an earlier time than the line before".to_owned())
        } else {
            match self.runs.last_mut() {
                Some(run) if run.step == passed => run.count += 1,
                _ => self.runs.push(Run { step: passed, count: 1, place: place(intake.file) }),
            }
            (passed < STEP_MIN).then(|| format!("a step of {passed} s: at least {STEP_MIN} s"))
        };
        if let Some(told) = told {
            intake.problem(|file| Problem::new(told).at(place(file)));
        }
    }

    /// The lengths of steps, in the order in which they come; what is not one length after another is told.
    pub(super) fn lengths(&self, intake: &mut Intake<'_>) -> Vec<i64> {
        let mut lengths: Vec<i64> = Vec::new();
        let mut kept = 0;
        for run in &self.runs {
            let Some(last) = lengths.last().copied() else {
                lengths.push(run.step);
                kept = run.count;
                continue;
            };
            if run.step == last {
                kept += run.count;
            } else if (run.step % last == 0 || last % run.step == 0) && kept.min(run.count) >= KEPT {
                lengths.push(run.step);
                kept = run.count;
            } else {
                let told = format!("a step of {} s after steps of {last} s", run.step);
                let missing = run.step / last - 1;
                let hint = match missing {
                    1.. if run.step % last == 0 => {
                        let values = if missing == 1 {
                            "a value is".to_owned()
                        } else {
                            format!("{missing} values are")
                        };
                        format!("{values} missing before it: put in what is right, such as the one before")
                    }
                    _ => "times follow each other at one step, which may change once in a while".to_owned(),
                };
                intake.problem(|_| Problem::new(told).at(run.place.clone()).hint(hint));
            }
        }
        lengths
    }

    /// The values, each as often as `unit` goes into its step; none if that is too often.
    pub(super) fn in_units(self, unit: i64) -> Option<Vec<i64>> {
        let times = |run: &Run| usize::try_from(run.step / unit).unwrap_or(usize::MAX);
        let total = |run: &Run| (times(run) as u64).saturating_mul(run.count as u64);
        if self.runs.iter().map(total).fold(0, u64::saturating_add) > STEPS_MAX {
            return None;
        }
        if self.runs.iter().all(|run| run.step == unit) {
            return Some(self.values);
        }
        let holds = self.runs.iter().flat_map(|run| std::iter::repeat_n(times(run), run.count));
        let last = self.runs.last().map(times);
        let each = self.values.iter().zip(holds.chain(last));
        Some(each.flat_map(|(value, times)| std::iter::repeat_n(*value, times)).collect())
    }
}

/// The greatest common divisor.
pub(super) const fn divisor(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { divisor(b, a % b) }
}
