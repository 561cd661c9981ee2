//! Microsoft's Philly trace as the CSV of the Sia artifact: one line a job, of a virtual cluster (VC) each.
//!
//! Columns `timestamp,duration,num_gpus,gpu_time,cluster`. The VC becomes tenant and partition; the rest of a job
//! (user, status, attempts) is not in this form of the trace. Dates name no time zone and are read as UTC; lines are
//! not in the order of time. (M. Jeon et al., "Analysis of large-scale multi-tenant GPU clusters", ATC 2019)

use crate::trace::intake::{Draft, Id, Intake};
use crate::trace::table::Table;
use crate::trace::{Format, Head, MapKey};
use crate::workload::{Behaviour, Request};

pub(in crate::trace) const FORMAT: Format = Format {
    name: "philly",
    about: "Philly jobs as CSV: timestamp,duration,num_gpus,gpu_time,cluster; VC = tenant and partition",
    keys: &[],
    map_keys: &[MapKey::Columns],
    detect,
    read,
};

const COLUMNS: [&str; 4] = ["timestamp", "duration", "num_gpus", "cluster"];

fn detect(head: &Head<'_>) -> bool {
    head.is_table(&COLUMNS)
}

fn read(text: &[u8], intake: &mut Intake<'_>) {
    let Some(mut table) = Table::open_any(text, &COLUMNS, intake) else { return };
    let Some([timestamp, duration, num_gpus, cluster]) = table.require(COLUMNS, intake) else { return };
    intake.unix = true;
    intake.count_repeats = true;
    let behaviour = intake.builder.behaviour(Behaviour::default());
    while table.next(intake) {
        let submit = table.instant(timestamp, intake);
        let work = table.length(duration, intake);
        let gpus = table.gpus(num_gpus, intake);
        let vc = table.text(cluster, "default", intake);
        let (Some(submit), Some(work), Some(gpus), Some(vc)) = (submit, work, gpus, vc) else { continue };
        let partition = intake.builder.partition(vc);
        let request = intake.builder.request(Request { partition, ..Request::gang(gpus) });
        let tenant = intake.builder.tenant(vc);
        intake.push(Draft { submit, work, request, behaviour, tenant, ..Draft::default() }, Id::Row);
    }
}

#[cfg(test)]
mod tests {
    use crate::trace::{Options, read_bytes};
    use crate::units::Time;

    #[test]
    fn the_earliest_job_is_at_time_0_wherever_it_stands() {
        let text = include_bytes!("../../../workloads/sample-philly.csv");
        let trace = read_bytes("p.csv", text, None, &Options::default()).unwrap();
        let workload = trace.workload;
        assert_eq!(trace.format, "philly", "recognised");
        let submits: Vec<_> = workload.jobs.iter().map(|job| job.submit_time).collect();
        assert_eq!(submits, [2932, 2, 33, 33, 0, 90_000].map(Time), "in the order of the file");
        assert_eq!(workload.epoch, Some(1_507_529_581), "2017-10-09 06:13:01");
        assert_eq!(workload.jobs[1].work_time.0, 2952, "rounded up");
        assert_eq!(workload.partitions, ["all", "vc-a", "vc-b"], "a partition a VC");
        assert_eq!(workload.tenants[1].name, "vc-b", "a tenant a VC");
        for line in [
            "1 time with a fraction of a second: submits rounded down, the others up",
            "naive timestamps read as UTC",
            "1 job with the submit, work, GPUs and tenant of an earlier one: kept",
            "6 jobs without an estimate: requested_time = work_time",
        ] {
            assert!(
                trace.notes.lines().iter().any(|note| note == line),
                "{line} is missing in:\n{}",
                trace.notes
            );
        }
    }
}
