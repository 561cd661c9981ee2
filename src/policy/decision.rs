//! What a policy decided.

use super::View;
use crate::units::Time;

/// Something a policy decided, as the simulation and `--trace-decisions` see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// A job starts; what it holds is in the segment.
    Start {
        /// Index of its segment.
        segment: u32,
    },
    /// A job is stopped and waits again.
    Stop {
        /// Index of the segment that ended.
        segment: u32,
    },
    /// A job goes on elsewhere, or with more or fewer GPUs.
    Change {
        /// Index of the segment that begins.
        segment: u32,
    },
    /// A job goes on where it is, its GPUs capped otherwise.
    Cap {
        /// Index of the segment that begins, or began at this instant.
        segment: u32,
    },
    /// A job is refused for good.
    Reject {
        /// Its index.
        job: u32,
    },
    /// The pass over a queue stops at a job.
    Wait {
        /// The queue.
        queue: u32,
        /// The blocked job; none: nobody is blocked any more.
        head: Option<u32>,
    },
    /// A job is held back from its queue.
    Hold {
        /// Its index.
        job: u32,
        /// Until when.
        until: Time,
    },
    /// A pass is wanted at this instant.
    WakeAt {
        /// When.
        time: Time,
    },
}

impl Decision {
    /// One line for people, for debugging a policy.
    #[must_use]
    pub fn describe(&self, view: &View) -> String {
        let name = |job: u32| view.plan().workload.names.get(job as usize).into_owned();
        let now = view.now().0;
        let held = |segment: u32| {
            let segment = &view.history().segments[segment as usize];
            let mut nodes: Vec<u32> =
                view.history().pieces_of(segment).iter().flat_map(|piece| piece.nodes()).collect();
            nodes.dedup();
            let shown: Vec<String> = nodes.iter().take(8).map(u32::to_string).collect();
            let more = if nodes.len() > 8 { format!(" and {} more", nodes.len() - 8) } else { String::new() };
            (name(segment.job), format!("nodes {}{more}", shown.join(" ")))
        };
        match *self {
            Self::Start { segment } => {
                let (job, nodes) = held(segment);
                format!("{now} start {job} on {nodes}")
            }
            Self::Stop { segment } => format!("{now} stop {}", held(segment).0),
            Self::Change { segment } => {
                let (job, nodes) = held(segment);
                format!("{now} change {job} to {nodes}")
            }
            Self::Cap { segment } => {
                let held = &view.history().segments[segment as usize];
                let percent = (u64::from(held.cap.0) * 100).div_ceil(1 << 16);
                format!("{now} cap {} to {percent} %", name(held.job))
            }
            Self::Reject { job } => format!("{now} reject {}", name(job)),
            Self::Wait { queue, head } => {
                let queue = &view.plan().workload.partitions[queue as usize];
                head.map_or_else(
                    || format!("{now} queue {queue} is no longer blocked"),
                    |job| format!("{now} queue {queue} stops at {}", name(job)),
                )
            }
            Self::Hold { job, until } => format!("{now} hold {} until {}", name(job), until.0),
            Self::WakeAt { time } => format!("{now} wake at {}", time.0),
        }
    }
}
