//! What a column of a table can tell of a job, and what numbers of time count in.

macro_rules! keys {
    ($($variant:ident $name:literal $about:literal)*) => {
        /// What a column of a table can tell of a job.
        ///
        /// ```
        /// use gigawatt::trace::Key;
        /// assert_eq!(Key::from_name("work_time"), Some(Key::WorkTime));
        /// assert_eq!(Key::WorkTime.name(), "work_time");
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Key { $(#[doc = $about] $variant,)* }

        impl Key {
            /// Every key, in the order of the declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
            /// How many there are.
            pub const COUNT: usize = Self::ALL.len();
            /// As `map` calls it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
            /// What the column says.
            #[must_use]
            pub const fn about(self) -> &'static str {
                match self { $(Self::$variant => $about,)* }
            }
        }
    };
}

keys! {
    Gpus "gpus" "GPUs in all: whole, or a share of one"
    Pods "pods" "how many pods they are in"
    PodGpus "pod_gpus" "GPUs of each pod"
    SubmitTime "submit_time" "when it is submitted"
    WaitTime "wait_time" "how long it waited"
    StartTime "start_time" "when it started"
    EndTime "end_time" "when it ended or left"
    WorkTime "work_time" "how long it ran; else end_time - start_time"
    RequestedTime "requested_time" "the user's estimate of work_time"
    Deadline "deadline" "how long after submit_time it has to be done"
    JobId "job_id" "its name; else the number of its row"
    Tenant "tenant" "who asks for it"
    Partition "partition" "the set of nodes it may use"
    State "state" "how it ended (see states)"
    Priority "priority" "a whole number, higher goes first"
    Kind "kind" "what it is for: pretrain, finetune, rl, eval, batch-inference, inference-service, data"
    Platforms "platforms" "types of GPU it may run on"
    Cpu "cpu" "CPU cores of each pod"
    Memory "memory_mib" "memory of each pod, MiB"
}

impl Key {
    /// The key of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|key| key.name() == name)
    }
    /// Whether it tells a time, or a length of time.
    #[must_use]
    pub const fn is_time(self) -> bool {
        use Key::{Deadline, EndTime, RequestedTime, StartTime, SubmitTime, WaitTime, WorkTime};
        matches!(self, SubmitTime | WaitTime | StartTime | EndTime | WorkTime | RequestedTime | Deadline)
    }
}

/// What numbers of time count in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TimeUnit {
    /// Seconds.
    #[default]
    Second,
    /// Thousandths of a second.
    Millisecond,
    /// Millionths of a second.
    Microsecond,
    /// Billionths of a second.
    Nanosecond,
    /// Minutes.
    Minute,
    /// Hours.
    Hour,
    /// Days.
    Day,
}

impl TimeUnit {
    /// Every unit by its name.
    pub const ALL: [(&'static str, Self); 7] = [
        ("s", Self::Second),
        ("ms", Self::Millisecond),
        ("us", Self::Microsecond),
        ("ns", Self::Nanosecond),
        ("m", Self::Minute),
        ("h", Self::Hour),
        ("d", Self::Day),
    ];
    /// Its plural, in words.
    #[must_use]
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Second => "seconds",
            Self::Millisecond => "milliseconds",
            Self::Microsecond => "microseconds",
            Self::Nanosecond => "nanoseconds",
            Self::Minute => "minutes",
            Self::Hour => "hours",
            Self::Day => "days",
        }
    }
    /// How many of it make a second, and how many seconds it is; one of the two is 1.
    #[must_use]
    pub const fn ratio(self) -> (u64, u64) {
        match self {
            Self::Second => (1, 1),
            Self::Millisecond => (1000, 1),
            Self::Microsecond => (1_000_000, 1),
            Self::Nanosecond => (1_000_000_000, 1),
            Self::Minute => (1, 60),
            Self::Hour => (1, 3600),
            Self::Day => (1, 86_400),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_units_are_known_by_their_names() {
        for key in Key::ALL {
            assert_eq!(Key::from_name(key.name()), Some(*key), "{}", key.about());
        }
        assert_eq!(Key::from_name("ncpus"), None, "no key");
        for (name, unit) in TimeUnit::ALL {
            let (parts, whole) = unit.ratio();
            assert!(parts == 1 || whole == 1, "{name}: {} are parts or many of a second", unit.plural());
        }
    }
}
