//! Tables: the numbers themselves.

use super::text::{Form, escaped, number, prose};
use super::{View, label_of};
use crate::ensemble::Unit;
use crate::history::WaitReason;

pub(super) const TIME: Form = Form::Of(Unit::Seconds);
pub(super) const RATIO: Form = Form::Of(Unit::Ratio);
pub(super) const SHARE: Form = Form::Of(Unit::Share);
pub(super) const JOBS: Form = Form::Of(Unit::Jobs);
pub(super) const JOULES: Form = Form::Of(Unit::Joules);
pub(super) const WATTS: Form = Form::Of(Unit::Watts);
pub(super) const DOLLARS: Form = Form::Of(Unit::Dollars);
pub(super) const GRAMS: Form = Form::Of(Unit::Grams);

/// A table below its caption, in a box that scrolls sideways where it has to; its first `words` columns are no numbers.
pub(super) fn table(caption: &str, words: usize, header: &[&str], rows: &[Vec<String>]) -> String {
    let (plain, caption) = (escaped(&caption.replace('`', "")), prose(caption));
    let class = |index: usize| if index < words { " class=\"word\"" } else { "" };
    let head =
        |(index, cell): (usize, &&str)| format!("<th scope=\"col\"{}>{}</th>", class(index), escaped(cell));
    let head: String = header.iter().enumerate().map(head).collect();
    let cell = |(index, cell): (usize, &String)| match index {
        0 => format!("<th scope=\"row\" class=\"word\">{cell}</th>"),
        _ => format!("<td{}>{cell}</td>", class(index)),
    };
    let row =
        |cells: &Vec<String>| format!("<tr>{}</tr>", cells.iter().enumerate().map(cell).collect::<String>());
    let body: String = rows.iter().map(row).collect();
    format!(
        "<div class=\"table\"><h3>{caption}</h3><div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"{plain}\">\
         <table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></div>\n"
    )
}

/// Tenants that have a row.
const TENANTS: usize = 24;

