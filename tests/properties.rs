//! Laws that hold for every plan: the engine equals the naive reference, nothing is held twice, every job ends.
//!
//! The suite runs the same random plans every time. `GIGAWATT_FUZZ_SECONDS=3600` runs others for an hour,
//! `GIGAWATT_FUZZ_SEED=17` those of that seed first; a failure prints its seed and the smallest plan found.

#[expect(dead_code, reason = "every test uses its part of what they share")]
mod support;

use gigawatt::history::{Outcome, Plan};
use gigawatt::simulation::{Control, simulate};
use gigawatt::units::Time;
use gigawatt::workload::Queue;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use std::cell::RefCell;
use support::choices::{BACKFILLS, ORDERS, PLACEMENTS};
use support::for_all::for_all;
use support::naive::{self, Counts};
use support::plans::{self, Spec};
use support::schedule::{self, Line, broken_laws, differences};

/// Random plans of one seed in the suite, and of each seed of a longer run.
const CASES: u32 = 2_000;

fn all_of(problems: &[String]) -> Result<(), TestCaseError> {
    if problems.is_empty() { Ok(()) } else { Err(TestCaseError::fail(problems.join("\n"))) }
}

/// The schedule under test.
fn schedule(plan: &Plan) -> Vec<Line> {
    schedule::of_history(&simulate(plan.clone(), &mut Control::default()))
}

/// What is told of heads of partitions, as [`Control::trace`] tells it.
fn head_lines(plan: &Plan, heads: &[(u32, u32, Option<u32>)]) -> Vec<String> {
    let line = |(time, partition, head): &(u32, u32, Option<u32>)| {
        let partition = &plan.workload.partitions[*partition as usize];
        match head {
            Some(job) => {
                format!("{time} partition {partition} stops at {}", plan.workload.names.get(*job as usize))
            }
            None => format!("{time} partition {partition} is no longer blocked"),
        }
    };
    heads.iter().map(line).collect()
}

/// Every head of a partition that is another than expected, both sides.
fn other_heads(expected: &[String], got: &[String]) -> Vec<String> {
    let longest = expected.len().max(got.len());
    let pairs = (0..longest).map(|at| (expected.get(at), got.get(at)));
    let others = pairs.filter(|(expected, got)| expected != got);
    others.map(|(expected, got)| format!("expected {expected:?}, got {got:?}")).collect()
}

/// What must have happened at least once for the suite to mean anything.
#[derive(Default)]
struct Seen {
    counts: Counts,
    outcomes: [u64; Outcome::ALL.len()],
    /// Of orders, backfills and placements, by index.
    policies: [[u64; ORDERS.len()]; 3],
    heads: u64,
    moved_heads: u64,
}

impl Seen {
    fn add(&mut self, spec: &Spec, run: &naive::Run) {
        let Counts { passes, blocked, backfilled, preempted, spanned, .. } = run.counts;
        let Counts { node_down, restarted, reserved, class_skipped, quota_refused, shared, struck, .. } =
            run.counts;
        let all = &mut self.counts;
        all.passes += passes;
        all.between += run.counts.between;
        all.blocked += blocked;
        all.backfilled += backfilled;
        all.second_tries += run.counts.second_tries;
        all.preempted += preempted;
        all.struck += struck;
        all.yielded += run.counts.yielded;
        all.moved += run.counts.moved;
        let reclaimed = all.reclaimed.iter_mut().zip(run.counts.reclaimed);
        reclaimed.for_each(|(sum, own)| *sum += own);
        all.spanned += spanned;
        all.node_down += node_down;
        all.restarted += restarted;
        all.reserved += reserved;
        all.class_skipped += class_skipped;
        all.quota_refused += quota_refused;
        all.limit_refused += run.counts.limit_refused;
        all.licence_refused += run.counts.licence_refused;
        all.borrowed += run.counts.borrowed;
        all.beyond_queue += run.counts.beyond_queue;
        let refused = all.queue_refused.iter_mut().zip(run.counts.queue_refused);
        refused.for_each(|(sum, own)| *sum += own);
        let classical = all.classical.iter_mut().zip(run.counts.classical);
        classical.for_each(|(sum, own)| *sum += own);
        let tried = all.on_platforms.iter_mut().zip(run.counts.on_platforms);
        tried.for_each(|(sum, own)| *sum += own);
        all.shared += shared;
        for job in &run.jobs {
            self.outcomes[job.outcome as usize] += 1;
        }
        let policy = &spec.policy;
        for (table, choice) in [policy.order, policy.backfill, policy.placement].into_iter().enumerate() {
            self.policies[table][choice] += 1;
        }
        self.heads += run.heads.len() as u64;
        self.moved_heads += run.shadows.len() as u64;
    }

