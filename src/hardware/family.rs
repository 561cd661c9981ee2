/// What bounds a job, and so how much faster a newer platform runs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Family {
    /// Training of a dense model: bound by FLOPS.
    DenseTraining,
    /// Training of a mixture of experts: bound by the links between GPUs as well.
    MoeTraining,
    /// Inference that reads prompts: bound by FLOPS.
    Prefill,
    /// Inference that writes answers: bound by memory bandwidth, and by links where experts are spread.
    Decode,
    /// Anything else; small jobs gain little from a generation.
    #[default]
    Other,
}

impl Family {
    /// Every family, in the order of the declaration.
    pub const ALL: [Self; 5] =
        [Self::DenseTraining, Self::MoeTraining, Self::Prefill, Self::Decode, Self::Other];

    /// The name used in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DenseTraining => "dense-training",
            Self::MoeTraining => "moe-training",
            Self::Prefill => "prefill",
            Self::Decode => "decode",
            Self::Other => "other",
        }
    }
    /// The family of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.name() == name)
    }
}
