//! What the cost function is told of a cluster and a workload: terms by their fixed scales, tables, frozen numbers.
//!
//! | term | value, 0..=65535 |
//! |---|---|
//! | leftover | free thousandths of the node × 65,000 / those of the largest node, rounded down; of a gang's rack: the thousandths of the pods it has room for × 65,000 / those of the largest rack, at most 65,535 |
//! | spread | 65,535 − leftover |
//! | `rack_leftover` | free thousandths of the rack's nodes that are up × 65,000 / those of the largest rack; of a gang's rack: its leftover |
//! | `rack_spread` | 65,535 − `rack_leftover` |
//! | span | pods of the gang that the rack has no room for × ⌊65,535 / pods⌋ |
//! | `run_time` | 65,535 × the slowest speed of the job on any kind of its scope / its speed here |
//! | energy | what the energy of a GPU costs at the site's present price, a second of work on the reference platform: price × PUE (at full load and the present temperature) × mean watts × 65,536 / speed, from the lowest it can ever be where the class may run, 0, to the highest, 65,535 |
//! | carbon | the same of the site's present carbon intensity |
//! | pressure | 65,535 × draw / cap of the rack, feed or site above of which that is highest, at most 65,535; 0 where no caps are heeded |
//! | fragmentation | 32,768 + what is stranded after the start − what is before |
//! | `rack_fragmentation` | the same of the rack, if its node is idle and so no longer whole; of a gang's rack: of the nodes it takes |
//!
//! Energy, carbon and pressure are read at the start of each pass; what runs at time 0 is placed without them.
//!
//! *Stranded* on a node with `w` wholly free GPUs: Σ p · w over the pods that need more than `w` GPUs or may not run
//! on the kind, p being their share of the workload's jobs; the rest of partly held GPUs is stranded for whole pods
//! and never counts as found again. Scaled to 32,000 for the largest node. Stranded in a rack with `n` idle nodes: Σ p · (n mod s) over the gangs that lie on `s` nodes of a
//! rack, scaled to 32,000 for the largest rack.
//! After the gradient of Weng et al., "Beware of fragmentation: scheduling GPU-sharing workloads with fragmentation
//! gradient descent", ATC 2023, which looks at shares, CPU and typical pods as well: placement `fgd` is theirs.
//!
//! Nodes inside a gang's rack, and where a gang ignores racks, are told apart by their own terms alone: the weights of
//! `rack_leftover`, `rack_spread` and `rack_fragmentation` do not count there.

mod frozen;
mod stranded;

pub use frozen::Frozen;

use crate::cluster::{Cluster, Occupancy};
use crate::cost::{
    Domain, Own, Place, Query, TERM_MAX, Tables, UNCHANGED, Weights, own_cost, pair_cost, place_cost,
};
use crate::history::Plan;
use crate::state::Resources;
use crate::state::class::{Class, Classes};
use crate::units::Time;
use frozen::Joules;
use stranded::Stranded;

/// The cost function on one cluster and workload.
#[derive(Debug, Clone)]
pub struct Model {
    weights: Weights,
    /// The same without those of racks.
    inside: Weights,
    most_node: u32,
    most_rack: u32,
    sites: u32,
    rack_group: Vec<u32>,
    /// By class and group.
    run_time: Vec<u32>,
    frozen: Frozen,
    /// Where prices or carbon count.
    joules: Option<Joules>,
    stranded: Stranded,
    /// What is told by index at the level of nodes; rows are classes.
    pub(crate) tables: Tables,
    /// The same at the level of racks.
    pub(crate) rack_tables: Tables,
}

/// A term of `value` where the largest possible one is `most`.
fn scaled(value: u64, most: u32) -> u32 {
    let term = value * 65_000 / u64::from(most.max(1));
    u32::try_from(term.min(u64::from(TERM_MAX))).expect("at most 65535")
}

