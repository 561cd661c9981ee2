//! Alibaba's openb pods (cluster-trace-gpu-v2023): one line a pod, with shares of GPUs, CPU and memory.
//!
//! Columns `name,cpu_milli,memory_mib,num_gpu,gpu_milli` and, where a file has them, `gpu_spec`, `qos`, `pod_phase`,
//! `creation_time`, `deletion_time`, `scheduled_time` in seconds from the start of the trace.
//! (Q. Weng et al., "Beware of fragmentation: scheduling GPU-sharing workloads with fragmentation gradient descent",
//! ATC 2023)
//!
//! A pod is a job of one pod. `gpu_milli` counts where it is below 1,000 for one GPU. `gpu_spec` (`V100M16|V100M32`)
//! lists the platforms it may run on; the quality of service becomes its tenant. It is submitted at its creation and works from
//! `scheduled_time` to `deletion_time`; one that never was scheduled is withdrawn at its deletion, and works as long
//! as it lived should it start before. One without a deletion was still alive: it works until the last instant of the file.
//! Files without times are for packing: a pod comes each second, in the order of
//! the file, and works a day.

use crate::trace::intake::{Draft, Id, Intake};
use crate::trace::table::Table;
use crate::trace::{Format, Head, MapKey};
use crate::workload::{Behaviour, Request, Shape};

pub(in crate::trace) const FORMAT: Format = Format {
    name: "openb",
    about: "Alibaba openb pods as CSV: shares of GPUs, CPU and memory, platforms a pod may run on",
    keys: &[],
    map_keys: &[MapKey::Columns, MapKey::Platform],
    detect,
    read,
};

const COLUMNS: [&str; 5] = ["name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli"];

/// What a pod works in files that do not tell, seconds.
const A_DAY: u32 = 86_400;

fn detect(head: &Head<'_>) -> bool {
    head.is_table(&COLUMNS)
}

/// The columns that may be missing.
struct Optional {
    gpu_spec: Option<usize>,
    qos: Option<usize>,
    pod_phase: Option<usize>,
    times: Option<[usize; 3]>,
}

fn read(text: &[u8], intake: &mut Intake<'_>) {
    let Some(mut table) = Table::open_any(text, &COLUMNS, intake) else { return };
    let Some(columns) = table.require(COLUMNS, intake) else { return };
    let times =
        [table.column("creation_time"), table.column("deletion_time"), table.column("scheduled_time")];
    let optional = Optional {
        gpu_spec: table.column("gpu_spec"),
        qos: table.column("qos"),
        pod_phase: table.column("pod_phase"),
        times: if let [Some(a), Some(b), Some(c)] = times { Some([a, b, c]) } else { None },
    };
    if optional.times.is_none() {
        intake.notes.say("no times in this file: a pod comes each second and works a day");
    }
    let behaviour = intake.builder.behaviour(Behaviour::default());
    let mut row = 0;
    while table.next(intake) {
        let name = table.text(columns[0], "", intake);
        let qos = optional.qos.map_or(Some("default"), |column| table.text(column, "default", intake));
        let request = request(&table, columns, &optional, intake);
        let lifetime = match optional.times {
            Some(times) => lifetime(&table, times, intake),
            None => Some(Some(Lifetime { submit: row, work: A_DAY, ..Lifetime::default() })),
        };
        row = row.saturating_add(1);
        let (Some(name), Some(qos), Some(request), Some(lifetime)) = (name, qos, request, lifetime) else {
            continue;
        };
        let Some(lifetime) = lifetime else {
            intake.notes.count("pod", "neither scheduled nor deleted when the trace was taken: dropped", 1);
            continue;
        };
        let fails = table.optional(optional.pod_phase) == b"Failed";
        if fails {
            intake.notes.count("pod", "whose work ends in failure", 1);
        }
        let draft = Draft {
            submit: lifetime.submit,
            work: lifetime.work,
            patience: lifetime.patience,
            wait: lifetime.wait,
            request: intake.builder.request(request),
            behaviour,
            tenant: intake.builder.tenant(qos),
            fails,
            ..Draft::default()
        };
        let job = intake.push(draft, if name.is_empty() { Id::Row } else { Id::Text(name) });
        if let (Some(job), Some(start)) = (job, lifetime.alive_since) {
            intake.alive.push((job, start));
        }
    }
}

fn request(
    table: &Table<'_>,
    columns: [usize; 5],
    optional: &Optional,
    intake: &mut Intake<'_>,
) -> Option<Request> {
    let [_, cpu_milli, memory_mib, num_gpu, gpu_milli] = columns;
    let cpu = table.whole(cpu_milli, u32::MAX - 1, intake);
    let memory = table.whole(memory_mib, u32::MAX - 1, intake);
    let gpus = table.whole(num_gpu, 64, intake);
    let share = table.whole(gpu_milli, 1000, intake);
    let (cpu_milli, memory_mib, gpus, share) = (cpu?, memory?, gpus?, share?);
    let gpus_milli_each = match (gpus, share) {
        (0, _) => 0,
        (1, 1..1000) => share,
        (_, 0 | 1000) => gpus * 1000,
        _ => {
            intake.notes.count("pod", "with a share of several GPUs: read as whole ones", 1);
            gpus * 1000
        }
    };
    let spec = std::str::from_utf8(table.optional(optional.gpu_spec)).unwrap_or_default();
    let platforms = intake.platforms(spec.split('|').filter(|name| !name.is_empty()));
    let shape = Shape::Pods { count: 1, gpus_milli_each };
    Some(Request { shape, cpu_milli, memory_mib, platforms, ..Request::gang(crate::units::Gpus::ZERO) })
}

