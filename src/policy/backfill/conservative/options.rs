use crate::policy::part::{self, PartOption};
use crate::units::Seconds;

/// What can be said about how it works.
pub(in crate::policy::backfill) const OPTIONS: &[PartOption] = &[DEPTH, WINDOW, RESOLUTION, MAX_JOBS];

const DEPTH: PartOption = PartOption {
    name: "depth",
    unit: "jobs a partition",
    default: ALL,
    about: "how many jobs of each partition, in order, hold a reservation",
    expected: COUNT,
    read: |settings, text| counted(text, |count| settings.depth = count),
    show: |settings| shown(settings.depth),
};

/// `bf_window` of Slurm.
const WINDOW: PartOption = PartOption {
    name: "window",
    unit: "time",
    default: ALL,
    about: "how far ahead a reservation may begin: a job that would start later holds none",
    expected: "a time such as `45m` or `1d`, or `all`",
    read: |settings, text| {
        settings.window = match text {
            ALL => None,
            text => Some(Seconds(part::seconds(text)?)),
        };
        Some(())
    },
    show: |settings| settings.window.map_or_else(|| ALL.to_owned(), |window| part::span(window.0)),
};

/// `bf_resolution` of Slurm.
const RESOLUTION: PartOption = PartOption {
    name: "resolution",
    unit: "time",
    default: "1s",
    about: "how long a slot of time is: jobs are expected to end with the slot in which they would, or in which they still run",
    expected: "a time of at least a second, such as `60s`",
    read: |settings, text| {
        // A second is what nothing says, so that equal policies are equal settings.
        let seconds = part::seconds(text).filter(|seconds| *seconds > 0)?;
        settings.resolution = Some(seconds).filter(|seconds| *seconds > 1);
        Some(())
    },
    show: |settings| part::span(settings.resolution.unwrap_or(1)),
};

/// `bf_max_job_test` of Slurm.
const MAX_JOBS: PartOption = PartOption {
    name: "max_jobs",
    unit: "jobs",
    default: ALL,
    about: "how many jobs of linked partitions, in order, a pass tries; those behind keep a reservation that they have",
    expected: COUNT,
    read: |settings, text| counted(text, |count| settings.max_jobs = count),
    show: |settings| shown(settings.max_jobs),
};

const ALL: &str = "all";
const COUNT: &str = "a whole number of at least 1, or `all`";

fn counted(text: &str, set: impl FnOnce(Option<u32>)) -> Option<()> {
    set(if text == ALL { None } else { Some(part::count(text)?) });
    Some(())
}

fn shown(count: Option<u32>) -> String {
    count.map_or_else(|| ALL.to_owned(), |count| count.to_string())
}
