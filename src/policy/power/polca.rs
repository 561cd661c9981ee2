//! POLCA: two thresholds of a cap slow first the jobs of low priority, then all.

use super::super::part::{self, PartOption};
use super::{HYSTERESIS, ListedPower, Treatment};

const POWER_THRESHOLDS: PartOption = PartOption {
    name: "power_thresholds",
    unit: "percent of a cap",
    default: "80,89",
    about: "above which low priorities are slowed, and above which all are",
    expected: "two ascending percentages of a cap, 6 to 100, such as `[80, 89]`",
    read: |settings, text| {
        let percents: Option<Vec<u32>> =
            part::ascending(text)?.into_iter().map(|percent| u32::try_from(percent).ok()).collect();
        let [low, high] = percents?[..] else { return None };
        settings.power_thresholds = (low > HYSTERESIS && high <= 100).then_some([low, high])?;
        Some(())
    },
    show: |settings| part::listed(settings.power_thresholds.map(u64::from)),
};

/// The levels of a job below no threshold, above the first and above the second: 100, 100 and 85 % for a high priority,
/// 100, 80 and 60 % for a low one.
pub(super) const fn levels(high: bool) -> [usize; 3] {
    if high { [0, 0, 3] } else { [0, 4, 8] }
}

pub(super) const ENTRY: ListedPower = ListedPower {
    name: "polca",
    about: "above one threshold of a cap low priorities are slowed, above another all are",
    source: "Patel et al., POLCA: power oversubscription in LLM cloud providers, arXiv 2308.12908",
    options: &[POWER_THRESHOLDS],
    rule: Treatment::Polca,
};
