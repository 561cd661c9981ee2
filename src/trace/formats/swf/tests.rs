use super::*;
use crate::trace::{Options, Trace, read_bytes};
use crate::units::Time;

const SAMPLE: &[u8] = include_bytes!("../../../../workloads/sample.swf");

fn trace(text: &[u8], options: &Options<'_>) -> Trace {
    read_bytes("t.swf", text, Some("swf"), options).unwrap()
}
fn problem(line: &str) -> String {
    read_bytes("t.swf", line.as_bytes(), Some("swf"), &Options::default()).unwrap_err().to_string()
}

#[test]
fn every_kind_of_line_becomes_the_job_it_means() {
    let Trace { workload, notes, .. } = trace(SAMPLE, &Options::default());
    assert_eq!(workload.epoch, Some(1_767_225_600), "from the header");
    let times: Vec<_> =
        workload.jobs.iter().map(|job| (job.submit_time.0, job.work_time.0, job.requested_time.0)).collect();
    assert_eq!(
        times,
        [
            (0, 3600, 7200),
            (60, 7300, 7200),
            (120, 600, 600),
            (180, 1, 60),
            (240, 900, 1800),
            (300, 120, 1800),
            (360, 86_400, 86_400),
            (1300, 300, 600)
        ],
        "submit, work, requested"
    );
    let gpus: Vec<_> = (0..8).map(|job| workload.request_of(job).gpus().ceil()).collect();
    assert_eq!(gpus, [8, 16, 4, 1, 32, 8, 64, 2], "requested, else allocated");
    assert_eq!(workload.jobs[6].cancel_time, Time(860), "it gave up after 500 s");
    assert_eq!(workload.jobs[5].cancel_time, Time::NEVER, "it had started");
    assert!(workload.jobs[4].fails && !workload.jobs[5].fails, "status 0 fails");
    assert_eq!(workload.names.get(7), "9", "job 8 left as it came");
    for line in [
        "1 job without an estimate: requested_time = work_time",
        "1 job with more work than requested",
        "1 job of zero length: work_time = 1 s",
        "SWF processors read as GPUs: one each",
        "1 job that never started (status 0 or 5): withdrawn after their wait, work_time = requested_time",
        "1 job that never started and left as they came (status 0 or 5): dropped",
        "1 job after another (field 17): submitted as recorded, unless `map.think_time` is set",
    ] {
        assert!(notes.lines().iter().any(|note| note == line), "{line} is missing in:\n{notes}");
    }
}

#[test]
fn a_job_that_failed_before_it_started_is_withdrawn() {
    let text = b"1 0 500 0 -1 -1 -1 8 60 -1 0 1 1 -1 1 -1 -1 -1\n2 9 0 -1 -1 -1 -1 8 60 -1 0 1 1 -1 1 -1 -1 -1\n3 9 5 0 8 -1 -1 8 60 -1 0 1 1 -1 1 -1 -1 -1\n";
    let Trace { workload, notes, .. } = trace(text, &Options::default());
    assert_eq!(workload.len(), 2, "the second left as it came: {notes}");
    assert_eq!((workload.jobs[0].cancel_time, workload.jobs[0].fails), (Time(500), false), "withdrawn");
    assert_eq!((workload.jobs[1].cancel_time, workload.jobs[1].fails), (Time::NEVER, true), "it had 8");
}

#[test]
fn logs_of_floats_comments_and_names_are_read() {
    let text = b"# Computer: x\njob submit wait run procs cpu mem req time mem status user group exe queue part prev think\n\
            1 0.00 -1.00 9.00 1.00 1&2 -1.00 -1.00 9.00 ? 1 1.00 -1 -1 1&2 -1.00 -1 -1\n";
    let Trace { workload, format, notes } = read_bytes("t.swf", text, None, &Options::default()).unwrap();
    assert_eq!((format, workload.len(), workload.jobs[0].work_time.0), ("swf", 1, 9), "{notes}");
    assert_eq!(notes.counted("line", "of names: passed over"), 1, "{notes}");
    let by_queue = Options { swf_partition: SwfPartition::Queue, ..Options::default() };
    let refused = read_bytes("t.swf", text, None, &by_queue).unwrap_err().to_string();
    assert!(
        refused.contains("queue `1&2`"),
        "where the queue is the partition it has to be a number: {refused}"
    );
}

