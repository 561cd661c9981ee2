//! Every plot of one run, or of several beside each other.

use super::plot::{Kind, Plot, Variant};
use super::racks::racks;
use super::{View, bars, distributions, failures, paths, time};

/// Rectangles of all pictures of racks together.
const BARS: usize = 12_000;

/// A part of the page, and its plots in the order shown; those without data are left out.
pub(super) fn plots(views: &[View<'_>]) -> Vec<(&'static str, Vec<Plot>)> {
    let parts = [
        (
            "time",
            vec![
                time::utilization(views),
                time::queue(views),
                time::held(views),
                time::fragmentation(views),
                time::draw(views),
                time::price(views),
            ],
        ),
        ("racks", all_racks(views)),
        ("waiting", vec![bars::reasons(views), distributions::wait(views), distributions::turnaround(views)]),
        ("tenants", vec![bars::entitlement(views)]),
        ("failures", vec![failures::over_time(views), failures::waterfall(views)]),
        ("energy", vec![bars::energy(views), bars::money(views)]),
        ("graphs", vec![paths::plot(views)]),
    ];
    let with_data = |plots: Vec<Plot>| plots.into_iter().filter(Plot::has_data).collect();
    parts.map(|(part, plots)| (part, with_data(plots))).to_vec()
}

fn all_racks(views: &[View<'_>]) -> Vec<Plot> {
    let one = |view: &View<'_>| {
        let most = BARS / views.len().max(1);
        let found = racks(view.history, view.measured, view.details, most);
        Plot {
            id: format!("racks-{}", view.index),
            title: match views.len() {
                1 => "Racks over time (GPUs of each rack)".to_owned(),
                _ => format!("{}: racks over time (GPUs of each rack)", view.label),
            },
            about: "Each rectangle is a job on the GPUs that it holds, rack above rack; pick one to see which. Grey below \
                    is what all jobs hold, bucket by bucket: the paler, the emptier."
                .to_owned(),
            kind: Kind::Racks,
            variants: vec![Variant {
                x: time::TITLE.to_owned(),
                y: "Rack".to_owned(),
                racks: found,
                ..Variant::default()
            }],
        }
    };
    views.iter().map(one).collect()
}
