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
    /// The values that were tried, as ranges of which every one was.
    #[must_use]
    pub fn tried(&self) -> Vec<RangeInclusive<u64>> {
        let mut found: Vec<RangeInclusive<u64>> = Vec::new();
        for value in self.probes.keys() {
            match found.last_mut() {
                Some(last) if last.end() + 1 == *value => *last = *last.start()..=*value,
                _ => found.push(*value..=*value),
            }
        }
        found
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
/// Values are doubled until one does. Where a target turns from missed to met between two of them, the value from which
/// on it is met is halved in on: other targets may be met there and no longer with twice as much. Soon after a target
/// that was met is missed again it stops, and without an answer the gaps are halved until a few dozen values were tried.
/// From an answer it goes down by halving, and then those around it are tried, since more need not be better: under
/// backfill one node more can make a job wait longer. A value below that meets the targets too takes the place of the
/// answer, and those around it are tried in turn. With [`Question::check`] none, every value below is tried, and the
/// answer is that of an exhaustive search. A plan that there is not misses every target. `None` if interrupted.
///
/// If there is something to run from some value on, and each target is met from some value on or up to some value, the
/// answer is exact, and so is that there is none. Of others it may miss a value that it did not try: [`Sizing::tried`]
/// says which those are.
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

/// Values tried at once where every one is.
const BATCH: u64 = 64;
/// Values to have tried before there is said to be no answer, if there are as many.
const GRID: usize = 32;
/// Doublings past a value from which on, as far as targets turn once, there is no answer.
const BEYOND: usize = 3;
/// Values of that grid tried at once: where little is random, cores have nothing else to do.
const GRID_BATCH: usize = 4;

/// The search itself, on whatever answers for a list of values.
fn search(question: &Question, probe: impl FnMut(&[u64]) -> Option<Vec<Probe>>) -> Option<Sizing> {
    let mut search = Search { question, probe, found: Sizing::default() };
    let mut met = search.rise()?;
    if met.is_none() {
        met = search.refine()?;
    }
    if let Some(met) = met {
        let answer = search.halve(met)?;
        search.found.answer = Some(search.below(answer)?);
        search.above()?;
    } else if question.check.is_none() {
        search.everything()?;
    }
    Some(search.found)
}

/// What may hold of a probe, of a target by its place.
type Turn = fn(&Probe, usize) -> bool;

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
    /// Doubles up to a value that meets the targets, if one does, and looks where a target turns.
    fn rise(&mut self) -> Option<Option<u64>> {
        let (mut low, mut value) = (None, *self.question.between.start());
        let most = *self.question.between.end();
        let mut past = 0;
        loop {
            if self.meets(value)? {
                return Some(Some(value));
            }
            if let Some(met) = self.turns(low.unwrap_or(value), value)? {
                return Some(Some(met));
            }
            past += usize::from(self.is_past(value));
            if value >= most || past > BEYOND {
                return Some(None);
            }
            low = Some(value);
            value = value.saturating_mul(2).max(value + 1).min(most);
        }
    }
    /// Whether a target that is missed was met with less: as far as each turns once, more is of no use.
    fn is_past(&self, value: u64) -> bool {
        let is_met = |probe: &Probe, target: usize| probe.verdicts.get(target).is_some_and(|own| own.met);
        let last = &self.found.probes[&value];
        let missed = (0..last.verdicts.len()).filter(|target| !is_met(last, *target));
        let before = |target: usize| self.found.probes.range(..value).any(|(_, probe)| is_met(probe, target));
        missed.into_iter().any(before)
    }
    /// Between two values that miss: halves in on where there is something to run, and where each target turns from
    /// missed to met; a value on the way that meets all.
    fn turns(&mut self, low: u64, high: u64) -> Option<Option<u64>> {
        let runs = |probe: &Probe, _| probe.problem.is_none();
        let is_met = |probe: &Probe, target: usize| probe.verdicts.get(target).is_some_and(|own| own.met);
        let targets = (0..self.question.targets.len()).map(|target| (is_met as Turn, target));
        for (holds, target) in std::iter::once((runs as Turn, 0)).chain(targets) {
            let (mut low, mut high) = (low, high);
            if holds(&self.found.probes[&low], target) || !holds(&self.found.probes[&high], target) {
                continue;
            }
            while high - low > 1 {
                let middle = low + (high - low) / 2;
                if self.meets(middle)? {
                    return Some(Some(middle));
                }
                if holds(&self.found.probes[&middle], target) { high = middle } else { low = middle }
            }
        }
        Some(None)
    }
    /// Halves the gaps between the values tried until there are a few dozen, or no gaps; a value that meets the targets.
    fn refine(&mut self) -> Option<Option<u64>> {
        loop {
            let tried: Vec<u64> = self.found.probes.keys().copied().collect();
            // Where the last ones are all the same, which may be costly to run, those in between hardly differ.
            let is_last =
                |value: u64| Some(&self.found.probes[&value]) == self.found.probes.values().next_back();
            let end = tried.iter().rposition(|value| !is_last(*value)).map_or(tried.len(), |place| place + 2);
            let gaps: Vec<[u64; 2]> = tried[..end.min(tried.len())]
                .windows(2)
                .map(|two| [two[0], two[1]])
                .filter(|[low, high]| high - low > 1)
                .collect();
            if gaps.is_empty() || tried.len() >= GRID {
                return Some(None);
            }
            let middle = |[low, high]: [u64; 2]| low + (high - low) / 2;
            for batch in gaps.chunks(GRID_BATCH) {
                self.ask(batch.iter().map(|gap| middle(*gap)))?;
                for [low, high] in batch.iter().copied() {
                    let middle = middle([low, high]);
                    if self.meets(middle)? {
                        return Some(Some(middle));
                    }
                    for (low, high) in [(low, middle), (middle, high)] {
                        if let Some(met) = self.turns(low, high)? {
                            return Some(Some(met));
                        }
                    }
                }
            }
        }
    }
    /// Between a value that meets the targets and the next one below that was tried and misses, if there is one.
    fn halve(&mut self, mut high: u64) -> Option<u64> {
        let missed = |search: &Self, high| {
            search
                .found
                .probes
                .range(..high)
                .next_back()
                .filter(|(_, probe)| !probe.is_met())
                .map(|(value, _)| *value)
        };
        while let Some(low) = missed(self, high)
            && high - low > 1
        {
            let middle = low + (high - low) / 2;
            if self.meets(middle)? {
                high = middle;
            }
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
                return Some(());
            }
            low = high + 1;
        }
    }
}

/// Values tried on each side of the answer where nobody says how many.
pub const CHECK: u64 = 8;
