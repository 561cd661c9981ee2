mod quotas;

use crate::cluster::Level;
use crate::history::{History, Segment, WaitReason};
use crate::metrics::{Room, Waited, Walk, nodes_for};
use crate::state::quota::Bound;
use crate::units::{Seconds, Time};
use std::collections::BTreeMap;

/// A stretch of waiting and what there is to show for its reason.
#[derive(Debug, Clone, PartialEq)]
pub struct Stretch {
    /// From when to when, and for what.
    pub waited: Waited,
    /// What there is to show for it; of a quota on the platform that it is tried on first.
    pub evidence: Evidence,
    /// The same on the other platforms that it may run on, one by one, where quotas tell them apart.
    pub elsewhere: Vec<Evidence>,
    /// The jobs that started meanwhile on nodes where it may run, in the order they did.
    pub started: Vec<Passer>,
}

/// What there is to show for a reason.
#[derive(Debug, Clone, PartialEq)]
pub enum Evidence {
    /// What was free where it may run, when most was.
    Room {
        /// When that was.
        at: Time,
        /// What it was.
        room: Room,
        /// Where it has to lie in one domain of a level: that level, and the most wholly free GPUs in one domain of it then.
        domain: Option<(String, u64)>,
        /// Who held most there then.
        holders: Vec<Holder>,
    },
    /// What its tenant, or the jobs of its partition, held of what they may, when they held least.
    Ceiling {
        /// Whose it is.
        whose: String,
        /// What they may hold, thousandths of a GPU.
        ceiling_milli: u64,
        /// When they held least.
        at: Time,
        /// What that was.
        held_milli: u64,
        /// Who held most of it then.
        holders: Vec<Holder>,
    },
    /// How many of the licence that it lacks were held, when fewest were.
    Licence {
        /// What the licence is called.
        name: String,
        /// How many the job holds while it runs.
        asked: u32,
        /// How many there are.
        count: u32,
        /// When fewest were held.
        at: Time,
        /// How many that were.
        held: u64,
        /// Who held most of them then: thousandths of a licence, as of a GPU elsewhere.
        holders: Vec<Holder>,
    },
    /// What kept its queue from holding what it asks for, when least was missing.
    Queue {
        /// When that was.
        at: Time,
        /// What its queue might have held more, thousandths of a GPU.
        room_milli: u64,
        /// What kept it from more.
        refusing: Refusing,
        /// Who held most below the queue that refuses.
        holders: Vec<Holder>,
    },
    /// The job it depends on that was done last, or is not done.
    After {
        /// That job.
        job: u32,
        /// When it was done; [`Time::NEVER`] if never.
        finish: Time,
        /// How long after that the job may begin.
        delay: Seconds,
    },
    /// The reason says it all.
    Plain,
}

/// A queue that keeps a job from starting, and what of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusing {
    /// The queue that the job stands in.
    pub queue: String,
    /// The queue that refuses: that one, or one above it.
    pub name: String,
    /// The platform whose quota it is; none: that of all together.
    pub platform: Option<String>,
    /// What of it.
    pub bound: Bound,
    /// What is used of that: jobs that run, or thousandths of a GPU that are held of a limit, or borrowed, or taken of what
    /// there is.
    pub used: u64,
    /// What there is of it.
    pub most: u64,
}

/// A job that holds something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// Its index.
    pub job: u32,
    /// What it holds there, thousandths of a GPU, or of a licence.
    pub milli: u64,
    /// Until when.
    pub until: Time,
}

/// A job that started while another waited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passer {
    /// Its index.
    pub job: u32,
    /// When it started.
    pub start: Time,
    /// Whether it had been eligible longer, or as long and stands before it in the input.
    pub came_first: bool,
}

/// Holders that are named.
const HOLDERS: usize = 5;

/// Evidence for every stretch of a job's waiting.
pub(super) fn stretches(history: &History, job: u32, waited: &[Waited]) -> Vec<Stretch> {
    let workload = &history.plan.workload;
    let scope = Scope::of(history, nodes_for(history, workload.request_of(job)));
    let mut gaze = Gaze { history, job, scope, walk: Walk::new(history) };
    waited
        .iter()
        .map(|waited| {
            let mut evidence = gaze.evidence(waited).into_iter();
            Stretch {
                waited: *waited,
                evidence: evidence.next().unwrap_or(Evidence::Plain),
                elsewhere: evidence.collect(),
                started: gaze.started(waited),
            }
        })
        .collect()
}

