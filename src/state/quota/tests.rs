use super::*;
use crate::history::sample::Dice;

/// GPUs of a row: its parent, then what is nominal, borrowed and lent; below 0: nothing is said.
type Described = (Option<u32>, i32, i32, i32);

fn tree_of(rows: &[Described]) -> Tree {
    let milli = |gpus: i32| u32::try_from(gpus).ok().map(|gpus| gpus * 1000);
    let row = |&(parent, nominal, borrow, lend): &Described| Row {
        parent,
        nominal_milli: milli(nominal),
        borrow_milli: milli(borrow),
        lend_milli: milli(lend),
        ..Row::default()
    };
    Tree::new(rows.iter().map(row).collect())
}

/// What is held of a tree by rows, in thousandths.
fn usage_of(tree: &Tree, held: &[(u32, u64)]) -> Usage {
    let mut usage = Usage::of(tree);
    held.iter().for_each(|(row, milli)| usage.add(tree, *row, *milli));
    usage
}

#[test]
fn without_a_nominal_amount_only_limits_count() {
    let limited = Row { limit_milli: Some(144_000), ..Row::default() };
    let below = Row { parent: Some(0), limit_milli: Some(96_000), ..Row::default() };
    let tree = Tree::new(vec![limited, below, Row { limit_milli: None, ..below }]);
    let usage = usage_of(&tree, &[(1, 90_000), (2, 50_000)]);
    assert_eq!([0, 1, 2].map(|row| tree.most(row)), [Some(144_000), Some(96_000), Some(144_000)]);
    assert!(tree.admits(&usage, 1, 4_000), "up to what both may hold");
    assert!(!tree.admits(&usage, 1, 4_001), "no further");
    assert_eq!(tree.most(tree.root(2)), Some(144_000), "its root");
    assert_eq!(Tree::new(vec![Row::default()]).most(0), None, "nothing is said of it");
}

#[test]
fn no_more_jobs_run_than_may_however_small_they_are() {
    let below = Row { parent: Some(0), jobs: Some(2), ..Row::default() };
    let tree = Tree::new(vec![Row { jobs: Some(3), ..Row::default() }, below, Row { jobs: None, ..below }]);
    let mut usage = usage_of(&tree, &[(1, 1), (1, 1)]);
    assert_eq!(tree.refusing(&usage, 1, 1), Some((1, Bound::Jobs)), "two run");
    assert_eq!((tree.room(&usage, 1), tree.admits(&usage, 2, 9_000)), (0, true), "there alone");
    usage.add(&tree, 2, 1);
    assert_eq!(tree.refusing(&usage, 2, 1), Some((0, Bound::Jobs)), "three run below the first");
    assert_eq!(tree.used(&usage, 0, Bound::Jobs), Some((3, 3)));
    usage.subtract(&tree, 1, 1);
    assert!([1, 2].iter().all(|row| tree.admits(&usage, *row, 1)), "one has ended");
}

#[test]
fn what_ran_before_may_exceed_what_there_is() {
    let tree = tree_of(&[(None, 4, -1, -1), (Some(0), 4, 0, 0), (Some(0), 2, -1, -1)]);
    let usage = usage_of(&tree, &[(1, 6_000), (2, 9_000)]);
    // The first keeps its own 4, so that 2 of what it holds and all that the other holds are drawn of 6.
    assert_eq!([0, 1, 2].map(|row| tree.available(&usage, row)), [-5_000; 3]);
    assert!(!tree.admits(&usage, 2, 0), "not even nothing may be added");
}

/// The amounts of a row by their definition, from what rows hold themselves.
struct Definition<'a> {
    rows: &'a [Row],
    own: &'a [i64],
    /// A planted error: what is kept from others is forgotten.
    forgets_local: bool,
}

impl Definition<'_> {
    fn children(&self, row: u32) -> impl Iterator<Item = u32> {
        (0..).zip(self.rows).filter(move |(_, other)| other.parent == Some(row)).map(|(child, _)| child)
    }
    fn subtree(&self, row: u32) -> i64 {
        let lent: i64 = self.children(row).map(|child| self.subtree(child) - self.local(child)).sum();
        i64::from(self.rows[row as usize].nominal_milli.unwrap_or(0)) + lent
    }
    fn local(&self, row: u32) -> i64 {
        let lend = self.rows[row as usize].lend_milli.filter(|_| !self.forgets_local);
        lend.map_or(0, |lend| (self.subtree(row) - i64::from(lend)).max(0))
    }
    fn held(&self, row: u32) -> i64 {
        self.own[row as usize] + self.children(row).map(|child| self.held(child)).sum::<i64>()
    }
    fn drawn(&self, row: u32) -> i64 {
        let beyond = self.children(row).map(|child| (self.drawn(child) - self.local(child)).max(0));
        self.own[row as usize] + beyond.sum::<i64>()
    }
    fn available(&self, row: u32) -> i64 {
        let Row { parent, borrow_milli, .. } = self.rows[row as usize];
        let (subtree, local, drawn) = (self.subtree(row), self.local(row), self.drawn(row));
        let Some(parent) = parent else { return subtree - drawn };
        let may_draw =
            borrow_milli.map(|borrow| subtree - local - (drawn - local).max(0) + i64::from(borrow));
        let above = self.available(parent);
        (local - drawn).max(0) + may_draw.map_or(above, |own| above.min(own))
    }
}

