//! The only thing that moves time.
