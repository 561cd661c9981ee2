//! Numbers to bytes.

mod canvas;
pub mod compare;
pub mod contrast;
mod directory;
pub mod inspect;
pub(crate) mod number;
pub mod run;
pub mod size;
pub mod sweep;
pub(crate) mod table;

pub use directory::Directory;
