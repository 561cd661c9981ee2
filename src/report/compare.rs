//! A comparison of policies as text, JSON and CSV.

use super::number::{counted, grouped, mass, scaled};
use super::table;
use crate::ensemble::{MEASURES, Shown, Unit};
use crate::experiment::{Basis, Column, Comparison, Entry};
use crate::metrics::JOULES_A_MWH;
use crate::units::{Money, Seconds};
use serde_json::{Map, Value, json};

/// The comparison as tables of at most `width` columns, every policy beside the reference.
///
/// Policies that do not fit beside each other come in further tables, each with the reference again.
#[must_use]
pub fn text(comparison: &Comparison, width: u16) -> String {
    let reference = &comparison.policies[comparison.reference];
    let others: Vec<&Column> = comparison
        .policies
        .iter()
        .enumerate()
        .filter(|(index, _)| *index != comparison.reference)
        .map(|(_, column)| column)
        .collect();
    let room = usize::from(width.max(60)) - LABEL - GAP - heading_width(reference).max(VALUE);
    let mut text = String::new();
    let mut rest = &others[..];
    loop {
        let (mut taken, mut used) = (0, 0);
        while let Some(column) = rest.get(taken) {
            used += GAP + heading_width(column).max(cell_width(column));
            if used > room && taken > 0 {
                break;
            }
            taken += 1;
        }
        text.push_str(&block(reference, &rest[..taken], width));
        text.push('\n');
        rest = &rest[taken..];
        if rest.is_empty() {
            break;
        }
    }
    text.push_str(&footer(comparison, &reference.name));
    text
}

/// Columns of the names of measures, between columns, of a value and of its change.
const LABEL: usize = 16;
const GAP: usize = 2;
const VALUE: usize = 8;
const CHANGE: usize = 9;

/// One part a line, the last part of every heading on the last of `lines`.
fn heading(column: &Column, lines: usize) -> String {
    let above = lines.saturating_sub(column.name.split('/').count());
    "\n".repeat(above) + &column.name.replace('/', "\n")
}

fn heading_width(column: &Column) -> usize {
    column.name.split('/').map(|part| part.chars().count()).max().unwrap_or(0)
}

/// Columns of the widest cell, at least of a value and its change.
fn cell_width(column: &Column) -> usize {
    let cells = MEASURES.iter().zip(&column.entries).map(|(measure, entry)| cell(entry, measure.unit));
    let widths = cells.map(|cell| cell.lines().map(|line| line.chars().count()).max().unwrap_or(0));
    widths.max().unwrap_or(0).max(VALUE + CHANGE)
}

fn block(reference: &Column, others: &[&Column], width: u16) -> String {
    let parts = |column: &&Column| column.name.split('/').count();
    let lines = others.iter().map(parts).max().unwrap_or(1).max(parts(&reference));
    let headings: Vec<String> = others.iter().map(|column| heading(column, lines)).collect();
    let first = heading(reference, lines);
    let header = ["", first.as_str()].into_iter().chain(headings.iter().map(String::as_str));
    let mut table = table::new(width, header);
    for (index, measure) in MEASURES.iter().enumerate() {
        let mut all = others.iter().chain([&reference]);
        let told = |column: &&Column| column.entries[index].value.abs() > 0.0;
        let shown = match measure.shown {
            Shown::Always => true,
            Shown::IfTold => all.any(told),
            Shown::Never => false,
        };
        if !shown {
            continue;
        }
        let mut row = vec![measure.name.to_owned(), amount(reference.entries[index].value, measure.unit)];
        row.extend(others.iter().map(|column| cell(&column.entries[index], measure.unit)));
        table.add_row(row);
    }
    table::right(&mut table, 1..others.len() + 2);
    table::text(&mut table)
}

