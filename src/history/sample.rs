//! Consistent histories for tests: a small machine that serves first come first served, written without any thought
//! of speed, on random clusters with random jobs.

mod failing;

pub(crate) use failing::failing;

use super::{
    History, JobRecord, Outcome, Piece, Plan, Segment, SegmentEnd, Settings, WaitReason, WaitRecord, Why,
};
use crate::cluster::{CapacityChange, Cluster, NodeKind, NodeState, Partition};
use crate::random::{Purpose, Stream};
use crate::units::{Factor, Gpus, Seconds, Time};
use crate::workload::{
    Behaviour, Builder, Graph, Job, PlatformSet, Request, Shape, Tenant, Topology, Workload,
};

/// Random numbers in the order they are asked for.
#[derive(Debug)]
pub(crate) struct Dice {
    stream: Stream,
    thrown: u32,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self { stream: Stream::new(seed, Purpose::Requests), thrown: 0 }
    }
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        self.thrown += 1;
        self.stream.below(0, self.thrown, bound)
    }
    pub(crate) fn one_in(&mut self, chances: u32) -> bool {
        self.below(chances) == 0
    }
    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(u32::try_from(from.len()).unwrap()) as usize]
    }
}

/// What is free on one node.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) up: bool,
    pub(crate) free_milli: Vec<u32>,
    pub(crate) cpu_milli: u32,
    pub(crate) memory_mib: u32,
}

impl Node {
    pub(crate) fn whole(&self) -> u32 {
        u32::try_from(self.free_milli.iter().filter(|milli| **milli == 1000).count()).unwrap()
    }
    fn has_host(&self, request: &Request, pods: u32) -> bool {
        let enough = |free: u32, each: u32| free == u32::MAX || free / each.max(1) >= pods || each == 0;
        enough(self.cpu_milli, request.cpu_milli) && enough(self.memory_mib, request.memory_mib)
    }
    /// How many pods of this many GPUs it holds, up to `most`.
    pub(crate) fn pods(&self, request: &Request, milli: u32, most: u32) -> u32 {
        let room = match milli {
            0 => most,
            1..1000 => self.free_milli.iter().map(|free| free / milli).sum(),
            _ => self.whole() / (milli / 1000),
        };
        (1..=most.min(room)).rev().find(|pods| self.up && self.has_host(request, *pods)).unwrap_or(0)
    }
}

/// The whole cluster at one instant, and how the small machine places a job on it.
#[derive(Debug, Clone)]
pub(crate) struct Machine<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) nodes: Vec<Node>,
}

impl<'a> Machine<'a> {
    pub(crate) fn new(cluster: &'a Cluster) -> Self {
        let node = |index| {
            let kind = cluster.kind_of(index);
            let free_milli = vec![1000; kind.gpus as usize];
            Node { up: true, free_milli, cpu_milli: kind.cpu_milli, memory_mib: kind.memory_mib }
        };
        Self { cluster, nodes: (0..cluster.nodes()).map(node).collect() }
    }

    /// Nodes where a request may run, in whatever state.
    pub(crate) fn scope(&self, workload: &Workload, request: &Request) -> Vec<u32> {
        let partition = self.cluster.partition(&workload.partitions[request.partition as usize]).unwrap();
        let allowed = |node: &u32| request.platforms.contains(self.cluster.kind_of(*node).platform as usize);
        partition.nodes.iter().cloned().flatten().filter(allowed).collect()
    }

    /// What the request would hold if it started now.
    pub(crate) fn place(&self, scope: &[u32], request: &Request) -> Option<Vec<Piece>> {
        if request.gpus() == Gpus::ZERO && request.cpu_milli == 0 && request.memory_mib == 0 {
            return Some(Vec::new());
        }
        let largest = scope.iter().map(|node| self.cluster.kind_of(*node).gpus).max()?;
        let groups = self.groups(scope, request.topology);
        match request.shape {
            Shape::Any { gpus_milli } if gpus_milli <= largest * 1000 => {
                self.pods(&[scope.to_vec()], request, 1, gpus_milli)
            }
            Shape::Any { gpus_milli } => groups.iter().find_map(|group| {
                let size = self.cluster.kind_of(group[0]).gpus;
                let (wanted, rest) =
                    (gpus_milli / 1000).checked_div(size).map(|n| (n, gpus_milli / 1000 % size))?;
                let whole = self.pods(std::slice::from_ref(group), request, wanted, size * 1000)?;
                if rest == 0 {
                    return Some(whole);
                }
                let taken: Vec<u32> = whole.iter().flat_map(|piece| piece.nodes()).collect();
                let others = group.iter().copied().filter(|node| !taken.contains(node)).collect();
                let last = self.pods(&[others], request, 1, rest * 1000)?;
                Some([whole, last].concat())
            }),
            Shape::Pods { count: 1, gpus_milli_each } => {
                self.pods(&[scope.to_vec()], request, 1, gpus_milli_each)
            }
            Shape::Pods { count, gpus_milli_each } => self.pods(&groups, request, count, gpus_milli_each),
        }
    }

