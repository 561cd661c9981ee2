//! The fenced blocks of README.md.

pub(crate) const README: &str = include_str!("../../README.md");

/// Every block, in order: the language it names, if any, and its lines.
pub(crate) fn blocks() -> Vec<(&'static str, &'static str)> {
    // Between fences there is text and code in turn.
    let parts = README.split("\n```").skip(1).step_by(2);
    parts.map(|part| part.split_once('\n').map_or((part, ""), |(language, text)| (language, text))).collect()
}
