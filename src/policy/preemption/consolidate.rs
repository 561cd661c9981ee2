//! Running jobs move so that a blocked one finds a place: they stop, it starts, and each of them starts elsewhere at once; or
//! nothing happens.
//!
//! Nobody waits for it. What it costs is what the jobs that move did since their last checkpoint, and their restart. Jobs on
//! the nodes that are emptied soonest move first: on those of which all that is held may move, then those of which least
//! is held; of one node those that hold fewest GPUs, which find another place most easily, then those that started last,
//! then the highest index. The shortest beginning of that line makes room; of it, those on the nodes of the place that is
//! found move, and of these only those that have to. They start again in the order of the GPUs that they hold, most first.
//! Nothing of that depends on the time, so that what was in vain is so until something happens or `min_run` is over.
//!
//! No job moves for one that a quota, a queue or a limit keeps out, nor while a reservation is held: it could be delayed.

use super::ListedPreemption;
use super::running::May;
use super::yielding::{Bench, Blocked, MIN_RUN, Yields};
use crate::cluster::{Occupancy, Piece};
use crate::history::Plan;
use crate::state::State;
use std::cmp::Reverse;

pub(super) const ENTRY: ListedPreemption = ListedPreemption {
    name: "consolidate",
    about: "running jobs move, at once and all of them or none, where a blocked one then finds a place",
    source: "KAI Scheduler, action Consolidation",
    options: &[MIN_RUN],
    yields: Some(Yields {
        may: |_, _, blocked| May::all_if(blocked.row.is_none()),
        is_hopeless: lacks_gpus,
        choose,
        idle,
        keeps_work: false,
        by_queues: false,
        moves: true,
        reads_order: false,
    }),
};

/// True if fewer GPUs are free, wherever they are, than a job asks for: then moving others does not help.
fn lacks_gpus(state: &State, job: u32) -> bool {
    let occupancy = &state.resources().occupancy;
    // A node may count several times.
    let free: u64 = (0..occupancy.scopes()).map(|scope| occupancy.free_milli_in(scope)).sum();
    free < u64::from(state.class(job).gpus_milli)
}

fn choose(bench: &mut Bench<'_, '_>, mut line: Vec<u32>, blocked: &Blocked<'_>) -> Option<Vec<u32>> {
    let nodes = Nodes::of(bench.state(), &line);
    line.sort_by_cached_key(|job| {
        let state = bench.state();
        (
            nodes.soonest(state.domains(*job)),
            state.held_milli(*job),
            Reverse(blocked.began[*job as usize]),
            Reverse(*job),
        )
    });
    let (stopped, place) = bench.shortest(&line)?;
    let near = bench.near(stopped, &place);
    Some(bench.needed(near))
}

/// What is held on nodes, and may move.
struct Nodes<'a> {
    occupancy: &'a Occupancy,
    /// By node: thousandths of GPUs that jobs hold which may move.
    movable_milli: Vec<u64>,
}

impl<'a> Nodes<'a> {
    fn of(state: &'a State, movable: &[u32]) -> Self {
        let occupancy = &state.resources().occupancy;
        let mut movable_milli = vec![0; occupancy.nodes()];
        for piece in movable.iter().flat_map(|job| state.domains(*job)) {
            match *piece {
                Piece::Nodes { .. } => piece.nodes().for_each(|node| {
                    let gpus = occupancy.full_mask(node as usize).count_ones();
                    movable_milli[node as usize] += u64::from(gpus) * 1000;
                }),
                Piece::Gpus { node, mask } => {
                    movable_milli[node as usize] += u64::from(mask.count_ones()) * 1000;
                }
                Piece::Share { node, milli, .. } => movable_milli[node as usize] += u64::from(milli),
            }
        }
        Self { occupancy, movable_milli }
    }

    /// Of the nodes that a job holds something of the one that is emptied soonest: whether anything stays there, how many
    /// thousandths of its GPUs are held, and its index.
    fn soonest(&self, domains: &[Piece]) -> Option<(bool, u64, u32)> {
        let standing = |node: u32| {
            let full = u64::from(self.occupancy.full_mask(node as usize).count_ones()) * 1000;
            let held = full - u64::from(self.occupancy.free_milli(node as usize));
            (held > self.movable_milli[node as usize], held, node)
        };
        domains.iter().flat_map(|piece| piece.nodes()).map(standing).min()
    }
}

fn idle(plan: &Plan) -> Option<(&'static str, &'static str)> {
    let alike = plan
        .cluster
        .racks
        .iter()
        .all(|rack| rack.nodes == 1 && plan.cluster.kinds[rack.kind as usize].gpus <= 1);
    alike.then_some((
        "every GPU is a node and a rack of its own, so that none is in the way of another",
        "`[[cluster.rack]]` with several `nodes`, or a platform of several GPUs",
    ))
}
