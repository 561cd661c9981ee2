//! WHERE: which domains a class of jobs gets, of those that are free.
//!
//! A [`Placement`] answers a request class with a choice. The stateless ones are weights of the one cost function
//! ([`crate::cost`]; [`crate::state::place::model`] tells what it reads of a
//! cluster): the cheapest domain, ties to the lowest index.
//! `random` draws instead, `consolidate` and `tas` have rules of their own, and `fgd` and its rivals a cost of their own for one pod. What "fits" means is the same for all and lives in
//! [`crate::state::place`]:
//!
//! - A pod never leaves its node. An *any* gang no larger than the largest allowed node is one pod.
//! - A gang of several pods runs on nodes of one kind.
//! - *Prefer rack*: one rack of any kind that holds it all, the cheapest; else, kind by kind in their order, racks by
//!   capacity in whole pods (or segments), most first, each giving all it can, until one holds what is left: of those
//!   the cheapest. *Require rack*: the first or wait. *Ignore*, and on a flat cluster: all nodes of a kind are one rack.
//! - *Require a level*: one rack as above; else, kind by kind, the domain of that level with room for the fewest pods that
//!   holds it, as if the cluster were that domain; or wait. *Prefer a level*: so, then at each level above, then as above.
//! - A rack's cost for a gang is what it has free for it: the thousandths of the pods it has room for. Within a rack, nodes go by (cost, index) as they were
//!   before the gang, each taking as many pods as fit; then the remainder pod takes the preferred of the others.

mod best_fit;
mod best_fit_pods;
mod cheapest_energy;
mod consolidate;
mod dot_product;
pub mod expression;
mod fgd;
mod first_fit;
mod gpu_clustering;
mod gpu_packing;
mod least_stranded;
mod own;
mod pack;
mod random;
pub mod ranked;
mod spread;
mod tas;
mod tas_least_free;
mod worst_fit;

use super::part::{Kind, Part, PartOption};
use crate::cluster::Occupancy;
use crate::cost::Weights;
use crate::history::Plan;
use crate::random::{Purpose, Stream};
use crate::state::class::{Class, Classes, Form};
use crate::state::place::model::Model;
use crate::state::place::{Admission, Cheapest, Choice, Picker, Preference, gang, pod};
use crate::state::power::level::cap_of;
use crate::state::{Resources, State};

/// One placement: its name, what it does, and its rule.
#[derive(Debug)]
pub struct ListedPlacement {
    /// Unique among placements.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    /// What can be said about how it works.
    pub options: &'static [PartOption],
    rule: Choosing,
}

/// Every placement.
pub const PLACEMENTS: &[ListedPlacement] = &[
    first_fit::ENTRY,
    best_fit::ENTRY,
    worst_fit::ENTRY,
    random::ENTRY,
    pack::ENTRY,
    spread::ENTRY,
    cheapest_energy::ENTRY,
    least_stranded::ENTRY,
    consolidate::ENTRY,
    fgd::ENTRY,
    best_fit_pods::ENTRY,
    gpu_packing::ENTRY,
    gpu_clustering::ENTRY,
    dot_product::ENTRY,
    tas::ENTRY,
    tas_least_free::ENTRY,
];

#[derive(Debug, Clone, Copy)]
enum Choosing {
    /// The cheapest by the cost function.
    Weigh(Weights),
    /// The least random draw.
    Draw,
    Consolidate,
    /// One pod by a cost of its own.
    Own(own::Own),
    /// The least room that holds a job, level by level; of several domains those with most first, or those with least.
    Levels {
        least_free: bool,
    },
}

impl ListedPlacement {
    /// It as one of the parts of a policy.
    #[must_use]
    pub const fn part(&self) -> Part {
        Part {
            kind: Kind::Placement,
            name: self.name,
            about: self.about,
            source: self.source,
            options: self.options,
        }
    }
    /// Whether it goes by what is on a node now, and knows of no time to come.
    #[must_use]
    pub const fn knows_now_alone(&self) -> bool {
        matches!(self.rule, Choosing::Own(own::Own { reads: own::Reads::Pods, .. }))
    }
    /// Its weights, if it is a preset of the cost function.
    #[must_use]
    pub const fn weights(&self) -> Option<Weights> {
        match self.rule {
            Choosing::Weigh(weights) => Some(weights),
            Choosing::Draw | Choosing::Consolidate | Choosing::Own(_) | Choosing::Levels { .. } => None,
        }
    }
}

/// A placement ready to choose.
#[derive(Debug)]
pub struct Placement {
    rule: Choosing,
    preference: Preference,
    model: Model,
    stream: Stream,
    /// What costs of its own are relative to.
    scale: own::Scale,
    scratch: Choice,
}

impl Placement {
    /// The placement that a plan's settings name, by its name or by weights; `None` if there is none.
    #[must_use]
    pub fn of(plan: &Plan, classes: &Classes) -> Option<Self> {
        rule_of(&plan.settings.placement).map(|rule| Self::new(plan, classes, rule))
    }
    /// The lowest node or rack that fits, whatever the settings say.
    pub(super) fn first_fit(plan: &Plan, classes: &Classes) -> Self {
        Self::new(plan, classes, first_fit::ENTRY.rule)
    }

    fn new(plan: &Plan, classes: &Classes, rule: Choosing) -> Self {
        let weights = match rule {
            Choosing::Weigh(weights) => weights,
            Choosing::Draw => Weights::ZERO,
            // What their rules are not about goes where it fits best.
            Choosing::Consolidate | Choosing::Own(_) | Choosing::Levels { .. } => {
                best_fit::ENTRY.weights().unwrap_or(Weights::ZERO)
            }
        };
        Self {
            rule,
            preference: Preference::of(weights),
            model: Model::new(plan, classes, weights),
            stream: Stream::new(plan.settings.seed, Purpose::Placement),
            scale: match rule {
                Choosing::Own(own) => own::Scale::of(plan, own),
                _ => own::Scale::default(),
            },
            scratch: Choice::default(),
        }
    }

