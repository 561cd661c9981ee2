use super::*;
use crate::cluster::{Curtailment, Feed, NodePower, NodeState, Piece, Pue, Site};
use crate::hardware::{Curve, Level, Loss, Stage};
use crate::history::sample::{self, Dice};
use crate::power::draw::Draw;
use crate::power::energy::of_jobs;
use crate::units::{Factor, Seconds};
use crate::workload::Profile;

fn loss(dice: &mut Dice) -> Loss {
    let (num, den) = dice.pick(&[(1, 1), (50, 49), (25, 24), (1000, 965), (3, 2)]);
    Loss { add: Watts(u64::from(dice.pick(&[0_u32, 0, 13, 250]))), num, den }
}

fn losses(dice: &mut Dice) -> Vec<Loss> {
    (0..dice.below(3)).map(|_| loss(dice)).collect()
}

fn node_power(dice: &mut Dice) -> NodePower {
    let watts = |number: u32| Watts(u64::from(number));
    let fraction = |dice: &mut Dice| Factor(1 + dice.below(Factor::ONE.0));
    let (idle, gpu_idle) = (dice.pick(&[0, 601, 1999]), dice.pick(&[0, 70, 200]));
    let chassis_nodes = dice.below(4);
    let mut stages = Vec::new();
    for level in Level::ALL {
        if level != Level::Chassis || chassis_nodes > 0 {
            stages.extend(losses(dice).into_iter().map(|loss| Stage { level, loss }));
        }
    }
    let knee = (Factor(1 << 15), Factor(dice.pick(&[1 << 14, 1 << 15, 1 << 16])));
    NodePower {
        idle: watts(idle),
        busy: watts(idle + dice.pick(&[0, 2100, 6001])),
        gpu_idle: watts(gpu_idle),
        gpu_tgp: watts(gpu_idle + dice.pick(&[0, 699, 1400])),
        rack_overhead: watts(dice.pick(&[0, 8000])),
        levels: [(); 6].map(|()| fraction(dice)),
        curves: [Curve::default(), Curve { points: vec![knee] }],
        stages,
        chassis_nodes,
        cap: dice.one_in(2).then_some(Watts(2_500)),
        ..NodePower::default()
    }
}

/// A random run, on a random tree of feeds that lose, cool and are capped.
fn powered(seed: u64) -> History {
    let mut history = sample::random(seed);
    let mut dice = Dice::new(seed ^ 0x9077);
    let cluster = &mut history.plan.cluster;
    for kind in &mut cluster.kinds {
        kind.power = node_power(&mut dice);
    }
    cluster.kinds[0].power.idle.0 += 1;
    cluster.kinds[0].power.busy.0 += 1;
    let pue = Pue {
        loads: vec![Watts(1000), Watts(20_000)],
        temperatures: vec![0, 250],
        milli: vec![1500, 1100, 1700, 1301],
    };
    let cap = |dice: &mut Dice| dice.one_in(2).then(|| Watts(u64::from(dice.below(30_000))));
    let site = |dice: &mut Dice, name: &str, pue| Site {
        name: name.to_owned(),
        cap: cap(dice),
        losses: losses(dice),
        pue,
        outdoor: vec![(Time(0), -50), (Time(40 + dice.below(99)), 250)],
    };
    cluster.sites = vec![site(&mut dice, "one", Some(pue)), site(&mut dice, "two", None)];
    // The second site's feed comes last, and with it the last rack.
    let parents = [None, Some(0), Some(1), Some(0), None];
    let feed = |(index, parent): (u32, Option<u32>)| Feed {
        name: format!("feed {index}"),
        site: u32::from(index == 4),
        parent,
        cap: cap(&mut dice),
        losses: losses(&mut dice),
    };
    cluster.feeds = (0..).zip(parents).map(feed).collect();
    let racks = cluster.racks.len();
    for (index, rack) in cluster.racks.iter_mut().enumerate() {
        rack.feed = u32::try_from(index * 5 / racks).unwrap();
        rack.cap = dice.one_in(3).then_some(Watts(9_000));
    }
    let (from, until, notice) = (Time(33), Time(71), Seconds(5));
    cluster.curtailments.push(Curtailment { feed: 1, cap: Watts(2_000), from, until, notice });
    for behaviour in &mut history.plan.workload.behaviours {
        let own = Profile { shares: [1 << 15, 0, 1 << 14, 0, 0, 1 << 14], levels: [0, 0, 40_000, 0, 0, 0] };
        behaviour.profile = if dice.one_in(2) { own } else { Profile::default() };
    }
    for segment in &mut history.segments {
        segment.cap = dice.pick(&[Factor::ONE, Factor::ONE, Factor(1 << 15), Factor(9_999)]);
    }
    assert_eq!(history.check(), Ok(()), "seed {seed} makes a history like any other");
    history
}

