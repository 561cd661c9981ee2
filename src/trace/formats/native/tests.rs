use super::*;
use crate::trace::{Moment, Options, Trace, read_bytes};
use crate::units::Time;

const SAMPLE: &[u8] = include_bytes!("../../../../workloads/sample.csv");
const SAMPLE_LINES: &[u8] = include_bytes!("../../../../workloads/sample.jsonl");

fn read(name: &str, text: &[u8]) -> Trace {
    read_bytes(name, text, None, &Options::default()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_column_is_numbered_as_it_stands() {
    assert_eq!(column(b"job_id"), Some(Column::JobId as usize), "the first");
    assert_eq!(column(b"epoch"), Some(Column::Epoch as usize), "the last");
}

#[test]
fn jobs_that_say_nothing_may_be_stopped_but_services() {
    // With and without a column that is about how they behave.
    for (more, values) in [("", ""), (",preemptible", ","), (",restart_time", ",60")] {
        let line = |kind: &str| format!("0,8,10,{kind}{values}\n");
        let text =
            format!("submit_time,gpus,work_time,kind{more}\n{}{}", line("eval"), line("inference-service"));
        let workload = read("a.csv", text.as_bytes()).workload;
        let stops = [0, 1].map(|job| workload.behaviour_of(job).preemptible);
        assert_eq!(stops, [true, false], "{text}");
    }
    let text = "submit_time,gpus,work_time,kind,preemptible\n0,8,10,eval,no\n0,8,10,inference-service,yes\n";
    let workload = read("a.csv", text.as_bytes()).workload;
    assert_eq!([0, 1].map(|job| workload.behaviour_of(job).preemptible), [false, true], "as they say");
}

#[test]
fn recorded_starts_move_with_the_window_and_say_nothing_of_a_scaled_load() {
    let text = b"gpus,submit_time,work_time,recorded_start_time,outcome,cancel_time\n\
        1,100,5,130,,\n1,200,5,,,\n1,300,5,300,,\n1,310,5,,cancelled,400\n";
    let read = |options: Options<'_>| read_bytes("t.csv", text, None, &options).unwrap();
    let starts =
        |trace: &Trace| trace.workload.recorded_starts.iter().map(|start| start.0).collect::<Vec<_>>();
    const NEVER: u32 = u32::MAX;
    assert_eq!(starts(&read(Options::default())), [130, NEVER, 300, NEVER], "as told");
    let from = |second: u32| Options { from: Some(Moment::Seconds(second)), ..Options::default() };
    assert_eq!(starts(&read(from(50))), [80, NEVER, 250, NEVER], "counted from the window's start");
    assert_eq!(starts(&read(from(150))), [NEVER, 150, NEVER], "without the job before it");
    assert!(starts(&read(from(305))).is_empty(), "no job left that has one");
    let scaled = read(Options { scale_load: 2.0, ..Options::default() });
    assert!(starts(&scaled).is_empty(), "not comparable");
    assert_eq!(scaled.notes.counted("recorded start", "left out: the load is scaled"), 2, "{}", scaled.notes);
    for (cells, wrong) in [("99,,", "a time not before `submit_time`"), ("x,,", "seconds")] {
        let text =
            format!("gpus,submit_time,work_time,recorded_start_time,elapsed_time,outcome\n1,100,5,{cells}\n");
        let told = read_bytes("t.csv", text.as_bytes(), None, &Options::default()).unwrap_err().to_string();
        assert!(told.contains("recorded_start_time") && told.contains(wrong), "{told}");
    }
}

#[test]
fn a_line_says_all_that_a_job_can_be() {
    let Trace { workload, notes, format } = read("sample.csv", SAMPLE);
    assert_eq!(format, "csv", "recognised");
    let job = |name: &str| (0..workload.len()).find(|job| workload.names.get(*job as usize) == name).unwrap();
    let pretrain = job("pretrain");
    assert_eq!(workload.request_of(pretrain).shape, Shape::Pods { count: 16, gpus_milli_each: 4000 }, "pods");
    assert_eq!(workload.request_of(pretrain).topology, Topology::RequireRack, "topology");
    assert_eq!(workload.request_of(pretrain).segment, 4, "segment");
    let behaviour = workload.behaviour_of(pretrain);
    assert_eq!((behaviour.kind, behaviour.preemptible), (JobKind::Pretrain, true), "behaviour");
    assert_eq!(behaviour.checkpoint_interval, Seconds(1800), "checkpoints");
    let edges: Vec<_> = workload.dependencies.edges().collect();
    assert_eq!(
        edges,
        [(pretrain, job("eval-1"), Seconds(60)), (pretrain, job("eval-2"), Seconds(60))],
        "after"
    );
    assert_eq!(workload.graphs[0].jobs, [pretrain, job("eval-1"), job("eval-2")], "graph");
    let request = workload.request_of(job("eval-1"));
    assert_eq!((request.cpu_milli, request.memory_mib), (3500, 16_384), "host resources");
    assert_eq!(request.gpus(), Gpus::from_milli(500), "a share");
    assert!(workload.jobs[job("eval-2") as usize].fails, "outcome");
    assert_eq!(workload.jobs[job("given-up") as usize].cancel_time, Time(900), "cancel_time");
    let serving = &workload.running[0];
    assert_eq!((serving.job, serving.nodes.as_slice()), (job("serving"), [3, 4, 5, 9].as_slice()), "running");
    let serving = &workload.jobs[serving.job as usize];
    assert_eq!((serving.submit_time, serving.work_time), (Time(0), Seconds(82_800)), "what is left");
    assert_eq!(workload.partitions, ["all", "reserved"], "partition");
    assert!(
        notes.lines().contains(&"3 jobs without an estimate: requested_time = work_time".to_owned()),
        "{notes}"
    );
}

#[test]
fn a_wish_may_name_a_level_and_is_written_as_it_was_read() {
    let text = b"submit_time,gpus,work_time,topology\n0,16,10,require-row\n0,16,10,prefer-block\n0,16,10,require-row\n";
    let workload = read("a.csv", text).workload;
    assert_eq!(workload.levels, ["row", "block"], "as they come");
    let wishes = [0, 1, 2].map(|job| workload.request_of(job).topology);
    assert_eq!(
        wishes,
        [Topology::RequireLevel(0), Topology::PreferLevel(1), Topology::RequireLevel(0)],
        "by their index"
    );
    let from = Options { from: Some(Moment::Seconds(1)), ..Options::default() };
    let late = b"submit_time,gpus,work_time,topology\n0,16,10,require-row\n5,16,10,prefer-block\n";
    let rest = read_bytes("a.csv", late, None, &from).unwrap().workload;
    assert_eq!(rest.levels, ["block"], "those that no job is left to name are gone");
    assert_eq!(rest.request_of(0).topology, Topology::PreferLevel(0), "under its new index");
}

#[test]
fn both_formats_say_the_same() {
    let (csv, jsonl) = (read("sample.csv", SAMPLE), read("sample.jsonl", SAMPLE_LINES));
    assert_eq!(jsonl.format, "jsonl", "recognised");
    assert_eq!(csv.workload, jsonl.workload, "the same jobs");
    let planted = String::from_utf8_lossy(SAMPLE_LINES).replace("7200", "7201");
    assert_ne!(
        csv.workload,
        read("planted.jsonl", planted.as_bytes()).workload,
        "a planted difference shows"
    );
}

#[test]
fn the_table_of_a_run_is_read_back_with_its_ids() {
    let text = b"job_id,tenant,kind,gpus,submit_time,eligible_time,start_time,finish_time,wait_time,run_time,attempts,platform,racks,nodes,energy_j,outcome\n\
            a#1,meta,eval,8,0,0,5,65,5,60,1,h100,0,3-4,100,completed\n\
            b,meta,other,0.5,10,10,10,40,0,30,1,h100,0,3,100,failed\n\
            c,openai,other,8,20,20,,620,600,,0,,,,,cancelled\n\
            d,openai,other,8,30,30,,,600,,0,,,,,unfinished\n";
    let Trace { workload, notes, .. } = read("jobs.csv", text);
    let names: Vec<_> = (0..3).map(|job| workload.names.get(job).into_owned()).collect();
    assert_eq!(names, ["a#1", "b", "c"], "ids");
    assert_eq!(workload.jobs[0].work_time, Seconds(60), "run_time");
    assert!(workload.jobs[1].fails && workload.running.is_empty(), "outcome, and no running job");
    assert_eq!(workload.jobs[2].cancel_time, Time(620), "withdrawn when it was");
    assert_eq!(notes.counted("job", "that never ran, of unknown work: dropped"), 1, "{notes}");
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let ok = "0,1,10";
    for (header, line, expected) in [
        ("", "x,1,10", "submit_time `x`"),
        ("", ",1,10", "no submit_time"),
        ("", "0,1,", "no work_time"),
        ("", "0,1.5,10", "gpus `1.5`"),
        ("", "0,-1,10", "gpus `-1`"),
        ("", "0,4294968,10", "gpus `4294968`"),
        ("", "0,1,4294967295", "work_time `4294967295`"),
        (",kind", "0,1,10,evall", "unknown kind `evall`"),
        (",pods", "0,7,10,2", "pods `2`"),
        (",pod_gpus", "0,8,10,3", "pod_gpus `3`"),
        (",pod_gpus", "0,8,10,0", "pod_gpus `0`"),
        (",priority", "0,8,10,high", "priority `high`"),
        (",topology", "0,8,10,rack", "topology `rack`"),
        (",preemptible", "0,8,10,maybe", "preemptible `maybe`"),
        (",outcome", "0,8,10,done", "outcome `done`"),
        (",cancel_time", "50,8,10,40", "cancel_time `40`"),
        (",nodes,elapsed_time", "0,8,10,5-3,1", "nodes `5-3`"),
        (",after", "0,8,10,ghost", "a job waits for `ghost`"),
    ] {
        let commas = ",".repeat(header.matches(',').count());
        let text = format!("submit_time,gpus,work_time{header}\n{ok}{commas}\n{line}\n");
        let told = match read_bytes("n.csv", text.as_bytes(), None, &Options::default()) {
            Ok(_) => panic!("{line} is read"),
            Err(error) => error.to_string(),
        };
        assert!(told.contains(expected) && told.contains("n.csv:3"), "{line} gives:\n{told}");
    }
}

#[test]
fn rings_and_ambiguous_ids_are_told_by_name() {
    let told = |rows: &str| {
        let text = format!("job_id,submit_time,gpus,work_time,after\n{rows}");
        read_bytes("n.csv", text.as_bytes(), None, &Options::default()).unwrap_err().to_string()
    };
    assert!(told("a,0,1,1,b\nb,0,1,1,a\n").contains("in a ring: `a` -> `b` -> `a`"), "a ring");
    assert!(told("a,0,1,1,\na,0,1,1,\nb,0,1,1,a\n").contains("`a` is the id of several jobs"), "twice");
}

#[test]
fn mixed_clocks_are_refused_and_dates_shifted() {
    let text = "submit_time,gpus,work_time\n2026-01-01T00:00:10Z,1,1\n2026-01-01T01:00:00+01:00,1,1\n";
    let workload = read("n.csv", text.as_bytes()).workload;
    assert_eq!((workload.jobs[0].submit_time, workload.epoch), (Time(10), Some(1_767_225_600)), "shifted");
    let mixed = format!("{text}5,1,1\n");
    let told = read_bytes("n.csv", mixed.as_bytes(), None, &Options::default()).unwrap_err().to_string();
    assert!(told.contains("some times are dates"), "{told}");
}
