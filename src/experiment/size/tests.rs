use super::*;
use crate::cluster::{Cluster, NodeKind};
use crate::history::Settings;
use crate::units::{Gpus, Seconds, Time};
use crate::workload::{Behaviour, Builder, Job, Request};
use std::sync::atomic::AtomicBool;

fn question(targets: &[&str], between: RangeInclusive<u64>, check: Option<u64>) -> Question {
    let targets = targets.iter().map(|text| Target::parse(text).unwrap()).collect();
    Question { targets, between, check }
}

/// A probe whose only target is met or not, with a value of its own.
fn probe(value: u64, met: bool) -> Probe {
    let value = if met { 0.0 } else { f64::from(u32::try_from(value).unwrap()) + 1.0 };
    Probe {
        verdicts: vec![Verdict { value, interval: None, met, sure: true, runs: vec![value] }],
        problem: None,
    }
}

/// The search over a table of what meets the targets, and how many values it tried.
fn searched(meets: &[bool], from: u64, check: Option<u64>) -> (Sizing, usize) {
    let question = question(&["wait_mean < 1"], from..=from + meets.len() as u64 - 1, check);
    let mut tried = Vec::new();
    let answer = |values: &[u64]| {
        tried.extend_from_slice(values);
        let met = |value: &u64| meets[usize::try_from(value - from).unwrap()];
        Some(values.iter().map(|value| probe(*value, met(value))).collect())
    };
    let found = search(&question, answer).unwrap();
    let count = tried.len();
    tried.sort_unstable();
    tried.dedup();
    assert_eq!(tried.len(), count, "nothing is tried twice");
    (found, count)
}

#[test]
fn of_what_only_gets_better_the_answer_is_exact_and_found_in_few_steps() {
    for from in [0, 1, 5] {
        for least in 0..300_u64 {
            let meets: Vec<bool> = (0..300).map(|value| value >= least).collect();
            let (found, count) = searched(&meets, from, Some(2));
            assert_eq!(found.answer, Some(from + least), "least {least} from {from}");
            assert!(count <= 2 * 10 + 5, "{count} values for {least} from {from}");
            assert!(found.misses_above().is_empty(), "monotone");
        }
    }
    assert_eq!(searched(&[false; 300], 1, Some(2)).0.answer, None, "nothing does");
}

#[test]
fn tried_all_below_the_answer_is_that_of_an_exhaustive_search() {
    // Tables of bits of a multiplicative sequence, of any length: nothing is monotone about them.
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for table in 0..2000_usize {
        let mut meets = vec![false; 1 + table % 90];
        let rarity = 1 + table % 9;
        for met in &mut meets {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *met = (state >> 33) % 10 >= rarity as u64;
        }
        let expected = meets.iter().position(|met| *met).map(|place| 1 + place as u64);
        assert_eq!(searched(&meets, 1, None).0.answer, expected, "table {table}: {meets:?}");
    }
}

#[test]
fn what_is_near_is_found_and_what_is_far_is_not_claimed() {
    // 40 is least, 41 to 43 miss, and from 44 on all meets: halving alone may find 44.
    let meets: Vec<bool> = (0..100).map(|value| value == 40 || value >= 44).collect();
    let (found, _) = searched(&meets, 0, Some(8));
    assert_eq!(found.answer, Some(40), "a neighbour of a neighbour counts");
    assert_eq!(found.misses_above(), [41, 42, 43], "not monotone");
    assert_eq!(found.checked().unwrap(), 32..=48, "what was tried around it");
    // 10 is far below 60: the search need not see it, and says what it saw.
    let meets: Vec<bool> = (0..100).map(|value| value == 10 || value >= 60).collect();
    let (found, _) = searched(&meets, 0, Some(3));
    assert_eq!((found.answer, found.checked()), (Some(60), Some(56..=64)), "no claim about the rest");
    assert_eq!(searched(&meets, 0, None).0.answer, Some(10), "unless it tries every one");
}

