//! What a job draws on a node, and how a cap slows it.
//!
//! A GPU of a job goes through the phases of the job's [`Profile`]. In each it draws the phase's level of the TGP, the
//! platform's or the profile's own, but no more than the cap and no less than without work; a cap below the level
//! slows the phase along the platform's curve for what it is bound by, measured from the level. *Mean* is the draw
//! over the time that the phases then take, and what is integrated; *peak* that of the hungriest phase, and what
//! admission reserves.
//!
//! The host follows its GPUs: of the way from an idle node to a busy one it goes as far as they from idle to TGP. A
//! pod on part of a node draws its part of that, rounded up to a watt.
//!
//! ```
//! use gigawatt::cluster::NodePower;
//! use gigawatt::power::draw::{Draw, part};
//! use gigawatt::units::{Factor, Watts};
//! use gigawatt::workload::Profile;
//! let power = NodePower {
//!     idle: Watts(600),
//!     busy: Watts(2700),
//!     gpu_idle: Watts(100),
//!     gpu_tgp: Watts(800),
//!     ..NodePower::default()
//! };
//! let computing = Profile { shares: [65536, 0, 0, 0, 0, 0], levels: [Factor::ONE.0; 6] };
//! let full = Draw::new(&computing, &power, Factor::ONE);
//! assert_eq!((full.gpu, full.mean, full.peak), (Watts(800), Watts(2100), Watts(2100)));
//! assert_eq!(part(Watts(2100), 1500, 8), Watts(394), "1.5 of 8 GPUs: 393.75 W");
//! let half = Draw::new(&computing, &power, Factor(1 << 15));
//! assert_eq!((half.gpu, half.mean), (Watts(400), Watts(900)), "300 of 700 W above idle, so 900 of 2100");
//! assert_eq!(half.speed, Factor(1 << 15), "nothing is known about caps: as slow as the cap");
//! ```

use crate::cluster::NodePower;
use crate::hardware::Phase;
use crate::units::{Factor, Watts};
use crate::workload::Profile;

/// What a job with some profile draws on a node of some kind under some cap, above what the idle node draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Draw {
    /// A GPU of it, what it draws without work included, in the mean.
    pub gpu: Watts,
    /// A whole node of it, above idle, in the mean: what is integrated.
    pub mean: Watts,
    /// A whole node of it, above idle, in its hungriest phase: what is reserved.
    pub peak: Watts,
    /// Its speed under the cap, as a fraction of that without.
    pub speed: Factor,
}

impl Draw {
    /// The draw of a profile on nodes of a kind, its GPUs capped to `cap` of their TGP.
    #[must_use]
    pub fn new(profile: &Profile, power: &NodePower, cap: Factor) -> Self {
        let one = u128::from(Factor::ONE.0);
        // The time that the phases take under the cap, and that time times their levels.
        let (mut time, mut area, mut most) = (0_u128, 0_u128, 0_u32);
        for phase in Phase::ALL {
            let share = u128::from(profile.shares[phase as usize]);
            if share == 0 {
                continue;
            }
            let level = level(profile, power, phase);
            let took = share * one * one / u128::from(speed(power, phase, level, cap).0);
            let drawn = level.min(cap).0;
            time += took;
            area += took * u128::from(drawn);
            most = most.max(drawn);
        }
        let mean = area.checked_div(time).map_or(0, |mean| u32::try_from(mean).unwrap_or(Factor::ONE.0));
        let speed = (one * one * one).checked_div(time).and_then(|speed| u32::try_from(speed).ok());
        let gpu = gpu_watts(power, mean);
        Self {
            gpu,
            mean: above_idle(power, gpu),
            peak: above_idle(power, gpu_watts(power, most)),
            speed: Factor(speed.unwrap_or(Factor::ONE.0).clamp(1, Factor::ONE.0)),
        }
    }
}

/// The part of `whole` that belongs to `milli` thousandths of `gpus` GPUs, rounded up; all of it from `gpus` on.
#[must_use]
pub fn part(whole: Watts, milli: u32, gpus: u32) -> Watts {
    let (milli, all) = (u64::from(milli), u64::from(gpus) * 1000);
    if milli >= all { whole } else { Watts((whole.0 * milli).div_ceil(all)) }
}

/// The fraction of the TGP that a phase asks for.
fn level(profile: &Profile, power: &NodePower, phase: Phase) -> Factor {
    match profile.levels[phase as usize] {
        0 => power.levels[phase as usize],
        own => Factor(own),
    }
}

/// The speed of a phase under a cap: 1 while the cap does not bind, then along the curve, from the level on.
fn speed(power: &NodePower, phase: Phase, level: Factor, cap: Factor) -> Factor {
    if level <= cap {
        return Factor::ONE;
    }
    let curve = power.curve(phase.bound());
    let (capped, full) = (u64::from(curve.speed(cap).0), u64::from(curve.speed(level).0));
    let speed = (capped << 16) / full;
    Factor(u32::try_from(speed).unwrap_or(Factor::ONE.0).clamp(1, Factor::ONE.0))
}

/// A fraction of the TGP in watts, rounded up, at least what a GPU without work draws.
fn gpu_watts(power: &NodePower, level: u32) -> Watts {
    Watts((power.gpu_tgp.0 * u64::from(level)).div_ceil(u64::from(Factor::ONE.0))).max(power.gpu_idle)
}

/// What a node draws above idle while each of its GPUs draws `gpu`.
fn above_idle(power: &NodePower, gpu: Watts) -> Watts {
    let (way, whole) = (gpu.0 - power.gpu_idle.0, power.gpu_tgp.0 - power.gpu_idle.0);
    let span = u128::from(power.busy.0 - power.idle.0);
    if whole == 0 {
        return Watts(0);
    }
    let watts = (span * u128::from(way)).div_ceil(u128::from(whole));
    Watts(u64::try_from(watts).unwrap_or(u64::MAX))
}
