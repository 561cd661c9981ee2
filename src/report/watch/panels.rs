use super::Playing;
use super::racks::colour;
use super::scene::{Film, Happened, Scene};
use crate::cluster::NodeState;
use crate::history::{SegmentEnd, WaitReason};
use crate::metrics::{DrawSeries, Queued};
use crate::report::explain::{clock, gpus};
use crate::report::lines::{columns, cut, visible};
use crate::report::number::{counted, grouped, scaled};
use crate::units::Time;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Paragraph, Sparkline, Widget};

/// Lines of a terminal that is not low.
const LOW: u16 = 20;
/// Columns of a name that can be told from others.
const SHORTEST_NAME: usize = 4;
/// Columns of a bar that tells a little from a lot.
const SHORTEST_BAR: usize = 4;
/// Columns of a title that tells what it is the title of.
const SHORTEST_TITLE: usize = 16;

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

/// Lines of the head: those of a low terminal have no mark under the timeline, and power only where there is any.
pub(super) fn head_height(film: &Film<'_>, height: u16) -> u16 {
    3 + u16::from(height >= LOW) + u16::from(!film.details.draw.is_empty())
}

/// What is shown, what time it is there, how busy the cluster is over the whole run and now, and what it draws.
pub(super) fn head(
    film: &Film<'_>,
    scene: &Scene,
    playing: Option<Playing>,
    area: Rect,
    buffer: &mut Buffer,
) {
    let has_cursor = area.height == head_height(film, LOW);
    let mut rows = area.rows().chain(std::iter::repeat(Rect::ZERO));
    let mut next = || rows.next().unwrap_or_default();
    title(film, scene, playing, next(), buffer);
    let series = next();
    timeline(film, scene, series, if has_cursor { next() } else { Rect::ZERO }, buffer);
    let busy = share(scene.held_milli, scene.available_milli);
    let (held, there) = (scaled_gpus(scene.held_milli), scaled_gpus(scene.available_milli));
    gauge(busy, &[format!("{held} of {there} GPUs in use"), format!("{held}/{there} GPUs")], next(), buffer);
    if let Some((share, texts)) = tightest(film, scene.now) {
        gauge(share, &texts, next(), buffer);
    }
}

/// What is shown, as far as there is room beside the time.
fn title(film: &Film<'_>, scene: &Scene, playing: Option<Playing>, area: Rect, buffer: &mut Buffer) {
    let now = clock(film.history, scene.now);
    let how = playing.map(|playing| {
        if playing.paused { " · paused".to_owned() } else { format!(" · ×{:.0}", playing.speed) }
    });
    let how = how.unwrap_or_default();
    let width = usize::from(area.width);
    let full = format!("{now} of {}{how}", clock(film.history, film.end()));
    let clock = if columns(&full) + SHORTEST_TITLE <= width { full } else { format!("{now}{how}") };
    let name = cut(&film.title, width.saturating_sub(columns(&clock) + 1));
    Line::styled(name, BOLD).render(area, buffer);
    Line::styled(clock, BOLD).right_aligned().render(area, buffer);
}

/// The columns of a bar of at most so many that leave room for what stands beside it.
fn beside(most: u16, width: u16, texts: usize) -> u16 {
    most.min(width.saturating_sub(u16::try_from(texts).unwrap_or(u16::MAX)))
}

/// How much of something is used, as a bar and in the longest of these texts that there is room for.
fn gauge(share: f64, texts: &[String], area: Rect, buffer: &mut Buffer) {
    let fits = |text: &&String| columns(text) + 1 + SHORTEST_BAR <= usize::from(area.width);
    let Some(text) = texts.iter().find(fits).or(texts.last()) else { return };
    let columns = beside((area.width / 3).min(40), area.width, columns(text) + 1);
    let line =
        Line::from(vec![Span::styled(bar(share, columns), Color::Green), Span::raw(format!(" {text}"))]);
    line.render(area, buffer);
}

/// Utilization over the whole run, and where in it the scene is.
fn timeline(film: &Film<'_>, scene: &Scene, series: Rect, cursor: Rect, buffer: &mut Buffer) {
    let buckets = film.utilization.len();
    if buckets == 0 || series.is_empty() {
        return;
    }
    let columns = usize::from(series.width);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "thousandths")]
    let level =
        |column: usize| (film.utilization[column * buckets / columns].clamp(0.0, 1.0) * 1000.0) as u64;
    let levels: Vec<u64> = (0..columns).map(level).collect();
    Sparkline::default().max(1000).data(&levels).style(Color::Blue).render(series, buffer);
    if cursor.is_empty() {
        return;
    }
    let place = u64::from(scene.now.0) * u64::from(series.width - 1) / u64::from(film.end().0.max(1));
    let place = u16::try_from(place).unwrap_or_default().min(series.width - 1);
    buffer.set_string(cursor.x + place, cursor.y, "▲", BOLD);
}