#[derive(Default)]
struct Lifetime {
    submit: u32,
    work: u32,
    patience: Option<u32>,
    /// Seconds between its creation and its start.
    wait: Option<u32>,
    /// When it started, if it had not ended when the trace was taken.
    alive_since: Option<u32>,
}

/// When a pod lived: `None` if that is told wrongly, nothing in it if it never did.
fn lifetime(table: &Table<'_>, times: [usize; 3], intake: &mut Intake<'_>) -> Option<Option<Lifetime>> {
    let [creation, deletion, scheduled] = times;
    let submit = table.instant(creation, intake);
    let end = table.told_instant(Some(deletion), intake);
    let start = table.told_instant(Some(scheduled), intake);
    let (submit, end, start) = (submit?, end?, start?);
    let Some(end) = end else {
        // It works until the trace ends, which only the whole file tells.
        return Some(start.map(|start| Lifetime {
            submit,
            work: 1,
            wait: start.checked_sub(submit),
            alive_since: Some(start),
            patience: None,
        }));
    };
    if end < submit || start.is_some_and(|start| end < start) {
        table.wrong(deletion, "a time after creation and scheduling", intake);
        return None;
    }
    Some(Some(match start {
        Some(start) => {
            let wait = start.checked_sub(submit);
            Lifetime { submit, work: end - start, wait, ..Lifetime::default() }
        }
        None => {
            intake.notes.count("pod", "never scheduled: withdrawn at the deletion_time", 1);
            Lifetime { submit, work: end - submit, patience: Some(end - submit), ..Lifetime::default() }
        }
    }))
}

#[cfg(test)]
mod tests {
    use crate::trace::{Options, read_bytes};
    use crate::units::{Gpus, Time};
    use crate::workload::{PlatformSet, Shape};

    const SAMPLE: &[u8] = include_bytes!("../../../workloads/sample-openb.csv");

    #[test]
    fn pods_ask_for_shares_cpu_memory_and_platforms() {
        let platform = |name: &str| ["t4", "v100m16", "v100m32"].iter().position(|known| *known == name);
        let options = Options { platform: Some(&platform), ..Options::default() };
        let trace = read_bytes("o.csv", SAMPLE, None, &options).unwrap();
        let workload = trace.workload;
        assert_eq!(trace.format, "openb", "recognised");
        let pods = |job| match workload.request_of(job).shape {
            Shape::Pods { count, gpus_milli_each } => (count, gpus_milli_each),
            Shape::Any { .. } => (0, 0),
        };
        assert_eq!(
            [0, 1, 2, 3].map(pods),
            [(1, 1000), (1, 460), (1, 8000), (1, 0)],
            "whole, share, many, none"
        );
        let request = workload.request_of(1);
        assert_eq!((request.cpu_milli, request.memory_mib), (6000, 12_288), "of the host");
        assert_eq!(request.platforms, PlatformSet::NONE.with(1).with(2), "two will do");
        assert_eq!(workload.request_of(0).platforms, PlatformSet::ALL, "any will do");
        assert_eq!(
            (workload.jobs[4].cancel_time, workload.jobs[4].work_time.0),
            (Time(925), 125),
            "never scheduled"
        );
        assert_eq!(workload.jobs[2].submit_time, Time(300), "seconds from the start are kept");
        assert!(workload.jobs[3].fails, "pod_phase Failed");
        assert_eq!(workload.request_of(5).platforms, PlatformSet::ALL, "an unknown platform is noted");
        assert!(trace.notes.to_string().contains("`a10`"), "{}", trace.notes);
    }

    #[test]
    fn pods_still_alive_run_to_the_end_of_the_trace() {
        let text =
            b"name,cpu_milli,memory_mib,num_gpu,gpu_milli,creation_time,deletion_time,scheduled_time\n\
            a,1,1,1,1000,0,,10\nb,1,1,1,1000,5,500,20\nc,1,1,1,1000,7,,\n";
        let trace = read_bytes("o.csv", text, None, &Options::default()).unwrap();
        let jobs: Vec<_> =
            trace.workload.jobs.iter().map(|job| (job.submit_time.0, job.work_time.0)).collect();
        assert_eq!(jobs, [(0, 490), (5, 480)], "to the last instant, 500: {}", trace.notes);
        let what = "neither scheduled nor deleted when the trace was taken: dropped";
        assert_eq!(trace.notes.counted("pod", what), 1, "{}", trace.notes);
    }

    #[test]
    fn files_without_times_are_for_packing() {
        let text = b"name,cpu_milli,memory_mib,num_gpu,gpu_milli\na,1,1,1,500\nb,1,1,0,0\n";
        let workload = read_bytes("o.csv", text, None, &Options::default()).unwrap().workload;
        let times: Vec<_> = workload.jobs.iter().map(|job| (job.submit_time.0, job.work_time.0)).collect();
        assert_eq!(times, [(0, 86_400), (1, 86_400)], "one a second, a day each");
        assert_eq!(workload.request_of(0).gpus(), Gpus::from_milli(500), "a half");
    }
}
