use crate::trace::{GpusFrom, Mapping, Meaning, Options, StateWord, Trace, read_bytes};
use crate::units::{Gpus, Seconds, Time};
use crate::workload::Shape;

const SAMPLE: &[u8] = include_bytes!("../../../../workloads/sample-sacct.txt");

#[test]
fn accounting_becomes_jobs() {
    let Trace { workload, notes, format } = read_bytes("s.txt", SAMPLE, None, &Options::default()).unwrap();
    assert_eq!(format, "sacct", "recognised");
    let names: Vec<_> = (0..workload.jobs.len()).map(|i| workload.names.get(i).into_owned()).collect();
    assert_eq!(names, ["1001", "1002", "1003_1", "1003_2", "1004", "1006+0", "1008", "1009"], "{notes}");
    let times: Vec<_> =
        workload.jobs.iter().map(|job| (job.submit_time.0, job.work_time.0, job.requested_time.0)).collect();
    assert_eq!(
        times,
        [
            (0, 3600, 7200),
            (60, 90_061, 90_061),
            (120, 600, 3600),
            (120, 600, 3600),
            (300, 43_200, 43_200),
            (400, 60, 3600),
            (500, 7200, 86_400),
            (700, 30, 600)
        ],
        "submit, work, requested"
    );
    assert_eq!(workload.jobs[4].cancel_time, Time(900), "withdrawn after 600 s");
    assert!(workload.jobs[5].fails, "OUT_OF_MEMORY");
    assert_eq!(
        workload.request_of(0).shape,
        Shape::Pods { count: 2, gpus_milli_each: 8000 },
        "two nodes of 8"
    );
    assert_eq!(workload.request_of(2).gpus(), Gpus::ONE, "gres/gpu=1");
    assert_eq!(workload.request_of(0).memory_mib, 1_048_576, "2 TiB on two nodes");
    assert_eq!(workload.request_of(7).shape, Shape::Pods { count: 4, gpus_milli_each: 0 }, "CPUs only");
    assert_eq!(workload.partitions, ["all", "gpu", "cpu"], "the first of several");
    assert_eq!(workload.tenants[0].name, "meta", "the account");
    for line in [
        "1 job step dropped: the job itself is read",
        "1 job still pending when the trace was taken: dropped",
        "1 job that never started, and left as they came or when is not told: dropped",
    ] {
        assert!(notes.lines().iter().any(|note| note == line), "{line} is missing in:\n{notes}");
    }
}

const HEAD: &str = "JobID|State|Submit|Start|End|ElapsedRaw|ReqTRES|AllocTRES|NNodes|ReqGRES\n";

