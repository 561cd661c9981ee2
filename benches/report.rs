//! What follows a simulation: jobs a second measured, bytes a second of the history file, jobs a second of the tables as
//! CSV and as Parquet, and the page for people: of a thousand to a million jobs, with its size and the memory it takes.
//!
//! `cargo bench --bench report`, into memory; tables are made by as many threads as there are cores, or as
//! `RAYON_NUM_THREADS` says.

#![expect(clippy::print_stderr, reason = "how large a file is belongs beside its figures")]

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gigawatt::cluster::{Cluster, NodeKind};
use gigawatt::history::{History, Plan, Settings, file};
#[cfg(feature = "html")]
use gigawatt::metrics::Measured;
use gigawatt::metrics::measure;
#[cfg(feature = "html")]
use gigawatt::report::html;
use gigawatt::report::run::{EXPORTERS, Provenance, Run};
use gigawatt::simulation::{Control, simulate};
use gigawatt::units::{Gpus, Time};
use gigawatt::workload::generate::{Arrivals, Estimate, Generator, Quantiles, Variety};
use gigawatt::workload::{Behaviour, Builder, Job, Request};

/// Jobs of a history.
const JOBS: u32 = 200_000;
/// Jobs of histories of which a page is made.
#[cfg(feature = "html")]
const PAGES: [u32; 3] = [1_000, 100_000, 1_000_000];
/// Mean work of a job, seconds.
const WORK: f64 = 3600.0;
/// Sizes of gangs.
const GANGS: [u32; 7] = [1, 2, 4, 8, 16, 32, 64];

/// A history of a cluster that is kept busy.
fn history(jobs: u32, (racks, nodes, gpus): (u32, u32, u32), backfill: &str) -> History {
    let mut builder = Builder::default();
    builder.behaviour(Behaviour::default());
    let work = Quantiles::exponential(WORK).expect("in range");
    let factors = Quantiles::uniform(1000, 4000).expect("ascending");
    let variety = |gang: u32| Variety {
        weight: GANGS[6] / gang,
        job: Job { request: builder.request(Request::gang(Gpus::whole(gang))), ..Job::at(Time::ZERO) },
        work: work.clone(),
        estimate: Estimate::Times(factors.clone()),
        deadline: None,
        stalls: None,
    };
    let mix = GANGS.map(variety).to_vec();
    // Every size asks for as many GPUs as any other: 7 · 64 over 127 jobs.
    let mean = 448.0 / 127.0;
    let gap = mean * WORK / (0.95 * f64::from(racks * nodes * gpus));
    let arrivals = Arrivals::poisson(gap).expect("in range");
    let generator = Generator { arrivals, start: Time::ZERO, stop: Time::NEVER, count: Some(jobs), mix };
    generator.generate(1, 0, "", &mut builder);
    let kind = NodeKind { gpus, ..NodeKind::default() };
    let plan = Plan {
        cluster: Cluster::racked(racks, nodes, kind),
        workload: builder.finish(),
        settings: Settings::named("fifo", backfill, "best-fit"),
    };
    simulate(plan, &mut Control::default())
}

/// Tables as CSV and as Parquet: what a line a job costs each way, and a line an attempt.
fn tables(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, run: &Run<'_>) {
    for file in ["jobs.csv", "jobs.parquet", "attempts.csv", "attempts.parquet"] {
        let exporter = EXPORTERS.iter().find(|exporter| exporter.file == file).expect("there is one");
        let mut bytes = Vec::new();
        (exporter.write)(run, &mut bytes).expect("memory takes every byte");
        eprintln!("{file} of {name}: {} bytes", bytes.len());
        group.throughput(Throughput::Elements(u64::from(JOBS)));
        group.bench_function(BenchmarkId::new(file, name), |bencher| {
            bencher.iter(|| (exporter.write)(run, &mut std::io::sink()));
        });
    }
}

/// The most memory that this process has taken, KiB; none where the system does not say.
#[cfg(feature = "html")]
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The page of a run, what it looks closely at included: how large it is, and what memory it takes beyond the run.
#[cfg(feature = "html")]
fn page(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, history: &History, measured: &Measured) {
    let provenance = Provenance::default();
    let before = peak_memory();
    let mut bytes = Vec::new();
    let run = Run::new(history, measured, &provenance);
    html::write(&[(name.to_owned(), &run)], &mut bytes).expect("memory takes every byte");
    let more =
        before.zip(peak_memory()).map(|(before, after)| format!(", {} KiB of memory more", after - before));
    eprintln!("report.html of {name}: {} bytes{}", bytes.len(), more.unwrap_or_default());
    group.throughput(Throughput::Elements(history.jobs.len() as u64));
    group.bench_function(BenchmarkId::new("report.html", name), |bencher| {
        bencher.iter(|| {
            let run = Run::new(history, measured, &provenance);
            html::write(&[(name.to_owned(), &run)], &mut std::io::sink())
        });
    });
}

/// Pages of ever more jobs on the same racks, the smallest first: the memory a process took is never given back.
#[cfg(feature = "html")]
fn pages(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("pages");
    group.sample_size(10);
    for jobs in PAGES {
        let history = history(jobs, (256, 16, 8), "easy");
        page(&mut group, &format!("{jobs}-jobs"), &history, &measure(&history));
    }
    group.finish();
}

fn report(criterion: &mut Criterion) {
    let rooms = [
        ("256-flat-fifo", history(JOBS, (256, 1, 1), "none")),
        ("256-flat-easy", history(JOBS, (256, 1, 1), "easy")),
        ("4096-in-racks-easy", history(JOBS, (256, 16, 8), "easy")),
    ];
    let mut group = criterion.benchmark_group("report");
    group.sample_size(10);
    for (name, history) in &rooms {
        group.throughput(Throughput::Elements(u64::from(JOBS)));
        group.bench_function(BenchmarkId::new("measure", name), |bencher| bencher.iter(|| measure(history)));
        let mut bytes = Vec::new();
        file::write(history, &mut bytes).expect("memory takes every byte");
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(BenchmarkId::new("history-write", name), |bencher| {
            bencher.iter(|| file::write(history, std::io::sink()));
        });
        group.bench_function(BenchmarkId::new("history-read", name), |bencher| {
            bencher.iter(|| file::read(&bytes, "history"));
        });
        let (measured, provenance) = (measure(history), Provenance::default());
        let run = Run::new(history, &measured, &provenance);
        tables(&mut group, name, &run);
    }
    group.finish();
}

#[cfg(feature = "html")]
criterion_group!(benches, pages, report);
#[cfg(not(feature = "html"))]
criterion_group!(benches, report);
criterion_main!(benches);