#[test]
fn the_begin_is_read_however_it_is_written() {
    let line = "1 0 0 9 1 -1 -1 1 9 -1 1 1 1 -1 1 -1 -1 -1\n";
    for (value, epoch) in [
        ("1577836800", Some(1_577_836_800)),
        ("1577836800 (Wed Jan 1 2020)", Some(1_577_836_800)),
        ("1577836800.0", Some(1_577_836_800)),
        ("2020-01-01 00:00:00", Some(1_577_836_800)),
        ("2020-01-01T00:00:00Z", Some(1_577_836_800)),
        ("0", None),
        ("-1", None),
        ("some day", None),
    ] {
        let text = format!("; UnixStartTime: {value}\n{line}");
        let Trace { workload, notes, .. } = trace(text.as_bytes(), &Options::default());
        assert_eq!(workload.epoch, epoch, "{value}");
        assert_eq!(notes.to_string().contains("is not a time"), value == "some day", "{value}: {notes}");
    }
}

#[test]
fn who_thinks_thinks_from_the_end_successful_or_not() {
    let text = b"1 0 0 9 1 -1 -1 1 9 -1 0 1 1 -1 1 -1 -1 -1\n2 5 0 9 1 -1 -1 1 9 -1 0 1 1 -1 1 -1 1 60\n";
    let options = Options { think_time: true, ..Options::default() };
    let Trace { workload, notes, .. } = trace(text, &options);
    assert_eq!(workload.dependencies.edges().collect::<Vec<_>>(), [(0, 1, Seconds(60))], "after it");
    assert_eq!([0, 1].map(|job| workload.jobs[job].fails), [false, true], "it only ends: {notes}");
}

#[test]
fn preceding_jobs_and_queues_count_when_asked_for() {
    let options = Options {
        think_time: true,
        swf_partition: SwfPartition::Queue,
        procs_per_gpu: 8,
        ..Options::default()
    };
    let workload = trace(SAMPLE, &options).workload;
    assert_eq!(workload.dependencies.edges().collect::<Vec<_>>(), [(4, 7, Seconds(60))], "9 after 5");
    assert_eq!(workload.partitions, ["all", "queue1", "queue2"], "field 15");
    assert_eq!(workload.request_of(3).gpus(), Gpus::ONE, "one processor takes a whole GPU");
    assert!(trace(SAMPLE, &Options::default()).workload.dependencies.is_empty(), "not unless asked");
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let ok = "1 0 0 9 1 -1 -1 1 9 -1 1 1 1 -1 1 -1 -1 -1\n";
    for (line, expected) in [
        ("1 x 0 9 1 -1 -1 1 9 -1 1 1 1 -1 1 -1 -1 -1", "submit time `x`"),
        ("1 -5 0 9 1 -1 -1 1 9 -1 1 1 1 -1 1 -1 -1 -1", "submit time `-5`"),
        ("1 0 0 99999999999 1 -1 -1 1 9 -1 1 1 1 -1 1 -1 -1 -1", "run time `99999999999`"),
        ("1 0 0 9 1 -1 -1 9999999 9 -1 1 1 1 -1 1 -1 -1 -1", "`9999999` processors"),
        ("1 0 0 9 1 -1 -1 1 99999999999999999999 -1 1 1 1 -1 1 -1 -1 -1", "requested time `9999"),
        ("1 0 0 9 1", "a line of 5 fields; a job has 18"),
    ] {
        let text = problem(&format!("{ok}{line}\n{ok}"));
        assert!(text.contains(expected) && text.contains("t.swf:2"), "{line} gives:\n{text}");
    }
    let told = problem(&format!("{ok}1 0 0  99999999999 1 -1 -1 1 9 -1 1 1 1 -1 1 -1 -1 -1"));
    assert!(
        told.contains("2 | 1 0 0  99999999999 1 -1") && told.contains("t.swf:2:8"),
        "as it stands: {told}"
    );
    assert!(problem("; MaxJobs: 0\n").contains("no job in `t.swf`"), "a header alone is no trace");
}