/// What the site or feed draws that is nearest to its cap, or all sites together where there is no cap, as the mean of a
/// stretch of time: in texts that say less and less.
fn tightest(film: &Film<'_>, now: Time) -> Option<(f64, Vec<String>)> {
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
        let least = format!("{} of {of}", scaled(at(series), "W"));
        let named = format!("{least} at {}", series.name);
        let full = format!("{named}, nearest to its cap ({over})");
        return Some((used(series, cap), vec![full, format!("{named} ({over})"), named, least]));
    }
    let sites: Vec<&DrawSeries> = details.draw.iter().filter(|series| series.level == "site").collect();
    let peak = |series: &&DrawSeries| series.mean_w.iter().copied().fold(0.0, f64::max);
    let (drawn, most): (f64, f64) = (sites.iter().map(|s| at(s)).sum(), sites.iter().map(peak).sum());
    let least = format!("{} of site draw", scaled(drawn, "W"));
    let texts = vec![format!("{least} ({over})"), least];
    (!sites.is_empty()).then(|| (if most > 0.0 { drawn / most } else { 0.0 }, texts))
}

/// GPUs, whole ones without a point.
fn scaled_gpus(milli: u64) -> String {
    if milli.is_multiple_of(1000) {
        grouped(milli / 1000)
    } else {
        format!("{}.{}", grouped(milli / 1000), milli % 1000 / 100)
    }
}

/// A panel: a title, and a line that goes on from it.
pub(super) fn frame(title: &str) -> Block<'_> {
    Block::new().borders(Borders::TOP).title(title)
}

/// Words in lines of so many columns, each in its style; all lines but the first begin one column further in.
fn folded(spans: Vec<Span<'_>>, width: usize) -> Vec<Line<'static>> {
    let mut lines = vec![Line::default()];
    for span in spans {
        for word in span.content.split_inclusive(' ') {
            let line = lines.last_mut().expect("there is always one");
            let word = Span::styled(word.to_owned(), span.style);
            if !line.spans.is_empty() && line.width() + columns(word.content.trim_end()) > width {
                lines.push(Line::from(vec![Span::raw(" "), word]));
            } else {
                line.push_span(word);
            }
        }
    }
    lines
}

/// As many entries as there is room for, and how many more there are.
fn listed<'a>(
    entries: impl ExactSizeIterator<Item = Vec<Span<'a>>>,
    rows: usize,
    width: usize,
) -> Vec<Line<'static>> {
    let (count, mut lines) = (entries.len(), Vec::new());
    for (index, entry) in entries.enumerate() {
        let entry = folded(entry, width);
        let note = usize::from(index + 1 < count);
        if lines.len() + entry.len() + note > rows {
            lines.push(Line::styled(format!("and {} more", grouped((count - index) as u64)), DIM));
            break;
        }
        lines.extend(entry);
    }
    lines
}

/// What each tenant holds, those first that hold most.
pub(super) fn tenants(film: &Film<'_>, scene: &Scene, area: Rect, buffer: &mut Buffer) {
    let mut order: Vec<usize> = (0..scene.tenants.len()).collect();
    order.sort_by_key(|tenant| (std::cmp::Reverse(scene.tenants[*tenant].milli), *tenant));
    let frame = frame(" Tenants ");
    let inner = frame.inner(area);
    let width = usize::from(inner.width);
    let told = |tenant: usize, of: &str| {
        let (held, own) = (&scene.tenants[tenant], &film.tenants()[tenant]);
        let quota = own.quota().map(|quota| format!("{of}{quota}")).unwrap_or_default();
        format!(" {}{quota} GPUs, {} run, {} wait", scaled_gpus(held.milli), held.running, held.waiting)
    };
    let longest = |of: &str| order.iter().map(|own| columns(&told(*own, of))).max().unwrap_or_default();
    let names = film.tenants().iter().map(|tenant| columns(&tenant.name)).max().unwrap_or_default();
    let most = names.min(14);
    let of = if most + 1 + longest(" of ") > width { "/" } else { " of " };
    // Names give way to numbers.
    let name = most.min(width.saturating_sub(longest(of) + 1)).max(most.min(SHORTEST_NAME));
    let bars = beside((area.width / 4).min(24), inner.width, name + 1 + longest(of));
    let entry = |tenant: usize| {
        let (held, own) = (&scene.tenants[tenant], &film.tenants()[tenant]);
        let colour = colour(u32::try_from(tenant).unwrap_or_default());
        let label = cut(&own.name, name);
        let pad = " ".repeat(name.saturating_sub(columns(&label)) + 1);
        vec![
            Span::styled(label + &pad, colour),
            Span::styled(bar(share(held.milli, scene.available_milli), bars), colour),
            Span::raw(told(tenant, of)),
        ]
    };
    let lines = listed(order.into_iter().map(entry), inner.height.into(), width);
    Paragraph::new(lines).block(frame).render(area, buffer);
}

