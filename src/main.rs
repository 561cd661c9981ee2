//! The `gigawatt` command.

fn main() {}