    /// The sets of nodes a gang may spread over: of one kind, and of one rack where that is required.
    fn groups(&self, scope: &[u32], topology: Topology) -> Vec<Vec<u32>> {
        let key = |node: &u32| {
            let kind = self.cluster.kind_of(*node);
            let rack = self.cluster.rack_of(*node);
            (kind.platform, kind.gpus, if topology == Topology::RequireRack { rack } else { 0 })
        };
        let mut keys: Vec<_> = scope.iter().map(key).collect();
        keys.sort_unstable();
        keys.dedup();
        keys.iter().map(|k| scope.iter().copied().filter(|node| key(node) == *k).collect()).collect()
    }

    fn pods(&self, groups: &[Vec<u32>], request: &Request, count: u32, milli: u32) -> Option<Vec<Piece>> {
        groups.iter().find_map(|group| {
            let mut left = count;
            let mut pieces = Vec::new();
            for node in group {
                let here = self.nodes[*node as usize].pods(request, milli, left);
                let mut state = self.nodes[*node as usize].clone();
                for _ in 0..here {
                    pieces.push(piece(&mut state, *node, milli));
                }
                left -= here;
            }
            (left == 0).then_some(pieces)
        })
    }

    /// Takes the pieces of a job, or gives them back.
    pub(crate) fn apply(&mut self, pieces: &[Piece], request: &Request, take: bool) {
        let change = |free: &mut u32, amount: u32| {
            if *free != u32::MAX {
                *free = if take { *free - amount } else { *free + amount };
            }
        };
        for piece in pieces {
            for node in piece.nodes() {
                let node = &mut self.nodes[node as usize];
                change(&mut node.cpu_milli, request.cpu_milli);
                change(&mut node.memory_mib, request.memory_mib);
                for (gpu, free) in node.free_milli.iter_mut().enumerate() {
                    match *piece {
                        Piece::Nodes { .. } => change(free, 1000),
                        Piece::Gpus { mask, .. } if mask >> gpu & 1 == 1 => change(free, 1000),
                        Piece::Share { gpu: shared, milli, .. } if usize::from(shared) == gpu => {
                            change(free, u32::from(milli));
                        }
                        _ => {}
                    }
                }
            }
        }
    }
}

/// The first place on a node for one pod, which is taken there.
fn piece(state: &mut Node, node: u32, milli: u32) -> Piece {
    if milli > 0 && milli < 1000 {
        let gpu = state.free_milli.iter().position(|free| *free >= milli).unwrap();
        state.free_milli[gpu] -= milli;
        return Piece::Share { node, gpu: u16::try_from(gpu).unwrap(), milli: u16::try_from(milli).unwrap() };
    }
    let free = state.free_milli.iter_mut().enumerate().filter(|(_, free)| **free == 1000);
    let mask = free.take((milli / 1000) as usize).fold(0, |mask, (gpu, free)| {
        *free = 0;
        mask | 1_u64 << gpu
    });
    if milli > 0 && mask.count_ones() as usize == state.free_milli.len() {
        return Piece::Nodes { word: node / 64, mask: 1 << (node % 64) };
    }
    Piece::Gpus { node, mask }
}

fn cluster(dice: &mut Dice) -> Cluster {
    let mut cluster = Cluster::single_feed();
    for platform in 0..1 + dice.below(3) {
        let gpus = dice.pick(&[1, 4, 8]);
        let cpu_milli = dice.pick(&[u32::MAX, 16_000]);
        let kind = cluster.add_kind(NodeKind { platform, gpus, cpu_milli, ..NodeKind::default() });
        for _ in 0..1 + dice.below(3) {
            let nodes = 1 + dice.below(5);
            cluster.add_rack(0, kind, nodes);
        }
    }
    let nodes = cluster.nodes();
    let middle = nodes.div_ceil(2);
    cluster.partitions.push(Partition::new("half".to_owned(), std::iter::once(0..middle).collect()));
    if dice.one_in(2) {
        let first = dice.below(nodes);
        let states = [NodeState::Absent, NodeState::Draining, NodeState::Down];
        let mut time = 0;
        for state in [dice.pick(&states), dice.pick(&states), NodeState::Up] {
            time += dice.below(300);
            cluster.changes.push(CapacityChange::surprise(Time(time), first..nodes, state));
        }
    }
    cluster
}

