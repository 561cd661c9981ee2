use super::arguments::Check;
use super::terminal::Terminal;
use super::{Exit, load};
use crate::cluster::Cluster;
use crate::error::Result;
use crate::history::Settings;
use crate::metrics::profile::Profile;
use crate::report::number::{counted, grouped, significant};
use crate::report::table;
use crate::scenario::{Loaded, stops_nobody};
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
