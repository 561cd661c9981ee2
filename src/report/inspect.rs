//! A workload as plots in a terminal.

use super::canvas::Canvas;
use super::lines::{columns, hung, wrapped};
use super::number::{counted, grouped, significant};
use crate::metrics::profile::{Profile, Share};
use crate::units::Seconds;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::symbols::{Marker, block};
use ratatui::text::Line;
use ratatui::widgets::{Axis, Chart, Dataset, GraphType, Sparkline, Widget};

/// What is drawn, and how wide.
#[derive(Debug, Clone, Copy)]
pub struct Inspection<'a> {
    /// What is looked at: a file and its format, say.
    pub title: &'a str,
    /// Its numbers; best with as many buckets as [`Inspection::buckets`] says.
    pub profile: &'a Profile,
    /// What the reader changed, one sentence each.
    pub notes: &'a [String],
    /// The cluster to compare with: what it is called, and its GPUs.
    pub cluster: Option<(&'a str, u64)>,
    /// When a run of it is cut off.
    pub until: Option<Seconds>,
    /// Columns of the terminal.
    pub width: u16,
    /// Whether escape sequences may be written.
    pub colour: bool,
}

/// The fewest columns that are drawn on.
const NARROWEST: u16 = 40;
/// The most columns that are drawn on.
const WIDEST: u16 = 200;
/// Columns left of the plots over time.
pub(super) const MARGIN: u16 = 9;
/// How many tenants are shown.
const TENANTS: usize = 8;

pub(super) const JOBS: Color = Color::Cyan;
const WORK: Color = Color::Magenta;
const LIMIT: Color = Color::Yellow;

