//! Racks over time: which jobs held which of their GPUs.

use super::plot::rounded;
use super::text::short;
use crate::history::{History, Piece, Segment, SegmentEnd};
use crate::metrics::{Details, Measured};
use crate::units::Time;
use serde::Serialize;
use std::collections::BTreeMap;

/// Rectangles of jobs over time and GPUs, side by side in the order of their racks, and how busy racks were in all.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Racks {
    /// Index of the first GPU of each rack, and at last the number of GPUs.
    edges: Vec<u64>,
    /// Platform of each rack.
    platforms: Vec<String>,
    /// Index of the first rack of each row of `busy`, and at last the number of racks.
    rows: Vec<u32>,
    /// By row and bucket: percent of GPUs held, by all jobs.
    busy: Vec<Vec<u8>>,
    /// Seconds of a bucket.
    bucket: u32,
    bars: Bars,
    jobs: Jobs,
    tenants: Vec<String>,
    kinds: Vec<String>,
    graphs: Vec<String>,
    /// How many rectangles all jobs have, and which part of the GPU-hours held is drawn.
    all: usize,
    drawn: f64,
}

/// Rectangles, column by column.
#[derive(Debug, Clone, Default, Serialize)]
struct Bars {
    /// Index into the jobs of the picture.
    job: Vec<u32>,
    from: Vec<u32>,
    to: Vec<u32>,
    /// First GPU, and the one after the last; shares of a GPU are fractions.
    low: Vec<f64>,
    high: Vec<f64>,
    /// Why it ended there, by [`SegmentEnd::ALL`].
    end: Vec<u8>,
}

/// The jobs of the rectangles, column by column.
#[derive(Debug, Clone, Default, Serialize)]
struct Jobs {
    name: Vec<String>,
    tenant: Vec<u32>,
    kind: Vec<u32>,
    /// Index of its job graph, −1 if it is in none.
    graph: Vec<i64>,
    gpus: Vec<f64>,
    submit: Vec<u32>,
    wait: Vec<u32>,
    run: Vec<u32>,
}

/// Characters of a name.
const NAME: usize = 40;

/// One rectangle: of a segment, over GPUs in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Bar {
    segment: u32,
    low: u64,
    high: u64,
}

/// The picture, of no more than `most` rectangles: the largest in GPU-seconds; of equals, those that began first.
pub(super) fn racks(history: &History, measured: &Measured, details: &Details, most: usize) -> Option<Racks> {
    let cluster = &history.plan.cluster;
    let mut edges = vec![0_u64];
    for rack in &cluster.racks {
        let gpus = u64::from(rack.nodes) * u64::from(cluster.kinds[rack.kind as usize].gpus);
        edges.push(edges.last().copied().unwrap_or(0) + gpus);
    }
    let mut bars = bars(history, &edges);
    let area = |bar: &Bar| {
        let segment = &history.segments[bar.segment as usize];
        u128::from(bar.high - bar.low) * u128::from(segment.to.min(history.end).since(segment.from).0)
    };
    let all = bars.len();
    let whole: u128 = bars.iter().map(area).sum();
    if whole == 0 {
        return None;
    }
    if all > most {
        bars.select_nth_unstable_by_key(most, |bar| (std::cmp::Reverse(area(bar)), *bar));
        bars.truncate(most);
        bars.sort_unstable();
    }
    let drawn: u128 = bars.iter().map(area).sum();
    #[expect(clippy::cast_precision_loss, reason = "a share for people to read")]
    let drawn = drawn as f64 / whole as f64;
    let percent = |share: &f64| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most a hundred")]
        let percent = (share * 100.0).round().clamp(0.0, 100.0) as u8;
        percent
    };
    let busy = details.racks.shares.iter().map(|row| row.iter().map(percent).collect()).collect();
    let workload = &history.plan.workload;
    let platform = |rack: &crate::cluster::Rack| cluster.kinds[rack.kind as usize].platform_name.clone();
    let (bars, jobs) = columns(history, measured, &bars);
    Some(Racks {
        edges,
        platforms: cluster.racks.iter().map(platform).collect(),
        rows: details.racks.rows.clone(),
        busy,
        bucket: details.bucket.0,
        tenants: workload.tenants.iter().map(|tenant| short(&tenant.name, NAME)).collect(),
        kinds: crate::workload::JobKind::ALL.iter().map(|kind| kind.name().to_owned()).collect(),
        graphs: workload.graphs.iter().map(|graph| short(&graph.name, NAME)).collect(),
        bars,
        jobs,
        all,
        drawn: rounded(drawn),
    })
}