    #[expect(clippy::print_stdout, reason = "what was reached is worth a look")]
    fn missing(&self) -> Vec<String> {
        let mut missing = Vec::new();
        let mut must = |count: u64, what: &str| {
            println!("{count:>9} {what}");
            if count == 0 {
                missing.push(what.to_owned());
            }
        };
        let counts = &self.counts;
        must(counts.passes, "passes");
        must(counts.between, "passes at events between those of a cycle");
        must(counts.blocked, "passes that left a partition blocked");
        must(counts.backfilled, "starts behind a blocked head");
        must(counts.second_tries, "starts on a place of the second try");
        must(counts.preempted, "preemptions");
        must(counts.yielded, "stops for a blocked job");
        must(counts.moved, "moves for a blocked job");
        must(counts.reclaimed[0], "stops in queues that borrow");
        must(counts.reclaimed[1], "stops in a blocked job's own queue");
        must(counts.reclaimed[2], "searches that came to the second rule of shares");
        must(counts.classical[0], "stops in queues that hold more than is nominally theirs");
        must(counts.classical[1], "stops in a blocked job's own queue, nominally");
        must(counts.struck, "preemptive walks made anew without jobs that found no place");
        must(counts.spanned, "gangs over several racks");
        must(counts.node_down, "stops by a node");
        must(counts.restarted, "restarts that cost time");
        must(counts.reserved, "reservations for later");
        must(counts.class_skipped, "jobs not tried since their class had failed");
        must(counts.quota_refused, "refusals by a quota");
        must(counts.limit_refused, "refusals by the limit of a partition");
        must(counts.licence_refused, "refusals for want of a licence");
        must(counts.queue_refused[0], "refusals by the limit of a queue");
        must(counts.queue_refused[1], "refusals by how many jobs of a queue may run");
        must(counts.queue_refused[2], "refusals by what a queue may borrow");
        must(counts.queue_refused[3], "refusals by a queue above");
        must(counts.beyond_queue, "jobs that their queue keeps out for good");
        must(counts.borrowed, "starts in queues that borrow");
        must(counts.on_platforms[0], "starts on the first of several platforms that quotas tell apart");
        must(counts.on_platforms[1], "starts on another of these");
        must(counts.shared, "starts on a share of a GPU");
        must(self.heads, "heads of strict passes, as they change");
        must(self.moved_heads, "reservations of easy behind which something was started");
        for outcome in Outcome::ALL {
            must(self.outcomes[outcome as usize], outcome.name());
        }
        for (table, names) in [&ORDERS[..], &BACKFILLS, &PLACEMENTS].into_iter().enumerate() {
            for (choice, name) in names.iter().enumerate() {
                must(self.policies[table][choice], name);
            }
        }
        missing
    }
}

/// What every schedule of a plan obeys, whoever made it.
fn broken_by(spec: &Spec, plan: &Plan, lines: &[Line]) -> Vec<String> {
    let mut broken = broken_laws(plan, lines);
    // Where jobs stop in vain, nobody may be left that runs.
    if spec.cluster.ends_up() && spec.policy.runs_to_the_end() && !spec.policy.stops_in_vain() {
        let open = (0..).zip(lines).filter(|(_, line)| line.outcome == Outcome::Unfinished);
        broken.extend(open.map(|(job, line)| format!("job {job} never ends: {line:?}")));
    }
    if !broken.is_empty() {
        broken.push(format!("the schedule: {lines:#?}"));
    }
    broken
}

