//! Numbers to bytes.

mod answer;
mod canvas;
pub mod compare;
pub mod contrast;
pub mod demand;
mod directory;
pub mod explain;
pub mod fit;
#[cfg(feature = "html")]
pub mod html;
pub mod inspect;
pub mod inspected;
pub(crate) mod lines;
pub(crate) mod number;
mod places;
pub mod run;
pub mod size;
pub mod sweep;
pub(crate) mod table;
pub mod watch;

pub use answer::{ANSWERS, Answer};
pub use directory::{Directory, write_file};
