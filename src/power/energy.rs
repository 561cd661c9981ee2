//! What a run draws over time: every stretch in which a domain draws the same, one after the other.
//!
//! [`sweep`] goes through the events of a history that change any draw, keeps a [`Tree`] and tells a [`Meter`] of each
//! stretch of constant draw. Energy is the sum of draw times seconds, so that it is exact and no bucket matters.

use super::draw::{Draw, part};
use super::tree::{Domain, Parts, Tree};
use crate::cluster::{Cluster, NodeState, Piece, through};
use crate::hardware::{Level, Loss};
use crate::history::{History, Segment};
use crate::units::{Factor, Time, Watts};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Whoever wants to know what is drawn.
pub trait Meter {
    /// From `from` until `to`, which is later, `domain` draws `draw`: every stretch of every site, feed and capped rack
    /// and of all together, each domain's without a gap from 0 to the end of the run.
    fn stretch(&mut self, domain: Domain, from: Time, to: Time, draw: Watts);
    /// The same of what the draw of all sites is made of.
    fn parts(&mut self, from: Time, to: Time, parts: &Parts);
}

/// What jobs draw, by behaviour, kind of node and cap: worked out once each.
#[derive(Debug)]
pub struct Draws<'a> {
    history: &'a History,
    known: BTreeMap<(u32, u32, Factor), Draw>,
    last: Option<((u32, u32, Factor), Draw)>,
}

impl<'a> Draws<'a> {
    /// None worked out yet.
    #[must_use]
    pub const fn new(history: &'a History) -> Self {
        Self { history, known: BTreeMap::new(), last: None }
    }
    /// What job `job` draws on a node of kind `kind` under `cap`.
    pub fn of(&mut self, job: u32, kind: u32, cap: Factor) -> Draw {
        let key = (self.history.plan.workload.jobs[job as usize].behaviour, kind, cap);
        if let Some((last, draw)) = self.last
            && last == key
        {
            return draw;
        }
        let plan = &self.history.plan;
        let draw = *self.known.entry(key).or_insert_with(|| {
            let profile = plan.workload.behaviours[key.0 as usize].profile();
            Draw::new(&profile, &plan.cluster.kinds[kind as usize].power, cap)
        });
        self.last = Some((key, draw));
        draw
    }
    /// Each node of a segment, the thousandths of its GPUs that the segment holds, and what it draws there above idle.
    pub fn for_each(&mut self, segment: &Segment, mut each: impl FnMut(&'a Cluster, u32, u32, Watts)) {
        let history = self.history;
        let cluster = &history.plan.cluster;
        for piece in history.pieces_of(segment) {
            for node in piece.nodes() {
                let kind = cluster.racks[cluster.rack_of(node) as usize].kind;
                let gpus = cluster.kinds[kind as usize].gpus;
                let milli = match *piece {
                    Piece::Nodes { .. } => gpus * 1000,
                    Piece::Gpus { mask, .. } => mask.count_ones() * 1000,
                    Piece::Share { milli, .. } => u32::from(milli),
                };
                // A pod without a GPU draws nothing that is counted.
                if milli > 0 {
                    let draw = self.of(segment.job, kind, segment.cap);
                    each(cluster, node, milli, part(draw.mean, milli, gpus));
                }
            }
        }
    }
}

/// Whether anything in a cluster draws power.
#[must_use]
pub fn is_counted(cluster: &Cluster) -> bool {
    cluster.kinds.iter().any(|kind| kind.power.is_counted())
}

/// Joules of a job: what it makes its nodes draw, and of their idle draw the part of the GPUs it holds, rounded down.
///
/// By job, from the start of the run to its end; `None` where no power is counted.
///
/// # Complexity
/// O(nodes of all segments).
#[must_use]
pub fn of_jobs(history: &History) -> Option<Vec<u128>> {
    let mut energy = vec![0; history.jobs.len()];
    is_counted(&history.plan.cluster).then(|| {
        for_each_segment(history, Time::ZERO, history.end, |job, held| energy[job as usize] += held.joules());
        energy
    })
}

/// What a segment holds, in watts, and for how long.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Holding {
    /// What it draws above idle.
    pub busy: Watts,
    /// Its part of the idle draw of its nodes.
    pub idle: Watts,
    /// Seconds.
    pub seconds: u32,
}

impl Holding {
    /// Joules of both.
    #[must_use]
    pub fn joules(&self) -> u128 {
        (u128::from(self.busy.0) + u128::from(self.idle.0)) * u128::from(self.seconds)
    }
}

