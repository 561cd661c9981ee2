//! Every number of the printed summary is one of `summary.json`, to the digits shown: of the quickstart, line by line.

#![expect(clippy::unwrap_used, reason = "a test that cannot start fails")]

#[path = "support/command.rs"]
mod command;

use command::{command, directory};
use gigawatt::units::Seconds;
use serde_json::Value;

/// What `summary.json` holds, and how its numbers are shown.
struct Numbers(Value);

impl Numbers {
    fn at(&self, pointer: &str) -> f64 {
        self.0.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("{pointer} is a number"))
    }
    fn text(&self, pointer: &str) -> String {
        self.0
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("{pointer} is a text"))
            .to_owned()
    }
    fn length(&self, pointer: &str) -> usize {
        self.0.pointer(pointer).and_then(Value::as_array).map_or(0, Vec::len)
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds of a day")]
    fn time(&self, pointer: &str) -> String {
        Seconds(self.at(pointer).round() as u32).to_string()
    }
    fn percent(&self, pointer: &str, decimals: usize) -> String {
        format!("{:.decimals$} %", 100.0 * self.at(pointer))
    }
    /// With three digits that count.
    fn scaled(value: f64, unit: &str) -> String {
        let (value, prefix) = if value >= 999_500.0 { (value / 1e6, "M") } else { (value / 1e3, "k") };
        let decimals = if value < 9.995 { 2 } else { usize::from(value < 99.95) };
        format!("{value:.decimals$} {prefix}{unit}")
    }
    fn watts(&self, pointer: &str) -> String {
        Self::scaled(self.at(pointer), "W")
    }
    /// Five statistics by a way to show one.
    fn statistics(&self, name: &str, shown: impl Fn(&str) -> String) -> String {
        let told = ["mean", "p50", "p95", "p99", "max"]
            .map(|key| format!("{key} {}", shown(&format!("/{name}/{key}"))));
        told.join(", ")
    }
    fn grouped(&self, pointer: &str) -> String {
        let digits = format!("{:.0}", self.at(pointer));
        match digits.len() {
            0..=3 => digits,
            length => format!("{},{}", &digits[..length - 3], &digits[length - 3..]),
        }
    }
}

/// The lines with a label, as they should be.
fn labelled(numbers: &Numbers) -> Vec<(&'static str, String)> {
    let all = numbers.at("/power/energy_j");
    let part = |name: &str| format!("{name} {:.0} %", 100.0 * numbers.at(&format!("/power/{name}_j")) / all);
    let platforms: Vec<String> = (0..numbers.length("/platforms"))
        .map(|index| {
            let of = |key: &str| format!("/platforms/{index}/{key}");
            let busy = numbers.percent(&of("utilization"), 1);
            format!("{} {busy} of {} GPUs", numbers.text(&of("name")), numbers.grouped(&of("gpus")))
        })
        .collect();
    let feeds = (0..numbers.length("/power/feeds")).map(|index| format!("/power/feeds/{index}"));
    let capped =
        feeds.filter(|feed| numbers.0.pointer(&format!("{feed}/cap_w")).is_some_and(Value::is_number));
    let stranded = |feed: &String| numbers.at(&format!("{feed}/stranded_w"));
    let tightest = capped.min_by(|one, other| stranded(one).total_cmp(&stranded(other))).unwrap();
    let of_feed = |key: &str| numbers.watts(&format!("{tightest}/{key}"));
    vec![
        (
            "Jobs",
            format!(
                "{} completed, {} left",
                numbers.grouped("/outcomes/completed"),
                numbers.at("/outcomes/unfinished")
            ),
        ),
        ("Wait", numbers.statistics("wait_time", |key| numbers.time(key))),
        ("Turnaround", numbers.statistics("turnaround_time", |key| numbers.time(key))),
        (
            "Slowdown",
            numbers.statistics("bounded_slowdown", |key| {
                if key.ends_with("mean") {
                    format!("{:.2}", numbers.at(key))
                } else {
                    format!("{:.1}", numbers.at(key))
                }
            }),
        ),
        ("Utilization", numbers.percent("/utilization", 1)),
        ("Platforms", platforms.join(", ")),
        (
            "Free GPUs",
            format!(
                "{} of them on partly used nodes, {} in partly used racks",
                numbers.percent("/fragmentation", 1),
                numbers.percent("/rack_fragmentation", 1)
            ),
        ),
        (
            "Site draw",
            format!(
                "mean {}, peak {}, load factor {}, ramp {}/min",
                numbers.watts("/power/mean_w"),
                numbers.watts("/power/peak_w"),
                numbers.percent("/power/load_factor", 0),
                numbers.watts("/power/ramp_w")
            ),
        ),
        (
            "IT draw",
            format!(
                "mean {}, peak {}, without losses and cooling",
                numbers.watts("/power/it_mean_w"),
                numbers.watts("/power/it_peak_w")
            ),
        ),
        (
            "Energy",
            format!(
                "{}: {}",
                Numbers::scaled(all / 3600.0, "Wh"),
                ["jobs", "idle", "overhead"].map(part).join(", ")
            ),
        ),
        (
            "Stranded",
            format!(
                "{} of {} at {}; its peak {}",
                of_feed("stranded_w"),
                of_feed("cap_w"),
                numbers.text(&format!("{tightest}/name")),
                of_feed("peak_w")
            ),
        ),
        (
            "Per MWh",
            format!(
                "{:.0} GPU-hours held, {:.0} of work on reference GPUs done",
                numbers.at("/power/gpu_hours_per_mwh"),
                numbers.at("/power/work_gpu_hours_per_mwh")
            ),
        ),
        (
            "Job graphs",
            format!(
                "{} of {} job graphs completed",
                numbers.at("/graphs/completed"),
                numbers.at("/graphs/count")
            ),
        ),
        (
            "Slowest",
            format!(
                "{}, {} jobs in {}",
                numbers.text("/graphs/slowest/name"),
                numbers.at("/graphs/slowest/jobs"),
                numbers.time("/graphs/slowest/turnaround_time")
            ),
        ),
        (
            "Critical path",
            format!(
                "{}; {:.2} times that in the end",
                numbers.time("/graphs/slowest/critical_path_time"),
                numbers.at("/graphs/slowest/stretch")
            ),
        ),
    ]
}

