use crate::units::Seconds;
use petgraph::algo::{tarjan_scc, toposort};
use petgraph::graph::{DiGraph, NodeIndex};
use std::cmp::Reverse;

/// What must succeed before what: a directed acyclic graph of job indices, on petgraph.
///
/// ```
/// use gigawatt::units::Seconds;
/// use gigawatt::workload::JobGraph;
/// let mut graph = JobGraph::default();
/// graph.add(0, 1, Seconds(60)); // job 1 may start a minute after job 0 has succeeded
/// let compiled = graph.compile(2).unwrap();
/// assert_eq!(compiled.successors(0)[0].job, 1);
/// assert_eq!(compiled.predecessor_count(1), 1);
/// graph.add(1, 0, Seconds(0));
/// assert_eq!(graph.compile(2).unwrap_err().jobs, [0, 1]);
/// ```
#[derive(Debug, Clone, Default)]
pub struct JobGraph {
    /// (before, after, delay), as they were added.
    edges: Vec<(u32, u32, Seconds)>,
}

/// Jobs that wait for each other in a ring, in the order of the ring, smallest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cycle {
    /// Indices of the jobs.
    pub jobs: Vec<u32>,
}

impl Cycle {
    /// The ring as a person reads it, back to its first job: `` `a` -> `b` -> `a` ``. Of a long one the beginning is
    /// named.
    pub fn named(&self, mut name: impl FnMut(u32) -> String) -> String {
        const MOST: usize = 12;
        let shown = if self.jobs.len() > MOST { &self.jobs[..MOST - 2] } else { &self.jobs[..] };
        let mut names: Vec<String> = shown.iter().map(|job| format!("`{}`", name(*job))).collect();
        if shown.len() < self.jobs.len() {
            names.push(format!("({} more)", self.jobs.len() - shown.len()));
        }
        names.extend(self.jobs.first().map(|job| format!("`{}`", name(*job))));
        names.join(" -> ")
    }
}

impl JobGraph {
    /// `after` becomes eligible `delay` after `before` has succeeded; of two equal edges the longer delay holds.
    pub fn add(&mut self, before: u32, after: u32, delay: Seconds) {
        self.edges.push((before, after, delay));
    }
    /// Whether no edge was added.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.edges.is_empty()
    }
    /// The graph as flat arrays over jobs `0..count`; equal graphs become equal arrays, in whatever order they were added.
    ///
    /// # Errors
    /// A [`Cycle`], if there is one.
    ///
    /// # Panics
    /// If an edge is of a job beyond `count`.
    ///
    /// # Complexity
    /// O(|jobs| + |edges| log |edges|) time, O(|jobs| + |edges|) space.
    pub fn compile(&self, count: usize) -> Result<Dependencies, Cycle> {
        if self.is_empty() {
            return Ok(Dependencies::default());
        }
        let sorted = self.sorted();
        let graph = DiGraph::<(), ()>::from_edges(sorted.iter().map(|(before, after, _)| (*before, *after)));
        let order = toposort(&graph, None).map_err(|_| {
            let first = self.cycles().into_iter().next();
            first.unwrap_or(Cycle { jobs: Vec::new() })
        })?;
        let has_edge = |job: &NodeIndex| graph.neighbors_undirected(*job).next().is_some();
        let order = order.into_iter().filter(has_edge).map(index).collect();
        let (mut offsets, mut predecessors) = (vec![0; count + 1], vec![0; count]);
        for (before, after, _) in &sorted {
            offsets[*before as usize + 1] += 1;
            predecessors[*after as usize] += 1;
        }
        let mut total = 0;
        for offset in &mut offsets {
            total += *offset;
            *offset = total;
        }
        let edges = sorted.into_iter().map(|(_, job, delay)| Edge { job, delay }).collect();
        Ok(Dependencies { offsets, edges, predecessors, order })
    }

    /// Every edge once, ascending, with its longest delay.
    fn sorted(&self) -> Vec<(u32, u32, Seconds)> {
        let mut edges = self.edges.clone();
        edges.sort_unstable_by_key(|(before, after, delay)| (*before, *after, Reverse(*delay)));
        edges.dedup_by_key(|(before, after, _)| (*before, *after));
        edges
    }

    /// A ring of each set of jobs that all wait for each other, in the order of their smallest members.
    ///
    /// # Complexity
    /// O(|jobs| + |edges|) space, times log |edges| time.
    #[must_use]
    pub fn cycles(&self) -> Vec<Cycle> {
        let sorted = self.sorted();
        let graph = DiGraph::<(), ()>::from_edges(sorted.iter().map(|(before, after, _)| (*before, *after)));
        let ring = |jobs: &Vec<NodeIndex>| jobs.len() > 1 || graph.contains_edge(jobs[0], jobs[0]);
        let components = tarjan_scc(&graph).into_iter().filter(ring);
        let mut components: Vec<Vec<u32>> =
            components.map(|members| members.into_iter().map(index).collect()).collect();
        components.iter_mut().for_each(|members| members.sort_unstable());
        components.sort_unstable();
        components.iter().map(|members| ring_within(&sorted, members)).collect()
    }
}