/// Every rectangle, in the order in which the segments began.
fn bars(history: &History, edges: &[u64]) -> Vec<Bar> {
    let cluster = &history.plan.cluster;
    let mut shares = Shares::default();
    let mut bars: Vec<Bar> = Vec::with_capacity(history.segments.len());
    for (index, segment) in (0u32..).zip(&history.segments) {
        if segment.from >= segment.to.min(history.end) {
            continue;
        }
        let first = bars.len();
        let mut push = |rack: u32, low: u64, high: u64| {
            if low == high {
                return; // a node without GPUs
            }
            // Rectangles that touch are one, up to the border of their rack.
            if let Some(last) = bars[first..].last_mut().filter(|last| last.high == low)
                && low != edges[rack as usize] * 1000
            {
                last.high = high;
                return;
            }
            bars.push(Bar { segment: index, low, high });
        };
        for piece in history.pieces_of(segment) {
            for node in piece.nodes() {
                let rack = cluster.rack_of(node);
                let gpus = u64::from(cluster.kind_of(node).gpus);
                let within = u64::from(node - cluster.racks[rack as usize].first_node);
                let start = (edges[rack as usize] + within * gpus) * 1000;
                match *piece {
                    Piece::Nodes { .. } => push(rack, start, start + gpus * 1000),
                    Piece::Gpus { mask, .. } => runs(mask, |from, to| {
                        push(rack, start + u64::from(from) * 1000, start + u64::from(to) * 1000);
                    }),
                    Piece::Share { gpu, milli, .. } => {
                        let low = start
                            + u64::from(gpu) * 1000
                            + u64::from(shares.place(node, gpu, milli, segment));
                        push(rack, low, low + u64::from(milli));
                    }
                }
            }
        }
    }
    bars
}

/// The stretches of set bits.
fn runs(mut mask: u64, mut each: impl FnMut(u32, u32)) {
    while mask != 0 {
        let from = mask.trailing_zeros();
        let length = (mask >> from).trailing_ones();
        each(from, from + length);
        mask &= u64::MAX.checked_shl(from + length).unwrap_or(0);
    }
}

/// Shares of a GPU above each other, the lowest gap first.
#[derive(Debug, Default)]
struct Shares {
    /// By node and GPU.
    held: BTreeMap<(u32, u16), Vec<Share>>,
}

/// Until when a share is held, and between which thousandths it is drawn.
type Share = (Time, u16, u16);

impl Shares {
    /// Where a share begins within its GPU, thousandths; 0 where it finds no gap.
    fn place(&mut self, node: u32, gpu: u16, milli: u16, segment: &Segment) -> u16 {
        let held = self.held.entry((node, gpu)).or_default();
        held.retain(|(to, ..)| *to > segment.from);
        held.sort_unstable_by_key(|own| own.1);
        let mut low = 0;
        for (_, from, to) in held.iter() {
            if *from >= low + milli {
                break;
            }
            low = low.max(*to);
        }
        let low = if low + milli <= 1000 { low } else { 0 };
        held.push((segment.to, low, low + milli));
        low
    }
}

