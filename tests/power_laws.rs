//! Laws about caps on power that hold for every plan; `GIGAWATT_FUZZ_SECONDS` and `GIGAWATT_FUZZ_SEED` as in
//! `properties.rs`.

#[expect(dead_code, reason = "every test uses its part of what they share")]
mod support;

use gigawatt::cluster::grid::{Grid, Series, Signal};
use gigawatt::cluster::{Cluster, Curtailment, Feed, NodeState, Ramp};
use gigawatt::hardware::Loss;
use gigawatt::history::{History, Piece, Plan, Segment, Settings, WaitReason};
use gigawatt::metrics::measure;
use gigawatt::power::draw::{Draw, part};
use gigawatt::simulation::{Control, simulate};
use gigawatt::units::{Factor, Seconds, Time, Watts};
use gigawatt::workload::Profile;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use std::cell::RefCell;
use std::collections::BTreeSet;
use support::naive;
use support::plans::{self, Spec};
use support::ranks::{one_by_one, processor, ranked_by};
use support::schedule::{self, differences};

/// Caps over a plan, as percentages of the way from idle to busy.
#[derive(Debug, Clone)]
struct Power {
    caps: [Option<u32>; 6],
    lossy: bool,
    /// From, how long, percent, notice.
    curtailment: Option<(u32, u32, u32, u32)>,
    curtail: usize,
    period: u32,
    thresholds: [u32; 2],
    /// Percent of the way from idle to busy that the hall may rise in a minute.
    rise: Option<u32>,
}

const CURTAILS: [&str; 3] = ["cap", "preempt", "drain"];

prop_compose! {
    fn power()(
        caps in prop::array::uniform6(prop::option::weighted(0.4, 20u32..110)),
        lossy in any::<bool>(),
        curtailment in prop::option::weighted(0.5, (0u32..150, 10u32..200, 0u32..90, 0u32..60)),
        curtail in 0..CURTAILS.len(),
        period in 5u32..50,
        low in 10u32..60,
        more in 1u32..40,
        rise in prop::option::weighted(0.3, 30u32..120),
    ) -> Power {
        Power { caps, lossy, curtailment, curtail, period, thresholds: [low, low + more], rise }
    }
}