/// The job that a node stands for.
fn index(node: NodeIndex) -> u32 {
    u32::try_from(node.index()).expect("job indices have 32 bits")
}

/// The shortest way from the smallest of `members`, ascending, through others of them back to itself; `edges` ascend.
fn ring_within(edges: &[(u32, u32, Seconds)], members: &[u32]) -> Cycle {
    let start = members[0];
    let mut parent = std::collections::BTreeMap::new();
    let mut queue = std::collections::VecDeque::from([start]);
    while let Some(job) = queue.pop_front() {
        let from = edges.partition_point(|edge| edge.0 < job);
        for (_, after, _) in edges[from..].iter().take_while(|edge| edge.0 == job) {
            if *after == start {
                let mut jobs = vec![job];
                while let Some(&before) = parent.get(&jobs[jobs.len() - 1]) {
                    jobs.push(before);
                }
                jobs.reverse();
                return Cycle { jobs };
            }
            if members.binary_search(after).is_ok() && !parent.contains_key(after) {
                parent.insert(*after, job);
                queue.push_back(*after);
            }
        }
    }
    Cycle { jobs: members.to_vec() }
}

/// One dependency, seen from the job that comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// The job that waits.
    pub job: u32,
    /// Seconds it waits after the first job's success.
    pub delay: Seconds,
}

/// The dependencies of a workload as flat arrays; empty when no job depends on another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dependencies {
    offsets: Vec<u32>,
    edges: Vec<Edge>,
    predecessors: Vec<u32>,
    order: Vec<u32>,
}