#[test]
fn the_naive_reference_itself_obeys_the_laws() {
    let seen = RefCell::new(Seen::default());
    let obeys = |spec: Spec| -> Result<(), TestCaseError> {
        let plan = spec.plan();
        let run = naive::simulate(&plan);
        all_of(&broken_by(&spec, &plan, &schedule::of_run(&run)))?;
        all_of(&naive::laws::delayed(&run))?;
        all_of(&naive::laws::overtaken(&plan, &run))?;
        seen.borrow_mut().add(&spec, &run);
        Ok(())
    };
    for_all("the reference", &plans::spec(), CASES, obeys);
    for_all("the reference of queues that take back", &plans::taking_back(), CASES / 2, obeys);
    let missing = seen.borrow().missing();
    assert!(missing.is_empty(), "the random plans never reach: {}", missing.join(", "));
}

#[test]
fn who_overtakes_and_who_delays_is_reported() {
    let found = RefCell::new(0);
    for_all("overtaken", &plans::spec(), CASES / 4, |spec| {
        let plan = spec.plan();
        let settings = |backfill: &str| gigawatt::history::Settings {
            order: "fifo".to_owned(),
            backfill: backfill.to_owned(),
            event_backfill: None,
            ..plan.settings.clone()
        };
        let run = naive::simulate(&Plan { settings: settings("easy-strict"), ..plan.clone() });
        let strict = Plan { settings: settings("none"), ..plan.clone() };
        *found.borrow_mut() += naive::laws::overtaken(&strict, &run).len();
        Ok(())
    });
    assert!(found.into_inner() > 10, "whoever is held back by a reservation may be overtaken");
    let shadows = vec![(5, 10, 10), (5, 20, 19), (5, 20, 21)];
    let run = naive::Run { shadows, ..naive::Run::default() };
    assert_eq!(naive::laws::delayed(&run).len(), 1, "of three reservations one is later");
}

#[test]
fn every_plan_obeys_the_laws_and_equals_the_naive_reference() {
    let equals = |spec: Spec| -> Result<(), TestCaseError> {
        let plan = spec.plan();
        let run = naive::simulate(&plan);
        let mut heads = Vec::new();
        let mut trace = |line: &str| heads.extend(line.contains(" partition ").then(|| line.to_owned()));
        let control = &mut Control { trace: Some(&mut trace), ..Control::default() };
        let history = simulate(plan.clone(), control);
        let got = schedule::of_history(&history);
        all_of(&differences(&schedule::of_run(&run), &got))?;
        all_of(&other_heads(&head_lines(&plan, &run.heads), &heads))?;
        all_of(&broken_by(&spec, &plan, &got))
    };
    for_all("plans", &plans::spec(), CASES, equals);
    for_all("plans of queues that take back", &plans::taking_back(), CASES / 2, equals);
}

/// A queue above one that is alone, of which nothing is said, changes nothing.
#[test]
fn a_queue_above_one_alone_changes_nothing() {
    let compared = RefCell::new(0);
    for_all("queues above", &plans::spec(), CASES / 4, |spec| {
        let plan = spec.plan();
        if plan.workload.queues.is_empty() {
            return Ok(());
        }
        let mut higher = plan.clone();
        let roots = plan.workload.queues.iter().filter(|queue| queue.parent.is_none());
        let above = |queue: &Queue| Queue {
            weight_milli: queue.weight_milli,
            ..Queue::named(format!("above {}", queue.name))
        };
        let roots: Vec<Queue> = roots.map(above).collect();
        let (first, mut next) = (u32::try_from(roots.len()).expect("few queues"), 0..);
        let lowered = plan.workload.queues.iter().map(|queue| {
            let parent = queue.parent.map(|parent| first + parent).or_else(|| next.next());
            Queue { parent, ..queue.clone() }
        });
        higher.workload.queues = roots.into_iter().chain(lowered).collect();
        *compared.borrow_mut() += 1;
        all_of(&differences(&schedule(&plan), &schedule(&higher)))
    });
    assert!(compared.into_inner() > 10, "plans with queues are among them");
}