/// Value and change, or difference; below them its interval.
fn cell(entry: &Entry, unit: Unit) -> String {
    let told = |apart: f64| told(entry, unit, apart);
    let apart = entry.difference.or(entry.change);
    let text = apart.map_or_else(|| "–".to_owned(), told);
    // A difference may take more room than a change.
    let gap = if text.chars().count() < CHANGE { "" } else { " " };
    let mut text = format!("{:>VALUE$}{gap}{text:>CHANGE$}", amount(entry.value, unit));
    // Where nothing ever differs an interval says nothing.
    if let Some(interval) = entry.interval.filter(|ends| ends.low < ends.high || apart != Some(0.0)) {
        text.push_str(&format!("\n{} … {}", told(interval.low), told(interval.high)));
    }
    text
}

/// An amount with its sign: `+$0.05`, `−13.4 t`.
fn signed(apart: f64, unit: Unit) -> String {
    let sign = if apart < 0.0 { '−' } else { '+' };
    format!("{sign}{}", amount(apart.abs(), unit))
}

/// How far apart from the reference, as a change or as a difference, whichever the entry has.
pub(in crate::report) fn told(entry: &Entry, unit: Unit, apart: f64) -> String {
    if entry.difference.is_some() { signed(apart, unit) } else { percent(apart) }
}

/// `3h05m`, `12.4`, `83.1%`, `1,204`.
pub(in crate::report) fn amount(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Seconds => Seconds(whole(value)).to_string(),
        Unit::Ratio if value < 100.0 => format!("{value:.2}"),
        Unit::Ratio => format!("{value:.0}"),
        Unit::Share => format!("{:.1}%", 100.0 * value),
        Unit::Jobs if value.fract() == 0.0 => grouped(whole(value).into()),
        Unit::Jobs => format!("{value:.1}"),
        Unit::Joules => scaled(value / JOULES_A_MWH * 1e6, "Wh"),
        Unit::Watts => scaled(value, "W"),
        Unit::Grams => mass(value),
        Unit::Dollars => Money(micros(value)).to_string(),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "saturates, for display")]
fn micros(dollars: f64) -> i64 {
    (dollars * 1e6).round() as i64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, for display")]
fn whole(value: f64) -> u32 {
    value.round() as u32
}

/// `−38%`, `+4.2%`; above tenfold `×12.5`.
pub(in crate::report) fn percent(change: f64) -> String {
    let hundredths = 100.0 * change;
    let sign = if hundredths < 0.0 { '−' } else { '+' };
    match hundredths.abs() {
        size if size < 0.05 => "0.0%".to_owned(),
        size if size < 10.0 || (99.5..99.95).contains(&size) => format!("{sign}{size:.1}%"),
        size if size < 1000.0 => format!("{sign}{size:.0}%"),
        _ => format!("×{:.1}", change + 1.0),
    }
}

/// How the numbers came about.
pub(in crate::report) fn footer(comparison: &Comparison, reference: &str) -> String {
    let how = match comparison.basis {
        Basis::Seeds { seeds } => format!(
            "Means over {seeds} seeds; below each change its 95 % interval by paired\nbootstrap over the seeds (BCa)."
        ),
        Basis::Days { days, block } => format!(
            "Nothing is random: one run each. Below each change its 95 % interval by moving\n\
             blocks of {block} of {days} days (percentiles): what single days decide, not chance."
        ),
        Basis::FewSeeds { seeds: 1 } => "One seed: no intervals, which take ten (`--seeds 10`).".to_owned(),
        Basis::FewSeeds { seeds } => {
            format!("Means over {seeds} seeds: no intervals, which take ten (`--seeds 10`).")
        }
        Basis::FewDays { days } => {
            let noun = if days == 1 { "day" } else { "days" };
            format!("Nothing is random: one run each; {days} {noun}: no intervals, which take ten.")
        }
    };
    let short = comparison.policies.iter().filter(|column| column.name != column.parts);
    let named: String = short.map(|column| format!("{}: {}\n", column.name, column.parts)).collect();
    let fewest = comparison.jobs.iter().copied().min().unwrap_or(0);
    let most = comparison.jobs.iter().copied().max().unwrap_or(0);
    let jobs = if fewest == most { String::new() } else { format!("{} to ", grouped(fewest)) };
    let jobs = format!("{jobs}{} a run", counted(most, "job"));
    let (left, fairness) = (unfinished(comparison), fairness(comparison));
    format!("{named}{jobs}; changes against {reference}.\n{how}\n{left}{fairness}")
}

/// Whether the row of that key has a value above zero for any policy.
fn has_any(comparison: &Comparison, key: &str) -> bool {
    let row = MEASURES.iter().position(|measure| measure.key == key);
    let any = |column: &Column| row.is_some_and(|row| column.entries[row].value > 0.0);
    comparison.policies.iter().any(any)
}

/// What the Jain index is of.
fn fairness(comparison: &Comparison) -> &'static str {
    if has_any(comparison, "jain_index") {
        "Jain index: (Σx)² ÷ nΣx², x = GPUs held ÷ entitlement while n tenants contend.\n"
    } else {
        ""
    }
}

