//! The catalogue of platforms, as data: what a GPU generation in its node and rack is, draws, does and costs.
//!
//! A number is only as good as its source, so each is a [`Fact`]: the value in the unit of its [`Field`], where it
//! comes from, and whether that was measured, stated by the maker, reported or inferred ([`Basis`]). Whoever knows
//! better overrides it with a file of the same shape ([`Catalogue::with_file`]).
//!
//! ```
//! use gigawatt::hardware::{Catalogue, Family};
//! use gigawatt::units::Watts;
//!
//! let catalogue = Catalogue::embedded();
//! let rubin = catalogue.get("vr200").expect("Vera Rubin is known");
//! assert_eq!(rubin.gpus_per_node() * rubin.nodes_per_rack(), 72, "one NVLink domain a rack");
//! assert_eq!(rubin.tgp(), Watts(2300));
//! assert_eq!(rubin.fact("tgp").expect("stated").basis.name(), "measured");
//! assert!(rubin.speed(Family::Decode) > rubin.speed(Family::DenseTraining), "memory grew faster than FLOPS");
//!
//! // The same racks run at their efficient limit, as somebody's own platform.
//! let own = "[[platform]]\nname = \"vr200-maxq\"\nlike = \"vr200\"\ntgp = 1800\nrack_tdp = 187_000\n";
//! let catalogue = catalogue.with_file("own.toml", own).expect("nothing is wrong with it");
//! assert_eq!(catalogue.get("vr200-maxq").map(|platform| platform.tgp()), Some(Watts(1800)));
//!
//! let problems = catalogue.with_file("own.toml", "[[platform]]\nname = \"vr200\"\ntpg = 1800\n").unwrap_err();
//! assert!(problems.to_string().contains("did you mean `tgp`?"));
//! ```

mod family;
mod field;
mod laws;
mod phase;
mod phases;
mod platform;
mod read;
mod stage;
#[cfg(test)]
mod tests;

pub use family::Family;
pub use field::{FIELDS, Field};
pub use phase::{Bound, Phase};
pub use phases::{Phases, Supported, levels, shares};
pub use platform::{Basis, Fact, Platform, Row};
pub use read::loss;
pub use stage::{Curve, Level, Loss, Stage, WATTS_MAX};

use crate::document::{Document, Table};
use crate::error::Problems;
use crate::units::Factor;
use std::sync::LazyLock;

const EMBEDDED: &str = include_str!("catalogue.toml");

/// Every platform known to a run; a platform's index is its place in here.
#[derive(Debug, Clone, PartialEq)]
pub struct Catalogue {
    platforms: Vec<Platform>,
}

impl Catalogue {
    /// The most platforms there can be: which ones a job may use is a 64-bit set.
    pub const MAX: usize = 64;

    /// The platforms that come with this version; index 0 is `generic`, which has speed 1 and draws nothing.
    ///
    /// # Panics
    /// Never: a test reads the same text.
    #[must_use]
    pub fn embedded() -> Self {
        // A sweep asks for it once a run, which takes less than reading it.
        static READ: LazyLock<Catalogue> = LazyLock::new(|| {
            let empty = Catalogue { platforms: Vec::new() };
            empty.with_file("catalogue.toml", EMBEDDED).expect("the embedded catalogue is read by a test")
        });
        READ.clone()
    }

    /// This catalogue and the platforms of a file; `name` is what problems call it.
    ///
    /// A platform of a known name keeps its index and every number that the file does not change. A new one may
    /// start as a copy (`like = "h100"`); else it has to say `gpus_per_node`. A number may be written bare
    /// (`tgp = 1800`) or with `value`, `unit`, `basis` and `source`.
    ///
    /// # Errors
    /// Every problem of the file.
    pub fn with_file(&self, name: &str, text: &str) -> Result<Self, Problems> {
        let document = Document::parse(name, text);
        let mut catalogue = self.clone();
        let mut root = document.root();
        catalogue.read(&mut root);
        root.finish();
        let problems = document.into_problems();
        if problems.is_empty() { Ok(catalogue) } else { Err(problems) }
    }

    /// Adds the `[[platform]]` tables of `root`, as [`Catalogue::with_file`] does; problems stay in its document.
    pub fn read(&mut self, root: &mut Table<'_>) {
        read::platforms(&mut self.platforms, root);
    }

    /// The index of the platform of that name.
    #[must_use]
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.platforms.iter().position(|platform| platform.name == name)
    }
    /// The platform of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Platform> {
        self.platforms.iter().find(|platform| platform.name == name)
    }
    /// Every platform, by index.
    #[must_use]
    pub fn platforms(&self) -> &[Platform] {
        &self.platforms
    }
    /// The names, by index.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.platforms.iter().map(|platform| platform.name.as_str())
    }
    /// The speed of a family of jobs on every platform, by index.
    #[must_use]
    pub fn speeds(&self, family: Family) -> Vec<Factor> {
        self.platforms.iter().map(|platform| platform.speed(family)).collect()
    }
}
