use super::Playing;
use super::racks::colour;
use super::scene::{Film, Happened, Scene};
use crate::cluster::NodeState;
use crate::history::{SegmentEnd, WaitReason};
use crate::metrics::DrawSeries;
use crate::report::explain::{clock, gpus};
use crate::report::lines::columns;
use crate::report::number::{counted, scaled};
use crate::units::Time;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Block, Paragraph, Sparkline, Widget, Wrap};

/// Lines of the head.
pub(super) const HEAD: u16 = 5;

const DIM: Style = Style::new().add_modifier(Modifier::DIM);
const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);

/// A bar of so many columns, of which a share is full.
fn bar(share: f64, columns: u16) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a line")]
    let full = (share.clamp(0.0, 1.0) * f64::from(columns)).round() as u16;
    "█".repeat(full.into()) + &"░".repeat((columns - full).into())
}

#[expect(clippy::cast_precision_loss, reason = "a share that is drawn")]
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// What is shown, what time it is there, how busy the cluster is over the whole run and now, and what it draws.
pub(super) fn head(
    film: &Film<'_>,
    scene: &Scene,
    playing: Option<Playing>,
    area: Rect,
    buffer: &mut Buffer,
) {
    let rows = area.rows().chain(std::iter::repeat(Rect::ZERO));
    let rows: Vec<Rect> = rows.take(HEAD.into()).collect();
    let [title, series, cursor, used, draw] = rows[..] else { return };
    let mut clock = format!("{} of {}", clock(film.history, scene.now), clock(film.history, film.end()));
    if let Some(playing) = playing {
        let how = if playing.paused { "paused".to_owned() } else { format!("×{:.0}", playing.speed) };
        clock = format!("{clock} · {how}");
    }
    Line::styled(film.title.as_str(), BOLD).render(title, buffer);
    Line::styled(format!(" {clock}"), BOLD).right_aligned().render(title, buffer);
    timeline(film, scene, series, cursor, buffer);
    let busy = share(scene.held_milli, scene.available_milli);
    let text =
        format!("{} of {} GPUs in use", scaled_gpus(scene.held_milli), scaled_gpus(scene.available_milli));
    gauge(busy, &text, used, buffer);
    if let Some((share, text)) = tightest(film, scene.now) {
        gauge(share, &text, draw, buffer);
    }
}

/// The columns of a bar of at most so many that leave room for what stands beside it.
fn beside(most: u16, width: u16, texts: usize) -> u16 {
    most.min(width.saturating_sub(u16::try_from(texts).unwrap_or(u16::MAX)))
}

fn gauge(share: f64, text: &str, area: Rect, buffer: &mut Buffer) {
    let columns = beside((area.width / 3).min(40), area.width, columns(text) + 1);
    let line =
        Line::from(vec![Span::styled(bar(share, columns), Color::Green), Span::raw(format!(" {text}"))]);
    line.render(area, buffer);
}

/// Utilization over the whole run, and where in it the scene is.
fn timeline(film: &Film<'_>, scene: &Scene, series: Rect, cursor: Rect, buffer: &mut Buffer) {
    let buckets = film.utilization.len();
    if buckets == 0 || series.is_empty() || cursor.is_empty() {
        return;
    }
    let columns = usize::from(series.width);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "thousandths")]
    let level =
        |column: usize| (film.utilization[column * buckets / columns].clamp(0.0, 1.0) * 1000.0) as u64;
    let levels: Vec<u64> = (0..columns).map(level).collect();
    Sparkline::default().max(1000).data(&levels).style(Color::Blue).render(series, buffer);
    let place = u64::from(scene.now.0) * u64::from(series.width - 1) / u64::from(film.end().0.max(1));
    let place = u16::try_from(place).unwrap_or_default().min(series.width - 1);
    buffer.set_string(cursor.x + place, cursor.y, "▲", BOLD);
}

