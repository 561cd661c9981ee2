//! Pollux's workloads: `name,time,application,num_replicas,batch_size`, seconds from the start.
//!
//! A replica has one GPU. How long a job runs is **not told**: it follows from profiles of its application. Read is the middle
//! (geometric) of the GPU-hours that the paper's table of models gives its class, over its GPUs: half a GPU-hour for cifar10 and ncf,
//! 3.2 for deepspeech2 and bert, 32 for yolov3, 320 for imagenet; other applications are refused. A column of run times,
//! `duration`, counts where a file has one. The application is the tenant.
//! (A. Qiao et al., "Pollux: co-adaptive cluster scheduling for goodput-optimized deep learning", OSDI 2021)

use crate::trace::intake::{Draft, Id, Intake};
use crate::trace::table::Table;
use crate::trace::{Format, Head, MapKey};
use crate::units::Gpus;
use crate::workload::{Behaviour, Request};

pub(in crate::trace) const FORMAT: Format = Format {
    name: "pollux",
    about: "Pollux workloads as CSV: name,time,application,num_replicas; run times are assumed by application",
    keys: &[],
    map_keys: &[MapKey::Columns],
    detect,
    read,
};

const COLUMNS: [&str; 4] = ["name", "time", "application", "num_replicas"];

/// GPU-seconds of a job, by its application.
const WORK: [(&str, u32); 6] = [
    ("cifar10", 1800),
    ("ncf", 1800),
    ("deepspeech2", 11_384),
    ("bert", 11_384),
    ("yolov3", 113_842),
    ("imagenet", 1_138_420),
];

fn detect(head: &Head<'_>) -> bool {
    head.is_table(&COLUMNS)
}

fn read(text: &[u8], intake: &mut Intake<'_>) {
    let Some(mut table) = Table::open_any(text, &COLUMNS, intake) else { return };
    let Some([name, time, application, replicas]) = table.require(COLUMNS, intake) else { return };
    let duration = table.column("duration");
    let behaviour = intake.builder.behaviour(Behaviour::default());
    while table.next(intake) {
        let submit = table.instant(time, intake);
        let gpus = table.gpus(replicas, intake);
        let id = table.text(name, "", intake);
        let model = table.text(application, "default", intake);
        let (Some(submit), Some(gpus), Some(id), Some(model)) = (submit, gpus, id, model) else { continue };
        let work = match duration.filter(|_| !table.optional(duration).is_empty()) {
            Some(column) => table.length(column, intake),
            None => assumed(&table, (application, model), gpus, intake),
        };
        let Some(work) = work else { continue };
        let request = intake.builder.request(Request::gang(gpus));
        let tenant = intake.builder.tenant(model);
        let draft = Draft { submit, work, request, behaviour, tenant, ..Draft::default() };
        intake.push(draft, if id.is_empty() { Id::Row } else { Id::Text(id) });
    }
}

/// The run time that is assumed of a job.
fn assumed(
    table: &Table<'_>,
    (column, model): (usize, &str),
    gpus: Gpus,
    intake: &mut Intake<'_>,
) -> Option<u32> {
    let Some((_, work)) = WORK.iter().find(|(known, _)| known.eq_ignore_ascii_case(model)) else {
        let known: Vec<_> = WORK.iter().map(|(name, _)| *name).collect();
        let hint = "a column `duration` tells run times of other applications";
        table.wrong_with(column, &format!("one of {}", known.join(", ")), hint, intake);
        return None;
    };
    let what = "whose run time is not told: the middle of its application's GPU-hours (0.5, 3.2, 32 or 320) over its GPUs";
    intake.notes.count("job", what, 1);
    Some(work.div_ceil((gpus.milli() / 1000).max(1)))
}

#[cfg(test)]
mod tests {
    use crate::trace::{Options, read_bytes};

    #[test]
    fn run_times_are_assumed_by_application_unless_they_are_told() {
        let text = include_bytes!("../../../workloads/sample-pollux.csv");
        let trace = read_bytes("p.csv", text, None, &Options::default()).unwrap();
        let times: Vec<_> =
            trace.workload.jobs.iter().map(|job| (job.submit_time.0, job.work_time.0)).collect();
        assert_eq!(
            times,
            [(107, 300), (135, 1800), (350, 1898), (900, 28_461), (1604, 35_576), (1740, 1800), (2100, 949)],
            "{}",
            trace.notes
        );
        let told = b"name,time,application,num_replicas,duration\nx-0,5,gpt,8,77\ny-1,6,gpt,8,\n";
        let wrong = read_bytes("p.csv", told, None, &Options::default()).unwrap_err().to_string();
        assert!(wrong.contains("application `gpt`") && wrong.contains("p.csv:3"), "{wrong}");
    }
}