impl Model {
    /// The cost function with these weights.
    ///
    /// # Complexity
    /// O(racks + classes · kinds · sites) time, and O(jobs) where fragmentation counts.
    #[must_use]
    pub fn new(plan: &Plan, classes: &Classes, weights: Weights) -> Self {
        let cluster = &plan.cluster;
        let milli = |gpus: u32| gpus.saturating_mul(1000);
        let sites = u32::try_from(cluster.sites.len()).expect("sites are few").max(1);
        let fragments = weights.fragmentation > 0 || weights.rack_fragmentation > 0;
        let stranded =
            if fragments { Stranded::of(plan, classes) } else { Stranded::none(cluster.kinds.len()) };
        let groups = u32::try_from(cluster.kinds.len()).expect("kinds are few") * sites;
        let (nodes_counted, stranded_nodes) = stranded.racks_by_group(sites);
        let mut model = Self {
            weights,
            inside: Weights { rack_leftover: 0, rack_spread: 0, rack_fragmentation: 0, ..weights },
            most_node: milli(cluster.kinds.iter().map(|kind| kind.gpus).max().unwrap_or_default()),
            most_rack: cluster.racks.iter().map(|rack| rack_milli(cluster, rack)).max().unwrap_or_default(),
            sites,
            rack_group: cluster.racks.iter().map(|rack| group_of(cluster, sites, rack)).collect(),
            run_time: run_times(cluster, classes, sites),
            frozen: Frozen::default(),
            joules: (weights.energy | weights.carbon > 0).then(|| Joules::of(plan, classes)),
            tables: Tables {
                groups,
                units_counted: stranded.units_counted,
                stranded: stranded.by_group(sites),
                place: Vec::new(),
            },
            rack_tables: Tables {
                groups,
                units_counted: nodes_counted,
                stranded: stranded_nodes,
                place: Vec::new(),
            },
            stranded,
        };
        model.freeze(Frozen::default());
        model
    }

    /// The group of a kind of nodes at a site.
    #[must_use]
    pub const fn group(&self, kind: u32, site: u32) -> u32 {
        kind * self.sites + site
    }
    /// How many groups there are.
    #[must_use]
    pub const fn groups(&self) -> u32 {
        self.tables.groups
    }

    /// Reads what holds for a whole pass, at its start: prices, carbon, and how far feeds are used. Whether any of it has
    /// changed.
    pub(crate) fn freeze_at(&mut self, plan: &Plan, classes: &Classes, now: Time, room: &Resources) -> bool {
        // Most weights read nothing of the kind; even to compare what is empty would cost as much as a pass.
        if self.joules.is_none() && self.weights.pressure == 0 {
            return false;
        }
        let mut frozen = Frozen::default();
        if let Some(joules) = &self.joules {
            frozen.energy = joules.terms((plan, classes), now, |grid| grid.price.as_ref());
            frozen.carbon = joules.terms((plan, classes), now, |grid| grid.carbon.as_ref());
        }
        if self.weights.pressure > 0 {
            frozen.pressure = room.power().map(|ledger| ledger.pressures()).unwrap_or_default();
        }
        let changes = frozen != self.frozen;
        if changes {
            self.freeze(frozen);
        }
        changes
    }

    /// Takes what holds for the whole of a pass.
    ///
    /// # Panics
    /// If a table that is not empty is not as long as it has to be, or a term in it is too large.
    pub fn freeze(&mut self, frozen: Frozen) {
        let fits = |terms: &[u32], length: usize| {
            (terms.is_empty() || terms.len() == length) && terms.iter().all(|term| *term <= TERM_MAX)
        };
        assert!(fits(&frozen.pressure, self.rack_group.len()), "a term of pressure a rack");
        let pairs = self.run_time.len();
        assert!(fits(&frozen.energy, pairs) && fits(&frozen.carbon, pairs), "a term a class and group");
        self.frozen = frozen;
        let term = |terms: &[u32], index: usize| terms.get(index).copied().unwrap_or_default();
        let place = |index: usize| {
            let (energy, carbon) = (term(&self.frozen.energy, index), term(&self.frozen.carbon, index));
            place_cost(self.weights, Place { run_time: self.run_time[index], energy, carbon })
        };
        self.tables.place = (0..pairs).map(place).collect();
        self.rack_tables.place.clone_from(&self.tables.place);
    }

