//! When passes take place, and what a policy may do in one: cases small enough to be worked out by hand, and the laws
//! of schedules under a policy that moves and resizes jobs at random.

#[expect(dead_code, reason = "every test uses its part of what they share")]
mod support;

use gigawatt::cluster::{Cluster, NodeKind, Piece};
use gigawatt::history::{History, Plan, SegmentEnd, Settings};
use gigawatt::policy::{Policy, PolicyError};
use gigawatt::random::{Purpose, Stream};
use gigawatt::simulation::{Control, simulate, simulate_with};
use gigawatt::state::{Decision, Event, Law, State, Status, Trial};
use gigawatt::units::{Factor, Gpus, Seconds, Time};
use gigawatt::workload::{Behaviour, Builder, Job, Request};
use support::schedule::{broken_laws, of_history};

/// A plan of jobs as (submit, GPUs, work) on so many nodes of one GPU.
fn flat(nodes: u32, jobs: &[(u32, u32, u32)], backfill: &str) -> Plan {
    let mut builder = Builder::default();
    let behaviour = builder.behaviour(Behaviour::default());
    for &(submit, gpus, work) in jobs {
        let request = builder.request(Request::gang(Gpus::whole(gpus)));
        let job = Job { request, behaviour, work_time: Seconds(work), ..Job::at(Time(submit)) };
        builder.push(job.requesting(Seconds(work)));
    }
    let cluster = Cluster::uniform(nodes, NodeKind { gpus: 1, ..NodeKind::default() });
    Plan { cluster, workload: builder.finish(), settings: Settings::named("fifo", backfill, "first-fit") }
}

fn starts(history: &History) -> Vec<u32> {
    let mut starts = vec![u32::MAX; history.jobs.len()];
    for segment in &history.segments {
        starts[segment.job as usize] = segment.from.0;
    }
    starts
}

#[test]
fn passes_come_at_events_every_so_often_or_both() {
    // The second job needs both nodes, of which the first holds one until 100; the third may pass it without delaying
    // it, and so may the fourth if it ends by then.
    let jobs = [(0, 1, 100), (1, 2, 50), (2, 1, 20), (3, 1, 50)];
    let cases = [
        (None, None, [0, 100, 2, 22], "at once, and as the third ends"),
        (Some(30), None, [0, 120, 30, 180], "at multiples of 30; at 60 the fourth would end too late"),
        (Some(30), Some("none"), [0, 100, 30, 150], "the head at events, who passes it at multiples"),
        (Some(1000), Some("easy"), [0, 100, 2, 22], "reservations at events"),
    ];
    for (cycle, event, expected, why) in cases {
        let mut plan = flat(2, &jobs, "easy");
        plan.settings.cycle = cycle;
        plan.settings.event_backfill = event.map(str::to_owned);
        let history = simulate(plan, &mut Control::default());
        assert_eq!(starts(&history), expected, "cycle {cycle:?}, events {event:?}: {why}");
    }
}

#[test]
fn nobody_is_stopped_for_a_job_that_then_finds_no_place() {
    // Three GPUs on one node and one on another: beside the small job that may not be stopped there are three GPUs, on
    // no node together once the first is held. The gang, shorter than what runs, would be let in by counts.
    for order in ["srtf", "srsf", "las", "gittins"] {
        let mut builder = Builder::default();
        let stays = builder.behaviour(Behaviour::default());
        let yields = builder.behaviour(Behaviour { preemptible: true, ..Behaviour::default() });
        let jobs = [(0, 1, 1000, stays), (0, 2, 500, yields), (5, 3, 20, yields)];
        for (submit, gpus, work, behaviour) in jobs {
            let request = builder.request(Request::gang(Gpus::whole(gpus)));
            builder.push(Job { request, behaviour, work_time: Seconds(work), ..Job::at(Time(submit)) });
        }
        let mut cluster = Cluster::uniform(1, NodeKind { gpus: 3, ..NodeKind::default() });
        let small = cluster.add_kind(NodeKind { gpus: 1, ..NodeKind::default() });
        cluster.add_rack(0, small, 1);
        let settings = Settings {
            cycle: Some(10),
            queue_limits: vec![40],
            until: Some(5000),
            ..Settings::named(order, "skip", "first-fit")
        };
        let plan = Plan { cluster, workload: builder.finish(), settings };
        let history = simulate(plan, &mut Control::default());
        let stopped = history.segments.iter().filter(|segment| segment.end == SegmentEnd::Preempted).count();
        assert_eq!(stopped, 0, "{order}: nobody would have gained by it");
        assert_eq!(starts(&history), [0, 0, 1000], "{order}: the gang starts once the node is free");
    }
}

