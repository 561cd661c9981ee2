//! The tree of what may be held, and what is held of it.

use super::platforms::Pools;
use super::usage::Usage;
use crate::workload::{PlatformQuota, Queue};
use std::collections::BTreeSet;

/// What is as good as without end, far from overflow.
const UNBOUNDED: i64 = 1 << 60;

/// A row of a tree as it is described: amounts in thousandths of GPUs, none where nothing is said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Row {
    /// The row above it, which comes before it; none: it is a root.
    pub parent: Option<u32>,
    /// What is its own, beside what those below it lend; none: nothing.
    pub nominal_milli: Option<u32>,
    /// What it may hold beyond its own; none: whatever there is.
    pub borrow_milli: Option<u32>,
    /// What others may borrow of its own; none: all.
    pub lend_milli: Option<u32>,
    /// The most that it and the rows below it may hold together; none: no limit.
    pub limit_milli: Option<u32>,
    /// How many jobs that count against it and the rows below it may run at once; none: no limit.
    pub jobs: Option<u32>,
    /// Of a row of one platform, that of all platforms together, which comes before it: what counts here counts there too.
    pub whole: Option<u32>,
}

impl From<&Queue> for Row {
    fn from(queue: &Queue) -> Self {
        Self {
            parent: queue.parent,
            nominal_milli: queue.nominal_milli,
            borrow_milli: queue.borrow_milli,
            lend_milli: queue.lend_milli,
            limit_milli: queue.limit_milli,
            jobs: queue.job_limits.running,
            whole: None,
        }
    }
}

impl From<&PlatformQuota> for Row {
    fn from(own: &PlatformQuota) -> Self {
        Self {
            nominal_milli: own.nominal_milli,
            borrow_milli: own.borrow_milli,
            lend_milli: own.lend_milli,
            limit_milli: own.limit_milli,
            ..Self::default()
        }
    }
}

/// What of a row keeps a job from holding more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// The most that it and the rows below it may hold.
    Limit,
    /// How many jobs may run at once.
    Jobs,
    /// What it may borrow.
    Borrowing,
    /// What there is for it and the rows below it: it is a root.
    Pool,
}

/// Rows of what may be held, and what follows from them alone; the [module](super) says what each amount means.
///
/// ```
/// use gigawatt::state::quota::{Row, Tree, Usage};
/// let cloud = Row { nominal_milli: Some(10_000), ..Row::default() };
/// let own = Row { parent: Some(0), nominal_milli: Some(10_000), ..Row::default() };
/// let tree = Tree::new(vec![cloud, own, Row { lend_milli: Some(9_000), ..own }]);
/// let mut usage = Usage::of(&tree);
/// usage.add(&tree, 1, 1_000);
/// usage.add(&tree, 2, 500);
/// // The second child keeps 1 GPU for itself, of which it holds a half.
/// assert_eq!((tree.available(&usage, 1), tree.available(&usage, 2)), (28_000, 28_500));
/// assert_eq!((tree.most(1), tree.most(2)), (Some(29_000), Some(30_000)));
/// assert!(tree.admits(&usage, 1, 28_000) && !tree.admits(&usage, 1, 28_001));
/// ```
#[derive(Debug, Default)]
pub struct Tree {
    pub(super) rows: Vec<Row>,
    /// By row.
    subtree: Vec<i64>,
    pub(super) local: Vec<i64>,
    /// Whose rows they are, where they are those of a plan.
    pub(super) pools: Pools,
}

