use super::field::{self, FIELDS, Field};
use super::phases::Phases;
use super::{Family, Phase, Stage};
use crate::units::{Factor, Watts};
use std::collections::BTreeMap;

/// How far a number can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Basis {
    /// A benchmark or a filed system description says so.
    Measured,
    /// The maker says so.
    Vendor,
    /// The press or an analyst says so.
    Press,
    /// Worked out from other numbers, or remembered and not looked up again.
    Inferred,
    /// True because whoever wrote the file says so.
    Defined,
}

impl Basis {
    /// Every basis, the most trustworthy first.
    pub const ALL: [Self; 5] = [Self::Measured, Self::Vendor, Self::Press, Self::Inferred, Self::Defined];

    /// The name used in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Vendor => "vendor",
            Self::Press => "press",
            Self::Inferred => "inferred",
            Self::Defined => "defined",
        }
    }
}

/// A number, and why to believe it.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// In the unit of its field.
    pub value: f64,
    /// How far it can be trusted.
    pub basis: Basis,
    /// Where it comes from.
    pub source: String,
}

/// One line of a listing: a field and what is known about it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row<'p> {
    /// Key, unit and meaning.
    pub field: &'static Field,
    /// Value, basis and source.
    pub fact: &'p Fact,
}

/// A GPU generation in its node and rack.
///
/// What is not known reads as nothing: no power, one node a rack, speed 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Platform {
    /// As scenarios call it.
    pub name: String,
    /// As people call it.
    pub title: String,
    /// The generation of the GPU.
    pub generation: String,
    /// The CPUs of a node.
    pub cpu: String,
    /// Conversions inside its racks, from the node up; none where its watts are those of the wall.
    pub stages: Vec<Stage>,
    pub(super) facts: BTreeMap<&'static str, Fact>,
}

impl Platform {
    /// What is known under the key of a [`Field`].
    #[must_use]
    pub fn fact(&self, key: &str) -> Option<&Fact> {
        self.facts.get(key)
    }
    /// Everything that is known, in the order of [`FIELDS`].
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        FIELDS.iter().filter_map(|field| Some(Row { field, fact: self.facts.get(field.key)? }))
    }

    fn value(&self, field: &Field) -> Option<f64> {
        self.facts.get(field.key).map(|fact| fact.value)
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and in range as read")]
    fn count(&self, field: &Field) -> Option<u32> {
        debug_assert!(field.whole, "`{}` is read as a whole number", field.key);
        self.value(field).map(|value| value as u32)
    }
    fn watts(&self, field: &Field) -> Watts {
        Watts(self.count(field).unwrap_or(0).into())
    }
    fn factor(&self, field: &Field) -> Factor {
        self.value(field).and_then(Factor::from_f64).unwrap_or_default()
    }

    /// GPUs of a node, 0..=64; a scheduler's node: a box of 8, a compute tray of 4.
    #[must_use]
    pub fn gpus_per_node(&self) -> u32 {
        self.count(&field::GPUS_PER_NODE).unwrap_or(0)
    }
    /// Nodes of a rack, at least 1.
    #[must_use]
    pub fn nodes_per_rack(&self) -> u32 {
        self.count(&field::NODES_PER_RACK).unwrap_or(1)
    }
    /// GPUs that reach each other over one NVLink switch; a node's, where nothing is said.
    #[must_use]
    pub fn nvlink_domain(&self) -> u32 {
        self.count(&field::NVLINK_DOMAIN).unwrap_or_else(|| self.gpus_per_node())
    }
    /// CPU cores of a node, where known.
    #[must_use]
    pub fn cpu_cores(&self) -> Option<u32> {
        self.count(&field::CPU_CORES)
    }
    /// The most a GPU draws.
    #[must_use]
    pub fn tgp(&self) -> Watts {
        self.watts(&field::TGP)
    }
    /// What a GPU without work draws.
    #[must_use]
    pub fn gpu_idle(&self) -> Watts {
        self.watts(&field::GPU_IDLE)
    }
    /// What a node without work draws, its GPUs included.
    #[must_use]
    pub fn node_idle(&self) -> Watts {
        self.watts(&field::NODE_IDLE)
    }
    /// The most a node draws, its GPUs included.
    #[must_use]
    pub fn node_max(&self) -> Watts {
        self.watts(&field::NODE_MAX)
    }
    /// What a node draws with every GPU at its TGP: what is stated, else the most it draws, else its idle draw and what
    /// the GPUs add.
    #[must_use]
    pub fn node_busy(&self) -> Watts {
        let stated = self.fact(field::NODE_BUSY.key).map(|_| self.watts(&field::NODE_BUSY));
        let most = self.fact(field::NODE_MAX.key).map(|_| self.node_max());
        stated.or(most).unwrap_or_else(|| {
            let rise = self.tgp().0.saturating_sub(self.gpu_idle().0);
            Watts(self.node_idle().0 + u64::from(self.gpus_per_node()) * rise)
        })
    }
    /// Neighbouring nodes that share a chassis; 0: none do.
    #[must_use]
    pub fn chassis_nodes(&self) -> u32 {
        self.count(&field::CHASSIS_NODES).unwrap_or(0)
    }
    /// What a GPU draws in each phase, as a fraction of its TGP: its own levels, else the usual ones.
    #[must_use]
    pub fn levels(&self) -> [Factor; Phase::COUNT] {
        Phase::ALL.map(|phase| {
            let own = self.value(&field::LEVELS[phase as usize]);
            let level = own.unwrap_or(Phases::embedded().levels[phase as usize].value);
            // Too little to be told from nothing is what an idle GPU draws anyway.
            Factor::from_f64(level).unwrap_or(Factor(1))
        })
    }
    /// What a rack draws beside its nodes.
    #[must_use]
    pub fn rack_overhead(&self) -> Watts {
        self.watts(&field::RACK_OVERHEAD)
    }
    /// The power a rack is planned for.
    #[must_use]
    pub fn rack_tdp(&self) -> Watts {
        self.watts(&field::RACK_TDP)
    }
    /// Speed of a family of jobs, relative to H100.
    #[must_use]
    pub fn speed(&self, family: Family) -> Factor {
        self.factor(match family {
            Family::DenseTraining => &field::SPEED_DENSE_TRAINING,
            Family::MoeTraining => &field::SPEED_MOE_TRAINING,
            Family::Prefill => &field::SPEED_PREFILL,
            Family::Decode => &field::SPEED_DECODE,
            Family::Other => &field::SPEED_OTHER,
        })
    }
    /// Speed of a gang over several racks, relative to the same gang inside one.
    #[must_use]
    pub fn across_racks(&self) -> Factor {
        self.factor(&field::ACROSS_RACKS)
    }
}
