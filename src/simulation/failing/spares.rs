//! Nodes in reserve, and which pool each belongs to.

use crate::failure::SparePool;
use crate::units::{Seconds, Time};
use std::collections::{BTreeMap, BTreeSet};

/// Whether a node takes jobs, as far as its pool says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reserve {
    /// It does.
    Serves,
    /// It does not.
    Idle,
    /// It is about to: from then on.
    Coming(Time),
}

/// The pools of a cluster.
#[derive(Debug, Default)]
pub(super) struct Pools {
    pools: Vec<Pool>,
    /// By node that is in one.
    of_node: BTreeMap<u32, usize>,
}

#[derive(Debug)]
struct Pool {
    /// How many of its nodes are to take jobs.
    target: u32,
    /// How many do, or are about to.
    serving: u32,
    /// Those in reserve that are not broken.
    idle: BTreeSet<u32>,
    activation: Seconds,
}

impl Pools {
    pub(super) fn new(rules: &[SparePool]) -> Self {
        let mut pools = Self::default();
        for (index, rule) in rules.iter().enumerate() {
            let nodes: Vec<u32> = rule.nodes.iter().cloned().flatten().collect();
            let count = u32::try_from(nodes.len()).expect("nodes are counted in 32 bits");
            let target = count.saturating_sub(rule.count);
            let idle = nodes[target as usize..].iter().copied().collect();
            pools.pools.push(Pool { target, serving: target, idle, activation: rule.activation });
            pools.of_node.extend(nodes.into_iter().map(|node| (node, index)));
        }
        pools
    }
    /// The nodes in reserve to begin with, ascending.
    pub(super) fn idle(&self) -> BTreeSet<u32> {
        self.pools.iter().flat_map(|pool| &pool.idle).copied().collect()
    }
    /// What comes of a node that serves from now on, or no longer does: true if it is to be in reserve instead, which a
    /// node is not that holds a job.
    pub(super) fn counts(&mut self, node: u32, serves: bool, is_held: bool) -> bool {
        let Some(pool) = self.of_node.get(&node).map(|pool| &mut self.pools[*pool]) else { return false };
        if serves && !is_held && pool.serving >= pool.target {
            return true;
        }
        pool.serving = if serves { pool.serving + 1 } else { pool.serving - 1 };
        false
    }
    /// A node in reserve is ready to be used, or broken.
    pub(super) fn set_idle(&mut self, node: u32, is_ready: bool) {
        let Some(pool) = self.of_node.get(&node).map(|pool| &mut self.pools[*pool]) else { return };
        if is_ready {
            pool.idle.insert(node);
        } else {
            pool.idle.remove(&node);
        }
    }
    /// A node in reserve that is to serve now in the pool of another, and how long that takes; none is needed, or there is
    /// none.
    pub(super) fn call(&mut self, node: u32) -> Option<(u32, Seconds)> {
        let pool = self.of_node.get(&node).map(|pool| &mut self.pools[*pool])?;
        if pool.serving >= pool.target {
            return None;
        }
        let spare = pool.idle.pop_first()?;
        pool.serving += 1;
        Some((spare, pool.activation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spare_serves_while_another_node_is_down() {
        let rule = SparePool { nodes: std::iter::once(0..4).collect(), count: 1, activation: Seconds(60) };
        let mut pools = Pools::new(&[rule]);
        assert_eq!(pools.idle(), BTreeSet::from([3]), "the last one");
        assert_eq!(pools.call(0), None, "none is needed");
        assert!(!pools.counts(0, false, false), "node 0 is down");
        assert_eq!(pools.call(0), Some((3, Seconds(60))), "in its place");
        assert!(!pools.counts(1, false, false), "another one");
        assert_eq!(pools.call(1), None, "there is no other spare");
        assert!(!pools.counts(0, true, false), "back, and needed");
        assert!(pools.counts(1, true, false), "back, and in reserve from now on");
        pools.set_idle(1, true);
        assert!(!pools.counts(2, false, false), "one more is down");
        assert_eq!(pools.call(2), Some((1, Seconds(60))), "and replaced");
        assert!(!pools.counts(2, true, true), "back, and a job holds it still");
        assert!(!pools.counts(9, true, false), "of no pool");
    }
}
