//! Start and finish of every job equal what other simulators recorded on the same input.
//!
//! The recordings lie outside the repository, where the variable `GIGAWATT_SHARED` points; without it every test here
//! says that it is skipped. Each comparison is then repeated with one planted difference, which it must report.

#[expect(dead_code, reason = "every test uses its part of what they share")]
mod support;

use gigawatt::history::Plan;
use gigawatt::simulation::{Control, simulate};
use gigawatt::units::{Gpus, Seconds};
use gigawatt::workload::Behaviour;
use std::collections::BTreeMap;
use support::naive;
use support::recorded::{self, Row, columns, differences, number, plan, rows, swf};
use support::schedule::{self, Line};

/// Something that schedules.
struct Subject {
    name: &'static str,
    run: fn(&Plan) -> Vec<Row>,
}

const SUBJECTS: &[Subject] = &[
    Subject { name: "the engine", run: run_engine },
    Subject { name: "the naive reference", run: run_naive },
];

fn run_engine(plan: &Plan) -> Vec<Row> {
    rows_of(plan, &schedule::of_history(&simulate(plan.clone(), &mut Control::default())))
}

fn run_naive(plan: &Plan) -> Vec<Row> {
    rows_of(plan, &schedule::of_run(&naive::simulate(plan)))
}

fn rows_of(plan: &Plan, lines: &[Line]) -> Vec<Row> {
    let row = |(index, line): (usize, &Line)| Row {
        id: plan.workload.names.get(index).into_owned(),
        start: line.attempts.first().map_or(u32::MAX, |attempt| attempt.from),
        end: line.finish,
        nodes: line.attempts.first().map(|attempt| nodes(&attempt.held)),
    };
    lines.iter().enumerate().map(row).collect()
}

/// `node:gpu-gpu;…`, nodes ascending.
fn nodes(held: &[(u32, u32, u32)]) -> String {
    let mut by_node: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for (node, gpu, _) in held {
        by_node.entry(*node).or_default().push(gpu.to_string());
    }
    let text = by_node.iter().map(|(node, gpus)| format!("{node}:{}", gpus.join("-")));
    text.collect::<Vec<_>>().join(";")
}

fn compare(what: &str, plan: &Plan, recorded: &[Row]) {
    assert!(!recorded.is_empty(), "{what}: nothing was recorded");
    for subject in SUBJECTS {
        let got = (subject.run)(plan);
        let found = differences(recorded, &got);
        let shown = found.iter().take(5).cloned().collect::<Vec<_>>().join("\n");
        assert!(found.is_empty(), "{what}, {}: {} jobs differ:\n{shown}", subject.name, found.len());

        let mut planted = recorded.to_vec();
        let middle = planted.len() / 2;
        planted[middle].end += 1;
        assert_eq!(differences(&planted, &got).len(), 1, "{what}: a planted second is reported");
        if planted[middle].nodes.is_some() {
            planted[middle] = Row { nodes: Some("no:such-node".to_owned()), ..recorded[middle].clone() };
            assert_eq!(differences(&planted, &got).len(), 1, "{what}: a planted node is reported");
        }
        planted.pop();
        planted[middle] = recorded[middle].clone();
        assert_eq!(differences(&planted, &got).len(), 1, "{what}: a missing job is reported");
    }
}

fn batch(input: &str, nodes: u32, suffix: &str, order: &str, backfill: &str) {
    if recorded::folder().is_none() {
        return;
    }
    let workload = swf(&format!("batch/{input}.swf.zst"));
    let name = format!("batch/{input}-{suffix}.csv.zst");
    compare(&name, &plan(workload, nodes, 1, [order, backfill, "first-fit"]), &rows(&name));
}

/// Input and number of nodes.
const BATCH: [(&str, u32); 5] =
    [("synth1k", 256), ("synth10k", 256), ("synth10k-l35", 256), ("nasa-ipsc", 128), ("jann-ctc", 322)];

#[test]
fn first_come_first_served_equals_batsim_and_accasim() {
    for (input, nodes) in BATCH {
        batch(input, nodes, "fcfs", "fifo", "none");
    }
}

#[test]
fn easy_equals_the_textbook_on_synthetic_jobs() {
    for (input, nodes) in &BATCH[..3] {
        batch(input, *nodes, "easy", "fifo", "easy");
    }
}

#[test]
fn easy_equals_the_textbook_on_a_real_log() {
    let (input, nodes) = BATCH[3];
    batch(input, nodes, "easy", "fifo", "easy");
}

