//! What is known on paper: closed forms of queueing theory, bounds, and symmetries that every schedule has.

#[expect(dead_code, reason = "every test uses its part of what they share")]
mod support;

use gigawatt::cluster::{Cluster, NodeKind};
use gigawatt::history::{Factors, Plan, Settings};
use gigawatt::random::{Purpose, Stream};
use gigawatt::simulation::{Control, simulate};
use gigawatt::units::{Gpus, Seconds, Time};
use gigawatt::workload::{Behaviour, Builder, Job, Request, Workload};
use support::choices::{BACKFILLS, ORDERS, PLACEMENTS};
use support::schedule::{self, Line};

/// GPUs, submit time, work, estimate.
type Given = (u32, u32, u32, u32);

/// Preemptible jobs that lose nothing when they are stopped.
fn workload(jobs: impl IntoIterator<Item = Given>) -> Workload {
    let mut builder = Builder::default();
    let behaviour = builder.behaviour(Behaviour { preemptible: true, ..Behaviour::default() });
    let tenant = builder.tenant("somebody");
    builder.partition(Workload::DEFAULT_PARTITION);
    for (gpus, submit, work, estimate) in jobs {
        let request = builder.request(Request::gang(Gpus::whole(gpus)));
        let job = Job { request, behaviour, tenant, work_time: Seconds(work), ..Job::at(Time(submit)) };
        builder.push(job.requesting(Seconds(estimate)));
    }
    builder.finish()
}

fn run(jobs: &[Given], nodes: u32, gpus: u32, policy: [&str; 3], scale: u32) -> Vec<Line> {
    let [order, backfill, placement] = policy.map(str::to_owned);
    let scaled = jobs
        .iter()
        .map(|(gpus, submit, work, estimate)| (*gpus, submit * scale, work * scale, estimate * scale));
    let settings = Settings {
        seed: 1,
        order,
        backfill,
        placement,
        queue_limits: vec![200 * u64::from(scale), 1000 * u64::from(scale)],
        priority_step: 60 * scale,
        rank_period: Some(20 * scale),
        half_life: Some(600 * scale),
        factors: Factors { max_age: 600 * scale, ..Factors::default() },
        ..Settings::default()
    };
    let cluster = Cluster::uniform(nodes, NodeKind { gpus, ..NodeKind::default() });
    let plan = Plan { cluster, workload: workload(scaled), settings };
    schedule::of_history(&simulate(plan, &mut Control::default()))
}

fn start(line: &Line) -> u32 {
    line.attempts.first().expect("every job here runs").from
}

/// Seconds in which a job is eligible and does not run.
fn wait(line: &Line) -> u32 {
    let held: u32 = line.attempts.iter().map(|attempt| attempt.to - attempt.from).sum();
    line.finish - line.eligible - held
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / count(values.len())
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).expect("counted in 32 bits"))
}

/// An exponential variate of mean 1.
fn exponential(stream: &Stream, entity: u64) -> f64 {
    -((f64::from(stream.draw(entity, 0)) + 0.5) / 4_294_967_296.0).ln()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "seconds below 2³², never negative"
)]
fn whole(seconds: f64) -> u32 {
    seconds.round() as u32
}

/// Mean wait of M/M/c by Erlang's C formula, seconds; `load` is the arrival rate times the mean service.
fn erlang_c_wait(servers: u32, load: f64, service: f64) -> f64 {
    let mut blocking = 1.0;
    for server in 1..=servers {
        blocking = load * blocking / (f64::from(server) + load * blocking);
    }
    let busy = load / f64::from(servers);
    let waits = blocking / (1.0 - busy * (1.0 - blocking));
    waits * service / (f64::from(servers) - load)
}

#[test]
fn the_wait_of_many_servers_is_erlangs() {
    const SERVICE: f64 = 7200.0;
    const LOAD: f64 = 3.2;
    const BATCHES: usize = 40;
    const BATCH: usize = 3000;
    const WARM_UP: usize = 5000;
    // Student's t, 39 degrees of freedom, 99 %.
    const QUANTILE: f64 = 2.708;
    assert!((erlang_c_wait(1, 0.5, 1.0) - 1.0).abs() < 1e-12, "M/M/1: load / (1 - load) services");
    let (arrivals, works) = (Stream::new(11, Purpose::Arrivals), Stream::new(11, Purpose::Durations));
    let mut now = 0.0;
    let jobs: Vec<Given> = (0..(WARM_UP + BATCHES * BATCH) as u64)
        .map(|job| {
            now += exponential(&arrivals, job) * SERVICE / LOAD;
            let work = whole(exponential(&works, job) * SERVICE).max(1);
            (1, whole(now), work, work)
        })
        .collect();
    let interval = |servers| {
        let lines = run(&jobs, servers, 1, ["fifo", "none", "first-fit"], 1);
        let waits: Vec<f64> = lines[WARM_UP..].iter().map(|line| f64::from(wait(line))).collect();
        let batches: Vec<f64> = waits.chunks(BATCH).map(mean).collect();
        let centre = mean(&batches);
        let squares: Vec<f64> = batches.iter().map(|batch| (batch - centre).powi(2)).collect();
        let error = (squares.iter().sum::<f64>() / count(BATCHES - 1) / count(BATCHES)).sqrt();
        (centre - QUANTILE * error, centre + QUANTILE * error)
    };
    let expected = erlang_c_wait(4, LOAD, SERVICE);
    let (low, high) = interval(4);
    assert!(low < expected && expected < high, "{expected} lies outside {low}..{high}");
    assert!(high - low < expected / 4.0, "{low}..{high} is too wide to say anything");
    let (low, high) = interval(5);
    assert!(expected < low || high < expected, "one more server is noticed: {low}..{high}");
}

