use super::distribution::{ratio, real};
use crate::cluster::Cluster;
use crate::history::History;
use crate::power::energy::{Meter, for_each_segment, is_counted, over_node_caps, sweep};
use crate::power::{Domain, Parts, limits, own_cap};
use crate::units::{Time, Watts};
use serde::Serialize;
use std::ops::Range;

/// Joules in a megawatt-hour.
pub const JOULES_A_MWH: f64 = 3.6e9;

/// What one domain drew in the window.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct DomainPower {
    /// As the scenario calls it.
    pub name: String,
    /// ∫ draw dt, joules.
    pub energy_j: u128,
    /// The mean draw, watts.
    pub mean_w: f64,
    /// The highest draw, watts.
    pub peak_w: u64,
    /// Mean ÷ peak.
    pub load_factor: f64,
    /// The largest change of the mean draw from one minute of the window to the next, watts, rounded up.
    pub ramp_w: u64,
    /// The largest rise of that kind, watts, rounded up.
    pub rise_w: u64,
    /// The most by which starts may raise its draw within a minute, watts.
    pub rise_limit_w: Option<u64>,
    /// Its cap without curtailments, watts.
    pub cap_w: Option<u64>,
    /// ∫ draw above the cap of that instant dt, watt-seconds.
    pub over_cap_ws: u128,
    /// `stranded_w` = cap − peak: what was set aside for it and never used.
    pub stranded_w: Option<u64>,
}

/// What a run drew, in the window, wherever power is counted.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct PowerMetrics {
    /// All sites together, at their grid connections.
    #[serde(flatten)]
    pub all: DomainPower,
    /// Mean IT draw, watts: what racks draw, without what conversions lose and cooling takes.
    pub it_mean_w: f64,
    /// The highest IT draw, watts.
    pub it_peak_w: u64,
    /// Of the energy: what jobs drew, and the idle draw of the GPUs they held.
    pub jobs_j: u128,
    /// Of that: the idle draw that no job held.
    pub idle_j: i128,
    /// Of that: what racks and conversions draw whatever passes.
    pub overhead_j: u128,
    /// Of that: what conversions lost.
    pub losses_j: u128,
    /// Of that: cooling and the building.
    pub cooling_j: u128,
    /// GPU-hours held ÷ megawatt-hours drawn.
    pub gpu_hours_per_mwh: f64,
    /// GPU-hours of work, on reference GPUs, of the jobs that completed in the window ÷ megawatt-hours drawn: unlike
    /// hours held it does not grow when a cap makes jobs slower.
    pub work_gpu_hours_per_mwh: f64,
    /// ∫ draw above a cap dt over every capped site, feed, rack and node, watt-seconds.
    pub all_over_cap_ws: u128,
    /// Every site.
    pub sites: Vec<DomainPower>,
    /// Every feed.
    pub feeds: Vec<DomainPower>,
}

/// The draw of one domain, stretch by stretch.
#[derive(Debug)]
struct Account {
    /// Its own cap, curtailments aside.
    cap: Option<Watts>,
    energy: u128,
    peak: Watts,
    limits: Vec<(Time, Option<Watts>)>,
    /// Index of the limit that held last.
    limit: usize,
    over: u128,
    /// Joules of the minute that is not over, and of the one before.
    minute: u128,
    last: Option<u128>,
    /// Largest difference between two minutes, and the largest by which the later is more, joules.
    ramp: u128,
    rise: u128,
}

impl Account {
    fn new(cap: Option<Watts>, limits: Vec<(Time, Option<Watts>)>) -> Self {
        let peak = Watts(0);
        Self { cap, energy: 0, peak, limits, limit: 0, over: 0, minute: 0, last: None, ramp: 0, rise: 0 }
    }
    /// Adds a stretch that lies in the window, which began at `start`.
    fn add(&mut self, start: Time, from: Time, to: Time, draw: Watts) {
        self.energy += u128::from(draw.0) * u128::from(to.since(from).0);
        self.peak = self.peak.max(draw);
        self.add_over(from, to, draw);
        self.add_minutes(from.since(start).0, to.since(start).0, draw);
    }
    fn add_over(&mut self, mut from: Time, to: Time, draw: Watts) {
        while from < to {
            let next = self.limits.get(self.limit + 1).map_or(Time::NEVER, |limit| limit.0);
            if next <= from {
                self.limit += 1;
                continue;
            }
            let until = next.min(to);
            if let Some(cap) = self.limits[self.limit].1 {
                self.over += u128::from(draw.0.saturating_sub(cap.0)) * u128::from(until.since(from).0);
            }
            from = until;
        }
    }
    fn add_minutes(&mut self, mut from: u32, to: u32, draw: Watts) {
        let watts = u128::from(draw.0);
        while from < to {
            let whole = (to - from) / 60;
            if from.is_multiple_of(60) && whole > 0 {
                // Minutes alike change nothing among themselves.
                self.close_minute(watts * 60);
                from += whole * 60;
                continue;
            }
            let until = to.min((from / 60 + 1).saturating_mul(60));
            self.minute += watts * u128::from(until - from);
            if until.is_multiple_of(60) {
                let joules = std::mem::take(&mut self.minute);
                self.close_minute(joules);
            }
            from = until;
        }
    }
    fn close_minute(&mut self, joules: u128) {
        if let Some(last) = self.last.replace(joules) {
            self.ramp = self.ramp.max(last.abs_diff(joules));
            self.rise = self.rise.max(joules.saturating_sub(last));
        }
    }
    fn finish(&self, name: &str, seconds: u32) -> DomainPower {
        let mean = ratio(self.energy, u128::from(seconds));
        let cap = self.cap;
        DomainPower {
            name: name.to_owned(),
            energy_j: self.energy,
            mean_w: mean,
            peak_w: self.peak.0,
            load_factor: ratio(self.energy, u128::from(seconds) * u128::from(self.peak.0)),
            ramp_w: u64::try_from(self.ramp.div_ceil(60)).unwrap_or(u64::MAX),
            rise_w: u64::try_from(self.rise.div_ceil(60)).unwrap_or(u64::MAX),
            rise_limit_w: None,
            cap_w: cap.map(|cap| cap.0),
            over_cap_ws: self.over,
            stranded_w: cap.map(|cap| cap.0.saturating_sub(self.peak.0)),
        }
    }
}