#[test]
fn easy_equals_the_textbook_on_a_published_model() {
    let (input, nodes) = BATCH[4];
    batch(input, nodes, "easy", "fifo", "easy");
}

#[test]
fn easy_without_extra_nodes_equals_the_textbook() {
    for (input, nodes) in &BATCH[..2] {
        batch(input, *nodes, "easy-strict", "fifo", "easy-strict");
    }
}

#[test]
fn easy_that_pins_nodes_equals_batsched() {
    for (input, nodes) in &BATCH[..3] {
        batch(input, *nodes, "batsched-easy-bf", "fifo", "easy-pinned");
    }
}

#[test]
fn easy_that_freezes_a_shadow_equals_batsched() {
    let (input, nodes) = BATCH[1];
    batch(input, nodes, "batsched-easy-bf-fast", "fifo", "easy-frozen");
}

#[test]
fn skipping_what_does_not_fit_equals_the_textbook() {
    for (input, nodes) in &BATCH[..2] {
        batch(input, *nodes, "firstfit", "fifo", "skip");
    }
}

#[test]
fn shortest_job_first_equals_the_textbook() {
    for (input, nodes) in &BATCH[..2] {
        batch(input, *nodes, "sjf", "sjf", "none");
    }
}

#[test]
fn conservative_backfill_equals_batsched() {
    batch("synth10k-l35", 256, "conservative", "fifo", "conservative");
}

/// A job of Lucid's simulator: name, GPUs, submit, work.
type LucidJob = (String, u32, u32, u32);

/// What Lucid's simulator recorded under a policy: the jobs, and when and where each ran.
fn lucid_recording(policy: &str) -> (Vec<LucidJob>, Vec<Row>) {
    // The jobs in the simulator's input order, with submit times in seconds, stand in the recording itself.
    let name = format!("lucid/phillysynth-{policy}.csv.zst");
    let mut jobs = columns(&name, ["order", "job_id", "gpu_num", "submit", "duration"]);
    jobs.sort_by_key(|job| number(&job[0]));
    let input = columns("lucid/phillysynth-jobs.csv", ["job_id"]);
    assert!(jobs.iter().map(|job| &job[1]).eq(input.iter().map(|job| &job[0])), "the input's order");
    let job = |[_, id, gpus, submit, work]: [String; 5]| (id, number(&gpus), number(&submit), number(&work));
    let mut recorded = columns(&name, ["order", "job_id", "start", "end", "nodes"]);
    recorded.sort_by_key(|row| number(&row[0]));
    let row = |[_, id, start, end, nodes]: [String; 5]| {
        let mut nodes: Vec<&str> = nodes.split(';').collect();
        nodes.sort_by_key(|node| number(node.split(':').next().expect("a node has a number")));
        Row { id, start: number(&start), end: number(&end), nodes: Some(nodes.join(";")) }
    };
    (jobs.into_iter().map(job).collect(), recorded.into_iter().map(row).collect())
}

/// The plan of jobs on the simulator's nodes, each with what it requests.
fn lucid_plan(jobs: Vec<LucidJob>, requested: impl Fn(&str, u32) -> u32, policy: [&str; 2]) -> Plan {
    let job = |(id, gpus, submit, work): LucidJob| {
        let requested = requested(&id, work);
        (id, gpus, submit, work, requested)
    };
    let [order, backfill] = policy;
    plan(recorded::workload(jobs.into_iter().map(job)), 16, 8, [order, backfill, "consolidate"])
}

fn lucid(order: &str) {
    if recorded::folder().is_some() {
        let (jobs, recorded) = lucid_recording(order);
        compare(&format!("lucid {order}"), &lucid_plan(jobs, |_, work| work, [order, "none"]), &recorded);
    }
}

#[test]
fn quasi_shortest_service_first_equals_lucid_down_to_the_gpu() {
    if recorded::folder().is_none() {
        return;
    }
    let predicted: BTreeMap<String, u32> = columns("lucid/phillysynth-prio.csv", ["job_id", "priority"])
        .into_iter()
        .map(|[id, predicted]| (id, number(&predicted)))
        .collect();
    let (jobs, recorded) = lucid_recording("qssf");
    // The simulator looks at its queue every second.
    let mut plan = lucid_plan(jobs, |id, _| predicted[id], ["qssf-lucid", "none"]);
    plan.settings.cycle = Some(1);
    compare("lucid qssf", &plan, &recorded);
}

