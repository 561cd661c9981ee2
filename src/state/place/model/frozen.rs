//! What is read once at the start of a pass: prices, carbon intensities, and how far feeds are used.

use crate::cluster::Site;
use crate::cluster::grid::{Grid, Signal};
use crate::history::Plan;
use crate::power::draw::Draw;
use crate::state::class::{Class, Classes};
use crate::units::{Factor, Time};

/// What is read once at the start of a pass: terms, 0..=65535.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frozen {
    /// By rack: how far its tightest feed is used. Empty: nowhere.
    pub pressure: Vec<u32>,
    /// By class and group ([`super::Model::group`]): what the energy of a run costs. Empty: nothing.
    pub energy: Vec<u32>,
    /// By class and group: what the energy of a run emits. Empty: nothing.
    pub carbon: Vec<u32>,
}

/// By class and kind: what a GPU draws a second of work on the reference platform, watts times 65,536.
#[derive(Debug, Clone, Default)]
pub(crate) struct Joules(Vec<i128>);

impl Joules {
    pub(crate) fn of(plan: &Plan, classes: &Classes) -> Self {
        let kinds = &plan.cluster.kinds;
        let mut joules = vec![0; classes.table.len() * kinds.len()];
        let mut known = vec![false; classes.table.len()];
        for (job, class) in plan.workload.jobs.iter().zip(&classes.of_job) {
            let at = *class as usize;
            if std::mem::replace(&mut known[at], true) {
                continue;
            }
            let profile = plan.workload.behaviours[job.behaviour as usize].profile();
            for (index, kind) in kinds.iter().enumerate() {
                let watts = i128::from(Draw::new(&profile, &kind.power, Factor::ONE).gpu.0);
                let speed = classes.table[at].speeds[index].0.max(1);
                joules[at * kinds.len() + index] = (watts << 32) / i128::from(speed);
            }
        }
        Self(joules)
    }

    /// By class and group: the price, or whatever a grid says of energy, times the energy and the PUE, from the lowest
    /// that it can ever be where the class may run to the highest.
    pub(crate) fn terms(
        &self,
        (plan, classes): (&Plan, &Classes),
        now: Time,
        signal: fn(&Grid) -> Option<&Signal>,
    ) -> Vec<u32> {
        let cluster = &plan.cluster;
        let sites = cluster.sites.len().max(1);
        let signal_of = |site: usize| cluster.grids.get(site).and_then(signal);
        let present = |site: usize| {
            let pue = cluster.sites.get(site).map_or(1000, |site| site.pue_milli(now));
            signal_of(site).map_or(0, |signal| i128::from(signal.at(now))) * i128::from(pue)
        };
        let extremes = |site: usize| {
            let (least, most) = signal_of(site).map_or((0, 0), Signal::range);
            let (low, high) = cluster.sites.get(site).map_or((1000, 1000), Site::pue_range);
            [(least, low), (least, high), (most, low), (most, high)]
                .map(|(price, pue)| i128::from(price) * i128::from(pue))
        };
        let now: Vec<i128> = (0..sites).map(present).collect();
        let ends: Vec<i128> = (0..sites).flat_map(extremes).collect();
        let of_class = |class: &Class| {
            let kinds = cluster.kinds.len();
            let joules = self.0[class.index as usize * kinds..][..kinds].to_vec();
            let extremes = || {
                let each = ends.iter().flat_map(|end| class.kinds.iter().map(move |kind| (end, *kind)));
                each.map(|(end, kind)| end * joules[kind as usize])
            };
            let (least, most) = (extremes().min().unwrap_or(0), extremes().max().unwrap_or(0));
            let term = |value: i128| {
                let part = (value - least).clamp(0, most - least) * 65_535 / (most - least).max(1);
                u32::try_from(part).expect("at most 65535")
            };
            let terms = joules.iter().flat_map(|joules| now.iter().map(move |price| price * joules));
            terms.map(term).collect::<Vec<u32>>()
        };
        classes.table.iter().flat_map(of_class).collect()
    }
}