/// A plan whose GPUs draw a watt a thousandth, on two rows below a hall, with these caps.
fn plan(spec: &Spec, power: &Power, rule: &str) -> Plan {
    let mut plan = spec.plan();
    plan.workload.running.clear();
    let one = Factor::ONE.0;
    for behaviour in &mut plan.workload.behaviours {
        behaviour.profile = Profile { shares: [one, 0, 0, 0, 0, 0], levels: [one; 6] };
    }
    let cluster = &mut plan.cluster;
    for kind in &mut cluster.kinds {
        let idle = u64::from(kind.gpus) * 100 + 50;
        kind.power.idle = Watts(idle);
        kind.power.busy = Watts(idle + u64::from(kind.gpus) * 1000);
        (kind.power.gpu_tgp, kind.power.rack_overhead) = (Watts(1000), Watts(70));
    }
    // Dear and cheap by turns; kinds differ by the speed of a job.
    let price = Series { offset: 0, step: Seconds(30), values: vec![40, -5, 90], repeats: true };
    cluster.grids = vec![Grid {
        price: Some(Signal::Series(price)),
        carbon: Some(Signal::Constant(7)),
        ..Grid::default()
    }];
    let losses = if power.lossy { vec![Loss { add: Watts(13), num: 50, den: 49 }] } else { Vec::new() };
    let row = |name: &str, parent| Feed {
        name: name.to_owned(),
        parent,
        losses: losses.clone(),
        ..Feed::default()
    };
    cluster.feeds = vec![row("hall", None), row("row 1", Some(0)), row("row 2", Some(0))];
    let half = cluster.racks.len() / 2;
    for (index, rack) in cluster.racks.iter_mut().enumerate() {
        rack.feed = if index < half { 1 } else { 2 };
    }
    let idle = draws(cluster, &[]);
    let busy = Busy(cluster).all();
    let at = |domain: usize, percent: u32| {
        Watts(idle[domain] + (busy[domain] - idle[domain]) * u64::from(percent) / 100)
    };
    let (racks, feeds) = (cluster.racks.len(), cluster.feeds.len());
    let cap = |domain: usize, percent: Option<u32>| percent.map(|percent| at(domain, percent));
    let site = cap(racks + feeds, power.caps[0]);
    let of_feeds: Vec<_> = (0..3).map(|feed| cap(racks + feed, power.caps[1 + feed])).collect();
    let of_racks: Vec<_> = (0..2.min(racks)).map(|rack| cap(rack, power.caps[4 + rack])).collect();
    let curtailed = power.curtailment.map(|(from, length, percent, notice)| {
        let (from, until) = (Time(from), Time(from + length));
        Curtailment { feed: 0, cap: at(racks, percent), from, until, notice: Seconds(notice) }
    });
    cluster.sites[0].cap = site;
    cluster.feeds.iter_mut().zip(of_feeds).for_each(|(feed, cap)| feed.cap = cap);
    cluster.racks.iter_mut().zip(of_racks).for_each(|(rack, cap)| rack.cap = cap);
    cluster.curtailments.extend(curtailed);
    let way = busy[racks] - idle[racks];
    cluster.ramps.extend(power.rise.map(|rise| Ramp { feed: 0, rise: Watts(way * u64::from(rise) / 100) }));
    let named = Settings {
        power: rule.to_owned(),
        curtail: CURTAILS[power.curtail].to_owned(),
        power_period: power.period,
        power_thresholds: power.thresholds,
        ..plan.settings.clone()
    };
    plan.settings = named;
    // A policy that drains moves no job; nor does an order that would rank running jobs begin to.
    if plan.settings.curtail == "drain" && plan.settings.preemption.as_deref() == Some("consolidate") {
        plan.settings.preemption = Some("none".to_owned());
    }
    // What comes back draws whether or not there is power for it.
    plan.cluster.changes.retain(|change| change.state != NodeState::Absent);
    plan
}

/// The same under a backfill whose decisions follow from the present alone.
fn plan_without_reservations(spec: &Spec, power: &Power, rule: &str) -> Plan {
    let mut plan = plan(spec, power, rule);
    if plan.settings.backfill == "conservative" {
        plan.settings.backfill = "skip".to_owned();
        plan.settings.event_backfill =
            plan.settings.event_backfill.map(|event| if event == "none" { event } else { "skip".to_owned() });
    }
    plan
}

/// Everything held.
struct Busy<'a>(&'a Cluster);

impl Busy<'_> {
    fn all(&self) -> Vec<u64> {
        let kinds = (0..self.0.nodes())
            .map(|node| self.0.kind_of(node).power.busy.0 - self.0.kind_of(node).power.idle.0);
        draws(self.0, &kinds.collect::<Vec<u64>>())
    }
}

/// What racks, feeds and the site draw, in this order, for what each node draws above idle; absent nodes are not told.
fn draws(cluster: &Cluster, above: &[u64]) -> Vec<u64> {
    let mut drawn = Vec::new();
    for rack in &cluster.racks {
        let power = &cluster.kinds[rack.kind as usize].power;
        let nodes = rack.first_node..rack.first_node + rack.nodes;
        let node = |node: u32| power.idle.0 + above.get(node as usize).copied().unwrap_or(0);
        drawn.push(nodes.map(node).sum::<u64>() + power.rack_overhead.0);
    }
    let through =
        |feed: usize, below: u64| gigawatt::cluster::through(&cluster.feeds[feed].losses, Watts(below)).0;
    let row = |feed: usize| {
        let racks = cluster.racks.iter().zip(&drawn).filter(|(rack, _)| rack.feed as usize == feed);
        through(feed, racks.map(|(_, drawn)| drawn).sum())
    };
    let (first, second) = (row(1), row(2));
    let hall = through(0, first + second);
    drawn.extend([hall, first, second, hall]);
    drawn
}

