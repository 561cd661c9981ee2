use super::metered::{Cell, cell, load};
use super::{Run, column, utc};
use crate::cluster::Cluster;
use crate::cluster::grid::Integral;
use crate::power::meter::{Usage, Window};
use crate::power::{Domain, limits};
use crate::table::Kind::{Instant, Integer, Real, Text};
use crate::table::{Column, Encoding, Writer};
use crate::units::{Seconds, Time, Watts};
use std::io::{self, Write};
use std::ops::Range;

/// Steps that are usual, the shortest first.
const STEPS: [u32; 7] = [1, 60, 300, 900, 3600, 21_600, 86_400];
/// Rows a domain that a file has at most if nobody says how long a step is, unless the run lasts longer than a year.
const ROWS: u32 = 400;
/// Steps times domains that are kept in memory at a time.
const CELLS: u32 = 1 << 22;

/// What a site or feed drew in a step of time, on its way to the file.
#[derive(Debug)]
pub(super) struct Row<'a> {
    time: Time,
    step: Seconds,
    epoch: Option<i64>,
    site: &'a str,
    feed: &'a str,
    drawn: Cell,
    cap: Option<Watts>,
    /// Hundredths of $/MWh, and of kg/MWh.
    means: [Option<i64>; 2],
}

impl<'a> Row<'a> {
    /// Every column of `power`, in its order.
    pub(super) const COLUMNS: &'a [Column<Self>] = &[
        column("time", "s", Integer, "when the step of time begins (--power-step)", |row, cells| {
            cells.integer(row.time.0.into());
        }),
        column("site", "", Text, "the site", |row, cells| cells.text(row.site)),
        column("feed", "", Text, "the feed; empty where the line is about all of the site", |row, cells| {
            cells.text(row.feed);
        }),
        column(
            "draw_w",
            "W",
            Integer,
            "mean draw: energy_j / step; of a site, cooling included",
            |row, cells| {
                let seconds = u128::from(row.step.0.max(1));
                let mean = (row.drawn.joules + seconds / 2) / seconds;
                cells.whole(i128::try_from(mean).unwrap_or(i128::MAX));
            },
        ),
        column("peak_w", "W", Integer, "the highest draw in the step", |row, cells| {
            cells.integer(row.drawn.peak);
        }),
        column("energy_j", "J", Integer, "energy drawn in the step", |row, cells| {
            cells.whole(i128::try_from(row.drawn.joules).unwrap_or(i128::MAX));
        }),
        column(
            "cap_w",
            "W",
            Integer,
            "the lowest cap that held in the step; empty without one",
            |row, cells| {
                row.cap.into_iter().for_each(|cap| cells.integer(cap.0));
            },
        ),
        column("price_usd_mwh", "$/MWh", Real, "mean price; empty where it is not known", |row, cells| {
            row.means[0].into_iter().for_each(|price| cells.decimal(price, 2));
        }),
        column(
            "carbon_g_kwh",
            "g/kWh",
            Real,
            "mean carbon intensity; empty where it is not known",
            |row, cells| row.means[1].into_iter().for_each(|intensity| cells.decimal(intensity, 2)),
        ),
        column("step", "s", Integer, "how long the step is; the last may be shorter", |row, cells| {
            cells.integer(row.step.0.into());
        }),
        column(
            "time_utc",
            "",
            Instant,
            "time as a date, where run.start or the trace tells one",
            |row, cells| {
                utc(row.epoch, row.time, cells);
            },
        ),
    ];
}

/// The shortest usual step of which a run has no more than some hundred.
fn usual_step(end: Time) -> Seconds {
    let fits = STEPS.into_iter().find(|step| end.0.div_ceil(*step) <= ROWS);
    Seconds(fits.unwrap_or(STEPS[STEPS.len() - 1]))
}

/// Writes `power`: a line a site and a line a feed for every step of time.
pub(super) fn write(run: &Run<'_>, encoding: Encoding, out: &mut dyn Write) -> io::Result<()> {
    let history = run.history;
    let step = run.provenance.power_step.unwrap_or_else(|| usual_step(history.end)).0.max(1);
    let (load, rows) = load(history, &[]);
    let epoch = history.plan.workload.epoch;
    let mut lines = Lines::new(&history.plan.cluster, history.end, step, epoch);
    let mut writer = Writer::new(encoding, Row::COLUMNS, out)?;
    let all = history.end.0.div_ceil(step);
    let width = rows.last().map_or(0, |last| last.end);
    // A step longer than a bucket can be is a part of its own, of several buckets.
    let is_long = step > Window::BUCKET_MAX;
    let fitting = CELLS / u32::try_from(width).unwrap_or(u32::MAX).max(1);
    let part = if is_long { 1 } else { fitting.max(1) };
    let mut usage = Usage::default();
    let mut first = 0;
    while first < all {
        let last = first.saturating_add(part).min(all);
        let end = last.saturating_mul(step).min(history.end.0);
        let bucket = step.min(Window::BUCKET_MAX);
        run.meter(&load, Window { begin: first * step, end, bucket }, &mut usage);
        let buckets = usage.buckets.len() / width.max(1) / (last - first) as usize;
        for (index, cells) in (first..).zip(usage.buckets.chunks(buckets * width.max(1))) {
            let sum = |rows: &Range<usize>| cell(cells.chunks(width), rows);
            lines.add(index, &rows.iter().map(sum).collect::<Vec<Cell>>());
            if lines.rows.len() >= Writer::<Row<'_>>::BATCH {
                writer.rows(&std::mem::take(&mut lines.rows))?;
            }
        }
        first = last;
    }
    writer.rows(&lines.rows)?;
    writer.finish()
}

