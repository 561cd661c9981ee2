use super::Run;
use super::metered::{Cell, cell, load, quoted};
use super::text::cut;
use crate::cluster::Cluster;
use crate::cluster::grid::Integral;
use crate::metrics::{CostMetrics, DomainPower, JOULES_A_MWH, PowerMetrics, SiteCost};
use crate::power::meter::{Usage, Window};
use crate::power::{Domain, limits};
use crate::report::number::{mass, scaled};
use crate::units::{Money, Seconds, Time, Watts};
use std::io::{self, Write};
use std::ops::Range;

/// Steps that are usual, the shortest first.
const STEPS: [u32; 7] = [1, 60, 300, 900, 3600, 21_600, 86_400];
/// Rows a domain that a file has at most if nobody says how long a step is, unless the run lasts longer than a year.
const ROWS: u32 = 400;
/// Characters of the name of a site or feed in the summary.
const NAME: usize = 24;
/// Steps times domains that are kept in memory at a time.
const CELLS: u32 = 1 << 22;

/// The shortest usual step of which a run has no more than some hundred.
fn usual_step(end: Time) -> Seconds {
    let fits = STEPS.into_iter().find(|step| end.0.div_ceil(*step) <= ROWS);
    Seconds(fits.unwrap_or(STEPS[STEPS.len() - 1]))
}

/// Writes `power.csv`: a line a site and a line a feed for every step of time.
pub(super) fn write(run: &Run<'_>, out: &mut dyn Write) -> io::Result<()> {
    let history = run.history;
    let cluster = &history.plan.cluster;
    writeln!(out, "time,site,feed,draw_w,peak_w,energy_j,cap_w,price_usd_mwh,carbon_g_kwh")?;
    let step = run.provenance.power_step.unwrap_or_else(|| usual_step(history.end)).0.max(1);
    let (load, rows) = load(history, &[]);
    let mut lines = Lines::new(cluster, history.end, step);
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
            lines.write(index, &rows.iter().map(sum).collect::<Vec<Cell>>(), out)?;
        }
        first = last;
    }
    Ok(())
}

/// What stands beside the draw in each line.
struct Lines<'a> {
    cluster: &'a Cluster,
    end: Time,
    step: u32,
    /// By domain: what it may draw from each instant on.
    limits: Vec<Vec<(Time, Option<Watts>)>>,
    /// By site: price and carbon intensity.
    signals: Vec<[Option<Integral<'a>>; 2]>,
}

