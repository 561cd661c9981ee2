//! Azure's traces of requests to language models: `TIMESTAMP,ContextTokens,GeneratedTokens`, dates with fractions of a
//! second. (P. Patel et al., "Splitwise", ISCA 2024; J. Stojkovic et al., "DynamoLLM", HPCA 2025)

use super::{RequestFormat, read_table};
use crate::trace::Head;
use crate::trace::intake::Intake;
use crate::workload::Demand;

const COLUMNS: [&str; 3] = ["TIMESTAMP", "ContextTokens", "GeneratedTokens"];

pub(super) const FORMAT: RequestFormat = RequestFormat {
    name: "azure-llm",
    about: "requests of Azure (2023, 2024) as CSV: TIMESTAMP,ContextTokens,GeneratedTokens",
    detect,
    read,
};

fn detect(head: &Head<'_>) -> bool {
    head.is_table(&COLUMNS)
}

fn read(text: &[u8], demand: &mut Demand, intake: &mut Intake<'_>) {
    read_table(text, COLUMNS, demand, intake);
}
