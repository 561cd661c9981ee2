use crate::cluster::NodeState;
use crate::history::{History, SegmentEnd};
use crate::metrics::{Details, Measured, Queued, Walk, details, queue_at};
use crate::units::Time;
use crate::workload::Tenant;

/// A run that can be looked at at any instant.
#[derive(Debug)]
pub struct Film<'a> {
    pub(super) title: String,
    pub(super) history: &'a History,
    pub(super) utilization: Vec<f64>,
    pub(super) details: Details,
    /// What happened, in order.
    events: Vec<(Time, Happened)>,
    walk: Walk<'a>,
    /// Where the walk stands.
    at: Time,
}

/// Something that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Happened {
    /// A change of nodes, by index.
    Nodes(u32),
    /// A segment ended.
    Ended(u32),
    /// A segment began.
    Began(u32),
}

/// What is held of a node, and what can be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    /// Thousandths of its GPUs that jobs hold; of a node without GPUs, jobs.
    pub(super) held_milli: u64,
    /// Whose jobs hold most of it.
    pub(super) tenant: Option<u32>,
    most_milli: u64,
    pub(super) state: NodeState,
}

/// What a tenant has at an instant.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Held {
    pub(super) milli: u64,
    pub(super) running: u32,
    pub(super) waiting: u32,
}

/// What there is at an instant.
#[derive(Debug)]
pub struct Scene {
    pub(super) now: Time,
    pub(super) nodes: Vec<Node>,
    pub(super) tenants: Vec<Held>,
    pub(super) held_milli: u64,
    pub(super) available_milli: u64,
    /// Jobs that wait, those first that have waited longest.
    pub(super) queue: Vec<Queued>,
    /// How many of the events have happened.
    happened: usize,
}

impl Scene {
    /// The instant.
    #[must_use]
    pub const fn now(&self) -> Time {
        self.now
    }
}

impl<'a> Film<'a> {
    /// A film of a run.
    ///
    /// # Complexity
    /// O(n log n) in segments, pieces and waits.
    #[must_use]
    pub fn new(title: String, history: &'a History, measured: &Measured) -> Self {
        let mut events: Vec<(Time, Happened)> = Vec::with_capacity(2 * history.segments.len());
        for (index, segment) in (0..).zip(&history.segments) {
            events.push((segment.from, Happened::Began(index)));
            if segment.end != SegmentEnd::Open {
                events.push((segment.to, Happened::Ended(index)));
            }
        }
        let changes = (0..).zip(history.changes());
        events.extend(changes.map(|(index, change)| (change.time, Happened::Nodes(index))));
        events.retain(|(time, _)| *time <= history.end);
        events.sort_unstable();
        Self {
            title,
            history,
            utilization: measured.metrics.series.utilization.clone(),
            details: details(history, measured),
            events,
            walk: Walk::new(history),
            at: Time::ZERO,
        }
    }
    /// When the run ends.
    #[must_use]
    pub const fn end(&self) -> Time {
        self.history.end
    }
    /// The first instant after another at which something happens.
    #[must_use]
    pub fn next(&self, after: Time) -> Option<Time> {
        let next = self.events.partition_point(|(time, _)| *time <= after);
        self.events.get(next).map(|(time, _)| *time)
    }
    /// The last instant before another at which something happened.
    #[must_use]
    pub fn before(&self, now: Time) -> Option<Time> {
        let next = self.events.partition_point(|(time, _)| *time < now);
        self.events[..next].last().map(|(time, _)| *time)
    }
    pub(super) fn tenants(&self) -> &'a [Tenant] {
        &self.history.plan.workload.tenants
    }
    /// What happened by a scene, the last first.
    pub(super) fn happened(&self, scene: &Scene) -> impl Iterator<Item = (Time, Happened)> + '_ {
        self.events[..scene.happened].iter().rev().copied()
    }
    /// What there is at an instant of the run; after its end, what there is then.
    ///
    /// # Complexity
    /// O(pieces that are held + jobs + what has happened since the last scene); of a scene before the last one all over.
    pub fn scene(&mut self, now: Time) -> Scene {
        let now = now.min(self.end());
        if now < self.at {
            self.walk = Walk::new(self.history);
        }
        self.at = now;
        self.walk.to(now);
        let cluster = &self.history.plan.cluster;
        let empty = Node { held_milli: 0, tenant: None, most_milli: 0, state: NodeState::Up };
        let mut scene = Scene {
            now,
            nodes: vec![empty; cluster.nodes() as usize],
            tenants: vec![Held::default(); self.tenants().len()],
            held_milli: 0,
            available_milli: self.walk.available_milli(),
            queue: queue_at(self.history, now),
            happened: self.events.partition_point(|(time, _)| *time <= now),
        };
        for change in self.history.changes().iter().take_while(|change| change.time <= now) {
            change.nodes.clone().for_each(|node| scene.nodes[node as usize].state = change.state);
        }
        self.hold(&mut scene);
        let workload = &self.history.plan.workload;
        for queued in &scene.queue {
            scene.tenants[workload.jobs[queued.job as usize].tenant as usize].waiting += 1;
        }
        scene
    }
    /// Adds what runs.
    fn hold(&self, scene: &mut Scene) {
        let (cluster, workload) = (&self.history.plan.cluster, &self.history.plan.workload);
        for segment in self.walk.running() {
            let tenant = workload.jobs[segment.job as usize].tenant;
            let milli = self.history.gpus_of(segment);
            let held = &mut scene.tenants[tenant as usize];
            (held.milli, held.running) = (held.milli + milli, held.running + 1);
            scene.held_milli += milli;
            for piece in self.history.pieces_of(segment) {
                for node in piece.nodes() {
                    let milli = piece_milli(piece, cluster.kind_of(node).gpus);
                    let node = &mut scene.nodes[node as usize];
                    node.held_milli += milli;
                    if milli >= node.most_milli {
                        (node.most_milli, node.tenant) = (milli, Some(tenant));
                    }
                }
            }
        }
    }
}

/// Thousandths of GPUs that a piece holds of one of its nodes, which has so many.
fn piece_milli(piece: &crate::cluster::Piece, gpus: u32) -> u64 {
    use crate::cluster::Piece;
    match piece {
        Piece::Nodes { .. } => u64::from(gpus) * 1000,
        Piece::Gpus { mask, .. } => u64::from(mask.count_ones()) * 1000,
        Piece::Share { milli, .. } => u64::from(*milli),
    }
}