/// A tree of up to nine rows, the first with a nominal amount.
fn random_rows(dice: &mut Dice) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for own in 0..1 + dice.below(9) {
        let mut some = |most: u32| dice.one_in(2).then(|| 1000 * dice.below(most));
        let (nominal, borrow, lend) = (some(12), some(8), some(12));
        let parent = (own > 0).then(|| dice.below(own));
        let nominal_milli = nominal.or((own == 0).then_some(8_000));
        let (borrow_milli, lend_milli) = (borrow.filter(|_| own > 0), lend.filter(|_| own > 0));
        rows.push(Row { parent, nominal_milli, borrow_milli, lend_milli, ..Row::default() });
    }
    rows
}

/// How often a tree, as jobs come and go, tells another amount than the definition does.
fn differences(seeds: u64, forgets_local: bool) -> u32 {
    let mut different = 0;
    for seed in 0..seeds {
        let dice = &mut Dice::new(seed);
        let rows = random_rows(dice);
        let (tree, count) = (Tree::new(rows.clone()), u32::try_from(rows.len()).unwrap());
        let (mut usage, mut own) = (Usage::of(&tree), vec![0_i64; rows.len()]);
        let mut running: Vec<(u32, u32)> = Vec::new();
        for _ in 0..12 {
            if !running.is_empty() && dice.one_in(3) {
                let last = dice.below(u32::try_from(running.len()).unwrap());
                let (row, milli) = running.swap_remove(last as usize);
                usage.subtract(&tree, row, u64::from(milli));
                own[row as usize] -= i64::from(milli);
            } else {
                let (row, milli) = (dice.below(count), 500 * dice.below(16));
                usage.add(&tree, row, u64::from(milli));
                own[row as usize] += i64::from(milli);
                running.push((row, milli));
            }
            let definition = Definition { rows: &rows, own: &own, forgets_local };
            let told = |row: u32| (tree.available(&usage, row), i64::try_from(usage.held(row)).unwrap());
            let differs = |row: &u32| told(*row) != (definition.available(*row), definition.held(*row));
            different += u32::from((0..count).any(|row| differs(&row)));
        }
        for (row, milli) in running {
            usage.subtract(&tree, row, u64::from(milli));
        }
        assert_eq!(usage, Usage::of(&tree), "seed {seed}: nothing is left of what has gone");
    }
    different
}

#[test]
fn what_is_held_and_available_follow_the_definition() {
    assert_eq!(differences(1000, false), 0, "of 12,000 states");
    assert!(differences(50, true) > 0, "the comparison sees a tree that keeps nothing from others");
}

#[test]
fn more_held_anywhere_leaves_no_more_anywhere() {
    for seed in 0..300 {
        let dice = &mut Dice::new(seed);
        let rows = random_rows(dice);
        let tree = Tree::new(rows.clone());
        let count = u32::try_from(rows.len()).unwrap();
        let mut usage = Usage::of(&tree);
        for _ in 0..8 {
            let before: Vec<i64> = (0..count).map(|row| tree.available(&usage, row)).collect();
            usage.add(&tree, dice.below(count), 500 * u64::from(dice.below(12)));
            for (row, before) in (0..).zip(before) {
                assert!(tree.available(&usage, row) <= before, "seed {seed}, row {row}");
            }
        }
    }
}

#[test]
fn alone_a_row_holds_the_most_that_it_could_and_no_more() {
    for seed in 0..300 {
        let rows = random_rows(&mut Dice::new(seed));
        let tree = Tree::new(rows.clone());
        let nothing = Usage::of(&tree);
        for row in 0..u32::try_from(rows.len()).unwrap() {
            let most = tree.most(row).expect("it has a nominal amount");
            assert!(tree.admits(&nothing, row, most), "seed {seed}, row {row}: {most}");
            assert!(!tree.admits(&nothing, row, most + 1), "seed {seed}, row {row}: more than {most}");
            assert_eq!(tree.refusing(&nothing, row, most), None, "seed {seed}, row {row}");
            assert!(tree.refusing(&nothing, row, most + 1).is_some(), "seed {seed}, row {row}");
        }
    }
}

#[test]
fn what_a_row_keeps_from_others_is_there_whatever_they_hold() {
    let mut kept = 0;
    for seed in 0..300 {
        let dice = &mut Dice::new(seed);
        let rows = random_rows(dice);
        let (tree, count) = (Tree::new(rows.clone()), u32::try_from(rows.len()).unwrap());
        let (mut usage, mut own) = (Usage::of(&tree), vec![0_i64; rows.len()]);
        for _ in 0..30 {
            let (row, milli) = (dice.below(count), 500 * (1 + dice.below(16)));
            if tree.admits(&usage, row, milli.into()) {
                usage.add(&tree, row, milli.into());
                own[row as usize] += i64::from(milli);
            }
            let definition = Definition { rows: &rows, own: &own, forgets_local: false };
            for row in 0..count {
                let left = definition.local(row) - definition.drawn(row);
                assert!(tree.available(&usage, row) >= left, "seed {seed}, row {row}: {left}");
                kept += u32::from(left > 0 && tree.available(&usage, row) == left);
            }
        }
    }
    assert!(kept > 100, "often it is all that is there: {kept}");
}
