//! Orders that let queues take turns: what follows from them for what queues get.

#![expect(clippy::unwrap_used, reason = "a test that cannot start fails")]

#[path = "support/command.rs"]
mod command;

use command::Place;
use gigawatt::cluster::{Cluster, NodeKind};
use gigawatt::history::{History, Plan, Settings};
use gigawatt::simulation::{Control, simulate};
use gigawatt::units::{Gpus, Seconds, Time};
use gigawatt::workload::{Behaviour, Builder, Job, Queue, Request};

const ORDERS: [&str; 4] = ["drf", "fair-sharing", "saturation", "proportion"];

/// Queues below one, each with jobs of a GPU that all come at 0: how many, and how long each takes.
struct Case {
    order: &'static str,
    gpus: u32,
    queues: Vec<(Queue, Vec<u32>)>,
}

impl Case {
    fn of(order: &'static str, gpus: u32, queues: Vec<(Queue, Vec<u32>)>) -> Self {
        Self { order, gpus, queues }
    }

    fn run(self) -> History {
        let mut builder = Builder::default();
        let behaviour = builder.behaviour(Behaviour::default());
        let request = builder.request(Request::gang(Gpus::whole(1)));
        let all = Some(self.gpus * 1000);
        let nominal: u32 = self.queues.iter().filter_map(|(queue, _)| queue.nominal_milli).sum();
        builder.add_queue(Queue { nominal_milli: all.map(|all| all - nominal), ..Queue::named("all") });
        for (queue, jobs) in self.queues {
            let tenant = builder.tenant(&queue.name);
            for work in jobs {
                let job = Job { request, behaviour, tenant, work_time: Seconds(work), ..Job::at(Time(0)) };
                builder.push(job.requesting(Seconds(work)));
            }
            builder.add_queue(Queue { parent: Some(0), tenants: vec![tenant], ..queue });
        }
        let kind = NodeKind { gpus: self.gpus, ..NodeKind::default() };
        let settings = Settings::named(self.order, "skip", "first-fit");
        let plan = Plan { cluster: Cluster::uniform(1, kind), workload: builder.finish(), settings };
        simulate(plan, &mut Control::default())
    }
}

/// By queue: the GPUs that its jobs hold at an instant.
fn held(history: &History, instant: u32) -> Vec<u32> {
    let mut held = vec![0; history.plan.workload.tenants.len()];
    for segment in &history.segments {
        if (segment.from.0..segment.to.0).contains(&instant) {
            held[history.plan.workload.jobs[segment.job as usize].tenant as usize] += 1;
        }
    }
    held
}

/// Works of so many jobs, from 40 to 80 seconds in no order.
fn works(count: u32, seed: u32) -> Vec<u32> {
    (0..count).map(|job| 40 + (job * 2_654_435 + seed * 40_503) % 41).collect()
}

#[test]
fn queues_of_weights_two_and_one_get_two_and_one_as_long_as_both_want_more() {
    let service = |order| {
        let weighing = |name: &str, weight| Queue { weight_milli: Some(weight), ..Queue::named(name) };
        let queues = vec![(weighing("one", 1000), works(900, 1)), (weighing("two", 2000), works(900, 2))];
        let history = Case::of(order, 12, queues).run();
        // The first turn is over by then, and neither is done.
        let sums = (100..4000).map(|instant| held(&history, instant));
        sums.fold([0.0, 0.0], |sums, held| [sums[0] + f64::from(held[0]), sums[1] + f64::from(held[1])])
    };
    for order in ORDERS {
        let [one, two] = service(order);
        assert!((two / one - 2.0).abs() < 0.05, "{order}: {two} to {one}");
    }
    let [one, two] = service("fifo");
    assert!(two / one < 0.1, "in the order of the input the first goes first: {two} to {one}");
}

