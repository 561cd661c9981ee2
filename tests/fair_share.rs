//! Who got less lately goes first: Fair Tree by its definition, and what weights come to in the end.

use gigawatt::cluster::{Cluster, NodeKind};
use gigawatt::history::{Factors, History, Plan, Settings};
use gigawatt::policy::order::fair_tree::{Member, ranks};
use gigawatt::simulation::{Control, simulate};
use gigawatt::units::{Gpus, Seconds, Time};
use gigawatt::workload::{Behaviour, Builder, Job, Queue, Request, Tenant};
use proptest::collection::vec;
use proptest::prelude::*;

/// Weight and use of a member beside others, as parts of theirs, in lowest terms: (numerator, denominator), the level.
type Level = (u64, u64);

/// Level by level from the top; who weighs nothing has 0, who used nothing 1 / 0.
fn path(members: &[Member], own: usize) -> Vec<Level> {
    let used = |of: usize| -> u64 {
        (0..members.len())
            .filter(|other| is_within(members, *other, of))
            .map(|other| members[other].used)
            .sum()
    };
    let siblings = || (0..members.len()).filter(|other| members[*other].parent == members[own].parent);
    let weights: u64 = siblings().map(|other| u64::from(members[other].weight_milli)).sum();
    let all_used: u64 = siblings().map(used).sum();
    let level = match (u64::from(members[own].weight_milli), used(own)) {
        (0, _) => (0, 1),
        (_, 0) => (1, 0),
        (weight, used) => (weight * all_used, used * weights),
    };
    let mut path = members[own].parent.map_or_else(Vec::new, |parent| path(members, parent as usize));
    path.push(level);
    path
}

fn is_within(members: &[Member], own: usize, other: usize) -> bool {
    own == other || members[own].parent.is_some_and(|parent| is_within(members, parent as usize, other))
}

fn compare(one: &[Level], other: &[Level]) -> std::cmp::Ordering {
    let levels = one.iter().zip(other).map(|((a, b), (c, d))| (a * d).cmp(&(c * b)));
    levels.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
}

/// Whether a user comes before another: at the first level at which they differ, or what stands above them, its is higher.
/// Of a user and what stands below an account of equal level beside it, it comes before all but the best.
fn comes_before(of_all: &[Vec<Level>], one: &[Level], other: &[Level]) -> bool {
    match compare(one, other) {
        std::cmp::Ordering::Equal if one.len() < other.len() => {
            let mut below = of_all.iter().filter(|path| path.len() > one.len() && compare(path, one).is_eq());
            below.any(|path| compare(path, other).is_gt())
        }
        ordering => ordering.is_gt(),
    }
}

/// Trees of accounts and users: by member where it stands, its weight, and of users what they used.
fn members() -> impl Strategy<Value = Vec<Member>> {
    vec((0usize..5, 0u32..4, proptest::option::weighted(0.7, 0u64..5)), 1..14).prop_map(|rows| {
        let mut members: Vec<Member> = Vec::new();
        for (parent, weight, used) in rows {
            let accounts: Vec<u32> =
                (0..).zip(&members).filter(|(_, member)| !member.is_user).map(|(own, _)| own).collect();
            let parent = accounts.get(parent % 4).copied();
            let weight_milli = weight * 1000;
            members.push(Member { parent, weight_milli, used: used.unwrap_or(0), is_user: used.is_some() });
        }
        members
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn fair_tree_is_what_it_is_defined_to_be(members in members()) {
        let users: Vec<usize> = (0..members.len()).filter(|own| members[*own].is_user).collect();
        let of_all: Vec<Vec<Level>> = (0..members.len()).map(|own| path(&members, own)).collect();
        let found = ranks(&members);
        for own in &users {
            let comes_first = |other: &&usize| comes_before(&of_all, &of_all[**other], &of_all[*own]);
            let before = users.iter().filter(comes_first).count();
            prop_assert_eq!(found[*own] as usize, users.len() - before, "user {} of {:?}", own, members);
        }
    }
}

/// Eight GPUs, and tenants each of whom wants all of them all the time; what each got, in parts of all.
fn parts(order: &str, tenants: &[(u32, Option<u32>)], queues: &[u32], factors: Factors) -> Vec<f64> {
    let mut builder = Builder::default();
    let behaviour = builder.behaviour(Behaviour::default());
    let request = builder.request(Request::gang(Gpus::whole(1)));
    for (number, (weight, _)) in tenants.iter().enumerate() {
        builder
            .add_tenant(Tenant { weight_milli: Some(*weight), ..Tenant::named(format!("tenant {number}")) });
    }
    for (index, weight) in (0..).zip(queues) {
        let own =
            (0..).zip(tenants).filter(|(_, (_, queue))| *queue == Some(index)).map(|(tenant, _)| tenant);
        let tenants = own.collect();
        builder.add_queue(Queue {
            tenants,
            weight_milli: Some(*weight),
            ..Queue::named(format!("queue {index}"))
        });
    }
    for _ in 0..3_000 {
        for (tenant, _) in (0..).zip(tenants) {
            let work_time = Seconds(600);
            builder.push(
                Job { request, behaviour, tenant, work_time, ..Job::at(Time(0)) }.requesting(work_time),
            );
        }
    }
    let settings = Settings {
        until: Some(300_000),
        rank_period: Some(600),
        half_life: Some(86_400),
        factors,
        ..Settings::named(order, "easy", "first-fit")
    };
    let cluster = Cluster::uniform(1, NodeKind { gpus: 8, ..NodeKind::default() });
    let history = simulate(Plan { cluster, workload: builder.finish(), settings }, &mut Control::default());
    let got = |tenant: u32| held_by(&history, tenant);
    let all: f64 = (0..).take(tenants.len()).map(got).sum();
    (0..).take(tenants.len()).map(|tenant| got(tenant) / all).collect()
}

/// Seconds that jobs of a tenant ran.
fn held_by(history: &History, tenant: u32) -> f64 {
    let own = history
        .segments
        .iter()
        .filter(|segment| history.plan.workload.jobs[segment.job as usize].tenant == tenant);
    own.map(|segment| f64::from(segment.to.min(history.end).since(segment.from).0)).sum()
}

fn assert_close(found: &[f64], expected: &[f64], what: &str) {
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 0.01, "{what}: {found} in place of {expected}");
    }
}

