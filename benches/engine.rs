//! Jobs a second through the simulation, on one core, the history included; reading and writing are not.
//!
//! `cargo bench --bench engine`; a filter such as `-- engine/easy` keeps the other cases out. Before a group is
//! measured, each of its cases says on standard error what it is: jobs, offered load, mean queue.

#![expect(clippy::print_stderr, reason = "what a case is belongs beside its figures")]

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gigawatt::cluster::{Cluster, NodeKind};
use gigawatt::history::{History, Plan, Settings};
use gigawatt::metrics::measure;
use gigawatt::scenario::{Overrides, Scenario};
use gigawatt::simulation::{Control, simulate};
use gigawatt::units::{Gpus, Time, Watts};
use gigawatt::workload::generate::{Arrivals, Estimate, Generator, Quantiles, Variety};
use gigawatt::workload::{Behaviour, Builder, Job, Queue, Request, Workload};

/// Mean work of a job, seconds.
const WORK: f64 = 3600.0;

/// A cluster and the sizes of the gangs it is given.
struct Room {
    name: &'static str,
    racks: u32,
    nodes: u32,
    gpus: u32,
    /// (GPUs, weight).
    sizes: &'static [(u32, u32)],
    /// Offered load at which jobs wait: the larger the room, the less its load varies.
    load: f64,
    placement: &'static str,
}

const ROOMS: [Room; 3] = [
    Room {
        name: "256-flat",
        racks: 256,
        nodes: 1,
        gpus: 1,
        sizes: &[(1, 8), (2, 4), (4, 4), (8, 4), (16, 2), (32, 1), (64, 1)],
        load: 0.95,
        placement: "first-fit",
    },
    Room {
        name: "4096-in-racks",
        racks: 256,
        nodes: 16,
        gpus: 8,
        sizes: GANGS,
        load: 0.95,
        placement: "best-fit",
    },
    Room {
        name: "65536-in-racks",
        racks: 4096,
        nodes: 16,
        gpus: 8,
        sizes: GANGS,
        load: 1.02,
        placement: "best-fit",
    },
];
const GANGS: &[(u32, u32)] =
    &[(1, 40), (2, 12), (4, 12), (8, 16), (16, 8), (32, 5), (64, 4), (128, 2), (256, 1), (1024, 1)];

/// A room in which nobody waits, and one whose caps bind.
const IDLE: Room = Room {
    name: "512x8-idle",
    racks: 512,
    nodes: 1,
    gpus: 8,
    sizes: &[(1, 8), (2, 4), (4, 4), (8, 4), (16, 2)],
    load: 0.4,
    placement: "best-fit",
};

/// What is measured of a room.
#[derive(Clone, Copy)]
struct Case {
    room: &'static Room,
    order: &'static str,
    backfill: &'static str,
    /// Megawatts that the site may draw, where starts heed that; every node draws 1 kW idle and 10 kW busy.
    cap: Option<u64>,
    /// Whether jobs are of eight tenants in queues of three levels, which share all GPUs.
    queues: bool,
    jobs: u32,
    /// Offered load: GPU-seconds asked for over GPU-seconds there are.
    load: f64,
    /// Jobs that wait already at time 0.
    backlog: u32,
}

