//! Quotas: how many GPUs jobs may hold together.
//!
//! What may be held is a [`Tree`] of rows. Amounts are thousandths of GPUs. Of a row *n*:
//!
//! ```text
//! subtree(n)   = nominal(n) + Σ children c: subtree(c) − local(c)       what is there for it and those below it
//! local(n)     = max(0, subtree(n) − lend(n)), 0 where lend is not set  what nobody else may borrow of that
//! drawn(n)     = own jobs + Σ children c: max(0, drawn(c) − local(c))   what counts there
//! held(n)      = own jobs + Σ children c: held(c)
//! available(n) = subtree(n) − drawn(n)                                  of a root; else
//!                max(0, local(n) − drawn(n)) + min(available(parent),
//!                  subtree(n) − local(n) − max(0, drawn(n) − local(n)) + borrow(n), where borrow is set)
//! most(n)      = subtree(n)                                             of a root; else
//!                local(n) + most(parent), at most subtree(n) + borrow(n) where borrow is set
//! ```
//!
//! A job that asks for *x* stays within the quota of a row if `x ≤ available(n)` there and `held(m) + x ≤ limit(m)` there and at
//! every row above, and none of these has as many jobs running as may. What runs at time 0 may hold more than that, so that what is available may be below 0.
//!
//! A tree of which no row has a nominal amount has no end of it: only limits count. A tenant's `quota` is a row by itself with
//! such a limit, so is the `limit` of a partition, and so is a licence, of which jobs hold licences and not GPUs; queues are rows that stand above one another. A job counts against one
//! row of each kind, or none, and against the rows above it. What refuses it is its own row: under `none` and `easy` that is
//! closed for the rest of a pass, and no row above it, so that other queues still get what is theirs.
//!
//! Where a queue says what it has by platform, each platform of the cluster has a tree of rows of its own, one for each queue of the tree, besides
//! those of all platforms together: what a job holds counts against both, and both have to let it in. Of a platform that no queue of a tree
//! has, there is nothing; what a queue does not say of one, it says not. A tenant's quota by platform is a limit for each. A
//! job that may run on several platforms is tried on one after another, as its queue names them and then in the order of the catalogue; it
//! starts on the first whose quota and nodes let it. Where none does by quota, the first is what refuses it.
//!
//! Every answer is monotone: once more is held anywhere in a tree, nothing fits that did not fit before. Passes rely on that
//! when they do not ask again.
//!
//! The definitions are those of Kueue's cohorts (`nominalQuota`, `borrowingLimit`, `lendingLimit`).

mod platforms;
mod share;
mod tree;
mod usage;

#[cfg(test)]
mod tests;

pub use share::Share;
pub use tree::{Bound, Row, Tree};
pub use usage::Usage;

use super::Law;
use super::class::Class;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What jobs hold together, and may hold.
#[derive(Debug)]
pub(crate) struct Quotas {
    tree: Arc<Tree>,
    usage: Usage,
    /// What is held at other instants of a window, in what is looked ahead at: a job has to fit at each.
    also: Vec<Usage>,
}

impl Clone for Quotas {
    fn clone(&self) -> Self {
        Self { tree: Arc::clone(&self.tree), usage: self.usage.clone(), also: self.also.clone() }
    }
    /// In the memory that is there.
    fn clone_from(&mut self, other: &Self) {
        self.tree.clone_from(&other.tree);
        self.usage.clone_from(&other.usage);
        self.also.clone_from(&other.also);
    }
}