/// A row of words, however far apart they stand.
fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

#[test]
fn every_number_shown_is_in_the_summary() {
    let place = directory(&[]);
    let printed = |arguments: &[&str]| {
        let output =
            command(place.path()).arg("simulate").args(arguments).env("COLUMNS", "200").output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let numbers = Numbers(serde_json::from_str(&printed(&["--json"])).unwrap());
    let text = printed(&["--by", "tenant"]);
    let mut rest: Vec<&str> =
        text.lines().skip(2).filter(|line| !line.is_empty() && !line.starts_with('─')).collect();
    let mut take = |is_it: &dyn Fn(&str) -> bool| -> String {
        let place = rest
            .iter()
            .position(|line| is_it(line))
            .unwrap_or_else(|| panic!("a line is missing in\n{text}"));
        rest.remove(place).to_owned()
    };
    let of_bars =
        |line: &str| line.trim_end_matches(|c: char| ('▁'..='█').contains(&c) || c == ' ').to_owned();
    for (label, expected) in labelled(&numbers) {
        let line = take(&|line| line.starts_with(&format!("{label:15}")) && line.len() > 15);
        assert_eq!(words(&of_bars(&line[15..])), words(&expected), "{label}");
    }
    // Tenants come twice: what they got, and how long they waited.
    for index in 0..numbers.length("/tenants") {
        let of = |key: &str| format!("/tenants/{index}/{key}");
        let name = numbers.text(&of("name"));
        let row = format!(
            "{name} {} {} {:.1} {} {} {} {:.2}",
            numbers.grouped(&of("jobs")),
            numbers.grouped(&of("finished")),
            numbers.at(&of("gpu_hours")),
            numbers.percent(&of("share"), 1),
            numbers.time(&of("wait_time/p50")),
            numbers.time(&of("wait_time/p95")),
            numbers.at(&of("energy_j")) / 3.6e9,
        );
        assert_eq!(words(&take(&|line| line.starts_with(&name))), words(&row), "{name}");
        let waits =
            ["mean", "p50", "p95", "p99", "max"].map(|key| numbers.time(&of(&format!("wait_time/{key}"))));
        let row = format!("{name} {} {}", numbers.grouped(&of("wait_time/count")), waits.join(" "));
        assert_eq!(words(&take(&|line| line.starts_with(&name))), words(&row), "{name} by --by");
        let detail = format!("/details/by_tenant/{index}/wait_time/mean");
        assert!((numbers.at(&detail) - numbers.at(&of("wait_time/mean"))).abs() < 1e-9, "one definition");
    }
    let reasons = numbers.0["waiting_seconds"].as_object().unwrap();
    let total: f64 = reasons.values().filter_map(Value::as_f64).sum();
    for (name, seconds) in reasons.iter().filter(|(_, seconds)| seconds.as_f64() > Some(0.0)) {
        let line = take(&|line| line.starts_with(&format!("  {name:15}")));
        let share = format!("{:.1}", 100.0 * seconds.as_f64().unwrap() / total);
        assert_eq!(words(&line)[1], share, "{name}");
    }
    // What is left has no number of the run, but for the number of steps that a path leaves out.
    let digits = |line: &&str| line.contains(|c: char| c.is_ascii_digit());
    let left: Vec<&str> = rest.into_iter().filter(digits).collect();
    let allowed = ["Tenant", "               next-llama/", "  gigawatt compare"];
    let unknown: Vec<&&str> =
        left.iter().filter(|line| !allowed.iter().any(|own| line.starts_with(own))).collect();
    assert!(unknown.is_empty(), "numbers that nothing was compared with: {unknown:?}");
}
