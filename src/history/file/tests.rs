use super::*;
use crate::cluster::{Level, Pue};
use crate::hardware::Loss;
use crate::history::{Outcome, Piece, SegmentEnd, Why, sample};
use crate::units::{Factor, Gpus, Seconds, Watts};
use crate::workload::{Queue, Topology};

fn bytes(history: &History) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(history, &mut bytes).unwrap();
    bytes
}

#[test]
fn every_history_comes_back_as_it_was_written() {
    let mut seen = [0_usize; 4];
    for seed in 0..60 {
        let history = sample::random(seed);
        assert_eq!(history.check(), Ok(()), "seed {seed}");
        let written = bytes(&history);
        assert_eq!(read(&written, "history").unwrap(), history, "seed {seed}");
        assert_eq!(written.last_chunk(), Some(history.digest().as_bytes()), "the digest comes last");
        seen[0] += history.waits.len();
        seen[1] += history.plan.cluster.changes.len();
        seen[2] += history.plan.workload.graphs.len();
        seen[3] += history.segments.iter().filter(|segment| segment.end == SegmentEnd::Preempted).count();
    }
    assert!(seen.iter().all(|count| *count > 20), "the sample is too poor: {seen:?}");
}

#[test]
fn recorded_starts_cost_nothing_where_there_are_none() {
    let history = sample::random(5);
    let silent = bytes(&history);
    assert!(!silent.windows(4).any(|tag| tag == b"STRT"), "no section for nothing");
    let mut told = history.clone();
    told.plan.workload.recorded_starts = told.plan.workload.jobs.iter().map(|_| Time::NEVER).collect();
    told.plan.workload.recorded_starts[1] = told.plan.workload.jobs[1].submit_time + Seconds(7);
    let written = bytes(&told);
    let (tag, rows, digest) = (4 + 8, 8, 32);
    assert_eq!(written.len(), silent.len() + tag + rows + told.jobs.len() * 4 + digest, "a column of times");
    assert_eq!(read(&written, "history").unwrap(), told, "and back");
    assert_ne!(told.digest(), history.digest(), "it is part of the run");
}

#[test]
fn deadlines_cost_nothing_where_there_are_none() {
    let history = sample::random(5);
    assert!(!bytes(&history).windows(4).any(|tag| tag == b"DEAD"), "no section for nothing");
    let mut told = history.clone();
    told.plan.workload.jobs[1].deadline = Seconds(70);
    assert_eq!(read(&bytes(&told), "history").unwrap(), told, "and back");
    assert_ne!(told.digest(), history.digest(), "they are part of the run");
    told.plan.workload.jobs[1].deadline = Seconds::ZERO;
    assert!(read(&bytes(&told), "history").is_err(), "due before it is submitted");
}

#[test]
fn queues_cost_nothing_where_there_are_none() {
    let history = sample::random(5);
    assert!(!bytes(&history).windows(6).any(|text| text == b"queues"), "no word of them");
    let mut told = history.clone();
    let below = Queue { parent: Some(0), tenants: vec![0], lend_milli: Some(500), ..Queue::named("lab") };
    told.plan.workload.queues = vec![Queue { nominal_milli: Some(8000), ..Queue::named("cloud") }, below];
    assert_eq!(read(&bytes(&told), "history").unwrap(), told, "and back");
    assert_ne!(told.digest(), history.digest(), "they are part of the run");
}

#[test]
fn two_histories_that_differ_in_one_second_have_different_digests() {
    let history = sample::random(3);
    let mut other = history.clone();
    other.plan.workload.jobs[0].work_time.0 += 1;
    assert_eq!(history.digest(), history.clone().digest(), "the same history");
    assert_ne!(history.digest(), other.digest(), "one second more");
}

/// The shortest sample: every one of its bits is tried.
fn short() -> Vec<u8> {
    let mut history = sample::random(1);
    history.plan.workload = crate::workload::Builder::default().finish();
    history.plan.cluster.changes.clear();
    (history.segments, history.pieces) = (Vec::new(), Vec::new());
    (history.jobs, history.waits, history.wait_classes) = (Vec::new(), Vec::new(), Vec::new());
    bytes(&history)
}

