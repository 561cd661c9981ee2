//! Which nodes and racks were there, and why others were not.

use super::DOWN_MOST;
use crate::cluster::NodeState;
use crate::history::History;
use crate::metrics::distribution::ratio;
use crate::metrics::series::Recorder;
use crate::units::Time;
use std::ops::Range;

/// How nodes and racks stood in the window: thousandths of GPU-seconds, and seconds of nodes and racks.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// Of nodes not absent as planned.
    pub(super) capacity: u128,
    /// Of those, down or given up, as something failed.
    pub(super) failed: u128,
    /// Of those, down as planned.
    pub(super) planned: u128,
    /// Of those, in reserve.
    pub(super) reserve: u128,
    /// By bucket of the run: down for whatever reason.
    pub(super) down: Vec<u128>,
    node_seconds: u64,
    node_seconds_up: u64,
    rack_seconds: u64,
    /// With at most so many nodes down.
    rack_seconds_up: [u64; DOWN_MOST],
}

/// What is said of a node, and since when.
#[derive(Debug, Clone, Copy)]
struct Node {
    planned: NodeState,
    actual: NodeState,
    since: Time,
}

impl Node {
    fn is_there(&self) -> bool {
        self.planned != NodeState::Absent
    }
    fn is_up(&self) -> bool {
        self.actual.is_there()
    }
}

/// How many nodes of a rack are not absent as planned, and how many of these are down, since when.
#[derive(Debug, Clone, Copy, Default)]
struct Rack {
    nodes: u32,
    down: usize,
    since: Time,
}

struct Sweep<'a> {
    history: &'a History,
    window: &'a Range<Time>,
    recorder: &'a Recorder,
    nodes: Vec<Node>,
    racks: Vec<Rack>,
    found: Standing,
}

impl Standing {
    /// # Complexity
    /// O(nodes of all changes, planned and not).
    pub(super) fn of(history: &History, window: &Range<Time>, recorder: &Recorder) -> Self {
        let cluster = &history.plan.cluster;
        let up = Node { planned: NodeState::Up, actual: NodeState::Up, since: Time::ZERO };
        let racks = cluster.racks.iter().map(|rack| Rack { nodes: rack.nodes, ..Rack::default() });
        let mut sweep = Sweep {
            history,
            window,
            recorder,
            nodes: vec![up; cluster.nodes() as usize],
            racks: racks.collect(),
            found: Self { down: vec![0; recorder.split.count], ..Self::default() },
        };
        let mut planned = cluster.changes.iter().peekable();
        for change in history.changes() {
            while let Some(own) = planned.next_if(|own| own.time <= change.time) {
                sweep.set(own.time, &own.nodes, |node| node.planned = own.state);
            }
            sweep.set(change.time, &change.nodes, |node| node.actual = change.state);
        }
        for own in planned {
            sweep.set(own.time, &own.nodes, |node| node.planned = own.state);
        }
        sweep.set(history.end, &(0..cluster.nodes()), |_| {});
        sweep.found
    }
    pub(super) fn availability(&self) -> f64 {
        ratio(self.node_seconds_up.into(), self.node_seconds.into())
    }
    pub(super) fn rack_availability(&self) -> [f64; DOWN_MOST] {
        self.rack_seconds_up.map(|up| ratio(up.into(), self.rack_seconds.into()))
    }
}

impl Sweep<'_> {
    /// What is said of nodes changes.
    fn set(&mut self, time: Time, nodes: &Range<u32>, change: impl Fn(&mut Node)) {
        let now = time.min(self.history.end);
        for index in nodes.clone() {
            self.node_until(index, now);
            let rack = self.history.plan.cluster.rack_of(index) as usize;
            self.rack_until(rack, now);
            let node = &mut self.nodes[index as usize];
            let before = *node;
            change(node);
            let counts =
                |node: &Node| (u32::from(node.is_there()), usize::from(node.is_there() && !node.is_up()));
            let ((there, down), (there_now, down_now)) = (counts(&before), counts(node));
            let rack = &mut self.racks[rack];
            rack.nodes = rack.nodes + there_now - there;
            rack.down = rack.down + down_now - down;
        }
    }
    fn node_until(&mut self, index: u32, now: Time) {
        let node = &mut self.nodes[index as usize];
        let since = std::mem::replace(&mut node.since, now);
        let node = *node;
        if !node.is_there() || now <= since {
            return;
        }
        let gpus = u128::from(self.history.plan.cluster.kind_of(index).gpus) * 1000;
        let seconds = self.recorder.in_window(since, now);
        let found = &mut self.found;
        found.capacity += gpus * u128::from(seconds);
        found.node_seconds += u64::from(seconds);
        if node.is_up() {
            found.node_seconds_up += u64::from(seconds);
            found.reserve += if node.actual == NodeState::Spare { gpus * u128::from(seconds) } else { 0 };
            return;
        }
        let sum = if node.planned == NodeState::Down { &mut found.planned } else { &mut found.failed };
        *sum += gpus * u128::from(seconds);
        self.recorder.split.each(since, now, |bucket, seconds| {
            found.down[bucket] += gpus * u128::from(seconds.end.since(seconds.start).0);
        });
    }
    fn rack_until(&mut self, index: usize, now: Time) {
        let rack = &mut self.racks[index];
        let since = std::mem::replace(&mut rack.since, now).max(self.window.start);
        if rack.nodes == 0 {
            return;
        }
        let seconds = u64::from(now.min(self.window.end).since(since).0);
        self.found.rack_seconds += seconds;
        self.found.rack_seconds_up.iter_mut().skip(rack.down).for_each(|sum| *sum += seconds);
    }
}
