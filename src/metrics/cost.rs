//! What a window of a run costs and emits, and whose part of that is how large.
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
use std::ops::Range;

/// What one site pays in the window.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SiteCost {
    /// As the scenario calls it.
    pub name: String,
    /// ∫ price × draw from the grid dt.
    #[serde(rename = "energy_usd")]
    pub energy: Money,
    /// Σ over months of the highest reading within the window × the demand price: as though the meter were read for the
    /// window alone, an interval that the window cuts counting with what was drawn within.
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
    /// How much of the window is after the last recorded price or intensity, which then stood.
    #[serde(rename = "beyond_s")]
    pub beyond: Seconds,
}

/// What a run costs and emits in the window.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct CostMetrics {
    /// Everything there is to pay.
    #[serde(rename = "total_usd")]
    pub total: Money,
    /// For energy.
    #[serde(rename = "energy_usd")]
    pub energy: Money,
    /// For the highest reading of each month within the window, see [`SiteCost::demand`].
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

/// What jobs pay and emit in some stretch of time.
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

/// The bills of all sites for a window, and every job's part; none where no power is counted or nothing is known of the
/// grid.
///
/// # Complexity
/// O(n log n) in segments and changes of capacity, O(nodes) of each segment, and the changes of prices.
pub(super) fn cost(history: &History, window: &Range<Time>) -> Option<(CostMetrics, JobCosts)> {
    let cluster = &history.plan.cluster;
    if cluster.grids.is_empty() || !is_counted(cluster) {
        return None;
    }
    let mut draws = SiteDraws(vec![Vec::new(); cluster.sites.len()]);
    sweep(history, &mut draws);
    let bills = cluster.grids.iter().zip(&draws.0).map(|(grid, draw)| bill(grid, draw, window.clone()));
    let bills: Vec<Bill> = bills.collect();
    let mut jobs =
        JobCosts { cost: vec![Money(0); history.jobs.len()], carbon_g: vec![0; history.jobs.len()] };
    let mut nobody = Money(0);
    for (bill, uses) in bills.iter().zip(uses(history, window)) {
        if uses.is_empty() {
            nobody.0 = nobody.0.saturating_add(bill.total().0);
        }
        divide(bill, &uses, &mut jobs);
    }
    let names = cluster.sites.iter().map(|site| site.name.as_str());
    Some((CostMetrics { nobody, ..sums(&bills, names) }, jobs))
}

/// By site: what each job that ran there in the window drew then, by job.
fn uses(history: &History, window: &Range<Time>) -> Vec<BTreeMap<u32, Use>> {
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
        let (from, to) = (segment.from.max(window.start), segment.to.min(window.end));
        if to <= from {
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
                signal.as_mut().map_or(0, |signal| i128::from(watts) * signal.over(from, to))
            };
            own.joules = own.joules.saturating_add(watts * u64::from(to.since(from).0));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::grid::{Battery, Demand, Grid, Series, Signal, Zone};
    use crate::history::sample;
    use crate::metrics::measure;

    /// A run whose nodes draw power that costs and emits.
    fn powered(seed: u64, battery: Option<Battery>) -> History {
        let mut history = sample::random(seed);
        let cluster = &mut history.plan.cluster;
        for kind in &mut cluster.kinds {
            (kind.power.idle, kind.power.busy, kind.power.gpu_tgp) =
                (Watts(70_000), Watts(500_100), Watts(90_000));
        }
        let values = vec![40_000_000, -15_000_000, 71_234_567];
        let price = Series { offset: 17, step: Seconds(23), values, repeats: true };
        let grid = Grid {
            price: Some(Signal::Series(price)),
            carbon: Some(Signal::Constant(369_000)),
            demand: Some(Demand { price: 12_000_000, interval: Seconds(60) }),
            clock: Some(Zone::utc(1_675_207_800)),
            battery,
        };
        cluster.grids = vec![grid; cluster.sites.len()];
        history
    }

    #[test]
    fn energy_cost_and_carbon_are_of_one_window() {
        let battery = Battery {
            capacity: 2_000_000,
            charge: 1_000_000,
            power: Watts(50_000),
            efficiency_ppm: 900_000,
            threshold: Watts(600_000),
        };
        let (mut windows, mut other) = (0, 0);
        for seed in 0..200 {
            let mut history = powered(seed, (seed % 2 == 1).then_some(battery));
            let whole = measure(&history);
            history.plan.settings.warm_up = history.end.0 / 4;
            history.plan.settings.drain = Some(history.end.0 * 3 / 4);
            let measured = measure(&history);
            let (cost, power) =
                (measured.metrics.cost.as_ref().unwrap(), measured.metrics.power.as_ref().unwrap());
            let grid: u128 = cost.sites.iter().map(|site| site.grid_j).sum();
            let sum =
                |of: fn(&SiteCost) -> u64| cost.sites.iter().map(|site| u128::from(of(site))).sum::<u128>();
            let drawn = power.all.energy_j + sum(|site| site.charged_j);
            assert_eq!(grid + sum(|site| site.discharged_j), drawn, "seed {seed}: joules of the same window");
            if battery_is_idle(cost) {
                let grams = real(grid) / JOULES_A_MWH * 369_000.0;
                let found = real(cost.carbon_g.unsigned_abs().into());
                assert!((grams - found).abs() <= 1.0, "seed {seed}: {found} g instead of {grams}");
            }
            assert_eq!(cost.total.0, cost.energy.0 + cost.demand.0, "seed {seed}: both parts");
            // Tenants without a job submitted in the window are not listed, but may have jobs that run in it.
            let (_, jobs) = super::cost(&history, &window(&measured)).unwrap();
            let paid: i64 = jobs.cost.iter().map(|cost| cost.0).sum();
            assert_eq!(paid + cost.nobody.0, cost.total.0, "seed {seed}: what jobs pay adds up");
            let by_tenant = jobs.by_tenant(&history);
            for tenant in &measured.metrics.tenants {
                let index = history.plan.workload.tenants.iter().position(|other| other.name == tenant.name);
                let (money, grams) = by_tenant[index.unwrap()];
                assert_eq!(
                    (tenant.cost, tenant.carbon_g),
                    (Some(money), Some(grams)),
                    "seed {seed}: {}",
                    tenant.name
                );
            }
            // What each job pays is of the run, as its joules are.
            assert_eq!(
                (&measured.costs, &measured.energy),
                (&whole.costs, &whole.energy),
                "seed {seed}: by job"
            );
            windows += u32::from(cost.total != Money(0));
            other += u32::from(Some(cost) != whole.metrics.cost.as_ref());
        }
        assert!(
            windows > 150 && other > 150,
            "{windows} windows cost something, {other} something else than all"
        );
    }

    fn battery_is_idle(cost: &CostMetrics) -> bool {
        cost.sites.iter().all(|site| site.charged_j + site.discharged_j == 0)
    }

    fn window(measured: &crate::metrics::Measured) -> Range<Time> {
        measured.metrics.window.from..measured.metrics.window.to
    }
}
