use super::*;
use crate::cluster::grid::{Battery, Demand, Grid, Series, Signal};
use crate::ensemble::By;
use crate::history::{Outcome, sample};
use crate::metrics::measure;
use crate::report::lines::columns;
use crate::units::{Money, Seconds, Time, Watts};
use crate::workload::{Graph, Tenant};

pub(super) fn provenance(title: &str) -> Provenance {
    let scenario = vec![title.to_owned()];
    Provenance { title: title.to_owned(), scenario, ..Provenance::default() }
}

pub(super) fn told(run: &Run<'_>, kept_in: Option<&str>) -> String {
    summary(run, &Look { kept_in, by: None, width: 80 })
}

fn written(history: &History, file: &str) -> String {
    let (measured, provenance) = (measure(history), provenance("night.toml"));
    let run = Run::new(history, &measured, &provenance);
    let exporter = EXPORTERS.iter().find(|exporter| exporter.file == file).unwrap();
    let mut bytes = Vec::new();
    (exporter.write)(&run, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// A run with graphs, stops, quotas and partitions.
fn history() -> History {
    let rich = |history: &History| {
        let graphs = measure(history).metrics.graphs.is_some_and(|graphs| graphs.slowest.is_some());
        let stopped = measure(history).metrics.preemptions > 3;
        graphs && stopped && history.plan.settings.until.is_some() && history.plan.workload.tenants.len() > 2
    };
    (0..).map(sample::random).find(rich).unwrap()
}

#[test]
fn the_summary_is_what_a_person_wants_to_know() {
    let history = history();
    let (measured, provenance) = (measure(&history), provenance("night.toml"));
    for width in [40, 80, 200] {
        let look = Look { kept_in: Some("out/night"), by: Some(By::Platform), width };
        let text = summary(&Run::new(&history, &measured, &provenance), &look);
        insta::assert_snapshot!(format!("the_summary_in_{width}_columns"), text);
    }
}

#[test]
fn no_number_is_cut_off_in_any_width() {
    let history = powered();
    let (measured, provenance) = (measure(&history), provenance("night.toml"));
    let run = Run::new(&history, &measured, &provenance);
    let numbers = |text: &str| -> Vec<String> {
        let is_part = |c: char| c.is_alphanumeric() || ".,:$-".contains(c);
        let words = text.split(|c: char| !is_part(c)).map(|word| word.trim_matches([',', '.', ':', '-']));
        words.filter(|word| word.starts_with(|c: char| c.is_ascii_digit())).map(str::to_owned).collect()
    };
    let told = |width: u16| summary(&run, &Look { kept_in: None, by: Some(By::Gpus), width });
    let usual = numbers(&told(80));
    assert!(usual.len() > 60, "there are many: {usual:?}");
    for width in 40..=200 {
        let text = told(width);
        let longest = text.lines().map(columns).max().unwrap_or(0);
        assert!(longest <= usize::from(width), "{width} columns: {text}");
        let own = numbers(&text);
        for number in &usual {
            assert!(own.contains(number), "{number} is missing in {width} columns: {text}");
        }
    }
}

#[test]
fn jobs_csv_has_a_line_a_job() {
    let text = written(&history(), "jobs.csv");
    let lines: Vec<&str> = text.lines().take(24).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn many_tenants_and_long_names_leave_a_summary_short() {
    let mut history = history();
    for number in 0..30 {
        let name = format!("a tenant with a name that is far too long for any table, number {number}");
        history.plan.workload.tenants.push(Tenant::named(name));
    }
    let tenants = history.plan.workload.tenants.len();
    for (index, job) in history.plan.workload.jobs.iter_mut().enumerate() {
        job.tenant = u32::try_from(index % tenants).unwrap();
    }
    let name = "the longest name of a graph that anybody ever wrote down in a file ".repeat(3);
    let jobs = history.plan.workload.graphs[0].jobs.clone();
    for job in &jobs {
        history.jobs[*job as usize].outcome = Outcome::Completed;
        history.jobs[*job as usize].finish_time = history.end;
    }
    history.plan.workload.graphs.push(Graph { name, jobs });
    history.plan.settings.warm_up = 1;
    history.complete = false;
    let (measured, provenance) = (measure(&history), provenance(&"deep/".repeat(40)));
    let text = told(&Run::new(&history, &measured, &provenance), Some(&"far/".repeat(40)));
    assert!(text.lines().count() <= 48, "{} lines:\n{text}", text.lines().count());
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
    }
    assert!(text.contains("tenants more"), "the others are counted:\n{text}");
}

#[test]
fn names_neither_leave_their_line_nor_reach_the_terminal() {
    let mut history = history();
    for name in ["\u{1b}[31mred\nline", "\u{202e}backwards", "名字很长的租户名字很长的租户名字很长的租户"]
    {
        history.plan.workload.tenants.push(Tenant::named(name));
    }
    let tenants = history.plan.workload.tenants.len();
    for (index, job) in history.plan.workload.jobs.iter_mut().enumerate() {
        job.tenant = u32::try_from(tenants - 1 - index % 3).unwrap();
    }
    let (measured, provenance) = (measure(&history), provenance("a\tb.toml"));
    let text = told(&Run::new(&history, &measured, &provenance), None);
    assert!(!text.contains(['\u{1b}', '\u{202e}', '\t']), "{text:?}");
    for begin in ["\u{fffd}[31mred\u{fffd}line ", "\u{fffd}backwards ", "名字很长的租户名字… "] {
        let row = text.lines().find(|line| line.starts_with(begin));
        assert!(row.is_some_and(|row| row.contains('%')), "{begin:?} has one row:\n{text}");
    }
}

#[test]
fn jobs_that_have_not_ended_count_with_the_wait_so_far() {
    let mut history = history();
    history.jobs.iter_mut().for_each(|job| job.outcome = Outcome::Unfinished);
    let (measured, provenance) = (measure(&history), provenance("night.toml"));
    let text = told(&Run::new(&history, &measured, &provenance), None);
    let eligible = measured.eligible(&history).count();
    let said = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains(&format!(" ({eligible} unfinished, so far)")), "{text}");
    assert!(!text.contains("\nTurnaround") && text.contains("73 left\n"), "nothing to turn around:\n{text}");
}

#[test]
fn nobody_is_said_to_have_waited_that_was_never_eligible() {
    let mut history = history();
    for job in &mut history.jobs {
        (job.outcome, job.eligible_time, job.finish_time) = (Outcome::Unfinished, Time::NEVER, Time::NEVER);
    }
    history.segments.clear();
    history.pieces.clear();
    let (measured, provenance) = (measure(&history), provenance("night.toml"));
    let text = told(&Run::new(&history, &measured, &provenance), None);
    assert!(!text.contains("\nWait ") && text.contains("73 left\n"), "{text}");
    let row = text.lines().skip_while(|line| !line.starts_with("Tenant")).nth(2).unwrap();
    assert!(row.ends_with("–         –"), "neither of a tenant: {row:?}");
}

#[test]
fn the_summary_of_nothing_is_short_and_whole() {
    let history = History { complete: true, ..History::default() };
    let (measured, provenance) = (measure(&history), provenance("empty.toml"));
    let text = told(&Run::new(&history, &measured, &provenance), None);
    assert!(text.contains("0 left"), "{text}");
}

#[test]
fn jobs_csv_is_read_back_by_a_reader_of_csv() {
    let mut history = history();
    history.plan.workload.tenants[0].name = "a \"quoted\", name\nof two lines".to_owned();
    let text = written(&history, "jobs.csv");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header: Vec<&str> = (tables::JOBS.heads)().iter().map(|head| head.name).collect();
    assert_eq!(reader.headers().unwrap(), header, "the first line");
    let measured = measure(&history);
    let at = |name: &str| header.iter().position(|column| *column == name).unwrap();
    let mut rows = 0;
    for (index, row) in reader.records().enumerate() {
        let row = row.unwrap();
        let job = &history.plan.workload.jobs[index];
        assert_eq!(&row[at("tenant")], history.plan.workload.tenants[job.tenant as usize].name, "tenant");
        assert_eq!(row[at("submit_time")], job.submit_time.0.to_string(), "job {index}: submit");
        assert_eq!(&row[at("outcome")], history.jobs[index].outcome.name(), "job {index}: outcome");
        let reasons = header.iter().filter(|name| name.starts_with("wait_") && **name != "wait_time");
        let sum: u32 = reasons.map(|name| row[at(name)].parse::<u32>().unwrap()).sum();
        assert_eq!(sum, measured.jobs[index].wait_time.0, "job {index}: the reasons add up");
        assert_eq!(
            row[at("start_time")].is_empty(),
            row[at("nodes")].is_empty() && row[at("run_time")].is_empty()
        );
        rows += 1;
    }
    assert_eq!(rows, history.jobs.len(), "a row a job");
}

#[test]
fn the_columns_that_others_rely_on_come_first() {
    let promised = "job_id,tenant,kind,gpus,submit_time,eligible_time,start_time,finish_time,wait_time,run_time,\
        attempts,platform,racks,nodes,energy_j,outcome";
    let names: Vec<&str> = (tables::JOBS.heads)().iter().map(|head| head.name).collect();
    assert!(names.join(",").starts_with(promised), "{names:?}");
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), names.len(), "no name comes twice");
}

