//! Topology-aware scheduling as Kueue does it: how many pods of a gang go to each of the lowest domains of a tree.
//!
//! The tree has levels from above down, such as block, rack and host; every lowest domain has room for so many pods. Pods
//! may come in *slices*: each keeps so many pods together below one domain of the *slice level*. A domain has room for as
//! many slices as it has pods for, rounded down, at the slice level; above it, for those of its children.
//!
//! 1. *Found.* `Required(level)`: the domain of that level, if one has room for all, that has room for the fewest slices
//!    besides. `Preferred(level)`: the same, else at the level above, and so on; at the highest, several domains are taken.
//!    `Anywhere`: the lowest domain with the least room that holds all, else one after another, the one with the least
//!    room first; [`Domains::least_free`] takes several so whatever the wish.
//! 2. *Taken* from a line of domains, the one with the most slices first, then the least room for pods, then its place in
//!    the tree: the first gives all it can; as soon as one could end it, the one of the rest that has the fewest slices
//!    and still can does.
//! 3. *Down* a level at a time: above the slice level from the children of all domains that were chosen together, so that
//!    few racks come before few hosts; from the slice level on each domain deals to its own children, by pods.
//!
//! A number of pods that slices do not divide finds no place. Several layers of slices, the balanced placement and
//! leaders are not modelled. Placement `tas` asks.
//! Kubernetes SIGs, Kueue 0.20-devel, KEP-2724.

/// Where a gang is to lie; levels count from 0, the highest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Below one domain of this level.
    Required(usize),
    /// Below one domain of this level, else of the one above, and so on.
    Preferred(usize),
    /// Anywhere, where the least is left.
    Anywhere,
}

/// Pods that stay together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slices {
    /// How many pods each has, at least 1.
    pub pods: u32,
    /// The level below one domain of which a slice lies.
    pub level: usize,
}

/// A tree of domains and their room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domains {
    /// By level, from above down, every domain's parent among those of the level above; 0 at the highest.
    parents: Vec<Vec<usize>>,
    /// Pods that each of the lowest domains has room for.
    room: Vec<u32>,
    /// Whether the least room goes first whatever the wish.
    least_first: bool,
}

/// What of a line of domains is dealt with: its place in its level, and what it has room for.
#[derive(Debug, Clone, Copy)]
struct Offer {
    domain: usize,
    /// In the unit that is dealt: slices or pods.
    units: u32,
    /// In pods.
    pods: u32,
}

impl Domains {
    /// A tree of domains: `parents` by level from above down, `room` of the lowest ones.
    ///
    /// ```
    /// use gigawatt::state::place::tas::{Domains, Slices, Wish};
    /// // Two racks with hosts of 3, 3 and 4 pods.
    /// let domains = Domains::new(vec![vec![0, 0], vec![0, 0, 1]], vec![3, 3, 4]);
    /// let each = Slices { pods: 1, level: 1 };
    /// assert_eq!(domains.assign(4, Wish::Required(0), each), Some(vec![0, 0, 4]), "the rack that is full then");
    /// assert_eq!(domains.assign(7, Wish::Required(0), each), None);
    /// assert_eq!(domains.assign(7, Wish::Preferred(0), each), Some(vec![3, 0, 4]));
    /// ```
    ///
    /// # Panics
    /// If there is no level, a parent does not exist, or the lowest level is not as long as `room`.
    #[must_use]
    pub fn new(parents: Vec<Vec<usize>>, room: Vec<u32>) -> Self {
        assert_eq!(parents.last().map(Vec::len), Some(room.len()), "every lowest domain has room, if none");
        let known = |(level, of): (usize, &Vec<usize>)| {
            let above = if level == 0 { 1 } else { parents[level - 1].len() };
            of.iter().all(|parent| *parent < above)
        };
        assert!(parents.iter().enumerate().all(known), "every domain is below one that exists");
        Self { parents, room, least_first: false }
    }

    /// The same, where of several domains those with the least room are taken first, whatever the wish.
    ///
    /// ```
    /// use gigawatt::state::place::tas::{Domains, Slices, Wish};
    /// let hosts = || Domains::new(vec![vec![0; 4]], vec![3, 3, 2, 1]);
    /// let each = Slices { pods: 1, level: 0 };
    /// assert_eq!(hosts().assign(7, Wish::Preferred(0), each), Some(vec![3, 3, 0, 1]));
    /// assert_eq!(hosts().least_free().assign(7, Wish::Preferred(0), each), Some(vec![3, 1, 2, 1]));
    /// ```
    #[must_use]
    pub fn least_free(self) -> Self {
        Self { least_first: true, ..self }
    }

