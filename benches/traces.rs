//! How fast traces are read, bytes a second on one core: the budget is 800 MB/s for SWF and 300 MB/s for tables.
//!
//! Every input is made in memory, with the columns and widths of the real ones. How much memory reading takes is told too, on
//! Linux: the budget is 100 bytes a job beyond the text.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gigawatt::random::{Purpose, Stream};
use gigawatt::trace::{Options, read_bytes};
use std::fmt::Write;
use std::hint::black_box;

/// Jobs of each trace whose reading is timed.
const JOBS: u32 = 100_000;
/// Jobs of the trace whose reading is weighed.
const MANY: u32 = 2_000_000;

/// What a job is, the same in every format.
struct Row {
    id: u32,
    submit: u32,
    work: u32,
    requested: u32,
    gpus: u32,
    user: u32,
}

fn rows(count: u32) -> impl Iterator<Item = Row> {
    let stream = Stream::new(1, Purpose::Arrivals);
    let mut submit = 0;
    (0..count).map(move |id| {
        let draw = |number, bound| stream.below(u64::from(id), number, bound);
        submit += draw(0, 60);
        let work = 1 + draw(1, 100_000);
        Row {
            id: id + 1,
            submit,
            work,
            requested: work + draw(2, 10_000),
            gpus: 1 << draw(3, 8),
            user: draw(4, 200),
        }
    })
}

/// `2017-10-09 07:01:55` for a number of seconds within a month.
fn date(seconds: u32, middle: char) -> String {
    let (day, hour) = (seconds / 86_400 % 28 + 1, seconds / 3600 % 24);
    format!("2017-10-{day:02}{middle}{hour:02}:{:02}:{:02}", seconds / 60 % 60, seconds % 60)
}