impl Case {
    const fn of(room: &'static Room, backfill: &'static str) -> Self {
        Self {
            room,
            order: "fifo",
            backfill,
            cap: None,
            queues: false,
            jobs: 120_000,
            load: room.load,
            backlog: 0,
        }
    }
    fn workload(&self) -> Workload {
        let mut builder = Builder::default();
        builder.behaviour(Behaviour::default());
        let work = Quantiles::exponential(WORK).expect("in range");
        let factors = Quantiles::uniform(1000, 4000).expect("ascending");
        let variety = |(gpus, weight): &(u32, u32)| Variety {
            weight: *weight,
            job: Job { request: builder.request(Request::gang(Gpus::whole(*gpus))), ..Job::at(Time::ZERO) },
            work: work.clone(),
            estimate: Estimate::Times(factors.clone()),
            deadline: None,
            stalls: None,
        };
        let mix: Vec<Variety> = self.room.sizes.iter().map(variety).collect();
        let weights: u32 = self.room.sizes.iter().map(|(_, weight)| weight).sum();
        let mean: f64 = self.room.sizes.iter().map(|(gpus, weight)| f64::from(gpus * weight)).sum();
        let capacity = f64::from(self.room.racks * self.room.nodes * self.room.gpus);
        let gap = mean / f64::from(weights) * WORK / (self.load * capacity);
        let arrivals = Arrivals::poisson(gap).expect("in range");
        let generator =
            Generator { arrivals, start: Time::ZERO, stop: Time::NEVER, count: Some(self.jobs), mix };
        generator.generate(1, 0, "", &mut builder);
        // Everybody comes earlier by as much as the backlog would have taken to arrive.
        let jobs = builder.jobs_mut();
        let head_start = jobs[self.backlog as usize].submit_time;
        for job in jobs {
            job.submit_time = Time::ZERO + job.submit_time.since(head_start);
        }
        if self.queues {
            self.add_queues(&mut builder);
        }
        builder.finish()
    }
    fn add_queues(&self, builder: &mut Builder) {
        let gpus = self.room.racks * self.room.nodes * self.room.gpus;
        let cloud = builder.add_queue(Queue::named("cloud"));
        for half in ["left", "right"] {
            let half = builder.add_queue(Queue { parent: Some(cloud), ..Queue::named(half) });
            for own in 0..4 {
                let name = format!("{half}-{own}");
                let tenant = builder.tenant(&name);
                let nominal_milli = Some(gpus * 1000 / 8);
                let (parent, tenants) = (Some(half), vec![tenant]);
                builder.add_queue(Queue { parent, tenants, nominal_milli, ..Queue::named(name) });
            }
        }
        let jobs = (0..8).cycle().zip(builder.jobs_mut());
        jobs.for_each(|(tenant, job)| job.tenant = tenant);
    }
    fn plan(&self) -> Plan {
        let mut kind = NodeKind { gpus: self.room.gpus, ..NodeKind::default() };
        let mut settings = Settings::named(self.order, self.backfill, self.room.placement);
        if self.cap.is_some() {
            (kind.power.idle, kind.power.busy, kind.power.gpu_tgp) =
                (Watts(1000), Watts(10_000), Watts(1000));
            settings.power = "admit".to_owned();
        }
        let mut cluster = Cluster::racked(self.room.racks, self.room.nodes, kind);
        cluster.sites[0].cap = self.cap.map(|megawatts| Watts(megawatts * 1_000_000));
        Plan { cluster, workload: self.workload(), settings }
    }
    fn run(plan: Plan) -> History {
        simulate(plan, &mut Control::default())
    }
}

/// Mean number of jobs that wait, over the whole run.
fn mean_queue(history: &History) -> f64 {
    let waited: u64 = history
        .segments
        .iter()
        .map(|segment| u64::from(segment.from.since(history.jobs[segment.job as usize].eligible_time).0))
        .sum();
    waited as f64 / f64::from(history.end.0)
}

fn compare(criterion: &mut Criterion, group: &str, cases: &[(String, Case)]) {
    let mut group = criterion.benchmark_group(group);
    group.sample_size(10);
    for (name, case) in cases {
        let id = BenchmarkId::new(name, case.room.name);
        group.throughput(Throughput::Elements(case.jobs.into()));
        let mut plan = None;
        group.bench_function(id, |bencher| {
            let plan = plan.get_or_insert_with(|| {
                let plan = case.plan();
                let queue = mean_queue(&Case::run(plan.clone()));
                eprintln!("{} jobs, load {}, mean queue {queue:.0}", case.jobs, case.load);
                plan
            });
            bencher.iter_batched(|| plan.clone(), Case::run, BatchSize::PerIteration);
        });
    }
}

/// The table of budgets: three backfills in three rooms.
fn engine(criterion: &mut Criterion) {
    let mut cases = Vec::new();
    for room in &ROOMS {
        for (name, backfill) in [("fifo", "none"), ("skip", "skip"), ("easy", "easy")] {
            cases.push((name.to_owned(), Case { jobs: 300_000, ..Case::of(room, backfill) }));
        }
    }
    compare(criterion, "engine", &cases);
}

/// A job must not cost more because there are more of them.
fn growth(criterion: &mut Criterion) {
    let mut cases = Vec::new();
    for room in &ROOMS[..2] {
        for jobs in [100_000, 1_000_000] {
            cases.push((jobs.to_string(), Case { jobs, ..Case::of(room, "easy") }));
        }
    }
    compare(criterion, "growth", &cases);
}

