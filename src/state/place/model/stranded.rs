//! GPUs that no job of a workload's mix could use where they are.

use crate::cluster::Cluster;
use crate::cost::{Tables, UNCHANGED};
use crate::history::Plan;
use crate::state::class::{Class, Classes, Form};
use crate::state::place::narrow;
use std::collections::BTreeMap;

/// What free units strand for a workload's mix of pods and gangs.
#[derive(Debug, Clone)]
pub(crate) struct Stranded {
    /// Entries a kind: one more than the GPUs of the largest node.
    pub(crate) units_counted: u32,
    /// By kind and wholly free GPUs.
    node: Vec<u32>,
    /// By kind and idle nodes.
    rack: Vec<Vec<u32>>,
}

impl Stranded {
    /// Nothing is ever stranded.
    pub(crate) fn none(kinds: usize) -> Self {
        Self { units_counted: 1, node: vec![0; kinds], rack: vec![Vec::new(); kinds] }
    }

    /// By the jobs of a plan.
    pub(crate) fn of(plan: &Plan, classes: &Classes) -> Self {
        let cluster = &plan.cluster;
        let mut jobs = vec![0_u64; classes.table.len()];
        classes.of_job.iter().for_each(|class| jobs[*class as usize] += 1);
        let asks = |class: &Class| class.gpus_milli > 0 && class.form != Form::Impossible;
        let mix: Vec<(&Class, u64)> =
            classes.table.iter().zip(jobs).filter(|(class, jobs)| asks(class) && *jobs > 0).collect();
        let total: u64 = mix.iter().map(|(_, jobs)| jobs).sum();
        let most_units = cluster.kinds.iter().map(|kind| kind.gpus).max().unwrap_or_default();
        let most_nodes = cluster.racks.iter().map(|rack| rack.nodes).max().unwrap_or_default();
        let kinds = 0..u32::try_from(cluster.kinds.len()).expect("kinds are few");
        let mut node = Vec::new();
        let mut rack = Vec::new();
        for kind in kinds {
            let (mut pods, mut gangs) = (BTreeMap::new(), BTreeMap::new());
            for (class, jobs) in &mix {
                *pods.entry(pod_units(cluster, class, kind)).or_insert(0) += jobs;
                *gangs.entry(nodes_together(cluster, class, kind)).or_insert(0) += jobs;
            }
            node.extend((0..=most_units).map(|units| {
                let useless = pods.iter().filter(|(wanted, _)| wanted.is_none_or(|wanted| units < wanted));
                scaled(useless.map(|(_, jobs)| jobs * u64::from(units)).sum(), total, most_units)
            }));
            rack.push(
                (0..=most_nodes)
                    .map(|idle| {
                        let left = |(size, jobs): (&u32, &u64)| jobs * u64::from(idle % size);
                        scaled(gangs.iter().map(left).sum(), total, most_nodes)
                    })
                    .collect(),
            );
        }
        Self { units_counted: most_units + 1, node, rack }
    }

    /// The table of nodes, a row a kind and site.
    pub(crate) fn by_group(&self, sites: u32) -> Vec<u32> {
        let rows = self.node.chunks(self.units_counted as usize);
        rows.flat_map(|row| std::iter::repeat_n(row, sites as usize).flatten().copied()).collect()
    }
    /// The table of racks, a row a kind and site, and its entries a row.
    pub(crate) fn racks_by_group(&self, sites: u32) -> (u32, Vec<u32>) {
        let counted = self.rack.iter().map(Vec::len).max().unwrap_or_default().max(1);
        let row =
            |row: &Vec<u32>| (0..counted).map(|idle| row.get(idle).copied().unwrap_or_default()).collect();
        let rows =
            self.rack.iter().map(row).flat_map(|row: Vec<u32>| std::iter::repeat_n(row, sites as usize));
        (narrow(counted), rows.flatten().collect())
    }
    /// The term of a start that takes `taken` of a rack's idle nodes.
    pub(crate) fn rack_gradient(&self, kind: u32, idle: u32, taken: u32) -> u32 {
        let table = &self.rack[kind as usize];
        let at = |nodes: u32| table.get(nodes as usize).or(table.last()).copied().unwrap_or_default();
        UNCHANGED + at(idle - idle.min(taken)) - at(idle)
    }
    /// What thousandths of a partly held GPU add.
    pub(crate) fn part(&self, milli: u32) -> u32 {
        let most = (self.units_counted - 1).max(1);
        if self.units_counted == 1 { 0 } else { milli * Tables::STRANDED_MAX / 1000 / most }
    }
}

/// GPUs of a node that a pod of a class needs free at once: none for a share; `None` if it may not run on the kind.
fn pod_units(cluster: &Cluster, class: &Class, kind: u32) -> Option<u32> {
    let each = cluster.kinds[kind as usize].gpus;
    class.kinds.contains(&kind).then_some(match class.form {
        Form::Pod { gpus } => gpus,
        Form::Gang { .. } => each,
        Form::Pods { milli, .. } => milli / 1000,
        _ => 0,
    })
}

/// Nodes of one rack that a gang of whole nodes lies on: its segment or all of it, at most the largest rack; 1 for
/// what is no such gang.
fn nodes_together(cluster: &Cluster, class: &Class, kind: u32) -> u32 {
    let each = cluster.kinds[kind as usize].gpus;
    let nodes = match class.form {
        _ if !class.kinds.contains(&kind) => 1,
        Form::Gang { gpus } => gpus.checked_div(each).unwrap_or(1),
        Form::Pods { count, milli } if milli == each * 1000 => count,
        _ => 1,
    };
    let of_kind = cluster.racks.iter().filter(|rack| rack.kind == kind).map(|rack| rack.nodes).max();
    let together = if nodes > 1 && class.segment > 1 { class.segment } else { nodes };
    together.min(of_kind.unwrap_or(1)).max(1)
}

/// A sum over jobs as a part of what all of them could make stranded.
fn scaled(sum: u64, total: u64, most: u32) -> u32 {
    let most = (total * u64::from(most)).max(1);
    let wide = u128::from(sum) * u128::from(Tables::STRANDED_MAX) / u128::from(most);
    u32::try_from(wide).expect("at most all is stranded")
}
