use super::*;
use crate::history::{History, SegmentEnd, sample};
use crate::metrics::{Measured, measure};
use crate::report::run::Provenance;
use std::collections::BTreeMap;

/// The lines of a table, each by the names of its columns.
fn lines(table: &Table, history: &History, measured: &Measured) -> Vec<BTreeMap<String, String>> {
    let provenance = Provenance::default();
    let mut text = Vec::new();
    (table.write)(&Run::new(history, measured, &provenance), Encoding::Csv, &mut text).unwrap();
    let mut reader = csv::Reader::from_reader(&*text);
    let header = reader.headers().unwrap().clone();
    let line = |row: csv::StringRecord| {
        header.iter().map(str::to_owned).zip(row.iter().map(str::to_owned)).collect()
    };
    reader.records().map(|row| line(row.unwrap())).collect()
}

/// Runs in which jobs are stopped, moved, broken off and left.
fn histories() -> impl Iterator<Item = (u64, History)> {
    (0..60).map(|seed| (seed, sample::random(seed)))
}

#[test]
fn columns_have_names_of_their_own_and_say_what_they_are() {
    for table in TABLES {
        let heads = (table.heads)();
        let names: Vec<&str> = heads.iter().map(|head| head.name).collect();
        for (place, head) in heads.iter().enumerate() {
            assert!(!names[..place].contains(&head.name), "{}: {} comes twice", table.name, head.name);
            assert!(head.about.len() > 5 && !head.since.is_empty(), "{}: {}", table.name, head.name);
            let is_counted = !head.unit.is_empty();
            let is_number = matches!(head.kind, Kind::Integer | Kind::Real);
            assert!(is_number || !is_counted, "{}: {} is counted in {}", table.name, head.name, head.unit);
        }
    }
}

#[test]
fn attempts_add_up_to_what_jobs_did() {
    let mut ends = BTreeMap::new();
    for (seed, history) in histories() {
        let measured = measure(&history);
        let rows = lines(&ATTEMPTS, &history, &measured);
        assert_eq!(rows.len(), history.segments.len(), "seed {seed}");
        let (mut runs, mut attempts) = (vec![0; history.jobs.len()], vec![0; history.jobs.len()]);
        for (row, segment) in rows.iter().zip(&history.segments) {
            let job = segment.job as usize;
            assert_eq!(row["job_id"], history.plan.workload.names.get(job), "seed {seed}");
            runs[job] += row["run_time"].parse::<u32>().unwrap();
            attempts[job] = row["attempt"].parse::<u32>().unwrap();
            assert_eq!(row["to_time"].is_empty(), segment.end == SegmentEnd::Open, "seed {seed}: {row:?}");
            *ends.entry(row["end_reason"].clone()).or_insert(0) += 1;
        }
        for (job, times) in measured.jobs.iter().enumerate() {
            assert_eq!(
                (runs[job], attempts[job]),
                (times.run_time.0, times.attempts),
                "seed {seed}: job {job}"
            );
        }
    }
    assert!(ends.len() >= 5, "many reasons occur: {ends:?}");
}

#[test]
fn what_waits_over_time_is_what_the_series_says() {
    for (seed, history) in histories() {
        let measured = measure(&history);
        let (series, waiting) = (lines(&SERIES, &history, &measured), lines(&WAITING, &history, &measured));
        assert_eq!(series.len(), measured.metrics.series.utilization.len(), "seed {seed}");
        let mut seconds = 0;
        for row in &series {
            let of = |column: &str| -> f64 {
                let same = waiting.iter().filter(|other| other["time"] == row["time"]);
                let same = same.filter(|other| other["reason"] != "dependency");
                same.map(|other| other[column].parse::<f64>().unwrap()).sum()
            };
            for (own, column) in [("waiting_jobs", "jobs"), ("waiting_gpus", "gpus")] {
                let told: f64 = row[own].parse().unwrap();
                assert!((told - of(column)).abs() < 1e-9 * told.max(1.0), "seed {seed}: {own} of {row:?}");
            }
            seconds += row["step"].parse::<u32>().unwrap();
        }
        assert_eq!(seconds, history.end.0, "seed {seed}: the stretches cover the run");
    }
}

#[test]
fn instants_are_dates_where_a_date_is_known() {
    let (_, mut history) = histories().find(|(_, history)| history.segments.len() > 3).unwrap();
    let measured = measure(&history);
    assert!(
        lines(&JOBS, &history, &measured).iter().all(|row| row["submit_utc"].is_empty()),
        "none is known"
    );
    history.plan.workload.epoch = Some(1_700_000_000);
    for (table, time, date) in [
        (JOBS, "submit_time", "submit_utc"),
        (JOBS, "eligible_time", "eligible_utc"),
        (JOBS, "start_time", "start_utc"),
        (JOBS, "finish_time", "finish_utc"),
        (ATTEMPTS, "from_time", "from_utc"),
        (ATTEMPTS, "to_time", "to_utc"),
        (SERIES, "time", "time_utc"),
        (WAITING, "time", "time_utc"),
    ] {
        for row in lines(&table, &history, &measured) {
            let expected = row[time].parse::<i64>().map_or(String::new(), |time| {
                jiff::Timestamp::from_second(1_700_000_000 + time).unwrap().to_string()
            });
            assert_eq!(row[date], expected, "{} of {}", date, table.name);
        }
    }
}

#[test]
fn a_failure_says_where_it_was_and_whom_it_stopped() {
    let history = sample::failing();
    let rows = lines(&FAILURES, &history, &measure(&history));
    let row = |index: usize| {
        let keys = [
            "failure_time",
            "component",
            "per",
            "place",
            "failed_nodes",
            "detected_time",
            "back_time",
            "helps",
            "stopped_jobs",
        ];
        keys.map(|key| rows[index][key].as_str()).join(",")
    };
    assert_eq!(rows.len(), 2);
    assert_eq!(row(0), "100,gpu,gpu,node 1,n1,120,220,1,train");
    assert_eq!(row(1), "250,switch,rack,rack 1,n2-3,270,,1,", "nobody saw it within the run");
    let (none, provenance) = (sample::random(1), Provenance::default());
    let measured = measure(&none);
    assert!(!(FAILURES.applies)(&Run::new(&none, &measured, &provenance)), "nothing can fail");
}