struct Accounts {
    window: Range<Time>,
    all: Account,
    sites: Vec<Account>,
    feeds: Vec<Account>,
    racks: Vec<Account>,
    /// Joules of [`Parts`], in their order.
    parts: [u128; 5],
    /// The highest draw of racks.
    it_peak: Watts,
}

impl Accounts {
    fn new(cluster: &Cluster, window: Range<Time>) -> Self {
        let account = |domain| Account::new(own_cap(cluster, domain), limits(cluster, domain));
        let many = |domain: fn(u32) -> Domain, count: usize| {
            let count = u32::try_from(count).expect("domains are counted in 32 bits");
            (0..count).map(|index| account(domain(index))).collect()
        };
        Self {
            window,
            all: account(Domain::All),
            sites: many(Domain::Site, cluster.sites.len()),
            feeds: many(Domain::Feed, cluster.feeds.len()),
            racks: many(Domain::Rack, cluster.racks.len()),
            parts: [0; 5],
            it_peak: Watts(0),
        }
    }
    fn clip(&self, from: Time, to: Time) -> Option<(Time, Time)> {
        let (from, to) = (from.max(self.window.start), to.min(self.window.end));
        (from < to).then_some((from, to))
    }
}

impl Meter for Accounts {
    fn stretch(&mut self, domain: Domain, from: Time, to: Time, draw: Watts) {
        let Some((from, to)) = self.clip(from, to) else { return };
        let account = match domain {
            Domain::All => &mut self.all,
            Domain::Site(site) => &mut self.sites[site as usize],
            Domain::Feed(feed) => &mut self.feeds[feed as usize],
            Domain::Rack(rack) => &mut self.racks[rack as usize],
        };
        account.add(self.window.start, from, to, draw);
    }
    fn parts(&mut self, from: Time, to: Time, parts: &Parts) {
        let Some((from, to)) = self.clip(from, to) else { return };
        let seconds = u128::from(to.since(from).0);
        let watts = [parts.busy, parts.idle, parts.overhead, parts.losses, parts.cooling];
        for (sum, watts) in self.parts.iter_mut().zip(watts) {
            *sum += u128::from(watts.0) * seconds;
        }
        self.it_peak = self.it_peak.max(Watts(parts.busy.0 + parts.idle.0 + parts.overhead.0));
    }
}

/// What was drawn in the window, and by whose jobs, by tenant, in joules; none where no power is counted.
///
/// `gpu_hours` is what jobs held in it, `work_hours` what of work those did that completed in it.
pub(super) fn power(
    history: &History,
    window: Range<Time>,
    gpu_hours: f64,
    work_hours: f64,
) -> Option<(PowerMetrics, Vec<u128>)> {
    let cluster = &history.plan.cluster;
    if !is_counted(cluster) {
        return None;
    }
    let mut tenants = vec![0_u128; history.plan.workload.tenants.len()];
    let (mut jobs, mut held_idle) = (0_u128, 0_u128);
    for_each_segment(history, window.start, window.end, |job, held| {
        let joules = held.joules();
        tenants[history.plan.workload.jobs[job as usize].tenant as usize] += joules;
        jobs += joules;
        held_idle += u128::from(held.idle.0) * u128::from(held.seconds);
    });
    let seconds = window.end.since(window.start).0;
    let mut accounts = Accounts::new(cluster, window.clone());
    let over_nodes = over_node_caps(history, window.start, window.end);
    sweep(history, &mut accounts);
    let [busy, idle, overhead, losses, cooling] = accounts.parts;
    let all = accounts.all.finish("all sites", seconds);
    let hours = real(all.energy_j) / JOULES_A_MWH;
    let per_hour = |amount: f64| if hours > 0.0 { amount / hours } else { 0.0 };
    let every = accounts.sites.iter().chain(&accounts.feeds).chain(&accounts.racks);
    let signed = |joules: u128| i128::try_from(joules).unwrap_or(i128::MAX);
    let mut metrics = PowerMetrics {
        all_over_cap_ws: every.map(|account| account.over).sum::<u128>() + over_nodes,
        it_mean_w: ratio(busy + idle + overhead, u128::from(seconds)),
        it_peak_w: accounts.it_peak.0,
        jobs_j: jobs,
        idle_j: signed(idle) - signed(held_idle),
        overhead_j: overhead,
        losses_j: losses,
        cooling_j: cooling,
        gpu_hours_per_mwh: per_hour(gpu_hours),
        work_gpu_hours_per_mwh: per_hour(work_hours),
        sites: named(&accounts.sites, cluster.sites.iter().map(|site| site.name.as_str()), seconds),
        feeds: named(&accounts.feeds, cluster.feeds.iter().map(|feed| feed.name.as_str()), seconds),
        all,
    };
    for ramp in &cluster.ramps {
        metrics.feeds[ramp.feed as usize].rise_limit_w = Some(ramp.rise.0);
    }
    Some((metrics, tenants))
}

fn named<'a>(accounts: &[Account], names: impl Iterator<Item = &'a str>, seconds: u32) -> Vec<DomainPower> {
    accounts.iter().zip(names).map(|(account, name)| account.finish(name, seconds)).collect()
}

#[cfg(test)]
mod tests;