/// What can be wrong with an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Planted {
    Nothing,
    /// A job draws from the second after its start.
    LateBegin,
    /// Losses are rounded down.
    RoundedDown,
    /// A node that is down draws nothing.
    DownIsOff,
    /// The last second is not counted.
    EndTooEarly,
    /// One watt too much of one job.
    OneWatt,
    /// What nodes may draw is not looked at.
    NodeCapsIgnored,
}

/// The same by definition: every second is looked at on its own, from the nodes up.
#[derive(Debug, Default, PartialEq, Eq)]
struct Definition {
    all: u128,
    jobs: Vec<u128>,
    idle: i128,
    overhead: i128,
    losses: i128,
    cooling: i128,
    sites: Vec<u128>,
    feeds: Vec<u128>,
    over: u128,
    peak: u128,
}

struct Second<'a> {
    history: &'a History,
    now: Time,
    planted: Planted,
    nodes: Vec<u128>,
    found: &'a mut Definition,
}

impl Second<'_> {
    fn present(&self, node: u32) -> bool {
        let mut changes = self.history.plan.cluster.changes.iter();
        let last = changes.rfind(|change| change.time <= self.now && change.nodes.contains(&node));
        let off = last.is_some_and(|last| last.state == NodeState::Absent);
        let down = last.is_some_and(|last| last.state == NodeState::Down);
        !(off || down && self.planted == Planted::DownIsOff)
    }
    fn hold(&mut self) {
        let history = self.history;
        let cluster = &history.plan.cluster;
        let late = u32::from(self.planted == Planted::LateBegin);
        for segment in &history.segments {
            if self.now.0 < segment.from.0 + late || segment.to <= self.now {
                continue;
            }
            for piece in history.pieces_of(segment) {
                for node in piece.nodes() {
                    let kind = cluster.kind_of(node);
                    let all = u128::from(kind.gpus) * 1000;
                    let milli = match *piece {
                        Piece::Nodes { .. } => all,
                        Piece::Gpus { mask, .. } => u128::from(mask.count_ones()) * 1000,
                        Piece::Share { milli, .. } => u128::from(milli),
                    };
                    let profile = history.plan.workload.behaviour_of(segment.job).profile();
                    let draw = u128::from(Draw::new(&profile, &kind.power, segment.cap).mean.0);
                    let mut watts = if milli == 0 { 0 } else { (draw * milli).div_ceil(all) };
                    watts += u128::from(self.planted == Planted::OneWatt && segment.job == 3);
                    let idle = (u128::from(kind.power.idle.0) * milli).checked_div(all).unwrap_or(0);
                    self.nodes[node as usize] += watts;
                    self.found.jobs[segment.job as usize] += watts + idle;
                    self.found.idle -= i128::try_from(idle).unwrap();
                }
            }
        }
    }
    fn climb(&mut self, losses: &[Loss], below: u128) -> u128 {
        let mut watts = below;
        for loss in losses.iter().filter(|_| below > 0) {
            let add = u128::from(loss.add.0);
            let scaled = (watts + add) * u128::from(loss.num);
            let den = u128::from(loss.den);
            let above =
                if self.planted == Planted::RoundedDown { scaled / den } else { scaled.div_ceil(den) };
            self.found.overhead += i128::try_from(add).unwrap();
            self.found.losses += i128::try_from(above).unwrap() - i128::try_from(watts + add).unwrap();
            watts = above;
        }
        watts
    }
    fn rack(&mut self, index: usize) -> u128 {
        let cluster = &self.history.plan.cluster;
        let rack = cluster.racks[index];
        let power = &cluster.kinds[rack.kind as usize].power;
        let at = |level| -> Vec<Loss> {
            power.stages.iter().filter(|stage| stage.level == level).map(|stage| stage.loss).collect()
        };
        let nodes: Vec<u32> = (rack.first_node..rack.first_node + rack.nodes).collect();
        let width = if power.chassis_nodes == 0 { nodes.len() } else { power.chassis_nodes as usize };
        let mut watts = 0;
        for chassis in nodes.chunks(width) {
            let mut below = 0;
            for node in chassis {
                let own = self.nodes[*node as usize];
                let own = self.climb(&at(Level::Node), own);
                self.note_over(own, power.cap.filter(|_| self.planted != Planted::NodeCapsIgnored));
                below += own;
            }
            watts += self.climb(&at(Level::Chassis), below);
        }
        if nodes.iter().any(|node| self.present(*node)) {
            watts += u128::from(power.rack_overhead.0);
            self.found.overhead += i128::from(power.rack_overhead.0);
        }
        let watts = self.climb(&at(Level::Rack), watts);
        self.note_over(watts, rack.cap);
        watts
    }
    fn note_over(&mut self, watts: u128, cap: Option<Watts>) {
        self.found.over += cap.map_or(0, |cap| watts.saturating_sub(u128::from(cap.0)));
    }
    fn feed(&mut self, index: u32) -> u128 {
        let cluster = &self.history.plan.cluster;
        let mut below = 0;
        for rack in 0..cluster.racks.len() {
            if cluster.racks[rack].feed == index {
                below += self.rack(rack);
            }
        }
        for child in (0..).take(cluster.feeds.len()) {
            if cluster.feeds[child as usize].parent == Some(index) {
                below += self.feed(child);
            }
        }
        let feed = &cluster.feeds[index as usize];
        let watts = self.climb(&feed.losses, below);
        let taken = cluster.curtailments.iter().filter(|taken| taken.feed == index);
        let taken = taken.filter(|taken| taken.from <= self.now && self.now < taken.until);
        self.note_over(watts, feed.cap.into_iter().chain(taken.map(|taken| taken.cap)).min());
        self.found.feeds[index as usize] += watts;
        watts
    }
    fn site(&mut self, index: u32) -> u128 {
        let cluster = &self.history.plan.cluster;
        let site = &cluster.sites[index as usize];
        let mut below = 0;
        for feed in (0..).take(cluster.feeds.len()) {
            let top = cluster.feeds[feed as usize].parent.is_none();
            if top && cluster.feeds[feed as usize].site == index {
                below += self.feed(feed);
            }
        }
        let warm =
            site.outdoor.iter().rfind(|(time, _)| *time <= self.now).map_or(0, |(_, degrees)| *degrees);
        let inside = self.climb(&site.losses, below);
        let cooled = match &site.pue {
            Some(pue) => u128::from(pue.of(Watts(u64::try_from(inside).unwrap()), warm).0),
            None => inside,
        };
        self.found.cooling += i128::try_from(cooled - inside).unwrap();
        self.note_over(cooled, site.cap);
        self.found.sites[index as usize] += cooled;
        cooled
    }
}

