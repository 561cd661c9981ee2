use serde::{Deserialize, Serialize};

/// Something that jobs hold while they run, wherever they run, and of which there is a number: seats of a program, as a rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Licence {
    /// Unique in the cluster.
    pub name: String,
    /// How many jobs may hold together.
    pub count: u32,
}