/// A job must not cost much more because many wait.
fn queue(criterion: &mut Criterion) {
    let mut cases = Vec::new();
    for room in &ROOMS[..2] {
        for backfill in ["skip", "easy"] {
            for (name, load, backlog) in [("short", room.load, 0), ("long", 1.0, 5_000)] {
                let case = Case { jobs: 200_000, load, backlog, ..Case::of(room, backfill) };
                cases.push((format!("{backfill}/{name}"), case));
            }
        }
    }
    compare(criterion, "queue", &cases);
}

/// What features cost that most runs do without: caps, queues, preemption, reservations of everybody.
///
/// - `caps/none` and `caps/slack`: caps that bind nobody. A start follows its node's chain of domains up to the site a few
///   times, to choose, to admit and to hold, and an end once more.
/// - `caps/binding`: what is refused looks for a node with power left on every one, and once more for why it waits.
/// - `queues/skip` and `queues/easy` beside `plain/skip` and `plain/easy`: every start and every question goes up a tree of three
///   levels.
/// - `srtf/idle` beside `skip/idle`: nobody waits, and no running job is looked at.
/// - `conservative/idle` beside `easy/idle`: an empty queue. As long as no job has a reservation, a start is one of the
///   present, and nothing is known of instants to come.
fn features(criterion: &mut Criterion) {
    let idle = |backfill| Case::of(&IDLE, backfill);
    let cases = [
        ("caps/none", idle("easy")),
        ("caps/slack", Case { cap: Some(60), ..idle("easy") }),
        ("caps/binding", Case { cap: Some(28), jobs: 60_000, ..Case::of(&ROOMS[1], "skip") }),
        ("plain/skip", Case::of(&ROOMS[1], "skip")),
        ("queues/skip", Case { queues: true, ..Case::of(&ROOMS[1], "skip") }),
        ("plain/easy", Case::of(&ROOMS[1], "easy")),
        ("queues/easy", Case { queues: true, ..Case::of(&ROOMS[1], "easy") }),
        ("skip/idle", idle("skip")),
        ("srtf/idle", Case { order: "srtf", ..idle("skip") }),
        ("easy/idle", idle("easy")),
        ("conservative/idle", idle("conservative")),
    ];
    compare(criterion, "features", &cases.map(|(name, case)| (name.to_owned(), case)));
}

/// What a run is measured for must not cost more than the run: `measure` beside `simulate`, of one and the same.
fn measuring(criterion: &mut Criterion) {
    for backfill in ["skip", "easy"] {
        let case = Case::of(&ROOMS[0], backfill);
        let plan = case.plan();
        let history = Case::run(plan.clone());
        let mut group = criterion.benchmark_group(format!("measuring/{backfill}"));
        group.sample_size(10).throughput(Throughput::Elements(case.jobs.into()));
        group.bench_function("simulate", |bencher| {
            bencher.iter_batched(|| plan.clone(), Case::run, BatchSize::PerIteration);
        });
        group.bench_function("measure", |bencher| bencher.iter(|| measure(&history)));
    }
}

/// Microsoft's Philly trace on 64 nodes of 8 GPUs, as `simulate` reads it, where the folder that `GIGAWATT_SHARED` names
/// has it.
///
/// `srtf` and `las` with every job preemptible: most of it are stops on trial for jobs that then find no node, and the walk
/// over the running jobs. `conservative` with 50 reservations: a search through the profile for each that may move.
/// `wfp3` and `multifactor`: all keys anew every 5 minutes, and what tenants used.
fn philly(criterion: &mut Criterion) {
    let Some(folder) = std::env::var_os("GIGAWATT_SHARED") else {
        eprintln!("philly: skipped, GIGAWATT_SHARED names no folder");
        return;
    };
    let path = std::path::Path::new(&folder).join("traces/philly/philly_jobs.csv.zst");
    let mut group = criterion.benchmark_group("philly");
    group.sample_size(10);
    let policies =
        ["fifo/skip", "srtf", "las", "fifo/conservative/depth=50", "wfp3/easy", "multifactor/easy"];
    for policy in policies {
        let overrides = Overrides {
            workload: Some(path.display().to_string()),
            cluster: Some("64x8".to_owned()),
            policy: Some(policy.to_owned()),
            ..Overrides::default()
        };
        let plan = Scenario::from_overrides(&overrides).expect("the trace of the folder").plan;
        group.throughput(Throughput::Elements(plan.workload.len().into()));
        group.bench_function(policy, |bencher| {
            bencher.iter_batched(|| plan.clone(), Case::run, BatchSize::PerIteration);
        });
    }
}

criterion_group!(benches, engine, growth, queue, features, measuring, philly);
criterion_main!(benches);
