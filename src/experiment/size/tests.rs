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
fn equal_values_prove_nothing() {
    // The same up to 596, as where a cap lets nothing run: doubling sees 1, 2, 4, ... and no difference.
    for least in [3, 596, 40_000, 1 << 39] {
        let question = question(&["wait_mean < 1"], 1..=1 << 40, Some(2));
        let answer = |values: &[u64]| Some(values.iter().map(|value| probe(0, *value >= least)).collect());
        assert_eq!(search(&question, answer).unwrap().answer, Some(least), "from {least} on");
    }
}

#[test]
fn a_window_between_targets_that_pull_apart_is_found_wherever_it_is() {
    let two = |low: bool, high: bool| {
        let verdict = |met: bool| probe(0, met).verdicts[0].clone();
        Probe { verdicts: vec![verdict(low), verdict(high)], problem: None }
    };
    for (least, most) in [(3, 3), (700, 700), (700, 710), (1, 2), (1000, 1000), (65_537, 70_000)] {
        for first in [0, 1, least] {
            let question = question(&["wait_mean < 1", "utilization > 0.5"], 1..=1 << 20, Some(2));
            let one = |value: u64| match value >= first {
                true => two(value >= least, value <= most),
                false => Probe { problem: Some("too small".to_owned()), ..Probe::default() },
            };
            let mut count = 0;
            let answer = |values: &[u64]| {
                count += values.len();
                Some(values.iter().map(|value| one(*value)).collect())
            };
            let found = search(&question, answer).unwrap();
            assert_eq!(found.answer, Some(least), "{least}..={most} from {first}: {:?}", found.probes.keys());
            assert!(count < 100, "{count} values for {least}..={most} from {first}");
        }
    }
}

