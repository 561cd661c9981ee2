//! BurstGPT: `Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type`, seconds from the start; a request that
//! failed has no response tokens. The model and the kind of client are not read.
//! (Y. Wang et al., "BurstGPT: a real-world workload dataset to optimize LLM serving systems", KDD 2025)

use super::{RequestFormat, read_table};
use crate::trace::Head;
use crate::trace::intake::Intake;
use crate::workload::Demand;

const COLUMNS: [&str; 3] = ["Timestamp", "Request tokens", "Response tokens"];

pub(super) const FORMAT: RequestFormat = RequestFormat {
    name: "burstgpt",
    about: "BurstGPT requests as CSV: Timestamp,Model,Request tokens,Response tokens and more",
    detect,
    read,
};

fn detect(head: &Head<'_>) -> bool {
    head.is_table(&COLUMNS)
}

fn read(text: &[u8], demand: &mut Demand, intake: &mut Intake<'_>) {
    read_table(text, COLUMNS, demand, intake);
    intake.notes.say("models and kinds of clients are not read");
}