/// The jobs that wait, and for what.
pub(super) fn waiting(film: &Film<'_>, scene: &Scene, area: Rect, buffer: &mut Buffer) {
    let workload = &film.history.plan.workload;
    let asked: u64 =
        scene.queue.iter().map(|own| u64::from(workload.request_of(own.job).gpus().milli())).sum();
    let jobs = counted(scene.queue.len() as u64, "job");
    let title = format!(" Waiting: {jobs}, {} GPUs ", scaled_gpus(asked));
    let frame = frame(&title);
    let inner = frame.inner(area);
    let (width, height) = (usize::from(inner.width), usize::from(inner.height));
    let mut lines = reasons(scene, height, width);
    if !scene.queue.is_empty() && lines.len() + 3 <= height {
        lines.push(Line::styled("longest first", DIM));
    }
    let entry = |own: &Queued| {
        let tenant = workload.jobs[own.job as usize].tenant;
        let asked = u64::from(workload.request_of(own.job).gpus().milli());
        vec![
            Span::styled(visible(&workload.names.get(own.job as usize)), colour(tenant)),
            Span::raw(format!(" {}, {}, {}", gpus(asked), scene.now.since(own.since), own.reason.name())),
        ]
    };
    let rest = height.saturating_sub(lines.len());
    lines.extend(listed(scene.queue.iter().map(entry), rest, width));
    Paragraph::new(lines).block(frame).render(area, buffer);
}

/// How many jobs wait for what: a line a reason, or, where that would take more than half of the room, all in words.
fn reasons(scene: &Scene, height: usize, width: usize) -> Vec<Line<'static>> {
    let count = |reason: WaitReason| scene.queue.iter().filter(|own| own.reason == reason).count() as u64;
    let all = WaitReason::ALL.into_iter().map(|reason| (reason.name(), count(reason)));
    let all: Vec<(&str, u64)> = all.filter(|(_, count)| *count > 0).collect();
    if all.len() * 2 > height {
        let words: Vec<String> = all.iter().map(|(name, count)| format!("{count} {name}")).collect();
        return folded(vec![Span::raw(words.join(", "))], width);
    }
    let columns = u16::try_from(width / 4).unwrap_or(u16::MAX).min(20);
    let line = |(name, count): &(&str, u64)| {
        let bar = bar(share(*count, scene.queue.len() as u64), columns);
        Line::from(format!("{name:<11}{bar} {}", grouped(*count)))
    };
    all.iter().map(line).collect()
}

/// What happened last.
pub(super) fn happened(film: &Film<'_>, scene: &Scene, area: Rect, buffer: &mut Buffer) {
    let frame = frame(" Last ");
    let inner = frame.inner(area);
    let (width, height) = (usize::from(inner.width), usize::from(inner.height));
    let mut lines = Vec::new();
    for (time, event) in film.happened(scene) {
        let mut entry = told(film, event);
        entry.insert(0, Span::styled(format!("{} ", clock(film.history, time)), DIM));
        let entry = folded(entry, width);
        if lines.len() + entry.len() > height {
            break;
        }
        lines.extend(entry);
    }
    Paragraph::new(lines).block(frame).render(area, buffer);
}

fn told(film: &Film<'_>, event: Happened) -> Vec<Span<'static>> {
    let history = film.history;
    let job = |index: u32| {
        let job = history.segments[index as usize].job;
        let tenant = history.plan.workload.jobs[job as usize].tenant;
        Span::styled(visible(&history.plan.workload.names.get(job as usize)), colour(tenant))
    };
    match event {
        Happened::Began(index) => {
            let segment = &history.segments[index as usize];
            let pieces = history.pieces_of(segment);
            let nodes: usize = pieces.iter().map(|piece| piece.nodes().count()).sum();
            let gpus = gpus(history.gpus_of(segment));
            let nodes = counted(nodes as u64, "node");
            vec![Span::raw("▶ "), job(index), Span::raw(format!(" on {gpus} of {nodes}"))]
        }
        Happened::Ended(index) => {
            let (mark, what) = ended(history.segments[index as usize].end);
            vec![Span::raw(mark), job(index), Span::raw(what)]
        }
        Happened::Nodes(index) => {
            let change = &history.changes()[index as usize];
            let nodes = counted(u64::from(change.nodes.end - change.nodes.start), "node");
            vec![Span::styled(format!("⚑ {nodes} {}", became(change.state)), Color::Red)]
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
        SegmentEnd::Stalled => ("! ", " stalls, and nobody has seen it"),
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
        NodeState::Spare => "in reserve",
    }
}

/// What each key does, the ones first that nobody can do without.
pub(super) const KEYS: [&str; 7] =
    ["q quit", "space pause", "←→ seek", "n/p event", "+- speed", "⇧←→ further", "home end"];
/// Lines that keys take at most.
const KEY_LINES: usize = 2;

/// Which keys there are, in lines of so many columns.
pub(super) fn keys(width: u16) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for key in KEYS {
        match lines.last_mut().filter(|line| columns(line) + 2 + columns(key) <= usize::from(width)) {
            Some(line) => *line += &format!("  {key}"),
            None => lines.push(key.to_owned()),
        }
    }
    lines.truncate(KEY_LINES);
    lines
}
