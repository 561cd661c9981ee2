use super::messages::{
    Argument, BEGIN, COUNTER, Counter, END, Event, INSTANT, Packet, Process, Thread, Trace, Track,
};
use crate::failure::Per;
use crate::history::{History, Piece, Segment};
use crate::report::places::{component, component_name, place};
use crate::report::run::Run;
use crate::units::Time;
use prost::Message;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufWriter, Write};

/// The process of what concerns all of the cluster.
const CLUSTER: i32 = 1;
/// The process of the first rack.
const FIRST_RACK: i32 = 2;
/// Tracks by their numbers: processes count from 1, what is in them from here.
const FIRST_TRACK: u64 = 1 << 32;

/// Writes the run as a trace for `ui.perfetto.dev`: racks as processes, nodes as threads, jobs as slices with their
/// arguments, arrows along the dependencies of jobs that ran, what failed as instants of its node, rack or the cluster,
/// counters for the queue, utilization, draw and caps.
pub(in crate::report::run) fn write(run: &Run<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut writer = Packets { out: BufWriter::new(out), bytes: Vec::new() };
    let lanes = Lanes::of(run.history);
    writer.describe(run.history, &lanes)?;
    writer.slices(run, &lanes)?;
    writer.failures(run.history)?;
    writer.counters(run)?;
    writer.out.flush()
}

/// What a job held on one node for a while.
#[derive(Debug, Clone, Copy)]
struct Slice {
    segment: u32,
    node: u32,
    /// Thousandths of GPUs.
    milli: u32,
    /// Which of the slices that are on the node at a time.
    lane: u32,
}

/// Every slice, and how many are on each node at a time.
#[derive(Debug)]
struct Lanes {
    /// In the order they begin.
    slices: Vec<Slice>,
    /// By node: how many lanes it takes.
    counts: Vec<u32>,
}

impl Lanes {
    fn of(history: &History) -> Self {
        let nodes = history.plan.cluster.nodes() as usize;
        // By node: when each of its lanes is free again.
        let mut free: Vec<Vec<Time>> = vec![Vec::new(); nodes];
        let mut slices = Vec::new();
        // What lasted no time has no length to be shown.
        let lasted = |segment: &Segment| segment.to.min(history.end) > segment.from;
        for (index, segment) in (0u32..).zip(&history.segments).filter(|(_, segment)| lasted(segment)) {
            for (node, milli) in held(history, segment) {
                let lanes = &mut free[node as usize];
                let lane = lanes.iter().position(|until| *until <= segment.from).unwrap_or_else(|| {
                    lanes.push(Time::ZERO);
                    lanes.len() - 1
                });
                lanes[lane] = segment.to.min(history.end);
                let lane = u32::try_from(lane).expect("a node has few GPUs");
                slices.push(Slice { segment: index, node, milli, lane });
            }
        }
        let count = |lanes: &Vec<Time>| u32::try_from(lanes.len()).expect("a node has few GPUs");
        Self { slices, counts: free.iter().map(count).collect() }
    }
}

/// The nodes of a segment, ascending, and thousandths of GPUs held on each.
fn held(history: &History, segment: &Segment) -> BTreeMap<u32, u32> {
    let mut found = BTreeMap::new();
    for piece in history.pieces_of(segment) {
        for node in piece.nodes() {
            let milli = match *piece {
                Piece::Nodes { .. } => history.plan.cluster.kind_of(node).gpus * 1000,
                Piece::Gpus { mask, .. } => mask.count_ones() * 1000,
                Piece::Share { milli, .. } => milli.into(),
            };
            *found.entry(node).or_insert(0) += milli;
        }
    }
    found
}

/// The number of a lane's track.
fn lane_track(node: u32, lane: u32) -> u64 {
    FIRST_TRACK + u64::from(node) * 4096 + u64::from(lane)
}

/// The number of the track of the n-th counter.
const fn counter_track(number: u64) -> u64 {
    (1 << 60) + number
}

/// The process of a rack.
fn process_of(rack: u32) -> i32 {
    FIRST_RACK.saturating_add(i32::try_from(rack).unwrap_or(i32::MAX))
}

fn nanoseconds(time: Time) -> u64 {
    u64::from(time.0) * 1_000_000_000
}

fn text(name: &str, text: impl Into<String>) -> Argument {
    Argument { name: Some(name.to_owned()), text: Some(text.into()), ..Argument::default() }
}

fn count(name: &str, count: u64) -> Argument {
    Argument { name: Some(name.to_owned()), count: Some(count), ..Argument::default() }
}