#[test]
fn words_are_counted_wherever_they_begin() {
    for text in [
        "",
        " ",
        "a",
        " a",
        "a b",
        "-1 -1 -1",
        "1234567 8",
        "12345678 9",
        " 12345678 é\t9 ",
        "12345678901234567",
    ] {
        for blanks in 0..9 {
            let text = format!("{:blanks$}{text}", "");
            assert_eq!(words(text.as_bytes()), text.split_whitespace().count(), "{text:?}");
        }
    }
}

#[test]
fn the_quick_and_the_careful_path_agree() {
    let lines = String::from_utf8_lossy(SAMPLE);
    let jobs = || lines.lines().filter(|line| !line.starts_with(';'));
    let quick_to_read = |line: &&str| quick(line.as_bytes(), &mut [7; FIELDS + 1]).is_some();
    assert_eq!(jobs().filter(|line| !quick_to_read(line)).count(), 1, "job 9 comes after job 5");
    for line in jobs().filter(quick_to_read) {
        let (mut quickly, mut carefully) = ([7; FIELDS + 1], [0; FIELDS + 1]);
        assert!(quick(line.as_bytes(), &mut quickly).is_some() && quickly[17] == 0, "{line} is plain");
        let options = Options::default();
        let right = careful(line.as_bytes(), &mut carefully, 1, &mut Intake::new("t.swf", &options));
        assert!(right && quickly[1..6] == carefully[1..6], "{line}");
        assert_eq!([8, 9, 11, 12].map(|i| quickly[i]), [8, 9, 11, 12].map(|i| carefully[i]), "{line}");
        assert!(quick(format!("0.5 {line}").as_bytes(), &mut quickly).is_none(), "{line} after a fraction");
    }
}

#[test]
fn fractions_tabs_and_missing_newlines_take_the_careful_path() {
    let text = b"7\t10.75 0 5.25 1 0.5 -1 1 9 -1 1 1 1 -1 1 -1 -1 -1\r\n8 20 0 5 1 -1 -1 1 9 -1 1 1 1 -1 1 -1 -1 -1 {3} q";
    let Trace { workload, notes, .. } = trace(text, &Options::default());
    let jobs: Vec<_> = workload.jobs.iter().map(|job| (job.submit_time.0, job.work_time.0)).collect();
    assert_eq!(jobs, [(10, 6), (20, 5)], "down and up");
    assert_eq!(
        notes.counted("time", "with a fraction of a second: submits rounded down, the others up"),
        2,
        "{notes}"
    );
}

#[test]
fn unix_submits_are_shifted_and_small_ones_kept() {
    let line = |submit: u64| format!("1 {submit} 0 9 1 -1 -1 1 9 -1 1 1 1 -1 1 -1 -1 -1\n");
    let first = |text: String| trace(text.as_bytes(), &Options::default()).workload;
    assert_eq!(first(line(295)).jobs[0].submit_time, Time(295), "kept");
    let unix = first(line(1_356_996_147));
    assert_eq!((unix.jobs[0].submit_time, unix.epoch), (Time(0), Some(1_356_996_147)), "shifted");
}

#[test]
fn equal_job_numbers_become_unique() {
    let line = b"7 0 0 9 1 -1 -1 1 9 -1 1 1 1 -1 1 -1 -1 -1\n".repeat(3);
    let Trace { workload, notes, .. } = trace(&line, &Options::default());
    let names: Vec<_> = (0..3).map(|job| workload.names.get(job).into_owned()).collect();
    assert_eq!(names, ["7", "7#2", "7#3"], "{notes}");
}

#[test]
fn a_job_that_comes_after_itself_comes_after_nobody() {
    let log = b"1 0 0 60 4 -1 -1 4 60 -1 1 1 1 -1 1 -1 1 5\n2 0 0 60 4 -1 -1 4 60 -1 1 1 1 -1 1 -1 1 5\n";
    let options = Options { think_time: true, ..Options::default() };
    let trace = read_bytes("t.swf", log, None, &options).unwrap();
    let edges: Vec<_> = trace.workload.dependencies.edges().map(|edge| (edge.0, edge.1)).collect();
    assert_eq!(edges, [(0, 1)], "the other one does");
    assert_eq!(trace.notes.counted("job", "after itself (field 17): after nobody"), 1, "{}", trace.notes);
}
