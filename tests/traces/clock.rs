//! What real files tell over time: how long jobs waited, and how warm it was.

use super::archives::{archive, trace};
use gigawatt::metrics::percentile;
use gigawatt::trace::{Moment, SeriesOptions, Trace, read_series};

#[test]
fn recorded_waits_are_those_of_the_archives() {
    // Count, median, 95th percentile of nearest rank and sum, computed from the files by a few lines of Python.
    for (path, expected) in [
        ("traces/swf/RICC-2010-2.swf.gz", (447_794, 10, 47_973, 7_151_502_235)),
        ("traces/swf/wagap-2013.swf.zst", (17_900, 370, 230_105, 913_362_485)),
        ("traces/swf/lublin_256.swf.zst", (0, 0, 0, 0)),
        ("traces/swf/NASA-iPSC-1993-3.1-cln.swf.gz", (0, 0, 0, 0)),
        ("traces/philly/philly_jobs.csv.zst", (0, 0, 0, 0)),
        // Counted from when they could start, as all of Slurm.
        ("traces/mit_supercloud/slurm-log-queueing-clean.csv.zst", (9628, 3, 19_951, 45_872_518)),
        // Of those that existed before the trace began nobody knows.
        ("traces/alibaba_dlrm2025/disaggregated_DLRM_trace.csv.zst", (16_591, 0, 137, 3_117_904)),
        ("traces/alibaba_openb2023/openb_pod_list_default.csv.zst", (7255, 2, 241, 444_748)),
        ("traces/alibaba_openb2023/openb_pod_list_gpushare100.csv.zst", (6943, 1, 244, 379_643)),
    ] {
        let Some(Trace { workload, .. }) = trace(path) else { return };
        let mut waits: Vec<u32> =
            (0..workload.len()).filter_map(|job| workload.recorded_wait(job)).map(|wait| wait.0).collect();
        waits.sort_unstable();
        let sum: u64 = waits.iter().map(|wait| u64::from(*wait)).sum();
        let found = (waits.len(), percentile(&waits, 50), percentile(&waits, 95), sum);
        assert_eq!(found, expected, "{path}");
        assert!(waits.is_empty() == workload.recorded_starts.is_empty(), "{path}: no column for nothing");
    }
}

#[test]
fn the_weather_of_a_year_is_read() {
    // Sum, least and most in tenths of a degree, and the offset of the clock, computed by a few lines of Python.
    for (zone, sum, range, behind) in
        [("US-TEX-ERCO", 1_787_832, (-36, 430), 18_000), ("US-CAL-CISO", 1_301_867, (2, 365), 25_200)]
    {
        let Some(path) = archive(&format!("traces/grid/weather_{zone}_2023.json.zst")) else { return };
        let column = Some("temperature_2m");
        let options = SeriesOptions { column, time_column: None, decimals: 1, least: -1000, most: 1000 };
        let found = read_series(zone, &std::fs::read(path).unwrap(), &options).unwrap();
        assert_eq!((found.values.len(), found.step.0), (8760, 3600), "{zone}: hours of a year");
        assert_eq!(found.start, Moment::Unix(1_672_531_200 + behind), "{zone}: midnight on its own clock");
        assert_eq!(found.values.iter().sum::<i64>(), sum, "{zone}");
        let ends = found.values.iter().min().zip(found.values.iter().max()).map(|(a, b)| (*a, *b));
        assert_eq!(ends, Some(range), "{zone}: coldest and hottest");
    }
}