impl Inspection<'_> {
    /// How many buckets of time fill a terminal of `width` columns.
    #[must_use]
    pub fn buckets(width: u16) -> usize {
        usize::from(Self::drawn(width) - MARGIN)
    }

    /// How many columns of a terminal of `width` are drawn on.
    pub(super) fn drawn(width: u16) -> u16 {
        width.clamp(NARROWEST, WIDEST)
    }

    /// The plots, each line ending where its text does.
    #[must_use]
    pub fn render(&self) -> String {
        let mut canvas = Canvas::new(Self::drawn(self.width), self.colour);
        self.head(&mut canvas);
        self.arrivals(&mut canvas);
        self.demand(&mut canvas);
        let profile = self.profile;
        bars(&mut canvas, "GPUs of a gang", &profile.gangs, &profile.total);
        bars(&mut canvas, "Work time", &profile.lengths, &profile.total);
        self.durations(&mut canvas);
        self.recorded_waits(&mut canvas);
        if profile.kinds.len() > 1 {
            bars(&mut canvas, "Kind", &profile.kinds, &profile.total);
        }
        if profile.tenants.len() > 1 {
            bars(&mut canvas, "Tenant", &most(&profile.tenants), &profile.total);
        }
        notes(&mut canvas, self.notes);
        canvas.finish()
    }

    fn head(&self, canvas: &mut Canvas) {
        let profile = self.profile;
        canvas.prose(self.title, Style::new().bold());
        let mut facts = vec![
            counted(profile.total.jobs, "job"),
            format!("{} GPU-hours", grouped(whole(profile.gpu_hours()))),
            format!("submitted within {}", profile.span()),
        ];
        facts.extend(profile.epoch.map(|epoch| format!("from {}", date(epoch, profile.first_submit.0))));
        listed(canvas, &facts);
        let rare = [
            (profile.dependencies, "dependency"),
            (profile.graphs, "job graph"),
            (profile.running, "job already running"),
            (profile.failing, "job to fail"),
            (profile.cancelled, "job withdrawn if late"),
        ];
        let said: Vec<String> =
            rare.iter().filter(|(count, _)| *count > 0).map(|(count, noun)| counted(*count, noun)).collect();
        listed(canvas, &said);
        if let Some((name, gpus)) = self.cluster {
            let load = match profile.offered_load {
                Some(load) => {
                    format!("offered load {} on {name} ({} GPUs)", significant(load), grouped(gpus))
                }
                None => format!("no offered load on {name}: all jobs are submitted at once"),
            };
            let cut_off = self.until.map(|until| format!(", up to run.until = {until}"));
            let endless = (profile.endless > 0)
                .then(|| format!(", but for {}", counted(profile.endless, "service without end")));
            let load = [Some(load), cut_off, endless].into_iter().flatten().collect::<String>();
            canvas.prose(&load, Style::new().bold());
        }
    }

    fn arrivals(&self, canvas: &mut Canvas) {
        let profile = self.profile;
        let bucket = Seconds(u32::try_from(whole(profile.bucket).max(1)).unwrap_or(u32::MAX));
        heading(canvas, &format!("Arrivals: jobs in each {bucket}"));
        let peak = profile.arrivals.iter().copied().max().unwrap_or(0);
        canvas.draw(4, |area, buffer| {
            left_label(buffer, 0, &grouped(peak));
            let plot = Rect { x: MARGIN, width: area.width - MARGIN, ..area };
            // What is not zero shows: at least an eighth of a cell.
            let visible = peak.div_ceil(32);
            let data = profile.arrivals.iter().map(|jobs| if *jobs == 0 { 0 } else { (*jobs).max(visible) });
            Sparkline::default().data(data).style(JOBS).render(plot, buffer);
        });
        self.time_axis(canvas);
    }

    /// GPUs in use over time if nobody had to wait, beside what the cluster has.
    fn demand(&self, canvas: &mut Canvas) {
        let demand = &self.profile.demand;
        heading(canvas, "Demand: GPUs in use if no job had to wait");
        let peak = demand.iter().copied().fold(0.0, f64::max);
        let capacity = self.cluster.map_or(0.0, |(_, gpus)| real(gpus));
        let top = peak.max(capacity).max(1.0) * 1.05;
        let points: Vec<(f64, f64)> =
            demand.iter().enumerate().map(|(i, gpus)| (real(i as u64), *gpus)).collect();
        let last = real(demand.len().saturating_sub(1).max(1) as u64);
        let limit = [(0.0, capacity), (last, capacity)];
        let mut datasets = vec![
            Dataset::default().data(&points).marker(Marker::Braille).graph_type(GraphType::Area).style(WORK),
        ];
        if capacity > 0.0 {
            datasets.push(
                Dataset::default()
                    .data(&limit)
                    .marker(Marker::Braille)
                    .graph_type(GraphType::Line)
                    .style(LIMIT),
            );
        }
        canvas.draw(7, |area, buffer| {
            let plot = Rect { x: MARGIN, width: area.width - MARGIN, ..area };
            Chart::new(datasets)
                .x_axis(Axis::default().bounds([0.0, last]))
                .y_axis(Axis::default().bounds([0.0, top]))
                .render(plot, buffer);
            let row = |gpus: f64| {
                let from_top = (1.0 - gpus / top) * f64::from(area.height);
                u16::try_from(whole(from_top.floor())).unwrap_or(0).min(area.height - 1)
            };
            left_label(buffer, row(peak), &grouped(whole(peak)));
            if capacity > 0.0 {
                left_label(buffer, row(capacity), &grouped(whole(capacity)));
                buffer.set_style(Rect::new(0, row(capacity), MARGIN, 1), Style::new().fg(LIMIT));
            }
        });
        self.time_axis(canvas);
        let mean = demand.iter().sum::<f64>() / real(demand.len().max(1) as u64);
        let most = self.profile.peak_demand;
        let mut said = format!("mean {}, peak {}", grouped(whole(mean)), grouped(whole(most)));
        if let Some((_, gpus)) = self.cluster {
            let above = demand.iter().filter(|used| **used > real(gpus)).count();
            let share = 100.0 * real(above as u64) / real(demand.len().max(1) as u64);
            said.push_str(&format!("; above the {} GPUs there are {share:.0} % of the time", grouped(gpus)));
        }
        for line in hung(&" ".repeat(usize::from(MARGIN)), &said, usize::from(canvas.width())) {
            canvas.line(line);
        }
    }

    /// The two ends of the time shown, and its middle.
    fn time_axis(&self, canvas: &mut Canvas) {
        let profile = self.profile;
        let at = |part: u32| {
            let offset = profile.span().0 / 2 * part;
            match profile.epoch {
                Some(epoch) if profile.span() >= Seconds(3 * 86_400) => {
                    date(epoch, profile.first_submit.0.saturating_add(offset))
                }
                Some(epoch) => minute(epoch, profile.first_submit.0.saturating_add(offset)),
                None => Seconds(profile.first_submit.0.saturating_add(offset)).to_string(),
            }
        };
        let dates = [at(0), at(1), at(2)];
        let needed = |dates: &[String]| dates.iter().map(|date| columns(date) + 1).sum::<usize>();
        canvas.draw(1, |area, buffer| {
            let mut plot = Rect { x: MARGIN, width: area.width - MARGIN, ..area };
            let dim = Style::new().dim();
            // Where there is too little room for three of them, the ends matter most.
            if needed(&dates) <= usize::from(plot.width) {
                Line::from(dates[1].as_str()).style(dim).centered().render(plot, buffer);
            } else if needed(&[at(0), at(2)]) > usize::from(plot.width) {
                plot = area;
            }
            Line::from(dates[0].as_str()).style(dim).render(plot, buffer);
            Line::from(dates[2].as_str()).style(dim).right_aligned().render(plot, buffer);
        });
    }

    fn durations(&self, canvas: &mut Canvas) {
        let found = self.profile.durations;
        let mean = Seconds(u32::try_from(whole(found.mean)).unwrap_or(u32::MAX));
        let quantiles = [("p50", found.p50), ("p90", found.p90), ("p99", found.p99), ("longest", found.max)];
        let mut said: Vec<String> = quantiles.iter().map(|(what, time)| format!("{what} {time}")).collect();
        said.push(format!("mean {mean}"));
        listed(canvas, &said);
        let estimates = self.profile.estimates;
        if estimates.overrun + estimates.padded == 0 {
            canvas.prose("every job requests exactly its work time", Style::new());
            return;
        }
        let percent = |jobs: u64| 100.0 * real(jobs) / real(self.profile.total.jobs.max(1));
        let said = format!(
            "requested above work in {:.1} % of jobs (median {:.1} times), below in {:.1} %",
            percent(estimates.padded),
            real(estimates.median_padding_milli) / 1000.0,
            percent(estimates.overrun),
        );
        canvas.prose(&said, Style::new());
    }

    /// How long jobs waited where they come from.
    fn recorded_waits(&self, canvas: &mut Canvas) {
        let waits = &self.profile.recorded_waits;
        if waits.count > 0 {
            let who =
                format!("recorded waits of {}: p50 {}", counted(waits.count, "job"), Seconds(waits.p50));
            let mean = Seconds(u32::try_from(whole(waits.mean)).unwrap_or(u32::MAX));
            let facts = [who, format!("p95 {}", Seconds(waits.p95)), format!("mean {mean}")];
            listed(canvas, &facts);
        }
    }
}

