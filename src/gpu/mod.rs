//! The devices that can run a shader: what there is, and one of them at work.
//!
//! A GPU is an evaluator that may be missing, refuse or vanish, so everything here returns an [`Error`] and nothing
//! panics for what a driver does. Everything that names `wgpu` is in this room. Without the feature `gpu` there is no
//! device but the processor, and the same calls say so.
//!
//! ```
//! use gigawatt::gpu::Wish;
//! assert_eq!(Wish::from("cpu"), Wish::Cpu);
//! assert_eq!(Wish::from("H100"), Wish::Named("H100".to_owned()));
//! ```

#[cfg(feature = "gpu")]
mod adapter;
#[cfg(feature = "gpu")]
mod device;
#[cfg(feature = "gpu")]
mod guard;
#[cfg(test)]
pub(crate) mod lint;
#[cfg(test)]
pub(crate) mod tests;

#[cfg(feature = "gpu")]
pub use device::{Buffer, Gpu, Kernel, Part, Step};

use std::fmt;

/// The device that a user asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Wish {
    /// The fastest for the size of the problem: a GPU only where it is known to be faster.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// The first adapter of [`adapters`]; never the processor in its place.
    Gpu,
    /// The first adapter whose name contains this, in any case of letters.
    Named(String),
}

impl From<&str> for Wish {
    fn from(text: &str) -> Self {
        match text {
            "auto" => Self::Auto,
            "cpu" => Self::Cpu,
            "gpu" => Self::Gpu,
            name => Self::Named(name.to_owned()),
        }
    }
}

impl fmt::Display for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
            Self::Named(name) => name,
        })
    }
}

/// What an adapter is, the fastest kind first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A GPU with memory of its own.
    Discrete,
    /// A GPU that shares the processor's memory.
    Integrated,
    /// A GPU lent by a hypervisor.
    Virtual,
    /// The driver does not say.
    Unknown,
    /// No GPU: a driver that runs shaders on the processor.
    Software,
}

impl Kind {
    /// As `gigawatt list devices` says it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Discrete => "discrete GPU",
            Self::Integrated => "integrated GPU",
            Self::Virtual => "virtual GPU",
            Self::Unknown => "unknown",
            Self::Software => "software",
        }
    }
}

/// An adapter: a device and its driver, not opened yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adapter {
    /// As the driver calls it.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Interface, driver and version.
    pub driver: String,
    /// Largest piece of memory that a shader can bind, bytes.
    pub binding: u64,
    /// Memory that the threads of a workgroup share, bytes.
    pub shared: u32,
    /// Most threads of a workgroup.
    pub threads: u32,
    /// Most workgroups along one dimension of a dispatch.
    pub workgroups: u32,
    /// Why it cannot be used, if so.
    pub lacks: Option<String>,
}

/// Why no GPU does what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The feature `gpu` was left out of this build.
    #[error("this build has no GPU support")]
    NotBuilt,
    /// There is no adapter at all.
    #[error("no GPU is to be found on this machine")]
    NoAdapter,
    /// There are adapters, but none of that name.
    #[error("no device `{name}` is to be found on this machine")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// An adapter that cannot be opened.
    #[error("`{adapter}` is not usable: {reason}")]
    Unusable {
        /// Its name.
        adapter: String,
        /// What it lacks, or what the driver said.
        reason: String,
    },
    /// The device went away, or answers no more.
    #[error("`{adapter}` was lost: {reason}")]
    Lost {
        /// Its name.
        adapter: String,
        /// What the driver said.
        reason: String,
    },
    /// The driver refused a shader, a buffer or a command.
    #[error("`{adapter}` refused {what}: {reason}")]
    Refused {
        /// Its name.
        adapter: String,
        /// What it was given.
        what: String,
        /// What the driver said.
        reason: String,
    },
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::NotBuilt => "build it with the feature `gpu`, or take `--device cpu`".to_owned(),
            Self::NoAdapter => {
                "`--device cpu` needs none; Mesa has one in software (`mesa-vulkan-drivers`)".to_owned()
            }
            Self::Unknown { known, .. } => {
                let names = ["auto", "cpu", "gpu"].into_iter().chain(known.iter().map(String::as_str));
                format!("known: {}", names.collect::<Vec<_>>().join(", "))
            }
            Self::Unusable { .. } | Self::Lost { .. } | Self::Refused { .. } => {
                "`--device cpu` gives the same result; `gigawatt list devices` shows what else there is"
                    .to_owned()
            }
        }
    }
}

/// Every adapter of this machine, real GPUs before software; empty where there is none.
///
/// # Errors
/// [`Error::NotBuilt`], or the driver fails while it is asked.
#[cfg(feature = "gpu")]
pub fn adapters() -> Result<Vec<Adapter>, Error> {
    Ok(adapter::found()?.into_iter().map(|found| found.adapter).collect())
}

/// Every adapter of this machine: none in this build.
///
/// # Errors
/// Always [`Error::NotBuilt`].
#[cfg(not(feature = "gpu"))]
pub const fn adapters() -> Result<Vec<Adapter>, Error> {
    Err(Error::NotBuilt)
}

/// Whether this thread is inside a call to a driver, whose panic becomes an [`Error`] and is not worth reporting.
#[must_use]
pub fn is_guarded() -> bool {
    #[cfg(feature = "gpu")]
    return guard::is_on();
    #[cfg(not(feature = "gpu"))]
    false
}