fn definition(history: &History, window: Range<Time>, planted: Planted) -> Definition {
    let cluster = &history.plan.cluster;
    let mut found = Definition {
        jobs: vec![0; history.jobs.len()],
        sites: vec![0; cluster.sites.len()],
        feeds: vec![0; cluster.feeds.len()],
        ..Definition::default()
    };
    let end = window.end.0 - u32::from(planted == Planted::EndTooEarly);
    for now in window.start.0..end {
        let nodes = vec![0; cluster.nodes() as usize];
        let mut second = Second { history, now: Time(now), planted, nodes, found: &mut found };
        for node in 0..cluster.nodes() {
            if second.present(node) {
                let idle = cluster.kind_of(node).power.idle.0;
                second.nodes[node as usize] += u128::from(idle);
                second.found.idle += i128::from(idle);
            }
        }
        second.hold();
        let watts = second.site(0) + second.site(1);
        found.all += watts;
        found.peak = found.peak.max(watts);
    }
    found
}

/// What the accounts of a run say, in the same form.
fn measured(history: &History, window: Range<Time>) -> Definition {
    let (power, tenants) = power(history, window.clone(), 1.0, 1.0).expect("power is counted");
    let mut jobs = vec![0; history.jobs.len()];
    for_each_segment(history, window.start, window.end, |job, held| jobs[job as usize] += held.joules());
    assert_eq!(tenants.iter().sum::<u128>(), power.jobs_j, "every job belongs to a tenant");
    assert_eq!(jobs.iter().sum::<u128>(), power.jobs_j, "no other joules");
    if window == (Time(0)..history.end) {
        assert_eq!(of_jobs(history), Some(jobs.clone()), "the whole run");
    }
    let signed = |joules: u128| i128::try_from(joules).unwrap();
    let whole = signed(power.jobs_j) + power.idle_j + signed(power.overhead_j);
    let whole = whole + signed(power.losses_j) + signed(power.cooling_j);
    assert_eq!(
        whole,
        signed(power.all.energy_j),
        "jobs, idle, overhead, losses and cooling are all there is"
    );
    Definition {
        all: power.all.energy_j,
        jobs,
        idle: power.idle_j,
        overhead: signed(power.overhead_j),
        losses: signed(power.losses_j),
        cooling: signed(power.cooling_j),
        sites: power.sites.iter().map(|site| site.energy_j).collect(),
        feeds: power.feeds.iter().map(|feed| feed.energy_j).collect(),
        over: power.all_over_cap_ws,
        peak: u128::from(power.all.peak_w),
    }
}

