//! What the theory of reliability and published simulators give, and runs have to.

use gigawatt::cluster::{Cluster, NodeKind, NodeState};
use gigawatt::failure::{Component, Exposure, Failures, Lemons, Life, Per, Repair, Retirement, Span};
use gigawatt::history::{History, Plan, Settings};
use gigawatt::simulation::{Control, simulate};
use gigawatt::units::{Gpus, Seconds, Time};
use gigawatt::workload::{Behaviour, Builder, Job, Request};
use rayon::prelude::*;

const HOUR: u32 = 3600;
const DAY: u32 = 24 * HOUR;

/// One job alone on a cluster, under first come, first served.
fn alone(cluster: Cluster, behaviour: Behaviour, gpus: u32, work: u32, seed: u64) -> History {
    let mut builder = Builder::default();
    builder.request(Request::gang(Gpus::whole(gpus)));
    builder.behaviour(behaviour);
    builder.push(Job { work_time: Seconds(work), ..Job::at(Time(0)) }.requesting(Seconds(work)));
    let settings = Settings { seed, ..Settings::named("fifo", "none", "first-fit") };
    simulate(Plan { cluster, workload: builder.finish(), settings }, &mut Control::default())
}

fn failing(nodes: u32, gpus: u32, failures: Failures) -> Cluster {
    let mut cluster = Cluster::racked(1, nodes, NodeKind { gpus, ..NodeKind::default() });
    cluster.failures = Some(Box::new(failures));
    cluster
}

fn exponential(mean: f64) -> Life {
    Life::of_mean(mean, 1.0).expect("in range")
}

/// Mean and standard error.
fn mean_of(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, (variance / count).sqrt())
}

/// Whether a mean lies within three standard errors of what is expected.
fn agrees(values: &[f64], expected: f64) -> Result<(), String> {
    let (mean, error) = mean_of(values);
    if (mean - expected).abs() <= 3.0 * error {
        return Ok(());
    }
    Err(format!("{mean} ± {error}, expected {expected}"))
}

/// M·e^{R/M}·(e^{(τ+δ)/M} − 1)·T_s/τ: J. T. Daly, "A higher order estimate of the optimum checkpoint interval for restart
/// dumps", Future Generation Computer Systems 22 (2006), equation 13.
fn expected_wall(mtbf: f64, restart: f64, interval: f64, cost: f64, work: f64) -> f64 {
    mtbf * (restart / mtbf).exp() * (((interval + cost) / mtbf).exp() - 1.0) * work / interval
}

#[test]
fn checkpoints_cost_as_much_time_as_the_exact_formula_says() {
    let (mtbf, restart, cost) = (10_800.0, 600, 30);
    for interval in [400_u32, 785, 1200] {
        let periods = 3000;
        let walls: Vec<f64> = (0..400)
            .into_par_iter()
            .map(|seed| {
                let behaviour = Behaviour {
                    checkpoint_interval: Seconds(interval),
                    checkpoint_cost: Seconds(cost),
                    restart_time: Seconds(restart),
                    ..Behaviour::default()
                };
                let node = Component { life: exponential(mtbf), ..Component::new("node", Per::Node) };
                let failures = Failures { components: vec![node], ..Failures::default() };
                let work = periods * (interval + cost);
                let history = alone(failing(1, 8, failures), behaviour, 8, work, seed);
                f64::from(history.jobs[0].finish_time.0)
            })
            .collect();
        let ideal = f64::from(periods * interval);
        let formula =
            |restart: f64| expected_wall(mtbf, restart, f64::from(interval), f64::from(cost), ideal);
        agrees(&walls, formula(600.0)).unwrap_or_else(|error| panic!("every {interval} s: {error}"));
        assert!(agrees(&walls, formula(500.0)).is_err(), "a restart that is 100 s shorter is told apart");
    }
}

/// The share of node-time in which nodes are up, of a run over a span in which one job holds nothing.
fn up_share(failures: Failures, nodes: u32, span: u32, seed: u64) -> f64 {
    let history = alone(failing(nodes, 1, failures), Behaviour::default(), 0, span, seed);
    let mut since = vec![(Time(0), NodeState::Up); nodes as usize];
    let mut up = 0_u64;
    for change in history.changes() {
        for node in change.nodes.clone() {
            let (from, state) = std::mem::replace(&mut since[node as usize], (change.time, change.state));
            up += u64::from(state == NodeState::Up) * u64::from(change.time.since(from).0);
        }
    }
    up += since
        .iter()
        .filter(|own| own.1 == NodeState::Up)
        .map(|own| u64::from(history.end.since(own.0).0))
        .sum::<u64>();
    up as f64 / (f64::from(nodes) * f64::from(history.end.0))
}

fn repaired_in(mean: u32, crew: bool) -> Vec<Repair> {
    vec![Repair { crew, ..Repair::certain("repair", Span::Exponential(Seconds(mean))) }]
}