#[test]
fn where_more_changes_nothing_it_gives_up() {
    let question = question(&["wait_mean < 1"], 1..=1 << 40, Some(2));
    let answer = |values: &[u64]| Some(values.iter().map(|value| probe((*value).min(20), false)).collect());
    let found = search(&question, answer).unwrap();
    assert_eq!((found.answer, found.flat), (None, Some(32)), "the same at 32, 64, 128 and 256");
    assert_eq!(found.binding(), [0], "what is missed there");
}

/// A queue on `nodes` of 8 GPUs whose gangs make backfill behave oddly.
fn plan(nodes: u64, seed: u64) -> Result<Plan, String> {
    let mut builder = Builder::default();
    let behaviour = builder.behaviour(Behaviour::default());
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut draw = |below: u32| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(state >> 33).unwrap() % below
    };
    for number in 0..40_u32 {
        let request = builder.request(Request::gang(Gpus::whole([1, 8, 16, 24, 4][draw(5) as usize])));
        let work_time = Seconds(60 + draw(1800));
        let job = Job { request, behaviour, work_time, ..Job::at(Time(number * 200)) };
        builder.push(job.requesting(Seconds(work_time.0 * (1 + draw(4)))));
    }
    let nodes = u32::try_from(nodes).map_err(|error| error.to_string())?;
    if nodes < 3 {
        return Err("a job asks for 24 GPUs".to_owned());
    }
    let cluster = Cluster::uniform(nodes, NodeKind { gpus: 8, ..NodeKind::default() });
    let settings = Settings { seed, ..Settings::named("fifo", "easy", "best-fit") };
    Ok(Plan { cluster, workload: builder.finish(), settings })
}

#[test]
fn sizes_of_small_scenarios_are_those_of_an_exhaustive_search() {
    let mut unmonotone = 0;
    for seed in 0..40 {
        let minutes = 1 + seed % 7;
        let targets = [format!("wait_p90 < {minutes}m"), "unfinished = 0".to_owned()];
        let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
        let wanted = question(&targets, 1..=24, None);
        let found = size(&wanted, plan, &[seed], Watch::default()).unwrap();
        let all = Question { between: 1..=24, ..question(&targets, 1..=24, None) };
        let meets = |nodes: u64| {
            let one = Question { between: nodes..=nodes, ..all.clone() };
            size(&one, plan, &[seed], Watch::default()).unwrap().answer.is_some()
        };
        let expected: Vec<u64> = (1..=24).filter(|nodes| meets(*nodes)).collect();
        assert_eq!(found.answer, expected.first().copied(), "seed {seed}");
        let gaps = expected.windows(2).any(|two| two[1] != two[0] + 1);
        unmonotone += usize::from(gaps);
        let told: Vec<u64> = found.misses_above();
        assert!(told.iter().all(|value| !expected.contains(value)), "seed {seed}: {told:?}");
    }
    assert!(unmonotone > 0, "some of them are not monotone");
}

#[test]
fn targets_are_judged_by_the_mean_and_the_interval_says_how_sure_that_is() {
    let seeds: Vec<u64> = (0..12).collect();
    let found =
        size(&question(&["wait_p90 < 10m"], 1..=64, Some(2)), plan, &seeds, Watch::default()).unwrap();
    let answer = found.answer.unwrap();
    let verdict = &found.probes[&answer].verdicts[0];
    assert_eq!(verdict.runs.len(), 12, "every seed");
    let mean = verdict.runs.iter().sum::<f64>() / 12.0;
    assert!((verdict.value - mean).abs() < 1e-9 && mean < 600.0, "{verdict:?}");
    let ends = verdict.interval.unwrap();
    assert_eq!(verdict.sure, ends.high < 600.0, "{verdict:?}");
    assert!(found.probes[&2].problem.as_ref().unwrap().contains("24 GPUs"), "too small to hold a job");
    assert_eq!(found.binding(), [0], "the only target");
}

#[test]
fn an_interrupted_search_is_none() {
    let stop = AtomicBool::new(true);
    let watch = Watch { interrupted: Some(&stop), ..Watch::default() };
    let long = |nodes, seed| {
        let mut plan = plan(nodes, seed)?;
        plan.workload.jobs = plan.workload.jobs.repeat(400);
        Ok(plan)
    };
    assert_eq!(size(&question(&["wait_p90 < 1s"], 3..=64, None), long, &[1], watch), None, "no half answer");
}
