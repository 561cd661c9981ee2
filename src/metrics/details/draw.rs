use super::buckets::Buckets;
use crate::history::History;
use crate::metrics::series::width;
use crate::power::energy::{Meter, is_counted, sweep};
use crate::power::{Domain, Parts, limits, own_cap};
use crate::units::{Time, Watts};
use serde::Serialize;

/// What one domain drew over time, and what that may be and costs.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct DrawSeries {
    /// As the scenario calls it.
    pub name: String,
    /// `site`, or `feed`.
    pub level: &'static str,
    /// The mean draw of each bucket, watts.
    pub mean_w: Vec<f64>,
    /// The highest draw of each bucket, watts.
    pub peak_w: Vec<u64>,
    /// The lowest cap that held in each bucket, watts; none where there is none.
    pub cap_w: Vec<Option<u64>>,
    /// Of a site: the mean price of energy, $/MWh; empty where it is not known.
    pub usd_mwh: Vec<f64>,
    /// Of a site: the mean carbon intensity, g/kWh; empty where it is not known.
    pub g_kwh: Vec<f64>,
}

/// Most feeds; of more, those whose peak comes nearest to their cap, or exceeds it.
const FEEDS: usize = 24;

struct Levels {
    width: u32,
    sites: Vec<(Buckets, Vec<u64>)>,
    feeds: Vec<(Buckets, Vec<u64>)>,
}

impl Meter for Levels {
    fn stretch(&mut self, domain: Domain, from: Time, to: Time, draw: Watts) {
        let (buckets, peaks) = match domain {
            Domain::Site(site) => &mut self.sites[site as usize],
            Domain::Feed(feed) => &mut self.feeds[feed as usize],
            Domain::All | Domain::Rack(_) => return,
        };
        buckets.add(from, to, draw.0);
        for peak in &mut peaks[(from.0 / self.width) as usize..=((to.0 - 1) / self.width) as usize] {
            *peak = (*peak).max(draw.0);
        }
    }
    fn parts(&mut self, _: Time, _: Time, _: &Parts) {}
}

/// What sites, then feeds with a cap, drew; nothing where no power is counted.
pub(super) fn draw(history: &History) -> Vec<DrawSeries> {
    let cluster = &history.plan.cluster;
    if !is_counted(cluster) || history.end == Time::ZERO {
        return Vec::new();
    }
    let width = width(history.end);
    let level = || (Buckets::new(history.end), vec![0; history.end.0.div_ceil(width) as usize]);
    let many = |count: usize| (0..count).map(|_| level()).collect();
    let mut levels = Levels { width, sites: many(cluster.sites.len()), feeds: many(cluster.feeds.len()) };
    sweep(history, &mut levels);
    let series = |name: &str, level, domain, (buckets, peaks): &(Buckets, Vec<u64>)| DrawSeries {
        name: name.to_owned(),
        level,
        mean_w: buckets.means(1.0),
        peak_w: peaks.clone(),
        cap_w: lowest(&limits(cluster, domain), width, history.end),
        ..DrawSeries::default()
    };
    let sites = (0u32..).zip(&cluster.sites).zip(&levels.sites);
    let mut found: Vec<DrawSeries> = sites
        .map(|((index, site), level)| DrawSeries {
            usd_mwh: means(history, index, width, 1e6),
            g_kwh: means(history, index, width, 1e3),
            ..series(&site.name, "site", Domain::Site(index), level)
        })
        .collect();
    let mut feeds: Vec<u32> = (0u32..).zip(&cluster.feeds).map(|(index, _)| index).collect();
    let cap = |feed: u32| own_cap(cluster, Domain::Feed(feed)).map(|cap| cap.0);
    feeds.retain(|feed| cap(*feed).is_some());
    let left = |feed: &u32| {
        let peak = levels.feeds[*feed as usize].1.iter().copied().max().unwrap_or(0);
        let cap = cap(*feed).unwrap_or(u64::MAX).max(1);
        (std::cmp::Reverse(u128::from(peak) * 1_000_000 / u128::from(cap)), *feed)
    };
    feeds.sort_by_key(left);
    feeds.truncate(FEEDS);
    let feed = |feed: u32| {
        let name = &cluster.feeds[feed as usize].name;
        series(name, "feed", Domain::Feed(feed), &levels.feeds[feed as usize])
    };
    found.extend(feeds.into_iter().map(feed));
    found
}

