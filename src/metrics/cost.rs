//! What a run costs and emits, and whose part of that is how large.
//!
//! A site's [`Bill`] is divided among the jobs that ran there. A job pays for what it draws at the price of each second:
//! what it makes its nodes draw and its GPUs' part of their idle draw. The rest of the bill (nodes without work, racks,
//! losses, cooling, the demand charge, and what a battery adds or saves) is shared in proportion to the joules that the
//! jobs drew at the site. Carbon is divided in the same way. Parts add up to the bill, to the millionth of a dollar and
//! to the gram, by largest remainder; what a site without a job pays is nobody's.

use super::distribution::{ratio, real};
use super::power::JOULES_A_MWH;
use crate::history::History;
use crate::power::bill::{self, Bill, bill};
use crate::power::energy::{Draws, Meter, is_counted, sweep};
use crate::power::share::{by_weight, parts};
use crate::power::{Domain, Parts};
use crate::units::{Money, Seconds, Time, Watts};
use serde::Serialize;
use std::collections::BTreeMap;

/// What one site pays over the whole run, window or not.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SiteCost {
    /// As the scenario calls it.
    pub name: String,
    /// ∫ price × draw from the grid dt.
    #[serde(rename = "energy_usd")]
    pub energy: Money,
    /// Σ over months of the highest reading × the demand price.
    #[serde(rename = "demand_usd")]
    pub demand: Money,
    /// ∫ intensity × draw from the grid dt, grams of CO₂ equivalent.
    pub carbon_g: i64,
    /// Joules taken from the grid.
    pub grid_j: u128,
    /// The highest draw from the grid, watts.
    pub grid_peak_w: u64,
    /// The readings that the demand charge is for, watts, by month.
    pub demand_w: Vec<f64>,
    /// Joules that a battery took.
    pub charged_j: u64,
    /// Joules that it gave.
    pub discharged_j: u64,
    /// How long the run went on after the last recorded price or intensity, which then stood.
    #[serde(rename = "beyond_s")]
    pub beyond: Seconds,
}

/// What a run costs and emits as a whole, over all of it, window or not.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct CostMetrics {
    /// Everything there is to pay.
    #[serde(rename = "total_usd")]
    pub total: Money,
    /// For energy.
    #[serde(rename = "energy_usd")]
    pub energy: Money,
    /// For the highest draw of each month.
    #[serde(rename = "demand_usd")]
    pub demand: Money,
    /// Of the total: what no job pays, since none ran at the site.
    #[serde(rename = "nobody_usd")]
    pub nobody: Money,
    /// Grams of CO₂ equivalent.
    pub carbon_g: i64,
    /// Energy cost ÷ energy from the grid, $/MWh.
    pub dollars_per_mwh: f64,
    /// Carbon ÷ energy from the grid, g/kWh.
    pub grams_per_kwh: f64,
    /// Every site.
    pub sites: Vec<SiteCost>,
}

/// What jobs pay and emit.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JobCosts {
    /// By job, in input order.
    pub cost: Vec<Money>,
    /// Grams of CO₂ equivalent by job, in input order.
    pub carbon_g: Vec<i64>,
}

impl JobCosts {
    /// The sums of tenants, in their order.
    #[must_use]
    pub fn by_tenant(&self, history: &History) -> Vec<(Money, i64)> {
        let mut sums = vec![(Money(0), 0_i64); history.plan.workload.tenants.len()];
        for ((job, cost), carbon) in history.plan.workload.jobs.iter().zip(&self.cost).zip(&self.carbon_g) {
            let (money, grams) = &mut sums[job.tenant as usize];
            money.0 = money.0.saturating_add(cost.0);
            *grams = grams.saturating_add(*carbon);
        }
        sums
    }
}

/// What each site draws, step by step.
struct SiteDraws(Vec<Vec<(Time, Watts)>>);

impl Meter for SiteDraws {
    fn stretch(&mut self, domain: Domain, from: Time, _: Time, draw: Watts) {
        if let Domain::Site(site) = domain {
            let steps = &mut self.0[site as usize];
            if steps.last().is_none_or(|last| last.1 != draw) {
                steps.push((from, draw));
            }
        }
    }
    fn parts(&mut self, _: Time, _: Time, _: &Parts) {}
}

/// What a job drew at a site: joules, joules × price and joules × intensity.
#[derive(Debug, Clone, Copy, Default)]
struct Use {
    joules: u64,
    price: i128,
    carbon: i128,
}

/// The bills of all sites and every job's part; none where no power is counted or nothing is known of the grid.
///
/// # Complexity
/// O(n log n) in segments and changes of capacity, O(nodes) of each segment, and the changes of prices.
pub(super) fn cost(history: &History) -> Option<(CostMetrics, JobCosts)> {
    let cluster = &history.plan.cluster;
    if cluster.grids.is_empty() || !is_counted(cluster) {
        return None;
    }
    let mut draws = SiteDraws(vec![Vec::new(); cluster.sites.len()]);
    sweep(history, &mut draws);
    let bills: Vec<Bill> =
        cluster.grids.iter().zip(&draws.0).map(|(grid, draw)| bill(grid, draw, history.end)).collect();
    let mut jobs =
        JobCosts { cost: vec![Money(0); history.jobs.len()], carbon_g: vec![0; history.jobs.len()] };
    let mut nobody = Money(0);
    for (bill, uses) in bills.iter().zip(uses(history)) {
        if uses.is_empty() {
            nobody.0 = nobody.0.saturating_add(bill.total().0);
        }
        divide(bill, &uses, &mut jobs);
    }
    let names = cluster.sites.iter().map(|site| site.name.as_str());
    Some((CostMetrics { nobody, ..sums(&bills, names) }, jobs))
}