/// What the site or feed draws that is nearest to its cap, or all sites together where there is no cap, as the mean of a
/// stretch of time.
fn tightest(film: &Film<'_>, now: Time) -> Option<(f64, String)> {
    let details = &film.details;
    let index = |length: usize| ((now.0 / details.bucket.0.max(1)) as usize).min(length.saturating_sub(1));
    let capped = |series: &&DrawSeries| series.cap_w.get(index(series.cap_w.len())).copied().flatten();
    let at = |series: &DrawSeries| series.mean_w.get(index(series.mean_w.len())).copied().unwrap_or_default();
    let over = format!("mean of {}", details.bucket);
    #[expect(clippy::cast_precision_loss, reason = "watts that are drawn")]
    let used = |series: &DrawSeries, cap: u64| at(series) / (cap.max(1) as f64);
    let shares = details.draw.iter().filter_map(|series| Some((series, capped(&series)?)));
    let found = shares.max_by(|(a, a_cap), (b, b_cap)| used(a, *a_cap).total_cmp(&used(b, *b_cap)));
    if let Some((series, cap)) = found {
        #[expect(clippy::cast_precision_loss, reason = "watts that are shown")]
        let of = scaled(cap as f64, "W");
        let text =
            format!("{} of {of} at {}, nearest to its cap ({over})", scaled(at(series), "W"), series.name);
        return Some((used(series, cap), text));
    }
    let sites: Vec<&DrawSeries> = details.draw.iter().filter(|series| series.level == "site").collect();
    let peak = |series: &&DrawSeries| series.mean_w.iter().copied().fold(0.0, f64::max);
    let (drawn, most): (f64, f64) = (sites.iter().map(|s| at(s)).sum(), sites.iter().map(peak).sum());
    (!sites.is_empty()).then(|| {
        (if most > 0.0 { drawn / most } else { 0.0 }, format!("{} of site draw ({over})", scaled(drawn, "W")))
    })
}

/// GPUs, whole ones without a point.
fn scaled_gpus(milli: u64) -> String {
    if milli.is_multiple_of(1000) {
        crate::report::number::grouped(milli / 1000)
    } else {
        format!("{}.{}", crate::report::number::grouped(milli / 1000), milli % 1000 / 100)
    }
}

fn framed(title: String, lines: Vec<Line<'_>>, area: Rect, buffer: &mut Buffer) {
    let wrapped = Paragraph::new(Text::from(lines)).wrap(Wrap { trim: false });
    wrapped.block(Block::bordered().title(title)).render(area, buffer);
}

/// What each tenant holds, those first that hold most.
pub(super) fn tenants(film: &Film<'_>, scene: &Scene, area: Rect, buffer: &mut Buffer) {
    let mut order: Vec<usize> = (0..scene.tenants.len()).collect();
    order.sort_by_key(|tenant| (std::cmp::Reverse(scene.tenants[*tenant].milli), *tenant));
    let name =
        film.tenants().iter().map(|tenant| tenant.name.chars().count()).max().unwrap_or_default().min(14);
    let inner = area.width.saturating_sub(2);
    let told = |tenant: usize, of: &str| {
        let (held, own) = (&scene.tenants[tenant], &film.tenants()[tenant]);
        let quota = own.quota().map(|quota| format!("{of}{quota}")).unwrap_or_default();
        format!(" {}{quota} GPUs, {} run, {} wait", scaled_gpus(held.milli), held.running, held.waiting)
    };
    let longest = |of: &str| {
        name + 1 + order.iter().map(|tenant| columns(&told(*tenant, of))).max().unwrap_or_default()
    };
    let of = if longest(" of ") > usize::from(inner) { "/" } else { " of " };
    let bars = beside((area.width / 4).min(24), inner, longest(of));
    let line = |tenant: usize| {
        let (held, own, text) = (&scene.tenants[tenant], &film.tenants()[tenant], told(tenant, of));
        let colour = colour(u32::try_from(tenant).unwrap_or_default());
        let label: String = own.name.chars().take(name).collect();
        Line::from(vec![
            Span::styled(format!("{label:<name$} "), colour),
            Span::styled(bar(share(held.milli, scene.available_milli), bars), colour),
            Span::raw(text),
        ])
    };
    framed(" Tenants ".to_owned(), order.into_iter().map(line).collect(), area, buffer);
}