    /// How many nodes of a rack are idle, where that counts.
    pub(crate) fn idle_nodes(&self, occupancy: &Occupancy, rack: usize) -> u32 {
        if self.weights.rack_fragmentation > 0 { occupancy.rack_idle_nodes(rack) } else { 0 }
    }
    /// What the cost function reads of a node; it belongs to the scopes that the bits name.
    pub(crate) fn node(&self, occupancy: &Occupancy, node: usize, scopes: u32, inside: bool) -> Domain {
        let idle = || occupancy.rack_idle_nodes(occupancy.rack(node) as usize);
        self.node_beside(occupancy, node, scopes, inside, idle)
    }
    /// As [`Model::node`] where it is known how many nodes of its rack are idle.
    pub(crate) fn node_beside(
        &self,
        occupancy: &Occupancy,
        node: usize,
        scopes: u32,
        inside: bool,
        idle: impl FnOnce() -> u32,
    ) -> Domain {
        let rack = occupancy.rack(node) as usize;
        let kind = occupancy.kind(node);
        let (cpu, memory) = occupancy.host_left(node);
        let units = occupancy.free_mask(node).count_ones();
        let weights = if inside { self.inside } else { self.weights };
        let breaks = weights.rack_fragmentation > 0
            && occupancy.is_up(node)
            && units > 0
            && occupancy.free_mask(node) == occupancy.full_mask(node);
        let around =
            if occupancy.is_flat() { occupancy.free_milli(node) } else { occupancy.rack_free_milli(rack) };
        let own = Own {
            leftover: scaled(occupancy.free_milli(node).into(), self.most_node),
            rack_leftover: scaled(around.into(), self.most_rack),
            pressure: self.frozen.pressure.get(rack).copied().unwrap_or_default(),
            rack_fragmentation: if breaks { self.stranded.rack_gradient(kind, idle(), 1) } else { UNCHANGED },
        };
        Domain {
            scopes,
            units,
            partial: if occupancy.has_split_gpus() { occupancy.most_left_of_split(node) } else { 0 },
            cpu,
            memory,
            headroom: u32::MAX,
            own: own_cost(weights, own),
            stranded: self.tables.stranded(self.rack_group[rack], units),
        }
    }
    /// The group of a rack's nodes.
    pub(crate) fn rack_group(&self, rack: usize) -> u32 {
        self.rack_group[rack]
    }

    /// What the cost function reads of a pod with so many thousandths of GPUs, of a class.
    pub(crate) fn pod(&self, class: &Class, row: u32, milli: u32) -> Query {
        let share = (1..1000).contains(&milli);
        let units = if share { 1 } else { milli / 1000 };
        Query {
            scopes: 0,
            units,
            least: units,
            share: if share { milli } else { u32::MAX },
            cpu: class.host.cpu_milli,
            memory: class.host.memory_mib,
            draw: 0,
            span_step: 0,
            fragmentation: if milli == 0 { 0 } else { self.weights.fragmentation },
            on_whole: UNCHANGED + if share { self.stranded.part(1000 - milli) } else { 0 },
            on_shared: UNCHANGED - if share { self.stranded.part(milli) } else { 0 },
            row,
        }
    }