/// Calls `each` with every segment's job and what it holds between `from` and `to`.
pub fn for_each_segment(history: &History, from: Time, to: Time, mut each: impl FnMut(u32, Holding)) {
    let mut draws = Draws::new(history);
    for segment in &history.segments {
        let seconds = segment.to.min(to).since(segment.from.max(from)).0;
        if seconds == 0 {
            continue;
        }
        let mut held = Holding { seconds, ..Holding::default() };
        draws.for_each(segment, |cluster, node, milli, watts| {
            let kind = cluster.kind_of(node);
            held.busy.0 += watts.0;
            held.idle.0 += kind.power.idle.0 * u64::from(milli) / (u64::from(kind.gpus) * 1000);
        });
        each(segment.job, held);
    }
}

/// Watt-seconds between `from` and `to` by which nodes draw more than the cap of their own.
///
/// # Complexity
/// O(n log n) in the nodes of all segments on capped nodes; nothing where no node has a cap.
#[must_use]
pub fn over_node_caps(history: &History, from: Time, to: Time) -> u128 {
    let cluster = &history.plan.cluster;
    let is_capped = |node: u32| cluster.kind_of(node).power.cap.is_some();
    if cluster.kinds.iter().all(|kind| kind.power.cap.is_none()) {
        return 0;
    }
    // By capped node: what it draws more, or less, before its own conversions, and from when on.
    let mut changes: BTreeMap<u32, Vec<(Time, i128)>> = (0..cluster.nodes())
        .filter(|node| is_capped(*node))
        .map(|node| (node, vec![(Time::ZERO, i128::from(cluster.kind_of(node).power.idle.0))]))
        .collect();
    let mut absent = BTreeSet::new();
    for change in history.changes() {
        for node in change.nodes.clone().filter(|node| is_capped(*node)) {
            let goes = change.state == NodeState::Absent;
            let is_new = if goes { absent.insert(node) } else { absent.remove(&node) };
            if is_new {
                let idle = i128::from(cluster.kind_of(node).power.idle.0);
                changes.entry(node).or_default().push((change.time, if goes { -idle } else { idle }));
            }
        }
    }
    let mut draws = Draws::new(history);
    for segment in history.segments.iter().filter(|segment| segment.from < segment.to) {
        draws.for_each(segment, |_, node, _, watts| {
            if is_capped(node) {
                let watts = i128::from(watts.0);
                changes.entry(node).or_default().extend([(segment.from, watts), (segment.to, -watts)]);
            }
        });
    }
    changes.into_iter().map(|(node, changes)| over_node_cap(cluster, node, changes, from..to)).sum()
}

/// The watt-seconds of one node whose draw changes so.
fn over_node_cap(cluster: &Cluster, node: u32, mut changes: Vec<(Time, i128)>, window: Range<Time>) -> u128 {
    let power = &cluster.kind_of(node).power;
    let stages = power.stages.iter().filter(|stage| stage.level == Level::Node);
    let losses: Vec<Loss> = stages.map(|stage| stage.loss).collect();
    changes.sort_unstable_by_key(|change| change.0);
    let (mut below, mut over) = (0_i128, 0_u128);
    for (index, (time, change)) in changes.iter().enumerate() {
        below += change;
        let until = changes.get(index + 1).map_or(window.end, |next| next.0).min(window.end);
        let seconds = u128::from(until.since((*time).max(window.start)).0);
        let drawn = through(&losses, Watts(u64::try_from(below).unwrap_or(0)));
        over += u128::from(drawn.0.saturating_sub(power.cap.map_or(u64::MAX, |cap| cap.0))) * seconds;
    }
    over
}

/// Something that changes a draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Begin(u32),
    End(u32),
    Change(u32),
    Outdoor(u32, u32),
}

/// Tells `meter` every stretch of constant draw of a run, domain by domain in the order of time.
///
/// # Complexity
/// O(n log n) in segments and changes of capacity, and O(nodes) of each segment.
pub fn sweep(history: &History, meter: &mut dyn Meter) {
    let cluster = &history.plan.cluster;
    let mut sweep = Sweep {
        tree: Tree::new(cluster),
        draws: Draws::new(history),
        since: Since::new(cluster),
        parts: (Time::ZERO, Parts::default()),
        meter,
    };
    for node in 0..cluster.nodes() {
        sweep.tree.set_present(node, true);
    }
    sweep.settle(Time::ZERO);
    let events = events(history);
    let mut next = 0;
    while next < events.len() {
        let now = events[next].0;
        while let Some((_, event)) = events.get(next).filter(|(time, _)| *time == now) {
            sweep.apply(history, *event);
            next += 1;
        }
        sweep.settle(now);
    }
    sweep.finish(history.end);
}