#[test]
fn nodes_are_up_as_much_of_the_time_as_they_last_and_are_repaired() {
    let node = |mean: u32| Component {
        life: exponential(f64::from(100 * HOUR)),
        repairs: repaired_in(mean, false),
        ..Component::new("node", Per::Node)
    };
    let shares: Vec<f64> = (0..30)
        .map(|seed| {
            let failures = Failures { components: vec![node(10 * HOUR)], ..Failures::default() };
            up_share(failures, 100, 2000 * HOUR, seed)
        })
        .collect();
    // From all up, the mean share over T of a machine that fails at λ and is repaired at μ:
    // μ/(λ+μ) + λ/((λ+μ)²·T)·(1 − e^−(λ+μ)T).
    let (fails, mends, span) = (0.01, 0.1, 2000.0);
    let sum: f64 = fails + mends;
    let expected = mends / sum + fails / (sum * sum * span) * (1.0 - (-sum * span).exp());
    agrees(&shares, expected).unwrap();
    assert!(agrees(&shares, expected - 0.01).is_err(), "one per cent is told apart");
}

/// P(n machines are broken) of N that fail at λ each and are mended by c crews at μ each, n from 0.
fn broken(machines: u32, crews: u32, fails: f64, mends: f64) -> Vec<f64> {
    let mut weights = vec![1.0];
    for n in 1..=machines {
        let last = weights[n as usize - 1];
        weights.push(last * f64::from(machines - n + 1) * fails / (f64::from(n.min(crews)) * mends));
    }
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}

#[test]
fn few_crews_keep_machines_waiting_as_the_machine_repair_queue_says() {
    let node = Component {
        life: exponential(f64::from(100 * HOUR)),
        repairs: repaired_in(10 * HOUR, true),
        ..Component::new("node", Per::Node)
    };
    let up = |crews: Option<u32>| -> Vec<f64> {
        let run = |seed| {
            let failures = Failures { components: vec![node.clone()], crews, ..Failures::default() };
            up_share(failures, 20, 20_000 * HOUR, seed)
        };
        (0..30).map(run).collect()
    };
    let expected = |crews: u32| -> f64 {
        let down: f64 = (0..).zip(broken(20, crews, 0.01, 0.1)).map(|(n, p)| f64::from(n) * p).sum();
        1.0 - down / 20.0
    };
    agrees(&up(Some(1)), expected(1)).unwrap();
    agrees(&up(Some(2)), expected(2)).unwrap();
    assert!(agrees(&up(None), expected(1)).is_err(), "any number of crews is something else");
}

/// The scenario of AIReSim: one job of 4,096 servers for 256 days on 4,160 that work and 200 in reserve; they fail only while
/// they compute, a failure costs 20 minutes and no work, and 15 % of the servers fail six times as often until a repair
/// helps. Its defaults: Table 1 of arXiv 2603.07041.
fn airesim(seed: u64) -> History {
    let minutes = |minutes: u32| Span::Fixed(Seconds(60 * minutes));
    let repair = |name: &str, share_milli, helps_milli, time| Repair {
        share_milli,
        helps_milli,
        ..Repair::certain(name, time)
    };
    let server = Component {
        life: exponential(100.0 * f64::from(DAY)),
        repairs: vec![repair("automatic", 200, 600, minutes(120)), repair("manual", 800, 800, minutes(3000))],
        ..Component::new("server", Per::Node)
    };
    let failures = Failures {
        components: vec![server],
        exposure: Exposure::Computing,
        lemons: Some(Lemons { share_milli: 150, factor_milli: 6000 }),
        ..Failures::default()
    };
    let behaviour =
        Behaviour { checkpoint_interval: Seconds(1), restart_time: Seconds(20 * 60), ..Behaviour::default() };
    alone(failing(4360, 1, failures), behaviour, 4096, 256 * DAY, seed)
}

#[test]
fn one_large_job_takes_as_long_as_airesim_published() {
    let (theirs, ours) = (30.0_f64, 12_u32);
    let runs: Vec<[f64; 2]> = (0..ours)
        .into_par_iter()
        .map(|seed| {
            let history = airesim(seed.into());
            [f64::from(history.jobs[0].finish_time.0) / 3600.0, history.failures.len() as f64]
        })
        .collect();
    let spread = |deviation: f64| 3.0 * deviation * (1.0 / theirs + 1.0 / f64::from(ours)).sqrt();
    for (index, what, published, deviation) in
        [(0, "training time, hours", 9865.97, 33.60), (1, "failures", 11_145.6, 100.3)]
    {
        let (mean, error) = mean_of(&runs.iter().map(|run| run[index]).collect::<Vec<_>>());
        println!("{what}: {mean:.2} ± {error:.2}, published {published}");
        assert!((mean - published).abs() <= spread(deviation), "{what}: {mean}, published {published}");
    }
}

#[test]
fn nodes_that_fail_too_often_are_given_up() {
    let node = Component { life: exponential(f64::from(10 * HOUR)), ..Component::new("node", Per::Node) };
    let failures = Failures {
        components: vec![node],
        retirement: Some(Retirement { failures: 3, within: Seconds(5 * HOUR) }),
        ..Failures::default()
    };
    let history = alone(failing(50, 1, failures), Behaviour::default(), 0, 200 * HOUR, 1);
    let gone: Vec<u32> = history
        .changes()
        .iter()
        .filter(|change| change.state == NodeState::Absent)
        .flat_map(|change| change.nodes.clone())
        .collect();
    assert!(gone.len() > 5 && gone.len() < 45, "{} of 50", gone.len());
    for node in gone {
        let times: Vec<Time> =
            history.failures.iter().filter(|own| own.unit == node).map(|own| own.time).collect();
        let [.., third, _, last] = times[..] else { panic!("node {node} failed {} times", times.len()) };
        assert!(last.since(third) <= Seconds(5 * HOUR), "node {node}: {times:?}");
    }
}