/// Two racks of nodes of four GPUs: the second's are twice as fast, and a gang over two of its nodes is as well.
fn two_kinds(nodes: u32) -> Cluster {
    let kind = NodeKind { gpus: 4, ..NodeKind::default() };
    let mut cluster = Cluster::racked(1, nodes, kind.clone());
    let fast = cluster.add_kind(NodeKind { platform: 1, ..kind });
    cluster.add_rack(0, fast, nodes);
    cluster
}

fn behaviour(checkpoint_interval: u32) -> Behaviour {
    Behaviour {
        preemptible: true,
        speeds: vec![Factor::ONE, Factor(2 << 16)],
        restart_time: Seconds(10),
        checkpoint_interval: Seconds(checkpoint_interval),
        ..Behaviour::default()
    }
}

/// As many GPUs of each node as said, the lowest.
fn on(nodes: &[u32], gpus_of_each: u32) -> Vec<Piece> {
    let mask = (1 << gpus_of_each) - 1;
    nodes.iter().map(|node| Piece::Gpus { node: *node, mask }).collect()
}

fn start(trial: &mut Trial<'_>, job: u32, domains: &[Piece]) -> Result<(), PolicyError> {
    trial.apply(Decision::Start { job, domains, cap: Factor::ONE })?;
    Ok(())
}