/// The nodes where a job may run.
struct Scope {
    nodes: Vec<u32>,
    /// By node of the cluster.
    is_in: Vec<bool>,
}

impl Scope {
    fn of(history: &History, nodes: Vec<u32>) -> Self {
        let mut is_in = vec![false; history.plan.cluster.nodes() as usize];
        nodes.iter().for_each(|node| is_in[*node as usize] = true);
        Self { nodes, is_in }
    }
    /// What a segment holds in it, thousandths of a GPU; none if it touches no node of it.
    fn milli_of(&self, history: &History, segment: &Segment) -> Option<u64> {
        let pieces = history.pieces_of(segment);
        let touches = |node: u32| self.is_in[node as usize];
        if !pieces.iter().flat_map(|piece| piece.nodes()).any(touches) {
            return None;
        }
        // A job stays in one partition: nearly always all of it is inside.
        if pieces.iter().flat_map(|piece| piece.nodes()).all(touches) {
            return Some(history.gpus_of(segment));
        }
        let inside = pieces.iter().flat_map(|piece| piece.nodes()).filter(|node| touches(*node));
        let whole = |node: u32| u64::from(history.plan.cluster.kind_of(node).gpus) * 1000;
        Some(inside.map(whole).sum::<u64>().min(history.gpus_of(segment)))
    }
}

/// The level of which one domain has to hold a job, if there is one.
fn required_level(history: &History, job: u32) -> Option<&Level> {
    let (cluster, workload) = (&history.plan.cluster, &history.plan.workload);
    let topology = workload.request_of(job).topology;
    let name = &workload.levels[topology.level().filter(|_| topology.is_required())? as usize];
    cluster.levels.get(cluster.level(name)?)
}

/// Looks at what went on while a job waited.
struct Gaze<'a> {
    history: &'a History,
    job: u32,
    scope: Scope,
    walk: Walk<'a>,
}

