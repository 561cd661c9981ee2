use crate::units::{Factor, Watts};
use serde::{Deserialize, Serialize};

/// The most that anything can draw or lose: more than a petawatt, so that sums of it fit in 64 bits.
pub const WATTS_MAX: Watts = Watts(1 << 40);

/// What a conversion takes: a supply, a rectifier, a transformer, the cooling.
///
/// Out of `w` watts below become ⌈(w + `add`) · `num` ÷ `den`⌉ above: `add` is overhead, the rest of the difference is
/// lost. Where nothing passes it is off.
///
/// ```
/// use gigawatt::hardware::Loss;
/// use gigawatt::units::Watts;
/// let supply = Loss { add: Watts(13), num: 50, den: 49 };
/// assert_eq!(supply.of(Watts(2704)), Watts(2773), "2717 W at 98 %, rounded up");
/// assert_eq!(supply.of(Watts(0)), Watts(0), "off");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Loss {
    /// Drawn whatever passes.
    pub add: Watts,
    /// Numerator, `den` to [`Loss::RATIO_MAX`].
    pub num: u32,
    /// Denominator, 1 to [`Loss::RATIO_MAX`].
    pub den: u32,
}

impl Loss {
    /// The most that numerator and denominator can be.
    pub const RATIO_MAX: u32 = 1 << 20;
    /// Nothing is lost.
    pub const NONE: Self = Self { add: Watts(0), num: 1, den: 1 };

    /// The most that may be drawn below for `watts`, less than [`WATTS_MAX`], to be drawn above; what is off stays off.
    ///
    /// ```
    /// use gigawatt::hardware::Loss;
    /// use gigawatt::units::Watts;
    /// let supply = Loss { add: Watts(13), num: 50, den: 49 };
    /// let most = supply.below(Watts(2773));
    /// assert!(supply.of(most) <= Watts(2773) && supply.of(Watts(most.0 + 1)) > Watts(2773));
    /// ```
    #[must_use]
    pub const fn below(&self, watts: Watts) -> Watts {
        let watts = if watts.0 < WATTS_MAX.0 { watts.0 } else { WATTS_MAX.0 };
        Watts((watts * self.den as u64 / self.num as u64).saturating_sub(self.add.0))
    }
    /// What is drawn above for `watts` drawn below; never more than [`WATTS_MAX`].
    #[must_use]
    pub const fn of(&self, watts: Watts) -> Watts {
        if watts.0 == 0 {
            return watts;
        }
        let below = watts.0.saturating_add(self.add.0);
        // 2^40 · 2^20 fits in 64 bits, and nothing above it is told apart.
        let below = if below < WATTS_MAX.0 { below } else { WATTS_MAX.0 };
        let above = (below * self.num as u64).div_ceil(self.den as u64);
        Watts(if above < WATTS_MAX.0 { above } else { WATTS_MAX.0 })
    }
    /// Whether its numbers are in range.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.add.0 <= WATTS_MAX.0 && 0 < self.den && self.den <= self.num && self.num <= Self::RATIO_MAX
    }
}

/// Where in a rack a conversion happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// In every node.
    Node,
    /// In every chassis: so many neighbouring nodes of a rack, the last one perhaps fewer.
    Chassis,
    /// In every rack.
    Rack,
}

impl Level {
    /// Every level, from the node up.
    pub const ALL: [Self; 3] = [Self::Node, Self::Chassis, Self::Rack];

    /// The name used in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Chassis => "chassis",
            Self::Rack => "rack",
        }
    }
}

/// A conversion inside a rack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Stage {
    /// Where; the stages of a platform rise.
    pub level: Level,
    /// What it takes.
    pub loss: Loss,
}

/// How a cap slows a GPU: points of (cap as a fraction of the TGP, speed as a fraction of full speed), both rising.
///
/// Straight lines join them; before the first it is the origin, after the last full power at full speed.
///
/// ```
/// use gigawatt::hardware::Curve;
/// use gigawatt::units::Factor;
/// let half = Factor::from_f64(0.5).unwrap();
/// assert_eq!(Curve::default().speed(half), half, "nothing known: as slow as the cap");
/// let flat = Curve { points: vec![(half, Factor::ONE)] };
/// assert_eq!(flat.speed(half), Factor::ONE, "half the power does");
/// assert_eq!(flat.speed(Factor(half.0 / 2)), half, "and no less");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Curve {
    /// Rising in both; at most 1.
    pub points: Vec<(Factor, Factor)>,
}

impl Curve {
    /// The speed under a cap, at least 2⁻¹⁶ and at most 1.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "clamped to 1 first")]
    pub fn speed(&self, cap: Factor) -> Factor {
        let full = (Factor::ONE, Factor::ONE);
        let mut before = (Factor(0), Factor(0));
        for &point in self.points.iter().chain([&full]) {
            if cap <= point.0 {
                let (run, rise) =
                    (point.0.0.saturating_sub(before.0.0), point.1.0.saturating_sub(before.1.0));
                let along = u64::from(cap.0.saturating_sub(before.0.0)) * u64::from(rise);
                let above = along.checked_div(u64::from(run)).unwrap_or(u64::from(rise));
                let speed = u64::from(before.1.0) + above;
                return Factor(speed.clamp(1, u64::from(Factor::ONE.0)) as u32);
            }
            before = point;
        }
        Factor::ONE
    }
    /// Whether its points rise within 0 to 1.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let first = (Factor(0), Factor(0));
        let points = || std::iter::once(&first).chain(&self.points);
        let rises = points().zip(&self.points).all(|(a, b)| a.0 < b.0 && a.1 <= b.1);
        rises && self.points.last().is_none_or(|last| last.0 <= Factor::ONE && last.1 <= Factor::ONE)
    }
}
