use crate::units::{Seconds, Time};

/// One job: what it does and when; what it needs and how it behaves are indices into the workload's tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Job {
    /// When the user submits it.
    pub submit_time: Time,
    /// Seconds of work on the reference platform, at least 1.
    pub work_time: Seconds,
    /// The user's estimate of `work_time`, at least 1; equal to it where nothing is known.
    pub requested_time: Seconds,
    /// When the user withdraws it if it has not started by then; [`Time::NEVER`] if never.
    pub cancel_time: Time,
    /// How long after its submission it has to be done, at least 1; [`Seconds::FOREVER`]: it has no deadline.
    pub deadline: Seconds,
    /// Index into [`Workload::requests`](super::Workload::requests).
    pub request: u32,
    /// Index into [`Workload::behaviours`](super::Workload::behaviours).
    pub behaviour: u32,
    /// Index into [`Workload::tenants`](super::Workload::tenants).
    pub tenant: u32,
    /// Higher goes first where the order looks at it.
    pub priority: i32,
    /// Whether its work ends in failure: its dependents then never become eligible.
    pub fails: bool,
}

impl Job {
    /// A job of one second of work submitted at `submit_time`, every index 0.
    #[must_use]
    pub const fn at(submit_time: Time) -> Self {
        Self {
            submit_time,
            work_time: Seconds(1),
            requested_time: Seconds(1),
            cancel_time: Time::NEVER,
            deadline: Seconds::FOREVER,
            request: 0,
            behaviour: 0,
            tenant: 0,
            priority: 0,
            fails: false,
        }
    }
    /// The same job with this estimate.
    #[must_use]
    pub const fn requesting(mut self, requested_time: Seconds) -> Self {
        self.requested_time = requested_time;
        self
    }
    /// The last instant at which it is done in time; none: it has no deadline.
    ///
    /// ```
    /// use gigawatt::units::{Seconds, Time};
    /// use gigawatt::workload::Job;
    /// let job = Job { deadline: Seconds(3600), ..Job::at(Time(30)) };
    /// assert_eq!(job.due_time(), Some(Time(3630)));
    /// assert_eq!(Job::at(Time(30)).due_time(), None);
    /// ```
    #[must_use]
    pub fn due_time(&self) -> Option<Time> {
        (self.deadline != Seconds::FOREVER).then(|| self.submit_time + self.deadline)
    }
}
