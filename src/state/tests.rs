use super::*;
use crate::cluster::{Cluster, NodeKind, Partition, Piece};
use crate::history::Settings;
use crate::random::{Purpose, Stream};
use crate::units::{Gpus, Seconds};
use crate::workload::{Behaviour, Builder, Request, Tenant};

/// Four nodes of four GPUs, the partition `half` being the first two; a tenant with a quota of six.
fn state(requests: &[Request], tenant_of: fn(u32) -> u32) -> State {
    state_with_limit(requests, tenant_of, None)
}

/// The same where the jobs of `half` may hold so many thousandths together.
fn state_with_limit(requests: &[Request], tenant_of: fn(u32) -> u32, limit_milli: Option<u32>) -> State {
    let mut builder = Builder::default();
    builder.add_tenant(Tenant::named("free"));
    builder.add_tenant(Tenant { quota_milli: Some(6000), ..Tenant::named("limited") });
    builder.partition("all");
    builder.partition("half");
    let behaviour = builder.behaviour(Behaviour { preemptible: true, ..Behaviour::default() });
    for (job, request) in (0..).zip(requests) {
        let request = builder.request(request.clone());
        let work_time = Seconds(1000);
        builder.push(Job { request, behaviour, work_time, tenant: tenant_of(job), ..Job::at(Time(0)) });
    }
    let mut cluster = Cluster::uniform(4, NodeKind { gpus: 4, ..NodeKind::default() });
    let half = Partition::new("half".to_owned(), std::iter::once(0..2).collect());
    cluster.partitions.push(Partition { limit_milli, ..half });
    let settings = Settings::named("fifo", "none", "first-fit");
    State::new(Plan { cluster, workload: builder.finish(), settings }, None)
}

fn gang(gpus: u32) -> Request {
    Request::gang(Gpus::whole(gpus))
}

const fn gpus(node: u32, mask: u64) -> Piece {
    Piece::Gpus { node, mask }
}

const fn start(job: u32, domains: &[Piece]) -> Decision<'_> {
    Decision::Start { job, domains, cap: Factor::ONE }
}

