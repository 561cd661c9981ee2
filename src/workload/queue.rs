use super::Workload;

/// An entitlement to GPUs that jobs of some tenants, or in some partitions, share; queues stand above one another.
///
/// Amounts are thousandths of GPUs; what they mean together is told in [`state::quota`](crate::state::quota).
///
/// ```
/// use gigawatt::workload::Queue;
/// let cloud = Queue { nominal_milli: Some(256_000), ..Queue::named("cloud") };
/// let research = Queue { parent: Some(0), tenants: vec![0, 2], ..Queue::named("research") };
/// assert!(research.takes(2, 5) && !research.takes(1, 5));
/// assert!(!cloud.takes(0, 0), "it has queues below it");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    /// Unique among queues and partitions.
    pub name: String,
    /// The queue above it, which comes before it; none: it is a root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<u32>,
    /// The tenants whose jobs it takes, ascending; empty: those of any tenant, in its partitions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tenants: Vec<u32>,
    /// The partitions whose jobs it takes, ascending; empty: those of its tenants in any partition.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partitions: Vec<u32>,
    /// What is its own; none: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nominal_milli: Option<u32>,
    /// What it may hold beyond its own; none: whatever others leave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub borrow_milli: Option<u32>,
    /// What others may borrow of its own; none: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lend_milli: Option<u32>,
    /// The most that it and the queues below it may hold together; none: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_milli: Option<u32>,
    /// What it is to get, relative to those beside it, thousandths, where the order heeds that; none: 1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_milli: Option<u32>,
}

impl Queue {
    /// The most queues that stand above one another.
    pub const DEPTH_MAX: usize = 16;

    /// A queue that takes no jobs and has nothing of its own.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }
    /// What it is to get, relative to those beside it, thousandths.
    #[must_use]
    pub fn weight(&self) -> u32 {
        self.weight_milli.unwrap_or(1000)
    }
    /// Whether it takes jobs itself; else there are queues below it.
    #[must_use]
    pub const fn has_jobs(&self) -> bool {
        !self.tenants.is_empty() || !self.partitions.is_empty()
    }
    /// Whether it takes the jobs of a tenant in a partition.
    #[must_use]
    pub fn takes(&self, tenant: u32, partition: u32) -> bool {
        let names = |all: &[u32], one: u32| all.is_empty() || all.binary_search(&one).is_ok();
        self.has_jobs() && names(&self.tenants, tenant) && names(&self.partitions, partition)
    }
    /// A tenant and a partition, none: any, whose jobs both this and another queue take.
    ///
    /// ```
    /// use gigawatt::workload::Queue;
    /// let train = Queue { partitions: vec![1], ..Queue::named("train") };
    /// let meta = Queue { tenants: vec![4], ..Queue::named("meta") };
    /// assert_eq!(train.meets(&meta), Some((Some(4), Some(1))));
    /// assert_eq!(train.meets(&Queue { partitions: vec![2], ..meta }), None);
    /// ```
    #[must_use]
    pub fn meets(&self, other: &Self) -> Option<(Option<u32>, Option<u32>)> {
        let common = |own: &[u32], theirs: &[u32]| match (own, theirs) {
            ([], []) => Some(None),
            ([one, ..], []) | ([], [one, ..]) => Some(Some(*one)),
            _ => own.iter().find(|one| theirs.binary_search(one).is_ok()).map(|one| Some(*one)),
        };
        let both = self.has_jobs() && other.has_jobs();
        let tenant = common(&self.tenants, &other.tenants).filter(|_| both)?;
        Some((tenant, common(&self.partitions, &other.partitions)?))
    }
}

/// Who stands where.
impl Workload {
    /// The queue that job `job` stands in; none: no queue takes it.
    ///
    /// # Complexity
    /// O(|queues|) time.
    #[must_use]
    pub fn queue_of(&self, job: u32) -> Option<u32> {
        let (tenant, partition) = (self.jobs[job as usize].tenant, self.request_of(job).partition);
        (0..).zip(&self.queues).find(|(_, queue)| queue.takes(tenant, partition)).map(|(index, _)| index)
    }
    /// A queue and those above it, the root last.
    ///
    /// ```
    /// use gigawatt::workload::{Queue, Workload};
    /// let below = Queue { parent: Some(0), ..Queue::named("research") };
    /// let workload = Workload { queues: vec![Queue::named("cloud"), below], ..Workload::default() };
    /// assert_eq!(workload.queues_above(1).collect::<Vec<_>>(), [1, 0]);
    /// ```
    pub fn queues_above(&self, queue: u32) -> impl Iterator<Item = u32> {
        std::iter::successors(Some(queue), |queue| self.queues[*queue as usize].parent)
    }
}
