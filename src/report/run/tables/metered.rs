//! What sites and feeds draw, as whatever adds it up is given it.

use crate::hardware::WATTS_MAX;
use crate::history::History;
use crate::power::energy::{Meter, sweep};
use crate::power::meter::{Bucket, Load, PriceStep};
use crate::power::{Domain, Parts};
use crate::units::{Time, Watts};
use std::ops::Range;

/// What one domain drew in a stretch of time.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cell {
    pub(super) joules: u128,
    pub(super) peak: u64,
}

/// What sites, then feeds, draw from each instant on.
struct Draws {
    sites: usize,
    steps: Vec<Vec<(Time, Watts)>>,
}

impl Meter for Draws {
    fn stretch(&mut self, domain: Domain, from: Time, _: Time, draw: Watts) {
        let domain = match domain {
            Domain::Site(site) => site as usize,
            Domain::Feed(feed) => self.sites + feed as usize,
            Domain::All | Domain::Rack(_) => return,
        };
        self.steps[domain].push((from, draw));
    }
    fn parts(&mut self, _: Time, _: Time, _: &Parts) {}
}

/// What every site, then every feed, draws as a load whose feeds pay their site's tariff, and the rows of it that stand
/// for each: one, unless it draws more than a meter counts. Each of several has a part of that draw, and draws all it
/// can before the next one draws anything.
pub(super) fn load(history: &History, tariffs: &[Vec<PriceStep>]) -> (Load, Vec<Range<usize>>) {
    let cluster = &history.plan.cluster;
    let feeds = cluster.feeds.iter().map(|feed| feed.site as usize);
    let sites: Vec<usize> = (0..cluster.sites.len()).chain(feeds).collect();
    let mut draws = Draws { sites: cluster.sites.len(), steps: vec![Vec::new(); sites.len()] };
    sweep(history, &mut draws);
    let (mut rows, mut tariff_of, mut of) = (Vec::new(), Vec::new(), Vec::new());
    for (steps, site) in draws.steps.into_iter().zip(sites) {
        let most = steps.iter().map(|step| step.1.0).max().unwrap_or(0);
        let begin = rows.len();
        for row in 0..most.div_ceil(WATTS_MAX.0).max(1) {
            let below = row * WATTS_MAX.0;
            let part = |watts: Watts| Watts(watts.0.saturating_sub(below).min(WATTS_MAX.0));
            let mut parts: Vec<(Time, Watts)> =
                steps.iter().map(|(time, watts)| (*time, part(*watts))).collect();
            parts.dedup_by_key(|step| step.1);
            rows.push(parts);
            tariff_of.push(u32::try_from(site.min(tariffs.len())).expect("sites are few"));
        }
        of.push(begin..rows.len());
    }
    // A site of which nothing is known pays nothing.
    let tariffs: Vec<Vec<PriceStep>> = tariffs.iter().cloned().chain([Vec::new()]).collect();
    (Load::of_draws(&rows, &tariff_of, &tariffs), of)
}

/// What buckets, one after the other, come to in the rows of a domain, whose peaks are at the same instants.
pub(super) fn cell<'a>(buckets: impl Iterator<Item = &'a [Bucket]>, rows: &Range<usize>) -> Cell {
    buckets.fold(Cell::default(), |sum, bucket| {
        let rows = &bucket[rows.clone()];
        let joules: u128 = rows.iter().map(|row| u128::from(row.energy)).sum();
        let peak = rows.iter().map(|row| row.peak).sum();
        Cell { joules: sum.joules + joules, peak: sum.peak.max(peak) }
    })
}