fn preemptive_lucid(policy: &str, order: &str, cycle: u32) {
    if recorded::folder().is_none() {
        return;
    }
    let (mut jobs, mut recorded) = lucid_recording(policy);
    // The simulator ends a job a second after its work is done, and tells where it ran last.
    jobs.iter_mut().for_each(|job| job.3 += 1);
    recorded.iter_mut().for_each(|row| row.nodes = None);
    let mut plan = lucid_plan(jobs, |_, work| work, [order, "skip"]);
    let behaviours = [40, 60].map(|restart| Behaviour {
        preemptible: true,
        restart_time: Seconds(restart),
        ..Behaviour::default()
    });
    plan.workload.behaviours = behaviours.to_vec();
    for job in 0..plan.workload.len() {
        let is_wide = plan.workload.request_of(job).gpus() > Gpus::whole(8);
        plan.workload.jobs[job as usize].behaviour = u32::from(is_wide);
    }
    plan.settings.preemption = Some("ranked-lucid".to_owned());
    // Its limit is the last that stays, not the first that falls.
    plan.settings.queue_limits = vec![18_001];
    plan.settings.cycle = Some(cycle);
    compare(&format!("lucid {policy}"), &plan, &recorded);
}

#[test]
fn shortest_remaining_time_first_equals_lucid() {
    preemptive_lucid("srtf", "srtf", 1);
}

#[test]
fn least_attained_service_equals_lucid() {
    preemptive_lucid("tiresias", "las", 60);
}

#[test]
fn fifo_with_consolidation_equals_helios_down_to_the_gpu() {
    lucid("fifo");
}

#[test]
fn shortest_first_with_consolidation_equals_helios_down_to_the_gpu() {
    lucid("sjf");
}

/// The 60 jobs of Tiresias, on 16 GPUs.
fn tiresias_plan(order: &str, backfill: &str) -> Plan {
    let jobs = columns("tiresias/jobs60.csv", ["job_id", "num_gpu", "submit_time", "duration"]);
    let job = |[id, gpus, submit, work]: [String; 4]| {
        (id, number(&gpus), number(&submit), number(&work), number(&work))
    };
    plan(recorded::workload(jobs.into_iter().map(job)), 16, 1, [order, backfill, "first-fit"])
}

fn tiresias(recording: &str, backfill: &str) {
    if recorded::folder().is_some() {
        let name = format!("tiresias/jobs60-{recording}.csv");
        compare(&name, &tiresias_plan("fifo", backfill), &rows(&name));
    }
}

/// The same where jobs may be stopped, without losing anything.
fn preemptive_tiresias_plan(order: &str) -> Plan {
    let mut plan = tiresias_plan(order, "skip");
    plan.workload.behaviours[0].preemptible = true;
    plan.settings.preemption = Some("ranked".to_owned());
    plan
}

fn preemptive_tiresias(recording: &str, order: &str, service_in_seconds: bool) {
    if recorded::folder().is_some() {
        let name = format!("tiresias/jobs60-{recording}.csv");
        let mut plan = preemptive_tiresias_plan(order);
        plan.settings.service_in_seconds = service_in_seconds;
        compare(&name, &plan, &rows(&name));
    }
}

#[test]
fn fifo_equals_tiresias_counting_gpus() {
    tiresias("fifo", "none");
}

#[test]
fn skipping_equals_fit_job_first_of_tiresias() {
    tiresias("fjf", "skip");
}

#[test]
fn preemptive_orders_equal_tiresias() {
    preemptive_tiresias("sjf", "smallest-first", false);
    preemptive_tiresias("shortest", "srtf", false);
}

#[test]
fn least_attained_service_equals_tiresias() {
    preemptive_tiresias("dlas-gpu", "las", false);
    preemptive_tiresias("dlas", "las", true);
}

#[test]
fn shortest_remaining_service_equals_tiresias_but_for_a_tie() {
    if recorded::folder().is_none() {
        return;
    }
    // At 504 jobs 13 and 16 have 440 GPU-seconds left each. Tiresias keeps the one that had less left before, which no key of
    // this instant tells; here the one goes first that has been there longer.
    let recorded = rows("tiresias/jobs60-shortest-gpu.csv");
    for subject in SUBJECTS {
        let got = (subject.run)(&preemptive_tiresias_plan("srsf"));
        let same =
            |row: &&Row| got.iter().any(|own| (&own.id, own.start, own.end) == (&row.id, row.start, row.end));
        let others: Vec<&str> = recorded.iter().filter(|row| !same(row)).map(|row| row.id.as_str()).collect();
        assert_eq!(others, ["13", "16"], "{}", subject.name);
    }
}