    /// How many of `pods` pods go to each of the lowest domains; `None` if they find no place.
    ///
    /// # Complexity
    /// O(levels · domains log domains).
    ///
    /// # Panics
    /// If a level does not exist, or slices have no pods.
    #[must_use]
    pub fn assign(&self, pods: u32, wish: Wish, slices: Slices) -> Option<Vec<u32>> {
        assert!(slices.level < self.parents.len() && slices.pods > 0, "slices lie at a level and have pods");
        let wanted = pods.checked_div(slices.pods).filter(|wanted| wanted * slices.pods == pods)?;
        let (room, least_first) = (self.rooms(slices), self.least_first || wish == Wish::Anywhere);
        let (mut level, mut dealt) = self.find(wanted, wish, (&room, slices))?;
        while level + 1 < self.parents.len() {
            let mut below = vec![Vec::new(); self.parents[level].len()];
            self.parents[level + 1].iter().enumerate().for_each(|(child, parent)| below[*parent].push(child));
            let children = |(domain, units): (usize, u32)| (std::mem::take(&mut below[domain]), units);
            let chosen = dealt.into_iter().map(children);
            let lower = &room[level + 1];
            dealt = if level < slices.level {
                let (all, units): (Vec<Vec<usize>>, Vec<u32>) = chosen.unzip();
                let offers = all.concat().into_iter().map(|child| lower[child]).collect();
                deal(offers, units.iter().sum(), least_first)?
            } else {
                let each = if level == slices.level { slices.pods } else { 1 };
                let one = |(own, units): (Vec<usize>, u32)| {
                    let by_pods = |child: &usize| Offer { units: lower[*child].pods, ..lower[*child] };
                    deal(own.iter().map(by_pods).collect(), units * each, least_first)
                };
                chosen.map(one).collect::<Option<Vec<_>>>()?.concat()
            };
            level += 1;
        }
        let each = if level == slices.level { slices.pods } else { 1 };
        let mut assigned = vec![0; self.room.len()];
        dealt.into_iter().for_each(|(domain, units)| assigned[domain] = units * each);
        Some(assigned)
    }

    /// By level what each domain has room for, in slices down to their level and in pods below.
    fn rooms(&self, slices: Slices) -> Vec<Vec<Offer>> {
        let lowest =
            self.room.iter().enumerate().map(|(domain, pods)| Offer { domain, units: *pods, pods: *pods });
        let mut rooms = vec![lowest.collect::<Vec<_>>()];
        for level in (0..self.parents.len()).rev() {
            let own = rooms.last_mut().expect("the level was summed up");
            if level == slices.level {
                own.iter_mut().for_each(|offer| offer.units = offer.pods / slices.pods);
            }
            let Some(above) = level.checked_sub(1) else { break };
            let none = (0..self.parents[above].len()).map(|domain| Offer { domain, units: 0, pods: 0 });
            let mut sums: Vec<Offer> = none.collect();
            for (offer, parent) in own.iter().zip(&self.parents[level]) {
                sums[*parent].units = sums[*parent].units.saturating_add(offer.units);
                sums[*parent].pods = sums[*parent].pods.saturating_add(offer.pods);
            }
            rooms.push(sums);
        }
        rooms.reverse();
        rooms
    }

    /// The level and the domains that take so many slices, each with its part; at the slice level at the lowest.
    fn find(
        &self,
        wanted: u32,
        wish: Wish,
        (room, slices): (&[Vec<Offer>], Slices),
    ) -> Option<(usize, Vec<(usize, u32)>)> {
        let (mut level, may_rise) = match wish {
            Wish::Required(level) => (level, false),
            Wish::Preferred(level) => (level, true),
            Wish::Anywhere => return Some((slices.level, deal(room[slices.level].clone(), wanted, true)?)),
        };
        assert!(level <= slices.level, "slices lie at the level that is asked for or below");
        loop {
            let holding = room[level].iter().filter(|offer| offer.units >= wanted);
            if let Some(best) = holding.min_by_key(|offer| (offer.units, offer.pods, offer.domain)) {
                return Some((level, vec![(best.domain, wanted)]));
            }
            if !may_rise {
                return None;
            }
            match level.checked_sub(1) {
                Some(above) => level = above,
                None => return Some((level, deal(room[level].clone(), wanted, self.least_first)?)),
            }
        }
    }
}

/// Deals so much to a line of domains; `None` if it has too little.
fn deal(mut line: Vec<Offer>, mut wanted: u32, least_first: bool) -> Option<Vec<(usize, u32)>> {
    let mut dealt = Vec::new();
    if least_first {
        line.sort_by_key(|offer| (offer.units, offer.pods, offer.domain));
        if let Some(offer) = line.iter().find(|offer| offer.units >= wanted) {
            return Some(vec![(offer.domain, wanted)]);
        }
    } else {
        line.sort_by_key(|offer| (std::cmp::Reverse(offer.units), offer.pods, offer.domain));
    }
    let mut line = line.into_iter().filter(|offer| offer.units > 0).peekable();
    while wanted > 0 {
        let mut next = line.next()?;
        if next.units >= wanted && !least_first {
            // Of those that could end it, the one with the least room.
            let fitting = line.by_ref().filter(|offer| offer.units >= wanted);
            next = fitting.chain([next]).min_by_key(|offer| (offer.units, offer.pods, offer.domain))?;
        }
        let part = wanted.min(next.units);
        dealt.push((next.domain, part));
        wanted -= part;
    }
    Some(dealt)
}