#[test]
fn weights_come_to_as_much_service_in_the_end() {
    let two = [(2_000, None), (1_000, None)];
    let usual = Factors::default();
    assert_close(&parts("fair-tree", &two, &[], usual), &[2.0 / 3.0, 1.0 / 3.0], "2 to 1");
    let only_shares = Factors { weight_age: 0, weight_size: 0, weight_priority: 0, ..usual };
    assert_close(
        &parts("multifactor", &two, &[], only_shares),
        &[2.0 / 3.0, 1.0 / 3.0],
        "2 to 1 by the factor",
    );
    let in_queues = [(1_000, Some(0)), (1_000, Some(0)), (1_000, Some(1)), (3_000, Some(1))];
    let expected = [0.375, 0.375, 0.0625, 0.1875];
    assert_close(&parts("fair-tree", &in_queues, &[3_000, 1_000], usual), &expected, "queues of 3 to 1");
    // Where nobody reads weights, they come to nothing.
    assert_close(&parts("fifo", &two, &[], usual), &[0.5, 0.5], "first come, first served");
    let no_shares = Factors { weight_share: 0, ..usual };
    assert_close(&parts("multifactor", &two, &[], no_shares), &[0.5, 0.5], "without the factor");
}

#[test]
fn who_got_nothing_yet_goes_first_and_who_got_much_waits() {
    // One tenant has had the machine for a day when another comes.
    let mut builder = Builder::default();
    let behaviour = builder.behaviour(Behaviour::default());
    let request = builder.request(Request::gang(Gpus::whole(8)));
    let (old, new) = (builder.tenant("old"), builder.tenant("new"));
    let mut push = |tenant, submit, hours: u32| {
        let work_time = Seconds(hours * 3600);
        builder.push(
            Job { request, behaviour, tenant, work_time, ..Job::at(Time(submit)) }.requesting(work_time),
        )
    };
    push(old, 0, 24);
    let (waits, comes) = (push(old, 10, 1), push(new, 3600, 1));
    let cluster = Cluster::uniform(1, NodeKind { gpus: 8, ..NodeKind::default() });
    let workload = builder.finish();
    let starts = |order: &str| {
        let settings = Settings::named(order, "easy", "first-fit");
        let plan = Plan { cluster: cluster.clone(), workload: workload.clone(), settings };
        let history = simulate(plan, &mut Control::default());
        let start =
            |job: u32| history.segments.iter().find(|own| own.job == job).map(|own| own.from.0 / 3600);
        [start(waits), start(comes)]
    };
    assert_eq!(starts("fifo"), [Some(24), Some(25)]);
    assert_eq!(starts("fair-tree"), [Some(25), Some(24)]);
    assert_eq!(starts("multifactor"), [Some(25), Some(24)]);
}