/// What each tenant got.
pub(super) fn tenants(views: &[View<'_>], view: &View<'_>) -> String {
    let metrics = &view.measured.metrics;
    let mut order: Vec<usize> = (0..metrics.tenants.len()).collect();
    order.sort_by(|a, b| metrics.tenants[*b].gpu_hours.total_cmp(&metrics.tenants[*a].gpu_hours));
    order.truncate(TENANTS);
    let mut header =
        vec!["Tenant", "Jobs", "Ended", "GPU-hours", "Share", "Entitled", "Wait p50", "Wait p95"];
    let (power, cost) = (metrics.power.is_some(), metrics.cost.is_some());
    header.extend(power.then_some("Energy"));
    header.extend(cost.then_some("Cost").into_iter().chain(cost.then_some("Carbon")));
    let row = |index: &usize| {
        let of = |key: &str, form| number(&view.summary, &format!("/tenants/{index}/{key}"), form);
        let mut cells = vec![
            escaped(&metrics.tenants[*index].name),
            of("jobs", JOBS),
            of("finished", JOBS),
            of("gpu_hours", Form::Hours),
            of("share", SHARE),
            of("entitlement", SHARE),
            of("wait_time/p50", TIME),
            of("wait_time/p95", TIME),
        ];
        cells.extend(power.then(|| of("energy_j", JOULES)));
        cells.extend(
            cost.then(|| of("cost_usd", DOLLARS)).into_iter().chain(cost.then(|| of("carbon_g", GRAMS))),
        );
        cells
    };
    let rows: Vec<Vec<String>> = order.iter().map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    let left = metrics.tenants.len() - order.len();
    let more = if left > 0 { format!("; {left} more are in summary.json") } else { String::new() };
    table(&format!("{}Tenants by GPU-hours held{more}", label_of(views, view)), 1, &header, &rows)
}

/// How busy the GPUs of each platform were, where there are several.
pub(super) fn platforms(views: &[View<'_>], view: &View<'_>) -> String {
    let platforms = &view.measured.metrics.platforms;
    if platforms.len() < 2 {
        return String::new();
    }
    let row = |(index, own): (usize, &crate::metrics::PlatformMetrics)| {
        let of = |key: &str, form| number(&view.summary, &format!("/platforms/{index}/{key}"), form);
        let hours = ["gpu_hours", "available_gpu_hours"].map(|key| of(key, Form::Hours));
        let first = [escaped(&own.name), of("gpus", JOBS)];
        first.into_iter().chain(hours).chain([of("utilization", SHARE)]).collect::<Vec<String>>()
    };
    let rows: Vec<Vec<String>> = platforms.iter().enumerate().map(row).collect();
    let header = ["Platform", "GPUs", "GPU-hours held", "GPU-hours available", "Utilization"];
    table(&format!("{}Platforms", label_of(views, view)), 1, &header, &rows)
}

/// The jobs that waited longest, and for what.
pub(super) fn longest(views: &[View<'_>], view: &View<'_>) -> String {
    let waits = &view.details.longest_waits;
    if waits.is_empty() {
        return String::new();
    }
    let reasons: Vec<WaitReason> = WaitReason::ALL
        .into_iter()
        .filter(|reason| waits.iter().any(|own| own.reasons[*reason as usize] > 0))
        .collect();
    let mut header = vec!["Job", "Tenant", "Kind", "Outcome", "GPUs", "Submitted", "Wait"];
    header.extend(reasons.iter().map(|reason| reason.name()));
    let row = |(index, own): (usize, &crate::metrics::LongWait)| {
        let of =
            |key: &str, form| number(&view.summary, &format!("/details/longest_waits/{index}/{key}"), form);
        let gpus = format!("{:.3}", own.gpus);
        let mut cells = vec![
            escaped(&own.job),
            escaped(&own.tenant),
            own.kind.to_owned(),
            own.outcome.to_owned(),
            gpus.trim_end_matches('0').trim_end_matches('.').to_owned(),
            of("submit_time", TIME),
            of("wait_time", TIME),
        ];
        let longest = own.reasons.iter().skip(1).max().copied().unwrap_or(0);
        for reason in &reasons {
            let seconds = own.reasons[*reason as usize];
            let cell = of(&format!("reasons/{}", reason.name()), TIME);
            cells.push(match seconds {
                0 => "–".to_owned(),
                _ if seconds == longest => format!("<strong>{cell}</strong>"),
                _ => cell,
            });
        }
        cells
    };
    let rows: Vec<Vec<String>> = waits.iter().enumerate().map(row).collect();
    let caption = format!(
        "{}The {} jobs that waited longest, and for what; `dependency` came before they could wait",
        label_of(views, view),
        rows.len()
    );
    table(&caption, 4, &header, &rows)
}

/// Sites and feeds that have a row.
const DOMAINS: usize = 40;

/// What sites and feeds drew, and what that cost.
pub(super) fn domains(views: &[View<'_>], view: &View<'_>) -> String {
    let Some(power) = &view.measured.metrics.power else { return String::new() };
    let cost = view.measured.metrics.cost.is_some();
    let mut header =
        vec!["Site or feed", "Energy", "Mean", "Peak", "Load factor", "Cap", "Stranded", "Above it"];
    header.extend(cost.then_some("Cost").into_iter().chain(cost.then_some("Carbon")));
    let row = |level: &str, index: usize, name: &str| {
        let of = |key: &str, form| number(&view.summary, &format!("/power/{level}/{index}/{key}"), form);
        let mut cells = vec![
            match level.trim_end_matches('s') {
                level if level == name => escaped(name),
                level => format!("{} <small>{level}</small>", escaped(name)),
            },
            of("energy_j", JOULES),
            of("mean_w", WATTS),
            of("peak_w", WATTS),
            of("load_factor", SHARE),
            of("cap_w", WATTS),
            of("stranded_w", WATTS),
            of("over_cap_ws", JOULES),
        ];
        if cost {
            let site = |key: &str, form| match level {
                "sites" => number(&view.summary, &format!("/cost/sites/{index}/{key}"), form),
                _ => "–".to_owned(),
            };
            cells.extend([site("energy_usd", DOLLARS), site("carbon_g", GRAMS)]);
        }
        cells
    };
    let sites = power.sites.iter().enumerate().map(|(index, own)| row("sites", index, &own.name));
    let feeds = power.feeds.iter().enumerate().map(|(index, own)| row("feeds", index, &own.name));
    let rows: Vec<Vec<String>> = sites.chain(feeds).take(DOMAINS).collect();
    let left = power.sites.len() + power.feeds.len() - rows.len();
    let more = if left > 0 { format!("; {left} more are in feeds.csv") } else { String::new() };
    table(
        &format!("{}What sites and feeds drew; stranded: cap − peak{more}", label_of(views, view)),
        1,
        &header,
        &rows,
    )
}

/// Job graphs against what no schedule can beat.
pub(super) fn graphs(views: &[View<'_>], view: &View<'_>) -> String {
    let graphs = &view.details.graphs;
    if graphs.is_empty() {
        return String::new();
    }
    let row = |(index, own): (usize, &crate::metrics::GraphPath)| {
        let of = |key: &str, form| number(&view.summary, &format!("/details/graphs/{index}/{key}"), form);
        vec![
            escaped(&own.name),
            of("jobs", JOBS),
            of("completed", JOBS),
            of("submit_time", TIME),
            of("turnaround_time", TIME),
            of("critical_path_time", TIME),
            of("stretch", RATIO),
        ]
    };
    let rows: Vec<Vec<String>> = graphs.iter().enumerate().map(row).collect();
    let all = view.measured.metrics.graphs.as_ref().map_or(0, |graphs| graphs.count);
    let header = [
        "Job graph",
        "Jobs",
        "Completed",
        "Submitted",
        "Turnaround",
        "Critical path",
        "Turnaround ÷ critical path",
    ];
    let shown = if rows.len() < all { format!(": {} of {all}", rows.len()) } else { String::new() };
    table(&format!("{}Job graphs{shown}", label_of(views, view)), 1, &header, &rows)
}
