//! A pass that ranks the places of everybody at once gives the history of one that goes class by class: on the CPU and
//! on a GPU, however short the lists are, whatever changes inside the pass.

#[cfg(feature = "gpu")]
#[path = "support/adapter.rs"]
mod adapter;
#[expect(dead_code, reason = "every test uses its part of what they share")]
mod support;

use gigawatt::cluster::grid::{Grid, Series, Signal};
use gigawatt::cluster::{Cluster, Feed, NodeKind, NodePower, Pue, Site};
use gigawatt::cost::{Candidate, Cpu, Ranking};
use gigawatt::history::{Plan, Settings};
use gigawatt::units::{Factor, Gpus, Seconds, Time, Watts};
use gigawatt::workload::{Behaviour, Builder, Job, Profile, Request};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use support::naive;
use support::plans;
use support::ranks::{one_by_one, processor, ranked_by, watched};
use support::schedule;

/// Random plans, the same every time.
fn sample(count: u32) -> impl Iterator<Item = Plan> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[11; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let spec = plans::spec();
    (0..count).map(move |_| spec.new_tree(&mut runner).expect("a plan").current().plan())
}

#[test]
fn ranked_at_once_or_class_by_class_the_history_is_the_same_and_that_of_the_naive_reference() {
    let evaluator = processor();
    let mut ranked = 0;
    for (number, plan) in sample(1000).enumerate() {
        let expected = one_by_one(&plan);
        let before = evaluator.lock().expect("whole").batches;
        for k in [1, 2, 8] {
            let history = ranked_by(&plan, &evaluator, k);
            assert_eq!(history.digest(), expected.digest(), "plan {number}, K = {k}: {plan:?}");
        }
        if evaluator.lock().expect("whole").batches > before {
            ranked += 1;
            let reference = schedule::of_run(&naive::simulate(&plan));
            let different = schedule::differences(&reference, &schedule::of_history(&expected));
            assert!(different.is_empty(), "plan {number}: {different:#?}");
        }
    }
    assert!(ranked > 300, "{ranked} plans rank at all");
}

#[test]
#[cfg(feature = "gpu")]
fn a_gpu_gives_the_same_history() {
    use gigawatt::cost::{OnGpu, Ranker};
    let Some(gpu) = adapter::adapter() else { return };
    let evaluator = watched(OnGpu::new(Ranker::new(gpu).expect("a device that takes the shader")), |_| ());
    for (number, plan) in sample(60).enumerate() {
        let history = ranked_by(&plan, &evaluator, 2);
        assert_eq!(history.digest(), one_by_one(&plan).digest(), "plan {number}: {plan:?}");
    }
    let evaluator = evaluator.lock().expect("whole");
    assert_eq!(evaluator.inner().failure(), None, "the device did it all");
    assert!(evaluator.queries > 100, "it did something: {evaluator:?}");
}

#[test]
fn a_fault_of_an_evaluator_is_reported() {
    type Fault = (&'static str, fn(&mut Ranking));
    let faults: [Fault; 4] = [
        ("the cheapest is left out", |ranking| {
            let k = ranking.k;
            for list in ranking.candidates.chunks_mut(k).filter(|list| list[0].is_some()) {
                list.rotate_left(1);
                *list.last_mut().expect("a list") = Candidate::NONE;
            }
        }),
        ("of equal costs the highest index wins", |ranking| {
            let k = ranking.k;
            for list in ranking.candidates.chunks_mut(k) {
                if list[0].is_some() && list[1].cost == list[0].cost {
                    (list[0].index, list[1].index) = (list[1].index, list[0].index);
                    (list[0].cost, list[1].cost) = (list[0].cost.saturating_sub(1), list[1].cost);
                }
            }
        }),
        ("nobody has a place", |ranking| ranking.candidates.fill(Candidate::NONE)),
        ("the second costs less than the first", |ranking| {
            let k = ranking.k;
            let comes_first = |list: &&mut [Candidate]| list[1].is_some() && list[0].cost > 0;
            for list in ranking.candidates.chunks_mut(k).filter(comes_first) {
                list[1].cost = list[0].cost - 1;
                list.sort_unstable();
            }
        }),
    ];
    for (what, spoil) in faults {
        let evaluator = watched(Cpu::default(), spoil);
        let wrong = |plan: &Plan| {
            let run = || ranked_by(plan, &evaluator, 4).digest();
            // A wrong place may be one that is not free: then it ends there.
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(run))
                .map_or(true, |digest| digest != one_by_one(plan).digest())
        };
        assert!(sample(40).filter(wrong).count() > 0, "`{what}` shows");
    }
}

