use super::Run;
use super::metered::{cell, load, quoted};
use crate::cluster::grid::{Grid, Signal};
use crate::power::bill::JOULES_A_MWH;
use crate::power::meter::{PriceStep, Total, Usage, Window};
use crate::power::share::rounded;
use crate::units::{Money, Time};
use std::io::{self, Write};

/// Writes `feeds.csv`: a line a site and a line a feed, over the whole run.
pub(super) fn write(run: &Run<'_>, out: &mut dyn Write) -> io::Result<()> {
    let history = run.history;
    let cluster = &history.plan.cluster;
    writeln!(out, "site,feed,energy_j,mean_w,peak_w,energy_cost_usd,carbon_g")?;
    let tariffs: Vec<Vec<PriceStep>> = cluster.grids.iter().map(|grid| tariff(grid, history.end)).collect();
    let (load, rows) = load(history, &tariffs);
    let width = rows.last().map_or(1, |last| last.end.max(1));
    let mut usage = Usage::default();
    let window = Window { begin: 0, end: history.end.0, bucket: Window::BUCKET_MAX };
    run.meter(&load, window, &mut usage);
    let seconds = u128::from(history.end.0.max(1));
    let mut line = |site: u32, feed: &str, domain: usize| {
        let rows = &rows[domain];
        let drawn = cell(usage.buckets.chunks(width), rows);
        let total = usage.totals[rows.clone()].iter().fold(Total::default(), |sum, row| Total {
            energy: sum.energy + row.energy,
            cost: sum.cost + row.cost,
            carbon: sum.carbon + row.carbon,
        });
        assert_eq!(u128::try_from(total.energy), Ok(drawn.joules), "buckets come to the whole");
        let mean = (drawn.joules + seconds / 2) / seconds;
        let grid = cluster.grid(site);
        let priced = grid.is_some_and(|grid| grid.price.is_some());
        let cost = if priced { Money(rounded(total.cost, JOULES_A_MWH)).exact() } else { String::new() };
        let known = grid.is_some_and(|grid| grid.carbon.is_some());
        let carbon = if known { rounded(total.carbon, JOULES_A_MWH).to_string() } else { String::new() };
        let name = quoted(&cluster.sites[site as usize].name);
        let (feed, joules, peak) = (quoted(feed), drawn.joules, drawn.peak);
        writeln!(out, "{name},{feed},{joules},{mean},{peak},{cost},{carbon}")
    };
    for site in 0..u32::try_from(cluster.sites.len()).expect("sites are few") {
        line(site, "", site as usize)?;
        for (number, feed) in cluster.feeds.iter().enumerate().filter(|(_, feed)| feed.site == site) {
            line(site, &feed.name, cluster.sites.len() + number)?;
        }
    }
    Ok(())
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