/// The lowest of the limits that hold in each bucket.
fn lowest(limits: &[(Time, Option<Watts>)], width: u32, end: Time) -> Vec<Option<u64>> {
    let bucket = |from: u32| {
        let held = limits.partition_point(|limit| limit.0.0 <= from).saturating_sub(1);
        let until = from.saturating_add(width).min(end.0);
        let held = limits[held..].iter().take_while(|limit| limit.0.0 < until);
        held.filter_map(|limit| limit.1).map(|cap| cap.0).min()
    };
    (0..end.0).step_by(width as usize).map(bucket).collect()
}

/// The mean price of a site, or its mean carbon intensity, in units of so much; empty where it is not known.
fn means(history: &History, site: u32, width: u32, unit: f64) -> Vec<f64> {
    let grid = history.plan.cluster.grid(site);
    let signal = grid.and_then(|grid| if unit > 1e3 { grid.price.as_ref() } else { grid.carbon.as_ref() });
    let Some(mut integral) = signal.map(|signal| signal.integral()) else { return Vec::new() };
    let mut mean = |from: u32| {
        let to = from.saturating_add(width).min(history.end.0);
        #[expect(clippy::cast_precision_loss, reason = "a price for people to read")]
        let sum = integral.over(Time(from), Time(to)) as f64;
        sum / f64::from(to - from) / unit
    };
    (0..history.end.0).step_by(width as usize).map(&mut mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::sample;
    use crate::metrics::measure;

    #[test]
    fn the_draw_over_time_comes_to_the_energy_and_the_peak_of_the_run() {
        let mut peaks = 0;
        for seed in 0..60 {
            let mut history = sample::random(seed);
            for kind in &mut history.plan.cluster.kinds {
                (kind.power.idle, kind.power.busy, kind.power.gpu_tgp) =
                    (Watts(700), Watts(5001), Watts(900));
            }
            history.plan.cluster.feeds[0].cap = Some(Watts(9000));
            let metrics = measure(&history).metrics;
            let power = metrics.power.unwrap();
            let series = draw(&history);
            let whole = metrics.window.from == Time::ZERO && metrics.window.to == history.end;
            for site in power.sites.iter().filter(|_| whole) {
                let own = series.iter().find(|own| own.level == "site" && own.name == site.name).unwrap();
                assert_eq!(own.peak_w.iter().copied().max(), Some(site.peak_w), "seed {seed}");
                let width = f64::from(metrics.series.bucket.0);
                let seconds = |index: u32| width.min(f64::from(history.end.0) - f64::from(index) * width);
                let joules: f64 = (0u32..).zip(&own.mean_w).map(|(index, mean)| mean * seconds(index)).sum();
                assert!((joules / site.mean_w / f64::from(history.end.0) - 1.0).abs() < 1e-9, "seed {seed}");
                peaks += 1;
            }
            let feed = series.iter().find(|own| own.level == "feed").unwrap();
            assert!(feed.cap_w.iter().all(|cap| cap.is_some_and(|cap| cap <= 9000)), "capped all the time");
        }
        assert!(peaks > 20, "only {peaks} whole runs");
    }

    #[test]
    fn the_lowest_cap_of_a_bucket_counts() {
        let limits =
            [(Time(0), None), (Time(15), Some(Watts(7))), (Time(18), Some(Watts(5))), (Time(25), None)];
        assert_eq!(lowest(&limits, 10, Time(41)), [None, Some(5), Some(5), None, None], "by tens of seconds");
    }
}
