use serde::{Deserialize, Serialize};

/// What a GPU of a job is doing: each draws its own part of the TGP and feels a cap in its own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Phase {
    /// The computing part of a training step.
    Compute,
    /// The part of a training step that waits for other GPUs.
    Communication,
    /// Inference that reads prompts.
    Prefill,
    /// Inference that writes answers.
    Decode,
    /// Writing or reading a checkpoint, starting over.
    Checkpoint,
    /// Held, and without work.
    Idle,
}

/// What a phase is short of, and so which curve says how a cap slows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Bound {
    /// Clock cycles: slower with every watt taken away.
    Compute,
    /// Memory, links or storage: hardly slower until little is left.
    Memory,
}

impl Phase {
    /// How many there are.
    pub const COUNT: usize = 6;
    /// Every phase, in the order of the declaration.
    pub const ALL: [Self; Self::COUNT] =
        [Self::Compute, Self::Communication, Self::Prefill, Self::Decode, Self::Checkpoint, Self::Idle];

    /// The name used in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Compute => "compute",
            Self::Communication => "communication",
            Self::Prefill => "prefill",
            Self::Decode => "decode",
            Self::Checkpoint => "checkpoint",
            Self::Idle => "idle",
        }
    }
    /// What it is short of.
    #[must_use]
    pub const fn bound(self) -> Bound {
        match self {
            Self::Compute | Self::Prefill => Bound::Compute,
            Self::Communication | Self::Decode | Self::Checkpoint | Self::Idle => Bound::Memory,
        }
    }
}
