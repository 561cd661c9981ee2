//! Numbers to bytes.

mod canvas;
pub mod inspect;