/// A run whose nodes draw power.
pub(super) fn powered() -> History {
    let mut history = history();
    for kind in &mut history.plan.cluster.kinds {
        kind.power.idle = Watts(700);
        kind.power.busy = Watts(5_001);
        kind.power.gpu_tgp = Watts(900);
    }
    history.plan.cluster.feeds[0].cap = Some(Watts(1_000));
    history
}

#[test]
fn power_csv_adds_up_to_the_whole_however_long_a_step_is() {
    let history = powered();
    let measured = measure(&history);
    let whole = measured.metrics.power.as_ref().unwrap().all.energy_j;
    assert!(whole > 0, "something is drawn");
    let exporter = EXPORTERS.iter().find(|exporter| exporter.file == "power.csv").unwrap();
    for step in [None, Some(1), Some(7), Some(60), Some(u32::MAX)] {
        let provenance = Provenance { power_step: step.map(Seconds), ..provenance("night.toml") };
        let run = Run::new(&history, &measured, &provenance);
        let mut bytes = Vec::new();
        (exporter.write)(&run, &mut bytes).unwrap();
        let mut sums = [0_u128; 2];
        let mut peak = 0;
        for row in csv::Reader::from_reader(&*bytes).records() {
            let row = row.unwrap();
            sums[usize::from(row[2].is_empty())] += row[5].parse::<u128>().unwrap();
            peak = peak.max(row[4].parse().unwrap());
            assert_eq!(row[6].is_empty(), row[2].is_empty(), "only the feed has a cap");
        }
        assert_eq!(sums, [whole; 2], "the feed and the site, steps of {step:?}");
        assert_eq!(peak, measured.metrics.power.as_ref().unwrap().all.peak_w, "steps of {step:?}");
    }
}