impl Tree {
    /// The tree of rows, of which every one comes after the one above it.
    ///
    /// # Panics
    /// If one does not.
    ///
    /// # Complexity
    /// O(|rows|) time and space.
    #[must_use]
    pub fn new(rows: Vec<Row>) -> Self {
        let ordered = (0..).zip(&rows).all(|(own, row)| row.parent.is_none_or(|parent| parent < own));
        assert!(ordered, "a row comes after the one above it");
        let mut tree = Self { rows, ..Self::default() };
        let stated = tree.roots_with_nominal();
        (tree.subtree, tree.local) = (vec![0; tree.rows.len()], vec![0; tree.rows.len()]);
        // From the last on, every row has heard of all that those below it lend.
        for (own, row) in tree.rows.iter().enumerate().rev() {
            tree.subtree[own] += i64::from(row.nominal_milli.unwrap_or(0));
            if row.parent.is_none() && !stated[own] {
                tree.subtree[own] = UNBOUNDED;
            }
            tree.local[own] = row.lend_milli.map_or(0, |lend| (tree.subtree[own] - i64::from(lend)).max(0));
            if let Some(parent) = row.parent {
                tree.subtree[parent as usize] += tree.subtree[own] - tree.local[own];
            }
        }
        tree
    }
    /// By row: whether it is a root of a tree in which some row has a nominal amount.
    fn roots_with_nominal(&self) -> Vec<bool> {
        let mut stated: Vec<bool> = self.rows.iter().map(|row| row.nominal_milli.is_some()).collect();
        for (own, row) in self.rows.iter().enumerate().rev() {
            if let Some(parent) = row.parent {
                stated[parent as usize] |= stated[own];
            }
        }
        stated
    }
    /// Whether there is no row, so that nothing is refused.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
    /// The row at the top of the tree that a row is in.
    #[must_use]
    pub fn root(&self, row: u32) -> u32 {
        self.path(row).last().unwrap_or(row)
    }
    /// Of a row of one platform, that of all platforms together.
    pub(crate) fn whole(&self, row: u32) -> Option<u32> {
        self.rows[row as usize].whole
    }
    /// The row above one.
    pub(crate) fn parent(&self, row: u32) -> Option<u32> {
        self.rows[row as usize].parent
    }
    /// The rows just below one, ascending.
    pub(crate) fn below(&self, row: u32) -> impl Iterator<Item = u32> {
        (0..).zip(&self.rows).filter(move |(_, other)| other.parent == Some(row)).map(|(other, _)| other)
    }
    /// Whether a row is another or stands below it.
    #[must_use]
    pub fn is_within(&self, row: u32, other: u32) -> bool {
        self.path(row).any(|above| above == other)
    }
    /// What there is for a row and those below it, without what those keep from others; none: no end, since no row of its
    /// tree has a nominal amount.
    ///
    /// ```
    /// use gigawatt::state::quota::{Row, Tree};
    /// let below = Row { parent: Some(0), nominal_milli: Some(8_000), lend_milli: Some(6_000), ..Row::default() };
    /// let tree = Tree::new(vec![Row::default(), below]);
    /// assert_eq!([0, 1].map(|row| tree.own_milli(row)), [Some(6_000), Some(8_000)]);
    /// ```
    #[must_use]
    pub fn own_milli(&self, row: u32) -> Option<u64> {
        let own = self.subtree[row as usize];
        (own < UNBOUNDED).then(|| own.unsigned_abs())
    }
    /// A row and those above it.
    pub(crate) fn path(&self, row: u32) -> impl Iterator<Item = u32> {
        std::iter::successors(Some(row), |row| self.rows[*row as usize].parent)
    }
    /// Whether jobs that count against a row may hold so many thousandths more.
    ///
    /// # Complexity
    /// O(depth) time.
    #[must_use]
    #[inline]
    pub fn admits(&self, usage: &Usage, row: u32, milli: u64) -> bool {
        signed(milli) <= self.room(usage, row)
    }
    /// How many thousandths more jobs that count against a row may hold, below 0 where they hold too many; none where too many
    /// run to begin another.
    ///
    /// # Complexity
    /// O(depth) time.
    #[must_use]
    #[inline]
    pub fn room(&self, usage: &Usage, row: u32) -> i64 {
        let room = self.room_of(usage, row);
        self.whole(row).map_or(room, |whole| room.min(self.room_of(usage, whole)))
    }
    /// The same, whatever there is of all platforms together.
    fn room_of(&self, usage: &Usage, row: u32) -> i64 {
        let below_limits = self.path(row).filter_map(|row| match self.is_full(usage, row) {
            true => Some(self.below_limit(usage, row).unwrap_or(0).min(0)),
            false => self.below_limit(usage, row),
        });
        below_limits.fold(self.available(usage, row), i64::min)
    }
    /// Whether as many jobs of a row and those below it run as may.
    fn is_full(&self, usage: &Usage, row: u32) -> bool {
        let own = row as usize;
        self.rows[own].jobs.is_some_and(|most| usage.jobs[own] >= i64::from(most))
    }
    /// How far what a row and those below it hold is below its limit.
    fn below_limit(&self, usage: &Usage, row: u32) -> Option<i64> {
        let own = row as usize;
        self.rows[own].limit_milli.map(|limit| i64::from(limit) - usage.held[own])
    }
    /// Which row, and what of it, keeps one more job that counts against a row from holding so many thousandths: the lowest
    /// whose limit that would break, else the lowest of which too many jobs run, else the lowest that may not borrow so much,
    /// else the root, which has too little; none: nothing does. Of a row of one platform those of that platform come first.
    ///
    /// ```
    /// use gigawatt::state::quota::{Bound, Row, Tree, Usage};
    /// let cloud = Row { nominal_milli: Some(8_000), ..Row::default() };
    /// let below = Row { parent: Some(0), borrow_milli: Some(6_000), ..Row::default() };
    /// let tree = Tree::new(vec![cloud, below, below]);
    /// let mut usage = Usage::of(&tree);
    /// assert_eq!(tree.refusing(&usage, 1, 7_000), Some((1, Bound::Borrowing)));
    /// usage.add(&tree, 2, 6_000);
    /// assert_eq!(tree.refusing(&usage, 1, 3_000), Some((0, Bound::Pool)));
    /// assert_eq!(tree.refusing(&usage, 1, 2_000), None);
    /// ```
    #[must_use]
    pub fn refusing(&self, usage: &Usage, row: u32, milli: u64) -> Option<(u32, Bound)> {
        let refusing = |row: u32| self.refusing_of(usage, row, signed(milli));
        refusing(row).or_else(|| self.whole(row).and_then(refusing))
    }
    /// The trees, by their roots, that keep one more job that counts against a row from holding so many thousandths: its own, and
    /// that of all platforms together where it is one platform's.
    pub(super) fn refusing_trees(&self, usage: &Usage, row: u32, milli: u64) -> impl Iterator<Item = u32> {
        let refuses = move |row: &u32| self.refusing_of(usage, *row, signed(milli)).is_some();
        self.trees(row).filter(refuses).map(|row| self.root(row))
    }
    /// A row, and that of all platforms together where it is one platform's.
    fn trees(&self, row: u32) -> impl Iterator<Item = u32> + use<> {
        std::iter::once(row).chain(self.whole(row))
    }
    /// Whether what counts against a row counts against any of some trees, named by their roots.
    pub(crate) fn counts_in(&self, row: u32, roots: &BTreeSet<u32>) -> bool {
        self.trees(row).any(|row| roots.contains(&self.root(row)))
    }
    fn refusing_of(&self, usage: &Usage, row: u32, milli: i64) -> Option<(u32, Bound)> {
        let breaks = |row: &u32| self.below_limit(usage, *row).is_some_and(|below| below < milli);
        if let Some(row) = self.path(row).find(breaks) {
            return Some((row, Bound::Limit));
        }
        if let Some(row) = self.path(row).find(|row| self.is_full(usage, *row)) {
            return Some((row, Bound::Jobs));
        }
        if milli <= self.available(usage, row) {
            return None;
        }
        let mut left = milli;
        for row in self.path(row) {
            let own = row as usize;
            if self.rows[own].parent.is_none() {
                return Some((row, Bound::Pool));
            }
            left -= (self.local[own] - usage.drawn[own]).max(0);
            if self.may_draw(usage, row) < left {
                return Some((row, Bound::Borrowing));
            }
        }
        None
    }
    /// What is used of a bound of a row, and what there is of it: jobs, or thousandths of a GPU; none: it has no such bound.
    ///
    /// ```
    /// use gigawatt::state::quota::{Bound, Row, Tree, Usage};
    /// let cloud = Row { nominal_milli: Some(8_000), limit_milli: Some(9_000), ..Row::default() };
    /// let below = Row { parent: Some(0), borrow_milli: Some(6_000), ..Row::default() };
    /// let tree = Tree::new(vec![cloud, below]);
    /// let mut usage = Usage::of(&tree);
    /// usage.add(&tree, 1, 5_000);
    /// assert_eq!(tree.used(&usage, 0, Bound::Pool), Some((5_000, 8_000)));
    /// assert_eq!(tree.used(&usage, 0, Bound::Limit), Some((5_000, 9_000)));
    /// assert_eq!(tree.used(&usage, 1, Bound::Borrowing), Some((5_000, 6_000)));
    /// assert_eq!(tree.used(&usage, 1, Bound::Limit), None);
    /// ```
    #[must_use]
    pub fn used(&self, usage: &Usage, row: u32, bound: Bound) -> Option<(u64, u64)> {
        let own = row as usize;
        let (used, most) = match bound {
            Bound::Limit => (usage.held[own], self.rows[own].limit_milli?.into()),
            Bound::Jobs => (usage.jobs[own], self.rows[own].jobs?.into()),
            Bound::Borrowing => (signed(self.over(usage, row)), self.rows[own].borrow_milli?.into()),
            Bound::Pool => (usage.drawn[own], self.own_milli(row)?),
        };
        Some((used.unsigned_abs(), most))
    }
    /// What jobs that count against a row may still take of what there is, whatever the limits; below 0 where what ran at
    /// time 0 holds more than that.
    #[must_use]
    pub fn available(&self, usage: &Usage, row: u32) -> i64 {
        let own = row as usize;
        let Some(parent) = self.rows[own].parent else { return self.subtree[own] - usage.drawn[own] };
        let above = self.available(usage, parent).min(self.may_draw(usage, row));
        (self.local[own] - usage.drawn[own]).max(0) + above
    }
    /// What a row may still draw from the one above it.
    fn may_draw(&self, usage: &Usage, row: u32) -> i64 {
        let own = row as usize;
        let beyond_local = (usage.drawn[own] - self.local[own]).max(0);
        let lent = self.subtree[own] - self.local[own];
        self.rows[own].borrow_milli.map_or(UNBOUNDED, |borrow| lent - beyond_local + i64::from(borrow))
    }
    /// What a row holds beyond what is its own.
    pub(crate) fn over(&self, usage: &Usage, row: u32) -> u64 {
        self.over_with(usage, row, 0)
    }
    /// The same where so many thousandths more are drawn of it.
    pub(crate) fn over_with(&self, usage: &Usage, row: u32, more: u64) -> u64 {
        let own = row as usize;
        (usage.drawn[own] + signed(more) - self.subtree[own]).max(0).unsigned_abs()
    }
    /// What is drawn more of the row above one where so many thousandths more are drawn of it.
    pub(crate) fn draws_more(&self, usage: &Usage, row: u32, more: u64) -> u64 {
        let own = row as usize;
        let beyond_local = |drawn: i64| (drawn - self.local[own]).max(0);
        let drawn = usage.drawn[own];
        (beyond_local(drawn + signed(more)) - beyond_local(drawn)).unsigned_abs()
    }
    /// What is nominally a row's own, whatever those below it lend.
    pub(crate) fn nominal_milli(&self, row: u32) -> u64 {
        self.rows[row as usize].nominal_milli.unwrap_or(0).into()
    }
    /// What is left of what a row keeps to itself.
    pub(crate) fn left_to_itself(&self, usage: &Usage, row: u32) -> u64 {
        let own = row as usize;
        (self.local[own] - usage.drawn[own]).max(0).unsigned_abs()
    }
    /// What nobody else may borrow of what is there for a row.
    pub(crate) fn kept(&self, row: u32) -> u64 {
        self.local[row as usize].unsigned_abs()
    }
    /// The most that the row above one could hold, were there no others: nothing for a root; none: no end.
    pub(super) fn most_above(&self, row: u32) -> Option<u64> {
        self.rows[row as usize].parent.map_or(Some(0), |parent| ended(self.most_of(parent)))
    }
    /// The most that jobs which count against a row could hold, were there no others; none: no end.
    #[must_use]
    pub fn most(&self, row: u32) -> Option<u64> {
        let most = self.most_of(row);
        ended(self.whole(row).map_or(most, |whole| most.min(self.most_of(whole))))
    }
    /// The same, whatever there is of all platforms together.
    fn most_of(&self, row: u32) -> i64 {
        let limits = self.path(row).filter_map(|row| self.rows[row as usize].limit_milli);
        self.reach(row).min(limits.min().map_or(UNBOUNDED, i64::from))
    }
    /// The most that a row and those below it could hold together, were there no others: what those below keep from others
    /// counts too; none: no end.
    ///
    /// ```
    /// use gigawatt::state::quota::{Row, Tree};
    /// let below = Row { parent: Some(0), nominal_milli: Some(8_000), lend_milli: Some(6_000), ..Row::default() };
    /// let tree = Tree::new(vec![Row::default(), below]);
    /// assert_eq!([0, 1].map(|row| tree.most_within(row)), [Some(8_000); 2]);
    /// ```
    #[must_use]
    pub fn most_within(&self, row: u32) -> Option<u64> {
        let below = (row + 1..narrow(self.rows.len())).filter(|other| self.is_within(*other, row));
        let kept: i64 = below.map(|other| self.local[other as usize]).sum();
        let limits = self.path(row).filter_map(|row| self.rows[row as usize].limit_milli);
        ended(limits.map(i64::from).fold(self.reach(row).saturating_add(kept), i64::min))
    }
    /// The same whatever the limits.
    fn reach(&self, row: u32) -> i64 {
        let own = row as usize;
        let Some(parent) = self.rows[own].parent else { return self.subtree[own] };
        let all = self.local[own] + self.reach(parent);
        self.rows[own].borrow_milli.map_or(all, |borrow| all.min(self.subtree[own] + i64::from(borrow)))
    }
}

/// An amount, if there is an end of it.
fn ended(milli: i64) -> Option<u64> {
    (milli < UNBOUNDED).then(|| milli.unsigned_abs())
}

pub(super) fn narrow(rows: usize) -> u32 {
    u32::try_from(rows).expect("rows are no more than queues, tenants and partitions")
}

pub(super) fn signed(milli: u64) -> i64 {
    i64::try_from(milli).expect("no cluster has so many GPUs")
}