#[expect(clippy::cast_precision_loss, reason = "GPUs for a screen")]
fn columns(history: &History, measured: &Measured, bars: &[Bar]) -> (Bars, Jobs) {
    let workload = &history.plan.workload;
    let mut graph_of = BTreeMap::new();
    for (index, graph) in (0_i64..).zip(&workload.graphs) {
        graph_of.extend(graph.jobs.iter().map(|job| (*job, index)));
    }
    let (mut columns, mut jobs) = (Bars::default(), Jobs::default());
    let mut index_of: BTreeMap<u32, u32> = BTreeMap::new();
    for bar in bars {
        let segment = &history.segments[bar.segment as usize];
        let count = u32::try_from(index_of.len()).expect("jobs have 32 bits");
        let index = *index_of.entry(segment.job).or_insert_with(|| {
            let job = &workload.jobs[segment.job as usize];
            let times = &measured.jobs[segment.job as usize];
            jobs.name.push(short(&workload.names.get(segment.job as usize), NAME));
            jobs.tenant.push(job.tenant);
            jobs.kind.push(workload.behaviour_of(segment.job).kind as u32);
            jobs.graph.push(graph_of.get(&segment.job).copied().unwrap_or(-1));
            jobs.gpus.push(workload.request_of(segment.job).gpus().as_f64());
            jobs.submit.push(job.submit_time.0);
            jobs.wait.push(times.wait_time.0);
            jobs.run.push(times.run_time.0);
            count
        });
        columns.job.push(index);
        columns.from.push(segment.from.0);
        columns.to.push(segment.to.min(history.end).0);
        columns.low.push(bar.low as f64 / 1000.0);
        columns.high.push(bar.high as f64 / 1000.0);
        let end = SegmentEnd::ALL.iter().position(|end| *end == segment.end).unwrap_or(0);
        columns.end.push(u8::try_from(end).unwrap_or(0));
    }
    (columns, jobs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::sample;
    use crate::metrics::{details, measure};

    /// GPU-seconds that the rectangles cover.
    fn area(racks: &Racks) -> f64 {
        let bars = &racks.bars;
        let each = |i: usize| f64::from(bars.to[i] - bars.from[i]) * (bars.high[i] - bars.low[i]);
        (0..bars.job.len()).map(each).sum()
    }

    #[test]
    fn rectangles_cover_what_jobs_held_and_stay_in_their_rack() {
        for seed in 0..100 {
            let history = sample::random(seed);
            let measured = measure(&history);
            let whole: u128 = history
                .segments
                .iter()
                .map(|segment| {
                    let seconds = segment.to.min(history.end).since(segment.from).0;
                    u128::from(history.gpus_of(segment)) * u128::from(seconds)
                })
                .sum();
            let Some(found) = racks(&history, &measured, &details(&history, &measured), usize::MAX) else {
                assert_eq!(whole, 0, "seed {seed}");
                continue;
            };
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            let whole = whole as f64 / 1000.0;
            assert!((area(&found) - whole).abs() < 1e-3 * (1.0 + whole), "seed {seed}");
            for (low, high) in found.bars.low.iter().zip(&found.bars.high) {
                #[expect(clippy::cast_precision_loss, reason = "small numbers")]
                let holds = |pair: &[u64]| pair[0] as f64 <= *low && *high <= pair[1] as f64;
                assert!(found.edges.windows(2).any(holds), "seed {seed}: {low} to {high} leaves its rack");
            }
        }
    }

    #[test]
    fn of_many_rectangles_the_largest_are_drawn_and_how_much_that_is_is_said() {
        let history = sample::random(11);
        let measured = measure(&history);
        let details = details(&history, &measured);
        let all = racks(&history, &measured, &details, usize::MAX).unwrap();
        let most = all.bars.job.len() / 3;
        let some = racks(&history, &measured, &details, most).unwrap();
        assert_eq!((some.bars.job.len(), some.all), (most, all.all), "no more than asked for");
        assert!((some.drawn - area(&some) / area(&all)).abs() < 1e-5, "{}", some.drawn);
        assert!(some.drawn > 1.0 / 3.0, "the largest");
        let again = racks(&history, &measured, &details, most).unwrap();
        assert_eq!(some.bars.from, again.bars.from, "the same again");
    }

    #[test]
    fn shares_of_a_gpu_lie_above_each_other() {
        let segment = |from, to| Segment {
            job: 0,
            from: Time(from),
            to: Time(to),
            first_piece: 0,
            pieces: 0,
            rate: crate::units::Factor::ONE,
            cap: crate::units::Factor::ONE,
            restart: 0,
            end: SegmentEnd::Completed,
        };
        let mut shares = Shares::default();
        assert_eq!(shares.place(0, 0, 400, &segment(0, 10)), 0, "at the bottom");
        assert_eq!(shares.place(0, 0, 300, &segment(5, 30)), 400, "above it");
        assert_eq!(shares.place(0, 0, 400, &segment(10, 20)), 0, "in the gap that is left");
        assert_eq!(shares.place(0, 0, 300, &segment(12, 20)), 700, "on top");
    }
}