#[derive(Debug, Clone, Copy)]
enum Act {
    Start(&'static [u32], u32),
    Change(&'static [u32], u32),
    Stop,
}

/// Does with the only job what is written, when it is written.
#[derive(Debug)]
struct Script(Vec<(u32, Act)>);

impl Policy for Script {
    fn observe(&mut self, _: &Event, _: &State) {}
    fn decide(&mut self, trial: &mut Trial<'_>) -> Result<(), PolicyError> {
        while let Some((time, act)) = self.0.first().copied() {
            if Time(time) > trial.now() {
                trial.apply(Decision::WakeAt { time: Time(time) })?;
                return Ok(());
            }
            self.0.remove(0);
            match act {
                Act::Start(nodes, gpus) => start(trial, 0, &on(nodes, gpus))?,
                Act::Change(nodes, gpus) => {
                    trial.apply(Decision::Resize { job: 0, domains: &on(nodes, gpus) })?;
                }
                Act::Stop => {
                    trial.apply(Decision::Stop { job: 0 })?;
                }
            }
        }
        Ok(())
    }
}

#[test]
fn a_job_that_moves_or_is_resized_ends_when_its_work_is_done() {
    // A hundred seconds of work on the four GPUs of a slow node; a change costs ten seconds and loses nothing.
    let start = (0, Act::Start(&[0], 4));
    let cases = [
        ("alone", 0, vec![start], 100),
        ("to a node twice as fast: 40 + 10 + 60 / 2", 0, vec![start, (40, Act::Change(&[2], 4))], 80),
        ("to half its GPUs: 40 + 10 + 60 · 2", 0, vec![start, (40, Act::Change(&[0], 2))], 170),
        ("to twice as many: 40 + 10 + 60 / 2", 0, vec![start, (40, Act::Change(&[0, 1], 4))], 80),
        ("to three of four: 40 + 10 + ⌈60 · 4 / 3⌉", 0, vec![start, (40, Act::Change(&[1], 3))], 130),
        (
            "again while it restarts: 45 + 10 + 60 / 2",
            0,
            vec![start, (40, Act::Change(&[1], 4)), (45, Act::Change(&[3], 4))],
            85,
        ),
        (
            "and back to where it was: 40 + 10 + 20 / 2 + 10 + 40",
            0,
            vec![start, (40, Act::Change(&[2], 2)), (70, Act::Change(&[0], 4))],
            120,
        ),
        (
            "stopped later, to a checkpoint: 50 of 60 are kept, 100 + 10 + 50",
            25,
            vec![start, (40, Act::Change(&[2], 4)), (60, Act::Stop), (100, Act::Start(&[0], 4))],
            160,
        ),
        (
            "stopped later, without one: what was moved is kept, 100 + 10 + 60",
            70,
            vec![start, (40, Act::Change(&[2], 4)), (60, Act::Stop), (100, Act::Start(&[0], 4))],
            170,
        ),
    ];
    for (name, checkpoint, script, finish) in cases {
        let mut builder = Builder::default();
        let request = builder.request(Request::gang(Gpus::whole(4)));
        let behaviour = builder.behaviour(behaviour(checkpoint));
        builder.push(Job { request, behaviour, work_time: Seconds(100), ..Job::at(Time(0)) });
        let plan = Plan { cluster: two_kinds(2), workload: builder.finish(), ..Plan::default() };
        let changes = script.iter().filter(|(_, act)| matches!(act, Act::Change(..))).count();
        let history = simulate_with(plan, Box::new(Script(script)), &mut Control::default())
            .expect("the script obeys every law");
        assert_eq!(history.jobs[0].finish_time, Time(finish), "{name}");
        let changed = history.segments.iter().filter(|segment| segment.end == SegmentEnd::Changed).count();
        assert_eq!(changed, changes, "{name}: a segment ends at each change");
        assert_eq!(history.check(), Ok(()), "{name}");
    }
}

#[test]
fn a_job_that_does_not_run_cannot_move() {
    let plan = flat(1, &[(0, 1, 10)], "none");
    let script = Script(vec![(0, Act::Change(&[0], 1))]);
    let refused = simulate_with(plan, Box::new(script), &mut Control::default());
    let Err(PolicyError::Refused(refusal)) = refused else { panic!("a refusal, not {refused:?}") };
    assert_eq!(refusal.law, Law::NotRunning, "{refusal}");
}

#[test]
fn a_job_cannot_move_to_where_another_runs() {
    let mut plan = flat(2, &[(0, 1, 100), (0, 1, 100)], "none");
    plan.settings.until = Some(50);
    let refused = simulate_with(plan, Box::new(Collide), &mut Control::default());
    let Err(PolicyError::Refused(refusal)) = refused else { panic!("a refusal, not {refused:?}") };
    assert_eq!(refusal.law, Law::NotFree(1), "{refusal}");
    assert!(refusal.to_string().contains("Move { job: 0"), "it names the decision: {refusal}");
}

/// Starts two jobs, and then moves one to where the other is.
#[derive(Debug)]
struct Collide;

impl Policy for Collide {
    fn observe(&mut self, _: &Event, _: &State) {}
    fn decide(&mut self, trial: &mut Trial<'_>) -> Result<(), PolicyError> {
        if trial.now() == Time(0) {
            start(trial, 0, &on(&[0], 1))?;
            start(trial, 1, &on(&[1], 1))?;
            trial.apply(Decision::WakeAt { time: Time(5) })?;
        } else {
            trial.apply(Decision::Move { job: 0, domains: &on(&[1], 1) })?;
        }
        Ok(())
    }
}

/// Starts jobs in order on the first nodes with room, and moves, grows, shrinks and stops running jobs by chance.
#[derive(Debug)]
struct Restless {
    chance: Stream,
    draws: u32,
    pending: Vec<u32>,
    running: Vec<u32>,
}

impl Restless {
    fn below(&mut self, bound: u32) -> u32 {
        self.draws += 1;
        self.chance.below(0, self.draws, bound)
    }

    /// A place of so many GPUs on one node, free or held by the job itself.
    fn place(&mut self, view: &State, job: u32, gpus: u32) -> Option<Vec<Piece>> {
        let occupancy = &view.resources().occupancy;
        let own = |node: u32| {
            let segment = view.segment(job)?;
            view.history().pieces_of(segment).iter().find_map(|piece| match *piece {
                Piece::Gpus { node: held, mask } if held == node => Some(mask),
                _ => None,
            })
        };
        let nodes = view.plan().cluster.nodes();
        let first = self.below(nodes);
        let node = (0..nodes).map(|step| (first + step) % nodes).find(|node| {
            let free = occupancy.free_mask(*node as usize) | own(*node).unwrap_or(0);
            free.count_ones() >= gpus
        })?;
        let mut free = occupancy.free_mask(node as usize) | own(node).unwrap_or(0);
        while free.count_ones() > gpus {
            free &= free - 1;
        }
        Some(vec![Piece::Gpus { node, mask: free }])
    }
}

impl Policy for Restless {
    /// All that it knows of its jobs it hears of, its own decisions included.
    fn observe(&mut self, event: &Event, _: &State) {
        match *event {
            Event::Eligible { job } => self.pending.push(job),
            Event::Started { job, .. } => {
                self.pending.retain(|other| *other != job);
                self.running.push(job);
            }
            Event::Ended { job, end, .. } => {
                self.running.retain(|other| *other != job);
                if end == SegmentEnd::Preempted {
                    self.pending.push(job);
                }
            }
            _ => {}
        }
    }

    fn decide(&mut self, view: &mut Trial<'_>) -> Result<(), PolicyError> {
        for job in self.running.clone() {
            match self.below(40) {
                0 => {
                    view.apply(Decision::Stop { job })?;
                }
                1..4 => {
                    let gpus = 1 + self.below(4);
                    if let Some(domains) = self.place(view, job, gpus) {
                        view.apply(Decision::Resize { job, domains: &domains })?;
                    }
                }
                _ => {}
            }
        }
        for job in self.pending.clone() {
            let gpus = view.plan().workload.request_of(job).gpus().milli() / 1000;
            if let Some(domains) = self.place(view, job, gpus) {
                start(view, job, &domains)?;
            }
        }
        let open = view.running().iter().filter_map(|job| view.segment(*job));
        let held: u64 = open.map(|segment| view.history().gpus_of(segment)).sum();
        let free = u64::from(view.resources().occupancy.free_gpus(0)) * 1000;
        assert_eq!(held + free, view.plan().cluster.gpus() * 1000, "free and held make all");
        let running = |job: &u32| view.status(*job) == Status::Running;
        assert!(view.running().iter().all(running), "what was started runs");
        if !view.running().is_empty() {
            let time = view.now() + Seconds(7);
            view.apply(Decision::WakeAt { time })?;
        }
        Ok(())
    }
}

fn restless(seed: u64, checkpoint: u32) -> History {
    let chance = Stream::new(seed, Purpose::Placement);
    let mut builder = Builder::default();
    let behaviour = builder.behaviour(behaviour(checkpoint));
    for job in 0..30_u32 {
        let draw = |draw, bound| chance.below(1 + u64::from(job), draw, bound);
        let request = builder.request(Request::gang(Gpus::whole(1 + draw(0, 4))));
        let work_time = Seconds(1 + draw(1, 200));
        let job = Job { request, behaviour, work_time, ..Job::at(Time(draw(2, 100))) };
        builder.push(job.requesting(work_time));
    }
    let settings = Settings { until: Some(20_000), ..Settings::default() };
    let plan = Plan { cluster: two_kinds(3), workload: builder.finish(), settings };
    let policy = Restless { chance, draws: 0, pending: Vec::new(), running: Vec::new() };
    simulate_with(plan, Box::new(policy), &mut Control::default()).expect("it obeys every law")
}

/// The laws broken by a history, aside from that of holding what was asked for.
fn broken(history: &History) -> Vec<String> {
    let mut broken = broken_laws(&history.plan, &of_history(history));
    broken.retain(|law| !law.contains("holds what it did not ask for"));
    broken
}

#[test]
fn whatever_moves_and_is_resized_nothing_is_held_twice_and_all_work_is_done() {
    let mut changed = 0;
    for seed in 0..60 {
        let history = restless(seed, 0);
        assert_eq!(broken(&history), Vec::<String>::new(), "seed {seed}");
        assert_eq!(history.check(), Ok(()), "seed {seed}");
        assert!(history.jobs.iter().all(|job| job.finish_time != Time::NEVER), "seed {seed}: everybody ends");
        assert_eq!(restless(seed, 0).digest(), history.digest(), "seed {seed}: the same once more");
        changed += history.segments.iter().filter(|segment| segment.end == SegmentEnd::Changed).count();
        let checkpointed = restless(seed, 5);
        assert!(
            checkpointed.jobs.iter().all(|job| job.finish_time != Time::NEVER),
            "seed {seed}: everybody ends"
        );
    }
    assert!(changed > 1000, "only {changed} changes");
}

#[test]
fn a_move_at_a_wrong_rate_is_noticed() {
    let mut history = restless(1, 0);
    let moved = history.segments.iter_mut().find(|segment| segment.end == SegmentEnd::Changed);
    moved.expect("somebody moves").rate = Factor(3 << 15);
    assert!(broken(&history).iter().any(|law| law.contains("more or less work")), "the work does not add up");
}
