use super::text::percent;
use crate::metrics::{ComponentFailures, FailureMetrics, SizeFailures, Waterfall};
use crate::report::lines::{cut, glued};
use crate::report::number::grouped;
use crate::units::Seconds;

/// Components, and sizes of jobs, that are named one by one.
const NAMED: usize = 4;
/// Characters of the name of a component.
const NAME: usize = 20;

/// What fails in a few lines: label and text.
pub(super) fn lines(own: &FailureMetrics) -> Vec<(&'static str, String)> {
    let each = |count: fn(&ComponentFailures) -> u32| {
        let mut told: Vec<(u32, &str)> =
            own.components.iter().map(|own| (count(own), own.name.as_str())).collect();
        told.retain(|(count, _)| *count > 0);
        told.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        named(told.iter().map(|(count, name)| format!("{} {}", cut(name, NAME), grouped(u64::from(*count)))))
    };
    let mut text = grouped(own.failures.into());
    if let Some(seconds) = own.mean_time_between_s {
        text.push_str(&format!(
            ", {}: {}",
            glued(&format!("one in {}", span(seconds))),
            each(|own| own.failures)
        ));
    }
    if let Some(seconds) = own.mean_time_to_repair_s {
        text.push_str(&format!("; {}", glued(&format!("repaired in {}", span(seconds)))));
    }
    let mut lines = vec![("Failures", text)];
    if own.interruptions + own.planned_interruptions > 0 {
        let planned = match own.planned_interruptions {
            0 => String::new(),
            count => format!("; {} as planned", grouped(count.into())),
        };
        let by = match own.interruptions {
            0 => String::new(),
            _ => format!(": {}", each(|own| own.interruptions)),
        };
        lines.push(("Interruptions", format!("{}{by}{planned}", grouped(own.interruptions.into()))));
    }
    if let Some(ettr) = own.ettr {
        let mut worst: Vec<(f64, &SizeFailures)> =
            own.sizes.iter().filter_map(|size| Some((size.ettr?, size))).collect();
        worst.sort_by(|a, b| a.0.total_cmp(&b.0));
        let sizes = named(worst.iter().map(|(ettr, size)| format!("{} of {}", percent(*ettr), size.name)));
        let sizes = if worst.len() > 1 { format!(": {sizes}") } else { String::new() };
        lines.push(("Effective time", format!("{} from first start to end{sizes}", glued(&percent(ettr)))));
    }
    let [whole, one, two] = own.rack_availability.map(percent);
    lines.push((
        "Availability",
        format!(
            "nodes {}; racks {whole} whole, {one} with one node down at most, {two} with two",
            percent(own.availability)
        ),
    ));
    lines.push(("Of capacity", capacity(&own.waterfall)));
    lines
}

/// What became of all GPU-hours, the largest parts first.
fn capacity(own: &Waterfall) -> String {
    let mut parts = own.parts();
    // What would be told as nothing is not told.
    parts.retain(|(_, part)| share(*part, own.capacity) >= 0.0005);
    parts.sort_by_key(|(_, part)| std::cmp::Reverse(*part));
    let told =
        |(name, part): &(&str, u128)| glued(&format!("{name} {}", percent(share(*part, own.capacity))));
    parts.iter().map(told).collect::<Vec<_>>().join("; ")
}

#[expect(clippy::cast_precision_loss, reason = "a share for people to read")]
fn share(part: u128, whole: u128) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// The first few, and how many more.
fn named(told: impl ExactSizeIterator<Item = String>) -> String {
    let more = told.len().saturating_sub(NAMED);
    let mut names: Vec<String> = told.take(NAMED).map(|own| glued(&own)).collect();
    names.extend((more > 0).then(|| format!("and {more} more")));
    names.join(", ")
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, for display")]
fn span(seconds: f64) -> Seconds {
    Seconds(seconds.round() as u32)
}