/// By site: what each job that ran there drew, by job.
fn uses(history: &History) -> Vec<BTreeMap<u32, Use>> {
    let cluster = &history.plan.cluster;
    let signals = cluster.grids.iter().map(|grid| [&grid.price, &grid.carbon]);
    let mut integrals: Vec<_> = signals
        .map(|signals| signals.map(|signal| signal.as_ref().map(|signal| signal.integral())))
        .collect();
    let mut uses = vec![BTreeMap::<u32, Use>::new(); cluster.sites.len()];
    let mut draws = Draws::new(history);
    // Watts of the segment by site; most are at one.
    let mut watts: Vec<(u32, u64)> = Vec::new();
    for segment in &history.segments {
        let to = segment.to.min(history.end);
        if to <= segment.from {
            continue;
        }
        watts.clear();
        draws.for_each(segment, |cluster, node, milli, busy| {
            let rack = &cluster.racks[cluster.rack_of(node) as usize];
            let (kind, site) = (&cluster.kinds[rack.kind as usize], cluster.feeds[rack.feed as usize].site);
            let idle = kind.power.idle.0 * u64::from(milli) / (u64::from(kind.gpus) * 1000);
            match watts.iter_mut().find(|(other, _)| *other == site) {
                Some((_, sum)) => *sum += busy.0 + idle,
                None => watts.push((site, busy.0 + idle)),
            }
        });
        for &(site, watts) in &watts {
            let own = uses[site as usize].entry(segment.job).or_default();
            let [price, carbon] = &mut integrals[site as usize];
            let product = |signal: &mut Option<crate::cluster::grid::Integral<'_>>| {
                signal.as_mut().map_or(0, |signal| i128::from(watts) * signal.over(segment.from, to))
            };
            own.joules = own.joules.saturating_add(watts * u64::from(to.since(segment.from).0));
            own.price += product(price);
            own.carbon += product(carbon);
        }
    }
    uses
}

/// Adds each job's part of a bill.
fn divide(bill: &Bill, uses: &BTreeMap<u32, Use>, jobs: &mut JobCosts) {
    let weights: Vec<u64> = uses.values().map(|own| own.joules).collect();
    let share = |total: i64, own: Vec<i128>| {
        let own = parts(&own, bill::JOULES_A_MWH);
        let rest = total.saturating_sub(own.iter().sum());
        let rest = by_weight(rest, &weights);
        own.into_iter().zip(rest).map(|(own, rest)| own.saturating_add(rest)).collect::<Vec<i64>>()
    };
    let costs = share(bill.total().0, uses.values().map(|own| own.price).collect());
    let carbon = share(bill.carbon, uses.values().map(|own| own.carbon).collect());
    for ((job, cost), carbon) in uses.keys().zip(costs).zip(carbon) {
        let job = *job as usize;
        jobs.cost[job].0 = jobs.cost[job].0.saturating_add(cost);
        jobs.carbon_g[job] = jobs.carbon_g[job].saturating_add(carbon);
    }
}

fn sums<'a>(bills: &[Bill], names: impl Iterator<Item = &'a str>) -> CostMetrics {
    let sum = |value: fn(&Bill) -> i64| bills.iter().map(value).fold(0, i64::saturating_add);
    let [energy, demand, carbon_g] =
        [sum(|bill| bill.energy.0), sum(|bill| bill.demand.0), sum(|bill| bill.carbon)];
    let hours = real(bills.iter().map(|bill| bill.metered).sum()) / JOULES_A_MWH;
    let per_hour = |amount: i64, unit: f64| {
        let sign = if amount < 0 { -1.0 } else { 1.0 };
        if hours > 0.0 { sign * real(amount.unsigned_abs().into()) / unit / hours } else { 0.0 }
    };
    let site = |(bill, name): (&Bill, &'a str)| SiteCost {
        name: name.to_owned(),
        energy: bill.energy,
        demand: bill.demand,
        carbon_g: bill.carbon,
        grid_j: bill.metered,
        grid_peak_w: bill.peak.0,
        demand_w: bill.months.iter().map(|month| ratio(month.joules, month.interval.0.into())).collect(),
        charged_j: bill.battery.map_or(0, |battery| battery.charged),
        discharged_j: bill.battery.map_or(0, |battery| battery.discharged),
        beyond: bill.beyond,
    };
    CostMetrics {
        total: Money(energy.saturating_add(demand)),
        energy: Money(energy),
        demand: Money(demand),
        nobody: Money(0),
        carbon_g,
        dollars_per_mwh: per_hour(energy, 1e6),
        grams_per_kwh: per_hour(carbon_g, 1e3),
        sites: bills.iter().zip(names).map(site).collect(),
    }
}
