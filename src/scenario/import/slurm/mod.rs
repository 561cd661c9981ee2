//! `slurm.conf`, with `topology.yaml` or `topology.conf`, `gres.conf`, and the files that it includes.
//!
//! | Slurm | scenario |
//! |---|---|
//! | `NodeName`: `Gres`, `CPUs`, `RealMemory`, `State`; `DownNodes` | racks and changes of `[cluster]` |
//! | blocks, or the lowest switches | racks |
//! | `PartitionName`: `Nodes`, `PriorityTier` | `[[cluster.partition]]` |
//! | `Licenses` | `[[licence]]` |
//! | `SchedulerType`, `SchedulerParameters` | `backfill`, `max_jobs`, `window`, `resolution`, `cycle` |
//! | `PriorityType`, `PriorityWeight...`, `PriorityDecayHalfLife` and the like | `order` and its options |
//! | `PreemptType`, `PreemptMode`, `PreemptExemptTime` | `preemption`, `min_run` |
//!
//! What accounts and their users may hold stands in Slurm's database, and in none of these files.

mod conf;
mod hostlist;
mod licences;
mod nodes;
mod partitions;
mod policy;
mod time;
mod topology;

use super::draft::{Draft, Tenant};
use super::findings::{Findings, Source};
use super::{Options, System};
use crate::error::Problem;
use conf::Line;

pub(super) const SYSTEM: System = System {
    name: "slurm",
    about: "Slurm: slurm.conf, with topology.yaml or topology.conf, and gres.conf",
    detect: |source| {
        if !source.documents.is_empty() {
            return topology::is_yaml(source);
        }
        let lines = conf::lines(source, &mut Findings::default());
        lines.iter().any(|line| BEGINNINGS.iter().any(|key| line.begins(key)))
    },
    read,
};

/// Keys that stand in no other file.
const BEGINNINGS: [&str; 9] = [
    "ClusterName",
    "SlurmctldHost",
    "ControlMachine",
    "NodeName",
    "PartitionName",
    "SwitchName",
    "BlockName",
    "SchedulerType",
    "PriorityType",
];

/// Who submits jobs, as no file tells it.
const TENANT: &str = "users";

fn read(sources: &[Source], options: &Options, draft: &mut Draft, findings: &mut Findings) {
    let mut lines: Vec<Line<'_>> = Vec::new();
    for source in sources.iter().filter(|source| source.documents.is_empty()) {
        lines.extend(conf::lines(source, findings));
    }
    let racks = topology::read(sources, &lines, findings);
    let placed = nodes::read(&lines, &racks, draft, findings);
    if let (Some(cluster), Some(line)) = (&options.cluster, lines.iter().find(|line| line.begins("NodeName")))
    {
        let told = format!("`--cluster {cluster}`, and nodes are listed");
        findings.complain(line.source, line.number, Problem::new(told).hint("leave out `--cluster`"));
    }
    let default = partitions::read(&lines, &placed, draft, findings);
    let global = policy::Global::of(&lines);
    policy::read(&global, draft, findings);
    licences::read(&global, draft, findings);
    if options.tenants.is_empty() {
        draft.tenants.push(Tenant {
            name: TENANT.to_owned(),
            partition: default,
            weight: None,
            from: String::new(),
        });
        findings
            .assume("accounts, users and what they may hold stand in Slurm's database: there is one tenant");
    }
    leave_out_rest(&lines, findings);
}

/// Whatever nobody has read has no counterpart.
fn leave_out_rest(lines: &[Line<'_>], findings: &mut Findings) {
    for line in lines {
        for (setting, subject) in line.unread() {
            let key = setting.key.to_ascii_lowercase();
            let is_aside = ASIDE.iter().any(|begin| key.starts_with(begin)) || line.begins("Name");
            let known = WHY.iter().find(|(known, _)| known.eq_ignore_ascii_case(&setting.key));
            let why = known.map_or(if is_aside { "" } else { "no counterpart" }, |(_, why)| why);
            let what = format!("{subject}{}={}", setting.key, setting.value);
            findings.leave_out(line.source, line.number, what, why);
        }
    }
}

/// Why keys are left out.
const WHY: &[(&str, &str)] = &[
    ("Weight", "placement does not weigh nodes"),
    ("MaxTime", "partitions do not limit how long jobs run"),
    ("DefaultTime", "a job without an estimate takes what it takes"),
    ("MaxNodes", "partitions do not limit the size of jobs"),
    ("PriorityJobFactor", "partitions have no part in a job's priority but their tier"),
    ("PriorityWeightPartition", "partitions have no part in a job's priority but their tier"),
    ("PriorityWeightQOS", "there is no quality of service; `weight_priority` weighs the priority of a job"),
    ("PriorityWeightAssoc", "tenants have no priority"),
    ("GraceTime", "a job that is stopped stops at once"),
    ("KillWait", "a job that is stopped stops at once"),
    ("OverTimeLimit", "a job says itself what happens at its limit (`overrun`)"),
    ("QOS", "there is no quality of service"),
    ("LinkSpeed", "networks are not modelled"),
];

/// What keys begin with that do not bear on when and where jobs run.
const ASIDE: &[&str] = &[
    "accounting",
    "acctgather",
    "allocnodes",
    "auth",
    "batchstart",
    "bcast",
    "cgroup",
    "cli",
    "commun",
    "control",
    "core",
    "cpufreq",
    "cred",
    "crypto",
    "dataparser",
    "debug",
    "disableroot",
    "eio",
    "epilog",
    "extsensors",
    "firstjobid",
    "getenv",
    "grestypes",
    "hash",
    "health",
    "hidden",
    "interactivestep",
    "jobacct",
    "jobcomp",
    "jobcontainer",
    "jobfileappend",
    "launch",
    "log",
    "mail",
    "maxarraysize",
    "maxdbd",
    "maxjobcount",
    "maxjobid",
    "maxstepcount",
    "maxtaskspernode",
    "mcs",
    "messagetimeout",
    "minjobage",
    "mpi",
    "nodeaddr",
    "nodehostname",
    "parameters",
    "plugin",
    "plugstack",
    "port",
    "prep",
    "privatedata",
    "proctrack",
    "prolog",
    "propagate",
    "reason",
    "reboot",
    "reconfig",
    "returntoservice",
    "route",
    "sbcast",
    "scron",
    "slurmctld",
    "slurmd",
    "slurmuser",
    "slurmsched",
    "srun",
    "statesave",
    "switchtype",
    "switchparam",
    "task",
    "tcptimeout",
    "tmpdisk",
    "tmpfs",
    "track",
    "treewidth",
    "unkillable",
    "usepam",
    "vsizefactor",
    "waittime",
    "x11",
];