fn trace(format: &str, jobs: u32) -> String {
    let mut text = match format {
        "philly" => "timestamp,duration,num_gpus,gpu_time,cluster\n",
        "helios" => {
            "job_id,user,vc,gpu_num,cpu_num,node_num,state,submit_time,start_time,end_time,duration,queue\n"
        }
        "sacct" => {
            "JobIDRaw|User|Account|Partition|Submit|Eligible|Start|End|ElapsedRaw|TimelimitRaw|State|NNodes|ReqTRES|AllocTRES\n"
        }
        "openb" => {
            "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time\n"
        }
        "csv" => "job_id,tenant,kind,gpus,submit_time,work_time,requested_time,priority\n",
        "sacct-json" => "{\"jobs\": [\n{}",
        "philly-json" => "[\n{}",
        "wfformat" => "{\"name\": \"bench\", \"workflow\": {\"tasks\": [\n{}",
        "table" => "id,user,num_gpus,submit_time,duration,walltime\n",
        _ => "",
    }
    .to_owned();
    for Row { id, submit, work, requested, gpus, user } in rows(jobs) {
        let (start, end) = (submit + 30, submit + 30 + work);
        let vc = user % 14;
        match format {
            "swf" => writeln!(
                text,
                "{id:>6} {submit:>8} {:>6} {work:>6} {gpus:>4}     -1    -1 {gpus:>4} {requested:>6} 1200000  1 {user:>3} {vc:>3}  -1  1 -1 -1 -1",
                30
            ),
            "philly" => writeln!(text, "{},{work}.0,{gpus},{}.0,vc{vc:04}", date(submit, ' '), u64::from(work) * u64::from(gpus)),
            "helios" => writeln!(
                text,
                "{id},u{user},vc{vc},{gpus},{},{},COMPLETED,{},{},{},{work},30",
                gpus * 4,
                gpus.div_ceil(8),
                date(submit, ' '),
                date(start, ' '),
                date(end, ' ')
            ),
            "sacct" => writeln!(
                text,
                "{id}|user{user}|account{vc}|gpu|{}|{}|{}|{}|{work}|{}|COMPLETED|{}|cpu=64,gres/gpu={gpus},mem=512G,node=1|billing=64,cpu=64,gres/gpu={gpus},mem=512G,node=1",
                date(submit, 'T'),
                date(submit, 'T'),
                date(start, 'T'),
                date(end, 'T'),
                requested / 60 + 1,
                gpus.div_ceil(8)
            ),
            "openb" => writeln!(
                text,
                "openb-pod-{id:06},{},{},1,{},,LS,Running,{submit},{end},{start}",
                1000 * (1 + user % 32),
                1024 * (1 + user % 64),
                if user % 3 == 0 { 460 } else { 1000 }
            ),
            "table" => writeln!(text, "{id},user{user},{gpus},{submit},{work}.5,{requested}"),
            "csv" => writeln!(text, "job-{id},tenant{vc},finetune,{gpus},{submit},{work},{requested},{vc}"),
            "jsonl" => writeln!(
                text,
                "{{\"job_id\": \"job-{id}\", \"tenant\": \"tenant{vc}\", \"kind\": \"finetune\", \"gpus\": {gpus}, \"submit_time\": {submit}, \"work_time\": {work}, \"requested_time\": {requested}}}"
            ),
            "sacct-json" => writeln!(
                text,
                ",{{\"job_id\": {id}, \"account\": \"account{vc}\", \"user\": \"user{user}\", \"partition\": \"gpu\", \"allocation_nodes\": 1, \"state\": {{\"current\": [\"COMPLETED\"], \"reason\": \"None\"}}, \"time\": {{\"submission\": {}, \"start\": {}, \"end\": {}, \"elapsed\": {work}, \"limit\": {{\"set\": true, \"infinite\": false, \"number\": {}}}}}, \"tres\": {{\"requested\": [{{\"type\": \"gres\", \"name\": \"gpu\", \"id\": 1001, \"count\": {gpus}}}], \"allocated\": []}}}}",
                submit + 1,
                start + 1,
                end + 1,
                requested / 60 + 1
            ),
            "philly-json" => writeln!(
                text,
                ",{{\"status\": \"Pass\", \"vc\": \"vc{vc:04}\", \"jobid\": \"application_{id}\", \"attempts\": [{{\"start_time\": \"{}\", \"end_time\": \"{}\", \"detail\": [{{\"ip\": \"m{user}\", \"gpus\": [\"gpu0\", \"gpu1\", \"gpu2\", \"gpu3\"]}}]}}], \"submitted_time\": \"{}\", \"user\": \"user{user}\"}}",
                date(start, ' '),
                date(start, ' '),
                date(submit, ' ')
            ),
            "wfformat" => writeln!(
                text,
                ",{{\"id\": \"task_{id}\", \"name\": \"task_{id}\", \"runtimeInSeconds\": {work}.25, \"cores\": {gpus}, \"parents\": [\"task_{}\"], \"children\": []}}",
                id / 2
            ),
            other => panic!("no trace of format {other}"),
        }
        .expect("a string grows");
    }
    let end = match format {
        "sacct-json" => "]}",
        "philly-json" => "]",
        "wfformat" => "]}}",
        _ => return text,
    };
    text = text.replacen("{},", "", 1) + end;
    text
}

fn reading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read");
    // Formats that are descriptions of tables are read as `table` is, documents as `sacct-json`.
    let own = [
        "swf",
        "philly",
        "helios",
        "sacct",
        "sacct-json",
        "philly-json",
        "wfformat",
        "openb",
        "csv",
        "jsonl",
        "table",
    ];
    for format in gigawatt::trace::FORMATS.iter().filter(|format| own.contains(&format.name)) {
        let text = trace(format.name, JOBS);
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(format.name, |bencher| {
            bencher.iter(|| {
                read_bytes("bench", black_box(text.as_bytes()), Some(format.name), &Options::default())
            });
        });
    }
    group.finish();
}

/// The most memory that this process had at a time since it was asked last, bytes, where the system tells.
fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let peak = line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10;
    // Begins anew at what it has now.
    std::fs::write("/proc/self/clear_refs", "5").ok()?;
    Some(peak)
}

/// Says how many bytes a job reading takes beyond the text.
#[expect(clippy::print_stderr, reason = "criterion has no place for what is no time")]
fn weighing(_: &mut Criterion) {
    let text = trace("swf", MANY);
    peak_bytes();
    let Some(before) = peak_bytes() else { return };
    let trace = read_bytes("bench", text.as_bytes(), Some("swf"), &Options::default());
    let Some(most) = peak_bytes() else { return };
    drop(black_box(trace));
    let each = (most - before) as f64 / f64::from(MANY);
    eprintln!("read/swf of {MANY} jobs: {each:.0} bytes a job beyond the text at most");
}

criterion_group!(benches, weighing, reading);
criterion_main!(benches);
