//! What happens: brought by time, or carried out by a decision; every part of a policy hears of all of it.

use super::State;
use crate::history::SegmentEnd;
use crate::units::Time;

/// Something that has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A job became eligible.
    Eligible {
        /// Its index.
        job: u32,
    },
    /// A job holds what it was given.
    Started {
        /// Its index.
        job: u32,
        /// Index of its segment.
        segment: u32,
    },
    /// A running job let go of what it held.
    Ended {
        /// Its index.
        job: u32,
        /// Index of the segment.
        segment: u32,
        /// Why; after [`SegmentEnd::NodeDown`] and [`SegmentEnd::Preempted`] it is pending again.
        end: SegmentEnd,
    },
    /// A running job goes on elsewhere, with more or fewer GPUs, or under another cap: at another rate.
    Changed {
        /// Its index.
        job: u32,
        /// Index of the segment before; the one it still is in where that began at this instant.
        before: u32,
        /// Index of the segment it is in.
        segment: u32,
    },
    /// A pending job was refused for good.
    Rejected {
        /// Its index.
        job: u32,
    },
    /// The outcome of a job that does not run became known: rejected, cancelled, dependency-failed.
    Settled {
        /// Its index.
        job: u32,
    },
    /// A pending job is withdrawn.
    Withdrawn {
        /// Its index.
        job: u32,
    },
    /// A pending job is held back on purpose.
    Held {
        /// Its index.
        job: u32,
        /// Until when.
        until: Time,
    },
    /// A job that was held back waits like all others.
    Released {
        /// Its index.
        job: u32,
    },
    /// The pass over a partition stops at a job.
    Closed {
        /// The partition, as the workload counts them.
        partition: u32,
        /// The blocked job; none: no job is blocked any more.
        head: Option<u32>,
    },
    /// Nodes came, went or broke.
    Capacity,
    /// A change of capacity to come became known.
    Notice,
    /// Caps on power changed, or something else that frees power without freeing anything else.
    Power,
    /// A pass was asked for at an instant to come.
    WakeAt {
        /// When.
        time: Time,
    },
    /// The instant that was asked for has come.
    Timer,
}

/// Which jobs that wait an event may matter to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Concern {
    /// Those of the partitions linked with that of this job.
    Linked(u32),
    /// All.
    All,
    /// None: it is a note, or asks for an instant.
    None,
}

impl Event {
    /// Which jobs that wait it may matter to.
    pub(crate) const fn concern(&self) -> Concern {
        match *self {
            Self::Eligible { job }
            | Self::Released { job }
            | Self::Started { job, .. }
            | Self::Ended { job, .. }
            | Self::Changed { job, .. }
            | Self::Withdrawn { job }
            | Self::Held { job, .. }
            | Self::Settled { job } => Concern::Linked(job),
            Self::Capacity | Self::Notice | Self::Power => Concern::All,
            Self::Rejected { .. } | Self::Closed { .. } | Self::WakeAt { .. } | Self::Timer => Concern::None,
        }
    }
    /// One line for people about what a decision did, for debugging a policy.
    #[must_use]
    pub fn describe(&self, state: &State) -> String {
        let name = |job: u32| state.plan().workload.names.get(job as usize).into_owned();
        let now = state.now().0;
        let held = |segment: u32| {
            let segment = &state.history().segments[segment as usize];
            let mut nodes: Vec<u32> =
                state.history().pieces_of(segment).iter().flat_map(|piece| piece.nodes()).collect();
            nodes.dedup();
            let shown: Vec<String> = nodes.iter().take(8).map(u32::to_string).collect();
            let more = if nodes.len() > 8 { format!(" and {} more", nodes.len() - 8) } else { String::new() };
            format!("nodes {}{more}", shown.join(" "))
        };
        match *self {
            Self::Started { job, segment } => format!("{now} start {} on {}", name(job), held(segment)),
            Self::Ended { job, .. } => format!("{now} stop {}", name(job)),
            Self::Changed { job, before, segment } => {
                let (old, new) = (before as usize, segment as usize);
                let (old, new) = (&state.history().segments[old], &state.history().segments[new]);
                if state.history().pieces_of(old) == state.history().pieces_of(new) {
                    let percent = (u64::from(new.cap.0) * 100).div_ceil(1 << 16);
                    format!("{now} cap {} to {percent} %", name(job))
                } else {
                    format!("{now} change {} to {}", name(job), held(segment))
                }
            }
            Self::Rejected { job } => format!("{now} reject {}", name(job)),
            Self::Held { job, until } => format!("{now} hold {} until {}", name(job), until.0),
            Self::Released { job } => format!("{now} release {}", name(job)),
            Self::Closed { partition, head } => {
                let partition = &state.plan().workload.partitions[partition as usize];
                head.map_or_else(
                    || format!("{now} partition {partition} is no longer blocked"),
                    |job| format!("{now} partition {partition} stops at {}", name(job)),
                )
            }
            Self::WakeAt { time } => format!("{now} wake at {}", time.0),
            Self::Eligible { job } => format!("{now} eligible {}", name(job)),
            Self::Settled { job } => format!("{now} settled {}", name(job)),
            Self::Withdrawn { job } => format!("{now} withdrawn {}", name(job)),
            Self::Capacity => format!("{now} capacity"),
            Self::Notice => format!("{now} notice"),
            Self::Power => format!("{now} power"),
            Self::Timer => format!("{now} timer"),
        }
    }
}
