use super::arguments::Check;
use super::terminal::Terminal;
use super::{Exit, load};
use crate::cluster::Cluster;
use crate::error::Result;
use crate::failure::Exposure;
use crate::history::{Plan, Settings};
use crate::metrics::profile::Profile;
use crate::report::number::{counted, grouped, significant};
use crate::report::table;
use crate::scenario::{Loaded, stops_a_day, stops_nobody};
use crate::units::Seconds;
use crate::workload::Workload;
use std::collections::BTreeMap;

/// Reads a scenario and says what it comes to.
pub(super) fn run(arguments: &Check, terminal: Terminal) -> Result<Exit> {
    let overrides = arguments.changes.overrides(arguments.policy.as_deref());
    let loaded = load::scenario(arguments.scenario.as_deref(), &overrides)?;
    terminal.notes(&loaded.notes);
    terminal.notes(stops_nobody(&loaded.plan.settings, &loaded.plan).as_slice());
    terminal.print_text(&resolved(&loaded, terminal.width))?;
    Ok(Exit::Done)
}

/// What a scenario comes to, as a table of a few lines.
fn resolved(loaded: &Loaded, width: u16) -> String {
    let plan = &loaded.plan;
    let profile = Profile::of(&plan.workload, Some(&plan.cluster), plan.settings.until, 1);
    let load = match profile.offered_load {
        Some(load) => offered(&profile, load, plan.settings.until),
        None => "none: all jobs are submitted at once".to_owned(),
    };
    let mut table = table::headless(width);
    table.add_row(["cluster", &cluster(&plan.cluster)]);
    table.add_row(["racks", &racks(&plan.cluster)]);
    table.add_row(["jobs", &jobs(&plan.workload)]);
    table.add_row([
        "work",
        &format!("{} GPU-hours on the reference platform", grouped(profile.gpu_hours_rounded())),
    ]);
    table.add_row(["offered load", &load]);
    if let Some(text) = failures(plan) {
        table.add_row(["failures", &text]);
    }
    table.add_row(["policy", &policy(&plan.settings, width)]);
    table.add_row(["seed", &plan.settings.seed.to_string()]);
    for input in &loaded.inputs {
        // A digest that would be broken anywhere begins a line of its own.
        let fits = input.path.chars().count() + 44 <= usize::from(width);
        let between = if fits { ' ' } else { '\n' };
        table.add_row(["input", &format!("{}{between}(blake3 {}…)", input.path, &input.digest[..16])]);
    }
    table::rigid(&mut table, [0]);
    format!("{}: no problem found\n\n{}", loaded.name, table::text(&mut table))
}

/// The load, and what of the work is in it.
fn offered(profile: &Profile, load: f64, until: Option<u32>) -> String {
    let mut text = format!("{} of the GPUs, within the {} of submits", significant(load), profile.span());
    if let Some(until) = until {
        text.push_str(&format!(", up to run.until = {}", Seconds(until)));
    }
    if profile.endless > 0 {
        text.push_str(&format!(", but for {}", counted(profile.endless, "service without end")));
    }
    text
}

fn cluster(cluster: &Cluster) -> String {
    let mut parts = vec![
        counted(cluster.gpus(), "GPU"),
        counted(cluster.nodes().into(), "node"),
        counted(length(cluster.racks.len()), "rack"),
    ];
    let rare = [
        (cluster.feeds.len(), "feed"),
        (cluster.sites.len(), "site"),
        (cluster.partitions.len(), "partition"),
        (cluster.changes.len(), "change of capacity"),
    ];
    let told = |(count, noun): &(usize, &str)| (*count > 1).then(|| counted(length(*count), noun));
    let levels = cluster.levels.iter().rev();
    parts.extend(levels.map(|level| counted(length(level.first_racks.len()), &level.name)));
    parts.extend(rare.iter().filter_map(told));
    parts.join(", ")
}

/// Racks that look alike, in the order they first come.
fn racks(cluster: &Cluster) -> String {
    let mut alike: BTreeMap<(u32, u32, &str), (usize, u64)> = BTreeMap::new();
    for (index, rack) in cluster.racks.iter().enumerate() {
        let kind = &cluster.kinds[rack.kind as usize];
        let key = (rack.nodes, kind.gpus, kind.platform_name.as_str());
        alike.entry(key).or_insert((index, 0)).1 += 1;
    }
    let mut alike: Vec<_> = alike.into_iter().collect();
    alike.sort_by_key(|(_, (first, _))| *first);
    let line = |((nodes, gpus, platform), (_, count)): ((u32, u32, &str), (usize, u64))| {
        let nodes = counted(nodes.into(), "node");
        match gpus {
            0 => format!("{} of {nodes} without GPUs", grouped(count)),
            _ => format!("{} of {nodes} of {gpus} {platform}", grouped(count)),
        }
    };
    let mut lines: Vec<String> = alike.into_iter().map(line).collect();
    let more = lines.len().saturating_sub(RACKS);
    lines.truncate(RACKS);
    if more > 0 {
        lines.push(format!("and {} more", counted(length(more), "kind")));
    }
    lines.join("\n")
}