/// Says of every feed that it drew a joule more.
#[derive(Debug)]
struct OneMore(Cpu);

impl Metering for OneMore {
    fn meter(&mut self, load: &Load, window: Window, out: &mut Usage) {
        self.0.meter(load, window, out);
        out.buckets.iter_mut().for_each(|bucket| bucket.energy += 1);
    }
}

#[test]
fn power_csv_says_what_the_meter_says() {
    let history = powered();
    let (measured, provenance) = (measure(&history), provenance("night.toml"));
    let written = |metering: Option<&mut dyn Metering>| {
        let run = Run::new(&history, &measured, &provenance);
        let run = if let Some(metering) = metering { run.metered_by(metering) } else { run };
        let mut bytes = Vec::new();
        (tables::POWER.write)(&run, Encoding::Csv, &mut bytes).unwrap();
        bytes
    };
    let by_default = written(None);
    assert_eq!(by_default, written(Some(&mut Cpu::default())), "the processor meters");
    assert_ne!(by_default, written(Some(&mut OneMore(Cpu::default()))), "a joule more is told");
}

#[test]
fn feeds_csv_costs_what_the_bill_of_the_site_says() {
    let mut history = powered();
    let hourly = Series {
        offset: 900,
        step: Seconds(3600),
        values: vec![40_000_000, -15_000_000, 71_234_567],
        repeats: true,
    };
    let grid = Grid {
        price: Some(Signal::Series(hourly)),
        carbon: Some(Signal::Constant(369_000)),
        ..Grid::default()
    };
    history.plan.cluster.grids = vec![grid; history.plan.cluster.sites.len()];
    let (measured, provenance) = (measure(&history), provenance("night.toml"));
    let written = |metering: &mut dyn Metering| {
        let run = Run::new(&history, &measured, &provenance).metered_by(metering);
        let mut bytes = Vec::new();
        (tables::FEEDS.write)(&run, Encoding::Csv, &mut bytes).unwrap();
        bytes
    };
    let bytes = written(&mut Cpu::default());
    let metrics = &measured.metrics;
    let (cost, power) = (metrics.cost.as_ref().unwrap(), metrics.power.as_ref().unwrap());
    assert!(cost.energy != Money(0) && cost.carbon_g > 0, "there is something to compare");
    let mut rows = csv::Reader::from_reader(&*bytes);
    for row in rows.records().map(Result::unwrap) {
        let of = if row[1].is_empty() { &power.sites } else { &power.feeds };
        let drawn =
            of.iter().find(|domain| domain.name == row[if row[1].is_empty() { 0 } else { 1 }]).unwrap();
        assert_eq!(row[2], drawn.energy_j.to_string(), "joules of {row:?}");
        assert_eq!(row[4], drawn.peak_w.to_string(), "peak of {row:?}");
        // Nothing is lost between the one feed of each site and its grid connection here.
        let site = cost.sites.iter().find(|site| site.name == row[0]).unwrap();
        let dollars = crate::units::fixed_point(&row[5], 6).map(Money);
        assert_eq!((dollars, &row[6]), (Some(site.energy), &*site.carbon_g.to_string()), "{row:?}");
    }
    assert_ne!(bytes, written(&mut OneMorePaid(Cpu::default())), "a dollar more is told");
}