impl Quotas {
    /// Of which nothing is held.
    pub(super) fn new(tree: &Arc<Tree>) -> Self {
        Self { tree: Arc::clone(tree), usage: Usage::of(tree), also: Vec::new() }
    }
    /// Whether one more job of the class, with all that it asks for, stays within every quota and limit.
    #[inline]
    pub(crate) fn allows(&self, class: &Class) -> bool {
        self.refusing(class, u64::from(class.gpus_milli)).is_none()
    }
    /// The first of the rows of a class that does not let a job of it hold so many thousandths more.
    #[inline]
    pub(super) fn refusing(&self, class: &Class, milli: u64) -> Option<u32> {
        if !class.has_ceiling() {
            return None;
        }
        self.refusing_on_each(class, milli).or_else(|| self.refusing_licence(class))
    }
    /// The first of the licences of a class of which too few are left for a job of it.
    fn refusing_licence(&self, class: &Class) -> Option<u32> {
        let refuses = |(row, count): &&(u32, u32)| self.refuses(*row, (*count).into());
        class.licences.iter().find(refuses).map(|(row, _)| *row)
    }
    fn refusing_on_each(&self, class: &Class, milli: u64) -> Option<u32> {
        let Some((first, others)) = class.alternatives.split_first() else {
            return self.refusing_row(class, milli);
        };
        let refusing = self.refusing_row(first, milli)?;
        others.iter().all(|other| self.refusing_row(other, milli).is_some()).then_some(refusing)
    }
    fn refusing_row(&self, class: &Class, milli: u64) -> Option<u32> {
        class.of_gpus().find(|row| self.refuses(*row, milli))
    }
    /// The trees, by their roots, that refuse one more job of the class, wherever it may run: a quota, a queue, a limit, a licence.
    pub(super) fn refusing_trees(&self, class: &Class) -> BTreeSet<u32> {
        let milli = u64::from(class.gpus_milli);
        let of_gpus = std::iter::once(class).chain(&class.alternatives).flat_map(Class::of_gpus);
        let of_gpus = of_gpus.map(|row| (row, milli));
        let licences = class.licences.iter().map(|(row, count)| (*row, u64::from(*count)));
        let trees = |(row, amount)| self.tree.refusing_trees(&self.usage, row, amount);
        of_gpus.chain(licences).flat_map(trees).collect()
    }
    /// Whether a row does not admit so much more, now or at another instant that is asked about.
    fn refuses(&self, row: u32, amount: u64) -> bool {
        let mut instants = std::iter::once(&self.usage).chain(&self.also);
        instants.any(|usage| !self.tree.admits(usage, row, amount))
    }
    /// What a row that refuses a job stands for.
    pub(super) fn law(&self, row: u32) -> Law {
        match row {
            _ if self.tree.is_licence(row) => Law::Licence,
            _ if self.tree.is_limit_of_partition(row) => Law::Limit,
            _ => Law::Quota,
        }
    }
    /// One more job of the class holds so many thousandths, and its licences.
    #[inline]
    pub(super) fn add(&mut self, class: &Class, milli: u64) {
        class.of_gpus().for_each(|row| self.usage.add(&self.tree, row, milli));
        for (row, count) in &class.licences {
            self.usage.add(&self.tree, *row, (*count).into());
        }
    }
    /// A job of the class that held so many thousandths holds nothing any more.
    #[inline]
    pub(super) fn subtract(&mut self, class: &Class, milli: u64) {
        class.of_gpus().for_each(|row| self.usage.subtract(&self.tree, row, milli));
        for (row, count) in &class.licences {
            self.usage.subtract(&self.tree, *row, (*count).into());
        }
    }
    /// What is held now, or at the instant that is looked ahead at.
    pub(super) const fn usage(&self) -> &Usage {
        &self.usage
    }
    /// A job is asked for besides what is held now with what is held at other instants; none: now alone.
    pub(super) fn ask_also(&mut self, others: Vec<Usage>) {
        self.also = others;
    }
    /// A job of the class holds all that it asks for.
    #[inline]
    pub(crate) fn hold(&mut self, class: &Class) {
        self.add(class, u64::from(class.gpus_milli));
    }
    /// A job of the class holds nothing any more.
    #[inline]
    pub(crate) fn unhold(&mut self, class: &Class) {
        self.subtract(class, u64::from(class.gpus_milli));
    }
}