    /// A pass begins: what holds for all of it is read. Returns whether a place may cost more or less than in the last.
    pub(super) fn freeze(&mut self, state: &State) -> bool {
        self.model.freeze_at(state.plan(), state.classes(), state.now(), state.resources())
    }

    /// Where a job of `class` would go now; false if nothing fits, and `choice` is then meaningless.
    ///
    /// # Complexity
    /// O(1) for pods and O(racks used) for gangs where the capacity index answers; else O(nodes of the scope).
    #[inline]
    pub fn choose(&self, class: &Class, job: u32, occupancy: &Occupancy, choice: &mut Choice) -> bool {
        self.find(&self.picker(class, job, occupancy, None), choice)
    }

    /// As [`Placement::choose`], within every cap on power: at the highest level at which there is such a place.
    #[inline]
    pub(super) fn choose_in(&self, class: &Class, job: u32, room: &Resources, choice: &mut Choice) -> bool {
        if class.alternatives.is_empty() {
            return self.at_levels(class, job, room, choice, |picker, choice| self.find(picker, choice));
        }
        // On the first platform whose quota and nodes let it.
        room.allowed(class).any(|own| self.choose_in(own, job, room, choice))
    }

    /// What `find` finds within every cap on power: at the highest level at which it does.
    #[inline]
    fn at_levels(
        &self,
        class: &Class,
        job: u32,
        room: &Resources,
        choice: &mut Choice,
        mut find: impl FnMut(&Picker<'_>, &mut Choice) -> bool,
    ) -> bool {
        let (Some(ledger), Some(draws)) = (room.power(), &class.draws) else {
            return find(&self.picker(class, job, &room.occupancy, None), choice);
        };
        draws.starts().iter().any(|&level| {
            let admission = Admission { ledger, draws, level };
            // Where a cap above all nodes has too little left, no node is looked at.
            let found = !admission.refuses(class, &room.occupancy)
                && find(&self.picker(class, job, &room.occupancy, Some(admission)), choice)
                && ledger.admits(draws, level, &choice.pieces);
            choice.cap = cap_of(level);
            found
        })
    }

    const fn picker<'a>(
        &'a self,
        class: &'a Class,
        job: u32,
        occupancy: &'a Occupancy,
        admission: Option<Admission<'a>>,
    ) -> Picker<'a> {
        let stream = if self.draws() { Some(&self.stream) } else { None };
        Picker { class, job, occupancy, model: &self.model, preference: self.preference, stream, admission }
    }

    #[inline]
    fn find(&self, picker: &Picker<'_>, choice: &mut Choice) -> bool {
        choice.clear();
        match (picker.class.form, self.rule) {
            (Form::Nothing, _) => {
                choice.racks = 0;
                true
            }
            (Form::Impossible, _) => false,
            (_, Choosing::Consolidate) => consolidate::choose(picker, choice),
            (_, Choosing::Levels { least_free }) => tas::choose(picker, least_free, choice),
            (Form::Pod { .. } | Form::Share { .. }, Choosing::Own(own)) => {
                own::choose(own, &self.scale, picker, choice)
            }
            (Form::Pod { .. } | Form::Share { .. }, _) => pod::choose(picker, choice),
            (Form::Gang { .. } | Form::Pods { .. }, _) => gang::choose(picker, choice),
        }
    }

    /// Whether places can be ranked for all classes at once: the cost function tells what they cost.
    const fn is_ranked(&self) -> bool {
        matches!(self.rule, Choosing::Weigh(_) | Choosing::Consolidate)
    }

    /// Whether costs are random draws, so that two jobs of one class may go different ways.
    pub(super) const fn draws(&self) -> bool {
        matches!(self.rule, Choosing::Draw)
    }

    /// Whether a job of `class` keeps to its choice, whatever else of what it did not choose is taken: it is the lowest.
    pub(super) fn ignores_others(&self, class: &Class, room: &Resources) -> bool {
        let lowest = self.preference.node == Cheapest::Lowest && !self.preference.rack_first;
        let plain = matches!(self.rule, Choosing::Weigh(_)) && self.preference.plain;
        let unlimited = room.power().is_none() && class.host.is_none();
        plain
            && unlimited
            && match class.form {
                Form::Pod { gpus } => gpus > 0 && lowest,
                // On a flat cluster the lowest idle nodes.
                Form::Gang { .. } => {
                    room.occupancy.is_flat() && !class.whole_nodes.is_empty() && class.levels.is_empty()
                }
                _ => false,
            }
    }

    /// Whether a job of `class` would find a place in `room`, by looking for one.
    pub fn fits(&mut self, class: &Class, job: u32, room: &Resources) -> bool {
        let mut scratch = std::mem::take(&mut self.scratch);
        let fits = self.choose_in(class, job, room, &mut scratch);
        self.scratch = scratch;
        fits
    }
}

/// Whether a placement puts only whole segments anywhere.
#[must_use]
pub(crate) fn takes_whole_segments(name: &str) -> bool {
    matches!(rule_of(name), Some(Choosing::Levels { .. }))
}

/// Whether a placement goes by that name, or those weights.
pub(super) fn is_known(name: &str) -> bool {
    rule_of(name).is_some()
}

/// What a placement is called by: one of [`PLACEMENTS`], or weights.
fn rule_of(name: &str) -> Option<Choosing> {
    let entry = PLACEMENTS.iter().find(|entry| entry.name == name);
    entry.map(|entry| entry.rule).or_else(|| name.parse().ok().map(Choosing::Weigh))
}