/// What the reader changed.
pub(super) fn notes(canvas: &mut Canvas, notes: &[String]) {
    if notes.is_empty() {
        return;
    }
    heading(canvas, "What the reader says");
    for note in notes {
        for (index, line) in wrapped(note, usize::from(canvas.width()) - 2).iter().enumerate() {
            canvas.line(format!("{} {line}", if index == 0 { '·' } else { ' ' }));
        }
    }
}

/// Facts beside each other, as many to a line as there is room for.
pub(super) fn listed(canvas: &mut Canvas, facts: &[String]) {
    const BETWEEN: &str = " · ";
    let width = usize::from(canvas.width());
    let mut line = String::new();
    for fact in facts {
        let longer = line.chars().count() + BETWEEN.chars().count() + fact.chars().count();
        if !line.is_empty() && longer > width {
            canvas.prose(&std::mem::take(&mut line), Style::new());
        }
        if !line.is_empty() {
            line.push_str(BETWEEN);
        }
        line.push_str(fact);
    }
    if !line.is_empty() {
        canvas.prose(&line, Style::new());
    }
}

pub(super) fn heading(canvas: &mut Canvas, text: &str) {
    canvas.gap();
    canvas.prose(text, Style::new().bold());
}

pub(super) fn left_label(buffer: &mut Buffer, y: u16, text: &str) {
    let width = usize::from(MARGIN) - 1;
    buffer.set_string(0, y, format!("{text:>width$}"), Style::new());
}