/// Says of every feed that it pays a dollar more.
#[derive(Debug)]
struct OneMorePaid(Cpu);

impl Metering for OneMorePaid {
    fn meter(&mut self, load: &Load, window: Window, out: &mut Usage) {
        self.0.meter(load, window, out);
        out.totals.iter_mut().for_each(|total| total.cost += 1_000_000 * 3_600_000_000);
    }
}

#[test]
fn draws_beyond_what_a_meter_counts_are_told_too() {
    let mut history = powered();
    let most = crate::hardware::WATTS_MAX;
    for kind in &mut history.plan.cluster.kinds {
        (kind.power.idle, kind.power.busy) = (most, most);
    }
    let nodes = u64::from(history.plan.cluster.nodes());
    assert!(nodes > 1, "more than one node draws the most there is");
    let (measured, provenance) = (measure(&history), provenance("night.toml"));
    let run = Run::new(&history, &measured, &provenance);
    let mut bytes = Vec::new();
    (tables::POWER.write)(&run, Encoding::Csv, &mut bytes).unwrap();
    let mut rows = csv::Reader::from_reader(&*bytes);
    let peaks = rows.records().map(|row| row.unwrap()[4].parse::<u64>().unwrap());
    assert_eq!(peaks.max(), Some(measured.metrics.power.as_ref().unwrap().all.peak_w), "as in the summary");
}