fn read(lines: &str) -> Trace {
    let text = format!("{HEAD}{lines}");
    read_bytes("s.txt", text.as_bytes(), None, &Options::default()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_start_that_slurm_made_up_is_no_start() {
    for (state, kept) in [
        ("CANCELLED by 7", true),
        ("DEADLINE", true),
        ("FAILED", true),
        ("REVOKED", true),
        ("NODE_FAIL", true),
        ("node_fail", true),
        ("PENDING", false),
    ] {
        let line = format!(
            "1|{state}|2026-01-01T00:01:00|2026-01-01T05:00:00|2026-01-01T05:00:00|0|gres/gpu=64||8|\n\
                 2|COMPLETED|2026-01-01T00:01:00|2026-01-01T05:00:00|2026-01-01T05:00:00|0|gres/gpu=8|gres/gpu=8|1|\n"
        );
        let Trace { workload, notes, .. } = read(&line);
        assert_eq!(workload.len(), 1 + u32::from(kept), "{state}: {notes}");
        let first = workload.jobs[0];
        assert_eq!(first.cancel_time, if kept { Time(17_940) } else { Time::NEVER }, "{state}: {notes}");
        assert!(!first.fails, "{state}: what never ran cannot fail");
    }
    let given = "1|CANCELLED|2026-01-01T00:01:00|2026-01-01T05:00:00|2026-01-01T05:00:00|0|gres/gpu=64|gres/gpu=64|8|\n";
    let workload = read(given).workload;
    assert_eq!((workload.jobs[0].cancel_time, workload.jobs[0].work_time.0), (Time::NEVER, 1), "it had GPUs");
}

/// Two jobs, of which the second was withdrawn after ten minutes.
fn two(text: &str, options: &Options<'_>) -> Trace {
    let trace = read_bytes("s.txt", text.as_bytes(), None, options).unwrap_or_else(|e| panic!("{text}\n{e}"));
    let jobs: Vec<_> = trace.workload.jobs.iter().map(|job| (job.submit_time.0, job.work_time.0)).collect();
    assert_eq!((trace.format, jobs), ("sacct", vec![(0, 60), (60, 1)]), "{text}\n{}", trace.notes);
    assert_eq!(trace.workload.jobs[1].cancel_time, Time(660), "{text}");
    trace
}

const TABLE: &str = "JobID|JobName|State|Submit|Start|End|ElapsedRaw|ReqTRES|AllocTRES\n\
        1|a|COMPLETED|2026-01-01T00:00:00|2026-01-01T00:01:00|2026-01-01T00:02:00|60|gres/gpu=1|gres/gpu=1\n\
        2|b|CANCELLED by 7|2026-01-01T00:01:00|Unknown|2026-01-01T00:11:00|0|gres/gpu=1|\n";

#[test]
fn tables_are_read_as_they_come() {
    let plain = Options::default();
    two(TABLE, &plain);
    for delimiter in [",", "\t", ";"] {
        two(&TABLE.replace('|', delimiter), &plain);
    }
    let lines: Vec<Vec<&str>> = TABLE.lines().map(|line| line.split('|').collect()).collect();
    let padded = |cells: &[&str]| cells.iter().map(|cell| format!("{cell:>20} ")).collect::<String>() + "\n";
    let dashes = format!("{} ", "-".repeat(20)).repeat(9) + "\n";
    two(&[padded(&lines[0]), dashes, padded(&lines[1]), padded(&lines[2])].concat(), &plain);
    let (header, rows) = TABLE.split_once('\n').unwrap();
    let trace = two(&format!("{TABLE}{header}\n"), &plain);
    assert_eq!(trace.notes.counted("line", "that repeats the header: passed over"), 1, "joined dumps");
    let guessed = two(rows, &plain).notes.to_string();
    assert!(guessed.contains("JobID,?,State,Submit,Start,End,ElapsedRaw,ReqTRES,AllocTRES"), "{guessed}");
    let columns = header.split('|').map(str::to_owned).collect();
    let map = Mapping { columns, ..Mapping::default() };
    two(rows, &Options { map: &map, ..plain });
    let utf_16: Vec<u8> =
        std::iter::once(0xfeff).chain(TABLE.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    assert_eq!(read_bytes("s.txt", &utf_16, None, &plain).unwrap().workload.len(), 2, "UTF-16");
    let utf_16: Vec<u8> =
        std::iter::once(0xfeff).chain(TABLE.encode_utf16()).flat_map(u16::to_be_bytes).collect();
    assert_eq!(read_bytes("s.txt", &utf_16, None, &plain).unwrap().workload.len(), 2, "the other UTF-16");
}

#[test]
fn free_text_is_put_together_where_that_is_certain() {
    let plain = Options::default();
    for name in ["\"big", "x|y", "x|COMPLETED|y", "x\ny", "x|y\nz|", "|"] {
        two(&TABLE.replace("1|a|", &format!("1|{name}|")), &plain);
    }
    // Two columns of free text side by side leave two ways.
    let twice =
        TABLE.replace("|JobName|", "|JobName|Comment|").replace("1|a|", "1|a|b|c|").replace("2|b|", "2|b||");
    let told = read_bytes("s.txt", twice.as_bytes(), None, &plain).unwrap_err().to_string();
    assert!(told.contains("leave out free-text columns"), "{told}");
    let options = Options { skip_bad_lines: true, ..plain };
    let Trace { workload, notes, .. } = read_bytes("s.txt", twice.as_bytes(), None, &options).unwrap();
    assert_eq!(workload.len(), 1, "{notes}");
    let notes = notes.to_string();
    assert!(
        notes.contains("1 line that cannot be read: left out") && notes.contains("s.txt:2: a line of"),
        "{notes}"
    );
}

#[test]
fn what_was_given_is_told_beside_what_was_asked_for() {
    let line = |id: u32, asked: &str, held: &str| {
        format!(
            "{id}|COMPLETED|2026-01-01T00:00:00|2026-01-01T00:0{id}:00|2026-01-01T01:00:00|60|{asked}|{held}|1|\n"
        )
    };
    let text =
        format!("{HEAD}{}{}", line(1, "gres/gpu=4", "gres/gpu=8"), line(3, "gres/gpu=2", "gres/gpu=2"));
    for (gpus_from, first, word) in
        [(GpusFrom::Requested, 4, "requested"), (GpusFrom::Allocated, 8, "allocated")]
    {
        let map = Mapping { gpus_from, ..Mapping::default() };
        let options = Options { map: &map, ..Options::default() };
        let Trace { workload, notes, .. } = read_bytes("s.txt", text.as_bytes(), None, &options).unwrap();
        assert_eq!([0, 1].map(|job| workload.request_of(job).gpus().ceil()), [first, 2], "{word}");
        let notes = notes.to_string();
        let differ =
            "1 of 2 jobs were given another number of GPUs than they asked for, 10 instead of 6 in all";
        assert!(notes.contains(differ) && notes.contains(word), "{notes}");
        assert_eq!(
            [0, 1].map(|job| workload.recorded_wait(job)),
            [60, 180].map(|s| Some(Seconds(s))),
            "{word}"
        );
    }
}

#[test]
fn words_of_a_site_are_mapped() {
    let map = Mapping {
        states: vec![StateWord { word: "Done".to_owned(), meaning: Meaning::Completed }],
        ..Mapping::default()
    };
    let text = b"JobID|State|Submit|ElapsedRaw\n1|DONE|2026-01-01T00:00:00|5\n";
    let told = read_bytes("s.txt", text, None, &Options::default()).unwrap_err().to_string();
    assert!(told.contains("State `DONE`") && told.contains("map = { states ="), "{told}");
    let trace = read_bytes("s.txt", text, None, &Options { map: &map, ..Options::default() }).unwrap();
    assert_eq!(trace.workload.len(), 1, "mapped");
    assert!(trace.notes.to_string().contains("no GPUs are asked for anywhere"), "{}", trace.notes);
}

#[test]
fn what_is_not_understood_is_counted_and_said() {
    let line = |id: &str, requested: &str, gres: &str| {
        format!("{id}|COMPLETED|2026-01-01T00:00:00|||60|{requested}||2|{gres}\n")
    };
    let text = [
        line("1", "cpu=8,gres/gpu:a100_1g.5gb=1", ""),
        line("2", "cpu=8,gres/mps=50", ""),
        line("3", "cpu=8,gres/shard=4", ""),
        line("4", "cpu=8,gres/nvme=1", "gpu:4"),
        line("5", "cpu=8", "PER_NODE:gpu:4"),
        line("6", "", "gres:gpu:8"),
        line("9_[1-3%2]", "gres/gpu=1", ""),
    ];
    let Trace { workload, notes, .. } = read(&text.concat());
    let gpus: Vec<_> = (0..9).map(|job| workload.request_of(job).gpus()).collect();
    let milli = [142, 500, 1000, 8000, 8000, 16_000, 1000, 1000, 1000];
    assert_eq!(gpus, milli.map(Gpus::from_milli), "{notes}");
    assert_eq!(workload.names.get(8), "9_3", "an array in one line");
    for note in [
        "1 request for MIG slices: read as their sevenths",
        "1 request for a share of a GPU (`gres/mps`)",
        "1 request for shards of a GPU (`gres/shard`)",
        "1 request for `gres/nvme`: not read",
        "3 jobs of arrays that are told in one line",
        "1 array with a limit to how many run at once (`%`): not kept",
    ] {
        assert!(notes.lines().iter().any(|line| line.starts_with(note)), "{note} is missing in:\n{notes}");
    }
}

#[test]
fn columns_may_come_in_any_order_and_be_few() {
    let text = b"State|Elapsed|Submit|JobID|AllocTRES\nCOMPLETED|1-02:00:01|2026-01-01T00:00:00|7|gres/gpu:h100=4,gres/gpu:a100=2\n";
    let workload = read_bytes("s.txt", text, None, &Options::default()).unwrap().workload;
    assert_eq!(workload.jobs[0].work_time.0, 93_601, "a day, two hours and a second");
    assert_eq!(workload.request_of(0).gpus(), Gpus::whole(6), "types add up");
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    for (line, expected) in [
        ("7|DONE|2026-01-01T00:00:00|5|60|", "State `DONE`"),
        ("7|COMPLETED|Unknown|5|60|", "Submit `Unknown`"),
        ("7|COMPLETED|2026-01-01T00:00:00|five|60|", "ElapsedRaw `five`"),
        ("7|COMPLETED|2026-01-01T00:00:00|4294967295|60|", "ElapsedRaw `4294967295`"),
        ("7|COMPLETED|2026-01-01T00:00:00|5|sixty|", "TimelimitRaw `sixty`"),
        ("7|COMPLETED|2026-01-01T00:00:00|5|60|gres/gpu=many", "ReqTRES `gres/gpu=many`"),
        ("7|COMPLETED", "a line of 2 fields; the header has 6"),
    ] {
        let text = format!("JobIDRaw|State|Submit|ElapsedRaw|TimelimitRaw|ReqTRES\n{line}\n");
        let told = read_bytes("s.txt", text.as_bytes(), None, &Options::default()).unwrap_err().to_string();
        assert!(told.contains(expected) && told.contains("s.txt:2"), "{line} gives:\n{told}");
    }
    let told =
        read_bytes("s.txt", b"JobID|Submit|State\n", None, &Options::default()).unwrap_err().to_string();
    assert!(told.contains("no column `ElapsedRaw`"), "{told}");
}

#[test]
fn lists_between_commas_are_put_together_where_one_way_fits() {
    let header = "JobID,JobName,Account,Submit,Start,End,ElapsedRaw,State,ReqTRES,AllocTRES\n";
    let times = "2026-01-01T00:00:00,2026-01-01T00:10:00,2026-01-01T01:10:00,3600,COMPLETED";
    let lists = "cpu=8,gres/gpu=4,mem=64G,node=1,billing=8,cpu=8,gres/gpu=4,mem=64G,node=1";
    let text = format!("{header}1,train,a,{times},{lists}\n2,odd, name,a,{times},{lists}\n");
    let trace = read_bytes("d.csv", text.as_bytes(), None, &Options::default()).unwrap();
    let gpus: Vec<_> = (0..2).map(|job| trace.workload.request_of(job).gpus()).collect();
    assert_eq!(gpus, [Gpus::whole(4); 2], "{}", trace.notes);
    let text = format!("{header}1,train,a,{times},cpu=8,mem=1G,x\n");
    let told = read_bytes("d.csv", text.as_bytes(), None, &Options::default()).unwrap_err().to_string();
    assert!(told.contains("print it with `sacct --parsable2`"), "{told}");
}

#[test]
fn what_a_narrow_column_cut_off_is_refused_or_said() {
    let dump = |id: &str, account: &str, list: &str| {
        format!(
            "{:<12} {:<10} {:<19} {:<19} {:<19} {:<10} {:<10}\n{}\n{id:<12} {account:<10} 2026-01-01T00:00:00 \
             2026-01-01T00:10:00 2026-01-01T01:10:00 COMPLETED  {list}\n",
            "JobID",
            "Account",
            "Submit",
            "Start",
            "End",
            "State",
            "ReqTRES",
            [12, 10, 19, 19, 19, 10, 10].map(|width| "-".repeat(width)).join(" ")
        )
    };
    let read = |text: &str| read_bytes("d.txt", text.as_bytes(), None, &Options::default());
    for (id, list) in [("1", "cpu=8,gre+"), ("1", "billing=8+"), ("123456789_1+", "gres/gpu=4")] {
        let told = read(&dump(id, "physics", list)).unwrap_err().to_string();
        assert!(told.contains("hint: a narrow column cut it off: print with `--parsable2` (`-P`)"), "{told}");
    }
    let trace = read(&dump("1", "physics-l+", "gres/gpu=4")).unwrap();
    let cut = "whose Account a narrow column cut off: those that begin alike are one";
    assert_eq!(trace.notes.counted("job", cut), 1, "{}", trace.notes);
    assert_eq!(read(&dump("1", "physics", "gres/gpu=4")).unwrap().notes.counted("job", cut), 0, "whole");
}

#[test]
fn times_that_go_backwards_and_gpus_by_task_are_said() {
    let text = "JobID|Submit|Start|End|ElapsedRaw|State|ReqTRES|TresPerNode\n\
        1|2026-01-01T00:10:00|2026-01-01T00:00:00|2026-01-01T00:30:00|1800|COMPLETED|gres/gpu:zz9=2|\n\
        2|2026-01-01T00:10:00|2026-01-01T00:20:00|2026-01-01T00:15:00|300|COMPLETED||PER_TASK:gpu:4\n";
    let known = |_: &str| None;
    let options = Options { platform: Some(&known), ..Options::default() };
    let notes = read_bytes("d.txt", text.as_bytes(), None, &options).unwrap().notes;
    for (noun, what) in [
        ("job", "that started before it was submitted: no wait"),
        ("job", "that ended before it started: the difference tells no length"),
        ("request", "for the unknown platform `zz9`: left out"),
        (
            "request",
            "for GPUs by task or socket (`PER_TASK`, `PER_SOCKET`), whose number is not told: read as one a node",
        ),
    ] {
        assert_eq!(notes.counted(noun, what), 1, "{what} is missing in\n{notes}");
    }
    let notes = read_bytes("d.txt", text.as_bytes(), None, &Options::default()).unwrap().notes;
    assert_eq!(
        notes.counted("request", "for the platform `zz9`: left out, none is known without a cluster"),
        1,
        "{notes}"
    );
}