/// The jobs that wait, and for what.
pub(super) fn waiting(film: &Film<'_>, scene: &Scene, area: Rect, buffer: &mut Buffer) {
    let workload = &film.history.plan.workload;
    let asked: u64 =
        scene.queue.iter().map(|own| u64::from(workload.request_of(own.job).gpus().milli())).sum();
    let jobs = counted(scene.queue.len() as u64, "job");
    let title = format!(" Waiting: {jobs}, {} GPUs ", scaled_gpus(asked));
    let mut lines = Vec::new();
    for reason in WaitReason::ALL {
        let count = scene.queue.iter().filter(|own| own.reason == reason).count() as u64;
        if count > 0 {
            let bar = bar(share(count, scene.queue.len() as u64), (area.width / 4).min(20));
            lines.push(Line::from(format!("{:<11}{bar} {count}", reason.name())));
        }
    }
    if !scene.queue.is_empty() {
        lines.push(Line::styled("longest first", DIM));
    }
    let rest = usize::from(area.height).saturating_sub(lines.len() + 2);
    for own in scene.queue.iter().take(rest) {
        let tenant = workload.jobs[own.job as usize].tenant;
        let asked = u64::from(workload.request_of(own.job).gpus().milli());
        lines.push(Line::from(vec![
            Span::styled(workload.names.get(own.job as usize).into_owned(), colour(tenant)),
            Span::raw(format!(" {}, {}, {}", gpus(asked), scene.now.since(own.since), own.reason.name())),
        ]));
    }
    framed(title, lines, area, buffer);
}

/// What happened last.
pub(super) fn happened(film: &Film<'_>, scene: &Scene, area: Rect, buffer: &mut Buffer) {
    let lines = film.happened(scene).take(area.height.saturating_sub(2).into());
    let lines = lines.map(|(time, event)| {
        let mut line = told(film, event);
        line.spans.insert(0, Span::styled(format!("{} ", clock(film.history, time)), DIM));
        line
    });
    framed(" Last ".to_owned(), lines.collect(), area, buffer);
}

fn told(film: &Film<'_>, event: Happened) -> Line<'static> {
    let history = film.history;
    let job = |index: u32| {
        let job = history.segments[index as usize].job;
        let tenant = history.plan.workload.jobs[job as usize].tenant;
        Span::styled(history.plan.workload.names.get(job as usize).into_owned(), colour(tenant))
    };
    match event {
        Happened::Began(index) => {
            let segment = &history.segments[index as usize];
            let pieces = history.pieces_of(segment);
            let nodes: usize = pieces.iter().map(|piece| piece.nodes().count()).sum();
            let gpus = gpus(history.gpus_of(segment));
            let nodes = counted(nodes as u64, "node");
            Line::from(vec![Span::raw("▶ "), job(index), Span::raw(format!(" on {gpus} of {nodes}"))])
        }
        Happened::Ended(index) => {
            let (mark, what) = ended(history.segments[index as usize].end);
            Line::from(vec![Span::raw(mark), job(index), Span::raw(what)])
        }
        Happened::Nodes(index) => {
            let change = &history.plan.cluster.changes[index as usize];
            let nodes = counted(u64::from(change.nodes.end - change.nodes.start), "node");
            Line::styled(format!("⚑ {nodes} {}", became(change.state)), Color::Red)
        }
    }
}

/// How a segment that ended is told.
const fn ended(end: SegmentEnd) -> (&'static str, &'static str) {
    match end {
        SegmentEnd::Completed => ("■ ", " is done"),
        SegmentEnd::Failed => ("× ", " failed"),
        SegmentEnd::Timeout => ("× ", " was stopped at its requested time"),
        SegmentEnd::Preempted => ("‖ ", " was stopped and waits"),
        SegmentEnd::NodeDown => ("× ", " lost its nodes and waits"),
        SegmentEnd::Changed => ("↻ ", " goes on elsewhere"),
        SegmentEnd::Open => ("… ", " was cut off"),
    }
}

/// How a change of nodes is told.
const fn became(state: NodeState) -> &'static str {
    match state {
        NodeState::Absent => "taken away",
        NodeState::Up => "up",
        NodeState::Draining => "draining",
        NodeState::Down => "down",
    }
}

/// Which keys there are.
pub(super) fn keys(area: Rect, buffer: &mut Buffer) {
    let keys = "space pause  ←→ seek  ⇧←→ further  n/p next, previous event  +- speed  home end  q quit";
    Line::styled(keys, DIM).render(area, buffer);
}