/// Jobs of so many GPUs and seconds, all at once, ranked every ten seconds.
fn plan(cluster: Cluster, placement: &str, jobs: &[(u32, u32)]) -> Plan {
    let mut builder = Builder::default();
    let one = Factor::ONE.0;
    let profile = Profile { shares: [one, 0, 0, 0, 0, 0], levels: [one; 6] };
    let behaviour = builder.behaviour(Behaviour { profile, preemptible: true, ..Behaviour::default() });
    for (gpus, work) in jobs {
        let request = builder.request(Request::gang(Gpus::whole(*gpus)));
        let work = Seconds(*work);
        builder.push(Job { request, behaviour, work_time: work, requested_time: work, ..Job::at(Time(0)) });
    }
    let settings = Settings { cycle: Some(10), ..Settings::named("fifo", "skip", placement) };
    Plan { cluster, workload: builder.finish(), settings }
}

/// The nodes on which jobs first ran, class by class; checked to be the same ranked, with lists of any length.
fn nodes_of(plan: &Plan) -> Vec<Vec<u32>> {
    let expected = one_by_one(plan);
    let evaluator = processor();
    for k in [1, 2, 8] {
        assert_eq!(ranked_by(plan, &evaluator, k).digest(), expected.digest(), "K = {k}");
    }
    assert!(evaluator.lock().expect("whole").batches > 0, "it was ranked");
    let reference = schedule::of_run(&naive::simulate(plan));
    assert_eq!(
        schedule::differences(&reference, &schedule::of_history(&expected)),
        Vec::<String>::new(),
        "naive"
    );
    let first = |job: u32| expected.segments.iter().find(|segment| segment.job == job);
    let nodes = |job| {
        first(job).map_or_else(Vec::new, |segment| {
            expected.pieces_of(segment).iter().flat_map(|piece| piece.nodes()).collect()
        })
    };
    (0..plan.workload.len()).map(nodes).collect()
}

fn racks(count: u32, nodes: u32) -> Cluster {
    Cluster::racked(count, nodes, NodeKind { gpus: 8, ..NodeKind::default() })
}

#[test]
fn the_best_fit_gets_better_after_a_start() {
    // What the first leaves of node 0 is the best fit for the second, and what that leaves for the third.
    let plan = plan(racks(3, 4), "best-fit", &[(3, 100), (4, 100), (1, 100), (8, 100)]);
    assert_eq!(nodes_of(&plan), [[0], [0], [0], [1]]);
}

#[test]
fn a_rack_under_a_nearly_full_feed_is_passed_over() {
    let mut cluster = racks(4, 2);
    for kind in &mut cluster.kinds {
        kind.power = NodePower {
            idle: Watts(100),
            busy: Watts(8100),
            gpu_tgp: Watts(1000),
            levels: [Factor::ONE; 6],
            ..kind.power.clone()
        };
    }
    cluster.feeds = [Some(Watts(12_000)), None]
        .map(|cap| Feed { name: "row".to_owned(), cap, ..Feed::default() })
        .to_vec();
    cluster.racks.iter_mut().zip([0, 0, 0, 1]).for_each(|(rack, feed)| rack.feed = feed);
    // Eight GPUs draw 8 kW above idle: the first row, of which 600 W are idle draw, bears one such job.
    let jobs = [(8, 100), (8, 100), (8, 100), (2, 100), (2, 100)];
    let mut plan = plan(cluster, "leftover=3,rack_leftover=1", &jobs);
    plan.settings.power = "admit".to_owned();
    assert_eq!(
        nodes_of(&plan)[..3],
        [[0], [6], [7]],
        "two more go to the other row, and then there is no room"
    );
    assert_eq!(nodes_of(&plan)[3], [1], "what is left of the first row is enough for two GPUs");
    plan.cluster.feeds[0].cap = None;
    assert_eq!(nodes_of(&plan)[1], [1], "it was the feed that sent it there");
}

