//! How long jobs wait and take, as part of the jobs that waited and took no longer.

use super::plot::{Kind, Plot, Series, Variant};
use super::{View, label_of};
use crate::metrics::{Group, PERCENTS};

pub(super) fn wait(views: &[View<'_>]) -> Plot {
    Plot {
        id: "wait".to_owned(),
        title: "Wait (seconds, % of jobs that waited no longer)".to_owned(),
        about: "Of every job that was eligible, those not done with their wait so far. Waits below a second are drawn at \
                one."
            .to_owned(),
        kind: Kind::Cumulative,
        variants: distributions(views, "Wait", |group| &group.wait_percentiles),
    }
}

/// How long jobs take.
pub(super) fn turnaround(views: &[View<'_>]) -> Plot {
    Plot {
        id: "turnaround".to_owned(),
        title: "Turnaround (seconds, % of jobs that took no longer)".to_owned(),
        about: "From submission to the end, of the jobs that completed, failed or timed out.".to_owned(),
        kind: Kind::Cumulative,
        variants: distributions(views, "Turnaround", |group| &group.turnaround_percentiles),
    }
}

fn distributions(views: &[View<'_>], what: &str, of: impl Fn(&Group) -> &Vec<u32>) -> Vec<Variant> {
    let line = |name: &str, color: usize, group: &Group| Series {
        name: name.to_owned(),
        color: color.to_string(),
        style: "line",
        x: of(group).iter().map(|seconds| f64::from(*seconds)).collect(),
        y: if of(group).is_empty() {
            Vec::new()
        } else {
            PERCENTS.map(|percent| Some(percent_of(percent))).to_vec()
        },
        ..Series::default()
    };
    let variant = |name: String, series| Variant {
        name,
        x: what.to_owned(),
        y: "Jobs (%)".to_owned(),
        series,
        ..Variant::default()
    };
    let all = views.iter().flat_map(|view| {
        view.details.all.iter().map(|group| line(&view.label, view.index, group)).collect::<Vec<_>>()
    });
    let mut variants = vec![variant("all jobs".to_owned(), all.collect())];
    for view in views {
        let details = view.details;
        for (name, groups) in [
            ("by size", &details.by_size),
            ("by kind", &details.by_kind),
            ("by tenant", &details.by_tenant),
            ("by platform", &details.by_platform),
        ] {
            let lines = groups.iter().enumerate().map(|(index, group)| line(&group.name, index, group));
            if groups.len() > 1 {
                variants.push(variant(format!("{}{name}", label_of(views, view)), lines.collect()));
            }
        }
    }
    variants
}

fn percent_of(percent: usize) -> f64 {
    f64::from(u8::try_from(percent).unwrap_or(100))
}