impl<'a> Lines<'a> {
    fn new(cluster: &'a Cluster, end: Time, step: u32) -> Self {
        let sites = (0..).zip(&cluster.sites).map(|(site, _)| Domain::Site(site));
        let feeds = (0..).zip(&cluster.feeds).map(|(feed, _)| Domain::Feed(feed));
        let signals = (0..).zip(&cluster.sites).map(|(site, _)| {
            let grid = cluster.grid(site);
            let signals =
                [grid.and_then(|grid| grid.price.as_ref()), grid.and_then(|grid| grid.carbon.as_ref())];
            signals.map(|signal| signal.map(|signal| signal.integral()))
        });
        let signals = signals.collect();
        Self {
            cluster,
            end,
            step,
            limits: sites.chain(feeds).map(|of| limits(cluster, of)).collect(),
            signals,
        }
    }
    fn write(&mut self, step: u32, row: &[Cell], out: &mut dyn Write) -> io::Result<()> {
        let from = Time(step * self.step);
        let to = (from + Seconds(self.step)).min(self.end);
        let (sites, feeds) = row.split_at(self.cluster.sites.len().min(row.len()));
        for (index, (site, cell)) in self.cluster.sites.iter().zip(sites).enumerate() {
            let means = self.means(index, from, to);
            self.line(from, to, (&site.name, ""), index, cell, &means, out)?;
            for (number, (feed, cell)) in self.cluster.feeds.iter().zip(feeds).enumerate() {
                if feed.site as usize == index {
                    let domain = self.cluster.sites.len() + number;
                    self.line(from, to, (&site.name, &feed.name), domain, cell, &means, out)?;
                }
            }
        }
        Ok(())
    }
    /// Mean price in $/MWh and carbon intensity in kg/MWh of a site over a step; empty where they are not known.
    fn means(&mut self, site: usize, from: Time, to: Time) -> [String; 2] {
        let seconds = i128::from(to.since(from).0.max(1));
        let mean = |(signal, unit): (&mut Option<Integral<'_>>, f64)| {
            #[expect(clippy::cast_precision_loss, reason = "a price for people to read")]
            let mean = signal.as_mut().map(|signal| (signal.over(from, to) / seconds) as f64 / unit);
            mean.map_or_else(String::new, |mean| format!("{mean:.2}"))
        };
        let [price, carbon] = &mut self.signals[site];
        [mean((price, 1e6)), mean((carbon, 1e3))]
    }
    #[expect(clippy::too_many_arguments, reason = "what a line says")]
    fn line(
        &self,
        from: Time,
        to: Time,
        (site, feed): (&str, &str),
        domain: usize,
        cell: &Cell,
        [price, carbon]: &[String; 2],
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let seconds = u128::from(to.since(from).0.max(1));
        let mean = (cell.joules + seconds / 2) / seconds;
        // The lowest limit that held in the step.
        let limits = &self.limits[domain];
        let held = limits.partition_point(|limit| limit.0 <= from).saturating_sub(1);
        let held = limits[held..].iter().take_while(|limit| limit.0 < to).filter_map(|limit| limit.1).min();
        let cap = held.map_or_else(String::new, |cap| cap.0.to_string());
        let (site, feed) = (quoted(site), quoted(feed));
        let Cell { joules, peak } = cell;
        writeln!(out, "{},{site},{feed},{mean},{},{joules},{cap},{price},{carbon}", from.0, peak)
    }
}

/// Power, energy and their cost in a few lines: label and text. Only what is known, and says something, takes a line.
/// All of it is of the window that counts; if that is not all of the run, what peaks cost says what that means.
pub(super) fn lines(
    power: &PowerMetrics,
    cost: Option<&CostMetrics>,
    is_whole: bool,
) -> Vec<(&'static str, String)> {
    let all = &power.all;
    let percent = |part: f64| format!("{:.0} %", part * 100.0);
    let mut lines = vec![(
        "Power",
        format!(
            "mean {}, peak {}, load factor {}, ramp {}/min",
            watts(all.mean_w),
            watts(real(all.peak_w.into())),
            percent(all.load_factor),
            watts(real(all.ramp_w.into()))
        ),
    )];
    let idle = u128::try_from(power.idle_j).unwrap_or(0);
    let parts = [
        ("jobs", power.jobs_j),
        ("idle", idle),
        ("overhead", power.overhead_j),
        ("losses", power.losses_j),
        ("cooling", power.cooling_j),
    ];
    let share = |joules: u128| real(joules) / real(all.energy_j.max(1));
    let parts = parts.iter().filter(|(_, joules)| *joules > 0);
    let parts: Vec<String> =
        parts.map(|(name, joules)| format!("{name} {}", percent(share(*joules)))).collect();
    let made_of = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
    lines.push(("Energy", format!("{}{made_of}", energy(all.energy_j))));
    if power.all_over_cap_ws > 0 {
        let over = |domain: &&DomainPower| domain.over_cap_ws > 0;
        let worst =
            power.sites.iter().chain(&power.feeds).filter(over).max_by_key(|domain| domain.over_cap_ws);
        let worst =
            worst.map_or_else(String::new, |worst| format!(", most of it at {}", cut(&worst.name, NAME)));
        lines.push(("Over caps", format!("{}{worst}", energy(power.all_over_cap_ws))));
    }
    if let Some((domain, cap, stranded)) = tightest(power) {
        let [cap, stranded] = [cap, stranded].map(|power| watts(real(power.into())));
        lines.push(("Stranded", format!("{stranded} of {cap} at {}, the tightest cap", cut(domain, NAME))));
    }
    let [held, work] = [power.gpu_hours_per_mwh, power.work_gpu_hours_per_mwh];
    lines.push(("Per MWh", format!("{held:.0} GPU-hours held, {work:.0} of work on reference GPUs done")));
    lines.extend(cost.into_iter().flat_map(|cost| cost_lines(cost, is_whole)));
    lines
}