#[test]
fn a_queue_gets_what_is_its_own_as_soon_as_it_becomes_free_and_for_as_long_as_it_asks() {
    // The flood stands first in the input.
    let queues = |nominal: [u32; 2]| {
        let own = |name: &str, gpus: u32| Queue { nominal_milli: Some(gpus * 1000), ..Queue::named(name) };
        vec![(own("flood", nominal[0]), works(600, 1)), (own("late", nominal[1]), works(300, 2))]
    };
    for order in ["fair-sharing", "saturation"] {
        let history = Case::of(order, 12, queues([4, 8])).run();
        for instant in 0..1500 {
            let held = held(&history, instant);
            assert!(held[1] >= 8, "{order} at {instant}: {held:?}");
        }
    }
    let history = Case::of("drf", 12, queues([4, 8])).run();
    assert_eq!(held(&history, 500), [6, 6], "what is nominal is none of its business");
}

#[test]
fn nobody_would_rather_have_what_another_has() {
    let mut apart = 0;
    for code in 0..5 * 5 * 5 * 6 {
        let asked = [code % 5, code / 5 % 5, code / 25 % 5];
        let gpus = 1 + code / 125;
        let queue = |(name, count): (&str, u32)| (Queue::named(name), vec![100; count as usize]);
        let queues = ["a", "b", "c"].into_iter().zip(asked).map(queue).collect();
        let history = Case::of("drf", gpus, queues).run();
        let held = held(&history, 0);
        assert_eq!(
            held.iter().sum::<u32>(),
            gpus.min(asked.iter().sum()),
            "{asked:?} of {gpus}: nothing idle"
        );
        for (own, asked) in held.iter().zip(asked).filter(|(own, asked)| **own < *asked) {
            // What does not come out even is a GPU.
            assert!(held.iter().all(|other| *other <= own + 1), "{asked} of {gpus}: {held:?}");
            apart += 1;
        }
    }
    assert!(apart > 100, "often somebody wants more: {apart}");
}

#[test]
fn an_order_of_queues_goes_with_queues_and_with_a_pass_that_heeds_it() {
    let jobs = "cluster = \"1x8\"\n[workload]\njob = [{ id = \"a\", gpus = 1, work = 60 }]\n";
    let place = Place::of(&[("jobs.toml", jobs)]);
    let text = place.run("simulate jobs.toml -p drf/skip");
    assert!(text.contains("order `drf` lets queues take turns, and no job stands in a queue"), "{text}");
    for backfill in ["none", "easy", "conservative"] {
        let text = place.run(&format!("simulate jobs.toml -p saturation/{backfill}"));
        assert!(text.contains("a job that waits would bind other queues"), "{text}");
    }
    let text = place.run("simulate jobs.toml -p drf/skip/preemption=ranked");
    assert!(text.contains("order `drf` changes while jobs wait"), "{text}");
    // A preset is quiet where it has nothing to do.
    assert!(place.run("simulate jobs.toml -p kai").starts_with("exit code: 0"));
}

/// Two queues of two GPUs each: one borrows what the other leaves, until that has two jobs, one after the other.
const BORROWED: &str = "
cluster = \"1x4\"
[[queue]]
name = \"cloud\"
[[queue]]
name = \"lender\"
parent = \"cloud\"
tenants = [\"lender\"]
nominal = 2
[[queue]]
name = \"borrower\"
parent = \"cloud\"
tenants = [\"borrower\"]
nominal = 2
[workload]
job = [
    { id = \"own\", tenant = \"borrower\", gpus = 2, work = \"1h\" },
    { id = \"borrowing\", tenant = \"borrower\", gpus = 2, work = \"1h\", submit = 1 },
    { id = \"first\", tenant = \"lender\", gpus = 2, work = 100, submit = 10 },
    { id = \"second\", tenant = \"lender\", gpus = 2, work = 100, submit = 11 },
]
";

#[test]
fn what_becomes_free_goes_to_the_queue_that_could_take_it_back() {
    let place = Place::of(&[("borrowed.toml", BORROWED)]);
    let attempts = |order: &str| {
        place.printed(&format!("simulate borrowed.toml -p {order}/skip/preemption=reclaim --out {order}"));
        let runs = place.text(&format!("{order}/attempts.csv"));
        runs.lines().filter(|line| line.starts_with("borrowing,") || line.starts_with("own,")).count()
    };
    // By age the job that stopped starts again when the first job of the lender ends, and the other one stops for the second.
    assert_eq!([attempts("fifo"), attempts("fair-sharing")], [4, 3]);
}
