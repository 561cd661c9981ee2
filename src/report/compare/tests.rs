use super::*;
use crate::experiment::statistics::Interval;
use crate::experiment::{Basis, Group, Reached};
use crate::table::Encoding;
use serde_json::Value;

/// A group of which every number is the same.
fn group(by: By, name: &str, entry: Entry) -> Group {
    Group { by, name: name.to_owned(), jobs: 12.0, entries: vec![entry; GROUP_MEASURES.len()] }
}

/// Measures of which nothing is known here.
const UNKNOWN: [&str; 7] =
    ["packed", "deadlines_met", "deadlines_missed_jobs", "failures", "interruptions", "ettr", "availability"];

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
            250_000.0,
            14.2,
            1.3,
            40.0,
            812.0,
            1200.0,
            20_000.0,
            4000.0,
            61_000.0,
            97_000.0,
            99_000.0,
            9_400_000.0,
            0.834,
            0.801,
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
            0.0,
            0.0,
            0.0,
        ];
        let mut told = (0..).zip(values);
        let of_measure = |measure: &Measure| match measure.shown {
            Shown::Never => entry((0, 0.0)),
            // Nothing is offered once, no job has a deadline, and nothing can fail.
            _ if UNKNOWN.contains(&measure.key) => Entry { value: f64::NAN, change: None, ..entry((0, 0.0)) },
            _ => entry(told.next().expect("a value for every row")),
        };
        let name = (*name).to_owned();
        Column {
            parts: name.replace("easy", "fifo/easy/best-fit"),
            name,
            entries: MEASURES.iter().map(of_measure).collect(),
            groups: [(By::Gpus, "1 GPU"), (By::Tenant, "acorn")]
                .map(|(by, name)| group(by, name, entry((7, 90_000.0))))
                .into(),
            jobs: vec![71_872; 10],
            stuck_runs: 0,
        }
    };
    Comparison {
        policies: (0..).zip(names).map(column).collect(),
        reference: 0,
        seeds: (0..10).collect(),
        basis,
        by: None,
        about: 0,
        precision: None,
    }
}

#[test]
fn seeds_may_bring_more_jobs_or_fewer() {
    let same = comparison(&["a", "b"], Basis::Seeds { seeds: 10 });
    assert!(text(&same, 80).contains("\n71,872 jobs a run;"), "the same for all");
    let mut others = same;
    others.policies[1].jobs = vec![299, 1327, 310];
    others.policies[0].jobs = vec![300];
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
    for width in [40, 80, 200] {
        let text = text(&comparison(&names, Basis::Seeds { seeds: 10 }), width);
        assert!(text.lines().all(|line| columns(line) <= usize::from(width)), "fits {width} columns: {text}");
        insta::assert_snapshot!(format!("two_policies_in_{width}_columns"), text);
    }
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
    for width in [40, 60, 80, 100, 200] {
        let text = text(&comparison(&names, Basis::FewSeeds { seeds: 3 }), width);
        let widest = text.lines().map(columns).max().unwrap();
        assert!(widest <= usize::from(width).max(48), "{widest} columns at {width}: {text}");
        for part in names.iter().flat_map(|name| name.split('/')) {
            assert!(text.contains(part), "{part} at {width}");
        }
    }
    insta::assert_snapshot!(text(&comparison(&names, Basis::FewDays { days: 1 }), 80));
}