#[test]
fn every_flipped_bit_is_reported() {
    let mut written = short();
    assert!(read(&written, "history").is_ok(), "untouched it is read");
    for bit in 0..written.len() * 8 {
        written[bit / 8] ^= 1 << (bit % 8);
        assert!(read(&written, "history").is_err(), "bit {bit} was flipped unnoticed");
        written[bit / 8] ^= 1 << (bit % 8);
    }
    let mut written = bytes(&sample::random(7));
    for byte in (0..written.len()).step_by(31) {
        written[byte] ^= 0x10;
        assert!(read(&written, "history").is_err(), "byte {byte} was changed unnoticed");
        written[byte] ^= 0x10;
    }
}

#[test]
fn levels_are_kept_and_without_any_nothing_is_written_of_them() {
    let mut history = sample::random(7);
    assert!(!String::from_utf8_lossy(&bytes(&history)).contains("first_racks"), "no level");
    history.plan.workload.levels = vec!["block".to_owned()];
    history.plan.workload.requests[0].topology = Topology::PreferLevel(0);
    history.plan.cluster.levels = vec![Level { name: "block".to_owned(), first_racks: vec![0] }];
    assert_eq!(read(&bytes(&history), "history").unwrap(), history, "with one");
}

#[test]
fn a_file_that_is_cut_off_or_too_long_is_reported() {
    let mut written = short();
    for length in 0..written.len() {
        assert!(read(&written[..length], "history").is_err(), "{length} bytes of {}", written.len());
    }
    written.push(0);
    let text = read(&written, "history").unwrap_err().to_string();
    assert!(text.contains("something follows its end"), "{text}");
}

#[test]
fn another_version_says_which() {
    let mut written = short();
    written[8] = 1;
    let text = read(&written, "run/history").unwrap_err().to_string();
    assert!(text.contains("it has format version 1, and this program reads 3"), "{text}");
    assert!(text.contains("run/history"), "{text}");
}