/// Two plans side by side on one cluster, each in its own partition, come out as each by itself.
fn disjoint_partitions_are_clusters(name: &str, schedule: fn(&Plan) -> Vec<Line>) {
    // Not with the random placement, which draws by the indices of jobs and nodes, nor where fragmentation is measured by
    // the mix of all jobs.
    let strategy = (plans::spec(), plans::spec());
    for_all(name, &strategy, CASES / 4, |(left, right)| {
        let placement = PLACEMENTS[left.policy.placement];
        let of_all_jobs = ["random", "least-stranded", "fgd"].contains(&placement)
            || placement.contains("fragmentation")
            // What asks for a part of all GPUs, by a tenant that ranks among all, has another priority among more.
            || ORDERS[left.policy.order] == "multifactor"
            // What learns from all that have ended knows more among more.
            || ["qssf", "gittins"].contains(&ORDERS[left.policy.order]);
        if of_all_jobs || !left.policy.runs_to_the_end() {
            return Ok(());
        }
        let settings = left.policy.settings();
        let run = |copies, lists: &[(&str, &[plans::JobSpec])]| {
            let cluster = left.cluster.build(copies);
            let mut workload = plans::workload(lists, &[], (left.quotas, 0));
            if !left.policy.tries_platforms() {
                plans::keep_to_one_platform(&mut workload);
            }
            if copies == 1 {
                workload.partitions[1] = workload.partitions[0].clone();
            }
            schedule(&Plan { cluster, workload, settings: settings.clone() })
        };
        let both = run(2, &[("copy 0", &left.jobs), ("copy 1", &right.jobs)]);
        let alone = [run(1, &[("copy 0", &left.jobs)]), run(1, &[("copy 0", &right.jobs)])];
        let nodes = left.cluster.build(1).nodes();
        let mut expected = alone[0].clone();
        expected.extend(alone[1].iter().cloned().map(|line| moved(line, nodes)));
        all_of(&differences(&expected, &both))
    });
}

#[test]
fn two_disjoint_partitions_equal_two_clusters() {
    disjoint_partitions_are_clusters("partitions", schedule);
}

#[test]
fn two_disjoint_partitions_equal_two_clusters_to_the_naive_reference() {
    disjoint_partitions_are_clusters("partitions of the reference", |plan| {
        schedule::of_run(&naive::simulate(plan))
    });
}

/// The same line `nodes` further to the right.
fn moved(mut line: Line, nodes: u32) -> Line {
    for held in line.attempts.iter_mut().flat_map(|attempt| &mut attempt.held) {
        held.0 += nodes;
    }
    line
}

#[test]
fn the_same_plan_gives_the_same_history_with_any_number_of_threads() {
    use rayon::prelude::*;
    for_all("threads", &prop::collection::vec(plans::spec(), 16), 10, |specs| {
        let plans: Vec<Plan> = specs.iter().map(Spec::plan).collect();
        let whole = |plan: &Plan| {
            let history = simulate(plan.clone(), &mut Control::default());
            (schedule::of_history(&history), history.digest())
        };
        let alone: Vec<_> = plans.iter().map(whole).collect();
        for threads in [1, 2, 7] {
            let pool =
                rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool of threads");
            let together: Vec<_> = pool.install(|| plans.par_iter().map(whole).collect());
            for (alone, together) in alone.iter().zip(&together) {
                all_of(&differences(&alone.0, &together.0))?;
                prop_assert_eq!(alone.1, together.1, "the digests, with {} threads", threads);
            }
        }
        Ok(())
    });
}

