//! A history in which something fails, by hand.

use super::super::{FailureRecord, History, JobRecord, Outcome, Piece, Plan, Segment, SegmentEnd};
use crate::cluster::{CapacityChange, Cluster, NodeKind, NodeState};
use crate::failure::{Component, Failures, Per, Repair, Span};
use crate::units::{Factor, Gpus, Seconds, Time};
use crate::workload::{Behaviour, Builder, Job, Request};

/// Two racks of two nodes of four GPUs, and a job on one node. A GPU of node 1 fails at 100 s, which is seen at 120 s and
/// repaired at 220 s; rack 1 fails at 250 s, which nobody sees within the run.
pub(crate) fn failing() -> History {
    let mut builder = Builder::default();
    builder.tenant("lab");
    let request = builder.request(Request::gang(Gpus::whole(4)));
    let behaviour = builder.behaviour(Behaviour {
        checkpoint_interval: Seconds(40),
        restart_time: Seconds(10),
        ..Behaviour::default()
    });
    builder.push_named(Job { work_time: Seconds(200), request, behaviour, ..Job::at(Time(0)) }, "train");
    let mut cluster = Cluster::racked(2, 2, NodeKind { gpus: 4, ..NodeKind::default() });
    let component = |name: &str, per| Component {
        detection: Span::Fixed(Seconds(20)),
        repairs: vec![Repair::certain("swap", Span::Fixed(Seconds(100)))],
        ..Component::new(name, per)
    };
    let components = vec![component("gpu", Per::Gpu), component("switch", Per::Rack)];
    cluster.failures = Some(Box::new(Failures { components, ..Failures::default() }));
    let segment = |first_piece, from, to, restart, end| Segment {
        job: 0,
        from: Time(from),
        to: Time(to),
        first_piece,
        pieces: 1,
        rate: Factor::ONE,
        cap: Factor::ONE,
        restart,
        end,
    };
    let node = |node: u32| Piece::Nodes { word: 0, mask: 1 << node };
    let change = |time, state| CapacityChange::surprise(Time(time), 1..2, state);
    let failed = |time, component, back| FailureRecord {
        time: Time(time),
        component,
        unit: 1,
        detected: Time(time + 20),
        back,
        repair: 0,
        helps: true,
    };
    let (eligible_time, finish_time) = (Time(0), Time(260));
    History {
        plan: Plan { cluster, workload: builder.finish(), ..Plan::default() },
        // 100 s are done, of which 80 are kept; it runs again at 130, restarts for 10 s, and 120 s of work are left.
        segments: vec![
            segment(0, 0, 100, 0, SegmentEnd::Stalled),
            segment(1, 100, 120, 20, SegmentEnd::NodeDown),
            segment(2, 130, 260, 10, SegmentEnd::Completed),
        ],
        pieces: vec![node(1), node(1), node(2)],
        jobs: vec![JobRecord { eligible_time, finish_time, outcome: Outcome::Completed }],
        failures: vec![failed(100, 0, Time(220)), failed(250, 1, Time::NEVER)],
        capacity: vec![
            change(100, NodeState::Draining),
            change(120, NodeState::Down),
            change(220, NodeState::Up),
        ],
        end: Time(260),
        complete: true,
        ..History::default()
    }
}