#[test]
fn a_summary_of_everything_at_once_is_hardly_longer() {
    let mut history = powered();
    for number in 0..30 {
        history.plan.workload.tenants.push(Tenant::named(format!("a tenant with a long name, {number}")));
    }
    let tenants = history.plan.workload.tenants.len();
    for (index, job) in history.plan.workload.jobs.iter_mut().enumerate() {
        job.tenant = u32::try_from(index % tenants).unwrap();
    }
    history.plan.settings.warm_up = 1;
    history.complete = false;
    // Prices of a minute, and a battery that empties.
    let price = Series { offset: 0, step: Seconds(60), values: vec![40_000_000], repeats: false };
    let (power, capacity) = (Watts(5_000), 1_000_000);
    history.plan.cluster.grids = vec![Grid {
        price: Some(Signal::Series(price)),
        carbon: Some(Signal::Constant(369_000)),
        battery: Some(Battery {
            capacity,
            charge: capacity,
            power,
            efficiency_ppm: 900_000,
            threshold: Watts(1),
        }),
        demand: Some(Demand { price: 12_000_000, interval: Seconds(60) }),
        ..Grid::default()
    }];
    let long = "the row of racks behind the third transformer of the hall";
    let feed = &mut history.plan.cluster.feeds[0];
    (feed.name, feed.cap) = (long.to_owned(), Some(Watts(4_000)));
    let (measured, provenance) = (measure(&history), provenance(&"deep/".repeat(40)));
    let text = told(&Run::new(&history, &measured, &provenance), Some(&"far/".repeat(40)));
    assert!(text.lines().count() <= 56, "{} lines:\n{text}", text.lines().count());
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
    }
    for part in [
        "Site draw ",
        "IT draw ",
        "Energy ",
        "Over caps ",
        " at the row of racks behind…\n",
        " at the row of racks behind…; its peak ",
        "Cost ",
        "peaks: the highest readings within the time counted\n",
        "with the last price or intensity recorded for the last ",
        "Carbon ",
        "Batteries ",
    ] {
        assert!(text.contains(part), "{part} is told:\n{text}");
    }
}

#[test]
fn the_manifest_vouches_for_the_history() {
    let history = history();
    let manifest: serde_json::Value = serde_json::from_str(&written(&history, "manifest.json")).unwrap();
    assert_eq!(manifest["history"], history.digest().to_string(), "the digest");
    assert_eq!(manifest["settings"]["order"], "fifo", "the policy");
    let summary: serde_json::Value = serde_json::from_str(&written(&history, "summary.json")).unwrap();
    let outcomes = summary["outcomes"].as_object().unwrap();
    let counted: u64 = outcomes.values().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(counted, summary["jobs"].as_u64().unwrap(), "every job has an outcome");
}

#[test]
fn a_run_is_saved_whole_and_read_back() {
    let place = tempfile::tempdir().unwrap();
    let directory = Directory::create(&place.path().join("run")).unwrap();
    let history = history();
    let (measured, provenance) = (measure(&history), provenance("night.toml"));
    let run = Run::new(&history, &measured, &provenance);
    directory.write("feeds.csv", b"somebody's own\n").unwrap();
    run.save(&directory).unwrap();
    assert!(directory.path().join("feeds.csv").is_file(), "no run left it");
    for of_an_earlier_run in ["power.csv", "feeds.csv"] {
        directory.write(of_an_earlier_run, b"time,site\n").unwrap();
    }
    run.save(&directory).unwrap();
    let mut names: Vec<String> = std::fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    let written = EXPORTERS.iter().filter(|exporter| (exporter.applies)(&run));
    let mut expected: Vec<&str> = written.map(|exporter| exporter.file).collect();
    expected.sort_unstable();
    assert!(!expected.contains(&"power.csv"), "nothing of this run draws power");
    assert_eq!(names, expected, "nothing else is left behind");
    let bytes = std::fs::read(directory.path().join("history")).unwrap();
    assert_eq!(file::read(&bytes, "history").unwrap(), history, "the history comes back");
}

#[test]
fn the_command_for_other_policies_can_be_pasted() {
    let scenario = ["--workload", "my trace.swf", "--cluster", "64x8", "--set", "run.until='9 h'"];
    let provenance = Provenance {
        title: "my trace.swf".to_owned(),
        scenario: scenario.map(str::to_owned).to_vec(),
        ..Provenance::default()
    };
    let history = History::default();
    let measured = measure(&history);
    let text = told(&Run::new(&history, &measured, &provenance), None);
    let command = text.split_once("words mean\n").unwrap().1;
    insta::assert_snapshot!(command, @r"
    gigawatt compare --workload 'my trace.swf' --cluster 64x8 --set \
      'run.until='\''9 h'\''' -p fifo/none -p fifo/easy
    ");
}