/// A plan whose schedule has an attempt, and that schedule.
fn some_schedule() -> (Plan, Vec<Line>) {
    let mut builder = gigawatt::workload::Builder::default();
    let behaviour = builder.behaviour(gigawatt::workload::Behaviour::default());
    let gang = gigawatt::workload::Request::gang(gigawatt::units::Gpus::whole(2));
    let request =
        builder.request(gigawatt::workload::Request { cpu_milli: 600, licences: vec![(0, 2)], ..gang });
    let tenant = builder.add_tenant(gigawatt::workload::Tenant {
        quota_milli: Some(4000),
        ..gigawatt::workload::Tenant::named("limited")
    });
    builder.add_queue(Queue {
        tenants: vec![tenant],
        limit_milli: Some(4000),
        nominal_milli: Some(4000),
        ..Queue::named("lab")
    });
    for submit in [10, 11, 12] {
        let job = gigawatt::workload::Job::at(Time(submit));
        let work_time = gigawatt::units::Seconds(50);
        builder.push(gigawatt::workload::Job { request, behaviour, tenant, work_time, ..job });
    }
    let kind =
        gigawatt::cluster::NodeKind { gpus: 4, cpu_milli: 1200, ..gigawatt::cluster::NodeKind::default() };
    let mut cluster = gigawatt::cluster::Cluster::uniform(2, kind);
    cluster.licences = vec![gigawatt::cluster::Licence { name: "seats".to_owned(), count: 5 }];
    let plan = Plan {
        cluster,
        workload: builder.finish(),
        settings: gigawatt::history::Settings {
            order: "fifo".to_owned(),
            backfill: "none".to_owned(),
            placement: "first-fit".to_owned(),
            ..gigawatt::history::Settings::default()
        },
    };
    let lines = schedule(&plan);
    assert_eq!(broken_laws(&plan, &lines), Vec::<String>::new(), "the schedule itself is right");
    (plan, lines)
}

#[test]
fn another_head_is_reported() {
    let (plan, _) = some_schedule();
    let lines = |heads: &[(u32, u32, Option<u32>)]| head_lines(&plan, heads);
    let got = lines(&[(3, 0, Some(1))]);
    assert!(other_heads(&lines(&[(3, 0, Some(1))]), &got).is_empty(), "the same");
    for expected in [vec![(3, 0, Some(0))], vec![(4, 0, Some(1))], vec![(3, 0, None)], Vec::new()] {
        assert_eq!(other_heads(&lines(&expected), &got).len(), 1, "{expected:?}");
    }
}

#[test]
fn planted_faults_are_reported() {
    let (plan, lines) = some_schedule();
    type Fault = (&'static str, fn(&mut Vec<Line>));
    let at_once: fn(&mut Vec<Line>) = |lines| {
        let shift = lines[2].attempts[0].from - lines[1].attempts[0].from;
        lines[2].attempts[0].from -= shift;
        lines[2].eligible = lines[2].attempts[0].from;
    };
    let faults: [Fault; 12] = [
        ("before it is eligible", |lines| lines[0].attempts[0].from -= 1),
        ("more or less work", |lines| {
            lines[0].attempts[0].to += 1;
            lines[0].finish += 1;
        }),
        ("thousandths of GPU", |lines| lines[1].attempts[0].held = lines[0].attempts[0].held.clone()),
        ("of CPU", |lines| {
            // Job 2 moved beside jobs 0 and 1, onto GPUs that exist twice as often as they should.
            lines[2].attempts[0] = lines[1].attempts[0].clone();
        }),
        ("more than its quota", at_once),
        ("6 of licence seats are held, of which there are 5", at_once),
        ("lab holds 6000 thousandths, more than its limit", at_once),
        ("lab holds 6000 thousandths, more than there is", at_once),
        ("did not ask for", |lines| {
            lines[1].attempts[0].held.pop();
        }),
        ("does not end as it did", |lines| lines[1].outcome = Outcome::Failed),
        ("has an instant", |lines| lines[1].finish = schedule::NEVER),
        ("for no time", |lines| lines[1].attempts[0].to = lines[1].attempts[0].from),
    ];
    for (text, plant) in faults {
        let mut planted = lines.clone();
        plant(&mut planted);
        let broken = broken_laws(&plan, &planted);
        assert!(broken.iter().any(|law| law.contains(text)), "`{text}` is reported: {broken:#?}");
        assert!(!differences(&lines, &planted).is_empty(), "`{text}` is a difference too");
    }
}