fn real(name: &str, real: f64) -> Argument {
    Argument { name: Some(name.to_owned()), real: Some(real), ..Argument::default() }
}

/// Arrows from what a job waited for, and to what waited for it, by job: numbers of edges.
#[derive(Debug, Default)]
struct Arrows {
    out: BTreeMap<u32, Vec<u64>>,
    into: BTreeMap<u32, Vec<u64>>,
}

impl Arrows {
    /// Those between jobs that both ran: an arrow needs two ends.
    fn of(history: &History) -> Self {
        let ran: BTreeSet<u32> = history.segments.iter().map(|segment| segment.job).collect();
        let mut arrows = Self::default();
        for (number, (before, after, _)) in (1..).zip(history.plan.workload.dependencies.edges()) {
            if ran.contains(&before) && ran.contains(&after) {
                arrows.out.entry(before).or_default().push(number);
                arrows.into.entry(after).or_default().push(number);
            }
        }
        arrows
    }
}

struct Packets<'a> {
    out: BufWriter<&'a mut dyn Write>,
    bytes: Vec<u8>,
}

impl Packets<'_> {
    fn put(&mut self, packet: Packet) -> io::Result<()> {
        let trace = Trace { packet: vec![Packet { sequence: Some(1), ..packet }] };
        self.bytes.clear();
        trace.encode(&mut self.bytes).map_err(io::Error::other)?;
        self.out.write_all(&self.bytes)
    }
    fn track(&mut self, track: Track) -> io::Result<()> {
        self.put(Packet { track: Some(track), ..Packet::default() })
    }
    fn event(&mut self, time: Time, event: Event) -> io::Result<()> {
        self.put(Packet { timestamp: Some(nanoseconds(time)), event: Some(event), ..Packet::default() })
    }
    fn process(&mut self, pid: i32, name: String) -> io::Result<()> {
        let process = Process { pid: Some(pid), name: Some(name) };
        let uuid = u64::try_from(pid).ok();
        self.track(Track { uuid, process: Some(process), ..Track::default() })
    }

    /// Names racks and nodes.
    fn describe(&mut self, history: &History, lanes: &Lanes) -> io::Result<()> {
        let cluster = &history.plan.cluster;
        self.process(CLUSTER, "cluster".to_owned())?;
        for (rack, own) in (0u32..).zip(&cluster.racks) {
            let platform = &cluster.kinds[own.kind as usize].platform_name;
            self.process(process_of(rack), format!("rack {rack} ({platform})"))?;
        }
        for node in 0..cluster.nodes() {
            let pid = process_of(cluster.rack_of(node));
            let name = format!("node {node}");
            let thread = Thread { pid: Some(pid), tid: Some(i64::from(node) + 1), name: Some(name.clone()) };
            let uuid = Some(lane_track(node, 0));
            self.track(Track { uuid, thread: Some(thread), ..Track::default() })?;
            for lane in 1..lanes.counts[node as usize] {
                let uuid = Some(lane_track(node, lane));
                let (parent, name) = (u64::try_from(pid).ok(), Some(format!("{name}, beside {lane}")));
                self.track(Track { uuid, parent, name, ..Track::default() })?;
            }
        }
        Ok(())
    }

    /// What jobs held, in the order of time; what ends at an instant does so before anything begins.
    fn slices(&mut self, run: &Run<'_>, lanes: &Lanes) -> io::Result<()> {
        let history = run.history;
        let arrows = Arrows::of(history);
        let segment = |slice: &Slice| &history.segments[slice.segment as usize];
        // Of each job the first slice takes its arrows.
        let mut first: BTreeMap<u32, usize> = BTreeMap::new();
        let mut begun = vec![0_u32; history.jobs.len()];
        let mut goes_on = vec![false; history.jobs.len()];
        let mut attempts = vec![0_u32; history.segments.len()];
        for (attempt, own) in attempts.iter_mut().zip(&history.segments) {
            let job = own.job as usize;
            begun[job] += u32::from(!goes_on[job]);
            goes_on[job] = own.end.goes_on();
            *attempt = begun[job];
        }
        let mut events: Vec<(Time, bool, usize)> = Vec::with_capacity(lanes.slices.len() * 2);
        for (index, slice) in lanes.slices.iter().enumerate() {
            let own = segment(slice);
            first.entry(own.job).or_insert(index);
            events.push((own.from, true, index));
            events.push((own.to.min(history.end), false, index));
        }
        events.sort_unstable();
        for (time, begins, index) in events {
            let slice = &lanes.slices[index];
            let own = segment(slice);
            let track = Some(lane_track(slice.node, slice.lane));
            if !begins {
                self.event(time, Event { kind: Some(END), track, ..Event::default() })?;
                continue;
            }
            let is_first = first.get(&own.job) == Some(&index);
            let flows = |of: &BTreeMap<u32, Vec<u64>>| {
                of.get(&own.job).filter(|_| is_first).cloned().unwrap_or_default()
            };
            let event = Event {
                kind: Some(BEGIN),
                track,
                name: Some(history.plan.workload.names.get(own.job as usize).into_owned()),
                categories: vec!["job".to_owned()],
                arguments: arguments(run, own, slice, attempts[slice.segment as usize]),
                flows: flows(&arrows.out),
                ending_flows: flows(&arrows.into),
                ..Event::default()
            };
            self.event(time, event)?;
        }
        Ok(())
    }

    /// What failed, where it did: a node, a rack, or else the cluster.
    fn failures(&mut self, history: &History) -> io::Result<()> {
        for failure in &history.failures {
            let own = component(history, failure);
            let track = match own.map(|own| own.per) {
                Some(Per::Gpu | Per::Node) => lane_track(failure.unit, 0),
                Some(Per::Rack) => u64::try_from(process_of(failure.unit)).unwrap_or(0),
                _ => u64::try_from(CLUSTER).unwrap_or(0),
            };
            let mut arguments =
                vec![text("place", place(history, failure)), count("detected_s", failure.detected.0.into())];
            if failure.back != Time::NEVER {
                arguments.push(count("back_s", failure.back.0.into()));
            }
            let event = Event {
                kind: Some(INSTANT),
                track: Some(track),
                name: Some(format!("{} fails", component_name(history, failure))),
                categories: vec!["failure".to_owned()],
                arguments,
                ..Event::default()
            };
            self.event(failure.time, event)?;
        }
        Ok(())
    }

    /// The queue, utilization, draw and caps, by the buckets of the series.
    fn counters(&mut self, run: &Run<'_>) -> io::Result<()> {
        let (series, details) = (&run.measured.metrics.series, run.details());
        let mut all: Vec<(String, &'static str, Vec<Option<f64>>)> = vec![
            (
                "utilization".to_owned(),
                "%",
                series.utilization.iter().map(|part| Some(part * 100.0)).collect(),
            ),
            ("jobs waiting".to_owned(), "jobs", series.waiting_jobs.iter().copied().map(Some).collect()),
        ];
        #[expect(clippy::cast_precision_loss, reason = "a cap for a screen")]
        for draw in &details.draw {
            let (level, name) = (draw.level, &draw.name);
            let mean = draw.mean_w.iter().copied().map(Some).collect();
            all.push((format!("draw of {level} {name}"), "W", mean));
            let cap: Vec<Option<f64>> = draw.cap_w.iter().map(|cap| cap.map(|watts| watts as f64)).collect();
            if cap.iter().any(Option::is_some) {
                all.push((format!("cap of {level} {name}"), "W", cap));
            }
        }
        for (number, (name, unit, values)) in (0..).zip(all) {
            let track = counter_track(number);
            let (parent, counter) =
                (u64::try_from(CLUSTER).ok(), Some(Counter { unit: Some(unit.to_owned()) }));
            self.track(Track { uuid: Some(track), parent, name: Some(name), counter, ..Track::default() })?;
            let starts = (0u32..).map(|bucket| Time(bucket.saturating_mul(series.bucket.0)));
            for (time, value) in starts.zip(&values) {
                let (kind, track) = (Some(COUNTER), Some(track));
                if value.is_some() {
                    self.event(time, Event { kind, track, value: *value, ..Event::default() })?;
                }
            }
        }
        Ok(())
    }
}

/// What a click on a slice shows.
fn arguments(run: &Run<'_>, own: &Segment, slice: &Slice, attempt: u32) -> Vec<Argument> {
    let workload = &run.history.plan.workload;
    let job = &workload.jobs[own.job as usize];
    let times = &run.measured.jobs[own.job as usize];
    vec![
        text("tenant", workload.tenants[job.tenant as usize].name.as_str()),
        text("kind", workload.behaviour_of(own.job).kind.name()),
        real("gpus", workload.request_of(own.job).gpus().as_f64()),
        real("gpus_here", f64::from(slice.milli) / 1000.0),
        count("attempt", attempt.into()),
        count("wait_time_s", times.wait_time.0.into()),
        text("main_reason", times.main_reason().map_or("none", crate::history::WaitReason::name)),
        real("rate", own.rate.as_f64()),
        real("cap", own.cap.as_f64()),
        text("end_reason", own.end.name()),
        text("outcome", run.history.jobs[own.job as usize].outcome.name()),
    ]
}
