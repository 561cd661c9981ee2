use super::plot::Kind;
use super::*;
use crate::history::sample;
use crate::metrics::measure;
use crate::units::{Seconds, Watts};

fn provenance() -> Provenance {
    let scenario = vec!["night.toml".to_owned()];
    Provenance { title: "night.toml".to_owned(), scenario, ..Provenance::default() }
}

/// A run with graphs, quotas and power.
fn history() -> History {
    let rich = |history: &History| {
        let metrics = measure(history).metrics;
        metrics.graphs.is_some_and(|graphs| graphs.count > 0) && metrics.tenants.len() > 1
    };
    let mut history = (0..).map(sample::random).find(rich).unwrap();
    for kind in &mut history.plan.cluster.kinds {
        (kind.power.idle, kind.power.busy, kind.power.gpu_tgp) = (Watts(700), Watts(5001), Watts(900));
    }
    history.plan.cluster.feeds[0].cap = Some(Watts(90_000));
    history
}

/// The page of runs, and its plots.
fn page(runs: &[&Run<'_>]) -> String {
    let labelled: Vec<(String, &Run<'_>)> =
        runs.iter().enumerate().map(|(index, run)| (format!("run {index}"), *run)).collect();
    let mut bytes = Vec::new();
    write(&labelled, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn view<'a>(run: &'a Run<'_>) -> View<'a> {
    let mut bytes = Vec::new();
    crate::report::run::json::write_summary(run, &mut bytes).unwrap();
    View {
        label: "run".to_owned(),
        index: 0,
        history: run.history,
        measured: run.measured,
        provenance: run.provenance,
        details: run.details(),
        queues: run.queues(),
        digest: run.digest(),
        summary: serde_json::from_slice(&bytes).unwrap(),
    }
}

#[test]
fn a_queue_stands_below_the_one_it_borrows_from() {
    use crate::workload::Queue;
    let mut history = history();
    let lab = Queue { parent: Some(0), tenants: vec![0], nominal_milli: Some(2000), ..Queue::named("lab") };
    history.plan.workload.queues = vec![Queue::named("cloud"), lab];
    let (measured, provenance) = (measure(&history), provenance());
    let run = Run::new(&history, &measured, &provenance);
    let shown = page(&[&run]);
    for expected in
        [">Queues: GPUs", ">cloud</th>", ">\u{a0}\u{a0}\u{a0}\u{a0}lab</th>", "/queues/1/borrowed_gpu_hours"]
    {
        assert!(shown.contains(expected), "no {expected}");
    }
    history.plan.workload.queues.clear();
    let run = Run::new(&history, &measured, &provenance);
    assert!(!page(&[&run]).contains(">Queues: GPUs"), "without queues there is no table of them");
}

#[test]
fn every_plot_has_a_title_with_its_unit_and_data() {
    let history = history();
    let (measured, provenance) = (measure(&history), provenance());
    let run = Run::new(&history, &measured, &provenance);
    let parts = plots::plots(&[view(&run)]);
    let plots: Vec<&Plot> = parts.iter().flat_map(|(_, plots)| plots).collect();
    assert!(plots.len() >= 10, "only {} plots", plots.len());
    let mut ids: Vec<&str> = plots.iter().map(|plot| plot.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), plots.len(), "each has a name of its own");
    for plot in plots {
        let title = &plot.title;
        assert!(title.ends_with(')') && title.contains('('), "no unit: {title}");
        assert!(plot.about.len() > 20, "{title} says how to read it");
        assert!(plot.has_data(), "{title} is empty");
        for variant in &plot.variants {
            let known = !variant.x.is_empty() && !variant.y.is_empty();
            assert!(known, "{title}: axes have titles");
            for series in &variant.series {
                let expected = match plot.kind {
                    Kind::Bars => variant.labels.len(),
                    Kind::Cumulative => series.x.len(),
                    _ => measured.metrics.series.utilization.len(),
                };
                assert_eq!(series.y.len(), expected, "{title}: {}", series.name);
            }
        }
    }
}

/// The elements that show a number: JSON pointer, exact value, form and text.
fn numbers(page: &str) -> Vec<(String, f64, String, String)> {
    let attribute = |element: &str, name: &str| {
        let rest = element.split(&format!("{name}=\"")).nth(1).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    let number = |element: &str| {
        let text = element.split('>').nth(1).unwrap().split('<').next().unwrap();
        let value = attribute(element, "value").parse().unwrap();
        (attribute(element, "data-key"), value, attribute(element, "data-form"), text.to_owned())
    };
    page.split("<data ").skip(1).map(number).collect()
}

#[test]
fn every_number_shown_is_one_of_the_summary_to_the_digits_shown() {
    let history = history();
    let (measured, provenance) = (measure(&history), provenance());
    let run = Run::new(&history, &measured, &provenance);
    let summary = view(&run).summary;
    let found = numbers(&page(&[&run]));
    assert!(found.len() > 100, "only {} numbers", found.len());
    for (key, value, form, text) in found {
        let exact = summary.pointer(&key).unwrap_or_else(|| panic!("{key} is not in the summary"));
        assert_eq!(exact.as_f64(), Some(value), "{key}");
        // Read back what is shown, by the form it is said to have.
        let (digits, unit) = text.split_once(' ').unwrap_or((&text, ""));
        let shown =
            || digits.trim_start_matches('$').trim_end_matches('%').replace(',', "").parse::<f64>().unwrap();
        let scale = match unit.chars().next() {
            _ if unit.len() < 2 => 1.0,
            Some('k') => 1e3,
            Some('M') => 1e6,
            Some('G') => 1e9,
            _ => 1.0,
        };
        let decimals = digits.split_once('.').map_or(0, |(_, decimals)| decimals.trim_end_matches('%').len());
        let half = 0.5000001 / 10_f64.powi(i32::try_from(decimals).unwrap());
        let (number, unit) = match form.as_str() {
            "seconds" => {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "seconds of a run"
                )]
                let seconds = Seconds(value.round() as u32);
                assert_eq!(text, seconds.to_string(), "{key}");
                continue;
            }
            "share" => (value * 100.0, 1.0),
            "joules" => (value / 3600.0, scale),
            "watts" => (value, scale),
            "grams" => (value / 1e3, if unit == "t" { 1e3 } else { 1.0 }),
            _ => (value, 1.0),
        };
        assert!((number / unit - shown()).abs() <= half, "{key}: {value} is shown as {text}");
    }
}

#[test]
fn a_run_with_failures_shows_what_they_took() {
    let history = sample::failing();
    let (measured, provenance) = (measure(&history), provenance());
    let run = Run::new(&history, &measured, &provenance);
    let parts = plots::plots(&[view(&run)]);
    let (_, plots) = parts.iter().find(|(name, _)| *name == "failures").unwrap();
    let [over_time, waterfall] = &plots[..] else { panic!("two plots") };
    let bars = &waterfall.variants[0];
    assert_eq!(
        bars.labels,
        ["all", "down, failed", "free though wanted", "free", "node-down", "restart", "detection", "useful"]
    );
    let own = &bars.series[0];
    // Each bar begins where what is left ends, and the last at nothing.
    for place in 2..own.y.len() {
        let end = own.base[place] + own.y[place].unwrap();
        assert!((end - own.base[place - 1]).abs() < 1e-3, "{}", bars.labels[place]);
    }
    assert!(own.base.last().is_some_and(|base| base.abs() < 1e-3), "{:?}", own.base);
    let sum =
        |index: usize| over_time.variants[0].series.iter().map(|own| own.y[index].unwrap()).sum::<f64>();
    assert!(
        (0..measured.metrics.series.utilization.len()).all(|index| (sum(index) - 100.0).abs() < 1e-3),
        "all"
    );
    let page = page(&[&run, &run]);
    for expected in [
        "Failures by component",
        "/failures/components/1/failures",
        "/failures/sizes/0/ettr",
        "Effective time",
    ] {
        assert!(page.contains(expected), "no {expected}");
    }
    let summary = view(&run).summary;
    for (key, value, ..) in numbers(&page) {
        assert_eq!(summary.pointer(&key).and_then(Value::as_f64), Some(value), "{key}");
    }
}

#[test]
fn names_from_a_trace_stay_names() {
    let mut history = history();
    let evil = "</script><script>alert(1)</script>\"'`<img src=x onerror=alert(2)>";
    for tenant in &mut history.plan.workload.tenants {
        tenant.name = format!("{evil}{}", tenant.name);
    }
    for graph in &mut history.plan.workload.graphs {
        graph.name = evil.to_owned();
    }
    history.plan.cluster.sites[0].name = evil.to_owned();
    let mut names = crate::workload::Names::default();
    (0..history.jobs.len()).for_each(|job| names.push(&format!("{evil}{job}")));
    history.plan.workload.names = names;
    let (measured, provenance) = (measure(&history), Provenance { title: evil.to_owned(), ..provenance() });
    let run = Run::new(&history, &measured, &provenance);
    let page = page(&[&run, &run]);
    assert!(page.contains("&lt;/script&gt;&lt;script&gt;alert(1)"), "as text");
    assert!(!page.contains("<img") && !page.contains("<script>alert"), "and as nothing else");
    let ends = page.matches("</script>").count();
    assert_eq!((ends, page.matches("<script").count()), (3, 3), "library, data and page");
}

#[test]
fn a_page_is_small_and_asks_for_nothing() {
    for seed in 0..6 {
        let history = sample::random(seed);
        let (measured, provenance) = (measure(&history), provenance());
        let run = Run::new(&history, &measured, &provenance);
        let page = page(&[&run]);
        assert!(page.len() < 2_500_000, "seed {seed}: {} bytes", page.len());
        let code = page.split("<script type=").next().unwrap();
        for outside in ["http://", "https://", "src=", "url(", "@import"] {
            assert!(!code.contains(outside), "seed {seed}: {outside}");
        }
        assert_eq!(page, self::page(&[&run]), "seed {seed}: the same again");
    }
}

#[test]
fn nothing_at_all_has_a_page_too() {
    let history = History::default();
    let (measured, provenance) = (measure(&history), Provenance::default());
    let run = Run::new(&history, &measured, &provenance);
    let page = page(&[&run]);
    assert!(page.contains("no job ever waited"), "nobody waited");
}