impl Dependencies {
    /// Whether no job depends on another.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.edges.is_empty()
    }
    /// The jobs that wait for `job`, ascending.
    #[must_use]
    pub fn successors(&self, job: u32) -> &[Edge] {
        if self.is_empty() {
            return &[];
        }
        &self.edges[self.offsets[job as usize] as usize..self.offsets[job as usize + 1] as usize]
    }
    /// How many jobs `job` waits for.
    #[must_use]
    pub fn predecessor_count(&self, job: u32) -> u32 {
        self.predecessors.get(job as usize).copied().unwrap_or_default()
    }
    /// Jobs that have an edge, every one after those it waits for.
    #[must_use]
    pub fn topological_order(&self) -> &[u32] {
        &self.order
    }
    /// Every edge as (before, after, delay), ascending.
    pub fn edges(&self) -> impl Iterator<Item = (u32, u32, Seconds)> + '_ {
        (0u32..).zip(self.offsets.windows(2)).flat_map(|(job, range)| {
            self.edges[range[0] as usize..range[1] as usize]
                .iter()
                .map(move |edge| (job, edge.job, edge.delay))
        })
    }
    /// Where each job's edges end, the edges, and the topological order, for writing them to a file.
    #[must_use]
    pub fn parts(&self) -> (&[u32], &[Edge], &[u32]) {
        (&self.offsets, &self.edges, &self.order)
    }
    /// The inverse of [`Dependencies::parts`]; `None` if the parts are no acyclic graph in that order.
    ///
    /// # Complexity
    /// O(|jobs| + |edges|) time and space.
    #[must_use]
    pub fn from_parts(offsets: Vec<u32>, edges: Vec<Edge>, order: Vec<u32>) -> Option<Self> {
        if edges.is_empty() {
            return (offsets.is_empty() && order.is_empty()).then(Self::default);
        }
        let jobs = offsets.len().checked_sub(1)?;
        let sound = offsets[0] == 0 && offsets.is_sorted() && offsets[jobs] as usize == edges.len();
        let known = |job: u32| (job as usize) < jobs;
        if !sound || !edges.iter().all(|edge| known(edge.job)) || !order.iter().all(|job| known(*job)) {
            return None;
        }
        let mut place = vec![u32::MAX; jobs];
        for (at, job) in (0u32..).zip(&order) {
            if std::mem::replace(&mut place[*job as usize], at) != u32::MAX {
                return None;
            }
        }
        let mut predecessors = vec![0; jobs];
        for (before, range) in offsets.windows(2).enumerate() {
            let successors = &edges[range[0] as usize..range[1] as usize];
            let after = |edge: &Edge| {
                place[before] < place[edge.job as usize] && place[edge.job as usize] != u32::MAX
            };
            if !successors.iter().all(after) || !successors.is_sorted_by(|a, b| a.job < b.job) {
                return None;
            }
            for edge in successors {
                predecessors[edge.job as usize] += 1;
            }
        }
        Some(Self { offsets, edges, predecessors, order })
    }
    /// Whether these are dependencies among jobs `0..jobs`.
    #[must_use]
    pub const fn fits(&self, jobs: usize) -> bool {
        self.edges.is_empty() || self.predecessors.len() == jobs
    }

    /// The longest chain among `jobs`: its length and its members, first to last.
    ///
    /// A chain is as long as the `length` of its jobs and the delays between them; ties go to the lower index.
    ///
    /// # Complexity
    /// O(|edges| + |jobs| log |jobs|) time, O(|jobs|) space.
    #[must_use]
    pub fn critical_path(&self, jobs: &[u32], length: impl Fn(u32) -> u64) -> (u64, Vec<u32>) {
        let place = |job: u32| jobs.binary_search(&job).ok();
        let mut best: Vec<(u64, Option<usize>)> = jobs.iter().map(|job| (length(*job), None)).collect();
        for &job in &self.order {
            let Some(here) = place(job) else { continue };
            for edge in self.successors(job) {
                let Some(there) = place(edge.job) else { continue };
                let through = best[here].0 + u64::from(edge.delay.0) + length(edge.job);
                if through > best[there].0 {
                    best[there] = (through, Some(here));
                }
            }
        }
        let Some(mut last) = (0..best.len()).max_by_key(|i| (best[*i].0, Reverse(*i))) else {
            return (0, Vec::new());
        };
        let total = best[last].0;
        let mut chain = vec![jobs[last]];
        while let Some(before) = best[last].1 {
            chain.push(jobs[before]);
            last = before;
        }
        chain.reverse();
        (total, chain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(u32, u32, u32)]) -> JobGraph {
        let mut graph = JobGraph::default();
        for &(before, after, delay) in edges {
            graph.add(before, after, Seconds(delay));
        }
        graph
    }

    #[test]
    fn a_cycle_is_named_in_its_order() {
        let cycle = graph(&[(0, 5, 0), (5, 3, 0), (3, 4, 0), (4, 5, 0)]).compile(6).unwrap_err();
        assert_eq!(cycle.jobs, [3, 4, 5], "the ring, smallest first");
        assert_eq!(graph(&[(2, 2, 0)]).compile(3).unwrap_err().jobs, [2], "a job that waits for itself");
        assert_eq!(cycle.named(|job| job.to_string()), "`3` -> `4` -> `5` -> `3`", "round to the first");
        let long = Cycle { jobs: (0..100).collect() }.named(|job| job.to_string());
        assert!(long.ends_with("`9` -> (90 more) -> `0`"), "{long}");
    }

    #[test]
    fn every_ring_is_found() {
        let edges = [(7, 6, 0), (6, 7, 0), (1, 2, 0), (4, 4, 0), (2, 3, 0), (3, 1, 0), (3, 6, 0), (0, 1, 0)];
        let rings: Vec<_> = graph(&edges).cycles().into_iter().map(|cycle| cycle.jobs).collect();
        assert_eq!(rings, [vec![1, 2, 3], vec![4], vec![6, 7]], "one a component");
        assert!(graph(&[(0, 1, 0)]).cycles().is_empty(), "no ring");
    }

    #[test]
    fn the_critical_path_is_the_longest_chain_with_its_delays() {
        let compiled = graph(&[(0, 1, 0), (0, 2, 50), (1, 3, 0), (2, 3, 0)]).compile(4).unwrap();
        let (length, chain) = compiled.critical_path(&[0, 1, 2, 3], |job| [10, 30, 5, 7][job as usize]);
        assert_eq!((length, chain), (10 + 50 + 5 + 7, vec![0, 2, 3]), "through the delay");
    }

    #[test]
    fn edges_come_back_as_they_went_in() {
        let edges = [(0, 1, 4), (0, 2, 0), (1, 2, 9)];
        let compiled = graph(&edges).compile(3).unwrap();
        let back: Vec<_> = compiled.edges().map(|(before, after, delay)| (before, after, delay.0)).collect();
        assert_eq!(back, edges, "round trip");
        let (offsets, flat, order) = compiled.parts();
        let parts = |order: &[u32]| Dependencies::from_parts(offsets.to_vec(), flat.to_vec(), order.to_vec());
        assert_eq!(parts(order), Some(compiled.clone()), "from its parts");
        assert_eq!(parts(&[2, 1, 0]), None, "an order against the edges");
        assert_eq!(parts(&[0, 1, 1]), None, "an order that repeats a job");
        assert_eq!(parts(&[0, 1]), None, "an order that lacks a job");
        assert_eq!(compiled.predecessor_count(2), 2, "two edges into job 2");
    }

    #[test]
    fn equal_graphs_are_compiled_to_the_same_in_whatever_order_they_come() {
        let one = graph(&[(0, 4, 1), (4, 2, 0), (0, 2, 5), (3, 2, 0)]).compile(6).unwrap();
        let other = graph(&[(3, 2, 0), (0, 2, 2), (0, 2, 5), (4, 2, 0), (0, 4, 1)]).compile(6).unwrap();
        assert_eq!(one, other, "of (0, 2) the longer delay holds");
        let mut members = one.topological_order().to_vec();
        members.sort_unstable();
        assert_eq!(members, [0, 2, 3, 4], "those with an edge, once each");
        assert_ne!(one, graph(&[(0, 4, 1), (4, 2, 0), (0, 2, 4), (3, 2, 0)]).compile(6).unwrap(), "a delay");
    }
}