impl Gaze<'_> {
    /// What there is to show for a reason; of a quota, platform by platform.
    fn evidence(&mut self, waited: &Waited) -> Vec<Evidence> {
        let workload = &self.history.plan.workload;
        let one = match waited.reason {
            WaitReason::Capacity | WaitReason::Shape | WaitReason::Power | WaitReason::Order => {
                self.room(waited)
            }
            WaitReason::Quota => return self.quotas(waited),
            WaitReason::Limit => {
                let index = workload.request_of(self.job).partition;
                let name = workload.partitions[index as usize].clone();
                let limit = self.history.plan.cluster.partition(&name).and_then(|own| own.limit_milli);
                let belongs = move |segment: &Segment, history: &History| {
                    history.plan.workload.request_of(segment.job).partition == index
                };
                self.ceiling(waited, name, limit, belongs)
            }
            WaitReason::Licence => self.licence(waited),
            WaitReason::Dependency => self.after(),
            WaitReason::Held => Evidence::Plain,
        };
        vec![one]
    }

    /// Every instant of a stretch in turn.
    fn instants(&mut self, waited: &Waited, mut look: impl FnMut(&Walk<'_>, &Scope, Time)) {
        let mut now = waited.from;
        while now < waited.to {
            self.walk.to(now);
            look(&self.walk, &self.scope, now);
            let Some(next) = self.walk.next() else { break };
            now = next;
        }
    }

    fn room(&mut self, waited: &Waited) -> Evidence {
        let history = self.history;
        let mut most: Option<(u64, Evidence)> = None;
        let level = required_level(history, self.job);
        self.instants(waited, |walk, scope, at| {
            let free = walk.free_milli(&scope.nodes);
            if most.as_ref().is_none_or(|(most, _)| free > *most) {
                let inside = |segment: &Segment| scope.milli_of(history, segment);
                let in_one = |level: &Level| (level.name.clone(), walk.most_in_a_domain(&scope.nodes, level));
                let (room, holders) = (walk.room(&scope.nodes), holders(walk, inside));
                most = Some((free, Evidence::Room { at, room, domain: level.map(in_one), holders }));
            }
        });
        most.map_or(Evidence::Plain, |(_, evidence)| evidence)
    }

    fn ceiling(
        &mut self,
        waited: &Waited,
        whose: String,
        ceiling: Option<u32>,
        belongs: impl Fn(&Segment, &History) -> bool,
    ) -> Evidence {
        let Some(ceiling_milli) = ceiling.map(u64::from) else { return Evidence::Plain };
        let history = self.history;
        let own = |segment: &Segment| belongs(segment, history).then(|| history.gpus_of(segment));
        let mut least: Option<(Time, u64, Vec<Holder>)> = None;
        self.instants(waited, |walk, _, now| {
            let held: u64 = walk.running().filter_map(own).sum();
            if least.as_ref().is_none_or(|(_, milli, _)| held < *milli) {
                least = Some((now, held, holders(walk, own)));
            }
        });
        least.map_or(Evidence::Plain, |(at, held_milli, holders)| Evidence::Ceiling {
            whose,
            ceiling_milli,
            at,
            held_milli,
            holders,
        })
    }

    /// The first of its licences of which too few were left, when most were.
    fn licence(&mut self, waited: &Waited) -> Evidence {
        let history = self.history;
        let own = &history.plan.workload.request_of(self.job).licences;
        let milli = |segment: &Segment, licence: u32| {
            let held = &history.plan.workload.request_of(segment.job).licences;
            held.iter().find(|(own, _)| *own == licence).map(|(_, count)| u64::from(*count) * 1000)
        };
        let mut least: Option<(u64, Evidence)> = None;
        self.instants(waited, |walk, _, at| {
            for (licence, asked) in own.iter().copied() {
                let known = &history.plan.cluster.licences[licence as usize];
                let held = walk.running().filter_map(|own| milli(own, licence)).sum::<u64>() / 1000;
                if held + u64::from(asked) <= u64::from(known.count) {
                    continue;
                }
                if least.as_ref().is_none_or(|(least, _)| held < *least) {
                    let (name, count) = (known.name.clone(), known.count);
                    let holders = holders(walk, |own| milli(own, licence));
                    least = Some((held, Evidence::Licence { name, asked, count, at, held, holders }));
                }
                break;
            }
        });
        least.map_or(Evidence::Plain, |(_, evidence)| evidence)
    }

    /// The job it depends on that lets it go last.
    fn after(&self) -> Evidence {
        let before =
            self.history.plan.workload.dependencies.edges().filter(|(_, after, _)| *after == self.job);
        let freed =
            |(job, _, delay): (u32, u32, Seconds)| (self.history.jobs[job as usize].finish_time, job, delay);
        let key =
            |(finish, job, delay): &(Time, u32, Seconds)| (finish.0.saturating_add(delay.0), *finish, *job);
        match before.map(freed).max_by_key(key) {
            Some((finish, job, delay)) => Evidence::After { job, finish, delay },
            None => Evidence::Plain,
        }
    }

    /// The jobs that started in a stretch where it may run.
    fn started(&self, waited: &Waited) -> Vec<Passer> {
        if matches!(waited.reason, WaitReason::Dependency) {
            return Vec::new();
        }
        let key = |job: u32| (self.history.jobs[job as usize].eligible_time, job);
        let mut goes_on: BTreeMap<u32, bool> = BTreeMap::new();
        let mut found = Vec::new();
        for segment in &self.history.segments {
            if segment.from >= waited.to {
                break;
            }
            let is_new = !goes_on.insert(segment.job, segment.end.goes_on()).unwrap_or(false);
            let is_other = is_new && segment.job != self.job && segment.from >= waited.from;
            if is_other && self.scope.milli_of(self.history, segment).is_some() {
                let came_first = key(segment.job) < key(self.job);
                found.push(Passer { job: segment.job, start: segment.from, came_first });
            }
        }
        found
    }
}

/// Who holds most of something.
fn holders(walk: &Walk<'_>, milli: impl Fn(&Segment) -> Option<u64>) -> Vec<Holder> {
    let holder = |segment: &Segment| {
        let milli = milli(segment).filter(|milli| *milli > 0)?;
        Some(Holder { job: segment.job, milli, until: segment.to })
    };
    let mut found: Vec<Holder> = walk.running().filter_map(holder).collect();
    found.sort_by_key(|holder| (std::cmp::Reverse(holder.milli), holder.job));
    found.truncate(HOLDERS);
    found
}
