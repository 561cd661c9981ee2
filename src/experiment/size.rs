#[cfg(test)]
mod tests;

use super::statistics::{Interval, Resampling, mean_of};
use super::target::Target;
use crate::ensemble::{Delivered, Wanted, Watch, World, each};
use crate::history::Plan;
use std::collections::BTreeMap;
use std::ops::{ControlFlow, RangeInclusive};

/// What has to hold, and where the least value with which it does is looked for.
#[derive(Debug, Clone)]
pub struct Question {
    /// All of them have to be met, by the means over the seeds.
    pub targets: Vec<Target>,
    /// Values that may be the answer.
    pub between: RangeInclusive<u64>,
    /// How many values on each side of the answer are tried too; none: every one below it.
    pub check: Option<u64>,
}

/// What a target comes to with one value.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Mean over the seeds.
    pub value: f64,
    /// Where the mean lies with 95 %, if there are seeds enough to say.
    pub interval: Option<Interval>,
    /// Whether the mean is where it has to be.
    pub met: bool,
    /// Whether all of the interval is on the same side as the mean; of what is not random, always.
    pub sure: bool,
    /// One a seed.
    pub runs: Vec<f64>,
}

/// A value that was tried.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Probe {
    /// One a target; none where nothing could be run.
    pub verdicts: Vec<Verdict>,
    /// Why nothing could be run with it.
    pub problem: Option<String>,
}

impl Probe {
    /// Whether every target is met.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.problem.is_none() && self.verdicts.iter().all(|verdict| verdict.met)
    }
}

/// The least value that meets the targets, and what was tried to find it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sizing {
    /// The least value found; none: none meets the targets.
    pub answer: Option<u64>,
    /// By value.
    pub probes: BTreeMap<u64, Probe>,
    /// From here on more changes nothing, if that is why there is no answer.
    pub flat: Option<u64>,
}

impl Sizing {
    /// The targets that one less would miss, by their place; of no answer, those that the largest value misses.
    #[must_use]
    pub fn binding(&self) -> Vec<usize> {
        let value =
            self.answer.map_or_else(|| self.probes.keys().last().copied(), |answer| answer.checked_sub(1));
        let probe = value.and_then(|value| self.probes.get(&value));
        let verdicts = probe.map_or(&[][..], |probe| &probe.verdicts[..]);
        (0..).zip(verdicts).filter(|(_, verdict)| !verdict.met).map(|(place, _)| place).collect()
    }
    /// A target, by its place, of whose measure nothing is known, and with which value.
    #[must_use]
    pub fn unknown(&self) -> Option<(usize, u64)> {
        let place = |probe: &Probe| probe.verdicts.iter().position(|verdict| verdict.value.is_nan());
        self.probes.iter().find_map(|(value, probe)| Some((place(probe)?, *value)))
    }
    /// Values above the answer that miss a target all the same.
    #[must_use]
    pub fn misses_above(&self) -> Vec<u64> {
        let Some(answer) = self.answer else { return Vec::new() };
        self.probes.range(answer..).filter(|(_, probe)| !probe.is_met()).map(|(value, _)| *value).collect()
    }
    /// The values around the answer of which every one was tried.
    #[must_use]
    pub fn checked(&self) -> Option<RangeInclusive<u64>> {
        let answer = self.answer?;
        let tried = |value: &u64| self.probes.contains_key(value);
        let low = (0..=answer).rev().take_while(tried).last()?;
        let high = (answer..=u64::MAX).take_while(tried).last()?;
        Some(low..=high)
    }
}

/// The least value with which the plan of every seed, on average, meets the targets.
///
/// Values are doubled until one does, halved in between, and then those around it are tried, since more need not be
/// better: under backfill one node more can make a job wait longer. A value below that meets the targets too takes the
/// place of the answer, and those around it are tried in turn. With [`Question::check`] none, every value below is tried,
/// and the answer is that of an exhaustive search. A plan that there is not misses every target. `None` if interrupted.
///
/// # Complexity
/// O(log answer + check) values, each with all seeds, on every core.
pub fn size(
    question: &Question,
    plan: impl Fn(u64, u64) -> Result<Plan, String> + Sync,
    seeds: &[u64],
    watch: Watch<'_>,
) -> Option<Sizing> {
    let measures = question.targets.iter().map(|target| target.measure).collect();
    let wanted = Wanted { measures, ..Wanted::default() };
    let probe = |values: &[u64]| {
        let worlds: Vec<World> = (0..values.len() * seeds.len()).map(World::of).collect();
        let plan = |index: usize| plan(values[index / seeds.len()], seeds[index % seeds.len()]);
        let mut runs: Vec<Option<Result<Delivered, String>>> = vec![None; worlds.len()];
        each(&worlds, plan, &wanted, watch, |index, run| {
            runs[index] = Some(run);
            ControlFlow::Continue(())
        });
        let runs: Option<Vec<_>> = runs.into_iter().collect();
        Some(runs?.chunks(seeds.len()).map(|runs| judged(&question.targets, runs, seeds[0])).collect())
    };
    search(question, probe)
}