fn request(dice: &mut Dice, cluster: &Cluster) -> Request {
    let gpus = dice.pick(&[0, 1, 1, 2, 3, 4, 6, 8, 12, 16]);
    let shape = match dice.below(6) {
        0 => {
            Shape::Pods { count: 1 + dice.below(3), gpus_milli_each: dice.pick(&[0, 500, 1000, 2000, 4000]) }
        }
        1 => Shape::Any { gpus_milli: dice.pick(&[100, 500, 700]) },
        _ => Shape::Any { gpus_milli: gpus * 1000 },
    };
    let platforms = match dice.below(4) {
        0 => PlatformSet::NONE.with(cluster.kinds[0].platform as usize),
        _ => PlatformSet::ALL,
    };
    Request {
        shape,
        platforms,
        cpu_milli: dice.pick(&[0, 0, 0, 4_000, 9_000]),
        topology: dice.pick(&[Topology::PreferRack, Topology::PreferRack, Topology::RequireRack]),
        partition: dice.below(2),
        ..Request::gang(Gpus::ZERO)
    }
}

fn workload(dice: &mut Dice, cluster: &Cluster) -> Workload {
    let mut builder = Builder::default();
    builder.partition(Workload::DEFAULT_PARTITION);
    builder.partition("half");
    for tenant in 0..1 + dice.below(3) {
        let quota = dice.one_in(3).then(|| 1000 * (4 + dice.below(12)));
        builder.add_tenant(Tenant { quota_milli: quota, ..Tenant::named(format!("tenant-{tenant}")) });
    }
    let requests: Vec<u32> =
        (0..2 + dice.below(8)).map(|_| builder.request(request(dice, cluster))).collect();
    let plain = builder.behaviour(Behaviour { preemptible: false, ..Behaviour::default() });
    let stoppable = builder.behaviour(Behaviour {
        preemptible: true,
        checkpoint_interval: Seconds(10),
        restart_time: Seconds(3),
        speeds: vec![Factor::from_f64(1.5).unwrap()],
        ..Behaviour::default()
    });
    let span = 50 + dice.below(400);
    for index in 0..20 + dice.below(60) {
        let submit_time = Time(dice.below(span));
        let work_time = Seconds(1 + dice.below(90));
        let job = Job {
            work_time,
            request: dice.pick(&requests),
            behaviour: dice.pick(&[plain, stoppable]),
            tenant: dice.below(1 + index % 2),
            cancel_time: if dice.one_in(9) { submit_time + Seconds(dice.below(60)) } else { Time::NEVER },
            fails: dice.one_in(12),
            ..Job::at(submit_time).requesting(work_time)
        };
        let job = builder.push_named(job, &format!("job {index}"));
        if job > 4 && dice.one_in(4) {
            let before = job - 1 - dice.below(4);
            builder.graph().add(before, job, Seconds(dice.below(20)));
            if before + 1 == job {
                builder.add_graph(Graph { name: format!("graph {job}"), jobs: vec![before, job] });
            }
        }
    }
    let tenants = builder.jobs_mut().iter().map(|job| job.tenant).max().unwrap();
    for tenant in 0..=tenants {
        builder.tenant(&format!("tenant-{tenant}"));
    }
    builder.try_finish().expect("edges only go forward")
}

/// A random plan and what the small machine makes of it; the seed also chooses how passes go.
pub(crate) fn random(seed: u64) -> History {
    let mut dice = Dice::new(seed);
    let cluster = cluster(&mut dice);
    let workload = workload(&mut dice, &cluster);
    let settings = Settings {
        seed,
        order: "fifo".to_owned(),
        backfill: dice.pick(&["none", "skip"]).to_owned(),
        placement: "first-fit".to_owned(),
        cycle: dice.one_in(3).then(|| 1 + dice.below(30)),
        until: dice.one_in(3).then(|| 100 + dice.below(300)),
        ..Settings::default()
    };
    run(Plan { cluster, workload, settings }, dice)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// How many predecessors have not succeeded.
    Waits(u32),
    Pending,
    /// The open segment.
    Runs(usize),
    Settled,
}

struct Run<'a> {
    plan: &'a Plan,
    machine: Machine<'a>,
    states: Vec<State>,
    /// Work left, Q16.
    left: Vec<u64>,
    /// The earliest start as far as predecessors tell.
    ready: Vec<Time>,
    finishes: Vec<Time>,
    stopped: Vec<bool>,
    usage: Vec<u32>,
    history: History,
}

