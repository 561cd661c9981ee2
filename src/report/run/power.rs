use crate::metrics::{CostMetrics, DomainPower, JOULES_A_MWH, PowerMetrics, SiteCost};
use crate::report::lines::{cut, glued};
use crate::report::number::{mass, scaled};
use crate::units::{Money, Seconds};

/// Characters of the name of a site or feed in the summary.
const NAME: usize = 24;

/// Power, energy and their cost in a few lines: label and text. Only what is known, and says something, takes a line.
/// All of it is of the window that counts; if that is not all of the run, what peaks cost says what that means.
pub(super) fn lines(
    power: &PowerMetrics,
    cost: Option<&CostMetrics>,
    is_whole: bool,
) -> Vec<(&'static str, String)> {
    let all = &power.all;
    let percent = |part: f64| format!("{:.0} %", part * 100.0);
    let site = [
        ("mean", watts(all.mean_w)),
        ("peak", watts(real(all.peak_w.into()))),
        ("load factor", percent(all.load_factor)),
        ("ramp", format!("{}/min", watts(real(all.ramp_w.into())))),
    ];
    let told = |facts: &[(&str, String)]| {
        facts.iter().map(|(name, value)| glued(&format!("{name} {value}"))).collect::<Vec<_>>().join(", ")
    };
    let racks = [("mean", watts(power.it_mean_w)), ("peak", watts(real(power.it_peak_w.into())))];
    let mut lines = vec![
        ("Site draw", told(&site)),
        ("IT draw", format!("{}, without losses and cooling", told(&racks))),
    ];
    let idle = u128::try_from(power.idle_j).unwrap_or(0);
    let parts = [
        ("jobs", power.jobs_j),
        ("idle", idle),
        ("overhead", power.overhead_j),
        ("losses", power.losses_j),
        ("cooling", power.cooling_j),
    ];
    let share = |joules: u128| real(joules) / real(all.energy_j.max(1));
    let parts = parts.iter().filter(|(_, joules)| *joules > 0);
    let parts: Vec<String> =
        parts.map(|(name, joules)| glued(&format!("{name} {}", percent(share(*joules))))).collect();
    let made_of = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
    lines.push(("Energy", format!("{}{made_of}", energy(all.energy_j))));
    if power.all_over_cap_ws > 0 {
        let over = |domain: &&DomainPower| domain.over_cap_ws > 0;
        let worst =
            power.sites.iter().chain(&power.feeds).filter(over).max_by_key(|domain| domain.over_cap_ws);
        let worst =
            worst.map_or_else(String::new, |worst| format!(", most of it at {}", cut(&worst.name, NAME)));
        lines.push(("Over caps", format!("{}{worst}", energy(power.all_over_cap_ws))));
    }
    if let Some((domain, cap, stranded)) = tightest(power) {
        let [cap, stranded, peak] =
            [cap, stranded, domain.peak_w].map(|power| glued(&watts(real(power.into()))));
        let name = cut(&domain.name, NAME);
        lines.push(("Stranded", format!("{stranded} of {cap} at {name}; its peak {peak}")));
    }
    let [held, work] = [power.gpu_hours_per_mwh, power.work_gpu_hours_per_mwh];
    lines.push(("Per MWh", format!("{held:.0} GPU-hours held, {work:.0} of work on reference GPUs done")));
    lines.extend(cost.into_iter().flat_map(|cost| cost_lines(cost, is_whole)));
    lines
}

fn cost_lines(cost: &CostMetrics, is_whole: bool) -> Vec<(&'static str, String)> {
    let energy_cost = format!("energy {} ({:.2} $/MWh)", cost.energy, cost.dollars_per_mwh);
    let demand = (cost.demand != Money(0)).then(|| format!(", peaks {}", cost.demand));
    let mut lines = vec![("Cost", format!("{}: {energy_cost}{}", cost.total, demand.unwrap_or_default()))];
    if !is_whole && cost.demand != Money(0) {
        lines.push(("", "peaks: the highest readings within the time counted".to_owned()));
    }
    let beyond = cost.sites.iter().map(|site| site.beyond).max().unwrap_or_default();
    if beyond > Seconds::ZERO {
        lines.push(("", format!("with the last price or intensity recorded for the last {beyond}")));
    }
    if cost.nobody != Money(0) {
        lines.push(("", format!("of that {} where no job ran", cost.nobody)));
    }
    if cost.carbon_g != 0 {
        let grams = real(cost.carbon_g.unsigned_abs().into());
        lines.push(("Carbon", format!("{} of CO2 equivalent, {:.0} g/kWh", mass(grams), cost.grams_per_kwh)));
    }
    let [charged, discharged] = [|site: &SiteCost| site.charged_j, |site: &SiteCost| site.discharged_j]
        .map(|joules| cost.sites.iter().map(|site| u128::from(joules(site))).sum::<u128>());
    if charged + discharged > 0 {
        lines.push(("Batteries", format!("gave {}, took {}", energy(discharged), energy(charged))));
    }
    lines
}

/// The capped site or feed that came closest to its cap, its cap, and what of that it never drew.
fn tightest(power: &PowerMetrics) -> Option<(&DomainPower, u64, u64)> {
    let domains = power.sites.iter().chain(&power.feeds);
    let capped = domains.filter_map(|domain| Some((domain, domain.cap_w?, domain.stranded_w?)));
    capped.min_by_key(|(_, _, stranded)| *stranded)
}

#[expect(clippy::cast_precision_loss, reason = "a number for people to read")]
const fn real(exact: u128) -> f64 {
    exact as f64
}

/// Megawatt-hours of joules, as a number of a table.
pub(super) fn megawatt_hours(joules: u128) -> String {
    format!("{:.2}", real(joules) / JOULES_A_MWH)
}

fn energy(joules: u128) -> String {
    scaled(real(joules) / JOULES_A_MWH * 1e6, "Wh")
}

fn watts(watts: f64) -> String {
    scaled(watts, "W")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn power_is_read_at_a_glance() {
        for (watts, text) in [
            (0.0, "0 W"),
            (999.4, "999 W"),
            (999.6, "1.00 kW"),
            (28_228_000.0, "28.2 MW"),
            (412_345.0, "412 kW"),
            (5e12, "5000 GW"),
        ] {
            assert_eq!(scaled(watts, "W"), text, "{watts}");
        }
        assert_eq!(energy(3_600_000_000), "1.00 MWh", "a megawatt-hour");
    }
}