#[test]
fn energy_is_bought_where_it_is_cheapest_when_a_pass_begins() {
    let mut cluster = racks(2, 1);
    cluster.kinds[0].power = NodePower {
        busy: Watts(8000),
        gpu_tgp: Watts(1000),
        levels: [Factor::ONE; 6],
        ..NodePower::default()
    };
    cluster.sites = ["ohio", "norway"].map(|name| Site { name: name.to_owned(), ..Site::default() }).to_vec();
    cluster.feeds =
        [0, 1].map(|site| Feed { name: format!("feed {site}"), site, ..Feed::default() }).to_vec();
    cluster.racks[1].feed = 1;
    let series = |values: &[i64]| {
        let price = Series { offset: 0, step: Seconds(100), values: values.to_vec(), repeats: false };
        Grid { price: Some(Signal::Series(price)), ..Grid::default() }
    };
    // Norway is dearer in the first hundred seconds.
    cluster.grids = vec![series(&[40, 40]), series(&[50, -10])];
    let mut plan = plan(cluster, "cheapest-energy", &[(1, 500), (1, 500), (1, 500)]);
    plan.workload.jobs[1].submit_time = Time(95);
    plan.workload.jobs[2].submit_time = Time(100);
    assert_eq!(nodes_of(&plan), [[0], [1], [1]], "a job that comes at 95 s is placed by the prices of 100 s");
    plan.cluster.sites[0].pue = Some(Pue::constant(1300));
    assert_eq!(nodes_of(&plan), [[1], [1], [1]], "40 at a PUE of 1.3 is more than 50");
    plan.cluster.sites[0].pue = Some(Pue::constant(1200));
    assert_eq!(nodes_of(&plan), [[0], [1], [1]], "and at 1.2 it is less");
    plan.cluster.grids.clear();
    assert_eq!(nodes_of(&plan), [[0], [0], [0]], "without prices, where it is fullest");
}

#[test]
fn whoever_is_stopped_inside_a_pass_leaves_room_that_is_ranked_too() {
    // The first holds a node; at 10 s a shorter one of its size comes and only that node could hold it.
    let mut plan = plan(racks(1, 1), "leftover=3,fragmentation=1", &[(8, 500), (8, 50), (2, 20)]);
    plan.settings.order = "srtf".to_owned();
    plan.workload.jobs[1].submit_time = Time(5);
    plan.workload.jobs[2].submit_time = Time(5);
    assert_eq!(nodes_of(&plan), [[0], [0], [0]]);
    let history = one_by_one(&plan);
    let stops =
        history.segments.iter().filter(|segment| segment.end == gigawatt::history::SegmentEnd::Preempted);
    assert!(stops.count() > 0, "somebody was stopped for it");
}

#[test]
fn lists_that_run_out_are_made_again() {
    // More of one class than any list is long, each alone on its node; and gangs of two nodes on racks of three.
    let mut jobs = vec![(5, 100); 40];
    jobs.extend([(16, 100); 10]);
    for placement in [
        "first-fit",
        "worst-fit",
        "pack",
        "spread",
        "least-stranded",
        "span=1,leftover=9,rack_fragmentation=2",
    ] {
        let nodes = nodes_of(&plan(racks(25, 3), placement, &jobs));
        let started = nodes.iter().filter(|nodes| !nodes.is_empty()).count();
        assert_eq!(started, jobs.len(), "{placement}: all start, now or later");
    }
}