/// The table as CSV.
fn csv(comparison: &Comparison) -> String {
    let mut bytes = Vec::new();
    write_table(comparison, Encoding::Csv, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_table_for_machines_is_the_same_in_parquet() {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;
    let comparison = comparison(&["easy", "greedy"], Basis::Seeds { seeds: 10 });
    let mut bytes = Vec::new();
    write_table(&comparison, Encoding::Parquet, &mut bytes).unwrap();
    let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
    let text = csv(&comparison);
    let mut lines = csv::Reader::from_reader(text.as_bytes());
    let mut count = 0;
    for (row, line) in reader.get_row_iter(None).unwrap().zip(lines.records()) {
        let (row, line) = (row.unwrap(), line.unwrap());
        for ((_, field), cell) in row.get_column_iter().zip(&line) {
            match field {
                Field::Null => assert_eq!(cell, "", "nothing is known"),
                Field::Double(number) => assert_eq!(cell.parse(), Ok(*number), "a number"),
                Field::Str(text) => assert_eq!(cell, text, "a word"),
                other => panic!("{other:?}"),
            }
        }
        count += 1;
    }
    assert_eq!(count, text.lines().count() - 1, "every line");
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
    let lines = 2 * (MEASURES.len() + 2 * GROUP_MEASURES.len());
    assert_eq!(csv.lines().count(), 1 + lines, "a line a policy and measure, and a group");
    assert!(
        csv.starts_with("policy,measure,value,change,low,high,reference,difference,noise,by,group\n"),
        "{csv}"
    );
    let of_group = |line: &&str| {
        line.starts_with("greedy,wait_max_s,127800.0,0.42") && line.ends_with(",,,easy,,,tenant,acorn")
    };
    assert_eq!(csv.lines().filter(of_group).count(), 1, "{csv}");
}

#[test]
fn differences_are_written_with_their_sign_and_unit() {
    let interval = Some(Interval { low: -1234.5, high: 0.004 });
    let entry = Entry { value: -0.06, change: None, difference: Some(-0.05), interval, runs: vec![-0.06] };
    assert_eq!(cell(&entry, Unit::Dollars), "  -$0.06  ≈−$0.05\n−$1,234.50 … +$0.00");
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

#[test]
fn what_chance_may_explain_is_said() {
    let apart = comparison(&["a", "b"], Basis::Seeds { seeds: 40 });
    assert!(!text(&apart, 80).contains('≈'), "no interval holds 0");
    let mut some = comparison(&["a", "b", "c"], Basis::Seeds { seeds: 40 });
    let entry = &mut some.policies[2].entries[0];
    (entry.change, entry.interval) = (Some(0.01), Some(Interval { low: -0.025, high: 0.035 }));
    assert_eq!(entry.is_noise(), Some(true), "it holds 0");
    let text = text(&some, 80);
    assert!(text.contains(" ≈+1.0%\n") && text.contains("−2.5% … +3.5%"), "{text}");
    let said =
        "c: no difference in wait, mean from a at 95 %, 40 seeds: ±3.0 %; 160 seeds would\nsee 1.5 %.\n";
    assert!(text.contains(said), "{text}");
    assert!(!text.contains("b: no difference"), "b is told apart: {text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "fits 80 columns:\n{text}");
    let value: Value = serde_json::from_str(&json(&some)).unwrap();
    let noise = |place: usize| value["policies"][place]["measures"]["wait_mean_s"]["noise"].clone();
    assert_eq!([noise(0), noise(1), noise(2)], [Value::Null, false.into(), true.into()], "for machines");
    // Where nothing ever differs there is no noise either.
    let entry = &mut some.policies[2].entries[0];
    (entry.change, entry.interval) = (Some(0.0), Some(Interval { low: 0.0, high: 0.0 }));
    assert_eq!(entry.is_noise(), None, "the same in every run");
}

#[test]
fn the_longest_waits_are_told_by_size_and_groups_where_they_are_asked_for() {
    let mut some = comparison(&["a", "b"], Basis::FewSeeds { seeds: 1 });
    let plain = text(&some, 80);
    assert!(plain.contains("\nlongest, 1 GPU ") && plain.contains("what starves."), "{plain}");
    assert!(!plain.contains("acorn"), "nobody asked: {plain}");
    some.by = Some(By::Tenant);
    let by = text(&some, 80);
    for row in ["longest, 1 GPU ", "acorn, mean ", "acorn, p95 ", "acorn, max "] {
        assert!(by.contains(&format!("\n{row}")), "{row}: {by}");
    }
    some.by = Some(By::Gpus);
    let by = text(&some, 80);
    assert!(by.contains("\n1 GPU, max ") && !by.contains("longest"), "the same is not told twice: {by}");
}

#[test]
fn a_precision_says_whether_it_was_reached() {
    let mut some = comparison(&["a", "b"], Basis::Seeds { seeds: 10 });
    for (reached, met, said) in [
        (Some(0.018), true, "Changes of wait, mean: ±1.80 %, as asked (±2.00 %).\n"),
        (Some(0.031), false, "Changes of wait, mean: ±3.10 % after 10 seeds, and not the ±2.00 %"),
        (None, false, "Changes of wait, mean are not known"),
    ] {
        some.precision = Some(Reached { asked: 0.02, reached, met });
        assert!(text(&some, 80).contains(said), "{said}: {}", text(&some, 80));
    }
}

#[test]
fn markdown_is_a_table_and_what_there_is_to_say() {
    let some = comparison(&["easy", "a|b"], Basis::Seeds { seeds: 10 });
    let text = markdown(&some);
    assert!(text.starts_with("| | easy | a\\|b |\n|---|---:|---:|\n| wait, mean | 1h31m | "), "{text}");
    let rows: Vec<&str> = text.lines().take_while(|line| line.starts_with('|')).collect();
    assert_eq!(rows.len(), 2 + super::rows(&some).len(), "a line a row");
    let cells = |row: &str| row.replace("\\|", "").matches('|').count();
    assert!(rows.iter().all(|row| cells(row) == 4), "three cells each: {text}");
    assert!(text.contains("(+35%; +28% … +40%)") && text.ends_with("  \n"), "{text}");
}
