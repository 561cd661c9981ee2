use crate::hardware::{Bound, Curve, Level, Loss, Phase, Phases, Platform, Stage, WATTS_MAX};
use crate::units::{Factor, Watts};
use serde::{Deserialize, Serialize};

/// What nodes of a kind and their racks draw; all zero where no power is counted.
///
/// A node without work draws `idle`, with every GPU at its TGP `busy`; in between the host follows its GPUs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodePower {
    /// A node without work, its GPUs included.
    pub idle: Watts,
    /// A node with every GPU at its TGP; at least `idle`.
    pub busy: Watts,
    /// The most a node can draw, as its power supplies are rated; what a plan without measurements reserves.
    pub max: Watts,
    /// A GPU without work.
    pub gpu_idle: Watts,
    /// The most a GPU draws; at least `gpu_idle`.
    pub gpu_tgp: Watts,
    /// The most a node may draw, if somebody says so.
    pub cap: Option<Watts>,
    /// What a rack draws beside its nodes: switch trays, fans.
    pub rack_overhead: Watts,
    /// What a GPU draws in each [`Phase`], as a fraction of the TGP, at most 1; never less than `gpu_idle`.
    pub levels: [Factor; Phase::COUNT],
    /// How a cap slows what is bound by compute, and what is bound by memory.
    pub curves: [Curve; 2],
    /// Conversions inside a rack, in the order the current meets them on its way up.
    pub stages: Vec<Stage>,
    /// Neighbouring nodes of a rack that share a chassis; 0: none do.
    pub chassis_nodes: u32,
}

impl NodePower {
    /// The power of a platform's nodes if they have `gpus` GPUs: more or fewer than usual add or take away their part
    /// of what the node draws above idle, and their own idle draw.
    #[must_use]
    pub fn of(platform: &Platform, gpus: u32) -> Self {
        let (gpu_idle, gpu_tgp) = (platform.gpu_idle(), platform.tgp().max(platform.gpu_idle()));
        let usual = u64::from(platform.gpus_per_node());
        let own = u64::from(gpus);
        let host = platform.node_idle().0.saturating_sub(usual * gpu_idle.0);
        let idle = host + own * gpu_idle.0;
        let above = |most: Watts| {
            let above = most.0.saturating_sub(host + usual * gpu_idle.0);
            Watts(idle + if usual == 0 { above } else { (above * own).div_ceil(usual) })
        };
        let phases = Phases::embedded();
        Self {
            idle: Watts(idle),
            busy: above(platform.node_busy()),
            max: above(platform.node_max()),
            gpu_idle,
            gpu_tgp,
            cap: None,
            rack_overhead: platform.rack_overhead(),
            levels: platform.levels(),
            curves: [Bound::Compute, Bound::Memory].map(|bound| phases.curves[bound as usize].value.clone()),
            stages: platform.stages.clone(),
            chassis_nodes: platform.chassis_nodes(),
        }
    }
    /// How a cap slows a phase.
    #[must_use]
    pub const fn curve(&self, bound: Bound) -> &Curve {
        &self.curves[bound as usize]
    }
    /// Whether anything of this kind draws power.
    #[must_use]
    pub fn is_counted(&self) -> bool {
        self.busy.0 > 0 || self.rack_overhead.0 > 0 || self.stages.iter().any(|stage| stage.loss.add.0 > 0)
    }
    /// Whether its numbers are in range and in order.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.idle <= self.busy
            && self.gpu_idle <= self.gpu_tgp
            && [self.busy, self.max, self.gpu_tgp, self.rack_overhead].into_iter().all(|w| w <= WATTS_MAX)
            && self.levels.iter().all(|level| *level <= Factor::ONE)
            && self.curves.iter().all(Curve::is_sound)
            && self.stages.iter().all(|stage| stage.loss.is_sound())
            && self.stages.is_sorted_by_key(|stage| stage.level)
            && (self.chassis_nodes > 0 || self.stages.iter().all(|stage| stage.level != Level::Chassis))
    }
}

/// What cooling and everything else of a building take, as thousandths of what the machines draw: the PUE.
///
/// A row is for a load, a column for an outdoor temperature. Between loads the power drawn is interpolated, so that it
/// never falls while the load rises; temperatures are steps, as measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pue {
    /// Loads of the machines, rising; at least one, the first one for all below it.
    pub loads: Vec<Watts>,
    /// Outdoor temperatures in tenths of a degree Celsius, rising; at least one, the first one for all below it.
    pub temperatures: Vec<i32>,
    /// By temperature, then by load: thousandths, at least 1000.
    pub milli: Vec<u32>,
}