/// Lines to come, and what stands beside the draw in each.
struct Lines<'a> {
    cluster: &'a Cluster,
    end: Time,
    step: u32,
    epoch: Option<i64>,
    /// By domain: what it may draw from each instant on.
    limits: Vec<Vec<(Time, Option<Watts>)>>,
    /// By site: price and carbon intensity.
    signals: Vec<[Option<Integral<'a>>; 2]>,
    rows: Vec<Row<'a>>,
}

impl<'a> Lines<'a> {
    fn new(cluster: &'a Cluster, end: Time, step: u32, epoch: Option<i64>) -> Self {
        let sites = (0..).zip(&cluster.sites).map(|(site, _)| Domain::Site(site));
        let feeds = (0..).zip(&cluster.feeds).map(|(feed, _)| Domain::Feed(feed));
        let limits = sites.chain(feeds).map(|of| limits(cluster, of)).collect();
        let signals = (0..).zip(&cluster.sites).map(|(site, _)| {
            let grid = cluster.grid(site);
            let signals =
                [grid.and_then(|grid| grid.price.as_ref()), grid.and_then(|grid| grid.carbon.as_ref())];
            signals.map(|signal| signal.map(|signal| signal.integral()))
        });
        let signals = signals.collect();
        Self { cluster, end, step, epoch, limits, signals, rows: Vec::new() }
    }
    /// Adds what every site and feed drew in a step.
    fn add(&mut self, step: u32, drawn: &[Cell]) {
        let time = Time(step * self.step);
        let to = (time + Seconds(self.step)).min(self.end);
        let cluster = self.cluster;
        let (sites, feeds) = drawn.split_at(cluster.sites.len().min(drawn.len()));
        for (index, (site, drawn)) in cluster.sites.iter().zip(sites).enumerate() {
            let means = self.means(index, time, to);
            let row = |feed: &'a str, domain: usize, drawn: &Cell| Row {
                time,
                step: to.since(time),
                epoch: self.epoch,
                site: &site.name,
                feed,
                drawn: *drawn,
                cap: self.cap(domain, time, to),
                means,
            };
            let own = row("", index, drawn);
            let feeds = cluster.feeds.iter().zip(feeds).enumerate();
            let feeds = feeds.filter(|(_, (feed, _))| feed.site as usize == index);
            let feeds =
                feeds.map(|(number, (feed, drawn))| row(&feed.name, cluster.sites.len() + number, drawn));
            let rows: Vec<Row<'a>> = std::iter::once(own).chain(feeds).collect();
            self.rows.extend(rows);
        }
    }
    /// The lowest limit that held.
    fn cap(&self, domain: usize, from: Time, to: Time) -> Option<Watts> {
        let limits = &self.limits[domain];
        let held = limits.partition_point(|limit| limit.0 <= from).saturating_sub(1);
        limits[held..].iter().take_while(|limit| limit.0 < to).filter_map(|limit| limit.1).min()
    }
    /// Mean price in $/MWh and carbon intensity in kg/MWh of a site, in hundredths; none where they are not known.
    fn means(&mut self, site: usize, from: Time, to: Time) -> [Option<i64>; 2] {
        let seconds = i128::from(to.since(from).0.max(1));
        let mean = |(signal, hundredth): (&mut Option<Integral<'_>>, i128)| {
            let whole = signal.as_mut()?.over(from, to);
            let unit = seconds * hundredth;
            i64::try_from((whole + unit / 2).div_euclid(unit)).ok()
        };
        let [price, carbon] = &mut self.signals[site];
        [mean((price, 10_000)), mean((carbon, 10))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_as_short_as_a_file_stays_small() {
        for (end, step) in [(0, 1), (400, 1), (401, 60), (86_400, 300), (604_800, 3600), (u32::MAX, 86_400)] {
            assert_eq!(usual_step(Time(end)), Seconds(step), "a run of {end} s");
        }
    }
}