/// Digests are right in these: only the contents make no sense.
#[test]
fn a_history_that_contradicts_itself_is_reported() {
    type Spoil = fn(&mut History);
    let cases: [(&str, Spoil); 40] = [
        ("a job makes an unknown request", |h| h.plan.workload.jobs[1].request = 10_000),
        ("a job has an unknown behaviour", |h| h.plan.workload.jobs[1].behaviour = 10_000),
        ("a job belongs to an unknown tenant", |h| h.plan.workload.jobs[1].tenant = u32::MAX),
        ("a job has no work", |h| h.plan.workload.jobs[1].work_time = Seconds(0)),
        ("jobs and their recorded starts disagree", |h| h.plan.workload.recorded_starts = vec![Time(0)]),
        ("a job was recorded to start before", |h| {
            h.plan.workload.jobs[0].submit_time = Time(1);
            h.plan.workload.recorded_starts = vec![Time(0); h.jobs.len()];
        }),
        ("or none to start", |h| h.plan.workload.recorded_starts = vec![Time::NEVER; h.jobs.len()]),
        ("jobs and their names disagree", |h| h.plan.workload.names.push("one more")),
        ("a request names an unknown partition", |h| h.plan.workload.requests[0].partition = 7),
        ("a request names an unknown level", |h| {
            h.plan.workload.requests[0].topology = Topology::RequireLevel(0);
        }),
        ("the nodes or levels of a cluster", |h| h.plan.cluster.levels.push(Level::default())),
        ("a job graph has an unknown job", |h| h.plan.workload.graphs[0].jobs.push(u32::MAX)),
        ("a queue comes before the one above it", |h| {
            h.plan.workload.queues = vec![Queue { parent: Some(0), ..Queue::named("a") }];
        }),
        ("too many queues stand above one another", |h| {
            let queue = |own: u32| Queue { parent: own.checked_sub(1), ..Queue::named("a") };
            h.plan.workload.queues = (0..17).map(queue).collect();
        }),
        ("a queue takes jobs of unknown tenants or partitions", |h| {
            h.plan.workload.queues = vec![Queue { tenants: vec![0, u32::MAX], ..Queue::named("a") }];
        }),
        ("two queues take the same jobs", |h| {
            let queue = Queue { tenants: vec![0], ..Queue::named("a") };
            h.plan.workload.queues = vec![queue.clone(), Queue { partitions: vec![1], ..queue }];
        }),
        ("a queue that takes jobs stands above another", |h| {
            let queue = Queue { partitions: vec![0], ..Queue::named("a") };
            h.plan.workload.queues = vec![queue, Queue { parent: Some(0), ..Queue::named("b") }];
        }),
        ("the nodes or levels of a cluster are not those of its racks", |h| {
            h.plan.cluster.racks[0].nodes = u32::MAX;
        }),
        ("the nodes or levels of a cluster are not those of its racks", |h| h.plan.cluster.racks[0].kind = 9),
        ("a node has too many GPUs", |h| h.plan.cluster.kinds[0].gpus = 65),
        ("a partition leaves the cluster", |h| h.plan.cluster.partitions[1].nodes[0].end = u32::MAX),
        ("a segment belongs to no job", |h| h.segments[2].job = u32::MAX),
        ("a segment ends before it begins", |h| {
            let last = h.segments.last_mut().unwrap();
            (last.to, last.end) = (Time(0), SegmentEnd::Completed);
        }),
        ("segments are out of order", |h| h.segments[2].from = h.end),
        ("a segment's cap is out of range", |h| h.segments[0].cap = Factor(Factor::ONE.0 + 1)),
        ("the power of a node is out of range", |h| h.plan.cluster.kinds[0].power.idle = Watts(1)),
        ("a loss of power is out of range", |h| {
            h.plan.cluster.feeds[0].losses.push(Loss { den: 0, ..Loss::NONE });
        }),
        ("a PUE is out of range", |h| h.plan.cluster.sites[0].pue = Some(Pue::constant(999))),
        ("what a job draws is out of range", |h| h.plan.workload.behaviours[0].profile.shares[0] = 1),
        ("a job runs without making progress", |h| h.segments[0].rate = Factor(0)),
        ("segments and pieces disagree", |h| h.pieces.truncate(1)),
        ("a piece leaves the cluster", |h| h.pieces[0] = Piece::Nodes { word: u32::MAX, mask: 1 }),
        ("a piece leaves the cluster", |h| h.pieces[0] = Piece::Gpus { node: u32::MAX, mask: 1 }),
        ("a piece leaves its node", |h| h.pieces[0] = Piece::Gpus { node: 0, mask: 1 << 63 }),
        ("jobs and their outcomes disagree", |h| h.jobs.truncate(1)),
        ("a job has both an outcome and none", |h| h.jobs[0].finish_time = Time::NEVER),
        ("a job that waits is unknown", |h| h.waits[0].why = Why::AsClass { job: u32::MAX }),
        ("a request class is out of range", |h| h.wait_classes[0] = u32::MAX),
        ("jobs and their request classes disagree", |h| h.wait_classes.truncate(1)),
        ("reasons of waiting are out of order", |h| h.waits[0].time = h.end),
    ];
    let history = (0..).map(sample::random).find(|history| {
        let rich = history.waits.len() > 9 && !history.plan.workload.graphs.is_empty();
        rich && history.segments.len() > 9 && history.jobs[0].outcome == Outcome::Completed
    });
    let history = history.unwrap();
    for (expected, spoil) in cases {
        let mut spoilt = history.clone();
        spoil(&mut spoilt);
        let Err(error) = read(&bytes(&spoilt), "history") else { panic!("unnoticed: {expected}") };
        let text = error.to_string();
        assert!(text.contains(expected), "expected {expected:?} in:\n{text}");
    }
}

#[test]
fn a_table_that_claims_more_rows_than_it_has_allocates_nothing() {
    let mut contents = u64::MAX.to_le_bytes().to_vec();
    contents.extend([0; 64]);
    assert!(read_jobs(&contents).is_err(), "jobs");
    assert!(read_pieces(&contents).is_err(), "pieces");
    assert!(read_names(&contents).is_err(), "names");
    assert!(read_dependencies(&contents).is_err(), "dependencies");
    let big = Gpus::whole(4).milli().to_le_bytes();
    assert!(read_waits(&big).is_err(), "no number of rows at all");
}
