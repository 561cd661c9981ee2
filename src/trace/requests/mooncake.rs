//! Mooncake: an object of JSON a line, with `timestamp` in milliseconds, `input_length`, `output_length` and `hash_ids`.
//!
//! An id stands for a block of 512 tokens of the prompt together with all blocks before it: what the prompt begins with and
//! was in a prompt before might be cached, if nothing were ever evicted. (R. Qin et al., "Mooncake", FAST 2025)

use super::RequestFormat;
use crate::error::{Place, Problem};
use crate::trace::Head;
use crate::trace::intake::Intake;
use crate::workload::{Demand, Tokens};
use serde::Deserialize;
use std::collections::BTreeSet;

/// Tokens of a block.
const BLOCK: u32 = 512;

pub(super) const FORMAT: RequestFormat = RequestFormat {
    name: "mooncake",
    about: "Mooncake requests as JSON lines: timestamp (ms), input_length, output_length, hash_ids",
    detect,
    read,
};

#[derive(Deserialize)]
struct Line {
    timestamp: u64,
    input_length: u32,
    output_length: u32,
    #[serde(default)]
    hash_ids: Vec<u64>,
}

fn detect(head: &Head<'_>) -> bool {
    let has = |line: &[u8], key: &[u8]| line.windows(key.len()).any(|window| window == key);
    head.lines().next().is_some_and(|line| {
        line.starts_with(b"{") && has(line, b"\"input_length\"") && has(line, b"\"output_length\"")
    })
}

fn read(text: &[u8], demand: &mut Demand, intake: &mut Intake<'_>) {
    let mut seen = BTreeSet::new();
    let lines = (1..).zip(text.split(|byte| *byte == b'\n'));
    for (number, line) in lines.filter(|(_, line)| !line.trim_ascii().is_empty()) {
        let line = match serde_json::from_slice::<Line>(line) {
            Ok(line) => line,
            Err(error) => {
                intake.bad_line(number, |file| {
                    Problem::new(format!("not a request: {error}")).at(Place::line(file, number, line))
                });
                continue;
            }
        };
        let known = line.hash_ids.iter().take_while(|id| seen.contains(*id)).count();
        let blocks = u32::try_from(known).unwrap_or(u32::MAX);
        let cached = blocks.saturating_mul(BLOCK).min(line.input_length);
        seen.extend(line.hash_ids);
        let tokens = Tokens { input: line.input_length, cached, output: line.output_length };
        demand.push(line.timestamp, tokens);
    }
    intake
        .notes
        .say("cached tokens are those of prompts before, in blocks of 512, as if nothing were evicted");
}
