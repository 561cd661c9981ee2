use super::plot::{Kind, Plot, Variant};
use super::text::short;
use super::{View, label_of};
use crate::metrics::GraphPath;
use crate::units::Seconds;
use serde::Serialize;

/// A chain of jobs over time.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Path {
    name: String,
    submit: u32,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, Serialize)]
struct Step {
    job: String,
    eligible: Option<u32>,
    start: Option<u32>,
    finish: Option<u32>,
    outcome: &'static str,
}

/// Characters of a name.
const NAME: usize = 48;

/// The critical paths of the job graphs, one a choice.
pub(super) fn plot(views: &[View<'_>]) -> Plot {
    let of = |view: &View<'_>| {
        let graphs = view.details.graphs.clone();
        graphs.into_iter().map(|graph| variant(&label_of(views, view), &graph)).collect::<Vec<_>>()
    };
    Plot {
        id: "graphs".to_owned(),
        title: "Critical path of a job graph (time since the start)".to_owned(),
        about: "The longest chain of ideal run times and delays, job by job: pale while a job that could start waits, \
                full from its first start to its end. What lies between the end of one and the next is the delay of \
                an edge, or another predecessor that ended later. Graphs that are not done come first, then those \
                that took longest."
            .to_owned(),
        kind: Kind::Paths,
        variants: views.iter().flat_map(of).collect(),
    }
}

fn variant(run: &str, graph: &GraphPath) -> Variant {
    let seconds = |time: Option<crate::units::Time>| time.map(|time| time.0);
    let steps = graph.steps.iter().map(|step| Step {
        job: short(&step.job, NAME),
        eligible: seconds(step.eligible_time),
        start: seconds(step.start_time),
        finish: seconds(step.finish_time),
        outcome: step.outcome,
    });
    let name = short(&graph.name, NAME);
    let took = match graph.turnaround_time {
        Some(turnaround) => format!("{turnaround}"),
        None => format!("{} of {} jobs completed", graph.completed, graph.jobs),
    };
    let ideal: Seconds = graph.critical_path_time;
    Variant {
        name: format!("{run}{name}: {took}, critical path {ideal}"),
        x: super::time::TITLE.to_owned(),
        y: "Job".to_owned(),
        paths: vec![Path { name, submit: graph.submit_time.0, steps: steps.collect() }],
        ..Variant::default()
    }
}