#[test]
fn every_wrong_decision_is_refused_with_its_law_and_changes_nothing() {
    let half = Request { partition: 1, ..gang(2) };
    let mut state = state(&[gang(2), half, gang(8), gang(4), gang(2), gang(8)], |job| u32::from(job >= 4));
    state.set_now(Time(5));
    (0..6).filter(|job| *job != 3).for_each(|job| state.set_eligible(job));
    state.set_state(3, NodeState::Draining);
    state.apply(start(0, &[gpus(0, 0b11)])).expect("it is free");
    state.apply(start(4, &[gpus(1, 0b11)])).expect("within the quota");
    let whole = |node| gpus(node, 0b1111);
    let starts = [
        (99, vec![gpus(0, 0b1100)], Law::Unknown),
        (3, vec![whole(2)], Law::NotPending),
        (0, vec![gpus(2, 0b11)], Law::NotPending),
        (1, vec![gpus(0, 0b110)], Law::NotFree(0)),
        (1, vec![gpus(2, 0b11)], Law::OutOfScope(2)),
        (1, vec![gpus(77, 0b11)], Law::OutOfScope(77)),
        (1, vec![gpus(0, 0b100)], Law::Shape),
        (1, vec![gpus(0, 0b100), gpus(1, 0b1000)], Law::Shape),
        (1, vec![], Law::Shape),
        (2, vec![whole(2), whole(3)], Law::NotUp(3)),
        (2, vec![whole(2), whole(2)], Law::NotFree(2)),
        (2, vec![Piece::Nodes { word: 0, mask: 0b110 }], Law::NotFree(1)),
        (5, vec![whole(0), whole(2)], Law::Quota),
    ];
    let elsewhere = [gpus(2, 0b11)];
    let others = [
        (Decision::Stop { job: 1 }, Law::NotRunning),
        (Decision::Move { job: 0, domains: &elsewhere }, Law::NotRunning),
        (Decision::Cap { job: 2, cap: Factor::ONE }, Law::NotRunning),
        (Decision::Reject { job: 0 }, Law::NotPending),
        (Decision::Hold { job: 0, until: Time(9) }, Law::NotPending),
        (Decision::Hold { job: 1, until: Time(5) }, Law::Past),
        (Decision::WakeAt { time: Time(5) }, Law::Past),
    ];
    let starts = starts.iter().map(|(job, domains, law)| (start(*job, domains), *law));
    let cases: Vec<(Decision<'_>, Law)> = starts.chain(others).collect();
    let before = (state.history.clone(), state.resources.occupancy.ledger(), state.log.len());
    for (decision, law) in cases {
        let refusal = state.apply(decision).expect_err("it breaks a law");
        assert_eq!(refusal.law, law, "{refusal}");
        let after = (state.history.clone(), state.resources.occupancy.ledger(), state.log.len());
        assert!(after == before, "{refusal}: something has changed");
    }
    state.set_now(Time(9));
    let (three, taken) = ([gpus(2, 0b111)], [gpus(1, 0b11)]);
    let seven = [whole(2), gpus(0, 0b1100), gpus(1, 0b1)];
    let moves = [
        (Decision::Move { job: 0, domains: &three }, Law::Shape),
        (Decision::Move { job: 0, domains: &taken }, Law::NotFree(1)),
        (Decision::Resize { job: 4, domains: &seven }, Law::Quota),
    ];
    for (decision, law) in moves {
        let before = state.resources.occupancy.ledger();
        assert_eq!(state.apply(decision).expect_err("it breaks a law").law, law, "{decision:?}");
        assert_eq!(state.resources.occupancy.ledger(), before, "{decision:?}: something has changed");
    }
    let wide = [whole(2), gpus(1, 0b1100)];
    assert!(state.apply(Decision::Resize { job: 0, domains: &wide }).is_ok(), "and what breaks none is done");
}

#[test]
fn what_a_job_holds_decides_its_rate_and_its_quota() {
    let mut state = state(&[gang(4), gang(4)], |_| 1);
    state.set_eligible(0);
    state.set_eligible(1);
    state.apply(start(0, &[gpus(0, 0b1111)])).expect("four of six");
    assert_eq!(state.apply(start(1, &[gpus(1, 0b1111)])).expect_err("eight of six").law, Law::Quota);
    state.set_now(Time(100));
    state.apply(Decision::Resize { job: 0, domains: &[gpus(0, 0b11)] }).expect("smaller");
    assert_eq!(state.held_milli(0), 2000, "what it holds, not what it asked for");
    assert_eq!(state.segment(0).map(|segment| segment.rate), Some(Factor(1 << 15)), "half of it");
    state.apply(start(1, &[gpus(1, 0b1111)])).expect("two and four of six");
    state.set_now(Time(200));
    state.apply(Decision::Stop { job: 0 }).expect("it runs");
    assert_eq!(
        state.work_left(0),
        (1000 - 100 - 50) << 16,
        "a hundred seconds, and a hundred at half the rate"
    );
}

#[test]
fn what_jobs_of_a_partition_hold_counts_against_its_limit() {
    let of_half = |gpus| Request { partition: 1, ..gang(gpus) };
    let mut state = state_with_limit(&[of_half(4), of_half(4), gang(4)], |_| 0, Some(6000));
    (0..3).for_each(|job| state.set_eligible(job));
    state.apply(start(0, &[gpus(0, 0b1111)])).expect("four of six");
    let node = [gpus(1, 0b1111)];
    let second = start(1, &node);
    assert_eq!(state.apply(second).expect_err("eight of six").law, Law::Limit);
    state.apply(start(2, &[gpus(2, 0b1111)])).expect("it is of no limited partition");
    state.set_now(Time(100));
    state.apply(Decision::Resize { job: 0, domains: &[gpus(0, 0b11)] }).expect("smaller");
    state.apply(second).expect("two and four of six");
    state.set_now(Time(200));
    let larger = [gpus(0, 0b111)];
    let refusal =
        state.apply(Decision::Resize { job: 0, domains: &larger }).expect_err("three and four of six");
    assert_eq!(refusal.law, Law::Limit, "what is held counts");
}

#[test]
fn two_jobs_swap_their_nodes_or_neither_moves() {
    for (mask, swaps) in [(0b1111, true), (0b0111, false)] {
        let mut state = state(&[gang(4), gang(4)], |_| 0);
        state.set_eligible(0);
        state.set_eligible(1);
        state.apply(start(0, &[gpus(0, 0b1111)])).expect("free");
        state.apply(start(1, &[gpus(1, 0b1111)])).expect("free");
        state.set_now(Time(10));
        let before = state.history.clone();
        let mut trial = Trial::new(&mut state);
        let checkpoint = trial.checkpoint();
        trial.apply(Decision::Stop { job: 0 }).expect("it runs");
        let (here, there) = ([gpus(0, 0b1111)], [gpus(1, mask)]);
        trial.apply(Decision::Move { job: 1, domains: &here }).expect("its place is free");
        let back = trial.apply(start(0, &there));
        assert_eq!(back.is_ok(), swaps, "three GPUs are not what it asks for");
        if swaps {
            trial.commit(checkpoint);
            assert_eq!(trial.domains(0), [gpus(1, 0b1111)], "there");
            assert_eq!(trial.domains(1), [gpus(0, 0b1111)], "and here");
        } else {
            trial.roll_back(checkpoint);
            assert_eq!(state.history, before, "nothing has happened");
        }
    }
}

/// A random decision about a random job; most are refused.
fn act(state: &State, stream: &Stream, case: u64, step: u32) -> (u32, u32, Vec<Piece>) {
    let draw = |number, bound| stream.below(case, step * 8 + number, bound);
    let job = draw(0, 8);
    let node = draw(1, 4);
    let wanted = if draw(2, 3) == 0 { 1 + draw(3, 4) } else { state.class(job).gpus_milli / 1000 };
    let mut free = state.resources.occupancy.free_mask(node as usize);
    while free.count_ones() > wanted {
        free &= free - 1;
    }
    (draw(4, 5), job, vec![gpus(node, if draw(5, 9) == 0 { 0b11 } else { free })])
}

fn decide(state: &mut State, (kind, job, domains): &(u32, u32, Vec<Piece>)) -> bool {
    let (job, domains) = (*job, &domains[..]);
    let decision = match kind {
        0 | 1 => start(job, domains),
        2 => Decision::Stop { job },
        3 => Decision::Resize { job, domains },
        _ => Decision::Move { job, domains },
    };
    state.apply(decision).is_ok()
}

/// All that can be told from outside of a state.
fn picture(state: &State) -> impl PartialEq + std::fmt::Debug + use<> {
    let jobs = 0..u32::try_from(state.history.jobs.len()).expect("few jobs");
    let each =
        |job| (state.status(job), state.domains(job).to_vec(), state.work_left(job), state.held_milli(job));
    let mut running = state.running().to_vec();
    running.sort_unstable();
    (state.history.clone(), state.resources.occupancy.ledger(), jobs.map(each).collect::<Vec<_>>(), running)
}

#[test]
fn what_is_rolled_back_never_was_and_what_is_committed_was_applied() {
    let requests: Vec<Request> = [4, 2, 1, 3, 4, 2, 4, 1].map(gang).to_vec();
    let stream = Stream::new(3, Purpose::Sampling);
    let (mut refused, mut applied) = (0_u32, 0_u32);
    for case in 0..400 {
        let make = || {
            let mut made = state(&requests, |job| job % 2);
            (0..8).for_each(|job| made.set_eligible(job));
            made
        };
        let (mut on_trial, mut direct) = (make(), make());
        for step in 0..250_u32 {
            let now = Time(step / 4);
            on_trial.set_now(now);
            direct.set_now(now);
            let before = picture(&on_trial);
            let keeps = stream.below(case, step * 8 + 6, 2) == 0;
            let mut trial = Trial::new(&mut on_trial);
            let (outer, inner) = (trial.checkpoint(), trial.checkpoint());
            for part in 0..3 {
                let script = act(&trial, &stream, case + 1000, step * 3 + part);
                let done = decide(trial.state, &script);
                if keeps {
                    assert_eq!(
                        decide(&mut direct, &script),
                        done,
                        "case {case}, step {step}: the same answer"
                    );
                }
                applied += u32::from(done);
                refused += u32::from(!done);
            }
            trial.commit(inner);
            if keeps {
                trial.commit(outer);
                assert!(picture(&on_trial) == picture(&direct), "case {case}, step {step}: committed");
            } else {
                trial.roll_back(outer);
                assert!(picture(&on_trial) == before, "case {case}, step {step}: rolled back");
            }
        }
    }
    assert!(applied > 20_000 && refused > 20_000, "{applied} applied, {refused} refused");
}
