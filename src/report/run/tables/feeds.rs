use super::metered::{cell, load};
use super::{Run, column};
use crate::cluster::grid::{Grid, Signal};
use crate::power::bill::JOULES_A_MWH;
use crate::power::meter::{PriceStep, Total, Usage, Window};
use crate::power::share::rounded;
use crate::table::Kind::{Integer, Real, Text};
use crate::table::{Column, Encoding, Writer};
use crate::units::{Money, Time};
use std::io::{self, Write};

/// A site, or a feed, on its way to the file.
#[derive(Debug)]
pub(super) struct Row<'a> {
    site: &'a str,
    feed: &'a str,
    joules: u128,
    mean: u128,
    peak: u64,
    cost: Option<Money>,
    carbon: Option<i64>,
}

impl<'a> Row<'a> {
    /// Every column of `feeds`, in its order.
    pub(super) const COLUMNS: &'a [Column<Self>] = &[
        column("site", "", Text, "the site", |row, cells| cells.text(row.site)),
        column("feed", "", Text, "the feed; empty where the line is about all of the site", |row, cells| {
            cells.text(row.feed);
        }),
        column("energy_j", "J", Integer, "energy drawn in the whole run", |row, cells| {
            cells.whole(i128::try_from(row.joules).unwrap_or(i128::MAX));
        }),
        column("mean_w", "W", Integer, "energy_j / length of the run", |row, cells| {
            cells.whole(i128::try_from(row.mean).unwrap_or(i128::MAX));
        }),
        column("peak_w", "W", Integer, "the highest draw", |row, cells| cells.integer(row.peak)),
        column(
            "energy_cost_usd",
            "$",
            Real,
            "what that energy costs by the site's tariff; empty where there is none",
            |row, cells| row.cost.into_iter().for_each(|cost| cells.decimal(cost.0, 6)),
        ),
        column(
            "carbon_g",
            "g",
            Integer,
            "CO2 equivalent of that energy; empty where the site's grid tells none",
            |row, cells| row.carbon.into_iter().for_each(|grams| cells.whole(grams.into())),
        ),
    ];
}

/// Writes `feeds`: a line a site and a line a feed, over the whole run.
pub(super) fn write(run: &Run<'_>, encoding: Encoding, out: &mut dyn Write) -> io::Result<()> {
    let history = run.history;
    let cluster = &history.plan.cluster;
    let tariffs: Vec<Vec<PriceStep>> = cluster.grids.iter().map(|grid| tariff(grid, history.end)).collect();
    let (load, rows) = load(history, &tariffs);
    let width = rows.last().map_or(1, |last| last.end.max(1));
    let mut usage = Usage::default();
    let window = Window { begin: 0, end: history.end.0, bucket: Window::BUCKET_MAX };
    run.meter(&load, window, &mut usage);
    let seconds = u128::from(history.end.0.max(1));
    let row = |site: u32, feed, domain: usize| {
        let rows = &rows[domain];
        let drawn = cell(usage.buckets.chunks(width), rows);
        let total = usage.totals[rows.clone()].iter().fold(Total::default(), |sum, row| Total {
            energy: sum.energy + row.energy,
            cost: sum.cost + row.cost,
            carbon: sum.carbon + row.carbon,
        });
        assert_eq!(u128::try_from(total.energy), Ok(drawn.joules), "buckets come to the whole");
        let grid = cluster.grid(site);
        let priced = grid.is_some_and(|grid| grid.price.is_some());
        let known = grid.is_some_and(|grid| grid.carbon.is_some());
        Row {
            site: &cluster.sites[site as usize].name,
            feed,
            joules: drawn.joules,
            mean: (drawn.joules + seconds / 2) / seconds,
            peak: drawn.peak,
            cost: priced.then(|| Money(rounded(total.cost, JOULES_A_MWH))),
            carbon: known.then(|| rounded(total.carbon, JOULES_A_MWH)),
        }
    };
    let mut found = Vec::new();
    for site in 0..u32::try_from(cluster.sites.len()).expect("sites are few") {
        found.push(row(site, "", site as usize));
        for (number, feed) in cluster.feeds.iter().enumerate().filter(|(_, feed)| feed.site == site) {
            found.push(row(site, &feed.name, cluster.sites.len() + number));
        }
    }
    let mut writer = Writer::new(encoding, Row::COLUMNS, out)?;
    writer.rows(&found)?;
    writer.finish()
}

/// Price and carbon intensity of a grid up to an instant, step by step.
fn tariff(grid: &Grid, end: Time) -> Vec<PriceStep> {
    let mut steps: Vec<PriceStep> = Vec::new();
    let mut now = Time::ZERO;
    while now < end {
        let at = |signal: &Option<Signal>| signal.as_ref().map_or(0, |signal| signal.at(now));
        let step = PriceStep { from: now.0, price: at(&grid.price), intensity: at(&grid.carbon) };
        let is_new = |last: &PriceStep| (last.price, last.intensity) != (step.price, step.intensity);
        if steps.last().is_none_or(is_new) {
            steps.push(step);
        }
        let signals = [&grid.price, &grid.carbon].into_iter().flatten();
        now = signals.map(|signal| signal.until(now)).min().unwrap_or(Time::NEVER);
    }
    steps
}
