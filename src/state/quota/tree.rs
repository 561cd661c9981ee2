//! The tree of what may be held, and what is held of it.

use crate::history::Plan;

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
    rows: Vec<Row>,
    /// By row.
    subtree: Vec<i64>,
    local: Vec<i64>,
    /// Rows from here on are limits of partitions.
    limits: u32,
    /// By tenant of the plan: the row of its jobs.
    of_tenant: Vec<Option<u32>>,
    /// By partition of the plan's workload.
    of_partition: Vec<Option<u32>>,
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
        let mut tree = Self { limits: narrow(rows.len()), rows, ..Self::default() };
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
    /// The quotas and limits of a plan: a row each tenant that has a quota, then one each partition that has a limit.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let (workload, mut rows) = (&plan.workload, Vec::new());
        let mut row_with = |limit_milli: Option<u32>| {
            limit_milli?;
            rows.push(Row { limit_milli, ..Row::default() });
            Some(narrow(rows.len() - 1))
        };
        let of_tenant: Vec<_> = workload.tenants.iter().map(|tenant| row_with(tenant.quota_milli)).collect();
        let limits = narrow(of_tenant.iter().flatten().count());
        let limit = |name: &String| plan.cluster.partition(name).and_then(|partition| partition.limit_milli);
        let of_partition = workload.partitions.iter().map(|name| row_with(limit(name))).collect();
        Self { limits, of_tenant, of_partition, ..Self::new(rows) }
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
    /// The row of the quota that jobs of a tenant count against; none: no quota.
    pub(in crate::state) fn quota_of(&self, tenant: u32) -> Option<u32> {
        self.of_tenant.get(tenant as usize).copied().flatten()
    }
    /// The row of the limit of a partition; none: it has no limit.
    pub(in crate::state) fn limit_of(&self, partition: u32) -> Option<u32> {
        self.of_partition.get(partition as usize).copied().flatten()
    }
    pub(super) const fn is_limit_of_partition(&self, row: u32) -> bool {
        row >= self.limits
    }
    /// The row at the top of the tree that a row is in.
    #[must_use]
    pub fn root(&self, row: u32) -> u32 {
        self.path(row).last().unwrap_or(row)
    }
    /// A row and those above it.
    fn path(&self, row: u32) -> impl Iterator<Item = u32> {
        std::iter::successors(Some(row), |row| self.rows[*row as usize].parent)
    }
    /// Whether jobs that count against a row may hold so many thousandths more.
    ///
    /// # Complexity
    /// O(depth) time.
    #[must_use]
    #[inline]
    pub fn admits(&self, usage: &Usage, row: u32, milli: u64) -> bool {
        let milli = signed(milli);
        let below = |row: u32| {
            let limit = self.rows[row as usize].limit_milli;
            limit.is_none_or(|limit| usage.held[row as usize] + milli <= i64::from(limit))
        };
        self.path(row).all(below) && milli <= self.available(usage, row)
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
    /// The most that jobs which count against a row could hold, were there no others; none: no end.
    #[must_use]
    pub fn most(&self, row: u32) -> Option<u64> {
        let limits = self.path(row).filter_map(|row| self.rows[row as usize].limit_milli);
        let limit = limits.min().map_or(UNBOUNDED, i64::from);
        let most = self.reach(row).min(limit);
        (most < UNBOUNDED).then(|| most.unsigned_abs())
    }
    /// The same whatever the limits.
    fn reach(&self, row: u32) -> i64 {
        let own = row as usize;
        let Some(parent) = self.rows[own].parent else { return self.subtree[own] };
        let all = self.local[own] + self.reach(parent);
        self.rows[own].borrow_milli.map_or(all, |borrow| all.min(self.subtree[own] + i64::from(borrow)))
    }
}

/// What is held of a tree, by row.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Usage {
    held: Vec<i64>,
    drawn: Vec<i64>,
}

impl Clone for Usage {
    fn clone(&self) -> Self {
        Self { held: self.held.clone(), drawn: self.drawn.clone() }
    }
    /// In the memory that is there.
    fn clone_from(&mut self, other: &Self) {
        self.held.clone_from(&other.held);
        self.drawn.clone_from(&other.drawn);
    }
}

impl Usage {
    /// Nothing is held of the tree.
    #[must_use]
    pub fn of(tree: &Tree) -> Self {
        Self { held: vec![0; tree.rows.len()], drawn: vec![0; tree.rows.len()] }
    }
    /// A job that counts against a row holds so many thousandths more.
    ///
    /// # Complexity
    /// O(depth) time.
    pub fn add(&mut self, tree: &Tree, row: u32, milli: u64) {
        self.change(tree, row, signed(milli));
    }
    /// A job that counts against a row holds so many thousandths less.
    ///
    /// # Complexity
    /// O(depth) time.
    pub fn subtract(&mut self, tree: &Tree, row: u32, milli: u64) {
        self.change(tree, row, -signed(milli));
    }
    /// The order of changes makes no difference: what is drawn of a row follows from what is held below it alone.
    fn change(&mut self, tree: &Tree, row: u32, milli: i64) {
        let mut drawn = milli;
        for own in tree.path(row).map(|own| own as usize) {
            self.held[own] += milli;
            let beyond_local = |drawn: i64| (drawn - tree.local[own]).max(0);
            let before = beyond_local(self.drawn[own]);
            self.drawn[own] += drawn;
            drawn = beyond_local(self.drawn[own]) - before;
        }
    }
    /// What the jobs that count against a row or one below it hold, thousandths.
    ///
    /// ```
    /// use gigawatt::state::quota::{Row, Tree, Usage};
    /// let tree = Tree::new(vec![Row::default(), Row { parent: Some(0), ..Row::default() }]);
    /// let mut usage = Usage::of(&tree);
    /// usage.add(&tree, 1, 2_000);
    /// assert_eq!([0, 1].map(|row| usage.held(row)), [2_000; 2]);
    /// usage.subtract(&tree, 1, 2_000);
    /// assert_eq!(usage, Usage::of(&tree));
    /// ```
    #[must_use]
    pub fn held(&self, row: u32) -> u64 {
        self.held[row as usize].unsigned_abs()
    }
}

fn narrow(rows: usize) -> u32 {
    u32::try_from(rows).expect("rows are no more than queues, tenants and partitions")
}

fn signed(milli: u64) -> i64 {
    i64::try_from(milli).expect("no cluster has so many GPUs")
}