#[test]
fn the_wait_of_regular_jobs_is_exact() {
    for (between, work) in [(10, 7), (10, 10), (7, 10), (1, 100)] {
        let jobs: Vec<Given> = (0..50).map(|job| (1, job * between, work, work)).collect();
        let waits: Vec<u32> = run(&jobs, 1, 1, ["fifo", "none", "first-fit"], 1).iter().map(wait).collect();
        let expected: Vec<u32> = (0..50).map(|job| job * work.saturating_sub(between)).collect();
        assert_eq!(waits, expected, "one every {between} s, each {work} s of work");
    }
}

/// Jobs of 1 to `most` GPUs, some of whose estimates are too long.
fn random_jobs(seed: u64, most: u32, jobs: u64) -> Vec<Given> {
    let stream = Stream::new(seed, Purpose::Requests);
    let draw = |job, number, bound| stream.below(job, number, bound);
    let job = |job| {
        let work = 1 + draw(job, 2, 200);
        (1 + draw(job, 0, most), draw(job, 1, 600), work, work + draw(job, 3, 2) * draw(job, 4, 100))
    };
    (0..jobs).map(job).collect()
}

/// Every order, backfill and placement that is not only a matter of ties.
fn policies() -> impl Iterator<Item = [&'static str; 3]> {
    ORDERS.into_iter().flat_map(|order| {
        BACKFILLS.into_iter().flat_map(move |backfill| {
            PLACEMENTS.into_iter().map(move |placement| [order, backfill, placement])
        })
    })
}

#[test]
fn no_schedule_is_shorter_than_its_longest_job_or_its_work_spread_evenly() {
    for (seed, policy) in (0..).zip(policies()) {
        let jobs = random_jobs(seed, 12, 40);
        let (nodes, gpus) = (4, 4);
        let lines = run(&jobs, nodes, gpus, policy, 1);
        let first = jobs.iter().map(|job| job.1).min().expect("some jobs");
        let last = lines.iter().map(|line| line.finish).max().expect("some jobs");
        let work: u32 = jobs.iter().map(|(gpus, _, work, _)| gpus * work).sum();
        let longest = jobs.iter().map(|(_, _, work, _)| *work).max().expect("some jobs");
        let bound = longest.max(work.div_ceil(nodes * gpus));
        assert!(last - first >= bound, "{policy:?}, seed {seed}: {} s, at least {bound}", last - first);
        assert!(last - first < 4 * bound + 600, "{policy:?}, seed {seed}: the machine stands idle");
    }
}

#[test]
fn on_one_gpu_shortest_remaining_first_has_the_least_mean_turnaround() {
    let mut strictly = 0;
    for seed in 0..40 {
        let jobs = random_jobs(seed, 1, 30);
        let turnaround = |policy| {
            let lines = run(&jobs, 1, 1, policy, 1);
            lines.iter().zip(&jobs).map(|(line, job)| u64::from(line.finish - job.1)).sum::<u64>()
        };
        let least = turnaround(["srtf", "none", "first-fit"]);
        for policy in policies().filter(|policy| policy[2] == "first-fit") {
            let other = turnaround(policy);
            assert!(least <= other, "seed {seed}: {policy:?} takes {other} s in all, srtf {least}");
            strictly += u32::from(least < other);
        }
    }
    assert!(
        strictly > 500,
        "the others are mostly worse, so that the comparison means something: {strictly}"
    );
}

#[test]
fn doubling_all_times_doubles_all_waits() {
    // Not under las, whose limits are reached in the middle of a second and noticed at its end, nor under f1 and an
    // expression, whose logarithms of times do not double.
    let scales =
        |policy: &[&str; 3]| !["las", "gittins", "f1"].contains(&policy[0]) && !policy[0].contains("log");
    for (seed, policy) in (100..).zip(policies().filter(scales)) {
        let jobs = random_jobs(seed, 12, 40);
        let once = run(&jobs, 4, 4, policy, 1);
        let twice = run(&jobs, 4, 4, policy, 2);
        for (index, (once, twice)) in once.iter().zip(&twice).enumerate() {
            let what = format!("{policy:?}, seed {seed}, job {index}");
            assert_eq!((2 * wait(once), 2 * once.finish), (wait(twice), twice.finish), "{what}");
        }
        assert!(once.iter().any(|line| wait(line) > 0), "{policy:?}, seed {seed}: nobody waits");
    }
}

#[test]
fn one_more_gpu_delays_no_job_of_one_gpu() {
    for seed in 0..40 {
        let jobs = random_jobs(seed, 1, 60);
        for servers in 1..6 {
            let starts = |servers| run(&jobs, servers, 1, ["fifo", "none", "first-fit"], 1);
            let (fewer, more) = (starts(servers), starts(servers + 1));
            let later = fewer.iter().zip(&more).filter(|(fewer, more)| start(more) > start(fewer)).count();
            assert_eq!(later, 0, "seed {seed}: {later} jobs start later on {} GPUs", servers + 1);
        }
    }
}