/// For each share one row: its part of the jobs, and its part of the GPU time.
fn bars(canvas: &mut Canvas, title: &str, shares: &[Share], total: &Share) {
    canvas.gap();
    let label = shares.iter().map(|share| share.label.chars().count()).max().unwrap_or(0).clamp(14, 24);
    let label = u16::try_from(label).expect("clamped");
    let column = (canvas.width() - label - 2) / 2;
    let (first, second) = (label + 1, label + 1 + column + 1);
    canvas.draw(1, |_, buffer| {
        buffer.set_string(0, 0, title, Style::new().bold());
        buffer.set_string(first, 0, "jobs", Style::new().bold());
        buffer.set_string(second, 0, "GPU-hours", Style::new().bold());
    });
    let jobs = |share: &Share| real(share.jobs) / real(total.jobs.max(1));
    let work = |share: &Share| share.gpu_hours() / total.gpu_hours().max(f64::MIN_POSITIVE);
    let most_jobs = shares.iter().map(jobs).fold(f64::MIN_POSITIVE, f64::max);
    let most_work = shares.iter().map(work).fold(f64::MIN_POSITIVE, f64::max);
    for share in shares {
        canvas.draw(1, |_, buffer| {
            buffer.set_stringn(0, 0, &share.label, usize::from(label), Style::new());
            bar(buffer, Rect::new(first, 0, column, 1), jobs(share), most_jobs, JOBS);
            bar(buffer, Rect::new(second, 0, column, 1), work(share), most_work, WORK);
        });
    }
}

/// Columns that a percentage takes.
const PERCENT: u16 = 7;

fn bar(buffer: &mut Buffer, area: Rect, part: f64, most: f64, colour: Color) {
    buffer.set_string(area.x, 0, format!("{:>5.1}%", 100.0 * part), Style::new());
    let area = Rect { x: area.x + PERCENT, width: area.width - PERCENT, ..area };
    let eighths = whole((part / most).clamp(0.0, 1.0) * f64::from(area.width) * 8.0);
    let mut text = block::FULL.repeat(usize::try_from(eighths / 8).unwrap_or(0));
    text.push_str(EIGHTHS[usize::try_from(eighths % 8).unwrap_or(0)]);
    buffer.set_stringn(area.x, 0, text, usize::from(area.width), colour);
}

/// A block cut at each eighth of its width.
const EIGHTHS: [&str; 8] = [
    "",
    block::ONE_EIGHTH,
    block::ONE_QUARTER,
    block::THREE_EIGHTHS,
    block::HALF,
    block::FIVE_EIGHTHS,
    block::THREE_QUARTERS,
    block::SEVEN_EIGHTHS,
];