    /// The cost of a pod of a gang on a node that has room for it.
    pub(crate) fn inside_cost(&self, occupancy: &Occupancy, class: &Class, milli: u32, node: usize) -> u32 {
        let query = Query { scopes: 1, least: 0, cpu: 0, memory: 0, ..self.pod(class, class.index, milli) };
        self.pair(&query, self.node(occupancy, node, 1, true), self.rack_group(occupancy.rack(node) as usize))
    }
    /// The cost of a class of one pod on a node that has room for it.
    pub(crate) fn pod_cost(&self, occupancy: &Occupancy, class: &Class, node: usize) -> u32 {
        let query = Query {
            scopes: 1,
            least: 0,
            cpu: 0,
            memory: 0,
            ..self.pod(class, class.index, super::pod::milli(class))
        };
        self.pair(
            &query,
            self.node(occupancy, node, 1, false),
            self.rack_group(occupancy.rack(node) as usize),
        )
    }
    /// The cost of a gang of `pods` pods of `milli` thousandths on a rack that has room for `capacity` of them; of
    /// whole nodes, if each fills one.
    pub(crate) fn rack_cost(
        &self,
        class: &Class,
        rack: usize,
        (pods, milli, whole_nodes): (u32, u32, bool),
        capacity: u32,
    ) -> u32 {
        let query = Query { least: 0, ..self.gang(class, pods, 1) };
        let domain = self.rack(rack, (capacity, milli, whole_nodes), 1);
        let left = capacity - capacity.min(pods);
        let group = self.rack_group[rack];
        let after = if whole_nodes { self.rack_tables.stranded(group, left) } else { 0 };
        pair_cost(query, domain, after, self.rack_tables.place(&query, group))
    }
    /// What the cost function reads of a rack that has room for `capacity` pods of `milli` thousandths, of whole nodes
    /// or not; it belongs to the scopes that the bits name.
    pub(crate) fn rack(
        &self,
        rack: usize,
        (capacity, milli, whole_nodes): (u32, u32, bool),
        scopes: u32,
    ) -> Domain {
        let free = scaled(u64::from(capacity) * u64::from(milli.max(1)), self.most_rack);
        let own = Own {
            leftover: free,
            rack_leftover: free,
            pressure: self.frozen.pressure.get(rack).copied().unwrap_or_default(),
            // That is what the pair decides: see `gang`.
            rack_fragmentation: 0,
        };
        let unlimited = u32::MAX;
        let strands = || self.rack_tables.stranded(self.rack_group[rack], capacity);
        Domain {
            scopes,
            units: capacity,
            partial: 0,
            cpu: unlimited,
            memory: unlimited,
            headroom: unlimited,
            own: own_cost(self.weights, own),
            stranded: if whole_nodes { strands() } else { 0 },
        }
    }
    /// What the cost function reads of a gang of a class that must have room for all of its `pods` pods.
    pub(crate) fn gang(&self, class: &Class, pods: u32, scopes: u32) -> Query {
        Query {
            scopes,
            units: pods,
            least: pods,
            share: u32::MAX,
            span_step: self.weights.span * TERM_MAX.checked_div(pods).unwrap_or_default(),
            fragmentation: self.weights.rack_fragmentation,
            on_whole: UNCHANGED,
            row: class.index,
            ..Query::default()
        }
    }
    /// Whether a node's cost depends on what is free around it.
    pub(crate) const fn minds_racks(&self) -> bool {
        self.weights.rack_leftover | self.weights.rack_spread | self.weights.rack_fragmentation > 0
    }

    fn pair(&self, query: &Query, domain: Domain, group: u32) -> u32 {
        let left = domain.units - domain.units.min(query.units);
        pair_cost(*query, domain, self.tables.stranded(group, left), self.tables.place(query, group))
    }
}

fn rack_milli(cluster: &Cluster, rack: &crate::cluster::Rack) -> u32 {
    cluster.kinds[rack.kind as usize].gpus.saturating_mul(1000).saturating_mul(rack.nodes)
}

fn group_of(cluster: &Cluster, sites: u32, rack: &crate::cluster::Rack) -> u32 {
    rack.kind * sites + cluster.feeds.get(rack.feed as usize).map_or(0, |feed| feed.site)
}

/// By class and group: the slowest allowed speed as a part of the speed here.
fn run_times(cluster: &Cluster, classes: &Classes, sites: u32) -> Vec<u32> {
    let mut terms = Vec::with_capacity(classes.table.len() * cluster.kinds.len() * sites as usize);
    for class in &classes.table {
        let speed = |kind: u32| u64::from(class.speeds[kind as usize].0.max(1));
        let slowest = class.kinds.iter().map(|kind| speed(*kind)).min().unwrap_or(1);
        for kind in 0..u32::try_from(cluster.kinds.len()).expect("kinds are few") {
            let term = (u64::from(TERM_MAX) * slowest / speed(kind)).min(u64::from(TERM_MAX));
            let term = u32::try_from(term).expect("at most 65535");
            terms.extend(std::iter::repeat_n(term, sites as usize));
        }
    }
    terms
}