/// What a segment makes each node draw in its hungriest phase.
fn add_segment(history: &History, segment: &Segment, above: &mut [u64]) {
    let cluster = &history.plan.cluster;
    for piece in history.pieces_of(segment) {
        for node in piece.nodes() {
            let kind = cluster.kind_of(node);
            let milli = match *piece {
                Piece::Nodes { .. } => kind.gpus * 1000,
                Piece::Gpus { mask, .. } => mask.count_ones() * 1000,
                Piece::Share { milli, .. } => u32::from(milli),
            };
            let profile = history.plan.workload.behaviour_of(segment.job).profile();
            above[node as usize] +=
                part(Draw::new(&profile, &kind.power, segment.cap).peak, milli, kind.gpus).0;
        }
    }
}

/// Every instant at which a domain draws more than it may though somebody below could yield; all of it counted anew.
fn broken_caps(history: &History) -> Vec<String> {
    let cluster = &history.plan.cluster;
    let mut instants: BTreeSet<u32> = history.segments.iter().flat_map(|s| [s.from.0, s.to.0]).collect();
    instants.extend(cluster.curtailments.iter().flat_map(|c| [c.from.0, c.until.0]));
    let mut broken = Vec::new();
    for now in instants.into_iter().map(Time).filter(|now| *now < history.end) {
        let running: Vec<&Segment> =
            history.segments.iter().filter(|s| s.from <= now && now < s.to).collect();
        let mut above = vec![0; cluster.nodes() as usize];
        running.iter().for_each(|segment| add_segment(history, segment, &mut above));
        let drawn = draws(cluster, &above);
        let caps = cluster.racks.iter().map(|rack| rack.cap);
        let feeds = (0u32..).zip(&cluster.feeds).map(|(index, feed)| {
            let taken = cluster.curtailments.iter().filter(|c| c.feed == index && c.is_active(now));
            feed.cap.into_iter().chain(taken.map(|c| c.cap)).min()
        });
        for (domain, (drawn, cap)) in
            drawn.iter().zip(caps.chain(feeds).chain([cluster.sites[0].cap])).enumerate()
        {
            let Some(cap) = cap.filter(|cap| drawn > &cap.0) else { continue };
            let hall = domain == cluster.racks.len();
            let excuse = hall
                && cluster.curtailments.iter().any(|c| c.is_active(now))
                && !could_yield(history, &running);
            if !excuse {
                broken.push(format!("{}: domain {domain} draws {drawn} W of {} W", now.0, cap.0));
            }
        }
    }
    broken
}

/// Every instant at which starts leave the hall more above its least draw of the minute before than it may rise.
fn too_fast(history: &History) -> Vec<String> {
    let cluster = &history.plan.cluster;
    let Some(ramp) = cluster.ramps.first() else { return Vec::new() };
    let mut instants: BTreeSet<u32> = history.segments.iter().flat_map(|s| [s.from.0, s.to.0]).collect();
    instants.insert(0);
    let drawn = |now: u32| {
        let mut above = vec![0; cluster.nodes() as usize];
        let running = history.segments.iter().filter(|s| s.from.0 <= now && now < s.to.0);
        running.for_each(|segment| add_segment(history, segment, &mut above));
        draws(cluster, &above)[cluster.racks.len()]
    };
    let hall: Vec<(u32, u64)> = instants.into_iter().map(|now| (now, drawn(now))).collect();
    let starts: BTreeSet<u32> = history.segments.iter().map(|s| s.from.0).collect();
    let mut fast = Vec::new();
    for (index, &(now, after)) in
        hall.iter().enumerate().filter(|(_, (now, _))| starts.contains(now) && *now > 0)
    {
        // What was drawn from an instant on counts while the next one lies within the minute.
        let recent = (0..index).filter(|earlier| hall[earlier + 1].0 > now.saturating_sub(60));
        let least = recent.map(|earlier| hall[earlier].1).min().unwrap_or(after);
        // A job that only goes on slower raises nothing.
        if after > hall[index - 1].1.max(least + ramp.rise.0) {
            fast.push(format!("{now}: the hall draws {after} W, {least} W within the minute before"));
        }
    }
    fast
}