/// Runs a plan on the small machine.
pub(crate) fn run(plan: Plan, mut dice: Dice) -> History {
    let jobs = plan.workload.jobs.len();
    let never =
        JobRecord { eligible_time: Time::NEVER, finish_time: Time::NEVER, outcome: Outcome::Unfinished };
    let mut run = Run {
        plan: &plan,
        machine: Machine::new(&plan.cluster),
        states: (0..plan.workload.len())
            .map(|job| State::Waits(plan.workload.dependencies.predecessor_count(job)))
            .collect(),
        left: plan.workload.jobs.iter().map(|job| u64::from(job.work_time.0) << 16).collect(),
        ready: plan.workload.jobs.iter().map(|job| job.submit_time).collect(),
        finishes: vec![Time::NEVER; jobs],
        stopped: vec![false; jobs],
        usage: vec![0; plan.workload.tenants.len()],
        history: History { jobs: vec![never; jobs], complete: true, ..History::default() },
    };
    for job in 0..plan.workload.len() {
        let own = &mut run.history.jobs[job as usize];
        if run.states[job as usize] == State::Waits(0) {
            own.eligible_time = plan.workload.jobs[job as usize].submit_time;
        }
    }
    let until = plan.settings.until.unwrap_or(4_000);
    for now in 0..=until {
        run.step(Time(now), &mut dice);
        run.history.end = Time(now);
        if run.states.iter().all(|state| *state == State::Settled) {
            break;
        }
    }
    let mut history = run.history;
    if !history.waits.is_empty() {
        history.wait_classes = (0..plan.workload.len()).collect();
    }
    history.plan = plan;
    history
}