fn cost_lines(cost: &CostMetrics, is_whole: bool) -> Vec<(&'static str, String)> {
    let energy_cost = format!("energy {} ({:.2} $/MWh)", cost.energy, cost.dollars_per_mwh);
    let demand = (cost.demand != Money(0)).then(|| format!(", peaks {}", cost.demand));
    let mut lines = vec![("Cost", format!("{}: {energy_cost}{}", cost.total, demand.unwrap_or_default()))];
    if !is_whole && cost.demand != Money(0) {
        lines.push(("", "peaks: the highest readings within the time counted".to_owned()));
    }
    let beyond = cost.sites.iter().map(|site| site.beyond).max().unwrap_or_default();
    if beyond > Seconds::ZERO {
        lines.push(("", format!("with the last price or intensity recorded for the last {beyond}")));
    }
    if cost.nobody != Money(0) {
        lines.push(("", format!("of that {} where no job ran", cost.nobody)));
    }
    if cost.carbon_g != 0 {
        let grams = real(cost.carbon_g.unsigned_abs().into());
        lines.push(("Carbon", format!("{} of CO2 equivalent, {:.0} g/kWh", mass(grams), cost.grams_per_kwh)));
    }
    let [charged, discharged] = [|site: &SiteCost| site.charged_j, |site: &SiteCost| site.discharged_j]
        .map(|joules| cost.sites.iter().map(|site| u128::from(joules(site))).sum::<u128>());
    if charged + discharged > 0 {
        lines.push(("Batteries", format!("gave {}, took {}", energy(discharged), energy(charged))));
    }
    lines
}

/// The capped site or feed that came closest to its cap: its name, its cap, and what of that it never drew.
fn tightest(power: &PowerMetrics) -> Option<(&str, u64, u64)> {
    let domains = power.sites.iter().chain(&power.feeds);
    let capped = domains.filter_map(|domain| Some((domain.name.as_str(), domain.cap_w?, domain.stranded_w?)));
    capped.min_by_key(|(_, _, stranded)| *stranded)
}

#[expect(clippy::cast_precision_loss, reason = "a number for people to read")]
const fn real(exact: u128) -> f64 {
    exact as f64
}

/// Megawatt-hours of joules, as a number of a table.
pub(super) fn megawatt_hours(joules: u128) -> String {
    format!("{:.2}", real(joules) / JOULES_A_MWH)
}

fn energy(joules: u128) -> String {
    scaled(real(joules) / JOULES_A_MWH * 1e6, "Wh")
}

fn watts(watts: f64) -> String {
    scaled(watts, "W")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn power_is_read_at_a_glance() {
        for (watts, text) in [
            (0.0, "0 W"),
            (999.4, "999 W"),
            (999.6, "1.00 kW"),
            (28_228_000.0, "28.2 MW"),
            (412_345.0, "412 kW"),
            (5e12, "5000 GW"),
        ] {
            assert_eq!(scaled(watts, "W"), text, "{watts}");
        }
        assert_eq!(energy(3_600_000_000), "1.00 MWh", "a megawatt-hour");
    }

    #[test]
    fn a_step_is_as_short_as_a_file_stays_small() {
        for (end, step) in [(0, 1), (400, 1), (401, 60), (86_400, 300), (604_800, 3600), (u32::MAX, 86_400)] {
            assert_eq!(usual_step(Time(end)), Seconds(step), "a run of {end} s");
        }
    }
}