/// Whether a running job could still yield to a curtailment of the hall, and the rule asks for it.
fn could_yield(history: &History, running: &[&Segment]) -> bool {
    let preemptible = |segment: &Segment| history.plan.workload.behaviour_of(segment.job).preemptible;
    let draws = |segment: &Segment| history.gpus_of(segment) > 0;
    history.plan.settings.curtail != "drain"
        && running.iter().any(|segment| preemptible(segment) && draws(segment))
}

/// Runs `test` on random plans with caps.
fn for_all(name: &str, cases: u32, test: impl Fn(&Spec, &Power) -> Result<(), TestCaseError>) {
    support::for_all::for_all(name, &(plans::spec(), power()), cases, |(spec, power)| test(&spec, &power));
}

fn fail(problems: &[String]) -> Result<(), TestCaseError> {
    if problems.is_empty() { Ok(()) } else { Err(TestCaseError::fail(problems.join("\n"))) }
}

fn power_seconds(history: &History) -> u64 {
    let measured = measure(history);
    let own = |reasons: &[u32]| u64::from(reasons[WaitReason::Power as usize]);
    measured.jobs.iter().map(|job| own(&job.reasons)).sum()
}

#[test]
fn no_domain_ever_draws_more_than_it_may() {
    for rule in ["admit", "cap", "steer", "polca"] {
        let seen = RefCell::new([0_u64; 5]);
        for_all(rule, 600, |spec, power| {
            let history = simulate(plan(spec, power, rule), &mut Control::default());
            fail(&broken_caps(&history))?;
            fail(&too_fast(&history))?;
            history.check().map_err(TestCaseError::fail)?;
            let mut seen = seen.borrow_mut();
            seen[0] += u64::from(history.segments.iter().any(|segment| segment.cap < Factor::ONE));
            seen[1] +=
                u64::from(history.segments.iter().any(|s| s.end == gigawatt::history::SegmentEnd::Changed));
            seen[2] += power_seconds(&history);
            seen[3] += u64::from(power.curtailment.is_some());
            let mut unlimited = history.plan.clone();
            unlimited.cluster.ramps.clear();
            seen[4] += u64::from(simulate(unlimited, &mut Control::default()).segments != history.segments);
            Ok(())
        });
        let seen = seen.into_inner();
        assert!(
            seen.iter().all(|count| *count > 0),
            "{rule}: caps, changes, waiting for power, curtailments, limits of rises that matter: {seen:?}"
        );
    }
}

#[test]
fn a_cap_that_is_broken_is_noticed() {
    let found = RefCell::new([0_u32; 2]);
    for_all("no caps", 240, |spec, power| {
        let history = simulate(
            plan(spec, &Power { curtailment: None, ..power.clone() }, "none"),
            &mut Control::default(),
        );
        let mut found = found.borrow_mut();
        found[0] += u32::from(!broken_caps(&history).is_empty());
        found[1] += u32::from(!too_fast(&history).is_empty());
        Ok(())
    });
    let found = found.into_inner();
    assert!(
        found.iter().all(|count| *count > 2),
        "a policy that ignores caps and limits of rises breaks them: {found:?}"
    );
}

#[test]
fn caps_that_nobody_reaches_change_nothing() {
    for_all("lifted", 800, |spec, power| {
        // A cap links the partitions below it, so that more passes concern them: of one partition alone nothing changes.
        let mut spec = spec.clone();
        spec.cluster.partitions.clear();
        let none = Power { caps: [None; 6], curtailment: None, rise: None, ..power.clone() };
        let mut lifted = plan(&spec, &none, "admit");
        let free = simulate(lifted.clone(), &mut Control::default());
        lifted.cluster.sites[0].cap = Some(Watts(1 << 50));
        lifted.cluster.racks[0].cap = Some(Watts(1 << 50));
        let capped = simulate(lifted, &mut Control::default());
        prop_assert_eq!(&free.segments, &capped.segments, "segments");
        prop_assert_eq!(&free.pieces, &capped.pieces, "what they hold");
        prop_assert_eq!(&free.jobs, &capped.jobs, "outcomes");
        prop_assert_eq!(power_seconds(&capped), 0, "nobody waits for power");
        Ok(())
    });
}

