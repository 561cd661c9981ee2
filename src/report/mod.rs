//! Numbers to bytes.

mod canvas;
pub mod compare;
pub mod inspect;
pub(crate) mod table;