/// What it means for the rows above that some jobs had not ended.
fn unfinished(comparison: &Comparison) -> &'static str {
    if has_any(comparison, "unfinished_jobs") {
        "Unfinished jobs count with their wait so far; slowdown and turnaround are of\nthose that ended.\n"
    } else {
        ""
    }
}

/// Everything, for machines.
#[must_use]
pub fn json(comparison: &Comparison) -> String {
    let policies: Vec<Value> = comparison
        .policies
        .iter()
        .map(|column| {
            let measures: Map<String, Value> = MEASURES
                .iter()
                .zip(&column.entries)
                .map(|(measure, entry)| (measure.key.to_owned(), json!(entry)))
                .collect();
            json!({ "policy": column.name, "parts": column.parts, "measures": measures })
        })
        .collect();
    let all = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "reference": comparison.policies[comparison.reference].name,
        "seeds": comparison.seeds,
        "jobs": comparison.jobs,
        "intervals": comparison.basis,
        "policies": policies,
    });
    format!("{all:#}\n")
}

/// One line a policy and measure; `low` and `high` are of the `change`, or of the `difference` where there is one.
#[must_use]
pub fn csv(comparison: &Comparison) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = ["policy", "measure", "value", "change", "low", "high", "reference", "difference"];
    let mut write = |record: [&str; 8]| writer.write_record(record).expect("memory takes every record");
    write(header);
    let optional = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    let reference = &comparison.policies[comparison.reference].name;
    for column in &comparison.policies {
        for (measure, entry) in MEASURES.iter().zip(&column.entries) {
            write([
                &column.name,
                measure.key,
                &optional(Some(entry.value).filter(|value| !value.is_nan())),
                &optional(entry.change),
                &optional(entry.interval.map(|interval| interval.low)),
                &optional(entry.interval.map(|interval| interval.high)),
                reference,
                &optional(entry.difference),
            ]);
        }
    }
    let bytes = writer.into_inner().expect("memory is never full of records");
    String::from_utf8(bytes).expect("written from text")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::statistics::Interval;

    fn comparison(names: &[&str], basis: Basis) -> Comparison {
        let with_intervals = matches!(basis, Basis::Seeds { .. });
        let column = |(index, name): (u32, &&str)| {
            let entry = |(measure, value): (u32, f64)| {
                let change = f64::from(index * 17 % 23) / 20.0 - 0.5 + f64::from(measure) / 100.0;
                Entry {
                    value: value * (1.0 + change),
                    change: (index > 0).then_some(change),
                    difference: None,
                    interval: (index > 0 && with_intervals)
                        .then_some(Interval { low: change - 0.07, high: change + 0.051 }),
                    runs: vec![value],
                }
            };
            let values = [
                11_000.0,
                640.0,
                30_000.0,
                180_000.0,
                14.2,
                1.3,
                40.0,
                812.0,
                20_000.0,
                4000.0,
                61_000.0,
                97_000.0,
                9_400_000.0,
                0.834,
                0.71,
                0.0,
                0.0,
                0.0,
                0.0,
                0.0,
                0.0,
                0.0,
                0.0,
                0.0,
            ];
            let mut told = (0..).zip(values);
            let of_measure = |measure: &crate::ensemble::Measure| match measure.shown {
                Shown::Never => entry((0, 0.0)),
                _ => entry(told.next().expect("a value for every row")),
            };
            let name = (*name).to_owned();
            Column {
                parts: name.replace("easy", "fifo/easy/best-fit"),
                name,
                entries: MEASURES.iter().map(of_measure).collect(),
            }
        };
        Comparison {
            policies: (0..).zip(names).map(column).collect(),
            reference: 0,
            seeds: (0..10).collect(),
            jobs: vec![71_872; 10],
            basis,
        }
    }

    #[test]
    fn seeds_may_bring_more_jobs_or_fewer() {
        let same = comparison(&["a", "b"], Basis::Seeds { seeds: 10 });
        assert!(text(&same, 80).contains("\n71,872 jobs a run;"), "the same for all");
        let others = Comparison { jobs: vec![299, 1327, 310], ..same };
        assert!(text(&others, 80).contains("\n299 to 1,327 jobs a run;"), "fewest and most");
    }

    #[test]
    fn jobs_that_are_left_are_mentioned() {
        let mut some = comparison(&["a", "b"], Basis::FewSeeds { seeds: 1 });
        assert!(!text(&some, 80).contains("so far"), "nobody is left");
        let row = MEASURES.iter().position(|measure| measure.key == "unfinished_jobs").unwrap();
        some.policies[1].entries[row].value = 14.0;
        let text = text(&some, 80);
        assert!(text.contains("\nUnfinished jobs count with their wait so far; slowdown"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "fits 80 columns");
    }

    #[test]
    fn two_policies_stand_beside_each_other() {
        let names = ["fifo/none/first-fit", "sjf/easy/first-fit"];
        let text = text(&comparison(&names, Basis::Seeds { seeds: 10 }), 80);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "fits 80 columns");
        insta::assert_snapshot!(text, @"
                               fifo                sjf
                               none               easy
                          first-fit          first-fit
        ───────────────────────────────────────────────
        wait, mean            1h31m     4h07m     +35%
                                           +28% … +40%
        wait, p50             5m26s    14m30s     +36%
                                           +29% … +41%
        wait, p90             4h20m    11h25m     +37%
                                           +30% … +42%
        wait, p99             1d02h     2d21h     +38%
                                           +31% … +43%
        slowdown, mean         7.67     19.74     +39%
                                           +32% … +44%
        slowdown, p50          0.72      1.82     +40%
                                           +33% … +45%
        slowdown, p90         22.40     56.40     +41%
                                           +34% … +46%
        slowdown, p99           463      1153     +42%
                                           +35% … +47%
        turnaround, mean      3h13m     7h56m     +43%
                                           +36% … +48%
        turnaround, p50      39m20s     1h36m     +44%
                                           +37% … +49%
        turnaround, p90      10h10m     1d00h     +45%
                                           +38% … +50%
        turnaround, p99      16h26m     1d15h     +46%
                                           +39% … +51%
        makespan             67d10h   159d22h     +47%
                                           +40% … +52%
        utilization           52.5%    123.4%     +48%
                                           +41% … +53%
        Jain index             0.45      1.06     +49%
                                           +42% … +54%
        unfinished jobs           0         0     +50%
                                           +43% … +55%

        sjf/easy/first-fit: sjf/fifo/easy/best-fit/first-fit
        71,872 jobs a run; changes against fifo/none/first-fit.
        Means over 10 seeds; below each change its 95 % interval by paired
        bootstrap over the seeds (BCa).
        Jain index: (Σx)² ÷ nΣx², x = GPUs held ÷ entitlement while n tenants contend.
        ");
    }

    #[test]
    fn policies_that_do_not_fit_come_below_with_the_reference_again() {
        let names = [
            "smallest-area-first/conservative/consolidate",
            "fifo/none/first-fit",
            "fifo/skip/best-fit",
            "easy",
            "las/skip/consolidate",
            "srtf/none/pack",
        ];
        for width in [60, 80, 100, 200] {
            let text = text(&comparison(&names, Basis::FewSeeds { seeds: 3 }), width);
            let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(widest <= usize::from(width).max(80), "{widest} columns at {width}");
            for part in names.iter().flat_map(|name| name.split('/')) {
                assert!(text.contains(part), "{part} at {width}");
            }
        }
        insta::assert_snapshot!(text(&comparison(&names, Basis::FewDays { days: 1 }), 80), @"
                          smallest-area-first               fifo               fifo
                                 conservative               none               skip
                                  consolidate          first-fit           best-fit
        ────────────────────────────────────────────────────────────────────────────
        wait, mean                      1h31m     4h07m     +35%     3h12m    +5.0%
        wait, p50                       5m26s    14m30s     +36%    11m18s    +6.0%
        wait, p90                       4h20m    11h25m     +37%     8h55m    +7.0%
        wait, p99                       1d02h     2d21h     +38%     2d06h    +8.0%
        slowdown, mean                   7.67     19.74     +39%     15.48    +9.0%
        slowdown, p50                    0.72      1.82     +40%      1.43     +10%
        slowdown, p90                   22.40     56.40     +41%     44.40     +11%
        slowdown, p99                     463      1153     +42%       909     +12%
        turnaround, mean                3h13m     7h56m     +43%     6h16m     +13%
        turnaround, p50                39m20s     1h36m     +44%     1h16m     +14%
        turnaround, p90                10h10m     1d00h     +45%    19h29m     +15%
        turnaround, p99                16h26m     1d15h     +46%     1d07h     +16%
        makespan                       67d10h   159d22h     +47%   127d07h     +17%
        utilization                     52.5%    123.4%     +48%     98.4%     +18%
        Jain index                       0.45      1.06     +49%      0.84     +19%
        unfinished jobs                     0         0     +50%         0     +20%

                          smallest-area-first                                   las
                                 conservative                                  skip
                                  consolidate               easy        consolidate
        ────────────────────────────────────────────────────────────────────────────
        wait, mean                      1h31m     2h17m     −25%     4h53m     +60%
        wait, p50                       5m26s     8m06s     −24%    17m10s     +61%
        wait, p90                       4h20m     6h25m     −23%    13h30m     +62%
        wait, p99                       1d02h     1d15h     −22%     3d09h     +63%
        slowdown, mean                   7.67     11.22     −21%     23.29     +64%
        slowdown, p50                    0.72      1.04     −20%      2.15     +65%
        slowdown, p90                   22.40     32.40     −19%     66.40     +66%
        slowdown, p99                     463       666     −18%      1356     +67%
        turnaround, mean                3h13m     4h36m     −17%     9h20m     +68%
        turnaround, p50                39m20s    56m00s     −16%     1h52m     +69%
        turnaround, p90                10h10m    14h24m     −15%     1d04h     +70%
        turnaround, p99                16h26m    23h10m     −14%     1d22h     +71%
        makespan                       67d10h    94d15h     −13%   187d03h     +72%
        utilization                     52.5%     73.4%     −12%    144.3%     +73%
        Jain index                       0.45      0.63     −11%      1.24     +74%
        unfinished jobs                     0         0     −10%         0     +75%

                          smallest-area-first               srtf
                                 conservative               none
                                  consolidate               pack
        ─────────────────────────────────────────────────────────
        wait, mean                      1h31m     3h58m     +30%
        wait, p50                       5m26s    13m58s     +31%
        wait, p90                       4h20m    11h00m     +32%
        wait, p99                       1d02h     2d18h     +33%
        slowdown, mean                   7.67     19.03     +34%
        slowdown, p50                    0.72      1.76     +35%
        slowdown, p90                   22.40     54.40     +36%
        slowdown, p99                     463      1112     +37%
        turnaround, mean                3h13m     7h40m     +38%
        turnaround, p50                39m20s     1h32m     +39%
        turnaround, p90                10h10m    23h43m     +40%
        turnaround, p99                16h26m     1d13h     +41%
        makespan                       67d10h   154d11h     +42%
        utilization                     52.5%    119.3%     +43%
        Jain index                       0.45      1.02     +44%
        unfinished jobs                     0         0     +45%

        easy: fifo/easy/best-fit
        71,872 jobs a run; changes against smallest-area-first/conservative/consolidate.
        Nothing is random: one run each; 1 day: no intervals, which take ten.
        Jain index: (Σx)² ÷ nΣx², x = GPUs held ÷ entitlement while n tenants contend.
        ");
    }

    #[test]
    fn machines_get_json_and_csv() {
        let comparison = comparison(&["easy", "greedy"], Basis::Days { days: 109, block: 5 });
        let value: Value = serde_json::from_str(&json(&comparison)).unwrap();
        assert_eq!(value["policies"][1]["measures"]["wait_mean_s"]["change"], 0.35, "by key");
        assert_eq!(value["intervals"]["method"], "days", "how");
        let mut unknown = comparison.clone();
        let cost = MEASURES.iter().position(|measure| measure.key == "cost_usd").unwrap();
        unknown.policies.iter_mut().for_each(|column| column.entries[cost].value = f64::NAN);
        let value: Value = serde_json::from_str(&json(&unknown)).unwrap();
        assert!(value["policies"][1]["measures"]["cost_usd"]["value"].is_null(), "nothing is known of it");
        assert!(csv(&unknown).contains("\neasy,cost_usd,,"), "{}", csv(&unknown));
        let csv = csv(&comparison);
        assert_eq!(csv.lines().count(), 1 + 2 * MEASURES.len(), "a line a policy and measure");
        assert!(
            csv.starts_with("policy,measure,value,change,low,high,reference,difference\neasy,wait_mean_s,"),
            "{csv}"
        );
    }

    #[test]
    fn differences_are_written_with_their_sign_and_unit() {
        let interval = Some(Interval { low: -1234.5, high: 0.004 });
        let entry =
            Entry { value: -0.06, change: None, difference: Some(-0.05), interval, runs: vec![-0.06] };
        assert_eq!(cell(&entry, Unit::Dollars), "  -$0.06   −$0.05\n−$1,234.50 … +$0.00");
        let carbon = Entry { value: -2.5e6, difference: Some(13.4e6), interval: None, ..entry.clone() };
        assert_eq!(cell(&carbon, Unit::Grams), "  -2.5 t  +13.4 t");
        let dear = Entry { difference: Some(12_345.6), interval: None, ..entry.clone() };
        assert_eq!(cell(&dear, Unit::Dollars), "  -$0.06 +$12,345.60", "a blank between them");
        let mut wide = comparison(&["a", "b", "c", "d"], Basis::FewSeeds { seeds: 1 });
        let cost = MEASURES.iter().position(|measure| measure.key == "cost_usd").unwrap();
        for column in &mut wide.policies[1..] {
            column.entries[cost] = Entry { value: -1e6, difference: Some(-12_345_678.0), ..dear.clone() };
        }
        let text = text(&wide, 80);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "fits 80 columns:\n{text}");
        assert_eq!(text.matches("−$12,345,678.00").count(), 3, "in one piece:\n{text}");
    }

    #[test]
    fn changes_are_written_as_people_read_them() {
        let cases = [
            (-0.384, "−38%"),
            (0.042, "+4.2%"),
            (0.0001, "0.0%"),
            (-0.996, "−99.6%"),
            (3.4, "+340%"),
            (11.5, "×12.5"),
            (-1.0, "−100%"),
        ];
        for (change, expected) in cases {
            assert_eq!(percent(change), expected, "{change}");
        }
    }
}
