use super::super::files::Files;
use super::file::Numbers;
use super::grid::Span;
use crate::cluster::Cluster;
use crate::cluster::grid::Signal;
use crate::document::Document;
use crate::units::Time;

/// Tenths of a degree Celsius.
const DEGREES: Numbers = Numbers { decimals: 1, least: -1000, most: 1000 };

/// Lays the temperatures of files on the clock of the run: those of sites whose `outdoor` names one.
pub(in crate::scenario) fn weather(
    document: &Document,
    cluster: Option<&mut Cluster>,
    span: Span,
    files: &mut Files,
) {
    let wishes = std::mem::take(&mut files.weather);
    let Some(cluster) = cluster else { return };
    for (name, file) in wishes {
        let series = file.series(DEGREES, document, span, files);
        let site = cluster.sites.iter_mut().find(|site| site.name == name);
        if let (Some(series), Some(site)) = (series, site) {
            site.outdoor = temperatures(&Signal::Series(series), span.horizon());
        }
    }
}

/// From when on which temperature, until a horizon; those that follow an equal one left out.
fn temperatures(signal: &Signal, horizon: Time) -> Vec<(Time, i32)> {
    let mut found: Vec<(Time, i32)> = Vec::new();
    let mut now = Time::ZERO;
    while now <= horizon && now != Time::NEVER {
        let degrees = i32::try_from(signal.at(now)).expect("within the range of temperatures");
        if found.last().is_none_or(|(_, last)| *last != degrees) {
            found.push((now, degrees));
        }
        now = signal.until(now);
    }
    found
}
