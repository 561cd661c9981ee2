//! What is said below the tables: how the numbers came about, and what chance may explain.

use super::cells::{NOISE, amount};
use crate::ensemble::{By, MEASURES};
use crate::experiment::statistics::ENOUGH;
use crate::experiment::{Basis, Column, Comparison};
use crate::report::number::{counted, grouped, significant};

/// How the numbers came about.
pub(in crate::report) fn footer(comparison: &Comparison) -> String {
    let reference = &comparison.policies[comparison.reference].name;
    let how = match comparison.basis {
        Basis::Seeds { seeds } => {
            let rough = if seeds < ENOUGH { "; approximate, as seeds are few" } else { "" };
            format!(
                "Means over {seeds} seeds; below each change its 95 % interval by paired bootstrap over the seeds \
                 (BCa){rough}."
            )
        }
        Basis::Days { days, block } => format!(
            "Nothing is random: one run each. Below each change its 95 % interval by moving \
             blocks of {block} of {days} days (percentiles): what single days decide, not chance."
        ),
        Basis::FewSeeds { seeds: 1 } => "One seed: no intervals, which take ten (`--seeds 10`).".to_owned(),
        Basis::FewSeeds { seeds } => {
            format!("Means over {seeds} seeds: no intervals, which take ten (`--seeds 10`).")
        }
        Basis::FewDays { days } => {
            let noun = if days == 1 { "day" } else { "days" };
            format!("Nothing is random: one run each; {days} {noun}: no intervals, which take ten.")
        }
        Basis::OtherDays => {
            "Nothing is random: one run each, of other jobs, whose days are no pairs: no intervals."
                .to_owned()
        }
    };
    let short = comparison.policies.iter().filter(|column| column.name != column.parts);
    let named: String = short.map(|column| format!("{}: {}\n", column.name, column.parts)).collect();
    let jobs = || comparison.policies.iter().flat_map(|column| column.jobs.iter().copied());
    let (fewest, most) = (jobs().min().unwrap_or(0), jobs().max().unwrap_or(0));
    let range = if fewest == most { String::new() } else { format!("{} to ", grouped(fewest)) };
    let jobs = format!("{range}{} a run", counted(most, "job"));
    let said = chance(comparison) + &precision(comparison) + starvation(comparison);
    let (left, stuck, fairness) = (unfinished(comparison), stuck(comparison), fairness(comparison));
    format!("{named}{jobs}; changes against {reference}.\n{how}\n{said}{left}{stuck}{fairness}")
}

/// Of the measure that it is about: whose change chance alone may explain, and how many seeds would tell.
fn chance(comparison: &Comparison) -> String {
    let (about, reference) = (comparison.about, &comparison.policies[comparison.reference].name);
    let measure = &MEASURES[about];
    let sentence = |column: &Column| {
        let entry = &column.entries[about];
        let ends = entry.interval.filter(|_| entry.is_noise() == Some(true))?;
        let half = (ends.high - ends.low) / 2.0;
        let told = |half: f64| match entry.difference {
            Some(_) => amount(half, measure.unit),
            None => format!("{:.1} %", 100.0 * half),
        };
        let sure = match comparison.basis {
            Basis::Seeds { seeds } => {
                let more = grouped(4 * u64::try_from(seeds).unwrap_or(u64::MAX / 4));
                format!("{seeds} seeds: ±{}; {more} seeds would see {}", told(half), told(half / 2.0))
            }
            _ => format!("by its days: ±{}", told(half)),
        };
        Some(format!(
            "{}: no difference in {} from {reference} at 95 %, {sure}.\n",
            column.name, measure.name
        ))
    };
    let sentences: String = comparison.policies.iter().filter_map(sentence).collect();
    let entries = comparison.policies.iter().flat_map(|column| {
        column.entries.iter().chain(column.groups.iter().flat_map(|group| &group.entries))
    });
    let is_marked = entries.into_iter().any(|entry| entry.is_noise() == Some(true));
    let mark = format!("{NOISE}: may be chance, its interval holds no difference.\n");
    sentences + &if is_marked { mark } else { String::new() }
}

/// Whether the changes are as sure as was asked.
fn precision(comparison: &Comparison) -> String {
    let Some(reached) = &comparison.precision else { return String::new() };
    let (name, seeds) = (MEASURES[comparison.about].name, comparison.seeds.len());
    let percent = |share: f64| format!("{} %", significant(100.0 * share));
    let asked = percent(reached.asked);
    match (reached.met, reached.reached) {
        (true, Some(width)) => format!("Changes of {name}: ±{}, as asked (±{asked}).\n", percent(width)),
        (_, Some(width)) => format!(
            "Changes of {name}: ±{} after {seeds} seeds, and not the ±{asked} that was asked for: `--seeds` allows more.\n",
            percent(width)
        ),
        (_, None) => format!("Changes of {name} are not known: no ±{asked} of them.\n"),
    }
}

/// What the rows of longest waits are.
fn starvation(comparison: &Comparison) -> &'static str {
    let is_told = comparison.by != Some(By::Gpus) && !comparison.policies[0].groups.is_empty();
    let text = "longest: the longest wait of any job that asks for so many GPUs: what starves.\n";
    if is_told { text } else { "" }
}

/// Whether the row of that key has a value above zero for any policy.
fn has_any(comparison: &Comparison, key: &str) -> bool {
    let row = MEASURES.iter().position(|measure| measure.key == key);
    let any = |column: &Column| row.is_some_and(|row| column.entries[row].value > 0.0);
    comparison.policies.iter().any(any)
}

/// What the Jain index is of.
fn fairness(comparison: &Comparison) -> &'static str {
    if has_any(comparison, "jain_index") {
        "Jain index: (Σx)² ÷ nΣx², x = GPUs held ÷ entitlement while n tenants contend.\n"
    } else {
        ""
    }
}

/// Whose runs end with jobs that wait for nothing that will come.
fn stuck(comparison: &Comparison) -> String {
    let sentence = |column: &Column| {
        let (runs, all) = (column.stuck_runs as u64, comparison.seeds.len() as u64);
        format!(
            "{}: in {} of {} jobs are left that nothing left to happen can start.\n",
            column.name,
            grouped(runs),
            counted(all, "run")
        )
    };
    comparison.policies.iter().filter(|column| column.stuck_runs > 0).map(sentence).collect()
}

/// What it means for the rows above that some jobs had not ended.
fn unfinished(comparison: &Comparison) -> &'static str {
    if has_any(comparison, "unfinished_jobs") {
        "Unfinished jobs count with their wait so far; slowdown and turnaround are of those that ended.\n"
    } else {
        ""
    }
}