impl Pue {
    /// The most it can be, thousandths.
    pub const MILLI_MAX: u32 = 10_000;

    /// The same at any load and temperature.
    #[must_use]
    pub fn constant(milli: u32) -> Self {
        Self { loads: vec![Watts(0)], temperatures: vec![0], milli: vec![milli] }
    }
    /// What the site draws for `load` at an outdoor temperature in tenths of a degree, rounded up.
    #[must_use]
    pub fn of(&self, load: Watts, temperature: i32) -> Watts {
        let (column, width) = (self.column(temperature), self.loads.len());
        let row = self.loads.partition_point(|least| *least <= load);
        let at = |row: usize| u128::from(self.milli[column * width + row]);
        let load = u128::from(load.0);
        let milli_watts = match row {
            0 => load * at(0),
            row if row == width => load * at(width - 1),
            row => {
                let (low, high) = (u128::from(self.loads[row - 1].0), u128::from(self.loads[row].0));
                let (from, to) = (low * at(row - 1), high * at(row));
                from + (to.saturating_sub(from) * (load - low)).div_ceil(high - low)
            }
        };
        let watts = u64::try_from(milli_watts.div_ceil(1000)).unwrap_or(u64::MAX);
        Watts(watts.min(WATTS_MAX.0))
    }
    /// Thousandths at the last of the loads and an outdoor temperature in tenths of a degree.
    pub(crate) fn milli_at_full_load(&self, temperature: i32) -> u32 {
        self.milli[(self.column(temperature) + 1) * self.loads.len() - 1]
    }
    fn column(&self, temperature: i32) -> usize {
        self.temperatures.partition_point(|least| *least <= temperature).saturating_sub(1)
    }
    /// Whether its numbers are in range and in order.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let size = self.loads.len().checked_mul(self.temperatures.len());
        !self.loads.is_empty()
            && !self.temperatures.is_empty()
            && size == Some(self.milli.len())
            && self.loads.is_sorted_by(|a, b| a < b)
            && self.loads.iter().all(|load| *load <= WATTS_MAX)
            && self.temperatures.is_sorted_by(|a, b| a < b)
            && self.milli.iter().all(|milli| (1000..=Self::MILLI_MAX).contains(milli))
            && self.milli.chunks(self.loads.len()).all(|row| self.never_falls(row))
    }
    /// Whether what is drawn never falls while the load rises.
    fn never_falls(&self, row: &[u32]) -> bool {
        let drawn = self.loads.iter().zip(row).map(|(load, milli)| u128::from(load.0) * u128::from(*milli));
        drawn.is_sorted()
    }
}

/// What a chain of conversions takes, one after the other.
#[must_use]
pub fn through<'a>(losses: impl IntoIterator<Item = &'a Loss>, watts: Watts) -> Watts {
    losses.into_iter().fold(watts, |watts, loss| loss.of(watts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pue_follows_load_and_weather() {
        let pue = Pue {
            loads: vec![Watts(1000), Watts(3000)],
            temperatures: vec![0, 200],
            milli: vec![1400, 1200, 1600, 1300],
        };
        assert!(pue.is_sound(), "rising");
        for (load, temperature, watts) in [
            (0, 0, 0),
            (500, 0, 700),
            (1000, 0, 1400),
            // 1400 W at 1000 W, 3600 W at 3000 W: half way 2500 W.
            (2000, 0, 2500),
            (3000, 0, 3600),
            (6000, 199, 7200),
            (6000, 200, 7800),
            (6000, -400, 7200),
            (1, 0, 2),
        ] {
            assert_eq!(pue.of(Watts(load), temperature), Watts(watts), "{load} W at {temperature}");
        }
        assert_eq!(Pue::constant(1150).of(Watts(100), 350), Watts(115), "at any weather");
        for wrong in [
            Pue { loads: vec![], ..pue.clone() },
            Pue { milli: vec![999, 1000, 1000, 1000], ..pue.clone() },
            Pue { milli: vec![1000; 3], ..pue.clone() },
            // 4,000 W at 1,000 W, and 3,600 W at 3,000 W.
            Pue { milli: vec![1400, 1200, 4000, 1200], ..pue.clone() },
            Pue { temperatures: vec![5, 5], ..pue },
        ] {
            assert!(!wrong.is_sound(), "{wrong:?}");
        }
    }
}