/// The schedule is that of the reference on random plans, whose caps `change` alters and of which it says which count.
fn equals_the_reference(what: &str, cases: u32, change: impl Fn(&Spec, &Power) -> Option<Power>) {
    let waited = RefCell::new(0);
    for_all(what, cases, |spec, power| {
        let Some(power) = change(spec, power) else { return Ok(()) };
        let plan = plan_without_reservations(spec, &power, "admit");
        let history = simulate(plan.clone(), &mut Control::default());
        let expected = schedule::of_run(&naive::simulate(&plan));
        *waited.borrow_mut() += power_seconds(&history);
        fail(&differences(&expected, &schedule::of_history(&history)))
    });
    assert!(waited.into_inner() > 1000, "caps bind");
}

#[test]
fn admission_equals_the_naive_reference() {
    equals_the_reference("admission", 2000, |_, power| {
        Some(Power { curtailment: None, rise: None, ..power.clone() })
    });
}

#[test]
fn limits_of_rises_equal_the_naive_reference() {
    // Beside a cycle a draw that may rise again is no event of the reference.
    equals_the_reference("rises", 1500, |spec, power| {
        let rises = power.rise.is_some() && spec.policy.cycle.is_none() && !spec.policy.is_ranked();
        rises.then(|| Power { curtailment: power.curtailment, curtail: 2, ..power.clone() })
    });
}

#[test]
fn draining_equals_the_naive_reference() {
    // Not where pending and running jobs compete, of which the reference does not know which would still run when a
    // curtailment begins.
    equals_the_reference("draining", 1000, |spec, power| {
        (!spec.policy.is_ranked()).then(|| Power { rise: None, curtail: 2, ..power.clone() })
    });
}

#[test]
fn the_naive_reference_starts_nobody_above_a_cap() {
    let starts = RefCell::new(0);
    let planted = RefCell::new(0);
    for_all("caps of the reference", 500, |spec, power| {
        let only_caps = Power { rise: None, curtail: 2, ..power.clone() };
        let plan = plan(spec, &only_caps, "admit");
        if spec.policy.is_ranked() {
            return Ok(());
        }
        let run = naive::simulate(&plan);
        *starts.borrow_mut() += run.jobs.iter().filter(|job| !job.attempts.is_empty()).count();
        let mut heedless = plan.clone();
        heedless.settings.power = "none".to_owned();
        *planted.borrow_mut() += naive::laws::above_caps(&plan, &naive::simulate(&heedless)).len();
        fail(&[naive::laws::above_caps(&plan, &run), naive::laws::delayed(&run)].concat())
    });
    assert!(starts.into_inner() > 1000, "jobs start");
    assert!(planted.into_inner() > 1000, "a policy that heeds no cap is reported");
}

#[test]
fn places_ranked_at_once_keep_to_caps_as_those_found_class_by_class_do() {
    for rule in ["admit", "cap", "polca"] {
        let evaluator = processor();
        let waited = RefCell::new(0);
        for_all(rule, 600, |spec, power| {
            let plan = plan_without_reservations(spec, power, rule);
            let expected = one_by_one(&plan);
            *waited.borrow_mut() += power_seconds(&expected);
            for k in [1, 8] {
                let digest = ranked_by(&plan, &evaluator, k).digest();
                prop_assert_eq!(digest, expected.digest(), "{}, K = {}", rule, k);
            }
            Ok(())
        });
        assert!(evaluator.lock().expect("whole").batches > 100, "{rule}: places are ranked");
        assert!(waited.into_inner() > 100, "{rule}: caps bind");
    }
}