/// Every event up to the end of the run, by time.
fn events(history: &History) -> Vec<(Time, Event)> {
    let index = |index: usize| u32::try_from(index).expect("tables of a history are counted in 32 bits");
    let mut events = Vec::with_capacity(history.segments.len() * 2);
    // What is let go at the instant it is taken was never held.
    for (at, segment) in history.segments.iter().enumerate().filter(|(_, segment)| segment.from < segment.to)
    {
        events.push((segment.from, Event::Begin(index(at))));
        events.push((segment.to, Event::End(index(at))));
    }
    for (at, change) in history.changes().iter().enumerate() {
        events.push((change.time, Event::Change(index(at))));
    }
    for (site, place) in history.plan.cluster.sites.iter().enumerate() {
        for (at, (time, _)) in place.outdoor.iter().enumerate() {
            events.push((*time, Event::Outdoor(index(site), index(at))));
        }
    }
    events.retain(|(time, _)| *time < history.end);
    // The changes of one instant take effect in their order; of the others the order does not matter.
    events.sort_unstable();
    events
}

struct Sweep<'a, 'm> {
    tree: Tree<'a>,
    draws: Draws<'a>,
    since: Since,
    parts: (Time, Parts),
    meter: &'m mut dyn Meter,
}

/// By domain: since when it draws what it draws.
#[derive(Debug)]
struct Since {
    all: Time,
    sites: Vec<Time>,
    feeds: Vec<Time>,
    /// Those without a cap are none of a meter's business.
    racks: Vec<Option<Time>>,
}

impl Since {
    fn new(cluster: &Cluster) -> Self {
        Self {
            all: Time::ZERO,
            sites: vec![Time::ZERO; cluster.sites.len()],
            feeds: vec![Time::ZERO; cluster.feeds.len()],
            racks: cluster.racks.iter().map(|rack| rack.cap.map(|_| Time::ZERO)).collect(),
        }
    }
    fn of(&mut self, domain: Domain) -> Option<&mut Time> {
        match domain {
            Domain::All => Some(&mut self.all),
            Domain::Site(site) => Some(&mut self.sites[site as usize]),
            Domain::Feed(feed) => Some(&mut self.feeds[feed as usize]),
            Domain::Rack(rack) => self.racks[rack as usize].as_mut(),
        }
    }
    /// Every domain that is metered.
    fn domains(&self) -> Vec<Domain> {
        let racks = (0..).zip(&self.racks).filter(|(_, since)| since.is_some());
        let sites = (0..).zip(&self.sites).map(|(site, _)| Domain::Site(site));
        let feeds = (0..).zip(&self.feeds).map(|(feed, _)| Domain::Feed(feed));
        let racks = racks.map(|(rack, _)| Domain::Rack(rack));
        std::iter::once(Domain::All).chain(sites).chain(feeds).chain(racks).collect()
    }
}

impl Sweep<'_, '_> {
    fn apply(&mut self, history: &History, event: Event) {
        let Self { tree, draws, .. } = self;
        match event {
            Event::Begin(segment) => {
                let segment = &history.segments[segment as usize];
                draws.for_each(segment, |_, node, _, watts| tree.add(node, watts));
            }
            Event::End(segment) => {
                let segment = &history.segments[segment as usize];
                draws.for_each(segment, |_, node, _, watts| tree.remove(node, watts));
            }
            Event::Change(change) => {
                let change = &history.changes()[change as usize];
                for node in change.nodes.clone() {
                    tree.set_present(node, change.state != NodeState::Absent);
                }
            }
            Event::Outdoor(site, at) => {
                let (_, temperature) = history.plan.cluster.sites[site as usize].outdoor[at as usize];
                tree.set_outdoor(site, temperature);
            }
        }
    }

    /// Takes what was applied at `now` into account; what was drawn until then is told.
    fn settle(&mut self, now: Time) {
        for (domain, before) in self.tree.settle() {
            let Some(since) = self.since.of(*domain) else { continue };
            let from = std::mem::replace(since, now);
            if from < now {
                self.meter.stretch(*domain, from, now, *before);
            }
        }
        let parts = self.tree.parts();
        if parts != self.parts.1 {
            if self.parts.0 < now {
                self.meter.parts(self.parts.0, now, &self.parts.1);
            }
            self.parts = (now, parts);
        }
    }

    fn finish(mut self, end: Time) {
        for domain in self.since.domains() {
            let since = *self.since.of(domain).expect("it is metered");
            if since < end {
                self.meter.stretch(domain, since, end, self.tree.draw(domain));
            }
        }
        if self.parts.0 < end {
            self.meter.parts(self.parts.0, end, &self.parts.1);
        }
    }
}