impl Run<'_> {
    fn step(&mut self, now: Time, dice: &mut Dice) {
        let jobs = self.plan.workload.len();
        for job in 0..jobs {
            if self.finishes[job as usize] == now {
                let failed = self.plan.workload.jobs[job as usize].fails;
                let end = if failed { SegmentEnd::Failed } else { SegmentEnd::Completed };
                self.stop(job, now, end);
                self.settle(job, now, if failed { Outcome::Failed } else { Outcome::Completed });
            }
        }
        self.change_capacity(now);
        for job in 0..jobs {
            let asked = &self.plan.workload.jobs[job as usize];
            let fresh = matches!(self.states[job as usize], State::Waits(_) | State::Pending);
            let started = self.stopped[job as usize];
            if fresh && !started && asked.cancel_time == now {
                self.settle(job, now, Outcome::Cancelled);
            }
            let eligible = self.history.jobs[job as usize].eligible_time == now;
            if eligible && self.states[job as usize] == State::Waits(0) {
                self.states[job as usize] = State::Pending;
            }
        }
        if now.0.is_multiple_of(self.plan.settings.cycle.unwrap_or(1)) {
            self.preempt(now, dice);
            for queue in 0..self.plan.workload.partitions.len() {
                self.pass(now, u32::try_from(queue).unwrap(), dice);
            }
        }
    }

    fn change_capacity(&mut self, now: Time) {
        for change in self.plan.cluster.changes.iter().filter(|change| change.time == now) {
            for node in change.nodes.clone() {
                self.machine.nodes[node as usize].up = change.state == NodeState::Up;
            }
            if matches!(change.state, NodeState::Down | NodeState::Absent) {
                for job in 0..self.plan.workload.len() {
                    let State::Runs(segment) = self.states[job as usize] else { continue };
                    let pieces = self.history.pieces_of(&self.history.segments[segment]);
                    if pieces.iter().flat_map(|piece| piece.nodes()).any(|node| change.nodes.contains(&node))
                    {
                        self.stop(job, now, SegmentEnd::NodeDown);
                    }
                }
            }
        }
    }

    fn preempt(&mut self, now: Time, dice: &mut Dice) {
        for job in 0..self.plan.workload.len() {
            let running = matches!(self.states[job as usize], State::Runs(_));
            if running && self.plan.workload.behaviour_of(job).preemptible && dice.one_in(50) {
                self.stop(job, now, SegmentEnd::Preempted);
            }
        }
    }

    fn pass(&mut self, now: Time, queue: u32, dice: &mut Dice) {
        let workload = &self.plan.workload;
        let mut pending: Vec<u32> = (0..workload.len())
            .filter(|job| self.states[*job as usize] == State::Pending)
            .filter(|job| workload.request_of(*job).partition == queue)
            .collect();
        pending.sort_by_key(|job| (self.history.jobs[*job as usize].eligible_time, *job));
        let strict = self.plan.settings.backfill == "none";
        for job in pending {
            let held_back = !strict && dice.one_in(4);
            if held_back || !self.start(job, now) {
                self.waits(now, job);
                if strict {
                    break;
                }
            }
        }
    }

    /// A reason of waiting, any: what reads and writes it does not mind whether it is true.
    fn waits(&mut self, now: Time, job: u32) {
        let any = usize::try_from(now.0 + job).unwrap();
        // One that came later would make other histories of the same seeds.
        let reason = WaitReason::ALL[1 + any % (WaitReason::Held as usize)];
        let why = match any / 7 % 4 {
            0 => Why::Job { job, reason },
            1 => Why::AsClass { job },
            _ => Why::Class { class: job, reason },
        };
        self.history.waits.push(WaitRecord { time: now, why });
    }

    fn start(&mut self, job: u32, now: Time) -> bool {
        let workload = &self.plan.workload;
        let request = workload.request_of(job);
        let tenant = workload.jobs[job as usize].tenant as usize;
        let quota = workload.tenants[tenant].quota_milli.unwrap_or(u32::MAX);
        if self.usage[tenant] + request.gpus().milli() > quota {
            return false;
        }
        let scope = self.machine.scope(workload, request);
        let Some(pieces) = self.machine.place(&scope, request) else { return false };
        self.machine.apply(&pieces, request, true);
        self.usage[tenant] += request.gpus().milli();
        let behaviour = workload.behaviour_of(job);
        let platform = pieces.first().and_then(|piece| piece.nodes().next());
        let rate = platform
            .map_or(Factor::ONE, |node| behaviour.speed(self.plan.cluster.kind_of(node).platform as usize));
        let restart = if self.stopped[job as usize] { behaviour.restart_time.0 } else { 0 };
        let work = u32::try_from(self.left[job as usize].div_ceil(u64::from(rate.0))).unwrap();
        self.finishes[job as usize] = Time(now.0 + restart + work.max(1));
        self.states[job as usize] = State::Runs(self.history.segments.len());
        self.history.segments.push(Segment {
            job,
            from: now,
            to: Time::NEVER,
            first_piece: u32::try_from(self.history.pieces.len()).unwrap(),
            pieces: u32::try_from(pieces.len()).unwrap(),
            rate,
            cap: Factor::ONE,
            restart,
            end: SegmentEnd::Open,
        });
        self.history.pieces.extend(pieces);
        true
    }

    fn stop(&mut self, job: u32, now: Time, end: SegmentEnd) {
        let State::Runs(index) = self.states[job as usize] else { panic!("only what runs is stopped") };
        let request = self.plan.workload.request_of(job);
        let segment = &mut self.history.segments[index];
        (segment.to, segment.end) = (now, end);
        let (first, pieces) = (segment.first_piece as usize, segment.pieces as usize);
        self.machine.apply(&self.history.pieces[first..first + pieces], request, false);
        self.usage[self.plan.workload.jobs[job as usize].tenant as usize] -= request.gpus().milli();
        self.states[job as usize] = State::Pending;
        self.finishes[job as usize] = Time::NEVER;
        self.stopped[job as usize] = true;
        let worked = u64::from(now.since(segment.from).0.saturating_sub(segment.restart));
        let total = u64::from(self.plan.workload.jobs[job as usize].work_time.0) << 16;
        let interval = u64::from(self.plan.workload.behaviour_of(job).checkpoint_interval.0) << 16;
        let done = total - self.left[job as usize] + worked * u64::from(segment.rate.0);
        let suspended = if end == SegmentEnd::NodeDown { total - self.left[job as usize] } else { done };
        let kept = done.checked_div(interval).map_or(suspended, |saved| saved * interval);
        self.left[job as usize] = total.saturating_sub(kept);
    }

    fn settle(&mut self, job: u32, now: Time, outcome: Outcome) {
        if self.states[job as usize] == State::Settled {
            return;
        }
        self.states[job as usize] = State::Settled;
        let record = &mut self.history.jobs[job as usize];
        record.finish_time = now;
        record.outcome = outcome;
        for edge in self.plan.workload.dependencies.successors(job) {
            if outcome != Outcome::Completed {
                self.settle(edge.job, now, Outcome::DependencyFailed);
                continue;
            }
            if let State::Waits(left) = self.states[edge.job as usize] {
                self.states[edge.job as usize] = State::Waits(left - 1);
                let ready = &mut self.ready[edge.job as usize];
                *ready = (*ready).max(now + edge.delay);
                if left == 1 {
                    self.history.jobs[edge.job as usize].eligible_time = *ready;
                }
            }
        }
    }
}