/// Kinds of racks that are told one by one.
const RACKS: usize = 12;

fn jobs(workload: &Workload) -> String {
    let mut parts =
        vec![counted(workload.len().into(), "job"), counted(length(workload.tenants.len()), "tenant")];
    let rare = [
        (workload.graphs.len(), "job graph"),
        (workload.dependencies.edges().count(), "dependency"),
        (workload.running.len(), "job already running"),
    ];
    let told = |(count, noun): &(usize, &str)| (*count > 0).then(|| counted(length(*count), noun));
    parts.extend(rare.iter().filter_map(told));
    parts.join(", ")
}

/// What is expected to fail, of the whole cluster and of the largest job.
fn failures(plan: &Plan) -> Option<String> {
    let failures = plan.cluster.failures.as_deref().filter(|failures| !failures.is_empty())?;
    let mut each: Vec<(&str, f64)> = failures
        .components
        .iter()
        .map(|component| (component.name.as_str(), plan.cluster.failures_a_day(component)))
        .collect();
    let sum: f64 = each.iter().map(|(_, a_day)| a_day).sum();
    each.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    let each: Vec<String> =
        each.iter().map(|(name, a_day)| format!("{name} {}", significant(*a_day))).collect();
    let exposed = match failures.exposure {
        Exposure::Always => "",
        Exposure::Computing => " if every node computes all the time",
    };
    let mut lines = vec![
        format!("{} a day are expected{exposed}, one in {}", significant(sum), mean(sum)),
        each.join(", "),
    ];
    let gpus = |job: &u32| plan.workload.request_of(*job).gpus();
    // The first of those that ask for most.
    let largest = (0..plan.workload.len()).rev().max_by_key(gpus);
    let stops =
        largest.and_then(|job| Some((job, stops_a_day(&plan.cluster, plan.workload.request_of(job))?)));
    if let Some((job, (kind, a_day))) = stops.filter(|(_, (_, a_day))| *a_day > 0.0) {
        lines.push(format!(
            "the largest job, {} of {} GPUs on {}, is stopped {} times a day, once in {}",
            plan.workload.names.get(job as usize),
            gpus(&job),
            plan.cluster.kinds[kind as usize].platform_name,
            significant(a_day),
            mean(a_day)
        ));
    }
    Some(lines.join("\n"))
}

/// The mean time from one of so many a day to the next.
fn mean(a_day: f64) -> String {
    let seconds = libm::round(86_400.0 / a_day);
    if seconds >= f64::from(u32::MAX) {
        return "more than 136 years".to_owned();
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked first")]
    let seconds = Seconds(seconds as u32);
    seconds.to_string()
}

fn policy(settings: &Settings, width: u16) -> String {
    let passes = match settings.cycle {
        Some(cycle) => match &settings.event_backfill {
            Some(event) => format!("every {}, and at every event with backfill {event}", Seconds(cycle)),
            None => format!("every {}", Seconds(cycle)),
        },
        None => "at every event".to_owned(),
    };
    let text = format!("{}, deciding {passes}", settings.policy());
    if text.chars().count() + 14 <= usize::from(width) {
        return text;
    }
    // Parts and options by name begin lines of their own, so that no name is broken.
    let pieces = text.split_inclusive('/').enumerate();
    let lines = pieces.map(|(index, piece)| if index < 3 { piece.to_owned() } else { format!("\n{piece}") });
    lines.collect::<String>().replace("/\n", "\n/").replace(", deciding", "\ndeciding")
}

fn length(count: usize) -> u64 {
    u64::try_from(count).expect("a length has at most 64 bits")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Overrides, Scenario};

    #[test]
    fn what_is_expected_to_fail_is_told() {
        let text = |rate: &str| {
            format!(
                "cluster = \"4x8xh100\"\n[[workload.job]]\nid = \"small\"\ngpus = 1\nwork = 60\n\
                 [[workload.job]]\nid = \"large\"\ngpus = 16\nwork = 60\n\
                 [[failures.component]]\nname = \"gpu\"\nper = \"gpu\"\nrate = {rate}\nrepair = {{ time = 60 }}\n\
                 [[failures.component]]\nname = \"software\"\nper = \"job-gpu\"\nrate = 0.25\n"
            )
        };
        let told = |rate: &str| {
            let loaded = Scenario::from_text("s.toml", &text(rate), &Overrides::default()).unwrap();
            failures(&loaded.plan).unwrap()
        };
        // 32 GPUs, and 16 of the job on two nodes.
        insta::assert_snapshot!(told("0.5"), @r"
        24.00 a day are expected, one in 1h00m
        gpu 16.00, software 8.00
        the largest job, large of 16 GPUs on h100, is stopped 12.00 times a day, once in 2h00m
        ");
        assert!(told("1e-9").contains("software 8.00, gpu 0.000000032"), "{}", told("1e-9"));
    }
}
