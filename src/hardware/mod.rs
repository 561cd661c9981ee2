//! The catalogue of platforms, as data.
