//! What the samples of formats that are descriptions of tables say, worked out by hand.

use super::Sample;
use gigawatt::trace::{Mapping, Options, TimeUnit, read_bytes};

/// A job: its submit, its work, and its GPUs in thousandths.
type Row = (u32, u32, u32);

const TABLES: &[(&str, &[Row])] = &[
    (
        "tiresias",
        &[
            (0, 1500, 1000),
            (40, 5400, 8000),
            (95, 621, 4000),
            (200, 86_400, 16_000),
            (230, 45, 1000),
            (300, 1800, 2000),
        ],
    ),
    (
        "muri",
        &[
            (0, 1470, 1000),
            (46, 1712, 8000),
            (201, 306, 4000),
            (260, 8, 2000),
            (300, 9800, 16_000),
            (420, 172, 1000),
        ],
    ),
    (
        "chronus",
        &[
            (5601, 96, 1000),
            (5660, 106, 8000),
            (5575, 26, 4000),
            (6000, 1440, 2000),
            (6100, 3, 0),
            (6200, 2880, 16_000),
        ],
    ),
    (
        "gaia",
        &[
            (0, 4500, 1000),
            (2077, 90_466, 1000),
            (8100, 558, 4000),
            (38_354, 51_490, 2000),
            (45_000, 30, 16_000),
            (108_000, 172_800, 8000),
        ],
    ),
    (
        "dlrm",
        &[
            (0, 9000, 1000),
            (0, 5000, 0),
            (300, 7695, 0),
            (600, 8328, 1000),
            (900, 8100, 1000),
            (1000, 542, 0),
        ],
    ),
    ("genai", &[(0, 32, 1000), (24, 44, 1000), (76, 36, 1000), (76, 120, 1000), (130, 9, 1000)]),
    (
        "acme",
        &[
            (0, 3600, 8000),
            (242, 43_200, 512_000),
            (302, 240, 1000),
            (362, 1800, 0),
            (422, 1800, 16_000),
            (482, 1, 32_000),
        ],
    ),
    ("batsim-jobs", &[(0, 600, 4000), (10, 1201, 32_000), (30, 600, 8000), (45, 90, 1000), (75, 300, 2000)]),
    (
        "gwf",
        &[
            (0, 3600, 8000),
            (60, 120, 1000),
            (100, 86_400, 64_000),
            (200, 600, 2000),
            (300, 1800, 16_000),
            (400, 45, 4000),
        ],
    ),
    (
        "gavel",
        &[
            (0, 6200, 2000),
            (60, 1900, 8000),
            (336, 7300, 1000),
            (475, 3600, 4000),
            (480, 900, 1000),
            (900, 15_000, 16_000),
            (1200, 500, 1000),
            (1500, 86_400, 4000),
        ],
    ),
    (
        "pai",
        &[
            (100, 1800, 500),
            (100, 1800, 0),
            (260, 600, 8000),
            (300, 3720, 1000),
            (420, 3600, 16_000),
            (500, 1, 1000),
        ],
    ),
    (
        "table",
        &[
            (0, 3600, 8000),
            (60, 90, 500),
            (120, 43_200, 16_000),
            (180, 300, 0),
            (240, 5400, 2000),
            (300, 2700, 1000),
            (420, 14_400, 4000),
        ],
    ),
];

fn rows(format: &str, bytes: &[u8], map: &Mapping) -> Vec<Row> {
    let options = Options { map, ..Options::default() };
    let trace = read_bytes("sample", bytes, Some(format), &options).unwrap_or_else(|error| panic!("{error}"));
    let workload = trace.workload;
    let gpus = |job: usize| workload.requests[workload.jobs[job].request as usize].gpus().milli();
    let row = |job: usize| (workload.jobs[job].submit_time.0, workload.jobs[job].work_time.0, gpus(job));
    (0..workload.jobs.len()).map(row).collect()
}

fn sample(format: &str) -> Vec<u8> {
    Sample::all().into_iter().find(|sample| sample.format == format && !sample.nodes).unwrap().bytes
}

#[test]
fn tables_say_what_their_descriptions_make_of_them() {
    for (format, expected) in TABLES {
        assert_eq!(rows(format, &sample(format), Mapping::NONE), *expected, "{format}");
    }
}

#[test]
fn tasks_of_pai_need_no_header_and_its_table_of_jobs_is_refused() {
    let text = String::from_utf8(sample("pai")).unwrap();
    let (header, headless) = text.split_once('\n').unwrap();
    assert!(header.starts_with("job_name"), "the sample has a header");
    let trace = read_bytes("pai_task_table.csv", headless.as_bytes(), None, &Options::default()).unwrap();
    assert_eq!((trace.format, trace.workload.len()), ("pai", 6), "{}", trace.notes);
    for jobs in ["job_name,inst_id,user,status,start_time,end_time\n", "", "\n"] {
        let jobs = format!("{jobs}j1,i1,u1,Terminated,100.0,200.0\n");
        let told = read_bytes("pai_job_table.csv", jobs.as_bytes(), None, &Options::default()).unwrap_err();
        assert!(told.to_string().contains("read pai_task_table.csv"), "{told}");
    }
}

#[test]
fn a_unit_of_the_user_counts_in_every_table() {
    let map = Mapping {
        units: vec![(gigawatt::trace::Key::WorkTime, TimeUnit::Millisecond)],
        ..Mapping::default()
    };
    let works: Vec<u32> = rows("gavel", &sample("gavel"), &map).iter().map(|row| row.1).collect();
    assert_eq!(works, [7, 2, 8, 4, 1, 15, 1, 87], "a step a millisecond");
    let map = Mapping { unit: Some(TimeUnit::Minute), ..Mapping::default() };
    assert_eq!(rows("chronus", &sample("chronus"), &map)[0], (336_060, 5760, 1000), "minutes");
    let options = Options { map: &map, ..Options::default() };
    let trace = read_bytes("s", &sample("swf"), None, &options).unwrap();
    assert!(trace.notes.to_string().contains("`map.unit` changes nothing"), "{}", trace.notes);
}