#[test]
fn without_an_answer_it_says_what_it_tried() {
    let (found, count) = searched(&[false; 1000], 1, Some(2));
    assert_eq!(found.answer, None, "there is none");
    assert!((GRID..2 * GRID).contains(&count), "{count} values");
    let tried: Vec<u64> = found.tried().into_iter().flatten().collect();
    assert_eq!(tried, found.probes.keys().copied().collect::<Vec<_>>(), "every one of them, and no other");
    assert!(tried.contains(&1) && tried.contains(&1000), "both ends: {tried:?}");
    let widest = tried.windows(2).map(|two| two[1] - two[0]).max().unwrap();
    assert!(widest <= 256, "no gap is wide: {tried:?}");
    // The larger is the more costly to run: it does not go on where what was met is missed.
    let both = question(&["wait_mean < 1", "utilization > 0.5"], 1..=1 << 40, Some(2));
    let of = |value: u64| Probe {
        verdicts: [value >= 20, value < 10].map(|met| probe(value, met).verdicts[0].clone()).into(),
        problem: None,
    };
    let found = search(&both, |values| Some(values.iter().map(|value| of(*value)).collect())).unwrap();
    let tried: Vec<u64> = found.probes.keys().copied().collect();
    assert!(found.answer.is_none() && tried.last() <= Some(&256) && tried.len() >= GRID, "{tried:?}");
    let (found, _) = searched(&[false; GRID], 1, Some(2));
    assert_eq!(found.tried(), [1..=GRID as u64], "all, where there are few");
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

/// Values of which each so many mean one node: what a search meets are plateaus.
const PLATEAU: u64 = 8;
/// The largest of them.
const MOST: u64 = 25 * PLATEAU;

/// A queue on a node for every so many of a value.
fn wide(value: u64, seed: u64) -> Result<Plan, String> {
    plan(value / PLATEAU, seed)
}

/// What the targets of a question come to with every value from 1 on, each simulated on its own.
fn everything(question: &Question, seed: u64) -> Vec<Probe> {
    let one = |nodes: u64| {
        let alone = Question { between: nodes..=nodes, check: Some(0), ..question.clone() };
        size(&alone, plan, &[seed], Watch::default()).unwrap().probes[&nodes].clone()
    };
    let by_nodes: Vec<Probe> = (0..=MOST / PLATEAU).map(one).collect();
    (1..=MOST).map(|value| by_nodes[usize::try_from(value / PLATEAU).unwrap()].clone()).collect()
}

/// Whether there is something to run from some value on, and each target is then met from some value on, or up to one.
fn is_simple(probes: &[Probe]) -> bool {
    let turns = |held: Vec<bool>| held.windows(2).filter(|two| two[0] != two[1]).count();
    let first = probes.iter().position(|probe| probe.problem.is_none()).unwrap_or(probes.len());
    let ran = &probes[first..];
    let targets = ran.first().map_or(0, |probe| probe.verdicts.len());
    let once = |target: usize| {
        ran.iter().all(|probe| probe.problem.is_none())
            && turns(ran.iter().map(|probe| probe.verdicts[target].met).collect()) <= 1
    };
    (0..targets).all(once)
}

/// Targets of which some pull apart, some are met by few values, and some by none: their bounds are what a cluster of
/// some size gives.
fn targets_of(seed: u64) -> Vec<String> {
    let measures: &[&str] = match seed % 6 {
        0 => &["wait_max <= ", "unfinished <= "],
        1 => &["wait_p90 <= ", "utilization >= "],
        2 => &["utilization >= "],
        3 => &["wait_mean <= ", "turnaround_p95 <= "],
        4 => &["wait_p50 <= ", "makespan <= "],
        _ => &["wait_max <= ", "wait_p95 <= ", "utilization >= "],
    };
    let bound = |(place, measure): (u64, &&str)| {
        let nodes = 4 + (seed * 7 + place * 5 * (1 + seed / 6)) % 11;
        let any = question(&[&format!("{measure}0.5")], nodes..=nodes, Some(0));
        let value = size(&any, plan, &[seed], Watch::default()).unwrap().probes[&nodes].verdicts[0].value;
        format!("{measure}{value}")
    };
    (0..).zip(measures).map(bound).collect()
}

/// How many small scenarios are searched: more where the environment gives time.
const SCENARIOS: u64 = 60;

#[test]
fn sizes_of_small_scenarios_are_those_of_an_exhaustive_search() {
    let seconds = std::env::var("GIGAWATT_FUZZ_SECONDS").ok().and_then(|seconds| seconds.parse::<u64>().ok());
    #[expect(clippy::disallowed_methods, reason = "how long to go on is all the clock decides")]
    let begin = std::time::Instant::now();
    let (mut simple, mut others, mut same, mut none, mut windows) = (0, 0, 0, 0, 0);
    let goes_on =
        |seed| seed < SCENARIOS || seconds.is_some_and(|seconds| begin.elapsed().as_secs() < seconds);
    for seed in (0..).take_while(|seed| goes_on(*seed)) {
        let targets = targets_of(seed);
        let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
        let wanted = question(&targets, 1..=MOST, Some(4));
        let probes = everything(&wanted, seed);
        let meets = |value: u64| probes[usize::try_from(value - 1).unwrap()].is_met();
        let expected = (1..=MOST).find(|value| meets(*value));
        if seed % 10 == 0 {
            let all = Question { check: None, ..wanted.clone() };
            let found = size(&all, wide, &[seed], Watch::default()).unwrap();
            assert_eq!(found.answer, expected, "seed {seed}, {targets:?}, every value tried");
        }
        let found = size(&wanted, wide, &[seed], Watch::default()).unwrap();
        let told = format!("seed {seed}, {targets:?}: {:?} in place of {expected:?}", found.answer);
        for (value, probe) in &found.probes {
            assert_eq!(probe.is_met(), meets(*value), "{told}: {value}");
        }
        match found.answer {
            Some(answer) => {
                let mut near = found.checked().unwrap().take_while(|value| *value < answer);
                assert!(meets(answer) && !near.any(meets), "{told}");
            }
            None => assert!(!found.probes.keys().any(|value| meets(*value)), "{told}"),
        }
        if is_simple(&probes) {
            assert_eq!(found.answer, expected, "{told}: {:?}", found.tried());
            simple += 1;
        } else {
            others += 1;
            same += u32::from(found.answer == expected);
        }
        none += u32::from(expected.is_none());
        let last = (1..=MOST).rfind(|value| meets(*value));
        windows += u32::from(last.is_some_and(|last| last < MOST));
    }
    let told =
        format!("{simple} simple, {same} of {others} others the same, {none} without, {windows} windows");
    assert!(simple >= 20 && others >= 5 && none >= 5 && windows >= 5, "{told}");
    assert!(same * 10 >= others * 8, "{told}");
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