/// The first [`TENANTS`], and the rest as one.
fn most(tenants: &[Share]) -> Vec<Share> {
    if tenants.len() <= TENANTS + 1 {
        return tenants.to_vec();
    }
    let (shown, rest) = tenants.split_at(TENANTS);
    let mut shown = shown.to_vec();
    shown.push(Share {
        label: format!("{} others", rest.len()),
        jobs: rest.iter().map(|share| share.jobs).sum(),
        gpu_milli_seconds: rest.iter().map(|share| share.gpu_milli_seconds).sum(),
    });
    shown
}

/// The day `offset` seconds after `epoch`, in UTC.
fn date(epoch: i64, offset: u32) -> String {
    civil(epoch, offset, "%Y-%m-%d")
}

/// The minute `offset` seconds after `epoch`, in UTC.
pub(super) fn minute(epoch: i64, offset: u32) -> String {
    civil(epoch, offset, "%Y-%m-%d %H:%M")
}

fn civil(epoch: i64, offset: u32, format: &str) -> String {
    match jiff::Timestamp::from_second(epoch.saturating_add(i64::from(offset))) {
        Ok(instant) => instant.strftime(format).to_string(),
        Err(_) => Seconds(offset).to_string(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "for display")]
pub(super) const fn real(number: u64) -> f64 {
    number as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, for display")]
pub(super) fn whole(number: f64) -> u64 {
    number.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Cluster, NodeKind};
    use crate::units::{Gpus, Time};
    use crate::workload::{Behaviour, Builder, Job, JobKind, Request, Workload};

    fn sample() -> Workload {
        let mut builder = Builder::default();
        builder.set_epoch(1_700_000_000);
        for number in 0..400_u32 {
            let gpus = [1, 1, 1, 2, 4, 8, 8, 64][number as usize % 8];
            let request = builder.request(Request::gang(Gpus::whole(gpus)));
            let kind = if gpus > 4 { JobKind::Pretrain } else { JobKind::Eval };
            let behaviour = builder.behaviour(Behaviour { kind, ..Behaviour::default() });
            let tenant = builder.tenant(["openai", "meta", "microsoft"][number as usize % 3]);
            let work_time = Seconds(60 + number * number % 7919 * gpus);
            let job = Job { work_time, request, behaviour, tenant, ..Job::at(Time(number * 700 % 86_400)) };
            builder.push(job.requesting(Seconds(work_time.0 * 2)));
        }
        builder.finish()
    }

    #[test]
    fn a_workload_is_drawn() {
        let cluster = Cluster::uniform(32, NodeKind { gpus: 8, ..NodeKind::default() });
        let profile = Profile::of(&sample(), Some(&cluster), None, Inspection::buckets(80));
        let notes =
            ["12 jobs without a duration dropped".to_owned(), "naive timestamps read as UTC".to_owned()];
        let drawn = Inspection {
            title: "sample.csv",
            profile: &profile,
            notes: &notes,
            cluster: Some(("32x8", 256)),
            until: None,
            width: 80,
            colour: false,
        };
        let text = drawn.render();
        assert!(text.lines().all(|line| line.chars().count() <= 80), "fits 80 columns");
        insta::assert_snapshot!(text, @"
        sample.csv
        400 jobs · 208,516 GPU-hours · submitted within 23h56m · from 2023-11-14
        offered load 34.02 on 32x8 (256 GPUs)

        Arrivals: jobs in each 20m14s
               8 █ █ ▄▄▄▄▄▄▄▄ █▄▄
                 ██████████████████ █▄█ █▄▄▄▄█▄▄▄█ █▄█ █▄▄▄█▄▄▄▄█ █▄█ █▄▄▄█▄▄▄▄█▄▄▄█ █▄█
                 ███████████████████████████████████████████████████████████████████████
                 ███████████████████████████████████████████████████████████████████████
                 2023-11-14 22:13           2023-11-15 10:11            2023-11-15 22:10

        Demand: GPUs in use if no job had to wait
           3,052                                                               ⢀⣀⣀⣠⣤⣤⣤⣴⣶
                                                                   ⢀⣀⣀⣠⣤⣴⣶⣶⣾⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿
                                                     ⢀⣀⣀⣠⣤⣤⣤⣴⣦⣴⣶⣾⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿
                                            ⣀⣤⣤⣤⣶⣶⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿
                               ⣀⣀⣤⣤⣤⣶⣶⣶⣶⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿
                        ⣀⣀⣤⣤⣶⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿
             256 ⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒
                 2023-11-14 22:13           2023-11-15 10:11            2023-11-15 22:10
                 mean 1,725, peak 3,060; above the 256 GPUs there are 94 % of the time

        GPUs of a gang jobs                             GPU-hours
        1               37.5% █████████████████████████   0.1%
        2               12.5% ████████▍                   0.1%
        3–4             12.5% ████████▍                   0.4% ▏
        5–8             25.0% ████████████████▋           2.9% ▊
        9–16             0.0%                             0.0%
        17–32            0.0%                             0.0%
        33–64           12.5% ████████▍                  96.6% █████████████████████████

        Work time      jobs                             GPU-hours
        1–10 min         8.0% █████▋                      0.0%
        10–60 min       21.0% ██████████████▉             0.1%
        1–4 h           35.2% █████████████████████████   0.5% ▏
        4–12 h          18.2% █████████████               2.1% ▊
        12–24 h          7.2% █████▏                      3.0% █▏
        1–3 d            4.8% ███▍                       24.5% ████████▊
        3–7 d            5.5% ███▉                       69.8% █████████████████████████
        p50 1h59m · p90 1d00h · p99 5d00h · longest 5d19h · mean 10h51m
        requested above work in 100.0 % of jobs (median 2.0 times), below in 0.0 %

        Kind           jobs                             GPU-hours
        pretrain        37.5% ███████████████            99.5% █████████████████████████
        eval            62.5% █████████████████████████   0.5% ▏

        Tenant         jobs                             GPU-hours
        meta            33.2% ████████████████████████▉  34.3% █████████████████████████
        openai          33.5% █████████████████████████  34.2% █████████████████████████
        microsoft       33.2% ████████████████████████▉  31.4% ██████████████████████▉

        What the reader says
        · 12 jobs without a duration dropped
        · naive timestamps read as UTC
        ");
    }

    #[test]
    fn what_is_said_goes_on_in_the_next_line_where_the_terminal_is_narrow() {
        let cluster = Cluster::uniform(32, NodeKind { gpus: 8, ..NodeKind::default() });
        let profile = Profile::of(&sample(), Some(&cluster), None, Inspection::buckets(60));
        let name = "a cluster with a rather long name, longer than the terminal is wide";
        let cluster = Some((name, 256));
        let drawn = Inspection {
            title: "x",
            profile: &profile,
            notes: &[],
            cluster,
            until: None,
            width: 60,
            colour: false,
        };
        let text = drawn.render();
        assert!(text.lines().all(|line| line.chars().count() <= 60), "fits 60 columns");
        let said = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for piece in ["from 2023-11-14", "(256 GPUs)", "94 % of the time", "mean 10h51m", "below in 0.0 %"] {
            assert!(said.contains(piece), "{piece:?} is missing in:\n{text}");
        }
    }

    #[test]
    fn the_smallest_workload_is_drawn_at_any_width() {
        let mut builder = Builder::default();
        builder.request(Request::gang(Gpus::ZERO));
        builder.push(Job::at(Time(0)));
        let workload = builder.finish();
        for width in [0, 59, 60, 200, u16::MAX] {
            let profile = Profile::of(&workload, None, None, Inspection::buckets(width));
            let drawn = Inspection {
                title: "x",
                profile: &profile,
                notes: &[],
                cluster: None,
                until: None,
                width,
                colour: true,
            };
            assert!(!drawn.render().is_empty(), "width {width}");
        }
    }
}