#[test]
fn energy_is_conserved_and_equal_to_the_sum_over_every_second() {
    let mut seen = [0_u128; 6];
    for seed in 0..40 {
        let history = powered(seed);
        let third = Time(history.end.0 / 3);
        for window in [Time(0)..history.end, third..Time(third.0 * 2)] {
            let found = measured(&history, window.clone());
            let expected = definition(&history, window.clone(), Planted::Nothing);
            assert_eq!(found, expected, "seed {seed}, {window:?}");
            let parts = [found.overhead, found.losses, found.cooling, found.idle];
            for (seen, part) in seen.iter_mut().zip(parts) {
                *seen += part.unsigned_abs();
            }
            seen[4] += found.over;
            seen[5] += found.jobs.iter().sum::<u128>();
        }
    }
    assert!(seen.iter().all(|joules| *joules > 0), "every part occurs: {seen:?}");
}

#[test]
fn an_account_that_is_off_by_one_is_noticed() {
    use Planted::{DownIsOff, EndTooEarly, LateBegin, NodeCapsIgnored, OneWatt, RoundedDown};
    for planted in [LateBegin, RoundedDown, DownIsOff, EndTooEarly, OneWatt, NodeCapsIgnored] {
        let differs = |seed| {
            let history = powered(seed);
            let window = Time(0)..history.end;
            measured(&history, window.clone()) != definition(&history, window, planted)
        };
        assert!((0..20).any(differs), "{planted:?} passes unnoticed");
    }
}

#[test]
fn the_ramp_is_the_largest_step_between_minutes_however_stretches_are_cut() {
    // Minutes of 60, 60, 100, 180 and 180 W, the last one not whole.
    let stretches = [(0, 130, 60), (130, 180, 108), (180, 330, 180)];
    for cut in [1, 7, 59, 60, 61, 1000] {
        let mut account =
            Account::new(Some(Watts(120)), vec![(Time(0), Some(Watts(100))), (Time(200), Some(Watts(170)))]);
        for (from, to, watts) in stretches {
            for at in (from..to).step_by(cut) {
                let until = to.min(at + u32::try_from(cut).unwrap());
                account.add(Time(0), Time(at), Time(until), Watts(watts));
            }
        }
        let found = account.finish("feed", 330);
        assert_eq!(found.ramp_w, 80, "in pieces of {cut} s");
        assert_eq!(found.over_cap_ws, 50 * 8 + 20 * 80 + 130 * 10, "in pieces of {cut} s");
        assert_eq!((found.peak_w, found.energy_j), (180, 130 * 60 + 50 * 108 + 150 * 180), "and the rest");
        assert_eq!((found.cap_w, found.stranded_w), (Some(120), Some(0)), "nothing is left over");
    }
}
