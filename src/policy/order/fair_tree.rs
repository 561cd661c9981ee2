//! Slurm's Fair Tree: who got less for their weight than those beside them goes first, from the top of the tree down.

use super::{HALF_LIFE, ListedOrder, OrderKey, RANK_PERIOD, Varying};
use std::cmp::Reverse;

pub(super) const ENTRY: ListedOrder = ListedOrder {
    name: "fair-tree",
    about: "queues that got less for their `weight` lately than those beside them first, tenants of a queue alike",
    source: "Slurm, Fair Tree fairshare algorithm",
    options: &[HALF_LIFE, RANK_PERIOD],
    rule: OrderKey::Varying(Varying {
        key: |at, job| {
            let (rank, of) = at.share_rank(job);
            u64::from(of - rank)
        },
        reads_shares: |_| true,
    }),
};

/// A member of a tree of shares: an account, which has others below it, or a user, who has jobs.
///
/// Accounts are queues here, and users the tenants of a queue, or those that stand in none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Member {
    /// The account above it, which comes before it; none: it is at the top.
    pub parent: Option<u32>,
    /// What it is to get, relative to those beside it, thousandths.
    pub weight_milli: u32,
    /// What its own jobs used, in any unit that is the same for all; what those below it used comes on top.
    pub used: u64,
    /// Whether it is a user, who is ranked.
    pub is_user: bool,
}

/// By member, the rank of users, counted down from their number; 0 for accounts.
///
/// Of members beside one another those go first whose weight is the greater part of all weights there, compared with
/// the part that they used of what all used there: their level is the quotient. Users of an account rank before all of the
/// next one. Users of equal level share a rank; accounts of equal level are merged, their members going by their own levels.
/// What weighs nothing has level 0; what weighs something and used nothing ranks before all others.
///
/// # Panics
/// If a member does not come after the account above it.
///
/// # Complexity
/// O(|members| · (depth + log |members|)) time.
///
/// ```
/// use gigawatt::policy::order::fair_tree::{Member, ranks};
/// let account = |weight_milli| Member { weight_milli, ..Member::default() };
/// let user = |parent, used| Member { parent: Some(parent), weight_milli: 1000, used, is_user: true };
/// // The first account is to get three times as much as the second, and got one and a half times as much.
/// let members = [account(3000), account(1000), user(0, 40), user(0, 20), user(1, 40), user(1, 0)];
/// assert_eq!(ranks(&members), [0, 0, 3, 4, 1, 2]);
/// ```
#[must_use]
pub fn ranks(members: &[Member]) -> Vec<u32> {
    let users = members.iter().filter(|member| member.is_user).count();
    let users = u32::try_from(users).expect("users are no more than jobs");
    let (mut top, mut below) = (Vec::new(), vec![Vec::new(); members.len()]);
    for (own, member) in (0..).zip(members) {
        member.parent.map_or(&mut top, |parent| &mut below[parent as usize]).push(own);
    }
    let (levels, ranks) = (levels(members), vec![0; members.len()]);
    let mut walk = Walk { members, below, levels, ranks, last: users, next: users };
    walk.rank(top, false);
    walk.ranks
}

/// By member: its part of the weights beside it, by its part of what was used there, out of 2³²; equal quotients are equal.
fn levels(members: &[Member]) -> Vec<u128> {
    let mut used: Vec<u64> = members.iter().map(|member| member.used).collect();
    // By the member above, the top at the end: all weights and all that was used below it.
    let top = members.len();
    let above = |member: &Member| member.parent.map_or(top, |parent| parent as usize);
    let (mut weights_below, mut used_below) = (vec![0_u64; top + 1], vec![0_u64; top + 1]);
    for (own, member) in members.iter().enumerate().rev() {
        let is_ordered = member.parent.is_none_or(|parent| (parent as usize) < own);
        assert!(is_ordered, "a member comes after the one above it");
        // 63 bits, so that products fit.
        used[own] = used[own].saturating_add(used_below[own]).min(u64::MAX >> 1);
        weights_below[above(member)] += u64::from(member.weight_milli);
        used_below[above(member)] = used_below[above(member)].saturating_add(used[own]).min(u64::MAX >> 1);
    }
    let level = |(own, member): (usize, &Member)| match (member.weight_milli, used[own]) {
        (0, _) => 0,
        (_, 0) => u128::MAX,
        (weight, used) => {
            let (weights, all_used) = (weights_below[above(member)], used_below[above(member)]);
            ((u128::from(weight) * u128::from(all_used)) << 32) / (u128::from(used) * u128::from(weights))
        }
    };
    members.iter().enumerate().map(level).collect()
}

struct Walk<'a> {
    members: &'a [Member],
    /// By member: those right below it.
    below: Vec<Vec<u32>>,
    levels: Vec<u128>,
    ranks: Vec<u32>,
    /// The rank given last, and the next where there is no tie.
    last: u32,
    next: u32,
}

impl Walk<'_> {
    /// Ranks members beside one another, and those below them; the first may be tied with the one ranked last.
    fn rank(&mut self, mut siblings: Vec<u32>, mut is_tied: bool) {
        siblings
            .sort_by_key(|own| (Reverse(self.levels[*own as usize]), !self.members[*own as usize].is_user));
        let mut rest = siblings.into_iter().peekable();
        while let Some(own) = rest.next() {
            let same = self.levels[own as usize];
            if self.members[own as usize].is_user {
                if !is_tied {
                    self.last = self.next;
                }
                self.ranks[own as usize] = self.last;
                self.next -= 1;
            } else {
                let mut merged = std::mem::take(&mut self.below[own as usize]);
                while let Some(other) = rest.next_if(|other| self.levels[*other as usize] == same) {
                    merged.append(&mut self.below[other as usize]);
                }
                self.rank(merged, is_tied);
            }
            is_tied = rest.peek().is_some_and(|next| self.levels[*next as usize] == same);
        }
    }
}