/// What the runs of one value come to.
fn judged(targets: &[Target], runs: &[Result<Delivered, String>], seed: u64) -> Probe {
    if let Some(problem) = runs.iter().find_map(|run| run.as_ref().err()) {
        return Probe { problem: Some(problem.clone()), ..Probe::default() };
    }
    let runs: Vec<&Delivered> = runs.iter().flatten().collect();
    let verdict = |(place, target): (usize, &Target)| {
        let values: Vec<f64> = runs.iter().map(|run| run.values[place]).collect();
        let value = mean_of(&values, &(0..values.len()).collect::<Vec<usize>>());
        let interval = Resampling::new(seed).bca(values.len(), |picked| mean_of(&values, picked));
        let met = target.is_met(value);
        let same_side = |ends: Interval| target.is_met(ends.low) == met && target.is_met(ends.high) == met;
        let sure = interval.map_or(values.len() == 1, same_side);
        Verdict { value, interval, met, sure, runs: values }
    };
    Probe { verdicts: targets.iter().enumerate().map(verdict).collect(), problem: None }
}

/// Doublings without any change after which more is not expected to change anything.
const FLAT: usize = 3;
/// Values tried at once where every one is.
const BATCH: u64 = 64;

/// The search itself, on whatever answers for a list of values.
fn search(question: &Question, probe: impl FnMut(&[u64]) -> Option<Vec<Probe>>) -> Option<Sizing> {
    let mut search = Search { question, probe, found: Sizing::default() };
    let (low, high) = search.rise()?;
    if let Some(high) = high {
        let answer = search.halve(low, high)?;
        search.found.answer = Some(search.below(answer)?);
        search.above()?;
    } else if question.check.is_none() && search.found.unknown().is_none() {
        search.everything()?;
    }
    Some(search.found)
}

struct Search<'a, P> {
    question: &'a Question,
    probe: P,
    found: Sizing,
}

impl<P: FnMut(&[u64]) -> Option<Vec<Probe>>> Search<'_, P> {
    /// Tries those values that were not tried yet.
    fn ask(&mut self, values: impl IntoIterator<Item = u64>) -> Option<()> {
        let new: Vec<u64> =
            values.into_iter().filter(|value| !self.found.probes.contains_key(value)).collect();
        if !new.is_empty() {
            let probes = (self.probe)(&new)?;
            self.found.probes.extend(new.into_iter().zip(probes));
        }
        Some(())
    }
    fn meets(&mut self, value: u64) -> Option<bool> {
        self.ask([value])?;
        Some(self.found.probes[&value].is_met())
    }
    /// Doubles up to the first value that meets the targets: the last one that does not, and it.
    fn rise(&mut self) -> Option<(Option<u64>, Option<u64>)> {
        let (mut low, mut value) = (None, *self.question.between.start());
        let most = *self.question.between.end();
        while !self.meets(value)? {
            low = Some(value);
            self.found.flat = self.flat();
            if value >= most || self.found.flat.is_some() || self.found.unknown().is_some() {
                return Some((low, None));
            }
            value = value.saturating_mul(2).max(value + 1).min(most);
        }
        Some((low, Some(value)))
    }
    /// The value from which on the last doublings changed nothing.
    fn flat(&self) -> Option<u64> {
        let last: Vec<_> = self.found.probes.iter().rev().take(FLAT + 1).collect();
        let (first, rest) = last.split_last()?;
        let told = first.1.problem.is_none() && rest.len() == FLAT;
        (told && rest.iter().all(|probe| probe.1 == first.1)).then_some(*first.0)
    }
    /// Between a value that misses, if there is one, and one that meets the targets.
    fn halve(&mut self, low: Option<u64>, mut high: u64) -> Option<u64> {
        let Some(mut low) = low else { return Some(high) };
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if self.meets(middle)? { high = middle } else { low = middle }
        }
        Some(high)
    }
    /// Tries what is below; the least that meets the targets.
    fn below(&mut self, mut answer: u64) -> Option<u64> {
        let least = *self.question.between.start();
        let mut bottom = answer;
        loop {
            let reach = self.question.check.map_or(least, |check| answer.saturating_sub(check).max(least));
            if reach >= bottom {
                return Some(answer);
            }
            // From the top, some at a time: what is found there moves the reach down.
            let low = bottom.saturating_sub(BATCH).max(reach);
            self.ask(low..bottom)?;
            let lower = self.found.probes.range(low..bottom).find(|(_, probe)| probe.is_met());
            answer = lower.map_or(answer, |(value, _)| *value);
            bottom = low;
        }
    }
    /// Tries what is above the answer.
    fn above(&mut self) -> Option<()> {
        let answer = self.found.answer.unwrap_or_default();
        let reach = answer.saturating_add(self.question.check.unwrap_or(CHECK));
        self.ask(answer..=reach.min(*self.question.between.end()))
    }
    /// Tries every value upwards, up to the first that meets the targets.
    fn everything(&mut self) -> Option<()> {
        let (mut low, most) = (*self.question.between.start(), *self.question.between.end());
        loop {
            let high = low.saturating_add(BATCH - 1).min(most);
            self.ask(low..=high)?;
            self.found.answer = self
                .found
                .probes
                .range(low..=high)
                .find(|(_, probe)| probe.is_met())
                .map(|(value, _)| *value);
            if self.found.answer.is_some() || high == most {
                self.found.flat = None;
                return Some(());
            }
            low = high + 1;
        }
    }
}

/// Values tried on each side of the answer where nobody says how many.
pub const CHECK: u64 = 8;
