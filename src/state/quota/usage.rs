//! What is held of the tree of what may be held.

use super::tree::{Tree, signed};

/// What is held of a tree, by row.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub(super) held: Vec<i64>,
    pub(super) drawn: Vec<i64>,
    /// How many jobs run.
    pub(super) jobs: Vec<i64>,
}

impl Clone for Usage {
    fn clone(&self) -> Self {
        Self { held: self.held.clone(), drawn: self.drawn.clone(), jobs: self.jobs.clone() }
    }
    /// In the memory that is there.
    fn clone_from(&mut self, other: &Self) {
        self.held.clone_from(&other.held);
        self.drawn.clone_from(&other.drawn);
        self.jobs.clone_from(&other.jobs);
    }
}

impl Usage {
    /// Nothing is held of the tree.
    #[must_use]
    pub fn of(tree: &Tree) -> Self {
        let none = || vec![0; tree.rows.len()];
        Self { held: none(), drawn: none(), jobs: none() }
    }
    /// One more job that counts against a row runs, and holds so many thousandths.
    ///
    /// # Complexity
    /// O(depth) time.
    pub fn add(&mut self, tree: &Tree, row: u32, milli: u64) {
        self.change(tree, row, (signed(milli), 1));
    }
    /// A job that counts against a row, and held so many thousandths, runs no more.
    ///
    /// # Complexity
    /// O(depth) time.
    pub fn subtract(&mut self, tree: &Tree, row: u32, milli: u64) {
        self.change(tree, row, (-signed(milli), -1));
    }
    /// The order of changes makes no difference: what is drawn of a row follows from what is held below it alone.
    fn change(&mut self, tree: &Tree, row: u32, amounts: (i64, i64)) {
        self.change_of(tree, row, amounts);
        if let Some(whole) = tree.whole(row) {
            self.change_of(tree, whole, amounts);
        }
    }
    fn change_of(&mut self, tree: &Tree, row: u32, (milli, jobs): (i64, i64)) {
        let mut drawn = milli;
        for own in tree.path(row).map(|own| own as usize) {
            self.held[own] += milli;
            self.jobs[own] += jobs;
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
